//! What goes in and comes out of a store, but for incidents.

use parapet_core::{
    CameraHealth, CameraId, DeadlineUnit, EvidenceItem, HealthState, IncidentEvent, IncidentId, KindCode,
    NodeId, PrivateAreas, RoofHistory, RunId, SiteId, Timestamp,
};
use serde::Serialize;

use crate::choice::storable;

/// Whether a record was news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// It was stored.
    New,
    /// It was there already; nothing changed.
    Duplicate,
}

/// An incident's event and whose it is.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRecord {
    /// The site.
    pub site: SiteId,
    /// The node that decided it.
    pub node: NodeId,
    /// The event.
    pub event: IncidentEvent,
}

/// Files that prove an incident.
#[derive(Debug, Clone, PartialEq)]
pub struct EvidenceRecord {
    /// The site.
    pub site: SiteId,
    /// The node that keeps the files.
    pub node: NodeId,
    /// The camera.
    pub camera: CameraId,
    /// The incident.
    pub incident: IncidentId,
    /// When the files were complete.
    pub at: Timestamp,
    /// The files.
    pub items: Vec<EvidenceItem>,
    /// HTTP address below which the node serves their paths.
    pub base_url: Option<String>,
}

/// A change in a camera's health and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HealthRecord {
    /// The site.
    pub site: SiteId,
    /// The node that runs the camera.
    pub node: NodeId,
    /// The change.
    pub health: CameraHealth,
}

/// Present state of a camera.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CameraRow {
    /// The site.
    pub site: SiteId,
    /// The node that runs it.
    pub node: NodeId,
    /// The camera.
    pub camera: CameraId,
    /// Its name for people.
    pub name: Option<String>,
    /// Its state.
    pub state: HealthState,
    /// Since when.
    pub at: Timestamp,
    /// Its present run.
    pub run: Option<RunId>,
    /// Reconnects since it was started.
    pub reconnects: u64,
    /// What the source said.
    pub detail: Option<String>,
    /// Frames analysed per second, of late.
    pub analysed_fps: Option<f32>,
    /// Width of the analysed picture in pixels.
    pub width: Option<u32>,
    /// Height of the analysed picture in pixels.
    pub height: Option<u32>,
    /// Composed rather than filmed.
    pub synthetic: bool,
    /// Taken out of the node's configuration; [`Store::cameras`](crate::Store::cameras) leaves it out.
    pub removed: bool,
    /// What people are not to see in its pictures.
    pub private: PrivateAreas,
}

/// Present state of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NodeRow {
    /// The site.
    pub site: SiteId,
    /// The node.
    pub node: NodeId,
    /// Connected to the bus.
    pub online: bool,
    /// When it said so.
    pub at: Timestamp,
    /// When its program was started.
    pub started_at: Timestamp,
    /// Version of its program.
    pub version: String,
    /// Its HTTP address.
    pub base_url: Option<String>,
    /// Its cameras.
    pub cameras: Vec<CameraId>,
}

/// What surveys have told of a roof, and who keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct RoofRow {
    /// The site.
    pub site: SiteId,
    /// The node that keeps the surveys.
    pub node: NodeId,
    /// When it said so.
    pub at: Timestamp,
    /// What was told.
    pub history: RoofHistory,
}

/// A kind in the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KindRow {
    /// Its code.
    pub code: KindCode,
    /// Its name in Chinese.
    pub name_zh: String,
    /// Its name in English.
    pub name_en: String,
    /// Code of its category (大类).
    pub category_code: String,
    /// The category's name in Chinese.
    pub category_zh: String,
    /// The category's name in English.
    pub category_en: String,
    /// Its code among all (小类).
    pub class_code: String,
    /// What the law says, in Chinese.
    pub basis_zh: String,
    /// What the law says, in English.
    pub basis_en: String,
    /// How long handling may take, in `deadline_unit`s.
    pub deadline_amount: u32,
    /// Unit of the deadline.
    pub deadline_unit: DeadlineUnit,
    /// Whether it can be filed.
    pub enabled: bool,
}

/// A deed to be put on record.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who: a person's name, or a program's.
    pub actor: String,
    /// What (`incident.status`).
    pub action: String,
    /// To what kind of thing (`incident`).
    pub subject_kind: String,
    /// To which one.
    pub subject_id: String,
    /// What exactly.
    pub detail: serde_json::Value,
}

impl AuditEntry {
    /// A deed of `actor` to one thing.
    pub fn new(
        at: Timestamp,
        actor: &str,
        action: &str,
        subject_kind: &str,
        subject_id: &str,
        detail: serde_json::Value,
    ) -> Self {
        Self {
            at,
            actor: storable(actor),
            action: action.to_owned(),
            subject_kind: subject_kind.to_owned(),
            subject_id: subject_id.to_owned(),
            detail,
        }
    }
}

/// A deed on record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AuditRow {
    /// Number of the row; later deeds have greater ones.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// To what kind of thing.
    pub subject_kind: String,
    /// To which one.
    pub subject_id: String,
    /// What exactly.
    pub detail: serde_json::Value,
}

/// Which deeds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditQuery {
    /// Only those to things of this kind.
    pub subject_kind: Option<String>,
    /// Only those to things of this id.
    pub subject_id: Option<String>,
    /// Only those of this person or program.
    pub actor: Option<String>,
    /// Only such deeds.
    pub action: Option<String>,
    /// Only those at or after.
    pub from: Option<Timestamp>,
    /// Only those before.
    pub to: Option<Timestamp>,
    /// Only those older than this row.
    pub before: Option<i64>,
    /// At most so many, newest first.
    pub limit: u32,
}

/// A payload from the bus that is no message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetterRow {
    /// Number of the row.
    pub id: i64,
    /// When it came.
    pub received_at: Timestamp,
    /// Where it was published.
    pub topic: String,
    /// What it holds.
    pub payload: Vec<u8>,
    /// Why it is no message.
    pub error: String,
}
