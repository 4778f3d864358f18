//! Cases: what becomes of a confirmed incident until it is handled, checked and closed.
//!
//! A case goes 上报 → 立案 → 派遣 → 处置 → 核查 → 结案. [`Case::after`] is the only way on: a pure function of the case, a
//! deed and the rules about time. Who may do which deed is not decided here.

mod deed;
mod rules;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use deed::{CaseAction, CaseError, Deed};
pub use rules::{CaseRules, StepAllowances};

use crate::{CameraId, CaseId, DepartmentId, KindCode, SiteId, Status, Timestamp, geo::Place};

/// Where a case is in the work on it, by what has been done last.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum CaseStep {
    /// 上报: it waits for a dispatcher to accept it.
    Reported,
    /// 立案: it waits to be sent to a department.
    Accepted,
    /// 派遣: the department has the order and works on it.
    Dispatched,
    /// 处置: the department has answered; it waits for a check.
    Handled,
    /// 核查: the check agrees; it waits to be closed.
    Verified,
    /// 结案.
    Closed,
    /// 不予立案.
    Rejected,
    /// Part of another case from now on.
    Merged,
}

impl CaseStep {
    /// All of them, in the order of the work.
    pub const ALL: [Self; 8] = [
        Self::Reported,
        Self::Accepted,
        Self::Dispatched,
        Self::Handled,
        Self::Verified,
        Self::Closed,
        Self::Rejected,
        Self::Merged,
    ];

    /// Whether somebody has something to do.
    pub fn is_open(self) -> bool {
        !matches!(self, Self::Closed | Self::Rejected | Self::Merged)
    }

    /// What it means for the incidents of the case.
    pub fn incident_status(self) -> Status {
        match self {
            Self::Reported | Self::Accepted => Status::Filed,
            Self::Dispatched => Status::Dispatched,
            Self::Handled => Status::Handled,
            Self::Verified => Status::Verified,
            Self::Closed => Status::Closed,
            // Still a violation in the operator's eyes, but nobody's work.
            Self::Rejected | Self::Merged => Status::Confirmed,
        }
    }
}

/// Who answers for a case; each whistle (三个吹哨) calls the next one.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// 网格: the grid worker.
    #[default]
    Grid,
    /// 社区: the community.
    Community,
    /// 街道: the street office.
    Street,
    /// 部门: the department of the city or district.
    Department,
}

impl Level {
    /// The next one up.
    pub fn above(self) -> Option<Self> {
        match self {
            Self::Grid => Some(Self::Community),
            Self::Community => Some(Self::Street),
            Self::Street => Some(Self::Department),
            Self::Department => None,
        }
    }
}

/// How a case stands against its deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lateness {
    /// There is time.
    OnTime,
    /// The step's time is nearly used up.
    Warning,
    /// A deadline has passed.
    Overdue,
}

/// A yearly number: of cases (`AJ2026-000012`) or of hand-over orders (`JB2026-000003`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Number(String);

impl Number {
    /// The number of a case.
    pub fn of_case(year: i16, serial: u32) -> Self {
        Self(format!("AJ{year}-{serial:06}"))
    }

    /// The number of a hand-over order.
    pub fn of_order(year: i16, serial: u32) -> Self {
        Self(format!("JB{year}-{serial:06}"))
    }

    /// As it was stored.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Year and serial number, as documents write them (`〔2026〕3号`).
    pub fn year_and_serial(&self) -> Option<(i16, u32)> {
        let (year, serial) = self.0.get(2..)?.split_once('-')?;
        Some((year.parse().ok()?, serial.parse().ok()?))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A case as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Its identity.
    pub id: CaseId,
    /// Its number, for people.
    pub number: Number,
    /// The site.
    pub site: SiteId,
    /// The camera that saw it, unless a person reported it.
    pub camera: Option<CameraId>,
    /// Its kind in the catalogue.
    pub kind: KindCode,
    /// Where it is in the work.
    pub step: CaseStep,
    /// Since when its clocks stand still.
    pub suspended_at: Option<Timestamp>,
    /// Who answers for it.
    pub level: Level,
    /// The department that has it.
    pub department: Option<DepartmentId>,
    /// When it was reported.
    pub opened_at: Timestamp,
    /// By whom; a rule that files by itself goes by `rule:NAME`.
    pub opened_by: String,
    /// When anything happened to it last.
    pub updated_at: Timestamp,
    /// When it was closed, rejected or merged.
    pub closed_at: Option<Timestamp>,
    /// Since when it is at its step.
    pub step_since: Timestamp,
    /// When the step should be done.
    pub step_due: Option<Timestamp>,
    /// When the whole case should be done.
    pub due: Option<Timestamp>,
    /// When people are to be warned of the step's deadline; `None` once they were, or if it has none.
    pub warn_at: Option<Timestamp>,
    /// When the next level is called; `None` if there is none.
    pub escalate_at: Option<Timestamp>,
    /// Where on the earth.
    pub place: Option<Place>,
    /// Where, in words.
    pub place_text: Option<String>,
    /// What the one who reported it said.
    pub note: Option<String>,
    /// How often it was opened again.
    pub reopened: u32,
    /// The case that it became a part of.
    pub merged_into: Option<CaseId>,
    /// The closed case of the same kind at the same place before it.
    pub follows: Option<CaseId>,
    /// How many deeds it has seen; the next one has this number.
    pub sequence: u32,
}

/// What a new case is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The site.
    pub site: SiteId,
    /// The camera that saw it.
    pub camera: Option<CameraId>,
    /// Its kind.
    pub kind: KindCode,
    /// Where on the earth.
    pub place: Option<Place>,
    /// Where, in words.
    pub place_text: Option<String>,
    /// What there is to say.
    pub note: Option<String>,
    /// The closed case before it at this place.
    pub follows: Option<CaseId>,
    /// Who reports it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl Case {
    /// A new case, 上报.
    pub fn report(number: Number, report: Report, rules: &CaseRules<'_>) -> Self {
        let mut case = Self {
            id: CaseId::derive(&[number.as_str()]),
            number,
            site: report.site,
            camera: report.camera,
            kind: report.kind,
            step: CaseStep::Reported,
            suspended_at: None,
            level: Level::Grid,
            department: None,
            opened_at: report.at,
            opened_by: report.by,
            updated_at: report.at,
            closed_at: None,
            step_since: report.at,
            step_due: None,
            due: rules.overall_due(report.at),
            warn_at: None,
            escalate_at: None,
            place: report.place,
            place_text: report.place_text,
            note: report.note,
            reopened: 0,
            merged_into: None,
            follows: report.follows,
            sequence: 1,
        };
        case.begin_step(CaseStep::Reported, report.at, None, rules);
        case
    }

    /// How it stands at a time. A case that is suspended or done is never late.
    pub fn lateness(&self, now: Timestamp) -> Lateness {
        if !self.step.is_open() || self.suspended_at.is_some() {
            return Lateness::OnTime;
        }
        let passed = |due: Option<Timestamp>| due.is_some_and(|due| due <= now);
        if passed(self.step_due) || passed(self.due) {
            Lateness::Overdue
        } else if self.step_due.is_some() && self.warn_at.is_none_or(|at| at <= now) {
            Lateness::Warning
        } else {
            Lateness::OnTime
        }
    }
}
