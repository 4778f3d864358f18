//! How long each step of a case may take.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{Case, CaseStep};
use crate::{Allowance, DeadlineUnit, Timestamp, WorkCalendar};

/// How long steps may take, for all kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepAllowances {
    /// 立案: from the report to its acceptance.
    pub accept: Allowance,
    /// 派遣: from the acceptance to the order.
    pub dispatch: Allowance,
    /// 处置: from the order to the answer; left out, the kind's own.
    pub handle: Option<Allowance>,
    /// 核查: from the answer to the check.
    pub check: Allowance,
    /// 结案: from the check to the end.
    pub close: Allowance,
    /// After so much of a step's time people are warned, percent.
    pub warn_percent: u8,
    /// The next level is called at a deadline, and the one above it whenever this has passed again.
    pub escalate_every: Allowance,
}

impl Default for StepAllowances {
    /// Accept 1 h, dispatch 1 h, the kind's time, check 8 h, close 8 h, all in working time; a whistle a working day.
    fn default() -> Self {
        let hours = |amount| Allowance { amount, unit: DeadlineUnit::WorkingHours };
        Self {
            accept: hours(1),
            dispatch: hours(1),
            handle: None,
            check: hours(8),
            close: hours(8),
            warn_percent: 75,
            escalate_every: hours(8),
        }
    }
}

/// What is to be known about time for one case.
#[derive(Debug, Clone, Copy)]
pub struct CaseRules<'a> {
    /// When offices work.
    pub calendar: &'a WorkCalendar,
    /// How long steps may take.
    pub steps: &'a StepAllowances,
    /// How long handling may take for the kind of the case.
    pub handle: Allowance,
}

impl CaseRules<'_> {
    /// How long a case may stay at a step.
    pub fn allowance(&self, step: CaseStep) -> Option<Allowance> {
        match step {
            CaseStep::Reported => Some(self.steps.accept),
            CaseStep::Accepted => Some(self.steps.dispatch),
            CaseStep::Dispatched => Some(self.steps.handle.unwrap_or(self.handle)),
            CaseStep::Handled => Some(self.steps.check),
            CaseStep::Verified => Some(self.steps.close),
            CaseStep::Closed | CaseStep::Rejected | CaseStep::Merged => None,
        }
    }

    /// When a case that begins at `from` should be done if each step takes all of its time.
    pub fn overall_due(&self, from: Timestamp) -> Option<Timestamp> {
        let steps = [
            CaseStep::Reported,
            CaseStep::Accepted,
            CaseStep::Dispatched,
            CaseStep::Handled,
            CaseStep::Verified,
        ];
        let allowances = steps.into_iter().filter_map(|step| self.allowance(step));
        allowances.into_iter().try_fold(from, |at, allowance| self.calendar.deadline(at, allowance))
    }

    /// A deadline after the clock stood still from `from` to `to`: what was left is left.
    pub(super) fn shifted(
        &self,
        due: Timestamp,
        from: Timestamp,
        to: Timestamp,
        unit: DeadlineUnit,
    ) -> Timestamp {
        if due <= from || to <= from {
            return due;
        }
        self.calendar.shifted(due, from, to, unit).unwrap_or(due)
    }

    pub(super) fn next_whistle(&self, after: Timestamp) -> Option<Timestamp> {
        self.calendar.deadline(after, self.steps.escalate_every)
    }
}

impl Case {
    /// Puts the case at a step and sets the step's clock, by an allowance of its own if there is one.
    pub(super) fn begin_step(
        &mut self,
        step: CaseStep,
        at: Timestamp,
        own: Option<Allowance>,
        rules: &CaseRules<'_>,
    ) {
        self.step = step;
        self.step_since = at;
        let allowance = own.or_else(|| rules.allowance(step));
        let due = allowance.and_then(|allowance| rules.calendar.deadline(at, allowance));
        self.set_step_due(due, rules);
        self.closed_at = (!step.is_open()).then_some(at);
        if !step.is_open() {
            self.due = None;
        }
    }

    /// Sets when the step is due, and with it when people are warned and the next level is called.
    pub(super) fn set_step_due(&mut self, due: Option<Timestamp>, rules: &CaseRules<'_>) {
        self.step_due = due;
        self.warn_at = due.and_then(|due| warn_at(self.step_since, due, rules));
        self.escalate_at = due.filter(|_| self.level.above().is_some());
        // An order with more time than the kind has moves the end of the case, never to an earlier time.
        if let (Some(due), Some(whole)) = (due, self.due)
            && due > whole
        {
            self.due = Some(due);
        }
    }
}

/// The instant at which so much of a step's time is used up: of working time where that is what counts.
fn warn_at(since: Timestamp, due: Timestamp, rules: &CaseRules<'_>) -> Option<Timestamp> {
    let share = f64::from(rules.steps.warn_percent.min(100)) / 100.0;
    let working = rules.calendar.working_time(since, due);
    if working > SignedDuration::ZERO {
        rules.calendar.after_working_time(since, working.mul_f64(share))
    } else {
        since.checked_add(due.duration_since(since).mul_f64(share)).ok()
    }
}
