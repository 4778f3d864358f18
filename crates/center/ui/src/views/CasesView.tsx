/** All cases with how their time stands, and one of them opened. */
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { FolderPlus, ListX } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { cases, type CaseFilter } from "../api/cases";
import { exportUrl } from "../api/room";
import { CASE_STEPS, type Case } from "../api/types";
import { useT } from "../i18n";
import { fullTime } from "../lib/format";
import { KindIcon, kindName } from "../lib/kinds";
import { useShortcuts } from "../lib/shortcuts";
import { CasePanel, CaseStepBadge, DueBadge } from "../parts/CasePanel";
import { Filter } from "../parts/Fields";
import { NewCase } from "../parts/NewCase";
import { Empty, Failed, Loading } from "../parts/States";
import { departmentName, siteName, useDepartments, useKinds, useSites } from "../state/catalogue";
import { useLive } from "../state/live";
import { go, href } from "../state/route";
import { useMay } from "../state/session";

/** How long news of cases gather before the list is read again. */
const GATHER_MS = 1500;

export function CasesView({ id }: { id: string | null }) {
  const t = useT();
  const client = useQueryClient();
  const [filter, setFilter] = useState<CaseFilter>({});
  const [text, setText] = useState("");
  const [adding, setAdding] = useState(false);
  const mayFile = useMay("file");
  const live = useLive((s) => s.cases);
  const query = useInfiniteQuery({
    queryKey: ["cases", filter],
    queryFn: ({ pageParam }) => cases.list(filter, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: (previous) => previous,
  });
  useEffect(() => {
    if (Object.keys(live).length === 0) return;
    const timer = setTimeout(() => void client.invalidateQueries({ queryKey: ["cases"] }), GATHER_MS);
    return () => clearTimeout(timer);
  }, [live, client]);
  useEffect(() => {
    const timer = setTimeout(() => setFilter((f) => (f.text === text || (!f.text && !text) ? f : cleaned({ ...f, text }))), 300);
    return () => clearTimeout(timer);
  }, [text]);
  useShortcuts({ ...(id ? { Escape: () => go("cases") } : {}) });

  const rows = useMemo(() => (query.data?.pages ?? []).flatMap((page) => page.cases).map((c) => latest(c, live[c.id])), [query.data, live]);
  const counts = query.data?.pages[0]?.counts ?? [];
  const choose = (change: CaseFilter) => setFilter(cleaned({ ...filter, ...change }));
  return (
    <main className={`record${id ? " with-panel" : ""}`}>
      <section className="record-list" aria-label={t("case.title")}>
        <div className="record-bar">
          <h1>{t("case.title")}</h1>
          <div className="segments" role="group" aria-label={t("case.counts")}>
            <button aria-pressed={!filter.step} onClick={() => choose({ step: "" })}>
              {t("case.step.all")}
            </button>
            {CASE_STEPS.map((step) => {
              const here = counts.filter((c) => c.step === step);
              const all = here.reduce((sum, c) => sum + c.count, 0);
              const late = here.reduce((sum, c) => sum + (c.lateness === "overdue" ? c.count : 0), 0);
              const open = step !== "closed" && step !== "rejected" && step !== "merged";
              return (
                <button key={step} aria-pressed={filter.step === step} onClick={() => choose({ step: filter.step === step ? "" : step })}>
                  {t(`case.step.${step}`)} {all > 0 && <span className="muted">{all}</span>}
                  {open && late > 0 && (
                    <b className="count count-bad" title={t("case.late.overdue")}>
                      {late}
                    </b>
                  )}
                </button>
              );
            })}
          </div>
          {mayFile && (
            <button className="button record-add" onClick={() => setAdding(true)}>
              <FolderPlus size={16} aria-hidden />
              {t("case.new")}
            </button>
          )}
          <Filters filter={filter} choose={choose} text={text} setText={setText} />
        </div>
        <div className="record-table">
          {query.isPending ? (
            <Loading />
          ) : query.isError && rows.length === 0 ? (
            <Failed error={query.error} retry={() => void query.refetch()} />
          ) : rows.length === 0 ? (
            <Empty icon={ListX} title={t("case.empty")} />
          ) : (
            <Rows rows={rows} id={id} />
          )}
          {query.hasNextPage && (
            <button className="button record-more" disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
              {t(query.isFetchingNextPage ? "incidents.loading" : "form.more")}
            </button>
          )}
        </div>
      </section>
      {id && <CasePanel key={id} id={id} onClose={() => go("cases")} />}
      {adding && (
        <NewCase
          onClose={() => setAdding(false)}
          onOpened={(detail) => {
            setAdding(false);
            go("cases", detail.case.id);
          }}
        />
      )}
    </main>
  );
}

function cleaned(filter: CaseFilter): CaseFilter {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== "" && value !== undefined && value !== false));
}

