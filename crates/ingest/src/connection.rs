//! One GStreamer pipeline from a source to the samples of one run. Knows nothing of cameras, health or reconnects.
//!
//! ```text
//! source ─ parser ─ [pace] ─ tee ─┬─ queue ───────────────────────────────────────────── encoded sink
//!                                 └─ queue ─ gate ─ decoder ─ thin ─ convert ─┬────────── frame sink
//!                                                     (other codecs than H.26x) └─ x264 ─ encoded sink
//! ```

mod branches;
mod rtsp;

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::{AppSrc, AppSrcCallbacks};
use tracing::debug;

use self::branches::attach;
use crate::{
    config::{SrtMode, TestConfig, Transport},
    cpu,
    decoder::Decoders,
    elements::{add_row, element, filter, pad},
    error::{OpenError, explain},
    images, pixels,
    thin::DecodeMode,
    url::{RtmpUrl, SrtUrl, StreamUrl},
};

/// Where a connection leads.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    Rtsp(RtspOrigin),
    Rtmp(RtmpOrigin),
    Srt(SrtOrigin),
    File { path: PathBuf, paced: bool },
    Images { files: Vec<PathBuf>, frames_per_second: f64 },
    Device { path: PathBuf },
    Test(TestConfig),
}

#[derive(Clone)]
pub(crate) struct RtspOrigin {
    pub(crate) url: StreamUrl,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) transport: Transport,
    pub(crate) latency_milliseconds: u32,
    pub(crate) timeout: Duration,
}

impl RtspOrigin {
    /// Inside the RTSP connection, and not encrypted.
    fn is_plain(&self) -> bool {
        self.transport == Transport::Tcp && self.url.location().starts_with("rtsp:")
    }
}

impl std::fmt::Debug for RtspOrigin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RtspOrigin").field("url", &self.url).finish_non_exhaustive()
    }
}

#[derive(Clone)]
pub(crate) struct RtmpOrigin {
    pub(crate) url: RtmpUrl,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) timeout: Duration,
}

impl std::fmt::Debug for RtmpOrigin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RtmpOrigin").field("url", &self.url).finish_non_exhaustive()
    }
}

#[derive(Clone)]
pub(crate) struct SrtOrigin {
    pub(crate) url: SrtUrl,
    pub(crate) mode: SrtMode,
    pub(crate) stream_id: Option<String>,
    pub(crate) passphrase: Option<String>,
    pub(crate) latency_milliseconds: u32,
}

impl std::fmt::Debug for SrtOrigin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SrtOrigin").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Takes a sample and the running time of the pipeline at that moment; false when it wants no more.
pub(crate) type SampleSink = Box<dyn FnMut(&gst::Sample, Option<gst::ClockTime>) -> bool + Send>;

/// What is wanted from a connection.
pub(crate) struct Wanted {
    /// Decoded frames in I420.
    pub(crate) frames: Option<FramesWanted>,
    /// Access units: H.264 or H.265 as it comes, anything else encoded to H.264. Annex B, one picture each, parameter
    /// sets before each keyframe.
    pub(crate) encoded: Option<EncodedWanted>,
    /// Buffers of a stream of metadata (`meta/x-klv`), where the source has one.
    pub(crate) metadata: Option<SampleSink>,
    /// Drop at every queue rather than wait.
    pub(crate) live: bool,
    /// Which units are decoded.
    pub(crate) units: Units,
    /// What is wanted of a live source at present.
    pub(crate) mode: Arc<ModeSwitch>,
    /// Who decodes.
    pub(crate) decoders: Decoders,
    /// Called with the size of all that comes from the source.
    pub(crate) heard: Box<dyn Fn(usize) + Send + Sync>,
    /// Called for each unit that is dropped before the decoder because it is too slow.
    pub(crate) overrun: Box<dyn Fn() + Send + Sync>,
}

/// A [`DecodeMode`] that may change at any time.
#[derive(Debug, Default)]
pub(crate) struct ModeSwitch {
    /// 0 and 1 without looks at keyframes alone; with them the microseconds between two, and 2 more.
    mode: AtomicU64,
    /// Between the latest two keyframes; 0 as long as there were no two.
    apart_microseconds: AtomicU64,
}

