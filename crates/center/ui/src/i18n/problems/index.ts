/**
 * Mistakes in a pipeline file, in Chinese. The node tells them in English, as `parapet check` does on a terminal; the page
 * says them again from tables of wordings. One that no table has is shown as it came: half a sentence helps nobody. A test
 * reads the program's sources and fails when they have a text that is not here.
 */
import type { Language } from "../../state/settings";
import { checks } from "./checks";
import { manifest } from "./manifest";
import { options } from "./options";
import { found, kinds, parsing, syntax, system, tokens } from "./parsing";
import { examples, parts, pem } from "./parts";
import { secrets, shapes, tensors, trying } from "./trying";
import { speaker, type Say, type Said, type Wordings } from "./wording";

export const TABLES = { checks, parts, manifest, trying, options, parsing } satisfies Record<string, Wordings>;

const by = (wordings: Wordings, more: Readonly<Record<string, Say>> = {}): Say => {
  const speak = speaker(wordings, more);
  return (text) => speak(text)?.text ?? null;
};
const orItself = (say: Say): Say => (text) => say(text) ?? text;
const inBackquotes: Say = (text) => [...text.matchAll(/`([^`]+)`/g)].map(([, name]) => name).join("、") || null;
const list = (say: Say): Say => (text) => {
  const all = say(text);
  if (all !== null) return all;
  const each = text.split(", ").map(say);
  return each.includes(null) ? null : each.join("、");
};

const kind: Say = by(kinds, { kind: (text) => kind(text) });
const systemSays = orItself(by(system));
const token: Say = by(tokens, { token: (text) => token(text) });

/** How the arguments are said that are texts themselves. */
const KINDS: Readonly<Record<string, Say>> = {
  option: by(options),
  pem: by(pem),
  tensor: by(tensors),
  shape: orItself(by(shapes)),
  secret: orItself(by(secrets, { system: systemSays })),
  example: orItself(by(examples)),
  system: systemSays,
  syntax: by(syntax),
  tokens: list(token),
  names: inBackquotes,
  several: (text) => text.replaceAll(", ", "、"),
  kind,
  found: orItself(by(found)),
};

/** A message or a hint in Chinese; `null` if no table has it. */
export const speak: (text: string) => Said | null = speaker({ ...parsing, ...options, ...manifest, ...trying, ...parts, ...checks }, KINDS);

/** A text and the language that it turned out to be in. */
export interface Words {
  text: string;
  language: Language;
}

const HINT = "; hint: ";

const inEither = (chinese: string | null | undefined, english: string): Words => (chinese ? { text: chinese, language: "zh-CN" } : { text: english, language: "en" });

/** A mistake as it is told in a language: what no table has is told in English. */
export function told({ message, hint }: { message: string; hint: string | null }, language: Language): { message: Words; hint: Words | null } {
  const isChinese = language === "zh-CN";
  const said = (text: string) => inEither(isChinese ? (ofManifest(text) ?? speak(text)?.text) : null, text);
  return { message: said(message), hint: hint === null ? null : said(hint) };
}

/** Why a trial came to nothing. */
export function failure(text: string, language: Language): Words {
  return inEither(language === "zh-CN" ? failureInChinese(text) : null, text);
}

const MANIFEST = /^(\d+) mistake\(s\) in the manifest "([^]*)":((?:\n {2}[^]+)+)$/;

/** All mistakes of a manifest come as one, a line for each with its hint. */
function ofManifest(text: string): string | null {
  const [, count, path, lines] = MANIFEST.exec(text) ?? [];
  if (lines === undefined) return null;
  const said = lines.split("\n  ").slice(1).map((line) => {
    const [, number, rest = ""] = /^(?:line (\d+): )?([^]*)$/.exec(line) ?? [];
    const mistake = sentence(rest);
    return mistake && (number === undefined ? mistake : `第 ${number} 行 ${mistake}`);
  });
  return said.includes(null) ? null : `模型清单“${path}”有 ${count} 处错误：${said.join("；")}`;
}

/** What is wrong and what to do, in one. */
function sentence(text: string): string | null {
  const [message = "", hint] = text.split(HINT);
  const said = speak(message)?.text;
  if (said === undefined) return null;
  const what = hint === undefined ? "" : speak(hint)?.text;
  return what === undefined ? null : said + (what && `（${what}）`);
}

/** An error and, behind it, what it came from, maybe in a library's own words. */
function failureInChinese(text: string): string | null {
  const whole = sentence(text);
  if (whole !== null) return whole;
  for (let at = text.lastIndexOf(": "); at > 0; at = text.lastIndexOf(": ", at - 1)) {
    const said = sentence(text.slice(0, at));
    const cause = text.slice(at + 2);
    if (said !== null) return `${said}：${failureInChinese(cause) ?? systemSays(cause) ?? cause}`;
  }
  return null;
}
