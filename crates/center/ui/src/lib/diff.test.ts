import { describe, expect, it } from "vitest";
import { changes, counts, diffRows, linesOf, merge, resolved } from "./diff";

const text = (...lines: string[]) => lines.map((line) => `${line}\n`).join("");
const base = text("[cameras.gate]", 'name = "东门"', "", "[cameras.gate.rules.bikes.misparked_ebike]", "limit_seconds = 120", "", "[cameras.yard]", 'name = "花园"');

describe("a difference", () => {
  it("is the fewest lines, each with its number in its own text", () => {
    const next = base.replace("limit_seconds = 120", "limit_seconds = 30\ncool_down_seconds = 60");
    expect(changes(linesOf(base), linesOf(next))).toEqual([{ from: 4, to: 5, lines: ["limit_seconds = 30", "cool_down_seconds = 60"] }]);
    const rows = diffRows(base, next, 1);
    expect(rows).toEqual([
      { kind: "skip", count: 3 },
      { kind: "same", text: "[cameras.gate.rules.bikes.misparked_ebike]", old: 4, next: 4 },
      { kind: "old", text: "limit_seconds = 120", old: 5, next: null },
      { kind: "new", text: "limit_seconds = 30", old: null, next: 5 },
      { kind: "new", text: "cool_down_seconds = 60", old: null, next: 6 },
      { kind: "same", text: "", old: 6, next: 7 },
      { kind: "skip", count: 2 },
    ]);
    expect(counts(rows)).toEqual({ added: 2, removed: 1 });
  });

  it("of equal texts is nothing, and of a text with nothing is all of it", () => {
    expect(diffRows(base, base)).toEqual([]);
    expect(counts(diffRows("", base))).toEqual({ added: 8, removed: 0 });
    expect(counts(diffRows(base, ""))).toEqual({ added: 0, removed: 8 });
  });

  it("does not take another line ending for a change", () => {
    expect(diffRows(base, base.replaceAll("\n", "\r\n"))).toEqual([]);
  });

  it("applied to the old text gives the new one", () => {
    const next = base.replace("[cameras.yard]\n", "").replace("东门", "北门") + "disabled = true\n";
    const [old, found] = [linesOf(base), changes(linesOf(base), linesOf(next))];
    for (const { from, to, lines } of [...found].reverse()) old.splice(from, to - from, ...lines);
    expect(old).toEqual(linesOf(next));
  });
});

describe("two changes of one text", () => {
  const mine = base.replace("limit_seconds = 120", "limit_seconds = 30");
  it("are joined where they are in different places", () => {
    const theirs = base.replace("花园", "中心花园") + "disabled = true\n";
    const parts = merge(base, mine, theirs);
    expect(parts.every((part) => part.kind === "agreed")).toBe(true);
    expect(resolved(parts, [])).toBe(theirs.replace("limit_seconds = 120", "limit_seconds = 30"));
  });

  it("that are the same are no conflict", () => {
    expect(resolved(merge(base, mine, mine), [])).toBe(mine);
  });

  it("of the same lines are for a person to decide", () => {
    const theirs = base.replace("limit_seconds = 120", "limit_seconds = 300");
    const parts = merge(base, mine, theirs);
    expect(parts.filter((part) => part.kind === "conflict")).toEqual([{ kind: "conflict", base: ["limit_seconds = 120"], mine: ["limit_seconds = 30"], theirs: ["limit_seconds = 300"] }]);
    expect(resolved(parts, ["mine"])).toBe(mine);
    expect(resolved(parts, ["theirs"])).toBe(theirs);
  });

  it("at one place, both new lines, are a conflict and not shuffled", () => {
    const parts = merge(base, base + "a = 1\n", base + "b = 2\n");
    expect(parts.at(-1)).toEqual({ kind: "conflict", base: [], mine: ["a = 1"], theirs: ["b = 2"] });
    expect(resolved(parts, ["mine"])).toBe(base + "a = 1\n");
  });

  it("one of which takes out what the other changes, are a conflict", () => {
    const theirs = base.replace("limit_seconds = 120\n", "");
    expect(merge(base, mine, theirs).filter((p) => p.kind === "conflict")).toHaveLength(1);
    const wider = base.replace("[cameras.gate.rules.bikes.misparked_ebike]\nlimit_seconds = 120\n\n", "");
    expect(merge(base, mine, wider).filter((p) => p.kind === "conflict")).toHaveLength(1);
    expect(resolved(merge(base, mine, wider), ["theirs"])).toBe(wider);
  });
});
