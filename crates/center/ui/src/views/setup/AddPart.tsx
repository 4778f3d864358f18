/** A camera by its address: found in the network or typed, asked what streams it has, looked at, named, and put into the draft. */
import { useMutation } from "@tanstack/react-query";
import { ArrowRight, Eye, Radar, Search } from "lucide-react";
import { useEffect, useState } from "react";
import { errorText } from "../../api/client";
import { setupOf, type Device, type Place, type Probe, type StreamProfile } from "../../api/setup";
import { useT } from "../../i18n";
import { isAddress, isStream, nameFrom, withoutCredentials } from "../../lib/address";
import { freeName, NAME } from "../../lib/edits";
import { SelectField, TextField } from "../../parts/Fields";
import { useModel, useSetup } from "../../state/setup";

const DISCOVER_SECONDS = 3;

export function AddPart({ place, onAdded }: { place: Place; onAdded(camera: string): void }) {
  const t = useT();
  const calls = setupOf(place);
  const edit = useSetup((s) => s.edit);
  const model = useModel();
  const taken = model?.cameras.map((c) => c.camera) ?? [];
  const [address, setAddress] = useState("");
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [url, setUrl] = useState<string | null>(null);
  const [substream, setSubstream] = useState<string | null>(null);
  const [title, setTitle] = useState("");
  const [id, setId] = useState<string | null>(null);
  const [picture, setPicture] = useState<string | null>(null);

  const who = { username: username || null, password: password || null };
  const find = useMutation({ mutationFn: () => calls.discover(DISCOVER_SECONDS) });
  const ask = useMutation({
    mutationFn: () => calls.probe(address.trim(), who.username, who.password),
    onSuccess: (probe: Probe) => {
      setUrl(probe.url ?? streamsOf(probe)[0]?.[0] ?? null);
      setSubstream(probe.substream_url);
    },
  });
  const look = useMutation({
    mutationFn: (stream: string) => calls.still({ url: stream, ...who }),
    onSuccess: (still) => setPicture(URL.createObjectURL(still.picture)),
  });
  useEffect(
    () => () => {
      if (picture) URL.revokeObjectURL(picture);
    },
    [picture],
  );

  const again = () => {
    ask.reset();
    look.reset();
    setUrl(null);
    setSubstream(null);
    setPicture(null);
  };
  const typed = (text: string) => {
    const parts = withoutCredentials(text);
    setAddress(parts.username === null && parts.password === null ? text : parts.address);
    if (parts.username !== null) setUsername(parts.username);
    if (parts.password !== null) setPassword(parts.password);
    again();
  };
  const next = () => {
    if (isStream(address)) {
      setUrl(address.trim());
      look.mutate(address.trim());
    } else ask.mutate();
  };
  const name = id ?? freeName(nameFrom(title, address), taken);
  const nameFault = !NAME.test(name) ? "draw.name.bad" : taken.includes(name) ? "draw.name.taken" : null;
  const add = () => {
    if (url === null || nameFault !== null) return;
    edit([
      {
        op: "put_camera",
        camera: name,
        url,
        spared: true,
        ...(title.trim() ? { name: title.trim() } : {}),
        ...(substream && substream !== url ? { substream_url: substream } : {}),
        ...(username ? { username } : {}),
        ...(password ? { password } : {}),
        ...((model?.models.length ?? 0) > 1 && model?.models[0] ? { model: model.models[0] } : {}),
      },
    ]);
    onAdded(name);
  };
  const probe = ask.data;
  return (
    <div className="admin-scroll setup-add">
      <section className="admin-card form" aria-label={t("add.find")}>
        <header className="rule-head">
          <Radar size={18} aria-hidden />
          <h3>{t("add.find")}</h3>
          <button className="button button-small" disabled={find.isPending} onClick={() => find.mutate()}>
            <Search size={14} aria-hidden />
            {t(find.isPending ? "add.finding" : "add.find.start")}
          </button>
        </header>
        <p className="field-hint">{t("add.find.hint")}</p>
        {find.error && (
          <p className="form-message" role="alert">
            {errorText(find.error, t.language)}
          </p>
        )}
        {find.data && find.data.devices.length === 0 && <p className="form-note" role="status">{t("add.find.none")}</p>}
        {find.data && find.data.devices.length > 0 && <Devices devices={find.data.devices} chosen={address} onChoose={(device) => typed(device.address)} />}
      </section>

      <form
        className="admin-card form"
        onSubmit={(event) => {
          event.preventDefault();
          next();
        }}
      >
        <h3>{t("add.address")}</h3>
        <div className="rule-fields">
          <TextField label={t("add.address.field")} hint={t("add.address.hint")} value={address} required spellCheck={false} autoComplete="off" placeholder="192.168.1.64" onChange={typed} />
          <TextField label={t("add.username")} value={username} autoComplete="off" spellCheck={false} onChange={(v) => (setUsername(v), again())} />
          <TextField label={t("add.password")} hint={t("add.password.hint")} type="password" value={password} autoComplete="new-password" onChange={(v) => (setPassword(v), again())} />
        </div>
        {(ask.error ?? look.error) && (
          <p className="form-message" role="alert">
            {errorText(ask.error ?? look.error, t.language)}
          </p>
        )}
        <div className="admin-save">
          <button className="button" disabled={!isAddress(address) || ask.isPending || look.isPending}>
            <ArrowRight size={16} aria-hidden />
            {t(ask.isPending || look.isPending ? "add.asking" : "add.ask")}
          </button>
        </div>
        {probe && (
          <>
            <p>
              <b>{[probe.manufacturer, probe.model].filter(Boolean).join(" ") || t("add.unnamed")}</b> <span className="muted">{probe.firmware}</span>
              {probe.turns && <span className="muted"> · {t("add.turns")}</span>}
            </p>
            {streamsOf(probe).length === 0 ? (
              <p className="form-note">{t("add.noProfiles")}</p>
            ) : (
              <div className="rule-fields">
                <SelectField label={t("add.stream")} hint={t("add.stream.hint")} value={url ?? ""} onChange={(v) => (setUrl(v), setPicture(null))} choices={streamsOf(probe)} />
                <SelectField label={t("add.substream")} hint={t("add.substream.hint")} value={substream ?? ""} onChange={(v) => setSubstream(v || null)} choices={[["", t("form.none")], ...streamsOf(probe)]} />
              </div>
            )}
          </>
        )}
      </form>

      {url !== null && (
        <form
          className="admin-card form"
          onSubmit={(event) => {
            event.preventDefault();
            add();
          }}
        >
          <h3>{t("add.look")}</h3>
          <p className="field-hint">
            <code>{url}</code>
          </p>
          {picture ? (
            <img className="add-still" src={picture} alt={t("add.still")} />
          ) : (
            <p className="muted" role="status">
              {t(look.isPending ? "draw.still.loading" : "add.look.hint")}
            </p>
          )}
          <div className="admin-save">
            <button type="button" className="button" disabled={look.isPending} onClick={() => look.mutate(url)}>
              <Eye size={16} aria-hidden />
              {t(picture ? "draw.still.again" : "add.look.start")}
            </button>
          </div>
          <div className="rule-fields">
            <TextField label={t("setup.camera.name")} hint={t("add.name.hint")} value={title} maxLength={100} onChange={setTitle} />
            <TextField label={t("add.id")} hint={t(nameFault ?? "add.id.hint")} value={name} maxLength={64} required spellCheck={false} aria-invalid={nameFault !== null} onChange={setId} />
          </div>
          <div className="admin-save">
            <button className="button button-confirm" disabled={nameFault !== null}>
              {t("add.put")}
            </button>
            <span className="muted">{t("add.put.hint")}</span>
          </div>
        </form>
      )}
    </div>
  );
}

/** The streams that have an address, as choices. */
function streamsOf(probe: Probe): (readonly [string, string])[] {
  return probe.profiles.flatMap((p) => (p.url === null ? [] : [[p.url, profileText(p)] as const]));
}

function profileText(profile: StreamProfile): string {
  const facts = [profile.codec, profile.width && profile.height ? `${profile.width}×${profile.height}` : null, profile.fps ? `${profile.fps} fps` : null].filter(Boolean);
  return facts.length > 0 ? `${profile.name} · ${facts.join(" · ")}` : profile.name;
}

function Devices({ devices, chosen, onChoose }: { devices: Device[]; chosen: string; onChoose(device: Device): void }) {
  const t = useT();
  return (
    <ul className="draw-list">
      {devices.map((device) => (
        <li key={device.address}>
          <button type="button" aria-pressed={device.address === chosen} onClick={() => onChoose(device)}>
            <b>{device.name ?? device.host}</b>
            <span className="muted">
              {[device.hardware, device.host].filter(Boolean).join(" · ")}
              {device.camera && ` · ${t("add.known", { camera: device.camera })}`}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
