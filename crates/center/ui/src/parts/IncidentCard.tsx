/** One incident in the list beside the wall. */
import { BellOff } from "lucide-react";
import { memo, useState } from "react";
import { thumbnailUrl } from "../api/client";
import type { Incident } from "../api/types";
import { useT } from "../i18n";
import { between, clock, fullTime } from "../lib/format";
import { KindIcon, suspected } from "../lib/kinds";
import { useNow } from "../lib/now";
import { useLive } from "../state/live";
import { cameraName } from "../lib/health";
import { StatusBadge } from "./Badges";

export function Thumbnail({ incident }: { incident: Incident }) {
  const t = useT();
  const [broken, setBroken] = useState<string | null>(null);
  const pictures = incident.evidence.filter((r) => r !== "clip").length;
  const url = `${thumbnailUrl(incident.id)}?v=${pictures}`;
  if (pictures === 0 || broken === url) {
    return (
      <span className="thumb thumb-none" title={t("incident.noThumbnail")}>
        <KindIcon kind={incident.kind} size={20} />
      </span>
    );
  }
  return <img className="thumb" src={url} alt="" loading="lazy" decoding="async" onError={() => setBroken(url)} />;
}

interface Props {
  incident: Incident;
  selected: boolean;
  onOpen(id: string): void;
}

export const IncidentCard = memo(function IncidentCard({ incident, selected, onOpen }: Props) {
  const t = useT();
  const now = useNow();
  const camera = useLive((s) => s.cameras[incident.camera]);
  const over = incident.phase === "ended";
  return (
    <button
      className={`card${selected ? " card-selected" : ""}`}
      data-incident={incident.id}
      data-kind={incident.kind}
      data-status={incident.status}
      aria-current={selected}
      onClick={() => onOpen(incident.id)}
    >
      <Thumbnail incident={incident} />
      <span className="card-body">
        <span className="card-title">
          <KindIcon kind={incident.kind} />
          <span className="card-kind">{suspected(incident.kind, t)}</span>
        </span>
        <span className="card-place">{cameraName(camera, incident.camera, t)}</span>
        <span className="card-foot">
          {incident.claimed_by !== null && incident.status === "new" ? (
            <span className="status status-claimed" title={t("review.claimed", { actor: incident.claimed_by })}>
              {t("review.claimed", { actor: incident.claimed_by })}
            </span>
          ) : (
            <StatusBadge incident={incident} />
          )}
          {incident.muted && (
            <span className="card-muted" role="img" aria-label={t("mute.muted")} title={t("mute.muted")}>
              <BellOff size={13} aria-hidden />
            </span>
          )}
          {!over && <i className="dot-open" title={t("phase.open")} />}
          <time className="card-duration">{between(incident.since, over ? (incident.ended_at ?? incident.updated_at) : now, t)}</time>
          <time className="card-time" title={fullTime(incident.started_at, t.language)}>{clock(incident.started_at, now, t.language)}</time>
        </span>
      </span>
    </button>
  );
});
