/** The options of each kind of rule that have a field in the form; all others are changed in the file's text. */
import type { Purpose, RuleKind } from "../api/setup";

/** How an option is asked for. `share` is a part of a whole, shown in percent; tables have a value for each zone or class. */
export type FieldType = "seconds" | "share" | "number" | "count" | "flag" | "severity" | "labels" | "zones" | "zoneSeconds" | "labelSeconds" | "zoneSeverity";
export interface RuleField {
  name: OptionName;
  type: FieldType;
  /** What holds when it is left out; none: never, or all. */
  default?: number | boolean | string | readonly string[];
  /** Which zones may be named. */
  purposes?: readonly Purpose[];
  /** Shown without being asked for. */
  first?: boolean;
}
export type OptionName =
  | "limit_seconds" | "severity" | "zones" | "bays" | "forbidden" | "outside_bays" | "covered_fraction" | "vehicles" | "objects" | "cool_down_seconds" | "min_score" | "labels"
  | "label_limit_seconds" | "zone_limit_seconds" | "zone_severity" | "count_from_start" | "min_object_area" | "absence_seconds" | "find_seconds" | "attended_seconds" | "person_meters" | "person_heights"
  | "group_lengths" | "min_evidence" | "min_share" | "count_still" | "still_min_score" | "min_area" | "min_on_roof" | "min_visits" | "gone_visits";

const limit = (seconds: number): RuleField => ({ name: "limit_seconds", type: "seconds", default: seconds, first: true });
const severity: RuleField = { name: "severity", type: "severity", default: "medium", first: true };
const coolDown = (seconds: number): RuleField => ({ name: "cool_down_seconds", type: "seconds", default: seconds });
const minScore = (share: number): RuleField => ({ name: "min_score", type: "share", default: share });
const zoneLimit: RuleField = { name: "zone_limit_seconds", type: "zoneSeconds" };
const labelLimit: RuleField = { name: "label_limit_seconds", type: "labelSeconds" };
const fromStart: RuleField = { name: "count_from_start", type: "flag", default: true };

export const RULE_FIELDS: Record<RuleKind, readonly RuleField[]> = {
  misparked_ebike: [
    limit(120),
    severity,
    { name: "forbidden", type: "zones", purposes: ["forbidden"], first: true },
    { name: "bays", type: "zones", purposes: ["bay"], first: true },
    { name: "outside_bays", type: "flag", default: true, first: true },
    coolDown(60),
    minScore(0.2),
    fromStart,
    { name: "labels", type: "labels", default: ["bicycle", "e-bike", "ebike", "moped", "motorcycle", "scooter"] },
    zoneLimit,
    labelLimit,
  ],
  occupied_roadway: [
    limit(180),
    severity,
    { name: "zones", type: "zones", purposes: ["roadway", "sidewalk", "fire_lane"], first: true },
    { name: "vehicles", type: "flag", default: true, first: true },
    { name: "objects", type: "flag", default: true, first: true },
    { name: "covered_fraction", type: "share", first: true },
    coolDown(60),
    minScore(0.25),
    { name: "min_object_area", type: "share", default: 0.0005 },
    fromStart,
    { name: "labels", type: "labels", default: ["bus", "car", "train", "tricycle", "truck", "van", "vehicle"] },
    zoneLimit,
    labelLimit,
    { name: "zone_severity", type: "zoneSeverity" },
  ],
  stray_dog: [
    limit(20),
    severity,
    { name: "zones", type: "zones", first: true },
    { name: "person_meters", type: "number", default: 4 },
    { name: "person_heights", type: "number", default: 2 },
    { name: "attended_seconds", type: "seconds", default: 2 },
    { name: "find_seconds", type: "seconds", default: 2 },
    { name: "absence_seconds", type: "seconds", default: 10 },
    coolDown(60),
    { name: "group_lengths", type: "number", default: 4 },
    { name: "min_evidence", type: "number", default: 1.5 },
    { name: "min_share", type: "share", default: 0.5 },
    { name: "count_still", type: "flag", default: true },
    { name: "still_min_score", type: "share", default: 0.3 },
    { name: "labels", type: "labels", default: ["bear", "cow", "dog", "horse", "sheep"] },
    zoneLimit,
  ],
  rooftop_structure: [
    limit(3600),
    severity,
    { name: "zones", type: "zones", purposes: ["roof"], first: true },
    { name: "min_area", type: "share", default: 0.001, first: true },
    { name: "min_visits", type: "count", default: 3 },
    { name: "gone_visits", type: "count", default: 3 },
    { name: "min_on_roof", type: "share", default: 0.5 },
    minScore(0.3),
    coolDown(600),
    zoneLimit,
  ],
};

/** Options that have a part of the form, or only the text, for themselves. */
export const OWN_OPTIONS = ["schedule", "ground"];

/** Options of this rule that the form does not show. */
export function unshown(kind: RuleKind, options: Record<string, unknown>): string[] {
  const known = new Set<string>([...RULE_FIELDS[kind].map((field) => field.name), "schedule"]);
  return Object.keys(options).filter((name) => !known.has(name));
}

/** A part of a whole in percent, without the noise of binary fractions, and back. */
export const percentOf = (share: number) => Number((share * 100).toFixed(4));
export const shareOf = (percent: number) => Number((Math.min(100, Math.max(0, percent)) / 100).toFixed(6));

export const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Weekday = (typeof WEEKDAYS)[number];
export const ON_HOLIDAYS = ["closed", "open", "only"] as const;
export interface Schedule {
  time_zone?: string;
  weekdays?: Weekday[];
  hours?: string[];
  holidays?: string[];
  extra_days?: string[];
  on_holidays?: (typeof ON_HOLIDAYS)[number];
}

/** `"07:00-19:00"` as from and to; `null` for what is none. */
export function hoursOf(text: string): { from: string; to: string } | null {
  const [, from, to] = /^(\d{2}:\d{2})-(\d{2}:\d{2})$/.exec(text) ?? [];
  return from && to ? { from, to } : null;
}

/** The schedule without what says nothing; `null` when nothing is left. */
export function trimmed(schedule: Schedule): Schedule | null {
  const said = Object.entries(schedule).filter(([, value]) => value !== undefined && value !== "" && !(Array.isArray(value) && value.length === 0));
  return said.length === 0 ? null : Object.fromEntries(said);
}
