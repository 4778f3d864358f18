//! Reads a pipeline file and names every mistake in it at once, each with its place and a hint.
//!
//! Reading goes on after a mistake: the wrong entry is noted, taken out of the tree, and the rest is read again. What
//! follows from a mistake that was noted (a table that lost a required key) is not noted again. References between
//! tables are checked on the tree as written, so that a mistake elsewhere in a camera does not hide them.

mod dome;
mod patrol;

use std::{
    collections::{BTreeMap, HashSet},
    fs, io,
    path::{Path, PathBuf},
};

use parapet_analytics::RuleConfig;
use parapet_core::{BBox, Label, Membership, Polygon, Zone, ZoneId, ZonePurpose};
use parapet_infer::Manifest;
use serde::Deserialize;
use serde_json::Value;
use toml::de::DeValue;

use super::{
    CameraConfig, Pipeline, ViewOptions,
    problem::{Problem, nearest, render_all},
    reference::{resolved, schema},
    tree::{self, Fault, Node, ReadError, Reader, Step},
};

/// Why a pipeline file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file could not be read.
    #[error("cannot read the pipeline file \"{}\"; hint: check the path and who may read it", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file has mistakes.
    #[error("{rendered}")]
    Invalid {
        /// All of them, in the order of the file.
        problems: Vec<Problem>,
        /// How they are shown.
        rendered: String,
    },
}

/// Reads and checks a pipeline file.
///
/// # Errors
/// See [`LoadError`].
pub fn load(path: &Path) -> Result<Pipeline, LoadError> {
    let text =
        fs::read_to_string(path).map_err(|source| LoadError::Read { path: path.to_owned(), source })?;
    check(&text, path).map_err(|problems| {
        let rendered = render_all(&problems, &text, path);
        LoadError::Invalid { problems, rendered }
    })
}

/// Checks the text of the pipeline file at `path` (which says what relative paths in it mean).
///
/// # Errors
/// Every mistake, in the order of the file.
pub fn check(text: &str, path: &Path) -> Result<Pipeline, Vec<Problem>> {
    let (tree, syntax) = tree::parse(text);
    let mut checker = Checker {
        text,
        tree: &tree,
        schema: schema(),
        problems: Vec::new(),
        forgiven: HashSet::new(),
        stand_ins: HashSet::new(),
    };
    for error in &syntax {
        let span = error.span().unwrap_or(0..0);
        let hint = match error.message() {
            "duplicate key" => "each name stands once in a table: rename or remove one".to_owned(),
            _ => "this is no valid TOML: look at the line above, too".to_owned(),
        };
        checker.problems.push(Problem::new(text, span, String::new(), error.message(), hint));
    }
    let base = path.parent().unwrap_or(Path::new(""));
    let pipeline = checker.read(!syntax.is_empty()).map(|mut pipeline| {
        pipeline.resolve(base);
        pipeline
    });
    checker.check_references();
    if let Some(pipeline) = &pipeline {
        checker.check_values(pipeline);
    }
    let mut problems = checker.problems;
    problems.sort_by_key(|p| (p.span.start, p.span.end));
    problems.dedup();
    match pipeline {
        Some(pipeline) if problems.is_empty() => Ok(pipeline),
        _ => Err(problems),
    }
}

/// For stand-ins of zones whose purpose cannot be read.
const EVERY_PURPOSE: [ZonePurpose; 9] = [
    ZonePurpose::Bay,
    ZonePurpose::Forbidden,
    ZonePurpose::Roadway,
    ZonePurpose::Sidewalk,
    ZonePurpose::FireLane,
    ZonePurpose::Roof,
    ZonePurpose::Area,
    ZonePurpose::Ignore,
    ZonePurpose::Private,
];

struct Checker<'t, 'i> {
    text: &'i str,
    tree: &'t Node<'i>,
    schema: Value,
    problems: Vec<Problem>,
    /// Entries that were taken out, or were meant by a name that was misspelt: what they lack is not their own mistake.
    forgiven: HashSet<Vec<Step>>,
    /// Required entries that have no value of their own.
    stand_ins: HashSet<Vec<Step>>,
}

fn keys(path: &[&str]) -> Vec<Step> {
    path.iter().map(|key| Step::Key((*key).to_owned())).collect()
}

fn below(at: &[Step], steps: &[&str]) -> Vec<Step> {
    let mut path = at.to_vec();
    path.extend(keys(steps));
    path
}

