import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiError, call, caller, change } from "../api/client";
import type { Session } from "../api/types";
import { may, useSession } from "./session";

const session: Session = { name: "li", display_name: "李", grants: [], permissions: ["see", "judge"], csrf: "c5" };
const problem = (status: number, code: string, headers = {}) =>
  new Response(JSON.stringify({ code, status, messages: { "zh-CN": "不行", en: "no" } }), { status, headers: { "content-type": "application/problem+json", ...headers } });

function answers(...list: Response[]) {
  const fetched = vi.fn(async (_path: string, _init?: RequestInit) => list.shift() ?? Response.json({ password: true, oidc: null }));
  vi.stubGlobal("fetch", fetched);
  return fetched;
}

afterEach(() => {
  vi.unstubAllGlobals();
  caller.csrf = null;
  useSession.setState({ session: undefined, ways: null, ended: false, error: null });
});

describe("a session", () => {
  it("marks every change, and nothing that only reads", async () => {
    const fetched = answers(Response.json(session), Response.json({}), Response.json({}));
    await useSession.getState().signIn("li", "secret");
    await call("/api/cameras");
    await change("POST", "/api/cases", { incidents: [] });
    const sent = fetched.mock.calls.map(([, init]) => (init?.headers as Headers).get("x-parapet-csrf"));
    expect(sent).toEqual([null, null, "c5"]);
  });

  it("that ended shows the sign-in page and says why; none at all says nothing", async () => {
    answers(problem(401, "sign_in_needed"));
    await useSession.getState().load();
    expect(useSession.getState()).toMatchObject({ session: null, ended: false });

    useSession.setState({ session });
    answers(problem(401, "sign_in_needed"));
    await expect(call("/api/cameras")).rejects.toBeInstanceOf(ApiError);
    expect(useSession.getState()).toMatchObject({ session: null, ended: true });
    expect(caller.csrf).toBeNull();
  });

  it("is not lost by a wrong password, and a lock says for how long", async () => {
    useSession.setState({ session });
    answers(problem(401, "sign_in_failed"), problem(429, "locked", { "retry-after": "30" }));
    await expect(useSession.getState().signIn("li", "x")).rejects.toBeInstanceOf(ApiError);
    expect(useSession.getState().session).toBe(session);
    await expect(useSession.getState().signIn("li", "x")).rejects.toMatchObject({ status: 429, retryAfter: 30 });
  });

  it("gives what its permissions say", () => {
    expect(may(session, "judge")).toBe(true);
    expect(may(session, "configure")).toBe(false);
    expect(may(null, "see")).toBe(false);
  });
});
