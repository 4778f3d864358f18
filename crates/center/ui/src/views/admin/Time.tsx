/** Working hours, holidays and make-up days, and how long each step of a case may take. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus, X } from "lucide-react";
import { useState, type ReactNode } from "react";
import { errorText } from "../../api/client";
import { settings } from "../../api/settings";
import { UNITS, type Allowance, type Calendar, type CenterSettings, type Steps } from "../../api/types";
import { useT } from "../../i18n";
import { AdminHead } from "../../parts/AdminParts";
import { Days } from "../../parts/Days";
import { CheckField, NumberField, SelectField, TextField } from "../../parts/Fields";
import { Failed, Loading } from "../../parts/States";

export function TimePart() {
  const t = useT();
  const query = useQuery({ queryKey: ["settings"], queryFn: settings.read });
  if (query.isPending) return <Loading />;
  if (query.isError) return <Failed error={query.error} retry={() => void query.refetch()} />;
  return (
    <div className="admin-scroll">
      <AdminHead title={t("admin.time")} />
      <CalendarForm value={query.data.calendar} />
      <StepsForm value={query.data.steps} />
      <ReopenForm value={query.data.reopen_days} />
    </div>
  );
}

/** One part of the settings with its own button to save. */
function Part<Name extends keyof CenterSettings>({ part, title, value, children }: { part: Name; title: string; value: CenterSettings[Name]; children: ReactNode }) {
  const t = useT();
  const client = useQueryClient();
  const save = useMutation({ mutationFn: () => settings.write(part, value), onSuccess: () => client.invalidateQueries({ queryKey: ["settings"] }) });
  return (
    <form
      className="admin-card form"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <h3>{title}</h3>
      {children}
      {save.error && (
        <p className="form-message" role="alert">
          {errorText(save.error, t.language)}
        </p>
      )}
      <div className="admin-save">
        <button className="button button-confirm" disabled={save.isPending}>
          {t(save.isPending ? "form.saving" : "form.save")}
        </button>
        {save.isSuccess && (
          <span className="form-done" role="status">
            {t("form.saved")}
          </span>
        )}
      </div>
    </form>
  );
}

function CalendarForm({ value }: { value: Calendar }) {
  const t = useT();
  const [draft, setDraft] = useState(value);
  const set = (change: Partial<Calendar>) => setDraft({ ...draft, ...change });
  return (
    <Part part="calendar" title={t("time.calendar")} value={draft}>
      <TextField label={t("time.zone")} value={draft.zone} onChange={(zone) => set({ zone })} required className="field-short" />
      <fieldset className="grants">
        <legend className="field-label">{t("time.hours")}</legend>
        {draft.hours.map((hours, i) => (
          <div key={i} className="hours">
            <TextField label={t("time.hours.from")} type="time" value={hours.from} required onChange={(from) => set({ hours: draft.hours.map((h, n) => (n === i ? { ...h, from } : h)) })} />
            <TextField label={t("time.hours.to")} type="time" value={hours.to} required onChange={(to) => set({ hours: draft.hours.map((h, n) => (n === i ? { ...h, to } : h)) })} />
            <button type="button" className="icon-button" aria-label={t("form.remove")} title={t("form.remove")} onClick={() => set({ hours: draft.hours.filter((_, n) => n !== i) })}>
              <X size={16} aria-hidden />
            </button>
          </div>
        ))}
        <button type="button" className="button" onClick={() => set({ hours: [...draft.hours, { from: "09:00", to: "17:00" }] })}>
          <Plus size={15} aria-hidden />
          {t("time.hours.add")}
        </button>
      </fieldset>
      <Days label={t("time.holidays")} days={draft.holidays} onChange={(holidays) => set({ holidays })} />
      <Days label={t("time.makeUp")} days={draft.make_up_days} onChange={(make_up_days) => set({ make_up_days })} />
    </Part>
  );
}

function StepsForm({ value }: { value: Steps }) {
  const t = useT();
  const [draft, setDraft] = useState(value);
  const set = (change: Partial<Steps>) => setDraft({ ...draft, ...change });
  return (
    <Part part="steps" title={t("time.steps")} value={draft}>
      {(["accept", "dispatch", "handle", "check"] as const).map((step) => {
        const allowance = draft[step];
        return (
          <fieldset key={step} className="grants">
            <legend className="field-label">{t(`time.step.${step}`)}</legend>
            <div className="hours">
              {step === "handle" && <CheckField label={t("time.handle.kind")} checked={allowance === null} onChange={(kind) => set({ handle: kind ? null : { amount: 8, unit: "working_hours" } })} />}
              {allowance && <AllowanceFields value={allowance} onChange={(to) => set({ [step]: to })} />}
            </div>
          </fieldset>
        );
      })}
      <div className="field-short">
        <NumberField label={t("time.warn")} value={draft.warn_percent} min={1} max={100} onChange={(warn_percent) => set({ warn_percent })} />
      </div>
    </Part>
  );
}

function AllowanceFields({ value, onChange }: { value: Allowance; onChange(value: Allowance): void }) {
  const t = useT();
  return (
    <>
      <NumberField label={t("time.amount")} value={value.amount} min={1} max={999} onChange={(amount) => onChange({ ...value, amount })} />
      <SelectField label={t("case.unit")} value={value.unit} onChange={(unit) => onChange({ ...value, unit })} choices={UNITS.map((u) => [u, t(`unit.${u}`)] as const)} />
    </>
  );
}

function ReopenForm({ value }: { value: number }) {
  const t = useT();
  const [days, setDays] = useState(value);
  return (
    <Part part="reopen_days" title={t("case.action.reopen")} value={days}>
      <div className="field-short">
        <NumberField label={t("time.reopen")} value={days} min={0} max={3650} onChange={setDays} />
      </div>
    </Part>
  );
}
