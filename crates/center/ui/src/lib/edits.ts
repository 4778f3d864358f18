/** What was changed, as edits of the pipeline file; and edits applied to what the page shows until the node has answered. */
import type { Edit, Model, Options, PutCamera, SetupCamera, SetupRule, SetupView } from "../api/setup";
import { placed } from "./outline";

/** Names as the file allows them. */
export const NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** The first of `stem`, `stem-2`, `stem-3` … that is free. */
export function freeName(stem: string, taken: readonly string[]): string {
  if (!taken.includes(stem)) return stem;
  for (let n = 2; ; n++) if (!taken.includes(`${stem}-${n}`)) return `${stem}-${n}`;
}

export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((v, i) => equal(v, b[i]));
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null || Array.isArray(a) || Array.isArray(b)) return false;
  const [left, right] = [a as Options, b as Options];
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...keys].every((key) => equal(left[key], right[key]));
}

/** Edits that make one view of a camera into another. */
export function editsBetween(camera: string, from: SetupView, to: SetupView): Edit[] {
  const edits: Edit[] = [];
  const where = { camera, preset: to.preset };
  const gone = <T,>(old: T[], next: T[], name: (one: T) => string) => old.map(name).filter((n) => !next.some((one) => name(one) === n));
  for (const zone of gone(from.zones, to.zones, (z) => z.zone)) edits.push({ op: "remove_zone", ...where, zone });
  for (const line of gone(from.lines, to.lines, (l) => l.line)) edits.push({ op: "remove_line", ...where, line });
  for (const rule of gone(from.rules, to.rules, (r) => r.rule)) edits.push({ op: "remove_rule", ...where, rule });
  for (const zone of to.zones) {
    const old = from.zones.find((z) => z.zone === zone.zone);
    if (equal(old, zone)) continue;
    edits.push({
      op: "put_zone",
      ...where,
      zone: zone.zone,
      purpose: zone.purpose,
      polygon: zone.polygon.map(placed),
      ...(equal(old?.membership ?? null, zone.membership) ? {} : { membership: zone.membership }),
      ...(equal(old?.labels ?? null, zone.labels) ? {} : { labels: zone.labels }),
    });
  }
  for (const line of to.lines) {
    if (!equal(from.lines.find((l) => l.line === line.line), line)) edits.push({ op: "put_line", ...where, line: line.line, points: line.points.map(placed) });
  }
  for (const rule of to.rules) {
    const old = from.rules.find((r) => r.rule === rule.rule);
    if (equal(old, rule)) continue;
    const before = old?.kind === rule.kind ? old.options : {};
    edits.push({ op: "put_rule", ...where, rule: rule.rule, kind: rule.kind, options: optionsBetween(before, rule.options) });
  }
  return edits;
}

/** Options that differ; those that are gone are `null`. */
export function optionsBetween(from: Options, to: Options): Options {
  const changed: Options = {};
  for (const [name, value] of Object.entries(to)) if (!equal(from[name], value)) changed[name] = value;
  for (const name of Object.keys(from)) if (!(name in to)) changed[name] = null;
  return changed;
}

/** Options with some set, and those taken out that are `null` or `undefined`. */
export function withOptions(options: Options, change: Options): Options {
  return Object.fromEntries(Object.entries({ ...options, ...change }).filter(([, value]) => value !== null && value !== undefined));
}

const EMPTY_VIEW: SetupView = { preset: null, name: null, reference_pictures: 0, background: false, baseline: false, zones: [], lines: [], rules: [] };

/** What the file will say after these edits, as far as the page shows it; the node's answer replaces it. */
export function withEdits(model: Model, edits: readonly Edit[]): Model {
  return edits.reduce(withEdit, model);
}

function withEdit(model: Model, edit: Edit): Model {
  switch (edit.op) {
    case "put_camera": {
      const old = model.cameras.find((c) => c.camera === edit.camera);
      const next = cameraWith(old, edit);
      return { ...model, cameras: old ? model.cameras.map((c) => (c === old ? next : c)) : [...model.cameras, next] };
    }
    case "remove_camera":
      return { ...model, cameras: model.cameras.filter((c) => c.camera !== edit.camera) };
    case "put_zone": {
      const { zone, purpose, polygon, membership, labels } = edit;
      return inView(model, edit, (view) => {
        const old = view.zones.find((z) => z.zone === zone);
        const next = { zone, purpose, polygon, membership: membership === undefined ? (old?.membership ?? null) : membership, labels: labels === undefined ? (old?.labels ?? null) : labels };
        return { ...view, zones: put(view.zones, old, next) };
      });
    }
    case "remove_zone":
      return inView(model, edit, (view) => ({ ...view, zones: view.zones.filter((z) => z.zone !== edit.zone) }));
    case "put_line":
      return inView(model, edit, (view) => ({ ...view, lines: put(view.lines, view.lines.find((l) => l.line === edit.line), { line: edit.line, points: edit.points }) }));
    case "remove_line":
      return inView(model, edit, (view) => ({ ...view, lines: view.lines.filter((l) => l.line !== edit.line) }));
    case "put_rule":
      return inView(model, edit, (view) => {
        const old = view.rules.find((r) => r.rule === edit.rule);
        const next: SetupRule = { rule: edit.rule, kind: edit.kind, options: withOptions(old?.kind === edit.kind ? old.options : {}, edit.options) };
        return { ...view, rules: put(view.rules, old, next) };
      });
    case "remove_rule":
      return inView(model, edit, (view) => ({ ...view, rules: view.rules.filter((r) => r.rule !== edit.rule) }));
    case "set":
    case "unset":
      return withTable(model, edit.path, edit.op === "set");
  }
}

