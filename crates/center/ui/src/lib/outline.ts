/** Geometry of what is drawn on a still: points are fractions of the picture, 0..=1, y down, as the pipeline file has them. */
import type { Point } from "../api/types";

/** Digits after the point that are kept: a tenth of a pixel of a 1080p picture. */
const DIGITS = 4;
/** Smaller areas are taken for a slip of the hand: about 6 by 6 pixels of a 1080p picture. */
const TINY_AREA = 2e-5;

/** The point inside the picture, with as many digits as the file keeps. */
export function placed([x, y]: Point): Point {
  const fraction = (v: number) => Number(Math.min(1, Math.max(0, Number.isFinite(v) ? v : 0)).toFixed(DIGITS));
  return [fraction(x), fraction(y)];
}

/** All points moved by one step, which is cut short where one of them would leave the picture, so that the shape stays. */
export function moved(points: readonly Point[], dx: number, dy: number): Point[] {
  const within = (step: number, values: number[]) => Math.min(1 - Math.max(...values), Math.max(-Math.min(...values), step));
  if (points.length === 0) return [];
  const x = within(dx, points.map((p) => p[0]));
  const y = within(dy, points.map((p) => p[1]));
  return points.map((p) => placed([p[0] + x, p[1] + y]));
}

/** Surface as a fraction of the picture. */
export function area(points: readonly Point[]): number {
  let twice = 0;
  points.forEach(([x, y], i) => {
    const [nextX, nextY] = points[(i + 1) % points.length] ?? [x, y];
    twice += x * nextY - nextX * y;
  });
  return Math.abs(twice) / 2;
}

export function contains(polygon: readonly Point[], [x, y]: Point): boolean {
  let inside = false;
  polygon.forEach(([ax, ay], i) => {
    const [bx, by] = polygon[(i + 1) % polygon.length] ?? [ax, ay];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  });
  return inside;
}

/** Which side of `ab` the point is on: positive, negative, or 0 on the line through them. */
function side([ax, ay]: Point, [bx, by]: Point, [x, y]: Point): number {
  const cross = (bx - ax) * (y - ay) - (by - ay) * (x - ax);
  return Math.abs(cross) < 1e-12 ? 0 : Math.sign(cross);
}

function between([ax, ay]: Point, [bx, by]: Point, [x, y]: Point): boolean {
  return Math.min(ax, bx) <= x && x <= Math.max(ax, bx) && Math.min(ay, by) <= y && y <= Math.max(ay, by);
}

/** Whether the two stretches have a point in common. */
export function crosses(a: Point, b: Point, c: Point, d: Point): boolean {
  const [c1, d1, a1, b1] = [side(a, b, c), side(a, b, d), side(c, d, a), side(c, d, b)];
  if (c1 * d1 < 0 && a1 * b1 < 0) return true;
  return (c1 === 0 && between(a, b, c)) || (d1 === 0 && between(a, b, d)) || (a1 === 0 && between(c, d, a)) || (b1 === 0 && between(c, d, b));
}

/** Numbers (from 0) of two edges that cut each other, or that run back over each other; `null` when the outline is simple. */
export function selfCrossing(polygon: readonly Point[]): [number, number] | null {
  const n = polygon.length;
  const at = (i: number) => polygon[i % n] as Point;
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      const next = j === i + 1;
      const last = i === 0 && j === n - 1;
      if (next || last) {
        // Neighbours share a corner; they must not share more.
        const [from, corner, to] = next ? [at(i), at(j), at(j + 1)] : [at(j), at(0), at(1)];
        if (n > 2 && side(from, corner, to) === 0 && (from[0] - corner[0]) * (to[0] - corner[0]) + (from[1] - corner[1]) * (to[1] - corner[1]) > 0) return [i, j];
      } else if (crosses(at(i), at(i + 1), at(j), at(j + 1))) return [i, j];
    }
  }
  return null;
}

export type Fault = "few" | "crossing" | "tiny" | "double";

