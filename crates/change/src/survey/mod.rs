//! What is new on a roof between two flights: patches of the roof are laid on each other, weighed cue by cue, fused over
//! several looks and grouped into things.
//!
//! Pure pixels: the caller says where a roof lies in a picture and gives deep features; nothing here knows coordinates,
//! files or models.

mod corner;
mod cue;
mod features;
mod fuse;
mod head;
mod patch;
mod register;
mod things;
mod train;

pub use cue::{CELL_PIXELS, CUE_NAMES, View};
pub use features::FeatureGrid;
pub use fuse::Fused;
pub use head::{CLASSES, Head, HeadError, INPUTS};
pub use patch::{Look, Patch};
pub use register::{Gates, Prior, Reference, Refusal, Registration};
pub use things::{Measure, Thing, ThingKind, ThingOptions, things};
pub use train::{Sample, Training, train};
