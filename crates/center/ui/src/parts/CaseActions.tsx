/** What the person may do with a case now: a button each, and a window that asks for what an action needs. */
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { cases } from "../api/cases";
import { errorText } from "../api/client";
import { CASE_ACTIONS, UNITS, type CaseAction, type CaseActionName, type CaseDetail } from "../api/types";
import { useT } from "../i18n";
import { ASKS, ONWARD } from "../lib/cases";
import { departmentName, useDepartments } from "../state/catalogue";
import { Dialog } from "./Dialog";
import { AreaField, NumberField, SelectField } from "./Fields";

interface Props {
  detail: CaseDetail;
  onChanged(detail: CaseDetail): void;
}

export function CaseActions({ detail, onChanged }: Props) {
  const t = useT();
  const [asking, setAsking] = useState<CaseActionName | null>(null);
  const there = CASE_ACTIONS.filter((action) => detail.actions.includes(action));
  if (there.length === 0) return <p className="muted">{t("case.nothingToDo")}</p>;
  const main = ONWARD.find((action) => there.includes(action));
  return (
    <div className="case-actions">
      {there.map((action) => (
        <button key={action} className={`button${action === main ? " button-confirm" : ""}`} onClick={() => setAsking(action)}>
          {t(`case.action.${action}`)}
        </button>
      ))}
      {asking && (
        <ActionDialog
          detail={detail}
          action={asking}
          onClose={() => setAsking(null)}
          onDone={(changed) => {
            setAsking(null);
            onChanged(changed);
          }}
        />
      )}
    </div>
  );
}

function ActionDialog({ detail, action, onClose, onDone }: { detail: CaseDetail; action: CaseActionName; onClose(): void; onDone(detail: CaseDetail): void }) {
  const t = useT();
  const asks = ASKS[action];
  const departments = useDepartments().filter((d) => d.enabled);
  // The department of the site, or the one that had it before.
  const likely = detail.case.department ?? departments.find((d) => d.sites.includes(detail.case.site))?.id ?? "";
  const [reason, setReason] = useState("");
  const [department, setDepartment] = useState<string | null>(null);
  const [instruction, setInstruction] = useState("");
  const [amount, setAmount] = useState(1);
  const [unit, setUnit] = useState<string>("working_days");
  const [into, setInto] = useState(detail.related[0]?.id ?? "");
  const chosen = department ?? (asks.department === "required" ? likely : "");
  const act = useMutation({
    mutationFn: () => {
      const body: CaseAction = { action };
      if (reason.trim()) body.reason = reason.trim();
      if (asks.department && chosen) body.department = chosen;
      if (asks.instruction && instruction.trim()) body.instruction = instruction.trim();
      if (asks.allowance) body.allowance = { amount, unit };
      if (asks.into) body.into = into;
      return cases.act(detail.case.id, body);
    },
    onSuccess: onDone,
  });
  return (
    <Dialog
      title={`${t(`case.action.${action}`)} · ${detail.case.number}`}
      submit={t(`case.action.${action}`)}
      busy={act.isPending}
      message={act.error ? errorText(act.error, t.language) : null}
      onClose={onClose}
      onSubmit={() => act.mutate()}
    >
      <p className="muted">{t(`case.explain.${action}`)}</p>
      {asks.department && (
        <SelectField
          label={t("case.department")}
          value={chosen}
          onChange={setDepartment}
          required={asks.department === "required"}
          choices={[["", t(asks.department === "required" ? "case.choose" : "case.nextLevel")], ...departments.map((d) => [d.id, `${departmentName(departments, d.id, t)} · ${t(`level.${d.level}`)}`] as const)]}
        />
      )}
      {asks.instruction && <AreaField label={t("case.instruction")} value={instruction} onChange={setInstruction} maxLength={1000} />}
      {asks.allowance && (
        <div className="fields">
          <NumberField label={t("case.extendBy")} value={amount} min={1} max={999} onChange={setAmount} />
          <SelectField label={t("case.unit")} value={unit} onChange={setUnit} choices={UNITS.map((u) => [u, t(`unit.${u}`)] as const)} />
        </div>
      )}
      {asks.into && (
        <SelectField
          label={t("case.into")}
          {...(detail.related.length === 0 ? { hint: t("case.into.none") } : {})}
          value={into}
          required
          onChange={setInto}
          choices={detail.related.length === 0 ? [["", t("form.none")]] : detail.related.map((c) => [c.id, `${c.number} · ${t(`case.step.${c.step}`)}`] as const)}
        />
      )}
      <AreaField label={t(action === "comment" ? "case.comment" : asks.reason === "required" ? "case.reason" : "case.reason.optional")} value={reason} onChange={setReason} required={asks.reason === "required"} maxLength={1000} />
    </Dialog>
  );
}
