//! The JSON of the API: its own structs, so that neither core's types nor the store's rows are bound by it.

use parapet_core as core;
use parapet_core::{BBox, Point, Timestamp};
use parapet_store as store;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

macro_rules! mirror {
    ($($(#[$doc:meta])* $name:ident of $of:path { $($(#[$variant_doc:meta])* $variant:ident),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }
        impl From<$of> for $name {
            fn from(value: $of) -> Self {
                match value { $(<$of>::$variant => Self::$variant),+ }
            }
        }
        impl From<$name> for $of {
            fn from(value: $name) -> Self {
                match value { $($name::$variant => Self::$variant),+ }
            }
        }
    )+};
}

mirror! {
    /// State of a camera.
    HealthState of core::HealthState {
        /// Trying to connect.
        Connecting,
        /// Frames come and change.
        Streaming,
        /// The picture stands still.
        Frozen,
        /// No frames.
        Offline,
        /// Switched off.
        Disabled,
    }
    /// Why a camera's state changed.
    HealthEvent of core::HealthEvent {
        /// The first frame of a run came.
        Connected,
        /// The source ended the stream.
        EndOfStream,
        /// The stream broke or was refused.
        Failed,
        /// Nothing came for too long.
        Silent,
        /// The same picture came for too long.
        Froze,
        /// Its settings were changed.
        Reconfigured,
        /// Its thread was started again.
        Crashed,
    }
    /// Course of an incident, as the node sees it.
    Phase of core::Phase {
        /// Just decided.
        Started,
        /// Goes on.
        Updated,
        /// Over.
        Ended,
    }
    /// State of an incident in people's work.
    Status of core::Status {
        /// Nobody has judged it.
        New,
        /// A violation.
        Confirmed,
        /// No violation.
        Dismissed,
        /// A case.
        Filed,
        /// With a department.
        Dispatched,
        /// Reported as done.
        Handled,
        /// Checked on the spot.
        Verified,
        /// Done.
        Closed,
    }
    /// How pressing an incident is.
    Severity of core::Severity {
        /// For the record.
        Low,
        /// Ordinary.
        Medium,
        /// Look now.
        High,
    }
    /// Why an incident ended.
    EndReason of core::EndReason {
        /// The thing left.
        Cleared,
        /// The rule's hours ended.
        OutOfSchedule,
        /// The node restarted.
        Interrupted,
        /// Rule, zone or camera changed.
        Reconfigured,
        /// The recording ended.
        EndOfRecording,
    }
    /// What a file of evidence shows.
    EvidenceRole of core::EvidenceRole {
        /// The frame at the decision.
        Snapshot,
        /// The same with the suspicion drawn on it.
        Annotated,
        /// The place before.
        Before,
        /// The place after.
        After,
        /// Video.
        Clip,
    }
    /// What the ground in a zone is for.
    ZonePurpose of core::ZonePurpose {
        /// Bays for bikes.
        Bay,
        /// Nothing may stand here.
        Forbidden,
        /// Carriageway.
        Roadway,
        /// Sidewalk.
        Sidewalk,
        /// Fire lane.
        FireLane,
        /// Roof.
        Roof,
        /// Any other area.
        Area,
        /// Left out.
        Ignore,
    }
}

/// A camera and how it is doing.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Camera {
    /// Its id.
    pub camera: String,
    /// Its site.
    pub site: String,
    /// The node that runs it.
    pub node: String,
    /// Its name for people.
    #[schema(required)]
    pub name: Option<String>,
    /// Its state, as the node last said.
    pub state: HealthState,
    /// What led to this state, if that is known.
    #[schema(required)]
    pub event: Option<HealthEvent>,
    /// Since when it has been in this state.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Reconnects since it was started.
    pub reconnects: u64,
    /// What the source said.
    #[schema(required)]
    pub detail: Option<String>,
    /// Whether its node is connected; without it the state may be out of date.
    pub node_online: bool,
    /// Width of the analysed picture in pixels.
    #[schema(required)]
    pub width: Option<u32>,
    /// Height of the analysed picture in pixels.
    #[schema(required)]
    pub height: Option<u32>,
    /// Frames analysed per second.
    #[schema(required)]
    pub analysed_fps: Option<f32>,
    /// The picture is composed, not filmed.
    pub synthetic: bool,
    /// Its zones.
    pub zones: Vec<CameraZone>,
    /// Its rules.
    pub rules: Vec<CameraRule>,
}

