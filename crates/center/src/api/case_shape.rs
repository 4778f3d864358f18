//! The JSON of cases, the catalogue and the settings.

use parapet_core as core;
use parapet_core::{Timestamp, case};
use parapet_store as store;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    hold::Hold,
    shape::{Incident, Place, mirror},
};

mirror! {
    /// Where a case is in the work on it, by what was done last.
    CaseStep of case::CaseStep {
        /// 上报.
        Reported,
        /// 立案.
        Accepted,
        /// 派遣.
        Dispatched,
        /// 处置.
        Handled,
        /// 核查.
        Verified,
        /// 结案.
        Closed,
        /// 不予立案.
        Rejected,
        /// Part of another case.
        Merged,
    }
    /// Who answers for a case.
    Level of case::Level {
        /// 网格.
        Grid,
        /// 社区.
        Community,
        /// 街道.
        Street,
        /// 部门.
        Department,
    }
    /// How a case stands against its deadline.
    Lateness of case::Lateness {
        /// There is time.
        OnTime,
        /// The step's time is nearly used up.
        Warning,
        /// A deadline has passed.
        Overdue,
    }
    /// What can be done to a case.
    CaseAction of case::CaseAction {
        /// 上报.
        Report,
        /// 立案.
        Accept,
        /// 不予立案.
        Reject,
        /// 派遣.
        Dispatch,
        /// 退回.
        Return,
        /// 处置反馈.
        Answer,
        /// 核查通过.
        CheckPass,
        /// 核查不通过.
        CheckFail,
        /// 结案.
        Close,
        /// 重新立案.
        Reopen,
        /// 挂起.
        Suspend,
        /// 恢复.
        Resume,
        /// 延期.
        Extend,
        /// 并案.
        Merge,
        /// 关联.
        Link,
        /// 吹哨.
        Escalate,
        /// 预警.
        Warn,
        /// 督办.
        Remind,
        /// 备注.
        Comment,
    }
    /// In what a deadline is counted.
    DeadlineUnit of core::DeadlineUnit {
        /// By the clock.
        Hours,
        /// While offices work.
        WorkingHours,
        /// Of the calendar.
        Days,
        /// On which offices work.
        WorkingDays,
    }
}

/// How long something may take.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Allowance {
    /// How many, 1–10000.
    pub(crate) amount: u32,
    /// Of what.
    pub(crate) unit: DeadlineUnit,
}

impl From<Allowance> for core::Allowance {
    fn from(allowance: Allowance) -> Self {
        Self { amount: allowance.amount, unit: allowance.unit.into() }
    }
}

/// A case.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Case {
    /// Its id.
    pub(crate) id: String,
    /// Its number (`AJ2026-000012`).
    pub(crate) number: String,
    /// Its site.
    pub(crate) site: String,
    /// The camera that saw it.
    #[schema(required)]
    pub(crate) camera: Option<String>,
    /// Code of its kind.
    pub(crate) kind: String,
    /// Where it is in the work.
    pub(crate) step: CaseStep,
    /// Its clocks stand still.
    pub(crate) suspended: bool,
    /// Who answers for it.
    pub(crate) level: Level,
    /// The department that has it.
    #[schema(required)]
    pub(crate) department: Option<String>,
    /// When it was reported.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) opened_at: Timestamp,
    /// By whom.
    pub(crate) opened_by: String,
    /// When anything happened to it last.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) updated_at: Timestamp,
    /// When it was over.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub(crate) closed_at: Option<Timestamp>,
    /// Since when it is at its step.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) step_since: Timestamp,
    /// When the step should be done.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub(crate) step_due: Option<Timestamp>,
    /// When all of it should be done.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub(crate) due: Option<Timestamp>,
    /// How it stands now.
    pub(crate) lateness: Lateness,
    /// Its incidents.
    pub(crate) incidents: Vec<String>,
    /// Where on the earth.
    #[schema(required)]
    pub(crate) place: Option<Place>,
    /// Where, in words.
    #[schema(required)]
    pub(crate) place_text: Option<String>,
    /// What the one who reported it said.
    #[schema(required)]
    pub(crate) note: Option<String>,
    /// How often it was opened again.
    pub(crate) reopened: u32,
    /// The case that it became a part of.
    #[schema(required)]
    pub(crate) merged_into: Option<String>,
    /// The closed case before it at this place.
    #[schema(required)]
    pub(crate) follows: Option<String>,
    /// Number of its latest order.
    #[schema(required)]
    pub(crate) order: Option<String>,
}

