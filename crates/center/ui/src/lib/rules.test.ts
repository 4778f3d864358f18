import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { PURPOSES, RULE_KINDS } from "../api/setup";
import { hoursOf, OWN_OPTIONS, percentOf, RULE_FIELDS, shareOf, trimmed, unshown } from "./rules";

interface Shape {
  default?: unknown;
  properties: Record<string, Shape>;
  $ref?: string;
  oneOf?: { const: string }[];
}
const { $defs } = JSON.parse(readFileSync("../../../pipelines/schema.json", "utf8")) as { $defs: Record<string, Shape> };
const CONFIGS = { misparked_ebike: "MisparkedEbikeConfig", occupied_roadway: "OccupiedRoadwayConfig", stray_dog: "StrayDogConfig", rooftop_structure: "RooftopStructureConfig" };

describe.each(RULE_KINDS)("the form of %s", (kind) => {
  const options = $defs[CONFIGS[kind]]?.properties ?? {};
  const fields = RULE_FIELDS[kind];

  it("has all options that the program has", () => {
    expect([...fields.map((f) => f.name), ...OWN_OPTIONS.filter((name) => name in options)].sort()).toEqual(Object.keys(options).sort());
    expect(new Set(fields.map((f) => f.name)).size).toBe(fields.length);
  });

  it("says what holds when an option is left out", () => {
    for (const field of fields) {
      const holds = options[field.name]?.default;
      if (typeof holds === "number") expect(field.default, field.name).toBeCloseTo(holds, 5);
      else if (field.default !== undefined) expect(field.default, field.name).toEqual(holds);
      else expect(holds === undefined || holds === null || JSON.stringify(holds) === "{}", field.name).toBe(true);
    }
  });
});

it("a zone can be drawn for each purpose that the program knows, what is private too", () => {
  expect([...PURPOSES].sort()).toEqual($defs["ZonePurpose"]?.oneOf?.map((purpose) => purpose.const).sort());
});

it("shares are shown in percent without noise", () => {
  expect([percentOf(0.20000000298023224), percentOf(0.0005), percentOf(0.07)]).toEqual([20, 0.05, 7]);
  expect([shareOf(0.05), shareOf(7), shareOf(120), shareOf(-1)]).toEqual([0.0005, 0.07, 1, 0]);
});

it("hours and schedules are read and written as the file has them", () => {
  expect(hoursOf("22:00-06:00")).toEqual({ from: "22:00", to: "06:00" });
  expect([hoursOf("7-19"), hoursOf("")]).toEqual([null, null]);
  expect(trimmed({ hours: [], weekdays: ["mon"], time_zone: "" })).toEqual({ weekdays: ["mon"] });
  expect(trimmed({ hours: [] })).toBeNull();
});

it("options that only the text can change are named", () => {
  expect(unshown("stray_dog", { limit_seconds: 3, ground: {}, schedule: {} })).toEqual(["ground"]);
});
