/** Calls of the monitoring room: claims and the queue, mutes, plans of sites, reports and exports. */
import type { Language } from "../state/settings";
import { call, change, queryOf, type IncidentFilter } from "./client";
import type { MonthReport, Mute, PlaceHistory, Review } from "./types";

export const room = {
  /** The next incident that waits and that nobody else looks at; it is the caller's from then on. */
  next: (site: string | null, skip: string[]) => change<Review>("POST", `/api/review/next?${queryOf({ site, skip: skip.join(",") })}`),
  claim: (id: string) => change<{ until: string; by: string }>("POST", `/api/incidents/${id}/claim`),
  release: (id: string) => change<void>("DELETE", `/api/incidents/${id}/claim`),
  historyOfPlace: (id: string) => call<PlaceHistory>(`/api/incidents/${id}/history-of-place`),
  mutes: () => call<Mute[]>("/api/mutes"),
  mute: (incident: string, hours: number, reason: string) => change<Mute>("POST", "/api/mutes", { incident, hours, reason }),
  unmute: (id: string) => change<void>("DELETE", `/api/mutes/${id}`),
  month: (month: string, site: string) => call<MonthReport>(`/api/reports/month?${queryOf({ month, site })}`),
};

export const sitePlans = {
  read: (site: string) => call<unknown>(`/api/sites/${encodeURIComponent(site)}/plan`),
  write: (site: string, geojson: unknown) => change<void>("PUT", `/api/sites/${encodeURIComponent(site)}/plan`, geojson),
  writePicture: (site: string, picture: File) =>
    call<void>(`/api/sites/${encodeURIComponent(site)}/plan.png`, { method: "PUT", headers: { "content-type": "image/png" }, body: picture }),
  pictureUrl: (site: string) => `/api/sites/${encodeURIComponent(site)}/plan.png`,
};

export const FORMATS = ["csv", "xlsx", "pdf"] as const;
export type Format = (typeof FORMATS)[number];

/** Files are in the language of the person who takes them along. */
export function exportUrl(what: "incidents" | "cases", format: Format, filter: IncidentFilter | object, language: Language): string {
  return `/api/export/${what}/${what}.${format}?${queryOf({ ...filter, language })}`;
}

export function monthUrl(format: Format, month: string, site: string, language: Language): string {
  return `/api/reports/month.${format}?${queryOf({ month, site, language })}`;
}
