/** Roofs over the surveys: a plan of the site, each building's structures, their area against date, before and after. */
import { useQuery } from "@tanstack/react-query";
import { Building2, ExternalLink, ImageOff } from "lucide-react";
import { useMemo, useState } from "react";
import { api, evidenceUrl } from "../api/client";
import type { Roof, RoofStructure } from "../api/types";
import { useT, type Key } from "../i18n";
import { day, percent } from "../lib/format";
import { middleOn, outlineOn, planOf, type LonLat } from "../lib/plan";
import { byState, byWork, latestArea, roofKey, roofName, standingArea, structureKey } from "../lib/roofs";
import { AreaChart } from "../parts/AreaChart";
import { BeforeAfter } from "../parts/BeforeAfter";
import { StatusBadge } from "../parts/Badges";
import { Empty, Failed, Loading } from "../parts/States";
import { siteName, useSites } from "../state/catalogue";
import { useLive } from "../state/live";
import { go, href } from "../state/route";

export function RoofsView({ id }: { id: string | null }) {
  const t = useT();
  const epoch = useLive((s) => s.epoch);
  const roofs = useLive((s) => s.roofs);
  const query = useQuery({ queryKey: ["roofs", epoch, roofs], queryFn: api.roofs, placeholderData: (previous) => previous });
  const sorted = useMemo(() => [...(query.data ?? [])].sort(byWork(t)), [query.data, t]);
  const chosen = sorted.find((roof) => roofKey(roof) === id) ?? sorted[0];

  if (query.isPending) return <main className="roofs"><Loading /></main>;
  if (query.isError) return <main className="roofs"><Failed error={query.error} retry={() => void query.refetch()} /></main>;
  if (!chosen) {
    return (
      <main className="roofs">
        <Empty icon={Building2} title={t("roofs.empty")} hint={t("roofs.empty.hint")} />
      </main>
    );
  }
  const here = sorted.filter((roof) => roof.site === chosen.site);
  return (
    <main className="roofs">
      <section className="roofs-list" aria-label={t("roofs.title")}>
        <div className="record-bar">
          <h1>{t("roofs.title")}</h1>
          <span className="muted">{t("incident.notice")}</span>
        </div>
        <SitePlan roofs={here} chosen={chosen} />
        <ul className="roofs-buildings">
          {sorted.map((roof) => (
            <li key={roofKey(roof)}>
              <a href={href("roofs", roofKey(roof))} aria-current={roof === chosen ? "true" : undefined}>
                <b>{roofName(roof, t)}</b>
                <span className="roofs-chips">
                  {[...roof.structures].sort(byState).map((s) => (
                    <StateChip key={structureKey(s)} structure={s} />
                  ))}
                  {roof.structures.length === 0 && <span className="muted">{t("roofs.nothing")}</span>}
                </span>
                <span className="number">{standingArea(roof) > 0 ? t("roofs.area", { area: standingArea(roof).toFixed(0) }) : ""}</span>
              </a>
            </li>
          ))}
        </ul>
      </section>
      <RoofPanel key={roofKey(chosen)} roof={chosen} />
    </main>
  );
}

function StateChip({ structure }: { structure: RoofStructure }) {
  const t = useT();
  return <span className={`roof-chip roof-${structure.state}`}>{t(`structure.${structure.state}` as Key)}</span>;
}

/** Buildings of a site with what was found on them, north up. */
function SitePlan({ roofs, chosen }: { roofs: Roof[]; chosen: Roof }) {
  const t = useT();
  const plan = planOf(roofs.map((roof) => roof.footprint as LonLat[]));
  if (!plan) return null;
  const size = Math.max(plan.width, plan.height) / 28;
  return (
    <svg className="plan" viewBox={`0 0 ${plan.width} ${plan.height}`} role="group" aria-label={t("roofs.plan")}>
      {roofs.map((roof) => {
        const [x, y] = middleOn(plan, roof.footprint as LonLat[]);
        return (
          <a key={roofKey(roof)} href={href("roofs", roofKey(roof))} aria-label={roofName(roof, t)}>
            <polygon className="plan-building" data-chosen={roof === chosen || undefined} points={outlineOn(plan, roof.footprint as LonLat[])} />
            {roof.structures.map((s) => (
              <polygon key={structureKey(s)} className={`plan-structure roof-${s.state}`} points={outlineOn(plan, s.outline as LonLat[])} />
            ))}
            <text x={x} y={y} fontSize={size}>
              {roofName(roof, t)}
            </text>
          </a>
        );
      })}
    </svg>
  );
}

