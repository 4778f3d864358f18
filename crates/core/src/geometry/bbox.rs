//! Axis-aligned boxes.

use serde::{Deserialize, Serialize};

use super::Point;

/// A box, as `[x_min, y_min, x_max, y_max]` on the wire. Finite, with `min <= max`; may reach beyond the frame.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "[f32; 4]", into = "[f32; 4]")]
pub struct BBox {
    x_min: f32,
    y_min: f32,
    x_max: f32,
    y_max: f32,
}

/// The numbers make no box.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{0:?} is not a box; hint: [x_min, y_min, x_max, y_max], finite, with min <= max")]
pub struct InvalidBBox(pub [f32; 4]);

impl BBox {
    /// The box between these edges; `None` unless all are finite and in order.
    #[inline]
    pub fn new(x_min: f32, y_min: f32, x_max: f32, y_max: f32) -> Option<Self> {
        let finite = [x_min, y_min, x_max, y_max].iter().all(|v| v.is_finite());
        (finite && x_min <= x_max && y_min <= y_max).then_some(Self { x_min, y_min, x_max, y_max })
    }

    /// The smallest box around `points`; `None` for no points or points that are not finite.
    pub fn around(points: impl IntoIterator<Item = Point>) -> Option<Self> {
        let (mut low, mut high) = ([f32::INFINITY; 2], [f32::NEG_INFINITY; 2]);
        for p in points {
            low = [low[0].min(p.x), low[1].min(p.y)];
            high = [high[0].max(p.x), high[1].max(p.y)];
        }
        Self::new(low[0], low[1], high[0], high[1])
    }

    /// Left edge.
    #[inline]
    pub fn x_min(self) -> f32 {
        self.x_min
    }
    /// Upper edge.
    #[inline]
    pub fn y_min(self) -> f32 {
        self.y_min
    }
    /// Right edge.
    #[inline]
    pub fn x_max(self) -> f32 {
        self.x_max
    }
    /// Lower edge.
    #[inline]
    pub fn y_max(self) -> f32 {
        self.y_max
    }
    /// Width.
    #[inline]
    pub fn width(self) -> f32 {
        self.x_max - self.x_min
    }
    /// Height.
    #[inline]
    pub fn height(self) -> f32 {
        self.y_max - self.y_min
    }
    /// Area.
    #[inline]
    pub fn area(self) -> f32 {
        self.width() * self.height()
    }
    /// Middle.
    #[inline]
    pub fn center(self) -> Point {
        Point::new(f32::midpoint(self.x_min, self.x_max), f32::midpoint(self.y_min, self.y_max))
    }
    /// Middle of the lower edge: where an upright object touches the ground.
    #[inline]
    pub fn foot_point(self) -> Point {
        Point::new(f32::midpoint(self.x_min, self.x_max), self.y_max)
    }
    /// The four corners, clockwise from the upper left.
    pub fn corners(self) -> [Point; 4] {
        [
            Point::new(self.x_min, self.y_min),
            Point::new(self.x_max, self.y_min),
            Point::new(self.x_max, self.y_max),
            Point::new(self.x_min, self.y_max),
        ]
    }
    /// The part that both cover.
    #[inline]
    pub fn intersection(self, other: Self) -> Option<Self> {
        // Of two boxes, whose edges are finite, so are these.
        let (x_min, y_min) = (self.x_min.max(other.x_min), self.y_min.max(other.y_min));
        let (x_max, y_max) = (self.x_max.min(other.x_max), self.y_max.min(other.y_max));
        (x_min <= x_max && y_min <= y_max).then_some(Self { x_min, y_min, x_max, y_max })
    }
    /// The smallest box around both.
    #[inline]
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self {
            x_min: self.x_min.min(other.x_min),
            y_min: self.y_min.min(other.y_min),
            x_max: self.x_max.max(other.x_max),
            y_max: self.y_max.max(other.y_max),
        }
    }
    /// Intersection over union (Jaccard), 0..=1; 0 for two empty boxes.
    #[inline]
    pub fn iou(self, other: Self) -> f32 {
        let both = self.intersection(other).map_or(0.0, Self::area);
        let either = self.area() + other.area() - both;
        if either > 0.0 { both / either } else { 0.0 }
    }
    /// Fraction of this box that lies in `other`, 0..=1; 0 for an empty box.
    #[inline]
    pub fn fraction_in(self, other: Self) -> f32 {
        let both = self.intersection(other).map_or(0.0, Self::area);
        if self.area() > 0.0 { both / self.area() } else { 0.0 }
    }
    /// Whether the point is inside or on the edge.
    #[inline]
    pub fn contains(self, p: Point) -> bool {
        (self.x_min..=self.x_max).contains(&p.x) && (self.y_min..=self.y_max).contains(&p.y)
    }
    /// The part inside the frame; a box beyond it becomes an empty one at its edge.
    #[inline]
    #[must_use]
    pub fn clamped(self) -> Self {
        Self {
            x_min: self.x_min.clamp(0.0, 1.0),
            y_min: self.y_min.clamp(0.0, 1.0),
            x_max: self.x_max.clamp(0.0, 1.0),
            y_max: self.y_max.clamp(0.0, 1.0),
        }
    }
    /// Grown by `dx` to the left and right and `dy` up and down; `None` if it would shrink below nothing.
    #[inline]
    pub fn inflated(self, dx: f32, dy: f32) -> Option<Self> {
        Self::new(self.x_min - dx, self.y_min - dy, self.x_max + dx, self.y_max + dy)
    }
    /// Moved by `(dx, dy)`, which must be finite.
    #[inline]
    #[must_use]
    pub fn translated(self, dx: f32, dy: f32) -> Self {
        Self {
            x_min: self.x_min + dx,
            y_min: self.y_min + dy,
            x_max: self.x_max + dx,
            y_max: self.y_max + dy,
        }
    }
}

