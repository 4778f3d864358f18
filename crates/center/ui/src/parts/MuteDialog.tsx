/** No alarms for one kind of thing at one place for a while. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { errorText } from "../api/client";
import { room } from "../api/room";
import type { Incident } from "../api/types";
import { useT } from "../i18n";
import { Dialog } from "./Dialog";
import { AreaField } from "./Fields";

export const MUTE_HOURS = [1, 8, 24, 168] as const;

export function MuteDialog({ incident, onClose, onMuted }: { incident: Incident; onClose(): void; onMuted(): void }) {
  const t = useT();
  const client = useQueryClient();
  const [hours, setHours] = useState<number>(8);
  const [reason, setReason] = useState("");
  const mute = useMutation({
    mutationFn: () => room.mute(incident.id, hours, reason.trim()),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["mutes"] });
      onMuted();
    },
  });
  return (
    <Dialog title={t("mute.title")} submit={t("mute.action")} busy={mute.isPending} message={mute.error ? errorText(mute.error, t.language) : null} onClose={onClose} onSubmit={() => mute.mutate()}>
      <p className="muted">{t("mute.explain")}</p>
      <fieldset className="choices">
        <legend className="field-label">{t("mute.for")}</legend>
        {MUTE_HOURS.map((h) => (
          <label key={h} className="check">
            <input type="radio" name="hours" checked={hours === h} onChange={() => setHours(h)} />
            {t(`mute.hours.${h}`)}
          </label>
        ))}
      </fieldset>
      <AreaField label={t("mute.reason")} value={reason} onChange={setReason} required maxLength={300} />
    </Dialog>
  );
}
