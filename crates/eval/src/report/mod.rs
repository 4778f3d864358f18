//! What an evaluation came to, as data: written as JSON for programs and drawn as one page for people. Nothing here
//! computes a figure.

pub mod catalogue;
mod file;
pub mod markdown;
pub mod page;

pub use file::{FileError, read, write};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use crate::dataset::Origin;
use crate::dataset::Problem;

/// Version of the JSON; readers refuse another.
pub const VERSION: u32 = 1;

/// One evaluation: subjects (a model with its settings) on datasets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`VERSION`].
    pub version: u32,
    /// When it was finished, RFC 3339.
    pub finished_at: String,
    /// Where the figures come from.
    pub provenance: Provenance,
    /// What was measured, in the order of the plan; the first one is what the others are compared with.
    pub subjects: Vec<Subject>,
    /// On what.
    pub datasets: Vec<DatasetFacts>,
    /// Every subject on every dataset that it was measured on.
    pub results: Vec<SetResult>,
    /// Subjects against the first one, dataset by dataset.
    pub comparisons: Vec<Comparison>,
    /// What could not be read or scored.
    pub problems: Vec<ReportProblem>,
}

/// Versions, machine, settings of the scoring.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// Version of Parapet.
    pub parapet: String,
    /// Versions of what decodes and infers (`onnxruntime`, `gstreamer`).
    pub libraries: BTreeMap<String, String>,
    /// Processor, cores, operating system.
    pub machine: String,
    /// Resamples of the bootstrap.
    pub resamples: u32,
    /// Its seed.
    pub seed: u64,
    /// The command line.
    pub command: String,
}

/// A model with its settings, or the findings of another program.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    /// Its name in the report.
    pub name: String,
    /// Its settings, as a person would say them (`precision: int8`, `input: 416 × 416`).
    pub settings: BTreeMap<String, String>,
    /// sha256 of its weights; none for recorded findings.
    pub weights_sha256: Option<String>,
}

/// What a dataset is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DatasetFacts {
    /// Its id.
    pub name: String,
    /// For people.
    pub title: String,
    /// For people, in Chinese.
    pub title_zh: String,
    /// Where its pictures come from.
    pub origin: Origin,
    /// Licence.
    pub licence: String,
    /// What is labelled: classes and kinds of incidents. Everything else is never held against a subject.
    pub labelled: Vec<String>,
    /// Pictures.
    pub images: usize,
    /// Sequences.
    pub sequences: usize,
    /// sha256 over manifest, labels and pictures.
    pub sha256: String,
}

/// A figure and the interval in which it lies with 95 % confidence, by bootstrap over pictures or sequences.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// The figure; none where it is not defined (nothing to find).
    pub value: Option<f64>,
    /// Lower end.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
}

/// One subject on one dataset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetResult {
    /// Index into [`Report::subjects`].
    pub subject: usize,
    /// Index into [`Report::datasets`].
    pub dataset: usize,
    /// All figures by their dotted name (`detection.ap50`, `detection.ap50.dog`, `tracking.hota`, `incident.f1`,
    /// `incident.delay_p95_seconds`, `change.pixel_f1`, `speed.cpu_seconds_per_video_second`): what tables, gates and
    /// comparisons use. Shares are 0 to 1.
    pub figures: BTreeMap<String, Figure>,
    /// Precision against recall at `IoU` 0.5, class by class.
    pub curves: Vec<PrecisionRecall>,
    /// Truth class by found class; the last row and column are "nothing".
    pub confusion: Option<Confusion>,
    /// Misses against false alarms over the score threshold.
    pub miss_curve: Vec<MissPoint>,
    /// Truth against incidents, sequence by sequence.
    pub timelines: Vec<SequenceTimeline>,
    /// The worst misses and false alarms, as pictures.
    pub worst: Vec<Exhibit>,
}

/// Precision against recall of one class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PrecisionRecall {
    /// The class.
    pub label: String,
    /// Score, precision and recall, by falling score.
    pub points: Vec<ScoredPoint>,
    /// The score at which F1 is best.
    pub best_f1_score: Option<f64>,
}

/// What a threshold gives.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ScoredPoint {
    /// The threshold.
    pub score: f64,
    /// Precision.
    pub precision: f64,
    /// Recall.
    pub recall: f64,
}

/// Counts of truth by what was found there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Confusion {
    /// Classes; rows and columns in this order, and a last one for nothing.
    pub labels: Vec<String>,
    /// `counts[truth][found]`.
    pub counts: Vec<Vec<u64>>,
    /// Score threshold of the findings.
    pub score: f64,
}

/// What a score threshold does to incidents.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MissPoint {
    /// The threshold.
    pub score: f64,
    /// Share of the true incidents that are missed.
    pub miss_rate: f64,
    /// False alarms for each camera and day.
    pub false_alarms_per_camera_day: f64,
}

/// One sequence: truth against incidents. Times are seconds from its beginning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SequenceTimeline {
    /// Its name.
    pub name: String,
    /// Its length.
    pub seconds: f64,
    /// What was there.
    pub truth: Vec<Span>,
    /// What was raised.
    pub found: Vec<Span>,
    /// Small pictures, each with its time.
    pub thumbnails: Vec<Thumbnail>,
}

/// A stretch of time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Span {
    /// Kind of incident.
    pub kind: String,
    /// From.
    pub from: f64,
    /// To; the end of the sequence where it was still open.
    pub to: f64,
    /// When the alarm was due, for truth.
    pub due: Option<f64>,
    /// How it was judged.
    pub outcome: Outcome,
}

/// How a truth or a finding came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Truth and finding belong together.
    Matched,
    /// A truth that nobody found.
    Missed,
    /// A finding without a truth.
    False,
    /// A second finding for one truth.
    Duplicate,
}

/// A small picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Thumbnail {
    /// Its time.
    pub at: f64,
    /// JPEG, base64.
    pub jpeg: String,
}

/// A picture with what was there and what was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exhibit {
    /// Picture or sequence, and the time in it.
    pub name: String,
    /// What is wrong.
    pub outcome: Outcome,
    /// Class or kind that it is about.
    pub label: String,
    /// Score of the finding.
    pub score: Option<f64>,
    /// Pixels across the original picture.
    pub width: f64,
    /// Pixels down the original picture.
    pub height: f64,
    /// The picture, scaled down; JPEG, base64.
    pub jpeg: String,
    /// Boxes to draw over it, in pixels of the original.
    pub boxes: Vec<ExhibitBox>,
}

/// A box over an exhibit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExhibitBox {
    /// Left, top, width, height.
    pub rect: [f64; 4],
    /// Its words.
    pub text: String,
    /// Truth or finding.
    pub truth: bool,
    /// It is what the exhibit is about.
    pub subject: bool,
}

/// A figure of a subject against that of the first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Index into [`Report::subjects`].
    pub subject: usize,
    /// Index into [`Report::datasets`].
    pub dataset: usize,
    /// Its dotted name.
    pub figure: String,
    /// The difference to the first subject, with its interval (paired bootstrap).
    pub difference: Figure,
    /// Two-sided p-value of "no difference".
    pub p_value: Option<f64>,
}

/// Something that could not be read or scored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReportProblem {
    /// Dataset, and sequence or file in it, with its line.
    pub place: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub hint: String,
}

impl From<Problem> for ReportProblem {
    fn from(problem: Problem) -> Self {
        Self { place: problem.place(), what: problem.what, hint: problem.hint }
    }
}
