/** What the parts of the administration have in common: a head with a button, and a table that loads. */
import type { UseQueryResult } from "@tanstack/react-query";
import { Inbox, Plus } from "lucide-react";
import type { ReactNode } from "react";
import { useT } from "../i18n";
import { Empty, Failed, Loading } from "./States";

export function AdminHead({ title, hint, add, onAdd }: { title: string; hint?: string; add?: string; onAdd?(): void }) {
  return (
    <header className="admin-head">
      <div>
        <h2>{title}</h2>
        {hint && <p className="muted">{hint}</p>}
      </div>
      {add && onAdd && (
        <button className="button" onClick={onAdd}>
          <Plus size={16} aria-hidden />
          {add}
        </button>
      )}
    </header>
  );
}

/** A table of what a query gives, or why there is none. */
export function AdminTable<Row>({ query, columns, children }: { query: UseQueryResult<Row[]>; columns: string[]; children(row: Row, index: number): ReactNode }) {
  const t = useT();
  return (
    <div className="record-table admin-table">
      {query.isPending ? (
        <Loading />
      ) : query.isError ? (
        <Failed error={query.error} retry={() => void query.refetch()} />
      ) : query.data.length === 0 ? (
        <Empty icon={Inbox} title={t("admin.empty")} />
      ) : (
        <table>
          <thead>
            <tr>
              {columns.map((column, i) => (
                <th key={i}>{column}</th>
              ))}
            </tr>
          </thead>
          <tbody>{query.data.map(children)}</tbody>
        </table>
      )}
    </div>
  );
}

export function EnabledBadge({ enabled }: { enabled: boolean }) {
  const t = useT();
  return <span className={`status ${enabled ? "status-confirmed" : ""}`}>{t(enabled ? "admin.enabled" : "admin.disabled")}</span>;
}
