/** One incident at a time with all that is needed to judge it, and one key for each answer. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { BellOff, Check, ChevronRight, CircleCheck, ImageOff, Users } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { ApiError, api, errorText } from "../api/client";
import type { Incident, IncidentDetail, Verdict } from "../api/types";
import { useT } from "../i18n";
import { clock } from "../lib/format";
import { cameraName } from "../lib/health";
import { KindIcon, suspected } from "../lib/kinds";
import { markersOf } from "../lib/markers";
import { useNow } from "../lib/now";
import { useShortcuts } from "../lib/shortcuts";
import { PhaseBadge } from "../parts/Badges";
import { Filter } from "../parts/Fields";
import { FileCase } from "../parts/FileCase";
import { Facts } from "../parts/IncidentPanel";
import { MarkedPicture } from "../parts/MarkedPicture";
import { Media, has, firstMedium, useSealed, type Medium } from "../parts/Media";
import { MuteDialog } from "../parts/MuteDialog";
import { PlaceHistory } from "../parts/PlaceHistory";
import { SiteMap, useSitePlan } from "../parts/SiteMap";
import { Empty, Failed, Loading } from "../parts/States";
import { REASONS } from "../parts/VerdictBar";
import { siteName, useSites } from "../state/catalogue";
import { useLive } from "../state/live";
import { useReviewQueue } from "../state/review";
import { go, href } from "../state/route";
import { useSession } from "../state/session";

export function ReviewView() {
  const t = useT();
  const sites = useSites();
  const [site, setSite] = useState("");
  const queue = useReviewQueue(site || null);
  const [told, setTold] = useState<string | null>(null);
  const newest = useLive((s) => Object.values(s.incidents).filter((i) => i.status === "new" && i.claimed_by === null && !i.muted).length);
  const detail = queue.review?.incident ?? null;
  const empty = !queue.loading && !queue.error && !detail;
  const { again } = queue;
  // With nothing to judge, the next one that arrives opens by itself.
  const before = useRef(newest);
  useEffect(() => {
    if (empty && newest > before.current) again();
    before.current = newest;
  }, [empty, newest, again]);
  useShortcuts({ Escape: () => go("wall"), ...(empty ? { n: again } : {}) });

  return (
    <main className="review">
      <div className="record-bar review-bar">
        <h1>{t("review.title")}</h1>
        <span className="muted">{t("review.waiting", { count: queue.review?.waiting ?? 0 })}</span>
        {sites.length > 1 && <Filter label={t("filter.site")} value={site} onChange={setSite} choices={[["", t("filter.site.all")], ...sites.map((s) => [s.site, siteName(sites, s.site, t)] as const)]} />}
        {told && (
          <span className="form-done" role="status">
            {told}
          </span>
        )}
        <Others />
      </div>
      {detail ? (
        <One key={detail.incident.id} detail={detail} until={queue.review?.claimed_until ?? null} loading={queue.loading} onNext={queue.next} onTold={setTold} />
      ) : queue.loading ? (
        <Loading />
      ) : queue.error ? (
        <Failed error={queue.error} retry={again} />
      ) : (
        <Empty icon={CircleCheck} title={t("review.empty")} hint={t("review.empty.hint")}>
          {queue.skipped > 0 && (
            <button className="button" onClick={again}>
              {t("review.again")} <kbd>N</kbd>
            </button>
          )}
        </Empty>
      )}
    </main>
  );
}

/** Who else looks at what. */
function Others() {
  const t = useT();
  const incidents = useLive((s) => s.incidents);
  const session = useSession((s) => s.session);
  const cameras = useLive((s) => s.cameras);
  const theirs = useMemo(
    () => Object.values(incidents).filter((i) => i.claimed_by !== null && i.status === "new" && i.claimed_by !== session?.name && i.claimed_by !== session?.display_name),
    [incidents, session],
  );
  if (theirs.length === 0) return null;
  return (
    <ul className="review-others" aria-label={t("review.others")}>
      {theirs.slice(0, 4).map((i) => (
        <li key={i.id} title={cameraName(cameras[i.camera], i.camera, t)}>
          <Users size={14} aria-hidden />
          {t("review.other", { actor: i.claimed_by ?? "", what: suspected(i.kind, t) })}
        </li>
      ))}
    </ul>
  );
}

interface OneProps {
  detail: IncidentDetail;
  until: string | null;
  loading: boolean;
  onNext(judged: boolean): void;
  onTold(text: string | null): void;
}

