/**
 * Where the reader is, kept in the address after `#`: `#/wall`, `#/wall/INCIDENT`, `#/wall?screen=2`, `#/review`,
 * `#/incidents/INCIDENT`, `#/cases/CASE`, `#/map/SITE`, `#/roofs/SITE~BUILDING`, `#/reports/SITE`, `#/cameras/CAMERA`,
 * `#/setup/SITE~NODE?camera=CAMERA&preset=PRESET&part=PART`, `#/admin/PART`.
 */
import { useMemo, useSyncExternalStore } from "react";

export const VIEWS = ["wall", "review", "incidents", "cases", "map", "roofs", "reports", "cameras", "setup", "admin"] as const;
export type View = (typeof VIEWS)[number];
export interface Route {
  view: View;
  id: string | null;
  query: URLSearchParams;
}

export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [view, id] = path.split("/");
  return { view: VIEWS.find((v) => v === view) ?? "wall", id: id ? decodeURIComponent(id) : null, query: new URLSearchParams(query) };
}

export function href(view: View, id?: string | null, query?: Record<string, string>): string {
  const path = id ? `#/${view}/${encodeURIComponent(id)}` : `#/${view}`;
  return query && Object.keys(query).length > 0 ? `${path}?${new URLSearchParams(query).toString()}` : path;
}

/** Goes there; what stood behind `?` in the wall's address (its screen) stays while one stays on the wall. */
export function go(view: View, id?: string | null): void {
  const { view: from, query } = parseRoute(window.location.hash);
  window.location.hash = href(view, id, view === "wall" && from === "wall" ? Object.fromEntries(query) : undefined);
}

function subscribe(changed: () => void): () => void {
  window.addEventListener("hashchange", changed);
  return () => window.removeEventListener("hashchange", changed);
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(subscribe, () => window.location.hash);
  return useMemo(() => parseRoute(hash), [hash]);
}
