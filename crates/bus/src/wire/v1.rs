//! Version 1 on the wire: what JSON Schema in `schema/` and the samples in `fixtures/wire/v1` describe.
//!
//! Fields may be added as optional ones; none may be renamed, removed or change its meaning. Unknown fields are ignored.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Value of `schema` in an [`Incident`].
pub const INCIDENT: &str = "parapet.incident.v1";
/// Value of `schema` in an [`Evidence`].
pub const EVIDENCE: &str = "parapet.evidence.v1";
/// Value of `schema` in a [`Health`].
pub const HEALTH: &str = "parapet.health.v1";
/// Value of `schema` in a [`CameraStatus`].
pub const CAMERA_STATUS: &str = "parapet.camera_status.v1";
/// Value of `schema` in a [`NodeStatus`].
pub const NODE_STATUS: &str = "parapet.node_status.v1";

/// Value of `schema` in a [`Roof`].
pub const ROOF: &str = "parapet.roof.v1";
/// Value of `schema` in a [`Resync`].
pub const RESYNC: &str = "parapet.resync.v1";
/// Value of `schema` in an [`Order`].
pub const ORDER: &str = "parapet.order.v1";

/// One event in the life of an incident, published once for its start, any number of times for updates and once for its end.
///
/// Delivered at least once and perhaps out of order: deduplicate by `event_id`, order by `sequence` within `incident_id`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "parapet.incident.v1")]
pub struct Incident {
    /// Always `parapet.incident.v1`.
    #[schemars(extend("const" = "parapet.incident.v1"))]
    pub schema: String,
    /// Site (compound).
    pub site: String,
    /// Machine that runs the camera.
    pub node: String,
    /// Identity of the event (UUID).
    pub event_id: String,
    /// Identity of the incident (UUID).
    pub incident_id: String,
    /// Number of the event in its incident, from 0.
    pub sequence: u32,
    /// `started`, `updated` or `ended`.
    pub phase: String,
    /// Code of the kind, such as `misparked_ebike`.
    pub kind: String,
    /// `low`, `medium` or `high`.
    pub severity: String,
    /// Camera.
    pub camera: String,
    /// Preset of a dome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// Connection to the camera that the deciding frame came over (UUID).
    pub run_id: String,
    /// Rule that found it.
    pub rule: String,
    /// Zone, if the rule has zones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Capture time of the frame that decided this event (RFC 3339, UTC).
    #[schemars(extend("format" = "date-time"))]
    pub at: String,
    /// Since when it has held: when the thing came to rest, before the limit ran out (RFC 3339, UTC).
    #[schemars(extend("format" = "date-time"))]
    pub since_at: String,
    /// Capture time of the frame that decided the start (RFC 3339, UTC).
    #[schemars(extend("format" = "date-time"))]
    pub started_at: String,
    /// When it ended; only with `ended` (RFC 3339, UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub ended_at: Option<String>,
    /// Why it ended; only with `ended`: `cleared`, `out_of_schedule`, `interrupted`, `reconfigured` or `end_of_recording`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_reason: Option<String>,
    /// Class of the thing, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Number of the thing's track in its run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub track: Option<u64>,
    /// Where it is: `[x_min, y_min, x_max, y_max]` in fractions of the frame, y down.
    pub bbox: [f32; 4],
    /// Its outline as `[x, y]` points in fractions of the frame, where it is known better than by its box.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outline: Option<Vec<[f32; 2]>>,
    /// How many things it stands for.
    #[serde(default = "one")]
    pub count: u32,
    /// Confidence, 0..=1.
    pub score: f32,
    /// Fraction of the zone that is covered, 0..=1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covered_fraction: Option<f32>,
    /// Where on the earth it is, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// A place on the earth (WGS84).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Standard deviation of the place in any direction.
    pub uncertainty_meters: f32,
    /// Building of the site that it is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub building: Option<String>,
    /// How large it is on the ground or roof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area_square_meters: Option<f32>,
}

fn one() -> u32 {
    1
}

/// One file of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EvidenceItem {
    /// `snapshot`, `annotated`, `before`, `after` or `clip`.
    pub role: String,
    /// Path below `base_url`, with `/`.
    pub path: String,
    /// MIME type.
    pub media_type: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of the file, lower-case hex.
    pub sha256: String,
}

/// Which files prove an incident and where they are. Published when files have been written; more than once if files follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "parapet.evidence.v1")]
pub struct Evidence {
    /// Always `parapet.evidence.v1`.
    #[schemars(extend("const" = "parapet.evidence.v1"))]
    pub schema: String,
    /// Site (compound).
    pub site: String,
    /// Machine that keeps the files.
    pub node: String,
    /// Camera.
    pub camera: String,
    /// The incident (UUID).
    pub incident_id: String,
    /// When the files were complete (RFC 3339, UTC).
    #[schemars(extend("format" = "date-time"))]
    pub at: String,
    /// HTTP address under which the node serves the paths, ending in `/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// The files.
    pub items: Vec<EvidenceItem>,
}

