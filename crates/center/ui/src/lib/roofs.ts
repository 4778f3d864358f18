/** What the page says of roofs: which structures matter first, and a building's name. */
import type { Roof, RoofStructure } from "../api/types";
import type { Translate } from "../i18n";

const ORDER: Record<RoofStructure["state"], number> = { grown: 0, first_sign: 1, built: 2, removed: 3 };

/** Structures that stand, those that changed last first; then what is gone. */
export function byState(a: RoofStructure, b: RoofStructure): number {
  return ORDER[a.state] - ORDER[b.state] || latestArea(b) - latestArea(a) || (a.incident ?? "").localeCompare(b.incident ?? "");
}

export function latestArea(structure: RoofStructure): number {
  return structure.sightings.at(-1)?.area_square_meters ?? 0;
}

/** Square metres that stand on a roof without having been there at first. */
export function standingArea(roof: Roof): number {
  return roof.structures.reduce((sum, s) => sum + (s.state === "removed" ? 0 : latestArea(s)), 0);
}

/** Roofs in the order of work: what changed in the latest survey, then what stands, then the rest by name. */
export function byWork(t: Translate): (a: Roof, b: Roof) => number {
  const rank = (roof: Roof) => Math.min(9, ...roof.structures.map((s) => ORDER[s.state]));
  return (a, b) => rank(a) - rank(b) || standingArea(b) - standingArea(a) || roofName(a, t).localeCompare(roofName(b, t));
}

export function roofName(roof: Roof, t: Translate): string {
  const [first, second] = t.language === "en" ? [roof.name_en, roof.name_zh] : [roof.name_zh, roof.name_en];
  return first ?? second ?? roof.building;
}

/** Identity of a roof in the address of the page. */
export function roofKey(roof: Roof): string {
  return `${roof.site}~${roof.building}`;
}

/** What tells a structure from the others of its roof. */
export function structureKey(structure: RoofStructure): string {
  return structure.incident ?? JSON.stringify(structure.outline);
}