/// A zone of a camera.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CameraZone {
    /// Its id, unique within the camera.
    pub id: String,
    /// What it is for.
    pub purpose: ZonePurpose,
    /// Corners `[x, y]`, normalized 0..=1, y down.
    #[schema(value_type = Vec<[f32; 2]>)]
    pub polygon: Vec<Point>,
}

/// A rule of a camera.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CameraRule {
    /// Its id, unique within the camera.
    pub id: String,
    /// Code of the kind that it flags.
    pub kind: String,
    /// Zones that it looks at.
    #[serde(default)]
    pub zones: Vec<String>,
    /// How long a thing may stand, in seconds.
    #[serde(default)]
    #[schema(required)]
    pub limit_seconds: Option<f64>,
}

/// A machine that runs cameras.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Node {
    /// Its id.
    pub node: String,
    /// Its site.
    pub site: String,
    /// Whether it is connected to the bus.
    pub online: bool,
    /// When it said so.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// When its program was started.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// Version of its program.
    pub version: String,
    /// Its cameras.
    pub cameras: Vec<String>,
}

/// A suspected violation, for a person to check.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Incident {
    /// Its id (UUID).
    pub id: String,
    /// The site.
    pub site: String,
    /// The node that raised it.
    pub node: String,
    /// The camera.
    pub camera: String,
    /// The preset of a dome.
    #[schema(required)]
    pub preset: Option<String>,
    /// Code of its kind.
    pub kind: String,
    /// The rule that found it.
    pub rule: String,
    /// The zone.
    #[schema(required)]
    pub zone: Option<String>,
    /// How pressing it is.
    pub severity: Severity,
    /// Its course, written by the node.
    pub phase: Phase,
    /// Its state in people's work.
    pub status: Status,
    /// Number of its latest event.
    pub sequence: u32,
    /// Since when it has held.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// When it was raised.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// Capture time of its latest event.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub ended_at: Option<Timestamp>,
    /// Why it ended.
    #[schema(required)]
    pub end_reason: Option<EndReason>,
    /// Class of the thing.
    #[schema(required)]
    pub label: Option<String>,
    /// Where it is: `[x_min, y_min, x_max, y_max]`, normalized.
    #[schema(value_type = [f32; 4])]
    pub bbox: BBox,
    /// Its outline, normalized.
    #[schema(value_type = Option<Vec<[f32; 2]>>, required)]
    pub outline: Option<Vec<Point>>,
    /// How many things it stands for.
    pub count: u32,
    /// Confidence, 0..=1.
    pub score: f32,
    /// Fraction of the zone that is covered.
    #[schema(required)]
    pub covered: Option<f32>,
    /// When the center got its first event.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
    /// Who judged it last.
    #[schema(required)]
    pub judged_by: Option<String>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub judged_at: Option<Timestamp>,
    /// Why it was dismissed: a reason's code, perhaps followed by `: ` and a note.
    #[schema(required)]
    pub reason: Option<String>,
    /// Evidence that there is.
    pub evidence: Vec<EvidenceRole>,
}

/// Some incidents and where to go on.
#[derive(Debug, Serialize, ToSchema)]
pub struct IncidentPage {
    /// Newest first.
    pub incidents: Vec<Incident>,
    /// Give it as `cursor` to get the next page; `null` at the end.
    #[schema(required)]
    pub next: Option<String>,
}

/// An incident with its history and evidence.
#[derive(Debug, Serialize, ToSchema)]
pub struct IncidentDetail {
    /// The incident as it stands.
    pub incident: Incident,
    /// What the node reported, in order.
    pub events: Vec<IncidentEvent>,
    /// Files that prove it.
    pub evidence: Vec<Evidence>,
    /// What people did.
    pub audit: Vec<Audit>,
}

/// One event in the life of an incident.
#[derive(Debug, Serialize, ToSchema)]
pub struct IncidentEvent {
    /// Its id (UUID).
    pub event_id: String,
    /// Its number in the incident.
    pub sequence: u32,
    /// What happened.
    pub phase: Phase,
    /// Capture time of the frame that decided it.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// When the center got it.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
    /// Why it ended.
    #[schema(required)]
    pub end_reason: Option<EndReason>,
    /// Where the thing was.
    #[schema(value_type = [f32; 4])]
    pub bbox: BBox,
    /// How many things.
    pub count: u32,
    /// Confidence, 0..=1.
    pub score: f32,
    /// Fraction of the zone that is covered.
    #[schema(required)]
    pub covered: Option<f32>,
}

