/** What the record of incidents is narrowed to, and the files that hold what was found. */
import { FileDown, X } from "lucide-react";
import { useEffect, useState } from "react";
import type { IncidentFilter } from "../api/client";
import { FORMATS, exportUrl } from "../api/room";
import { useT } from "../i18n";
import { cameraName } from "../lib/health";
import { kindName } from "../lib/kinds";
import { dayEdge } from "../lib/month";
import { siteName, useKinds, useSites } from "../state/catalogue";
import { useLive } from "../state/live";
import { Filter } from "./Fields";

const STATES = ["new", "confirmed", "dismissed", "filed", "dispatched", "handled", "verified", "closed"] as const;
/** How long a person types before the search begins. */
const TYPING_MS = 300;

export function SearchBar({ filter, onFilter }: { filter: IncidentFilter; onFilter(filter: IncidentFilter): void }) {
  const t = useT();
  const sites = useSites();
  const kinds = useKinds();
  const cameras = useLive((s) => s.cameras);
  const [text, setText] = useState(filter.text ?? "");
  const [zone, setZone] = useState(filter.zone ?? "");
  const [days, setDays] = useState({ from: "", to: "" });
  const choose = (change: IncidentFilter) => onFilter(set({ ...filter, ...change }));
  useEffect(() => {
    if ((filter.text ?? "") === text.trim() && (filter.zone ?? "") === zone.trim()) return;
    const timer = setTimeout(() => onFilter(set({ ...filter, text: text.trim(), zone: zone.trim() })), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text, zone, filter, onFilter]);
  const day = (edge: "from" | "to", value: string) => {
    setDays({ ...days, [edge]: value });
    choose({ [edge]: value ? dayEdge(value, edge === "from" ? "begin" : "end") : "" });
  };
  const clear = () => {
    setText("");
    setZone("");
    setDays({ from: "", to: "" });
    onFilter({});
  };
  return (
    <div className="record-filters">
      <input type="search" value={text} placeholder={t("filter.text")} aria-label={t("filter.text")} onChange={(event) => setText(event.target.value)} />
      <Filter label={t("incident.status")} value={filter.status ?? ""} onChange={(status) => choose({ status })} choices={[["", t("status.all")], ...STATES.map((s) => [s, t(`status.${s}`)] as const)]} />
      <Filter label={t("incident.kind")} value={filter.kind ?? ""} onChange={(kind) => choose({ kind })} choices={[["", t("kind.all")], ...kinds.map((k) => [k.code, kindName(k.code, t)] as const)]} />
      {sites.length > 1 && (
        <Filter label={t("filter.site")} value={filter.site ?? ""} onChange={(site) => choose({ site, camera: "" })} choices={[["", t("filter.site.all")], ...sites.map((s) => [s.site, siteName(sites, s.site, t)] as const)]} />
      )}
      <Filter
        label={t("incident.camera")}
        value={filter.camera ?? ""}
        onChange={(camera) => choose({ camera })}
        choices={[
          ["", t("incidents.camera.all")],
          ...Object.values(cameras)
            .filter((c) => !filter.site || c.site === filter.site)
            .map((c) => [c.camera, cameraName(c)] as const),
        ]}
      />
      <input type="search" className="search-zone" value={zone} placeholder={t("search.zone")} aria-label={t("search.zone")} onChange={(event) => setZone(event.target.value)} />
      <label className="search-day">
        {t("search.from")}
        <input type="date" value={days.from} max={days.to || undefined} onChange={(event) => day("from", event.target.value)} />
      </label>
      <label className="search-day">
        {t("search.to")}
        <input type="date" value={days.to} min={days.from || undefined} onChange={(event) => day("to", event.target.value)} />
      </label>
      {Object.keys(filter).length > 0 && (
        <button className="button button-quiet" onClick={clear}>
          <X size={14} aria-hidden />
          {t("search.clear")}
        </button>
      )}
      <span className="exports" role="group" aria-label={t("form.export")}>
        {FORMATS.map((format) => (
          <a key={format} className="button" href={exportUrl("incidents", format, filter, t.language)} download>
            <FileDown size={14} aria-hidden />
            {format.toUpperCase()}
          </a>
        ))}
      </span>
    </div>
  );
}

/** Only what is set. */
function set(filter: IncidentFilter): IncidentFilter {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined && value !== ""));
}
