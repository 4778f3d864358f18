/** What a place shows when it has nothing else to show. */
import { CircleAlert, LoaderCircle, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { ApiError } from "../api/client";
import { useT } from "../i18n";

export function Empty({ icon: Icon, title, hint, children }: { icon: LucideIcon; title: string; hint?: string; children?: ReactNode }) {
  return (
    <div className="blank">
      <Icon size={28} strokeWidth={1.5} aria-hidden />
      <p className="blank-title">{title}</p>
      {hint && <p className="blank-hint">{hint}</p>}
      {children}
    </div>
  );
}

export function Loading() {
  const t = useT();
  return (
    <div className="blank" role="status">
      <LoaderCircle size={24} strokeWidth={1.75} className="spin" aria-hidden />
      <p className="blank-hint">{t("state.loading")}</p>
    </div>
  );
}

export function Failed({ error, retry }: { error: unknown; retry?: () => void }) {
  const t = useT();
  const detail = error instanceof ApiError ? error.text(t.language) : error instanceof Error ? error.message : "";
  return (
    <div className="blank" role="alert">
      <CircleAlert size={28} strokeWidth={1.5} aria-hidden />
      <p className="blank-title">{t("state.error")}</p>
      {detail && <p className="blank-hint">{detail}</p>}
      {retry && (
        <button className="button" onClick={retry}>
          {t("state.retry")}
        </button>
      )}
    </div>
  );
}
