/** Reporting a case by hand. */
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { cases } from "../api/cases";
import { errorText } from "../api/client";
import type { CaseDetail, NewCase as Body } from "../api/types";
import { useT } from "../i18n";
import { cameraName } from "../lib/health";
import { kindName } from "../lib/kinds";
import { siteName, useKinds, useSites } from "../state/catalogue";
import { useLive } from "../state/live";
import { Dialog } from "./Dialog";
import { AreaField, SelectField, TextField } from "./Fields";

export function NewCase({ onClose, onOpened }: { onClose(): void; onOpened(detail: CaseDetail): void }) {
  const t = useT();
  const sites = useSites();
  const kinds = useKinds().filter((k) => k.enabled);
  const cameras = useLive((s) => s.cameras);
  const [site, setSite] = useState("");
  const [kind, setKind] = useState("");
  const [camera, setCamera] = useState("");
  const [place, setPlace] = useState("");
  const [note, setNote] = useState("");
  const here = site || (sites.length === 1 ? (sites[0]?.site ?? "") : "");
  const open = useMutation({
    mutationFn: () => {
      const body: Body = { site: here, kind, note: note.trim() };
      if (camera) body.camera = camera;
      if (place.trim()) body.place_text = place.trim();
      return cases.open(body);
    },
    onSuccess: onOpened,
  });
  return (
    <Dialog title={t("case.new")} submit={t("case.step.reported")} busy={open.isPending} message={open.error ? errorText(open.error, t.language) : null} onClose={onClose} onSubmit={() => open.mutate()}>
      <p className="muted">{t("case.new.hint")}</p>
      <div className="fields">
        <SelectField label={t("case.site")} value={here} required onChange={setSite} choices={[["", t("case.choose")], ...sites.map((s) => [s.site, siteName(sites, s.site, t)] as const)]} />
        <SelectField label={t("case.kind")} value={kind} required onChange={setKind} choices={[["", t("case.choose")], ...kinds.map((k) => [k.code, kindName(k.code, t)] as const)]} />
      </div>
      <SelectField
        label={t("case.camera")}
        value={camera}
        onChange={setCamera}
        choices={[["", t("form.none")], ...Object.values(cameras).filter((c) => c.site === here).map((c) => [c.camera, cameraName(c)] as const)]}
      />
      <TextField label={t("case.place.text")} value={place} onChange={setPlace} maxLength={300} />
      <AreaField label={t("case.note")} value={note} onChange={setNote} required maxLength={1000} />
    </Dialog>
  );
}
