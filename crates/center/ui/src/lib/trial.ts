/** What a draft would have raised, beside what the file in force would have. */
import type { Raised, Span } from "../api/setup";

export interface Pair {
  draft: Raised | null;
  current: Raised | null;
}
export type Verdict = "new" | "both" | "gone" | "alone";

/** Starts farther apart than this are two things. */
const APART_MS = 30_000;

export function overlap(a: Raised["bbox"], b: Raised["bbox"]): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  const surface = (box: Raised["bbox"]) => (box[2] - box[0]) * (box[3] - box[1]);
  return shared / (surface(a) + surface(b) - shared);
}

const endOf = (one: Raised) => (one.ended_at === null ? Infinity : Date.parse(one.ended_at));

/** Whether both lists mean one thing: the same kind, at one place, at one time. */
function alike(a: Raised, b: Raised): boolean {
  if (a.kind !== b.kind || a.preset !== b.preset) return false;
  const together = Date.parse(a.at) <= endOf(b) + APART_MS && Date.parse(b.at) <= endOf(a) + APART_MS;
  return together && overlap(a.bbox, b.bbox) > 0.2;
}

/** Both lists as one, by time, each thing once. */
export function pairs(draft: readonly Raised[], current: readonly Raised[] | null): Pair[] {
  const rest = [...(current ?? [])];
  const both = draft.map((one): Pair => {
    const nearest = rest.filter((other) => alike(one, other)).sort((a, b) => Math.abs(Date.parse(a.at) - Date.parse(one.at)) - Math.abs(Date.parse(b.at) - Date.parse(one.at)))[0];
    if (nearest) rest.splice(rest.indexOf(nearest), 1);
    return { draft: one, current: nearest ?? null };
  });
  const at = ({ draft, current }: Pair) => Date.parse((draft ?? current)?.at ?? "");
  return [...both, ...rest.map((one): Pair => ({ draft: null, current: one }))].sort((a, b) => at(a) - at(b));
}

export function verdictOf(pair: Pair, compared: boolean): Verdict {
  if (!compared) return "alone";
  return pair.draft === null ? "gone" : pair.current === null ? "new" : "both";
}

/** At most so much is tried at once. */
export const MAX_HOURS = 6;
const HOUR = 3_600_000;

/** The last `hours` of what was recorded; `null` when nothing was. */
export function lastHours(spans: readonly Span[], hours: number): Span | null {
  const last = spans.at(-1);
  const first = spans[0];
  if (!last || !first) return null;
  const to = Date.parse(last.to);
  const from = Math.max(Date.parse(first.from), to - hours * HOUR);
  return { from: new Date(from).toISOString(), to: last.to };
}

/** How much of a span was recorded, in seconds. */
export function recordedSeconds(spans: readonly Span[], { from, to }: Span): number {
  const [start, end] = [Date.parse(from), Date.parse(to)];
  return spans.reduce((sum, s) => sum + Math.max(0, Math.min(end, Date.parse(s.to)) - Math.max(start, Date.parse(s.from))), 0) / 1000;
}

/** What is wrong with a span that was asked for. */
export function spanFault(spans: readonly Span[], { from, to }: Span): "order" | "long" | "nothing" | null {
  const length = Date.parse(to) - Date.parse(from);
  if (!(length > 0)) return "order";
  if (length > MAX_HOURS * HOUR + 1000) return "long";
  return recordedSeconds(spans, { from, to }) > 0 ? null : "nothing";
}

/** An instant as a field for date and time of this machine shows it, and back. */
export function localOf(instant: string): string {
  const at = new Date(instant);
  if (Number.isNaN(at.getTime())) return "";
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
export function instantOf(local: string): string | null {
  const at = new Date(local);
  return Number.isNaN(at.getTime()) ? null : at.toISOString();
}
