/** Roles of a user or a token, each for everything, for a site or for one camera. */
import { Plus, X } from "lucide-react";
import { ROLES, type Grant, type Role } from "../api/types";
import { useT } from "../i18n";
import { cameraName } from "../lib/health";
import { siteName, useSites } from "../state/catalogue";
import { useLive } from "../state/live";
import { SelectField } from "./Fields";

export function Grants({ grants, onChange }: { grants: Grant[]; onChange(grants: Grant[]): void }) {
  const t = useT();
  const sites = useSites();
  const cameras = useLive((s) => s.cameras);
  const change = (at: number, to: Partial<Grant>) => onChange(grants.map((grant, i) => (i === at ? { ...grant, ...to } : grant)));
  return (
    <fieldset className="grants">
      <legend className="field-label">{t("user.grants")}</legend>
      {grants.map((grant, i) => (
        <div key={i} className="grant">
          <SelectField label={t("grant.role")} value={grant.role} onChange={(role) => change(i, { role: role as Role })} choices={ROLES.map((r) => [r, t(`role.${r}`)] as const)} />
          <SelectField
            label={t("grant.site")}
            value={grant.site ?? ""}
            onChange={(site) => change(i, { site: site || null, camera: null })}
            choices={[["", t("filter.site.all")], ...sites.map((s) => [s.site, siteName(sites, s.site, t)] as const)]}
          />
          <SelectField
            label={t("grant.camera")}
            value={grant.camera ?? ""}
            disabled={grant.site === null}
            onChange={(camera) => change(i, { camera: camera || null })}
            choices={[
              ["", t("grant.allCameras")],
              ...Object.values(cameras)
                .filter((c) => c.site === grant.site)
                .map((c) => [c.camera, cameraName(c)] as const),
            ]}
          />
          <button type="button" className="icon-button" aria-label={t("grant.remove", { number: i + 1 })} onClick={() => onChange(grants.filter((_, n) => n !== i))}>
            <X size={16} aria-hidden />
          </button>
        </div>
      ))}
      <button type="button" className="button" onClick={() => onChange([...grants, { role: "viewer", site: null, camera: null }])}>
        <Plus size={15} aria-hidden />
        {t("grant.add")}
      </button>
    </fieldset>
  );
}
