//! Incidents: which alarm is of which violation that a person saw, how late it came, and how often an operator is called
//! for nothing. Matched by kind, by zone and box where both tell, and by time.

mod figures;
mod matching;

pub use figures::{IncidentCurvePoint, IncidentFigures, f1_with_recall_bias};
pub use matching::{FoundFate, IncidentMatches, SequenceFates, TruthFate};

use crate::truth::{FoundIncident, TruthIncident};
use parapet_core::IncidentKind;

/// One sequence: what happened, what was raised, and what its labels tell of.
#[derive(Debug, Clone, Copy)]
pub struct IncidentSequence<'a> {
    /// The labels.
    pub truth: &'a [TruthIncident],
    /// The alarms.
    pub found: &'a [FoundIncident],
    /// The kinds that are labelled here; truths and alarms of others are not scored.
    pub kinds: &'a [IncidentKind],
    /// How long the camera was watched, in seconds: the length of the sequence.
    pub watched: f64,
}

/// When an alarm is of a violation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IncidentOptions {
    /// Seconds by which the alarm may come before the thing stands there or after it is gone: what labels are exact to.
    pub slack: f64,
    /// Seconds after `due` from which an alarm is too late to count; none if any time while the thing is there will do.
    /// i-LIDS takes 10.
    pub most_delay: Option<f64>,
    /// IoU that both boxes must have, where both are told. An alarm's box is of the moment and may be of a part, and
    /// things do not stand in each other: little is enough to tell neighbours apart.
    pub least_iou: f64,
}

impl Default for IncidentOptions {
    fn default() -> Self {
        Self { slack: 2.0, most_delay: None, least_iou: 0.1 }
    }
}

#[cfg(test)]
mod tests;