impl Checker<'_, '_> {
    /// Reads the tree; `None` when nothing whole is left.
    fn read(&mut self, lenient: bool) -> Option<Pipeline> {
        let mut tree = self.tree.clone();
        loop {
            let error = match Pipeline::deserialize(Reader(&tree)) {
                Ok(pipeline) => return Some(pipeline),
                Err(error) => error,
            };
            let ReadError { fault, mut path, at_key } = error;
            if self.stand_ins.contains(&path) {
                // The stand-in does not fit: the table that needs it goes, as a mistake that was told.
                path.pop();
                self.forgiven.insert(path.clone());
                if !tree::remove(&mut tree, &path) {
                    return None;
                }
                continue;
            }
            match fault {
                Fault::Missing(field) => {
                    for field in self.missing_in(&tree, &path, field) {
                        let mut full = path.clone();
                        full.push(Step::Key(field.clone()));
                        if self.forgiven.insert(full.clone()) && !lenient {
                            let hint = self.describe(&full).map(|what| format!("add {field} = …: {what}"));
                            self.note(&path, true, format!("\"{field}\" is missing"), hint);
                        }
                    }
                    // With something in its place, the rest of the table can still be checked.
                    let mut full = path.clone();
                    full.push(Step::Key(field.to_owned()));
                    if tree::stand_in(&mut tree, &path, field) {
                        self.stand_ins.insert(full);
                        continue;
                    }
                }
                Fault::Unknown { written, expected } => {
                    let meant = nearest(&written, expected.iter().copied());
                    let hint = match meant {
                        Some(meant) => format!("did you mean \"{meant}\"?"),
                        None => format!("one of: {}", expected.join(", ")),
                    };
                    let what = if at_key { "unknown key" } else { "unknown value" };
                    self.note(&path, at_key, format!("{what} \"{written}\""), Some(hint));
                    if let (true, Some(meant), [parent @ .., _]) = (at_key, meant, &path[..]) {
                        let mut meant_path = parent.to_vec();
                        meant_path.push(Step::Key(meant.to_owned()));
                        self.forgiven.insert(meant_path);
                        // An alternative that was misspelt leaves an empty choice behind.
                        self.forgiven.insert(parent.to_vec());
                    }
                }
                Fault::NotOne { found, expected } => {
                    let emptied =
                        self.forgiven.iter().any(|done| done.len() > path.len() && done.starts_with(&path));
                    if !(found.is_empty() && (emptied || self.forgiven.contains(&path))) {
                        let message = match found.as_slice() {
                            [] => "nothing is chosen".to_owned(),
                            found => format!("several are chosen: {}", found.join(", ")),
                        };
                        self.note(
                            &path,
                            true,
                            message,
                            Some(format!("give exactly one of: {}", expected.join(", "))),
                        );
                    }
                }
                Fault::Other(message) => {
                    let (message, hint) = match message.split_once("; hint: ") {
                        Some((message, hint)) => (message.to_owned(), Some(hint.to_owned())),
                        None => (message, self.describe(&path)),
                    };
                    self.note(&path, at_key, message, hint);
                }
            }
            self.forgiven.insert(path.clone());
            if !tree::remove(&mut tree, &path) {
                return None;
            }
        }
    }

