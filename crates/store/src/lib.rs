//! What lasts: the center's incidents, cases, evidence index, health and audit in SQLite or PostgreSQL, and a node's outbox in
//! SQLite.
//!
//! No clock and no bus in here: times are handed in, and records are core's nouns.

mod case;
mod choice;
mod database;
mod error;
mod hold;
mod incident;
mod lease;
mod outbox;
mod proof;
mod record;
mod room;
mod sighting;
mod status;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod user;

pub use case::{
    AnswerRow, CaseCount, CaseDetail, CaseExtra, CasePage, CaseQuery, CaseRow, DeliveryRow, DepartmentRow,
    HistoryRow, NewAnswer, NewOrder, OrderRow, PictureRow, SettingRow,
};
pub use database::{postgres::Database as PostgresDatabase, sqlite::Database as SqliteDatabase};
pub use error::StoreError;
pub use hold::{Deleted, DeletionRow, HoldRow, HoldSubject};
pub use incident::{
    Count, Cursor, IncidentDetail, IncidentQuery, IncidentRow, InvalidCursor, Page, StoredEvent,
    StoredEvidence, VerdictPage, VerdictQuery,
};
pub use lease::{LeaseClock, LeaseNodeRow, LeaseRow, OpenIncidentRow, ShareRequest, Shared};
pub use outbox::{Outbox, OutboxMessage, OutboxRow, OutboxStats};
pub use proof::{Chain, ChainState};
pub use record::{
    Applied, AuditEntry, AuditQuery, AuditRow, CameraRow, DeadLetterRow, EventRecord, EvidenceRecord,
    HealthRecord, KindRow, NodeRow, RoofRow,
};
pub use room::{CaseTally, DayCount, MuteRow, SiteRow};
pub use status::{StatusChange, allowed};
pub use store::Store;
pub use user::{PasswordHash, SecretHash, SessionRow, TokenRow, UserChange, UserRow};
