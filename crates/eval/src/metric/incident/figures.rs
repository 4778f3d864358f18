//! The figures of matched incidents, for any multiset of the sequences, and the curve of misses against false alarms.

use super::matching::{FoundFate, IncidentMatches, SequenceFates, TruthFate};
use super::{IncidentOptions, IncidentSequence};
use crate::metric::{Counts, quantile, ratio};
use parapet_core::IncidentKind;
use serde::{Deserialize, Serialize};

const SECONDS_PER_DAY: f64 = 86_400.0;

/// Figures of one kind, or of all.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct IncidentFigures {
    /// Violations with an alarm, alarms of nothing, violations without one. Duplicates are neither.
    pub counts: Counts,
    /// Further alarms of violations that have one.
    pub duplicates: u64,
    /// Duplicates for each violation that was found.
    pub duplicates_per_hit: Option<f64>,
    /// Seconds from when the alarm was due to when it came: median of the hits. Negative: early.
    pub delay_p50: Option<f64>,
    /// 95th percentile.
    pub delay_p95: Option<f64>,
    /// The latest.
    pub delay_max: Option<f64>,
    /// Seconds between the true end and the told one, either way: median of the hits that have both.
    pub end_error_p50: Option<f64>,
    /// 95th percentile.
    pub end_error_p95: Option<f64>,
    /// Seconds watched in sequences that label the kind.
    pub watched: f64,
    /// False alarms for each day that one camera is watched.
    pub false_alarms_per_camera_day: Option<f64>,
}

/// One point of the curve of misses against false alarms.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct IncidentCurvePoint {
    /// Alarms of at least this score are taken.
    pub threshold: f64,
    /// Share of the violations without an alarm.
    pub miss_rate: Option<f64>,
    /// False alarms for each day that one camera is watched.
    pub false_alarms_per_camera_day: Option<f64>,
    /// The counts behind them.
    pub counts: Counts,
}

/// F1 of the i-LIDS evaluations, `(α + 1)·R·P / (R + α·P)` (Home Office CAST, "The i-LIDS User Guide", publication
/// 10/11): the harmonic mean of recall R and precision P in which `α`, the recall bias, weighs recall: 1 is the ordinary
/// F1, above 1 recall counts more, 0 leaves precision alone. i-LIDS sets `α` by scenario and by role (alert an operator,
/// or trigger a recording). None where precision or recall is.
pub fn f1_with_recall_bias(counts: &Counts, alpha: f64) -> Option<f64> {
    let (recall, precision) = (counts.recall()?, counts.precision()?);
    let below = recall + alpha * precision;
    Some(if below > 0.0 { (alpha + 1.0) * recall * precision / below } else { 0.0 })
}

impl IncidentMatches {
    /// The figures of all sequences, of one kind or of all kinds together.
    pub fn figures(&self, kind: Option<IncidentKind>) -> IncidentFigures {
        self.figures_of(kind, &vec![1; self.sequences.len()])
    }

    /// The figures if sequence `i` were there `times[i]` times.
    pub fn figures_of(&self, kind: Option<IncidentKind>, times: &[u32]) -> IncidentFigures {
        let (mut counts, mut duplicates, mut watched) = (Counts::default(), 0, 0.0);
        let (mut delays, mut end_errors) = (Vec::new(), Vec::new());
        for (sequence, &times) in self.sequences.iter().zip(times) {
            let weight = u64::from(times);
            for fate in truths(sequence, kind) {
                match *fate {
                    TruthFate::Found { duplicates: further, delay, end_error, .. } => {
                        counts.hits += weight;
                        duplicates += further * weight;
                        for _ in 0..times {
                            delays.push(delay);
                            end_errors.extend(end_error.map(f64::abs));
                        }
                    }
                    TruthFate::Missed => counts.misses += weight,
                    TruthFate::NotDue | TruthFate::NotScored => {}
                }
            }
            let false_alarms = (sequence.found.iter().zip(&sequence.found_kinds))
                .filter(|(fate, of)| **fate == FoundFate::FalseAlarm && kind.is_none_or(|kind| kind == **of))
                .count();
            counts.false_alarms += false_alarms as u64 * weight;
            if kind.map_or(!sequence.kinds.is_empty(), |kind| sequence.kinds.contains(&kind)) {
                watched += sequence.watched * f64::from(times);
            }
        }
        IncidentFigures {
            counts,
            duplicates,
            duplicates_per_hit: ratio(duplicates, counts.hits),
            delay_p50: quantile(&mut delays, 0.5),
            delay_p95: quantile(&mut delays, 0.95),
            delay_max: delays.last().copied(),
            end_error_p50: quantile(&mut end_errors, 0.5),
            end_error_p95: quantile(&mut end_errors, 0.95),
            watched,
            false_alarms_per_camera_day: (watched > 0.0)
                .then(|| counts.false_alarms as f64 * SECONDS_PER_DAY / watched),
        }
    }

    /// Misses against false alarms, by falling threshold: a point for each score that occurs, matched anew each time.
    pub fn curve(
        sequences: &[IncidentSequence<'_>],
        kind: Option<IncidentKind>,
        options: &IncidentOptions,
    ) -> Vec<IncidentCurvePoint> {
        let mut scores: Vec<f64> = (sequences.iter())
            .flat_map(|sequence| sequence.found.iter().filter(|found| sequence.kinds.contains(&found.kind)))
            .filter(|found| kind.is_none_or(|kind| kind == found.kind))
            .map(|found| found.score)
            .collect();
        scores.sort_by(|a, b| b.total_cmp(a));
        scores.dedup();
        (scores.into_iter())
            .map(|threshold| {
                let figures = Self::above(sequences.iter().copied(), options, threshold).figures(kind);
                IncidentCurvePoint {
                    threshold,
                    miss_rate: figures.counts.recall().map(|recall| 1.0 - recall),
                    false_alarms_per_camera_day: figures.false_alarms_per_camera_day,
                    counts: figures.counts,
                }
            })
            .collect()
    }
}

fn truths(sequence: &SequenceFates, kind: Option<IncidentKind>) -> impl Iterator<Item = &TruthFate> {
    let of_kind = move |(_, of): &(&TruthFate, &IncidentKind)| kind.is_none_or(|kind| kind == **of);
    sequence.truth.iter().zip(&sequence.truth_kinds).filter(of_kind).map(|(fate, _)| fate)
}
