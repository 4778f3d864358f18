//! Simple polygons.

use serde::{Deserialize, Serialize};

use super::{BBox, Point};

/// A simple polygon inside the frame, as a list of points; the last joins the first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "Vec<Point>", into = "Vec<Point>")]
pub struct Polygon(Vec<Point>);

/// Why points make no polygon.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InvalidPolygon {
    /// Fewer than three points.
    #[error("a polygon of {0} points has no inside; hint: give at least 3 points, [[x, y], [x, y], [x, y]]")]
    TooFewPoints(usize),
    /// A point outside the frame.
    #[error(
        "point {index} ({x}, {y}) is outside the frame; hint: coordinates are fractions of the frame, 0 to 1"
    )]
    OutsideFrame {
        /// Which point, from 1.
        index: usize,
        /// Its x.
        x: f32,
        /// Its y.
        y: f32,
    },
    /// Two edges cross.
    #[error("edges {0} and {1} cross; hint: list the corners in order around the outline")]
    SelfIntersecting(usize, usize),
    /// All points on one line.
    #[error("the polygon has no area; hint: its points lie on one line")]
    Empty,
}

impl Polygon {
    /// The polygon with these corners.
    ///
    /// # Errors
    /// See [`InvalidPolygon`].
    pub fn new(points: Vec<Point>) -> Result<Self, InvalidPolygon> {
        if points.len() < 3 {
            return Err(InvalidPolygon::TooFewPoints(points.len()));
        }
        for (i, p) in points.iter().enumerate() {
            if !((0.0..=1.0).contains(&p.x) && (0.0..=1.0).contains(&p.y)) {
                return Err(InvalidPolygon::OutsideFrame { index: i + 1, x: p.x, y: p.y });
            }
        }
        let n = points.len();
        let edge = |i: usize| (points[i], points[(i + 1) % n]);
        for i in 0..n {
            for j in i + 2..n {
                let neighbours = i == 0 && j == n - 1;
                if !neighbours && cross(edge(i), edge(j)) {
                    return Err(InvalidPolygon::SelfIntersecting(i + 1, j + 1));
                }
            }
        }
        if signed_area(&points).abs() < 1e-7 {
            return Err(InvalidPolygon::Empty);
        }
        Ok(Self(points))
    }

    /// The polygon of a box, which is clamped to the frame.
    ///
    /// # Errors
    /// `Empty` when nothing of the box is inside the frame.
    pub fn from_bbox(bbox: BBox) -> Result<Self, InvalidPolygon> {
        Self::new(bbox.clamped().corners().to_vec())
    }

    /// The corners.
    pub fn points(&self) -> &[Point] {
        &self.0
    }

    /// Area in squares of the frame, 0..=1.
    pub fn area(&self) -> f32 {
        signed_area(&self.0).abs()
    }

    /// The smallest box around it.
    pub fn bbox(&self) -> BBox {
        BBox::around(self.0.iter().copied()).expect("a polygon has finite corners")
    }

    /// Whether the point is inside (even-odd; a point on an edge may fall either way).
    pub fn contains(&self, p: Point) -> bool {
        let n = self.0.len();
        let mut inside = false;
        for i in 0..n {
            let (a, b) = (self.0[i], self.0[(i + 1) % n]);
            if (a.y > p.y) != (b.y > p.y) && p.x < (b.x - a.x) * (p.y - a.y) / (b.y - a.y) + a.x {
                inside = !inside;
            }
        }
        inside
    }

    /// Area that the polygon and the box share (Sutherland and Hodgman 1974: the box is convex, so the area is exact
    /// for concave polygons too).
    pub fn area_in(&self, bbox: BBox) -> f32 {
        let mut shoelace = Shoelace::default();
        let mut sides = [Side::Left, Side::Right, Side::Above, Side::Below].map(|side| Clip::new(side, bbox));
        for p in &self.0 {
            pass_on(&mut sides, &mut shoelace, *p);
        }
        // Each side closes its ring before the next one may.
        for i in 0..sides.len() {
            let (done, after) = sides.split_at_mut(i + 1);
            done[i].close(&mut |p| pass_on(after, &mut shoelace, p));
        }
        shoelace.area().abs()
    }

    /// Fraction of the box that lies in the polygon, 0..=1; 0 for an empty box.
    pub fn fraction_of(&self, bbox: BBox) -> f32 {
        if bbox.area() > 0.0 { (self.area_in(bbox) / bbox.area()).min(1.0) } else { 0.0 }
    }
}

/// Gives a corner to the first of the sides, what that keeps to the next, and what all keep to the sum: the polygon is
/// cut without being stored.
fn pass_on(sides: &mut [Clip], shoelace: &mut Shoelace, p: Point) {
    match sides.split_first_mut() {
        Some((side, after)) => side.take(p, &mut |q| pass_on(after, shoelace, q)),
        None => shoelace.take(p),
    }
}

#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
    Above,
    Below,
}

/// One side of a box, cutting off what lies beyond it, corner by corner.
struct Clip {
    side: Side,
    bbox: BBox,
    first: Option<Point>,
    last: Point,
}

