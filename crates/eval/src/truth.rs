//! The nouns of scoring: what a label file says is there, and what a program says it found. Boxes are in pixels of the
//! picture, for the field's metrics are defined on them; times are seconds from the beginning of the sequence.

use parapet_core::{BBox, IncidentKind, Label, ZoneId};
use serde::{Deserialize, Serialize};

/// An upright rectangle in pixels: left, top, width, height, y down. It may reach out of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rect {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl Rect {
    /// A box of a picture of this width and height.
    pub fn in_pixels(bbox: BBox, width: f64, height: f64) -> Self {
        Self {
            x: f64::from(bbox.x_min()) * width,
            y: f64::from(bbox.y_min()) * height,
            width: f64::from(bbox.width()) * width,
            height: f64::from(bbox.height()) * height,
        }
    }

    /// Area in square pixels.
    pub fn area(&self) -> f64 {
        self.width * self.height
    }

    /// Area shared with `other`.
    pub fn intersection(&self, other: &Self) -> f64 {
        let width = (self.x + self.width).min(other.x + other.width) - self.x.max(other.x);
        let height = (self.y + self.height).min(other.y + other.height) - self.y.max(other.y);
        if width > 0.0 && height > 0.0 { width * height } else { 0.0 }
    }

    /// Intersection over union, 0 to 1.
    pub fn iou(&self, other: &Self) -> f64 {
        let shared = self.intersection(other);
        let union = self.area() + other.area() - shared;
        if union > 0.0 { shared / union } else { 0.0 }
    }
}

/// A labelled object in one picture.
#[derive(Debug, Clone, PartialEq)]
pub struct TruthBox {
    /// Its class.
    pub label: Label,
    /// Where it is.
    pub rect: Rect,
    /// Area in square pixels: of its mask where the labels have one, else of the box.
    pub area: f64,
    /// Who it is, in a sequence.
    pub track: Option<u64>,
    /// It stands for many (COCO's `iscrowd`): any number of findings may lie in it.
    pub crowd: bool,
    /// It is there, but is neither to be found nor held against who finds it.
    pub ignored: bool,
}

/// An object that a program found in one picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoundBox {
    /// Its class.
    pub label: Label,
    /// Where it is.
    pub rect: Rect,
    /// Confidence, 0 to 1.
    pub score: f64,
    /// Who it is, where there is a tracker.
    pub track: Option<u64>,
}

/// A violation that a person saw in a sequence.
#[derive(Debug, Clone, PartialEq)]
pub struct TruthIncident {
    /// Its kind.
    pub kind: IncidentKind,
    /// The zone, where the labels tell.
    pub zone: Option<ZoneId>,
    /// Since when the thing stands there (before any limit of a rule).
    pub since: f64,
    /// When it was gone; none if it was still there when the sequence ended.
    pub until: Option<f64>,
    /// When a program that works right raises the alarm: `since` and the limit of the rule.
    pub due: f64,
    /// Where it stands.
    pub rect: Option<Rect>,
}

/// An incident that a program raised in a sequence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoundIncident {
    /// Its kind.
    pub kind: IncidentKind,
    /// The zone that the rule names.
    pub zone: Option<ZoneId>,
    /// When the alarm came.
    pub started_at: f64,
    /// When it was told to be over; none if it was open when the sequence ended.
    pub ended_at: Option<f64>,
    /// Where.
    pub rect: Option<Rect>,
    /// Confidence, 0 to 1.
    pub score: f64,
}
