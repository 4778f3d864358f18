/**
 * The still with everything that is drawn on it, and the hands and keys that draw. What they do is in `lib/sketch`; here
 * it is only passed on and painted. Sizes on it are those of the screen, so that handles stay as large as fingers.
 */
import { useEffect, useRef, useState, type KeyboardEvent, type PointerEvent, type ReactNode, type Ref } from "react";
import type { SetupView } from "../../api/setup";
import type { Point } from "../../api/types";
import { useT, type Translate } from "../../i18n";
import { anchorOf, distance, faults, hitTest, middleOfEdge, moved, placed, type Scale } from "../../lib/outline";
import { ZONE_COLORS } from "../../lib/overlay";
import { close, insert, press, set, shapesOf, withPoints, type Outcome, type Shape, type Sketch } from "../../lib/sketch";

const LINE_COLOR = "#8fe6ff";
/** How near is meant, in pixels of the screen: a fingertip hides more than a mouse pointer. */
const REACH = { mouse: 11, touch: 24 };
/** A second click so near the last corner ends the drawing. */
const AGAIN = 5;

interface Drag {
  shape: string;
  /** The corner that is held, or none for the whole shape. */
  corner: number | null;
  /** Where a corner is made as soon as the hand moves. */
  edge: number | null;
  from: Point;
  view: SetupView;
  tag: string;
}

interface Props {
  view: SetupView;
  sketch: Sketch;
  onOutcome(outcome: Outcome): void;
  onUndo(): void;
  onRedo(): void;
  /** Width over height of the picture. */
  ratio: number;
  /** What is drawn on. */
  picture: ReactNode;
  stage: Ref<SVGSVGElement>;
}

export const colorOf = (shape: Pick<Shape, "type" | "purpose">) => (shape.type === "line" ? LINE_COLOR : (ZONE_COLORS[shape.purpose ?? ""] ?? "#a9c8ff"));

export function Stage({ view, sketch, onOutcome, onUndo, onRedo, ratio, picture, stage }: Props) {
  const t = useT();
  const box = useRef<HTMLDivElement>(null);
  const [scale, setScale] = useState<Scale>({ width: 960, height: 540 });
  const [said, setSaid] = useState("");
  const drag = useRef<Drag | null>(null);
  const drags = useRef(0);
  const shapes = shapesOf(view);

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setScale({ width: Math.max(1, element.clientWidth), height: Math.max(1, element.clientHeight) }));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const tell = (outcome: Outcome) => {
    if (outcome.said) setSaid(spoken(outcome, outcome.view ?? view, t));
    onOutcome(outcome);
  };
  const pointOf = (event: PointerEvent): Point => {
    const area = event.currentTarget.getBoundingClientRect();
    return [(event.clientX - area.left) / area.width, (event.clientY - area.top) / area.height];
  };
  const reachOf = (event: PointerEvent) => (event.pointerType === "mouse" ? REACH.mouse : REACH.touch);

  const down = (event: PointerEvent<SVGSVGElement>) => {
    if (event.button !== 0) return;
    const at = pointOf(event);
    if (sketch.drawing) {
      const { points } = sketch.drawing;
      const [first, last] = [points[0], points.at(-1)];
      const closes = points.length >= 3 && ((first && distance(first, at, scale) <= reachOf(event)) || (last && distance(last, at, scale) <= AGAIN));
      tell(closes ? close(sketch, view) : set(sketch, view, at));
      return;
    }
    const chosen = shapes.findIndex((shape) => shape.key === sketch.chosen);
    const hit = hitTest(shapes, at, scale, reachOf(event), chosen < 0 ? null : chosen);
    const shape = hit && shapes[hit.shape];
    if (!hit || !shape) {
      onOutcome({ sketch: { chosen: null, corner: null, drawing: null } });
      return;
    }
    const corner = hit.part === "corner" ? hit.corner : null;
    const edge = hit.part === "edge" && shape.closed && shape.key === sketch.chosen ? hit.edge : null;
    drag.current = { shape: shape.key, corner, edge, from: at, view, tag: `drag:${++drags.current}` };
    event.currentTarget.setPointerCapture(event.pointerId);
    tell({ sketch: { chosen: shape.key, corner, drawing: null }, said: corner === null ? "chosen" : "corner" });
  };

  const motion = (event: PointerEvent<SVGSVGElement>) => {
    const at = pointOf(event);
    if (sketch.drawing) {
      onOutcome({ sketch: { ...sketch, drawing: { ...sketch.drawing, cursor: placed(at) } } });
      return;
    }
    const held = drag.current;
    if (!held || distance(held.from, at, scale) < 3) return;
    if (held.edge !== null) {
      const made = insert({ chosen: held.shape, corner: held.edge, drawing: null }, held.view, held.edge, at);
      if (made.view) drag.current = { ...held, corner: held.edge + 1, edge: null, view: made.view };
      onOutcome({ ...made, tag: held.tag });
      return;
    }
    const shape = shapesOf(held.view).find((one) => one.key === held.shape);
    if (!shape) return;
    const points = held.corner === null ? moved(shape.points, at[0] - held.from[0], at[1] - held.from[1]) : shape.points.map((p, i) => (i === held.corner ? placed(at) : p));
    onOutcome({ sketch: { chosen: held.shape, corner: held.corner, drawing: null }, view: withPoints(held.view, held.shape, points), tag: held.tag });
  };

  const up = () => {
    if (drag.current) setSaid(spoken({ sketch, said: "moved" }, view, t));
    drag.current = null;
  };

  const key = (event: KeyboardEvent) => {
    const command = event.ctrlKey || event.metaKey;
    const z = event.key.toLowerCase();
    if (command && !event.altKey && (z === "z" || z === "y")) {
      event.preventDefault();
      if (z === "y" || event.shiftKey) onRedo();
      else onUndo();
      return;
    }
    if (command || event.altKey) return;
    const outcome = press(event.key, event.shiftKey, sketch, view);
    if (!outcome) return;
    event.preventDefault();
    tell(outcome);
  };

  const px = ([x, y]: Point): Point => [x * scale.width, y * scale.height];
  const path = (points: readonly Point[]) => points.map((p) => px(p).map((v) => v.toFixed(1)).join(",")).join(" ");
  const chosen = shapes.find((shape) => shape.key === sketch.chosen);
  const { drawing } = sketch;
  return (
    <div className="draw-room">
      <div className="draw-box" ref={box} style={{ aspectRatio: ratio, ["--ratio" as string]: ratio }}>
        {picture}
        <svg
          ref={stage}
          className={`draw${drawing ? " draw-drawing" : ""}`}
          viewBox={`0 0 ${scale.width} ${scale.height}`}
          tabIndex={0}
          role="application"
          aria-label={t("draw.stage")}
          aria-describedby="draw-keys"
          onPointerDown={down}
          onPointerMove={motion}
          onPointerUp={up}
          onPointerCancel={up}
          onKeyDown={key}
        >
          <defs>
            <pattern id="draw-mask" width="9" height="9" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
              <rect width="9" height="9" fill="rgb(20 26 36 / 62%)" />
              <rect width="3" height="9" fill="rgb(154 163 178 / 55%)" />
            </pattern>
          </defs>
          {shapes.map((shape) => (
            <Outline key={shape.key} shape={shape} path={path(shape.points)} chosen={shape.key === sketch.chosen} />
          ))}
          {shapes.map((shape) => {
            const [x, y] = px(anchorOf(shape.points));
            return (
              <text key={shape.key} className="draw-name" x={x} y={y - (shape.closed ? 0 : 10)} data-chosen={shape.key === sketch.chosen || undefined}>
                {shape.name}
              </text>
            );
          })}
          {chosen?.closed &&
            chosen.points.map((_, i) => {
              const [x, y] = px(middleOfEdge(chosen.points, i, true));
              return <circle key={i} className="draw-ghost" cx={x} cy={y} r={4} />;
            })}
          {chosen?.points.map((point, i) => {
            const [x, y] = px(point);
            return <circle key={i} className="draw-corner" data-chosen={i === sketch.corner || undefined} cx={x} cy={y} r={i === sketch.corner ? 9 : 6.5} />;
          })}
          {drawing && (
            <g className="draw-fresh" style={{ color: colorOf({ type: drawing.type, purpose: drawing.purpose }) }}>
              <polyline className="draw-under" points={path([...drawing.points, drawing.cursor])} />
              <polyline points={path([...drawing.points, drawing.cursor])} />
              {drawing.points.map((point, i) => {
                const [x, y] = px(point);
                return <circle key={i} className="draw-corner" cx={x} cy={y} r={i === 0 && drawing.points.length > 2 ? 9 : 6} />;
              })}
              <Cross at={px(drawing.cursor)} />
            </g>
          )}
        </svg>
      </div>
      <p className="visually-hidden" role="status">
        {said}
      </p>
    </div>
  );
}

