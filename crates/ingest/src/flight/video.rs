//! Videos as flights: which pictures there are, which metadata lies beside them, and which of them a decoder needs.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::{AppSink, AppSinkCallbacks};
use parapet_core::{Language, Timestamp, geo::Lens};

use super::{
    FlightError, FlightKind, FlightOptions, Opened, Pick, Shot, Sight, Source,
    pictures::{is_near, time_of},
};
use crate::{
    elements::{add_row, element, pad, start_library},
    error::{OpenError, explain},
    telemetry::{PoseTrack, Reading, dji_srt, klv, transport},
    thin::Decimator,
};

/// Longest time for reading a file through.
const PATIENCE: gst::ClockTime = gst::ClockTime::from_seconds(300);

pub(super) fn open_subtitled(path: &Path, options: &FlightOptions) -> Result<Opened, FlightError> {
    let subtitles = subtitles_of(path).ok_or_else(|| FlightError::NoSubtitles { path: path.to_owned() })?;
    let bytes =
        fs::read(&subtitles).map_err(|source| FlightError::Read { path: subtitles.clone(), source })?;
    let reading = dji_srt::read(&String::from_utf8_lossy(&bytes), &options.time_zone)
        .map_err(|source| FlightError::Telemetry { path: subtitles, source })?;
    let index = Index::of(path)?;
    opened(path, FlightKind::SubtitledVideo, index, &reading, options)
}

pub(super) fn open_stream(path: &Path, options: &FlightOptions) -> Result<Opened, FlightError> {
    let read = |source| FlightError::Read { path: path.to_owned(), source };
    let metadata = fs::File::open(path).and_then(transport::read).map_err(read)?;
    let index = Index::of(path)?;
    let begin = index.frames.first().copied().unwrap_or_default();
    let reading = klv::read(metadata.iter().map(|(at, bytes)| (begin + *at, bytes.as_slice())));
    if reading.samples.is_empty() && reading.unreadable.is_empty() {
        return Err(FlightError::NoMetadata { path: path.to_owned() });
    }
    opened(path, FlightKind::TransportStream, index, &reading, options)
}

/// The `.SRT` beside a video, in whatever case.
fn subtitles_of(video: &Path) -> Option<PathBuf> {
    ["SRT", "srt", "Srt"].iter().map(|e| video.with_extension(e)).find(|p| p.is_file())
}

fn opened(
    path: &Path,
    kind: FlightKind,
    index: Index,
    reading: &Reading,
    options: &FlightOptions,
) -> Result<Opened, FlightError> {
    let track = PoseTrack::new(reading, &options.track());
    let usual = reading.samples.iter().find_map(|s| s.focal);
    let start = start_of(reading);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut shots = Vec::new();
    for at in index.picked(options.pick) {
        let fix = track.fix(at);
        let focal = options.focal.or(fix.and_then(|fix| fix.focal)).or(usual);
        let aspect = f64::from(index.size.1) / f64::from(index.size.0);
        let lens = focal.and_then(|focal| Lens::new(focal, aspect).ok());
        let Some(lens) = lens else {
            // Where nothing holds, that is the trouble, not the lens.
            let why: Vec<String> = track.report().problems.iter().map(|p| p.text(Language::En)).collect();
            let path = path.to_owned();
            return Err(if track.fixes().is_empty() {
                FlightError::NothingUsable { path, why }
            } else {
                FlightError::UnknownLens { path }
            });
        };
        shots.push(Shot {
            name: format!("{name}@{:.3}s", at.as_secs_f64()),
            at,
            captured_at: start
                .and_then(|s| s.checked_add(at).ok()?.checked_add(options.clock_correction).ok()),
            size: index.size,
            sight: Sight::Camera { pose: fix.and_then(|fix| fix.pose()), lens },
        });
    }
    Ok(Opened {
        kind,
        shots,
        skipped: Vec::new(),
        report: track.report().clone(),
        positions: track.fixes().iter().map(|fix| fix.position).collect(),
        source: Source::Video { keyframes: index.keyframes },
    })
}

