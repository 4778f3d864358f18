/** Where the reader is, kept in the address after `#`: `#/wall`, `#/wall/INCIDENT`, `#/incidents/INCIDENT`, `#/roofs/SITE~BUILDING`, `#/cameras/CAMERA`. */
import { useSyncExternalStore } from "react";

export const VIEWS = ["wall", "incidents", "roofs", "cameras"] as const;
export type View = (typeof VIEWS)[number];
export interface Route {
  view: View;
  id: string | null;
}

export function parseRoute(hash: string): Route {
  const [view, id] = hash.replace(/^#\/?/, "").split("/");
  return { view: VIEWS.find((v) => v === view) ?? "wall", id: id ? decodeURIComponent(id) : null };
}

export function href(view: View, id?: string | null): string {
  return id ? `#/${view}/${encodeURIComponent(id)}` : `#/${view}`;
}

export function go(view: View, id?: string | null): void {
  window.location.hash = href(view, id);
}

function subscribe(changed: () => void): () => void {
  window.addEventListener("hashchange", changed);
  return () => window.removeEventListener("hashchange", changed);
}

export function useRoute(): Route {
  return parseRoute(useSyncExternalStore(subscribe, () => window.location.hash));
}
