//! Where on the earth an incident is.

use serde::{Deserialize, Serialize};

use super::Position;
use crate::BuildingId;

/// Where on the earth an incident is, from a view that is mapped to the ground or from a drone's pose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// The place.
    pub position: Position,
    /// The building that it is on.
    pub building: Option<BuildingId>,
    /// How large it is on the ground or roof, square metres.
    pub area_square_meters: Option<f32>,
}
