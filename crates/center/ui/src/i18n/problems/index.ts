/**
 * Mistakes in a pipeline file, and what a camera's status says, in Chinese. The node tells them in English, as `parapet
 * check` does on a terminal; the page says them again from tables of wordings. One that no table has is shown as it came:
 * half a sentence helps nobody. A test reads the program's sources and fails when they have a text that is not here.
 */
import type { Language } from "../../state/settings";
import { checks } from "./checks";
import { manifest } from "./manifest";
import { options } from "./options";
import { found, kinds, parsing, syntax, system, tokens } from "./parsing";
import { examples, parts, pem } from "./parts";
import { secrets, shapes, tensors, trying } from "./trying";
import { answers, causes, lacks, network, pictures, refusals, watching, ways } from "./watching";
import { speaker, type Say, type Said, type Wordings } from "./wording";

export const TABLES = { checks, parts, manifest, trying, watching, options, parsing } satisfies Record<string, Wordings>;

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
const systemSays: Say = orItself(by({ ...system, ...network }, { system: (text) => systemSays(text) }));
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
  ofOptions: orItself((text) => mistakes(text.split(/; (?!hint: )/))),
  ofSource: orItself((text) => mistakes(text.split(" · "))),
  picture: orItself(by({ ...system, ...pictures })),
  message: (text) => speakOfCameras(text)?.text ?? null,
  cause: orItself(by(causes)),
  refusal: orItself(by(refusals)),
  way: by(ways),
  lack: by(lacks),
  answer: orItself(by(answers)),
};

/** A message or a hint in Chinese; `null` if no table has it. */
export const speak: (text: string) => Said | null = speaker({ ...parsing, ...options, ...manifest, ...trying, ...watching, ...parts, ...checks }, KINDS);

/** The same of what may be said of a camera at work. Panics and cameras say what they like, and wordings of options would fit too much of it. */
export const speakOfCameras: (text: string) => Said | null = speaker({ ...trying, ...watching }, KINDS);

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

/** Where a text goes on with one more: of another preset, or of what is done about it. */
const ONE_MORE = /; (?=does not come back to preset "|software decodes from now on)/;

/** What a camera's status says, or why a trial came to nothing: in parts, for of some only the hint has Chinese. */
export function detail(text: string, language: Language): Words[] {
  if (language !== "zh-CN") return [inEither(null, text)];
  const each = text.split(ONE_MORE).map(inParts);
  return each.flatMap((parts, i) => (i === 0 ? parts : [inEither("；", "; "), ...parts]));
}

function inParts(text: string): Words[] {
  const whole = ofManifest(text) ?? failureInChinese(text);
  if (whole !== null) return [inEither(whole, text)];
  const at = text.lastIndexOf(HINT);
  const hint = at > 0 ? speakOfCameras(text.slice(at + HINT.length)) : null;
  return hint ? [inEither(null, text.slice(0, at)), inEither(`（${hint.text}）`, "")] : [inEither(null, text)];
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
function sentence(text: string, say = speak): string | null {
  const [message = "", hint, another] = text.split(HINT);
  // Several mistakes are a text of their own.
  if (another !== undefined) return say(text)?.text ?? null;
  const said = say(message)?.text;
  if (said === undefined) return null;
  const what = hint === undefined ? "" : speak(hint)?.text;
  return what === undefined ? null : said + (what && `（${what}）`);
}

/** Mistakes with their hints; those of a source begin with the option's name. */
function mistakes(each: string[]): string | null {
  const said = each.map((one) => {
    const [, option = "", what = ""] = /^([\w.]+: )?([^]*)$/.exec(one) ?? [];
    const mistake = sentence(what);
    return mistake && option + mistake;
  });
  return said.includes(null) ? null : said.join("；");
}

/** An error and, behind it, what it came from, maybe in a library's own words. */
function failureInChinese(text: string): string | null {
  const whole = sentence(text, speakOfCameras);
  if (whole !== null) return whole;
  for (let at = text.lastIndexOf(": "); at > 0; at = text.lastIndexOf(": ", at - 1)) {
    const said = sentence(text.slice(0, at), speakOfCameras);
    const cause = text.slice(at + 2);
    if (said !== null) return `${said}：${failureInChinese(cause) ?? systemSays(cause) ?? cause}`;
  }
  return null;
}
