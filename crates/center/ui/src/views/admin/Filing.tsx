/** Rules by which suspicions become cases without a person having confirmed them first. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { errorText } from "../../api/client";
import { settings } from "../../api/settings";
import type { FilingRule } from "../../api/types";
import { useT } from "../../i18n";
import { percent } from "../../lib/format";
import { cameraName } from "../../lib/health";
import { kindName } from "../../lib/kinds";
import { AdminHead, AdminTable, EnabledBadge } from "../../parts/AdminParts";
import { Dialog } from "../../parts/Dialog";
import { CheckField, NumberField, SelectField, TextField } from "../../parts/Fields";
import { departmentName, siteName, useDepartments, useKinds, useSites } from "../../state/catalogue";
import { useLive } from "../../state/live";

const FRESH: FilingRule = { kind: null, site: null, camera: null, zone: null, min_score: 0.9, hours: null, enabled: true, department: null };

export function FilingPart() {
  const t = useT();
  const client = useQueryClient();
  const sites = useSites();
  const departments = useDepartments();
  const cameras = useLive((s) => s.cameras);
  const query = useQuery({ queryKey: ["settings"], queryFn: settings.read, select: (s) => s.filing });
  const [editing, setEditing] = useState<number | null>(null);
  const rules = query.data ?? [];
  const save = useMutation({
    mutationFn: (fresh: FilingRule[]) => settings.write("filing", fresh),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["settings"] });
      setEditing(null);
    },
  });
  const any = t("form.any");
  return (
    <>
      <AdminHead title={t("admin.filing")} hint={t("filing.hint")} add={t("filing.add")} onAdd={() => setEditing(rules.length)} />
      <AdminTable query={query} columns={[t("incident.kind"), t("filter.site"), t("incident.camera"), t("filing.zone"), t("filing.minScore"), t("filing.hours"), t("filing.department"), t("admin.enabled"), ""]}>
        {(rule, i) => (
          <tr key={i}>
            <td>{rule.kind ? kindName(rule.kind, t) : any}</td>
            <td>{rule.site ? siteName(sites, rule.site, t) : any}</td>
            <td>{rule.camera ? cameraName(cameras[rule.camera], rule.camera) : any}</td>
            <td>{rule.zone ?? any}</td>
            <td>{percent(rule.min_score)}</td>
            <td>{rule.hours ? `${rule.hours.from}–${rule.hours.to}` : t("filing.allDay")}</td>
            <td>{rule.department ? departmentName(departments, rule.department, t) : t("form.none")}</td>
            <td>
              <EnabledBadge enabled={rule.enabled} />
            </td>
            <td className="number row-buttons">
              <button className="button button-small" onClick={() => setEditing(i)}>
                {t("form.edit")}
              </button>
              <button className="button button-small" disabled={save.isPending} onClick={() => save.mutate(rules.filter((_, n) => n !== i))}>
                {t("form.remove")}
              </button>
            </td>
          </tr>
        )}
      </AdminTable>
      {editing !== null && (
        <RuleDialog
          rule={rules[editing] ?? FRESH}
          isNew={editing >= rules.length}
          busy={save.isPending}
          message={save.error ? errorText(save.error, t.language) : null}
          onClose={() => setEditing(null)}
          onSave={(rule) => save.mutate(editing >= rules.length ? [...rules, rule] : rules.map((r, i) => (i === editing ? rule : r)))}
        />
      )}
    </>
  );
}

function RuleDialog({ rule, isNew, busy, message, onClose, onSave }: { rule: FilingRule; isNew: boolean; busy: boolean; message: string | null; onClose(): void; onSave(rule: FilingRule): void }) {
  const t = useT();
  const sites = useSites();
  const kinds = useKinds();
  const departments = useDepartments();
  const cameras = Object.values(useLive((s) => s.cameras));
  const [draft, setDraft] = useState(rule);
  const set = (change: Partial<FilingRule>) => setDraft({ ...draft, ...change });
  const zones = cameras.find((c) => c.camera === draft.camera)?.zones ?? [];
  const any = ["", t("form.any")] as const;
  return (
    <Dialog title={t(isNew ? "filing.add" : "filing.edit")} submit={t("form.save")} wide busy={busy} message={message} onClose={onClose} onSubmit={() => onSave(draft)}>
      <p className="muted">{t("filing.hint")}</p>
      <div className="fields">
        <SelectField label={t("incident.kind")} value={draft.kind ?? ""} onChange={(v) => set({ kind: v || null })} choices={[any, ...kinds.map((k) => [k.code, kindName(k.code, t)] as const)]} />
        <SelectField label={t("filter.site")} value={draft.site ?? ""} onChange={(v) => set({ site: v || null, camera: null, zone: null })} choices={[any, ...sites.map((s) => [s.site, siteName(sites, s.site, t)] as const)]} />
        <SelectField
          label={t("incident.camera")}
          value={draft.camera ?? ""}
          onChange={(v) => set({ camera: v || null, zone: null })}
          choices={[any, ...cameras.filter((c) => !draft.site || c.site === draft.site).map((c) => [c.camera, cameraName(c)] as const)]}
        />
        <SelectField label={t("filing.zone")} value={draft.zone ?? ""} disabled={zones.length === 0} onChange={(v) => set({ zone: v || null })} choices={[any, ...zones.map((z) => [z.id, `${z.id} · ${t(`purpose.${z.purpose}`)}`] as const)]} />
      </div>
      <div className="fields">
        <NumberField label={t("filing.minScore")} value={draft.min_score} min={0} max={1} step={0.01} onChange={(min_score) => set({ min_score })} />
        <SelectField label={t("filing.department")} value={draft.department ?? ""} onChange={(v) => set({ department: v || null })} choices={[["", t("form.none")], ...departments.map((d) => [d.id, departmentName(departments, d.id, t)] as const)]} />
      </div>
      <CheckField label={t("filing.someHours")} checked={draft.hours !== null} onChange={(some) => set({ hours: some ? { from: "22:00", to: "06:00" } : null })} />
      {draft.hours && (
        <div className="hours">
          <TextField label={t("time.hours.from")} type="time" required value={draft.hours.from} onChange={(from) => set({ hours: { from, to: draft.hours?.to ?? from } })} />
          <TextField label={t("time.hours.to")} type="time" required value={draft.hours.to} onChange={(to) => set({ hours: { from: draft.hours?.from ?? to, to } })} />
        </div>
      )}
      <CheckField label={t("admin.enabled")} checked={draft.enabled} onChange={(enabled) => set({ enabled })} />
    </Dialog>
  );
}
