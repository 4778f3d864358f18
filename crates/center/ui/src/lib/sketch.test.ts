import { describe, expect, it } from "vitest";
import type { SetupView } from "../api/setup";
import { gate } from "../state/setup.fixture";
import { atRest, begin, chosenOf, insert, LEAP, move, press, remove, set, shapesOf, STEP, type Outcome, type Sketch } from "./sketch";

const view = gate.views[0] as SetupView;
const lane: Sketch = { chosen: "zone:lane", corner: null, drawing: null };

/** Presses keys one after the other. */
function keys(sketch: Sketch, from: SetupView, ...list: string[]): Required<Pick<Outcome, "sketch" | "view">> {
  let state = { sketch, view: from };
  for (const key of list) {
    const next = press(key.replace("Shift+", ""), key.startsWith("Shift+"), state.sketch, state.view);
    if (next) state = { sketch: next.sketch, view: next.view ?? state.view };
  }
  return state;
}

describe("drawing", () => {
  it("makes a zone of three clicks or more, with a free name", () => {
    let state: Outcome = { sketch: begin("zone", "fire_lane") };
    for (const point of [[0.1, 0.1], [0.3, 0.1], [0.3, 0.3]] as const) state = set(state.sketch, view, [...point]);
    expect(press("Enter", false, begin("zone", "bay"), view)?.view).toBeUndefined();
    const done = press("Enter", false, state.sketch, { ...view, zones: [...view.zones, { ...view.zones[0]!, zone: "fire-lane" }] })!;
    expect(done.sketch).toEqual({ chosen: "zone:fire-lane-2", corner: null, drawing: null });
    expect(done.view?.zones.at(-1)).toEqual({ zone: "fire-lane-2", purpose: "fire_lane", polygon: [[0.1, 0.1], [0.3, 0.1], [0.3, 0.3]], membership: null, labels: null });
  });

  it("makes a line of two clicks, and does not take a double click for two corners", () => {
    const first = set(begin("line", "area"), view, [0.1, 0.5]);
    expect(set(first.sketch, view, [0.1, 0.5])).toEqual({ sketch: first.sketch });
    const done = set(first.sketch, view, [0.9, 0.5]);
    expect(done.view?.lines).toEqual([{ line: "line", points: [[0.1, 0.5], [0.9, 0.5]] }]);
    expect(done.sketch.chosen).toBe("line:line");
  });

  it("goes by keys alone: arrows, Space, Enter", () => {
    const done = keys(begin("zone", "bay"), view, "Space", "Shift+ArrowRight", " ", "Shift+ArrowDown", " ", "Shift+ArrowLeft", "ArrowUp", " ", "Enter");
    // "Space" is no key's name on the picture; " " is.
    expect(done.view.zones.at(-1)?.polygon).toEqual([[0.55, 0.5], [0.55, 0.55], [0.5, 0.545]]);
    expect([LEAP, STEP]).toEqual([0.05, 0.005]);
  });

  it("takes back a corner, and leaves without a trace", () => {
    const two = keys(begin("zone", "bay"), view, " ", "ArrowRight", " ");
    expect(keys(two.sketch, view, "Backspace").sketch.drawing?.points).toEqual([[0.5, 0.5]]);
    expect(keys(two.sketch, view, "Escape")).toEqual({ sketch: atRest, view });
  });
});

describe("editing by keys", () => {
  it("chooses shapes and corners, round and round", () => {
    expect(keys(atRest, view, "PageDown").sketch.chosen).toBe("zone:lane");
    expect(keys(atRest, view, "PageUp").sketch.chosen).toBe("zone:racks");
    expect(keys(lane, view, "PageDown", "PageDown").sketch.chosen).toBe("zone:lane");
    expect(keys(lane, view, ".", ".").sketch.corner).toBe(1);
    expect(keys(lane, view, ",", ".").sketch.corner).toBe(0);
  });

  it("moves a corner, or the whole shape, and never out of the picture", () => {
    expect(keys(lane, view, "Enter", "ArrowRight", "Shift+ArrowUp").view.zones[0]?.polygon[0]).toEqual([0.105, 0.55]);
    const whole = keys(lane, view, "Shift+ArrowDown", "ArrowLeft").view.zones[0]?.polygon;
    expect(whole).toEqual([[0.095, 0.6], [0.595, 0.55], [0.745, 1], [0.045, 1]]);
    expect(move({ ...lane, corner: 2 }, view, 9, 9).view?.zones[0]?.polygon[2]).toEqual([1, 1]);
  });

  it("takes out a corner, but leaves three; then only the whole", () => {
    const three = keys(lane, view, ".", "Delete", "Delete", "Delete");
    expect(three.view.zones[0]?.polygon).toHaveLength(3);
    const gone = keys(three.sketch, three.view, "Escape", "Delete");
    expect(gone.view.zones.map((z) => z.zone)).toEqual(["racks"]);
    expect(gone.sketch).toEqual(atRest);
  });

  it("adds a corner after the chosen one and chooses it", () => {
    const added = insert({ ...lane, corner: 3 }, view);
    expect(added.sketch.corner).toBe(4);
    expect(added.view?.zones[0]?.polygon.at(-1)).toEqual([0.075, 0.8]);
    expect(insert(lane, view, 0, [0.4, 0.57]).view?.zones[0]?.polygon[1]).toEqual([0.4, 0.57]);
  });

  it("leaves step by step", () => {
    const corner = keys(lane, view, ".");
    expect(keys(corner.sketch, view, "Escape").sketch).toEqual(lane);
    expect(keys(corner.sketch, view, "Escape", "Escape").sketch).toEqual(atRest);
    expect(press("Escape", false, atRest, view)).toBeNull();
    expect(press("l", false, lane, view)).toBeNull();
  });

  it("of a line keeps its two ends", () => {
    const lined = { ...view, lines: [{ line: "edge", points: [[0, 0.5], [1, 0.5]] as [number, number][] }] };
    const sketch = { chosen: "line:edge", corner: 0, drawing: null };
    expect(remove(sketch, lined)).toEqual({ sketch });
    expect(insert(sketch, lined)).toEqual({ sketch });
    expect(keys({ ...sketch, corner: null }, lined, "Delete").view.lines).toEqual([]);
  });
});

it.each(["ignore", "private"] as const)("masks (%s) lie over zones and lines over both", (purpose) => {
  const masked = { ...view, zones: [{ ...view.zones[0]!, purpose }, view.zones[1]!], lines: [{ line: "edge", points: [[0, 0], [1, 1]] as [number, number][] }] };
  expect(shapesOf(masked).map((s) => s.key)).toEqual(["zone:racks", "zone:lane", "line:edge"]);
  expect(chosenOf(lane, masked)?.purpose).toBe(purpose);
});
