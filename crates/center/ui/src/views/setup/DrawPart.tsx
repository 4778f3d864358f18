/** Zones, lines and masks, drawn on the camera's still. */
import { Camera as CameraIcon, Minus, Pentagon, Radio, Redo2, Undo2 } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { PURPOSES, type Purpose, type SetupCamera, type SetupView } from "../../api/setup";
import { useT } from "../../i18n";
import { atRest, begin, type Outcome, type Sketch } from "../../lib/sketch";
import { Filter } from "../../parts/Fields";
import { LivePicture } from "../../parts/LivePicture";
import { ShapeForm, ShapeList } from "../../parts/setup/ShapePanel";
import { Stage } from "../../parts/setup/Stage";
import { useStill, StillNotice } from "../../parts/setup/Still";
import { useLive } from "../../state/live";
import { useSetup, useSteps } from "../../state/setup";

export function DrawPart({ camera, view }: { camera: SetupCamera; view: SetupView }) {
  const t = useT();
  const { put, undo, redo } = useSetup();
  const problems = useSetup((s) => s.problems).filter((p) => `${p.path}.`.startsWith(`cameras.${camera.camera}.${view.preset === null ? "" : `presets.${view.preset}.`}`));
  const steps = useSteps(camera.camera, view.preset);
  const [sketch, setSketch] = useState<Sketch>(atRest);
  const [purpose, setPurpose] = useState<Purpose>(view.preset === null ? "forbidden" : "roof");
  const [moving, setMoving] = useState(false);
  const stage = useRef<SVGSVGElement>(null);
  const running = useLive((s) => s.cameras[camera.camera]);
  const still = useStill(camera, view);
  const canMove = view.preset === null && running !== undefined && running.state !== "disabled";

  // What was taken back or changed in the text may be gone.
  useEffect(() => {
    if (sketch.chosen && !view.zones.some((z) => `zone:${z.zone}` === sketch.chosen) && !view.lines.some((l) => `line:${l.line}` === sketch.chosen)) setSketch(atRest);
  }, [view, sketch]);

  const outcome = ({ sketch: next, view: changed, tag }: Outcome) => {
    if (changed) put(camera.camera, changed, tag ?? null);
    setSketch(next);
  };
  const start = (type: "zone" | "line") => {
    setSketch(begin(type, purpose));
    stage.current?.focus();
  };
  const { drawing } = sketch;
  const own = { view, sketch, problems, onOutcome: outcome };
  return (
    <div className="setup-draw">
      <section className="draw-area" aria-label={t("setup.part.draw")}>
        <div className="draw-bar" role="toolbar" aria-label={t("draw.tools")}>
          <Filter label={t("draw.purpose")} value={purpose} choices={PURPOSES.map((p) => [p, t(`purpose.${p}`)] as const)} onChange={(p) => setPurpose(p as Purpose)} />
          <button className="button" aria-pressed={drawing?.type === "zone"} onClick={() => start("zone")}>
            <Pentagon size={16} aria-hidden />
            {t("draw.zone.add")}
          </button>
          <button className="button" aria-pressed={drawing?.type === "line"} onClick={() => start("line")}>
            <Minus size={16} aria-hidden />
            {t("draw.line.add")}
          </button>
          <button className="icon-button" disabled={!steps.undo} onClick={() => undo(camera.camera, view.preset)} aria-label={t("draw.undo")} title={`${t("draw.undo")} (Ctrl+Z)`}>
            <Undo2 size={17} />
          </button>
          <button className="icon-button" disabled={!steps.redo} onClick={() => redo(camera.camera, view.preset)} aria-label={t("draw.redo")} title={`${t("draw.redo")} (Ctrl+Y)`}>
            <Redo2 size={17} />
          </button>
          <span className="draw-bar-end">
            {canMove && (
              <button className="button" aria-pressed={moving} onClick={() => setMoving(!moving)}>
                <Radio size={16} aria-hidden />
                {t("media.live")}
              </button>
            )}
            {!moving && (
              <button className="button" disabled={still.loading} onClick={still.again}>
                <CameraIcon size={16} aria-hidden />
                {t("draw.still.again")}
              </button>
            )}
          </span>
        </div>
        <Stage
          {...own}
          stage={stage}
          ratio={still.ratio}
          onUndo={() => undo(camera.camera, view.preset)}
          onRedo={() => redo(camera.camera, view.preset)}
          picture={moving && canMove ? <LivePicture camera={camera.camera} zones={[]} large /> : <StillNotice still={still} />}
        />
        <p id="draw-keys" className={`draw-keys${drawing ? " draw-keys-drawing" : ""}`}>
          {t(drawing ? (drawing.type === "zone" ? "draw.keys.zone" : "draw.keys.line") : sketch.chosen ? "draw.keys.chosen" : "draw.keys.rest")}
        </p>
      </section>
      <aside className="draw-side" aria-label={t("draw.shapes")}>
        <h2>{t("draw.shapes")}</h2>
        <ShapeList {...own} />
        <ShapeForm {...own} />
      </aside>
    </div>
  );
}