/// When the recording began: the middle one of what the samples say, so that neither a wrong one nor times that are
/// written in whole seconds make pictures jump in time.
fn start_of(reading: &Reading) -> Option<Timestamp> {
    let mut starts: Vec<Timestamp> =
        reading.samples.iter().filter_map(|s| s.recorded_at?.checked_sub(s.at).ok()).collect();
    starts.sort_unstable();
    starts.get(starts.len() / 2).copied()
}

/// What a video file holds, without its pixels.
#[derive(Debug)]
struct Index {
    /// Times of all pictures, in the order of showing.
    frames: Vec<Duration>,
    /// Times of those that decode without others.
    keyframes: Vec<Duration>,
    /// Width and height in pixels.
    size: (u32, u32),
}

/// What GStreamer's threads find.
#[derive(Default)]
struct Found {
    frames: Mutex<Vec<(Duration, bool)>>,
    size: Mutex<Option<(i32, i32)>>,
}

impl Index {
    /// Reads a file through, without decoding.
    fn of(path: &Path) -> Result<Self, FlightError> {
        start_library()?;
        let not_a_video = |detail: String| OpenError::NotAVideo { path: path.to_owned(), detail };
        let pipeline = Reader(gst::Pipeline::new());
        let source = element("filesrc")?;
        source.set_property("location", path);
        let demux = element("parsebin")?;
        let found = Arc::new(Found::default());
        let (weak, kept) = (pipeline.0.downgrade(), Arc::clone(&found));
        demux.connect_pad_added(move |_, from| {
            let Some(pipeline) = weak.upgrade() else { return };
            if let Err(error) = attach(&pipeline, from, &kept) {
                tracing::debug!(%error, "a stream of a flight is left alone");
            }
        });
        add_row(&pipeline.0, &[&source, &demux])?;
        let _ = pipeline.0.set_state(gst::State::Playing);
        let bus = pipeline.0.bus().expect("a pipeline has a bus");
        let failure =
            match bus.timed_pop_filtered(PATIENCE, &[gst::MessageType::Eos, gst::MessageType::Error]) {
                None => Some("its end does not come".to_owned()),
                Some(message) => match message.view() {
                    gst::MessageView::Error(e) => Some(explain(&e.error(), e.debug().as_deref())),
                    _ => None,
                },
            };
        drop(pipeline);
        let mut frames = std::mem::take(&mut *found.frames.lock().expect("no panic while held"));
        frames.sort_unstable();
        frames.dedup_by_key(|(at, _)| *at);
        let size = *found.size.lock().expect("no panic while held");
        match (size, failure) {
            // A file that was cut off gives what is there.
            (Some((width, height)), _) if !frames.is_empty() && width > 0 && height > 0 => Ok(Self {
                keyframes: frames.iter().filter(|(_, keyframe)| *keyframe).map(|(at, _)| *at).collect(),
                frames: frames.into_iter().map(|(at, _)| at).collect(),
                size: (width.cast_unsigned(), height.cast_unsigned()),
            }),
            (_, failure) => {
                Err(not_a_video(failure.unwrap_or_else(|| "it has no pictures".to_owned())).into())
            }
        }
    }

    /// The times of the pictures that are asked for.
    fn picked(&self, pick: Pick) -> Vec<Duration> {
        match pick {
            Pick::Every(step) => {
                let mut grid = Decimator::new(1.0 / step.as_secs_f64().max(1e-3));
                self.frames.iter().copied().filter(|at| grid.passes(*at)).collect()
            }
            Pick::EveryNth(n) => self.frames.iter().copied().step_by(n.max(1)).collect(),
            Pick::Keyframes => self.keyframes.clone(),
        }
    }
}

/// Tears its pipeline down.
struct Reader(gst::Pipeline);

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.0.set_state(gst::State::Null);
    }
}

