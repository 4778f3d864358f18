/** Health of the cameras at a glance: how many are well, and each that is not. */
import { useMemo } from "react";
import type { Camera } from "../api/types";
import { useT } from "../i18n";
import { byTrouble, cameraName, condition, tone } from "../lib/health";

const SHOWN = 4;

export function WallHealth({ cameras, onChoose }: { cameras: Camera[]; onChoose(camera: string): void }) {
  const t = useT();
  const trouble = useMemo(() => cameras.filter((c) => tone(condition(c)) !== "good").sort(byTrouble), [cameras]);
  return (
    <div className="wall-health" role="group" aria-label={t("wall.health")}>
      <span className="health tone-good">
        <i aria-hidden />
        {t("wall.healthy", { count: cameras.length - trouble.length })}
      </span>
      {trouble.slice(0, SHOWN).map((camera) => (
        <button key={camera.camera} className={`health wall-trouble tone-${tone(condition(camera))}`} onClick={() => onChoose(camera.camera)}>
          <i aria-hidden />
          <span>
            {cameraName(camera)} · {t(`health.${condition(camera)}`)}
          </span>
        </button>
      ))}
      {trouble.length > SHOWN && <span className="health tone-bad">{t("wall.more", { count: trouble.length - SHOWN })}</span>}
    </div>
  );
}
