//! A look into a video file, without decoding.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use gstreamer::{self as gst, prelude::*};

use crate::{
    elements::{add_row, element, pad, start_library},
    error::{OpenError, explain},
};

/// What a file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct MediaInfo {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Pictures a second, where the container says so.
    pub frames_per_second: Option<f64>,
    /// Length, where the container says so.
    pub duration: Option<Duration>,
    /// Media type without its `video/x-`, as `h264`.
    pub codec: String,
}

impl MediaInfo {
    /// About how many pictures there are: for progress bars.
    pub fn frames(&self) -> Option<u64> {
        Some((self.duration?.as_secs_f64() * self.frames_per_second?).round() as u64)
    }
}

/// Longest time for reading the head of a file.
const PATIENCE: gst::ClockTime = gst::ClockTime::from_seconds(20);

/// Reads the head of a video.
///
/// # Errors
/// The file is missing, is no video, or GStreamer lacks the parts to read it.
pub fn probe(path: &Path) -> Result<MediaInfo, OpenError> {
    start_library()?;
    let read = |source| OpenError::Read { path: path.to_owned(), source };
    if std::fs::File::open(path).and_then(|f| f.metadata()).map_err(read)?.is_dir() {
        return Err(read(std::io::ErrorKind::IsADirectory.into()));
    }
    let failed = |detail: String| OpenError::NotAVideo { path: path.to_owned(), detail };
    let pipeline = Probing(gst::Pipeline::new());
    let source = element("filesrc")?;
    source.set_property("location", path);
    let parse = element("parsebin")?;
    let video: Arc<Mutex<Option<gst::Pad>>> = Arc::default();
    let (weak, found) = (pipeline.0.downgrade(), Arc::clone(&video));
    parse.connect_pad_added(move |_, from| {
        let Some(pipeline) = weak.upgrade() else { return };
        let caps = from.current_caps().unwrap_or_else(|| from.query_caps(None));
        let name = caps.structure(0).map(|s| s.name().to_string()).unwrap_or_default();
        let is_video = name.starts_with("video/") || name.starts_with("image/");
        let mut video = found.lock().expect("no panic while held");
        let is_wanted = is_video && video.is_none();
        if is_wanted {
            *video = Some(from.clone());
        }
        drop(video);
        let joined = element("fakesink").and_then(|sink| {
            if !is_wanted {
                // One thread feeds all streams: a sink of sound that takes its first sample and waits would keep that
                // thread from the pictures, where the two are far apart in the file.
                sink.set_property("async", false);
                from.add_probe(gst::PadProbeType::BUFFER, |_, _| gst::PadProbeReturn::Drop);
            }
            add_row(&pipeline, &[&sink])?;
            from.link(&pad(&sink, "sink")?).map_err(|e| OpenError::Pipeline(e.to_string()))
        });
        if let Err(error) = joined {
            tracing::debug!(%error, "a stream of a probed file is left alone");
        }
    });
    add_row(&pipeline.0, &[&source, &parse])?;
    let _ = pipeline.0.set_state(gst::State::Paused);
    let bus = pipeline.0.bus().expect("a pipeline has a bus");
    let wanted = [gst::MessageType::AsyncDone, gst::MessageType::Error, gst::MessageType::Eos];
    match bus.timed_pop_filtered(PATIENCE, &wanted) {
        Some(message) => {
            if let gst::MessageView::Error(e) = message.view() {
                return Err(failed(explain(&e.error(), e.debug().as_deref())));
            }
        }
        None => return Err(failed("its head does not end".to_owned())),
    }
    let from = video.lock().expect("no panic while held").take();
    let caps = from.and_then(|p| p.current_caps()).ok_or_else(|| failed("only sound".to_owned()))?;
    let about = caps.structure(0).ok_or_else(|| failed("only sound".to_owned()))?;
    let size = |name: &str| about.get::<i32>(name).ok().and_then(|v| u32::try_from(v).ok());
    let (Some(width), Some(height)) = (size("width"), size("height")) else {
        return Err(failed("its size is unknown".to_owned()));
    };
    let rate = about.get::<gst::Fraction>("framerate").ok().filter(|f| f.numer() > 0);
    let name = about.name().as_str();
    Ok(MediaInfo {
        width,
        height,
        frames_per_second: rate.map(|f| f64::from(f.numer()) / f64::from(f.denom())),
        duration: pipeline.0.query_duration::<gst::ClockTime>().map(Into::into),
        codec: name
            .trim_start_matches("video/")
            .trim_start_matches("image/")
            .trim_start_matches("x-")
            .to_owned(),
    })
}

/// Tears its pipeline down.
struct Probing(gst::Pipeline);

impl Drop for Probing {
    fn drop(&mut self) {
        let _ = self.0.set_state(gst::State::Null);
    }
}
