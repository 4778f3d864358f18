/** Who did what, and the state of the chains that prove it. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { people, type AuditFilter } from "../../api/people";
import { useT, type Translate } from "../../i18n";
import { fullTime } from "../../lib/format";
import { dayEdge } from "../../lib/month";
import { AdminHead } from "../../parts/AdminParts";
import { Failed, Loading } from "../../parts/States";

/** A detail as one line, whatever it is made of. */
export function detailText(detail: unknown): string {
  if (detail === null || detail === undefined) return "";
  if (typeof detail !== "object") return String(detail);
  return Object.entries(detail)
    .map(([name, value]) => `${name}: ${typeof value === "object" ? JSON.stringify(value) : String(value)}`)
    .join(" · ");
}

/** A deed's name in the reader's language; what the page does not know has its code alone. */
export function deedText(action: string, t: Translate): string {
  return t.maybe(`audit.${action}`, t.maybe(`case.action.${action.replace(/^case\./, "")}`, ""));
}

export function AuditPart() {
  const t = useT();
  const [draft, setDraft] = useState({ actor: "", action: "", subject_kind: "", subject_id: "", from: "", to: "" });
  const [filter, setFilter] = useState<AuditFilter>({});
  const query = useInfiniteQuery({
    queryKey: ["audit", filter],
    queryFn: ({ pageParam }) => people.audit(filter, pageParam),
    initialPageParam: undefined as string | number | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: (previous) => previous,
  });
  const search = () =>
    setFilter(
      Object.fromEntries(
        Object.entries({ ...draft, from: draft.from && dayEdge(draft.from, "begin"), to: draft.to && dayEdge(draft.to, "end") }).filter(([, value]) => value !== ""),
      ),
    );
  const field = (name: keyof typeof draft, label: string, type = "search") => (
    <input type={type} value={draft[name]} placeholder={label} aria-label={label} title={label} onChange={(event) => setDraft({ ...draft, [name]: event.target.value })} />
  );
  const entries = (query.data?.pages ?? []).flatMap((page) => page.entries);
  return (
    <>
      <AdminHead title={t("admin.audit")} />
      <form
        className="record-filters admin-filters"
        onSubmit={(event) => {
          event.preventDefault();
          search();
        }}
      >
        {field("actor", t("audit.actor"))}
        {field("action", t("audit.action"))}
        {field("subject_kind", t("audit.subjectKind"))}
        {field("subject_id", t("audit.subjectId"))}
        {field("from", t("filter.from"), "date")}
        {field("to", t("filter.to"), "date")}
        <button className="button">{t("audit.search")}</button>
      </form>
      <div className="record-table admin-table">
        {query.isPending ? (
          <Loading />
        ) : query.isError && entries.length === 0 ? (
          <Failed error={query.error} retry={() => void query.refetch()} />
        ) : (
          <table>
            <thead>
              <tr>
                <th>{t("audit.at")}</th>
                <th>{t("audit.actor")}</th>
                <th>{t("audit.action")}</th>
                <th>{t("audit.subject")}</th>
                <th>{t("audit.detail")}</th>
              </tr>
            </thead>
            <tbody>
              {entries.map((entry) => (
                <tr key={entry.id}>
                  <td className="time">{fullTime(entry.at, t.language)}</td>
                  <td>
                    <b title={t.maybe(`actor.${entry.actor}`, entry.actor)}>{entry.actor}</b>
                  </td>
                  <td>
                    {deedText(entry.action, t)} <code className="muted">{entry.action}</code>
                  </td>
                  <td>
                    {entry.subject_kind} <span className="muted">{entry.subject_id}</span>
                  </td>
                  <td className="note" title={detailText(entry.detail)}>
                    {detailText(entry.detail)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        {query.hasNextPage && (
          <button className="button record-more" disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {t("form.more")}
          </button>
        )}
      </div>
    </>
  );
}

export function LedgerPart() {
  const t = useT();
  const query = useQuery({ queryKey: ["ledger"], queryFn: people.ledger });
  if (query.isPending) return <Loading />;
  if (query.isError) return <Failed error={query.error} retry={() => void query.refetch()} />;
  return (
    <div className="admin-scroll">
      <AdminHead title={t("admin.ledger")} hint={t("ledger.hint")} />
      {query.data.chains.map((chain) => (
        <section key={chain.name} className="admin-card">
          <h3>
            {t("ledger.chain")} · {chain.name}
          </h3>
          <dl className="facts ledger-facts">
            <div>
              <dt>{t("ledger.length")}</dt>
              <dd>{chain.length.toLocaleString(t.language)}</dd>
            </div>
            <div>
              <dt>{t("ledger.head")}</dt>
              <dd>
                <code>{chain.head}</code>
              </dd>
            </div>
            <div>
              <dt>{t("ledger.checkpoint")}</dt>
              <dd>
                {chain.checkpoint ? (
                  <>
                    {fullTime(chain.checkpoint.at, t.language)} · {chain.checkpoint.length.toLocaleString(t.language)} ·{" "}
                    <span className="muted">{t("ledger.since", { count: chain.length - chain.checkpoint.length })}</span>
                  </>
                ) : (
                  t("ledger.none")
                )}
              </dd>
            </div>
          </dl>
        </section>
      ))}
      <section className="admin-card">
        <h3>{t("ledger.key")}</h3>
        <code className="secret">{query.data.key}</code>
      </section>
    </div>
  );
}
