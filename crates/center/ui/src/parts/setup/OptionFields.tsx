/** Fields for options of the pipeline file. What is left empty is left out of the file, and its default holds. */
import { X } from "lucide-react";
import { useEffect, useId, useState } from "react";
import { isMask, type Options, type SetupView } from "../../api/setup";
import { useT, type Translate } from "../../i18n";
import { duration } from "../../lib/format";
import { percentOf, shareOf, type RuleField } from "../../lib/rules";
import { CheckField, Field, SelectField } from "../Fields";

const SEVERITIES = ["low", "medium", "high"] as const;

/** A number that may be left out. What was typed stands until it is a number again. */
export function MaybeNumber({ label, hint, unit, value, placeholder, step = "any", min = 0, max, disabled = false, onChange }: { label: string; hint?: string; unit?: string; value: number | undefined; placeholder?: string; step?: number | "any"; min?: number; max?: number; disabled?: boolean; onChange(value: number | undefined): void }) {
  const id = useId();
  const [text, setText] = useState(value === undefined ? "" : String(value));
  useEffect(() => setText((old) => (old !== "" && Number(old) === value ? old : value === undefined ? "" : String(value))), [value]);
  return (
    <Field label={label} {...(hint ? { hint } : {})}>
      <span className="with-unit">
        <input
          type="number"
          inputMode="decimal"
          value={text}
          placeholder={placeholder}
          step={step}
          min={min}
          {...(max === undefined ? {} : { max })}
          disabled={disabled}
          aria-describedby={unit ? id : undefined}
          onChange={(event) => {
            setText(event.target.value);
            if (event.target.value === "" && !event.target.validity.badInput) onChange(undefined);
            else if (Number.isFinite(event.target.valueAsNumber)) onChange(Math.min(max ?? Infinity, Math.max(min, event.target.valueAsNumber)));
          }}
        />
        {unit && <span id={id}>{unit}</span>}
      </span>
    </Field>
  );
}

/** Words with commas between them, taken over when the field is left. */
export function WordsField({ label, hint, value, placeholder, onChange }: { label: string; hint?: string; value: readonly string[]; placeholder?: string; onChange(value: string[]): void }) {
  const written = value.join(", ");
  const [text, setText] = useState(written);
  useEffect(() => setText(written), [written]);
  const leave = () => {
    const words = [...new Set(text.split(/[,，、;；\s]+/).filter((word) => word !== ""))];
    if (words.join(", ") !== written) onChange(words);
    else setText(written);
  };
  return (
    <Field label={label} {...(hint ? { hint } : {})}>
      <input value={text} placeholder={placeholder} spellCheck={false} onChange={(event) => setText(event.target.value)} onBlur={leave} onKeyDown={(event) => event.key === "Enter" && leave()} />
    </Field>
  );
}

/** Seconds that are more than a minute are told in larger units beside them. */
function longer(seconds: unknown, t: Translate): string {
  return typeof seconds === "number" && seconds >= 60 ? ` = ${duration(seconds * 1000, t)}` : "";
}

/** What holds when nothing is written, said where the value would be. */
function usual(value: number | undefined, t: Translate): { placeholder?: string } {
  return value === undefined ? {} : { placeholder: t("option.default", { value }) };
}

interface Props {
  field: RuleField;
  options: Options;
  view: SetupView;
  /** `undefined` takes the option out. */
  onChange(value: unknown): void;
}

export function OptionField({ field, options, view, onChange }: Props) {
  const t = useT();
  const label = t(`option.${field.name}`);
  const hint = t(`option.${field.name}.hint`);
  const value = options[field.name];
  const number = typeof value === "number" ? value : undefined;
  const standard = typeof field.default === "number" ? field.default : undefined;
  switch (field.type) {
    case "seconds":
      return <MaybeNumber label={label} hint={hint} unit={`${t("unit.seconds")}${longer(number ?? standard, t)}`} value={number} {...usual(standard, t)} onChange={onChange} />;
    case "share":
      return (
        <MaybeNumber
          label={label}
          hint={hint}
          unit="%"
          value={number === undefined ? undefined : percentOf(number)}
          placeholder={standard === undefined ? t("option.never") : t("option.default", { value: percentOf(standard) })}
          max={100}
          onChange={(v) => onChange(v === undefined ? undefined : shareOf(v))}
        />
      );
    case "number":
    case "count":
      return (
        <MaybeNumber
          label={label}
          hint={hint}
          unit={t.maybe(`option.${field.name}.unit`, "")}
          value={number}
          {...usual(standard, t)}
          step={field.type === "count" ? 1 : "any"}
          onChange={(v) => onChange(v === undefined || field.type === "number" ? v : Math.round(v))}
        />
      );
    case "flag":
      return (
        <div className="field">
          <CheckField label={label} checked={typeof value === "boolean" ? value : field.default === true} onChange={(on) => onChange(on === field.default ? undefined : on)} />
          <span className="field-hint">{hint}</span>
        </div>
      );
    case "severity":
      return <SelectField label={label} hint={hint} value={typeof value === "string" ? value : String(field.default)} onChange={(v) => onChange(v === field.default ? undefined : v)} choices={SEVERITIES.map((s) => [s, t(`severity.${s}`)] as const)} />;
    case "labels":
      return (
        <WordsField
          label={label}
          hint={hint}
          value={Array.isArray(value) ? value.map(String) : []}
          placeholder={Array.isArray(field.default) ? t("option.default", { value: field.default.join(", ") }) : ""}
          onChange={(words) => onChange(words.length > 0 ? words : undefined)}
        />
      );
    case "zones":
      return <ZonesField field={field} label={label} hint={hint} value={Array.isArray(value) ? value.map(String) : null} view={view} onChange={onChange} />;
    case "zoneSeconds":
    case "zoneSeverity":
      return <TableField field={field} label={label} hint={hint} value={value} names={view.zones.filter((z) => !isMask(z.purpose)).map((z) => z.zone)} onChange={onChange} />;
    case "labelSeconds":
      return <TableField field={field} label={label} hint={hint} value={value} names={null} onChange={onChange} />;
  }
}