/** What was read, or what the feed has brought since. */
export function latest(read: Case, live: Case | undefined): Case {
  return live && live.updated_at > read.updated_at ? live : read;
}

function Filters({ filter, choose, text, setText }: { filter: CaseFilter; choose(change: CaseFilter): void; text: string; setText(text: string): void }) {
  const t = useT();
  const sites = useSites();
  const departments = useDepartments();
  const kinds = useKinds();
  return (
    <div className="record-filters">
      <Filter label={t("case.site")} value={filter.site ?? ""} onChange={(site) => choose({ site })} choices={[["", t("filter.site.all")], ...sites.map((s) => [s.site, siteName(sites, s.site, t)] as const)]} />
      <Filter
        label={t("case.department")}
        value={filter.department ?? ""}
        onChange={(department) => choose({ department })}
        choices={[["", t("case.department.all")], ...departments.map((d) => [d.id, departmentName(departments, d.id, t)] as const)]}
      />
      <Filter label={t("case.kind")} value={filter.kind ?? ""} onChange={(kind) => choose({ kind })} choices={[["", t("kind.all")], ...kinds.map((k) => [k.code, kindName(k.code, t)] as const)]} />
      <label className="check">
        <input type="checkbox" checked={filter.lateness === "overdue"} onChange={(event) => choose({ lateness: event.target.checked ? "overdue" : undefined })} />
        {t("case.late.only")}
      </label>
      <input type="search" value={text} onChange={(event) => setText(event.target.value)} placeholder={t("filter.text")} aria-label={t("filter.text")} />
      <a className="button button-quiet" href={exportUrl("cases", "csv", filter, t.language)} download>
        CSV
      </a>
      <a className="button button-quiet" href={exportUrl("cases", "xlsx", filter, t.language)} download>
        XLSX
      </a>
    </div>
  );
}

function Rows({ rows, id }: { rows: Case[]; id: string | null }) {
  const t = useT();
  const sites = useSites();
  const departments = useDepartments();
  return (
    <table className="case-table">
      <thead>
        <tr>
          <th>{t("case.number")}</th>
          <th>{t("case.kind")}</th>
          <th>{t("case.site")}</th>
          <th>{t("case.step")}</th>
          <th>{t("case.late")}</th>
          <th className="wide">{t("case.department")}</th>
          <th className="wide">{t("case.opened")}</th>
          <th className="wide">{t("case.note")}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((file) => (
          <tr key={file.id} data-kind={file.kind} aria-selected={file.id === id} onClick={() => go("cases", file.id)}>
            <td>
              <a className="row-number" href={href("cases", file.id)} onClick={(event) => event.stopPropagation()}>
                {file.number}
              </a>
            </td>
            <td>
              <span className="row-kind">
                <KindIcon kind={file.kind} />
                {kindName(file.kind, t)}
              </span>
            </td>
            <td>{siteName(sites, file.site, t)}</td>
            <td>
              <CaseStepBadge file={file} />
            </td>
            <td>
              <DueBadge file={file} />
            </td>
            <td className="wide">{file.department ? departmentName(departments, file.department, t) : <span className="muted">{t("form.none")}</span>}</td>
            <td className="wide time">{fullTime(file.opened_at, t.language)}</td>
            <td className="wide note">{file.place_text ?? file.note}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
