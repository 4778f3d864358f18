//! One evaluation: what each subject finds in each dataset, scored and compared. Findings come from the engine and the
//! pipeline that run live, and are kept by the hash of all that they hang on.

mod cache;
mod change;
mod exhibit;
mod images;
mod machine;
mod plan;
mod recorded;
mod score;
mod sequence;
mod subject;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    time::Duration,
};

pub use cache::Cache;
pub use machine::provenance_libraries;
use parapet_change::BaselineConfig;
use parapet_core::{CameraId, IncidentKind};
use parapet_edge::{Pipeline, choose_camera, config};
pub use plan::{Plan, PlanError, SubjectConfig};
pub use recorded::{RecordedError, read_findings, write_findings};
pub use sequence::{Cost, SequenceFindings};
use serde::{Deserialize, Serialize};
pub use subject::Subject;

use self::{images::Eyes, score::Part};
use crate::{
    dataset::{Dataset, DatasetError, MediaHashes, SequenceTruth},
    metric::{
        Counts,
        change::ObjectCounts,
        detection::{Confusion as ConfusionMatrix, DetectionMatches, LabelledImage},
        incident::{IncidentMatches, IncidentOptions, IncidentSequence},
        interval::Bootstrap,
    },
    report::{
        Comparison, Confusion, DatasetFacts, Figure, MissPoint, PrecisionRecall, Provenance, Report,
        ReportProblem, ScoredPoint, SetResult, Subject as ReportSubject, VERSION,
    },
    truth::{FoundBox, TruthIncident},
};

/// Points of a precision–recall curve that the report keeps.
const CURVE_POINTS: usize = 120;

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
#[derive(Debug, Clone, PartialEq)]
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
                problems.extend(found.iter().map(|p| ReportProblem {
                    place: p.place(),
                    what: p.what.clone(),
                    hint: p.hint.clone(),
                }));
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
                problems.extend(found.iter().map(|p| ReportProblem {
                    place: p.place(),
                    what: p.what.clone(),
                    hint: p.hint.clone(),
                }));
            }
            Err(error) => problems.push(problem(manifest.display().to_string(), &error)),
        }
        listener.advanced(1);
    }
    loaded
}

/// What a subject finds in all datasets that it is measured on; nothing if it cannot be run here.
fn look(
    config: &SubjectConfig,
    datasets: &[Loaded],
    options: &Options,
    problems: &mut Vec<ReportProblem>,
    listener: &dyn Listener,
) -> Option<Findings> {
    let wanted: Vec<&Loaded> =
        datasets.iter().filter(|loaded| config.wants(&loaded.dataset.manifest.name)).collect();
    let mut of_sets = BTreeMap::new();
    let mut keep = |loaded: &Loaded, found: Found| {
        if !found.is_empty() {
            of_sets.insert(loaded.dataset.manifest.name.clone(), found);
        }
    };
    if let Some(how) = &config.change {
        for loaded in wanted {
            let pairs = compare_pairs(how, loaded, problems, listener);
            keep(loaded, Found { pairs, ..Found::default() });
        }
        return Some(Findings { subject: report_subject(config, None), of_sets });
    }
    let place = format!("subject \"{}\"", config.name);
    let subject = match Subject::load(config.clone()) {
        Ok(subject) => subject,
        Err(error) => {
            problems.push(problem(place, &error));
            return None;
        }
    };
    let eyes = match Eyes::start(&subject) {
        Ok(eyes) => eyes,
        Err(error) => {
            if config.optional {
                tracing::warn!(subject = config.name, %error, "left out: this machine cannot run it");
            } else {
                problems.push(problem(place, &error));
            }
            return None;
        }
    };
    for loaded in wanted {
        let images = look_at_images(&subject, &eyes, loaded, options, problems, listener);
        let sequences = look_at_sequences(&subject, loaded, options, problems, listener);
        keep(loaded, Found { images, sequences, ..Found::default() });
    }
    Some(Findings { subject: report_subject(config, Some(&subject)), of_sets })
}

