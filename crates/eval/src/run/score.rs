//! From findings to figures. Each part of a result (boxes, tracks, incidents, change, cost) is a function of how often
//! each of its units (pictures, sequences, pairs) is there: the bootstrap asks it for intervals, and the comparison of two
//! subjects for paired differences.

use std::collections::{BTreeMap, BTreeSet};

use parapet_core::{IncidentKind, Label};

use super::sequence::{Cost, SequenceFindings};
use crate::{
    dataset::{DatasetManifest, FrameTruth, Labelled, SequenceTruth},
    metric::{
        Counts,
        change::ObjectCounts,
        detection::{DetectionFigures, DetectionMatches},
        incident::{IncidentMatches, f1_with_recall_bias},
        interval::{Bootstrap, Samples},
        quantile,
        tracking::{Sequence, TrackedFrame, TrackingError, TrackingFigures},
    },
    truth::{FoundBox, Rect},
};

/// Recall bias of the i-LIDS figure. A choice of ours, below 1 because a monitoring room drowns in false alarms first: the
/// values that i-LIDS sets by scenario could not be looked up.
pub(super) const RECALL_BIAS: f64 = 0.75;

/// Share of a finding that lies in an unlabelled region from which it is not scored.
const IN_REGION: f64 = 0.5;
/// IoU from which a track has met a labelled object.
const MET: f64 = 0.5;

/// Figures of one part, by name, and how they come out on resampled units.
pub(super) struct Part {
    /// Names of the units: only parts over the same ones can be compared.
    pub(super) units: Vec<String>,
    pub(super) names: Vec<String>,
    pub(super) samples: Samples,
}

impl Part {
    fn new(
        bootstrap: &Bootstrap,
        units: Vec<String>,
        figures: impl Fn(&[u32]) -> Vec<(String, Option<f64>)>,
    ) -> Self {
        let names = figures(&vec![1; units.len()]).into_iter().map(|(name, _)| name).collect();
        let samples = bootstrap
            .samples(units.len(), |times| figures(times).into_iter().map(|(_, value)| value).collect());
        Self { units, names, samples }
    }

    pub(super) fn of_images(
        bootstrap: &Bootstrap,
        units: Vec<String>,
        matches: &DetectionMatches,
        labelled: &Labelled,
        threshold: Option<f64>,
    ) -> Self {
        let all = matches.figures();
        let there: BTreeSet<Label> =
            all.classes.into_iter().filter(|class| class.truths > 0).map(|class| class.label).collect();
        Self::new(bootstrap, units, |times| {
            let mut named = detection(&matches.figures_of(times), &there, labelled.every_instance);
            if let Some(threshold) = threshold {
                let counts = matches.counts_of(None, 0.5, threshold, times);
                named.push(("detection.recall".into(), counts.recall()));
                if labelled.every_instance {
                    named.push(("detection.precision".into(), counts.precision()));
                    named.push(("detection.f1".into(), counts.f1()));
                }
                named.push(("detection.threshold".into(), Some(threshold)));
            }
            named
        })
    }

    pub(super) fn of_tracks(
        bootstrap: &Bootstrap,
        units: Vec<String>,
        sequences: &[TrackingFigures],
    ) -> Self {
        Self::new(bootstrap, units, |times| {
            let chosen: Vec<&TrackingFigures> = sequences
                .iter()
                .zip(times)
                .flat_map(|(one, times)| std::iter::repeat_n(one, *times as usize))
                .collect();
            let all = TrackingFigures::combined(chosen.iter().copied());
            let defined = |value: f64| value.is_finite().then_some(value);
            let named = [
                ("hota", defined(all.hota.hota())),
                ("deta", defined(all.hota.det_a())),
                ("assa", defined(all.hota.ass_a())),
                ("loca", defined(all.hota.loc_a())),
                ("mota", defined(all.clear.mota())),
                ("motp", defined(all.clear.motp())),
                ("idf1", defined(all.identity.idf1())),
                ("id_switches", Some(all.clear.id_switches as f64)),
            ];
            named.map(|(name, value)| (format!("tracking.{name}"), value)).into()
        })
    }

