//! From findings to the results of a report: every subject on every dataset, and their comparisons.

use std::collections::BTreeMap;

use super::{
    Findings, Found, Listener, Loaded, Options, Plan, exhibit, problem,
    score::{self, Part},
    sequence::SequenceFindings,
};
use crate::{
    dataset::{Dataset, SequenceTruth},
    metric::{
        Counts,
        change::ObjectCounts,
        detection::{Confusion as ConfusionMatrix, DetectionMatches, LabelledImage},
        incident::{IncidentMatches, IncidentOptions, IncidentSequence},
        interval::Bootstrap,
    },
    report::{
        Comparison, Confusion, Figure, MissPoint, PrecisionRecall, Report, ReportProblem, ScoredPoint,
        SetResult,
    },
    truth::FoundBox,
};

/// Points of a precision–recall curve that the report keeps.
const CURVE_POINTS: usize = 120;

pub(super) fn score_all(
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
