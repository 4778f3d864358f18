//! `parapet analyze`: a recording in, its incidents out.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::PathBuf,
    time::Duration,
};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use parapet_core::Timestamp;
use parapet_edge::{AnalyzeOptions, Progress, Recording, analyze, choose_camera};

use super::load_pipeline;
use crate::failure::Mistake;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Recordings; each is analysed by itself.
    #[arg(required = true, value_name = "VIDEO")]
    videos: Vec<PathBuf>,
    /// Pipeline file.
    #[arg(long, value_name = "FILE")]
    pipeline: PathBuf,
    /// Camera of the pipeline whose zones and rules are used; may be left out when there is only one.
    #[arg(long, value_name = "ID")]
    camera: Option<String>,
    /// Write the incident log here, as JSON Lines; to standard output without it.
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// Write a video with everything drawn on it (with one recording only).
    #[arg(long, value_name = "FILE")]
    annotated: Option<PathBuf>,
    /// When the first frame was taken, as 2026-11-22T08:00:00+08:00.
    #[arg(long, value_name = "TIME")]
    start_at: Option<Timestamp>,
    /// End what is still open when the recording ends.
    #[arg(long)]
    end_open: bool,
    /// Look only at what a live camera with `keyframes_when_enough` and a keyframe every so many seconds would decode.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    keyframes_every: Option<Duration>,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().map_err(|error| error.to_string())?;
    Duration::try_from_secs_f64(seconds).ok().filter(|d| !d.is_zero()).ok_or("a time above 0".to_owned())
}

pub(crate) fn run(options: Options) -> anyhow::Result<()> {
    if options.annotated.is_some() && options.videos.len() > 1 {
        return Err(Mistake("--annotated takes one recording; hint: run one command for each".into()).into());
    }
    let pipeline = load_pipeline(&options.pipeline)?;
    let camera = choose_camera(&pipeline, options.camera.as_deref()).map_err(|e| Mistake(e.to_string()))?;
    let mut log: Box<dyn Write> = match &options.events {
        Some(path) => {
            let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
            Box::new(BufWriter::new(file))
        }
        None => Box::new(std::io::stdout().lock()),
    };
    let how = AnalyzeOptions {
        start_at: options.start_at,
        annotated: options.annotated,
        end_open: options.end_open,
        keyframes_every: options.keyframes_every,
    };
    for video in &options.videos {
        let bar = ProgressBar::new(0).with_style(
            ProgressStyle::with_template("{msg} {bar:30} {percent:>3}% {elapsed} elapsed, {eta} left")
                .expect("the template is right"),
        );
        bar.set_message(video.file_name().unwrap_or_default().to_string_lossy().into_owned());
        let mut show = |progress: Progress<'_>| {
            if let Some(length) = progress.length {
                bar.set_length(length.as_millis() as u64);
            }
            bar.set_position(progress.analysed.as_millis() as u64);
        };
        let summary =
            analyze(&pipeline, &camera, &Recording::Video(video.clone()), &mut log, &how, &mut show)
                .with_context(|| format!("cannot analyse {}", video.display()))?;
        bar.finish_and_clear();
        let seconds = |d: Duration| (d.as_secs_f64() * 100.0).round() / 100.0;
        tracing::info!(
            video = %video.display(),
            frames = summary.frames,
            held = summary.held,
            incidents = summary.incidents,
            video_seconds = seconds(summary.video),
            took_seconds = seconds(summary.took),
            decode_seconds = seconds(summary.decode),
            infer_seconds = seconds(summary.infer),
            "recording analysed"
        );
    }
    log.flush().context("cannot write the incident log")?;
    Ok(())
}
