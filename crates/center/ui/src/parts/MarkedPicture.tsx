/** The snapshot with the thing, the way it took and the zone of the rule drawn on it. */
import { useEffect, useState } from "react";
import { evidenceUrl } from "../api/client";
import type { Box, Camera, IncidentDetail, Point } from "../api/types";
import { useT } from "../i18n";
import { look, suspected } from "../lib/kinds";

/** Centres of the boxes that the node told, in order; a thing that stood still has no way. */
export function pathOf(boxes: Box[]): Point[] {
  const centres = boxes.map(([left, top, right, bottom]): Point => [(left + right) / 2, (top + bottom) / 2]);
  const far = centres.some(([x, y]) => Math.hypot(x - (centres[0]?.[0] ?? x), y - (centres[0]?.[1] ?? y)) > 0.02);
  return far ? centres : [];
}

export function MarkedPicture({ detail, camera, onError }: { detail: IncidentDetail; camera: Camera | undefined; onError(): void }) {
  const t = useT();
  const { incident } = detail;
  const role = detail.evidence.some((e) => e.role === "snapshot") ? "snapshot" : "annotated";
  const url = evidenceUrl(incident.id, role);
  const natural = useNaturalSize(url);
  const [width, height] = natural ?? [camera?.width ?? 1280, camera?.height ?? 720];
  const points = (outline: Point[]) => outline.map(([x, y]) => `${(x * width).toFixed(1)},${(y * height).toFixed(1)}`).join(" ");
  const color = look(incident.kind).onPicture;
  const unit = width / 640;
  const zone = camera?.zones.find((z) => z.id === incident.zone);
  const [left, top, right, bottom] = incident.bbox as Box;
  const path = pathOf([...detail.events].sort((a, b) => a.sequence - b.sequence).map((e) => e.bbox as Box));
  return (
    <svg className="marked" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={suspected(incident.kind, t)}>
      <image href={url} width={width} height={height} preserveAspectRatio="none" onError={onError} />
      {zone && (
        <polygon points={points(zone.polygon as Point[])} fill="#ffd27a" fillOpacity={0.1} stroke="#ffd27a" strokeWidth={1.5 * unit} strokeDasharray={`${6 * unit} ${4 * unit}`}>
          <title>{`${t("review.zone")} · ${t(`purpose.${zone.purpose}`)}`}</title>
        </polygon>
      )}
      {path.length > 1 && (
        <polyline points={points(path)} fill="none" stroke={color} strokeWidth={2 * unit} strokeLinecap="round" strokeLinejoin="round">
          <title>{t("review.path")}</title>
        </polyline>
      )}
      {incident.outline && incident.outline.length > 2 ? (
        <polygon points={points(incident.outline as Point[])} fill={color} fillOpacity={0.15} stroke={color} strokeWidth={3 * unit} />
      ) : (
        <rect x={left * width} y={top * height} width={(right - left) * width} height={(bottom - top) * height} fill={color} fillOpacity={0.12} stroke={color} strokeWidth={3 * unit} rx={2 * unit} />
      )}
    </svg>
  );
}

/** Width and height of a picture as it was taken: those of a drone are not its camera's. */
function useNaturalSize(url: string): [number, number] | null {
  const [size, setSize] = useState<[number, number] | null>(null);
  useEffect(() => {
    const picture = new Image();
    picture.onload = () => setSize([picture.naturalWidth, picture.naturalHeight]);
    picture.src = url;
    return () => {
      picture.onload = null;
    };
  }, [url]);
  return size;
}
