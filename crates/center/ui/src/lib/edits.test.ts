import { describe, expect, it } from "vitest";
import type { Edit, Model, SetupView } from "../api/setup";
import { gate, model } from "../state/setup.fixture";
import { editsBetween, equal, freeName, NAME, optionsBetween, renamedZone, rulesNaming, withEdits, withNext } from "./edits";

const view = gate.views[0] as SetupView;
const viewOf = (m: Model) => m.cameras[0]?.views[0] as SetupView;
const there = (next: SetupView) => viewOf(withEdits(model, editsBetween("gate", view, next)));

describe("edits between two views", () => {
  it("are none when nothing changed", () => {
    expect(editsBetween("gate", view, structuredClone(view))).toEqual([]);
  });

  it("say what changed and nothing else", () => {
    const next: SetupView = {
      ...view,
      zones: [{ ...view.zones[0]!, labels: ["car"] }],
      rules: [{ ...view.rules[0]!, options: { limit_seconds: 30 } }],
    };
    expect(editsBetween("gate", view, next)).toEqual([
      { op: "remove_zone", camera: "gate", preset: null, zone: "racks" },
      { op: "put_zone", camera: "gate", preset: null, zone: "lane", purpose: "fire_lane", polygon: view.zones[0]!.polygon, labels: ["car"] },
      { op: "put_rule", camera: "gate", preset: null, rule: "bikes", kind: "misparked_ebike", options: { limit_seconds: 30, zones: null, bays: null, zone_limit_seconds: null } },
    ]);
  });

  it("lead there, and back", () => {
    const next: SetupView = { ...view, zones: [], lines: [{ line: "edge", points: [[0, 0.5], [1, 0.5]] }], rules: [{ rule: "dogs", kind: "stray_dog", options: {} }] };
    expect(there(next)).toEqual(next);
    const back = withEdits(withEdits(model, editsBetween("gate", view, next)), editsBetween("gate", next, view));
    expect(viewOf(back)).toEqual(view);
  });

  it("round to what the file keeps", () => {
    const [edit] = editsBetween("gate", view, { ...view, lines: [{ line: "edge", points: [[1 / 3, -0.1], [2 / 3, 2]] }] });
    expect(edit).toMatchObject({ op: "put_line", points: [[0.3333, 0], [0.6667, 1]] });
  });

  it("of a rule that became of another kind carry all its options", () => {
    expect(editsBetween("gate", view, { ...view, rules: [{ rule: "bikes", kind: "stray_dog", options: { limit_seconds: 12 } }] })).toEqual([
      { op: "put_rule", camera: "gate", preset: null, rule: "bikes", kind: "stray_dog", options: { limit_seconds: 12 } },
    ]);
  });
});

describe("edits that wait", () => {
  const put = (limit: number): Edit => ({ op: "put_rule", camera: "gate", preset: null, rule: "bikes", kind: "misparked_ebike", options: { limit_seconds: limit } });
  it("are made one when they say the same thing again", () => {
    expect(withNext([put(20)], [put(30)])).toEqual([put(30)]);
    const cool: Edit = { ...put(0), options: { cool_down_seconds: 5 } } as Edit;
    expect(withNext([put(20)], [cool])).toEqual([{ ...put(20), options: { limit_seconds: 20, cool_down_seconds: 5 } }]);
  });
  it("keep their order otherwise", () => {
    const gone: Edit = { op: "remove_rule", camera: "gate", preset: null, rule: "bikes" };
    expect(withNext([put(20), gone], [put(30)])).toEqual([put(20), gone, put(30)]);
    const dog: Edit = { ...put(1), kind: "stray_dog" } as Edit;
    expect(withNext([put(20)], [dog])).toEqual([put(20), dog]);
  });
  it("are shown at once: a new camera, its switches, a table of a preset", () => {
    const shown = withEdits(model, [
      { op: "put_camera", camera: "west", name: "西门", url: "rtsp://192.0.2.9/main", username: "viewer", password: "x" },
      { op: "put_camera", camera: "gate", recording: null, disabled: true, spared: true },
      { op: "set", path: ["cameras", "tower", "presets", "roof-3", "change", "baseline"], value: {} },
      { op: "unset", path: ["cameras", "gate", "change", "background"] },
    ]);
    expect(shown.cameras.map((c) => c.camera)).toEqual(["gate", "tower", "west"]);
    expect(shown.cameras[0]).toMatchObject({ name: "东门", disabled: true, spared: true, recording: null });
    expect(shown.cameras[0]?.views[0]?.background).toBe(false);
    expect(shown.cameras[1]?.views[0]?.baseline).toBe(true);
    expect(shown.cameras[2]).toMatchObject({ name: "西门", source: { kind: "rtsp", address: "rtsp://192.0.2.9/main", password: "file" } });
    expect(JSON.stringify(shown)).not.toContain('"x"');
    expect(withEdits(shown, [{ op: "remove_camera", camera: "west" }]).cameras).toHaveLength(2);
  });
});

describe("a zone", () => {
  it("is renamed wherever rules name it", () => {
    const next = renamedZone(view, "racks", "bays-north");
    expect(next.zones.map((z) => z.zone)).toEqual(["lane", "bays-north"]);
    expect(next.rules[0]?.options).toEqual({ limit_seconds: 120, zones: ["lane"], bays: ["bays-north"], zone_limit_seconds: { "bays-north": 300 } });
    expect(rulesNaming(view, "racks")).toEqual(["bikes"]);
    expect(rulesNaming(view, "nothing")).toEqual([]);
  });
  it("has a name that the file takes", () => {
    expect(["lane", "a", "0_b-c"].every((n) => NAME.test(n))).toBe(true);
    expect(["", "Lane", "-a", "车道", "a b", "a".repeat(65)].some((n) => NAME.test(n))).toBe(false);
    expect(freeName("lane", ["lane", "lane-2"])).toBe("lane-3");
  });
});

it("options are compared by what they hold", () => {
  expect(equal({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] })).toBe(true);
  expect(equal({ a: 1 }, { a: 1, b: null })).toBe(false);
  expect(equal([1], { 0: 1 })).toBe(false);
  expect(optionsBetween({ a: 1, b: 2 }, { b: 3 })).toEqual({ a: null, b: 3 });
});
