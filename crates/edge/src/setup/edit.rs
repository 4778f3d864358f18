//! Edits of a pipeline file's text that leave comments and layout of everything else alone.

use std::collections::BTreeMap;

use parapet_core::{CameraId, PresetId, RuleId, ZoneId};
use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value};

use super::refusal::Refusal;

/// `None`: not said. `Some(None)`: taken out. `Some(Some(…))`: set.
type Maybe<T> = Option<Option<T>>;

fn said<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Maybe<T>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A point of a view.
type At = [f64; 2];

/// One change of the text.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Edit {
    /// Adds a camera, or changes what is said of it.
    PutCamera(Box<PutCamera>),
    RemoveCamera {
        camera: CameraId,
    },
    PutZone {
        camera: CameraId,
        #[serde(default)]
        preset: Option<PresetId>,
        zone: ZoneId,
        purpose: String,
        polygon: Vec<At>,
        #[serde(default, deserialize_with = "said")]
        membership: Maybe<Json>,
        #[serde(default, deserialize_with = "said")]
        labels: Maybe<Vec<String>>,
    },
    RemoveZone {
        camera: CameraId,
        #[serde(default)]
        preset: Option<PresetId>,
        zone: ZoneId,
    },
    PutLine {
        camera: CameraId,
        #[serde(default)]
        preset: Option<PresetId>,
        line: ZoneId,
        points: Vec<At>,
    },
    RemoveLine {
        camera: CameraId,
        #[serde(default)]
        preset: Option<PresetId>,
        line: ZoneId,
    },
    PutRule {
        camera: CameraId,
        #[serde(default)]
        preset: Option<PresetId>,
        rule: RuleId,
        kind: String,
        #[serde(default)]
        options: BTreeMap<String, Json>,
    },
    RemoveRule {
        camera: CameraId,
        #[serde(default)]
        preset: Option<PresetId>,
        rule: RuleId,
    },
    /// Sets any option of a camera.
    Set {
        path: Vec<String>,
        value: Json,
    },
    /// Takes out any option of a camera.
    Unset {
        path: Vec<String>,
    },
}

/// What is said of a camera.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PutCamera {
    pub(super) camera: CameraId,
    #[serde(default, deserialize_with = "said")]
    pub(super) name: Maybe<String>,
    #[serde(default, deserialize_with = "said")]
    pub(super) url: Maybe<String>,
    #[serde(default, deserialize_with = "said")]
    pub(super) substream_url: Maybe<String>,
    #[serde(default, deserialize_with = "said")]
    pub(super) username: Maybe<String>,
    #[serde(default, deserialize_with = "said")]
    pub(super) password: Maybe<String>,
    #[serde(default, deserialize_with = "said")]
    pub(super) transport: Maybe<String>,
    #[serde(default, deserialize_with = "said")]
    pub(super) disabled: Maybe<bool>,
    #[serde(default, deserialize_with = "said")]
    pub(super) synthetic: Maybe<bool>,
    #[serde(default, deserialize_with = "said")]
    pub(super) model: Maybe<String>,
    #[serde(default, deserialize_with = "said")]
    pub(super) analysed_fps: Maybe<f64>,
    /// Keyframes when they are enough, and looks by the model while something moves.
    #[serde(default, deserialize_with = "said")]
    pub(super) spared: Maybe<bool>,
    #[serde(default, deserialize_with = "said")]
    pub(super) recording: Maybe<BTreeMap<String, Json>>,
}

impl std::fmt::Debug for PutCamera {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PutCamera").field("camera", &self.camera).finish_non_exhaustive()
    }
}

/// Keeps a password somewhere else; the path of the file that has it.
pub(super) type KeepPassword<'a> = dyn FnMut(&CameraId, &str) -> Result<String, Refusal> + 'a;

/// The text after the edits, in their order.
pub(super) fn edited(text: &str, edits: &[Edit], keep: &mut KeepPassword<'_>) -> Result<String, Refusal> {
    if edits.is_empty() {
        return Ok(text.to_owned());
    }
    let mut document: DocumentMut = text.parse().map_err(|_| {
        Refusal::refused(
            "配置不是有效的 TOML，请先改正语法",
            "the text is no valid TOML; correct it by hand first",
        )
    })?;
    for edit in edits {
        apply(&mut document, edit, keep)?;
    }
    Ok(document.to_string())
}

