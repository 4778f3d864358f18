//! A node that lets itself be set up from the command center: its pipeline file read, edited, checked and saved; cameras
//! found and looked at before they are added; baselines judged; a draft tried on what was recorded.
//!
//! Off unless the pipeline file says otherwise. Who may do what is the center's to decide; here the node's token is asked.
//! `[node]`, `[bus]` and `[models]` cannot be changed from afar: they open doors, and load libraries.

mod baseline;
mod camera;
mod draft;
mod edit;
mod file;
mod model;
mod refusal;
mod routes;
mod secrets;
mod trial;

use std::{io, sync::Arc};

use parapet_core::Clock;
use serde::{Deserialize, Serialize};

use crate::config::NodeConfig;

use self::{file::PipelineFile, secrets::Secrets};

pub(crate) use refusal::Refusal;
pub(crate) use routes::router;

/// Whether and how the node lets itself be set up over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SetupConfig {
    /// Let the command center read and change this file, find cameras, judge baselines and try drafts. Who reaches the
    /// node's HTTP port with its token (on the loopback without one: any program of this machine) may do it.
    pub enabled: bool,
    /// Earlier texts of this file that are kept beside it.
    pub keep_versions: u16,
}

impl Default for SetupConfig {
    fn default() -> Self {
        Self { enabled: false, keep_versions: 10 }
    }
}

/// What setting up works with; clones are the same.
#[derive(Clone)]
pub(crate) struct Setup(Arc<Desk>);

struct Desk {
    file: PipelineFile,
    secrets: Secrets,
    /// A change of the file is taken up while the node runs.
    hot_reload: bool,
    clock: Arc<dyn Clock>,
    /// One saves at a time.
    saving: tokio::sync::Mutex<()>,
    /// So many cameras are looked at once.
    stills: tokio::sync::Semaphore,
    trials: trial::TrialDesk,
}

/// Cameras that are looked at once.
const STILLS: usize = 2;

impl Setup {
    /// For the pipeline file `file` of a node.
    ///
    /// # Errors
    /// If the file is not there.
    pub(crate) fn new(
        config: &NodeConfig,
        file: &std::path::Path,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Self> {
        let file = PipelineFile::new(file, config.setup.keep_versions.into())?;
        let secrets = Secrets::below(config.data_dir.clone(), file.path());
        let (saving, stills) = (tokio::sync::Mutex::default(), tokio::sync::Semaphore::new(STILLS));
        Ok(Self(Arc::new(Desk {
            file,
            secrets,
            hot_reload: config.hot_reload,
            clock,
            saving,
            stills,
            trials: trial::TrialDesk::default(),
        })))
    }

    /// Ends what is under way.
    pub(crate) fn stop(&self) {
        self.0.trials.stop();
    }
}
