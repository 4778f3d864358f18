/** A site's plan with what is on it, drawn by ourselves: no tiles from anywhere. Moved by wheel, touch and keys. */
import { useQuery } from "@tanstack/react-query";
import { Maximize, Minus, Plus } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent, type PointerEvent, type ReactNode } from "react";
import { ApiError } from "../api/client";
import { sitePlans } from "../api/room";
import { useT } from "../i18n";
import { around, moved, whole, zoomed, type Size, type View } from "../lib/mapview";
import { middleOn, outlineOn, type LonLat, type Plan } from "../lib/plan";
import { NO_PLAN, parseSitePlan, sector, sheetOf, type PlanCamera, type SitePlan } from "../lib/siteplan";
import { nameOf } from "../state/catalogue";

export interface Marker {
  key: string;
  at: LonLat;
  /** Code of the kind of an incident. */
  kind: string;
  label: string;
  /** Not judged yet, or not settled: drawn filled. */
  strong: boolean;
  uncertaintyMeters?: number;
  href?: string;
}

export interface Outline {
  key: string;
  className: string;
  points: LonLat[];
  label: string;
  href: string;
}

interface Props {
  site: string;
  markers?: Marker[];
  outlines?: Outline[];
  /** Key of the marker, or id of the camera, that is meant. */
  chosen?: string | null;
  /** Tone of each camera; none for a small map. */
  toneOf?: (camera: string) => string;
  cameraHref?: (camera: string) => string;
  /** Round its chosen marker, without buttons. */
  small?: boolean;
  children?: ReactNode;
}

export function useSitePlan(site: string | null): { plan: SitePlan; isPending: boolean; error: unknown } {
  const query = useQuery({
    queryKey: ["plan", site],
    enabled: site !== null,
    queryFn: async () => {
      try {
        return parseSitePlan(await sitePlans.read(site ?? ""));
      } catch (error) {
        // A site without a plan still has places.
        if (error instanceof ApiError && error.status === 404) return NO_PLAN;
        throw error;
      }
    },
    staleTime: 300_000,
  });
  return { plan: query.data ?? NO_PLAN, isPending: query.isPending, error: query.error };
}

const NO_MARKERS: Marker[] = [];
const NO_OUTLINES: Outline[] = [];

export function SiteMap({ site, markers = NO_MARKERS, outlines = NO_OUTLINES, chosen = null, toneOf, cameraHref, small = false, children }: Props) {
  const t = useT();
  const { plan } = useSitePlan(site);
  const sheet = useMemo(() => sheetOf(plan, [...markers.map((m) => m.at), ...outlines.flatMap((o) => o.points)]), [plan, markers, outlines]);
  const frame = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState<Size>({ width: 600, height: 400 });
  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setSize({ width: Math.max(1, element.clientWidth), height: Math.max(1, element.clientHeight) }));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const full = sheet ? whole(sheet, size) : null;
  const meant = markers.find((m) => m.key === chosen);
  const start = sheet && full ? (small && meant ? around(sheet.at(meant.at), Math.min(full.width, 120), size) : full) : null;
  const [own, setOwn] = useState<View | null>(null);
  // Another site, or another shape of the window, begins anew.
  useEffect(() => setOwn(null), [site, size, small]);
  const view = own ?? start;
  const hands = useHands(frame, view, full, setOwn, small);

  if (!sheet || !view || !full) {
    return (
      <div className="site-map" ref={frame}>
        <p className="map-nothing muted">{t("map.nothing")}</p>
      </div>
    );
  }
  /** Metres of the sheet for a pixel of the screen: signs keep their size. */
  const unit = view.width / size.width;
  const middle = { x: view.x + view.width / 2, y: view.y + view.height / 2 };
  return (
    <div className={`site-map${small ? " site-map-small" : ""}`} ref={frame}>
      <svg viewBox={`${view.x} ${view.y} ${view.width} ${view.height}`} role="group" aria-label={t("map.of", { site })} tabIndex={small ? -1 : 0} {...hands}>
        <Ground site={site} plan={plan} sheet={sheet} unit={unit} />
        {plan.cameras.map((camera) => (
          <CameraSign key={camera.id} camera={camera} sheet={sheet} unit={unit} tone={toneOf?.(camera.id) ?? "off"} chosen={chosen === camera.id} href={cameraHref?.(camera.id)} />
        ))}
        {outlines.map((o) => (
          <a key={o.key} href={o.href} aria-label={o.label}>
            <title>{o.label}</title>
            <polygon className={`plan-structure ${o.className}`} points={outlineOn(sheet, o.points)} strokeWidth={1.5 * unit} />
          </a>
        ))}
        {markers.map((marker) => (
          <MarkerSign key={marker.key} marker={marker} sheet={sheet} unit={unit} chosen={marker.key === chosen} />
        ))}
      </svg>
      {!small && (
        <div className="map-tools">
          <button className="icon-button" onClick={() => setOwn(zoomed(view, 1.6, middle, full))} aria-label={t("map.closer")} title={`${t("map.closer")} (+)`}>
            <Plus size={17} aria-hidden />
          </button>
          <button className="icon-button" onClick={() => setOwn(zoomed(view, 1 / 1.6, middle, full))} aria-label={t("map.farther")} title={`${t("map.farther")} (-)`}>
            <Minus size={17} aria-hidden />
          </button>
          <button className="icon-button" onClick={() => setOwn(null)} aria-label={t("map.whole")} title={`${t("map.whole")} (0)`}>
            <Maximize size={16} aria-hidden />
          </button>
        </div>
      )}
      <Scale unit={unit} />
      {children}
    </div>
  );
}