fn apply(document: &mut DocumentMut, edit: &Edit, keep: &mut KeepPassword<'_>) -> Result<(), Refusal> {
    match edit {
        Edit::PutCamera(put) => put_camera(document, put, keep),
        Edit::RemoveCamera { camera } => remove(document, &["cameras", camera.as_str()]),
        Edit::PutZone { camera, preset, zone, purpose, polygon, membership, labels } => {
            let table = of_view(document, camera, preset.as_ref(), "zones", zone.as_str())?;
            set(table, "purpose", Some(purpose.as_str().into()));
            set(table, "polygon", Some(points(polygon)));
            if let Some(membership) = membership {
                set(table, "membership", membership.as_ref().map(value).transpose()?);
            }
            if let Some(labels) = labels {
                set(table, "labels", labels.as_ref().map(|labels| labels.iter().collect()));
            }
            Ok(())
        }
        Edit::PutLine { camera, preset, line, points: ends } => {
            let table = of_view(document, camera, preset.as_ref(), "lines", line.as_str())?;
            set(table, "points", Some(points(ends)));
            Ok(())
        }
        Edit::PutRule { camera, preset, rule, kind, options } => {
            let table = of_view(document, camera, preset.as_ref(), "rules", rule.as_str())?;
            let others: Vec<String> =
                table.iter().map(|(key, _)| key.to_owned()).filter(|key| key != kind).collect();
            for other in others {
                table.remove(&other);
            }
            if table.is_empty()
                && let Some(table) = document_table(document, &view_path(camera, preset.as_ref(), "rules"))?
                    .get_mut(rule.as_str())
                    .and_then(Item::as_table_mut)
            {
                table.set_implicit(true);
            }
            let mut path = view_path(camera, preset.as_ref(), "rules");
            path.extend([rule.as_str(), kind.as_str()]);
            let table = document_table(document, &path)?;
            for (option, written) in options {
                set_json(table, option, written)?;
            }
            Ok(())
        }
        Edit::RemoveZone { camera, preset, zone } => {
            remove_of_view(document, camera, preset.as_ref(), "zones", zone.as_str())
        }
        Edit::RemoveLine { camera, preset, line } => {
            remove_of_view(document, camera, preset.as_ref(), "lines", line.as_str())
        }
        Edit::RemoveRule { camera, preset, rule } => {
            remove_of_view(document, camera, preset.as_ref(), "rules", rule.as_str())
        }
        Edit::Set { path, value } => {
            let (parents, last) = of_camera(path)?;
            known(document, parents[1])?;
            match value {
                Json::Object(entries) => {
                    let mut whole = parents;
                    whole.push(last);
                    let table = document_table(document, &whole)?;
                    let old: Vec<String> = table.iter().map(|(key, _)| key.to_owned()).collect();
                    for key in old.into_iter().filter(|key| !entries.contains_key(key)) {
                        table.remove(&key);
                    }
                    for (key, value) in entries {
                        set_json(table, key, value)?;
                    }
                    Ok(())
                }
                value => set_json(document_table(document, &parents)?, last, value),
            }
        }
        Edit::Unset { path } => {
            of_camera(path)?;
            remove(document, &path.iter().map(String::as_str).collect::<Vec<_>>())
        }
    }
}

