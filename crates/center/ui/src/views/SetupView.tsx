/** Setup of a node's cameras: everything ends up in the pipeline file that `parapet check` reads, and nothing is written before it is saved. */
import { Cctv, CircleSlash, FileWarning, LoaderCircle, Plus, Save } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { ApiError, errorText } from "../api/client";
import type { Place, SetupCamera, SetupView as View } from "../api/setup";
import { useT } from "../i18n";
import { Dialog } from "../parts/Dialog";
import { Filter } from "../parts/Fields";
import { MergeDialog, SaveDialog } from "../parts/setup/SaveDialog";
import { Empty, Failed, Loading } from "../parts/States";
import { siteName, useSites } from "../state/catalogue";
import { useLive } from "../state/live";
import { href } from "../state/route";
import { isChanged, useModel, useSetup } from "../state/setup";
import { AddPart } from "./setup/AddPart";
import { BaselinePart } from "./setup/BaselinePart";
import { DrawPart } from "./setup/DrawPart";
import { FilePart } from "./setup/FilePart";
import { RulesPart } from "./setup/RulesPart";
import { TrialPart } from "./setup/TrialPart";

export const PARTS = ["draw", "rules", "baselines", "trial", "file"] as const;
type Part = (typeof PARTS)[number] | "add";

const keyOf = ({ site, node }: Place) => `${site}~${node}`;