function put<T>(list: T[], old: T | undefined, next: T): T[] {
  return old === undefined ? [...list, next] : list.map((one) => (one === old ? next : one));
}

function inView(model: Model, { camera, preset }: { camera: string; preset: string | null }, change: (view: SetupView) => SetupView): Model {
  return {
    ...model,
    cameras: model.cameras.map((c) => (c.camera === camera ? { ...c, views: c.views.map((view) => (view.preset === preset ? change(view) : view)) } : c)),
  };
}

/** Of the free form only the tables that the page has switches for. */
function withTable(model: Model, path: string[], on: boolean): Model {
  const [root, camera, ...rest] = path;
  const preset = rest[0] === "presets" ? (rest[1] ?? null) : null;
  const [change, part] = preset === null ? rest : rest.slice(2);
  if (root !== "cameras" || !camera || change !== "change" || (part !== "background" && part !== "baseline")) return model;
  return inView(model, { camera, preset }, (view) => ({ ...view, [part]: on }));
}

function cameraWith(old: SetupCamera | undefined, edit: PutCamera): SetupCamera {
  const base: SetupCamera = old ?? {
    camera: edit.camera,
    name: null,
    site: null,
    disabled: false,
    synthetic: false,
    dome: false,
    spared: false,
    model: null,
    source: { kind: null, address: null, substream: null, username: null, password: "none", analysed_fps: null },
    recording: null,
    views: [EMPTY_VIEW],
  };
  const or = <T,>(value: T | undefined, unchanged: T): T => (value === undefined ? unchanged : value);
  return {
    ...base,
    name: or(edit.name, base.name),
    disabled: edit.disabled === undefined ? base.disabled : edit.disabled === true,
    synthetic: edit.synthetic === undefined ? base.synthetic : edit.synthetic === true,
    spared: edit.spared === undefined ? base.spared : edit.spared === true,
    model: or(edit.model, base.model),
    recording: or(edit.recording, base.recording),
    source: {
      kind: edit.url ? (/^(rtsp|rtmp|srt)/.exec(edit.url)?.[1] ?? null) : base.source.kind,
      address: or(edit.url, base.source.address),
      substream: or(edit.substream_url, base.source.substream),
      username: or(edit.username, base.source.username),
      password: edit.password === undefined ? base.source.password : edit.password === null ? "none" : "file",
      analysed_fps: or(edit.analysed_fps, base.source.analysed_fps),
    },
  };
}

/** What an edit is about: two edits about one thing can be made one. */
function target(edit: Edit): string {
  const { op, ...rest } = edit;
  const of = rest as { camera?: string; preset?: string | null; zone?: string; line?: string; rule?: string; path?: string[] };
  return JSON.stringify([op, of.camera, of.preset, of.zone, of.line, of.rule, of.path]);
}

/** Edits with `next` after them; what is only said again (a corner being dragged) takes the place of what was said before. */
export function withNext(edits: readonly Edit[], next: readonly Edit[]): Edit[] {
  const all = [...edits];
  for (const edit of next) {
    const last = all.at(-1);
    if (last && target(last) === target(edit) && !(last.op === "put_rule" && edit.op === "put_rule" && last.kind !== edit.kind)) {
      const options = last.op === "put_rule" && edit.op === "put_rule" ? { options: { ...last.options, ...edit.options } } : {};
      all[all.length - 1] = { ...last, ...edit, ...options } as Edit;
    } else all.push(edit);
  }
  return all;
}

/** Options in which rules name zones: lists, and tables whose keys are zones. */
const ZONE_LISTS = ["zones", "bays", "forbidden"];
const ZONE_TABLES = ["zone_limit_seconds", "zone_severity"];

/** The view with another name for a zone, in the rules too. */
export function renamedZone(view: SetupView, from: string, to: string): SetupView {
  const named = (zone: unknown) => (zone === from ? to : zone);
  const inOptions = (options: Options): Options =>
    Object.fromEntries(
      Object.entries(options).map(([name, value]) => {
        if (ZONE_LISTS.includes(name) && Array.isArray(value)) return [name, value.map(named)];
        if (ZONE_TABLES.includes(name) && typeof value === "object" && value !== null) return [name, Object.fromEntries(Object.entries(value).map(([zone, v]) => [named(zone), v]))];
        return [name, value];
      }),
    );
  return { ...view, zones: view.zones.map((z) => (z.zone === from ? { ...z, zone: to } : z)), rules: view.rules.map((r) => ({ ...r, options: inOptions(r.options) })) };
}

/** Rules that name this zone. */
export function rulesNaming(view: SetupView, zone: string): string[] {
  return view.rules.filter((rule) => !equal(renamedZone({ ...view, rules: [rule] }, zone, `${zone}\u0000`).rules[0], rule)).map((rule) => rule.rule);
}
