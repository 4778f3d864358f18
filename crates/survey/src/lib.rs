//! Compares drone flights over a site: what is new, gone or grown on its roofs, and since when.
//!
//! [`compare`] takes two [`Flight`]s and gives a [`Survey`]; [`write`] puts it into a folder; [`timeline`] follows
//! findings over several reports. Reads no telemetry and decodes no video: a [`Flight`] does, as [`Recorded`].

mod compare;
mod deep;
mod flight;
pub mod measure;
mod objects;
mod plan;
mod recorded;
mod report;
mod roof;
mod timeline;
mod write;

pub use parapet_change::survey::{Head, HeadError};

pub use compare::{
    CompareError, CompareOptions, Examined, Judge, Occupied, Progress, Stage, Survey, Tools, compare,
};
pub use deep::{DeepFeatures, NetworkFeatures, NoFeatures};
pub use flight::{Flight, FlightError, Georeference, Raster, SurveyPicture};
pub use objects::{Detect, GroundObject, ObjectReport, ObjectsError, meters_per_width, objects};
pub use recorded::{Recorded, RecordedError};
pub use report::{
    Change, Crops, Finding, FindingId, FlightSummary, REPORT_VERSION, Reason, RoofOutcome, RoofPictures,
    RoofState, SurveyReport,
};
pub use timeline::{History, Milestone, Sighting, SurveyDate, Timeline, timeline};
pub use write::{WriteError, read_report, write, write_objects, write_timeline};
