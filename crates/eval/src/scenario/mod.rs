//! A scenario is a clip made on purpose: cut-outs of real pictures (or simple renders) that arrive, stay and leave
//! over a real background, in changing light and weather, and the truth of every box and incident beside it.
//! Every frame is marked as a composite. The same specification gives the same pixels.

mod atmosphere;
mod backdrop;
mod compose;
mod frame;
mod make;
mod noise;
mod outline;
mod spec;
mod sprite;

pub use compose::{Composer, PlacedThing};
pub use make::{MadeScenario, TRUTH_SCHEMA, Truth, TruthFrame, TruthIncidentBox, make};
pub use spec::{IncidentTruth, Library, ScenarioError, ScenarioSpec, Split, WatchSpec};

/// Goes up when the same specification gives other pixels, so that clips are made anew.
const MAKER_VERSION: u32 = 3;
