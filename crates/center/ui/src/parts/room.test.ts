import { describe, expect, it } from "vitest";
import type { Case, PlaceHistory as History } from "../api/types";
import { incident } from "../state/fixture";
import { latest } from "../views/CasesView";
import { translator } from "../i18n";
import { cameraName } from "../lib/health";
import { deedText, detailText } from "../views/admin/Records";
import { MAX_BYTES, refusal } from "./CaseAnswers";
import { pathOf } from "./MarkedPicture";
import { moments } from "./PlaceHistory";
import { allowed } from "./TopBar";

describe("the way of a thing", () => {
  it("is drawn only for what moved", () => {
    expect(pathOf([[0.1, 0.1, 0.2, 0.2], [0.105, 0.1, 0.205, 0.2]])).toEqual([]);
    expect(pathOf([[0, 0, 0.2, 0.2], [0.4, 0.4, 0.6, 0.6]])).toEqual([[0.1, 0.1], [0.5, 0.5]]);
    expect(pathOf([])).toEqual([]);
  });
});

it("the history of a place is by time, newest first, each thing once", () => {
  const early = incident({ id: "early", started_at: "2026-11-01T00:00:00Z" });
  const history = { incidents: [early, incident({ id: "late" }), early], cases: [{ id: "file", opened_at: "2026-11-10T00:00:00Z", kind: "stray_dog" }] } as unknown as History;
  expect(moments(history).map((m) => [m.key, m.what])).toEqual([["late", "incident"], ["file", "case"], ["early", "incident"]]);
});

it("pictures of an answer are refused before they are sent when the center would refuse them", () => {
  const file = (type: string, size: number) => ({ type, size });
  expect(refusal([file("image/jpeg", MAX_BYTES)])).toBeNull();
  expect(refusal([file("image/png", MAX_BYTES + 1)])).toBe("answer.tooLarge");
  expect(refusal([file("image/svg+xml", 10)])).toBe("answer.wrongType");
  expect(refusal(Array.from({ length: 10 }, () => file("image/png", 1)))).toBe("answer.tooMany");
});

it("a case that the feed brought replaces an older one that was read, never a newer one", () => {
  const file = (updated_at: string) => ({ id: "c", updated_at }) as Case;
  const [old, fresh] = [file("2026-11-22T00:00:00Z"), file("2026-11-22T01:00:00Z")];
  expect(latest(old, fresh)).toBe(fresh);
  expect(latest(fresh, old)).toBe(fresh);
  expect(latest(old, undefined)).toBe(old);
});

it("a view that needs a permission is not offered without it", () => {
  const session = { name: "v", display_name: "V", grants: [], permissions: ["see" as const], csrf: "" };
  expect(allowed("wall", session)).toBe(true);
  expect([allowed("review", session), allowed("admin", session)]).toEqual([false, false]);
  expect(allowed("admin", { ...session, permissions: ["audit"] })).toBe(true);
  expect(allowed("setup", { ...session, permissions: ["judge", "audit", "manage_users"] })).toBe(false);
  expect(allowed("setup", { ...session, permissions: ["configure"] })).toBe(true);
});

it("a detail on record is one line, whatever it holds", () => {
  expect(detailText({ order: "7", due: { days: 1 } })).toBe('order: 7 · due: {"days":1}');
  expect([detailText(null), detailText("x"), detailText(3)]).toEqual(["", "x", "3"]);
});

describe("names", () => {
  const [zh, en] = [translator("zh-CN"), translator("en")];

  it("of deeds on record are in the reader's language, those of cases too, and none for what is not known", () => {
    expect([deedText("hold.made", zh), deedText("case.dispatch", en), deedText("user.add", en)]).toEqual(["保全证据", "Dispatch", "User added"]);
    expect(deedText("something.new", en)).toBe("");
  });

  it("of what drones saw say so, though no node has such a camera", () => {
    expect([cameraName(undefined, "drone", zh), cameraName(undefined, "drone", en)]).toEqual(["无人机巡查", "Drone survey"]);
    expect(cameraName({ camera: "drone", name: "大疆" }, "drone", zh)).toBe("大疆");
    expect(cameraName(undefined, "gate", zh)).toBe("gate");
  });

  it("of amounts count one as one", () => {
    const amount = (amount: number, unit: string) => en.maybe(`amount.${unit}`, unit, { amount });
    expect([amount(1, "working_days"), amount(4, "hours"), amount(2, "weeks")]).toEqual(["1 working day", "4 hours", "weeks"]);
  });
});
