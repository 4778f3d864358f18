/** The wall: cameras live, alarms in front, incidents beside them, and one of them opened for judging. */
import { Cctv, ChevronLeft, ChevronRight } from "lucide-react";
import { useEffect, useMemo, useRef, useState, type CSSProperties } from "react";
import type { Incident } from "../api/types";
import { IncidentPanel } from "../parts/IncidentPanel";
import { IncidentRail, passes, type RailFilter } from "../parts/IncidentRail";
import { Empty, Failed, Loading } from "../parts/States";
import { Tile } from "../parts/Tile";
import { WallBar } from "../parts/WallBar";
import { WallHealth } from "../parts/WallHealth";
import { useT } from "../i18n";
import { byTrouble } from "../lib/health";
import { grid } from "../lib/overlay";
import { alarmsByCamera, arrange, inGroup, page, share } from "../lib/wall";
import { byUrgency, neighbour, useLive } from "../state/live";
import { go } from "../state/route";
import { useSettings } from "../state/settings";

/** Above this many tiles `auto` turns pages. */
const AUTO_MAX = 36;
const GAP = 6;

interface Props {
  id: string | null;
  /** Which of several screens this is; from the second on there is nothing but pictures. */
  screen: number;
  error: unknown;
  retry(): void;
}

export function WallView({ id, screen, error, retry }: Props) {
  const t = useT();
  const [filter, setFilter] = useState<RailFilter>("check");
  const [kind, setKind] = useState<string | null>(null);
  const incidents = useLive((s) => s.incidents);
  const rail = useSettings((s) => s.rail) && screen === 1;

  const step = (by: 1 | -1) => {
    const queue = Object.values(incidents)
      .filter((i) => passes(i, filter, kind))
      .sort(byUrgency);
    const next = neighbour(queue, id, by);
    if (next) go("wall", next);
    else if (!queue.some((i) => i.id === id)) go("wall");
  };
  const showsRail = rail || id !== null;
  return (
    <main className={`wall-view${id ? " with-panel" : ""}${showsRail ? "" : " without-rail"}`}>
      <Wall selected={id} screen={screen} error={error} retry={retry} />
      {id && <IncidentPanel id={id} onClose={() => go("wall")} onStep={step} />}
      {showsRail && <IncidentRail filter={filter} kind={kind} selected={id} onFilter={setFilter} onKind={setKind} onOpen={(incident) => go("wall", incident)} />}
      <span className="visually-hidden" aria-live="polite">
        {t("rail.new", { count: Object.values(incidents).filter((i) => i.status === "new").length })}
      </span>
    </main>
  );
}

function Wall({ selected, screen, error, retry }: { selected: string | null; screen: number; error: unknown; retry(): void }) {
  const t = useT();
  const cameras = useLive((s) => s.cameras);
  const incidents = useLive((s) => s.incidents);
  const loaded = useLive((s) => s.loaded);
  const { layout, group, groups, screens, pinned, forward } = useSettings();
  const [enlarged, setEnlarged] = useState<string | null>(null);
  const [number, setNumber] = useState(0);
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
  const auto = layout === "auto";
  const perPage = auto ? AUTO_MAX : layout;
  // A screen's share must not hang on alarms, or cameras would jump from screen to screen.
  const mine = useMemo(
    () => share(arrange(Object.values(cameras).filter((c) => inGroup(c, group, groups)), new Map(), AUTO_MAX), screen, Math.max(screens, screen)),
    [cameras, group, groups, screen, screens],
  );
  const all = useMemo(() => arrange(mine, forward ? alarms : new Map(), perPage, pinned), [mine, alarms, perPage, pinned, forward]);
  const pages = Math.max(1, Math.ceil(all.length / perPage));
  const current = Math.min(number, pages - 1);
  const urgent = useMemo(() => all.filter((c) => alarms.get(c.camera)?.some((i) => i.status === "new")).length, [all, alarms]);
  const known = useRef(urgent);
  useEffect(() => {
    // What has just come up stands on the first page: go there.
    if (forward && urgent > known.current) setNumber(0);
    known.current = urgent;
  }, [urgent, forward]);

  const single = enlarged && cameras[enlarged] ? cameras[enlarged] : null;
  const sheet = useMemo(() => page(all, alarms, perPage, current, forward && selected === null, auto), [all, alarms, perPage, current, forward, selected, auto]);
  const shown = single ? [single] : sheet.shown;
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
  const shape = grid(single ? 1 : sheet.cells, space.width, space.height, GAP);
  const tileWidth = Math.floor(Math.min((space.width - GAP * (shape.columns - 1)) / shape.columns, (((space.height - GAP * (shape.rows - 1)) / shape.rows) * 16) / 9));
  const style: CSSProperties = selected ? {} : { gridTemplateColumns: `repeat(${shape.columns}, ${tileWidth}px)`, gridAutoRows: `${Math.floor((tileWidth * 9) / 16)}px` };

  return (
    <section className="wall" aria-label={t("nav.wall")}>
      <div className="wall-bar">
        <WallBar
          screen={screen}
          onLayout={() => {
            setNumber(0);
            setEnlarged(null);
          }}
        />
        <WallHealth cameras={mine} onChoose={setEnlarged} />
        {pages > 1 && !single && (
          <div className="pager">
            <button className="icon-button" disabled={current === 0} onClick={() => setNumber(current - 1)} aria-label={t("wall.previous")}>
              <ChevronLeft size={16} />
            </button>
            {t("wall.page", { page: current + 1, pages })}
            <button className="icon-button" disabled={current === pages - 1} onClick={() => setNumber(current + 1)} aria-label={t("wall.next")}>
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
        ) : Object.keys(cameras).length === 0 ? (
          <Empty icon={Cctv} title={t("wall.empty")} hint={t("wall.empty.hint")} />
        ) : all.length === 0 ? (
          <Empty icon={Cctv} title={t("wall.group.empty")} />
        ) : (
          <div className="tiles" style={style}>
            {(selected ? strip : shown).map((camera) => (
              <Tile
                key={camera.camera}
                camera={camera}
                alarms={alarms.get(camera.camera) ?? NONE}
                large={!selected && tileWidth * (sheet.large === camera.camera ? 2 : 1) > 760}
                foremost={!selected && !single && sheet.large === camera.camera}
                enlarged={single === camera}
                pinned={pinned.includes(camera.camera)}
                selected={selected}
                onEnlarge={setEnlarged}
                onPin={pin}
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
const pin = (camera: string) => {
  const { pinned, set } = useSettings.getState();
  set({ pinned: pinned.includes(camera) ? pinned.filter((c) => c !== camera) : [...pinned, camera] });
};
