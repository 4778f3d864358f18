//! The JSON of the API: its own structs, so that neither core's types nor the store's rows are bound by it.

use parapet_core as core;
use parapet_core::{BBox, Point, Timestamp};
use parapet_store as store;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    case_shape::CatalogueKind,
    hold::{Deletion, Hold},
};

macro_rules! mirror {
    ($($(#[$doc:meta])* $name:ident of $of:path { $($(#[$variant_doc:meta])* $variant:ident),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub(crate) enum $name { $($(#[$variant_doc])* $variant),+ }
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

pub(crate) use mirror;

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
        /// The picture moves again.
        Thawed,
        /// Its settings were changed.
        Reconfigured,
        /// Its thread was started again.
        Crashed,
        /// A dome does not come back to a preset.
        OffPreset,
        /// A dome comes back to all of its presets again.
        OnPreset,
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
    /// What somebody is at a place.
    Role of core::Role {
        /// Looks on; persons and number plates are blurred.
        Viewer,
        /// Judges incidents in the monitoring room.
        Operator,
        /// Works on cases in the command center.
        Dispatcher,
        /// Reads what everybody did, and changes nothing.
        Auditor,
        /// Sets up everything.
        Administrator,
    }
    /// What can be allowed.
    Permission of core::Permission {
        /// Cameras, incidents and cases, with persons and number plates blurred.
        See,
        /// Pictures as they were taken, and clips.
        SeeClear,
        /// Private areas of pictures, too, and clips in which there are any; it takes `see_clear` as well.
        Unseal,
        /// Confirming and dismissing incidents.
        Judge,
        /// Opening and joining cases.
        File,
        /// Accepting, sending, checking, suspending and closing cases.
        Dispatch,
        /// Answering hand-over orders.
        Answer,
        /// Reading who did what, and what proves it.
        Audit,
        /// Catalogue, calendar, departments, cameras and zones.
        Configure,
        /// People and programs, and what they may do.
        ManageUsers,
        /// Deleting evidence; it always takes two persons.
        Delete,
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
        /// Not for people's eyes.
        Private,
    }
}

/// A camera and how it is doing.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the names of the JSON")]
pub(crate) struct Camera {
    /// Its id.
    pub(crate) camera: String,
    /// Its site.
    pub(crate) site: String,
    /// The node that runs it.
    pub(crate) node: String,
    /// Its name for people.
    #[schema(required)]
    pub(crate) name: Option<String>,
    /// Its state, as the node last said.
    pub(crate) state: HealthState,
    /// What led to this state, if that is known.
    #[schema(required)]
    pub(crate) event: Option<HealthEvent>,
    /// Since when it has been in this state.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) at: Timestamp,
    /// Reconnects since it was started.
    pub(crate) reconnects: u64,
    /// What the source said.
    #[schema(required)]
    pub(crate) detail: Option<String>,
    /// Whether its node is connected; without it the state may be out of date.
    pub(crate) node_online: bool,
    /// Width of the analysed picture in pixels.
    #[schema(required)]
    pub(crate) width: Option<u32>,
    /// Height of the analysed picture in pixels.
    #[schema(required)]
    pub(crate) height: Option<u32>,
    /// Frames analysed per second.
    #[schema(required)]
    pub(crate) analysed_fps: Option<f32>,
    /// The picture is composed, not filmed.
    pub(crate) synthetic: bool,
    /// Some of what it sees is private: a mosaic in pictures, and no clips, for who may not unseal it.
    pub(crate) private: bool,
    /// Its zones.
    pub(crate) zones: Vec<CameraZone>,
    /// Its rules.
    pub(crate) rules: Vec<CameraRule>,
}

/// A zone of a camera.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct CameraZone {
    /// Its id, unique within the camera.
    pub(crate) id: String,
    /// What it is for.
    pub(crate) purpose: ZonePurpose,
    /// Corners `[x, y]`, normalized 0..=1, y down.
    #[schema(value_type = Vec<[f32; 2]>)]
    pub(crate) polygon: Vec<Point>,
}

/// A rule of a camera.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct CameraRule {
    /// Its id, unique within the camera.
    pub(crate) id: String,
    /// Code of the kind that it flags.
    pub(crate) kind: String,
    /// Zones that it looks at.
    #[serde(default)]
    pub(crate) zones: Vec<String>,
    /// How long a thing may stand, in seconds.
    #[serde(default)]
    #[schema(required)]
    pub(crate) limit_seconds: Option<f64>,
}

/// A machine that runs cameras.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the names of the JSON")]
pub(crate) struct Node {
    /// Its id.
    pub(crate) node: String,
    /// Its site.
    pub(crate) site: String,
    /// Whether it is connected to the bus.
    pub(crate) online: bool,
    /// When it said so.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) at: Timestamp,
    /// When its program was started.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) started_at: Timestamp,
    /// Version of its program.
    pub(crate) version: String,
    /// Its cameras.
    pub(crate) cameras: Vec<String>,
}

/// A suspected violation, for a person to check.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Incident {
    /// Its id (UUID).
    pub(crate) id: String,
    /// The site.
    pub(crate) site: String,
    /// The node that raised it.
    pub(crate) node: String,
    /// The camera.
    pub(crate) camera: String,
    /// The preset of a dome.
    #[schema(required)]
    pub(crate) preset: Option<String>,
    /// Code of its kind.
    pub(crate) kind: String,
    /// The rule that found it.
    pub(crate) rule: String,
    /// The zone.
    #[schema(required)]
    pub(crate) zone: Option<String>,
    /// How pressing it is.
    pub(crate) severity: Severity,
    /// Its course, written by the node.
    pub(crate) phase: Phase,
    /// Its state in people's work.
    pub(crate) status: Status,
    /// Number of its latest event.
    pub(crate) sequence: u32,
    /// Since when it has held.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) since: Timestamp,
    /// When it was raised.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) started_at: Timestamp,
    /// Capture time of its latest event.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) updated_at: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub(crate) ended_at: Option<Timestamp>,
    /// Why it ended.
    #[schema(required)]
    pub(crate) end_reason: Option<EndReason>,
    /// Class of the thing.
    #[schema(required)]
    pub(crate) label: Option<String>,
    /// Where it is: `[x_min, y_min, x_max, y_max]`, normalized.
    #[schema(value_type = [f32; 4])]
    pub(crate) bbox: BBox,
    /// Its outline, normalized.
    #[schema(value_type = Option<Vec<[f32; 2]>>, required)]
    pub(crate) outline: Option<Vec<Point>>,
    /// How many things it stands for.
    pub(crate) count: u32,
    /// Confidence, 0..=1.
    pub(crate) score: f32,
    /// Fraction of the zone that is covered.
    #[schema(required)]
    pub(crate) covered: Option<f32>,
    /// Where on the earth it is, if that is known.
    #[schema(required)]
    pub(crate) place: Option<Place>,
    /// The incident that this one is another sighting of.
    #[schema(required)]
    pub(crate) same_as: Option<String>,
    /// The case that it is a part of.
    #[schema(required)]
    pub(crate) case_id: Option<String>,
    /// Kept out of the queue by a mute.
    pub(crate) muted: bool,
    /// Who looks at it in the review queue.
    #[schema(required)]
    pub(crate) claimed_by: Option<String>,
    /// When the center got its first event.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) received_at: Timestamp,
    /// Who judged it last.
    #[schema(required)]
    pub(crate) judged_by: Option<String>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub(crate) judged_at: Option<Timestamp>,
    /// Why it was dismissed: a reason's code, perhaps followed by `: ` and a note.
    #[schema(required)]
    pub(crate) reason: Option<String>,
    /// Evidence that there is.
    pub(crate) evidence: Vec<EvidenceRole>,
}

