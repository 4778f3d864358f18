/** The evidence of an incident: marked picture, original, before and after, clip, and the camera as it is now. */
import { Clapperboard, Download, EyeOff, ImageOff, Trash2 } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { evidenceUrl } from "../api/client";
import type { Camera, EvidenceRole, IncidentDetail } from "../api/types";
import { useT, type Key } from "../i18n";
import { size } from "../lib/format";
import { useMay } from "../state/session";
import { BeforeAfter } from "./BeforeAfter";
import { deletedText } from "./Deletions";
import { LivePicture } from "./LivePicture";
import { Empty } from "./States";

export const MEDIA = ["annotated", "snapshot", "compare", "clip", "live"] as const;
export type Medium = (typeof MEDIA)[number];

export function has(detail: IncidentDetail, medium: Medium): boolean {
  const roles = new Set(detail.evidence.map((e) => e.role));
  if (medium === "live") return true;
  return medium === "compare" ? roles.has("before") && roles.has("after") : roles.has(medium as EvidenceRole);
}

/** Whether the camera's clips are not for this person: what is private cannot be hidden in them. */
export function useSealed(camera: Camera | undefined): boolean {
  const unseals = useMay("unseal");
  return camera?.private === true && !unseals;
}

/** The one to begin with: the clearest that there is. */
export function firstMedium(detail: IncidentDetail): Medium {
  return MEDIA.find((m) => has(detail, m)) ?? "live";
}

interface Props {
  detail: IncidentDetail;
  camera: Camera | undefined;
  medium: Medium;
  onMedium(medium: Medium): void;
}

export function Media({ detail, camera, medium, onMedium }: Props) {
  const t = useT();
  const [failed, setFailed] = useState<string | null>(null);
  const sealed = useSealed(camera) && medium === "clip";
  const video = useRef<HTMLVideoElement>(null);
  const { id } = detail.incident;
  const item = detail.evidence.find((e) => e.role === (medium === "compare" ? "after" : medium));
  const key = `${id}/${medium}`;
  const fail = () => setFailed(key);

  useEffect(() => {
    const toggle = (event: KeyboardEvent) => {
      const element = video.current;
      if (event.key !== " " || !element || (event.target as HTMLElement).closest?.("button, input, textarea, video, select")) return;
      event.preventDefault();
      if (element.paused) void element.play();
      else element.pause();
    };
    window.addEventListener("keydown", toggle);
    return () => window.removeEventListener("keydown", toggle);
  }, []);

  return (
    <section className="media" aria-label={t("incident.proof")}>
      <div className="tabs" role="tablist">
        {MEDIA.map((m) => (
          <button key={m} role="tab" aria-selected={m === medium} disabled={!has(detail, m)} onClick={() => onMedium(m)}>
            {m === "live" && <i className="dot-live" aria-hidden />}
            {t(`media.${m}` as Key)}
          </button>
        ))}
        {item && !item.deleted && medium !== "live" && !sealed && (
          <a className="icon-button tabs-end" href={evidenceUrl(id, item.role)} download title={`${t("media.download")} · ${t("media.bytes", { size: size(item.bytes), hash: item.sha256 })}`}>
            <Download size={15} aria-hidden />
            <span className="visually-hidden">{t("media.download")}</span>
          </a>
        )}
      </div>
      <div className="stage">
        {item?.deleted ? (
          <Empty icon={Trash2} title={t("deletion.done")} hint={deletedText(item.deleted, t)} />
        ) : failed === key ? (
          <Empty icon={ImageOff} title={t("media.failed")} hint={t("media.failed.hint")}>
            <button className="button" onClick={() => setFailed(null)}>
              {t("state.retry")}
            </button>
          </Empty>
        ) : !has(detail, medium) ? (
          <Empty icon={medium === "clip" ? Clapperboard : ImageOff} title={t("media.missing")} {...(medium === "clip" ? { hint: t("media.clipPending") } : {})} />
        ) : sealed ? (
          <Empty icon={EyeOff} title={t("media.sealed")} hint={t("media.sealed.hint")} />
        ) : medium === "live" ? (
          <LivePicture camera={detail.incident.camera} zones={camera?.zones ?? []} large selected={id} />
        ) : medium === "compare" ? (
          <BeforeAfter key={id} before={evidenceUrl(id, "before")} after={evidenceUrl(id, "after")} onError={fail} />
        ) : medium === "clip" ? (
          <video key={id} ref={video} src={evidenceUrl(id, "clip")} controls autoPlay muted loop playsInline onError={fail} />
        ) : (
          <img key={key} src={evidenceUrl(id, medium)} alt={t(`media.${medium}`)} onError={fail} />
        )}
      </div>
    </section>
  );
}
