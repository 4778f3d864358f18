/** Calls about a node's pipeline file: its text and what it says, edits, cameras by address, baselines and trials. */
import { ApiError, call, caller, change, isMissing, queryOf } from "./client";
import type { Point, Problem } from "./types";

export const PURPOSES = ["bay", "forbidden", "roadway", "sidewalk", "fire_lane", "roof", "area", "ignore"] as const;
export type Purpose = (typeof PURPOSES)[number];
export const RULE_KINDS = ["misparked_ebike", "occupied_roadway", "stray_dog", "rooftop_structure"] as const;
export type RuleKind = (typeof RULE_KINDS)[number];

/** A mistake in the text. Line and column from 1, `from` and `to` from 0, all in characters. */
export interface SetupProblem {
  path: string;
  message: string;
  hint: string | null;
  line: number;
  column: number;
  from: number;
  to: number;
}
export type Membership = "foot_point" | { overlap: number };
export interface SetupZone {
  zone: string;
  purpose: Purpose;
  polygon: Point[];
  membership: Membership | null;
  labels: string[] | null;
}
export interface SetupLine {
  line: string;
  points: Point[];
}
export type Options = Record<string, unknown>;
export interface SetupRule {
  rule: string;
  kind: RuleKind;
  options: Options;
}
/** What a fixed camera sees (`preset: null`), or a dome at one of its presets. */
export interface SetupView {
  preset: string | null;
  name: string | null;
  reference_pictures: number;
  background: boolean;
  baseline: boolean;
  zones: SetupZone[];
  lines: SetupLine[];
  rules: SetupRule[];
}
/** What is left out has a default. */
export interface Recording {
  hours?: number;
  megabytes?: number;
}
export interface SetupCamera {
  camera: string;
  name: string | null;
  site: string | null;
  disabled: boolean;
  synthetic: boolean;
  dome: boolean;
  model: string | null;
  source: {
    kind: string | null;
    address: string | null;
    substream: string | null;
    username: string | null;
    password: "none" | "file" | "environment" | "address";
    analysed_fps: number | null;
  };
  recording: Recording | null;
  views: SetupView[];
}
export interface Model {
  models: string[];
  cameras: SetupCamera[];
}
export interface SetupVersion {
  version: string;
  saved_at: string;
  revision: string;
  bytes: number;
}
export interface SetupFile {
  file: string;
  revision: string;
  text: string;
  problems: SetupProblem[];
  model: Model | null;
  hot_reload: boolean;
  versions: SetupVersion[];
}
export interface Draft {
  text: string;
  revision: string;
  changed: boolean;
  problems: SetupProblem[];
  model: Model | null;
}

/** In an edit a key that is absent leaves the option as it is, and `null` takes it out. */
export interface PutCamera {
  op: "put_camera";
  camera: string;
  name?: string | null;
  url?: string | null;
  substream_url?: string | null;
  username?: string | null;
  password?: string | null;
  transport?: "tcp" | "udp" | "auto" | null;
  disabled?: boolean | null;
  synthetic?: boolean | null;
  model?: string | null;
  analysed_fps?: number | null;
  recording?: Recording | null;
}
interface InView {
  camera: string;
  preset: string | null;
}
export type Edit =
  | PutCamera
  | { op: "remove_camera"; camera: string }
  | ({ op: "put_zone"; zone: string; purpose: Purpose; polygon: Point[]; membership?: Membership | null; labels?: string[] | null } & InView)
  | ({ op: "remove_zone"; zone: string } & InView)
  | ({ op: "put_line"; line: string; points: Point[] } & InView)
  | ({ op: "remove_line"; line: string } & InView)
  | ({ op: "put_rule"; rule: string; kind: RuleKind; options: Options } & InView)
  | ({ op: "remove_rule"; rule: string } & InView)
  | { op: "set"; path: string[]; value: unknown }
  | { op: "unset"; path: string[] };

export interface Saved {
  revision: string;
  previous: string;
  version: string;
}
export interface Device {
  address: string;
  host: string;
  name: string | null;
  hardware: string | null;
  /** The camera of the file that has this host already. */
  camera: string | null;
}
export interface StreamProfile {
  profile: string;
  name: string;
  codec: string | null;
  width: number | null;
  height: number | null;
  fps: number | null;
  url: string | null;
  turns: boolean;
}
export interface Probe {
  manufacturer: string | null;
  model: string | null;
  firmware: string | null;
  turns: boolean;
  profiles: StreamProfile[];
  url: string | null;
  substream_url: string | null;
}
export type StillRequest =
  | { url: string; username?: string | null; password?: string | null; transport?: "tcp" | "udp" | "auto" }
  | { text: string; camera: string };

