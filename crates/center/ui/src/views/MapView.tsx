/** The sites on their own plans: cameras and what they look at, incidents, findings on roofs, cases. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { MapPinOff, Upload } from "lucide-react";
import { useMemo, useRef, useState } from "react";
import { api, errorText } from "../api/client";
import { cases } from "../api/cases";
import { sitePlans } from "../api/room";
import type { Incident } from "../api/types";
import { useT, type Key } from "../i18n";
import { between } from "../lib/format";
import { cameraName, condition, tone } from "../lib/health";
import { KindIcon, kindName, suspected } from "../lib/kinds";
import { markersOf } from "../lib/markers";
import { useNow } from "../lib/now";
import type { LonLat } from "../lib/plan";
import { roofName, structureKey } from "../lib/roofs";
import { useShortcuts } from "../lib/shortcuts";
import { HealthBadge, StatusBadge } from "../parts/Badges";
import { Dialog } from "../parts/Dialog";
import { Field } from "../parts/Fields";
import { Thumbnail } from "../parts/IncidentCard";
import { IncidentPanel } from "../parts/IncidentPanel";
import { LivePicture } from "../parts/LivePicture";
import { SiteMap, useSitePlan, type Marker, type Outline } from "../parts/SiteMap";
import { Empty, Loading } from "../parts/States";
import { siteName, useSites } from "../state/catalogue";
import { byUrgency, neighbour, useLive } from "../state/live";
import { go, href } from "../state/route";
import { useMay } from "../state/session";

const LAYERS = ["incidents", "cameras", "roofs", "cases"] as const;
type Layer = (typeof LAYERS)[number];

/** `#/map/SITE`, and what is chosen on it: `?camera=ID` or `?incident=ID`. */
export function MapView({ id, query }: { id: string | null; query: URLSearchParams }) {
  const t = useT();
  const sites = useSites();
  const cameras = useLive((s) => s.cameras);
  const loaded = useLive((s) => s.loaded);
  // A site that no list names may still have cameras.
  const ids = useMemo(() => [...new Set([...sites.map((s) => s.site), ...Object.values(cameras).map((c) => c.site)])], [sites, cameras]);
  const incidents = useLive((s) => s.incidents);
  const waiting = (one: string) => Object.values(incidents).filter((i) => i.site === one && i.status === "new").length;
  // The map opens where most waits, and stays there.
  const first = useRef<string | null>(null);
  if (loaded && !first.current) first.current = [...ids].sort((a, b) => waiting(b) - waiting(a))[0] ?? null;
  const site = id ?? first.current;
  if (!site) return <main className="map-view">{loaded ? <Empty icon={MapPinOff} title={t("map.nothing")} /> : <Loading />}</main>;
  return <OneSite key={site} site={site} ids={ids} camera={query.get("camera")} incident={query.get("incident")} />;
}

