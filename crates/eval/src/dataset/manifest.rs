//! The manifest of a dataset: what it is, where its labels lie, and above all what is labelled and what is not.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use parapet_core::{CameraId, IncidentKind, Label, ZoneId};
use serde::Deserialize;

use crate::scenario::Split;

use super::{
    DatasetError,
    classes::{ClassMap, ClassTable, Meaning},
    problem::{Fault, Problem, Problems},
};

/// A dataset, as its TOML file describes it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetManifest {
    /// Its id: a-z, 0-9, `_` and `-`.
    pub name: String,
    /// Its title in English.
    pub title: String,
    /// Its title in Chinese.
    pub title_zh: Option<String>,
    /// Where its pictures come from; each origin is reported apart.
    pub kind: Origin,
    /// Under which licence.
    pub licence: String,
    /// From where, exactly enough to find it again.
    pub source: String,
    /// The directory that all other paths are relative to.
    #[serde(default)]
    pub root: PathBuf,
    /// What `root` is relative to.
    #[serde(default)]
    pub root_of: RootOf,
    /// What is labelled: what is not is never scored.
    #[serde(default)]
    pub labelled: LabelledConfig,
    /// A built-in table of class ids. The readers of `VisDrone`, UAVDT and MOT use theirs by default.
    pub class_table: Option<ClassTable>,
    /// Classes by the ids (or names) of the label files, over the table. Files that name their classes (COCO, VOC) need
    /// none.
    #[serde(default)]
    pub classes: BTreeMap<String, Label>,
    /// Ids whose objects are neither to be found nor held against who finds them, with the class that they resemble.
    #[serde(default)]
    pub ignored_classes: BTreeMap<String, Label>,
    /// Ids of regions in which nothing is labelled: what is found mostly inside one is left out.
    #[serde(default)]
    pub region_classes: Vec<String>,
    /// Ids that are not read.
    #[serde(default)]
    pub unused_classes: Vec<String>,
    /// Findings of these classes count as findings of that one: where the labels make fewer differences than a model
    /// (every vehicle is a car).
    #[serde(default)]
    pub found_as: BTreeMap<Label, Label>,
    /// Pictures, pairs of pictures or a folder of sequences.
    pub truth: Option<TruthConfig>,
    /// Sequences one by one, by their names.
    #[serde(default)]
    pub sequences: BTreeMap<String, SequenceConfig>,
    /// A list of incidents of the sequences.
    pub events: Option<EventsConfig>,
    /// How long the thing may stand before the alarm is due, by kind, for incidents that do not say it themselves.
    #[serde(default)]
    pub limits_seconds: BTreeMap<IncidentKind, f64>,
}

/// Where pictures come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Cameras.
    Real,
    /// Cut-outs of real pictures over real backgrounds.
    Composite,
    /// Drawn by a program.
    Rendered,
}

/// What the root directory is relative to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RootOf {
    /// The data directory that the command line names.
    #[default]
    Data,
    /// The directory of the manifest.
    Manifest,
}

/// What is labelled.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelledConfig {
    /// Classes that are labelled; what is found of others is never scored. Missing: every class of the class map (of the
    /// label file, if that names its classes).
    pub classes: Option<Vec<Label>>,
    /// Whether every object of these classes is labelled. If not, what is found beside the labelled ones is no false
    /// alarm: only what was missed can be scored.
    #[serde(default = "yes")]
    pub every_instance: bool,
    /// Kinds of incidents that are labelled, all of them: one that the list does not have is a false alarm. With a kind
    /// here and no incident of it, the sequence is a negative for that kind.
    #[serde(default)]
    pub incidents: Vec<IncidentKind>,
}

impl Default for LabelledConfig {
    fn default() -> Self {
        Self { classes: None, every_instance: true, incidents: Vec::new() }
    }
}

/// Where labels lie: one table of these.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TruthConfig {
    /// COCO instances: `file`, `images`.
    Coco(CocoConfig),
    /// YOLO text: a label file for each picture.
    Yolo(FolderConfig),
    /// Pascal VOC XML: a label file for each picture.
    Voc(VocConfig),
    /// `VisDrone` text for pictures: a label file for each.
    Visdrone(FolderConfig),
    /// `VisDrone` text for sequences.
    VisdroneSequences(TrackFolderConfig),
    /// UAVDT text.
    Uavdt(TrackFolderConfig),
    /// MOT Challenge: a folder for each sequence, with `seqinfo.ini` and `gt/gt.txt`.
    Mot(MotConfig),
    /// Pairs of pictures before and after, with a mask of what changed.
    Masks(MasksConfig),
    /// What `parapet scenario make` wrote.
    Scenarios(ScenariosConfig),
}