impl ModeSwitch {
    pub(crate) fn set(&self, mode: DecodeMode) {
        let mode = match mode {
            DecodeMode::Full => 0,
            DecodeMode::KeyframesWhileQuiet => 1,
            DecodeMode::KeyframesOnly { apart } => apart.as_micros() as u64 + 2,
        };
        self.mode.store(mode, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> DecodeMode {
        match self.mode.load(Ordering::Relaxed) {
            0 => DecodeMode::Full,
            1 => DecodeMode::KeyframesWhileQuiet,
            more => DecodeMode::KeyframesOnly { apart: Duration::from_micros(more - 2) },
        }
    }

    /// A keyframe came so long after the one before.
    pub(crate) fn keyframes_are(&self, apart: Duration) {
        self.apart_microseconds.store(apart.as_micros() as u64, Ordering::Relaxed);
    }

    pub(crate) fn keyframes_apart(&self) -> Option<Duration> {
        let apart = self.apart_microseconds.load(Ordering::Relaxed);
        (apart > 0).then(|| Duration::from_micros(apart))
    }
}

/// Which units reach the decoder.
pub(crate) enum Units {
    All,
    Keyframes,
    /// By the unit's time in its recording and whether it is a keyframe.
    Chosen(Box<dyn FnMut(Duration, bool) -> bool + Send>),
}

pub(crate) struct FramesWanted {
    pub(crate) sink: SampleSink,
    /// At most so many a second.
    pub(crate) fps: f64,
    pub(crate) max_width: Option<u32>,
    pub(crate) max_height: Option<u32>,
}

pub(crate) struct EncodedWanted {
    pub(crate) sink: SampleSink,
    /// Frames from keyframe to keyframe, where it has to be encoded.
    pub(crate) keyframe_interval: u32,
}

/// What a connection reports, from GStreamer's threads.
#[derive(Debug)]
pub(crate) enum Notice {
    /// Everything has been delivered.
    Ended,
    /// All frames have been delivered, after an end or a failure.
    Drained,
    /// It broke.
    Failed(String),
    /// The first data has reached every sink (after `open_paused` and each seek).
    Prerolled,
    /// An RTSP source has agreed with its server on everything, and may be played.
    Opened,
    /// A thread has ended its work for the connection, which took so much of a processor.
    Worked(Duration),
}

pub(crate) type Notify = Arc<dyn Fn(Notice) + Send + Sync>;

/// A pipeline; dropping it tears it down and waits for its threads.
#[derive(Debug)]
pub(crate) struct Connection {
    pipeline: gst::Pipeline,
    /// What brings a network camera's pictures into it.
    reading: Option<rtsp::Reading>,
}

impl Connection {
    /// Connects and plays; where an RTSP source leads, it is to be played when it tells that it is [`Notice::Opened`].
    pub(crate) fn open(origin: &Origin, wanted: Wanted, notify: &Notify) -> Result<Self, OpenError> {
        let connection = Self::open_paused(origin, wanted, notify)?;
        // On a busy machine, playing at once would come before `rtspsrc` has begun to open, and it would never do so.
        if !matches!(origin, Origin::Rtsp(_)) {
            connection.play();
        }
        Ok(connection)
    }

    /// Connects and goes as far as the first sample, which is not given out.
    pub(crate) fn open_paused(origin: &Origin, wanted: Wanted, notify: &Notify) -> Result<Self, OpenError> {
        crate::elements::start_library()?;
        let mut connection = Self { pipeline: gst::Pipeline::new(), reading: None };
        let pipeline = &connection.pipeline;
        let bus = pipeline.bus().expect("a pipeline has a bus");
        let notify_bus = Arc::clone(notify);
        bus.set_sync_handler(move |_, message| {
            match message.view() {
                gst::MessageView::Eos(_) => notify_bus(Notice::Ended),
                gst::MessageView::AsyncDone(_) => notify_bus(Notice::Prerolled),
                gst::MessageView::Error(e) => {
                    notify_bus(Notice::Failed(explain(&e.error(), e.debug().as_deref())));
                }
                gst::MessageView::Progress(progress) => {
                    // Not by its getter, which leaks two strings.
                    let of_open = progress.structure().is_some_and(|s| {
                        s.get("type") == Ok(gst::ProgressType::Complete) && s.get("code") == Ok("open")
                    });
                    if of_open {
                        notify_bus(Notice::Opened);
                    }
                }
                // Called on the thread in question.
                gst::MessageView::StreamStatus(status) => match status.get().0 {
                    gst::StreamStatusType::Enter => cpu::work_begins(),
                    gst::StreamStatusType::Leave => {
                        if let Some(took) = cpu::work_ends() {
                            notify_bus(Notice::Worked(took));
                        }
                    }
                    _ => {}
                },
                gst::MessageView::Warning(w) => {
                    debug!(warning = %explain(&w.error(), w.debug().as_deref()), "GStreamer warns");
                }
                _ => {}
            }
            gst::BusSyncReply::Drop
        });
        match origin {
            Origin::Rtsp(rtsp) if rtsp.is_plain() => {
                let _ = pipeline.set_state(gst::State::Paused);
                connection.reading = Some(rtsp::Reading::start(pipeline, rtsp, wanted, notify));
            }
            _ => {
                build(pipeline, origin, wanted, notify)?;
                // A failure has been reported on the bus.
                let _ = pipeline.set_state(gst::State::Paused);
            }
        }
        Ok(connection)
    }

    /// Plays on.
    pub(crate) fn play(&self) {
        let _ = self.pipeline.set_state(gst::State::Playing);
        if let Some(reading) = &self.reading {
            reading.play();
        }
    }

    /// Goes to the keyframe at or before this time.
    pub(crate) fn seek(&self, to: Duration) -> Result<(), OpenError> {
        let flags = gst::SeekFlags::FLUSH | gst::SeekFlags::KEY_UNIT | gst::SeekFlags::SNAP_BEFORE;
        self.pipeline
            .seek_simple(flags, gst::ClockTime::from_nseconds(to.as_nanos() as u64))
            .map_err(|e| OpenError::Pipeline(e.to_string()))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.reading = None;
        let _ = self.pipeline.set_state(gst::State::Null);
        if let Some(bus) = self.pipeline.bus() {
            bus.unset_sync_handler();
        }
    }
}

/// Whether `videotestsrc` can draw this.
pub(crate) fn is_test_pattern(pattern: &str) -> Result<bool, OpenError> {
    let source = element("videotestsrc")?;
    let class = source.find_property("pattern").and_then(|p| gst::glib::EnumClass::with_type(p.value_type()));
    Ok(class.is_some_and(|c| c.value_by_nick(pattern).is_some()))
}

fn build(
    pipeline: &gst::Pipeline,
    origin: &Origin,
    wanted: Wanted,
    notify: &Notify,
) -> Result<(), OpenError> {
    match origin {
        Origin::Rtsp(rtsp) => read_rtsp_with_gstreamer(pipeline, rtsp, wanted, notify),
        Origin::Rtmp(rtmp) => {
            let source = element("rtmp2src")?;
            source.set_property("location", rtmp.url.location());
            source.set_property("timeout", rtmp.timeout.as_secs().max(1) as u32);
            if let Some(user) = &rtmp.user {
                source.set_property("username", user);
                source.set_property("password", rtmp.password.as_deref().unwrap_or_default());
            }
            let demux = element("flvdemux")?;
            parse_when_exposed(pipeline, &demux, wanted, notify);
            add_row(pipeline, &[&source, &demux])
        }
        Origin::Srt(srt) => {
            let source = element("srtsrc")?;
            // The mode must stand in the address: it says whether host and port are the other side's or one's own.
            let mode = match srt.mode {
                SrtMode::Caller => "caller",
                SrtMode::Listener => "listener",
            };
            source.set_property("uri", format!("{}?mode={mode}", srt.url.location()));
            // Connecting again is the supervisor's.
            source.set_property("auto-reconnect", false);
            source.set_property("latency", srt.latency_milliseconds.cast_signed());
            if let Some(id) = &srt.stream_id {
                source.set_property("streamid", id);
            }
            if let Some(passphrase) = &srt.passphrase {
                source.set_property("passphrase", passphrase);
            }
            let demux = element("tsdemux")?;
            parse_when_exposed(pipeline, &demux, wanted, notify);
            add_row(pipeline, &[&source, &demux])
        }
        Origin::File { path, paced } => {
            let source = element("filesrc")?;
            source.set_property("location", path);
            let parse = element("parsebin")?;
            attach_when_exposed(pipeline, &parse, wanted, *paced, notify);
            add_row(pipeline, &[&source, &parse])
        }
        Origin::Device { path } => {
            let source = element("v4l2src")?;
            source.set_property("device", path.to_string_lossy().as_ref());
            let decode = element("decodebin")?;
            attach_when_exposed(pipeline, &decode, wanted, false, notify);
            add_row(pipeline, &[&source, &decode])
        }
        Origin::Test(test) => {
            let source = element("videotestsrc")?;
            source.set_property_from_str("pattern", &test.pattern);
            source.set_property("is-live", wanted.live);
            if let Some(frames) = test.frames {
                source.set_property("num-buffers", i32::try_from(frames).unwrap_or(i32::MAX));
            }
            let caps = gst::Caps::builder("video/x-raw")
                .field("format", "I420")
                .field("width", test.width.cast_signed())
                .field("height", test.height.cast_signed())
                .field("framerate", gst::Fraction::new(test.frames_per_second.cast_signed(), 1))
                .build();
            let shape = filter(&caps)?;
            add_row(pipeline, &[&source, &shape])?;
            attach(pipeline, &pad(&shape, "src")?, &caps, wanted, false, notify)
        }
        Origin::Images { files, frames_per_second } => {
            let source = image_source(files.clone(), *frames_per_second, Arc::clone(notify));
            add_row(pipeline, &[source.upcast_ref()])?;
            let caps = gst::Caps::new_empty_simple("video/x-raw");
            attach(pipeline, &pad(source.upcast_ref(), "src")?, &caps, wanted, false, notify)
        }
    }
}

/// Reads a network camera by GStreamer's own source: over datagrams, encrypted, or in a format that [`rtsp`] does not know.
fn read_rtsp_with_gstreamer(
    pipeline: &gst::Pipeline,
    rtsp: &RtspOrigin,
    wanted: Wanted,
    notify: &Notify,
) -> Result<(), OpenError> {
    let source = element("rtspsrc")?;
    source.set_property("location", rtsp.url.location());
    source.set_property_from_str(
        "protocols",
        match rtsp.transport {
            Transport::Tcp => "tcp",
            Transport::Udp => "udp",
            Transport::Auto => "udp+tcp",
        },
    );
    source.set_property("latency", rtsp.latency_milliseconds);
    source.set_property("tcp-timeout", rtsp.timeout.as_micros() as u64);
    source.set_property("udp-reconnect", false);
    if let Some(user) = &rtsp.user {
        source.set_property("user-id", user);
        source.set_property("user-pw", rtsp.password.as_deref().unwrap_or_default());
    }
    // Sound and metadata are not even asked for.
    source.connect("select-stream", false, |values| {
        let caps = values[2].get::<gst::Caps>().ok();
        let media = caps.as_ref().and_then(|c| c.structure(0)?.get::<String>("media").ok());
        Some((media.as_deref() == Some("video")).to_value())
    });
    parse_when_exposed(pipeline, &source, wanted, notify);
    add_row(pipeline, &[&source])
}

/// Parses, and attaches to, the first video that comes out of a source or demuxer; takes its metadata if they are
/// wanted.
fn parse_when_exposed(pipeline: &gst::Pipeline, from: &gst::Element, mut wanted: Wanted, notify: &Notify) {
    let metadata = Mutex::new(wanted.metadata.take());
    let (weak, wanted, notify) = (pipeline.downgrade(), Mutex::new(Some(wanted)), Arc::clone(notify));
    from.connect_pad_added(move |_, pad| {
        let Some(pipeline) = weak.upgrade() else { return };
        let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
        let name = caps.structure(0).map(|s| s.name().to_string()).unwrap_or_default();
        let joined = match name.as_str() {
            "meta/x-klv" => {
                let Some(sink) = metadata.lock().expect("no panic while held").take() else { return };
                branches::attach_metadata(&pipeline, pad, sink, &notify)
            }
            name if name.starts_with("video/") || name == "application/x-rtp" => {
                let Some(wanted) = wanted.lock().expect("no panic while held").take() else { return };
                parse_and_attach(&pipeline, pad, wanted, &notify)
            }
            _ => return,
        };
        if let Err(error) = joined {
            notify(Notice::Failed(error.to_string()));
        }
    });
}

fn parse_and_attach(
    pipeline: &gst::Pipeline,
    from: &gst::Pad,
    wanted: Wanted,
    notify: &Notify,
) -> Result<(), OpenError> {
    let parse = element("parsebin")?;
    attach_when_exposed(pipeline, &parse, wanted, false, notify);
    add_row(pipeline, &[&parse])?;
    from.link(&pad(&parse, "sink")?).map(drop).map_err(|e| OpenError::Pipeline(e.to_string()))
}

/// Attaches to the first video that `parse` finds.
fn attach_when_exposed(
    pipeline: &gst::Pipeline,
    parse: &gst::Element,
    wanted: Wanted,
    paced: bool,
    notify: &Notify,
) {
    let (weak, wanted, notify) = (pipeline.downgrade(), Mutex::new(Some(wanted)), Arc::clone(notify));
    parse.connect_pad_added(move |_, pad| {
        let Some(pipeline) = weak.upgrade() else { return };
        let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
        let is_video = caps
            .structure(0)
            .is_some_and(|s| s.name().starts_with("video/") || s.name().starts_with("image/"));
        if !is_video {
            return;
        }
        let Some(wanted) = wanted.lock().expect("no panic while held").take() else { return };
        if let Err(error) = attach(&pipeline, pad, &caps, wanted, paced, &notify) {
            notify(Notice::Failed(error.to_string()));
        }
    });
}

fn image_source(files: Vec<PathBuf>, frames_per_second: f64, notify: Notify) -> AppSrc {
    let fps = gst::Fraction::approximate_f64(frames_per_second).unwrap_or(gst::Fraction::new(1, 1));
    let mut files = files.into_iter().enumerate();
    let mut size = None;
    let mut push = move |source: &AppSrc| -> Result<bool, String> {
        let Some((n, path)) = files.next() else { return Ok(false) };
        let picture = images::read(&path).map_err(|e| e.to_string())?;
        let this_size = (picture.width(), picture.height());
        let first = *size.get_or_insert(this_size);
        if first != this_size {
            return Err(format!(
                "{} is {} × {} pixels, the first picture {} × {}; hint: one size for one camera",
                path.display(),
                this_size.0,
                this_size.1,
                first.0,
                first.1
            ));
        }
        let (info, mut buffer) = pixels::buffer_of(&picture, fps).ok_or("out of memory")?;
        let time =
            |n: usize| gst::ClockTime::from_nseconds((n as f64 * 1e9 / frames_per_second).round() as u64);
        let writable = buffer.get_mut().expect("just made");
        writable.set_pts(time(n));
        writable.set_duration(time(n + 1) - time(n));
        if n == 0 {
            source.set_caps(info.to_caps().ok().as_ref());
        }
        source.push_buffer(buffer).map_err(|e| e.to_string())?;
        Ok(true)
    };
    // Fails only while the pipeline is torn down.
    let end = |source: &AppSrc| _ = source.end_of_stream();
    let callbacks = AppSrcCallbacks::builder()
        .need_data(move |source, _| match push(source) {
            Ok(true) => {}
            Ok(false) => end(source),
            Err(problem) => {
                notify(Notice::Failed(problem));
                end(source);
            }
        })
        .build();
    AppSrc::builder().format(gst::Format::Time).is_live(false).callbacks(callbacks).build()
}