/// A place on the earth (WGS84).
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Place {
    /// Degrees north.
    pub(crate) latitude: f64,
    /// Degrees east.
    pub(crate) longitude: f64,
    /// Standard deviation of the place in any direction.
    pub(crate) uncertainty_meters: f32,
    /// Building of the site.
    #[schema(required)]
    pub(crate) building: Option<String>,
    /// How large it is on the ground or roof.
    #[schema(required)]
    pub(crate) area_square_meters: Option<f32>,
}

impl From<core::geo::Place> for Place {
    fn from(place: core::geo::Place) -> Self {
        let core::geo::Position { point, uncertainty_meters } = place.position;
        Self {
            latitude: point.latitude,
            longitude: point.longitude,
            uncertainty_meters,
            building: place.building.map(Into::into),
            area_square_meters: place.area_square_meters,
        }
    }
}

/// Some incidents and where to go on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IncidentPage {
    /// Newest first.
    pub(crate) incidents: Vec<Incident>,
    /// Give it as `cursor` to get the next page; `null` at the end.
    #[schema(required)]
    pub(crate) next: Option<String>,
}

/// An incident with its history and evidence.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IncidentDetail {
    /// The incident as it stands.
    pub(crate) incident: Incident,
    /// What other cameras and drones told of the same thing, oldest first.
    pub(crate) sightings: Vec<Incident>,
    /// What the node reported, in order.
    pub(crate) events: Vec<IncidentEvent>,
    /// Files that prove it.
    pub(crate) evidence: Vec<Evidence>,
    /// What people did.
    pub(crate) audit: Vec<Audit>,
    /// Whether its files must stay: by a hold, an open case, or as another sighting of such an incident.
    pub(crate) held: bool,
    /// The holds on it and on its case.
    pub(crate) holds: Vec<Hold>,
    /// The deletion of its files that waits for a second person.
    #[schema(required)]
    pub(crate) deletion: Option<Deletion>,
}

