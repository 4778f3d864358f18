//! Named regions of a camera's view, drawn by an installer.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Label, Polygon, ZoneId};

/// What the ground in a zone is for. Rules select zones by it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ZonePurpose {
    /// Marked bays in which bikes may stand.
    Bay,
    /// Nothing may stand here.
    Forbidden,
    /// Carriageway.
    Roadway,
    /// Sidewalk.
    Sidewalk,
    /// Lane kept free for fire engines.
    FireLane,
    /// A roof, as seen from this view.
    Roof,
    /// Any other area of interest.
    Area,
    /// Left out of everything: a neighbour's windows, a waving tree, a clock in the picture.
    Ignore,
}

/// When an object is in a zone.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
pub enum Membership {
    /// The middle of the box's lower edge is inside: where the object touches the ground.
    #[default]
    FootPoint,
    /// At least this fraction of the box is inside, 0..=1.
    Overlap(f32),
}

/// A zone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Zone {
    /// Its name.
    pub id: ZoneId,
    /// What it is for.
    pub purpose: ZonePurpose,
    /// Its outline, normalized.
    pub polygon: Polygon,
    /// When an object is in it.
    pub membership: Membership,
    /// Only these classes count; `None` lets all count.
    pub labels: Option<BTreeSet<Label>>,
}
