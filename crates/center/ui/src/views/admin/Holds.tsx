/** What is held, which deletions wait for a second person, and what two people have deleted. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { api } from "../../api/client";
import { cases } from "../../api/cases";
import { people } from "../../api/people";
import { deletionOnRecord, proof, type Subject } from "../../api/proof";
import { useT } from "../../i18n";
import { fullTime } from "../../lib/format";
import { kindName, suspected } from "../../lib/kinds";
import { AdminHead } from "../../parts/AdminParts";
import { DeletionDeeds, roleNames } from "../../parts/Deletions";
import { Failed, Loading } from "../../parts/States";
import { href } from "../../state/route";
import { useMay } from "../../state/session";

export function HoldsPart() {
  const t = useT();
  const mayAudit = useMay("audit");
  return (
    <div className="admin-scroll">
      <AdminHead title={t("admin.holds")} hint={t("holds.hint")} />
      <Pending />
      {mayAudit && <InForce />}
      {mayAudit && <DeletedOnes />}
    </div>
  );
}

/** A list with a heading: being read, not to be had, empty, or its table. */
function Part({ title, query, empty, columns, rows, children }: { title: string; query: { isPending: boolean; isError: boolean; error: unknown; refetch(): unknown }; empty: string; columns: string[]; rows: ReactNode[]; children?: ReactNode }) {
  return (
    <section className="admin-card holds-card" aria-label={title}>
      <h3>{title}</h3>
      {query.isPending ? (
        <Loading />
      ) : query.isError ? (
        <Failed error={query.error} retry={() => void query.refetch()} />
      ) : rows.length === 0 ? (
        <p className="muted">{empty}</p>
      ) : (
        <div className="record-table">
          <table>
            <thead>
              <tr>
                {columns.map((column, i) => (
                  <th key={i}>{column}</th>
                ))}
              </tr>
            </thead>
            <tbody>{rows}</tbody>
          </table>
        </div>
      )}
      {children}
    </section>
  );
}

function Pending() {
  const t = useT();
  const query = useQuery({ queryKey: ["deletions"], queryFn: proof.deletions });
  const rows = (query.data ?? []).map((deletion) => (
    <tr key={deletion.incident}>
      <td>
        <SubjectLink subject="incident" id={deletion.incident} />
      </td>
      <td className="time">{fullTime(deletion.asked_at, t.language)}</td>
      <td>{deletion.asked_by}</td>
      <td>{deletion.reason}</td>
      <td>
        <DeletionDeeds deletion={deletion} />
      </td>
    </tr>
  ));
  return <Part title={t("holds.pending")} query={query} empty={t("holds.pending.none")} columns={[t("holds.subject"), t("holds.since"), t("holds.askedBy"), t("hold.reason"), ""]} rows={rows} />;
}

function InForce() {
  const t = useT();
  const query = useQuery({ queryKey: ["holds"], queryFn: proof.holds });
  const rows = (query.data ?? []).map((hold) => (
    <tr key={`${hold.subject}/${hold.id}`}>
      <td>
        <SubjectLink subject={hold.subject} id={hold.id} />
      </td>
      <td className="time">{fullTime(hold.at, t.language)}</td>
      <td>{hold.by}</td>
      <td>{hold.reason}</td>
    </tr>
  ));
  return <Part title={t("holds.inForce")} query={query} empty={t("holds.inForce.none")} columns={[t("holds.subject"), t("holds.since"), t("holds.by"), t("hold.reason")]} rows={rows} />;
}

function DeletedOnes() {
  const t = useT();
  const query = useInfiniteQuery({
    queryKey: ["deleted"],
    queryFn: ({ pageParam }) => people.audit({ action: "evidence.deleted" }, pageParam, 50),
    initialPageParam: undefined as string | number | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  });
  const deletions = (query.data?.pages ?? []).flatMap((page) => page.entries).map(deletionOnRecord);
  const rows = deletions.map((deletion) => (
    <tr key={deletion.key}>
      <td>
        <SubjectLink subject="incident" id={deletion.incident} />
      </td>
      <td className="time">{fullTime(deletion.at, t.language)}</td>
      <td>{deletion.askedBy}</td>
      <td>{deletion.approvedBy}</td>
      <td>{deletion.reason}</td>
      <td title={deletion.files.map((file) => `${file.role} ${file.sha256}`).join("\n")}>{roleNames(deletion.files.map((file) => file.role), t)}</td>
    </tr>
  ));
  return (
    <Part title={t("holds.deleted")} query={query} empty={t("holds.deleted.none")} columns={[t("holds.subject"), t("holds.since"), t("holds.askedBy"), t("holds.approvedBy"), t("hold.reason"), t("holds.files")]} rows={rows}>
      {query.hasNextPage && (
        <button className="button record-more" disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {t("form.more")}
        </button>
      )}
    </Part>
  );
}

/** The thing by its number and kind; the record knows its id alone. */
function SubjectLink({ subject, id }: { subject: Subject; id: string }) {
  const t = useT();
  const query = useQuery({
    queryKey: [subject, id, "name"],
    queryFn: async () => (subject === "case" ? await cases.one(id).then(({ case: file }) => ({ number: file.number, kind: file.kind })) : await api.incident(id).then(({ incident }) => ({ number: null, kind: incident.kind }))),
    staleTime: 60_000,
    retry: false,
  });
  const number = query.data?.number ?? id.slice(0, 8);
  const kind = query.data && (subject === "case" ? kindName(query.data.kind, t) : suspected(query.data.kind, t));
  return (
    <a className="keeping-link" href={href(subject === "case" ? "cases" : "incidents", id)}>
      {t(`holds.subject.${subject}`, { number })}
      {kind && ` · ${kind}`}
    </a>
  );
}