/// One event in the life of an incident.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IncidentEvent {
    /// Its id (UUID).
    pub(crate) event_id: String,
    /// Its number in the incident.
    pub(crate) sequence: u32,
    /// What happened.
    pub(crate) phase: Phase,
    /// Capture time of the frame that decided it.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) at: Timestamp,
    /// When the center got it.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) received_at: Timestamp,
    /// Why it ended.
    #[schema(required)]
    pub(crate) end_reason: Option<EndReason>,
    /// Where the thing was.
    #[schema(value_type = [f32; 4])]
    pub(crate) bbox: BBox,
    /// How many things.
    pub(crate) count: u32,
    /// Confidence, 0..=1.
    pub(crate) score: f32,
    /// Fraction of the zone that is covered.
    #[schema(required)]
    pub(crate) covered: Option<f32>,
}

/// One file of evidence.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Evidence {
    /// What it shows.
    pub(crate) role: EvidenceRole,
    /// MIME type.
    pub(crate) media_type: String,
    /// Size in bytes.
    pub(crate) bytes: u64,
    /// SHA-256, lower-case hex.
    pub sha256: String,
    /// When it was complete.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) at: Timestamp,
    /// That two people have deleted it.
    #[schema(required)]
    pub(crate) deleted: Option<Deleted>,
}

/// That two people have deleted a file.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Deleted {
    /// Who asked for it.
    pub(crate) asked_by: String,
    /// Who approved.
    pub(crate) approved_by: String,
    /// When it was approved.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) at: Timestamp,
}

/// Something that a person did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Audit {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) at: Timestamp,
    /// Who.
    pub(crate) operator: String,
    /// What: `confirmed`, `dismissed`, …
    pub(crate) action: String,
    /// Why.
    #[schema(required)]
    pub(crate) reason: Option<String>,
}

/// What an operator says about an incident.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(tag = "verdict", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum VerdictRequest {
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
pub(crate) enum DismissReason {
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
pub(crate) struct Kind {
    /// Its code.
    pub(crate) code: String,
    /// All else.
    #[serde(flatten)]
    pub(crate) data: CatalogueKind,
}

/// How much there is of everything.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Stats {
    /// Incidents that nobody has judged.
    pub(crate) to_check: u64,
    /// Incidents that go on.
    pub(crate) open: u64,
    /// All incidents.
    pub(crate) incidents: u64,
    /// Incidents by kind, state and course.
    pub(crate) counts: Vec<Count>,
    /// Cameras.
    pub(crate) cameras: u64,
    /// Cameras that stream, on nodes that are connected.
    pub(crate) cameras_streaming: u64,
    /// Nodes.
    pub(crate) nodes: u64,
    /// Nodes that are connected.
    pub(crate) nodes_online: u64,
}

/// Incidents of one kind in one state.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the names of the JSON")]
pub(crate) struct Count {
    /// Code of the kind.
    pub(crate) kind: String,
    /// State in people's work.
    pub(crate) status: Status,
    /// Whether they go on.
    pub(crate) open: bool,
    /// How many.
    pub(crate) count: u64,
}

impl Incident {
    /// An incident with the files that there are of it.
    pub(crate) fn new(row: store::IncidentRow, evidence: &[store::StoredEvidence]) -> Self {
        let mut roles: Vec<core::EvidenceRole> = evidence.iter().map(|stored| stored.item.role).collect();
        roles.sort_unstable();
        roles.dedup();
        Self::with_roles(row, roles)
    }

    /// An incident with the roles of its files, in order and each once.
    pub(crate) fn with_roles(row: store::IncidentRow, roles: Vec<core::EvidenceRole>) -> Self {
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
            place: row.place.map(Into::into),
            same_as: row.same_as.map(|id| id.to_string()),
            case_id: row.case.map(|id| id.to_string()),
            muted: row.muted_by.is_some(),
            claimed_by: None,
            received_at: row.received_at,
            judged_by: row.judged_by,
            judged_at: row.judged_at,
            reason: row.reason,
            evidence: roles.into_iter().map(Into::into).collect(),
        }
    }
}
