/** Small signs that say how something is. */
import type { Camera, Incident } from "../api/types";
import { useT } from "../i18n";
import { condition, tone } from "../lib/health";

export function HealthBadge({ camera, quiet = false }: { camera: Camera; quiet?: boolean }) {
  const t = useT();
  const is = condition(camera);
  return (
    <span className={`health tone-${tone(is)}${quiet && tone(is) === "good" ? " quiet" : ""}`} title={t(`health.${is}`)}>
      <i aria-hidden />
      <span className="health-word">{t(`health.${is}`)}</span>
    </span>
  );
}

export function StatusBadge({ incident }: { incident: Pick<Incident, "status"> }) {
  const t = useT();
  return <span className={`status status-${incident.status}`}>{t(`status.${incident.status}`)}</span>;
}

export function PhaseBadge({ incident }: { incident: Pick<Incident, "phase"> }) {
  const t = useT();
  const over = incident.phase === "ended";
  return <span className={`phase ${over ? "phase-over" : "phase-open"}`}>{t(over ? "phase.over" : "phase.open")}</span>;
}
