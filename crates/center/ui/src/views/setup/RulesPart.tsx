/** What may not happen in a view, and how the camera itself is run. */
import { Plus, ShieldQuestion, Trash2 } from "lucide-react";
import { useState } from "react";
import { RULE_KINDS, type RuleKind, type SetupCamera, type SetupView } from "../../api/setup";
import { useT } from "../../i18n";
import { freeName } from "../../lib/edits";
import { kindName } from "../../lib/kinds";
import { Dialog } from "../../parts/Dialog";
import { CheckField, SelectField, TextField } from "../../parts/Fields";
import { MaybeNumber } from "../../parts/setup/OptionFields";
import { ProblemNotes } from "../../parts/setup/Problems";
import { RuleCard } from "../../parts/setup/RuleCard";
import { Empty } from "../../parts/States";
import { useSetup } from "../../state/setup";

const RULE_NAMES: Record<RuleKind, string> = { misparked_ebike: "bikes", occupied_roadway: "roadway", stray_dog: "dogs", rooftop_structure: "roof" };

export function RulesPart({ camera, view }: { camera: SetupCamera; view: SetupView }) {
  const t = useT();
  const put = useSetup((s) => s.put);
  const problems = useSetup((s) => s.problems).filter((p) => `${p.path}.`.startsWith(`cameras.${camera.camera}.`));
  const [kind, setKind] = useState<RuleKind>("misparked_ebike");
  const add = () => put(camera.camera, { ...view, rules: [...view.rules, { rule: freeName(RULE_NAMES[kind], view.rules.map((r) => r.rule)), kind, options: {} }] });
  return (
    <div className="admin-scroll setup-rules">
      <CameraCard camera={camera} view={view} />
      <ProblemNotes problems={problems.filter((p) => !p.path.includes(".rules.") && !p.path.includes(".zones.") && !p.path.includes(".lines."))} />
      {view.rules.length === 0 && <Empty icon={ShieldQuestion} title={t("rule.none")} hint={t("rule.none.hint")} />}
      {view.rules.map((rule) => (
        <RuleCard key={rule.rule} rule={rule} view={view} problems={problems} onChange={(next, tag) => put(camera.camera, next, tag || null)} />
      ))}
      <div className="rule-add">
        <SelectField label={t("rule.kind")} value={kind} onChange={(v) => setKind(v as RuleKind)} choices={RULE_KINDS.map((k) => [k, kindName(k, t)] as const)} />
        <button className="button" onClick={add}>
          <Plus size={16} aria-hidden />
          {t("rule.add")}
        </button>
      </div>
    </div>
  );
}

/** Standard size of a recording that is switched on here. */
const RECORDING = { hours: 6, megabytes: 8000 };

function CameraCard({ camera, view }: { camera: SetupCamera; view: SetupView }) {
  const t = useT();
  const edit = useSetup((s) => s.edit);
  const models = useSetup((s) => s.model?.models) ?? [];
  const [removing, setRemoving] = useState(false);
  const set = (change: Omit<Extract<Parameters<typeof edit>[0][number], { op: "put_camera" }>, "op" | "camera">) => edit([{ op: "put_camera", camera: camera.camera, ...change }]);
  const table = (part: "background" | "baseline", on: boolean) => {
    const path = ["cameras", camera.camera, ...(view.preset === null ? [] : ["presets", view.preset]), "change", part];
    edit([on ? { op: "set", path, value: {} } : { op: "unset", path }]);
  };
  const { source, recording } = camera;
  return (
    <section className="admin-card form" aria-label={t("setup.camera")}>
      <h3>{t("setup.camera")}</h3>
      <div className="rule-fields">
        <TextField label={t("setup.camera.name")} value={camera.name ?? ""} maxLength={100} onChange={(name) => set({ name: name || null })} />
        <MaybeNumber label={t("setup.camera.fps")} hint={t("setup.camera.fps.hint")} unit={t("setup.fps")} value={source.analysed_fps ?? undefined} placeholder={t("option.default", { value: 5 })} min={0.1} max={60} onChange={(fps) => set({ analysed_fps: fps ?? null })} />
        {models.length > 1 && <SelectField label={t("setup.camera.model")} value={camera.model ?? ""} onChange={(model) => set({ model: model || null })} choices={[["", t("form.none")], ...models.map((m) => [m, m] as const)]} />}
        <div className="field">
          <CheckField label={t("setup.camera.disabled")} checked={camera.disabled} onChange={(disabled) => set({ disabled: disabled || null })} />
          <span className="field-hint">{t("setup.camera.disabled.hint")}</span>
        </div>
        {!camera.dome && (
          <div className="field">
            <CheckField label={t("setup.spared")} checked={camera.spared} onChange={(spared) => set({ spared })} />
            <span className="field-hint">{t("setup.spared.hint")}</span>
          </div>
        )}
        <div className="field">
          <CheckField label={t("setup.background")} checked={view.background} onChange={(on) => table("background", on)} />
          <span className="field-hint">{t("setup.background.hint")}</span>
        </div>
        <div className="field">
          <CheckField label={t("setup.baseline")} checked={view.baseline} onChange={(on) => table("baseline", on)} />
          <span className="field-hint">{t("setup.baseline.hint")}</span>
        </div>
        <div className="field">
          <CheckField label={t("setup.recording")} checked={recording !== null} onChange={(on) => set({ recording: on ? RECORDING : null })} />
          <span className="field-hint">{t("setup.recording.hint")}</span>
        </div>
        {recording && <MaybeNumber label={t("setup.recording.hours")} unit={t("unit.hours")} value={recording.hours} min={1} max={168} onChange={(hours) => hours !== undefined && set({ recording: { ...recording, hours } })} />}
        {recording && <MaybeNumber label={t("setup.recording.megabytes")} unit="MB" value={recording.megabytes} min={1} step={1} onChange={(megabytes) => megabytes !== undefined && set({ recording: { ...recording, megabytes: Math.round(megabytes) } })} />}
      </div>
      <p className="field-hint">
        {t("setup.source")} <code>{source.address ?? source.kind ?? "–"}</code>
        {source.substream && (
          <>
            {" "}
            · {t("setup.substream")} <code>{source.substream}</code>
          </>
        )}{" "}
        · {t(`setup.password.${source.password}`)}
      </p>
      <div>
        <button className="button draw-remove" onClick={() => setRemoving(true)}>
          <Trash2 size={15} aria-hidden />
          {t("setup.camera.remove")}
        </button>
      </div>
      {removing && (
        <Dialog
          title={t("setup.camera.remove.title", { camera: camera.name ?? camera.camera })}
          submit={t("setup.camera.remove")}
          onClose={() => setRemoving(false)}
          onSubmit={() => {
            setRemoving(false);
            edit([{ op: "remove_camera", camera: camera.camera }]);
          }}
        >
          <p>{t("setup.camera.remove.text")}</p>
        </Dialog>
      )}
    </section>
  );
}