    /// The required keys that the table at `path` lacks: `field`, and others that only the schema knows of yet.
    fn missing_in(&self, tree: &Node<'_>, path: &[Step], field: &str) -> Vec<String> {
        let mut missing = vec![field.to_owned()];
        let Some((_, node)) = tree::at(tree, path) else { return missing };
        let present = |key: &str| match node.get_ref() {
            DeValue::Table(table) => table.contains_key(key),
            _ => false,
        };
        if let Some(schema) = self.schema_at(path) {
            for key in resolved(&self.schema, schema)["required"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
            {
                if key != field && !present(key) {
                    missing.push(key.to_owned());
                }
            }
        }
        missing
    }

    fn schema_at(&self, path: &[Step]) -> Option<&Value> {
        let root = &self.schema;
        let mut node = root;
        for step in path {
            let inner = resolved(root, node);
            node = match step {
                Step::Index(_) => inner.get("items")?,
                Step::Key(key) => inner["properties"]
                    .get(key)
                    .or_else(|| {
                        let choices = inner["oneOf"].as_array()?;
                        choices.iter().find_map(|choice| choice["properties"].get(key))
                    })
                    .or_else(|| inner.get("additionalProperties").filter(|v| v.is_object()))?,
            };
        }
        Some(node)
    }

    /// What the option at `path` is, in one sentence.
    fn describe(&self, path: &[Step]) -> Option<String> {
        let node = self.schema_at(path)?;
        let text =
            node["description"].as_str().or_else(|| resolved(&self.schema, node)["description"].as_str())?;
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let sentence = text.split_inclusive(". ").next().unwrap_or(&text).trim_end().trim_end_matches('.');
        let mut chars = sentence.chars();
        let first = chars.next()?;
        // "JPEG quality" begins with a name.
        let is_name = chars.clone().next().is_some_and(char::is_uppercase);
        Some(if is_name { sentence.to_owned() } else { first.to_lowercase().chain(chars).collect() })
    }

    fn note(&mut self, path: &[Step], at_key: bool, message: String, hint: Option<String>) {
        let (key, node) = tree::at(self.tree, path).unwrap_or((0..0, self.tree));
        let span = match () {
            () if path.is_empty() => 0..0,
            () if at_key => key,
            () => node.span(),
        };
        self.problems.push(Problem::new(self.text, span, tree::joined(path), message, hint));
    }

    fn note_at(&mut self, path: &[&str], message: impl Into<String>, hint: impl Into<String>) {
        self.note_field(&keys(path), "", message.into(), Some(hint.into()));
    }

    /// Mistakes that a component tells as "what; hint: what to do".
    fn note_texts(&mut self, path: &[Step], texts: Vec<String>) {
        for text in texts {
            let (message, hint) =
                text.split_once("; hint: ").unwrap_or((&text, "see pipelines/reference.md"));
            // Components name their option first.
            let first = message.split_whitespace().next().unwrap_or_default();
            let mut full = path.to_vec();
            full.push(Step::Key(first.to_owned()));
            let field = if tree::at(self.tree, &full).is_some() { first } else { "" };
            self.note_field(path, field, message.to_owned(), Some(hint.to_owned()));
        }
    }

    /// A mistake in the option `field` (dotted) below `path`; where it is not written, at the table that lacks it.
    fn note_field(&mut self, path: &[Step], field: &str, message: String, hint: Option<String>) {
        let mut full = path.to_vec();
        full.extend(field.split('.').filter(|key| !key.is_empty()).map(|key| Step::Key(key.to_owned())));
        if self.stand_ins.contains(&full) {
            return;
        }
        let mut shown = &full[..];
        while tree::at(self.tree, shown).is_none() && !shown.is_empty() {
            shown = &shown[..shown.len() - 1];
        }
        let is_table = matches!(tree::at(self.tree, shown), Some((_, node)) if node.get_ref().is_table());
        let (key, node) = tree::at(self.tree, shown).unwrap_or((0..0, self.tree));
        let span = if shown.is_empty() {
            0..0
        } else if is_table {
            key
        } else {
            node.span()
        };
        self.problems.push(Problem::new(self.text, span, tree::joined(&full), message, hint));
    }

    /// Names that one table uses and another gives.
    fn check_references(&mut self) {
        let tree = self.tree;
        let table = |path: &[Step]| match tree::at(tree, path) {
            Some((_, node)) => node.get_ref().as_table(),
            None => None,
        };
        let names = |path: &[Step]| -> Vec<String> {
            table(path).into_iter().flatten().map(|(key, _)| key.get_ref().to_string()).collect()
        };
        let models = names(&keys(&["models"]));
        for camera in names(&keys(&["cameras"])) {
            let at_model = keys(&["cameras", &camera, "model"]);
            match tree::at(tree, &at_model).map(|(_, node)| node.get_ref().as_str().map(str::to_owned)) {
                Some(Some(model)) if !models.contains(&model) => {
                    let hint = choice(&model, &models, "add a table [models.NAME]");
                    self.note(&at_model, false, format!("there is no model \"{model}\""), Some(hint));
                }
                None if models.len() != 1 => {
                    let message =
                        if models.is_empty() { "there is no model" } else { "the model is not named" };
                    let hint = if models.is_empty() {
                        "add a table [models.NAME] with manifest = \"models/…\"".to_owned()
                    } else {
                        format!("add model = …, one of: {}", models.join(", "))
                    };
                    self.note(&at_model[..2], true, message.to_owned(), Some(hint));
                }
                _ => {}
            }
        }
    }

    /// What only the read values show: ranges, combinations, files.
    fn check_values(&mut self, pipeline: &Pipeline) {
        self.check_node(pipeline);
        let mut manifests: BTreeMap<&str, Manifest> = BTreeMap::new();
        for (name, model) in &pipeline.models {
            match Manifest::load(&model.manifest) {
                Ok(manifest) => {
                    self.note_texts(&keys(&["models", name, "engine"]), model.engine.problems(&manifest));
                    manifests.insert(name, manifest);
                }
                Err(error) => {
                    let text = error.to_string();
                    // Several mistakes have a line each, with a hint of its own.
                    let (message, hint) = text
                        .split_once("; hint: ")
                        .filter(|_| !text.contains('\n'))
                        .unwrap_or((&text, "see models/README.md for the format of manifests"));
                    self.note_at(&["models", name, "manifest"], message, hint);
                }
            }
        }
        for (id, camera) in &pipeline.cameras {
            let at_camera = keys(&["cameras", id.as_str()]);
            let known = pipeline.model_of(camera).and_then(|(name, _)| manifests.get(name));
            self.check_camera(&at_camera, camera, known);
        }
    }

    fn check_node(&mut self, pipeline: &Pipeline) {
        let http = &pipeline.node.http;
        if http.token_file.is_none() && !http.listen.ip().is_loopback() {
            self.note_at(
                &["node", "http", "listen"],
                format!("{} can be reached from other machines without a token", http.listen),
                "add token_file = \"…\", or listen on 127.0.0.1",
            );
        }
        if let Some(file) = &http.token_file {
            match fs::read_to_string(file) {
                Ok(text) if text.lines().next().unwrap_or_default().trim().is_empty() => self.note_at(
                    &["node", "http", "token_file"],
                    "the file is empty",
                    "its first line is the token",
                ),
                Ok(_) => {}
                Err(error) => self.note_at(
                    &["node", "http", "token_file"],
                    format!("cannot read {}: {error}", file.display()),
                    "write a token into this file",
                ),
            }
        }
        let evidence = &pipeline.node.evidence;
        for (key, value) in [
            ("pre_roll_seconds", evidence.pre_roll_seconds),
            ("post_roll_seconds", evidence.post_roll_seconds),
            ("before_seconds", evidence.before_seconds),
        ] {
            if !(0.0..=3600.0).contains(&value) {
                self.note_at(
                    &["node", "evidence", key],
                    format!("{value} is out of range"),
                    "0 to 3600 seconds",
                );
            }
        }
        if !(1..=100).contains(&evidence.jpeg_quality) {
            self.note_at(
                &["node", "evidence", "jpeg_quality"],
                format!("{} is out of range", evidence.jpeg_quality),
                "1 to 100; 88 is a good choice",
            );
        }
        if evidence.max_age_days == 0 || evidence.max_megabytes == 0 {
            let key = if evidence.max_age_days == 0 { "max_age_days" } else { "max_megabytes" };
            self.note_at(
                &["node", "evidence", key],
                "nothing would be kept",
                "set enabled = false to keep nothing",
            );
        }
        if pipeline.node.patrol.at_once == Some(0) || pipeline.node.patrol.share.as_f32() <= 0.0 {
            let key = if pipeline.node.patrol.at_once == Some(0) { "at_once" } else { "share" };
            self.note_at(
                &["node", "patrol", key],
                "no camera would ever be looked at",
                "leave it out for what suits the machine",
            );
        }
        if let Some(share) = &pipeline.node.share {
            self.note_texts(&keys(&["node", "share"]), share.problems());
        }
        let errors = match pipeline.bus.choice() {
            Ok(parapet_bus::BusChoice::Broker(broker)) => broker.problems(),
            Ok(parapet_bus::BusChoice::Embedded(_)) => Vec::new(),
            Err(error) => vec![error],
        };
        for error in errors {
            let text = error.to_string();
            let (message, hint) =
                text.split_once("; hint: ").unwrap_or((&text, "see pipelines/reference.md"));
            let at: &[&str] = if pipeline.bus.broker.is_some() { &["bus", "broker"] } else { &["bus"] };
            self.note_at(at, message, hint);
        }
    }

    fn check_camera(&mut self, at: &[Step], camera: &CameraConfig, manifest: Option<&Manifest>) {
        let below = |steps: &[&str]| {
            let mut path = at.to_vec();
            path.extend(keys(steps));
            path
        };
        if camera.source.keyframes_when_enough && camera.gate.is_none() && !camera.lines.is_empty() {
            let message = "a line needs every frame, and nothing says when the view is quiet".to_owned();
            let hint = "add the table `gate` to the camera".to_owned();
            self.note_field(&below(&["source"]), "keyframes_when_enough", message, Some(hint));
        }
        for problem in camera.source.check() {
            if problem.field.is_empty()
                && self.forgiven.iter().any(|path| path.starts_with(&below(&["source"])))
            {
                // The source that was meant has mistakes of its own.
                continue;
            }
            self.note_field(&below(&["source"]), &problem.field, problem.problem, Some(problem.hint));
        }
        let files = [
            ("source.file.path", camera.source.file.as_ref().map(|file| &file.path)),
            (
                "source.images.directory",
                camera.source.images.as_ref().and_then(|images| images.directory.as_ref()),
            ),
            (
                "source.rtsp.password_file",
                camera.source.rtsp.as_ref().and_then(|rtsp| rtsp.password_file.as_ref()),
            ),
            (
                "source.rtmp.password_file",
                camera.source.rtmp.as_ref().and_then(|rtmp| rtmp.password_file.as_ref()),
            ),
            (
                "source.srt.passphrase_file",
                camera.source.srt.as_ref().and_then(|srt| srt.passphrase_file.as_ref()),
            ),
        ];
        for (field, file) in files {
            self.check_files(at, field, file);
        }
        if let Some(manifest) = manifest {
            self.note_texts(&below(&["detector"]), camera.detector.problems(manifest));
        }
        if let Some(recording) = &camera.recording {
            self.note_texts(&below(&["recording"]), recording.problems());
        }
        self.check_dome(at, camera);
        self.check_patrol(at, camera);
        for (preset, view) in camera.views() {
            let at_view = preset.map_or_else(|| at.to_vec(), |preset| below(&["presets", preset.as_str()]));
            self.check_view(&at_view, view, manifest);
            // A preset may wait for one that is approved.
            if preset.is_none() && view.change.baseline.is_some() && view.baseline_pictures.is_empty() {
                let message = "there is no picture to compare with".to_owned();
                let hint =
                    "add baseline_pictures = [\"…\"] to the camera itself, beside its source".to_owned();
                self.note_field(at, "change.baseline", message, Some(hint));
            }
        }
    }

    /// Files that must be there.
    fn check_files<'a>(&mut self, at: &[Step], field: &str, files: impl IntoIterator<Item = &'a PathBuf>) {
        for file in files.into_iter().filter(|file| !file.exists()) {
            let message = format!("there is no {}", file.display());
            let hint = "paths are relative to the directory of the pipeline file".to_owned();
            self.note_field(at, field, message, Some(hint));
        }
    }

