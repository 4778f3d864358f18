//! `parapet run`: a node and the command center in one process.

use std::{path::PathBuf, sync::Arc};

use parapet_bus::BusConfig;
use parapet_center::{Center, CenterConfig, RunningCenter};
use parapet_core::SystemClock;
use parapet_edge::{Node, Pipeline, telemetry};
use tokio_util::sync::CancellationToken;

use super::center::CenterOptions;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Pipeline file; read again when it changes.
    #[arg(long, value_name = "FILE")]
    pipeline: PathBuf,
    #[command(flatten)]
    center: CenterOptions,
}

/// A node and a center that know each other.
pub(crate) struct Together {
    pub(crate) node: Node,
    pub(crate) center: RunningCenter,
    shutdown: CancellationToken,
}

impl Together {
    /// Starts both. The center listens to the node's broker, whatever its own configuration says.
    pub(crate) async fn start(
        pipeline: Pipeline,
        file: PathBuf,
        mut config: CenterConfig,
    ) -> anyhow::Result<Self> {
        let clock = Arc::new(SystemClock::new());
        if config.node_token_file.is_none() && config.node_token_env.is_none() {
            config.node_token_file.clone_from(&pipeline.node.http.token_file);
        }
        let node = Node::start(pipeline, Some(file), clock.clone()).await?;
        config.bus = BusConfig { embedded: None, broker: Some(node.broker().clone()) };
        let shutdown = CancellationToken::new();
        match Center::start(config, clock, Some(telemetry::install()), shutdown.clone()).await {
            Ok(center) => Ok(Self { node, center, shutdown }),
            Err(error) => {
                node.stop().await;
                Err(error.into())
            }
        }
    }

    /// Stops the node, so that what it ended is still received, and then the center.
    pub(crate) async fn stop(self) {
        self.node.stop().await;
        self.shutdown.cancel();
        self.center.join().await;
    }
}

pub(crate) fn run(options: Options) -> anyhow::Result<()> {
    let pipeline = super::load_pipeline(&options.pipeline)?;
    let config = options.center.load()?;
    super::block_on(async move {
        let together = Together::start(pipeline, options.pipeline, config).await?;
        super::interrupted().await?;
        together.stop().await;
        Ok(())
    })
}
