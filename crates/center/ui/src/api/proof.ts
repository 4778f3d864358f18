/** Calls about evidence that must stay (holds) and evidence that two people delete. */
import { call, change } from "./client";
import { people } from "./people";
import type { AuditEntry, Deletion, Hold, NewHold } from "./types";

/** What can be held. */
export type Subject = "incident" | "case";
const path = (subject: Subject, id: string, what: string) => `/api/${subject}s/${id}/${what}`;

export const proof = {
  hold: (subject: Subject, id: string, reason: string) => change<NewHold | Hold>("POST", path(subject, id, "hold"), { reason }),
  release: (subject: Subject, id: string) => change<void>("DELETE", path(subject, id, "hold")),

  deletions: () => call<Deletion[]>("/api/deletions"),
  askDeletion: (incident: string, reason: string) => change<Deletion>("POST", path("incident", incident, "deletion"), { reason }),
  approveDeletion: (incident: string) => change<void>("POST", path("incident", incident, "deletion/approve")),
  withdrawDeletion: (incident: string) => change<void>("DELETE", path("incident", incident, "deletion")),

  /** Holds in force, newest first. The center lists them by their subject only, so all of them come off the record. */
  holds: async () => inForce(await deeds("hold.made"), await deeds("hold.ended")),
};

/** All deeds of one kind, newest first. */
async function deeds(action: string): Promise<AuditEntry[]> {
  const all: AuditEntry[] = [];
  for (let before: string | number | null | undefined; before !== null; ) {
    const page = await people.audit({ action }, before, 500);
    all.push(...page.entries);
    before = page.next;
  }
  return all;
}

/** A hold as the record tells it. */
export interface HoldOnRecord {
  subject: Subject;
  id: string;
  at: string;
  by: string;
  reason: string;
}

/** What was made and has not ended since: each thing is held once at most. Both newest first, as the record gives them. */
export function inForce(made: AuditEntry[], ended: AuditEntry[]): HoldOnRecord[] {
  const over = new Map<string, number>();
  for (const deed of ended) {
    const key = `${deed.subject_kind}/${deed.subject_id}`;
    over.set(key, Math.max(over.get(key) ?? -1, Number(deed.id)));
  }
  return made
    .filter((deed) => Number(deed.id) > (over.get(`${deed.subject_kind}/${deed.subject_id}`) ?? -1))
    .map((deed) => ({ subject: deed.subject_kind as Subject, id: deed.subject_id, at: deed.at, by: deed.actor, reason: word(deed.detail, "reason") }));
}

/** A deletion that was done, as the record tells it. */
export interface DeletionOnRecord {
  key: string | number;
  incident: string;
  at: string;
  askedBy: string;
  approvedBy: string;
  reason: string;
  files: { role: string; sha256: string }[];
}

export function deletionOnRecord(deed: AuditEntry): DeletionOnRecord {
  const { files } = (deed.detail ?? {}) as { files?: { role: string; sha256: string }[] };
  return { key: deed.id, incident: deed.subject_id, at: deed.at, askedBy: word(deed.detail, "asked_by"), approvedBy: deed.actor, reason: word(deed.detail, "reason"), files: files ?? [] };
}

function word(detail: unknown, name: string): string {
  const value = (detail as Record<string, unknown> | null)?.[name];
  return typeof value === "string" ? value : "";
}
