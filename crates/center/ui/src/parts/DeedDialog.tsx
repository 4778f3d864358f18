/** A window that says what a deed does, asks why where that goes on record, and does it. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { errorText } from "../api/client";
import { useT } from "../i18n";
import { Dialog } from "./Dialog";
import { AreaField } from "./Fields";

interface Props<Answer> {
  title: string;
  explain: string;
  /** The reason is required; a deed without one is given an empty text. */
  asksWhy?: boolean;
  deed(reason: string): Promise<Answer>;
  onClose(): void;
  onDone?(answer: Answer): void;
  children?: ReactNode;
}

/** Of evidence: what is held, asked for or deleted is told in several places, and all of them are read again. */
const TELLING = ["incident", "case", "holds", "deletions", "deleted"];

export function DeedDialog<Answer>({ title, explain, asksWhy = false, deed, onClose, onDone, children }: Props<Answer>) {
  const t = useT();
  const client = useQueryClient();
  const [reason, setReason] = useState("");
  const again = () => Promise.all(TELLING.map((key) => client.invalidateQueries({ queryKey: [key] })));
  const act = useMutation({
    mutationFn: () => deed(reason.trim()),
    onSuccess: (answer) => {
      onDone?.(answer);
      onClose();
      void again();
    },
    // Somebody else was faster, perhaps: behind the window stands what holds now.
    onError: () => void again(),
  });
  return (
    <Dialog
      title={title}
      submit={title}
      busy={act.isPending}
      message={act.error ? errorText(act.error, t.language) : null}
      onClose={onClose}
      onSubmit={() => act.mutate()}
    >
      <p className="muted">{explain}</p>
      {children}
      {asksWhy && <AreaField label={t("hold.reason")} value={reason} onChange={setReason} required maxLength={300} />}
    </Dialog>
  );
}
