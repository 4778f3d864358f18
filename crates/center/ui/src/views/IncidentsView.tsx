/** The record: every incident, found by site, kind, state, camera, zone, time and text, page by page, and taken along as a file. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { ListX } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { api, type IncidentFilter } from "../api/client";
import type { Incident } from "../api/types";
import { useT, type Translate } from "../i18n";
import { between, fullTime, percent } from "../lib/format";
import { cameraName } from "../lib/health";
import { KindIcon, kindName, suspected } from "../lib/kinds";
import { useNow } from "../lib/now";
import { PhaseBadge, StatusBadge } from "../parts/Badges";
import { Thumbnail } from "../parts/IncidentCard";
import { IncidentPanel } from "../parts/IncidentPanel";
import { SearchBar } from "../parts/SearchBar";
import { Empty, Failed, Loading } from "../parts/States";
import { neighbour, newer, useLive } from "../state/live";
import { go } from "../state/route";


/** Whether an incident of the live feed belongs in a list that was read with this filter. */
export function fits(incident: Incident, filter: IncidentFilter): boolean {
  return (
    (!filter.status || incident.status === filter.status) &&
    (!filter.kind || incident.kind === filter.kind) &&
    (!filter.site || incident.site === filter.site) &&
    (!filter.camera || incident.camera === filter.camera) &&
    (!filter.zone || incident.zone === filter.zone) &&
    (!filter.from || incident.started_at >= filter.from) &&
    (!filter.to || incident.started_at < filter.to) &&
    (filter.open === undefined || (incident.phase !== "ended") === filter.open)
  );
}

export function IncidentsView({ id }: { id: string | null }) {
  const t = useT();
  const [filter, setFilter] = useState<IncidentFilter>({});
  const live = useLive((s) => s.incidents);
  const epoch = useLive((s) => s.epoch);
  const query = useInfiniteQuery({
    queryKey: ["incidents", filter, epoch],
    queryFn: ({ pageParam }) => api.incidents(filter, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: (previous) => previous,
  });

  // What was read, with what the feed brought since on top.
  const rows = useMemo(() => {
    const byId = new Map<string, Incident>();
    for (const page of query.data?.pages ?? []) for (const incident of page.incidents) byId.set(incident.id, incident);
    const oldest = query.hasNextPage ? [...byId.values()].reduce((low, i) => (i.started_at < low ? i.started_at : low), "9999") : "";
    for (const incident of Object.values(live)) {
      // Only the center can search for words: what it did not find stays away.
      if (filter.text && !byId.has(incident.id)) continue;
      if (byId.has(incident.id) || incident.started_at >= oldest) byId.set(incident.id, newer(byId.get(incident.id), incident));
    }
    return [...byId.values()].filter((i) => fits(i, filter)).sort((a, b) => b.started_at.localeCompare(a.started_at) || b.id.localeCompare(a.id));
  }, [query.data, query.hasNextPage, live, filter]);

  useEffect(() => {
    document.querySelector("tr[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [id]);

  const step = (by: 1 | -1) => {
    const next = neighbour(rows, id, by);
    if (next) go("incidents", next);
  };
  return (
    <main className={`record${id ? " with-panel" : ""}`}>
      <section className="record-list" aria-label={t("incidents.title")}>
        <div className="record-bar">
          <h1>{t("incidents.title")}</h1>
          <SearchBar filter={filter} onFilter={setFilter} />
        </div>
        <div className="record-table">
          {query.isPending ? (
            <Loading />
          ) : query.isError && rows.length === 0 ? (
            <Failed error={query.error} retry={() => void query.refetch()} />
          ) : rows.length === 0 ? (
            <Empty icon={ListX} title={Object.keys(filter).length ? t("rail.empty.filtered") : t("incidents.empty")} />
          ) : (
            <Rows rows={rows} id={id} t={t} />
          )}
          {query.hasNextPage && (
            <button className="button record-more" disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
              {query.isFetchingNextPage ? t("incidents.loading") : t("rail.more")}
            </button>
          )}
        </div>
      </section>
      {id && <IncidentPanel id={id} onClose={() => go("incidents")} onStep={step} />}
    </main>
  );
}

function Rows({ rows, id, t }: { rows: Incident[]; id: string | null; t: Translate }) {
  const now = useNow();
  const cameras = useLive((s) => s.cameras);
  return (
    <table>
      <thead>
        <tr>
          <th aria-label={t("media.annotated")} />
          <th>{t("incident.kind")}</th>
          <th>{t("incident.camera")}</th>
          <th>{t("incident.started")}</th>
          <th className="number">{t("incident.duration")}</th>
          <th className="number wide">{t("incident.score")}</th>
          <th className="wide">{t("phase.open")}</th>
          <th>{t("incident.status")}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((i) => (
          <tr key={i.id} data-kind={i.kind} data-status={i.status} aria-selected={i.id === id} onClick={() => go("incidents", i.id)}>
            <td>
              <Thumbnail incident={i} />
            </td>
            <td>
              <a className="row-kind" href={`#/incidents/${i.id}`} title={suspected(i.kind, t)} onClick={(event) => event.stopPropagation()}>
                <KindIcon kind={i.kind} />
                {kindName(i.kind, t)}
              </a>
            </td>
            <td className="place">{cameraName(cameras[i.camera], i.camera, t)}</td>
            <td className="time">{fullTime(i.started_at, t.language)}</td>
            <td className="number">{between(i.since, i.phase === "ended" ? (i.ended_at ?? i.updated_at) : now, t)}</td>
            <td className="number wide">{percent(i.score)}</td>
            <td className="wide">
              <PhaseBadge incident={i} />
            </td>
            <td>
              <StatusBadge incident={i} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
