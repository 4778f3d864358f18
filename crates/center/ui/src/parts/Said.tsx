/** What the node said, each part marked with the language that it could be told in. */
import type { Words } from "../i18n/problems";

export function Said({ words }: { words: Words[] }) {
  return words.map(({ text, language }, i) => (
    <span key={i} lang={language}>
      {text}
    </span>
  ));
}
