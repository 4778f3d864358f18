//! Which alarm is of which violation. One to one, as many pairs as there can be; alarms choose in the order in which they
//! came, each the violation that fits best.

use super::{IncidentOptions, IncidentSequence};
use crate::truth::{FoundIncident, TruthIncident};
use parapet_core::IncidentKind;

/// What became of a violation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TruthFate {
    /// An alarm came.
    Found {
        /// Index of the alarm.
        found: usize,
        /// Further alarms of the same thing.
        duplicates: u64,
        /// Seconds from `due` to the alarm; negative if it came early.
        delay: f64,
        /// Seconds from the true end to the told one, where both are told.
        end_error: Option<f64>,
    },
    /// No alarm came.
    Missed,
    /// It was over, or the sequence was, before an alarm was due: none is asked for, and one that comes is excused.
    NotDue,
    /// The sequence does not label its kind.
    NotScored,
}

/// What an alarm was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundFate {
    /// The alarm of this violation (index).
    Hit(usize),
    /// A further alarm of this violation, which has one.
    Duplicate(usize),
    /// Of a violation for which no alarm was due.
    Excused(usize),
    /// Of nothing.
    FalseAlarm,
    /// The sequence does not label its kind.
    NotScored,
}

/// One sequence, matched.
#[derive(Debug, Clone, PartialEq)]
pub struct SequenceFates {
    /// In the order of the truths.
    pub truth: Vec<TruthFate>,
    /// In the order of the alarms.
    pub found: Vec<FoundFate>,
    pub(super) truth_kinds: Vec<IncidentKind>,
    pub(super) found_kinds: Vec<IncidentKind>,
    pub(super) kinds: Vec<IncidentKind>,
    pub(super) watched: f64,
}

impl SequenceFates {
    /// The kinds that the sequence labels.
    pub fn kinds(&self) -> &[IncidentKind] {
        &self.kinds
    }
}

/// All sequences, matched: the units of a bootstrap.
#[derive(Debug, Clone, PartialEq)]
pub struct IncidentMatches {
    /// One for each sequence.
    pub sequences: Vec<SequenceFates>,
}

impl IncidentMatches {
    /// Matches the alarms of each sequence with its violations.
    pub fn new<'a>(
        sequences: impl IntoIterator<Item = IncidentSequence<'a>>,
        options: &IncidentOptions,
    ) -> Self {
        Self::above(sequences, options, f64::NEG_INFINITY)
    }

    /// The same with the alarms of at least `score` only; the others are [`FoundFate::NotScored`].
    pub fn above<'a>(
        sequences: impl IntoIterator<Item = IncidentSequence<'a>>,
        options: &IncidentOptions,
        score: f64,
    ) -> Self {
        Self { sequences: sequences.into_iter().map(|one| fates(&one, options, score)).collect() }
    }
}

