//! What people and clocks do to a case, and what may follow what.

use serde::{Deserialize, Serialize};

use super::{Case, CaseRules, CaseStep, Level};
use crate::{Allowance, CaseId, DepartmentId, Timestamp};

/// What can be done to a case.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum CaseAction {
    /// 上报: the first deed of every case.
    Report,
    /// 立案.
    Accept,
    /// 不予立案.
    Reject,
    /// 派遣: send it to a department, with a hand-over order.
    Dispatch,
    /// 退回: one step back.
    Return,
    /// 处置反馈: the department says what it did.
    Answer,
    /// 核查通过.
    CheckPass,
    /// 核查不通过: back to the department.
    CheckFail,
    /// 结案.
    Close,
    /// 重新立案.
    Reopen,
    /// 挂起: its clocks stand still.
    Suspend,
    /// 恢复.
    Resume,
    /// 延期: more time for the step.
    Extend,
    /// 并案: it becomes a part of another case.
    Merge,
    /// Another case or incident becomes a part of this one.
    Link,
    /// 吹哨: the next level is called.
    Escalate,
    /// The step's time is nearly used up (by the clock).
    Warn,
    /// 督办: a reminder to the department.
    Remind,
    /// A remark.
    Comment,
}

impl CaseAction {
    /// What a person can ask for, in the order of the work.
    pub const BY_PEOPLE: [Self; 15] = [
        Self::Accept,
        Self::Reject,
        Self::Dispatch,
        Self::Answer,
        Self::CheckPass,
        Self::CheckFail,
        Self::Close,
        Self::Reopen,
        Self::Return,
        Self::Extend,
        Self::Suspend,
        Self::Resume,
        Self::Merge,
        Self::Escalate,
        Self::Remind,
    ];

    /// Whether it must say why.
    pub fn needs_reason(self) -> bool {
        matches!(
            self,
            Self::Reject
                | Self::Return
                | Self::CheckFail
                | Self::Reopen
                | Self::Suspend
                | Self::Extend
                | Self::Merge
                | Self::Comment
        )
    }
}

/// One deed to a case.
#[derive(Debug, Clone, PartialEq)]
pub struct Deed {
    /// What.
    pub action: CaseAction,
    /// Who; the clock goes by `clock`.
    pub actor: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: Option<String>,
    /// To which department ([`CaseAction::Dispatch`]).
    pub department: Option<DepartmentId>,
    /// The level of that department.
    pub level: Option<Level>,
    /// How much time the step has ([`CaseAction::Dispatch`]) or gets on top ([`CaseAction::Extend`]).
    pub allowance: Option<Allowance>,
    /// Of which case it becomes a part ([`CaseAction::Merge`]).
    pub into: Option<CaseId>,
}

impl Deed {
    /// A deed without anything to it but who and when.
    pub fn new(action: CaseAction, actor: impl Into<String>, at: Timestamp) -> Self {
        Self {
            action,
            actor: actor.into(),
            at,
            reason: None,
            department: None,
            level: None,
            allowance: None,
            into: None,
        }
    }

    /// The same with a reason.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}

/// Why a deed cannot be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CaseError {
    /// It does not follow.
    #[error("{action:?} cannot follow {step:?}; hint: someone else may have worked on the case, look again")]
    NotNow {
        /// What was asked.
        action: CaseAction,
        /// Where the case is.
        step: CaseStep,
    },
    /// The case is suspended.
    #[error("the case is suspended; hint: resume it first")]
    Suspended,
    /// No reason.
    #[error("{0:?} needs a reason; hint: say why in \"reason\"")]
    NoReason(CaseAction),
    /// No department.
    #[error("an order needs a department; hint: name it in \"department\"")]
    NoDepartment,
    /// No allowance.
    #[error(
        "an extension needs an amount of time; hint: \"allowance\": {{\"amount\": 2, \"unit\": \"working_days\"}}"
    )]
    NoAllowance,
    /// Merge without or into itself.
    #[error("a case becomes a part of another one; hint: name that one in \"into\"")]
    NoOtherCase,
    /// There is nobody above.
    #[error("the case is with the highest level already")]
    NobodyAbove,
}