impl Case {
    pub(crate) fn new(row: store::CaseRow, now: Timestamp) -> Self {
        let store::CaseRow { case, incidents, order } = row;
        Self {
            id: case.id.to_string(),
            lateness: case.lateness(now).into(),
            number: case.number.to_string(),
            site: case.site.into(),
            camera: case.camera.map(Into::into),
            kind: case.kind.into(),
            step: case.step.into(),
            suspended: case.suspended_at.is_some(),
            level: case.level.into(),
            department: case.department.map(Into::into),
            opened_at: case.opened_at,
            opened_by: case.opened_by,
            updated_at: case.updated_at,
            closed_at: case.closed_at,
            step_since: case.step_since,
            step_due: case.step_due,
            due: case.due,
            incidents: incidents.iter().map(ToString::to_string).collect(),
            place: case.place.map(Into::into),
            place_text: case.place_text,
            note: case.note,
            reopened: case.reopened,
            merged_into: case.merged_into.map(|id| id.to_string()),
            follows: case.follows.map(|id| id.to_string()),
            order: order.map(|order| order.to_string()),
        }
    }
}

/// One deed to a case.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CaseDeed {
    /// Its number in the case.
    pub(crate) sequence: u32,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) at: Timestamp,
    /// Who; `clock` for what deadlines do, `rule:NAME` for a rule.
    pub(crate) actor: String,
    /// What.
    pub(crate) action: CaseAction,
    /// The step before.
    #[schema(required)]
    pub(crate) from: Option<CaseStep>,
    /// The step after.
    pub(crate) to: CaseStep,
    /// Why.
    #[schema(required)]
    pub(crate) reason: Option<String>,
    /// The department that has the case after it.
    #[schema(required)]
    pub(crate) department: Option<String>,
    /// The level that answers for it after it.
    pub(crate) level: Level,
    /// When the step is due after it.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub(crate) due: Option<Timestamp>,
    /// What else belongs to it.
    #[schema(value_type = Object)]
    pub(crate) detail: Value,
}

/// A hand-over order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Order {
    /// Its number (`JB2026-000003`).
    pub(crate) number: String,
    /// To whom.
    pub(crate) department: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) issued_at: Timestamp,
    /// By whom.
    pub(crate) issued_by: String,
    /// Until when.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub(crate) due: Option<Timestamp>,
    /// What is to be done.
    #[schema(required)]
    pub(crate) instruction: Option<String>,
    /// When it was answered.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub(crate) answered_at: Option<Timestamp>,
}

/// What a department answered.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Answer {
    /// Its id.
    pub(crate) id: String,
    /// The order.
    pub(crate) order: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) at: Timestamp,
    /// Who.
    pub(crate) actor: String,
    /// In words.
    pub(crate) text: String,
    /// In pictures.
    pub(crate) pictures: Vec<AnswerPicture>,
}

/// A picture of an answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AnswerPicture {
    /// Its id.
    pub(crate) id: String,
    /// `image/jpeg` or `image/png`.
    pub(crate) media_type: String,
    /// Its size.
    pub(crate) bytes: u64,
    /// Its hash.
    pub(crate) sha256: String,
}

/// A case with everything that belongs to it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CaseDetail {
    /// The case.
    pub(crate) case: Case,
    /// Its incidents.
    pub(crate) incidents: Vec<Incident>,
    /// What was done.
    pub(crate) history: Vec<CaseDeed>,
    /// Its orders.
    pub(crate) orders: Vec<Order>,
    /// Its answers.
    pub(crate) answers: Vec<Answer>,
    /// Cases before it, after it, and those that became a part of it.
    pub(crate) related: Vec<Case>,
    /// What the caller may do to it now.
    pub(crate) actions: Vec<CaseAction>,
    /// Why its evidence stays beyond its end.
    pub(crate) holds: Vec<Hold>,
}

/// How many cases stand how at a step.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CaseCount {
    /// The step.
    pub(crate) step: CaseStep,
    /// How they stand.
    pub(crate) lateness: Lateness,
    /// How many.
    pub(crate) count: u64,
}

