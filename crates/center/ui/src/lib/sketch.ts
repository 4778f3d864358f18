/** The drawing on a still as a state and what keys and hands do to it; the page only passes on and paints. */
import { isMask, type Purpose, type SetupView } from "../api/setup";
import type { Point } from "../api/types";
import { freeName } from "./edits";
import { middleOfEdge, moved, placed, same } from "./outline";

export type ShapeType = "zone" | "line";
export interface Shape {
  /** Unique within the view: `zone:lane`, `line:entrance`. */
  key: string;
  type: ShapeType;
  name: string;
  purpose: Purpose | null;
  points: Point[];
  closed: boolean;
}

export const keyOf = (type: ShapeType, name: string) => `${type}:${name}`;

/** What is drawn in a view. Masks lie over all others, so that it is seen what they hide. */
export function shapesOf(view: SetupView): Shape[] {
  const zones = view.zones.map((z): Shape => ({ key: keyOf("zone", z.zone), type: "zone", name: z.zone, purpose: z.purpose, points: z.polygon, closed: true }));
  const lines = view.lines.map((l): Shape => ({ key: keyOf("line", l.line), type: "line", name: l.line, purpose: null, points: l.points, closed: false }));
  return [...zones.filter((z) => !isMask(z.purpose)), ...zones.filter((z) => isMask(z.purpose)), ...lines];
}

export function withPoints(view: SetupView, key: string, points: Point[]): SetupView {
  return {
    ...view,
    zones: view.zones.map((z) => (keyOf("zone", z.zone) === key ? { ...z, polygon: points } : z)),
    lines: view.lines.map((l) => (keyOf("line", l.line) === key ? { ...l, points } : l)),
  };
}

export function withoutShape(view: SetupView, key: string): SetupView {
  return { ...view, zones: view.zones.filter((z) => keyOf("zone", z.zone) !== key), lines: view.lines.filter((l) => keyOf("line", l.line) !== key) };
}

/** What is chosen, and what is being drawn. */
export interface Sketch {
  chosen: string | null;
  /** The chosen corner; without one the whole shape is meant. */
  corner: number | null;
  drawing: Drawing | null;
}
export interface Drawing {
  type: ShapeType;
  purpose: Purpose;
  points: Point[];
  /** Where the next corner goes: the pointer, or the arrows. */
  cursor: Point;
}

export const atRest: Sketch = { chosen: null, corner: null, drawing: null };

export function begin(type: ShapeType, purpose: Purpose): Sketch {
  return { chosen: null, corner: null, drawing: { type, purpose, points: [], cursor: [0.5, 0.5] } };
}

/** What a deed led to: `view` only where something was changed, with a `tag` by which small steps become one. */
export interface Outcome {
  sketch: Sketch;
  view?: SetupView;
  tag?: string;
  /** What a reader who does not see the picture is told. */
  said?: Said;
}
export type Said = "corner" | "moved" | "chosen" | "drawn" | "removed" | "left" | "set" | "unset";

/** Another corner of what is being drawn; a line is done with its second. */
export function set(sketch: Sketch, view: SetupView, at: Point): Outcome {
  const { drawing } = sketch;
  if (!drawing) return { sketch };
  const point = placed(at);
  const last = drawing.points.at(-1);
  if (last && same(last, point)) return { sketch };
  const next = { ...drawing, points: [...drawing.points, point], cursor: point };
  if (drawing.type === "line" && next.points.length === 2) return close({ ...sketch, drawing: next }, view);
  return { sketch: { ...sketch, drawing: next }, said: "set" };
}

/** Ends the drawing: it becomes a zone or a line with a name of its own, or goes on while it has too few corners. */
export function close(sketch: Sketch, view: SetupView): Outcome {
  const { drawing } = sketch;
  if (!drawing || drawing.points.length < (drawing.type === "zone" ? 3 : 2)) return { sketch };
  if (drawing.type === "zone") {
    const zone = freeName(drawing.purpose.replaceAll("_", "-"), view.zones.map((z) => z.zone));
    const fresh = { zone, purpose: drawing.purpose, polygon: drawing.points, membership: null, labels: null };
    return { sketch: { chosen: keyOf("zone", zone), corner: null, drawing: null }, view: { ...view, zones: [...view.zones, fresh] }, said: "drawn" };
  }
  const line = freeName("line", view.lines.map((l) => l.line));
  return { sketch: { chosen: keyOf("line", line), corner: null, drawing: null }, view: { ...view, lines: [...view.lines, { line, points: drawing.points }] }, said: "drawn" };
}

