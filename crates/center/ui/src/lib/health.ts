/** A camera's condition in one word: the node's silence counts more than what it last said. */
import type { Camera } from "../api/types";
import type { Translate } from "../i18n";

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

/** The name under which surveys raise what drones saw, unless a node's file has another one: no camera of any node. */
const SURVEYS = "drone";

/** A camera's name, of what it raised also when there is no such camera (any more). */
export function cameraName(camera: Pick<Camera, "camera" | "name"> | undefined, id?: string, t?: Translate): string {
  return camera?.name ?? camera?.camera ?? (id === SURVEYS && t ? t("camera.surveys") : id) ?? "";
}
