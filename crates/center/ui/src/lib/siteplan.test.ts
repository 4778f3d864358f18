import { describe, expect, it } from "vitest";
import { moved, whole, zoomed } from "./mapview";
import { parseSitePlan, sector, sheetOf } from "./siteplan";

const square = [[[120.68, 30.53], [120.681, 30.53], [120.681, 30.531], [120.68, 30.531], [120.68, 30.53]]];
const feature = (properties: object, geometry: object) => ({ type: "Feature", properties, geometry });
const collection = {
  type: "FeatureCollection",
  features: [
    feature({ kind: "site", id: "garden" }, { type: "Polygon", coordinates: square }),
    feature({ kind: "building", id: "b1", name_zh: "1 号楼" }, { type: "Polygon", coordinates: square }),
    feature({ kind: "camera", id: "gate", bearing_degrees: 90, view_degrees: 60, reach_meters: 20 }, { type: "Point", coordinates: [120.6805, 30.5305] }),
    feature({ kind: "camera", id: "lost" }, { type: "Point", coordinates: ["x"] }),
    feature({ kind: "pond" }, { type: "Polygon", coordinates: square }),
    { type: "Feature", properties: null, geometry: null },
  ],
};

describe("a site's plan", () => {
  it("is what its GeoJSON says, and what cannot be read is left out", () => {
    const plan = parseSitePlan(collection);
    expect([plan.outlines.length, plan.buildings.length, plan.zones.length]).toEqual([1, 1, 0]);
    expect(plan.cameras.map((c) => c.id)).toEqual(["gate"]);
    expect(plan.picture).toEqual([120.68, 30.53, 120.681, 30.531]);
    expect(parseSitePlan({ ...collection, bbox: [1, 2, 3, 4] }).picture).toEqual([1, 2, 3, 4]);
    for (const nothing of [null, "", [], {}, { features: "no" }]) expect(parseSitePlan(nothing).buildings).toEqual([]);
  });

  it("draws what a camera looks at to where it looks", () => {
    const plan = parseSitePlan(collection);
    const sheet = sheetOf(plan, [])!;
    const [x] = sheet.at(plan.cameras[0]!.at);
    const corners = [...sector(sheet, plan.cameras[0]!)!.matchAll(/[-\d.]+ [-\d.]+(?= [AZ])/g)].map((m) => Number(m[0].split(" ")[0]));
    expect(corners.every((c) => c > x)).toBe(true);
    expect(sector(sheet, { ...plan.cameras[0]!, bearing: null })).toBeNull();
  });

  it("gives a lonely point some ground", () => {
    const sheet = sheetOf(parseSitePlan(null), [[120.68, 30.53]])!;
    expect(sheet.width).toBeGreaterThan(80);
    expect(sheetOf(parseSitePlan(null), [])).toBeNull();
  });
});

describe("moving about", () => {
  const full = whole({ width: 100, height: 50 }, { width: 800, height: 800 });
  it("begins with all of it in the window's shape", () => expect(full).toEqual({ x: 0, y: -25, width: 100, height: 100 }));
  it("keeps the point under the pointer", () => {
    const near = zoomed(full, 2, { x: 25, y: 25 }, full);
    expect((25 - near.x) / near.width).toBeCloseTo((25 - full.x) / full.width);
    expect(near.width).toBe(50);
  });
  it("has ends", () => {
    expect(zoomed(full, 1e9, { x: 0, y: 0 }, full).width).toBe(8);
    expect(zoomed(full, 1e-9, { x: 0, y: 0 }, full).width).toBe(200);
    expect(moved(full, 1e9, 0, full).x).toBe(50);
  });
});
