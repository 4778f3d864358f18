//! Cases as the store keeps them, and how to ask for them.

use parapet_core::{
    CaseId, DepartmentId, IncidentId, KindCode, Scope, SiteId, Timestamp,
    case::{Case, CaseAction, CaseStep, Lateness, Level, Number},
};
use serde_json::Value;
use uuid::Uuid;

/// An office that handles cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DepartmentRow {
    /// Its id.
    pub id: DepartmentId,
    /// Its name in Chinese.
    pub name_zh: String,
    /// Its name in English.
    pub name_en: String,
    /// Its level.
    pub level: Level,
    /// The office above it.
    pub parent: Option<DepartmentId>,
    /// Sites that it is there for; empty for all.
    pub sites: Vec<SiteId>,
    /// HTTP address that orders to it are posted to.
    pub webhook: Option<String>,
    /// Whether cases can be sent to it.
    pub enabled: bool,
}

/// One deed to a case.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryRow {
    /// Its number in the case, from 1.
    pub sequence: u32,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What.
    pub action: CaseAction,
    /// The step before; none for the first deed.
    pub from: Option<CaseStep>,
    /// The step after.
    pub to: CaseStep,
    /// Why.
    pub reason: Option<String>,
    /// The department that has the case after it.
    pub department: Option<DepartmentId>,
    /// The level that answers for the case after it.
    pub level: Level,
    /// When the step is due after it.
    pub due: Option<Timestamp>,
    /// What else belongs to it: the number of an order, the incident that was linked.
    pub detail: Value,
}

/// A hand-over order that is to be issued with a deed.
#[derive(Debug, Clone, PartialEq)]
pub struct NewOrder {
    /// What the department is to do.
    pub instruction: Option<String>,
    /// Everything that is printed, as it is now.
    pub document: Value,
    /// Where the order goes besides: each gets the order's message, made from it.
    pub targets: Vec<String>,
}

/// A hand-over order as it was issued.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderRow {
    /// Its number.
    pub number: Number,
    /// The case.
    pub case: CaseId,
    /// To whom.
    pub department: DepartmentId,
    /// When.
    pub issued_at: Timestamp,
    /// By whom.
    pub issued_by: String,
    /// Until when.
    pub due: Option<Timestamp>,
    /// What is to be done.
    pub instruction: Option<String>,
    /// Everything that is printed.
    pub document: Value,
}

/// What a department answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAnswer {
    /// In words.
    pub text: String,
    /// In pictures.
    pub pictures: Vec<PictureRow>,
}

/// A picture of an answer; its file is the center's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureRow {
    /// Its identity.
    pub id: Uuid,
    /// `image/jpeg` or `image/png`.
    pub media_type: String,
    /// Its size.
    pub bytes: u64,
    /// Its hash.
    pub sha256: String,
}

/// An answer on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerRow {
    /// Its identity.
    pub id: Uuid,
    /// The order that it answers.
    pub order: Number,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// In words.
    pub text: String,
    /// In pictures.
    pub pictures: Vec<PictureRow>,
}

/// What goes with a deed, in its transaction.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum CaseExtra {
    /// Nothing.
    #[default]
    None,
    /// An order, with [`CaseAction::Dispatch`].
    Order(NewOrder),
    /// An answer, with [`CaseAction::Answer`].
    Answer(NewAnswer),
    /// An incident that becomes a part of the case, with [`CaseAction::Link`] or [`CaseAction::Reopen`].
    Incident(IncidentId),
}

/// A case with everything that belongs to it.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseDetail {
    /// The case.
    pub case: Case,
    /// Its incidents, oldest first.
    pub incidents: Vec<IncidentId>,
    /// What was done, in order.
    pub history: Vec<HistoryRow>,
    /// Its orders, oldest first.
    pub orders: Vec<OrderRow>,
    /// Its answers, oldest first.
    pub answers: Vec<AnswerRow>,
    /// The case before it, those that became a part of it, and those that follow it.
    pub related: Vec<CaseRow>,
}

impl CaseDetail {
    /// The case as lists have it.
    pub fn row(&self) -> CaseRow {
        CaseRow {
            case: self.case.clone(),
            incidents: self.incidents.clone(),
            order: self.orders.last().map(|order| order.number.clone()),
        }
    }
}

/// A case in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseRow {
    /// The case.
    pub case: Case,
    /// Its incidents, oldest first.
    pub incidents: Vec<IncidentId>,
    /// Number of its latest order.
    pub order: Option<Number>,
}

/// Which cases. What is `None` does not narrow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseQuery {
    /// At this site.
    pub site: Option<SiteId>,
    /// That the reader may see.
    pub scope: Scope,
    /// Of this kind.
    pub kind: Option<KindCode>,
    /// At this step.
    pub step: Option<CaseStep>,
    /// With this department.
    pub department: Option<DepartmentId>,
    /// Standing so against its deadline, at `now`.
    pub lateness: Option<Lateness>,
    /// Open, or over.
    pub open: Option<bool>,
    /// Reported at or after.
    pub from: Option<Timestamp>,
    /// Reported before.
    pub to: Option<Timestamp>,
    /// With this text in its number, place, note, camera or site.
    pub text: Option<String>,
    /// What time it is.
    pub now: Timestamp,
    /// At most so many, 1..=500.
    pub limit: u32,
    /// After this place in the list: time of report in microseconds, and case.
    pub cursor: Option<(i64, CaseId)>,
}

impl CaseQuery {
    /// All, 50 at a time.
    pub fn at(now: Timestamp) -> Self {
        Self {
            site: None,
            scope: Scope::All,
            kind: None,
            step: None,
            department: None,
            lateness: None,
            open: None,
            from: None,
            to: None,
            text: None,
            now,
            limit: 50,
            cursor: None,
        }
    }
}

/// Some cases, newest report first.
#[derive(Debug, Clone, PartialEq)]
pub struct CasePage {
    /// The cases.
    pub cases: Vec<CaseRow>,
    /// Where the next page begins, if there is one.
    pub next: Option<(i64, CaseId)>,
}

/// How many cases are at a step, and how they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaseCount {
    /// The step.
    pub step: CaseStep,
    /// How they stand.
    pub lateness: Lateness,
    /// How many.
    pub count: u64,
}

/// What goes out to another platform.
#[derive(Debug, Clone, PartialEq)]
pub struct DeliveryRow {
    /// Number of the row.
    pub id: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// An HTTP address, or `bus:TOPIC`.
    pub target: String,
    /// What goes there.
    pub document: Value,
    /// How often it was tried.
    pub attempts: u32,
    /// What came of the last attempt.
    pub error: Option<String>,
}

/// A part of the settings, and who chose it.
#[derive(Debug, Clone, PartialEq)]
pub struct SettingRow {
    /// Its name.
    pub name: String,
    /// The choice.
    pub document: Value,
    /// When it was made.
    pub changed_at: Timestamp,
    /// By whom.
    pub changed_by: String,
}
