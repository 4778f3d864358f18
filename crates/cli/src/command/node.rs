//! `parapet node`: the cameras of a pipeline file.

use std::{path::PathBuf, sync::Arc};

use parapet_core::SystemClock;
use parapet_edge::Node;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Pipeline file; read again when it changes.
    #[arg(long, value_name = "FILE")]
    pipeline: PathBuf,
}

pub(crate) fn run(options: Options) -> anyhow::Result<()> {
    let pipeline = super::load_pipeline(&options.pipeline)?;
    super::block_on(async move {
        let node = Node::start(pipeline, Some(options.pipeline), Arc::new(SystemClock::new())).await?;
        super::interrupted().await?;
        node.stop().await;
        Ok(())
    })
}
