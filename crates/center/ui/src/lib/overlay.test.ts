import { describe, expect, it } from "vitest";
import { fit, grid, slants } from "./overlay";

describe("fit", () => {
  it("shows the whole picture in the middle", () => {
    expect(fit({ width: 1600, height: 900 }, { width: 800, height: 800 })).toEqual({ x: 0, y: 175, width: 800, height: 450 });
    expect(fit({ width: 720, height: 480 }, { width: 640, height: 360 })).toEqual({ x: 50, y: 0, width: 540, height: 360 });
  });
});

describe("grid", () => {
  it("makes tiles as large as they fit", () => {
    expect(grid(1, 1200, 700, 6)).toEqual({ columns: 1, rows: 1 });
    expect(grid(4, 1200, 700, 6)).toEqual({ columns: 2, rows: 2 });
    expect(grid(5, 1200, 900, 6)).toEqual({ columns: 2, rows: 3 });
    expect(grid(6, 1540, 900, 6)).toEqual({ columns: 2, rows: 3 });
    expect(grid(20, 1540, 900, 6)).toEqual({ columns: 4, rows: 5 });
    expect(grid(20, 1920, 900, 6)).toEqual({ columns: 5, rows: 4 });
    expect(grid(3, 400, 900, 6)).toEqual({ columns: 1, rows: 3 });
  });
  it("does not fail without tiles or space", () => {
    expect(grid(0, 0, 0, 6)).toEqual({ columns: 1, rows: 1 });
  });
});

describe("slants", () => {
  it("cover what is private from corner to corner", () => {
    const lines = slants([[10, 10], [30, 10], [30, 20], [10, 20]], 10);
    expect(lines).toEqual([
      [[10, 20], [20, 10]],
      [[20, 20], [30, 10]],
    ]);
    expect(slants([], 5)).toEqual([]);
  });
});
