/** A window over the page that asks for something: the keyboard stays inside it, and Escape closes it. */
import { X } from "lucide-react";
import { useEffect, useId, useRef, type FormEvent, type ReactNode } from "react";
import { useT } from "../i18n";

interface Props {
  title: string;
  /** What the button says that does it; none for a window that only shows something. */
  submit?: string;
  busy?: boolean;
  message?: string | null;
  wide?: boolean;
  onClose(): void;
  onSubmit?(): void;
  children: ReactNode;
}

export function Dialog({ title, submit, busy = false, message = null, wide = false, onClose, onSubmit, children }: Props) {
  const t = useT();
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    element?.querySelector<HTMLElement>("input, select, textarea, .button-confirm")?.focus();
    return () => element?.close();
  }, []);
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (!busy) onSubmit?.();
  };
  return (
    <dialog
      ref={dialog}
      className={`dialog${wide ? " dialog-wide" : ""}`}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <form onSubmit={send}>
        <header className="dialog-head">
          <h2 id={heading}>{title}</h2>
          <button type="button" className="icon-button" onClick={onClose} aria-label={t("form.cancel")} title={`${t("form.cancel")} (Esc)`}>
            <X size={18} aria-hidden />
          </button>
        </header>
        <div className="dialog-body">{children}</div>
        {message && (
          <p className="form-message" role="alert">
            {message}
          </p>
        )}
        <footer className="dialog-foot">
          <button type="button" className="button button-quiet" onClick={onClose}>
            {t(submit ? "form.cancel" : "form.close")}
          </button>
          {submit && (
            <button className="button button-confirm" disabled={busy}>
              {busy ? t("form.saving") : submit}
            </button>
          )}
        </footer>
      </form>
    </dialog>
  );
}
