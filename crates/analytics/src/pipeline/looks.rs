//! Which frames a view needs, and what the model looks at in them.

use parapet_core::{DetectError, Frame, Timestamp, time::seconds_between};

use super::Pipeline;
use crate::{Look, gate::ROUNDING_SECONDS, rule::CLOSED_SECONDS, runners::FOLLOW_SECONDS};

/// What moves is looked at with so much of the view around it, as a part of the view's sides.
const GLANCE_MARGIN: f32 = 0.05;
/// From this part of the view on, a look at all of it is hardly dearer than one at a part.
const LARGE_GLANCE: f32 = 0.6;

impl Pipeline {
    /// Whether no rule asks for this frame: all are out of their hours, nothing is open, and a look was taken of late.
    pub(super) fn rests(&self, at: Timestamp) -> bool {
        let wait = 0.0..CLOSED_SECONDS - ROUNDING_SECONDS;
        let of_late = |awake: Timestamp| wait.contains(&seconds_between(awake, at));
        self.awake_at.is_some_and(of_late) && self.book.is_empty() && self.is_closed(at)
    }

    /// Whether the model is to look at this frame.
    pub(super) fn look(&mut self, frame: &Frame) -> Look {
        let at = frame.captured_at;
        let (waits, follows) = (self.waits_for_a_look(), self.follows(at));
        let Some((gate, stir)) = &mut self.gate else { return Look::Full };
        self.movement = stir.movement(&frame.picture, at);
        let change = &self.latest_change.1;
        let open = change.light_changed || change.view_shifted || waits || follows;
        match gate.decide(at, self.movement.is_some(), open) {
            Look::Glance if follows => Look::Full,
            look => look,
        }
    }

    /// Looks only where something has moved since the frame before; whether all of the frame is to be looked at, since
    /// something runs about there that did not before.
    pub(super) fn glance(&mut self, frame: &Frame) -> Result<bool, DetectError> {
        let moved = self.movement.and_then(|movement| movement.since_the_last);
        let Some(part) = moved.and_then(|part| part.inflated(GLANCE_MARGIN, GLANCE_MARGIN)) else {
            return Ok(false);
        };
        let part = part.clamped();
        if part.area() > LARGE_GLANCE {
            return Ok(true);
        }
        let mut found = self.detector.detect_in(frame, part)?;
        found.retain(|d| self.is_wanted(d));
        Ok(self.runners.look(&found, frame.captured_at))
    }

    /// What moves is not known any more: the next frame is looked at.
    pub(super) fn restart_gate(&mut self) {
        if let Some((gate, stir)) = &mut self.gate {
            gate.restart();
            stir.restart();
        }
    }

    /// Whether nothing moves in the view and nothing waits for a look: keyframes are enough to see that it stays so.
    pub fn is_quiet(&self, at: Timestamp) -> bool {
        self.gate.as_ref().is_some_and(|(gate, _)| gate.is_quiet(at))
            && !self.waits_for_a_look()
            && !self.follows(at)
    }

    /// Seconds until something that stands is told of, if it goes on as it was and is seen then; 0 if that is to be at any
    /// moment.
    pub fn due_seconds(&self, at: Timestamp) -> Option<f64> {
        self.due_of(at, false)
    }

    /// At least so often a rule of this view needs a frame at present, in seconds, to decide as it does with one at every
    /// frame, or hardly ever while all are out of their hours; `None`: at every frame, since something crosses lines, runs
    /// about or is told of before long.
    pub fn look_seconds(&self, at: Timestamp) -> Option<f64> {
        if self.is_closed(at) {
            return Some(CLOSED_SECONDS);
        }
        self.look_seconds.filter(|_| !self.follows(at))
    }

    /// Whether something that a rule is about has just come, or may be gone: another look soon would tell.
    pub fn is_undecided(&self) -> bool {
        self.standing.is_undecided_of(&self.groups)
    }

    /// Whether something has just come, or may be gone.
    fn waits_for_a_look(&self) -> bool {
        self.standing.is_undecided() || self.change.as_ref().is_some_and(|change| change.is_undecided())
    }

    /// Whether every frame is asked for: something runs about, or is told of before long, and whoever comes to it until then
    /// is to be seen.
    fn follows(&self, at: Timestamp) -> bool {
        self.runners.run(at) || self.due_of(at, true).is_some_and(|seconds| seconds <= FOLLOW_SECONDS)
    }

    fn due_of(&self, at: Timestamp, runners: bool) -> Option<f64> {
        self.rules.iter().filter_map(|rule| rule.due_seconds(at, runners)).reduce(f64::min)
    }

    /// Whether all rules are out of their hours now and for a while. Lines have none, and a dome's visits are short.
    fn is_closed(&self, at: Timestamp) -> bool {
        let soon = at.checked_add(jiff::SignedDuration::from_secs_f64(CLOSED_SECONDS)).unwrap_or(at);
        self.look_seconds.is_some()
            && self.visit_after.is_none()
            && !self.rules.is_empty()
            && !self.rules.iter().any(|rule| rule.is_in_force(at) || rule.is_in_force(soon))
    }
}
