//! What was seen on one roof over the surveys: each structure with its area against time. Nothing here judges that.

use serde::{Deserialize, Serialize};

use crate::{BuildingId, IncidentId, SurveyId, Timestamp, geo::GeoPoint, site::Name};

/// All that surveys have told of one building's roof.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoofHistory {
    /// The building.
    pub building: BuildingId,
    /// Its name.
    pub name: Name,
    /// Its outline.
    pub footprint: Vec<GeoPoint>,
    /// Its roof's height above the site's ground, metres.
    pub height_meters: f32,
    /// The surveys in which the roof was looked at, oldest first.
    pub looks: Vec<RoofLook>,
    /// What came up, grew or went between surveys, by first sight.
    pub structures: Vec<RoofStructure>,
}

/// One survey's look at a roof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoofLook {
    /// The survey.
    pub survey: SurveyId,
    /// When it was flown.
    pub flown_at: Timestamp,
    /// Why nothing can be said about the roof in this survey, in words; `None` when it was compared.
    pub refused: Option<Name>,
}

/// One structure on a roof.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoofStructure {
    /// Its incident; none for what has gone without having been raised before.
    pub incident: Option<IncidentId>,
    /// Its outline at the latest look.
    pub outline: Vec<GeoPoint>,
    /// What became of it by the latest survey.
    pub state: StructureState,
    /// The survey after which nothing of it changed any more.
    pub unchanged_since: Option<Timestamp>,
    /// How it was seen, oldest first; at least once.
    pub sightings: Vec<StructureSighting>,
}

/// What became of a structure.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum StructureState {
    /// It is new (违建苗头): what becomes of it is not known yet.
    FirstSign,
    /// There is more of it than before.
    Grown,
    /// It stands, and a later survey showed no change.
    Built,
    /// It is gone.
    Removed,
}

/// One survey's measure of a structure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StructureSighting {
    /// The survey.
    pub survey: SurveyId,
    /// When it was flown.
    pub at: Timestamp,
    /// Square metres; 0 once it is gone.
    pub area_square_meters: f32,
    /// Standard deviation of the area, square metres.
    pub area_error_square_meters: f32,
    /// Confidence, 0..=1.
    pub confidence: f32,
}
