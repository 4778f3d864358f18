/** What raises no alarm at present, why and until when. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { errorText } from "../../api/client";
import { room } from "../../api/room";
import { useT } from "../../i18n";
import { fullTime } from "../../lib/format";
import { cameraName } from "../../lib/health";
import { kindName } from "../../lib/kinds";
import { AdminHead, AdminTable } from "../../parts/AdminParts";
import { siteName, useSites } from "../../state/catalogue";
import { useLive } from "../../state/live";

export function MutesPart() {
  const t = useT();
  const client = useQueryClient();
  const sites = useSites();
  const cameras = useLive((s) => s.cameras);
  const query = useQuery({ queryKey: ["mutes"], queryFn: room.mutes });
  const remove = useMutation({ mutationFn: room.unmute, onSuccess: () => client.invalidateQueries({ queryKey: ["mutes"] }) });
  return (
    <>
      <AdminHead title={t("admin.mutes")} hint={t("mute.explain")} />
      {remove.error && (
        <p className="form-message" role="alert">
          {errorText(remove.error, t.language)}
        </p>
      )}
      <AdminTable query={query} columns={[t("incident.kind"), t("filter.site"), t("incident.camera"), t("filing.zone"), t("mute.until"), t("mute.reason"), t("mute.by"), ""]}>
        {(mute) => (
          <tr key={mute.id}>
            <td>{kindName(mute.kind, t)}</td>
            <td>{siteName(sites, mute.site, t)}</td>
            <td>{cameraName(cameras[mute.camera], mute.camera, t)}</td>
            <td>{mute.zone}</td>
            <td className="time">{fullTime(mute.until, t.language)}</td>
            <td>{mute.reason}</td>
            <td>{mute.by}</td>
            <td className="number">
              <button className="button button-small" disabled={remove.isPending} onClick={() => remove.mutate(mute.id)}>
                {t("mute.remove")}
              </button>
            </td>
          </tr>
        )}
      </AdminTable>
    </>
  );
}
