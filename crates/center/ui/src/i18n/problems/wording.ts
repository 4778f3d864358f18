/** Texts with places for arguments, read in one language and said in another: whole or not at all. */

/** English to Chinese. `{name}` stands for an argument that is kept as it is, `{name:kind}` for one that is read as that kind. */
export type Wordings = Readonly<Record<string, string>>;
/** Says an argument in Chinese; `null` if it is not known. */
export type Say = (text: string) => string | null;

export interface Said {
  text: string;
  /** What stood in its places and was kept. */
  kept: string[];
}

const PLACE = /\{(\w+)(?::(\w+))?\}/g;
const ANY_PLACE = /\{\w+(?::\w+)?\}/;

interface Pattern {
  shape: RegExp;
  places: { name: string; kind: string | undefined }[];
  chinese: string;
}

function patternOf([wording, chinese]: [string, string]): Pattern {
  const places = [...wording.matchAll(PLACE)].map(([, name = "", kind]) => ({ name, kind }));
  const literals = wording.split(ANY_PLACE).map((literal) => literal.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return { shape: new RegExp(`^${literals.join("([^]*?)")}$`), places, chinese };
}

/** The letters that are the wording's own: of two that fit, the one with more of them is meant. */
const ownLetters = (wording: string) => wording.replace(PLACE, "").length;

export function speaker(wordings: Wordings, kinds: Readonly<Record<string, Say>> = {}): (text: string) => Said | null {
  const patterns = Object.entries(wordings)
    .sort(([a], [b]) => ownLetters(b) - ownLetters(a))
    .map(patternOf);
  return (text) => {
    for (const { shape, places, chinese } of patterns) {
      const found = shape.exec(text)?.slice(1);
      if (!found) continue;
      const values = new Map<string, string | null>();
      places.forEach(({ name, kind }, i) => {
        const value = found[i] ?? "";
        values.set(name, kind === undefined ? value : (kinds[kind]?.(value) ?? null));
      });
      if ([...values.values()].includes(null)) continue;
      const kept = places.flatMap(({ kind }, i) => (kind === undefined ? [found[i] ?? ""] : []));
      return { text: chinese.replace(PLACE, (place, name: string) => values.get(name) ?? place), kept };
    }
    return null;
  };
}
