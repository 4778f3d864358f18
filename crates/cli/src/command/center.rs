//! `parapet center`: the command center by itself.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use parapet_center::{Center, CenterConfig};
use parapet_core::SystemClock;
use parapet_edge::telemetry;
use tokio_util::sync::CancellationToken;

use crate::failure::Mistake;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    center: CenterOptions,
}

/// Where the center's configuration comes from.
#[derive(Debug, clap::Args)]
pub(crate) struct CenterOptions {
    /// The center's file, TOML; defaults without it.
    #[arg(long = "center", value_name = "FILE")]
    file: Option<PathBuf>,
    /// Address of the page, instead of the file's.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

impl CenterOptions {
    /// The configuration, checked as a whole.
    pub(crate) fn load(&self) -> anyhow::Result<CenterConfig> {
        let mut config = match &self.file {
            None => CenterConfig::default(),
            Some(path) => {
                let name = path.display();
                let text = std::fs::read_to_string(path).map_err(|error| {
                    Mistake(format!("cannot read the center's file {name}: {error}; hint: check the path"))
                })?;
                toml::from_str(&text)
                    .map_err(|error| Mistake(format!("the center's file {name} is not valid\n{error}")))?
            }
        };
        if let Some(listen) = self.listen {
            config.listen = listen;
        }
        let problems = config.problems();
        if problems.is_empty() {
            return Ok(config);
        }
        let lines: Vec<String> = problems.iter().map(|problem| format!("  {problem}")).collect();
        Err(Mistake(format!(
            "the center's configuration has {} mistake(s)\n{}",
            lines.len(),
            lines.join("\n")
        ))
        .into())
    }
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let config = options.center.load()?;
    super::block_on(async move {
        let shutdown = CancellationToken::new();
        let clock = Arc::new(SystemClock::new());
        let center = Center::start(config, clock, Some(telemetry::install()), shutdown.clone()).await?;
        super::interrupted().await?;
        shutdown.cancel();
        center.join().await;
        Ok(())
    })
}