/** Picture, outline, buildings and zones. */
function Ground({ site, plan, sheet, unit }: { site: string; plan: SitePlan; sheet: Plan; unit: number }) {
  const t = useT();
  const [hasPicture, setHasPicture] = useState(true);
  useEffect(() => setHasPicture(true), [site]);
  const [west, south, east, north] = plan.picture ?? [0, 0, 0, 0];
  const [left, top] = sheet.at([west, north]);
  const [right, bottom] = sheet.at([east, south]);
  return (
    <>
      {plan.outlines.flatMap((area) => area.rings.map((ring, i) => <polygon key={`${area.id}${i}`} className="map-site" points={outlineOn(sheet, ring)} strokeWidth={1.5 * unit} />))}
      {plan.picture && hasPicture && (
        <image href={sitePlans.pictureUrl(site)} x={left} y={top} width={Math.max(0, right - left)} height={Math.max(0, bottom - top)} preserveAspectRatio="none" onError={() => setHasPicture(false)} />
      )}
      {plan.zones.flatMap((area) =>
        area.rings.map((ring, i) => (
          <polygon key={`${area.id}${i}`} className="map-zone" data-purpose={area.purpose ?? undefined} points={outlineOn(sheet, ring)} strokeWidth={unit} strokeDasharray={`${5 * unit} ${4 * unit}`}>
            <title>{`${nameOf(area, t, area.id)} · ${t.maybe(`purpose.${area.purpose}`, area.purpose ?? "")}`}</title>
          </polygon>
        )),
      )}
      {plan.buildings.map((area) => {
        const ring = area.rings[0] ?? [];
        const [x, y] = middleOn(sheet, ring);
        const name = nameOf(area, t, area.id);
        return (
          <g key={area.id}>
            {area.rings.map((r, i) => (
              <polygon key={i} className="plan-building" points={outlineOn(sheet, r)} strokeWidth={unit} />
            ))}
            <text className="map-name" x={x} y={y} fontSize={12 * unit} strokeWidth={3 * unit}>
              {name}
            </text>
          </g>
        );
      })}
    </>
  );
}

function CameraSign({ camera, sheet, unit, tone, chosen, href }: { camera: PlanCamera; sheet: Plan; unit: number; tone: string; chosen: boolean; href: string | undefined }) {
  const t = useT();
  const [x, y] = sheet.at(camera.at);
  const sight = sector(sheet, camera);
  const name = nameOf(camera, t, camera.id);
  const r = (chosen ? 9 : 7) * unit;
  const sign = (
    <>
      <title>{name}</title>
      {sight && <path className="map-sight" d={sight} strokeWidth={unit} />}
      <rect className="map-camera" x={x - r} y={y - r} width={2 * r} height={2 * r} rx={3 * unit} strokeWidth={1.5 * unit} />
      <circle className="map-lens" cx={x} cy={y} r={r * 0.42} />
    </>
  );
  const props = { className: `map-sign tone-${tone}`, "data-chosen": chosen || undefined };
  return href ? (
    <a href={href} aria-label={t("map.camera", { camera: name })} {...props}>
      {sign}
    </a>
  ) : (
    <g {...props}>{sign}</g>
  );
}

function MarkerSign({ marker, sheet, unit, chosen }: { marker: Marker; sheet: Plan; unit: number; chosen: boolean }) {
  const [x, y] = sheet.at(marker.at);
  const r = (chosen ? 11 : 8) * unit;
  const sign = (
    <>
      <title>{marker.label}</title>
      {marker.uncertaintyMeters !== undefined && <circle className="map-doubt" cx={x} cy={y} r={marker.uncertaintyMeters} strokeWidth={unit} />}
      {/* A drop that points at the place. */}
      <path className="map-drop" d={`M ${x} ${y} L ${x - r * 0.8} ${y - r * 1.5} A ${r} ${r} 0 1 1 ${x + r * 0.8} ${y - r * 1.5} Z`} strokeWidth={1.5 * unit} />
      <circle className="map-drop-eye" cx={x} cy={y - r * 2.1} r={r * 0.4} />
    </>
  );
  const props = { className: "map-marker", "data-kind": marker.kind, "data-strong": marker.strong || undefined, "data-chosen": chosen || undefined };
  return marker.href ? (
    <a href={marker.href} aria-label={marker.label} {...props}>
      {sign}
    </a>
  ) : (
    <g {...props}>{sign}</g>
  );
}

