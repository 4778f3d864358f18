/** How a site's score is made, in words, and changed by those who may. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Pencil } from "lucide-react";
import { useState } from "react";
import { errorText } from "../api/client";
import { settings } from "../api/settings";
import type { ScoreFormula } from "../api/types";
import { useT } from "../i18n";
import { useMay } from "../state/session";
import { Dialog } from "./Dialog";
import { NumberField } from "./Fields";

const PARTS = ["base", "per_confirmed", "per_high_severity", "per_open", "per_late_case", "bonus_on_time", "red_from", "black_below"] as const;

export function Formula({ formula }: { formula: ScoreFormula }) {
  const t = useT();
  const mayConfigure = useMay("configure");
  const [editing, setEditing] = useState(false);
  const { per_households, red_from, black_below, ...rest } = formula;
  return (
    <section className="formula" aria-label={t("report.formula")}>
      <h3>{t("report.formula")}</h3>
      <p>
        <b>{t("report.formula.text", rest)}</b> {per_households ? t("report.formula.households", { households: per_households }) : ""}
      </p>
      <p className="muted">
        {t("report.formula.lists", { red: red_from, black: black_below })} {t("report.formula.note")}
      </p>
      {mayConfigure && (
        <button className="button" onClick={() => setEditing(true)}>
          <Pencil size={15} aria-hidden />
          {t("report.formula.edit")}
        </button>
      )}
      {editing && <FormulaDialog formula={formula} onClose={() => setEditing(false)} />}
    </section>
  );
}

function FormulaDialog({ formula, onClose }: { formula: ScoreFormula; onClose(): void }) {
  const t = useT();
  const client = useQueryClient();
  const [draft, setDraft] = useState(formula);
  const save = useMutation({
    mutationFn: () => settings.write("scores", draft),
    onSuccess: async () => {
      await Promise.all([client.invalidateQueries({ queryKey: ["month"] }), client.invalidateQueries({ queryKey: ["settings"] })]);
      onClose();
    },
  });
  return (
    <Dialog title={t("report.formula.edit")} submit={t("form.save")} wide busy={save.isPending} message={save.error ? errorText(save.error, t.language) : null} onClose={onClose} onSubmit={() => save.mutate()}>
      <div className="fields">
        {PARTS.map((part) => (
          <NumberField key={part} label={t(`score.${part}`)} value={draft[part]} min={0} step="any" onChange={(value) => setDraft({ ...draft, [part]: value })} />
        ))}
        <NumberField label={t("score.per_households")} value={draft.per_households ?? 0} min={0} step={1} onChange={(value) => setDraft({ ...draft, per_households: value > 0 ? value : null })} />
      </div>
    </Dialog>
  );
}
