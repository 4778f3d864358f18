/** What else happened at this place: a line of time, and the incidents and cases on it, newest first. */
import { useQuery } from "@tanstack/react-query";
import { FolderOpen } from "lucide-react";
import { room } from "../api/room";
import type { Incident, PlaceHistory as History } from "../api/types";
import { useT } from "../i18n";
import { clock, day } from "../lib/format";
import { suspected, kindName } from "../lib/kinds";
import { useNow } from "../lib/now";
import { href } from "../state/route";
import { StatusBadge } from "./Badges";
import { CaseStepBadge } from "./CasePanel";
import { Thumbnail } from "./IncidentCard";
import { Failed, Loading } from "./States";

export interface Moment {
  key: string;
  at: string;
  kind: string;
  what: "incident" | "case";
}

/** All of it by time, newest first, each once. */
export function moments(history: History): Moment[] {
  const all = new Map<string, Moment>();
  for (const i of history.incidents) all.set(i.id, { key: i.id, at: i.started_at, kind: i.kind, what: "incident" });
  for (const c of history.cases) all.set(c.id, { key: c.id, at: c.opened_at, kind: c.kind, what: "case" });
  return [...all.values()].sort((a, b) => b.at.localeCompare(a.at));
}

export function PlaceHistory({ incident, limit = 12 }: { incident: Incident; limit?: number }) {
  const t = useT();
  const now = useNow();
  const query = useQuery({ queryKey: ["place", incident.id], queryFn: () => room.historyOfPlace(incident.id), staleTime: 60_000 });
  if (query.isPending) return <Loading />;
  if (query.isError) return <Failed error={query.error} retry={() => void query.refetch()} />;
  const all = moments(query.data);
  if (all.length === 0) return <p className="muted">{t("place.none")}</p>;
  return (
    <>
      <PlaceAxis moments={all} now={now} />
      <ul className="place-list">
        {all.slice(0, limit).map((moment) => {
          const seen = query.data.incidents.find((i) => i.id === moment.key);
          const file = query.data.cases.find((c) => c.id === moment.key);
          return (
            <li key={moment.key} data-kind={moment.kind}>
              <a href={href(seen ? "incidents" : "cases", moment.key)}>
                {seen ? (
                  <Thumbnail incident={seen} />
                ) : (
                  <span className="thumb thumb-none">
                    <FolderOpen size={18} aria-hidden />
                  </span>
                )}
                <span className="place-text">
                  <b>{seen ? suspected(moment.kind, t) : `${t("place.case")} ${file?.number ?? ""} · ${kindName(moment.kind, t)}`}</b>
                  <time className="muted">{clock(moment.at, now, t.language)}</time>
                </span>
                {seen && <StatusBadge incident={seen} />}
                {file && <CaseStepBadge file={file} />}
              </a>
            </li>
          );
        })}
      </ul>
    </>
  );
}

const [WIDTH, HEIGHT, SIDE] = [520, 46, 10];

/** A dot for each on a line from the earliest to now; cases are squares. */
function PlaceAxis({ moments: all, now }: { moments: Moment[]; now: number }) {
  const t = useT();
  const begin = Math.min(...all.map((m) => Date.parse(m.at)), now - 86_400_000);
  const x = (at: number) => SIDE + ((at - begin) / (now - begin)) * (WIDTH - 2 * SIDE);
  return (
    <svg className="place-axis" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={t("place.axis", { count: all.length })}>
      <line x1={SIDE} x2={WIDTH - SIDE} y1={16} y2={16} />
      {all.map((m) => {
        const at = x(Date.parse(m.at));
        return m.what === "case" ? (
          <rect key={m.key} data-kind={m.kind} x={at - 5} y={11} width={10} height={10} rx={2}>
            <title>{`${t("place.case")} · ${day(m.at, t.language)}`}</title>
          </rect>
        ) : (
          <circle key={m.key} data-kind={m.kind} cx={at} cy={16} r={5}>
            <title>{`${t("place.incident")} · ${day(m.at, t.language)}`}</title>
          </circle>
        );
      })}
      <text x={SIDE} y={40}>
        {day(begin, t.language)}
      </text>
      <text x={WIDTH - SIDE} y={40} textAnchor="end">
        {day(now, t.language)}
      </text>
    </svg>
  );
}
