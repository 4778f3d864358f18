import { expect, it } from "vitest";
import { incident } from "../state/fixture";
import { arrivals } from "./alarm";

it("only what is new, goes on, is not muted and was not known raises an alarm", () => {
  const known = { a: incident({ id: "a" }) };
  const next = {
    ...known,
    b: incident({ id: "b" }),
    over: incident({ id: "over", phase: "ended" }),
    muted: incident({ id: "muted", muted: true }),
    judged: incident({ id: "judged", status: "confirmed" }),
  };
  expect(arrivals(known, next).map((i) => i.id)).toEqual(["b"]);
});