impl TryFrom<[f32; 4]> for BBox {
    type Error = InvalidBBox;
    fn try_from(v: [f32; 4]) -> Result<Self, InvalidBBox> {
        Self::new(v[0], v[1], v[2], v[3]).ok_or(InvalidBBox(v))
    }
}

impl From<BBox> for [f32; 4] {
    fn from(b: BBox) -> Self {
        [b.x_min, b.y_min, b.x_max, b.y_max]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn boxes() -> impl Strategy<Value = BBox> {
        (0.0f32..1.0, 0.0f32..1.0, 0.0f32..0.5, 0.0f32..0.5)
            .prop_map(|(x, y, w, h)| BBox::new(x, y, x + w, y + h).unwrap())
    }

    proptest! {
        #[test]
        fn iou_is_symmetric_and_within_bounds(a in boxes(), b in boxes()) {
            prop_assert!((a.iou(b) - b.iou(a)).abs() < 1e-6);
            prop_assert!((0.0..=1.0 + 1e-5).contains(&a.iou(b)));
        }

        #[test]
        fn the_wire_form_comes_back_as_it_was(a in boxes()) {
            let text = serde_json::to_string(&a).unwrap();
            prop_assert_eq!(serde_json::from_str::<BBox>(&text).unwrap(), a);
        }
    }

    #[test]
    fn edges_out_of_order_and_not_numbers_make_no_box() {
        assert!(BBox::new(0.5, 0.0, 0.4, 1.0).is_none());
        assert!(BBox::new(0.0, 0.0, f32::NAN, 1.0).is_none());
    }

    #[test]
    fn half_overlapping_boxes_have_iou_of_a_third() {
        let a = BBox::new(0.0, 0.0, 0.2, 0.2).unwrap();
        assert!((a.iou(a.translated(0.1, 0.0)) - 1.0 / 3.0).abs() < 1e-6);
    }
}
