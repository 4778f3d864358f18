import { describe, expect, it } from "vitest";
import type { Incident } from "../api/types";
import { incident } from "./fixture";
import { KEPT, byUrgency, empty, neighbour, newer, reduce, withIncidents } from "./live";

describe("newer", () => {
  it("keeps a verdict when an older answer of the node's course comes after it, and the other way round", () => {
    const judged = incident({ sequence: 1, status: "confirmed", judged_at: "2026-11-22T00:01:00Z", judged_by: "operator" });
    const ended = incident({ sequence: 2, phase: "ended" });
    for (const merged of [newer(judged, ended), newer(ended, judged)]) {
      expect(merged.phase).toBe("ended");
      expect(merged.status).toBe("confirmed");
      expect(merged.judged_by).toBe("operator");
    }
  });

  it("does not go back to an earlier event", () => {
    expect(newer(incident({ sequence: 3, score: 0.9 }), incident({ sequence: 1, score: 0.5 })).score).toBe(0.9);
  });

  it("takes a verdict back when that was later", () => {
    const confirmed = incident({ status: "confirmed", judged_at: "2026-11-22T00:01:00Z" });
    const back = incident({ status: "new", judged_at: "2026-11-22T00:02:00Z" });
    expect(newer(confirmed, back).status).toBe("new");
    expect(newer(back, confirmed).status).toBe("new");
  });

  it("never loses evidence", () => {
    expect(newer(incident({ evidence: ["snapshot"] }), incident({ sequence: 1, evidence: ["clip"] })).evidence).toEqual(["snapshot", "clip"]);
  });
});

describe("who looks at an incident", () => {
  const claimed = incident({ claimed_by: "li" });
  const told = (...messages: Incident[]) =>
    messages.reduce((state, incident) => reduce(state, { type: "incident", incident }, 0), withIncidents(empty, [claimed])).incidents["a"]?.claimed_by;

  it("stays known when a message that lacks it tells of something else", () => {
    expect(told(incident({ sequence: 1 }))).toBe("li");
    expect(told(incident({ evidence: ["clip"] }))).toBe("li");
    expect(told(incident({ muted: true }))).toBe("li");
    expect(told(incident({ sequence: 1 }), incident({ sequence: 1, evidence: ["clip"] }))).toBe("li");
  });

  it("stays known when lists are read again, which never name them", () => {
    expect(withIncidents(withIncidents(empty, [claimed]), [incident()]).incidents["a"]?.claimed_by).toBe("li");
  });

  it("is nobody after a message that tells nothing else, and another one after a claim", () => {
    expect(told(incident())).toBeNull();
    expect(told(incident({ sequence: 1 }), incident({ sequence: 1 }))).toBeNull();
    expect(told(incident({ claimed_by: "wang" }))).toBe("wang");
  });

  it("is nobody once it is judged, also when the verdict is taken back", () => {
    const judged = incident({ status: "confirmed", judged_at: "2026-11-22T00:01:00Z" });
    expect(told(judged)).toBeNull();
    expect(told(judged, incident({ status: "new", judged_at: "2026-11-22T00:02:00Z" }))).toBeNull();
  });
});

describe("reduce", () => {
  it("takes the center's clock, and lists are read again after each connection", () => {
    const state = reduce(empty, { type: "hello", server_time: "2026-11-22T00:00:10Z", version: "0.1.0" }, Date.parse("2026-11-22T00:00:00Z"));
    expect(state.clockOffset).toBe(10_000);
    expect(state.epoch).toBe(1);
    expect(reduce(state, { type: "resync" }, 0).epoch).toBe(2);
  });

  it("puts an incident in and ignores messages of a newer center that it does not know", () => {
    const state = reduce(empty, { type: "incident", incident: incident() }, 0);
    expect(state.incidents["a"]?.kind).toBe("stray_dog");
    expect(reduce(state, { type: "something" } as never, 0)).toBe(state);
  });

  it("forgets a removed camera", () => {
    const camera = { camera: "gate" } as never;
    const state = reduce(reduce(empty, { type: "camera", camera }, 0), { type: "camera_removed", site: "demo", camera: "gate" }, 0);
    expect(state.cameras).toEqual({});
  });
});

describe("memory", () => {
  it("is bounded and drops judged and ended incidents before those to check", () => {
    const many = Array.from({ length: KEPT + 50 }, (_, n) =>
      incident({ id: `old${n}`, status: "dismissed", phase: "ended", started_at: `2026-11-21T00:00:00.${String(n).padStart(6, "0")}Z` }),
    );
    const waiting = incident({ id: "waiting", started_at: "2026-11-01T00:00:00Z" });
    const state = withIncidents(withIncidents(empty, [waiting]), many);
    expect(Object.keys(state.incidents)).toHaveLength(KEPT);
    expect(state.incidents["waiting"]).toBeDefined();
    expect(state.incidents["old0"]).toBeUndefined();
  });
});

describe("order of work", () => {
  const waiting = incident({ id: "waiting" });
  const over = incident({ id: "over", phase: "ended", started_at: "2026-11-22T00:05:00Z" });
  const judged = incident({ id: "judged", status: "confirmed", started_at: "2026-11-22T00:09:00Z" });

  it("is: to check and ongoing, to check and over, then what is judged", () => {
    expect([judged, over, waiting].sort(byUrgency).map((i) => i.id)).toEqual(["waiting", "over", "judged"]);
  });

  it("steps through the queue, wraps round and ends when nothing else is there", () => {
    expect(neighbour([waiting, over], null, 1)).toBe("waiting");
    expect(neighbour([waiting, over], "over", 1)).toBe("waiting");
    expect(neighbour([waiting, over], "waiting", -1)).toBe("over");
    expect(neighbour([waiting, over], "judged", 1)).toBe("waiting");
    expect(neighbour([waiting], "waiting", 1)).toBeNull();
    expect(neighbour([], null, 1)).toBeNull();
  });
});
