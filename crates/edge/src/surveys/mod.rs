//! Drone surveys on their way to the command center: what the reports in a folder tell of each roof is shown as its
//! history, and each structure is raised as one incident that goes on until a survey shows that it is gone.
//!
//! Comparing flights is `parapet_survey`'s; here its reports are only told.

mod tell;
mod watch;

use std::path::PathBuf;

use parapet_core::CameraId;
use serde::{Deserialize, Serialize};

pub(crate) use tell::RULE;
pub use watch::SurveysError;
pub(crate) use watch::{SurveyWatch, Teller};

/// Surveys that are told to the command center.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SurveysConfig {
    /// GeoJSON file of the compound, as for `parapet survey compare`.
    pub site: PathBuf,
    /// Folder with a folder for each comparison, as `parapet survey compare --out` writes them; below the node's
    /// `data_dir` unless absolute. A comparison that is put there is told at once.
    #[serde(default = "default_dir")]
    pub dir: PathBuf,
    /// The name under which incidents of surveys are raised.
    #[serde(default = "default_camera")]
    pub camera: CameraId,
}

fn default_dir() -> PathBuf {
    PathBuf::from("surveys")
}

fn default_camera() -> CameraId {
    "drone".parse().expect("a slug")
}