fn fates(sequence: &IncidentSequence<'_>, options: &IncidentOptions, least_score: f64) -> SequenceFates {
    let (truth, found) = (sequence.truth, sequence.found);
    let labelled = |kind: &IncidentKind| sequence.kinds.contains(kind);
    let due =
        |truth: &TruthIncident| truth.due <= truth.until.unwrap_or(sequence.watched).min(sequence.watched);

    let mut alarms: Vec<usize> = (0..found.len())
        .filter(|&alarm| labelled(&found[alarm].kind) && found[alarm].score >= least_score)
        .collect();
    alarms.sort_by(|&a, &b| {
        let (a, b) = (&found[a], &found[b]);
        a.started_at.total_cmp(&b.started_at).then(b.score.total_cmp(&a.score))
    });
    // The violations that each alarm fits, the best first.
    let fits: Vec<Vec<usize>> = found
        .iter()
        .map(|alarm| {
            let mut fits: Vec<(f64, f64, usize)> = (truth.iter().enumerate())
                .filter_map(|(index, truth)| {
                    let iou = fit(truth, alarm, sequence.watched, options)?;
                    Some((iou, (alarm.started_at - truth.due).abs(), index))
                })
                .collect();
            fits.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.total_cmp(&b.1)));
            fits.into_iter().map(|(_, _, index)| index).collect()
        })
        .collect();

    let mut alarm_of: Vec<Option<usize>> = vec![None; truth.len()];
    let is_due: Vec<bool> = truth.iter().map(due).collect();
    for &alarm in &alarms {
        claim(alarm, &fits, &is_due, &mut alarm_of, &mut vec![false; truth.len()]);
    }

    let mut fates = SequenceFates {
        truth: (truth.iter().zip(&is_due))
            .map(|(truth, due)| match (labelled(&truth.kind), due) {
                (false, _) => TruthFate::NotScored,
                (true, false) => TruthFate::NotDue,
                (true, true) => TruthFate::Missed,
            })
            .collect(),
        found: vec![FoundFate::NotScored; found.len()],
        truth_kinds: truth.iter().map(|truth| truth.kind).collect(),
        found_kinds: found.iter().map(|found| found.kind).collect(),
        kinds: sequence.kinds.to_vec(),
        watched: sequence.watched,
    };
    for (index, alarm) in alarm_of.iter().enumerate() {
        if let Some(alarm) = *alarm {
            let (truth, found) = (&truth[index], &found[alarm]);
            fates.found[alarm] = FoundFate::Hit(index);
            fates.truth[index] = TruthFate::Found {
                found: alarm,
                duplicates: 0,
                delay: found.started_at - truth.due,
                end_error: truth.until.zip(found.ended_at).map(|(until, ended_at)| ended_at - until),
            };
        }
    }
    for alarm in alarms {
        if fates.found[alarm] != FoundFate::NotScored {
            continue;
        }
        fates.found[alarm] = match (fits[alarm].iter().find(|truth| is_due[**truth]), fits[alarm].first()) {
            (Some(&index), _) => {
                if let TruthFate::Found { duplicates, .. } = &mut fates.truth[index] {
                    *duplicates += 1;
                }
                FoundFate::Duplicate(index)
            }
            (None, Some(&index)) => FoundFate::Excused(index),
            (None, None) => FoundFate::FalseAlarm,
        };
    }
    fates
}

/// Gives the alarm the best violation that is free, else one whose alarm can take another (an augmenting path: as many
/// pairs as possible, and no earlier alarm loses its own).
fn claim(
    alarm: usize,
    fits: &[Vec<usize>],
    is_due: &[bool],
    alarm_of: &mut [Option<usize>],
    tried: &mut [bool],
) -> bool {
    let due = || fits[alarm].iter().copied().filter(|truth| is_due[*truth]);
    if let Some(free) = due().find(|truth| alarm_of[*truth].is_none()) {
        alarm_of[free] = Some(alarm);
        return true;
    }
    for truth in due() {
        if std::mem::replace(&mut tried[truth], true) {
            continue;
        }
        if let Some(other) = alarm_of[truth]
            && claim(other, fits, is_due, alarm_of, tried)
        {
            alarm_of[truth] = Some(alarm);
            return true;
        }
    }
    false
}

/// Whether the alarm may be of the violation, and the IoU of their boxes (0 where one has none).
fn fit(truth: &TruthIncident, alarm: &FoundIncident, watched: f64, options: &IncidentOptions) -> Option<f64> {
    let until = truth.until.unwrap_or(watched.max(alarm.started_at));
    let in_time = alarm.started_at >= truth.since - options.slack
        && alarm.started_at <= until + options.slack
        && options.most_delay.is_none_or(|most| alarm.started_at <= truth.due + most);
    let zone_fits = truth.zone.as_ref().zip(alarm.zone.as_ref()).is_none_or(|(truth, alarm)| truth == alarm);
    if truth.kind != alarm.kind || !in_time || !zone_fits {
        return None;
    }
    match truth.rect.zip(alarm.rect) {
        Some((truth, alarm)) => Some(truth.iou(&alarm)).filter(|iou| *iou >= options.least_iou),
        None => Some(0.0),
    }
}
