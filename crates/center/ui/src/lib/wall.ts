/** Which cameras a wall shows, in what order, and which of them stands large. */
import type { Camera, Incident } from "../api/types";
import { byUrgency } from "../state/live";
import { cameraName } from "./health";

/** Cameras in their fixed order; pinned ones first, then those with something to check when not all fit. */
export function arrange(cameras: Camera[], alarms: Map<string, Incident[]>, perPage: number, pinned: readonly string[] = []): Camera[] {
  const ordered = [...cameras].sort((a, b) => cameraName(a).localeCompare(cameraName(b), "zh-CN"));
  const rank = (c: Camera) => (pinned.includes(c.camera) ? 0 : ordered.length > perPage && isUrgent(alarms.get(c.camera)) ? 1 : 2);
  return ordered.sort((a, b) => rank(a) - rank(b));
}

function isUrgent(alarms: Incident[] | undefined): boolean {
  return alarms?.some((i) => i.status === "new") ?? false;
}

/** Incidents that go on, are neither dismissed nor muted, by camera. */
export function alarmsByCamera(incidents: Incident[]): Map<string, Incident[]> {
  const all = new Map<string, Incident[]>();
  for (const incident of [...incidents].sort(byUrgency)) {
    if (incident.phase === "ended" || incident.status === "dismissed" || incident.muted) continue;
    all.set(incident.camera, [...(all.get(incident.camera) ?? []), incident]);
  }
  return all;
}

/** A group in one word, as it is kept: `all`, `site:garden`, `node:n1`, `own:gates`. */
export function inGroup(camera: Camera, group: string, own: Record<string, string[]>): boolean {
  const [by = "all", ...rest] = group.split(":");
  const id = rest.join(":");
  switch (by) {
    case "site":
      return camera.site === id;
    case "node":
      return camera.node === id;
    case "own":
      return own[id]?.includes(camera.camera) ?? false;
    default:
      return true;
  }
}

/** What one of several screens shows: neighbours stay on one screen, and the shares differ by one at most. */
export function share<T>(all: T[], screen: number, screens: number): T[] {
  const cut = (n: number) => Math.round((n * all.length) / Math.max(1, screens));
  return all.slice(cut(screen - 1), cut(screen));
}

/** The camera that stands large: the one with the newest alarm that nobody has judged. */
export function foremost(shown: Camera[], alarms: Map<string, Incident[]>): string | null {
  let best: { camera: string; at: string } | null = null;
  for (const { camera } of shown) {
    for (const incident of alarms.get(camera) ?? []) {
      if (incident.status === "new" && (best === null || incident.started_at > best.at)) best = { camera, at: incident.started_at };
    }
  }
  return best?.camera ?? null;
}

/** From how many tiles on one of them may take the room of four. */
export const LARGE_FROM = 9;

/** One page of the wall. A large tile takes four places, so three cameras fewer fit. */
export function page(all: Camera[], alarms: Map<string, Incident[]>, perPage: number, number: number, forward: boolean, auto: boolean): { shown: Camera[]; large: string | null; cells: number } {
  const slots = all.slice(number * perPage, (number + 1) * perPage);
  const cells = auto ? slots.length : perPage;
  const large = forward && slots.length >= LARGE_FROM ? foremost(slots, alarms) : null;
  if (large === null) return { shown: slots, large, cells };
  if (auto) return { shown: slots, large, cells: cells + 3 };
  // The quiet ones at the end make room.
  const keep = [...slots.filter((c) => c.camera === large || isUrgent(alarms.get(c.camera))), ...slots.filter((c) => c.camera !== large && !isUrgent(alarms.get(c.camera)))].slice(0, Math.max(1, perPage - 3));
  return { shown: slots.filter((c) => keep.includes(c)), large, cells };
}
