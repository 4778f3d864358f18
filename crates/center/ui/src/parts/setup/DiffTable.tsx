/** The difference of two texts, line by line. */
import { useMemo } from "react";
import { useT } from "../../i18n";
import { counts, diffRows } from "../../lib/diff";

export function DiffTable({ old, next }: { old: string; next: string }) {
  const t = useT();
  const rows = useMemo(() => diffRows(old, next), [old, next]);
  const { added, removed } = counts(rows);
  if (rows.length === 0) return <p className="muted">{t("diff.none")}</p>;
  return (
    <figure className="diff">
      <figcaption>{t("diff.summary", { added, removed })}</figcaption>
      <div className="diff-scroll" tabIndex={0} role="region" aria-label={t("diff.title")}>
        <table>
          <tbody>
            {rows.map((row, i) =>
              row.kind === "skip" ? (
                <tr key={i} className="diff-skip">
                  <td colSpan={4}>{t("diff.skipped", { count: row.count })}</td>
                </tr>
              ) : (
                <tr key={i} className={`diff-${row.kind}`}>
                  <td className="diff-number">{row.old}</td>
                  <td className="diff-number">{row.next}</td>
                  <td className="diff-sign">{row.kind === "old" ? "−" : row.kind === "new" ? "+" : ""}</td>
                  <td className="diff-text">
                    {row.kind !== "same" && <span className="visually-hidden">{t(row.kind === "old" ? "diff.old" : "diff.new")}</span>}
                    {row.text || " "}
                  </td>
                </tr>
              ),
            )}
          </tbody>
        </table>
      </div>
    </figure>
  );
}
