//! Plane geometry of a view: normalized to 0..=1 in both axes, y down.

mod bbox;
mod line;
mod mask;
mod polygon;

pub use bbox::BBox;
pub use line::{Crossing, Line};
pub use mask::Mask;
pub use polygon::{InvalidPolygon, Polygon};

use serde::{Deserialize, Serialize};

/// A point, as `[x, y]` in configuration and on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(from = "[f32; 2]", into = "[f32; 2]")]
pub struct Point {
    /// To the right.
    pub x: f32,
    /// Down.
    pub y: f32,
}

impl Point {
    /// A point at `(x, y)`.
    pub const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    /// Euclidean distance, in frame units (a diagonal over a square frame is √2).
    pub fn distance(self, other: Self) -> f32 {
        (self.x - other.x).hypot(self.y - other.y)
    }
}

impl From<[f32; 2]> for Point {
    fn from([x, y]: [f32; 2]) -> Self {
        Self { x, y }
    }
}

impl From<Point> for [f32; 2] {
    fn from(p: Point) -> Self {
        [p.x, p.y]
    }
}