impl Clip {
    fn new(side: Side, bbox: BBox) -> Self {
        Self { side, bbox, first: None, last: Point::new(0.0, 0.0) }
    }

    fn depth(&self, p: Point) -> f32 {
        match self.side {
            Side::Left => p.x - self.bbox.x_min(),
            Side::Right => self.bbox.x_max() - p.x,
            Side::Above => p.y - self.bbox.y_min(),
            Side::Below => self.bbox.y_max() - p.y,
        }
    }

    fn take(&mut self, p: Point, keep: &mut dyn FnMut(Point)) {
        if self.first.is_none() {
            self.first = Some(p);
        } else {
            self.edge(self.last, p, keep);
        }
        self.last = p;
    }

    fn close(&mut self, keep: &mut dyn FnMut(Point)) {
        if let Some(first) = self.first {
            self.edge(self.last, first, keep);
        }
    }

    fn edge(&self, a: Point, b: Point, keep: &mut dyn FnMut(Point)) {
        let (da, db) = (self.depth(a), self.depth(b));
        if da >= 0.0 {
            keep(a);
        }
        if (da >= 0.0) != (db >= 0.0) {
            let t = da / (da - db);
            keep(Point::new(a.x + t * (b.x - a.x), a.y + t * (b.y - a.y)));
        }
    }
}

/// Signed area of the polygon whose corners come one by one.
#[derive(Default)]
struct Shoelace {
    ring: Option<(Point, Point)>,
    sum: f32,
}

impl Shoelace {
    fn take(&mut self, p: Point) {
        self.ring = match self.ring {
            None => Some((p, p)),
            Some((first, last)) => {
                self.sum += last.x * p.y - p.x * last.y;
                Some((first, p))
            }
        };
    }

    fn area(&self) -> f32 {
        let closing = self.ring.map_or(0.0, |(first, last)| last.x * first.y - first.x * last.y);
        0.5 * (self.sum + closing)
    }
}

fn signed_area(points: &[Point]) -> f32 {
    let n = points.len();
    (0..n).map(|i| (points[i], points[(i + 1) % n])).map(|(a, b)| a.x * b.y - b.x * a.y).sum::<f32>() / 2.0
}

fn cross((a, b): (Point, Point), (c, d): (Point, Point)) -> bool {
    let side = |p: Point, q: Point, r: Point| (q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x);
    side(a, b, c) * side(a, b, d) < 0.0 && side(c, d, a) * side(c, d, b) < 0.0
}

impl TryFrom<Vec<Point>> for Polygon {
    type Error = InvalidPolygon;
    fn try_from(points: Vec<Point>) -> Result<Self, InvalidPolygon> {
        Self::new(points)
    }
}

impl From<Polygon> for Vec<Point> {
    fn from(polygon: Polygon) -> Self {
        polygon.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn polygon(points: &[[f32; 2]]) -> Result<Polygon, InvalidPolygon> {
        Polygon::new(points.iter().copied().map(Point::from).collect())
    }

    #[test]
    fn what_has_no_clear_inside_is_refused() {
        assert_eq!(polygon(&[[0.0, 0.0], [1.0, 1.0]]), Err(InvalidPolygon::TooFewPoints(2)));
        assert!(matches!(
            polygon(&[[0.0, 0.0], [12.0, 0.0], [0.0, 1.0]]),
            Err(InvalidPolygon::OutsideFrame { index: 2, .. })
        ));
        assert_eq!(
            polygon(&[[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0]]),
            Err(InvalidPolygon::SelfIntersecting(1, 3))
        );
        assert_eq!(polygon(&[[0.0, 0.0], [0.5, 0.5], [1.0, 1.0]]), Err(InvalidPolygon::Empty));
    }

    #[test]
    fn a_concave_polygon_shares_the_right_area_with_a_box() {
        let u = polygon(&[
            [0.0, 0.0],
            [0.2, 0.0],
            [0.2, 0.8],
            [0.8, 0.8],
            [0.8, 0.0],
            [1.0, 0.0],
            [1.0, 1.0],
            [0.0, 1.0],
        ])
        .unwrap();
        let upper_half = BBox::new(0.0, 0.0, 1.0, 0.5).unwrap();
        assert!((u.area_in(upper_half) - 0.2).abs() < 1e-6);
        assert!(!u.contains(Point::new(0.5, 0.5)));
        assert!(u.contains(Point::new(0.5, 0.9)));
    }

    proptest! {
        #[test]
        fn a_box_shares_with_a_box_polygon_what_boxes_share(
            a in proptest::array::uniform4(0.0f32..1.0), b in proptest::array::uniform4(0.0f32..1.0)
        ) {
            let make = |v: [f32; 4]| BBox::new(v[0].min(v[2]), v[1].min(v[3]), v[0].max(v[2]), v[1].max(v[3])).unwrap();
            let (a, b) = (make(a), make(b));
            prop_assume!(a.area() > 1e-4);
            let shared = a.intersection(b).map_or(0.0, BBox::area);
            prop_assert!((Polygon::from_bbox(a).unwrap().area_in(b) - shared).abs() < 1e-4);
        }
    }
}
