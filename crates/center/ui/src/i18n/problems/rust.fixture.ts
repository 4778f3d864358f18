/** Texts that the program may refuse a pipeline file with, or say of a camera, read out of its sources. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Where the crates are, from where the tests run. */
export const CRATES = "../..";

export function sourcesIn(folder: string): string[] {
  return readdirSync(join(CRATES, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return sourcesIn(path);
      return entry.name.endsWith(".rs") && !/(^|\/)tests?(\.rs|\/)/.test(path) ? [path] : [];
    })
    .sort();
}

export const sourceOf = (path: string) => readFileSync(join(CRATES, path), "utf8");

/** Comments, strings and characters of Rust: whatever could hide where a string begins. */
const TOKEN = /\/\/[^\n]*|\/\*[^]*?\*\/|\br(#*)"([^]*?)"\1|"((?:[^"\\]|\\[^])*)"|'(?:[^'\\]|\\.[^']*)'/g;
const ESCAPES: Record<string, string> = { n: "\n", t: "\t", r: "\r" };
/** Calls whose texts only programmers see, up to where a text of theirs begins. */
const UNSEEN = /(?:\.expect|\b(?:unreachable|panic|assert\w*|debug_assert\w*|trace|debug|info|warn|error|describe_\w+)!)\((?:[^()"]|"[^"]*"|\([^()]*\)|\((?:[^()]|\([^()]*\))*\))*$|\breason = $/;

/** The strings of a source that people may be shown: not its tests, and nothing that is only for programmers. */
export function stringsIn(source: string): string[] {
  // Tests come last in a file; a helper of theirs before them is one line of the crate's own, and so is a file of theirs.
  const code = source.split(/#\[cfg\(test\)\]\n\s*(?:pub\([^)]*\) )?mod \w+ \{/)[0] ?? "";
  return [...code.matchAll(TOKEN)].flatMap((match) => {
    const [, , raw, written] = match;
    if (raw === undefined && written === undefined) return [];
    if (UNSEEN.test(code.slice(Math.max(0, match.index - 400), match.index))) return [];
    return [raw ?? (written ?? "").replace(/\\\n\s*/g, "").replace(/\\(.)/g, (_, c: string) => ESCAPES[c] ?? c)];
  });
}

/** Two words and more: what a person is told, unlike a key, a separator or markup. */
export const isProse = (text: string) => /[A-Za-z]\S*\s+\S|\S\s+\S*[a-z]/.test(text) && !text.startsWith("<");

/** `{…}` of a format string, told from braces that a text has of its own: those stand beside a space or are doubled. */
const ARGUMENT = /\{(\w*)(?::[^{}\s]*)?\}/g;

/** A text as it is printed, with a sign in place of each argument that no text has otherwise. */
export function printed(text: string, samples: Record<string, string> = {}): string {
  let n = 0;
  return text.replace(ARGUMENT, (_, name: string) => samples[name] ?? `⟨${++n}⟩`).replaceAll("{{", "{").replaceAll("}}", "}");
}
