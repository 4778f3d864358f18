/** Tries the draft on the camera's recording of the last hours: what it would have raised, beside what the file in force would. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { CircleStop, FlaskConical, ImageOff, Play, Video } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { errorText, isMissing } from "../../api/client";
import { setupOf, type Place, type Raised, type RecordingState, type SetupCamera, type Span, type Trial } from "../../api/setup";
import { useT } from "../../i18n";
import { detail } from "../../i18n/problems";
import { between, clock, duration, fullTime, percent, size } from "../../lib/format";
import { KindIcon, kindName } from "../../lib/kinds";
import { instantOf, lastHours, localOf, pairs, recordedSeconds, spanFault, verdictOf, type Pair, type Verdict } from "../../lib/trial";
import { CheckField, TextField } from "../../parts/Fields";
import { Said } from "../../parts/Said";
import { Empty, Failed, Loading } from "../../parts/States";
import { useSetup } from "../../state/setup";

const POLL_MS = 1000;
const HOURS = [1, 2, 4, 6];

export function TrialPart({ place, camera }: { place: Place; camera: SetupCamera }) {
  const query = useQuery({ queryKey: ["setup-recording", place.site, place.node, camera.camera], queryFn: () => setupOf(place).recording(camera.camera), retry: false });
  const trial = useQuery({
    queryKey: ["setup-trial", place.site, place.node],
    queryFn: () => setupOf(place).trial(),
    retry: false,
    refetchInterval: ({ state }) => (state.data?.state === "running" ? POLL_MS : false),
  });
  const t = useT();
  if (query.isPending || trial.isPending) return <Loading />;
  // A camera of the draft alone was never recorded.
  if (isMissing(query.error)) return <Empty icon={Video} title={t("trial.noRecording")} hint={t("trial.noRecording.off")} />;
  if (query.isError) return <Failed error={query.error} retry={() => void query.refetch()} />;
  if (trial.isError) return <Failed error={trial.error} retry={() => void trial.refetch()} />;
  const own = trial.data?.camera === camera.camera ? trial.data : null;
  if (query.data.spans.length === 0 && !own) {
    return <Empty icon={Video} title={t("trial.noRecording")} hint={t(query.data.recording ? "trial.noRecording.yet" : "trial.noRecording.off")} />;
  }
  return (
    <div className="admin-scroll setup-trial">
      <TrialForm place={place} camera={camera} recording={query.data} busy={trial.data?.state === "running"} />
      {trial.data && !own && trial.data.state === "running" && <p className="form-note">{t("trial.other", { camera: trial.data.camera })}</p>}
      {own && <TrialResult place={place} trial={own} />}
    </div>
  );
}

function TrialForm({ place, camera, recording, busy }: { place: Place; camera: SetupCamera; recording: RecordingState; busy: boolean }) {
  const t = useT();
  const client = useQueryClient();
  const problems = useSetup((s) => s.problems);
  const [span, setSpan] = useState<Span | null>(() => lastHours(recording.spans, 1));
  const [compare, setCompare] = useState(true);
  const key = ["setup-trial", place.site, place.node];
  const start = useMutation({
    mutationFn: async (wanted: Span) => {
      await useSetup.getState().flush();
      return setupOf(place).startTrial(useSetup.getState().text, camera.camera, wanted, compare);
    },
    onSuccess: (fresh) => client.setQueryData(key, fresh),
  });
  if (!span) return null;
  const fault = spanFault(recording.spans, span);
  const first = recording.spans[0];
  const last = recording.spans.at(-1);
  return (
    <form
      className="admin-card form"
      onSubmit={(event) => {
        event.preventDefault();
        if (fault === null && problems.length === 0) start.mutate(span);
      }}
    >
      <h3>{t("trial.title")}</h3>
      <p className="muted">{t("trial.hint")}</p>
      <SpanBar spans={recording.spans} chosen={span} />
      {first && last && (
        <p className="field-hint">
          {t("trial.recorded", { from: fullTime(first.from, t.language), to: fullTime(last.to, t.language), size: size(recording.bytes) })}
        </p>
      )}
      <div className="hours">
        <div className="segments" role="group" aria-label={t("trial.last")}>
          {HOURS.map((hours) => {
            const whole = lastHours(recording.spans, hours);
            return (
              <button key={hours} type="button" aria-pressed={whole?.from === span.from && whole.to === span.to} onClick={() => whole && setSpan(whole)}>
                {t("trial.lastHours", { hours })}
              </button>
            );
          })}
        </div>
        <TextField label={t("trial.from")} type="datetime-local" step={1} value={localOf(span.from)} required onChange={(v) => setSpan({ ...span, from: instantOf(v) ?? "" })} />
        <TextField label={t("trial.to")} type="datetime-local" step={1} value={localOf(span.to)} required onChange={(v) => setSpan({ ...span, to: instantOf(v) ?? "" })} />
      </div>
      <CheckField label={t("trial.compare")} checked={compare} onChange={setCompare} />
      {fault && (
        <p className="form-note" role="status">
          {t(`trial.fault.${fault}`)}
        </p>
      )}
      {problems.length > 0 && <p className="form-message">{t("setup.save.problems", { count: problems.length })}</p>}
      {start.error && (
        <p className="form-message" role="alert">
          {errorText(start.error, t.language)}
        </p>
      )}
      <div className="admin-save">
        <button className="button button-confirm" disabled={busy || start.isPending || fault !== null || problems.length > 0}>
          <Play size={16} aria-hidden />
          {t("trial.start")}
        </button>
        {fault === null && <span className="muted">{t("trial.length", { length: duration(recordedSeconds(recording.spans, span) * 1000, t) })}</span>}
      </div>
    </form>
  );
}

/** What was recorded, and what of it is tried. */
function SpanBar({ spans, chosen }: { spans: Span[]; chosen: Span }) {
  const t = useT();
  const from = Date.parse(spans[0]?.from ?? "");
  const to = Date.parse(spans.at(-1)?.to ?? "");
  const place = (span: Span) => {
    const [start, end] = [Math.max(from, Date.parse(span.from)), Math.min(to, Date.parse(span.to))];
    return { left: `${((start - from) / (to - from)) * 100}%`, width: `${(Math.max(0, end - start) / (to - from)) * 100}%` };
  };
  if (!(to > from)) return null;
  return (
    <div className="span-bar" role="img" aria-label={t("trial.bar")}>
      {spans.map((span) => (
        <i key={span.from} style={place(span)} />
      ))}
      <b style={place(chosen)} />
    </div>
  );
}

