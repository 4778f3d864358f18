//! What the setup routes take and give. Nodes answer in these shapes; whatever else they say is not passed on.

use std::collections::BTreeMap;

use parapet_core::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// A mistake in a pipeline file.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct SetupProblem {
    /// Where, as `cameras.gate.zones.lane.polygon`; empty for the file itself.
    path: String,
    /// What is wrong (English, as `parapet check` says it).
    message: String,
    /// What to do about it.
    #[schema(required)]
    hint: Option<String>,
    /// Line, from 1.
    line: u64,
    /// Column in characters, from 1.
    column: u64,
    /// First marked character of the text.
    from: u64,
    /// Character after the last marked one.
    to: u64,
}

/// What a pipeline file says of its cameras, as written.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct SetupModel {
    /// Names of its models.
    models: Vec<String>,
    /// Its cameras.
    cameras: Vec<SetupCamera>,
}

/// A camera of a pipeline file.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct SetupCamera {
    /// Its id.
    camera: String,
    /// Its name for people.
    #[schema(required)]
    name: Option<String>,
    /// Its site, if it is another than the node's.
    #[schema(required)]
    site: Option<String>,
    /// Left out.
    disabled: bool,
    /// Its pictures are made up.
    synthetic: bool,
    /// A PTZ dome: its views are those of its presets.
    dome: bool,
    /// Keyframes when they are enough, and looks by the model while something moves; nodes of before do not say it.
    #[serde(default)]
    #[schema(required)]
    spared: bool,
    /// Its model.
    #[schema(required)]
    model: Option<String>,
    /// Where its pictures come from.
    source: SetupSource,
    /// How much of it is recorded.
    #[schema(required, value_type = Option<Object>)]
    recording: Option<Value>,
    /// What it shows and what may not happen there.
    views: Vec<SetupView>,
}

/// Where a camera's pictures come from.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct SetupSource {
    /// `rtsp`, `rtmp`, `srt`, `file`, `images`, `device` or `test`.
    #[schema(required)]
    kind: Option<String>,
    /// Its address or path.
    #[schema(required)]
    address: Option<String>,
    /// Address of the stream that is analysed.
    #[schema(required)]
    substream: Option<String>,
    /// User name at the camera.
    #[schema(required)]
    username: Option<String>,
    /// Where its password is: `none`, `file`, `environment` or `address`.
    password: String,
    /// Frames a second that are analysed.
    #[schema(required)]
    analysed_fps: Option<f64>,
}

/// A fixed camera's view, or that of a preset.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct SetupView {
    /// The preset.
    #[schema(required)]
    preset: Option<String>,
    /// The preset's name for people.
    #[schema(required)]
    name: Option<String>,
    /// How many reference pictures the preset has.
    reference_pictures: u32,
    /// Whether whatever is new is looked for.
    background: bool,
    /// Whether it is compared with baselines.
    baseline: bool,
    /// Its zones.
    zones: Vec<SetupZone>,
    /// Its lines.
    lines: Vec<SetupLine>,
    /// Its rules.
    rules: Vec<SetupRule>,
}

/// A zone as it is written.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct SetupZone {
    /// Its name.
    zone: String,
    /// What the ground is for.
    purpose: String,
    /// Its corners, as fractions of the frame.
    polygon: Vec<[f64; 2]>,
    /// When an object is in it.
    #[schema(required, value_type = Option<Object>)]
    membership: Option<Value>,
    /// Only these classes count.
    #[schema(required)]
    labels: Option<Vec<String>>,
}

/// A line as it is written.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct SetupLine {
    /// Its name.
    line: String,
    /// From where to where.
    points: Vec<[f64; 2]>,
}

/// A rule as it is written.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct SetupRule {
    /// Its name.
    rule: String,
    /// What it looks for.
    kind: String,
    /// Its options that are written.
    #[schema(value_type = Object)]
    options: Value,
}

