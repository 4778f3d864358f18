//! `parapet scenario`: clips made on purpose.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

use indicatif::{ProgressBar, ProgressStyle};
use parapet_eval::scenario::{MadeScenario, make};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Composite a clip with exact truth out of a specification.
    Make {
        /// Specifications, TOML.
        #[arg(required = true, value_name = "SPEC")]
        specs: Vec<PathBuf>,
        /// Where clips, clean plates and truth go.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Where the pictures are that specifications name.
        #[arg(long, default_value = ".cache/footage", value_name = "DIR")]
        pictures: PathBuf,
    },
}

pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    let Command::Make { specs, out, pictures } = command;
    let next = AtomicUsize::new(0);
    let make_some = || -> anyhow::Result<()> {
        while let Some(spec) = specs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let made = make_with_progress(spec, &pictures, &out)?;
            tracing::info!(clip = %made.clip.display(), truth = %made.truth.display(), "scenario made");
        }
        Ok(())
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from).min(specs.len());
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(make_some)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("making a clip does not panic"))
    })
}

/// Makes one scenario behind a progress bar.
pub(crate) fn make_with_progress(spec: &Path, pictures: &Path, out: &Path) -> anyhow::Result<MadeScenario> {
    let bar =
        ProgressBar::new(0).with_style(ProgressStyle::with_template("{msg} {bar:30} {pos}/{len} frames")?);
    bar.set_message(spec.file_stem().unwrap_or_default().to_string_lossy().into_owned());
    let made = make(spec, pictures, out, &mut |done, of| {
        bar.set_length(of);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    Ok(made)
}
