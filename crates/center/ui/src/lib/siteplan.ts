/**
 * A site's own plan out of its GeoJSON: the same features as in a survey (`properties.kind` is `site`, `building`,
 * `approved`, `zone` or `camera`), and of cameras also `bearing_degrees` (clockwise from north), `view_degrees` and
 * `reach_meters`. What it does not know it leaves out. The plan's picture lies in the `bbox` of the collection.
 */
import { planOf, type LonLat, type Plan } from "./plan";

export interface Area {
  id: string;
  name_zh: string | null;
  name_en: string | null;
  purpose: string | null;
  rings: LonLat[][];
}

export interface PlanCamera {
  id: string;
  name_zh: string | null;
  name_en: string | null;
  at: LonLat;
  bearing: number | null;
  view: number;
  reach: number;
}

export interface SitePlan {
  outlines: Area[];
  buildings: Area[];
  zones: Area[];
  cameras: PlanCamera[];
  /** West, south, east and north edge of the picture. */
  picture: [number, number, number, number] | null;
}

export const NO_PLAN: SitePlan = { outlines: [], buildings: [], zones: [], cameras: [], picture: null };

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
const text = (value: unknown) => (typeof value === "string" ? value : null);
const number = (value: unknown) => (typeof value === "number" && Number.isFinite(value) ? value : null);
const position = (value: unknown): LonLat | null => (Array.isArray(value) && number(value[0]) !== null && number(value[1]) !== null ? [value[0] as number, value[1] as number] : null);

/** Outer rings of a polygon or of several. */
function rings(geometry: Record<string, unknown>): LonLat[][] {
  const coordinates = Array.isArray(geometry["coordinates"]) ? (geometry["coordinates"] as unknown[]) : [];
  const polygons = geometry["type"] === "Polygon" ? [coordinates] : geometry["type"] === "MultiPolygon" ? coordinates : [];
  return polygons
    .map((polygon) => (Array.isArray(polygon) && Array.isArray(polygon[0]) ? (polygon[0] as unknown[]) : []))
    .map((ring) => ring.map(position).filter((p) => p !== null))
    .filter((ring) => ring.length > 2);
}

export function parseSitePlan(value: unknown): SitePlan {
  const plan: SitePlan = { outlines: [], buildings: [], zones: [], cameras: [], picture: null };
  if (!isObject(value) || !Array.isArray(value["features"])) return plan;
  for (const feature of value["features"] as unknown[]) {
    if (!isObject(feature) || !isObject(feature["geometry"])) continue;
    const properties = isObject(feature["properties"]) ? feature["properties"] : {};
    const names = { id: text(properties["id"]) ?? "", name_zh: text(properties["name_zh"]), name_en: text(properties["name_en"]) };
    const kind = properties["kind"];
    if (kind === "camera") {
      const at = position(feature["geometry"]["coordinates"]);
      if (at) {
        plan.cameras.push({
          ...names,
          at,
          bearing: number(properties["bearing_degrees"]),
          view: number(properties["view_degrees"]) ?? 60,
          reach: number(properties["reach_meters"]) ?? 30,
        });
      }
      continue;
    }
    const area = { ...names, purpose: text(properties["purpose"]), rings: rings(feature["geometry"]) };
    if (area.rings.length === 0) continue;
    if (kind === "site") plan.outlines.push(area);
    else if (kind === "building") plan.buildings.push(area);
    else if (kind === "zone") plan.zones.push(area);
  }
  const box = value["bbox"];
  const edges = plan.outlines.flatMap((area) => area.rings.flat());
  if (Array.isArray(box) && box.length === 4 && box.every((v) => number(v) !== null)) plan.picture = box as SitePlan["picture"];
  else if (edges.length > 0) {
    const [xs, ys] = [edges.map((p) => p[0]), edges.map((p) => p[1])];
    plan.picture = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
  }
  return plan;
}

/** The sheet that all of a site is drawn on, with room for what lies outside its plan. */
export function sheetOf(plan: SitePlan, more: LonLat[]): Plan | null {
  const areas = [...plan.outlines, ...plan.buildings, ...plan.zones].flatMap((area) => area.rings);
  const points = [...plan.cameras.map((c) => c.at), ...more];
  // A single point needs some ground round it.
  const ground = areas.length > 0 ? [] : points.flatMap(([lon, lat]): LonLat[] => [[lon - 0.0005, lat - 0.0004], [lon + 0.0005, lat + 0.0004]]);
  return planOf([...areas, points, ground]);
}

/** What a camera sees on the ground, as an SVG path on the sheet. */
export function sector(sheet: Plan, camera: PlanCamera): string | null {
  if (camera.bearing === null) return null;
  const [x, y] = sheet.at(camera.at);
  const edge = (degrees: number) => {
    const angle = (degrees * Math.PI) / 180;
    return `${(x + Math.sin(angle) * camera.reach).toFixed(2)} ${(y - Math.cos(angle) * camera.reach).toFixed(2)}`;
  };
  const half = Math.min(camera.view, 359) / 2;
  return `M ${x.toFixed(2)} ${y.toFixed(2)} L ${edge(camera.bearing - half)} A ${camera.reach} ${camera.reach} 0 ${half > 90 ? 1 : 0} 1 ${edge(camera.bearing + half)} Z`;
}
