import { expect, it } from "vitest";
import { dayEdge, monthAfter, monthOf } from "./month";

it("months follow each other over the turn of the year", () => {
  expect(monthAfter("2026-12", 1)).toBe("2027-01");
  expect(monthAfter("2026-01", -1)).toBe("2025-12");
  expect(monthOf(new Date(2026, 10, 5).getTime())).toBe("2026-11");
});

it("a day begins and is over where the reader is", () => {
  expect(dayEdge("2026-11-22", "begin")).toBe(new Date(2026, 10, 22).toISOString());
  expect(Date.parse(dayEdge("2026-11-22", "end")) - Date.parse(dayEdge("2026-11-22", "begin"))).toBe(86_400_000);
  expect(dayEdge("2026-12-31", "end")).toBe(new Date(2027, 0, 1).toISOString());
});
