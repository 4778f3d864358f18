//! The verbs: tracker, memory of standing things, rules and incident book; pure functions of detections, changes
//! and their times. No thread, clock or I/O; the same frames in give the same bytes out.
//!
//! Read [`pipeline`] first: it is the whole path of a frame.

pub mod appearance;
pub mod book;
pub mod finding;
pub mod gate;
pub mod ground;
pub mod group;
pub mod line;
pub mod option;
pub mod pipeline;
pub mod region;
pub mod rule;
mod runners;
pub mod scene;
pub mod schedule;
pub mod standing;
pub mod tracker;
pub mod zone;

pub use book::{IncidentBook, OpenIncident};
pub use finding::{Finding, Subject};
pub use gate::{Gate, GateConfig, Look, Movement, Stir};
pub use group::Group;
pub use line::LineCrossing;
pub use option::{Fraction, Seconds};
pub use pipeline::{Pipeline, PipelineConfig, Step};
pub use rule::{Problem, RuleConfig};
pub use schedule::Schedule;
pub use standing::{StandingConfig, StandingMemory, Thing};
pub use tracker::{Tracker, TrackerConfig};
pub use zone::PresenceConfig;