    /// One view: a fixed camera's, or that of a preset, which stands at `at`.
    fn check_view(&mut self, at: &[Step], view: ViewOptions<'_>, manifest: Option<&Manifest>) {
        let below = |steps: &[&str]| {
            let mut path = at.to_vec();
            path.extend(keys(steps));
            path
        };
        self.check_files(at, "baseline_pictures", view.baseline_pictures);
        if view.change.baseline.is_none() && !view.baseline_pictures.is_empty() {
            let message = "nothing compares with them".to_owned();
            let hint = "add a table [cameras.….change.baseline]".to_owned();
            self.note_field(at, "baseline_pictures", message, Some(hint));
        }
        let zones = self.zones_of(at, view);
        for (id, rule) in view.rules {
            self.check_rule(&below(&["rules", id.as_str(), rule.kind().as_str()]), view, rule, &zones);
        }
        if let Some(manifest) = manifest {
            let classes = manifest.classes();
            for (id, zone) in view.zones {
                self.check_labels(
                    &below(&["zones", id.as_str()]),
                    "labels",
                    zone.labels.iter().flatten(),
                    classes,
                );
            }
        }
    }

    fn check_rule(&mut self, at: &[Step], view: ViewOptions<'_>, rule: &RuleConfig, zones: &[Zone]) {
        for problem in rule.problems(zones) {
            let mut path = at.to_vec();
            path.push(Step::Key(problem.option.to_owned()));
            let (step, hint) = self.named_in(&path, &problem.message, zones).unwrap_or((None, problem.hint));
            path.extend(step);
            let at_key = matches!(path.last(), Some(Step::Key(key)) if key != problem.option);
            match tree::at(self.tree, &path) {
                Some(_) => self.note(&path, at_key, problem.message, Some(hint)),
                None => self.note_field(at, problem.option, problem.message, Some(hint)),
            }
        }
        let json = serde_json::to_value(rule).expect("a rule is JSON");
        if json[rule.kind().as_str()]["limit_seconds"] == 0.0 {
            self.note_field(
                at,
                "limit_seconds",
                "with a limit of 0 everything that passes is an incident".to_owned(),
                Some("how long it may stay, in seconds: 60 for a minute".to_owned()),
            );
        }
        if rule.needs_background() && view.change.background.is_none() {
            self.note_field(
                at,
                "objects",
                "objects are found by a background model, and the camera has none".to_owned(),
                Some("add a table [cameras.….change.background], or set objects = false".to_owned()),
            );
        }
        if rule.needs_baseline() && view.change.baseline.is_none() {
            self.note_field(
                at,
                "",
                "roofs are compared with an approved picture, and the camera has none".to_owned(),
                Some("add a table [cameras.….change.baseline] and baseline_pictures = [\"…\"]".to_owned()),
            );
        }
    }