/// Notes what comes out of a demuxer's pad.
fn attach(pipeline: &gst::Pipeline, from: &gst::Pad, found: &Arc<Found>) -> Result<(), OpenError> {
    let caps = from.current_caps().unwrap_or_else(|| from.query_caps(None));
    let name = caps.structure(0).map(|s| s.name().to_string()).unwrap_or_default();
    let kept = Arc::clone(found);
    let note: Box<dyn FnMut(&gst::Sample) + Send> =
        if name.starts_with("video/") || name.starts_with("image/") {
            Box::new(move |sample| kept.note(sample))
        } else {
            Box::new(|_| {})
        };
    let sink = noting_sink(note);
    add_row(pipeline, &[sink.upcast_ref()])?;
    from.link(&pad(sink.upcast_ref(), "sink")?).map(drop).map_err(|e| OpenError::Pipeline(e.to_string()))
}

/// A sink that hands every sample over and waits for none.
fn noting_sink(mut note: Box<dyn FnMut(&gst::Sample) + Send>) -> AppSink {
    let callbacks = AppSinkCallbacks::builder()
        .new_sample(move |sink| {
            let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
            note(&sample);
            Ok(gst::FlowSuccess::Ok)
        })
        .build();
    AppSink::builder().sync(false).async_(false).enable_last_sample(false).callbacks(callbacks).build()
}

impl Found {
    fn note(&self, sample: &gst::Sample) {
        let mut size = self.size.lock().expect("no panic while held");
        if size.is_none() {
            let about = sample.caps().and_then(|caps| caps.structure(0));
            *size = about.and_then(|s| Some((s.get("width").ok()?, s.get("height").ok()?)));
        }
        let (Some(at), Some(buffer)) = (time_of(sample), sample.buffer()) else { return };
        let keyframe = !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT);
        self.frames.lock().expect("no panic while held").push((at, keyframe));
    }
}

/// Lets through to the decoder only the groups of pictures, from keyframe to keyframe, that hold a wanted one, and of
/// these no more than it takes.
#[derive(Debug)]
pub(super) struct GroupGate {
    keyframes: Vec<Duration>,
    wanted: Vec<Duration>,
    /// Wanted pictures of the open group that have not passed yet.
    open: Vec<Duration>,
}

impl GroupGate {
    /// Both lists in the order of time.
    pub(super) fn new(keyframes: Vec<Duration>, wanted: Vec<Duration>) -> Self {
        Self { keyframes, wanted, open: Vec::new() }
    }

    /// Whether a unit, in the order of decoding, is needed.
    pub(super) fn passes(&mut self, at: Duration, keyframe: bool) -> bool {
        if keyframe {
            let next = self.keyframes.get(self.keyframes.partition_point(|k| *k <= at));
            let begin = self.wanted.partition_point(|w| *w < at);
            let end = next.map_or(self.wanted.len(), |next| self.wanted.partition_point(|w| w < next));
            self.open = self.wanted.get(begin..end).unwrap_or_default().to_vec();
        }
        let passes = !self.open.is_empty();
        // What follows the last wanted one in the order of decoding is not needed to show it.
        self.open.retain(|w| !is_near(&[*w], at));
        passes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_groups_with_wanted_pictures_are_decoded_and_no_longer_than_needed() {
        let ms = Duration::from_millis;
        // Keyframes every 400 ms, pictures every 100 ms, one of two shown after the next one (B-frames).
        let order = [0, 200, 100, 300, 400, 600, 500, 700, 800, 1000, 900, 1100];
        let mut gate = GroupGate::new(vec![ms(0), ms(400), ms(800)], vec![ms(0), ms(900), ms(1000)]);
        let passed: Vec<u64> = order.into_iter().filter(|at| gate.passes(ms(*at), at % 400 == 0)).collect();
        assert_eq!(passed, [0, 800, 1000, 900]);
    }
}
