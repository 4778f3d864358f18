/** What happened to an incident, by machine and by people, newest on top. */
import type { IncidentDetail } from "../api/types";
import { useT, type Translate } from "../i18n";
import { clock, percent } from "../lib/format";
import { useNow } from "../lib/now";

export interface Entry {
  key: string;
  at: string;
  tone: "started" | "updated" | "ended" | "person";
  title: string;
  detail: string;
}

/** Runs of updates are folded into their latest: an hour of them says no more. */
export function entries(detail: IncidentDetail, t: Translate): Entry[] {
  const out: Entry[] = [];
  let updates = 0;
  const events = [...detail.events].sort((a, b) => a.sequence - b.sequence);
  events.forEach((event, index) => {
    const next = events[index + 1];
    if (event.phase === "updated") {
      updates += 1;
      if (next?.phase === "updated") return;
    }
    const facts: string[] = [];
    if (event.phase === "ended" && event.end_reason) facts.push(t(`end.${event.end_reason}`));
    if (event.phase !== "ended") facts.push(percent(event.score));
    if (event.covered != null) facts.push(`${t("incident.covered")} ${percent(event.covered)}`);
    if (event.count > 1) facts.push(`${t("incident.count")} ${event.count}`);
    const times = event.phase === "updated" && updates > 1 ? ` ×${updates}` : "";
    if (event.phase === "updated") updates = 0;
    out.push({ key: event.event_id, at: event.at, tone: event.phase, title: t(`phase.${event.phase}`) + times, detail: facts.join(" · ") });
  });
  for (const [index, entry] of detail.audit.entries()) {
    const [code = "", ...rest] = entry.reason?.split(": ") ?? [];
    const known = t.maybe(`reason.${code}`, "");
    // A verdict's reason is a code, perhaps with a note; that of another deed is what somebody wrote.
    const [reason, note] = known ? [known, rest.join(": ")] : [entry.reason ?? "", ""];
    out.push({
      key: `audit-${index}`,
      at: entry.at,
      tone: "person",
      title: t.maybe(`audit.${entry.action}`, entry.action),
      detail: [t.maybe(`actor.${entry.operator}`, entry.operator), reason, note].filter(Boolean).join(" · "),
    });
  }
  return out.sort((a, b) => b.at.localeCompare(a.at));
}

export function Timeline({ detail }: { detail: IncidentDetail }) {
  const t = useT();
  const now = useNow();
  return (
    <ol className="timeline">
      {entries(detail, t).map((entry) => (
        <li key={entry.key} className={`entry entry-${entry.tone}`}>
          <time>{clock(entry.at, now, t.language)}</time>
          <span className="entry-title">{entry.title}</span>
          <span className="entry-detail">{entry.detail}</span>
        </li>
      ))}
    </ol>
  );
}