/// One file of evidence.
#[derive(Debug, Serialize, ToSchema)]
pub struct Evidence {
    /// What it shows.
    pub role: EvidenceRole,
    /// MIME type.
    pub media_type: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256, lower-case hex.
    pub sha256: String,
    /// When it was complete.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
}

/// Something that a person did.
#[derive(Debug, Serialize, ToSchema)]
pub struct Audit {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Who.
    pub operator: String,
    /// What: `confirmed`, `dismissed`, …
    pub action: String,
    /// Why.
    #[schema(required)]
    pub reason: Option<String>,
}

/// What an operator says about an incident.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(tag = "verdict", rename_all = "snake_case", deny_unknown_fields)]
pub enum VerdictRequest {
    /// It is a violation.
    Confirm {
        /// In the operator's words.
        #[serde(default)]
        #[schema(max_length = 300)]
        note: Option<String>,
    },
    /// It is not.
    Dismiss {
        /// Why not.
        reason: DismissReason,
        /// In the operator's words.
        #[serde(default)]
        #[schema(max_length = 300)]
        note: Option<String>,
    },
    /// The verdict before was a mistake.
    Withdraw {
        /// In the operator's words.
        #[serde(default)]
        #[schema(max_length = 300)]
        note: Option<String>,
    },
}

/// Why an incident is dismissed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DismissReason {
    /// Rightly seen, but allowed in itself.
    NotAViolation,
    /// Taken for something that it is not.
    WrongObject,
    /// Somebody permitted it.
    Permitted,
    /// The same as another incident.
    Duplicate,
    /// Nobody can tell from this picture.
    PoorPicture,
    /// Any other reason.
    Other,
}

impl DismissReason {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::NotAViolation => "not_a_violation",
            Self::WrongObject => "wrong_object",
            Self::Permitted => "permitted",
            Self::Duplicate => "duplicate",
            Self::PoorPicture => "poor_picture",
            Self::Other => "other",
        }
    }
}

/// A kind of incident in the catalogue.
#[derive(Debug, Serialize, ToSchema)]
pub struct Kind {
    /// Its code.
    pub code: String,
    /// Its name in Chinese.
    pub name_zh: String,
    /// Its name in English.
    pub name_en: String,
}

/// How much there is of everything.
#[derive(Debug, Serialize, ToSchema)]
pub struct Stats {
    /// Incidents that nobody has judged.
    pub to_check: u64,
    /// Incidents that go on.
    pub open: u64,
    /// All incidents.
    pub incidents: u64,
    /// Incidents by kind, state and course.
    pub counts: Vec<Count>,
    /// Cameras.
    pub cameras: u64,
    /// Cameras that stream, on nodes that are connected.
    pub cameras_streaming: u64,
    /// Nodes.
    pub nodes: u64,
    /// Nodes that are connected.
    pub nodes_online: u64,
}

/// Incidents of one kind in one state.
#[derive(Debug, Serialize, ToSchema)]
pub struct Count {
    /// Code of the kind.
    pub kind: String,
    /// State in people's work.
    pub status: Status,
    /// Whether they go on.
    pub open: bool,
    /// How many.
    pub count: u64,
}

impl From<store::IncidentRow> for Incident {
    fn from(row: store::IncidentRow) -> Self {
        Self {
            id: row.id.to_string(),
            site: row.site.into(),
            node: row.node.into(),
            camera: row.camera.into(),
            preset: row.preset.map(Into::into),
            kind: row.kind.into(),
            rule: row.rule.into(),
            zone: row.zone.map(Into::into),
            severity: row.severity.into(),
            phase: row.phase.into(),
            status: row.status.into(),
            sequence: row.sequence,
            since: row.since,
            started_at: row.started_at,
            updated_at: row.updated_at,
            ended_at: row.ended_at,
            end_reason: row.end_reason.map(Into::into),
            label: row.label.map(|label| label.as_str().to_owned()),
            bbox: row.bbox,
            outline: row.outline,
            count: row.count,
            score: row.score,
            covered: row.covered,
            received_at: row.received_at,
            judged_by: row.judged_by,
            judged_at: row.judged_at,
            reason: row.reason,
            evidence: row.evidence.into_iter().map(Into::into).collect(),
        }
    }
}
