/** What is drawn in a view as a list, and the chosen one's name, purpose and corners as a form. */
import { Trash2, TriangleAlert } from "lucide-react";
import { useEffect, useState } from "react";
import { PURPOSES, isMask, type Membership, type Purpose, type SetupProblem, type SetupView } from "../../api/setup";
import { useT } from "../../i18n";
import { NAME, renamedZone, rulesNaming } from "../../lib/edits";
import { area, faults, placed } from "../../lib/outline";
import { atRest, insert, keyOf, remove, shapesOf, withoutShape, withPoints, type Outcome, type Shape, type Sketch } from "../../lib/sketch";
import { Field, NumberField, SelectField } from "../Fields";
import { ProblemNotes } from "./Problems";
import { colorOf } from "./Stage";
import { WordsField } from "./OptionFields";

interface Props {
  view: SetupView;
  sketch: Sketch;
  problems: SetupProblem[];
  onOutcome(outcome: Outcome): void;
}

export function ShapeList({ view, sketch, problems, onOutcome }: Props) {
  const t = useT();
  const shapes = shapesOf(view);
  if (shapes.length === 0) return <p className="muted draw-none">{t("draw.none")}</p>;
  return (
    <ul className="draw-list">
      {shapes.map((shape) => {
        const wrong = faults(shape.points, shape.closed).length > 0 || problems.some((p) => names(p, shape));
        return (
          <li key={shape.key}>
            <button aria-pressed={shape.key === sketch.chosen} onClick={() => onOutcome({ sketch: { chosen: shape.key, corner: null, drawing: null } })}>
              <i className="draw-swatch" data-line={shape.type === "line" || undefined} style={{ background: colorOf(shape) }} aria-hidden />
              <b>{shape.name}</b>
              <span className="muted">{shape.purpose ? t(`purpose.${shape.purpose}`) : t("draw.line")}</span>
              {wrong && <TriangleAlert size={15} className="draw-warning" aria-label={t("draw.wrong")} />}
            </button>
          </li>
        );
      })}
    </ul>
  );
}

/** Whether a problem is about this shape. */
export function names(problem: SetupProblem, shape: Shape): boolean {
  return `${problem.path}.`.includes(`.${shape.type}s.${shape.name}.`);
}

