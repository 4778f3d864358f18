//! Where a fixed camera sees the ground: a homography from points that an installer named on the picture and on a map.

use serde::{Deserialize, Serialize};

use super::{GeoPoint, GroundPoint, LocalFrame, Position};
use crate::Point;

/// From a fixed view's picture to the ground, by at least four named points.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Vec<GroundReference>")]
pub struct GroundMap {
    frame: LocalFrame,
    /// Row-major, the last element 1; from normalized picture points (around the middle) to metres.
    h: [f64; 9],
    residual: f64,
}

/// A point that is known both on the picture and on the map.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroundReference {
    /// On the picture, normalized.
    pub at: Point,
    /// On the earth.
    pub place: GeoPoint,
}

/// Why points make no map.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum InvalidGroundMap {
    /// Fewer than four.
    #[error(
        "{0} points do not fix the ground; hint: name at least 4 points that lie on the ground, far apart"
    )]
    TooFew(usize),
    /// Three on a line or two at one place.
    #[error(
        "the points do not fix the ground; hint: no three of four may lie on one line, and all must lie on the ground"
    )]
    Degenerate,
}

impl GroundMap {
    /// The map that fits the references best (direct linear transformation on normalized coordinates, Hartley and
    /// Zisserman 2004, §4.1 and 4.4).
    ///
    /// # Errors
    /// See [`InvalidGroundMap`].
    pub fn new(references: &[GroundReference]) -> Result<Self, InvalidGroundMap> {
        if references.len() < 4 {
            return Err(InvalidGroundMap::TooFew(references.len()));
        }
        let frame = LocalFrame::at(references[0].place);
        let places: Vec<_> = references.iter().map(|r| frame.local(r.place)).collect();
        let scale = places.iter().map(|p| p.distance(GroundPoint::default())).fold(1e-6, f64::max);
        let mut normal = [[0.0; 9]; 8];
        for (reference, place) in references.iter().zip(&places) {
            let (x, y) = centred(reference.at);
            let (e, n) = (place.east / scale, place.north / scale);
            for (row, target) in [
                ([x, y, 1.0, 0.0, 0.0, 0.0, -e * x, -e * y], e),
                ([0.0, 0.0, 0.0, x, y, 1.0, -n * x, -n * y], n),
            ] {
                for i in 0..8 {
                    for j in 0..8 {
                        normal[i][j] += row[i] * row[j];
                    }
                    normal[i][8] += row[i] * target;
                }
            }
        }
        let mut h = solved(normal).ok_or(InvalidGroundMap::Degenerate)?;
        for value in &mut h[..6] {
            *value *= scale;
        }
        let mut map = Self { frame, h: [h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7], 1.0], residual: 0.0 };
        let mut squares = 0.0;
        for (reference, place) in references.iter().zip(&places) {
            let found = map.local(reference.at).ok_or(InvalidGroundMap::Degenerate)?;
            squares += found.distance(*place).powi(2);
        }
        map.residual = (squares / references.len() as f64).sqrt();
        Ok(map)
    }

    /// How far the references lie from where the map puts them, root mean square, metres. With four references 0.
    pub fn residual(&self) -> f64 {
        self.residual
    }

    /// The place on the ground that appears at a point of the picture, and its standard deviation: one hundredth of
    /// the picture's width on the ground there, or the references' residual where that is more. `None` at and above
    /// the horizon.
    pub fn position(&self, p: Point) -> Option<Position> {
        let here = self.local(p)?;
        let beside = [(0.01, 0.0), (0.0, 0.01)].map(|(dx, dy)| self.local(Point::new(p.x + dx, p.y + dy)));
        let step = beside.into_iter().flatten().map(|q| q.distance(here)).fold(0.0, f64::max);
        Some(Position {
            point: self.frame.geo(here),
            uncertainty_meters: step.max(self.residual).max(0.1) as f32,
        })
    }

    fn local(&self, p: Point) -> Option<GroundPoint> {
        let (x, y) = centred(p);
        let [east, north, w] = [0, 3, 6].map(|i| self.h[i] * x + self.h[i + 1] * y + self.h[i + 2]);
        (w > 1e-3).then(|| GroundPoint { east: east / w, north: north / w })
    }
}

impl TryFrom<Vec<GroundReference>> for GroundMap {
    type Error = InvalidGroundMap;
    fn try_from(references: Vec<GroundReference>) -> Result<Self, InvalidGroundMap> {
        Self::new(&references)
    }
}

fn centred(p: Point) -> (f64, f64) {
    (f64::from(p.x) - 0.5, f64::from(p.y) - 0.5)
}

/// The solution of eight equations by elimination with partial pivoting; `None` when they do not fix one.
fn solved(mut m: [[f64; 9]; 8]) -> Option<[f64; 8]> {
    let size = m.iter().flatten().fold(0.0f64, |a, v| a.max(v.abs()));
    for column in 0..8 {
        let pivot = (column..8).max_by(|&a, &b| m[a][column].abs().total_cmp(&m[b][column].abs()))?;
        if m[pivot][column].abs() < 1e-10 * size {
            return None;
        }
        m.swap(column, pivot);
        for row in column + 1..8 {
            let factor = m[row][column] / m[column][column];
            let pivot = m[column];
            for (value, above) in m[row].iter_mut().zip(pivot).skip(column) {
                *value -= factor * above;
            }
        }
    }
    let mut x = [0.0; 8];
    for row in (0..8).rev() {
        let known: f64 = (row + 1..8).map(|i| m[row][i] * x[i]).sum();
        x[row] = (m[row][8] - known) / m[row][row];
    }
    Some(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geo::{Attitude, Lens, Pose, View};

    fn seen(places: &[(f64, f64)]) -> (View, LocalFrame, Vec<GroundReference>) {
        let frame = LocalFrame::at(GeoPoint::new(30.53, 120.68).unwrap());
        let attitude = Attitude { yaw: 20.0, pitch: -35.0, roll: 1.0 };
        let pose = Pose { position: frame.origin(), height: 12.0, attitude };
        let view = View::new(pose, Lens::new(0.8, 0.5625).unwrap(), &frame);
        let references = places
            .iter()
            .map(|&(east, north)| {
                let place = GroundPoint { east, north };
                GroundReference { at: view.project(place, 0.0).unwrap(), place: frame.geo(place) }
            })
            .collect();
        (view, frame, references)
    }

    #[test]
    fn a_map_from_points_sees_what_the_camera_sees() {
        let (view, frame, references) =
            seen(&[(2.0, 10.0), (12.0, 14.0), (4.0, 25.0), (16.0, 30.0), (9.0, 18.0)]);
        let map = GroundMap::new(&references).unwrap();
        assert!(map.residual() < 0.01, "{}", map.residual());
        let there = GroundPoint { east: 7.0, north: 21.0 };
        let found = map.position(view.project(there, 0.0).unwrap()).unwrap();
        assert!(frame.local(found.point).distance(there) < 0.02, "{found:?}");
        assert!((0.1..1.5).contains(&found.uncertainty_meters), "{found:?}");
        assert_eq!(map.position(Point::new(0.5, -1.5)), None, "the sky");
    }

    #[test]
    fn points_that_fix_nothing_are_refused() {
        let (_, _, references) = seen(&[(2.0, 10.0), (4.0, 14.0), (6.0, 18.0), (8.0, 22.0)]);
        assert_eq!(GroundMap::new(&references), Err(InvalidGroundMap::Degenerate));
        assert_eq!(GroundMap::new(&references[..3]), Err(InvalidGroundMap::TooFew(3)));
    }
}
