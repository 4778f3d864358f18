//! What is new in a view: background model for fixed cameras, registered comparison with a baseline.
//!
//! Pure functions of pictures and their times: no thread, clock or I/O. Knows no classes; persons and moving things
//! are named by the caller.

#![expect(clippy::cast_possible_wrap, reason = "coordinates of pixels fit in an i32")]
#![expect(clippy::needless_range_loop, reason = "one index runs over several planes")]

mod align;
mod background;
mod baseline;
mod config;
mod judge;
mod light;
mod motion;
mod pose;
mod raster;
mod register;
mod small;
pub mod survey;
mod view;

pub use background::{Background, Standing};
pub use baseline::{Baseline, DifferenceMap, ScoreMap};
pub use config::{BackgroundConfig, BaselineConfig, ChangeConfig};
pub use motion::Motion;
pub use pose::{Pose, ReferenceView};
pub use view::ViewChange;