/// An earlier text of a pipeline file.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct SetupVersion {
    /// Its name.
    version: String,
    /// When it was replaced.
    #[schema(value_type = String, format = DateTime)]
    saved_at: Timestamp,
    /// Its hash.
    revision: String,
    /// Its size.
    bytes: u64,
}

/// The pipeline file of a node as it says it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct SetupFile {
    /// Its name at the node.
    file: String,
    /// Its hash: what a change is based on.
    revision: String,
    /// Its text; passwords in addresses are `***`.
    text: String,
    /// What is wrong with it.
    problems: Vec<SetupProblem>,
    /// What it says; none if it is no TOML.
    #[schema(required)]
    model: Option<SetupModel>,
    /// Whether a change is taken up while the node runs.
    hot_reload: bool,
    /// JSON Schema of pipeline files.
    #[schema(value_type = Object)]
    schema: Value,
    /// Earlier texts, newest first.
    versions: Vec<SetupVersion>,
}

/// A text and edits of it.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DraftAsked {
    /// The text.
    #[schema(max_length = 1_000_000)]
    text: String,
    /// Edits, in order: objects with `op` (`put_camera`, `remove_camera`, `put_zone`, `remove_zone`, `put_line`,
    /// `remove_line`, `put_rule`, `remove_rule`, `set`, `unset`) and what it needs.
    #[serde(default)]
    #[schema(value_type = Vec<Object>, max_items = 200)]
    edits: Vec<Value>,
}

/// A text that is not in force.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Draft {
    /// The text.
    text: String,
    /// Its hash.
    revision: String,
    /// Whether it differs from the file.
    changed: bool,
    /// What is wrong with it.
    problems: Vec<SetupProblem>,
    /// What it says; none if it is no TOML.
    #[schema(required)]
    model: Option<SetupModel>,
}

/// A text that should be in force.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SaveAsked {
    /// Hash of the file that it is based on.
    pub(crate) base: String,
    /// The text.
    #[schema(max_length = 1_000_000)]
    pub(crate) text: String,
    /// Why, for the record.
    #[serde(default, skip_serializing)]
    #[schema(required, max_length = 500)]
    pub(crate) reason: Option<String>,
}

/// A text that is in force.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Saved {
    /// Its hash.
    pub(crate) revision: String,
    /// The hash of the text before.
    pub(crate) previous: String,
    /// The name of the text before.
    pub(crate) version: String,
}

/// An earlier text.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Earlier {
    /// Its name.
    version: String,
    /// When it was replaced.
    #[schema(value_type = String, format = DateTime)]
    saved_at: Timestamp,
    /// Its hash.
    revision: String,
    /// The text.
    text: String,
    /// What would be wrong with it now.
    problems: Vec<SetupProblem>,
    /// What it says; none if it is no TOML.
    #[schema(required)]
    model: Option<SetupModel>,
}

/// A search for devices.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DiscoverAsked {
    /// How long to listen, 1 to 10.
    #[serde(default = "three")]
    #[schema(minimum = 1, maximum = 10)]
    pub(crate) seconds: u64,
}

fn three() -> u64 {
    3
}

/// What was found.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Discovered {
    /// The devices that answered.
    devices: Vec<FoundDevice>,
}

/// A device that answered.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct FoundDevice {
    /// Address of its device service.
    address: String,
    /// Its host.
    host: String,
    /// What it calls itself.
    #[schema(required)]
    name: Option<String>,
    /// What it is.
    #[schema(required)]
    hardware: Option<String>,
    /// The camera of the pipeline file that has this host.
    #[schema(required)]
    camera: Option<String>,
}

/// A device to be asked what it is.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProbeAsked {
    /// Address of its device service, or its host.
    #[schema(max_length = 500)]
    pub(crate) address: String,
    /// User name at the device.
    #[serde(default)]
    #[schema(required, max_length = 200)]
    username: Option<String>,
    /// Password there; it is passed on and forgotten.
    #[serde(default)]
    #[schema(required, max_length = 200)]
    password: Option<String>,
}

