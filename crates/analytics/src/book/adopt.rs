//! What another node, or an earlier run of this one, has left open: a finding about the same thing goes on with it
//! instead of starting anew, and what nobody finds again is ended.

use parapet_core::{
    EndReason, EventId, IncidentEvent, IncidentId, Phase, RuleId, RunId, Timestamp, time::seconds_between,
};

use super::{IncidentBook, Open, RuleFacts, SAME_PLACE_IOU};
use crate::{Finding, Subject};

/// Beyond its limit, a rule needs this long to see again what stands there.
const GRACE_SECONDS: f64 = 30.0;
/// A look counts as at most so much watching: a dome that was elsewhere has not looked in vain.
const LONGEST_LOOK_SECONDS: f64 = 5.0;
/// Each node that goes on with an incident begins at the next hundred: what the one before said last and what is still on
/// its way keeps its own number, and never counts as later.
const NUMBERS_OF_A_NODE: u32 = 100;

/// An incident that was open when this view was taken over.
#[derive(Debug)]
pub(super) struct Adopted {
    last: IncidentEvent,
    /// The first frame since then, the latest one, and how much was watched.
    watched: Option<(Timestamp, Timestamp, f64)>,
}

impl IncidentBook {
    /// Takes over incidents of this view by their latest events; those that have ended or are known are left out.
    pub fn adopt(&mut self, events: impl IntoIterator<Item = IncidentEvent>) {
        for last in events {
            let id = last.incident_id;
            let is_known = self.open.values().any(|open| open.incident_id == id)
                || self.adopted.iter().any(|adopted| adopted.last.incident_id == id);
            if last.phase != Phase::Ended && !is_known {
                self.adopted.push(Adopted { last, watched: None });
            }
        }
    }

    /// Goes on with what a finding is about, if that was taken over.
    pub(super) fn resume(
        &mut self,
        rule: &RuleFacts,
        subject: Subject,
        finding: &Finding,
        at: Timestamp,
    ) -> Option<IncidentEvent> {
        let fit = |adopted: &Adopted| {
            let last = &adopted.last;
            let same = last.rule == rule.id && last.kind == rule.kind && last.zone == finding.zone;
            // A zone as a whole is at the same place, whatever covers it.
            let whole = matches!(subject, Subject::Zone(_)) && last.covered.is_some();
            let overlap = if whole { 1.0 } else { last.bbox.iou(finding.bbox) };
            (same && overlap >= SAME_PLACE_IOU).then_some(overlap)
        };
        let fits =
            self.adopted.iter().enumerate().filter_map(|(place, adopted)| Some((place, fit(adopted)?)));
        let (place, _) = fits.max_by(|(_, a), (_, b)| a.total_cmp(b))?;
        let Adopted { last, .. } = self.adopted.remove(place);
        let open = Open {
            incident_id: last.incident_id,
            started_at: last.started_at,
            since: Some(last.since),
            adopted: true,
            zone: last.zone,
            sequence: next_number(last.sequence),
            kind: rule.kind,
            cool_down_seconds: rule.cool_down_seconds,
            told: finding.clone(),
            latest: finding.clone(),
            told_at: at,
            missing_since: None,
        };
        let event = self.event(&rule.id, &open, Phase::Updated, at, None);
        self.open.insert((rule.id.clone(), subject), open);
        Some(event)
    }

    /// Time passes for what was taken over and belongs to this rule; ends what should have been found again by now, and
    /// everything outside of the rule's hours.
    pub(super) fn look_in_vain(
        &mut self,
        rule: &RuleFacts,
        in_hours: bool,
        at: Timestamp,
        events: &mut Vec<IncidentEvent>,
    ) {
        let over = |adopted: &mut Adopted| {
            if adopted.last.rule != rule.id {
                return None;
            }
            if !in_hours {
                return Some(EndReason::OutOfSchedule);
            }
            let (first, before, watched) = adopted.watched.unwrap_or((at, at, 0.0));
            let watched = watched + seconds_between(before, at).min(LONGEST_LOOK_SECONDS);
            adopted.watched = Some((first, at, watched));
            let in_vain =
                watched >= GRACE_SECONDS && seconds_between(first, at) >= rule.limit_seconds + GRACE_SECONDS;
            in_vain.then_some(EndReason::Interrupted)
        };
        self.end_adopted(over, at, events);
    }

    /// Ends what was taken over from a rule that this view does not have.
    pub(crate) fn end_strangers(
        &mut self,
        is_known: impl Fn(&RuleId) -> bool,
        at: Timestamp,
        run: RunId,
    ) -> Vec<IncidentEvent> {
        let mut events = Vec::new();
        if !self.adopted.is_empty() {
            self.run = Some(run);
            let over =
                |adopted: &mut Adopted| (!is_known(&adopted.last.rule)).then_some(EndReason::Reconfigured);
            self.end_adopted(over, at, &mut events);
        }
        events
    }

    /// Ends what was taken over, for the reason that is given for each; what has none stays.
    pub(super) fn end_adopted(
        &mut self,
        mut over: impl FnMut(&mut Adopted) -> Option<EndReason>,
        at: Timestamp,
        events: &mut Vec<IncidentEvent>,
    ) {
        let run = self.run;
        self.adopted.retain_mut(|adopted| {
            let Some(reason) = over(adopted) else { return true };
            let last = &adopted.last;
            let run = run.unwrap_or(last.run);
            let sequence = next_number(last.sequence);
            // The clocks of two machines may differ; an incident never ends before its latest event.
            let at = at.max(last.at);
            events.push(IncidentEvent {
                event_id: event_id(last.incident_id, sequence, run),
                sequence,
                phase: Phase::Ended,
                run,
                at,
                ended_at: Some(at),
                end_reason: Some(reason),
                track: None,
                ..last.clone()
            });
            false
        });
    }
}

fn next_number(last: u32) -> u32 {
    (last / NUMBERS_OF_A_NODE + 1) * NUMBERS_OF_A_NODE
}

/// Two nodes may go on with one incident without knowing of each other: what they say differs by their runs.
pub(super) fn event_id(incident: IncidentId, sequence: u32, run: RunId) -> EventId {
    EventId::derive(&[&incident.to_string(), &sequence.to_string(), &run.to_string()])
}
