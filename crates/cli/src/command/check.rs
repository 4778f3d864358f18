//! `parapet check`: every mistake of a pipeline file at once.

use std::{io::Write, path::PathBuf};

use parapet_edge::{
    PatrolEstimate,
    config::{self, CameraConfig, LoadError},
};

use crate::failure::{Mistake, Silent};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Pipeline files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let mut wrong = false;
    let mut out = std::io::stdout().lock();
    for file in &options.files {
        match config::load(file) {
            Ok(pipeline) => {
                let rules: usize = pipeline
                    .cameras
                    .values()
                    .flat_map(CameraConfig::views)
                    .map(|(_, view)| view.rules.len())
                    .sum();
                let cameras = pipeline.cameras.len();
                writeln!(out, "{}: ok, {cameras} cameras, {rules} rules", file.display())?;
                if let Some(estimate) = PatrolEstimate::of(&pipeline) {
                    writeln!(out, "{}: {estimate}", file.display())?;
                }
            }
            Err(LoadError::Invalid { rendered, .. }) => {
                wrong = true;
                write!(out, "{rendered}")?;
            }
            Err(error) => return Err(Mistake(error.to_string()).into()),
        }
    }
    if wrong { Err(Silent(2).into()) } else { Ok(()) }
}
