import { describe, expect, it } from "vitest";
import type { Roof, RoofStructure } from "../api/types";
import { translator } from "../i18n";
import { byState, byWork, roofName, standingArea } from "./roofs";

function structure(incident: string, state: RoofStructure["state"], ...areas: number[]): RoofStructure {
  const sightings = areas.map((area, i) => ({
    survey: `s${i}`,
    at: `2026-0${i + 1}-01T00:00:00Z`,
    area_square_meters: area,
    area_error_square_meters: 1,
    confidence: 0.8,
  }));
  return { incident, state, unchanged_since: null, outline: [], sightings };
}

function roof(building: string, structures: RoofStructure[]): Roof {
  return { site: "garden", node: "n", at: "", building, name_zh: null, name_en: null, footprint: [], height_meters: 18, looks: [], structures };
}

describe("roofs", () => {
  it("begin with what grows and end with what is gone", () => {
    const all = [structure("a", "removed", 9, 0), structure("b", "built", 5), structure("c", "grown", 8, 25), structure("d", "first_sign", 12), structure("e", "first_sign", 30)];
    expect(all.sort(byState).map((s) => s.incident)).toEqual(["c", "e", "d", "b", "a"]);
  });

  it("count what stands now", () => {
    expect(standingArea(roof("b1", [structure("a", "grown", 8, 25), structure("b", "removed", 9, 0)]))).toBe(25);
  });

  it("come in the order of work", () => {
    const t = translator("en");
    const list = [roof("quiet", []), roof("old", [structure("a", "built", 50)]), roof("new", [structure("b", "first_sign", 6)])];
    expect(list.sort(byWork(t)).map((r) => r.building)).toEqual(["new", "old", "quiet"]);
    expect(roofName({ ...roof("b1", []), name_zh: "1号楼" }, t)).toBe("1号楼");
  });
});
