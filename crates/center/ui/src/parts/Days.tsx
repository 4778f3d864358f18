/** A list of calendar days that is added to and taken from. */
import { Plus, X } from "lucide-react";
import { useState } from "react";
import { useT } from "../i18n";

export function Days({ label, days, onChange }: { label: string; days: string[]; onChange(days: string[]): void }) {
  const t = useT();
  const [fresh, setFresh] = useState("");
  const add = () => {
    if (fresh && !days.includes(fresh)) onChange([...days, fresh].sort());
    setFresh("");
  };
  return (
    <fieldset className="grants">
      <legend className="field-label">{label}</legend>
      <ul className="days">
        {days.map((day) => (
          <li key={day}>
            {day}
            <button type="button" className="icon-button" aria-label={t("time.removeDay", { day })} onClick={() => onChange(days.filter((d) => d !== day))}>
              <X size={13} aria-hidden />
            </button>
          </li>
        ))}
      </ul>
      <div className="hours">
        <input type="date" value={fresh} aria-label={label} onChange={(event) => setFresh(event.target.value)} />
        <button type="button" className="button" disabled={!fresh} onClick={add}>
          <Plus size={15} aria-hidden />
          {t("time.addDay")}
        </button>
      </div>
    </fieldset>
  );
}
