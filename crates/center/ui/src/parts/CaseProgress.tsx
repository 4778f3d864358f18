/** The way of a case as a line: what was reached when and by whom, where it stands, what is due next. */
import { Check, CircleDot, CircleSlash } from "lucide-react";
import type { CaseDetail } from "../api/types";
import { useT } from "../i18n";
import { dueOf, isOver, stages } from "../lib/cases";
import { clock } from "../lib/format";
import { useNow } from "../lib/now";

export function CaseProgress({ detail }: { detail: CaseDetail }) {
  const t = useT();
  const now = useNow();
  const { tone, text } = dueOf(detail.case, now, t);
  const aside = detail.case.step === "rejected" || detail.case.step === "merged";
  return (
    <ol className="way" aria-label={t("case.progress")}>
      {stages(detail).map((stage) => {
        const Icon = stage.state === "done" || stage.step === "closed" ? Check : aside ? CircleSlash : CircleDot;
        return (
          <li key={stage.step} className={`way-${stage.state}`} aria-current={stage.state === "current" ? "step" : undefined}>
            <span className="way-sign" aria-hidden>
              {stage.state === "ahead" ? null : <Icon size={15} strokeWidth={2.5} />}
            </span>
            <b>{t(`case.step.${stage.step}`)}</b>
            {stage.at && <time dateTime={stage.at}>{clock(stage.at, now, t.language)}</time>}
            {stage.by && <span className="muted">{stage.by}</span>}
            {stage.due && (
              <span className={`due due-${tone}`}>
                {t("case.dueAt", { time: clock(stage.due, now, t.language) })}
                <br />
                {text}
              </span>
            )}
            {stage.state === "current" && detail.case.suspended && !isOver(detail.case) && <span className="due due-off">{t("case.suspended")}</span>}
          </li>
        );
      })}
    </ol>
  );
}