/// A change in a camera's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "parapet.health.v1")]
pub struct Health {
    /// Always `parapet.health.v1`.
    #[schemars(extend("const" = "parapet.health.v1"))]
    pub schema: String,
    /// Site (compound).
    pub site: String,
    /// Machine that runs the camera.
    pub node: String,
    /// Camera.
    pub camera: String,
    /// State from now on: `connecting`, `streaming`, `frozen`, `offline` or `disabled`.
    pub state: String,
    /// What led to it: `connected`, `end_of_stream`, `failed`, `silent`, `froze`, `thawed`, `reconfigured`, `crashed`,
    /// `off_preset` (a dome does not come back to a preset) or `on_preset` (it does again).
    pub event: String,
    /// When (RFC 3339, UTC).
    #[schemars(extend("format" = "date-time"))]
    pub at: String,
    /// Connection that began or ended with it (UUID).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// Reconnects since the camera was started.
    #[serde(default)]
    pub reconnects: u64,
    /// What the source said, for an administrator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Present state of a camera. Retained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "parapet.camera_status.v1")]
pub struct CameraStatus {
    /// Always `parapet.camera_status.v1`.
    #[schemars(extend("const" = "parapet.camera_status.v1"))]
    pub schema: String,
    /// Site (compound).
    pub site: String,
    /// Machine that runs the camera.
    pub node: String,
    /// Camera.
    pub camera: String,
    /// Its name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `connecting`, `streaming`, `frozen`, `offline` or `disabled`.
    pub state: String,
    /// Since when (RFC 3339, UTC).
    #[schemars(extend("format" = "date-time"))]
    pub at: String,
    /// Present connection (UUID).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// Reconnects since the camera was started.
    #[serde(default)]
    pub reconnects: u64,
    /// What the source said, for an administrator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Frames analysed per second, of late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub analysed_frames_per_second: Option<f32>,
    /// Width of the analysed picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width_pixels: Option<u32>,
    /// Height of the analysed picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height_pixels: Option<u32>,
    /// Whether the picture is composed rather than filmed (demonstrations and tests).
    #[serde(default)]
    pub synthetic: bool,
    /// Whether the camera was taken out of the node's configuration.
    #[serde(default)]
    pub removed: bool,
    /// What people are not to see in its pictures, with an entry for each view; left out where nothing is private.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub private: Vec<PrivateView>,
}

/// What is private in one view of a camera.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PrivateView {
    /// Preset of a dome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// Outlines, each at least three corners `[x, y]` as fractions of the frame, y down.
    #[serde(default)]
    pub areas: Vec<Vec<[f32; 2]>>,
}

/// Present state of a node. Retained; with `online: false` also the node's last will.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "parapet.node_status.v1")]
pub struct NodeStatus {
    /// Always `parapet.node_status.v1`.
    #[schemars(extend("const" = "parapet.node_status.v1"))]
    pub schema: String,
    /// Site (compound).
    pub site: String,
    /// The machine.
    pub node: String,
    /// Whether it is connected to the bus.
    pub online: bool,
    /// When it said so; a last will carries the time of the status before it (RFC 3339, UTC).
    #[schemars(extend("format" = "date-time"))]
    pub at: String,
    /// When the program was started (RFC 3339, UTC).
    #[schemars(extend("format" = "date-time"))]
    pub started_at: String,
    /// Version of the program.
    pub version: String,
    /// HTTP address of the node, ending in `/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// Its cameras.
    #[serde(default)]
    pub cameras: Vec<String>,
}

/// What surveys have told of one building's roof. Retained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "parapet.roof.v1")]
pub struct Roof {
    /// Always `parapet.roof.v1`.
    #[schemars(extend("const" = "parapet.roof.v1"))]
    pub schema: String,
    /// Site (compound).
    pub site: String,
    /// Machine that keeps the surveys.
    pub node: String,
    /// When it said so (RFC 3339, UTC).
    #[schemars(extend("format" = "date-time"))]
    pub at: String,
    /// The building.
    pub building: String,
    /// Its name in Chinese.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_zh: Option<String>,
    /// Its name in English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_en: Option<String>,
    /// Its outline: `[longitude, latitude]` corners, as in GeoJSON.
    pub footprint: Vec<[f64; 2]>,
    /// Its roof's height above the ground of the site.
    pub height_meters: f32,
    /// The surveys in which the roof was looked at, oldest first.
    pub looks: Vec<RoofLook>,
    /// What came up, grew or went between surveys.
    pub structures: Vec<RoofStructure>,
}

/// One survey's look at a roof.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RoofLook {
    /// The survey.
    pub survey: String,
    /// When it was flown (RFC 3339, UTC).
    #[schemars(extend("format" = "date-time"))]
    pub flown_at: String,
    /// Why nothing can be said about the roof in this survey, in words; absent when it was compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Words>,
}

