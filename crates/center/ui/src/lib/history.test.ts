import { describe, expect, it } from "vitest";
import { noHistory, redone, remembered, undone, type History } from "./history";

const fresh: History<string> = noHistory;

describe("a history", () => {
  it("goes back and forward again", () => {
    const steps = remembered(remembered(fresh, "a", null), "b", null);
    const back = undone(steps, "c")!;
    expect(back.present).toBe("b");
    const further = undone(back.history, back.present)!;
    expect(further.present).toBe("a");
    expect(undone(further.history, further.present)).toBeNull();
    const forward = redone(further.history, further.present)!;
    expect(redone(forward.history, forward.present)?.present).toBe("c");
  });

  it("takes small steps of one thing for one, and not those of two", () => {
    const nudged = remembered(remembered(remembered(fresh, "a", "corner 1"), "b", "corner 1"), "c", "corner 2");
    expect(nudged.past.map((p) => p.value)).toEqual(["a", "c"]);
  });

  it("forgets what was undone once something else is done, and never joins it", () => {
    const nudged = remembered(fresh, "a", "corner");
    const back = undone(remembered(nudged, "b", null), "c")!;
    const after = remembered(back.history, back.present, "corner");
    expect(redone(after, "x")).toBeNull();
    expect(after.past.map((p) => p.value)).toEqual(["a", "b"]);
  });

  it("does not grow without end", () => {
    let long = fresh;
    for (let i = 0; i < 500; i++) long = remembered(long, String(i), null);
    expect(long.past).toHaveLength(200);
    expect(long.past[0]?.value).toBe("300");
  });
});
