/** Labelled fields of forms. */
import type { InputHTMLAttributes, ReactNode, SelectHTMLAttributes, TextareaHTMLAttributes } from "react";

export function Field({ label, hint, children, className = "" }: { label: string; hint?: string; children: ReactNode; className?: string }) {
  return (
    <label className={`field ${className}`}>
      <span className="field-label">{label}</span>
      {children}
      {hint && <span className="field-hint">{hint}</span>}
    </label>
  );
}

type Text = Omit<InputHTMLAttributes<HTMLInputElement>, "onChange"> & { label: string; hint?: string; value: string; onChange(value: string): void };

export function TextField({ label, hint, onChange, className, ...rest }: Text) {
  return (
    <Field label={label} {...(hint ? { hint } : {})} {...(className ? { className } : {})}>
      <input {...rest} onChange={(event) => onChange(event.target.value)} />
    </Field>
  );
}

type Number_ = Omit<InputHTMLAttributes<HTMLInputElement>, "onChange" | "value" | "type"> & { label: string; hint?: string; value: number; onChange(value: number): void };

/** A number; what is no number is left as it was. */
export function NumberField({ label, hint, value, onChange, ...rest }: Number_) {
  return (
    <Field label={label} {...(hint ? { hint } : {})}>
      <input {...rest} type="number" value={Number.isFinite(value) ? value : ""} onChange={(event) => Number.isFinite(event.target.valueAsNumber) && onChange(event.target.valueAsNumber)} />
    </Field>
  );
}

type Area = Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, "onChange"> & { label: string; hint?: string; value: string; onChange(value: string): void };

export function AreaField({ label, hint, onChange, ...rest }: Area) {
  return (
    <Field label={label} {...(hint ? { hint } : {})}>
      <textarea rows={3} {...rest} onChange={(event) => onChange(event.target.value)} />
    </Field>
  );
}

export type Choice = readonly [value: string, text: string];
type Select = Omit<SelectHTMLAttributes<HTMLSelectElement>, "onChange"> & { label: string; hint?: string; value: string; choices: readonly Choice[]; onChange(value: string): void };

export function SelectField({ label, hint, choices, onChange, ...rest }: Select) {
  return (
    <Field label={label} {...(hint ? { hint } : {})}>
      <select {...rest} onChange={(event) => onChange(event.target.value)}>
        {choices.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </Field>
  );
}

export function CheckField({ label, checked, onChange, disabled = false }: { label: string; checked: boolean; disabled?: boolean; onChange(checked: boolean): void }) {
  return (
    <label className="check">
      <input type="checkbox" checked={checked} disabled={disabled} onChange={(event) => onChange(event.target.checked)} />
      {label}
    </label>
  );
}

/** A choice among few above a list, without a label of its own. */
export function Filter({ label, value, choices, onChange }: { label: string; value: string; choices: readonly Choice[]; onChange(value: string): void }) {
  return (
    <select aria-label={label} value={value} onChange={(event) => onChange(event.target.value)}>
      {choices.map(([v, text]) => (
        <option key={v} value={v}>
          {text}
        </option>
      ))}
    </select>
  );
}