function OneSite({ site, ids, camera, incident }: { site: string; ids: string[]; camera: string | null; incident: string | null }) {
  const t = useT();
  const sites = useSites();
  const cameras = useLive((s) => s.cameras);
  const incidents = useLive((s) => s.incidents);
  const { plan } = useSitePlan(site);
  const [layers, setLayers] = useState<Layer[]>(["incidents", "cameras", "roofs"]);
  const [all, setAll] = useState(false);
  const [uploading, setUploading] = useState(false);
  const mayConfigure = useMay("configure");
  const roofs = useQuery({ queryKey: ["roofs"], queryFn: api.roofs, enabled: layers.includes("roofs"), staleTime: 60_000 });
  const open = useQuery({ queryKey: ["cases", { site }], queryFn: () => cases.list({ site }, undefined, 200), enabled: layers.includes("cases"), staleTime: 30_000 });
  useShortcuts({ Escape: () => (camera || incident ? go("map", site) : undefined) });

  const here = useMemo(
    () =>
      Object.values(incidents)
        .filter((i) => i.site === site && (all ? i.status !== "dismissed" : i.status === "new" || (i.phase !== "ended" && i.status !== "dismissed")))
        .sort(byUrgency),
    [incidents, site, all],
  );
  const hrefOf = (i: Incident) => href("map", site, { incident: i.id });
  const drawn = useMemo(() => (layers.includes("incidents") ? markersOf(here, plan, t, hrefOf) : []), [here, plan, t, layers]); // hrefOf hangs on the site alone, and another site is another view
  const files = useMemo(
    (): Marker[] =>
      layers.includes("cases")
        ? (open.data?.cases ?? [])
            .filter((c) => c.place !== null && c.closed_at === null)
            .map((c) => ({ key: c.id, at: [c.place?.longitude ?? 0, c.place?.latitude ?? 0], kind: c.kind, label: `${c.number} · ${kindName(c.kind, t)} · ${t(`case.step.${c.step}`)}`, strong: c.lateness === "overdue", href: href("cases", c.id) }))
        : [],
    [open.data, layers, t],
  );
  const outlines = useMemo(
    (): Outline[] =>
      layers.includes("roofs")
        ? (roofs.data ?? [])
            .filter((r) => r.site === site)
            .flatMap((roof) =>
              roof.structures
                .filter((s) => s.outline.length > 2)
                .map((s) => ({
                  key: `${roof.building}/${structureKey(s)}`,
                  className: `roof-${s.state}`,
                  points: s.outline as LonLat[],
                  label: `${roofName(roof, t)} · ${t(`structure.${s.state}` as Key)}`,
                  href: href("roofs", `${roof.site}~${roof.building}`),
                })),
            )
        : [],
    [roofs.data, layers, site, t],
  );
  const markers = useMemo(() => [...drawn, ...files], [drawn, files]);
  const shownPlan = layers.includes("cameras");
  const unplaced = here.length - drawn.length;
  const known = sites.find((s) => s.site === site);
  const step = (by: 1 | -1) => {
    const next = neighbour(here, incident, by);
    if (next) window.location.hash = href("map", site, { incident: next });
  };
  return (
    <main className={`map-view${incident ? " with-panel" : ""}`}>
      <section className="map-main" aria-label={t("map.title")}>
        <div className="record-bar">
          <h1>{t("map.title")}</h1>
          {ids.length > 1 ? (
            <div className="segments" role="group" aria-label={t("map.sites")}>
              {ids.map((one) => {
                const waiting = Object.values(incidents).filter((i) => i.site === one && i.status === "new").length;
                return (
                  <button key={one} aria-pressed={one === site} onClick={() => go("map", one)}>
                    {siteName(sites, one, t)}
                    {waiting > 0 && <b className="count">{waiting}</b>}
                  </button>
                );
              })}
            </div>
          ) : (
            <b>{siteName(sites, site, t)}</b>
          )}
          {known?.households != null && <span className="muted">{t("map.households", { count: known.households })}</span>}
          <div className="segments" role="group" aria-label={t("map.layer")}>
            {LAYERS.map((layer) => (
              <button key={layer} aria-pressed={layers.includes(layer)} onClick={() => setLayers(layers.includes(layer) ? layers.filter((l) => l !== layer) : [...layers, layer])}>
                {t(`map.layer.${layer}`)}
              </button>
            ))}
          </div>
          <div className="segments" role="group" aria-label={t("incident.status")}>
            <button aria-pressed={!all} onClick={() => setAll(false)}>
              {t("map.show.open")}
            </button>
            <button aria-pressed={all} onClick={() => setAll(true)}>
              {t("map.show.all")}
            </button>
          </div>
          {mayConfigure && (
            <button className="button record-add" onClick={() => setUploading(true)}>
              <Upload size={15} aria-hidden />
              {t("map.upload")}
            </button>
          )}
        </div>
        <div className={`map-area${shownPlan ? "" : " map-no-cameras"}`}>
          <SiteMap
            site={site}
            markers={markers}
            outlines={outlines}
            chosen={incident ?? camera}
            toneOf={(c) => (cameras[c] ? tone(condition(cameras[c])) : "off")}
            cameraHref={(c) => href("map", site, { camera: c })}
          >
            {camera && cameras[camera] && <CameraCard id={camera} />}
          </SiteMap>
        </div>
        <p className="map-foot muted">
          {t("map.keys")} {layers.includes("incidents") && unplaced > 0 && t("map.unplaced", { count: unplaced })} {t("incident.notice")}
        </p>
      </section>
      {incident && <IncidentPanel id={incident} onClose={() => go("map", site)} onStep={step} />}
      {uploading && <UploadDialog site={site} onClose={() => setUploading(false)} />}
    </main>
  );
}

/** A camera as it is now, and what goes on before it. */
function CameraCard({ id }: { id: string }) {
  const t = useT();
  const now = useNow();
  const camera = useLive((s) => s.cameras[id]);
  const incidents = useLive((s) => s.incidents);
  if (!camera) return null;
  const going = Object.values(incidents)
    .filter((i) => i.camera === id && i.status !== "dismissed" && (i.status === "new" || i.phase !== "ended"))
    .sort(byUrgency);
  return (
    <section className="map-card" aria-label={cameraName(camera)}>
      <header>
        <b>{cameraName(camera)}</b>
        <HealthBadge camera={camera} />
      </header>
      <div className="map-live">
        <LivePicture camera={id} zones={camera.zones} trouble={tone(condition(camera)) === "good" ? null : t("tile.noPicture")} />
      </div>
      <ul>
        {going.slice(0, 4).map((i) => (
          <li key={i.id} data-kind={i.kind}>
            <a href={href("map", i.site, { incident: i.id })}>
              <Thumbnail incident={i} />
              <span>
                <KindIcon kind={i.kind} /> {suspected(i.kind, t)}
                <time className="muted">{between(i.since, now, t)}</time>
              </span>
              <StatusBadge incident={i} />
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

function UploadDialog({ site, onClose }: { site: string; onClose(): void }) {
  const t = useT();
  const client = useQueryClient();
  const [geojson, setGeojson] = useState<File | null>(null);
  const [picture, setPicture] = useState<File | null>(null);
  const [message, setMessage] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const save = async () => {
    setBusy(true);
    try {
      if (geojson) {
        let value: unknown;
        try {
          value = JSON.parse(await geojson.text());
        } catch {
          setMessage(t("map.upload.bad"));
          return;
        }
        await sitePlans.write(site, value);
      }
      if (picture) await sitePlans.writePicture(site, picture);
      await client.invalidateQueries({ queryKey: ["plan", site] });
      onClose();
    } catch (error) {
      setMessage(errorText(error, t.language));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog title={t("map.upload")} submit={t("form.save")} busy={busy || (!geojson && !picture)} message={message} onClose={onClose} onSubmit={() => void save()}>
      <p className="muted">{t("map.upload.hint")}</p>
      <Field label={t("map.upload.geojson")}>
        <input type="file" accept=".geojson,.json,application/geo+json" onChange={(event) => setGeojson(event.target.files?.[0] ?? null)} />
      </Field>
      <Field label={t("map.upload.png")}>
        <input type="file" accept="image/png" onChange={(event) => setPicture(event.target.files?.[0] ?? null)} />
      </Field>
    </Dialog>
  );
}
