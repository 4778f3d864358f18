// @vitest-environment jsdom
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import type { ReactElement } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { deletionOnRecord, inForce } from "../api/proof";
import type { AuditEntry, Deletion, Hold, IncidentDetail, Permission } from "../api/types";
import { incident } from "../state/fixture";
import { useSession } from "../state/session";
import { useSettings } from "../state/settings";
import { HoldsPart } from "../views/admin/Holds";
import { Deletions, gone } from "./Deletions";
import { Holds } from "./Holds";
import { Media } from "./Media";
import { entries } from "./Timeline";
import { translator } from "../i18n";

const AT = "2026-11-22T00:00:00Z";
const file = (role: "snapshot" | "clip", deleted = false) => ({ role, at: AT, bytes: 1, media_type: "image/jpeg", sha256: role, deleted: deleted ? { asked_by: "li", approved_by: "wang", at: AT } : null });
const detail = (change: Partial<IncidentDetail> = {}): IncidentDetail => ({ incident: incident(), sightings: [], events: [], evidence: [file("snapshot")], audit: [], held: false, holds: [], deletion: null, ...change });
const hold = (change: Partial<Hold> = {}): Hold => ({ case: null, at: AT, by: "zhao", reason: "court wants it", ...change });
const asked: Deletion = { incident: "a", asked_at: AT, asked_by: "li", reason: "a child is on it" };
const deed = (id: number, action: string, subject: string, detail: unknown = {}): AuditEntry => ({ id, at: AT, actor: "zhao", action, subject_kind: "incident", subject_id: subject, detail });

function be(name: string, ...permissions: Permission[]) {
  useSession.setState({ session: { name, display_name: name, grants: [], permissions, csrf: "c" } });
}

function show(element: ReactElement) {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  return render(<QueryClientProvider client={client}>{element}</QueryClientProvider>);
}

/** What the page asked the center for, which answers each address with this or with nothing. */
function center(answers: Record<string, unknown> = {}) {
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (path: string, init?: RequestInit) => {
    const what = `${init?.method ?? "GET"} ${path}`;
    asked.push(init?.body ? `${what} ${String(init.body)}` : what);
    const answer = Object.entries(answers).find(([name]) => what.startsWith(name))?.[1];
    return answer === undefined ? new Response(null, { status: 204 }) : answer instanceof Response ? answer : Response.json(answer);
  });
  return asked;
}

const button = (name: string) => screen.queryByRole("button", { name });
const press = (name: string) => fireEvent.click(screen.getByRole("button", { name }));
/** Fills the window in and sends it. */
function send(name: string, reason?: string) {
  const dialog = screen.getByRole("dialog");
  if (reason !== undefined) fireEvent.change(within(dialog).getByLabelText("Reason"), { target: { value: reason } });
  fireEvent.click(within(dialog).getByRole("button", { name }));
}

beforeEach(() => {
  useSettings.setState({ language: "en" });
  HTMLDialogElement.prototype.showModal = function () {
    this.open = true;
  };
  HTMLDialogElement.prototype.close = function () {
    this.open = false;
  };
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  useSession.setState({ session: undefined });
});

describe("a hold", () => {
  it("is made with a reason by who may dispatch, who then reads how many files are safe", async () => {
    const asked = center({ "POST /api/incidents/a/hold": { hold: hold(), kept: 1, missing: 2 } });
    be("zhao", "dispatch");
    show(<Holds subject="incident" id="a" holds={[]} />);
    expect(screen.getByText(/^Not held/)).toBeTruthy();
    press("Hold the evidence");
    send("Hold the evidence", " court wants it ");
    await screen.findByText("Held: 1 file is in the vault, 2 files could not be had now and will be asked for again");
    expect(asked).toEqual(['POST /api/incidents/a/hold {"reason":"court wants it"}']);
    expect(screen.queryByRole("dialog")).toBeNull();
  });

  it("tells who made it, since when and why, and is lifted by who reads the audit", async () => {
    const asked = center();
    be("sun", "audit");
    show(<Holds subject="case" id="f" holds={[hold({ case: "f" })]} />);
    expect(screen.getByText(/held by zhao, /)).toBeTruthy();
    expect(screen.getByText("court wants it")).toBeTruthy();
    expect(button("Hold the evidence")).toBeNull();
    press("Lift the hold");
    send("Lift the hold");
    await waitFor(() => expect(asked).toEqual(["DELETE /api/cases/f/hold"]));
  });

  it("on the case is shown at its incidents and lifted at the case only; others may do neither", () => {
    be("sun", "audit", "dispatch");
    const { unmount } = show(<Holds subject="incident" id="a" holds={[hold({ case: "f" })]} />);
    expect(screen.getByRole("link", { name: "with the whole case" }).getAttribute("href")).toBe("#/cases/f");
    expect(button("Lift the hold")).toBeNull();
    expect(button("Hold the evidence")).not.toBeNull();
    unmount();
    be("li", "see", "judge", "file");
    show(<Holds subject="incident" id="a" holds={[hold()]} />);
    expect(screen.queryAllByRole("button")).toEqual([]);
  });

  it("says why what nobody holds stays all the same", () => {
    be("li", "see");
    show(<Holds subject="incident" id="a" holds={[]} keptAnyway />);
    expect(screen.getByText(/its case is open/)).toBeTruthy();
  });

  it("that is refused says so, and the window stays", async () => {
    const problem = { code: "already_held", status: 409, messages: { en: "the evidence is held already", "zh-CN": "已保全" } };
    center({ POST: new Response(JSON.stringify(problem), { status: 409, headers: { "content-type": "application/problem+json" } }) });
    be("zhao", "dispatch");
    show(<Holds subject="incident" id="a" holds={[]} />);
    press("Hold the evidence");
    send("Hold the evidence", "again");
    expect((await screen.findByRole("alert")).textContent).toBe("the evidence is held already");
    expect(screen.getByRole("dialog")).toBeTruthy();
  });
});

