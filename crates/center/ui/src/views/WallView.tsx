/** The wall: all cameras live, incidents beside them, and one of them opened for judging. */
import { ChevronLeft, ChevronRight, Cctv } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import type { Camera, Incident } from "../api/types";
import { IncidentPanel } from "../parts/IncidentPanel";
import { IncidentRail, passes, type RailFilter } from "../parts/IncidentRail";
import { Empty, Failed, Loading } from "../parts/States";
import { Tile } from "../parts/Tile";
import { useT } from "../i18n";
import { byTrouble, cameraName } from "../lib/health";
import { grid } from "../lib/overlay";
import { byUrgency, neighbour, useLive } from "../state/live";
import { go } from "../state/route";
import { useSettings, type Layout } from "../state/settings";

const LAYOUTS: Layout[] = ["auto", 1, 4, 9, 16, 20, 36];
/** Above this many tiles `auto` turns pages. */
const AUTO_MAX = 36;
const GAP = 6;

/** Cameras in their fixed order; those with something to check come forward when not all fit. */
export function arrange(cameras: Camera[], alarms: Map<string, Incident[]>, perPage: number): Camera[] {
  const ordered = [...cameras].sort((a, b) => cameraName(a).localeCompare(cameraName(b), "zh-CN"));
  if (ordered.length <= perPage) return ordered;
  const urgent = (c: Camera) => (alarms.get(c.camera)?.some((i) => i.status === "new") ? 0 : 1);
  return ordered.sort((a, b) => urgent(a) - urgent(b));
}

/** Incidents that go on and are not dismissed, by camera. */
export function alarmsByCamera(incidents: Incident[]): Map<string, Incident[]> {
  const all = new Map<string, Incident[]>();
  for (const incident of [...incidents].sort(byUrgency)) {
    if (incident.phase === "ended" || incident.status === "dismissed") continue;
    all.set(incident.camera, [...(all.get(incident.camera) ?? []), incident]);
  }
  return all;
}

export function WallView({ id, error, retry }: { id: string | null; error: unknown; retry(): void }) {
  const t = useT();
  const [filter, setFilter] = useState<RailFilter>("check");
  const [kind, setKind] = useState<string | null>(null);
  const incidents = useLive((s) => s.incidents);

  const step = (by: 1 | -1) => {
    const queue = Object.values(incidents)
      .filter((i) => passes(i, filter, kind))
      .sort(byUrgency);
    const next = neighbour(queue, id, by);
    if (next) go("wall", next);
    else if (!queue.some((i) => i.id === id)) go("wall");
  };
  return (
    <main className={`wall-view${id ? " with-panel" : ""}`}>
      <Wall selected={id} error={error} retry={retry} />
      {id && <IncidentPanel id={id} onClose={() => go("wall")} onStep={step} />}
      <IncidentRail filter={filter} kind={kind} selected={id} onFilter={setFilter} onKind={setKind} onOpen={(incident) => go("wall", incident)} />
      <span className="visually-hidden" aria-live="polite">
        {t("rail.new", { count: Object.values(incidents).filter((i) => i.status === "new").length })}
      </span>
    </main>
  );
}

