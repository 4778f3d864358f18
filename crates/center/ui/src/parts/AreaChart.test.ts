import { expect, it } from "vitest";
import { niceTop } from "./AreaChart";

it("ends its axis at a round number that nothing exceeds", () => {
  expect([0, 0.4, 1, 3, 17, 25, 60, 500].map(niceTop)).toEqual([1, 1, 1, 5, 20, 50, 100, 500]);
});
