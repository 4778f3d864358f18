//! The nouns of Parapet: ids, time, geometry, picture, frame, detection, track, zone, change, incident,
//! evidence, camera health, places on the ground and sites, and the trait beside the noun that it makes.
//!
//! Nothing here does I/O, starts a thread or reads a clock (but for [`time::SystemClock`]).

pub mod access;
pub mod calendar;
pub mod camera;
pub mod case;
pub mod change;
pub mod detection;
pub mod evidence;
pub mod frame;
pub mod geo;
pub mod geometry;
pub mod id;
pub mod incident;
pub mod language;
pub mod ledger;
pub mod picture;
pub mod roof;
pub mod site;
pub mod time;
pub mod track;
pub mod verdict;
pub mod zone;

pub use access::{Access, Grant, Permission, Role, Scope};
pub use calendar::{Allowance, DeadlineUnit, InvalidCalendar, OfficeHours, WorkCalendar};
pub use camera::{CameraHealth, HealthEvent, HealthState};
pub use change::{ChangeDetector, DifferenceRegion, SceneChange, StationaryRegion};
pub use detection::{DetectError, Detection, Detector, Label};
pub use evidence::{EvidenceItem, EvidenceRole, part_of, with_part};
pub use frame::Frame;
pub use geometry::{BBox, Line, Mask, Point, Polygon};
pub use id::{
    BuildingId, CameraId, CaseId, DepartmentId, EventId, FleetId, IncidentId, NodeId, PresetId, RuleId,
    RunId, SiteId, SurveyId, TrackId, UserName, ZoneId,
};
pub use incident::{EndReason, IncidentEvent, IncidentKind, KindCode, Phase, Severity, Status};
pub use language::Language;
pub use picture::{ColorSpace, Picture, Plane};
pub use roof::{RoofHistory, RoofLook, RoofStructure, StructureSighting, StructureState};
pub use time::{Clock, ManualClock, SystemClock, Timestamp};
pub use track::{Track, TrackState};
pub use verdict::{JudgedIncident, Verdict};
pub use zone::{Membership, PrivateAreas, PrivateView, Zone, ZonePurpose};