export function SetupView({ id, query }: { id: string | null; query: URLSearchParams }) {
  const t = useT();
  const nodes = Object.values(useLive((s) => s.nodes));
  const loaded = useLive((s) => s.loaded);
  const sites = useSites();
  const setup = useSetup();
  const model = useModel();
  const [leaving, setLeaving] = useState<Place | null>(null);
  const [saving, setSaving] = useState(false);
  const entering = useRef(true);
  const changed = isChanged(setup);
  const places = nodes.map(({ site, node }): Place => ({ site, node })).sort((a, b) => keyOf(a).localeCompare(keyOf(b)));
  const wanted = places.find((p) => keyOf(p) === id) ?? (setup.place && id === null ? setup.place : undefined) ?? places.find((p) => nodes.some((n) => n.online && n.node === p.node && n.site === p.site)) ?? places[0];
  const wantedKey = wanted ? keyOf(wanted) : null;
  const openKey = setup.place ? keyOf(setup.place) : null;
  const { open } = setup;

  useEffect(() => {
    if (!wanted) return;
    const back = entering.current;
    entering.current = false;
    const hasChanges = isChanged(useSetup.getState());
    // Who comes back finds what was not saved, else the file as it is now.
    if (wantedKey !== openKey && hasChanges) setLeaving(wanted);
    else if (wantedKey !== openKey || (back && !hasChanges)) void open(wanted);
    // The place is named by its key.
  }, [wantedKey, openKey, open]);
  useEffect(() => {
    if (!changed) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, [changed]);

  const cameras = model?.cameras ?? [];
  const camera = cameras.find((c) => c.camera === query.get("camera")) ?? cameras[0];
  const view = camera?.views.find((v) => v.preset === (query.get("preset") ?? null)) ?? camera?.views[0];
  const part: Part = [...PARTS, "add" as const].find((p) => p === query.get("part")) ?? "draw";
  const to = (change: { place?: Place; camera?: string; preset?: string | null; part?: Part }) => {
    const place = change.place ?? setup.place ?? wanted;
    const next = change.place ? undefined : (change.camera ?? camera?.camera);
    const preset = change.camera !== undefined || change.place ? null : change.preset !== undefined ? change.preset : (view?.preset ?? null);
    const shownPart = change.part ?? (change.camera !== undefined && part === "add" ? "draw" : part);
    window.location.hash = href("setup", place ? keyOf(place) : null, { ...(next ? { camera: next } : {}), ...(preset ? { preset } : {}), ...(shownPart === "draw" ? {} : { part: shownPart }) });
  };

  if (!loaded) return <main className="setup"><Loading /></main>;
  if (!wanted) return <main className="setup"><Empty icon={Cctv} title={t("setup.noNodes")} hint={t("setup.noNodes.hint")} /></main>;
  return (
    <main className="setup">
      <div className="record-bar setup-bar">
        <h1>{t("setup.title")}</h1>
        <Filter label={t("incident.node")} value={openKey ?? keyOf(wanted)} choices={places.map((p) => [keyOf(p), `${siteName(sites, p.site, t)} · ${p.node}`] as const)} onChange={(key) => to({ place: places.find((p) => keyOf(p) === key) ?? wanted })} />
        {camera && part !== "add" && (
          <Filter label={t("incident.camera")} value={camera.camera} choices={cameras.map((c) => [c.camera, cameraText(c)] as const)} onChange={(c) => to({ camera: c })} />
        )}
        {camera?.dome && part !== "add" && camera.views.length > 0 && (
          <Filter label={t("setup.preset")} value={view?.preset ?? ""} choices={camera.views.map((v) => [v.preset ?? "", v.name ?? v.preset ?? ""] as const)} onChange={(preset) => to({ preset })} />
        )}
        {setup.file && (
          <button className="button" aria-pressed={part === "add"} onClick={() => to({ part: part === "add" ? "draw" : "add" })}>
            <Plus size={16} aria-hidden />
            {t("add.title")}
          </button>
        )}
        {setup.file && <DraftState changed={changed} onSave={() => setSaving(true)} />}
      </div>
      {setup.refusal !== null && setup.refusal !== undefined && (
        <p className="form-message setup-refusal" role="alert">
          {errorText(setup.refusal, t.language)}
          <button className="button button-small" onClick={() => (setup.forgetRefusal(), void setup.flush())}>
            {t("state.retry")}
          </button>
        </p>
      )}
      {setup.error ? (
        <NotOpen error={setup.error} retry={() => void open(wanted)} />
      ) : !setup.file || !setup.place ? (
        <Loading />
      ) : (
        <>
          {part !== "add" && (
            <div className="tabs setup-tabs" role="tablist">
              {PARTS.map((name) => (
                <button key={name} role="tab" aria-selected={name === part} onClick={() => to({ part: name })}>
                  {t(`setup.part.${name}`)}
                  {name === "file" && setup.problems.length > 0 && <span className="count">{setup.problems.length}</span>}
                </button>
              ))}
            </div>
          )}
          <div className="setup-body">
            {part === "file" ? (
              <FilePart key={openKey} />
            ) : part === "add" ? (
              <AddPart key={openKey} place={setup.place} onAdded={(added) => to({ camera: added, part: "draw" })} />
            ) : model === null ? (
              <Empty icon={FileWarning} title={t("setup.unreadable")} hint={t("setup.unreadable.hint")}>
                <button className="button" onClick={() => to({ part: "file" })}>
                  {t("setup.part.file")}
                </button>
              </Empty>
            ) : !camera || !view ? (
              <Empty icon={Cctv} title={t(camera ? "setup.noPresets" : "setup.noCameras")} hint={t(camera ? "setup.noPresets.hint" : "setup.noCameras.hint")} />
            ) : (
              <CameraPart part={part} place={setup.place} camera={camera} view={view} />
            )}
          </div>
        </>
      )}
      {saving && (
        <SaveDialog
          onClose={() => setSaving(false)}
          onProblem={() => {
            setSaving(false);
            to({ part: "file" });
          }}
        />
      )}
      {setup.theirs && <MergeDialog theirs={setup.theirs} onClose={() => useSetup.setState({ theirs: null })} />}
      {leaving && (
        <Dialog
          title={t("setup.leave.title")}
          submit={t("setup.leave.submit")}
          onClose={() => {
            setLeaving(null);
            if (setup.place) to({ place: setup.place });
          }}
          onSubmit={() => {
            setLeaving(null);
            void open(leaving);
          }}
        >
          <p>{t("setup.leave.text")}</p>
        </Dialog>
      )}
    </main>
  );
}

function CameraPart({ part, place, camera, view }: { part: Exclude<Part, "add" | "file">; place: Place; camera: SetupCamera; view: View }) {
  const key = `${camera.camera}/${view.preset ?? ""}`;
  switch (part) {
    case "draw":
      return <DrawPart key={key} camera={camera} view={view} />;
    case "rules":
      return <RulesPart key={key} camera={camera} view={view} />;
    case "baselines":
      return <BaselinePart key={key} place={place} camera={camera} preset={view.preset} used={view.baseline} />;
    case "trial":
      return <TrialPart key={camera.camera} place={place} camera={camera} />;
  }
}

function cameraText(camera: SetupCamera): string {
  return camera.name ? `${camera.name} · ${camera.camera}` : camera.camera;
}

/** How the draft stands to the file, and the way to save it. */
function DraftState({ changed, onSave }: { changed: boolean; onSave(): void }) {
  const t = useT();
  const { problems, pending, sent, typed, saved, discard, flush } = useSetup();
  const [asking, setAsking] = useState(false);
  const busy = pending.length > 0 || sent.length > 0 || typed;
  return (
    <div className="setup-state">
      <span className={problems.length > 0 ? "setup-state-bad" : "muted"} role="status">
        {busy ? (
          <>
            <LoaderCircle size={14} className="spin" aria-hidden /> {t("setup.state.checking")}
          </>
        ) : problems.length > 0 ? (
          t("setup.state.problems", { count: problems.length })
        ) : changed ? (
          t("setup.state.changed")
        ) : saved ? (
          t("setup.state.saved")
        ) : (
          t("setup.state.same")
        )}
      </span>
      {changed && (
        <button className="button button-quiet" onClick={() => setAsking(true)}>
          {t("setup.discard")}
        </button>
      )}
      <button className="button button-confirm" disabled={!changed} onClick={() => void flush().then(onSave)}>
        <Save size={16} aria-hidden />
        {t("setup.save")}
      </button>
      {asking && (
        <Dialog
          title={t("setup.discard.title")}
          submit={t("setup.discard")}
          onClose={() => setAsking(false)}
          onSubmit={() => {
            discard();
            setAsking(false);
          }}
        >
          <p>{t("setup.discard.text")}</p>
        </Dialog>
      )}
    </div>
  );
}

/** A node that does not let itself be set up says how it would. */
function NotOpen({ error, retry }: { error: unknown; retry(): void }) {
  const t = useT();
  if (!(error instanceof ApiError && error.problem?.code === "setup_off")) return <Failed error={error} retry={retry} />;
  return (
    <Empty icon={CircleSlash} title={t("setup.off")} hint={t("setup.off.hint")}>
      <pre className="setup-code">{"[node.setup]\nenabled = true"}</pre>
      <button className="button" onClick={retry}>
        {t("state.retry")}
      </button>
    </Empty>
  );
}
