//! `parapet bench`: how many cameras this machine watches, and what each costs. A node watches simulated RTSP cameras that
//! share one encoded clip, both as programs of their own; all figures come from the node's published metrics and from
//! what the kernel counts for it.

mod metrics;
mod node;

use std::{path::PathBuf, time::Duration};

use anyhow::Context;
use parapet_core::{CameraId, Clock, SystemClock};

use self::{
    metrics::Metrics,
    node::{Bench, Processes},
};
use super::load_pipeline;
use crate::failure::Mistake;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Pipeline file of the camera that is multiplied.
    #[arg(long, value_name = "FILE")]
    pipeline: PathBuf,
    /// Camera of the pipeline; may be left out when there is only one.
    #[arg(long, value_name = "ID")]
    camera: Option<CameraId>,
    /// What all cameras show, looped: encoded H.264 or H.265 is served as it is.
    #[arg(long, value_name = "VIDEO")]
    clip: PathBuf,
    /// Numbers of cameras to look at, as 1,8,64; without it the largest that is sustained is searched.
    #[arg(long, value_name = "N", value_delimiter = ',')]
    cameras: Vec<usize>,
    /// Seconds that are measured.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Seconds before that, for all cameras to connect; a tenth of a second more for each camera.
    #[arg(long, default_value_t = 12)]
    warm: u64,
    /// All cameras show the same moment and send their keyframes together: the worst case. Otherwise they are spread over
    /// the clip, as real cameras are over what happens.
    #[arg(long)]
    in_step: bool,
    /// Longest time from a picture to its decision in 95 of 100 cases, in seconds.
    #[arg(long, default_value_t = 1.0)]
    latency: f64,
}

/// What a number of cameras came to.
#[derive(Debug)]
struct Row {
    cameras: usize,
    /// Cameras of which frames were looked at all the time.
    alive: usize,
    looks: f64,
    cpu: f64,
    /// Wall time of the model's answers, and of the rest of a look, for each camera and second.
    infer: f64,
    analyse: f64,
    latency: [f64; 3],
    /// Frames that were dropped before the decoder, before analysis and by the model, and all others that nobody looked at.
    lost: [f64; 4],
    megabytes: f64,
    sustained: bool,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let pipeline = load_pipeline(&options.pipeline)?;
    let named = options.camera.as_ref().map(CameraId::as_str);
    let camera = parapet_edge::choose_camera(&pipeline, named).map_err(|e| Mistake(e.to_string()))?;
    if !options.clip.is_file() {
        return Err(Mistake(format!("there is no video {}", options.clip.display())).into());
    }
    let bench = Bench::new(&options.pipeline, &camera, &options.clip, !options.in_step)?;
    #[expect(clippy::print_stdout, reason = "the table is what was asked for")]
    let show = |line: &str| println!("{line}");
    show(HEAD);
    let look = |cameras: usize| -> anyhow::Result<bool> {
        let row = measure(&bench, cameras, options).with_context(|| format!("with {cameras} cameras"))?;
        show(&row.line());
        Ok(row.sustained)
    };
    if !options.cameras.is_empty() {
        for cameras in &options.cameras {
            look(*cameras)?;
        }
        return Ok(());
    }
    let most = largest(look)?;
    show(&format!("\nsustained: {most} cameras"));
    Ok(())
}

/// The largest number that holds, by doubling and then halving the distance.
fn largest(mut holds: impl FnMut(usize) -> anyhow::Result<bool>) -> anyhow::Result<usize> {
    let (mut good, mut bad) = (0, 1);
    while holds(bad)? {
        (good, bad) = (bad, bad * 2);
    }
    while bad - good > 1 {
        let middle = usize::midpoint(good, bad);
        if holds(middle)? {
            good = middle;
        } else {
            bad = middle;
        }
    }
    Ok(good)
}

fn measure(bench: &Bench, cameras: usize, options: &Options) -> anyhow::Result<Row> {
    let processes: Processes = bench.start(cameras)?;
    let warm = Duration::from_secs(options.warm) + Duration::from_millis(100) * cameras as u32;
    processes.watch_for(warm)?;
    let clock = SystemClock::new();
    let (before, used, at) = (processes.metrics()?, processes.cpu()?, clock.monotonic());
    processes.watch_for(Duration::from_secs(options.seconds))?;
    let (after, used, took) =
        (processes.metrics()?, processes.cpu()? - used, clock.monotonic().saturating_sub(at).as_secs_f64());
    let megabytes = processes.resident_megabytes()?;
    let spent = Metrics::between(&before, &after);
    let each = cameras as f64 * took;
    let stage = |stage: &str| spent.sum("parapet_stage_microseconds_total", &[("stage", stage)]) / 1e6 / each;
    let analysed = spent.by_label("parapet_frames_analysed_total", "camera");
    let alive = analysed.values().filter(|frames| **frames > 0.0).count();
    let lost_at = |labels: &[(&str, &str)]| spent.sum("parapet_frames_dropped_total", labels);
    let [decode, analysis, model] = ["decode", "analysis", "model"].map(|stage| lost_at(&[("stage", stage)]));
    let lost = [decode, analysis, model, lost_at(&[]) - decode - analysis - model];
    let held = spent.sum("parapet_frames_held_total", &[]);
    let latency = [0.5, 0.95, 0.99].map(|q| spent.quantile("parapet_decision_seconds", q));
    Ok(Row {
        cameras,
        alive,
        looks: (analysed.values().sum::<f64>() - held) / each,
        cpu: used / each,
        infer: stage("infer"),
        analyse: stage("analyse") + stage("rest"),
        latency,
        lost,
        megabytes,
        sustained: alive == cameras && lost == [0.0; 4] && latency[1] <= options.latency,
    })
}

const HEAD: &str = "| cameras | alive | looks a second, each | CPU-s a camera-second | model, s | rest of a look, s | picture to decision p50 / p95 / p99, s | lost before decoder / before analysis / by the model / else | MB | MB a camera | sustained |\n|--:|--:|--:|--:|--:|--:|---|---|--:|--:|---|";

impl Row {
    fn line(&self) -> String {
        let [p50, p95, p99] = self.latency;
        let [decode, analysis, model, other] = self.lost.map(|frames| frames as u64);
        format!(
            "| {} | {} | {:.2} | {:.4} | {:.4} | {:.4} | {p50:.3} / {p95:.3} / {p99:.3} | {decode} / {analysis} / {model} / {other} | {:.0} | {:.1} | {} |",
            self.cameras,
            self.alive,
            self.looks,
            self.cpu,
            self.infer,
            self.analyse,
            self.megabytes,
            self.megabytes / self.cameras as f64,
            if self.sustained { "yes" } else { "no" },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_number_is_found_in_few_looks() {
        for truth in [0, 1, 2, 5, 8, 23, 64] {
            let mut looks = 0;
            let found = largest(|n| {
                looks += 1;
                Ok(n <= truth)
            });
            assert_eq!(found.expect("nothing fails"), truth);
            assert!(looks <= 14, "{truth}: {looks}");
        }
    }
}
