/** Mistakes in a pipeline file: where, what, and what to do. The node says them in English, as `parapet check` does. */
import { CircleCheck, TriangleAlert } from "lucide-react";
import type { SetupProblem } from "../../api/setup";
import { useT } from "../../i18n";

export function ProblemNotes({ problems }: { problems: SetupProblem[] }) {
  const t = useT();
  return problems.map((problem, i) => (
    <p key={i} className="form-message setup-problem">
      <b>{t("setup.line", { line: problem.line })}</b> <Words problem={problem} />
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
              <Words problem={problem} />
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}

function Words({ problem }: { problem: SetupProblem }) {
  const t = useT();
  return (
    <>
      <span lang="en">{problem.message}</span>
      {problem.hint && (
        <span className="setup-hint">
          {t("setup.hint")} <span lang="en">{problem.hint}</span>
        </span>
      )}
    </>
  );
}
