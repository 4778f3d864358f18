/** Handing an incident over: it becomes a case, or shows the case that it is in. */
import { useMutation } from "@tanstack/react-query";
import { FolderInput, FolderOpen } from "lucide-react";
import { ApiError, api } from "../api/client";
import { cases } from "../api/cases";
import type { CaseDetail, Incident } from "../api/types";
import { useT } from "../i18n";
import { useShortcuts } from "../lib/shortcuts";
import { useLive } from "../state/live";
import { href } from "../state/route";
import { useMay } from "../state/session";

/** Who hands over confirms: nothing becomes a case that no person has judged. */
export async function handOver(incident: Incident): Promise<CaseDetail> {
  if (incident.status === "new") await api.verdict(incident.id, { verdict: "confirm" });
  return cases.open({ incidents: [incident.id] });
}

interface Props {
  incident: Incident;
  onFiled?(detail: CaseDetail): void;
  onError(error: unknown): void;
}

export function FileCase({ incident, onFiled, onError }: Props) {
  const t = useT();
  const put = useLive((s) => s.put);
  const putCase = useLive((s) => s.putCase);
  const mayFile = useMay("file");
  const file = useMutation({
    mutationFn: () => handOver(incident),
    onSuccess: (detail) => {
      putCase(detail.case);
      put(detail.incidents);
      onFiled?.(detail);
    },
    onError: (error) => {
      onError(error);
      // Somebody else was faster: show the case that it is in.
      if (error instanceof ApiError && error.status === 409) void api.incident(incident.id).then((fresh) => put([fresh.incident]));
    },
  });
  const can = mayFile && incident.case_id === null && incident.status !== "dismissed" && !file.isPending;
  useShortcuts({ ...(can ? { h: () => file.mutate() } : {}) });
  if (incident.case_id !== null) {
    return (
      <a className="button" href={href("cases", incident.case_id)}>
        <FolderOpen size={16} aria-hidden />
        {t("case.open")}
      </a>
    );
  }
  if (!mayFile || incident.status === "dismissed") return null;
  return (
    <button className="button" disabled={file.isPending} onClick={() => file.mutate()}>
      <FolderInput size={16} aria-hidden />
      {t(file.isPending ? "case.filing" : "case.file")}
      <kbd>H</kbd>
    </button>
  );
}