fn put_camera(
    document: &mut DocumentMut,
    put: &PutCamera,
    keep: &mut KeepPassword<'_>,
) -> Result<(), Refusal> {
    let at = ["cameras", put.camera.as_str()];
    let camera = document_table(document, &at)?;
    let text = |text: &Option<String>| text.as_deref().map(Value::from);
    for (key, said) in [("name", &put.name), ("model", &put.model)] {
        if let Some(said) = said {
            set(camera, key, text(said));
        }
    }
    for (key, said) in [("disabled", put.disabled), ("synthetic", put.synthetic)] {
        if let Some(said) = said {
            set(camera, key, said.filter(|on| *on).map(Value::from));
        }
    }
    if let Some(fps) = put.analysed_fps {
        let source = document_table(document, &[at[0], at[1], "source"])?;
        set(source, "analysed_fps", fps.map(number));
    }
    if let Some(spared) = put.spared {
        let on = spared == Some(true);
        if on {
            document_table(document, &[at[0], at[1], "gate"])?;
        } else {
            document_table(document, &at)?.remove("gate");
        }
        let source = document_table(document, &[at[0], at[1], "source"])?;
        set(source, "keyframes_when_enough", on.then(|| Value::from(true)));
    }
    match &put.recording {
        Some(Some(options)) => {
            let recording = document_table(document, &[at[0], at[1], "recording"])?;
            for (option, value) in options {
                set_json(recording, option, value)?;
            }
        }
        Some(None) => drop(document_table(document, &at)?.remove("recording")),
        None => {}
    }
    let (mut url, mut username, mut password) = (put.url.clone(), put.username.clone(), put.password.clone());
    if let Some(Some(address)) = &mut url {
        // What stands in the address belongs into options of its own.
        let (bare, user, secret) = parapet_ingest::split_credentials(address);
        if let Some(secret) = secret.filter(|secret| secret != super::secrets::MASK) {
            *address = bare;
            username = username.or(Some(user));
            password = password.or(Some(Some(secret)));
        }
    }
    let of_rtsp = [&url, &put.substream_url, &username, &password, &put.transport];
    if of_rtsp.iter().all(|said| said.is_none()) {
        return Ok(());
    }
    let source = document_table(document, &[at[0], at[1], "source"])?;
    if url.as_ref().is_some_and(Option::is_some) {
        for other in ["rtmp", "srt", "file", "images", "device", "test"] {
            source.remove(other);
        }
    }
    let rtsp = document_table(document, &[at[0], at[1], "source", "rtsp"])?;
    let written = [
        ("url", &url),
        ("substream_url", &put.substream_url),
        ("username", &username),
        ("transport", &put.transport),
    ];
    for (key, said) in written {
        if let Some(said) = said {
            set(rtsp, key, text(said));
        }
    }
    if let Some(password) = password {
        rtsp.remove("password_env");
        let file = match &password {
            Some(password) if password.is_empty() || password.chars().any(char::is_control) => {
                return Err(Refusal::refused(
                    "密码为空或含有不可用的字符",
                    "the password is empty or has control characters",
                ));
            }
            Some(password) => Some(keep(&put.camera, password)?),
            None => None,
        };
        set(rtsp, "password_file", file.map(Value::from));
    }
    Ok(())
}

/// Where a view's zones, lines or rules stand.
fn view_path<'a>(camera: &'a CameraId, preset: Option<&'a PresetId>, what: &'a str) -> Vec<&'a str> {
    let mut path = vec!["cameras", camera.as_str()];
    path.extend(preset.iter().flat_map(|preset| ["presets", preset.as_str()]));
    path.push(what);
    path
}

/// The table of a zone, line or rule of a view that there is.
fn of_view<'d>(
    document: &'d mut DocumentMut,
    camera: &CameraId,
    preset: Option<&PresetId>,
    what: &str,
    name: &str,
) -> Result<&'d mut dyn TableLike, Refusal> {
    known(document, camera.as_str())?;
    if let Some(preset) = preset {
        let presets = find(document, &["cameras", camera.as_str(), "presets", preset.as_str()]);
        if presets.is_none() {
            return Err(Refusal::refused(
                format!("摄像机“{camera}”没有预置位“{preset}”"),
                format!("camera \"{camera}\" has no preset \"{preset}\""),
            ));
        }
    }
    let mut path = view_path(camera, preset, what);
    path.push(name);
    document_table(document, &path)
}

fn remove_of_view(
    document: &mut DocumentMut,
    camera: &CameraId,
    preset: Option<&PresetId>,
    what: &str,
    name: &str,
) -> Result<(), Refusal> {
    let mut path = view_path(camera, preset, what);
    path.push(name);
    remove(document, &path)
}

fn known(document: &DocumentMut, camera: &str) -> Result<(), Refusal> {
    match find(document, &["cameras", camera]) {
        Some(_) => Ok(()),
        None => {
            Err(Refusal::refused(format!("没有摄像机“{camera}”"), format!("there is no camera \"{camera}\"")))
        }
    }
}

/// A path below a camera, without and with its last key.
fn of_camera(path: &[String]) -> Result<(Vec<&str>, &str), Refusal> {
    match path {
        [cameras, _, .., last] if cameras == "cameras" && path.len() >= 3 => {
            Ok((path[..path.len() - 1].iter().map(String::as_str).collect(), last))
        }
        _ => Err(Refusal::refused(
            "只能更改摄像机的选项（cameras.名称.…）",
            "only options of cameras can be changed here (cameras.NAME.…)",
        )),
    }
}

