/** How every camera and node is doing, trouble first. */
import { Cctv } from "lucide-react";
import { useMemo } from "react";
import { Empty, Loading } from "../parts/States";
import { HealthBadge } from "../parts/Badges";
import { Said } from "../parts/Said";
import { useT } from "../i18n";
import { detail } from "../i18n/problems";
import { between, fullTime } from "../lib/format";
import { byTrouble, cameraName, condition, tone } from "../lib/health";
import { KindIcon, kindName } from "../lib/kinds";
import { useNow } from "../lib/now";
import { useLive } from "../state/live";

export function CamerasView() {
  const t = useT();
  const now = useNow();
  const cameras = useLive((s) => s.cameras);
  const nodes = useLive((s) => s.nodes);
  const incidents = useLive((s) => s.incidents);
  const loaded = useLive((s) => s.loaded);
  const sorted = useMemo(() => Object.values(cameras).sort(byTrouble), [cameras]);
  const open = useMemo(() => {
    const counts = new Map<string, number>();
    for (const i of Object.values(incidents)) if (i.phase !== "ended") counts.set(i.camera, (counts.get(i.camera) ?? 0) + 1);
    return counts;
  }, [incidents]);

  if (!loaded) return <main className="cameras"><Loading /></main>;
  if (sorted.length === 0 && Object.keys(nodes).length === 0) {
    return (
      <main className="cameras">
        <Empty icon={Cctv} title={t("wall.empty")} hint={t("wall.empty.hint")} />
      </main>
    );
  }
  return (
    <main className="cameras">
      <div className="record-bar">
        <h1>{t("cameras.title")}</h1>
        <span className="muted">{t("cameras.summary", { up: sorted.filter((c) => tone(condition(c)) === "good").length, all: sorted.length })}</span>
        <div className="nodes" aria-label={t("cameras.nodes")}>
          {Object.values(nodes).map((node) => (
            <span key={node.node} className={`node tone-${node.online ? "good" : "bad"}`} title={t("cameras.node.version", { version: node.version })}>
              <i aria-hidden />
              <b>{node.node}</b>
              {t(node.online ? "cameras.node.online" : "cameras.node.offline")} · {t("cameras.node.cameras", { count: node.cameras.length })} · {t("cameras.node.version", { version: node.version })}
            </span>
          ))}
        </div>
      </div>
      <div className="record-table">
        <table>
          <thead>
            <tr>
              <th>{t("cameras.column.state")}</th>
              <th>{t("cameras.column.name")}</th>
              <th>{t("cameras.column.event")}</th>
              <th>{t("cameras.column.at")}</th>
              <th className="number">{t("cameras.column.reconnects")}</th>
              <th className="number">{t("cameras.column.open")}</th>
              <th>{t("cameras.column.rules")}</th>
              <th className="wide">{t("cameras.column.picture")}</th>
              <th className="wide">{t("cameras.column.node")}</th>
            </tr>
          </thead>
          <tbody>
            {sorted.map((c) => (
              <tr key={c.camera} className={`row-tone-${tone(condition(c))}`}>
                <td>
                  <HealthBadge camera={c} />
                </td>
                <td>
                  <b>{cameraName(c)}</b>
                  {c.name && <span className="muted row-id">{c.camera}</span>}
                </td>
                <td>
                  {c.event ? t(`healthEvent.${c.event}`) : ""}
                  {c.detail && (
                    <span className="muted row-detail">
                      <Said words={detail(c.detail, t.language)} />
                    </span>
                  )}
                </td>
                <td className="time" title={fullTime(c.at, t.language)}>
                  {t("time.ago", { duration: between(c.at, now, t) })}
                </td>
                <td className={`number${c.reconnects > 0 ? " number-warn" : ""}`}>{c.reconnects}</td>
                <td className="number">{open.get(c.camera) ?? 0}</td>
                <td>
                  <span className="row-kinds">
                    {[...new Set(c.rules.map((r) => r.kind))].map((kind) => (
                      <span key={kind} title={kindName(kind, t)}>
                        <KindIcon kind={kind} />
                      </span>
                    ))}
                  </span>
                </td>
                <td className="wide muted">
                  {c.width && c.height ? `${c.width}×${c.height}` : ""}
                  {c.analysed_fps ? ` · ${t("cameras.fps", { fps: Number(c.analysed_fps.toFixed(1)) })}` : ""}
                </td>
                <td className="wide muted">{c.node}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </main>
  );
}
