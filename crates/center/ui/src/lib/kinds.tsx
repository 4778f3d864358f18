/** How each kind of incident looks: a colour and a sign, so that colour is never the only difference. */
import { Bike, Building2, Dog, TrafficCone, TriangleAlert, type LucideIcon } from "lucide-react";
import type { Kind } from "../api/types";
import type { Translate } from "../i18n";

interface Look {
  icon: LucideIcon;
  /** On pictures, whatever the theme. */
  onPicture: string;
}

const LOOKS: Record<string, Look> = {
  rooftop_structure: { icon: Building2, onPicture: "#b79bff" },
  occupied_roadway: { icon: TrafficCone, onPicture: "#ff9a3d" },
  stray_dog: { icon: Dog, onPicture: "#2fd9e8" },
  misparked_ebike: { icon: Bike, onPicture: "#ff7ac0" },
};
const OTHER: Look = { icon: TriangleAlert, onPicture: "#ffd75e" };

export const KINDS = Object.keys(LOOKS);

export function look(kind: string): Look {
  return LOOKS[kind] ?? OTHER;
}

/** Names of the catalogue, which the center's administrators may change and add to. */
let catalogue = new Map<string, Pick<Kind, "name_zh" | "name_en">>();

export function learnKinds(kinds: Kind[]): void {
  catalogue = new Map(kinds.map((kind) => [kind.code, kind]));
}

export function kindName(kind: string, t: Translate): string {
  const known = catalogue.get(kind);
  if (known) return t.language === "en" ? known.name_en : known.name_zh;
  return t.maybe(`kind.${kind}`, kind);
}

/** Every automatic finding is a suspicion until a person has checked it. */
export function suspected(kind: string, t: Translate): string {
  const name = kindName(kind, t);
  // The catalogue's names of what models flag say so themselves.
  if (name.startsWith("疑似") || name.toLowerCase().startsWith("suspected")) return name;
  return t("kind.suspected", { kind: t.language === "en" ? name.charAt(0).toLowerCase() + name.slice(1) : name });
}

export function KindIcon({ kind, size = 16 }: { kind: string; size?: number }) {
  const Icon = look(kind).icon;
  return (
    <span className="kind-icon" data-kind={kind} aria-hidden>
      <Icon size={size} strokeWidth={2} />
    </span>
  );
}
