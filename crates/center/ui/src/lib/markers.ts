/** Where incidents stand on a map: at their place, or else at the camera that sees them. */
import type { Incident } from "../api/types";
import type { Translate } from "../i18n";
import type { Marker } from "../parts/SiteMap";
import { suspected } from "./kinds";
import type { LonLat } from "./plan";
import type { SitePlan } from "./siteplan";

/** Metres between signs that would hide each other at one camera. */
const APART = 0.00004;

export function placeOf(incident: Incident, plan: SitePlan): { at: LonLat; uncertainty: number | null } | null {
  if (incident.place) return { at: [incident.place.longitude, incident.place.latitude], uncertainty: incident.place.uncertainty_meters };
  const camera = plan.cameras.find((c) => c.id === incident.camera);
  return camera ? { at: camera.at, uncertainty: null } : null;
}

/** A marker for each incident that has a place; those at one camera stand side by side. */
export function markersOf(incidents: Incident[], plan: SitePlan, t: Translate, hrefOf: (incident: Incident) => string): Marker[] {
  const taken = new Map<string, number>();
  return incidents.flatMap((incident) => {
    const place = placeOf(incident, plan);
    if (!place) return [];
    const here = place.at.join();
    const before = taken.get(here) ?? 0;
    taken.set(here, before + 1);
    const shift = Math.ceil(before / 2) * (before % 2 === 0 ? -1 : 1) * APART;
    return [
      {
        key: incident.id,
        at: [place.at[0] + shift, place.at[1]] as LonLat,
        kind: incident.kind,
        label: `${suspected(incident.kind, t)} · ${t(`status.${incident.status}`)}`,
        strong: incident.status === "new",
        href: hrefOf(incident),
        ...(place.uncertainty === null ? {} : { uncertaintyMeters: place.uncertainty }),
      },
    ];
  });
}