    /// Where below `path` the name stands that a message quotes, and which zone may have been meant.
    fn named_in(&self, path: &[Step], message: &str, zones: &[Zone]) -> Option<(Option<Step>, String)> {
        let (_, node) = tree::at(self.tree, path)?;
        let quoted = |name: &str| message.contains(&format!("\"{name}\""));
        let (name, step) = match node.get_ref() {
            DeValue::Array(array) => array.iter().enumerate().find_map(|(index, item)| {
                let name = item.get_ref().as_str().filter(|name| quoted(name))?;
                Some((name.to_owned(), Step::Index(index)))
            })?,
            DeValue::Table(table) => {
                let name = table.keys().map(|key| key.get_ref().to_string()).find(|name| quoted(name))?;
                (name.clone(), Step::Key(name))
            }
            _ => return None,
        };
        // One that is there and may not be named: the message says why, and another is to be chosen.
        if zones.iter().any(|zone| zone.id.as_str() == name) {
            return Some((Some(step), "draw another zone for the rule, or leave this one out".to_owned()));
        }
        let mut names: Vec<String> = zones.iter().map(|zone| zone.id.to_string()).collect();
        names.dedup();
        Some((Some(step), choice(&name, &names, "draw it: a table [cameras.….zones.NAME]")))
    }

