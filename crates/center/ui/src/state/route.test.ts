import { expect, it } from "vitest";
import { href, parseRoute } from "./route";

it("an address says the same there and back", () => {
  for (const [view, id] of [["wall", null], ["incidents", "3f1c"], ["cameras", "gate-north"]] as const) {
    expect(parseRoute(href(view, id))).toEqual({ view, id });
  }
});

it("an unknown address is the wall", () => {
  for (const hash of ["", "#", "#/nowhere", "#wall"]) expect(parseRoute(hash).view).toBe("wall");
});
