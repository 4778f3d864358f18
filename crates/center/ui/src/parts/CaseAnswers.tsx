/** Orders that were handed over, the answers to them with their pictures, and the form for another answer. */
import { useMutation } from "@tanstack/react-query";
import { FileDown, FileText, ImagePlus, X } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { cases, orderUrl, pictureUrl } from "../api/cases";
import { errorText } from "../api/client";
import type { CaseDetail } from "../api/types";
import { useT } from "../i18n";
import { fullTime, size } from "../lib/format";
import { departmentName, useDepartments } from "../state/catalogue";
import { AreaField } from "./Fields";

/** What the center takes. */
export const MAX_PICTURES = 9;
export const MAX_BYTES = 10_000_000;
const TYPES = ["image/jpeg", "image/png"];

export function Orders({ detail }: { detail: CaseDetail }) {
  const t = useT();
  const departments = useDepartments();
  if (detail.orders.length === 0) return <p className="muted">{t("order.none")}</p>;
  return (
    <ul className="orders">
      {detail.orders.map((order) => (
        <li key={order.number}>
          <div>
            <b>{t("order.number", { number: order.number })}</b>
            <span>{departmentName(departments, order.department, t)}</span>
            <span className="muted">{t("order.issued", { time: fullTime(order.issued_at, t.language), actor: order.issued_by })}</span>
            <span className="muted">{t("case.dueAt", { time: fullTime(order.due, t.language) })}</span>
            {order.instruction && <span>{order.instruction}</span>}
            <span className={order.answered_at ? "due due-good" : "due due-warn"}>
              {order.answered_at ? t("order.answered", { time: fullTime(order.answered_at, t.language) }) : t("order.unanswered")}
            </span>
          </div>
          <a className="button" href={orderUrl(detail.case.id, order.number, "html", t.language)} target="_blank" rel="noreferrer">
            <FileText size={15} aria-hidden />
            {t("order.open")}
          </a>
          <a className="button" href={orderUrl(detail.case.id, order.number, "pdf", t.language)} target="_blank" rel="noreferrer">
            <FileDown size={15} aria-hidden />
            PDF
          </a>
        </li>
      ))}
    </ul>
  );
}

export function Answers({ detail, onChanged }: { detail: CaseDetail; onChanged(detail: CaseDetail): void }) {
  const t = useT();
  return (
    <>
      {detail.answers.length === 0 && <p className="muted">{t("answer.none")}</p>}
      <ul className="answers">
        {detail.answers.map((answer) => (
          <li key={answer.id}>
            <p>
              <b>{answer.actor}</b> <span className="muted">{fullTime(answer.at, t.language)}</span>
            </p>
            <p className="answer-text">{answer.text}</p>
            <div className="answer-pictures">
              {answer.pictures.map((picture, i) => (
                <a key={picture.id} href={pictureUrl(detail.case.id, answer.id, picture.id)} target="_blank" rel="noreferrer" title={t("media.bytes", { size: size(picture.bytes), hash: picture.sha256 })}>
                  <img src={pictureUrl(detail.case.id, answer.id, picture.id)} alt={t("answer.picture", { number: i + 1 })} loading="lazy" />
                </a>
              ))}
            </div>
          </li>
        ))}
      </ul>
      {detail.actions.includes("answer") && <AnswerForm id={detail.case.id} onChanged={onChanged} />}
    </>
  );
}

/** Why these files cannot be sent, or `null`. */
export function refusal(files: Pick<File, "type" | "size">[]): "answer.tooMany" | "answer.wrongType" | "answer.tooLarge" | null {
  if (files.length > MAX_PICTURES) return "answer.tooMany";
  if (files.some((file) => !TYPES.includes(file.type))) return "answer.wrongType";
  if (files.some((file) => file.size > MAX_BYTES)) return "answer.tooLarge";
  return null;
}

function AnswerForm({ id, onChanged }: { id: string; onChanged(detail: CaseDetail): void }) {
  const t = useT();
  const [text, setText] = useState("");
  const [files, setFiles] = useState<File[]>([]);
  const previews = useMemo(() => files.map((file) => URL.createObjectURL(file)), [files]);
  useEffect(() => () => previews.forEach((url) => URL.revokeObjectURL(url)), [previews]);
  const refused = refusal(files);
  const send = useMutation({
    mutationFn: () => cases.answer(id, text.trim(), files),
    onSuccess: (detail) => {
      setText("");
      setFiles([]);
      onChanged(detail);
    },
  });
  return (
    <form
      className="form answer-form"
      onSubmit={(event) => {
        event.preventDefault();
        send.mutate();
      }}
    >
      <AreaField label={t("answer.text")} value={text} onChange={setText} required maxLength={4000} />
      {files.length > 0 && (
        <div className="answer-pictures">
          {previews.map((url, i) => (
            <span key={url} className="answer-preview">
              <img src={url} alt={files[i]?.name ?? ""} />
              <button type="button" className="icon-button on-picture" aria-label={t("answer.removePicture", { number: i + 1 })} onClick={() => setFiles(files.filter((_, n) => n !== i))}>
                <X size={14} aria-hidden />
              </button>
            </span>
          ))}
        </div>
      )}
      {(refused || send.error) && (
        <p className="form-message" role="alert">
          {refused ? t(refused, { count: MAX_PICTURES, size: size(MAX_BYTES) }) : errorText(send.error, t.language)}
        </p>
      )}
      <div className="answer-foot">
        <label className="button">
          <ImagePlus size={16} aria-hidden />
          {t("answer.addPictures")}
          <input
            className="visually-hidden"
            type="file"
            accept={TYPES.join(",")}
            multiple
            onChange={(event) => {
              setFiles([...files, ...(event.target.files ?? [])]);
              event.target.value = "";
            }}
          />
        </label>
        <button className="button button-confirm" disabled={send.isPending || refused !== null || text.trim() === ""}>
          {t(send.isPending ? "form.saving" : "answer.send")}
        </button>
      </div>
    </form>
  );
}
