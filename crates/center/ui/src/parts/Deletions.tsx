/** Deleting an incident's evidence, which takes two people, and what is left to tell of evidence that is gone. */
import { Trash2 } from "lucide-react";
import { useState } from "react";
import { proof } from "../api/proof";
import type { Deleted, Deletion, IncidentDetail } from "../api/types";
import { useT, type Translate } from "../i18n";
import { fullTime } from "../lib/format";
import { useMay, useSession } from "../state/session";
import { DeedDialog } from "./DeedDialog";

/** Files that went with one deletion. */
export interface Gone {
  deleted: Deleted;
  roles: string[];
}

/** What was deleted of an incident, each deletion once. */
export function gone(detail: Pick<IncidentDetail, "evidence">): Gone[] {
  const all = new Map<string, Gone>();
  for (const { role, deleted } of detail.evidence) {
    if (!deleted) continue;
    const one = all.get(deleted.at) ?? { deleted, roles: [] };
    one.roles.push(role);
    all.set(deleted.at, one);
  }
  return [...all.values()];
}

export function deletedText({ asked_by, approved_by, at }: Deleted, t: Translate): string {
  return t("deletion.done.by", { asked: asked_by, approved: approved_by, time: fullTime(at, t.language) });
}

const ORDER = ["annotated", "snapshot", "before", "after", "clip"];

export function roleNames(roles: string[], t: Translate): string {
  return [...roles].sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b)).map((role) => t.maybe(`role.${role}`, role)).join(t.language === "en" ? ", " : "、");
}

export function Deletions({ detail }: { detail: IncidentDetail }) {
  const t = useT();
  const mayDelete = useMay("delete");
  const [asking, setAsking] = useState(false);
  const left = detail.evidence.some((file) => !file.deleted);
  return (
    <>
      {gone(detail).map(({ deleted, roles }) => (
        <div key={deleted.at} className="keeping-one">
          <Trash2 size={16} aria-hidden />
          <div>
            <b>{t("deletion.done.files", { files: roleNames(roles, t) })}</b>
            <p className="muted">{deletedText(deleted, t)}</p>
          </div>
        </div>
      ))}
      {detail.deletion && <PendingDeletion deletion={detail.deletion} />}
      {!detail.deletion && mayDelete && left && !detail.held && (
        <div className="keeping-deeds">
          <button className="button button-small button-dismiss" onClick={() => setAsking(true)}>
            <Trash2 size={14} aria-hidden />
            {t("deletion.ask")}
          </button>
        </div>
      )}
      {asking && (
        <DeedDialog
          title={t("deletion.ask")}
          explain={t("deletion.ask.explain")}
          asksWhy
          deed={(reason) => proof.askDeletion(detail.incident.id, reason)}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  );
}

function PendingDeletion({ deletion }: { deletion: Deletion }) {
  const t = useT();
  return (
    <div className="keeping-one keeping-pending" role="note">
      <Trash2 size={16} aria-hidden />
      <div>
        <b>{t("deletion.asked", { actor: deletion.asked_by, time: fullTime(deletion.asked_at, t.language) })}</b>
        <p>{deletion.reason}</p>
        <DeletionDeeds deletion={deletion} />
      </div>
    </div>
  );
}

/** Approving and withdrawing; who asked cannot approve. */
export function DeletionDeeds({ deletion }: { deletion: Deletion }) {
  const t = useT();
  const mayDelete = useMay("delete");
  const me = useSession((s) => s.session?.name);
  const [asking, setAsking] = useState<"approve" | "withdraw" | null>(null);
  if (!mayDelete) return null;
  const isMine = deletion.asked_by === me;
  return (
    <div className="keeping-deeds">
      <button className="button button-small button-dismiss" disabled={isMine} title={isMine ? t("deletion.approve.other") : undefined} onClick={() => setAsking("approve")}>
        {t("deletion.approve")}
      </button>
      <button className="button button-small" onClick={() => setAsking("withdraw")}>
        {t("deletion.withdraw")}
      </button>
      {isMine && <span className="muted">{t("deletion.approve.other")}</span>}
      {asking === "approve" && (
        <DeedDialog title={t("deletion.approve")} explain={t("deletion.approve.explain")} deed={() => proof.approveDeletion(deletion.incident)} onClose={() => setAsking(null)}>
          <blockquote>
            {deletion.reason} <span className="muted">— {deletion.asked_by}</span>
          </blockquote>
        </DeedDialog>
      )}
      {asking === "withdraw" && (
        <DeedDialog title={t("deletion.withdraw")} explain={t("deletion.withdraw.explain")} deed={() => proof.withdrawDeletion(deletion.incident)} onClose={() => setAsking(null)} />
      )}
    </div>
  );
}
