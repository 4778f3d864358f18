//! From the picture to metres on flat ground: the homography through four points that someone measured.

use parapet_core::Point;
use serde::{Deserialize, Serialize};

/// Four points of the picture and where they are on the ground.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct FourPoints {
    /// Points in the picture, 0..=1.
    image: [Point; 4],
    /// The same points on the ground, in metres from any origin.
    meters: [Point; 4],
}

/// A calibrated ground plane.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "FourPoints", into = "FourPoints")]
pub struct Ground {
    points: FourPoints,
    /// Row by row; the ninth is 1.
    matrix: [f64; 8],
}

/// The points make no plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the four points give no ground plane; hint: no three of them may lie on one line, in the same order in both lists"
)]
pub struct InvalidGround;

impl TryFrom<FourPoints> for Ground {
    type Error = InvalidGround;
    fn try_from(points: FourPoints) -> Result<Self, InvalidGround> {
        for four in [points.image, points.meters] {
            for skip in 0..4 {
                let [a, b, c] = [1, 2, 3].map(|i| four[(skip + i) % 4]);
                let area = (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
                let scale = a.distance(b) * a.distance(c);
                if !area.is_finite() || area.abs() <= 1e-4 * scale || scale == 0.0 {
                    return Err(InvalidGround);
                }
            }
        }
        let mut rows = [[0.0f64; 9]; 8];
        for (i, (p, q)) in points.image.iter().zip(points.meters).enumerate() {
            let (x, y, u, v) = (p.x as f64, p.y as f64, q.x as f64, q.y as f64);
            rows[2 * i] = [x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y, u];
            rows[2 * i + 1] = [0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y, v];
        }
        Ok(Self { points, matrix: solve(rows).ok_or(InvalidGround)? })
    }
}

impl From<Ground> for FourPoints {
    fn from(ground: Ground) -> Self {
        ground.points
    }
}

impl Ground {
    /// Where a point of the picture lies on the ground, in metres; `None` at or above the horizon.
    pub fn meters(&self, p: Point) -> Option<[f64; 2]> {
        let h = &self.matrix;
        let (x, y) = (p.x as f64, p.y as f64);
        let depth = |p: Point| h[6] * p.x as f64 + h[7] * p.y as f64 + 1.0;
        let (here, known) = (depth(p), depth(self.points.image[0]));
        if here * known <= 0.0 || here.abs() < 1e-9 {
            return None;
        }
        Some([(h[0] * x + h[1] * y + h[2]) / here, (h[3] * x + h[4] * y + h[5]) / here])
    }

    /// Distance on the ground between two points of the picture, in metres.
    pub fn distance(&self, a: Point, b: Point) -> Option<f64> {
        let (a, b) = (self.meters(a)?, self.meters(b)?);
        Some((a[0] - b[0]).hypot(a[1] - b[1]))
    }
}

/// Gauss–Jordan elimination with partial pivoting.
fn solve(mut rows: [[f64; 9]; 8]) -> Option<[f64; 8]> {
    for column in 0..8 {
        let pivot = (column..8).max_by(|a, b| rows[*a][column].abs().total_cmp(&rows[*b][column].abs()))?;
        if rows[pivot][column].abs() < 1e-12 {
            return None;
        }
        rows.swap(column, pivot);
        let lead = rows[column];
        for (_, row) in rows.iter_mut().enumerate().filter(|(i, _)| *i != column) {
            let factor = row[column] / lead[column];
            for (value, above) in row.iter_mut().zip(lead).skip(column) {
                *value -= factor * above;
            }
        }
    }
    let mut solution = [0.0; 8];
    for (i, value) in solution.iter_mut().enumerate() {
        *value = rows[i][8] / rows[i][i];
    }
    solution.iter().all(|v| v.is_finite()).then_some(solution)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_measured_points_come_out_where_they_were_measured() {
        let text = "image = [[0.3, 0.4], [0.7, 0.4], [1.0, 1.0], [0.0, 1.0]]
                    meters = [[0, 20], [8, 20], [8, 0], [0, 0]]";
        let ground: Ground = toml::from_str(text).unwrap();
        for (p, q) in ground.points.image.iter().zip(ground.points.meters) {
            let [x, y] = ground.meters(*p).unwrap();
            assert!((x - q.x as f64).abs() < 1e-4 && (y - q.y as f64).abs() < 1e-4);
        }
        let near = ground.distance(Point::new(0.4, 0.95), Point::new(0.5, 0.95)).unwrap();
        let far = ground.distance(Point::new(0.4, 0.45), Point::new(0.5, 0.45)).unwrap();
        assert!(far > 1.5 * near, "{near} {far}");
        assert_eq!(ground.meters(Point::new(0.5, -0.5)), None);
    }

    #[test]
    fn points_on_a_line_are_refused_with_a_hint() {
        let text = "image = [[0.1, 0.1], [0.2, 0.2], [0.3, 0.3], [0.0, 1.0]]
                    meters = [[0, 20], [8, 20], [8, 0], [0, 0]]";
        let error = toml::from_str::<Ground>(text).unwrap_err().to_string();
        assert!(error.contains("hint: no three"), "{error}");
    }
}