    pub(super) fn of_incidents(bootstrap: &Bootstrap, units: Vec<String>, matches: &IncidentMatches) -> Self {
        let kinds: Vec<IncidentKind> = IncidentKind::ALL
            .into_iter()
            .filter(|kind| matches.sequences.iter().any(|sequence| sequence.kinds().contains(kind)))
            .collect();
        Self::new(bootstrap, units, |times| {
            let mut named = Vec::new();
            for kind in std::iter::once(None).chain(kinds.iter().copied().map(Some)) {
                let of = matches.figures_of(kind, times);
                let Counts { hits, false_alarms, misses } = of.counts;
                let figures = [
                    ("precision", of.counts.precision()),
                    ("recall", of.counts.recall()),
                    ("f1", of.counts.f1()),
                    ("f1_ilids", f1_with_recall_bias(&of.counts, RECALL_BIAS)),
                    ("delay_p50_seconds", of.delay_p50),
                    ("delay_p95_seconds", of.delay_p95),
                    ("false_alarms_per_camera_day", of.false_alarms_per_camera_day),
                    ("duplicates_per_truth", of.duplicates_per_hit),
                    ("end_error_p50_seconds", of.end_error_p50),
                    ("end_error_p95_seconds", of.end_error_p95),
                    ("truths", Some((hits + misses) as f64)),
                    ("found", Some((hits + false_alarms + of.duplicates) as f64)),
                    ("matched", Some(hits as f64)),
                    ("watched_hours", Some(of.watched / 3600.0)),
                ];
                let suffix = kind.map_or(String::new(), |kind| format!(".{}", kind.as_str()));
                named.extend(figures.map(|(name, value)| (format!("incident.{name}{suffix}"), value)));
            }
            named
        })
    }

    pub(super) fn of_change(
        bootstrap: &Bootstrap,
        units: Vec<String>,
        pairs: &[(Counts, ObjectCounts)],
    ) -> Self {
        Self::new(bootstrap, units, |times| {
            let (mut pixels, mut objects) = (Counts::default(), ObjectCounts::default());
            for ((p, o), times) in pairs.iter().zip(times) {
                for _ in 0..*times {
                    pixels += *p;
                    objects += *o;
                }
            }
            let named = [
                ("pixel_precision", pixels.precision()),
                ("pixel_recall", pixels.recall()),
                ("pixel_f1", pixels.f1()),
                ("pixel_iou", pixels.iou()),
                ("object_precision", objects.precision()),
                ("object_recall", objects.recall()),
                ("object_f1", objects.f1()),
            ];
            named.map(|(name, value)| (format!("change.{name}"), value)).into()
        })
    }

    pub(super) fn of_costs(bootstrap: &Bootstrap, units: Vec<String>, costs: &[(f64, &Cost)]) -> Self {
        Self::new(bootstrap, units, |times| {
            let of = |what: &dyn Fn(&(f64, &Cost)) -> f64| -> f64 {
                costs.iter().zip(times).map(|(one, times)| what(one) * f64::from(*times)).sum()
            };
            let video = of(&|(seconds, _)| *seconds);
            let (wall, cpu) = (of(&|(_, c)| c.wall_seconds), of(&|(_, c)| c.cpu_seconds));
            let over = |a: f64, b: f64| (b > 0.0).then(|| a / b);
            let mut steps: Vec<f64> = costs
                .iter()
                .zip(times)
                .flat_map(|((_, cost), times)| {
                    std::iter::repeat_n(&cost.step_milliseconds, *times as usize).flatten()
                })
                .map(|milliseconds| milliseconds / 1e3)
                .collect();
            let peak = costs.iter().filter_map(|(_, c)| c.peak_megabytes).reduce(f64::max);
            let named = [
                ("real_time_factor", over(video, wall)),
                ("cpu_seconds_per_video_second", over(cpu, video)),
                ("step_p50_seconds", quantile(&mut steps, 0.5)),
                ("step_p95_seconds", quantile(&mut steps, 0.95)),
                ("step_p99_seconds", quantile(&mut steps, 0.99)),
                ("decode_share", over(of(&|(_, c)| c.decode_seconds), wall)),
                ("infer_share", over(of(&|(_, c)| c.infer_seconds), wall)),
                ("peak_memory_megabytes", peak),
            ];
            named.map(|(name, value)| (format!("speed.{name}"), value)).into()
        })
    }
}

/// The figures of boxes; of single classes, those that are `there`. Where not every object is labelled, a surplus finding is no false alarm, and only recall has a
/// meaning.
fn detection(
    of: &DetectionFigures,
    there: &BTreeSet<Label>,
    every_instance: bool,
) -> Vec<(String, Option<f64>)> {
    let precision = [
        ("ap", of.ap),
        ("ap50", of.ap50),
        ("ap75", of.ap75),
        ("ap_small", of.ap_small),
        ("ap_medium", of.ap_medium),
        ("ap_large", of.ap_large),
    ];
    let recall = [("ar1", of.ar_1), ("ar10", of.ar_10), ("ar100", of.ar_100)];
    let mut named: Vec<(String, Option<f64>)> = Vec::new();
    if every_instance {
        named.extend(precision.map(|(name, value)| (format!("detection.{name}"), value)));
    }
    named.extend(recall.map(|(name, value)| (format!("detection.{name}"), value)));
    for class in of.classes.iter().filter(|class| there.contains(&class.label)) {
        let label = class.label.as_str();
        if every_instance {
            named.push((format!("detection.ap.{label}"), class.ap));
            named.push((format!("detection.ap50.{label}"), class.ap50));
        }
        named.push((format!("detection.ar100.{label}"), class.ar_100));
    }
    named
}

