/** A camera's live picture with its overlay, drawn past React: frames never cause a render. */
import { useEffect, useRef, useState } from "react";
import type { Frame } from "../api/live";
import type { Zone } from "../api/types";
import { useT } from "../i18n";
import { duration } from "../lib/format";
import { draw } from "../lib/overlay";
import { forgetPaint, paintSoon } from "../lib/painter";
import { feed } from "../state/feed";
import { useSettings } from "../state/settings";

/** A picture that has not changed for so long is said to stand still. */
const STALE_MS = 4000;

export function LivePicture({ camera, zones, large = false, selected = null, trouble = null }: { camera: string; zones: Zone[]; large?: boolean; selected?: string | null; trouble?: string | null }) {
  const t = useT();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [state, setState] = useState<"waiting" | "live" | number>("waiting");
  const showTracks = useSettings((s) => s.tracks);
  const showZones = useSettings((s) => s.zones);
  const latest = useRef<{ frame: Frame; picture: ImageBitmap } | null>(null);
  const paint = useRef(() => {});
  const take = useRef((_: Frame) => {});

  useEffect(() => {
    paint.current = () => {
      const element = canvas.current;
      const context = element?.getContext("2d", { alpha: false });
      if (!element || !context || !latest.current) return;
      const { frame, picture } = latest.current;
      const scale = (element.width / Math.max(1, element.clientWidth)) * (large ? 1.25 : 1);
      const labelOf = (label: string, standing: number | null) =>
        t.maybe(`label.${label}`, label) + (standing === null ? "" : ` ${duration(standing * 1000, t)}`);
      draw(context, picture, frame.header, { tracks: showTracks, zones: showZones, zoneShapes: zones, labelOf, scale, selected });
    };
    paint.current();
  }, [t, showTracks, showZones, zones, large, selected]);

  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const observer = new ResizeObserver(() => {
      const ratio = Math.min(2, window.devicePixelRatio || 1);
      element.width = Math.round(element.clientWidth * ratio);
      element.height = Math.round(element.clientHeight * ratio);
      paint.current();
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    let decoding = false;
    let waiting: Frame | null = null;
    let gone = false;
    let lastAt = 0;
    const repaint = () => paint.current();
    setState("waiting");

    const show = async (frame: Frame) => {
      // Nobody sees it.
      if (document.hidden) return;
      // While one picture is being decoded only the newest of those that came meanwhile is kept.
      if (decoding) {
        waiting = frame;
        return;
      }
      decoding = true;
      try {
        const picture = await createImageBitmap(frame.jpeg);
        if (gone) {
          picture.close();
          return;
        }
        latest.current?.picture.close();
        latest.current = { frame, picture };
        lastAt = performance.now();
        setState("live");
        paintSoon(repaint);
      } catch {
        // A broken JPEG: the picture before it stays, and its age will show.
      } finally {
        decoding = false;
        const next = waiting;
        waiting = null;
        if (next && !gone) void show(next);
      }
    };

    take.current = (frame) => void show(frame);
    const timer = setInterval(() => {
      const age = performance.now() - lastAt;
      if (lastAt > 0 && age > STALE_MS) setState(Math.floor(age / 1000));
    }, 1000);
    return () => {
      gone = true;
      forgetPaint(repaint);
      clearInterval(timer);
      take.current = () => {};
      latest.current?.picture.close();
      latest.current = null;
    };
  }, [camera]);

  // A tile that grows or shrinks asks for other frames and meanwhile keeps the picture that it has.
  useEffect(() => feed.watch(camera, large, (frame) => take.current(frame)), [camera, large]);

  return (
    <div className={`picture${state === "live" ? "" : " picture-not-live"}`}>
      <canvas ref={canvas} />
      {state === "waiting" && <span className="picture-note">{trouble ?? t("tile.waiting")}</span>}
      {typeof state === "number" && <span className="picture-note picture-note-stale">{t("tile.stale", { seconds: state })}</span>}
    </div>
  );
}