/// A page of cases, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CasePage {
    /// The cases.
    pub(crate) cases: Vec<Case>,
    /// Where the next page begins.
    #[schema(required)]
    pub(crate) next: Option<String>,
    /// All that the question is about, whatever their step and lateness.
    pub(crate) counts: Vec<CaseCount>,
}

/// A new case: of incidents, or of what a person saw.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCase {
    /// Incidents of one site and kind; left out for what a person saw.
    #[serde(default)]
    pub(crate) incidents: Vec<String>,
    /// The site, if there is no incident.
    #[serde(default)]
    pub(crate) site: Option<String>,
    /// Code of the kind, if there is no incident.
    #[serde(default)]
    pub(crate) kind: Option<String>,
    /// A camera that shows the place.
    #[serde(default)]
    pub(crate) camera: Option<String>,
    /// Degrees north, WGS84; with `longitude`.
    #[serde(default)]
    #[schema(minimum = -90, maximum = 90)]
    pub(crate) latitude: Option<f64>,
    /// Degrees east, WGS84; with `latitude`.
    #[serde(default)]
    #[schema(minimum = -180, maximum = 180)]
    pub(crate) longitude: Option<f64>,
    /// Where, in words.
    #[serde(default)]
    #[schema(max_length = 300)]
    pub(crate) place_text: Option<String>,
    /// What there is to say.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub(crate) note: Option<String>,
}

/// A deed that is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActionRequest {
    /// What.
    pub(crate) action: CaseAction,
    /// Why.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub(crate) reason: Option<String>,
    /// To which department, with `dispatch`.
    #[serde(default)]
    pub(crate) department: Option<String>,
    /// How much time the department has, with `dispatch` and `check_fail`; how much more, with `extend`.
    #[serde(default)]
    pub(crate) allowance: Option<Allowance>,
    /// Id of the case that it becomes a part of, with `merge`.
    #[serde(default)]
    pub(crate) into: Option<String>,
    /// What the department is to do, with `dispatch`.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub(crate) instruction: Option<String>,
}

/// A kind of the catalogue.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CatalogueKind {
    /// Its name in Chinese.
    #[schema(min_length = 1, max_length = 100)]
    pub(crate) name_zh: String,
    /// Its name in English.
    #[schema(min_length = 1, max_length = 100)]
    pub(crate) name_en: String,
    /// Code of its category (大类).
    #[schema(max_length = 20)]
    pub(crate) category_code: String,
    /// The category in Chinese.
    #[schema(max_length = 100)]
    pub(crate) category_zh: String,
    /// The category in English.
    #[schema(max_length = 100)]
    pub(crate) category_en: String,
    /// Its code among all (小类).
    #[schema(max_length = 20)]
    pub(crate) class_code: String,
    /// What the law says, in Chinese.
    #[schema(max_length = 500)]
    pub(crate) basis_zh: String,
    /// What the law says, in English.
    #[schema(max_length = 500)]
    pub(crate) basis_en: String,
    /// How long handling may take, 1–10000.
    #[schema(minimum = 1, maximum = 10000)]
    pub(crate) deadline_amount: u32,
    /// In what that is counted.
    pub(crate) deadline_unit: DeadlineUnit,
    /// Whether it can be filed.
    pub(crate) enabled: bool,
}

/// An office that handles cases.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DepartmentData {
    /// Its name in Chinese.
    #[schema(min_length = 1, max_length = 100)]
    pub(crate) name_zh: String,
    /// Its name in English.
    #[schema(min_length = 1, max_length = 100)]
    pub(crate) name_en: String,
    /// Its level.
    pub(crate) level: Level,
    /// The office above it.
    #[serde(default)]
    #[schema(required)]
    pub(crate) parent: Option<String>,
    /// Sites that it is there for; empty for all.
    #[serde(default)]
    pub(crate) sites: Vec<String>,
    /// HTTP address that orders to it are posted to.
    #[serde(default)]
    #[schema(required, max_length = 500)]
    pub(crate) webhook: Option<String>,
    /// Whether cases can be sent to it.
    pub(crate) enabled: bool,
}

/// An office with its id.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Department {
    /// Its id.
    pub(crate) id: String,
    /// All else.
    #[serde(flatten)]
    pub(crate) data: DepartmentData,
}
