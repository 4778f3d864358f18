/** Who handles cases, on which level, for which sites. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { cases } from "../../api/cases";
import { errorText } from "../../api/client";
import { settings } from "../../api/settings";
import { LEVELS, type Department } from "../../api/types";
import { useT } from "../../i18n";
import { AdminHead, AdminTable, EnabledBadge } from "../../parts/AdminParts";
import { Dialog } from "../../parts/Dialog";
import { CheckField, SelectField, TextField } from "../../parts/Fields";
import { departmentName, siteName, useDepartments, useSites } from "../../state/catalogue";

const FRESH: Department = { id: "", name_zh: "", name_en: "", level: "community", parent: null, sites: [], webhook: null, enabled: true };

export function DepartmentsPart() {
  const t = useT();
  const sites = useSites();
  const query = useQuery({ queryKey: ["departments"], queryFn: cases.departments });
  const [editing, setEditing] = useState<Department | null>(null);
  return (
    <>
      <AdminHead title={t("admin.departments")} add={t("department.add")} onAdd={() => setEditing(FRESH)} />
      <AdminTable query={query} columns={[t("department.id"), t("department.nameZh"), t("department.nameEn"), t("department.level"), t("department.parent"), t("department.sites"), t("admin.enabled"), ""]}>
        {(d) => (
          <tr key={d.id}>
            <td>
              <b>{d.id}</b>
            </td>
            <td>{d.name_zh}</td>
            <td>{d.name_en}</td>
            <td>{t(`level.${d.level}`)}</td>
            <td>{d.parent ? departmentName(query.data ?? [], d.parent, t) : ""}</td>
            <td>{d.sites.map((site) => siteName(sites, site, t)).join(t.language === "en" ? ", " : "、")}</td>
            <td>
              <EnabledBadge enabled={d.enabled} />
            </td>
            <td className="number">
              <button className="button button-small" onClick={() => setEditing(d)}>
                {t("form.edit")}
              </button>
            </td>
          </tr>
        )}
      </AdminTable>
      {editing && <DepartmentDialog department={editing} onClose={() => setEditing(null)} />}
    </>
  );
}

function DepartmentDialog({ department, onClose }: { department: Department; onClose(): void }) {
  const t = useT();
  const client = useQueryClient();
  const sites = useSites();
  const others = useDepartments().filter((d) => d.id !== department.id);
  const [draft, setDraft] = useState(department);
  const isNew = department.id === "";
  const set = (change: Partial<Department>) => setDraft({ ...draft, ...change });
  const save = useMutation({
    mutationFn: () => settings.putDepartment(draft),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["departments"] });
      onClose();
    },
  });
  return (
    <Dialog title={t(isNew ? "department.add" : "department.edit")} submit={t("form.save")} wide busy={save.isPending} message={save.error ? errorText(save.error, t.language) : null} onClose={onClose} onSubmit={() => save.mutate()}>
      <div className="fields">
        <TextField label={t("department.id")} value={draft.id} onChange={(id) => set({ id })} required disabled={!isNew} pattern="[a-z0-9-]+" maxLength={64} />
        <TextField label={t("department.nameZh")} value={draft.name_zh} onChange={(name_zh) => set({ name_zh })} required maxLength={100} />
        <TextField label={t("department.nameEn")} value={draft.name_en} onChange={(name_en) => set({ name_en })} required maxLength={100} />
        <SelectField label={t("department.level")} value={draft.level} onChange={(level) => set({ level: level as Department["level"] })} choices={LEVELS.map((l) => [l, t(`level.${l}`)] as const)} />
        <SelectField
          label={t("department.parent")}
          value={draft.parent ?? ""}
          onChange={(parent) => set({ parent: parent || null })}
          choices={[["", t("form.none")], ...others.map((d) => [d.id, departmentName(others, d.id, t)] as const)]}
        />
      </div>
      <TextField label={t("department.webhook")} type="url" value={draft.webhook ?? ""} onChange={(webhook) => set({ webhook: webhook || null })} />
      <fieldset className="choices">
        <legend className="field-label">{t("department.sites")}</legend>
        {sites.map((s) => (
          <CheckField
            key={s.site}
            label={siteName(sites, s.site, t)}
            checked={draft.sites.includes(s.site)}
            onChange={(checked) => set({ sites: checked ? [...draft.sites, s.site] : draft.sites.filter((site) => site !== s.site) })}
          />
        ))}
      </fieldset>
      <CheckField label={t("admin.enabled")} checked={draft.enabled} onChange={(enabled) => set({ enabled })} />
    </Dialog>
  );
}
