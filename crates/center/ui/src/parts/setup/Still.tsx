/** The picture that is drawn on: of a dome's preset its reference picture, else the camera's latest, else one asked of the camera now. */
import { ImageOff, LoaderCircle } from "lucide-react";
import { useCallback, useEffect, useState } from "react";
import { errorText } from "../../api/client";
import { liveUrl, setupOf, type SetupCamera, type SetupView } from "../../api/setup";
import { useT } from "../../i18n";
import { useLive } from "../../state/live";
import { useSetup } from "../../state/setup";

export interface StillState {
  url: string | null;
  loading: boolean;
  error: unknown;
  /** Width over height. */
  ratio: number;
  again(): void;
  loaded(width: number, height: number): void;
  failed(): void;
}

const WIDE = 16 / 9;

export function useStill(camera: SetupCamera, view: SetupView): StillState {
  const place = useSetup((s) => s.place);
  const running = useLive((s) => s.cameras[camera.camera]?.state === "streaming" && s.cameras[camera.camera]?.node_online === true);
  const id = camera.camera;
  const { preset, reference_pictures } = view;
  const [asked, setAsked] = useState(0);
  const [own, setOwn] = useState<string | null>(null);
  const [loading, setLoading] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [ratio, setRatio] = useState(WIDE);
  const given = place && preset !== null && reference_pictures > 0 ? setupOf(place).referenceUrl(id, preset) : preset === null && running ? `${liveUrl(id)}?still=${asked}` : null;

  const ask = useCallback(async () => {
    if (!place) return;
    setLoading(true);
    setError(null);
    try {
      // The camera may be as new as the draft.
      await useSetup.getState().flush();
      const still = await setupOf(place).still({ text: useSetup.getState().text, camera: id });
      setOwn(URL.createObjectURL(still.picture));
    } catch (thrown) {
      setError(thrown);
    } finally {
      setLoading(false);
    }
  }, [place, id]);
  useEffect(() => {
    setOwn(null);
    setError(null);
    setRatio(WIDE);
  }, [id, preset]);
  // A camera that does not run yet is asked once by itself: there is nothing else to draw on.
  const sole = given === null && preset === null && !camera.disabled && camera.source.kind !== null;
  useEffect(() => {
    if (sole) void ask();
  }, [sole, ask]);
  useEffect(
    () => () => {
      if (own) URL.revokeObjectURL(own);
    },
    [own],
  );
  return {
    url: own ?? (error ? null : given),
    loading,
    error,
    ratio,
    // A camera that runs has its latest picture at the center; only another one is asked itself.
    again: () => {
      if (given && preset === null && !error) {
        setOwn(null);
        setAsked(asked + 1);
      } else void ask();
    },
    loaded: (width, height) => width > 0 && height > 0 && setRatio(width / height),
    failed: () => setError(new Error("")),
  };
}

export function StillNotice({ still }: { still: StillState }) {
  const t = useT();
  if (still.loading) {
    return (
      <p className="draw-notice" role="status">
        <LoaderCircle size={22} className="spin" aria-hidden />
        {t("draw.still.loading")}
      </p>
    );
  }
  if (still.url === null) {
    const detail = still.error ? errorText(still.error, t.language) : "";
    return (
      <p className="draw-notice" role={still.error ? "alert" : "status"}>
        <ImageOff size={22} aria-hidden />
        <b>{t("draw.still.none")}</b>
        <span>{detail || t("draw.still.none.hint")}</span>
      </p>
    );
  }
  return <img src={still.url} alt="" draggable={false} onLoad={(event) => still.loaded(event.currentTarget.naturalWidth, event.currentTarget.naturalHeight)} onError={still.failed} />;
}
