/** Mistakes in a pipeline file: where, what, and what to do. The node says them in English, as `parapet check` does; a Chinese page says them in Chinese. */
import { CircleCheck, TriangleAlert } from "lucide-react";
import type { SetupProblem } from "../../api/setup";
import { useT } from "../../i18n";
import { told } from "../../i18n/problems";
import { Said } from "../Said";

export function ProblemNotes({ problems }: { problems: SetupProblem[] }) {
  const t = useT();
  return problems.map((problem, i) => (
    <p key={i} className="form-message setup-problem">
      <b>{t("setup.line", { line: problem.line })}</b> <What problem={problem} />
    </p>
  ));
}

export function ProblemList({ problems, onShow }: { problems: SetupProblem[]; onShow(problem: SetupProblem): void }) {
  const t = useT();
  if (problems.length === 0) {
    return (
      <p className="setup-fine">
        <CircleCheck size={16} aria-hidden />
        {t("setup.fine")}
      </p>
    );
  }
  return (
    <ul className="setup-problems">
      {problems.map((problem, i) => (
        <li key={i}>
          <button onClick={() => onShow(problem)}>
            <TriangleAlert size={15} aria-hidden />
            <span>
              <b>{t("setup.line", { line: problem.line })}</b>
              {problem.path && <code>{problem.path}</code>}
              <What problem={problem} />
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}

function What({ problem }: { problem: SetupProblem }) {
  const t = useT();
  const { message, hint } = told(problem, t.language);
  return (
    <>
      <Said words={[message]} />
      {hint && (
        <span className="setup-hint">
          {t("setup.hint")} <Said words={[hint]} />
        </span>
      )}
    </>
  );
}