function Outline({ shape, path, chosen }: { shape: Shape; path: string; chosen: boolean }) {
  const color = colorOf(shape);
  const wrong = faults(shape.points, shape.closed).length > 0;
  const Tag = shape.closed ? "polygon" : "polyline";
  return (
    <g className="draw-shape" data-chosen={chosen || undefined} data-wrong={wrong || undefined} style={{ color }}>
      <Tag className="draw-under" points={path} />
      <Tag points={path} fill={!shape.closed ? "none" : shape.purpose === "ignore" ? "url(#draw-mask)" : `${color}${chosen ? "33" : "1f"}`} />
    </g>
  );
}

function Cross({ at: [x, y] }: { at: Point }) {
  return <path className="draw-cross" d={`M${x - 12} ${y}h9M${x + 3} ${y}h9M${x} ${y - 12}v9M${x} ${y + 3}v9`} />;
}

/** What is said to someone who does not see the picture. */
function spoken({ sketch, said }: Outcome, view: SetupView, t: Translate): string {
  const shape = shapesOf(view).find((one) => one.key === sketch.chosen);
  const place = ([x, y]: Point) => ({ x: (x * 100).toFixed(1), y: (y * 100).toFixed(1) });
  if (sketch.drawing) return t(said === "moved" ? "draw.said.cursor" : "draw.said.set", { ...place(sketch.drawing.cursor), count: sketch.drawing.points.length });
  if (!shape) return t(said === "removed" ? "draw.said.removed" : "draw.said.left");
  const name = `${shape.name} · ${shape.purpose ? t(`purpose.${shape.purpose}`) : t("draw.line")}`;
  const corner = sketch.corner === null ? undefined : shape.points[sketch.corner];
  if (corner && sketch.corner !== null) return t("draw.said.corner", { name, number: sketch.corner + 1, count: shape.points.length, ...place(corner) });
  return t(said === "moved" ? "draw.said.moved" : "draw.said.chosen", { name, count: shape.points.length, ...place(anchorOf(shape.points)) });
}
