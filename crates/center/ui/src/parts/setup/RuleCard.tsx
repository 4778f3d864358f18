/** One rule of a view as a form. */
import { Trash2 } from "lucide-react";
import type { SetupProblem, SetupRule, SetupView } from "../../api/setup";
import { useT } from "../../i18n";
import { withOptions } from "../../lib/edits";
import { KindIcon, kindName } from "../../lib/kinds";
import { RULE_FIELDS, unshown, type Schedule } from "../../lib/rules";
import { OptionField } from "./OptionFields";
import { ProblemNotes } from "./Problems";
import { ScheduleFields } from "./ScheduleFields";

interface Props {
  rule: SetupRule;
  view: SetupView;
  problems: SetupProblem[];
  onChange(next: SetupView, tag: string): void;
}

export function RuleCard({ rule, view, problems, onChange }: Props) {
  const t = useT();
  const fields = RULE_FIELDS[rule.kind];
  const set = (name: string, value: unknown) =>
    onChange({ ...view, rules: view.rules.map((r) => (r.rule === rule.rule ? { ...r, options: withOptions(r.options, { [name]: value }) } : r)) }, `rule:${rule.rule}:${name}`);
  const own = problems.filter((p) => `${p.path}.`.includes(`.rules.${rule.rule}.`));
  const more = fields.filter((field) => !field.first);
  const told = more.filter((field) => field.name in rule.options).length;
  const onlyText = unshown(rule.kind, rule.options);
  const show = (list: typeof fields) => (
    <div className="rule-fields">
      {list.map((field) => (
        <OptionField key={field.name} field={field} options={rule.options} view={view} onChange={(value) => set(field.name, value)} />
      ))}
    </div>
  );
  return (
    <section className="admin-card form rule-card" data-kind={rule.kind} aria-label={`${kindName(rule.kind, t)} · ${rule.rule}`}>
      <header className="rule-head">
        <KindIcon kind={rule.kind} />
        <h3>{kindName(rule.kind, t)}</h3>
        <code>{rule.rule}</code>
        <button className="button button-small" onClick={() => onChange({ ...view, rules: view.rules.filter((r) => r.rule !== rule.rule) }, "")}>
          <Trash2 size={14} aria-hidden />
          {t("form.remove")}
        </button>
      </header>
      <ProblemNotes problems={own} />
      {show(fields.filter((field) => field.first))}
      <details open={own.length > 0 || undefined}>
        <summary>
          {t("rule.more")}
          {told > 0 && <span className="count">{told}</span>}
        </summary>
        {show(more)}
      </details>
      <details>
        <summary>
          {t("schedule.title")}
          <span className="muted"> · {t(rule.options["schedule"] ? "schedule.limited" : "schedule.always")}</span>
        </summary>
        <ScheduleFields value={rule.options["schedule"] as Schedule | undefined} onChange={(schedule) => set("schedule", schedule)} />
      </details>
      {onlyText.length > 0 && <p className="field-hint">{t("rule.onlyText", { options: onlyText.join(", ") })}</p>}
    </section>
  );
}
