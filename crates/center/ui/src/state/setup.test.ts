import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Draft, Edit, SetupFile, SetupView } from "../api/setup";
import { withEdits } from "../lib/edits";
import { isChanged, nothing, shown, useSetup, viewIn } from "./setup";
import { gate, model } from "./setup.fixture";

const place = { site: "shenghe", node: "gate-house" };
const text = "[cameras.gate]\n";
const file: SetupFile = { file: "demo.toml", revision: "r1", text, problems: [], model, hot_reload: true, versions: [] };
const view = gate.views[0] as SetupView;
const state = () => useSetup.getState();

/** A node that takes every edit and writes each into the text as a line; `answers` go before. */
function node(answers: Record<string, (() => Response)[]> = {}) {
  const asked: { method: string; path: string; body: { text: string; edits: Edit[]; base: string; reason: string | null } }[] = [];
  const fetched = vi.fn(async (path: string, init?: RequestInit) => {
    const method = init?.method ?? "GET";
    const body = init?.body ? JSON.parse(String(init.body)) : {};
    asked.push({ method, path, body });
    const own = answers[method]?.shift();
    if (own) return own();
    if (method === "GET") return Response.json(file);
    if (method === "PUT") return Response.json({ revision: "r2", previous: "r1", version: "v1" });
    const next = body.text + body.edits.map((e: Edit) => `# ${e.op}\n`).join("");
    return Response.json({ text: next, revision: "", changed: true, problems: [], model: withEdits(model, body.edits) } satisfies Draft);
  });
  vi.stubGlobal("fetch", fetched);
  return asked;
}
const problem = (status: number, code: string) => () =>
  new Response(JSON.stringify({ code, status, messages: { "zh-CN": "不行", en: "no" } }), { status, headers: { "content-type": "application/problem+json" } });

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  useSetup.setState(nothing);
});

