/** Undo and redo of one value. Small steps of one thing (a corner nudged ten times, a number typed) are one step back. */

export interface History<T> {
  past: { value: T; tag: string | null }[];
  future: T[];
}

/** Steps that are kept. */
const KEPT = 200;

export const noHistory: History<never> = { past: [], future: [] };

/** `before` is about to be replaced; steps in a row with the same `tag` are one. */
export function remembered<T>(history: History<T>, before: T, tag: string | null): History<T> {
  if (tag !== null && history.future.length === 0 && history.past.at(-1)?.tag === tag) return history;
  return { past: [...history.past, { value: before, tag }].slice(-KEPT), future: [] };
}

/** One step back from `present`, or `null` when there is none. */
export function undone<T>(history: History<T>, present: T): { history: History<T>; present: T } | null {
  const last = history.past.at(-1);
  if (!last) return null;
  return { history: { past: history.past.slice(0, -1), future: [present, ...history.future] }, present: last.value };
}

/** One step forward again. What comes after it is a step of its own. */
export function redone<T>(history: History<T>, present: T): { history: History<T>; present: T } | null {
  const [next, ...future] = history.future;
  if (next === undefined) return null;
  return { history: { past: [...history.past, { value: present, tag: null }], future }, present: next };
}