fn compare_pairs(
    how: &BaselineConfig,
    loaded: &Loaded,
    problems: &mut Vec<ReportProblem>,
    listener: &dyn Listener,
) -> BTreeMap<String, (Counts, ObjectCounts)> {
    let pairs = &loaded.dataset.pairs;
    if !pairs.is_empty() {
        listener.begins(&loaded.dataset.manifest.name, pairs.len() as u64);
    }
    let mut counted = BTreeMap::new();
    for pair in pairs {
        match change::compare(pair, how) {
            Ok(counts) => {
                counted.insert(pair.name.clone(), counts);
            }
            Err(error) => problems.push(problem(pair.name.clone(), &error)),
        }
        listener.advanced(1);
    }
    counted
}

fn look_at_images(
    subject: &Subject,
    eyes: &Eyes,
    loaded: &Loaded,
    options: &Options,
    problems: &mut Vec<ReportProblem>,
    listener: &dyn Listener,
) -> BTreeMap<String, Vec<FoundBox>> {
    let dataset = &loaded.dataset;
    if dataset.images.is_empty() {
        return BTreeMap::new();
    }
    listener
        .begins(&format!("{} · {}", subject.config.name, dataset.manifest.name), dataset.images.len() as u64);
    let hash = |path: &Path| loaded.hashes.get(path).map_or("", String::as_str);
    let pictures: Vec<(&Path, &str)> =
        dataset.images.iter().map(|image| (image.path.as_path(), hash(&image.path))).collect();
    match eyes.look(subject, &pictures, &options.cache, &|| listener.advanced(1)) {
        Ok(found) => {
            let mut of_images = BTreeMap::new();
            for (found, image) in found.into_iter().zip(&dataset.images) {
                match found {
                    Ok(found) => {
                        of_images.insert(image.name.clone(), found);
                    }
                    Err(error) => problems.push(problem(image.path.display().to_string(), &error)),
                }
            }
            of_images
        }
        Err(error) => {
            problems.push(problem(format!("subject \"{}\"", subject.config.name), &error));
            BTreeMap::new()
        }
    }
}

fn look_at_sequences(
    subject: &Subject,
    loaded: &Loaded,
    options: &Options,
    problems: &mut Vec<ReportProblem>,
    listener: &dyn Listener,
) -> BTreeMap<String, SequenceFindings> {
    let mut found = BTreeMap::new();
    if !subject.config.watch {
        return found;
    }
    for truth in &loaded.dataset.sequences {
        if !truth.boxes.is_scored() && !truth.events.is_scored() {
            continue;
        }
        let name = format!("{} · {}/{}", subject.config.name, loaded.dataset.manifest.name, truth.name);
        listener.begins(&name, 1000);
        let mut told = 0;
        let mut progress = |analysed: Duration, length: Option<Duration>| {
            let Some(length) = length.filter(|l| !l.is_zero()) else { return };
            let now = (1000.0 * analysed.as_secs_f64() / length.as_secs_f64()).min(1000.0) as u64;
            listener.advanced(now - told);
            told = now;
        };
        match watch(subject, truth, loaded, options, &mut progress) {
            Ok(findings) => {
                let short = truth.length.is_some_and(|length| findings.seconds < 0.9 * length - 1.0);
                if short {
                    problems.push(ReportProblem {
                        place: name.clone(),
                        what: format!(
                            "the video ends after {:.1} s of {:.1} s: it is cut off; it is not scored",
                            findings.seconds,
                            truth.length.unwrap_or_default()
                        ),
                        hint: "fetch the video anew, or mend the length in the manifest".into(),
                    });
                } else {
                    found.insert(truth.name.clone(), findings);
                }
            }
            Err(error) => problems.push(problem(name, error.as_ref())),
        }
        listener.advanced(1000 - told);
    }
    found
}

type AnyError = Box<dyn std::error::Error + Send + Sync>;

