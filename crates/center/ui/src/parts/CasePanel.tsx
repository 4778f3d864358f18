/** One case: its way, its proof, its place, its papers, and what may be done with it. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Archive, FolderX, X } from "lucide-react";
import { useMemo } from "react";
import { archiveUrl, cases } from "../api/cases";
import { ApiError } from "../api/client";
import type { Case, CaseDetail } from "../api/types";
import { useT } from "../i18n";
import { dueOf } from "../lib/cases";
import { fullTime } from "../lib/format";
import { cameraName } from "../lib/health";
import { KindIcon, kindName, suspected } from "../lib/kinds";
import { markersOf } from "../lib/markers";
import { useNow } from "../lib/now";
import { departmentName, siteName, useDepartments, useSites } from "../state/catalogue";
import { useLive } from "../state/live";
import { href } from "../state/route";
import { StatusBadge } from "./Badges";
import { CaseActions } from "./CaseActions";
import { Answers, Orders } from "./CaseAnswers";
import { CaseHistory } from "./CaseHistory";
import { CaseProgress } from "./CaseProgress";
import { Holds } from "./Holds";
import { Thumbnail } from "./IncidentCard";
import { SiteMap, useSitePlan, type Marker } from "./SiteMap";
import { Empty, Failed, Loading } from "./States";

export function CasePanel({ id, onClose }: { id: string; onClose(): void }) {
  const t = useT();
  const client = useQueryClient();
  const version = useLive((s) => s.cases[id]?.updated_at);
  const putCase = useLive((s) => s.putCase);
  const query = useQuery({
    queryKey: ["case", id, version],
    queryFn: () => cases.one(id),
    placeholderData: (previous) => (previous?.case.id === id ? previous : undefined),
    retry: (count, error) => !(error instanceof ApiError && error.status === 404) && count < 2,
  });
  const close = (
    <button className="icon-button" onClick={onClose} title={`${t("incident.close")} (Esc)`} aria-label={t("incident.close")}>
      <X size={18} aria-hidden />
    </button>
  );
  const detail = query.data;
  if (!detail) {
    const missing = query.error instanceof ApiError && query.error.status === 404;
    return (
      <section className="panel">
        <header className="panel-head panel-head-end">{close}</header>
        {query.isPending ? <Loading /> : missing ? <Empty icon={FolderX} title={t("case.missing")} /> : <Failed error={query.error} retry={() => void query.refetch()} />}
      </section>
    );
  }
  const changed = (fresh: CaseDetail) => {
    client.setQueryData(["case", id, fresh.case.updated_at], fresh);
    client.setQueryData(["case", id, version], fresh);
    putCase(fresh.case);
    void client.invalidateQueries({ queryKey: ["cases"] });
  };
  const file = detail.case;
  return (
    <section className="panel case-panel" data-kind={file.kind} aria-label={file.number}>
      <header className="panel-head">
        <span className="panel-sign">
          <KindIcon kind={file.kind} size={20} />
        </span>
        <div className="panel-title">
          <h2>
            {kindName(file.kind, t)} · {file.number}
          </h2>
          <p>{t("case.notice")}</p>
        </div>
        <CaseStepBadge file={file} />
        <DueBadge file={file} />
        <a className="icon-button" href={archiveUrl(id)} download title={t("case.archive")} aria-label={t("case.archive")}>
          <Archive size={17} aria-hidden />
        </a>
        {close}
      </header>
      <div className="panel-body case-body">
        <CaseProgress detail={detail} />
        <section className="case-do" aria-label={t("case.actions")}>
          <CaseActions detail={detail} onChanged={changed} />
        </section>
        <div className="case-columns">
          <section>
            <h3>{t("incident.facts")}</h3>
            <Facts file={file} />
            <h3>{t("case.incidents")}</h3>
            <Incidents detail={detail} />
          </section>
          <Place detail={detail} />
        </div>
        <section>
          <h3>{t("case.orders")}</h3>
          <Orders detail={detail} />
        </section>
        <section>
          <h3>{t("case.answers")}</h3>
          <Answers detail={detail} onChanged={changed} />
        </section>
        <section>
          <h3>{t("hold.title")}</h3>
          <Holds key={id} subject="case" id={id} holds={detail.holds} keptAnyway={file.closed_at === null} />
        </section>
        <section>
          <h3>{t("case.history")}</h3>
          <CaseHistory history={detail.history} />
        </section>
      </div>
    </section>
  );
}

export function CaseStepBadge({ file }: { file: Pick<Case, "step"> }) {
  const t = useT();
  return <span className={`status step-${file.step}`}>{t(`case.step.${file.step}`)}</span>;
}

export function DueBadge({ file }: { file: Case }) {
  const t = useT();
  const now = useNow();
  const { text, tone } = dueOf(file, now, t);
  const due = file.step_due ?? file.due;
  return (
    <span className={`due due-${tone}`} title={due ? fullTime(due, t.language) : undefined}>
      {text}
    </span>
  );
}

function Facts({ file }: { file: Case }) {
  const t = useT();
  const sites = useSites();
  const departments = useDepartments();
  const cameras = useLive((s) => s.cameras);
  const facts: [string, string][] = [
    [t("case.site"), siteName(sites, file.site, t)],
    [t("case.opened"), fullTime(file.opened_at, t.language)],
    [t("case.openedBy"), file.opened_by],
    [t("case.level"), t.maybe(`level.${file.level}`, file.level)],
  ];
  if (file.camera) facts.splice(1, 0, [t("case.camera"), cameraName(cameras[file.camera], file.camera, t)]);
  if (file.department) facts.push([t("case.department"), departmentName(departments, file.department, t)]);
  if (file.due) facts.push([t("case.due"), fullTime(file.due, t.language)]);
  if (file.place_text) facts.push([t("case.place"), file.place_text]);
  if (file.reopened > 0) facts.push([t("case.progress"), t("case.reopened", { count: file.reopened })]);
  if (file.note) facts.push([t("case.note"), file.note]);
  return (
    <dl className="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Incidents({ detail }: { detail: CaseDetail }) {
  const t = useT();
  const cameras = useLive((s) => s.cameras);
  if (detail.incidents.length === 0) return <p className="muted">{t("case.incidents.none")}</p>;
  return (
    <ul className="case-incidents">
      {detail.incidents.map((incident) => (
        <li key={incident.id}>
          <a href={href("incidents", incident.id)}>
            <Thumbnail incident={incident} />
            <span>
              <b>{suspected(incident.kind, t)}</b>
              <span className="muted">{cameraName(cameras[incident.camera], incident.camera, t)}</span>
              <span className="muted">{fullTime(incident.started_at, t.language)}</span>
            </span>
            <StatusBadge incident={incident} />
          </a>
        </li>
      ))}
    </ul>
  );
}

function Place({ detail }: { detail: CaseDetail }) {
  const t = useT();
  const file = detail.case;
  const { plan } = useSitePlan(file.site);
  const markers = useMemo((): Marker[] => {
    const { place } = file;
    const own: Marker[] = place
      ? [{ key: file.id, at: [place.longitude, place.latitude], kind: file.kind, label: file.number, strong: true, uncertaintyMeters: place.uncertainty_meters }]
      : [];
    return own.length > 0 ? own : markersOf(detail.incidents, plan, t, (i) => href("incidents", i.id));
  }, [file, detail.incidents, plan, t]);
  return (
    <section>
      <h3>{t("case.place")}</h3>
      <SiteMap site={file.site} markers={markers} chosen={markers[0]?.key ?? file.camera} small />
      {(detail.related.length > 0 || file.follows || file.merged_into) && <h3>{t("case.related")}</h3>}
      <ul className="case-related">
        {file.follows && (
          <li>
            <a href={href("cases", file.follows)}>{t("case.follows")}</a>
          </li>
        )}
        {file.merged_into && (
          <li>
            <a href={href("cases", file.merged_into)}>{t("case.mergedInto")}</a>
          </li>
        )}
        {detail.related.map((other) => (
          <li key={other.id}>
            <a href={href("cases", other.id)}>
              {other.number} · {kindName(other.kind, t)}
            </a>
            <CaseStepBadge file={other} />
          </li>
        ))}
      </ul>
    </section>
  );
}
