//! Detection after COCO (Lin et al., "Microsoft COCO", ECCV 2014): the figures of pycocotools' `COCOeval` for boxes, and
//! beside them precision and recall at a threshold, and who is taken for whom. A class that a picture's set does not
//! label is not scored there at all.

mod accumulate;
mod confusion;
mod curve;
mod matching;

pub use accumulate::{ClassFigures, DetectionFigures};
pub use confusion::{BACKGROUND, Confusion};
pub use curve::{Curve, CurvePoint};
pub use matching::{DetectionMatches, IOU_THRESHOLDS, MAX_FOUND};

use crate::truth::{FoundBox, TruthBox};
use parapet_core::Label;

/// One picture: what is there, what was found, and which classes its labels tell of.
#[derive(Debug, Clone, Copy)]
pub struct LabelledImage<'a> {
    /// The labels. An `ignored` box that is not a `crowd` takes one finding, a crowd any number, and neither counts.
    pub truth: &'a [TruthBox],
    /// The findings, in any order; of equal scores the earlier is taken first. Scores must not be NaN.
    pub found: &'a [FoundBox],
    /// The classes that are labelled here; boxes of others are not scored.
    pub classes: &'a [Label],
}

#[cfg(test)]
mod tests;
