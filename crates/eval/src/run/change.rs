//! What the comparison with a baseline picture finds in a pair of pictures, scored against the pair's mask of change.

use std::sync::Arc;

use parapet_change::{Baseline, BaselineConfig};
use parapet_core::{BBox, Mask, Polygon, Timestamp, change::BaselineState};

use super::images::{LookError, decode};
use crate::{
    dataset::ChangePair,
    metric::{
        Counts,
        change::{ObjectCounts, ObjectRule, objects, pixels},
    },
};

/// Objects of fewer pixels are taken for noise, in the labels as in the findings.
const LEAST_PIXELS: usize = 16;
/// Share of an object that must be covered for it to be found, and of a finding for it to be true: buildings that touch
/// each other are one object in one mask and two in the other.
const COVERED: f64 = 0.3;

/// Compares the two pictures of a pair once, anywhere in the picture, and counts pixels and objects. A pair that cannot be
/// registered has no findings: that is a miss, and reported as such.
///
/// # Errors
/// A picture cannot be decoded.
pub(super) fn compare(
    pair: &ChangePair,
    config: &BaselineConfig,
) -> Result<(Counts, ObjectCounts), LookError> {
    let (before, after) = (decode(&pair.before)?, decode(&pair.after)?);
    let mask = image::open(&pair.mask)
        .map_err(|source| LookError::Decode { path: pair.mask.clone(), source })?
        .into_luma8();
    let (width, height) = (mask.width() as usize, mask.height() as usize);
    let changed = mask.pixels().map(|pixel| pixel.0[0] > 127).collect();
    let truth = Mask::from_cells(width, height, changed).expect("a pixel for each cell");
    let whole = BBox::new(0.0, 0.0, 1.0, 1.0).expect("the frame");
    let whole = Polygon::from_bbox(whole).expect("the frame");
    let config = BaselineConfig { confirm_comparisons: 1, ..config.clone() };
    let mut baseline = Baseline::new(config, &[whole], vec![Arc::new(before)]);
    let (regions, state) = baseline.update(&after, Timestamp::UNIX_EPOCH, &[]);
    let mut found = Mask::empty(width, height);
    if state == BaselineState::Compared {
        for outline in regions.into_iter().filter_map(|region| Polygon::new(region.outline).ok()) {
            found.fill_mask(&Mask::of_polygon(width, height, &outline));
        }
    }
    let counted = pixels(&found, &truth).and_then(|pixels| {
        Ok((pixels, objects(&found, &truth, ObjectRule::Overlap(COVERED), LEAST_PIXELS)?))
    });
    Ok(counted.expect("both masks have the size of the labels"))
}