function RoofPanel({ roof }: { roof: Roof }) {
  const t = useT();
  const sites = useSites();
  const structures = useMemo(() => [...roof.structures].sort(byState), [roof]);
  const [at, setAt] = useState(0);
  const structure = structures[Math.min(at, structures.length - 1)];
  return (
    <section className="panel roofs-panel" data-kind="rooftop_structure" aria-label={roofName(roof, t)}>
      <header className="panel-head">
        <span className="panel-sign">
          <Building2 size={20} aria-hidden />
        </span>
        <div className="panel-title">
          <h2>{roofName(roof, t)}</h2>
          <p>{t("roofs.facts", { site: siteName(sites, roof.site, t), height: roof.height_meters.toFixed(1), area: standingArea(roof).toFixed(1) })}</p>
        </div>
      </header>
      <div className="panel-body">
        {structures.length > 1 && (
          <div className="tabs" role="tablist">
            {structures.map((s, i) => (
              <button key={structureKey(s)} role="tab" aria-selected={s === structure} onClick={() => setAt(i)}>
                <StateChip structure={s} /> {t("roofs.area", { area: latestArea(s).toFixed(1) })}
              </button>
            ))}
          </div>
        )}
        {structure ? <Structure key={structureKey(structure)} structure={structure} /> : <Empty icon={Building2} title={t("roofs.nothing")} />}
        <h3>{t("roofs.growth")}</h3>
        <AreaChart roof={roof} chosen={structure} />
        <h3>{t("roofs.surveys")}</h3>
        <ul className="roofs-looks">
          {roof.looks.map((look) => (
            <li key={look.survey}>
              <time dateTime={look.flown_at}>{day(look.flown_at, t.language)}</time>
              <span className="muted">{look.survey}</span>
              <Refusal zh={look.refused_zh} en={look.refused_en} />
            </li>
          ))}
        </ul>
      </div>
    </section>
  );
}

function Refusal({ zh, en }: { zh: string | null; en: string | null }) {
  const t = useT();
  const reason = t.language === "en" ? (en ?? zh) : (zh ?? en);
  return reason === null ? null : <b className="roofs-refused">{t("roofs.refused", { reason })}</b>;
}

function Structure({ structure }: { structure: RoofStructure }) {
  const t = useT();
  const [failed, setFailed] = useState(false);
  const id = structure.incident;
  const incident = useLive((s) => (id === null ? undefined : s.incidents[id]));
  const latest = structure.sightings.at(-1);
  return (
    <>
      {id !== null && (
        <div className="stage">
          {failed ? (
            <Empty icon={ImageOff} title={t("media.failed")} hint={t("media.failed.hint")} />
          ) : (
            <BeforeAfter before={evidenceUrl(id, "before")} after={evidenceUrl(id, "after")} onError={() => setFailed(true)} />
          )}
        </div>
      )}
      <div className="roofs-structure">
        <StateChip structure={structure} />
        {latest && (
          <b>
            {t("roofs.areaError", { area: latest.area_square_meters.toFixed(1), error: latest.area_error_square_meters.toFixed(1) })}
          </b>
        )}
        {latest && <span>{t("roofs.confidence", { confidence: percent(latest.confidence) })}</span>}
        <span className="muted">{t("roofs.since", { day: day(structure.sightings[0]?.at ?? "", t.language) })}</span>
        {structure.unchanged_since && <span className="muted">{t("roofs.unchanged", { day: day(structure.unchanged_since, t.language) })}</span>}
        {incident && <StatusBadge incident={incident} />}
        {id !== null && (
          <button className="button" onClick={() => go("incidents", id)}>
            <ExternalLink size={15} aria-hidden /> {t("roofs.judge")}
          </button>
        )}
      </div>
    </>
  );
}
