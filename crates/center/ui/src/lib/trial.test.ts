import { describe, expect, it } from "vitest";
import type { Raised } from "../api/setup";
import { instantOf, lastHours, localOf, overlap, pairs, recordedSeconds, spanFault, verdictOf } from "./trial";

const raised = (number: number, at: string, change: Partial<Raised> = {}): Raised => ({
  number,
  at: `2026-11-22T${at}Z`,
  ended_at: `2026-11-22T${at.slice(0, 6)}59Z`,
  kind: "misparked_ebike",
  rule: "bikes",
  zone: null,
  preset: null,
  bbox: [0.1, 0.1, 0.3, 0.3],
  confidence: 0.8,
  severity: "medium",
  picture: true,
  ...change,
});
const told = (list: ReturnType<typeof pairs>) => list.map((p) => [p.draft?.number ?? null, p.current?.number ?? null, verdictOf(p, true)]);

describe("what a draft would have raised", () => {
  it("is paired with what holds now, each thing once, by time", () => {
    const draft = [raised(1, "08:00:05"), raised(2, "09:00:00")];
    const current = [raised(1, "07:00:00"), raised(2, "08:00:15"), raised(3, "08:00:20")];
    expect(told(pairs(draft, current))).toEqual([
      [null, 1, "gone"],
      [1, 2, "both"],
      [null, 3, "gone"],
      [2, null, "new"],
    ]);
  });

  it("is another thing at another place, of another kind, or much later", () => {
    const one = [raised(1, "08:00:00")];
    for (const other of [raised(9, "08:00:00", { bbox: [0.6, 0.6, 0.9, 0.9] }), raised(9, "08:00:00", { kind: "stray_dog" }), raised(9, "08:10:00")]) {
      expect(told(pairs(one, [other])).map((p) => p[2]).sort(), JSON.stringify(other)).toEqual(["gone", "new"]);
    }
    // What has not ended yet may have begun long before.
    expect(told(pairs([raised(1, "08:00:00", { ended_at: null })], [raised(2, "08:40:00")]))).toEqual([[1, 2, "both"]]);
  });

  it("is told alone when nothing was compared", () => {
    expect(pairs([raised(1, "08:00:00")], null).map((p) => verdictOf(p, false))).toEqual(["alone"]);
    expect(overlap([0, 0, 0.2, 0.2], [0.1, 0, 0.3, 0.2])).toBeCloseTo(1 / 3);
    expect(overlap([0, 0, 0.1, 0.1], [0.5, 0.5, 0.6, 0.6])).toBe(0);
  });
});

describe("a span of the recording", () => {
  const spans = [
    { from: "2026-11-22T04:00:00.000Z", to: "2026-11-22T06:00:00.000Z" },
    { from: "2026-11-22T07:00:00.000Z", to: "2026-11-22T08:30:00.000Z" },
  ];
  it("is the last hours that there are", () => {
    expect(lastHours(spans, 1)).toEqual({ from: "2026-11-22T07:30:00.000Z", to: "2026-11-22T08:30:00.000Z" });
    expect(lastHours(spans, 100)?.from).toBe("2026-11-22T04:00:00.000Z");
    expect(lastHours([], 1)).toBeNull();
  });

  it("counts only what was recorded in it", () => {
    expect(recordedSeconds(spans, { from: "2026-11-22T05:30:00Z", to: "2026-11-22T07:30:00Z" })).toBe(3600);
  });

  it("is refused before it is asked for", () => {
    const fault = (from: string, to: string) => spanFault(spans, { from: `2026-11-22T${from}Z`, to: `2026-11-22T${to}Z` });
    expect([fault("08:00:00", "07:00:00"), fault("01:00:00", "08:00:00"), fault("06:10:00", "06:50:00"), fault("05:00:00", "08:00:00")]).toEqual(["order", "long", "nothing", null]);
    expect(spanFault(spans, { from: "", to: "" })).toBe("order");
  });

  it("goes into a field and back", () => {
    expect(instantOf(localOf("2026-11-22T07:30:05.000Z"))).toBe("2026-11-22T07:30:05.000Z");
    expect([localOf("x"), instantOf("")]).toEqual(["", null]);
  });
});
