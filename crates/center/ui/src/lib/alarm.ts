/** A sound and a desktop notice for each new suspicion; both are off until the person turns them on. */
import { useEffect } from "react";
import type { Incident } from "../api/types";
import { translator } from "../i18n";
import { useLive } from "../state/live";
import { go } from "../state/route";
import { useSettings } from "../state/settings";
import { cameraName } from "./health";
import { suspected } from "./kinds";

/** Incidents of `next` that wait to be judged and that `before` did not know. */
export function arrivals(before: Record<string, Incident>, next: Record<string, Incident>): Incident[] {
  return Object.values(next).filter((i) => i.status === "new" && i.phase !== "ended" && !i.muted && !(i.id in before));
}

let audio: AudioContext | null = null;

/** Two short tones; three for what is urgent. Browsers allow it once the person has clicked something. */
export function chime(urgent: boolean): void {
  audio ??= new AudioContext();
  void audio.resume();
  const tones = urgent ? [880, 660, 880] : [660, 880];
  tones.forEach((pitch, i) => {
    if (!audio) return;
    const at = audio.currentTime + i * 0.19;
    const [tone, volume] = [audio.createOscillator(), audio.createGain()];
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.0001, at);
    volume.gain.exponentialRampToValueAtTime(0.25, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.17);
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 0.18);
  });
}

export function noticesAllowed(): boolean {
  return "Notification" in window && Notification.permission === "granted";
}

/** Asks the browser; has to be called from a click. */
export async function askForNotices(): Promise<boolean> {
  return "Notification" in window && (await Notification.requestPermission()) === "granted";
}

function notify(incident: Incident): void {
  const { language } = useSettings.getState();
  const t = translator(language);
  const camera = useLive.getState().cameras[incident.camera];
  const notice = new Notification(suspected(incident.kind, t), { body: cameraName(camera, incident.camera, t), tag: incident.id, lang: language });
  notice.onclick = () => {
    window.focus();
    go("wall", incident.id);
    notice.close();
  };
}

/** Watches for what arrives, for as long as the page is open. */
export function useAlarms(): void {
  useEffect(
    () =>
      useLive.subscribe((now, before) => {
        // The first list is no news.
        if (now.incidents === before.incidents || !before.loaded) return;
        const fresh = arrivals(before.incidents, now.incidents).slice(0, 3);
        if (fresh.length === 0) return;
        const { sound, notices } = useSettings.getState();
        if (sound) chime(fresh.some((i) => i.severity === "high"));
        if (notices && noticesAllowed() && !document.hasFocus()) fresh.forEach(notify);
      }),
    [],
  );
}
