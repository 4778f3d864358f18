import { describe, expect, it } from "vitest";
import type { Camera } from "../api/types";
import { incident } from "../state/fixture";
import { alarmsByCamera, arrange, foremost, inGroup, page, share } from "./wall";

const camera = (id: string, change: Partial<Camera> = {}) => ({ camera: id, name: null, site: "garden", node: "n1", state: "streaming", node_online: true, ...change }) as Camera;
const many = (count: number) => Array.from({ length: count }, (_, n) => camera(`c${String(n).padStart(2, "0")}`));

describe("a wall", () => {
  it("keeps what is pinned where it is, whatever alarms there are", () => {
    const alarms = alarmsByCamera([incident({ camera: "c03" })]);
    expect(arrange(many(5), alarms, 4, ["c02"]).map((c) => c.camera)).toEqual(["c02", "c03", "c00", "c01", "c04"]);
  });

  it("shows a group and a screen's share of it", () => {
    const own = { gates: ["c01"] };
    const all = [camera("c01"), camera("c02", { site: "hill", node: "n2" })];
    expect(["all", "site:hill", "node:n1", "own:gates", "own:none"].map((g) => all.filter((c) => inGroup(c, g, own)).map((c) => c.camera))).toEqual([["c01", "c02"], ["c02"], ["c01"], ["c01"], []]);
    const shares = [1, 2, 3].map((screen) => share(many(10), screen, 3));
    expect(shares.flat()).toHaveLength(10);
    expect(shares.map((s) => s.length)).toEqual([3, 4, 3]);
  });

  it("enlarges the newest alarm that nobody has judged, and never a muted one", () => {
    const alarms = alarmsByCamera([
      incident({ id: "old", camera: "c01" }),
      incident({ id: "new", camera: "c05", started_at: "2026-11-22T01:00:00Z" }),
      incident({ id: "judged", camera: "c06", status: "confirmed", started_at: "2026-11-22T02:00:00Z" }),
      incident({ id: "muted", camera: "c07", muted: true, started_at: "2026-11-22T03:00:00Z" }),
    ]);
    expect(foremost(many(9), alarms)).toBe("c05");
    const { shown, large, cells } = page(many(20), alarms, 20, 0, true, false);
    expect([shown.length, large, cells]).toEqual([17, "c05", 20]);
    expect(shown.map((c) => c.camera)).toContain("c01");
    expect(page(many(12), alarms, 36, 0, true, true)).toMatchObject({ large: "c05", cells: 15 });
    expect(page(many(4), alarms, 4, 0, true, false).large).toBeNull();
    expect(page(many(20), alarms, 20, 0, false, false).shown).toHaveLength(20);
  });
});
