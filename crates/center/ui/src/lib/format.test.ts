import { describe, expect, it } from "vitest";
import { translator } from "../i18n";
import { between, clock, duration, fullTime, percent, size } from "./format";

const zh = translator("zh-CN");
const en = translator("en");

describe("duration", () => {
  it("shows the two largest units", () => {
    expect(duration(9_900, zh)).toBe("9 秒");
    expect(duration(192_000, zh)).toBe("3 分 12 秒");
    expect(duration(192_000, en)).toBe("3 min 12 s");
    expect(duration(2 * 3_600_000 + 5 * 60_000, en)).toBe("2 h 5 min");
    expect(duration(50 * 3_600_000, zh)).toBe("2 天 2 小时");
  });

  it("is nothing, not negative, when clocks differ", () => {
    expect(duration(-5_000, en)).toBe("0 s");
    expect(between("2026-11-22T00:00:10Z", "2026-11-22T00:00:00Z", en)).toBe("0 s");
  });
});

describe("clock", () => {
  const now = Date.parse("2026-11-22T02:00:00Z");
  it("leaves the date out only today, in the zone of the reader", () => {
    expect(clock("2026-11-22T01:02:03Z", now, "zh-CN", "Asia/Shanghai")).toBe("09:02:03");
    // Still the 21st in UTC, already the 22nd in Shanghai.
    expect(clock("2026-11-21T16:30:00Z", now, "zh-CN", "Asia/Shanghai")).toBe("00:30:00");
    expect(clock("2026-11-21T15:59:00Z", now, "en", "Asia/Shanghai")).toContain("23:59");
    expect(clock("2026-11-21T15:59:00Z", now, "en", "Asia/Shanghai")).toContain("21");
  });
  it("counts midnight as 00, not 24", () => {
    expect(fullTime("2026-11-22T16:00:00Z", "en", "Asia/Shanghai")).toContain("00:00:00");
  });
});

it("shares and sizes are short", () => {
  expect(percent(0.456)).toBe("46%");
  expect(size(999)).toBe("999 B");
  expect(size(182_400)).toBe("182 kB");
  expect(size(2_400_000)).toBe("2.4 MB");
});