fn watch(
    subject: &Subject,
    truth: &SequenceTruth,
    loaded: &Loaded,
    options: &Options,
    progress: &mut dyn FnMut(Duration, Option<Duration>),
) -> Result<SequenceFindings, AnyError> {
    let (mut pipeline, camera, text) = pipeline_of(subject, truth, options)?;
    subject.put_into(&mut pipeline);
    let recording = sequence::recording_of(&truth.source, truth.frames_per_second)
        .ok_or("the sequence has no pictures; hint: mend its manifest")?;
    let media = match &truth.source {
        crate::dataset::SequenceSource::Video(path) => loaded.hashes.get(path).cloned().unwrap_or_default(),
        crate::dataset::SequenceSource::Images(paths) => {
            paths.iter().filter_map(|path| loaded.hashes.get(path).cloned()).collect::<Vec<_>>().join(" ")
        }
    };
    let key = options.cache.key(&["sequence", &subject.identity, &media, &text, camera.as_str()]);
    if let Some(kept) = options.cache.get(&key) {
        return Ok(kept);
    }
    let findings = sequence::watch(&pipeline, &camera, &recording, progress)?;
    options.cache.put(&key, &findings)?;
    Ok(findings)
}

/// The pipeline that watches a sequence, its camera, and all that its findings hang on.
fn pipeline_of(
    subject: &Subject,
    truth: &SequenceTruth,
    options: &Options,
) -> Result<(Pipeline, CameraId, String), AnyError> {
    let (file, camera) = match (&options.pipeline, &truth.pipeline) {
        (Some(file), of_sequence) => (file, of_sequence.as_ref().map(|(_, camera)| camera.clone())),
        (None, Some((file, camera))) => (file, Some(camera.clone())),
        (None, None) => return Ok((subject.bare_pipeline(), "view".parse()?, String::new())),
    };
    let pipeline = config::load(file)?;
    let camera = match camera {
        Some(camera) if pipeline.cameras.contains_key(&camera) => camera,
        _ => choose_camera(&pipeline, None)?,
    };
    let mut text = std::fs::read_to_string(file)?;
    for picture in &pipeline.cameras[&camera].baseline_pictures {
        text.push_str(&MediaHashes::default().of(picture).unwrap_or_default());
    }
    Ok((pipeline, camera, text))
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

fn score_all(
    plan: &Plan,
    options: &Options,
    datasets: &[Loaded],
    found: &[Findings],
    report: &mut Report,
    problems: &mut Vec<ReportProblem>,
    listener: &dyn Listener,
) {
    listener.begins("scores", (found.len() * datasets.len()) as u64);
    let named = |name: &str| datasets.iter().position(|loaded| loaded.dataset.manifest.name == name);
    let threshold_set = plan.threshold_dataset.as_deref().and_then(named);
    let mut parts: Vec<(usize, usize, Vec<Part>)> = Vec::new();
    for (subject, findings) in found.iter().enumerate() {
        let of = |set: usize| findings.of_sets.get(&datasets[set].dataset.manifest.name);
        let threshold = threshold_set.and_then(|set| {
            let scored = Scored::of(&datasets[set].dataset, of(set)?);
            scored.matches()?.curve(None, 0.5).best_f1().map(|point| point.threshold)
        });
        for (set, loaded) in datasets.iter().enumerate() {
            listener.advanced(1);
            let Some(of_set) = of(set) else { continue };
            let scored = Scored::of(&loaded.dataset, of_set);
            let chosen_elsewhere = threshold.filter(|_| threshold_set != Some(set));
            let (of_parts, result) = scored.result((subject, set), chosen_elsewhere, options, problems);
            parts.push((subject, set, of_parts));
            report.results.push(result);
        }
    }
    report.comparisons = comparisons(&parts);
}

/// Every subject's figures against those of the first subject that was measured on the same dataset.
fn comparisons(parts: &[(usize, usize, Vec<Part>)]) -> Vec<Comparison> {
    let headline = |name: &str| {
        [
            "detection.ap",
            "tracking.hota",
            "tracking.idf1",
            "incident.f1",
            "incident.recall",
            "incident.precision",
            "change.",
        ]
        .iter()
        .any(|start| name.starts_with(start))
    };
    let mut comparisons = Vec::new();
    for (subject, set, own) in parts {
        let Some((first, _, others)) = parts.iter().find(|(_, of, _)| of == set) else { continue };
        if first == subject {
            continue;
        }
        let pairs = own.iter().flat_map(|a| others.iter().map(move |b| (a, b)));
        for (a, b) in pairs.filter(|(a, b)| a.units == b.units) {
            for (index, name) in a.names.iter().enumerate().filter(|(_, name)| headline(name)) {
                let Some(of_first) = b.names.iter().position(|other| other == name) else { continue };
                let Some(difference) = a.samples.difference(index, &b.samples, of_first) else { continue };
                let interval = difference.interval;
                comparisons.push(Comparison {
                    subject: *subject,
                    dataset: *set,
                    figure: name.clone(),
                    difference: Figure {
                        value: Some(interval.estimate),
                        low: Some(interval.low),
                        high: Some(interval.high),
                    },
                    p_value: Some(difference.p_value),
                });
            }
        }
    }
    comparisons
}

/// A dataset with what was found in it, ready to be scored.
struct Scored<'a> {
    dataset: &'a Dataset,
    /// Index of the picture, and the findings that can be scored.
    images: Vec<(usize, Vec<FoundBox>)>,
    pairs: Vec<(&'a str, (Counts, ObjectCounts))>,
    sequences: Vec<(&'a SequenceTruth, &'a SequenceFindings)>,
}

impl<'a> Scored<'a> {
    fn of(dataset: &'a Dataset, found: &'a Found) -> Self {
        let images = dataset.images.iter().enumerate().filter_map(|(index, image)| {
            let found = found.images.get(&image.name)?;
            Some((index, score::scored_findings(found, &dataset.manifest, &dataset.labelled, &image.regions)))
        });
        let pairs =
            dataset.pairs.iter().filter_map(|pair| Some((&*pair.name, *found.pairs.get(&pair.name)?)));
        let sequences =
            dataset.sequences.iter().filter_map(|truth| Some((truth, found.sequences.get(&truth.name)?)));
        Self { dataset, images: images.collect(), pairs: pairs.collect(), sequences: sequences.collect() }
    }

    fn labelled_images(&self) -> impl Iterator<Item = LabelledImage<'_>> {
        self.images.iter().map(|(index, found)| LabelledImage {
            truth: &self.dataset.images[*index].boxes,
            found,
            classes: &self.dataset.labelled.classes,
        })
    }

    fn matches(&self) -> Option<DetectionMatches> {
        (!self.images.is_empty()).then(|| DetectionMatches::new(self.labelled_images()))
    }

    fn result(
        &self,
        (subject, set): (usize, usize),
        threshold: Option<f64>,
        options: &Options,
        problems: &mut Vec<ReportProblem>,
    ) -> (Vec<Part>, SetResult) {
        let bootstrap = &options.bootstrap;
        let mut parts = Vec::new();
        let mut result = SetResult {
            subject,
            dataset: set,
            figures: BTreeMap::new(),
            curves: Vec::new(),
            confusion: None,
            miss_curve: Vec::new(),
            timelines: Vec::new(),
            worst: Vec::new(),
        };
        if let Some(matches) = self.matches() {
            let units =
                self.images.iter().map(|(index, _)| self.dataset.images[*index].name.clone()).collect();
            parts.push(Part::of_images(bootstrap, units, &matches, &self.dataset.labelled, threshold));
            result.curves = curves(&matches);
            let score = threshold
                .or_else(|| matches.curve(None, 0.5).best_f1().map(|point| point.threshold))
                .unwrap_or(0.5);
            result.confusion =
                Some(confusion(&ConfusionMatrix::new(self.labelled_images(), 0.5, score), score));
            let images =
                self.images.iter().map(|(index, found)| (&self.dataset.images[*index], found.as_slice()));
            result.worst = exhibit::of_images(images, score, self.dataset.labelled.every_instance);
        }
        let (mut tracked, mut tracks) = (Vec::new(), Vec::new());
        for (truth, findings) in &self.sequences {
            match score::tracking(&self.dataset.manifest, truth, findings) {
                Ok(Some(figures)) => {
                    tracked.push(truth.name.clone());
                    tracks.push(figures);
                }
                Ok(None) => {}
                Err(error) => problems.push(problem(truth.name.clone(), &error)),
            }
        }
        if !tracks.is_empty() {
            parts.push(Part::of_tracks(bootstrap, tracked, &tracks));
        }
        if !self.pairs.is_empty() {
            let (units, pairs): (Vec<String>, Vec<_>) =
                self.pairs.iter().map(|(name, counts)| ((*name).to_owned(), *counts)).unzip();
            parts.push(Part::of_change(bootstrap, units, &pairs));
        }
        self.incidents(bootstrap, &mut parts, &mut result);
        if !self.sequences.is_empty() {
            let units = self.sequences.iter().map(|(truth, _)| truth.name.clone()).collect();
            let costs: Vec<_> = self.sequences.iter().map(|(_, f)| (f.seconds, &f.cost)).collect();
            parts.push(Part::of_costs(bootstrap, units, &costs));
        }
        result.figures = score::figures(&parts);
        (parts, result)
    }

    fn incidents(&self, bootstrap: &Bootstrap, parts: &mut Vec<Part>, result: &mut SetResult) {
        let scored: Vec<_> = self.sequences.iter().filter(|(truth, _)| truth.events.is_scored()).collect();
        if scored.is_empty() {
            return;
        }
        let sequences: Vec<IncidentSequence<'_>> = scored
            .iter()
            .map(|(truth, findings)| IncidentSequence {
                truth: &truth.incidents,
                found: &findings.incidents,
                kinds: &truth.labelled.incidents,
                watched: findings.seconds,
            })
            .collect();
        let matching = IncidentOptions::default();
        let matches = IncidentMatches::new(sequences.iter().copied(), &matching);
        let units = scored.iter().map(|(truth, _)| truth.name.clone()).collect();
        parts.push(Part::of_incidents(bootstrap, units, &matches));
        result.miss_curve = IncidentMatches::curve(&sequences, None, &matching)
            .into_iter()
            .filter_map(|point| {
                Some(MissPoint {
                    score: point.threshold,
                    miss_rate: point.miss_rate?,
                    false_alarms_per_camera_day: point.false_alarms_per_camera_day?,
                })
            })
            .collect();
        for ((truth, findings), fates) in scored.iter().zip(&matches.sequences) {
            result.timelines.push(exhibit::timeline(truth, findings, fates));
            result.worst.extend(exhibit::of_incidents(truth, findings, fates));
        }
    }
}

