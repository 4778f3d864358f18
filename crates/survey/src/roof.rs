//! A roof's grid: square pixels in the plane of the roof, along its longer side.

use parapet_core::{
    Point,
    geo::{GroundPoint, GroundPolygon},
    site::Building,
};

/// Metres of surroundings on each side of a roof, so that windows at its edge are whole.
const MARGIN: f64 = 1.6;
/// Most pixels of a grid: larger roofs get coarser ones.
const MOST_PIXELS: f64 = 2.0e6;

/// A grid over a roof.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RoofGrid {
    /// Pixels across and down; multiples of 16.
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) meters_per_pixel: f64,
    /// Metres above the site's ground.
    pub(crate) up: f64,
    /// The place of the upper left corner.
    corner: GroundPoint,
    /// Unit vector to the right; down is a quarter turn clockwise of it.
    right: (f64, f64),
}

impl RoofGrid {
    /// The grid over a building's roof with pixels of about this size.
    pub(crate) fn new(building: &Building, meters_per_pixel: f64) -> Self {
        let right = along(&building.footprint);
        let down = (right.1, -right.0);
        let span = |axis: (f64, f64)| {
            building
                .footprint
                .corners()
                .iter()
                .map(|c| c.east * axis.0 + c.north * axis.1)
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
        };
        let ((left, far_right), (top, bottom)) = (span(right), span(down));
        let (across, tall) = (far_right - left + 2.0 * MARGIN, bottom - top + 2.0 * MARGIN);
        let meters_per_pixel = meters_per_pixel.max((across * tall / MOST_PIXELS).sqrt());
        let pixels = |meters: f64| ((meters / meters_per_pixel).ceil() as usize).next_multiple_of(16);
        let (x, y) = (left - MARGIN, top - MARGIN);
        Self {
            width: pixels(across),
            height: pixels(tall),
            meters_per_pixel,
            up: building.height,
            corner: GroundPoint { east: x * right.0 + y * down.0, north: x * right.1 + y * down.1 },
            right,
        }
    }

    /// The place of a point of the patch (pixels from its upper left corner).
    pub(crate) fn ground(&self, x: f64, y: f64) -> GroundPoint {
        let (x, y) = (x * self.meters_per_pixel, y * self.meters_per_pixel);
        let (right, down) = (self.right, (self.right.1, -self.right.0));
        GroundPoint {
            east: self.corner.east + x * right.0 + y * down.0,
            north: self.corner.north + x * right.1 + y * down.1,
        }
    }

    /// Where a place lies in the patch, pixels from its upper left corner.
    pub(crate) fn pixel(&self, place: GroundPoint) -> (f64, f64) {
        let (e, n) = (place.east - self.corner.east, place.north - self.corner.north);
        let (right, down) = (self.right, (self.right.1, -self.right.0));
        (
            (e * right.0 + n * right.1) / self.meters_per_pixel,
            (e * down.0 + n * down.1) / self.meters_per_pixel,
        )
    }

    /// A point of the patch, normalized.
    pub(crate) fn normalized(&self, x: f64, y: f64) -> Point {
        Point::new((x / self.width as f64) as f32, (y / self.height as f64) as f32)
    }

    /// Which pixels have their middle for which `inside` holds.
    pub(crate) fn mask(&self, inside: impl Fn(GroundPoint) -> bool) -> Vec<bool> {
        (0..self.width * self.height)
            .map(|i| inside(self.ground((i % self.width) as f64 + 0.5, (i / self.width) as f64 + 0.5)))
            .collect()
    }
}

/// The direction in which the box around a polygon is smallest; points east, or north if it is along the meridian.
fn along(polygon: &GroundPolygon) -> (f64, f64) {
    let corners = polygon.corners();
    let area = |right: (f64, f64)| {
        let span = |f: &dyn Fn(&GroundPoint) -> f64| {
            let fold = corners
                .iter()
                .map(f)
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
            fold.1 - fold.0
        };
        let long = span(&|c| c.east * right.0 + c.north * right.1);
        let short = span(&|c| c.east * right.1 - c.north * right.0);
        (long * short, long >= short)
    };
    let edges = (0..corners.len()).map(|i| (corners[i], corners[(i + 1) % corners.len()]));
    let best = edges
        .filter(|(a, b)| a.distance(*b) > 0.1)
        .map(|(a, b)| {
            let length = a.distance(b);
            let right = ((b.east - a.east) / length, (b.north - a.north) / length);
            if area(right).1 { right } else { (right.1, -right.0) }
        })
        .min_by(|a, b| area(*a).0.total_cmp(&area(*b).0))
        .unwrap_or((1.0, 0.0));
    if best.0 < -1e-9 || (best.0.abs() <= 1e-9 && best.1 < 0.0) { (-best.0, -best.1) } else { best }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn building(corners: &[(f64, f64)]) -> Building {
        let corners = corners.iter().map(|&(east, north)| GroundPoint { east, north }).collect();
        Building {
            id: "b1".parse().unwrap(),
            name: parapet_core::site::Name::default(),
            footprint: GroundPolygon::new(corners).unwrap(),
            storeys: None,
            height: 18.0,
            approved: Vec::new(),
        }
    }

    #[test]
    fn a_grid_lies_along_a_turned_roof() {
        let (sin, cos) = 30.0f64.to_radians().sin_cos();
        let turned = |x: f64, y: f64| (10.0 + x * cos - y * sin, -5.0 + x * sin + y * cos);
        let building =
            building(&[turned(0.0, 0.0), turned(0.0, 12.0), turned(40.0, 12.0), turned(40.0, 0.0)]);
        let grid = RoofGrid::new(&building, 0.08);
        assert_eq!((grid.width % 16, grid.height % 16), (0, 0));
        assert!(
            (grid.width as f64 * 0.08 - 43.2) < 1.3 && (grid.height as f64 * 0.08 - 15.2) < 1.3,
            "{grid:?}"
        );
        let inside = grid.mask(|p| building.footprint.contains(p)).iter().filter(|b| **b).count();
        assert!((inside as f64 * 0.08 * 0.08 - 480.0).abs() < 2.0, "{inside}");
        for (x, y) in [(0.0, 0.0), (100.0, 50.0), (7.0, 90.0)] {
            let back = grid.pixel(grid.ground(x, y));
            assert!((back.0 - x).hypot(back.1 - y) < 1e-6);
        }
        // Down in the patch is to the right hand's right: the patch is no mirror image.
        let (a, b, c) = (grid.ground(0.0, 0.0), grid.ground(1.0, 0.0), grid.ground(0.0, 1.0));
        let cross = (b.east - a.east) * (c.north - a.north) - (b.north - a.north) * (c.east - a.east);
        assert!(cross < 0.0);
    }

    #[test]
    fn a_huge_roof_gets_a_coarser_grid() {
        let building = building(&[(0.0, 0.0), (300.0, 0.0), (300.0, 200.0), (0.0, 200.0)]);
        let grid = RoofGrid::new(&building, 0.05);
        assert!(grid.width * grid.height < 2_200_000 && grid.meters_per_pixel > 0.15);
    }
}
