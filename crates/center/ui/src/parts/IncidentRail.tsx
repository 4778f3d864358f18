/** The list of incidents beside the wall: what is to be checked stands on top. */
import { CircleCheck, ListFilter } from "lucide-react";
import { useEffect, useMemo, useRef } from "react";
import type { Incident } from "../api/types";
import { useT, type Key } from "../i18n";
import { KINDS, KindIcon, kindName } from "../lib/kinds";
import { byUrgency, useLive } from "../state/live";
import { IncidentCard } from "./IncidentCard";
import { Empty, Loading } from "./States";

export type RailFilter = "check" | "confirmed" | "dismissed" | "all";
const FILTERS: RailFilter[] = ["check", "confirmed", "dismissed", "all"];
/** More than anyone reads in a list beside a wall; the record has them all. */
const SHOWN = 120;

export function passes(incident: Incident, filter: RailFilter, kind: string | null): boolean {
  if (kind && incident.kind !== kind) return false;
  switch (filter) {
    case "check":
      return incident.status === "new";
    case "confirmed":
      return incident.status !== "new" && incident.status !== "dismissed";
    case "dismissed":
      return incident.status === "dismissed";
    case "all":
      return true;
  }
}

interface Props {
  filter: RailFilter;
  kind: string | null;
  selected: string | null;
  onFilter(filter: RailFilter): void;
  onKind(kind: string | null): void;
  onOpen(id: string): void;
}

export function IncidentRail({ filter, kind, selected, onFilter, onKind, onOpen }: Props) {
  const t = useT();
  const incidents = useLive((s) => s.incidents);
  const loaded = useLive((s) => s.loaded);
  const list = useRef<HTMLDivElement>(null);
  const shown = useMemo(
    () => Object.values(incidents).filter((i) => passes(i, filter, kind)).sort(byUrgency).slice(0, SHOWN),
    [incidents, filter, kind],
  );
  const toCheck = useMemo(() => Object.values(incidents).filter((i) => i.status === "new"), [incidents]);

  useEffect(() => {
    list.current?.querySelector(".card-selected")?.scrollIntoView({ block: "nearest" });
  }, [selected]);

  return (
    <aside className="rail" aria-label={t("rail.title")}>
      <div className="rail-head">
        <div className="segments" role="group" aria-label={t("incident.status")}>
          {FILTERS.map((f) => (
            <button key={f} aria-pressed={filter === f} onClick={() => onFilter(f)}>
              {t(`rail.filter.${f}` as Key)}
              {f === "check" && toCheck.length > 0 && <b className="count">{toCheck.length}</b>}
            </button>
          ))}
        </div>
        <div className="chips" role="group" aria-label={t("incident.kind")}>
          {KINDS.map((k) => (
            <button key={k} className="chip" data-kind={k} aria-pressed={kind === k} title={kindName(k, t)} onClick={() => onKind(kind === k ? null : k)}>
              <KindIcon kind={k} size={15} />
              <span className="chip-count">{toCheck.filter((i) => i.kind === k).length}</span>
              <span className="visually-hidden">{kindName(k, t)}</span>
            </button>
          ))}
        </div>
      </div>
      <div className="rail-list" ref={list}>
        {!loaded ? (
          <Loading />
        ) : shown.length > 0 ? (
          shown.map((incident) => <IncidentCard key={incident.id} incident={incident} selected={incident.id === selected} onOpen={onOpen} />)
        ) : filter === "check" && !kind ? (
          <Empty icon={CircleCheck} title={t("rail.empty")} hint={t("rail.empty.hint")} />
        ) : (
          <Empty icon={ListFilter} title={t("rail.empty.filtered")} hint={t("rail.empty.filtered.hint")}>
            <button
              className="button"
              onClick={() => {
                onKind(null);
                onFilter("all");
              }}
            >
              {t("rail.clear")}
            </button>
          </Empty>
        )}
      </div>
    </aside>
  );
}