/// A text for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Words {
    /// In Chinese.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zh: Option<String>,
    /// In English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub en: Option<String>,
}

/// One structure on a roof: a suspicion to be checked by a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RoofStructure {
    /// Its incident (UUID); absent for what has gone without having been raised before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident_id: Option<String>,
    /// Its outline: `[longitude, latitude]` corners.
    pub outline: Vec<[f64; 2]>,
    /// `first_sign`, `grown`, `built` or `removed`.
    pub state: String,
    /// The survey after which nothing of it changed any more (RFC 3339, UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub unchanged_since: Option<String>,
    /// How it was seen, oldest first.
    pub sightings: Vec<StructureSighting>,
}

/// One survey's measure of a structure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StructureSighting {
    /// The survey.
    pub survey: String,
    /// When it was flown (RFC 3339, UTC).
    #[schemars(extend("format" = "date-time"))]
    pub at: String,
    /// Its area; 0 once it is gone.
    pub area_square_meters: f32,
    /// Standard deviation of the area.
    pub area_error_square_meters: f32,
    /// Confidence, 0..=1.
    pub confidence: f32,
}

/// A center asks the nodes to send again what it may have missed. Retained; a node answers each `id` once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "parapet.resync.v1")]
pub struct Resync {
    /// Always `parapet.resync.v1`.
    #[schemars(extend("const" = "parapet.resync.v1"))]
    pub schema: String,
    /// Identity of the request (UUID).
    pub id: String,
    /// Whether everything that a node has kept is wanted, because the broker had no session for the center; otherwise
    /// what was sent of late.
    pub full: bool,
}

/// A hand-over order (执法交办单) that a center issued to a department. It goes to the bus and to the department's webhook in
/// the same form, at least once: deduplicate by `number`. What it is about is a suspicion that a person has confirmed and that
/// the department checks on the spot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "parapet.order.v1")]
pub struct Order {
    /// Always `parapet.order.v1`.
    #[schemars(extend("const" = "parapet.order.v1"))]
    pub schema: String,
    /// The order's number, unique for ever.
    pub number: String,
    /// The case's number.
    pub case: String,
    /// Identity of the case (UUID).
    pub case_id: String,
    /// Site (compound).
    pub site: String,
    /// Kind of violation, a code of the center's catalogue.
    pub kind: String,
    /// The department that is to deal with it.
    pub department: String,
    /// When it was issued (RFC 3339, UTC).
    #[schemars(extend("format" = "date-time"))]
    pub issued_at: String,
    /// Who issued it.
    pub issued_by: String,
    /// Until when it is to be dealt with (RFC 3339, UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub due: Option<String>,
    /// What is to be done, in the dispatcher's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instruction: Option<String>,
    /// What is known, as it was when the order was issued.
    pub document: OrderDocument,
}

/// What an order says of its case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderDocument {
    /// Name of the site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site_name: Option<Words>,
    /// Name of the building that it is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub building_name: Option<Words>,
    /// Name of the kind in Chinese.
    pub kind_zh: String,
    /// Name of the kind in English.
    pub kind_en: String,
    /// Code of the category (大类).
    pub category_code: String,
    /// Code of the class (小类), GB/T 30428.
    pub class_code: String,
    /// Legal basis in Chinese.
    pub basis_zh: String,
    /// Legal basis in English.
    pub basis_en: String,
    /// The place in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place_text: Option<String>,
    /// The place on the earth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<OrderPlace>,
    /// When it was first seen (RFC 3339, UTC).
    #[schemars(extend("format" = "date-time"))]
    pub found_at: String,
    /// Cameras and drones that saw it.
    pub found_by: Vec<String>,
    /// Names of those that have one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub camera_names: BTreeMap<String, String>,
    /// The files that prove it; pictures never travel on the bus.
    pub evidence: Vec<OrderEvidence>,
}

/// Where the thing is that an order is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderPlace {
    /// The place.
    pub position: OrderPosition,
    /// Building of the site that it is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub building: Option<String>,
    /// How large it is on the ground or roof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area_square_meters: Option<f32>,
}

/// A place on the earth and how sure it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderPosition {
    /// The place (WGS84).
    pub point: OrderPoint,
    /// Standard deviation of the place in any direction.
    pub uncertainty_meters: f32,
}

/// A point on the earth (WGS84).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderPoint {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
}

/// A file that proves what an order is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderEvidence {
    /// The incident that it belongs to (UUID).
    pub incident: String,
    /// `snapshot`, `annotated`, `before`, `after` or `clip`.
    pub role: String,
    /// When it was complete (RFC 3339, UTC).
    #[schemars(extend("format" = "date-time"))]
    pub at: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, in hex.
    pub sha256: String,
}