fn find<'d>(document: &'d DocumentMut, path: &[&str]) -> Option<&'d Item> {
    let mut item = document.as_item();
    for key in path {
        item = item.as_table_like()?.get(key)?;
    }
    Some(item)
}

/// The table at a path; made, as a section of its own or, within an inline table, as an inline one.
fn document_table<'d>(
    document: &'d mut DocumentMut,
    path: &[&str],
) -> Result<&'d mut dyn TableLike, Refusal> {
    let mut item = document.as_item_mut();
    for (n, key) in path.iter().enumerate() {
        let inline = item.is_inline_table();
        let table = item.as_table_like_mut().ok_or_else(|| no_table(&path[..n]))?;
        if table.get(key).is_none() {
            let made = if inline {
                Item::Value(Value::InlineTable(InlineTable::new()))
            } else {
                let mut table = Table::new();
                table.set_implicit(n + 1 < path.len());
                Item::Table(table)
            };
            table.insert(key, made);
        }
        item = table.get_mut(key).ok_or_else(|| no_table(&path[..=n]))?;
    }
    item.as_table_like_mut().ok_or_else(|| no_table(path))
}

fn no_table(path: &[&str]) -> Refusal {
    let path = path.join(".");
    Refusal::refused(format!("{path} 不是表"), format!("{path} is no table"))
}

fn remove(document: &mut DocumentMut, path: &[&str]) -> Result<(), Refusal> {
    let gone = || {
        let path = path.join(".");
        Refusal::refused(format!("没有 {path}"), format!("there is no {path}"))
    };
    let (last, parents) = path.split_last().ok_or_else(gone)?;
    let mut item = document.as_item_mut();
    for key in parents {
        item = item.as_table_like_mut().and_then(|table| table.get_mut(key)).ok_or_else(gone)?;
    }
    item.as_table_like_mut().and_then(|table| table.remove(last)).map(drop).ok_or_else(gone)
}

/// Sets or takes out an option; what stood beside it (a comment, spaces) stays.
fn set(table: &mut dyn TableLike, key: &str, value: Option<Value>) {
    let Some(mut value) = value else {
        table.remove(key);
        return;
    };
    match table.get_mut(key) {
        Some(Item::Value(old)) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        Some(old) => *old = Item::Value(value),
        None => drop(table.insert(key, Item::Value(value))),
    }
}

fn set_json(table: &mut dyn TableLike, key: &str, written: &Json) -> Result<(), Refusal> {
    let written = if written.is_null() { None } else { Some(value(written)?) };
    set(table, key, written);
    Ok(())
}

fn value(json: &Json) -> Result<Value, Refusal> {
    Ok(match json {
        Json::Null => {
            return Err(Refusal::refused(
                "数组和内联表中不能有 null",
                "null has no place within arrays and tables",
            ));
        }
        Json::Bool(on) => (*on).into(),
        Json::Number(n) => match (n.as_i64(), n.as_f64()) {
            (Some(n), _) => n.into(),
            (None, Some(n)) => number(n),
            (None, None) => return Err(Refusal::refused("数值过大", "a number is too large")),
        },
        Json::String(text) => text.as_str().into(),
        Json::Array(items) => Value::Array(items.iter().map(value).collect::<Result<Array, _>>()?),
        Json::Object(entries) => {
            let mut table = InlineTable::new();
            for (key, entry) in entries {
                table.insert(key, value(entry)?);
            }
            Value::InlineTable(table)
        }
    })
}

/// A number as people write it: 5 rather than 5.0.
fn number(n: f64) -> Value {
    if n.fract() == 0.0 && n.abs() < 1e15 { Value::from(n as i64) } else { Value::from(n) }
}

/// Points with four digits: a tenth of a pixel of a 1000 pixels wide picture.
fn points(points: &[At]) -> Value {
    let rounded = |v: f64| Value::from((v * 10_000.0).round() / 10_000.0);
    let point = |at: &At| Value::Array(at.iter().map(|v| rounded(*v)).collect());
    Value::Array(points.iter().map(point).collect())
}

#[cfg(test)]
mod tests;