export function ShapeForm({ view, sketch, problems, onOutcome }: Props) {
  const t = useT();
  const shape = shapesOf(view).find((one) => one.key === sketch.chosen);
  if (!shape) return null;
  const zone = view.zones.find((z) => keyOf("zone", z.zone) === shape.key);
  const change = (next: SetupView, key = shape.key, tag?: string) => onOutcome({ sketch: { ...sketch, chosen: key }, view: next, ...(tag ? { tag } : {}) });
  const setZone = (to: Partial<SetupView["zones"][number]>, tag?: string) => change({ ...view, zones: view.zones.map((z) => (z === zone ? { ...z, ...to } : z)) }, shape.key, tag);
  const rename = (name: string) =>
    change(shape.type === "zone" ? renamedZone(view, shape.name, name) : { ...view, lines: view.lines.map((l) => (l.line === shape.name ? { ...l, line: name } : l)) }, keyOf(shape.type, name));
  const taken = shapesOf(view).filter((one) => one.type === shape.type && one.key !== shape.key).map((one) => one.name);
  const wrong = faults(shape.points, shape.closed);
  const used = shape.type === "zone" ? rulesNaming(view, shape.name) : [];
  return (
    <div className="form draw-form">
      <NameField key={shape.key} name={shape.name} taken={taken} onRename={rename} />
      {zone && (
        <>
          <SelectField label={t("draw.purpose")} hint={t(`purposeHint.${zone.purpose}`)} value={zone.purpose} onChange={(purpose) => setZone({ purpose: purpose as Purpose })} choices={PURPOSES.map((p) => [p, t(`purpose.${p}`)] as const)} />
          {!isMask(zone.purpose) && <MembershipField value={zone.membership} onChange={(membership, tag) => setZone({ membership }, tag)} />}
          {!isMask(zone.purpose) && <WordsField label={t("draw.labels")} hint={t("draw.labels.hint")} value={zone.labels ?? []} onChange={(labels) => setZone({ labels: labels.length > 0 ? labels : null })} />}
        </>
      )}
      {wrong.map((fault) => (
        <p key={fault} className="form-note" role="status">
          {t(`draw.fault.${fault}`)}
        </p>
      ))}
      <ProblemNotes problems={problems.filter((p) => names(p, shape))} />
      {used.length > 0 && <p className="field-hint">{t("draw.used", { rules: used.join(t.language === "en" ? ", " : "、") })}</p>}
      <details className="draw-corners">
        <summary>
          {t("draw.corners", { count: shape.points.length })}
          {shape.closed && <span className="muted"> · {t("draw.area", { percent: (area(shape.points) * 100).toFixed(1) })}</span>}
        </summary>
        <ol>
          {shape.points.map((point, i) => (
            <li key={i} data-chosen={i === sketch.corner || undefined}>
              {(["x", "y"] as const).map((axis, n) => (
                <NumberField
                  key={axis}
                  label={t(`draw.corner.${axis}`, { number: i + 1 })}
                  value={Number(((point[n] ?? 0) * 100).toFixed(2))}
                  min={0}
                  max={100}
                  step={0.1}
                  onFocus={() => onOutcome({ sketch: { ...sketch, corner: i } })}
                  onChange={(v) =>
                    change(
                      withPoints(view, shape.key, shape.points.map((p, k) => (k === i ? placed(n === 0 ? [v / 100, p[1]] : [p[0], v / 100]) : p))),
                      shape.key,
                      `typed:${shape.key}:${i}:${axis}`,
                    )
                  }
                />
              ))}
            </li>
          ))}
        </ol>
      </details>
      <div className="draw-buttons">
        {shape.closed && (
          <button className="button" onClick={() => onOutcome(insert(sketch, view))}>
            {t("draw.corner.add")}
          </button>
        )}
        {shape.closed && (
          <button className="button" disabled={sketch.corner === null || shape.points.length <= 3} onClick={() => onOutcome(remove(sketch, view))}>
            {t("draw.corner.remove")}
          </button>
        )}
        <button className="button draw-remove" onClick={() => onOutcome({ sketch: atRest, view: withoutShape(view, shape.key), said: "removed" })}>
          <Trash2 size={15} aria-hidden />
          {t(shape.type === "zone" ? "draw.zone.remove" : "draw.line.remove")}
        </button>
      </div>
    </div>
  );
}

/** A name is taken over when the field is left, so that rules do not follow every letter. */
function NameField({ name, taken, onRename }: { name: string; taken: string[]; onRename(name: string): void }) {
  const t = useT();
  const [text, setText] = useState(name);
  useEffect(() => setText(name), [name]);
  const fault = !NAME.test(text) ? "draw.name.bad" : taken.includes(text) ? "draw.name.taken" : null;
  const leave = () => {
    if (fault === null && text !== name) onRename(text);
    else if (fault !== null) setText(name);
  };
  return (
    <Field label={t("draw.name")} hint={t(fault ?? "draw.name.hint")} {...(fault ? { className: "field-wrong" } : {})}>
      <input
        value={text}
        maxLength={64}
        aria-invalid={fault !== null}
        spellCheck={false}
        onChange={(event) => setText(event.target.value)}
        onBlur={leave}
        onKeyDown={(event) => {
          if (event.key === "Enter") leave();
          if (event.key === "Escape") setText(name);
        }}
      />
    </Field>
  );
}

function MembershipField({ value, onChange }: { value: Membership | null; onChange(value: Membership | null, tag?: string): void }) {
  const t = useT();
  const overlap = typeof value === "object" && value !== null ? value.overlap : null;
  return (
    <div className="fields">
      <SelectField
        label={t("draw.membership")}
        value={overlap === null ? "foot_point" : "overlap"}
        onChange={(way) => onChange(way === "overlap" ? { overlap: 0.5 } : null)}
        choices={[
          ["foot_point", t("draw.membership.foot_point")],
          ["overlap", t("draw.membership.overlap")],
        ]}
      />
      {overlap !== null && <NumberField label={t("draw.membership.share")} value={Math.round(overlap * 100)} min={1} max={100} onChange={(v) => onChange({ overlap: Math.min(100, Math.max(1, v)) / 100 }, "membership")} />}
    </div>
  );
}
