/** Calls about cases: list, one case, what people do with it, and its papers. */
import type { Language } from "../state/settings";
import { call, change, queryOf } from "./client";
import type { CaseAction, CaseDetail, CasePage, Department, Lateness, NewCase, Site } from "./types";

/** What a list of cases is narrowed to. */
export interface CaseFilter {
  site?: string;
  kind?: string;
  step?: string;
  department?: string;
  lateness?: Lateness;
  text?: string;
  from?: string;
  to?: string;
}

export const cases = {
  list: (filter: CaseFilter, cursor?: string, limit = 50) => call<CasePage>(`/api/cases?${queryOf({ ...filter, cursor, limit })}`),
  one: (id: string) => call<CaseDetail>(`/api/cases/${id}`),
  open: (fresh: NewCase) => change<CaseDetail>("POST", "/api/cases", fresh),
  act: (id: string, action: CaseAction) => change<CaseDetail>("POST", `/api/cases/${id}/actions`, action),
  answer: (id: string, text: string, pictures: File[]) => {
    const body = new FormData();
    body.set("text", text);
    for (const picture of pictures) body.append("picture", picture);
    return call<CaseDetail>(`/api/cases/${id}/answers`, { method: "POST", body });
  },
  departments: () => call<Department[]>("/api/departments"),
  sites: () => call<Site[]>("/api/sites"),
};

/** The order on paper, in the language of the person who opens it. */
export function orderUrl(id: string, order: string, form: "html" | "pdf", language: Language): string {
  return `/api/cases/${id}/orders/${encodeURIComponent(order)}/document.${form}?${queryOf({ language })}`;
}

export function pictureUrl(id: string, answer: string, picture: string): string {
  return `/api/cases/${id}/answers/${answer}/pictures/${picture}`;
}

export function archiveUrl(id: string): string {
  return `/api/cases/${id}/archive.zip`;
}
