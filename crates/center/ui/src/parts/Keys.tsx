/** The keys and what they do. */
import { useEffect, useRef } from "react";
import { useT, type Key } from "../i18n";

const ROWS: [string[], Key][] = [
  [["C", "1"], "keys.confirm"],
  [["D", "2"], "keys.dismiss"],
  [["U"], "keys.withdraw"],
  [["H"], "case.file"],
  [["N"], "keys.next"],
  [["P"], "keys.previous"],
  [["←", "→"], "keys.media"],
  [["Space"], "keys.play"],
  [["Esc"], "keys.close"],
  [["W"], "keys.wall"],
  [["Q"], "keys.review"],
  [["I"], "keys.incidents"],
  [["F"], "keys.cases"],
  [["G"], "keys.map"],
  [["R"], "keys.roofs"],
  [["B"], "keys.reports"],
  [["K"], "keys.cameras"],
  [["E"], "keys.setup"],
  [["A"], "keys.admin"],
  [["T"], "keys.theme"],
  [["L"], "keys.language"],
  [["?"], "keys.help"],
];

export function Keys({ onClose }: { onClose(): void }) {
  const t = useT();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} className="keys" onClose={onClose} onClick={(event) => event.target === dialog.current && dialog.current.close()}>
      <h2>{t("keys.title")}</h2>
      <dl>
        {ROWS.map(([keys, text]) => (
          <div key={text}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{t(text)}</dd>
          </div>
        ))}
      </dl>
      <p className="muted">
        {t("nav.review")}: {t("review.keys")}
      </p>
      <p className="muted">
        {t("nav.setup")}: {t("draw.keys.chosen")}
      </p>
    </dialog>
  );
}
