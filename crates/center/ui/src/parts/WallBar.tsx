/** What the wall shows and how: tiles, group, overlays, alarms first, screens. */
import { BellRing, Expand, ListPlus, MonitorUp, PanelRight } from "lucide-react";
import { useState } from "react";
import type { Camera } from "../api/types";
import { useT } from "../i18n";
import { cameraName } from "../lib/health";
import { siteName, useSites } from "../state/catalogue";
import { useLive } from "../state/live";
import { href } from "../state/route";
import { useSettings, type Layout } from "../state/settings";
import { Dialog } from "./Dialog";
import { CheckField, Filter, TextField } from "./Fields";

const LAYOUTS: Layout[] = ["auto", 1, 4, 9, 16, 20, 36];
const MAX_SCREENS = 8;

export function WallBar({ screen, onLayout }: { screen: number; onLayout(): void }) {
  const t = useT();
  const { layout, tracks, zones, forward, rail, screens, set } = useSettings();
  const addScreen = () => {
    const next = Math.min(MAX_SCREENS, screens + 1);
    set({ screens: next });
    window.open(href("wall", null, { screen: String(next) }), `parapet-wall-${next}`, "popup,width=1600,height=900");
  };
  return (
    <>
      <div className="segments" role="group" aria-label={t("wall.layout")}>
        {LAYOUTS.map((l) => (
          <button
            key={l}
            aria-pressed={layout === l}
            title={l === "auto" ? t("wall.layout.auto") : t("wall.layout.count", { count: l })}
            onClick={() => {
              onLayout();
              set({ layout: l });
            }}
          >
            {l === "auto" ? t("wall.layout.auto") : l}
          </button>
        ))}
      </div>
      <GroupChoice onChange={onLayout} />
      <div className="segments" role="group" aria-label={t("wall.overlay")}>
        <button aria-pressed={tracks} onClick={() => set({ tracks: !tracks })}>
          {t("wall.overlay.tracks")}
        </button>
        <button aria-pressed={zones} onClick={() => set({ zones: !zones })}>
          {t("wall.overlay.zones")}
        </button>
        <button aria-pressed={forward} title={t("wall.forward.hint")} onClick={() => set({ forward: !forward })}>
          <BellRing size={14} aria-hidden />
          {t("wall.forward")}
        </button>
      </div>
      <div className="wall-screens">
        {screens > 1 && (
          <>
            <span className="muted">{t("wall.screen", { screen, screens })}</span>
            {screen === 1 && (
              <button className="button button-quiet" onClick={() => set({ screens: 1 })}>
                {t("wall.screen.one")}
              </button>
            )}
          </>
        )}
        <button className="icon-button" disabled={screens >= MAX_SCREENS} onClick={addScreen} title={t("wall.screen.add")} aria-label={t("wall.screen.add")}>
          <MonitorUp size={17} aria-hidden />
        </button>
        <button className="icon-button" onClick={() => void document.documentElement.requestFullscreen?.()} title={t("wall.screen.full")} aria-label={t("wall.screen.full")}>
          <Expand size={16} aria-hidden />
        </button>
        {screen === 1 && (
          <button className="icon-button" aria-pressed={rail} onClick={() => set({ rail: !rail })} title={t("wall.rail")} aria-label={t("wall.rail")}>
            <PanelRight size={17} aria-hidden />
          </button>
        )}
      </div>
    </>
  );
}

function GroupChoice({ onChange }: { onChange(): void }) {
  const t = useT();
  const sites = useSites();
  const cameras = useLive((s) => s.cameras);
  const { group, groups, set } = useSettings();
  const [editing, setEditing] = useState(false);
  const all = Object.values(cameras);
  const distinct = (of: (camera: Camera) => string) => [...new Set(all.map(of))].sort();
  const choices: [string, string][] = [
    ["all", t("wall.group.all")],
    ...distinct((c) => c.site).map((site): [string, string] => [`site:${site}`, t("wall.group.site", { name: siteName(sites, site, t) })]),
    ...distinct((c) => c.node).map((node): [string, string] => [`node:${node}`, t("wall.group.node", { name: node })]),
    ...Object.keys(groups).map((name): [string, string] => [`own:${name}`, t("wall.group.own", { name })]),
  ];
  return (
    <span className="wall-group">
      <Filter
        label={t("wall.group")}
        value={choices.some(([value]) => value === group) ? group : "all"}
        choices={choices}
        onChange={(chosen) => {
          onChange();
          set({ group: chosen });
        }}
      />
      <button className="icon-button" onClick={() => setEditing(true)} title={t("wall.group.edit")} aria-label={t("wall.group.edit")}>
        <ListPlus size={17} aria-hidden />
      </button>
      {editing && <GroupDialog cameras={all} onClose={() => setEditing(false)} />}
    </span>
  );
}

/** An own group: a name and its cameras; without cameras it goes. */
function GroupDialog({ cameras, onClose }: { cameras: Camera[]; onClose(): void }) {
  const t = useT();
  const { group, groups, set } = useSettings();
  const current = group.startsWith("own:") ? group.slice(4) : "";
  const [name, setName] = useState(current);
  const [chosen, setChosen] = useState<string[]>(groups[current] ?? []);
  const save = () => {
    const { [current]: _, ...others } = groups;
    const kept = chosen.length > 0 ? { ...others, [name.trim()]: chosen } : others;
    set({ groups: kept, group: chosen.length > 0 ? `own:${name.trim()}` : "all" });
    onClose();
  };
  return (
    <Dialog title={t("wall.group.edit")} submit={t("form.save")} wide onClose={onClose} onSubmit={save}>
      <TextField label={t("wall.group.name")} value={name} onChange={setName} required maxLength={40} />
      <fieldset className="choices choices-many">
        <legend className="field-label">{t("wall.group.cameras")}</legend>
        {cameras
          .sort((a, b) => cameraName(a).localeCompare(cameraName(b), "zh-CN"))
          .map((c) => (
            <CheckField
              key={c.camera}
              label={cameraName(c)}
              checked={chosen.includes(c.camera)}
              onChange={(checked) => setChosen(checked ? [...chosen, c.camera] : chosen.filter((id) => id !== c.camera))}
            />
          ))}
      </fieldset>
    </Dialog>
  );
}
