/** Draws one frame and what the analysis says about it: both from the same message, so boxes fit the picture. */
import type { Box, FrameHeader, Point, Zone } from "../api/types";
import { look } from "./kinds";

export interface OverlayOptions {
  tracks: boolean;
  zones: boolean;
  /** Text beside an object, or none. */
  labelOf(label: string, standing: number | null): string;
  zoneShapes: Zone[];
  /** Larger strokes and letters for one large picture. */
  scale: number;
  /** The incident that is being looked at, drawn stronger. */
  selected?: string | null;
}

/** Colours of zones on pictures, by what they are for. */
export const ZONE_COLORS: Record<string, string> = {
  bay: "#7fe0a3",
  forbidden: "#ff9d9d",
  roadway: "#ffd27a",
  sidewalk: "#ffd27a",
  fire_lane: "#ff9d9d",
  roof: "#c9b6ff",
  area: "#a9c8ff",
  ignore: "#9aa3b2",
  private: "#f2a6e6",
};

/** Where a picture of `from` lies inside a canvas of `to` when it is shown whole. */
export function fit(from: { width: number; height: number }, to: { width: number; height: number }): { x: number; y: number; width: number; height: number } {
  const ratio = Math.min(to.width / from.width, to.height / from.height);
  const width = from.width * ratio;
  const height = from.height * ratio;
  return { x: (to.width - width) / 2, y: (to.height - height) / 2, width, height };
}

export function draw(context: CanvasRenderingContext2D, picture: ImageBitmap, header: FrameHeader, options: OverlayOptions): void {
  const canvas = context.canvas;
  const place = fit(picture, canvas);
  context.fillStyle = "#05080d";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(picture, place.x, place.y, place.width, place.height);
  const x = (v: number) => place.x + v * place.width;
  const y = (v: number) => place.y + v * place.height;
  const unit = options.scale;

  const path = (points: Point[]) => {
    context.beginPath();
    points.forEach((p, i) => (i === 0 ? context.moveTo(x(p[0]), y(p[1])) : context.lineTo(x(p[0]), y(p[1]))));
    context.closePath();
  };
  const stroke = (color: string, width: number) => {
    context.lineJoin = "round";
    context.strokeStyle = "rgba(5, 10, 20, 0.55)";
    context.lineWidth = width + 2 * unit;
    context.stroke();
    context.strokeStyle = color;
    context.lineWidth = width;
    context.stroke();
  };
  /** Slanting lines: what lies under them is not for everybody's eyes. */
  const hatch = (points: Point[], color: string) => {
    context.save();
    context.clip();
    context.beginPath();
    for (const [from, to] of slants(points.map((p) => [x(p[0]), y(p[1])]), 9 * unit)) {
      context.moveTo(from[0], from[1]);
      context.lineTo(to[0], to[1]);
    }
    context.strokeStyle = `${color}70`;
    context.lineWidth = unit;
    context.stroke();
    context.restore();
    path(points);
  };
  const rectangle = (box: Box) => {
    context.beginPath();
    context.rect(x(box[0]), y(box[1]), (box[2] - box[0]) * place.width, (box[3] - box[1]) * place.height);
  };
  const tag = (text: string, box: Box, color: string, ink: string) => {
    const size = 11 * unit;
    context.font = `600 ${size}px system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif`;
    const width = context.measureText(text).width + 8 * unit;
    const height = size + 6 * unit;
    const left = Math.max(place.x, Math.min(x(box[0]), place.x + place.width - width));
    const above = y(box[1]) - height - unit;
    const top = above < place.y ? Math.min(y(box[3]) + unit, place.y + place.height - height) : above;
    context.fillStyle = color;
    context.beginPath();
    context.roundRect(left, top, width, height, 3 * unit);
    context.fill();
    context.fillStyle = ink;
    context.textBaseline = "middle";
    context.fillText(text, left + 4 * unit, top + height / 2 + 0.5 * unit);
  };

  if (options.zones) {
    for (const zone of options.zoneShapes) {
      const color = ZONE_COLORS[zone.purpose] ?? "#a9c8ff";
      path(zone.polygon as Point[]);
      context.fillStyle = `${color}1c`;
      context.fill();
      if (zone.purpose === "private") hatch(zone.polygon as Point[], color);
      context.setLineDash([5 * unit, 4 * unit]);
      context.strokeStyle = `${color}b8`;
      context.lineWidth = 1.25 * unit;
      context.stroke();
      context.setLineDash([]);
    }
  }
  const open = header.open ?? [];
  if (options.tracks) {
    for (const track of header.tracks ?? []) {
      const standing = track.standing_seconds ?? null;
      rectangle(track.bbox as Box);
      context.globalAlpha = track.state === "lost" ? 0.45 : 1;
      stroke(standing === null ? "#e8edf5" : "#ffe08a", 1.25 * unit);
      const covered = open.some((o) => overlaps(o.bbox as Box, track.bbox as Box));
      if (!covered) tag(options.labelOf(track.label, standing), track.bbox as Box, "rgba(8, 14, 26, 0.72)", standing === null ? "#e8edf5" : "#ffe08a");
      context.globalAlpha = 1;
    }
    for (const region of header.regions ?? []) {
      path(region.outline as Point[]);
      stroke("#ffe08a", 1.25 * unit);
    }
  }
  for (const incident of open) {
    const color = look(incident.kind).onPicture;
    const strong = options.selected === incident.incident_id ? 3 : 2.25;
    if (incident.outline && incident.outline.length > 2) path(incident.outline as Point[]);
    else rectangle(incident.bbox as Box);
    context.fillStyle = `${color}2e`;
    context.fill();
    stroke(color, strong * unit);
  }
}

/** Lines at 45° that cover the box round `points`, `gap` apart. */
export function slants(points: Point[], gap: number): [Point, Point][] {
  const xs = points.map((p) => p[0]);
  const ys = points.map((p) => p[1]);
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const height = bottom - top;
  const lines: [Point, Point][] = [];
  for (let start = left - height + gap; start < right; start += gap) lines.push([[start, bottom], [start + height, top]]);
  return lines;
}

function overlaps(a: Box, b: Box): boolean {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  return width > 0 && height > 0 && width * height > 0.5 * (b[2] - b[0]) * (b[3] - b[1]);
}

/** Columns and rows for `count` tiles of 16:9 in a space, as large as they fit. */
export function grid(count: number, width: number, height: number, gap: number): { columns: number; rows: number } {
  let best = { columns: 1, rows: Math.max(1, count), area: 0 };
  for (let columns = 1; columns <= Math.max(1, count); columns++) {
    const rows = Math.ceil(count / columns);
    const tileWidth = Math.min((width - gap * (columns - 1)) / columns, (((height - gap * (rows - 1)) / rows) * 16) / 9);
    if (tileWidth * tileWidth > best.area * 1.0001) best = { columns, rows, area: tileWidth * tileWidth };
  }
  return { columns: best.columns, rows: best.rows };
}