/// Findings in the words of the labels, without those of classes that are not labelled and those that lie in regions
/// where nothing is.
pub(super) fn scored_findings(
    found: &[FoundBox],
    manifest: &DatasetManifest,
    labelled: &Labelled,
    regions: &[Rect],
) -> Vec<FoundBox> {
    let in_region = |f: &FoundBox| {
        let inside: f64 = regions.iter().map(|region| region.intersection(&f.rect)).sum();
        inside > IN_REGION * f.rect.area()
    };
    let in_their_words = |f: &FoundBox| {
        let label = manifest.found_as.get(&f.label).unwrap_or(&f.label).clone();
        FoundBox { label, ..f.clone() }
    };
    let scored = |f: &FoundBox| labelled.has_class(&f.label) && !in_region(f);
    found.iter().map(in_their_words).filter(scored).collect()
}

/// The figures of a sequence's tracks, all labelled classes together; none without labelled boxes.
///
/// # Errors
/// A labelled box has no track.
pub(super) fn tracking(
    manifest: &DatasetManifest,
    truth: &SequenceTruth,
    findings: &SequenceFindings,
) -> Result<Option<TrackingFigures>, TrackingError> {
    if !truth.boxes.is_scored() || truth.frames.is_empty() {
        return Ok(None);
    }
    let tolerance = truth.frames_per_second.map_or(0.02, |fps| 0.5 / fps);
    let labels: BTreeSet<&Label> =
        truth.frames.iter().flat_map(|f| f.boxes.iter().map(|b| &b.label)).collect();
    let looked: Vec<(&FrameTruth, Vec<FoundBox>)> = truth
        .frames
        .iter()
        .map(|frame| {
            let found = nearest(&findings.frames, frame.at + truth.start, tolerance);
            (frame, scored_findings(found, manifest, &truth.labelled, &frame.regions))
        })
        .collect();
    let mut of_labels = Vec::new();
    for label in labels {
        let met: BTreeSet<u64> = looked.iter().flat_map(|(frame, found)| met(frame, found, label)).collect();
        let kept: Vec<Vec<FoundBox>> = looked
            .iter()
            .map(|(_, found)| {
                let scored = |f: &&FoundBox| {
                    truth.labelled.every_instance || f.track.is_some_and(|track| met.contains(&track))
                };
                found.iter().filter(scored).cloned().collect()
            })
            .collect();
        let frames =
            looked.iter().zip(&kept).map(|((frame, _), found)| TrackedFrame { truth: &frame.boxes, found });
        of_labels.push(TrackingFigures::of(&Sequence::new(frames, label)?));
    }
    Ok(Some(TrackingFigures::combined(&of_labels)))
}

fn nearest(frames: &[(f64, Vec<FoundBox>)], at: f64, tolerance: f64) -> &[FoundBox] {
    let after = frames.partition_point(|(t, _)| *t < at);
    let around = frames[after.saturating_sub(1)..(after + 1).min(frames.len())].iter();
    around
        .min_by(|a, b| (a.0 - at).abs().total_cmp(&(b.0 - at).abs()))
        .filter(|(t, _)| (t - at).abs() <= tolerance)
        .map_or(&[], |(_, found)| found)
}

/// Tracks that lie on a labelled object of the class in this frame.
fn met<'a>(frame: &'a FrameTruth, found: &'a [FoundBox], label: &'a Label) -> impl Iterator<Item = u64> + 'a {
    let on = move |f: &&FoundBox| {
        f.label == *label && frame.boxes.iter().any(|b| b.label == *label && b.rect.iou(&f.rect) >= MET)
    };
    found.iter().filter(on).filter_map(|f| f.track)
}

/// All figures of the parts, by name.
pub(super) fn figures(parts: &[Part]) -> BTreeMap<String, crate::report::Figure> {
    let of = |part: &Part| {
        let named = part.names.iter().enumerate().map(|(index, name)| {
            let (low, high) =
                part.samples.interval(index).map_or((None, None), |i| (Some(i.low), Some(i.high)));
            (name.clone(), crate::report::Figure { value: part.samples.estimate(index), low, high })
        });
        named.collect::<Vec<_>>()
    };
    parts.iter().flat_map(of).collect()
}
