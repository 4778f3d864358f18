/** Judging: one key to confirm, one to dismiss with a reason, one for the next. */
import { Check, ChevronLeft, ChevronRight, Undo2, X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import type { DismissReason, Incident, Verdict } from "../api/types";
import { useT } from "../i18n";
import { clock } from "../lib/format";
import { useNow } from "../lib/now";
import { useMay } from "../state/session";
import { FileCase } from "./FileCase";

export const REASONS: DismissReason[] = ["not_a_violation", "wrong_object", "permitted", "duplicate", "poor_picture", "other"];

interface Props {
  incident: Incident;
  busy: boolean;
  message: string | null;
  dismissing: boolean;
  onDismissing(open: boolean): void;
  onVerdict(verdict: Verdict): void;
  onStep(step: 1 | -1): void;
  onFileError(error: unknown): void;
}

export function VerdictBar({ incident, busy, message, dismissing, onDismissing, onVerdict, onStep, onFileError }: Props) {
  const t = useT();
  const now = useNow();
  const judged = incident.status !== "new";
  const mayJudge = useMay("judge");
  const by = incident.judged_by && incident.judged_at;
  return (
    <div className="verdict">
      {message && (
        <p className="verdict-message" role="alert">
          {message}
        </p>
      )}
      {dismissing && !judged && <DismissForm busy={busy} onCancel={() => onDismissing(false)} onSubmit={onVerdict} />}
      <div className="verdict-row">
        {judged ? (
          <>
          <p className={`verdict-done status-${incident.status}`}>
            {incident.status === "dismissed" ? <X size={18} aria-hidden /> : <Check size={18} aria-hidden />}
            {by
              ? t("verdict.by", { status: t(`status.${incident.status}`), actor: incident.judged_by ?? "", time: clock(incident.judged_at ?? "", now, t.language) })
              : t(`status.${incident.status}`)}
            {incident.reason && <span className="verdict-reason">{t.maybe(`reason.${incident.reason.split(": ")[0]}`, incident.reason)}</span>}
          </p>
          {mayJudge && (incident.status === "confirmed" || incident.status === "dismissed") && (
            <button className="button button-quiet" disabled={busy} onClick={() => onVerdict({ verdict: "withdraw" })}>
              <Undo2 size={16} aria-hidden />
              {t("verdict.withdraw")}
              <kbd>U</kbd>
            </button>
          )}
          </>
        ) : mayJudge ? (
          <>
            <button className="button button-confirm" disabled={busy} onClick={() => onVerdict({ verdict: "confirm" })}>
              <Check size={18} aria-hidden />
              {t("verdict.confirm")}
              <kbd>C</kbd>
            </button>
            <button className="button button-dismiss" disabled={busy} aria-expanded={dismissing} onClick={() => onDismissing(!dismissing)}>
              <X size={18} aria-hidden />
              {t("verdict.dismiss")}
              <kbd>D</kbd>
            </button>
          </>
        ) : null}
        <FileCase incident={incident} onError={onFileError} />
        <span className="verdict-space" />
        <button className="button button-quiet" onClick={() => onStep(-1)} title={t("verdict.previous")} aria-label={t("verdict.previous")}>
          <ChevronLeft size={18} aria-hidden />
          <kbd>P</kbd>
        </button>
        <button className="button" onClick={() => onStep(1)}>
          {t("verdict.next")}
          <kbd>N</kbd>
          <ChevronRight size={18} aria-hidden />
        </button>
      </div>
    </div>
  );
}

export function DismissForm({ busy, onCancel, onSubmit }: { busy: boolean; onCancel(): void; onSubmit(verdict: Verdict): void }) {
  const t = useT();
  const [note, setNote] = useState("");
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector("button")?.focus(), []);
  const submit = (reason: DismissReason) => {
    if (!busy) onSubmit({ verdict: "dismiss", reason, ...(note.trim() ? { note: note.trim() } : {}) });
  };
  return (
    <form
      ref={form}
      className="dismiss"
      onSubmit={(event) => event.preventDefault()}
      onKeyDown={(event) => {
        if (event.key === "Escape") {
          event.stopPropagation();
          onCancel();
        }
        const reason = REASONS[Number(event.key) - 1];
        // A key that is held down, since it opened this, chooses nothing.
        if (reason && !event.repeat && !(event.target instanceof HTMLInputElement)) {
          event.preventDefault();
          event.stopPropagation();
          submit(reason);
        }
      }}
    >
      <p className="dismiss-title">{t("verdict.dismiss.title")}</p>
      <div className="dismiss-reasons">
        {REASONS.map((reason, index) => (
          <button key={reason} type="button" className="button" disabled={busy} onClick={() => submit(reason)}>
            <kbd>{index + 1}</kbd>
            {t(`reason.${reason}`)}
          </button>
        ))}
      </div>
      <div className="dismiss-note">
        <input value={note} maxLength={300} placeholder={t("verdict.dismiss.note")} aria-label={t("verdict.dismiss.note")} onChange={(event) => setNote(event.target.value)} />
        <button type="button" className="button button-quiet" onClick={onCancel}>
          {t("verdict.cancel")}
        </button>
      </div>
    </form>
  );
}