function Wall({ selected, error, retry }: { selected: string | null; error: unknown; retry(): void }) {
  const t = useT();
  const cameras = useLive((s) => s.cameras);
  const incidents = useLive((s) => s.incidents);
  const loaded = useLive((s) => s.loaded);
  const { layout, tracks, zones, set } = useSettings();
  const [enlarged, setEnlarged] = useState<string | null>(null);
  const [page, setPage] = useState(0);
  const [space, setSpace] = useState({ width: 1200, height: 800 });
  const area = useRef<HTMLDivElement>(null);

  useEffect(() => {
    const element = area.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setSpace({ width: element.clientWidth, height: element.clientHeight }));
    observer.observe(element);
    return () => observer.disconnect();
  }, [loaded]);

  const alarms = useMemo(() => alarmsByCamera(Object.values(incidents)), [incidents]);
  const perPage = layout === "auto" ? AUTO_MAX : layout;
  const all = useMemo(() => arrange(Object.values(cameras), alarms, perPage), [cameras, alarms, perPage]);
  const pages = Math.max(1, Math.ceil(all.length / perPage));
  const current = Math.min(page, pages - 1);
  const large = enlarged && cameras[enlarged] ? enlarged : null;
  const shown = large ? all.filter((c) => c.camera === large) : all.slice(current * perPage, (current + 1) * perPage);
  // Beside an open incident the wall is a strip: its own camera first, then those with trouble.
  const incidentCamera = selected ? incidents[selected]?.camera : undefined;
  const strip = useMemo(
    () =>
      [...shown].sort(
        (a, b) =>
          Number(b.camera === incidentCamera) - Number(a.camera === incidentCamera) ||
          Number(alarms.has(b.camera)) - Number(alarms.has(a.camera)) ||
          byTrouble(a, b),
      ),
    [shown, incidentCamera, alarms],
  );
  const cells = layout === "auto" || large ? shown.length : layout;
  const shape = grid(cells, space.width, space.height, GAP);
  const tileWidth = Math.floor(
    Math.min((space.width - GAP * (shape.columns - 1)) / shape.columns, (((space.height - GAP * (shape.rows - 1)) / shape.rows) * 16) / 9),
  );
  const style = selected
    ? {}
    : { gridTemplateColumns: `repeat(${shape.columns}, ${tileWidth}px)`, gridAutoRows: `${Math.floor((tileWidth * 9) / 16)}px` };

  return (
    <section className="wall" aria-label={t("nav.wall")}>
      <div className="wall-bar">
        <div className="segments" role="group" aria-label={t("wall.layout")}>
          {LAYOUTS.map((l) => (
            <button
              key={l}
              aria-pressed={layout === l}
              title={l === "auto" ? t("wall.layout.auto") : t("wall.layout.count", { count: l })}
              onClick={() => {
                setPage(0);
                setEnlarged(null);
                set({ layout: l });
              }}
            >
              {l === "auto" ? t("wall.layout.auto") : l}
            </button>
          ))}
        </div>
        <div className="segments" role="group" aria-label={t("wall.overlay")}>
          <button aria-pressed={tracks} onClick={() => set({ tracks: !tracks })}>
            {t("wall.overlay.tracks")}
          </button>
          <button aria-pressed={zones} onClick={() => set({ zones: !zones })}>
            {t("wall.overlay.zones")}
          </button>
        </div>
        {pages > 1 && !large && (
          <div className="pager">
            <button className="icon-button" disabled={current === 0} onClick={() => setPage(current - 1)} aria-label={t("wall.previous")}>
              <ChevronLeft size={16} />
            </button>
            {t("wall.page", { page: current + 1, pages })}
            <button className="icon-button" disabled={current === pages - 1} onClick={() => setPage(current + 1)} aria-label={t("wall.next")}>
              <ChevronRight size={16} />
            </button>
          </div>
        )}
      </div>
      <div className="wall-area" ref={area}>
        {!loaded ? (
          error ? (
            <Failed error={error} retry={retry} />
          ) : (
            <Loading />
          )
        ) : all.length === 0 ? (
          <Empty icon={Cctv} title={t("wall.empty")} hint={t("wall.empty.hint")} />
        ) : (
          <div className="tiles" style={style}>
            {(selected ? strip : shown).map((camera) => (
              <Tile
                key={camera.camera}
                camera={camera}
                alarms={alarms.get(camera.camera) ?? NONE}
                large={!selected && tileWidth > 760}
                enlarged={large === camera.camera}
                selected={selected}
                onEnlarge={setEnlarged}
                onOpen={open}
              />
            ))}
          </div>
        )}
      </div>
    </section>
  );
}

const NONE: Incident[] = [];
const open = (incident: string) => go("wall", incident);
