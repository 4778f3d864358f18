/** A month: score and list of each site, and how it came about. */
import { useQuery } from "@tanstack/react-query";
import { ChartColumn, ChevronLeft, ChevronRight, FileDown } from "lucide-react";
import { useState } from "react";
import { FORMATS, monthUrl, room } from "../api/room";
import type { SiteMonth } from "../api/types";
import { useT } from "../i18n";
import { KindIcon, kindName } from "../lib/kinds";
import { monthAfter, monthOf } from "../lib/month";
import { useNow } from "../lib/now";
import { DayBars } from "../parts/DayBars";
import { Formula } from "../parts/Formula";
import { Empty, Failed, Loading } from "../parts/States";
import { siteName, useSites } from "../state/catalogue";
import { go, href } from "../state/route";

export function ReportsView({ id }: { id: string | null }) {
  const t = useT();
  const now = useNow();
  const sites = useSites();
  const [month, setMonth] = useState(() => monthOf(now));
  const query = useQuery({ queryKey: ["month", month], queryFn: () => room.month(month, ""), placeholderData: (previous) => previous });
  const rows = [...(query.data?.sites ?? [])].sort((a, b) => b.score - a.score);
  const chosen = rows.find((row) => row.site === id) ?? rows[0];
  return (
    <main className="reports">
      <div className="record-bar">
        <h1>{t("report.title")}</h1>
        <button className="icon-button" onClick={() => setMonth(monthAfter(month, -1))} aria-label={t("report.previous")} title={t("report.previous")}>
          <ChevronLeft size={17} aria-hidden />
        </button>
        <input type="month" className="month" value={month} aria-label={t("report.month")} onChange={(event) => event.target.value && setMonth(event.target.value)} />
        <button className="icon-button" disabled={month >= monthOf(now)} onClick={() => setMonth(monthAfter(month, 1))} aria-label={t("report.following")} title={t("report.following")}>
          <ChevronRight size={17} aria-hidden />
        </button>
        <span className="exports" role="group" aria-label={t("form.export")}>
          {FORMATS.map((format) => (
            <a key={format} className="button" href={monthUrl(format, month, "", t.language)} download>
              <FileDown size={15} aria-hidden />
              {format.toUpperCase()}
            </a>
          ))}
        </span>
      </div>
      {query.isPending ? (
        <Loading />
      ) : query.isError ? (
        <Failed error={query.error} retry={() => void query.refetch()} />
      ) : !chosen ? (
        <Empty icon={ChartColumn} title={t("report.empty")} />
      ) : (
        <div className="reports-body">
          <div className="reports-left">
            <div className="record-table reports-table">
              <Scores rows={rows} chosen={chosen.site} />
            </div>
            <Formula formula={query.data.formula} />
          </div>
          <section className="panel reports-panel" aria-label={siteName(sites, chosen.site, t)}>
            <header className="panel-head">
              <div className="panel-title">
                <h2>{siteName(sites, chosen.site, t)}</h2>
              </div>
              <b className={`score list-${chosen.list}`}>{chosen.score.toFixed(1)}</b>
            </header>
            <div className="panel-body reports-site">
              <h3>{t("report.byDay")}</h3>
              <DayBars days={chosen.by_day} />
              <h3>{t("report.byKind")}</h3>
              <Kinds row={chosen} />
            </div>
          </section>
        </div>
      )}
    </main>
  );
}

function Scores({ rows, chosen }: { rows: SiteMonth[]; chosen: string }) {
  const t = useT();
  const sites = useSites();
  const columns = [
    ["confirmed", "report.confirmed"],
    ["dismissed", "report.dismissed"],
    ["open", "report.open"],
    ["cases", "report.cases"],
    ["on_time", "report.onTime"],
    ["late", "report.late"],
  ] as const;
  return (
    <table className="case-table">
      <thead>
        <tr>
          <th className="number">#</th>
          <th>{t("report.site")}</th>
          <th className="number">{t("report.score")}</th>
          <th>{t("report.list")}</th>
          {columns.map(([key, text]) => (
            <th key={key} className="number">
              {t(text)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, i) => (
          <tr key={row.site} aria-selected={row.site === chosen} onClick={() => go("reports", row.site)}>
            <td className="number">{i + 1}</td>
            <td>
              <a className="row-number" href={href("reports", row.site)} onClick={(event) => event.stopPropagation()}>
                {siteName(sites, row.site, t)}
              </a>
            </td>
            <td className="number">
              <b>{row.score.toFixed(1)}</b>
            </td>
            <td>
              <span className={`list-chip list-${row.list}`}>{t(`report.list.${row.list}`)}</span>
            </td>
            {columns.map(([key]) => (
              <td key={key} className={`number${key === "late" && row.late > 0 ? " number-warn" : ""}`}>
                {row[key]}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Kinds({ row }: { row: SiteMonth }) {
  const t = useT();
  const most = Math.max(1, ...row.by_kind.map((k) => k.count));
  return (
    <ul className="kind-bars">
      {[...row.by_kind]
        .sort((a, b) => b.count - a.count)
        .map(({ kind, count }) => (
          <li key={kind} data-kind={kind}>
            <span className="kind-bar-name">
              <KindIcon kind={kind} /> {kindName(kind, t)}
            </span>
            <span className="kind-bar">
              <i style={{ width: `${(count / most) * 100}%` }} />
            </span>
            <b>{count}</b>
          </li>
        ))}
    </ul>
  );
}
