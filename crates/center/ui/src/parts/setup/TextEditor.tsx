/** The pipeline file's text with the numbers of its lines, and the lines marked that have a problem. */
import { useEffect, useRef, type RefObject } from "react";
import type { SetupProblem } from "../../api/setup";
import { useT } from "../../i18n";

/** Where the `count`-th character (code point) begins in a string of UTF-16. */
export function indexOfCharacter(text: string, count: number): number {
  let index = 0;
  for (let n = 0; n < count && index < text.length; n++) index += (text.codePointAt(index) ?? 0) > 0xffff ? 2 : 1;
  return index;
}

/** Marks what a problem is about and brings it into view. */
export function showProblem(area: HTMLTextAreaElement | null, problem: SetupProblem): void {
  if (!area) return;
  const height = Number.parseFloat(getComputedStyle(area).lineHeight) || 20;
  area.focus();
  area.setSelectionRange(indexOfCharacter(area.value, problem.from), indexOfCharacter(area.value, problem.to));
  area.scrollTop = Math.max(0, (problem.line - 4) * height);
}

export function TextEditor({ text, problems, area, onChange }: { text: string; problems: SetupProblem[]; area: RefObject<HTMLTextAreaElement | null>; onChange(text: string): void }) {
  const t = useT();
  const gutter = useRef<HTMLPreElement>(null);
  const back = useRef<HTMLPreElement>(null);
  const lines = text.split("\n");
  const wrong = new Map(problems.map((p) => [p.line, p]));
  const follow = () => {
    const from = area.current;
    if (!from) return;
    if (gutter.current) gutter.current.scrollTop = from.scrollTop;
    if (back.current) [back.current.scrollTop, back.current.scrollLeft] = [from.scrollTop, from.scrollLeft];
  };
  useEffect(follow);
  return (
    <div className="editor">
      <pre className="editor-gutter" ref={gutter} aria-hidden>
        {lines.map((_, i) => (
          <span key={i} data-wrong={wrong.has(i + 1) || undefined}>
            {i + 1}
            {"\n"}
          </span>
        ))}
      </pre>
      <div className="editor-body">
        <pre className="editor-back" ref={back} aria-hidden>
          {lines.map((line, i) => (
            <span key={i} data-wrong={wrong.has(i + 1) || undefined} data-comment={/^\s*#/.test(line) || undefined} data-table={/^\s*\[/.test(line) || undefined}>
              {line}
            </span>
          ))}
        </pre>
        <textarea ref={area} value={text} aria-label={t("setup.text")} aria-invalid={problems.length > 0} spellCheck={false} autoComplete="off" autoCapitalize="off" wrap="off" onScroll={follow} onChange={(event) => onChange(event.target.value)} />
      </div>
    </div>
  );
}