impl Case {
    /// Whether a deed may be done now, as far as the state of the case tells.
    ///
    /// # Errors
    /// `NotNow`, `Suspended` or `NobodyAbove`.
    pub fn allows(&self, action: CaseAction) -> Result<(), CaseError> {
        use CaseAction as A;
        use CaseStep as S;
        if self.suspended_at.is_some() && !matches!(action, A::Resume | A::Comment | A::Merge | A::Link) {
            return Err(CaseError::Suspended);
        }
        let step = self.step;
        let fits = match action {
            A::Report => false,
            A::Accept | A::Reject => step == S::Reported,
            A::Dispatch => step == S::Accepted,
            A::Return => matches!(step, S::Accepted | S::Dispatched),
            A::Answer | A::Remind => step == S::Dispatched,
            A::CheckPass | A::CheckFail => step == S::Handled,
            A::Close => step == S::Verified,
            A::Reopen => matches!(step, S::Closed | S::Rejected),
            A::Resume => self.suspended_at.is_some(),
            A::Suspend | A::Merge | A::Escalate => step.is_open(),
            A::Extend | A::Warn => step.is_open() && self.step_due.is_some(),
            A::Link => step != S::Merged,
            A::Comment => true,
        };
        if !fits {
            return Err(CaseError::NotNow { action, step });
        }
        if action == A::Escalate && self.level.above().is_none() {
            return Err(CaseError::NobodyAbove);
        }
        Ok(())
    }

    /// The case after a deed.
    ///
    /// # Errors
    /// See [`CaseError`]; nothing changes.
    pub fn after(&self, deed: &Deed, rules: &CaseRules<'_>) -> Result<Self, CaseError> {
        use CaseAction as A;
        self.allows(deed.action)?;
        if deed.action.needs_reason() && deed.reason.as_ref().is_none_or(|text| text.trim().is_empty()) {
            return Err(CaseError::NoReason(deed.action));
        }
        let mut next = self.clone();
        next.sequence += 1;
        next.updated_at = deed.at;
        match deed.action {
            A::Report | A::Link | A::Remind | A::Comment => {}
            A::Accept => next.begin_step(CaseStep::Accepted, deed.at, None, rules),
            A::Reject => next.begin_step(CaseStep::Rejected, deed.at, None, rules),
            A::Dispatch => {
                next.department = Some(deed.department.clone().ok_or(CaseError::NoDepartment)?);
                next.level = deed.level.unwrap_or(self.level);
                next.begin_step(CaseStep::Dispatched, deed.at, deed.allowance, rules);
            }
            A::Return => {
                let before =
                    if self.step == CaseStep::Accepted { CaseStep::Reported } else { CaseStep::Accepted };
                next.department = None;
                next.begin_step(before, deed.at, None, rules);
            }
            A::Answer => next.begin_step(CaseStep::Handled, deed.at, None, rules),
            A::CheckPass => next.begin_step(CaseStep::Verified, deed.at, None, rules),
            A::CheckFail => next.begin_step(CaseStep::Dispatched, deed.at, deed.allowance, rules),
            A::Close => next.begin_step(CaseStep::Closed, deed.at, None, rules),
            A::Reopen => {
                next.reopened += 1;
                next.department = None;
                next.level = Level::Grid;
                next.due = rules.overall_due(deed.at);
                next.begin_step(CaseStep::Accepted, deed.at, None, rules);
            }
            A::Suspend => next.suspended_at = Some(deed.at),
            A::Resume => next.resume(deed.at, rules),
            A::Extend => {
                let allowance = deed.allowance.ok_or(CaseError::NoAllowance)?;
                let from = self.step_due.map_or(deed.at, |due| due.max(deed.at));
                next.set_step_due(rules.calendar.deadline(from, allowance), rules);
            }
            A::Merge => {
                let into = deed.into.filter(|into| *into != self.id).ok_or(CaseError::NoOtherCase)?;
                next.merged_into = Some(into);
                next.suspended_at = None;
                next.begin_step(CaseStep::Merged, deed.at, None, rules);
            }
            A::Escalate => {
                next.level = self.level.above().ok_or(CaseError::NobodyAbove)?;
                next.escalate_at = next.level.above().and_then(|_| rules.next_whistle(deed.at));
            }
            A::Warn => next.warn_at = None,
        }
        Ok(next)
    }

    fn resume(&mut self, at: Timestamp, rules: &CaseRules<'_>) {
        let Some(since) = self.suspended_at.take() else { return };
        let unit = rules.allowance(self.step).map_or(crate::DeadlineUnit::WorkingHours, |a| a.unit);
        for due in [&mut self.step_due, &mut self.due, &mut self.warn_at, &mut self.escalate_at] {
            *due = due.map(|due| rules.shifted(due, since, at, unit));
        }
    }
}
