import { describe, expect, it } from "vitest";
import { dictionaries, translator } from ".";

const { "zh-CN": zh, en } = dictionaries;
const slots = (text: string) => [...text.matchAll(/\{(\w+)(?::[^{}|]+\|[^{}|]+)?\}/g)].map((m) => m[1]).sort();

describe("dictionaries", () => {
  it("have the same keys in both languages, and no empty text", () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(zh).sort());
    for (const text of [...Object.values(zh), ...Object.values(en)]) expect(text.trim()).not.toBe("");
  });

  it("have the same slots in both languages", () => {
    for (const key of Object.keys(zh) as (keyof typeof zh)[]) expect(slots(en[key]), key).toEqual(slots(zh[key]));
  });

  it("are each in their own language", () => {
    const han = /\p{Script=Han}/u;
    const other = new Set(["top.language.switch", "top.language.other"]);
    for (const [key, text] of Object.entries(en)) if (!other.has(key)) expect(han.test(text), key).toBe(false);
    for (const [key, text] of Object.entries(zh)) if (!other.has(key) && key !== "media.bytes" && text.replace(/\{\w+\}|[\s·]/g, "") !== "") expect(han.test(text), key).toBe(true);
  });
});

describe("translator", () => {
  it("fills slots and leaves unknown ones visible", () => {
    const t = translator("en");
    expect(t("kind.suspected", { kind: "stray dog" })).toBe("Suspected stray dog");
    expect(t("kind.suspected")).toBe("Suspected {kind}");
    expect(t.maybe("kind.store_overflow", "Store overflow")).toBe("Store overflow");
  });

  it("counts one thing and many things", () => {
    const t = translator("en");
    expect([0, 1, 2, 21].map((count) => t("cameras.node.cameras", { count }))).toEqual(["0 cameras", "1 camera", "2 cameras", "21 cameras"]);
    expect(translator("zh-CN")("cameras.node.cameras", { count: 1 })).toBe("1 路摄像机");
  });

  it("calls every kind a suspicion", () => {
    expect(translator("zh-CN")("kind.suspected", { kind: "占道" })).toBe("疑似占道");
  });
});