/// COCO instances.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CocoConfig {
    /// The JSON file.
    pub file: PathBuf,
    /// The directory that `file_name` is relative to.
    pub images: PathBuf,
}

/// A picture folder and a folder with a label file for each picture.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderConfig {
    /// Directory of the pictures (JPEG, PNG).
    pub images: PathBuf,
    /// Directory of the label files, `NAME.txt` for the picture `NAME.jpg`.
    pub labels: PathBuf,
    /// Whether a picture without label file has nothing in it (else that is an error).
    #[serde(default)]
    pub missing_is_empty: bool,
    /// Names of pictures, without extension, that are left out on purpose.
    #[serde(default)]
    pub without: Vec<String>,
}

/// Pascal VOC.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VocConfig {
    /// Directory of the pictures (JPEG, PNG).
    pub images: PathBuf,
    /// Directory of the label files, `NAME.xml` for the picture `NAME.jpg`.
    pub labels: PathBuf,
    /// Whether the first pixel is 1 and the last one of a box belongs to it, as in the VOC sets themselves. Most
    /// labelling programs write plain edges from 0 instead.
    #[serde(default = "yes")]
    pub pixels_from_one: bool,
    /// Whether a picture without label file has nothing in it (else that is an error).
    #[serde(default)]
    pub missing_is_empty: bool,
    /// Names of pictures, without extension, that are left out on purpose.
    #[serde(default)]
    pub without: Vec<String>,
}

/// A folder of frames for each sequence and a folder of label files.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrackFolderConfig {
    /// Directory with a directory of frames for each sequence.
    pub sequences: PathBuf,
    /// Directory of the label files.
    pub labels: PathBuf,
    /// Frames a second.
    pub frames_per_second: f64,
}

/// MOT Challenge.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MotConfig {
    /// Directory with a directory for each sequence.
    pub sequences: PathBuf,
}

/// Pairs with masks. A pair has the same file name in all three directories.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MasksConfig {
    /// Directory of the pictures before.
    pub before: PathBuf,
    /// Directory of the pictures after.
    pub after: PathBuf,
    /// Directory of the masks: not black is changed.
    pub masks: PathBuf,
    /// Names of pairs, without extension, that are left out on purpose.
    #[serde(default)]
    pub without: Vec<String>,
}

/// Scenarios.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenariosConfig {
    /// Directory with `NAME.mp4` and `NAME.truth.json` for each scenario.
    pub folder: PathBuf,
    /// Directory of the specifications, relative to the manifest: what a truth says of the pipeline that watches it is
    /// relative to it. Without it, nothing watches the scenarios.
    pub specs: Option<PathBuf>,
    /// Only this half of the scenarios.
    pub split: Option<Split>,
}

/// One sequence.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SequenceConfig {
    /// Its pictures.
    pub frames: FramesConfig,
    /// Label file of its boxes.
    pub boxes: Option<BoxesConfig>,
    /// The pipeline that is judged on it, relative to the manifest.
    pub pipeline: Option<PathBuf>,
    /// The camera of the pipeline.
    pub camera: Option<CameraId>,
    /// Where in the video the sequence begins.
    #[serde(default)]
    pub start_seconds: f64,
    /// How long it is; missing: until the video ends.
    pub length_seconds: Option<f64>,
    /// What is labelled in it; missing: as in the whole dataset.
    pub labelled: Option<LabelledConfig>,
    /// Its incidents, beside those of the event list; times are those of the video.
    #[serde(default)]
    pub incidents: Vec<IncidentConfig>,
}

/// Where the pictures of a sequence are: one of these.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FramesConfig {
    /// A video file.
    Video(PathBuf),
    /// A directory of pictures in the order of their names.
    Images(FrameFolderConfig),
}

/// A directory of pictures.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrameFolderConfig {
    /// The directory.
    pub folder: PathBuf,
    /// Frames a second.
    pub frames_per_second: f64,
}

/// The label file of a sequence: one of these.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BoxesConfig {
    /// A list of boxes with a header.
    Csv(BoxesCsvConfig),
    /// MOT Challenge's `gt.txt`.
    Mot(PathBuf),
    /// A scenario's truth; it brings its incidents.
    Scenario(PathBuf),
}

/// A list of boxes with a header.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoxesCsvConfig {
    /// The file.
    pub file: PathBuf,
    /// Whether all boxes are of one thing, so that they make a track without a track column.
    #[serde(default)]
    pub one_thing: bool,
    /// Whether frames without a line are labelled too, as empty. Missing: only the frames that the list names are scored.
    #[serde(default)]
    pub every_frame: bool,
}

/// A list of incidents.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventsConfig {
    /// The file, with the header `sequence, kind, start_seconds` and, if they are known, `end_seconds, limit_seconds,
    /// zone, x_min, y_min, x_max, y_max, note`; separated by tabs or commas.
    pub file: PathBuf,
}

