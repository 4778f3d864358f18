/** What the page says of cases: how far one is, how its time stands, and what an action asks for. */
import type { Case, CaseActionName, CaseDetail, CaseStep } from "../api/types";
import type { Translate } from "../i18n";
import { duration } from "./format";

/** The way of every case, in order. */
export const WAY: CaseStep[] = ["reported", "accepted", "dispatched", "handled", "verified", "closed"];

export interface Stage {
  step: CaseStep;
  state: "done" | "current" | "ahead";
  at: string | null;
  by: string | null;
  /** Until when this one is to be reached. */
  due: string | null;
}

/** The way of a case with what is behind it and what is due next. A case that ended elsewhere ends its line there. */
export function stages(detail: CaseDetail): Stage[] {
  const { case: file, history } = detail;
  const aside = file.step === "rejected" || file.step === "merged";
  const reached = aside
    ? history.reduce((far, e) => Math.max(far, WAY.indexOf(e.to)), 0)
    : WAY.indexOf(file.step);
  const way = aside ? [...WAY.slice(0, reached + 1), file.step] : WAY;
  return way.map((step, at) => {
    const last = history.filter((e) => e.to === step && e.from !== step).at(-1) ?? (step === "reported" ? { at: file.opened_at, actor: file.opened_by } : undefined);
    const current = step === file.step;
    const behind = current || at <= reached;
    return {
      step,
      state: current ? "current" : behind ? "done" : "ahead",
      at: behind ? (last?.at ?? null) : null,
      by: behind ? (last?.actor ?? null) : null,
      due: !aside && !file.suspended && at === reached + 1 ? file.step_due : null,
    };
  });
}

export function isOver(file: Pick<Case, "step">): boolean {
  return file.step === "closed" || file.step === "rejected" || file.step === "merged";
}

export type DueTone = "good" | "warn" | "bad" | "off";

/** The time of a case in words and a tone, so that colour is never the only sign. */
export function dueOf(file: Case, now: number, t: Translate): { text: string; tone: DueTone } {
  if (isOver(file)) return { text: t(file.lateness === "overdue" ? "case.due.closedLate" : "case.due.closed"), tone: file.lateness === "overdue" ? "bad" : "off" };
  if (file.suspended) return { text: t("case.suspended"), tone: "off" };
  const due = file.step_due ?? file.due;
  if (!due) return { text: t("case.due.none"), tone: "off" };
  const left = Date.parse(due) - now;
  if (file.lateness === "overdue" || left < 0) return { text: left < 0 ? t("case.due.over", { duration: duration(-left, t) }) : t("case.late.overdue"), tone: "bad" };
  return { text: t("case.due.left", { duration: duration(left, t) }), tone: file.lateness === "warning" ? "warn" : "good" };
}

export interface Asks {
  reason: "required" | "optional";
  department?: "required" | "optional";
  allowance?: boolean;
  into?: boolean;
  instruction?: boolean;
}

/** What each action asks of the person who does it. */
export const ASKS: Record<CaseActionName, Asks> = {
  accept: { reason: "optional" },
  reject: { reason: "required" },
  dispatch: { reason: "optional", department: "required", instruction: true },
  return: { reason: "required" },
  suspend: { reason: "required" },
  resume: { reason: "optional" },
  extend: { reason: "required", allowance: true },
  check_pass: { reason: "optional" },
  check_fail: { reason: "required" },
  close: { reason: "optional" },
  reopen: { reason: "required" },
  merge: { reason: "optional", into: true },
  escalate: { reason: "required", department: "optional" },
  remind: { reason: "optional" },
  comment: { reason: "required" },
};

/** The one action that carries the case on, if there is one: it is drawn stronger. */
export const ONWARD: CaseActionName[] = ["accept", "dispatch", "check_pass", "close", "resume"];
