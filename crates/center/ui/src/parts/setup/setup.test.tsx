// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { createRef, useState } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Baseline, SetupProblem, SetupView } from "../../api/setup";
import { atRest, type Outcome, type Sketch } from "../../lib/sketch";
import { useSettings } from "../../state/settings";
import { gate } from "../../state/setup.fixture";
import { inForceFor } from "../../views/setup/BaselinePart";
import { DiffTable } from "./DiffTable";
import { MaybeNumber, OptionField, WordsField } from "./OptionFields";
import { ShapeForm, ShapeList } from "./ShapePanel";
import { Stage } from "./Stage";
import { indexOfCharacter } from "./TextEditor";

const view = gate.views[0] as SetupView;

beforeEach(() => {
  useSettings.setState({ language: "en" });
  vi.stubGlobal("ResizeObserver", class {
    observe() {}
    disconnect() {}
  });
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

/** The drawing with what is done to it kept, as the page keeps it. */
function Board({ start = atRest, onUndo = () => {}, onRedo = () => {} }: { start?: Sketch; onUndo?(): void; onRedo?(): void }) {
  const [sketch, setSketch] = useState(start);
  const [now, setNow] = useState(view);
  const stage = createRef<SVGSVGElement>();
  const onOutcome = (outcome: Outcome) => {
    setSketch(outcome.sketch);
    if (outcome.view) setNow(outcome.view);
  };
  const own = { view: now, sketch, problems: [] as SetupProblem[], onOutcome };
  return (
    <>
      <Stage {...own} onUndo={onUndo} onRedo={onRedo} ratio={16 / 9} picture={null} stage={stage} />
      <ShapeList {...own} />
      <ShapeForm {...own} />
      <output>{JSON.stringify(now.zones.map((z) => [z.zone, z.polygon]))}</output>
      <output>{JSON.stringify(now.rules.map((r) => r.options))}</output>
    </>
  );
}
const picture = () => screen.getByRole("application");
const zones = () => JSON.parse(document.querySelectorAll("output")[0]?.textContent ?? "[]") as [string, number[][]][];

describe("the picture", () => {
  it("is drawn on with keys alone, and tells what they did", () => {
    render(<Board />);
    for (const key of ["PageDown", ".", "ArrowRight"]) fireEvent.keyDown(picture(), { key });
    expect(zones()[0]?.[1][0]).toEqual([0.105, 0.6]);
    expect(screen.getAllByRole("status")[0]?.textContent).toContain("lane · Fire lane, corner 1 of 4, at 10.5% across, 60.0% down");
    fireEvent.keyDown(picture(), { key: "Delete" });
    expect(zones()[0]?.[1]).toHaveLength(3);
  });

  it("leaves to the page what it does not know, and takes back with Ctrl+Z", () => {
    const [undo, redo] = [vi.fn(), vi.fn()];
    render(<Board onUndo={undo} onRedo={redo} />);
    expect(fireEvent.keyDown(picture(), { key: "l" })).toBe(true);
    expect(fireEvent.keyDown(picture(), { key: "z", ctrlKey: true })).toBe(false);
    fireEvent.keyDown(picture(), { key: "Z", ctrlKey: true, shiftKey: true });
    fireEvent.keyDown(picture(), { key: "y", metaKey: true });
    expect([undo.mock.calls.length, redo.mock.calls.length]).toEqual([1, 2]);
  });
});

describe("a shape's form", () => {
  it("renames a zone where rules name it, once the field is left, and never to what the file does not take", () => {
    render(<Board start={{ ...atRest, chosen: "zone:racks" }} />);
    const name = screen.getByLabelText(/^Name/);
    fireEvent.change(name, { target: { value: "Nope!" } });
    fireEvent.blur(name);
    expect(zones().map(([zone]) => zone)).toEqual(["lane", "racks"]);
    fireEvent.change(name, { target: { value: "lane" } });
    expect(screen.getByText("This name is taken.")).toBeTruthy();
    fireEvent.change(name, { target: { value: "bays-1" } });
    fireEvent.keyDown(name, { key: "Enter" });
    expect(zones().map(([zone]) => zone)).toEqual(["lane", "bays-1"]);
    expect(document.querySelectorAll("output")[1]?.textContent).toContain('"bays":["bays-1"]');
  });

  it("warns of an outline that cuts itself", () => {
    render(<Board start={{ ...atRest, chosen: "zone:racks", corner: 0 }} />);
    expect(screen.queryByText(/cross each other/)).toBeNull();
    fireEvent.change(screen.getByLabelText("1 across (%)"), { target: { value: "98" } });
    fireEvent.change(screen.getByLabelText("1 down (%)"), { target: { value: "50" } });
    expect(screen.getByText(/cross each other/)).toBeTruthy();
    expect(screen.getByLabelText("Has a problem")).toBeTruthy();
  });
});

describe("options", () => {
  it("that are left empty are left out", () => {
    const change = vi.fn();
    render(<MaybeNumber label="Limit" unit="seconds" value={120} max={500} onChange={change} />);
    const field = screen.getByLabelText(/^Limit/);
    for (const value of ["", "30", "9000", "-2"]) fireEvent.change(field, { target: { value } });
    expect(change.mock.calls.map(([v]) => v)).toEqual([undefined, 30, 500, 0]);
  });

  it("that are as the program has them are not written", () => {
    const change = vi.fn();
    render(<OptionField field={{ name: "outside_bays", type: "flag", default: true }} options={{ outside_bays: false }} view={view} onChange={change} />);
    fireEvent.click(screen.getByRole("checkbox"));
    expect(change).toHaveBeenCalledWith(undefined);
  });

  it("that name zones name all fitting ones unless some are chosen", () => {
    const change = vi.fn();
    render(<OptionField field={{ name: "bays", type: "zones", purposes: ["bay"] }} options={{}} view={view} onChange={change} />);
    expect(screen.getAllByRole("checkbox")).toHaveLength(1);
    fireEvent.click(screen.getByLabelText("All of: Bay"));
    expect(change).toHaveBeenCalledWith(["racks"]);
  });

  it("of words take Chinese commas too", () => {
    const change = vi.fn();
    render(<WordsField label="Classes" value={["car"]} onChange={change} />);
    const field = screen.getByLabelText("Classes");
    fireEvent.change(field, { target: { value: "car，truck、 van,car" } });
    fireEvent.blur(field);
    expect(change).toHaveBeenCalledWith(["car", "truck", "van"]);
  });
});

it("a difference is told by words too, not by colour alone", () => {
  render(<DiffTable old={"a\nb\n"} next={"a\nc\n"} />);
  expect(screen.getByText("1 line added, 1 removed")).toBeTruthy();
  expect(screen.getAllByRole("row").map((row) => row.textContent)).toEqual(["11a", "2−removed: b", "2+added: c"]);
});

it("places in the text are counted in characters, not in halves of them", () => {
  expect(indexOfCharacter("a😀b", 2)).toBe(3);
  expect(indexOfCharacter("东门", 1)).toBe(1);
  expect(indexOfCharacter("ab", 9)).toBe(2);
});

it("a proposal stands beside what is in force for its light, else beside the newest", () => {
  const one = (baseline: string, change: Partial<Baseline>) => ({ baseline, season: "autumn", part_of_day: "midday", standing: "in_force", at: "2026-11-01T00:00:00Z", ...change }) as Baseline;
  const all = [one("night", { part_of_day: "night", at: "2026-11-09T00:00:00Z" }), one("noon", {}), one("old", { standing: "replaced" })];
  expect(inForceFor(one("new", { standing: "proposed" }), all)?.baseline).toBe("noon");
  expect(inForceFor(one("new", { standing: "proposed", part_of_day: "evening", season: "winter" }), all)?.baseline).toBe("night");
  expect(inForceFor(one("new", { standing: "proposed" }), [])).toBeNull();
});
