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
mod network;
mod patch;
mod plane;
mod register;
mod relief;
mod things;

pub use cue::{CELL_PIXELS, CUE_NAMES, View};
pub use features::FeatureGrid;
pub use fuse::Fused;
pub use head::{CELL_CLASSES, Head, HeadError, THING_CLASSES};
pub use network::{Network, Sample, Training, train};
pub use patch::{Look, Patch};
pub use register::{Gates, Prior, Reference, Refusal, Registration};
pub use relief::{Eye, Relief};
pub use things::{EDGE_METERS, MIDDLE_METERS, Measure, Thing, ThingKind, ThingOptions, outlines, things};