/// An incident.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IncidentConfig {
    /// Its kind.
    pub kind: IncidentKind,
    /// Since when the thing stands there.
    pub since_seconds: f64,
    /// When it was gone; missing: it is still there at the end.
    pub until_seconds: Option<f64>,
    /// How long it may stand; missing: as in `limits_seconds`.
    pub limit_seconds: Option<f64>,
    /// The zone.
    pub zone: Option<ZoneId>,
    /// Where: `[x_min, y_min, x_max, y_max]` in pixels.
    #[serde(rename = "box")]
    pub rect: Option<[f64; 4]>,
}

fn yes() -> bool {
    true
}

impl DatasetManifest {
    /// The directory that the dataset lies in, for a manifest at `path`.
    pub fn directory(&self, path: &Path, data_dir: &Path) -> PathBuf {
        let base = match self.root_of {
            RootOf::Data => data_dir,
            RootOf::Manifest => path.parent().unwrap_or(Path::new("")),
        };
        base.join(&self.root)
    }

    /// Reads a manifest and checks it as a whole.
    ///
    /// # Errors
    /// It cannot be read, is no TOML, has an option that does not exist or a value of the wrong type (the first of these
    /// is told), or its parts do not fit together (all such mistakes are told).
    pub fn load(path: &Path) -> Result<(Self, Vec<u8>), DatasetError> {
        let bytes =
            std::fs::read(path).map_err(|source| DatasetError::Read { path: path.to_owned(), source })?;
        let text = String::from_utf8_lossy(&bytes);
        let manifest = Self::parse(&text, path)?;
        Ok((manifest, bytes))
    }

    /// [`DatasetManifest::load`] of a text.
    ///
    /// # Errors
    /// As there.
    pub fn parse(text: &str, path: &Path) -> Result<Self, DatasetError> {
        let manifest: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| line_at(text, span.start));
            DatasetError::Manifest {
                problems: vec![Problem {
                    file: path.to_owned(),
                    line,
                    what: error.message().replace('\n', " "),
                    hint: "the options are those of `DatasetManifest`".into(),
                }],
            }
        })?;
        let mut problems = Problems::default();
        manifest.check(&mut |place, fault| problems.add(path, line_of(text, place), fault));
        let problems = problems.finish();
        if problems.is_empty() { Ok(manifest) } else { Err(DatasetError::Manifest { problems }) }
    }

    /// What the ids of its label files mean.
    pub fn class_map(&self) -> ClassMap {
        let by_reader = match &self.truth {
            Some(TruthConfig::Visdrone(_) | TruthConfig::VisdroneSequences(_)) => Some(ClassTable::Visdrone),
            Some(TruthConfig::Uavdt(_)) => Some(ClassTable::Uavdt),
            Some(TruthConfig::Mot(_)) => Some(ClassTable::Mot),
            _ => None,
        };
        let own = self
            .classes
            .iter()
            .map(|(id, label)| (id.clone(), Meaning::Class(label.clone())))
            .chain(self.ignored_classes.iter().map(|(id, l)| (id.clone(), Meaning::Ignored(l.clone()))))
            .chain(self.region_classes.iter().map(|id| (id.clone(), Meaning::Region)))
            .chain(self.unused_classes.iter().map(|id| (id.clone(), Meaning::Unused)));
        let map = ClassMap::new(self.class_table.or(by_reader), own);
        let names_its_classes = matches!(
            self.truth,
            Some(TruthConfig::Coco(_) | TruthConfig::Voc(_) | TruthConfig::Scenarios(_))
        );
        if names_its_classes { map.or_by_name() } else { map }
    }

    fn check(&self, problem: &mut dyn FnMut(&[&str], Fault)) {
        let name_is_good = !self.name.is_empty()
            && self.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b));
        if !name_is_good {
            problem(&["name"], Fault::new("the name is not an id", "use a-z, 0-9, \"_\" and \"-\""));
        }
        if self.truth.is_none() && self.sequences.is_empty() {
            problem(
                &[],
                Fault::new("it has neither labels nor sequences", "add a [truth.…] or a [sequences.…] table"),
            );
        }
        let map = self.class_map();
        let mut check_classes = |place: &[&str], labelled: &LabelledConfig| {
            for label in labelled.classes.iter().flatten() {
                if !map.is_by_name() && !map.labels().contains(label) {
                    let what = format!("\"{label}\" is labelled, but no id means it");
                    problem(place, Fault::new(what, "add it to [classes] or name a class_table"));
                }
            }
        };
        check_classes(&["labelled", "classes"], &self.labelled);
        for (name, sequence) in &self.sequences {
            if let Some(labelled) = &sequence.labelled {
                check_classes(&["sequences", name, "labelled", "classes"], labelled);
            }
        }
        if let Some(id) = self.ignored_classes.keys().find(|id| self.classes.contains_key(*id)) {
            let what = format!("\"{id}\" is a class and ignored");
            problem(&["ignored_classes", id], Fault::new(what, "take it out of one of the two"));
        }
        for (kind, limit) in &self.limits_seconds {
            if !(limit.is_finite() && *limit >= 0.0) {
                let place = ["limits_seconds", kind.as_str()];
                problem(&place, Fault::new("the limit is no time", "give seconds, 0 or more"));
            }
        }
        let mut check_rate = |place: &[&str], rate: f64| {
            if !(rate.is_finite() && rate > 0.0) {
                problem(place, Fault::new("no frames a second", "give a number above 0"));
            }
        };
        match &self.truth {
            Some(TruthConfig::VisdroneSequences(c)) => {
                check_rate(&["truth", "visdrone_sequences", "frames_per_second"], c.frames_per_second);
            }
            Some(TruthConfig::Uavdt(c)) => {
                check_rate(&["truth", "uavdt", "frames_per_second"], c.frames_per_second);
            }
            _ => {}
        }
        for (name, sequence) in &self.sequences {
            if let FramesConfig::Images(folder) = &sequence.frames {
                check_rate(&["sequences", name, "frames"], folder.frames_per_second);
            }
        }
        for (name, sequence) in &self.sequences {
            self.check_sequence(name, sequence, problem);
        }
    }

    fn check_sequence(&self, name: &str, sequence: &SequenceConfig, problem: &mut dyn FnMut(&[&str], Fault)) {
        let place = |option| ["sequences", name, option];
        if sequence.pipeline.is_some() != sequence.camera.is_some() {
            problem(
                &place("pipeline"),
                Fault::new("pipeline and camera belong together", "give both or neither"),
            );
        }
        let labelled = sequence.labelled.as_ref().unwrap_or(&self.labelled);
        if !(sequence.start_seconds >= 0.0 && sequence.start_seconds.is_finite()) {
            problem(&place("start_seconds"), Fault::new("the start is no time", "give seconds, 0 or more"));
        }
        if sequence.length_seconds.is_some_and(|length| !(length > 0.0 && length.is_finite())) {
            problem(&place("length_seconds"), Fault::new("the length is no time", "give seconds above 0"));
        }
        for incident in &sequence.incidents {
            if let Err(fault) = incident.check() {
                problem(&place("incidents"), fault);
            }
            if !labelled.incidents.contains(&incident.kind) {
                let what = format!("an incident of a kind that is not labelled: {}", incident.kind.as_str());
                problem(&place("incidents"), Fault::new(what, "add the kind to labelled.incidents"));
            }
            if incident.limit_seconds.is_none() && !self.limits_seconds.contains_key(&incident.kind) {
                let what = format!("no limit for an incident of kind {}", incident.kind.as_str());
                problem(
                    &place("incidents"),
                    Fault::new(what, "give limit_seconds, or the kind in [limits_seconds]"),
                );
            }
        }
    }
}

