//! One module for each subcommand: its options, and the few calls that do the job.

pub(crate) mod analyze;
pub(crate) mod baseline;
pub(crate) mod bench;
pub(crate) mod camera;
pub(crate) mod center;
pub(crate) mod check;
pub(crate) mod demo;
pub(crate) mod dome;
pub(crate) mod eval;
pub(crate) mod evidence;
pub(crate) mod models;
pub(crate) mod node;
pub(crate) mod run;
pub(crate) mod scenario;
pub(crate) mod survey;
pub(crate) mod user;
pub(crate) mod verdicts;

use std::{future::Future, path::Path};

use clap::CommandFactory;
use parapet_core::CameraId;
use parapet_edge::{
    Pipeline,
    config::{self, CameraConfig, LoadError},
};

use crate::{failure::Mistake, memory};

/// Reads a pipeline file; what is wrong with it is the user's mistake, told in full.
pub(crate) fn load_pipeline(path: &Path) -> anyhow::Result<Pipeline> {
    config::load(path).map_err(|error| match error {
        LoadError::Invalid { rendered, .. } => {
            Mistake(format!("the pipeline file has mistakes\n{rendered}")).into()
        }
        LoadError::Read { .. } => anyhow::Error::new(Mistake(error.to_string())),
    })
}

/// A camera of a pipeline file.
pub(crate) fn camera<'a>(pipeline: &'a Pipeline, id: &CameraId) -> Result<&'a CameraConfig, Mistake> {
    pipeline.cameras.get(id).ok_or_else(|| {
        let names: Vec<&str> = pipeline.cameras.keys().map(CameraId::as_str).collect();
        Mistake(format!("there is no camera \"{id}\"; hint: one of: {}", names.join(", ")))
    })
}

/// Runs a future on all cores, and gives memory back that it has freed.
pub(crate) fn block_on(job: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("parapet-tokio").build()?.block_on(
        async {
            tokio::select! {
                done = job => done,
                never = memory::give_back() => match never {},
            }
        },
    )
}

/// Returns when the program is asked to stop (SIGINT or SIGTERM).
pub(crate) async fn interrupted() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    tracing::info!("stopping");
    Ok(())
}

/// Prints completions for a shell.
#[expect(clippy::unnecessary_wraps, reason = "every command gives a result")]
pub(crate) fn completions(shell: clap_complete::Shell) -> anyhow::Result<()> {
    clap_complete::generate(shell, &mut crate::Arguments::command(), "parapet", &mut std::io::stdout());
    Ok(())
}
