//! What is new in a view, whatever it is: regions of pixels, not objects of known classes.

use serde::{Deserialize, Serialize};

use crate::{BBox, Frame, Mask, Point, Timestamp};

/// Something that was put down and stays: foreground to the clean reference, still for a while.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StationaryRegion {
    /// The same number in each frame as long as the thing stays; unique in the detector's life.
    pub number: u64,
    /// Bounding box, normalized.
    pub bbox: BBox,
    /// Outline, normalized, at least three points.
    pub outline: Vec<Point>,
    /// Fraction of the frame that it covers, 0..=1.
    pub area: f32,
    /// When it came to rest.
    pub since: Timestamp,
    /// When it was last seen unoccluded.
    pub last_seen_at: Timestamp,
}

/// A difference between the view and the approved baseline picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DifferenceRegion {
    /// The same number in each comparison as long as it stays.
    pub number: u64,
    /// Bounding box, normalized, in the view's present frame.
    pub bbox: BBox,
    /// Outline, normalized.
    pub outline: Vec<Point>,
    /// Fraction of the frame that it covers, 0..=1.
    pub area: f32,
    /// Strength of the difference, 0..=1.
    pub score: f32,
    /// First comparison in which it was seen.
    pub since: Timestamp,
    /// Latest comparison in which it was seen.
    pub last_seen_at: Timestamp,
}

/// How the comparison with the baseline went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BaselineState {
    /// No baseline is set.
    Absent,
    /// The view was registered to the baseline and compared.
    Compared,
    /// Not due yet: the latest comparison's regions stand.
    Waiting,
    /// The view does not fit the baseline (moved camera, fog, dark): nothing may be concluded.
    NotRegistered,
}

/// All that the change detectors say about one frame.
#[derive(Debug, Clone, PartialEq)]
pub struct SceneChange {
    /// Things that were put down and stay.
    pub stationary: Vec<StationaryRegion>,
    /// Which cells of the view are covered by stationary things; `None` while the model is still learning.
    pub stationary_mask: Option<Mask>,
    /// Fraction of the frame that differs from the short-term background, 0..=1.
    pub moving_fraction: f32,
    /// The light changed as a whole in this frame: absence of a thing is no evidence that it left.
    pub light_changed: bool,
    /// The camera is not where it was: nothing may be concluded from this frame.
    pub view_shifted: bool,
    /// Differences to the approved baseline.
    pub differences: Vec<DifferenceRegion>,
    /// How the comparison with the baseline went.
    pub baseline: BaselineState,
}

impl SceneChange {
    /// Nothing known: before the first frame, or without a change detector.
    pub fn unknown() -> Self {
        Self {
            stationary: Vec::new(),
            stationary_mask: None,
            moving_fraction: 0.0,
            light_changed: false,
            view_shifted: false,
            differences: Vec::new(),
            baseline: BaselineState::Absent,
        }
    }

    /// What is known `at` a later time, when nothing has moved since `before`: what was seen then is still there, and no
    /// comparison was made.
    pub fn hold(&mut self, before: Timestamp, at: Timestamp) {
        for region in self.stationary.iter_mut().filter(|region| region.last_seen_at == before) {
            region.last_seen_at = at;
        }
        self.moving_fraction = 0.0;
        if self.baseline == BaselineState::Compared {
            self.baseline = BaselineState::Waiting;
        }
    }
}

/// Follows what is new in one view.
pub trait ChangeDetector: Send {
    /// Looks at the next frame. `occupied` are boxes of persons and of moving objects in it: they belong neither to
    /// the background nor to what was put down.
    fn update(&mut self, frame: &Frame, occupied: &[BBox]) -> SceneChange;

    /// A new connection begins: the clock and perhaps the light jumped, the view is the same.
    fn begin_run(&mut self);

    /// Whether something seems to have come or gone and is not decided yet: another look soon would tell.
    fn is_undecided(&self) -> bool;
}
