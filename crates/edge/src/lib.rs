//! Runs cameras: threads, supervision, evidence, outbox, telemetry; reads and checks the pipeline file.
//!
//! [`config::check`] names every mistake of a pipeline file, [`Node`] runs one live, [`analyze()`] runs one camera of
//! it over a recorded video. What is seen and judged is in `analytics`; nothing here decides about incidents.

mod analyze;
mod assembly;
pub mod baselines;
mod camera;
pub mod config;
mod dome;
mod evidence;
mod fleet;
mod http;
mod live;
mod node;
pub mod onvif;
mod patrol;
mod recording;
mod reload;
mod setup;
mod share;
mod surveys;
pub mod telemetry;
mod uplink;
mod watch;

pub use analyze::{
    AnalyzeError, AnalyzeOptions, AnalyzeSummary, Progress, Recording, analyze, choose_camera,
};
pub use assembly::{Assembled, Assembly, AssemblyError, Engines, ModelTime};
pub use config::Pipeline;
pub use evidence::EvidenceConfig;
pub use http::HttpConfig;
pub use node::{Node, NodeError};
pub use patrol::{CameraPatrolConfig, NodePatrolConfig, PatrolEstimate};
pub use recording::RecordingConfig;
pub use setup::SetupConfig;
pub use share::{AddressError, ShareConfig};
pub use surveys::{SurveysConfig, SurveysError};
pub use uplink::{Uplink, UplinkError, UplinkHandle};
pub use watch::{Looked, Watch, WatchNote};
