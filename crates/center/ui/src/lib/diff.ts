/** Differences between two texts by line, and the joining of two changes of one text. */

export interface Change {
  /** Lines `from..to` of the old text (from 0, `to` excluded) … */
  from: number;
  to: number;
  /** … have become these. */
  lines: string[];
}

/** Beyond it (lines of one text times lines of the other, after what is equal at both ends) all in between counts as changed. */
const MAX_CELLS = 6_000_000;

export function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** The fewest changes that lead from one text to the other, in order (longest common subsequence). */
export function changes(old: readonly string[], next: readonly string[]): Change[] {
  let start = 0;
  while (start < old.length && start < next.length && old[start] === next[start]) start++;
  let end = 0;
  while (end < old.length - start && end < next.length - start && old[old.length - 1 - end] === next[next.length - 1 - end]) end++;
  const [a, b] = [old.slice(start, old.length - end), next.slice(start, next.length - end)];
  if (a.length === 0 && b.length === 0) return [];
  if (a.length * b.length > MAX_CELLS || a.length === 0 || b.length === 0) return [{ from: start, to: start + a.length, lines: b }];

  const wide = b.length + 1;
  const length = new Uint32Array((a.length + 1) * wide);
  const at = (i: number, j: number) => length[i * wide + j] as number;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) length[i * wide + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  }
  const found: Change[] = [];
  let [i, j] = [0, 0];
  let open: Change | null = null;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      open = null;
      i++;
      j++;
      continue;
    }
    if (!open) found.push((open = { from: start + i, to: start + i, lines: [] }));
    if (i < a.length && (j >= b.length || at(i + 1, j) >= at(i, j + 1))) {
      i++;
      open.to++;
    } else open.lines.push(b[j++] as string);
  }
  return found;
}

export type Row = { kind: "same" | "old" | "new"; text: string; old: number | null; next: number | null } | { kind: "skip"; count: number };

/** The difference as rows to read: changed lines with some around them, and how many are left out. Numbers from 1. */
export function diffRows(old: string, next: string, around = 3): Row[] {
  const [a, b] = [linesOf(old), linesOf(next)];
  const found = changes(a, b);
  const rows: Row[] = [];
  let [i, shift] = [0, 0];
  const same = (upTo: number, first: boolean, last: boolean) => {
    const [head, tail] = [first ? 0 : around, last ? 0 : around];
    const skipped = upTo - i - head - tail;
    const say = (line: number) => rows.push({ kind: "same", text: a[line] ?? "", old: line + 1, next: line + 1 + shift });
    if (skipped > 1) {
      for (let line = i; line < i + head; line++) say(line);
      rows.push({ kind: "skip", count: skipped });
      for (let line = upTo - tail; line < upTo; line++) say(line);
    } else for (let line = i; line < upTo; line++) say(line);
    i = upTo;
  };
  found.forEach((change, n) => {
    same(change.from, n === 0, false);
    for (; i < change.to; i++) rows.push({ kind: "old", text: a[i] ?? "", old: i + 1, next: null });
    change.lines.forEach((text, k) => rows.push({ kind: "new", text, old: null, next: change.from + shift + k + 1 }));
    shift += change.lines.length - (change.to - change.from);
  });
  if (found.length > 0) same(a.length, false, true);
  return rows;
}

export function counts(rows: readonly Row[]): { added: number; removed: number } {
  return { added: rows.filter((r) => r.kind === "new").length, removed: rows.filter((r) => r.kind === "old").length };
}

export type Merged = { kind: "agreed"; lines: string[] } | { kind: "conflict"; base: string[]; mine: string[]; theirs: string[] };

/** Both changes of one text together; where both changed the same lines in different ways there is a conflict for a person. */
export function merge(base: string, mine: string, theirs: string): Merged[] {
  const lines = linesOf(base);
  const [ours, others] = [changes(lines, linesOf(mine)), changes(lines, linesOf(theirs))];
  const out: Merged[] = [];
  const agree = (more: string[]) => {
    const last = out.at(-1);
    if (more.length === 0) return;
    if (last?.kind === "agreed") last.lines.push(...more);
    else out.push({ kind: "agreed", lines: [...more] });
  };
  let [at, m, t] = [0, 0, 0];
  while (m < ours.length || t < others.length) {
    const start = Math.min(ours[m]?.from ?? Infinity, others[t]?.from ?? Infinity);
    agree(lines.slice(at, start));
    // All changes of both that touch each other are one region.
    let end = start;
    const [firstMine, firstTheirs] = [m, t];
    const touches = (change: Change | undefined, first: boolean) => change !== undefined && (change.from < end || (change.from === start && first) || (change.from === end && change.from === start));
    for (let grown = true; grown; ) {
      grown = false;
      while (touches(ours[m], m === firstMine)) [end, grown] = [Math.max(end, (ours[m++] as Change).to), true];
      while (touches(others[t], t === firstTheirs)) [end, grown] = [Math.max(end, (others[t++] as Change).to), true];
    }
    const taken = (list: Change[]) => applied(lines, start, end, list);
    const [a, b] = [ours.slice(firstMine, m), others.slice(firstTheirs, t)];
    const [own, other] = [taken(a), taken(b)];
    if (b.length === 0 || own.join("\n") === other.join("\n")) agree(own);
    else if (a.length === 0) agree(other);
    else out.push({ kind: "conflict", base: lines.slice(start, end), mine: own, theirs: other });
    at = end;
  }
  agree(lines.slice(at));
  return out;
}

function applied(lines: string[], start: number, end: number, list: Change[]): string[] {
  const out: string[] = [];
  let at = start;
  for (const change of list) {
    out.push(...lines.slice(at, change.from), ...change.lines);
    at = change.to;
  }
  return [...out, ...lines.slice(at, end)];
}

/** The joined text, with each conflict decided in order. */
export function resolved(parts: readonly Merged[], choices: readonly ("mine" | "theirs")[]): string {
  let n = 0;
  const lines = parts.flatMap((part) => (part.kind === "agreed" ? part.lines : part[choices[n++] ?? "theirs"]));
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}
