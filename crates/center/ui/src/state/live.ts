/** What the page knows at this moment: cameras, nodes and recent incidents, kept fresh by the live feed. */
import { create } from "zustand";
import type { Camera, Case, Incident, LiveMessage, Node } from "../api/types";

export type Connection = "connecting" | "open" | "lost";

export interface LiveState {
  connection: Connection;
  /** Milliseconds to add to this machine's clock to get the center's. */
  clockOffset: number;
  cameras: Record<string, Camera>;
  nodes: Record<string, Node>;
  incidents: Record<string, Incident>;
  /** Cases that changed since the page was opened. */
  cases: Record<string, Case>;
  loaded: boolean;
  /** More wait to be checked than were read. */
  more: boolean;
  /** Grows with each piece of news about a roof. */
  roofs: number;
  /** Grows with each message that may have been missed: lists read again when it changes. */
  epoch: number;
}

export const empty: LiveState = {
  connection: "connecting",
  clockOffset: 0,
  cameras: {},
  nodes: {},
  incidents: {},
  cases: {},
  loaded: false,
  more: false,
  roofs: 0,
  epoch: 0,
};

/** Incidents kept in memory; beyond it the oldest that are judged and over go first. */
export const KEPT = 1500;

/**
 * Who looks at an incident. Only messages about claims and the incident itself name them; lists, the node's news and
 * answers to a deed do not, and take nobody away. What lets an incident go is a message that tells nothing else.
 */
function claimedBy(old: Incident, next: Incident, told: boolean): string | null {
  if (next.claimed_by !== null || old.claimed_by === null) return next.claimed_by;
  const alone =
    next.sequence === old.sequence &&
    next.judged_at === old.judged_at &&
    next.case_id === old.case_id &&
    next.muted === old.muted &&
    next.evidence.every((role) => old.evidence.includes(role));
  return told && alone ? null : old.claimed_by;
}

/**
 * The newer of two versions of one incident. The node writes its course (`sequence` grows), people write its status
 * (`judged_at` grows), and answers may overtake each other on the way: so each half is taken from where it is newer.
 * `told` is what the live feed brought, not what was read.
 */
export function newer(old: Incident | undefined, next: Incident, told = false): Incident {
  if (!old) return next;
  const course = next.sequence >= old.sequence ? next : old;
  const judged = (next.judged_at ?? "") >= (old.judged_at ?? "") ? next : old;
  const evidence = [...new Set([...old.evidence, ...next.evidence])];
  return {
    ...course,
    status: judged.status,
    judged_by: judged.judged_by,
    judged_at: judged.judged_at,
    reason: judged.reason,
    evidence,
    // Neither of the two: what came last holds.
    muted: next.muted,
    // What is judged waits for nobody.
    claimed_by: judged.status === "new" ? claimedBy(old, next, told) : null,
    case_id: next.case_id ?? old.case_id,
  };
}

function pruned(incidents: Record<string, Incident>): Record<string, Incident> {
  const all = Object.values(incidents);
  if (all.length <= KEPT) return incidents;
  const needed = (i: Incident) => (i.status === "new" ? 2 : 0) + (i.phase === "ended" ? 0 : 1);
  all.sort((a, b) => needed(b) - needed(a) || b.started_at.localeCompare(a.started_at));
  return Object.fromEntries(all.slice(0, KEPT).map((i) => [i.id, i]));
}

/** Takes in a list that was read, or what the live feed told. */
export function withIncidents(state: LiveState, list: Incident[], told = false): LiveState {
  const incidents = { ...state.incidents };
  for (const incident of list) incidents[incident.id] = newer(incidents[incident.id], incident, told);
  return { ...state, incidents: pruned(incidents) };
}

/** Takes in one message of the live feed. */
export function reduce(state: LiveState, message: LiveMessage, now: number): LiveState {
  switch (message.type) {
    case "hello":
      return { ...state, clockOffset: Date.parse(message.server_time) - now, epoch: state.epoch + 1 };
    case "incident":
      return withIncidents(state, [message.incident], true);
    case "case":
      return { ...state, cases: { ...state.cases, [message.case.id]: message.case } };
    case "camera":
      return { ...state, cameras: { ...state.cameras, [message.camera.camera]: message.camera } };
    case "camera_removed": {
      const { [message.camera]: _, ...cameras } = state.cameras;
      return { ...state, cameras };
    }
    case "node":
      return { ...state, nodes: { ...state.nodes, [message.node.node]: message.node } };
    case "roof":
      return { ...state, roofs: state.roofs + 1 };
    case "resync":
      return { ...state, epoch: state.epoch + 1 };
    default:
      return state;
  }
}

/** The order of work: what nobody has judged first, then what still goes on, then the newest. */
export function byUrgency(a: Incident, b: Incident): number {
  const rank = (i: Incident) => (i.status === "new" ? 0 : 2) + (i.phase === "ended" ? 1 : 0);
  return rank(a) - rank(b) || b.started_at.localeCompare(a.started_at) || a.id.localeCompare(b.id);
}

/** The incident to look at after (or before) this one among `queue`; wraps round; `null` when there is no other. */
export function neighbour(queue: Incident[], id: string | null, step: 1 | -1): string | null {
  if (queue.length === 0) return null;
  const at = queue.findIndex((i) => i.id === id);
  if (at < 0) return queue[step > 0 ? 0 : queue.length - 1]?.id ?? null;
  const next = queue[(at + step + queue.length) % queue.length];
  return next && next.id !== id ? next.id : null;
}

export interface LiveActions {
  receive(message: LiveMessage): void;
  connected(connection: Connection): void;
  load(cameras: Camera[], nodes: Node[], incidents: Incident[], more: boolean): void;
  put(incidents: Incident[]): void;
  putCase(fresh: Case): void;
}

export const useLive = create<LiveState & LiveActions>((set) => ({
  ...empty,
  receive: (message) => set((state) => reduce(state, message, Date.now())),
  connected: (connection) => set({ connection }),
  load: (cameras, nodes, incidents, more) =>
    set((state) => ({
      ...withIncidents(state, incidents),
      cameras: Object.fromEntries(cameras.map((c) => [c.camera, c])),
      nodes: Object.fromEntries(nodes.map((n) => [n.node, n])),
      loaded: true,
      more,
    })),
  put: (incidents) => set((state) => withIncidents(state, incidents)),
  putCase: (fresh) => set((state) => ({ cases: { ...state.cases, [fresh.id]: fresh } })),
}));
