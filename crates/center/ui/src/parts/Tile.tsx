/** One camera on the wall. */
import { Maximize2, Minimize2, Pin } from "lucide-react";
import { memo } from "react";
import type { Camera, Incident } from "../api/types";
import { useT } from "../i18n";
import { between } from "../lib/format";
import { cameraName, condition } from "../lib/health";
import { KindIcon, suspected } from "../lib/kinds";
import { useNow } from "../lib/now";
import { HealthBadge } from "./Badges";
import { LivePicture } from "./LivePicture";

interface Props {
  camera: Camera;
  /** Incidents that go on here and are not dismissed, most urgent first. */
  alarms: Incident[];
  large: boolean;
  /** Stands in front, in the room of four. */
  foremost: boolean;
  pinned: boolean;
  enlarged: boolean;
  selected: string | null;
  onEnlarge(camera: string | null): void;
  onPin(camera: string): void;
  onOpen(incident: string): void;
}

/** Lists of alarms are made anew with each message: what counts is whether this tile's are the same ones. */
function isSame(a: Props, b: Props): boolean {
  return (Object.keys(a) as (keyof Props)[]).every((key) =>
    key === "alarms" ? a.alarms.length === b.alarms.length && a.alarms.every((alarm, i) => alarm === b.alarms[i]) : Object.is(a[key], b[key]),
  );
}

export const Tile = memo(function Tile({ camera, alarms, large, foremost, pinned, enlarged, selected, onEnlarge, onPin, onOpen }: Props) {
  const t = useT();
  const first = alarms[0];
  const unjudged = alarms.some((a) => a.status === "new");
  const name = cameraName(camera);
  const is = condition(camera);
  return (
    <article
      className={`tile${first ? " tile-alarm" : ""}${unjudged ? " tile-unjudged" : ""}${foremost ? " tile-foremost" : ""}`}
      data-kind={first?.kind}
      aria-label={name}
      onDoubleClick={() => onEnlarge(enlarged ? null : camera.camera)}
    >
      <LivePicture camera={camera.camera} zones={camera.zones} large={large} selected={selected} trouble={is === "streaming" || is === "connecting" ? null : t("tile.noPicture")} />
      <header className="tile-head">
        <span className="tile-name">{name}</span>
        {camera.synthetic && <span className="tag-composite">{t("tile.composite")}</span>}
        <HealthBadge camera={camera} quiet />
        <button
          className={`icon-button on-picture tile-enlarge${pinned ? " tile-pinned" : ""}`}
          aria-pressed={pinned}
          title={t(pinned ? "wall.unpin" : "wall.pin", { camera: name })}
          aria-label={t(pinned ? "wall.unpin" : "wall.pin", { camera: name })}
          onClick={() => onPin(camera.camera)}
        >
          <Pin size={14} />
        </button>
        <button
          className="icon-button on-picture tile-enlarge"
          title={enlarged ? t("tile.shrink") : t("tile.enlarge", { camera: name })}
          aria-label={enlarged ? t("tile.shrink") : t("tile.enlarge", { camera: name })}
          onClick={() => onEnlarge(enlarged ? null : camera.camera)}
        >
          {enlarged ? <Minimize2 size={14} /> : <Maximize2 size={14} />}
        </button>
      </header>
      {first && (
        <footer className="tile-alarms">
          {alarms.slice(0, large ? 4 : 2).map((incident) => (
            <AlarmChip key={incident.id} incident={incident} onOpen={onOpen} />
          ))}
          {alarms.length > (large ? 4 : 2) && <span className="alarm-more">+{alarms.length - (large ? 4 : 2)}</span>}
        </footer>
      )}
    </article>
  );
}, isSame);

function AlarmChip({ incident, onOpen }: { incident: Incident; onOpen(id: string): void }) {
  const t = useT();
  const now = useNow();
  return (
    <button className="alarm" data-kind={incident.kind} data-status={incident.status} onClick={() => onOpen(incident.id)}>
      <KindIcon kind={incident.kind} size={14} />
      <span className="alarm-name">{suspected(incident.kind, t)}</span>
      <time>{between(incident.since, now, t)}</time>
    </button>
  );
}