impl IncidentConfig {
    pub(crate) fn check(&self) -> Result<(), Fault> {
        let time = |name: &str, value: f64| {
            if value.is_finite() && value >= 0.0 {
                Ok(())
            } else {
                Err(Fault::new(format!("{name} {value} is no time"), "give seconds, 0 or more"))
            }
        };
        time("start", self.since_seconds)?;
        if let Some(until) = self.until_seconds {
            time("end", until)?;
            if until < self.since_seconds {
                return Err(Fault::new(
                    format!("it ends at {until} before it begins at {}", self.since_seconds),
                    "exchange the times",
                ));
            }
        }
        if let Some(limit) = self.limit_seconds {
            time("limit", limit)?;
        }
        if let Some(b @ [x0, y0, x1, y1]) = self.rect
            && !(b.iter().all(|v| v.is_finite()) && x0 < x1 && y0 < y1)
        {
            return Err(Fault::new(
                format!("{b:?} is no box"),
                "give x_min, y_min, x_max, y_max in pixels, in this order",
            ));
        }
        Ok(())
    }
}

/// Line, from 1, of a byte of a text.
fn line_at(text: &str, byte: usize) -> usize {
    text.get(..byte).unwrap_or(text).matches('\n').count() + 1
}

/// Line of the deepest key of `place` that the text has.
fn line_of(text: &str, place: &[&str]) -> Option<usize> {
    let root = toml::de::DeTable::parse(text).ok()?;
    let mut table = root.get_ref();
    let mut line = None;
    for name in place {
        let Some((key, value)) = table.iter().find(|(key, _)| key.get_ref() == name) else { break };
        line = Some(line_at(text, key.span().start));
        let Some(inner) = value.get_ref().as_table() else { break };
        table = inner;
    }
    line
}
