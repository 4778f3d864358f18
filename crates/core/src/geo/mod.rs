//! Places on the ground: coordinates, a compound's tangent plane, and where a camera with a known pose sees what.
//!
//! Angles are degrees, lengths metres. The ground of a site is flat here: heights count from it.

mod map;
mod place;
mod plane;
mod view;

pub use map::{GroundMap, GroundReference, InvalidGroundMap};
pub use place::Place;
pub use plane::{GeoPoint, GroundPoint, GroundPolygon, InvalidGeoPoint, InvalidGroundPolygon, LocalFrame};
pub use view::{Attitude, InvalidLens, Lens, Pose, PoseError, View};

use serde::{Deserialize, Serialize};

/// A place with what is not known about it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// The place.
    pub point: GeoPoint,
    /// Standard deviation of the place in any direction, metres.
    pub uncertainty_meters: f32,
}

impl Position {
    /// Whether two positions can be one thing: their distance is at most three standard deviations of it and `extent`
    /// (the size of such a thing), metres.
    pub fn may_be(&self, other: &Self, extent: f64) -> bool {
        let distance = LocalFrame::at(self.point).local(other.point).distance(GroundPoint::default());
        let sigma = f64::from(self.uncertainty_meters).hypot(f64::from(other.uncertainty_meters));
        distance <= extent + 3.0 * sigma
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_seen_twice_is_within_its_size_and_three_deviations() {
        let frame = LocalFrame::at(GeoPoint::new(30.53, 120.68).unwrap());
        let at = |east, uncertainty_meters| Position {
            point: frame.geo(GroundPoint { east, north: 0.0 }),
            uncertainty_meters,
        };
        assert!(at(0.0, 0.5).may_be(&at(3.0, 0.8), 1.0));
        assert!(!at(0.0, 0.5).may_be(&at(4.0, 0.8), 1.0));
        assert!(!at(0.0, 0.1).may_be(&at(3.0, 0.1), 1.0));
    }
}
