//! One evaluation: what each subject finds in each dataset, scored and compared. Findings come from the engine and the
//! pipeline that run live, and are kept by the hash of all that they hang on.

mod cache;
mod change;
mod exhibit;
mod images;
mod look;
mod machine;
mod plan;
mod recorded;
mod result;
mod score;
mod sequence;
mod subject;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

pub use cache::Cache;
pub use machine::provenance_libraries;
use parapet_core::IncidentKind;
pub use plan::{Plan, PlanError, SubjectConfig};
pub use recorded::{RecordedError, read_findings, write_findings};
pub use sequence::{Cost, SequenceFindings};
use serde::{Deserialize, Serialize};
pub use subject::Subject;

use self::{look::look, result::score_all};
use crate::{
    dataset::{Dataset, DatasetError, MediaHashes},
    metric::{Counts, change::ObjectCounts, interval::Bootstrap},
    report::{DatasetFacts, Provenance, Report, ReportProblem, Subject as ReportSubject, VERSION},
    truth::{FoundBox, TruthIncident},
};

/// How an evaluation is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The directory that datasets are below.
    pub data: PathBuf,
    /// A pipeline for all sequences, in place of theirs.
    pub pipeline: Option<PathBuf>,
    /// Where findings are kept.
    pub cache: Cache,
    /// How intervals are made.
    pub bootstrap: Bootstrap,
    /// The command line, for the report.
    pub command: String,
    /// When it happens, RFC 3339, for the report.
    pub now: String,
}

/// Who is told how far an evaluation is.
pub trait Listener: Sync {
    /// A stretch of work of so many steps begins.
    fn begins(&self, what: &str, steps: u64);
    /// So many steps of it are done.
    fn advanced(&self, steps: u64);
}

/// What a subject found in a dataset, by the names of its pictures, pairs and sequences.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Found {
    /// Boxes in pictures.
    pub images: BTreeMap<String, Vec<FoundBox>>,
    /// What a comparison of two pictures came to.
    pub pairs: BTreeMap<String, (Counts, ObjectCounts)>,
    /// Tracks and incidents in sequences.
    pub sequences: BTreeMap<String, SequenceFindings>,
}

impl Found {
    fn is_empty(&self) -> bool {
        self.images.is_empty() && self.pairs.is_empty() && self.sequences.is_empty()
    }
}

/// A subject and what it found, dataset by dataset: of this run, or of an earlier one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Findings {
    /// The subject.
    pub subject: ReportSubject,
    /// By the name of the dataset.
    pub of_sets: BTreeMap<String, Found>,
}

/// A dataset with the hashes of its pictures and videos.
struct Loaded {
    dataset: Dataset,
    hashes: BTreeMap<PathBuf, String>,
}

/// Runs a plan.
///
/// What cannot be read or run is named in [`Report::problems`]; everything else is scored.
/// `earlier` are findings of earlier runs, which are scored and compared beside those of this one. Gives the report and
/// all findings of this run.
pub fn evaluate(
    plan: &Plan,
    earlier: Vec<Findings>,
    options: &Options,
    listener: &dyn Listener,
) -> (Report, Vec<Findings>) {
    let mut problems = Vec::new();
    let datasets = load(plan, options, &mut problems, listener);
    let mut found: Vec<Findings> = Vec::new();
    for config in &plan.subjects {
        found.extend(look(config, &datasets, options, &mut problems, listener));
    }
    let own = found.len();
    found.extend(earlier);
    let mut report = Report {
        version: VERSION,
        finished_at: options.now.clone(),
        provenance: Provenance {
            parapet: env!("CARGO_PKG_VERSION").to_owned(),
            libraries: provenance_libraries(),
            machine: machine::description(),
            resamples: options.bootstrap.resamples as u32,
            seed: options.bootstrap.seed,
            command: options.command.clone(),
        },
        subjects: found.iter().map(|findings| findings.subject.clone()).collect(),
        datasets: datasets.iter().map(facts).collect(),
        results: Vec::new(),
        comparisons: Vec::new(),
        problems: Vec::new(),
    };
    score_all(plan, options, &datasets, &found, &mut report, &mut problems, listener);
    report.problems = problems;
    found.truncate(own);
    (report, found)
}

fn problem(place: impl Into<String>, error: &dyn std::error::Error) -> ReportProblem {
    let mut what = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        what.push_str(": ");
        what.push_str(&cause.to_string());
        source = cause.source();
    }
    let (what, hint) = what
        .split_once("; hint: ")
        .map_or((what.clone(), String::new()), |(what, hint)| (what.to_owned(), hint.to_owned()));
    ReportProblem { place: place.into(), what, hint }
}

fn load(
    plan: &Plan,
    options: &Options,
    problems: &mut Vec<ReportProblem>,
    listener: &dyn Listener,
) -> Vec<Loaded> {
    listener.begins("datasets", plan.datasets.len() as u64);
    let mut media = MediaHashes::default();
    let mut loaded = Vec::new();
    for manifest in &plan.datasets {
        match Dataset::load(manifest, &options.data) {
            Ok((dataset, found)) => {
                problems.extend(found.into_iter().map(ReportProblem::from));
                let mut hashes = BTreeMap::new();
                for path in dataset.media() {
                    match media.of(path) {
                        Ok(hash) => {
                            hashes.insert(path.to_owned(), hash);
                        }
                        Err(error) => problems.push(problem(path.display().to_string(), &error)),
                    }
                }
                loaded.push(Loaded { dataset, hashes });
            }
            Err(DatasetError::Manifest { problems: found }) => {
                problems.extend(found.into_iter().map(ReportProblem::from));
            }
            Err(error) => problems.push(problem(manifest.display().to_string(), &error)),
        }
        listener.advanced(1);
    }
    loaded
}

fn report_subject(config: &SubjectConfig, subject: Option<&Subject>) -> ReportSubject {
    ReportSubject {
        name: config.name.clone(),
        settings: config.settings(),
        weights_sha256: subject.and_then(|subject| subject.weights_sha256.clone()),
    }
}

fn facts(loaded: &Loaded) -> DatasetFacts {
    let Dataset { manifest, labelled, images, pairs, sequences, label_hash, .. } = &loaded.dataset;
    let classes = labelled.classes.iter().map(ToString::to_string);
    let kinds: BTreeSet<IncidentKind> =
        sequences.iter().flat_map(|s| s.labelled.incidents.iter().copied()).collect();
    DatasetFacts {
        name: manifest.name.clone(),
        title: manifest.title.clone(),
        title_zh: manifest.title_zh.clone().unwrap_or_else(|| manifest.title.clone()),
        origin: manifest.kind,
        licence: manifest.licence.clone(),
        labelled: classes.chain(kinds.into_iter().map(|k| k.as_str().to_owned())).collect(),
        images: images.len() + pairs.len(),
        sequences: sequences.len(),
        sha256: machine::hash_of(std::iter::once(label_hash).chain(loaded.hashes.values())),
    }
}

/// A violation's end within its sequence.
fn end_of(truth: &TruthIncident, seconds: f64) -> f64 {
    truth.until.unwrap_or(seconds).min(seconds)
}