/** How long a metre is here. */
function Scale({ unit }: { unit: number }) {
  const t = useT();
  const meters = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].findLast((m) => m / unit <= 120) ?? 1;
  return (
    <div className="map-scale" style={{ width: `${meters / unit}px` }}>
      {t("map.meters", { meters })}
    </div>
  );
}

/** Wheel, drag, pinch and keys. */
function useHands(frame: { current: HTMLDivElement | null }, view: View | null, full: View | null, set: (view: View) => void, small: boolean) {
  const now = useRef({ view, full });
  now.current = { view, full };
  const pointers = useRef(new Map<number, { x: number; y: number }>());
  const dragged = useRef(false);

  const spot = useCallback((x: number, y: number) => {
    const box = frame.current?.getBoundingClientRect();
    const { view: seen } = now.current;
    if (!box || !seen) return { x: 0, y: 0 };
    return { x: seen.x + ((x - box.left) / box.width) * seen.width, y: seen.y + ((y - box.top) / box.height) * seen.height };
  }, [frame]);

  // React listens to the wheel passively, so that it cannot keep the page from scrolling.
  useEffect(() => {
    const element = frame.current;
    if (!element || small) return;
    const wheel = (event: WheelEvent) => {
      const { view: seen, full: all } = now.current;
      if (!seen || !all) return;
      event.preventDefault();
      set(zoomed(seen, 1.0015 ** -event.deltaY, spot(event.clientX, event.clientY), all));
    };
    element.addEventListener("wheel", wheel, { passive: false });
    return () => element.removeEventListener("wheel", wheel);
  }, [frame, set, spot, small]);

  if (small) return {};
  const lift = (event: PointerEvent) => pointers.current.delete(event.pointerId);
  return {
    onPointerDown: (event: PointerEvent) => {
      dragged.current = false;
      pointers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
    },
    onPointerMove: (event: PointerEvent) => {
      const before = pointers.current.get(event.pointerId);
      const { view: seen, full: all } = now.current;
      const width = frame.current?.clientWidth;
      if (!before || !seen || !all || !width) return;
      const to = { x: event.clientX, y: event.clientY };
      if (!dragged.current && Math.hypot(to.x - before.x, to.y - before.y) < 4) return;
      if (!dragged.current) event.currentTarget.setPointerCapture(event.pointerId);
      dragged.current = true;
      const other = [...pointers.current].find(([id]) => id !== event.pointerId)?.[1];
      pointers.current.set(event.pointerId, to);
      if (other) {
        const factor = Math.hypot(to.x - other.x, to.y - other.y) / Math.max(1, Math.hypot(before.x - other.x, before.y - other.y));
        set(zoomed(seen, factor, spot((to.x + other.x) / 2, (to.y + other.y) / 2), all));
      } else {
        const unit = seen.width / width;
        set(moved(seen, (before.x - to.x) * unit, (before.y - to.y) * unit, all));
      }
    },
    onPointerUp: lift,
    onPointerCancel: lift,
    // The end of a drag is no click on what lies under it.
    onClickCapture: (event: { preventDefault(): void; stopPropagation(): void }) => {
      if (!dragged.current) return;
      event.preventDefault();
      event.stopPropagation();
      dragged.current = false;
    },
    onKeyDown: (event: KeyboardEvent) => {
      const { view: seen, full: all } = now.current;
      if (!seen || !all) return;
      const step = seen.width / 8;
      const middle = { x: seen.x + seen.width / 2, y: seen.y + seen.height / 2 };
      const to: Record<string, () => View> = {
        ArrowLeft: () => moved(seen, -step, 0, all),
        ArrowRight: () => moved(seen, step, 0, all),
        ArrowUp: () => moved(seen, 0, -step, all),
        ArrowDown: () => moved(seen, 0, step, all),
        "+": () => zoomed(seen, 1.6, middle, all),
        "=": () => zoomed(seen, 1.6, middle, all),
        "-": () => zoomed(seen, 1 / 1.6, middle, all),
        "0": () => all,
      };
      const next = to[event.key];
      if (!next) return;
      event.preventDefault();
      event.stopPropagation();
      set(next());
    },
  };
}
