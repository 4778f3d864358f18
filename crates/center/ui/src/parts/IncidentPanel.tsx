/** One incident with all that is needed to judge it. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { SearchX, X } from "lucide-react";
import { useEffect, useState } from "react";
import { ApiError, api, errorText } from "../api/client";
import type { Incident, Verdict } from "../api/types";
import { useT } from "../i18n";
import { between, fullTime, percent } from "../lib/format";
import { cameraName } from "../lib/health";
import { KindIcon, suspected } from "../lib/kinds";
import { useNow } from "../lib/now";
import { useShortcuts } from "../lib/shortcuts";
import { useLive } from "../state/live";
import { useMay } from "../state/session";
import { PhaseBadge, StatusBadge } from "./Badges";
import { Deletions } from "./Deletions";
import { Holds } from "./Holds";
import { Thumbnail } from "./IncidentCard";
import { Media, MEDIA, firstMedium, has, type Medium } from "./Media";
import { PlaceHistory } from "./PlaceHistory";
import { Empty, Failed, Loading } from "./States";
import { Timeline } from "./Timeline";
import { VerdictBar } from "./VerdictBar";

interface Props {
  id: string;
  onClose(): void;
  onStep(step: 1 | -1): void;
}

export function IncidentPanel({ id, onClose, onStep }: Props) {
  const t = useT();
  const client = useQueryClient();
  const live = useLive((s) => s.incidents[id]);
  const put = useLive((s) => s.put);
  const version = live ? `${live.sequence}/${live.judged_at ?? ""}/${live.evidence.length}` : "";
  const query = useQuery({
    queryKey: ["incident", id, version],
    queryFn: () => api.incident(id),
    placeholderData: (previous) => (previous?.incident.id === id ? previous : undefined),
    retry: (count, error) => !(error instanceof ApiError && error.status === 404) && count < 2,
  });
  const detail = query.data;
  const incident = live ?? detail?.incident;
  const camera = useLive((s) => (incident ? s.cameras[incident.camera] : undefined));

  const [chosen, setChosen] = useState<Medium | null>(null);
  const [dismissing, setDismissing] = useState(false);
  const [message, setMessage] = useState<string | null>(null);
  useEffect(() => {
    setChosen(null);
    setDismissing(false);
    setMessage(null);
  }, [id]);

  const verdict = useMutation({
    mutationFn: (body: Verdict) => api.verdict(id, body),
    onSuccess: (judged) => {
      put([judged]);
      setDismissing(false);
      setMessage(null);
    },
    onError: (error) => {
      setDismissing(false);
      setMessage(t("verdict.failed", { detail: errorText(error, t.language) }));
      void client.invalidateQueries({ queryKey: ["incident", id] });
      // Somebody else was faster: show what they said.
      if (error instanceof ApiError && error.status === 409) void api.incident(id).then((fresh) => put([fresh.incident]));
    },
  });

  const medium = chosen ?? (detail ? firstMedium(detail) : "annotated");
  const turn = (step: number) => {
    if (!detail) return;
    const there = MEDIA.filter((m) => has(detail, m));
    setChosen(there[(there.indexOf(medium) + step + there.length) % there.length] ?? medium);
  };
  const mayJudge = useMay("judge");
  const judge = mayJudge && incident?.status === "new" && !verdict.isPending;
  useShortcuts({
    c: () => judge && verdict.mutate({ verdict: "confirm" }),
    "1": () => judge && verdict.mutate({ verdict: "confirm" }),
    d: () => judge && setDismissing(true),
    "2": () => judge && setDismissing(true),
    u: () => mayJudge && (incident?.status === "confirmed" || incident?.status === "dismissed") && !verdict.isPending && verdict.mutate({ verdict: "withdraw" }),
    n: () => onStep(1),
    p: () => onStep(-1),
    ArrowRight: () => turn(1),
    ArrowLeft: () => turn(-1),
    Escape: () => (dismissing ? setDismissing(false) : onClose()),
  });

  if (!incident || !detail) {
    const missing = query.error instanceof ApiError && query.error.status === 404;
    return (
      <section className="panel">
        <button className="icon-button panel-close" onClick={onClose} aria-label={t("incident.close")}>
          <X size={18} />
        </button>
        {query.isPending ? (
          <Loading />
        ) : missing ? (
          <Empty icon={SearchX} title={t("incident.missing")} />
        ) : (
          <Failed error={query.error} retry={() => void query.refetch()} />
        )}
      </section>
    );
  }
  // There is nothing left to hold.
  const isGone = detail.holds.length === 0 && detail.evidence.length > 0 && detail.evidence.every((file) => file.deleted);
  return (
    <section className="panel" data-kind={incident.kind} aria-label={suspected(incident.kind, t)}>
      <header className="panel-head">
        <span className="panel-sign">
          <KindIcon kind={incident.kind} size={20} />
        </span>
        <div className="panel-title">
          <h2>{suspected(incident.kind, t)}</h2>
          <p>{t("incident.notice")}</p>
        </div>
        <PhaseBadge incident={incident} />
        <StatusBadge incident={incident} />
        <button className="icon-button" onClick={onClose} title={`${t("incident.close")} (Esc)`} aria-label={t("incident.close")}>
          <X size={18} />
        </button>
      </header>
      <div className="panel-body">
        <Media detail={detail} camera={camera} medium={medium} onMedium={setChosen} />
        <div className="panel-columns">
          <section>
            <h3>{t("incident.facts")}</h3>
            <Facts incident={incident} place={cameraName(camera, incident.camera, t)} />
            {detail.sightings.length > 0 && <Sightings sightings={detail.sightings} />}
            <h3>{t("hold.title")}</h3>
            <div className="keeping">
              {!isGone && <Holds key={id} subject="incident" id={id} holds={detail.holds} keptAnyway={detail.held} />}
              <Deletions key={`${id}/deletion`} detail={detail} />
            </div>
          </section>
          <section>
            <h3>{t("incident.timeline")}</h3>
            <Timeline detail={detail} />
          </section>
        </div>
        <section className="panel-place">
          <h3>{t("place.title")}</h3>
          <PlaceHistory key={id} incident={incident} limit={6} />
        </section>
      </div>
      <VerdictBar
        incident={incident}
        busy={verdict.isPending}
        message={message}
        dismissing={dismissing}
        onDismissing={setDismissing}
        onVerdict={(body) => verdict.mutate(body)}
        onStep={onStep}
        onFileError={(error) => setMessage(t("verdict.failed", { detail: errorText(error, t.language) }))}
      />
    </section>
  );
}

/** The same thing as other cameras and drones told of it. */
function Sightings({ sightings }: { sightings: Incident[] }) {
  const t = useT();
  const cameras = useLive((s) => s.cameras);
  return (
    <>
      <h3>{t("incident.sightings")}</h3>
      <ul className="sightings">
        {sightings.map((seen) => (
          <li key={seen.id}>
            <Thumbnail incident={seen} />
            <b>{cameraName(cameras[seen.camera], seen.camera, t)}</b>
            <span className="muted">{fullTime(seen.started_at, t.language)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

export function Facts({ incident, place }: { incident: Incident; place: string }) {
  const t = useT();
  const now = useNow();
  const camera = useLive((s) => s.cameras[incident.camera]);
  const purpose = camera?.zones.find((z) => z.id === incident.zone)?.purpose;
  const end = incident.phase === "ended" ? (incident.ended_at ?? incident.updated_at) : now;
  const facts: [string, string][] = [
    [t("incident.camera"), place],
    [t("incident.duration"), between(incident.since, end, t)],
    [t("incident.since"), fullTime(incident.since, t.language)],
    [t("incident.started"), fullTime(incident.started_at, t.language)],
  ];
  if (incident.ended_at) facts.push([t("incident.ended"), fullTime(incident.ended_at, t.language) + (incident.end_reason ? ` · ${t(`end.${incident.end_reason}`)}` : "")]);
  if (incident.zone) facts.push([t("incident.zone"), purpose ? `${t(`purpose.${purpose}`)} · ${incident.zone}` : incident.zone]);
  if (incident.label) facts.push([t("incident.label"), t.maybe(`label.${incident.label}`, incident.label)]);
  if (incident.count > 1) facts.push([t("incident.count"), t("unit.things", { count: incident.count })]);
  if (incident.covered != null) facts.push([t("incident.covered"), percent(incident.covered)]);
  if (incident.place) {
    const { latitude, longitude, uncertainty_meters, building, area_square_meters } = incident.place;
    const error = t("incident.uncertainty", { meters: uncertainty_meters.toFixed(1) });
    if (building) facts.push([t("incident.building"), building]);
    if (area_square_meters != null) facts.push([t("incident.area"), t("roofs.area", { area: area_square_meters.toFixed(1) })]);
    facts.push([t("incident.place"), `${latitude.toFixed(6)}, ${longitude.toFixed(6)} ${error}`]);
  }
  facts.push([t("incident.score"), percent(incident.score)]);
  facts.push([t("incident.severity"), t(`severity.${incident.severity}`)]);
  facts.push([t("incident.rule"), incident.rule]);
  facts.push([t("incident.number"), incident.id.slice(0, 8)]);
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