    /// The view's zones, with stand-ins of every purpose for those that have mistakes of their own, so that rules
    /// that name them are not blamed.
    fn zones_of(&self, at: &[Step], view: ViewOptions<'_>) -> Vec<Zone> {
        let mut zones = view.all_zones();
        let mut path = at.to_vec();
        path.push(Step::Key("zones".to_owned()));
        let written = tree::at(self.tree, &path).and_then(|(_, node)| node.get_ref().as_table());
        for (key, _) in written.into_iter().flatten() {
            let Ok(id) = key.get_ref().parse::<ZoneId>() else { continue };
            if view.zones.contains_key(&id) {
                continue;
            }
            for purpose in EVERY_PURPOSE {
                let whole = BBox::new(0.0, 0.0, 1.0, 1.0).expect("edges in order");
                zones.push(Zone {
                    id: id.clone(),
                    purpose,
                    polygon: Polygon::from_bbox(whole).expect("the frame is a polygon"),
                    membership: Membership::FootPoint,
                    labels: None,
                });
            }
        }
        zones
    }

    fn check_labels<'a>(
        &mut self,
        at: &[Step],
        field: &str,
        labels: impl Iterator<Item = &'a Label>,
        classes: &[Label],
    ) {
        for label in labels.filter(|label| !classes.contains(label)) {
            let known: Vec<String> = classes.iter().map(ToString::to_string).collect();
            let hint = match nearest(label.as_str(), known.iter().map(String::as_str)) {
                Some(meant) => format!("did you mean \"{meant}\"?"),
                None => "its manifest lists the classes that the model knows".to_owned(),
            };
            self.note_field(at, field, format!("the model knows no class \"{label}\""), Some(hint));
        }
    }
}

/// A hint towards the name that was meant, or the names that exist, or how to make one.
fn choice(written: &str, names: &[String], otherwise: &str) -> String {
    match nearest(written, names.iter().map(String::as_str)) {
        Some(meant) => format!("did you mean \"{meant}\"?"),
        None if names.is_empty() => otherwise.to_owned(),
        None => format!("one of: {}", names.join(", ")),
    }
}
