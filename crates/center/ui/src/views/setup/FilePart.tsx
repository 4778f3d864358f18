/** The pipeline file as it would be saved: its text, what is wrong in it, what differs, and what it was before. */
import { useMutation } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { errorText } from "../../api/client";
import { setupOf } from "../../api/setup";
import { useT } from "../../i18n";
import { fullTime, size } from "../../lib/format";
import { DiffTable } from "../../parts/setup/DiffTable";
import { ProblemList } from "../../parts/setup/Problems";
import { showProblem, TextEditor } from "../../parts/setup/TextEditor";
import { useSetup } from "../../state/setup";

export function FilePart() {
  const t = useT();
  const { file, text, problems, type, place } = useSetup();
  const area = useRef<HTMLTextAreaElement>(null);
  const [side, setSide] = useState<"problems" | "diff" | "versions">("problems");
  const bring = useMutation({ mutationFn: (version: string) => setupOf(place ?? { site: "", node: "" }).version(version), onSuccess: (old) => type(old.text) });
  if (!file) return null;
  return (
    <div className="setup-file">
      <section className="file-text" aria-label={t("setup.text")}>
        <p className="muted file-name">
          <code>{file.file}</code> · {t("setup.text.hint")}
        </p>
        <TextEditor text={text} problems={problems} area={area} onChange={type} />
      </section>
      <aside className="file-side">
        <div className="tabs" role="tablist">
          {(["problems", "diff", "versions"] as const).map((name) => (
            <button key={name} role="tab" aria-selected={side === name} onClick={() => setSide(name)}>
              {t(`setup.side.${name}`)}
              {name === "problems" && problems.length > 0 && <span className="count">{problems.length}</span>}
            </button>
          ))}
        </div>
        <div className="file-side-body" role="tabpanel">
          {side === "problems" && <ProblemList problems={problems} onShow={(problem) => showProblem(area.current, problem)} />}
          {side === "diff" && <DiffTable old={file.text} next={text} />}
          {side === "versions" && (
            <>
              {bring.error && <p className="form-message">{errorText(bring.error, t.language)}</p>}
              {file.versions.length === 0 && <p className="muted">{t("setup.versions.none")}</p>}
              <ul className="file-versions">
                {file.versions.map((version) => (
                  <li key={version.version}>
                    <time dateTime={version.saved_at}>{fullTime(version.saved_at, t.language)}</time>
                    <span className="muted">{size(version.bytes)}</span>
                    <button className="button button-small" disabled={bring.isPending} onClick={() => bring.mutate(version.version)}>
                      {t("setup.versions.bring")}
                    </button>
                  </li>
                ))}
              </ul>
              <p className="field-hint">{t("setup.versions.hint")}</p>
            </>
          )}
        </div>
      </aside>
    </div>
  );
}
