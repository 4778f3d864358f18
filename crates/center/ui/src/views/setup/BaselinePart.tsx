/** Approved pictures of a view: what is proposed beside what is in force, to approve or to reject with a reason. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Check, ImageOff, ImagePlus, Images, X } from "lucide-react";
import { useState } from "react";
import { errorText, isMissing } from "../../api/client";
import { setupOf, type Baseline, type BaselineView, type Place, type SetupCamera } from "../../api/setup";
import { useT, type Translate } from "../../i18n";
import { fullTime } from "../../lib/format";
import { BeforeAfter } from "../../parts/BeforeAfter";
import { Dialog } from "../../parts/Dialog";
import { AreaField } from "../../parts/Fields";
import { Empty, Failed, Loading } from "../../parts/States";

type Act = "propose" | "approve" | "reject";

/** What a proposal is compared with: what is in force for the same light, else what was approved last. */
export function inForceFor(proposal: Baseline, all: readonly Baseline[]): Baseline | null {
  const standing = all.filter((b) => b.standing === "in_force").sort((a, b) => b.at.localeCompare(a.at));
  const light = (b: Baseline) => Number(b.part_of_day === proposal.part_of_day) * 2 + Number(b.season === proposal.season);
  return [...standing].sort((a, b) => light(b) - light(a))[0] ?? null;
}

export function lightOf(baseline: Baseline, t: Translate): string {
  const [season, part] = [t.maybe(`season.${baseline.season}`, baseline.season), t.maybe(`partOfDay.${baseline.part_of_day}`, baseline.part_of_day)];
  return `${season} · ${part}`;
}

export function BaselinePart({ place, camera, preset, used }: { place: Place; camera: SetupCamera; preset: string | null; used: boolean }) {
  const t = useT();
  const query = useQuery({ queryKey: ["setup-baselines", place.site, place.node, camera.camera], queryFn: () => setupOf(place).baselines(camera.camera), retry: false });
  if (query.isPending) return <Loading />;
  if (isMissing(query.error)) return <Empty icon={Images} title={t("baseline.none")} hint={t("baseline.none.off")} />;
  if (query.isError) return <Failed error={query.error} retry={() => void query.refetch()} />;
  const view = query.data.find((v) => v.preset === preset);
  if (!view || (view.baselines.length === 0 && !view.can_propose)) {
    return <Empty icon={Images} title={t("baseline.none")} hint={t(used ? "baseline.none.unseen" : "baseline.none.off")} />;
  }
  return <Shelf key={preset ?? ""} place={place} camera={camera} view={view} />;
}

function Shelf({ place, camera, view }: { place: Place; camera: SetupCamera; view: BaselineView }) {
  const t = useT();
  const calls = setupOf(place);
  const all = [...view.baselines].sort((a, b) => b.at.localeCompare(a.at));
  const proposed = all.filter((b) => b.standing === "proposed");
  const [id, setId] = useState<string | null>(null);
  const [asking, setAsking] = useState<{ act: Act; baseline: Baseline | null } | null>(null);
  const chosen = all.find((b) => b.baseline === id) ?? proposed[0] ?? all[0];
  const beside = chosen && chosen.standing !== "in_force" ? inForceFor(chosen, all) : null;
  const url = (b: Baseline) => calls.baselineUrl(camera.camera, view.preset, b.baseline);
  return (
    <div className="setup-baselines">
      <section className="baseline-list" aria-label={t("baseline.title")}>
        <header className="rule-head">
          <h2>{t("baseline.title")}</h2>
          <button className="button button-small" disabled={!view.can_propose} onClick={() => setAsking({ act: "propose", baseline: null })}>
            <ImagePlus size={15} aria-hidden />
            {t("baseline.propose")}
          </button>
        </header>
        <p className="field-hint">{t("baseline.hint")}</p>
        <ul className="draw-list">
          {all.map((b) => (
            <li key={b.baseline}>
              <button aria-pressed={b === chosen} onClick={() => setId(b.baseline)}>
                <span className={`status baseline-${b.standing}`}>{t(`baseline.standing.${b.standing}`)}</span>
                <b>{lightOf(b, t)}</b>
                <time className="muted" dateTime={b.captured_at}>
                  {fullTime(b.captured_at, t.language)}
                </time>
              </button>
            </li>
          ))}
        </ul>
      </section>
      {chosen && (
        <section className="panel baseline-panel" aria-label={lightOf(chosen, t)}>
          <header className="panel-head">
            <div className="panel-title">
              <h2>{lightOf(chosen, t)}</h2>
              <p>
                {t(`baseline.act.${chosen.act}`, { by: chosen.by, time: fullTime(chosen.at, t.language) })}
                {chosen.reason && ` · ${chosen.reason}`}
              </p>
            </div>
            {(chosen.standing === "proposed" || chosen.standing === "in_force") && (
              <button className="button" onClick={() => setAsking({ act: "reject", baseline: chosen })}>
                <X size={16} aria-hidden />
                {t("baseline.reject")}
              </button>
            )}
            {chosen.standing === "proposed" && (
              <button className="button button-confirm" onClick={() => setAsking({ act: "approve", baseline: chosen })}>
                <Check size={16} aria-hidden />
                {t("baseline.approve")}
              </button>
            )}
          </header>
          <Pictures key={chosen.baseline} before={beside && url(beside)} after={url(chosen)} />
          <p className="field-hint baseline-what">{t(beside ? "baseline.beside" : "baseline.alone")}</p>
        </section>
      )}
      {asking && <ActDialog place={place} camera={camera.camera} preset={view.preset} {...asking} onClose={() => setAsking(null)} />}
    </div>
  );
}

function Pictures({ before, after }: { before: string | null; after: string }) {
  const t = useT();
  const [failed, setFailed] = useState(false);
  return (
    <div className="stage">
      {failed ? (
        <Empty icon={ImageOff} title={t("baseline.failed")} />
      ) : before ? (
        <BeforeAfter before={before} after={after} onError={() => setFailed(true)} />
      ) : (
        <img src={after} alt={t("baseline.picture")} onError={() => setFailed(true)} />
      )}
    </div>
  );
}

function ActDialog({ place, camera, preset, act, baseline, onClose }: { place: Place; camera: string; preset: string | null; act: Act; baseline: Baseline | null; onClose(): void }) {
  const t = useT();
  const client = useQueryClient();
  const [reason, setReason] = useState("");
  const judge = useMutation({
    mutationFn: () => setupOf(place).judgeBaseline(camera, preset, act, baseline?.baseline ?? null, reason.trim()),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["setup-baselines", place.site, place.node, camera] });
      onClose();
    },
  });
  return (
    <Dialog title={t(`baseline.${act}.title`)} submit={t(`baseline.${act}`)} busy={judge.isPending} message={judge.error ? errorText(judge.error, t.language) : null} onClose={onClose} onSubmit={() => judge.mutate()}>
      <p className="muted">{t(`baseline.${act}.hint`)}</p>
      <AreaField label={t(act === "reject" ? "baseline.reason" : "baseline.reason.maybe")} value={reason} required={act === "reject"} maxLength={500} onChange={setReason} />
    </Dialog>
  );
}
