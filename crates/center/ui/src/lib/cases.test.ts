import { describe, expect, it } from "vitest";
import type { Case, CaseDetail, CaseEvent } from "../api/types";
import { translator } from "../i18n";
import { dueOf, stages } from "./cases";

const file = (change: Partial<Case> = {}): Case => ({
  id: "c",
  number: "2026-11-0001",
  site: "garden",
  camera: null,
  kind: "occupied_roadway",
  step: "dispatched",
  suspended: false,
  level: "grid",
  department: "d1",
  opened_at: "2026-11-20T01:00:00Z",
  opened_by: "li",
  updated_at: "2026-11-20T03:00:00Z",
  closed_at: null,
  step_since: "2026-11-20T03:00:00Z",
  step_due: "2026-11-20T09:00:00Z",
  due: "2026-11-21T09:00:00Z",
  lateness: "on_time",
  incidents: [],
  place: null,
  place_text: null,
  note: null,
  reopened: 0,
  merged_into: null,
  follows: null,
  order: null,
  ...change,
});
const event = (sequence: number, from: CaseEvent["from"], to: CaseEvent["to"], action = to as string): CaseEvent => ({
  sequence,
  at: `2026-11-20T0${sequence}:00:00Z`,
  actor: "li",
  action,
  from,
  to,
  reason: null,
  department: null,
  due: null,
  detail: null,
});
const detail = (change: Partial<Case>, history: CaseEvent[]) => ({ case: file(change), history, incidents: [], orders: [], answers: [], related: [], actions: [], holds: [] }) as CaseDetail;

describe("the way of a case", () => {
  it("has what is behind, where it stands and what is due next", () => {
    const way = stages(detail({}, [event(1, null, "reported"), event(2, "reported", "accepted"), event(3, "accepted", "dispatched"), event(4, "dispatched", "dispatched", "remind")]));
    expect(way.map((s) => s.state)).toEqual(["done", "done", "current", "ahead", "ahead", "ahead"]);
    expect(way[2]?.at).toBe("2026-11-20T03:00:00Z");
    expect(way[3]?.due).toBe("2026-11-20T09:00:00Z");
    expect(way[4]?.due).toBeNull();
  });

  it("tells of a step that was done again its latest time", () => {
    const way = stages(detail({}, [event(1, null, "reported"), event(2, "reported", "accepted"), event(3, "accepted", "dispatched"), event(4, "dispatched", "handled"), event(5, "handled", "dispatched", "check_fail")]));
    expect(way[2]).toMatchObject({ state: "current", at: "2026-11-20T05:00:00Z" });
    expect(way[3]).toMatchObject({ state: "ahead", at: null });
  });

  it("ends where a rejected case ended", () => {
    const way = stages(detail({ step: "rejected" }, [event(1, null, "reported"), event(2, "reported", "rejected")]));
    expect(way.map((s) => s.step)).toEqual(["reported", "rejected"]);
    expect(way.every((s) => s.due === null)).toBe(true);
  });
});

describe("the time of a case", () => {
  const t = translator("en");
  const at = Date.parse("2026-11-20T08:00:00Z");
  it("is told in words", () => {
    expect(dueOf(file(), at, t)).toEqual({ text: "1 h 0 min left", tone: "good" });
    expect(dueOf(file({ lateness: "warning" }), at, t).tone).toBe("warn");
    expect(dueOf(file(), at + 3 * 3600_000, t)).toEqual({ text: "2 h 0 min late", tone: "bad" });
  });
  it("stands still while the case is suspended, and ends with it", () => {
    expect(dueOf(file({ suspended: true }), at, t)).toEqual({ text: "Suspended", tone: "off" });
    expect(dueOf(file({ step: "closed" }), at, t).tone).toBe("off");
    expect(dueOf(file({ step: "closed", lateness: "overdue" }), at, t).tone).toBe("bad");
  });
});
