//! Both parts of change detection behind the one trait.

use std::sync::Arc;

use parapet_core::{BBox, ChangeDetector, Frame, Picture, Polygon, SceneChange};

use crate::{
    background::Background,
    baseline::{Baseline, DifferenceMap},
    config::ChangeConfig,
};

/// Follows what is new in one view.
pub struct ViewChange {
    background: Option<Background>,
    baseline: Option<Baseline>,
}

impl ViewChange {
    /// Follows a view with the parts that are configured. Nothing in `ignore` is reported as standing; differences to
    /// any of `baselines` are looked for in `roofs`.
    pub fn new(
        config: &ChangeConfig,
        ignore: &[Polygon],
        roofs: &[Polygon],
        baselines: Vec<Arc<Picture>>,
    ) -> Self {
        Self {
            background: config.background.clone().map(|c| Background::new(c, ignore)),
            baseline: config.baseline.clone().map(|c| Baseline::new(c, roofs, baselines)),
        }
    }

    /// Compares with these approved pictures of the same view from now on.
    pub fn set_baselines(&mut self, pictures: Vec<Arc<Picture>>) {
        if let Some(baseline) = &mut self.baseline {
            baseline.set_pictures(pictures);
        }
    }

    /// Compares with the baseline by another measure of difference.
    #[must_use]
    pub fn with_difference(mut self, map: Box<dyn DifferenceMap>) -> Self {
        self.baseline = self.baseline.map(|baseline| baseline.with_difference(map));
        self
    }
}

impl ChangeDetector for ViewChange {
    fn update(&mut self, frame: &Frame, occupied: &[BBox]) -> SceneChange {
        let mut change = SceneChange::unknown();
        if let Some(background) = &mut self.background {
            let standing = background.update(&frame.picture, frame.captured_at, occupied);
            change.stationary = standing.regions;
            change.stationary_mask = standing.mask;
            change.moving_fraction = standing.moving_fraction;
            change.light_changed = standing.light_changed;
            change.view_shifted = standing.view_shifted;
        }
        if let Some(baseline) = &mut self.baseline {
            (change.differences, change.baseline) =
                baseline.update(&frame.picture, frame.captured_at, occupied);
        }
        change
    }

    fn begin_run(&mut self) {
        if let Some(background) = &mut self.background {
            background.begin_run();
        }
    }

    fn is_undecided(&self) -> bool {
        self.background.as_ref().is_some_and(Background::is_undecided)
            || self.baseline.as_ref().is_some_and(Baseline::is_undecided)
    }
}
