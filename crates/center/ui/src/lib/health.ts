/** A camera's condition in one word: the node's silence counts more than what it last said. */
import type { Camera } from "../api/types";

export type Condition = Camera["state"] | "node_offline";
export type Tone = "good" | "warn" | "bad" | "off";

export function condition(camera: Camera): Condition {
  return camera.node_online ? camera.state : "node_offline";
}

export function tone(of: Condition): Tone {
  switch (of) {
    case "streaming":
      return "good";
    case "connecting":
    case "frozen":
      return "warn";
    case "disabled":
      return "off";
    default:
      return "bad";
  }
}

const WORST: Record<Tone, number> = { bad: 0, warn: 1, off: 2, good: 3 };

/** Trouble first, then by name. */
export function byTrouble(a: Camera, b: Camera): number {
  return WORST[tone(condition(a))] - WORST[tone(condition(b))] || cameraName(a).localeCompare(cameraName(b), "zh-CN");
}

export function cameraName(camera: Pick<Camera, "camera" | "name"> | undefined, id?: string): string {
  return camera?.name ?? camera?.camera ?? id ?? "";
}