/** A new corner after the chosen one (or on the first edge), at the middle of the edge or where the hand was. */
export function insert(sketch: Sketch, view: SetupView, after = sketch.corner ?? 0, at?: Point): Outcome {
  const shape = chosenOf(sketch, view);
  if (!shape?.closed) return { sketch };
  const point = at ? placed(at) : middleOfEdge(shape.points, after, true);
  const points = [...shape.points.slice(0, after + 1), point, ...shape.points.slice(after + 1)];
  return { sketch: { ...sketch, corner: after + 1 }, view: withPoints(view, shape.key, points), said: "corner" };
}

/** Takes out the chosen corner, or the whole shape when none is chosen or too few would be left. */
export function remove(sketch: Sketch, view: SetupView): Outcome {
  const shape = chosenOf(sketch, view);
  if (!shape) return { sketch };
  if (sketch.corner === null) return { sketch: atRest, view: withoutShape(view, shape.key), said: "removed" };
  if (!shape.closed || shape.points.length <= 3) return { sketch };
  const points = shape.points.filter((_, i) => i !== sketch.corner);
  return { sketch: { ...sketch, corner: Math.min(sketch.corner, points.length - 1) }, view: withPoints(view, shape.key, points), said: "corner" };
}

/** Moves the chosen corner, or the whole shape. */
export function move(sketch: Sketch, view: SetupView, dx: number, dy: number): Outcome {
  const shape = chosenOf(sketch, view);
  if (!shape) return { sketch };
  const corner = sketch.corner;
  const points = corner === null ? moved(shape.points, dx, dy) : shape.points.map((p, i) => (i === corner ? placed([p[0] + dx, p[1] + dy]) : p));
  return { sketch, view: withPoints(view, shape.key, points), tag: `move:${shape.key}:${corner ?? "whole"}`, said: "moved" };
}

export function chosenOf(sketch: Sketch, view: SetupView): Shape | undefined {
  return shapesOf(view).find((shape) => shape.key === sketch.chosen);
}

/** How far an arrow goes, and how far with Shift, as a fraction of the picture. */
export const STEP = 0.005;
export const LEAP = 0.05;

const ARROWS: Record<string, readonly [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** What a key does on the picture; `null` when it means nothing there and belongs to the page. */
export function press(key: string, shift: boolean, sketch: Sketch, view: SetupView): Outcome | null {
  const arrow = ARROWS[key];
  const far = shift ? LEAP : STEP;
  const { drawing } = sketch;
  if (drawing) {
    if (arrow) return { sketch: { ...sketch, drawing: { ...drawing, cursor: placed([drawing.cursor[0] + arrow[0] * far, drawing.cursor[1] + arrow[1] * far]) } }, said: "moved" };
    switch (key) {
      case " ":
        return set(sketch, view, drawing.cursor);
      case "Enter":
        return close(sketch, view);
      case "Backspace":
      case "Delete":
        return { sketch: { ...sketch, drawing: { ...drawing, points: drawing.points.slice(0, -1) } }, said: "unset" };
      case "Escape":
        return { sketch: atRest, said: "left" };
      default:
        return null;
    }
  }
  if (key === "PageDown" || key === "PageUp") return neighbour(sketch, view, key === "PageDown" ? 1 : -1);
  const shape = chosenOf(sketch, view);
  if (!shape) return arrow ? neighbour(sketch, view, 1) : null;
  if (arrow) return move(sketch, view, arrow[0] * far, arrow[1] * far);
  const n = shape.points.length;
  switch (key) {
    case ".":
    case " ":
      return { sketch: { ...sketch, corner: sketch.corner === null ? 0 : (sketch.corner + 1) % n }, said: "corner" };
    case ",":
      return { sketch: { ...sketch, corner: sketch.corner === null ? n - 1 : (sketch.corner + n - 1) % n }, said: "corner" };
    case "Insert":
    case "+":
    case "=":
      return insert(sketch, view);
    case "Delete":
    case "Backspace":
      return remove(sketch, view);
    case "Enter":
      return { sketch: { ...sketch, corner: sketch.corner === null ? 0 : null }, said: sketch.corner === null ? "corner" : "chosen" };
    case "Escape":
      return sketch.corner === null ? { sketch: atRest, said: "left" } : { sketch: { ...sketch, corner: null }, said: "chosen" };
    default:
      return null;
  }
}

function neighbour(sketch: Sketch, view: SetupView, step: 1 | -1): Outcome {
  const shapes = shapesOf(view);
  const at = shapes.findIndex((shape) => shape.key === sketch.chosen);
  const next = shapes[at < 0 ? (step > 0 ? 0 : shapes.length - 1) : (at + step + shapes.length) % shapes.length];
  return { sketch: { chosen: next?.key ?? null, corner: null, drawing: null }, ...(next ? { said: "chosen" as const } : {}) };
}
