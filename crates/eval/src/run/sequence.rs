//! What a subject finds in a sequence: tracks frame by frame and incidents, by the assembly that runs live, with its cost.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use parapet_core::{
    CameraId, EndReason, Frame, IncidentId, Phase, Timestamp, TrackState, time::seconds_between,
};
use parapet_edge::{AnalyzeError, AnalyzeOptions, Pipeline, Recording, analyze};
use serde::{Deserialize, Serialize};

use crate::{
    report::Thumbnail,
    truth::{FoundBox, FoundIncident, Rect},
};

/// Thumbnails of a sequence, evenly over its length.
const THUMBNAILS: usize = 8;
/// Their width.
const THUMBNAIL_PIXELS: usize = 160;
/// Width of the pictures that are kept of incidents.
const EXHIBIT_PIXELS: usize = 480;

/// What was found in a sequence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SequenceFindings {
    /// Length, from the beginning of the recording to its last frame, in seconds.
    pub seconds: f64,
    /// Pixels across and down.
    pub size: (u32, u32),
    /// Frames that were looked at: seconds from the beginning, confirmed tracks that were seen in it.
    pub frames: Vec<(f64, Vec<FoundBox>)>,
    /// Incidents, in the order of their start.
    pub incidents: Vec<FoundIncident>,
    /// A picture of each incident at its start, JPEG in base64.
    pub pictures: Vec<String>,
    /// Small pictures over the whole length.
    pub thumbnails: Vec<Thumbnail>,
    /// What it cost.
    pub cost: Cost,
}

/// What watching a sequence cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Time that passed.
    pub wall_seconds: f64,
    /// Processor time of this program, all threads.
    pub cpu_seconds: f64,
    /// Time spent waiting for the decoder.
    pub decode_seconds: f64,
    /// Time spent in the model.
    pub infer_seconds: f64,
    /// From a frame to its decisions, for each frame in order, in milliseconds.
    pub step_milliseconds: Vec<f64>,
    /// Most memory that this program had, in megabytes.
    pub peak_megabytes: Option<f64>,
}

/// Watches a recording as `camera` of the pipeline.
///
/// # Errors
/// The pipeline cannot be put together, or the recording is broken.
pub(super) fn watch(
    pipeline: &Pipeline,
    camera: &CameraId,
    recording: &Recording,
    keyframes_every: Option<Duration>,
    progress: &mut dyn FnMut(Duration, Option<Duration>),
) -> Result<SequenceFindings, AnalyzeError> {
    let mut seen = Seen::default();
    let cpu = cpu_seconds();
    let start_at = Some(Timestamp::UNIX_EPOCH);
    let options = AnalyzeOptions { start_at, keyframes_every, ..AnalyzeOptions::default() };
    let summary = analyze(pipeline, camera, recording, &mut std::io::sink(), &options, &mut |at| {
        seen.frame(at.frame, at.step, at.took, at.length);
        progress(at.analysed, at.length);
    })?;
    Ok(SequenceFindings {
        seconds: seen.frames.last().map_or(0.0, |(at, _)| *at),
        size: seen.size,
        frames: seen.frames,
        incidents: seen.incidents,
        pictures: seen.pictures,
        thumbnails: seen.thumbnails,
        cost: Cost {
            wall_seconds: summary.took.as_secs_f64(),
            cpu_seconds: cpu_seconds() - cpu,
            decode_seconds: summary.decode.as_secs_f64(),
            infer_seconds: summary.infer.as_secs_f64(),
            step_milliseconds: seen.steps,
            peak_megabytes: peak_megabytes(),
        },
    })
}

#[derive(Default)]
struct Seen {
    size: (u32, u32),
    frames: Vec<(f64, Vec<FoundBox>)>,
    incidents: Vec<FoundIncident>,
    pictures: Vec<String>,
    numbers: BTreeMap<IncidentId, usize>,
    thumbnails: Vec<Thumbnail>,
    steps: Vec<f64>,
}

