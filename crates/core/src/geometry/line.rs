//! Directed lines that tracks cross.

use serde::{Deserialize, Serialize};

use super::Point;

/// A line drawn by an installer, from `a` to `b`. Its left and right are those of someone who walks from `a` to
/// `b` and sees the picture from above.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(from = "[Point; 2]", into = "[Point; 2]")]
pub struct Line {
    /// Start.
    pub a: Point,
    /// End.
    pub b: Point,
}

/// Which way a line was crossed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Crossing {
    /// From its left side to its right.
    LeftToRight,
    /// From its right side to its left.
    RightToLeft,
}

impl Line {
    /// Positive on the right of the line (y points down), negative on its left, 0 on it.
    fn side(self, p: Point) -> f32 {
        (self.b.x - self.a.x) * (p.y - self.a.y) - (self.b.y - self.a.y) * (p.x - self.a.x)
    }

    /// Whether the step `from` → `to` crosses the line between its ends. A point on the line counts as on its left,
    /// so that a crossing in two steps is counted once.
    pub fn crossing(self, from: Point, to: Point) -> Option<Crossing> {
        let (before, after) = (self.side(from) > 0.0, self.side(to) > 0.0);
        if before == after {
            return None;
        }
        let step = Self { a: from, b: to };
        if (step.side(self.a) > 0.0) == (step.side(self.b) > 0.0) {
            return None;
        }
        Some(if after { Crossing::LeftToRight } else { Crossing::RightToLeft })
    }
}

impl From<[Point; 2]> for Line {
    fn from([a, b]: [Point; 2]) -> Self {
        Self { a, b }
    }
}

impl From<Line> for [Point; 2] {
    fn from(line: Line) -> Self {
        [line.a, line.b]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crossing_has_a_direction_and_counts_once() {
        let up = Line { a: Point::new(0.5, 1.0), b: Point::new(0.5, 0.0) };
        let (left, right) = (Point::new(0.4, 0.5), Point::new(0.6, 0.5));
        assert_eq!(up.crossing(left, right), Some(Crossing::LeftToRight));
        assert_eq!(up.crossing(right, left), Some(Crossing::RightToLeft));
        assert_eq!(up.crossing(left, Point::new(0.45, 0.1)), None);
        let on = Point::new(0.5, 0.5);
        let steps = [up.crossing(left, on), up.crossing(on, right)];
        assert_eq!(steps.iter().flatten().count(), 1);
    }

    #[test]
    fn passing_beyond_its_end_is_no_crossing() {
        let short = Line { a: Point::new(0.5, 0.4), b: Point::new(0.5, 0.2) };
        assert_eq!(short.crossing(Point::new(0.4, 0.9), Point::new(0.6, 0.9)), None);
    }
}