describe("a pipeline file being changed", () => {
  it("shows an edit at once and sends it when the hand rests, several as one", async () => {
    const asked = node();
    await state().open(place);
    const limit = (seconds: number) => ({ ...view, rules: [{ ...view.rules[0]!, options: { ...view.rules[0]!.options, limit_seconds: seconds } }] });
    state().put("gate", limit(3), "limit");
    state().put("gate", limit(30), "limit");
    expect(viewIn(shown(state()), "gate", null)?.rules[0]?.options["limit_seconds"]).toBe(30);
    expect(state().text).toBe(text);
    await vi.advanceTimersByTimeAsync(400);
    expect(asked.filter((a) => a.method === "POST").map((a) => a.body.edits)).toEqual([
      [{ op: "put_rule", camera: "gate", preset: null, rule: "bikes", kind: "misparked_ebike", options: { limit_seconds: 30 } }],
    ]);
    expect(state()).toMatchObject({ text: `${text}# put_rule\n`, sent: [], pending: [] });
    expect(isChanged(state())).toBe(true);
  });

  it("takes a step back, and forward again", async () => {
    node();
    await state().open(place);
    state().put("gate", { ...view, zones: [] });
    state().undo("gate", null);
    expect(viewIn(shown(state()), "gate", null)?.zones.map((z) => z.zone)).toEqual(["lane", "racks"]);
    state().redo("gate", null);
    expect(viewIn(shown(state()), "gate", null)?.zones).toEqual([]);
    state().redo("gate", null);
    await state().flush();
    expect(viewIn(state().model, "gate", null)?.zones).toEqual([]);
  });

  it("keeps edits that did not reach the node, and drops those that it refused", async () => {
    node({ POST: [problem(502, "node_unreachable"), problem(422, "setup_refused")] });
    await state().open(place);
    state().put("gate", { ...view, zones: [] });
    await state().flush();
    expect(state().pending).toHaveLength(2);
    expect(state().refusal).toMatchObject({ status: 502 });
    await state().flush();
    expect(state()).toMatchObject({ pending: [], sent: [], text });
    expect(state().refusal).toMatchObject({ status: 422 });
    expect(shown(state())).toEqual(model);
  });

  it("is not saved while the node has not taken what was typed", async () => {
    const asked = node({ POST: [problem(422, "setup_refused"), problem(422, "setup_refused")] });
    await state().open(place);
    state().type("rtsp://a:secret@h/");
    expect(await state().save("")).toBe(false);
    expect(state().saveError).toMatchObject({ status: 422 });
    expect(state().text).toBe("rtsp://a:secret@h/");
    // A refused edit leaves the text as it was: that can be saved.
    state().type(`${text}#\n`);
    await state().flush();
    state().type(`${text}# fine\n`);
    await state().flush();
    expect(state()).toMatchObject({ untold: false, refusal: null });
    expect(await state().save("")).toBe(true);
    expect(asked.filter((a) => a.method === "PUT")).toHaveLength(1);
  });

  it("is shown without what it says wrongly", async () => {
    const odd = structuredClone(model) as unknown as { cameras: { recording: unknown; views: { zones: unknown[]; rules: unknown[] }[] }[] };
    const [zone] = view.zones;
    odd.cameras[0]!.recording = { hours: "four" };
    odd.cameras[0]!.views[0]!.zones.push({ ...zone, zone: "x", purpose: "garden" }, { ...zone, zone: "y", membership: { overlap: "much" }, polygon: [] });
    odd.cameras[0]!.views[0]!.rules.push({ rule: "a", kind: "cats", options: {} }, { rule: "b", kind: "stray_dog", options: 3 });
    node({ GET: [() => Response.json({ ...file, model: odd })] });
    await state().open(place);
    const seen = viewIn(shown(state()), "gate", null);
    expect(seen?.zones.map((z) => [z.zone, z.membership])).toEqual([["lane", null], ["racks", { overlap: 0.5 }], ["y", null]]);
    expect(seen?.rules.map((r) => r.rule)).toEqual(["bikes"]);
    expect(state().model?.cameras[0]?.recording).toEqual({});
  });

  it("is checked while it is typed, and an answer to an older text does not undo what was typed since", async () => {
    const asked = node();
    await state().open(place);
    state().type("a");
    const first = state().flush();
    state().type("ab");
    await first;
    await state().flush();
    expect(state().text).toBe("ab");
    expect(asked.filter((a) => a.method === "POST").map((a) => a.body.text)).toEqual(["a", "ab"]);
  });

  it("is saved on top of what was read, with the reason", async () => {
    const fresh = () => Response.json({ ...file, revision: "r2", text: `${text}# remove_zone\n` });
    const asked = node({ GET: [() => Response.json(file), fresh] });
    await state().open(place);
    state().edit([{ op: "remove_zone", camera: "gate", preset: null, zone: "racks" }]);
    expect(await state().save(" 车棚拆了 ")).toBe(true);
    expect(asked.find((a) => a.method === "PUT")?.body).toEqual({ base: "r1", text: `${text}# remove_zone\n`, reason: "车棚拆了" });
    expect(isChanged(state())).toBe(false);
    expect(state()).toMatchObject({ saved: { version: "v1" }, saving: false, file: { revision: "r2" } });
  });

  it("is not saved with problems in it", async () => {
    const asked = node({ POST: [() => Response.json({ text: "x", revision: "", changed: true, model: null, problems: [{ path: "", message: "no", hint: null, line: 1, column: 1, from: 0, to: 1 }] })] });
    await state().open(place);
    state().type("x");
    expect(await state().save("")).toBe(false);
    expect(asked.some((a) => a.method === "PUT")).toBe(false);
  });

  it("that somebody else changed is never overwritten: both are kept until a person has decided", async () => {
    const other = { ...file, revision: "r9", text: `${text}# theirs\n` };
    const asked = node({ GET: [() => Response.json(file), () => Response.json(other)], PUT: [problem(409, "setup_changed")] });
    await state().open(place);
    state().type(`${text}# mine\n`);
    expect(await state().save("")).toBe(false);
    expect(state()).toMatchObject({ theirs: { revision: "r9" }, text: `${text}# mine\n`, file: { revision: "r1" } });
    await state().rebase(`${text}# theirs\n# mine\n`);
    expect(state()).toMatchObject({ theirs: null, file: { revision: "r9" }, text: `${text}# theirs\n# mine\n` });
    await state().save("");
    expect(asked.at(-2)?.body.base).toBe("r9");
  });

  it("of another node is not mixed up with an answer that comes late", async () => {
    node();
    await state().open(place);
    state().type("late");
    const flushed = state().flush();
    await state().open({ site: "shenghe", node: "other" });
    await flushed;
    expect(state().text).toBe(text);
  });
});
