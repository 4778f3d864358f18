/** All that was done with a case, newest on top. */
import type { CaseEvent } from "../api/types";
import { useT } from "../i18n";
import { fullTime } from "../lib/format";
import { departmentName, useDepartments } from "../state/catalogue";

export function CaseHistory({ history }: { history: CaseEvent[] }) {
  const t = useT();
  const departments = useDepartments();
  return (
    <ol className="timeline">
      {[...history].reverse().map((event) => {
        const details = [
          event.reason,
          event.department && departmentName(departments, event.department, t),
          event.due && t("case.dueAt", { time: fullTime(event.due, t.language) }),
        ].filter(Boolean);
        const step = event.from !== event.to ? t(`case.step.${event.to}`) : null;
        const action = t.maybe(`case.action.${event.action}`, event.action);
        return (
          <li key={event.sequence} className={`entry ${step ? "entry-person" : ""}`}>
            <time dateTime={event.at}>{fullTime(event.at, t.language)}</time>
            <span className="entry-title">
              {t("case.changed", { action, actor: t.maybe(`actor.${event.actor}`, event.actor) })}
              {step && step !== action ? ` → ${step}` : ""}
            </span>
            <span className="entry-detail">{details.join(" · ")}</span>
          </li>
        );
      })}
    </ol>
  );
}