describe("a deletion", () => {
  it("is asked for with a reason, and only of what is there and not held", async () => {
    const seen = center({ "POST /api/incidents/a/deletion": asked });
    be("li", "delete");
    const { rerender } = show(<Deletions detail={detail()} />);
    press("Ask for deletion");
    send("Ask for deletion", "a child is on it");
    await waitFor(() => expect(seen).toEqual(['POST /api/incidents/a/deletion {"reason":"a child is on it"}']));
    const client = new QueryClient();
    for (const other of [detail({ held: true }), detail({ evidence: [file("snapshot", true)] }), detail({ deletion: asked })]) {
      rerender(
        <QueryClientProvider client={client}>
          <Deletions detail={other} />
        </QueryClientProvider>,
      );
      expect(button("Ask for deletion")).toBeNull();
    }
  });

  it("is not approved by who asked, who may withdraw it", async () => {
    const seen = center();
    be("li", "delete");
    show(<Deletions detail={detail({ deletion: asked })} />);
    expect((button("Approve the deletion") as HTMLButtonElement).disabled).toBe(true);
    expect(screen.getByText("Somebody other than who asked has to approve.")).toBeTruthy();
    press("Withdraw");
    send("Withdraw");
    await waitFor(() => expect(seen).toEqual(["DELETE /api/incidents/a/deletion"]));
  });

  it("is approved by another person, who reads why before", async () => {
    const seen = center();
    be("wang", "delete");
    show(<Deletions detail={detail({ deletion: asked })} />);
    press("Approve the deletion");
    expect(within(screen.getByRole("dialog")).getByText(/a child is on it/)).toBeTruthy();
    send("Approve the deletion");
    await waitFor(() => expect(seen).toEqual(["POST /api/incidents/a/deletion/approve"]));
  });

  it("is told to all who see the incident, and done by none who may not", () => {
    be("guest", "see");
    show(<Deletions detail={detail({ deletion: asked })} />);
    expect(screen.getByText(/li asked for deletion/)).toBeTruthy();
    expect(screen.queryAllByRole("button")).toEqual([]);
  });

  it("leaves a trace of which files and by whom, also where the picture was", () => {
    const over = detail({ evidence: [file("snapshot", true), file("clip", true)] });
    expect(gone(over).map((one) => one.roles)).toEqual([["snapshot", "clip"]]);
    be("guest", "see");
    show(<Deletions detail={over} />);
    expect(screen.getByText("Deleted: original, clip")).toBeTruthy();
    expect(screen.getByText(/asked for by li, approved by wang/)).toBeTruthy();
    cleanup();
    show(<Media detail={over} camera={undefined} medium="snapshot" onMedium={() => {}} />);
    expect(screen.getByText("The evidence was deleted")).toBeTruthy();
    expect(document.querySelector("img, a[download]")).toBeNull();
  });
});

describe("the record", () => {
  it("gives the holds that are in force: made, and not ended since", () => {
    const made = [deed(9, "hold.made", "b"), deed(7, "hold.made", "a", { reason: "again" }), deed(2, "hold.made", "a"), deed(1, "hold.made", "c")];
    const ended = [deed(8, "hold.ended", "c"), deed(5, "hold.ended", "a")];
    expect(inForce(made, ended).map((h) => [h.id, h.by, h.reason])).toEqual([["b", "zhao", ""], ["a", "zhao", "again"]]);
  });

  it("gives what was deleted, by whom and why", () => {
    const one = deletionOnRecord(deed(3, "evidence.deleted", "a", { asked_by: "li", reason: "why", files: [{ role: "clip", path: "x", sha256: "00" }] }));
    expect(one).toMatchObject({ incident: "a", askedBy: "li", approvedBy: "zhao", reason: "why", files: [{ role: "clip", sha256: "00" }] });
    expect(deletionOnRecord(deed(3, "evidence.deleted", "a", null)).files).toEqual([]);
  });

  it("tells a hold's reason once, whatever is in it, and a verdict's by its code", () => {
    const audit = [
      { at: AT, operator: "zhao", action: "hold.made", reason: "court: wants it" },
      { at: AT, operator: "li", action: "dismissed", reason: "other: a toy" },
    ];
    const told = entries(detail({ audit }), translator("en")).map((entry) => `${entry.title} | ${entry.detail}`);
    expect(told).toEqual(["Evidence held | zhao · court: wants it", "Dismissed | li · Other · a toy"]);
  });

  it("is listed on one page: what waits, what is held, what is gone", async () => {
    center({
      "GET /api/deletions": [asked],
      "GET /api/audit?action=hold.made": { entries: [deed(4, "hold.made", "b", { reason: "court" })], next: null },
      "GET /api/audit?action=hold.ended": { entries: [], next: null },
      "GET /api/audit?action=evidence.deleted": { entries: [deed(5, "evidence.deleted", "c", { asked_by: "li", reason: "private", files: [{ role: "clip", sha256: "00" }] })], next: null },
      "GET /api/incidents/": detail(),
    });
    be("wang", "delete", "audit");
    show(<HoldsPart />);
    const part = async (name: string, text: string) => within(await screen.findByRole("region", { name })).findByText(text);
    await part("Deletions that wait", "a child is on it");
    await part("Held now", "court");
    await part("Deleted evidence", "private");
    expect(screen.getByRole("link", { name: /^Incident b/ }).getAttribute("href")).toBe("#/incidents/b");
    expect(button("Approve the deletion")).not.toBeNull();
  });
});