/** What is wrong with a shape, worst first; nothing when it can be used. */
export function faults(points: readonly Point[], closed: boolean): Fault[] {
  const found: Fault[] = [];
  const least = closed ? 3 : 2;
  if (points.length < least) found.push("few");
  if (points.some((p, i) => (closed || i > 0) && points.length > 1 && same(p, points[(i + points.length - 1) % points.length] as Point))) found.push("double");
  else if (closed && points.length >= 3 && selfCrossing(points)) found.push("crossing");
  if (closed && points.length >= 3 && found.length === 0 && area(points) < TINY_AREA) found.push("tiny");
  return found;
}

export function same(a: Point, b: Point): boolean {
  return a[0] === b[0] && a[1] === b[1];
}

/** How wide and high the picture is on the screen: distances are judged there, because fractions of a wide picture are no circles. */
export interface Scale {
  width: number;
  height: number;
}

export function distance(a: Point, b: Point, scale: Scale): number {
  return Math.hypot((a[0] - b[0]) * scale.width, (a[1] - b[1]) * scale.height);
}

/** The point of the stretch `ab` that is nearest to `p` as it looks on the screen. */
export function nearestOn(a: Point, b: Point, p: Point, scale: Scale): Point {
  const [dx, dy] = [(b[0] - a[0]) * scale.width, (b[1] - a[1]) * scale.height];
  const length = dx * dx + dy * dy;
  const share = length === 0 ? 0 : Math.min(1, Math.max(0, ((p[0] - a[0]) * scale.width * dx + (p[1] - a[1]) * scale.height * dy) / length));
  return [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share];
}

/** What lies under a pointer. An edge is named by the corner before it. */
export type Hit = { shape: number; part: "corner"; corner: number } | { shape: number; part: "edge"; edge: number; at: Point } | { shape: number; part: "inside" };

export interface Hittable {
  points: readonly Point[];
  closed: boolean;
}

/**
 * What the pointer means: a corner before an edge before a surface, and the chosen shape before all others, so that two
 * zones with a common border can both be worked on. Of several surfaces the smallest is meant: a bay lies in a roadway.
 */
export function hitTest(shapes: readonly Hittable[], p: Point, scale: Scale, reach: number, chosen: number | null): Hit | null {
  const order = shapes.map((_, i) => i).sort((a, b) => Number(b === chosen) - Number(a === chosen) || b - a);
  const near: { hit: Hit; rank: number }[] = [];
  for (const shape of order) {
    const { points, closed } = shapes[shape] as Hittable;
    const own = shape === chosen ? 0 : 10;
    let best = reach;
    points.forEach((point, corner) => {
      const far = distance(point, p, scale);
      if (far <= best) {
        best = far;
        near.push({ hit: { shape, part: "corner", corner }, rank: own + far / (reach + 1) });
      }
    });
    points.slice(0, closed ? points.length : -1).forEach((point, edge) => {
      const at = nearestOn(point, points[(edge + 1) % points.length] as Point, p, scale);
      const far = distance(at, p, scale);
      if (far <= reach) near.push({ hit: { shape, part: "edge", edge, at: placed(at) }, rank: own + 1 + far / (reach + 1) });
    });
    if (closed && points.length > 2 && contains(points, p)) near.push({ hit: { shape, part: "inside" }, rank: own + 2 + area(points) });
  }
  near.sort((a, b) => a.rank - b.rank);
  return near[0]?.hit ?? null;
}

/** The middle of the edge after `corner`, where a corner is added from the keyboard. */
export function middleOfEdge(points: readonly Point[], corner: number, closed: boolean): Point {
  const [a, b] = [points[corner], points[closed ? (corner + 1) % points.length : Math.min(corner + 1, points.length - 1)]];
  return a && b ? placed([(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]) : [0.5, 0.5];
}

/** A place inside for the name: the middle of the corners when that lies inside, else the first corner. */
export function anchorOf(points: readonly Point[]): Point {
  if (points.length === 0) return [0.5, 0.5];
  const middle: Point = [points.reduce((sum, p) => sum + p[0], 0) / points.length, points.reduce((sum, p) => sum + p[1], 0) / points.length];
  return contains(points, middle) || points.length < 3 ? middle : (points[0] as Point);
}
