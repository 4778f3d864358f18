//! `parapet dome`: what a dome says of itself.

use std::{io::Write, path::PathBuf, sync::Arc};

use parapet_core::{CameraId, SystemClock};
use parapet_edge::onvif::OnvifClient;

use crate::failure::Mistake;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Where it looks, and its presets with the tokens that a pipeline file calls them by.
    Presets {
        /// The pipeline file.
        #[arg(long, value_name = "FILE")]
        pipeline: PathBuf,
        /// The dome.
        #[arg(long, value_name = "ID")]
        camera: CameraId,
    },
}

pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    let Command::Presets { pipeline, camera } = command;
    let pipeline = super::load_pipeline(&pipeline)?;
    let dome = super::camera(&pipeline, &camera)?.dome.as_ref();
    let onvif = dome.and_then(|dome| dome.onvif.as_ref()).ok_or_else(|| {
        Mistake(format!(
            "camera \"{camera}\" is no dome that can be asked; hint: [cameras.{camera}.dome.onvif]"
        ))
    })?;
    super::block_on(async {
        let client = OnvifClient::connect(onvif, Arc::new(SystemClock::new())).await?;
        let (status, presets) = (client.status().await?, client.presets().await?);
        let mut out = std::io::stdout().lock();
        if let Some([pan, tilt]) = status.pan_tilt {
            let moves = match status.moving {
                Some(true) => ", moves",
                Some(false) => ", stands",
                None => "",
            };
            writeln!(out, "pan {pan:.4}, tilt {tilt:.4}, zoom {:.4}{moves}", status.zoom.unwrap_or(0.0))?;
        }
        let width = presets.iter().map(|p| p.token.chars().count()).fold("TOKEN".len(), usize::max);
        writeln!(out, "{:<width$}  NAME", "TOKEN")?;
        for preset in presets {
            writeln!(out, "{:<width$}  {}", preset.token, preset.name)?;
        }
        Ok(())
    })
}
