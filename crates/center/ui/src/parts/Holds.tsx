/** Why evidence stays: who holds an incident or a case, since when and why; making a hold, and lifting it. */
import { Lock, LockOpen } from "lucide-react";
import { useState } from "react";
import { proof, type Subject } from "../api/proof";
import type { Hold } from "../api/types";
import { useT } from "../i18n";
import { fullTime } from "../lib/format";
import { href } from "../state/route";
import { useMay } from "../state/session";
import { DeedDialog } from "./DeedDialog";

interface Props {
  subject: Subject;
  id: string;
  holds: Hold[];
  /** It stays for another reason than a hold on it. */
  keptAnyway?: boolean;
}

export function Holds({ subject, id, holds, keptAnyway = false }: Props) {
  const t = useT();
  const mayHold = useMay("dispatch");
  const mayLift = useMay("audit");
  const [asking, setAsking] = useState<"hold" | "lift" | null>(null);
  const [told, setTold] = useState<string | null>(null);
  // A hold on the case is lifted at the case.
  const isOwn = (hold: Hold) => (hold.case !== null) === (subject === "case");
  const own = holds.find(isOwn);
  return (
    <div className="keeping">
      {holds.map((hold) => (
        <div key={hold.case ?? ""} className="keeping-one keeping-held">
          <Lock size={16} aria-hidden />
          <div>
            <b>{t("hold.by", { actor: hold.by, time: fullTime(hold.at, t.language) })}</b>
            {hold.case !== null && subject === "incident" && (
              <a className="keeping-link" href={href("cases", hold.case)}>
                {t("hold.ofCase")}
              </a>
            )}
            <p>{hold.reason}</p>
          </div>
          {isOwn(hold) && mayLift && (
            <button className="button button-small" onClick={() => setAsking("lift")}>
              <LockOpen size={14} aria-hidden />
              {t("hold.lift")}
            </button>
          )}
        </div>
      ))}
      {holds.length === 0 && <p className="muted">{t(keptAnyway ? "hold.openCase" : subject === "case" ? "hold.none.case" : "hold.none")}</p>}
      {told && (
        <p className="form-done" role="status">
          {told}
        </p>
      )}
      {!own && mayHold && (
        <div className="keeping-deeds">
          <button className="button button-small" onClick={() => setAsking("hold")}>
            <Lock size={14} aria-hidden />
            {t("hold.put")}
          </button>
        </div>
      )}
      {asking === "hold" && (
        <DeedDialog
          title={t("hold.put")}
          explain={t(`hold.put.explain.${subject}`)}
          asksWhy
          deed={(reason) => proof.hold(subject, id, reason)}
          onClose={() => setAsking(null)}
          onDone={(made) => {
            // What a case's hold keeps goes into the vault by and by.
            if ("kept" in made) setTold(t(made.missing > 0 ? "hold.kept.missing" : made.kept > 0 ? "hold.kept" : "hold.kept.none", { kept: made.kept, missing: made.missing }));
          }}
        />
      )}
      {asking === "lift" && (
        <DeedDialog title={t("hold.lift")} explain={t("hold.lift.explain")} deed={() => proof.release(subject, id)} onClose={() => setAsking(null)} onDone={() => setTold(null)}>
          {own && <blockquote>{own.reason}</blockquote>}
        </DeedDialog>
      )}
    </div>
  );
}
