/** Calls about a node's pipeline file: its text and what it says, edits, cameras by address, baselines and trials. */
import { ApiError, call, caller, change, isMissing, queryOf } from "./client";
import type { components } from "./schema";
import type { Box, Point, Problem } from "./types";

type Schemas = components["schemas"];
/** A shape of the API in which some parts are said more closely. */
type With<Shape, Parts> = Omit<Shape, keyof Parts> & Parts;

export type Purpose = Schemas["ZonePurpose"];
const ALL_PURPOSES: Record<Purpose, true> = { bay: true, forbidden: true, roadway: true, sidewalk: true, fire_lane: true, roof: true, area: true, ignore: true, private: true };
export const PURPOSES = Object.keys(ALL_PURPOSES) as Purpose[];
/** Rules are about neither: a mask is not looked at, and what is private is not shown. */
export const isMask = (purpose: Purpose | null) => purpose === "ignore" || purpose === "private";
export const RULE_KINDS = ["misparked_ebike", "occupied_roadway", "stray_dog", "rooftop_structure"] as const;
export type RuleKind = (typeof RULE_KINDS)[number];

export type SetupProblem = Schemas["SetupProblem"];
export type SetupVersion = Schemas["SetupVersion"];
export type Saved = Schemas["Saved"];
export type Device = Schemas["FoundDevice"];
export type StreamProfile = Schemas["DeviceProfile"];
export type Probe = Schemas["Device"];
export type Span = Schemas["RecordedSpan"];
export type RecordingState = Schemas["Recorded"];
export type BaselineAct = Schemas["BaselineAct"];

/**
 * The center passes on what a file says as it is written, right or wrong, and describes it as text, numbers and objects.
 * What the page can show of it is said here; `lib/setupmodel` leaves out the rest.
 */
export type Membership = "foot_point" | { overlap: number };
export type SetupZone = With<Schemas["SetupZone"], { purpose: Purpose; polygon: Point[]; membership: Membership | null }>;
export type SetupLine = With<Schemas["SetupLine"], { points: Point[] }>;
export type Options = Record<string, unknown>;
export type SetupRule = With<Schemas["SetupRule"], { kind: RuleKind; options: Options }>;
/** What a fixed camera sees (`preset: null`), or a dome at one of its presets. */
export type SetupView = With<Schemas["SetupView"], { zones: SetupZone[]; lines: SetupLine[]; rules: SetupRule[] }>;
/** What is left out has a default. */
export interface Recording {
  hours?: number;
  megabytes?: number;
}
export type SetupSource = With<Schemas["SetupSource"], { password: "none" | "file" | "environment" | "address" }>;
export type SetupCamera = With<Schemas["SetupCamera"], { source: SetupSource; recording: Recording | null; views: SetupView[] }>;
export type Model = With<Schemas["SetupModel"], { cameras: SetupCamera[] }>;
export type SetupFile = With<Omit<Schemas["SetupFile"], "schema">, { model: Model | null }>;
export type Draft = With<Schemas["Draft"], { model: Model | null }>;

/**
 * Edits go to the node as they are, and the API names no more of them than that they are objects. A key that is absent
 * leaves the option as it is, and `null` takes it out.
 */
export interface PutCamera {
  op: "put_camera";
  camera: string;
  name?: string | null;
  url?: string | null;
  substream_url?: string | null;
  username?: string | null;
  password?: string | null;
  transport?: Transport | null;
  disabled?: boolean | null;
  synthetic?: boolean | null;
  model?: string | null;
  analysed_fps?: number | null;
  spared?: boolean | null;
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

/** The words that nodes answer with are text to the API: the page has a text for each of these. */
export type Transport = "tcp" | "udp" | "auto";
export type Standing = "proposed" | "in_force" | "replaced" | "rejected";
export type Baseline = With<Schemas["Baseline"], { standing: Standing; act: "proposed" | "approved" | "rejected" }>;
export type BaselineView = With<Schemas["BaselineView"], { baselines: Baseline[] }>;
/** Something that would have been raised. */
export type Raised = With<Schemas["Raised"], { bbox: Box }>;
export type Trial = With<Schemas["Trial"], { state: "running" | "done" | "cancelled" | "failed"; draft: Raised[]; current: Raised[] | null }>;
/** An address, or a camera of a draft: the API has both in one shape. */
export type StillRequest = Required<Pick<Schemas["StillAsked"], "url">> & Pick<Schemas["StillAsked"], "username" | "password"> & { transport?: Transport } | { text: string; camera: string };

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
    version: (version: string) => call<Omit<Schemas["Earlier"], "model">>(`${base}/versions/${encodeURIComponent(version)}`),

    discover: (seconds: number) => change<Schemas["Discovered"]>("POST", `${base}/discover`, { seconds } satisfies Schemas["DiscoverAsked"]),
    probe: (address: string, username: string | null, password: string | null) => change<Probe>("POST", `${base}/probe`, { address, username, password } satisfies Schemas["ProbeAsked"]),
    still: (request: StillRequest) => stillFrom(`${base}/still`, request),
    referenceUrl: (id: string, preset: string) => `${camera(id)}/reference.jpg?${queryOf({ preset })}`,

    baselines: (id: string) => call<BaselineView[]>(`${camera(id)}/baselines`),
    baselineUrl: (id: string, preset: string | null, baseline: string) => `${camera(id)}/baselines/${encodeURIComponent(baseline)}/picture.jpg${ofPreset(preset)}`,
    judgeBaseline: (id: string, preset: string | null, act: BaselineAct, baseline: string | null, reason: string) =>
      change<Baseline>("POST", `${camera(id)}/baselines`, { preset, act, baseline, reason } satisfies Schemas["BaselineAsked"]),

    recording: (id: string) => call<RecordingState>(`${camera(id)}/recording`),
    startTrial: (text: string, id: string, span: Span, compare: boolean) => change<Trial>("POST", `${base}/trial`, { text, camera: id, ...span, compare } satisfies Schemas["TrialAsked"]),
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
