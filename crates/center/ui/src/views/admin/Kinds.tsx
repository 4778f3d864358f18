/** The catalogue: what can be a case, under which code, on which legal basis, to be handled how soon. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, errorText } from "../../api/client";
import { settings } from "../../api/settings";
import { UNITS, type Kind } from "../../api/types";
import { useT } from "../../i18n";
import { KindIcon } from "../../lib/kinds";
import { AdminHead, AdminTable, EnabledBadge } from "../../parts/AdminParts";
import { Dialog } from "../../parts/Dialog";
import { AreaField, CheckField, NumberField, SelectField, TextField } from "../../parts/Fields";

const FRESH: Kind = {
  code: "",
  name_zh: "",
  name_en: "",
  category_code: null,
  category_zh: null,
  category_en: null,
  class_code: null,
  basis_zh: null,
  basis_en: null,
  deadline_amount: 8,
  deadline_unit: "working_hours",
  enabled: true,
};

export function KindsPart() {
  const t = useT();
  const query = useQuery({ queryKey: ["kinds", "all"], queryFn: api.kinds });
  const [editing, setEditing] = useState<Kind | null>(null);
  return (
    <>
      <AdminHead title={t("admin.kinds")} add={t("kind.add")} onAdd={() => setEditing(FRESH)} />
      <AdminTable query={query} columns={[t("kind.code"), t("department.nameZh"), t("department.nameEn"), t("kind.category"), t("kind.class"), t("kind.deadline"), t("kind.basis"), t("admin.enabled"), ""]}>
        {(kind) => (
          <tr key={kind.code} data-kind={kind.code}>
            <td>
              <span className="row-kind">
                <KindIcon kind={kind.code} /> {kind.code}
              </span>
            </td>
            <td>{kind.name_zh}</td>
            <td>{kind.name_en}</td>
            <td>{[kind.category_code, t.language === "en" ? kind.category_en : kind.category_zh].filter(Boolean).join(" ")}</td>
            <td>{kind.class_code}</td>
            <td className="time">
              {t.maybe(`amount.${kind.deadline_unit}`, `${kind.deadline_amount} ${kind.deadline_unit}`, { amount: kind.deadline_amount })}
            </td>
            <td className="note kind-basis">{t.language === "en" ? kind.basis_en : kind.basis_zh}</td>
            <td>
              <EnabledBadge enabled={kind.enabled} />
            </td>
            <td className="number">
              <button className="button button-small" onClick={() => setEditing(kind)}>
                {t("form.edit")}
              </button>
            </td>
          </tr>
        )}
      </AdminTable>
      {editing && <KindDialog kind={editing} onClose={() => setEditing(null)} />}
    </>
  );
}

function KindDialog({ kind, onClose }: { kind: Kind; onClose(): void }) {
  const t = useT();
  const client = useQueryClient();
  const [draft, setDraft] = useState(kind);
  const isNew = kind.code === "";
  const set = (change: Partial<Kind>) => setDraft({ ...draft, ...change });
  const save = useMutation({
    mutationFn: () => settings.putKind(draft),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["kinds"] });
      onClose();
    },
  });
  return (
    <Dialog title={t(isNew ? "kind.add" : "kind.edit")} submit={t("form.save")} wide busy={save.isPending} message={save.error ? errorText(save.error, t.language) : null} onClose={onClose} onSubmit={() => save.mutate()}>
      <div className="fields">
        <TextField label={t("kind.code")} value={draft.code} onChange={(code) => set({ code })} required disabled={!isNew} pattern="[a-z][a-z0-9_]*" maxLength={64} />
        <TextField label={t("department.nameZh")} value={draft.name_zh} onChange={(name_zh) => set({ name_zh })} required maxLength={100} />
        <TextField label={t("department.nameEn")} value={draft.name_en} onChange={(name_en) => set({ name_en })} required maxLength={100} />
      </div>
      <div className="fields">
        <TextField label={t("kind.categoryCode")} value={draft.category_code ?? ""} onChange={(v) => set({ category_code: v || null })} maxLength={16} />
        <TextField label={t("kind.categoryZh")} value={draft.category_zh ?? ""} onChange={(v) => set({ category_zh: v || null })} maxLength={100} />
        <TextField label={t("kind.categoryEn")} value={draft.category_en ?? ""} onChange={(v) => set({ category_en: v || null })} maxLength={100} />
        <TextField label={t("kind.class")} value={draft.class_code ?? ""} onChange={(v) => set({ class_code: v || null })} maxLength={16} />
      </div>
      <div className="fields">
        <NumberField label={t("kind.deadline")} value={draft.deadline_amount} min={1} max={999} onChange={(deadline_amount) => set({ deadline_amount })} />
        <SelectField label={t("case.unit")} value={draft.deadline_unit} onChange={(deadline_unit) => set({ deadline_unit })} choices={UNITS.map((u) => [u, t(`unit.${u}`)] as const)} />
      </div>
      <AreaField label={t("kind.basisZh")} value={draft.basis_zh ?? ""} onChange={(v) => set({ basis_zh: v || null })} maxLength={500} />
      <AreaField label={t("kind.basisEn")} value={draft.basis_en ?? ""} onChange={(v) => set({ basis_en: v || null })} maxLength={500} />
      <CheckField label={t("admin.enabled")} checked={draft.enabled} onChange={(enabled) => set({ enabled })} />
    </Dialog>
  );
}