/// What a device says of itself.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Device {
    /// Who made it.
    #[schema(required)]
    manufacturer: Option<String>,
    /// What it is.
    #[schema(required)]
    model: Option<String>,
    /// Its software.
    #[schema(required)]
    firmware: Option<String>,
    /// Whether it is a dome.
    turns: bool,
    /// Its media profiles.
    profiles: Vec<DeviceProfile>,
    /// The stream that clips should come from.
    #[schema(required)]
    url: Option<String>,
    /// A smaller stream for analysis.
    #[schema(required)]
    substream_url: Option<String>,
}

/// A media profile of a device.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct DeviceProfile {
    /// Its token.
    profile: String,
    /// Its name.
    name: String,
    /// How it is encoded.
    #[schema(required)]
    codec: Option<String>,
    /// Pixels across.
    #[schema(required)]
    width: Option<u32>,
    /// Pixels down.
    #[schema(required)]
    height: Option<u32>,
    /// Pictures a second.
    #[schema(required)]
    fps: Option<f64>,
    /// Where its stream is, without user and password.
    #[schema(required)]
    url: Option<String>,
    /// Whether it turns the dome.
    turns: bool,
}

/// A stream to be looked at: an address, or a camera of a draft.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StillAsked {
    /// The address, as `rtsp://…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub(crate) url: Option<String>,
    /// User name at the camera.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    username: Option<String>,
    /// Password there; it is passed on and forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    password: Option<String>,
    /// `tcp`, `udp` or `auto`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    transport: Option<String>,
    /// A draft.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1_000_000)]
    text: Option<String>,
    /// The camera in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) camera: Option<String>,
}

/// Which view of a dome.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct OfPreset {
    /// The preset; not for a fixed camera.
    pub(crate) preset: Option<String>,
}

/// The baselines of a view.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct BaselineView {
    /// The preset of a dome.
    #[schema(required)]
    preset: Option<String>,
    /// The view was seen and can be put up.
    can_propose: bool,
    /// Its pictures, in the order in which they were put up.
    baselines: Vec<Baseline>,
}

/// A picture of a view and what became of it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the names of the JSON")]
pub(crate) struct Baseline {
    /// Its name.
    pub(crate) baseline: String,
    /// When it was taken.
    #[schema(value_type = String, format = DateTime)]
    captured_at: Timestamp,
    /// `spring`, `summer`, `autumn` or `winter`.
    season: String,
    /// `morning`, `midday`, `evening` or `night`.
    part_of_day: String,
    /// `proposed`, `in_force`, `replaced` or `rejected`.
    standing: String,
    /// When somebody last decided about it.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Who.
    by: String,
    /// What: `proposed`, `approved` or `rejected`.
    act: String,
    /// Why.
    reason: String,
}

/// What to do with a picture of a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BaselineAct {
    /// Put up the view as it was last seen.
    Propose,
    /// Make a picture the baseline of its light.
    Approve,
    /// Turn a picture down.
    Reject,
}

/// A decision about a picture of a view.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BaselineAsked {
    /// The preset of a dome.
    #[serde(default)]
    #[schema(required)]
    pub(crate) preset: Option<String>,
    /// What to do.
    pub(crate) act: BaselineAct,
    /// The picture; none to propose one.
    #[serde(default)]
    #[schema(required)]
    pub(crate) baseline: Option<String>,
    /// Why.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub(crate) reason: String,
}

/// What is sent to the node with a decision: who.
#[derive(Debug, Serialize)]
pub(crate) struct BaselineToldTo<'a> {
    pub(crate) preset: Option<&'a str>,
    pub(crate) act: BaselineAct,
    pub(crate) baseline: Option<&'a str>,
    pub(crate) by: &'a str,
    pub(crate) reason: &'a str,
}

/// What a node says when it refuses.
#[derive(Debug, Deserialize)]
pub(crate) struct NodeRefusal {
    pub(crate) code: String,
    pub(crate) messages: BTreeMap<String, String>,
}
