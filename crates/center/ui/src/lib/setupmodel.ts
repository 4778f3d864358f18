/** What a file says as the page can show it: the node tells it as it is written, also where it is wrong. */
import { PURPOSES, RULE_KINDS, type Membership, type Model, type SetupCamera, type SetupView } from "../api/setup";

const isTable = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

/** Without zones and rules of a kind that there is not, and options that are none: the problems name them, the text has them. */
export function showable(model: Model): Model {
  return { ...model, cameras: model.cameras.map((camera): SetupCamera => ({ ...camera, recording: recordingOf(camera.recording), views: camera.views.map(showableView) })) };
}

function showableView(view: SetupView): SetupView {
  return {
    ...view,
    zones: view.zones.filter((zone) => PURPOSES.includes(zone.purpose)).map((zone) => ({ ...zone, membership: membershipOf(zone.membership) })),
    rules: view.rules.filter((rule) => RULE_KINDS.includes(rule.kind) && isTable(rule.options)),
  };
}

function membershipOf(value: unknown): Membership | null {
  if (value === "foot_point") return value;
  return isTable(value) && typeof value["overlap"] === "number" ? { overlap: value["overlap"] } : null;
}

function recordingOf(value: unknown): SetupCamera["recording"] {
  if (!isTable(value)) return null;
  const number = (name: string) => (typeof value[name] === "number" ? { [name]: value[name] as number } : {});
  return { ...number("hours"), ...number("megabytes") };
}
