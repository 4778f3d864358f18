/** Texts in two languages: a typed dictionary, so that a missing or misspelt key does not compile. */
import { useMemo } from "react";
import { useSettings, type Language } from "../state/settings";
import { en } from "./en";
import { zh, type Dictionary, type Key } from "./zh";

export type { Key };
export const dictionaries: Record<Language, Dictionary> = { "zh-CN": zh, en };

export interface Translate {
  (key: Key, values?: Record<string, string | number>): string;
  /** A text whose key is put together from data (a kind, a class): `fallback` when the dictionary has none. */
  maybe(key: string, fallback: string, values?: Record<string, string | number>): string;
  language: Language;
}

/** `{count}`, or with the thing that is counted, of one and of any other number of it: `{count:camera|cameras}`. */
const SLOT = /\{(\w+)(?::([^{}|]+)\|([^{}|]+))?\}/g;

export function translator(language: Language): Translate {
  const dictionary = dictionaries[language];
  const t = (key: Key, values?: Record<string, string | number>) =>
    dictionary[key].replace(SLOT, (whole, name: string, one?: string, other?: string) => {
      const value = values?.[name];
      if (value === undefined) return whole;
      return one === undefined ? String(value) : `${value} ${String(value) === "1" ? one : other}`;
    });
  return Object.assign(t, {
    maybe: (key: string, fallback: string, values?: Record<string, string | number>) => (key in dictionary ? t(key as Key, values) : fallback),
    language,
  });
}

export function useT(): Translate {
  const language = useSettings((s) => s.language);
  return useMemo(() => translator(language), [language]);
}
