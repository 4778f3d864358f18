import { expect, it } from "vitest";
import { href, parseRoute } from "./route";

it("an address says the same there and back", () => {
  for (const [view, id] of [["wall", null], ["incidents", "3f1c"], ["cameras", "gate-north"], ["cases", "2026/11 号"]] as const) {
    expect(parseRoute(href(view, id))).toMatchObject({ view, id });
  }
});

it("an unknown address is the wall", () => {
  for (const hash of ["", "#", "#/nowhere", "#wall"]) expect(parseRoute(hash).view).toBe("wall");
});

it("a screen of the wall stands behind the question mark", () => {
  const route = parseRoute(href("wall", "3f1c", { screen: "2" }));
  expect([route.view, route.id, route.query.get("screen")]).toEqual(["wall", "3f1c", "2"]);
  expect(parseRoute("#/wall?screen=3").query.get("screen")).toBe("3");
});