impl Seen {
    fn frame(
        &mut self,
        frame: &Frame,
        step: &parapet_analytics::Step,
        took: Duration,
        length: Option<Duration>,
    ) {
        // The labels' zero is that of the video, though a decoder may have to wait for its first whole picture.
        let at = seconds_between(Timestamp::UNIX_EPOCH, frame.captured_at);
        self.size = (frame.picture.width() as u32, frame.picture.height() as u32);
        let (width, height) = (f64::from(self.size.0), f64::from(self.size.1));
        self.steps.push(took.as_secs_f64() * 1e3);
        let here = step
            .tracks
            .iter()
            .filter(|track| track.state == TrackState::Confirmed && track.last_seen_at == frame.captured_at);
        let boxes = here.map(|track| FoundBox {
            label: track.label.clone(),
            rect: Rect::in_pixels(track.bbox, width, height),
            score: f64::from(track.score),
            track: Some(track.id.0),
        });
        self.frames.push((at, boxes.collect()));
        for event in &step.events {
            match event.phase {
                Phase::Started => {
                    self.numbers.insert(event.incident_id, self.incidents.len());
                    self.pictures.push(jpeg(frame, EXHIBIT_PIXELS));
                    self.incidents.push(FoundIncident {
                        kind: event.kind,
                        zone: event.zone.clone(),
                        started_at: at,
                        ended_at: None,
                        rect: Some(Rect::in_pixels(event.bbox, width, height)),
                        score: f64::from(event.score),
                    });
                }
                Phase::Ended if event.end_reason != Some(EndReason::EndOfRecording) => {
                    if let Some(incident) = self.numbers.get(&event.incident_id) {
                        let ended = event.ended_at.unwrap_or(event.at);
                        self.incidents[*incident].ended_at =
                            Some(seconds_between(Timestamp::UNIX_EPOCH, ended));
                    }
                }
                _ => {}
            }
        }
        let spacing = length.map_or(10.0, |l| l.as_secs_f64() / THUMBNAILS as f64);
        if self.thumbnails.len() < THUMBNAILS && at >= self.thumbnails.len() as f64 * spacing {
            self.thumbnails.push(Thumbnail { at, jpeg: jpeg(frame, THUMBNAIL_PIXELS) });
        }
    }
}

/// A frame as JPEG of this width, in base64.
fn jpeg(frame: &Frame, width: usize) -> String {
    let picture = &frame.picture;
    let width = width.min(picture.width());
    let height = (picture.height() * width / picture.width()).max(2);
    jpeg_of_rgb(width, height, &picture.resized(width & !1, height & !1).to_rgb())
}

/// Pixels as JPEG, in base64. Sides are rounded down to even ones.
pub(super) fn jpeg_of_rgb(width: usize, height: usize, rgb: &[u8]) -> String {
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 75);
    encoder
        .encode(rgb, (width & !1) as u32, (height & !1) as u32, image::ExtendedColorType::Rgb8)
        .expect("pixels of the right number, into memory");
    BASE64_STANDARD.encode(bytes)
}

/// Where a sequence's pictures are, for the analysis.
pub(super) fn recording_of(
    source: &crate::dataset::SequenceSource,
    frames_per_second: Option<f64>,
) -> Option<Recording> {
    match source {
        crate::dataset::SequenceSource::Video(path) => Some(Recording::Video(path.clone())),
        crate::dataset::SequenceSource::Images(paths) => {
            let directory: PathBuf = paths.first()?.parent().unwrap_or(Path::new("")).to_owned();
            Some(Recording::Pictures { directory, frames_per_second: frames_per_second.unwrap_or(25.0) })
        }
    }
}

fn cpu_seconds() -> f64 {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    used.tv_sec as f64 + used.tv_nsec as f64 / 1e9
}

/// The greatest resident size so far; where the system tells it.
fn peak_megabytes() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<f64>().ok().map(|kilobytes| kilobytes / 1024.0)
}
