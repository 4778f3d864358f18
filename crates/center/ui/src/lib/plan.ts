/** From coordinates to a plan: a small area as if it were flat, north up, metres. */

export type LonLat = [number, number];

export interface Plan {
  /** Width and height of the whole, metres. */
  width: number;
  height: number;
  /** Metres from the left and from the top. */
  at(point: LonLat): [number, number];
}

const METERS_PER_DEGREE = 111_195;

/** A plan that holds all these outlines with a margin of a twentieth; `null` when there is nothing to draw. */
export function planOf(outlines: LonLat[][]): Plan | null {
  const points = outlines.flat();
  const [first] = points;
  if (!first) return null;
  const east = Math.cos((first[1] * Math.PI) / 180) * METERS_PER_DEGREE;
  const xs = points.map((p) => p[0] * east);
  const ys = points.map((p) => p[1] * METERS_PER_DEGREE);
  const [left, right, bottom, top] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const margin = Math.max(right - left, top - bottom, 10) / 20;
  return {
    width: right - left + 2 * margin,
    height: top - bottom + 2 * margin,
    at: ([longitude, latitude]) => [longitude * east - left + margin, top + margin - latitude * METERS_PER_DEGREE],
  };
}

/** An outline as the points of an SVG polygon. */
export function outlineOn(plan: Plan, outline: LonLat[]): string {
  return outline.map((p) => plan.at(p).map((v) => v.toFixed(2)).join(",")).join(" ");
}

/** The mean of an outline's corners, for a label. */
export function middleOn(plan: Plan, outline: LonLat[]): [number, number] {
  const at = outline.map((p) => plan.at(p));
  const mean = (of: 0 | 1) => at.reduce((sum, p) => sum + p[of], 0) / Math.max(1, at.length);
  return [mean(0), mean(1)];
}
