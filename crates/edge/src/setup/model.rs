//! What a pipeline file says of its cameras, as it is written: also while it has mistakes, so that a page can show what
//! there is. Entries of other types than they should have are left out; the checker names them.

use serde::Serialize;
use serde_json::Value as Json;
use toml::{Table, Value};

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Model {
    models: Vec<String>,
    cameras: Vec<Camera>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(clippy::struct_field_names, reason = "the names of the JSON")]
struct Camera {
    camera: String,
    name: Option<String>,
    site: Option<String>,
    disabled: bool,
    synthetic: bool,
    dome: bool,
    /// Keyframes when they are enough, and looks by the model while something moves.
    spared: bool,
    model: Option<String>,
    source: Source,
    recording: Option<Json>,
    views: Vec<View>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Source {
    kind: Option<&'static str>,
    address: Option<String>,
    substream: Option<String>,
    username: Option<String>,
    /// Where the password is.
    password: &'static str,
    analysed_fps: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct View {
    preset: Option<String>,
    name: Option<String>,
    reference_pictures: usize,
    background: bool,
    baseline: bool,
    zones: Vec<Zone>,
    lines: Vec<Line>,
    rules: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(clippy::struct_field_names, reason = "the names of the JSON")]
struct Zone {
    zone: String,
    purpose: String,
    polygon: Vec<[f64; 2]>,
    membership: Option<Json>,
    labels: Option<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Line {
    line: String,
    points: Vec<[f64; 2]>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(clippy::struct_field_names, reason = "the names of the JSON")]
struct Rule {
    rule: String,
    kind: String,
    options: Json,
}

const SOURCES: [&str; 7] = ["rtsp", "rtmp", "srt", "file", "images", "device", "test"];

impl Model {
    /// Of a text without passwords; `None` if it is no TOML.
    pub(super) fn of(text: &str) -> Option<Self> {
        let table: Table = text.parse().ok()?;
        let models = tables(&table, "models").map(|(name, _)| name.clone()).collect();
        let cameras = tables(&table, "cameras").map(|(name, camera)| Camera::of(name, camera)).collect();
        Some(Self { models, cameras })
    }
}

fn tables<'t>(table: &'t Table, key: &str) -> impl Iterator<Item = (&'t String, &'t Table)> {
    let entries = table.get(key).and_then(Value::as_table).into_iter().flatten();
    entries.filter_map(|(name, value)| Some((name, value.as_table()?)))
}

fn text(table: &Table, key: &str) -> Option<String> {
    table.get(key)?.as_str().map(str::to_owned)
}

fn flag(table: &Table, key: &str) -> bool {
    table.get(key).and_then(Value::as_bool).unwrap_or_default()
}

fn float(value: &Value) -> Option<f64> {
    value.as_float().or_else(|| value.as_integer().map(|n| n as f64))
}

fn json(value: &Value) -> Option<Json> {
    serde_json::to_value(value).ok()
}

fn points(value: &Value) -> Option<Vec<[f64; 2]>> {
    let point = |value: &Value| match value.as_array().map(Vec::as_slice) {
        Some([x, y]) => Some([float(x)?, float(y)?]),
        _ => None,
    };
    value.as_array()?.iter().map(point).collect()
}

fn sub<'t>(table: &'t Table, key: &str) -> Option<&'t Table> {
    table.get(key)?.as_table()
}

impl Camera {
    fn of(name: &str, camera: &Table) -> Self {
        let dome = camera.contains_key("dome");
        let views = if dome {
            tables(camera, "presets").map(|(preset, view)| View::of(Some(preset), view)).collect()
        } else {
            vec![View::of(None, camera)]
        };
        Self {
            camera: name.to_owned(),
            name: text(camera, "name"),
            site: text(camera, "site"),
            disabled: flag(camera, "disabled"),
            synthetic: flag(camera, "synthetic"),
            dome,
            spared: camera.contains_key("gate")
                && sub(camera, "source").is_some_and(|source| flag(source, "keyframes_when_enough")),
            model: text(camera, "model"),
            source: Source::of(sub(camera, "source").unwrap_or(&Table::new())),
            recording: camera.get("recording").and_then(json).filter(Json::is_object),
            views,
        }
    }
}

impl Source {
    fn of(source: &Table) -> Self {
        let kind = SOURCES.into_iter().find(|kind| source.contains_key(*kind));
        let empty = Table::new();
        let of_kind = kind.and_then(|kind| sub(source, kind)).unwrap_or(&empty);
        let address = ["url", "path", "directory", "pattern"].iter().find_map(|key| text(of_kind, key));
        let has = |ending: &str| of_kind.keys().any(|key| key.starts_with("pass") && key.ends_with(ending));
        let password = match () {
            () if has("_file") => "file",
            () if has("_env") => "environment",
            () if address.as_deref().is_some_and(|url| url.contains(":***@")) => "address",
            () => "none",
        };
        Self {
            kind,
            address,
            substream: text(of_kind, "substream_url"),
            username: text(of_kind, "username"),
            password,
            analysed_fps: source.get("analysed_fps").and_then(float),
        }
    }
}

impl View {
    fn of(preset: Option<&str>, view: &Table) -> Self {
        let changes = |key: &str| sub(view, "change").is_some_and(|change| change.contains_key(key));
        let zone = |(name, zone): (&String, &Table)| {
            Some(Zone {
                zone: name.clone(),
                purpose: text(zone, "purpose")?,
                polygon: points(zone.get("polygon")?)?,
                membership: zone.get("membership").and_then(json),
                labels: zone.get("labels").and_then(|labels| labels.clone().try_into().ok()),
            })
        };
        let line = |(name, line): (&String, &Table)| {
            Some(Line { line: name.clone(), points: points(line.get("points")?)? })
        };
        let rule = |(name, rule): (&String, &Table)| {
            let (kind, options) = rule.iter().next()?;
            Some(Rule { rule: name.clone(), kind: kind.clone(), options: json(options)? })
        };
        Self {
            preset: preset.map(str::to_owned),
            name: preset.and_then(|_| text(view, "name")),
            reference_pictures: view.get("reference_pictures").and_then(Value::as_array).map_or(0, Vec::len),
            background: changes("background"),
            baseline: changes("baseline"),
            zones: tables(view, "zones").filter_map(zone).collect(),
            lines: tables(view, "lines").filter_map(line).collect(),
            rules: tables(view, "rules").filter_map(rule).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_shown_also_beside_mistakes() {
        let model = Model::of(
            r#"
            [models.default]
            [cameras.gate]
            name = "东门"
            colour = 3
            recording = { hours = 4 }
            gate = {}
            source = { analysed_fps = 4, keyframes_when_enough = true, rtsp = { url = "rtsp://a:***@h/1", substream_url = "rtsp://h/2" } }
            zones.lane = { purpose = "fire_lane", polygon = [[0, 1], [0.5, 1], [1, 0]], membership = { overlap = 0.5 } }
            zones.broken = { purpose = 3 }
            lines.in = { points = [[0, 0], [1, 1]] }
            rules.bikes.misparked_ebike = { limit_seconds = 12 }
            change.background = {}
            [cameras.tower]
            dome.onvif = {}
            source.srt = { url = "srt://h:1", passphrase_env = "X" }
            zones.lost = { purpose = "area", polygon = [] }
            presets.roof = { name = "楼顶", reference_pictures = ["a.jpg"], zones.roof = { purpose = "roof", polygon = [] } }
            "#,
        )
        .unwrap();
        insta::assert_json_snapshot!(model);
        assert_eq!(Model::of("a = "), None);
    }
}
