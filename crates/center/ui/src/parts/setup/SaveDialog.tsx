/** The last look before a file is saved, and the way out when somebody else saved meanwhile. */
import { useMemo, useState } from "react";
import { errorText } from "../../api/client";
import type { SetupFile } from "../../api/setup";
import { useT } from "../../i18n";
import { merge, resolved } from "../../lib/diff";
import { useSetup } from "../../state/setup";
import { AreaField } from "../Fields";
import { Dialog } from "../Dialog";
import { DiffTable } from "./DiffTable";
import { ProblemList } from "./Problems";

export function SaveDialog({ onClose, onProblem }: { onClose(): void; onProblem(): void }) {
  const t = useT();
  const { file, text, problems, saving, saveError, save } = useSetup();
  const [reason, setReason] = useState("");
  if (!file) return null;
  const submit = async () => {
    if (await save(reason)) onClose();
    // Somebody else's change has a window of its own.
    else if (useSetup.getState().theirs) onClose();
  };
  return (
    <Dialog
      title={t("setup.save.title", { file: file.file })}
      {...(problems.length === 0 ? { submit: t("form.save") } : {})}
      wide
      busy={saving}
      message={saveError ? errorText(saveError, t.language) : null}
      onClose={onClose}
      onSubmit={() => void submit()}
    >
      {problems.length > 0 && <p className="form-message">{t("setup.save.problems", { count: problems.length })}</p>}
      {problems.length > 0 && <ProblemList problems={problems} onShow={onProblem} />}
      <DiffTable old={file.text} next={text} />
      {problems.length === 0 && <AreaField label={t("setup.save.reason")} hint={t("setup.save.reason.hint")} rows={2} value={reason} maxLength={500} onChange={setReason} />}
      <p className="field-hint">{t(file.hot_reload ? "setup.save.hot" : "setup.save.cold")}</p>
    </Dialog>
  );
}

/** Mine and theirs on top of what was read: joined where they do not touch each other, chosen by a person where they do. */
export function MergeDialog({ theirs, onClose }: { theirs: SetupFile; onClose(): void }) {
  const t = useT();
  const { file, text, rebase } = useSetup();
  const base = file?.text ?? "";
  const parts = useMemo(() => merge(base, text, theirs.text), [base, text, theirs]);
  const conflicts = parts.filter((part) => part.kind === "conflict");
  const [choices, setChoices] = useState<(("mine" | "theirs") | null)[]>(() => conflicts.map(() => null));
  const open = choices.some((choice) => choice === null);
  const joined = resolved(parts, choices.map((choice) => choice ?? "theirs"));
  return (
    <Dialog title={t("merge.title")} submit={t("merge.apply")} wide busy={false} message={null} onClose={onClose} onSubmit={() => !open && void rebase(joined)}>
      <p>{t("merge.text")}</p>
      <h3>{t("merge.theirs")}</h3>
      <DiffTable old={base} next={theirs.text} />
      {conflicts.length > 0 && <p className="form-note">{t("merge.conflicts", { count: conflicts.length })}</p>}
      {conflicts.map((part, i) => (
        <fieldset key={i} className="merge-conflict">
          <legend className="field-label">{t("merge.conflict", { number: i + 1 })}</legend>
          {(["mine", "theirs"] as const).map((side) => (
            <label key={side} className="merge-side">
              <input type="radio" name={`conflict-${i}`} required checked={choices[i] === side} onChange={() => setChoices(choices.map((c, n) => (n === i ? side : c)))} />
              <span>
                {t(side === "mine" ? "merge.side.mine" : "merge.side.theirs")}
                <pre>{part.kind === "conflict" && part[side].length > 0 ? part[side].join("\n") : t("merge.nothing")}</pre>
              </span>
            </label>
          ))}
        </fieldset>
      ))}
      <h3>{t("merge.mine")}</h3>
      {open ? <p className="muted">{t("merge.choose")}</p> : <DiffTable old={theirs.text} next={joined} />}
      <p>
        <button type="button" className="button" onClick={() => void rebase(theirs.text)}>
          {t("merge.drop")}
        </button>
      </p>
    </Dialog>
  );
}
