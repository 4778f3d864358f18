/** An incident for tests. */
import type { Incident } from "../api/types";

export function incident(change: Partial<Incident> = {}): Incident {
  return {
    id: "a",
    site: "demo",
    node: "n1",
    camera: "gate",
    preset: null,
    kind: "stray_dog",
    rule: "dogs",
    zone: null,
    severity: "medium",
    phase: "started",
    status: "new",
    sequence: 0,
    since: "2026-11-22T00:00:00Z",
    started_at: "2026-11-22T00:00:10Z",
    updated_at: "2026-11-22T00:00:10Z",
    ended_at: null,
    end_reason: null,
    label: "dog",
    bbox: [0.1, 0.1, 0.2, 0.2],
    outline: null,
    count: 1,
    score: 0.8,
    covered: null,
    place: null,
    same_as: null,
    received_at: "2026-11-22T00:00:11Z",
    judged_by: null,
    judged_at: null,
    reason: null,
    evidence: [],
    ...change,
  };
}