fn curves(matches: &DetectionMatches) -> Vec<PrecisionRecall> {
    let of_class = |label: &parapet_core::Label| {
        let curve = matches.curve(Some(label), 0.5);
        if curve.wanted == 0 {
            return None;
        }
        let every = curve.points.len().div_ceil(CURVE_POINTS).max(1);
        let last = curve.points.len().saturating_sub(1);
        let kept = curve.points.iter().enumerate().filter(|(i, _)| i % every == 0 || *i == last);
        let points = kept.filter_map(|(_, point)| {
            let (precision, recall) = (point.counts.precision()?, point.counts.recall()?);
            Some(ScoredPoint { score: point.threshold, precision, recall })
        });
        Some(PrecisionRecall {
            label: label.to_string(),
            points: points.collect(),
            best_f1_score: curve.best_f1().map(|point| point.threshold),
        })
    };
    matches.labels().iter().filter_map(of_class).collect()
}

/// Only classes that occur: 80 rows of zeros tell nobody anything.
fn confusion(matrix: &ConfusionMatrix, score: f64) -> Confusion {
    let n = matrix.labels.len() + 1;
    let occurs = |i: usize| (0..n).any(|j| matrix.counts[i * n + j] > 0 || matrix.counts[j * n + i] > 0);
    let kept: Vec<usize> = (0..n).filter(|i| *i == n - 1 || occurs(*i)).collect();
    let row = |i: &usize| kept.iter().map(|j| matrix.counts[i * n + j]).collect();
    Confusion {
        labels: kept[..kept.len() - 1].iter().map(|i| matrix.labels[*i].to_string()).collect(),
        counts: kept.iter().map(row).collect(),
        score,
    }
}

/// A violation's end within its sequence.
fn end_of(truth: &TruthIncident, seconds: f64) -> f64 {
    truth.until.unwrap_or(seconds).min(seconds)
}