/** All zones of the fitting purposes, or only those that are named. */
function ZonesField({ field, label, hint, value, view, onChange }: { field: RuleField; label: string; hint: string; value: string[] | null; view: SetupView; onChange(value: unknown): void }) {
  const t = useT();
  const fitting = view.zones.filter((z) => !isMask(z.purpose) && (!field.purposes || field.purposes.includes(z.purpose) || value?.includes(z.zone)));
  const all = field.purposes ? t("option.zones.all", { purposes: field.purposes.map((p) => t(`purpose.${p}`)).join(t.language === "en" ? ", " : "、") }) : t("option.zones.every");
  return (
    <fieldset className="choices option-zones">
      <legend className="field-label">{label}</legend>
      <CheckField label={all} checked={value === null} onChange={(on) => onChange(on ? undefined : fitting.map((z) => z.zone))} />
      {value !== null && (
        <div className="choices-row">
          {fitting.map((z) => (
            <CheckField key={z.zone} label={`${z.zone} · ${t(`purpose.${z.purpose}`)}`} checked={value.includes(z.zone)} onChange={(on) => onChange(on ? [...value, z.zone] : value.filter((name) => name !== z.zone))} />
          ))}
        </div>
      )}
      <span className="field-hint">{hint}</span>
    </fieldset>
  );
}

/** Other values for single zones or classes. */
function TableField({ field, label, hint, value, names, onChange }: { field: RuleField; label: string; hint: string; value: unknown; names: string[] | null; onChange(value: unknown): void }) {
  const t = useT();
  const [fresh, setFresh] = useState("");
  const table = typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  const put = (next: Record<string, unknown>) => onChange(Object.keys(next).length > 0 ? next : undefined);
  const rest = names?.filter((name) => !(name in table));
  const first = field.type === "zoneSeverity" ? "high" : 60;
  const add = (name: string) => {
    if (name !== "" && !(name in table)) put({ ...table, [name]: first });
    setFresh("");
  };
  return (
    <fieldset className="choices option-table">
      <legend className="field-label">{label}</legend>
      {Object.entries(table).map(([name, v]) => (
        <div key={name} className="option-row">
          {field.type === "zoneSeverity" ? (
            <SelectField label={name} value={String(v)} onChange={(s) => put({ ...table, [name]: s })} choices={SEVERITIES.map((s) => [s, t(`severity.${s}`)] as const)} />
          ) : (
            <MaybeNumber label={t.maybe(`label.${name}`, name)} unit={`${t("unit.seconds")}${longer(v, t)}`} value={typeof v === "number" ? v : undefined} onChange={(s) => s !== undefined && put({ ...table, [name]: s })} />
          )}
          <button type="button" className="icon-button" aria-label={t("option.removeRow", { name })} title={t("form.remove")} onClick={() => put(Object.fromEntries(Object.entries(table).filter(([key]) => key !== name)))}>
            <X size={16} aria-hidden />
          </button>
        </div>
      ))}
      {rest ? (
        <select aria-label={t("option.addZone")} value="" disabled={rest.length === 0} onChange={(event) => add(event.target.value)}>
          <option value="">{t("option.addZone")}</option>
          {rest.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      ) : (
        <div className="option-row">
          <input value={fresh} aria-label={t("option.addLabel")} placeholder={t("option.addLabel")} spellCheck={false} onChange={(event) => setFresh(event.target.value.trim())} onKeyDown={(event) => event.key === "Enter" && add(fresh)} />
          <button type="button" className="button" disabled={fresh === ""} onClick={() => add(fresh)}>
            {t("form.add")}
          </button>
        </div>
      )}
      <span className="field-hint">{hint}</span>
    </fieldset>
  );
}