export type Standing = "proposed" | "in_force" | "replaced" | "rejected";
export interface Baseline {
  baseline: string;
  captured_at: string;
  season: string;
  part_of_day: string;
  standing: Standing;
  at: string;
  by: string;
  act: "proposed" | "approved" | "rejected";
  reason: string;
}
export interface BaselineView {
  preset: string | null;
  can_propose: boolean;
  baselines: Baseline[];
}

export interface Span {
  from: string;
  to: string;
}
export interface RecordingState {
  recording: boolean;
  bytes: number;
  spans: Span[];
}
/** Something that would have been raised. */
export interface Raised {
  number: number;
  at: string;
  ended_at: string | null;
  kind: string;
  rule: string;
  zone: string | null;
  preset: string | null;
  bbox: [number, number, number, number];
  confidence: number;
  severity: string;
  picture: boolean;
}
export interface Trial {
  trial: string;
  camera: string;
  state: "running" | "done" | "cancelled" | "failed";
  detail: string | null;
  from: string;
  to: string;
  analysed_seconds: number;
  total_seconds: number;
  share: number;
  draft: Raised[];
  current: Raised[] | null;
}

/** A node, named by its site and its id. */
export interface Place {
  site: string;
  node: string;
}

/** A picture that was made for one question, and its size. */
export interface Still {
  picture: Blob;
  width: number;
  height: number;
}

/** All that is asked of one node's setup. */
export function setupOf({ site, node }: Place) {
  const base = `/api/sites/${encodeURIComponent(site)}/nodes/${encodeURIComponent(node)}/setup`;
  const camera = (id: string) => `${base}/cameras/${encodeURIComponent(id)}`;
  const ofPreset = (preset: string | null) => (preset === null ? "" : `?${queryOf({ preset })}`);
  return {
    read: () => call<SetupFile>(base),
    draft: (text: string, edits: Edit[]) => change<Draft>("POST", `${base}/draft`, { text, edits }),
    save: (revision: string, text: string, reason: string | null) => change<Saved>("PUT", base, { base: revision, text, reason }),
    version: (version: string) => call<Omit<SetupVersion, "bytes"> & { text: string }>(`${base}/versions/${encodeURIComponent(version)}`),

    discover: (seconds: number) => change<{ devices: Device[] }>("POST", `${base}/discover`, { seconds }),
    probe: (address: string, username: string | null, password: string | null) => change<Probe>("POST", `${base}/probe`, { address, username, password }),
    still: (request: StillRequest) => stillFrom(`${base}/still`, request),
    referenceUrl: (id: string, preset: string) => `${camera(id)}/reference.jpg?${queryOf({ preset })}`,

    baselines: (id: string) => call<BaselineView[]>(`${camera(id)}/baselines`),
    baselineUrl: (id: string, preset: string | null, baseline: string) => `${camera(id)}/baselines/${encodeURIComponent(baseline)}/picture.jpg${ofPreset(preset)}`,
    judgeBaseline: (id: string, preset: string | null, act: "propose" | "approve" | "reject", baseline: string | null, reason: string) =>
      change<Baseline>("POST", `${camera(id)}/baselines`, { preset, act, baseline, reason }),

    recording: (id: string) => call<RecordingState>(`${camera(id)}/recording`),
    startTrial: (text: string, id: string, span: Span, compare: boolean) => change<Trial>("POST", `${base}/trial`, { text, camera: id, ...span, compare }),
    /** `null` when none was ever started. */
    trial: () =>
      call<Trial>(`${base}/trial`).catch((error: unknown) => {
        if (isMissing(error)) return null;
        throw error;
      }),
    cancelTrial: () => change<void>("DELETE", `${base}/trial`),
    trialPictureUrl: (trial: string, number: number, of: "draft" | "current") => `${base}/trial/${encodeURIComponent(trial)}/${number}/picture.jpg?${queryOf({ of })}`,
  };
}
export type SetupCalls = ReturnType<typeof setupOf>;

/** The latest picture of a camera that runs. */
export function liveUrl(camera: string): string {
  return `/api/cameras/${encodeURIComponent(camera)}/live.jpg`;
}

async function stillFrom(path: string, request: StillRequest): Promise<Still> {
  const headers = new Headers({ accept: "image/jpeg, application/problem+json", "content-type": "application/json" });
  if (caller.csrf !== null) headers.set("x-parapet-csrf", caller.csrf);
  let response: Response;
  try {
    response = await fetch(path, { method: "POST", headers, body: JSON.stringify(request) });
  } catch (error) {
    throw new ApiError(0, null, error instanceof Error ? error.message : String(error));
  }
  if (!response.ok) {
    const isProblem = response.headers.get("content-type")?.startsWith("application/problem+json") ?? false;
    if (response.status === 401) caller.signedOut();
    throw new ApiError(response.status, isProblem ? ((await response.json()) as Problem) : null, `HTTP ${response.status}`);
  }
  return { picture: await response.blob(), width: Number(response.headers.get("x-width")) || 0, height: Number(response.headers.get("x-height")) || 0 };
}
