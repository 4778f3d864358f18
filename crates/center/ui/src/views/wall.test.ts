// @vitest-environment jsdom
import { describe, expect, it } from "vitest";
import type { Camera, IncidentDetail } from "../api/types";
import { translator } from "../i18n";
import { byTrouble, condition } from "../lib/health";
import { alarmsByCamera, arrange } from "../lib/wall";
import { passes } from "../parts/IncidentRail";
import { entries } from "../parts/Timeline";
import { incident } from "../state/fixture";
import { fits } from "./IncidentsView";

const camera = (id: string, change: Partial<Camera> = {}) => ({ camera: id, name: null, state: "streaming", node_online: true, ...change }) as Camera;

describe("wall", () => {
  it("brings cameras with something to check forward only when not all fit", () => {
    const cameras = [camera("a"), camera("b"), camera("c")];
    const alarms = alarmsByCamera([incident({ camera: "c" })]);
    expect(arrange(cameras, alarms, 3).map((c) => c.camera)).toEqual(["a", "b", "c"]);
    expect(arrange(cameras, alarms, 2).map((c) => c.camera)).toEqual(["c", "a", "b"]);
  });

  it("shows what goes on, most urgent first, and nothing that was dismissed or is over", () => {
    const alarms = alarmsByCamera([
      incident({ id: "dismissed", status: "dismissed" }),
      incident({ id: "over", phase: "ended" }),
      incident({ id: "confirmed", status: "confirmed" }),
      incident({ id: "new" }),
    ]);
    expect(alarms.get("gate")?.map((i) => i.id)).toEqual(["new", "confirmed"]);
  });
});

describe("health", () => {
  it("does not believe a camera whose node is gone, and shows trouble first", () => {
    const lost = camera("z", { node_online: false });
    expect(condition(lost)).toBe("node_offline");
    expect([camera("a"), camera("m", { state: "frozen" }), lost].sort(byTrouble).map((c) => c.camera)).toEqual(["z", "m", "a"]);
  });
});

describe("filters", () => {
  it("of the list beside the wall", () => {
    expect(passes(incident(), "check", null)).toBe(true);
    expect(passes(incident(), "check", "misparked_ebike")).toBe(false);
    expect(passes(incident({ status: "closed" }), "confirmed", null)).toBe(true);
    expect(passes(incident({ status: "dismissed" }), "confirmed", null)).toBe(false);
  });
  it("of the record hold for what the feed brings, too", () => {
    expect(fits(incident(), { status: "new", camera: "gate", open: true })).toBe(true);
    expect(fits(incident({ phase: "ended" }), { open: true })).toBe(false);
    expect(fits(incident(), { kind: "occupied_roadway" })).toBe(false);
  });
});

describe("timeline", () => {
  const event = (phase: "started" | "updated" | "ended", sequence: number) => ({
    event_id: `e${sequence}`,
    sequence,
    phase,
    at: `2026-11-22T00:00:${String(10 + sequence)}Z`,
    received_at: "2026-11-22T00:00:59Z",
    end_reason: phase === "ended" ? ("cleared" as const) : null,
    bbox: [0, 0, 1, 1],
    count: 1,
    score: 0.8,
    covered: null,
  });
  it("folds updates, and tells people's deeds among them, newest first", () => {
    const detail = {
      incident: incident(),
      events: [event("started", 0), event("updated", 1), event("updated", 2), event("ended", 3)],
      evidence: [],
      audit: [{ at: "2026-11-22T00:01:00Z", operator: "operator", action: "dismissed", reason: "permitted: guide dog" }],
    } as unknown as IncidentDetail;
    const told = entries(detail, translator("en"));
    expect(told.map((e) => e.title)).toEqual(["Dismissed", "Ended", "Changed ×2", "Started"]);
    expect(told[0]?.detail).toBe("operator · Permitted · guide dog");
    expect(told[1]?.detail).toBe("it left");
  });
});