function One({ detail: first, until, loading, onNext, onTold }: OneProps) {
  const t = useT();
  const now = useNow();
  const put = useLive((s) => s.put);
  const { id } = first.incident;
  const live = useLive((s) => s.incidents[id]);
  // Pictures and the clip come some seconds after the alarm.
  const known = live?.evidence.length ?? 0;
  const detail =
    useQuery({ queryKey: ["review", id, known], queryFn: () => api.incident(id), enabled: known > first.incident.evidence.length, placeholderData: (previous) => previous })
      .data ?? first;
  const incident: Incident = live ?? detail.incident;
  const camera = useLive((s) => s.cameras[incident.camera]);
  const sealed = useSealed(camera);
  const [chosen, setChosen] = useState<Medium | null>(null);
  const medium = chosen ?? (has(detail, "compare") ? "compare" : !sealed && has(detail, "clip") ? "clip" : firstMedium(detail));
  const [failed, setFailed] = useState(false);
  const [muting, setMuting] = useState(false);
  const [message, setMessage] = useState<string | null>(null);
  const verdict = useMutation({
    mutationFn: (body: Verdict) => api.verdict(incident.id, body),
    onSuccess: (judged) => {
      put([judged]);
      onTold(t(judged.status === "dismissed" ? "review.done.dismissed" : "review.done.confirmed"));
      onNext(true);
    },
    onError: (error) => {
      setMessage(t("verdict.failed", { detail: errorText(error, t.language) }));
      if (error instanceof ApiError && error.status === 409) void api.incident(incident.id).then((fresh) => put([fresh.incident]));
    },
  });
  const open = incident.status === "new" && !verdict.isPending && !loading;
  const confirm = () => open && verdict.mutate({ verdict: "confirm" });
  useShortcuts({
    y: confirm,
    n: () => !loading && onNext(false),
    m: () => open && setMuting(true),
    ...Object.fromEntries(REASONS.map((reason, i) => [String(i + 1), () => open && verdict.mutate({ verdict: "dismiss", reason })])),
  });
  const { plan } = useSitePlan(incident.site);
  const markers = useMemo(() => markersOf([incident], plan, t, (i) => href("incidents", i.id)), [incident, plan, t]);
  return (
    <>
      <section className="review-one" data-kind={incident.kind} aria-label={suspected(incident.kind, t)}>
        <header className="panel-head">
          <span className="panel-sign">
            <KindIcon kind={incident.kind} size={20} />
          </span>
          <div className="panel-title">
            <h2>
              {suspected(incident.kind, t)} · {cameraName(camera, incident.camera, t)}
            </h2>
            <p>{t("incident.notice")}</p>
          </div>
          {until && <span className="muted review-claim">{t("review.yours", { time: clock(until, now, t.language) })}</span>}
          <PhaseBadge incident={incident} />
        </header>
        <div className="review-pictures">
          <Media detail={detail} camera={camera} medium={medium} onMedium={setChosen} />
          <section className="media" aria-label={t("review.marked")}>
            <div className="tabs">
              <h3>{t("review.marked")}</h3>
            </div>
            <div className="stage">{failed || detail.evidence.length === 0 ? <Empty icon={ImageOff} title={t("media.missing")} /> : <MarkedPicture detail={detail} camera={camera} onError={() => setFailed(true)} />}</div>
          </section>
        </div>
        <div className="review-columns">
          <section>
            <h3>{t("incident.facts")}</h3>
            <Facts incident={incident} place={cameraName(camera, incident.camera, t)} />
          </section>
          <section>
            <h3>{t("incident.place")}</h3>
            <SiteMap site={incident.site} markers={markers} chosen={incident.id} small />
          </section>
          <section className="review-history">
            <h3>{t("place.title")}</h3>
            <PlaceHistory incident={incident} />
          </section>
        </div>
      </section>
      <div className="verdict review-verdict">
        {incident.status !== "new" && !verdict.isPending && (
          <p className="form-note" role="status">
            {t("review.gone", { actor: incident.judged_by ?? "" })}
          </p>
        )}
        {message && (
          <p className="verdict-message" role="alert">
            {message}
          </p>
        )}
        <div className="verdict-row">
          <button className="button button-confirm" disabled={!open} onClick={confirm}>
            <Check size={18} aria-hidden />
            {t("verdict.confirm")}
            <kbd>Y</kbd>
          </button>
          <div className="review-reasons" role="group" aria-label={t("verdict.dismiss.title")}>
            {REASONS.map((reason, i) => (
              <button key={reason} className="button" disabled={!open} onClick={() => verdict.mutate({ verdict: "dismiss", reason })}>
                <kbd>{i + 1}</kbd>
                {t(`reason.${reason}`)}
              </button>
            ))}
          </div>
          <span className="verdict-space" />
          <FileCase
            incident={incident}
            onFiled={(filed) => {
              onTold(t("case.filed", { number: filed.case.number }));
              onNext(true);
            }}
            onError={(error) => setMessage(t("verdict.failed", { detail: errorText(error, t.language) }))}
          />
          <button className="button" disabled={!open} onClick={() => setMuting(true)}>
            <BellOff size={16} aria-hidden />
            {t("mute.action")}
            <kbd>M</kbd>
          </button>
          <button className="button" disabled={loading} onClick={() => onNext(false)}>
            {t("review.next")}
            <kbd>N</kbd>
            <ChevronRight size={18} aria-hidden />
          </button>
        </div>
      </div>
      {muting && (
        <MuteDialog
          incident={incident}
          onClose={() => setMuting(false)}
          onMuted={() => {
            setMuting(false);
            onTold(t("mute.muted"));
            onNext(false);
          }}
        />
      )}
    </>
  );
}
