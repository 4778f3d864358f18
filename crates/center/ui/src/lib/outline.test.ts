import { describe, expect, it } from "vitest";
import type { Point } from "../api/types";
import { anchorOf, area, contains, faults, hitTest, middleOfEdge, moved, placed, selfCrossing } from "./outline";

const square: Point[] = [[0.2, 0.2], [0.6, 0.2], [0.6, 0.6], [0.2, 0.6]];
const bow: Point[] = [[0.2, 0.2], [0.6, 0.6], [0.6, 0.2], [0.2, 0.6]];
const screen = { width: 1600, height: 900 };

describe("points", () => {
  it("stay inside the picture, with the digits that the file keeps", () => {
    expect(placed([-0.2, 1.7])).toEqual([0, 1]);
    expect(placed([0.123456, 0.98765])).toEqual([0.1235, 0.9877]);
    expect(placed([Number.NaN, Number.POSITIVE_INFINITY])).toEqual([0, 0]);
  });

  it("moved together keep their shape at the border", () => {
    expect(moved(square, 0.9, 0)).toEqual([[0.6, 0.2], [1, 0.2], [1, 0.6], [0.6, 0.6]]);
    expect(moved(square, -0.05, -0.9)).toEqual([[0.15, 0], [0.55, 0], [0.55, 0.4], [0.15, 0.4]]);
    expect(moved([], 0.1, 0.1)).toEqual([]);
  });
});

describe("an outline", () => {
  it("has a surface, whichever way round it was drawn", () => {
    expect(area(square)).toBeCloseTo(0.16);
    expect(area([...square].reverse())).toBeCloseTo(0.16);
  });

  it("knows what is in it, also where it bends in", () => {
    const angle: Point[] = [[0, 0], [1, 0], [1, 0.2], [0.2, 0.2], [0.2, 1], [0, 1]];
    expect([contains(angle, [0.1, 0.9]), contains(angle, [0.6, 0.6]), contains(square, [0.4, 0.4])]).toEqual([true, false, true]);
    expect(contains(angle, anchorOf(square))).toBe(false);
    expect(anchorOf(angle)).toEqual([0, 0]);
  });

  it("that cuts itself is named with the edges that do", () => {
    expect(selfCrossing(square)).toBeNull();
    expect(selfCrossing(bow)).toEqual([0, 2]);
    expect(selfCrossing([[0, 0], [0.5, 0], [0.2, 0], [0.2, 0.5]])).toEqual([0, 1]);
    // A corner in the middle of an edge is no fault.
    expect(selfCrossing([[0, 0], [0.2, 0], [0.5, 0], [0.2, 0.5]])).toBeNull();
    // A corner that lies on an edge far away is one.
    expect(selfCrossing([[0, 0], [0.6, 0], [0.6, 0.6], [0.3, 0], [0, 0.6]])).not.toBeNull();
  });

  it("is judged before it is saved", () => {
    expect(faults(square, true)).toEqual([]);
    expect(faults(bow, true)).toEqual(["crossing"]);
    expect(faults(square.slice(0, 2), true)).toEqual(["few"]);
    expect(faults(square.slice(0, 2), false)).toEqual([]);
    expect(faults([[0.1, 0.1], [0.1, 0.1]], false)).toEqual(["double"]);
    expect(faults([...square, [0.2, 0.2]], true)).toEqual(["double"]);
    expect(faults([[0.1, 0.1], [0.101, 0.1], [0.101, 0.101]], true)).toEqual(["tiny"]);
  });
});

describe("a pointer", () => {
  const shapes = [
    { points: square, closed: true },
    { points: [[0.3, 0.3], [0.4, 0.3], [0.4, 0.4]] as Point[], closed: true },
    { points: [[0.7, 0.2], [0.7, 0.8]] as Point[], closed: false },
  ];
  const at = (p: Point, chosen: number | null = null) => hitTest(shapes, p, screen, 12, chosen);

  it("means a corner before an edge before a surface", () => {
    expect(at([0.601, 0.201])).toEqual({ shape: 0, part: "corner", corner: 1 });
    expect(at([0.4, 0.205], 0)).toEqual({ shape: 0, part: "edge", edge: 0, at: [0.4, 0.2] });
    expect(at([0.5, 0.5])).toEqual({ shape: 0, part: "inside" });
    expect(at([0.9, 0.9])).toBeNull();
  });

  it("means the smaller of two surfaces, and the chosen one before it", () => {
    expect(at([0.385, 0.335])).toMatchObject({ shape: 1, part: "inside" });
    expect(at([0.385, 0.335], 0)).toMatchObject({ shape: 0, part: "inside" });
  });

  it("finds a line only near it, and not behind its ends", () => {
    expect(at([0.705, 0.5])).toMatchObject({ shape: 2, part: "edge", edge: 0 });
    expect(at([0.7, 0.9])).toBeNull();
  });

  it("is as near as it looks, not as the fractions say", () => {
    // 0.01 is 16 pixels across and 9 down.
    expect(hitTest(shapes, [0.59, 0.4], screen, 12, null)).toEqual({ shape: 0, part: "inside" });
    expect(hitTest(shapes, [0.4, 0.59], screen, 12, null)).toMatchObject({ part: "edge", edge: 2 });
  });
});

it("a corner is added in the middle of an edge, the last one of an outline too", () => {
  expect(middleOfEdge(square, 0, true)).toEqual([0.4, 0.2]);
  expect(middleOfEdge(square, 3, true)).toEqual([0.2, 0.4]);
  expect(middleOfEdge([], 0, true)).toEqual([0.5, 0.5]);
});
