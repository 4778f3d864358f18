import { describe, expect, it } from "vitest";
import { middleOn, outlineOn, planOf, type LonLat } from "./plan";

const square: LonLat[] = [
  [120.68, 30.53],
  [120.681, 30.53],
  [120.681, 30.531],
  [120.68, 30.531],
];

describe("a plan", () => {
  it("is in metres with north up", () => {
    const plan = planOf([square])!;
    const [west] = plan.at([120.68, 30.53]);
    const [east, south] = plan.at([120.681, 30.53]);
    const [, north] = plan.at([120.681, 30.531]);
    expect(east - west).toBeCloseTo(95.8, 0);
    expect(south - north).toBeCloseTo(111.2, 0);
    expect(north).toBeLessThan(south);
  });

  it("holds what is drawn with a margin", () => {
    const plan = planOf([square])!;
    for (const [x, y] of square.map((p) => plan.at(p))) {
      expect(x > 0 && x < plan.width && y > 0 && y < plan.height).toBe(true);
    }
    expect(outlineOn(plan, square).split(" ")).toHaveLength(4);
    const [x, y] = middleOn(plan, square);
    expect(x).toBeCloseTo(plan.width / 2);
    expect(y).toBeCloseTo(plan.height / 2);
  });

  it("is nothing without outlines", () => expect(planOf([])).toBeNull());
});