function TrialResult({ place, trial }: { place: Place; trial: Trial }) {
  const t = useT();
  const client = useQueryClient();
  const cancel = useMutation({ mutationFn: () => setupOf(place).cancelTrial(), onSettled: () => client.invalidateQueries({ queryKey: ["setup-trial", place.site, place.node] }) });
  const compared = trial.current !== null;
  const list = useMemo(() => pairs(trial.draft, trial.current), [trial]);
  const [only, setOnly] = useState<Verdict | "all">("all");
  const shown = list.filter((pair) => only === "all" || verdictOf(pair, compared) === only);
  const count = (verdict: Verdict) => list.filter((pair) => verdictOf(pair, compared) === verdict).length;
  useEffect(() => setOnly("all"), [trial.trial]);
  return (
    <section className="admin-card form" aria-label={t("trial.result")}>
      <header className="rule-head">
        <FlaskConical size={18} aria-hidden />
        <h3>{t(`trial.state.${trial.state}`)}</h3>
        <span className="muted">
          {fullTime(trial.from, t.language)} – {clock(trial.to, Date.parse(trial.from), t.language)}
        </span>
        {trial.state === "running" && (
          <button className="button button-small" disabled={cancel.isPending} onClick={() => cancel.mutate()}>
            <CircleStop size={14} aria-hidden />
            {t("trial.cancel")}
          </button>
        )}
      </header>
      <div className="trial-progress">
        <progress value={trial.share} max={1} aria-label={t("trial.progress")} />
        <span>{percent(trial.share)}</span>
      </div>
      {trial.state === "failed" && (
        <p className="form-message" role="alert">
          {trial.detail ? <Said words={detail(trial.detail, t.language)} /> : t("state.error")}
        </p>
      )}
      {compared && (
        <div className="segments" role="group" aria-label={t("trial.filter")}>
          {(["all", "new", "both", "gone"] as const).map((verdict) => (
            <button key={verdict} aria-pressed={only === verdict} onClick={() => setOnly(verdict)}>
              {t(`trial.verdict.${verdict}`)} {verdict === "all" ? list.length : count(verdict)}
            </button>
          ))}
        </div>
      )}
      {shown.length === 0 ? (
        <Empty icon={FlaskConical} title={t(trial.state === "running" ? "trial.nothingYet" : "trial.nothing")} hint={t("trial.nothing.hint")} />
      ) : (
        <ul className="trial-list">
          {shown.map((pair) => (
            <Finding key={`${pair.draft?.number ?? ""}/${pair.current?.number ?? ""}`} place={place} trial={trial} pair={pair} compared={compared} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Finding({ place, trial, pair, compared }: { place: Place; trial: Trial; pair: Pair; compared: boolean }) {
  const t = useT();
  const [failed, setFailed] = useState(false);
  const one = (pair.draft ?? pair.current) as Raised;
  const verdict = verdictOf(pair, compared);
  const url = setupOf(place).trialPictureUrl(trial.trial, one.number, pair.draft ? "draft" : "current");
  const length = (raised: Raised) => (raised.ended_at ? between(raised.at, raised.ended_at, t) : t("trial.open"));
  return (
    <li className={`trial-item trial-${verdict}`} data-kind={one.kind}>
      <a className="trial-picture" href={one.picture && !failed ? url : undefined} target="_blank" rel="noreferrer">
        {one.picture && !failed ? <img src={url} alt={t("trial.picture", { kind: kindName(one.kind, t) })} loading="lazy" onError={() => setFailed(true)} /> : <ImageOff size={22} aria-hidden />}
      </a>
      <div>
        <b className="trial-kind">
          <KindIcon kind={one.kind} />
          {t("kind.suspected", { kind: kindName(one.kind, t) })}
        </b>
        {verdict !== "alone" && <span className={`status trial-verdict-${verdict}`}>{t(`trial.verdict.${verdict}`)}</span>}
        <p>
          <time dateTime={one.at}>{fullTime(one.at, t.language)}</time> · {length(one)}
        </p>
        <p className="muted">
          {one.rule}
          {one.zone && ` · ${one.zone}`}
          {one.preset && ` · ${one.preset}`} · {percent(one.confidence)}
        </p>
        {verdict === "both" && pair.current && pair.draft && pair.current.at !== pair.draft.at && <p className="muted">{t("trial.before", { time: clock(pair.current.at, Date.parse(pair.draft.at), t.language) })}</p>}
      </div>
    </li>
  );
}
