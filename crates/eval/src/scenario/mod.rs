//! A scenario is a clip made on purpose: cut-outs of real pictures (or simple renders) that arrive, stay and leave
//! over a still background, with sensor noise and changes of light, and the truth of every box and incident beside it.
//! Every frame is marked as a composite. The same specification gives the same pixels.

mod canvas;
mod compose;
mod make;

mod spec;

pub use compose::{Composer, PlacedThing};
pub use make::{MadeScenario, make};

pub use spec::{IncidentTruth, ScenarioError, ScenarioSpec};
