//! What the routes of recordings and trials take and give, as nodes answer it.

use parapet_core::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What is recorded of a camera.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Recorded {
    /// Whether it is recorded.
    recording: bool,
    /// Room that it takes.
    bytes: u64,
    /// Without a gap from here to there, oldest first.
    spans: Vec<RecordedSpan>,
}

/// A part of a recording.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct RecordedSpan {
    /// When its first picture was taken.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// When its last one was.
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
}

/// A draft to be tried on what was recorded.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrialAsked {
    /// The draft.
    #[schema(max_length = 1_000_000)]
    text: String,
    /// The camera in it.
    pub(crate) camera: String,
    /// From when.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) from: Timestamp,
    /// To when; at most six hours later.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) to: Timestamp,
    /// Try the file in force as well, to compare.
    #[serde(default)]
    compare: bool,
}

/// A draft that is being tried, or was.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the names of the JSON")]
pub(crate) struct Trial {
    /// Its name.
    pub(crate) trial: String,
    /// The camera.
    camera: String,
    /// `running`, `done`, `cancelled` or `failed`.
    state: String,
    /// Why it failed.
    #[schema(required)]
    detail: Option<String>,
    /// From when.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// To when.
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    /// Recorded time that was analysed.
    analysed_seconds: f64,
    /// Recorded time that there is to analyse.
    total_seconds: f64,
    /// Part of it that is done, 0 to 1.
    share: f64,
    /// What the draft raises.
    draft: Vec<Raised>,
    /// What the file in force raises, if that was asked for.
    #[schema(required)]
    current: Option<Vec<Raised>>,
}

/// An incident that would have been raised.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Raised {
    /// Its number in the trial, from 1.
    number: u32,
    /// When it would have been raised.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// When it would have ended.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
    /// What.
    kind: String,
    /// By which rule.
    rule: String,
    /// In which zone.
    #[schema(required)]
    zone: Option<String>,
    /// In which view of a dome.
    #[schema(required)]
    preset: Option<String>,
    /// Where, as fractions of the frame: left, top, right, bottom.
    bbox: [f32; 4],
    /// How sure.
    confidence: f32,
    /// How pressing.
    severity: String,
    /// Whether there is a picture.
    picture: bool,
}

/// Whose incident.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RaisedBy {
    /// `draft` or `current`; the draft's by default.
    pub(crate) of: Option<String>,
}
