/** When a rule is in force: days of the week, hours, holidays. */
import { Plus, X } from "lucide-react";
import { useT } from "../../i18n";
import { hoursOf, ON_HOLIDAYS, trimmed, WEEKDAYS, type Schedule } from "../../lib/rules";
import { Days } from "../Days";
import { CheckField, SelectField, TextField } from "../Fields";

export function ScheduleFields({ value, onChange }: { value: Schedule | undefined; onChange(value: Schedule | null): void }) {
  const t = useT();
  const schedule = value ?? {};
  const set = (change: Schedule) => onChange(trimmed({ ...schedule, ...change }));
  const days = schedule.weekdays ?? [];
  const hours = (schedule.hours ?? []).map((text) => hoursOf(text) ?? { from: "", to: "" });
  const putHours = (next: { from: string; to: string }[]) => set({ hours: next.map(({ from, to }) => `${from}-${to}`) });
  return (
    <div className="form">
      <fieldset className="choices">
        <legend className="field-label">{t("schedule.weekdays")}</legend>
        <div className="choices-row">
          {WEEKDAYS.map((day) => (
            <CheckField
              key={day}
              label={t(`weekday.${day}`)}
              checked={days.length === 0 || days.includes(day)}
              onChange={(on) => {
                const chosen = WEEKDAYS.filter((d) => (d === day ? on : days.length === 0 || days.includes(d)));
                set({ weekdays: chosen.length === WEEKDAYS.length ? [] : chosen });
              }}
            />
          ))}
        </div>
      </fieldset>
      <fieldset className="choices">
        <legend className="field-label">{t("schedule.hours")}</legend>
        {hours.length === 0 && <p className="field-hint">{t("schedule.hours.all")}</p>}
        {hours.map((span, i) => (
          <div key={i} className="hours">
            <TextField label={t("time.hours.from")} type="time" value={span.from} required onChange={(from) => from && putHours(hours.map((h, n) => (n === i ? { ...h, from } : h)))} />
            <TextField label={t("time.hours.to")} type="time" value={span.to} required onChange={(to) => to && putHours(hours.map((h, n) => (n === i ? { ...h, to } : h)))} />
            <button type="button" className="icon-button" aria-label={t("form.remove")} title={t("form.remove")} onClick={() => putHours(hours.filter((_, n) => n !== i))}>
              <X size={16} aria-hidden />
            </button>
            {span.to <= span.from && <span className="field-hint">{t("schedule.overnight")}</span>}
          </div>
        ))}
        <button type="button" className="button" onClick={() => putHours([...hours, { from: "07:00", to: "19:00" }])}>
          <Plus size={15} aria-hidden />
          {t("time.hours.add")}
        </button>
      </fieldset>
      <div className="fields">
        <SelectField label={t("schedule.onHolidays")} value={schedule.on_holidays ?? "closed"} onChange={(v) => set({ on_holidays: v === "closed" ? undefined : (v as Schedule["on_holidays"]) } as Schedule)} choices={ON_HOLIDAYS.map((v) => [v, t(`schedule.onHolidays.${v}`)] as const)} />
        <TextField label={t("time.zone")} value={schedule.time_zone ?? ""} placeholder="Asia/Shanghai" onChange={(time_zone) => set({ time_zone })} />
      </div>
      <Days label={t("time.holidays")} days={schedule.holidays ?? []} onChange={(holidays) => set({ holidays })} />
      <Days label={t("time.makeUp")} days={schedule.extra_days ?? []} onChange={(extra_days) => set({ extra_days })} />
    </div>
  );
}
