//! RTSP over TCP by `retina`: whole pictures as they come from the camera go into the pipeline, and the cameras share a few
//! threads. GStreamer's own source takes each packet through threads of its own for each camera.

use std::{
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use futures::{FutureExt, StreamExt};
use gstreamer::{self as gst, prelude::*};
use gstreamer_app::{AppLeakyType, AppSrc};
use retina::{
    client::{
        Credentials, Demuxed, Described, PlayOptions, Session, SessionOptions, SetupOptions,
        TcpTransportOptions, Transport,
    },
    codec::{CodecItem, FrameFormat, VideoFrame},
};
use tokio::{
    runtime::Runtime,
    sync::Notify as Signal,
    task::AbortHandle,
    time::{sleep, timeout},
};

use super::{Notice, Notify, RtspOrigin, Units, Wanted, branches::attach, read_rtsp_with_gstreamer};
use crate::{
    codec::Codec,
    cpu::metered,
    elements::{add_row, pad},
    error::{OpenError, Reason},
    thin::DecodeMode,
    url::redact,
};

/// Bytes that wait for a pipeline that is stuck, before they are dropped.
const MOST_WAITING: u64 = 16_000_000;
/// Where keyframes are enough, nobody waits for each picture: what came meanwhile is taken at once, which spares a machine of
/// many cameras most of its wake-ups.
const BUNDLE: Duration = Duration::from_millis(100);

/// A camera that is read; dropping it ends the connection.
#[derive(Debug)]
pub(super) struct Reading {
    task: AbortHandle,
    plays: Arc<Signal>,
    pipeline: Arc<Building>,
}

/// A pipeline that may be added to until it is torn down.
#[derive(Debug)]
struct Building(Mutex<Option<gst::Pipeline>>);

impl Building {
    /// Nothing is torn down while `build` is at it.
    fn add<T>(&self, build: impl FnOnce(&gst::Pipeline) -> Result<T, OpenError>) -> Result<T, String> {
        let pipeline = self.0.lock().expect("no panic while held");
        build(pipeline.as_ref().ok_or("closed")?).map_err(|error| error.to_string())
    }

    fn close(&self) {
        *self.0.lock().expect("no panic while held") = None;
    }
}

impl Reading {
    /// Connects. What the source offers is told as [`Notice::Opened`]; [`Self::play`] then lets pictures come.
    pub(super) fn start(
        pipeline: &gst::Pipeline,
        origin: &RtspOrigin,
        wanted: Wanted,
        notify: &Notify,
    ) -> Self {
        let plays = Arc::<Signal>::default();
        let pipeline = Arc::new(Building(Mutex::new(Some(pipeline.clone()))));
        let (building, origin, notify, signal) =
            (Arc::clone(&pipeline), origin.clone(), Arc::clone(notify), Arc::clone(&plays));
        // Reading `/proc` around each packet would cost more than the packet; what a visit costs must be known.
        let meter = matches!(wanted.units, Units::Chosen(_)).then(|| Arc::clone(&notify));
        let reading = async move {
            match read(&building, &origin, wanted, &notify, &signal).await {
                Ok(Over::HandedOn) => {}
                Ok(Over::Ended) => notify(Notice::Ended),
                Err(problem) => notify(Notice::Failed(redact(&problem))),
            }
        };
        let task = match meter {
            Some(meter) => runtime().spawn(metered(reading, move |took| meter(Notice::Worked(took)))),
            None => runtime().spawn(reading),
        };
        Self { task: task.abort_handle(), plays, pipeline }
    }

    /// The pipeline plays.
    pub(super) fn play(&self) {
        self.plays.notify_one();
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.task.abort();
        self.pipeline.close();
    }
}

/// The threads that all cameras share.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads((cores / 4).clamp(1, 4))
            .thread_name("rtsp")
            .enable_all()
            .build()
            .expect("the machine has a thread left")
    })
}

/// How a camera's reading came to its end without trouble.
enum Over {
    /// The camera has no more.
    Ended,
    /// GStreamer's own source reads it now.
    HandedOn,
}

async fn read(
    pipeline: &Building,
    origin: &RtspOrigin,
    wanted: Wanted,
    notify: &Notify,
    plays: &Signal,
) -> Result<Over, String> {
    let described = timeout(origin.timeout, describe(origin)).await;
    let (mut session, video) =
        described.map_err(|_| format!("no answer; hint: {}", Reason::Address.hint()))??;
    let caps = match session.streams()[video].encoding_name() {
        "h264" => Codec::H264.annex_b(),
        "h265" => Codec::H265.annex_b(),
        "jpeg" => gst::Caps::new_empty_simple("image/jpeg"),
        _ => {
            // GStreamer reads whatever else there is.
            drop(session);
            pipeline.add(|pipeline| read_rtsp_with_gstreamer(pipeline, origin, wanted, notify))?;
            return Ok(Over::HandedOn);
        }
    };
    let how = SetupOptions::default()
        .transport(Transport::Tcp(TcpTransportOptions::default()))
        .frame_format(FrameFormat::SIMPLE);
    let set_up = timeout(origin.timeout, session.setup(video, how)).await;
    set_up.map_err(|_| "no answer to SETUP")?.map_err(|error| explain(&error))?;
    let mode = Arc::clone(&wanted.mode);
    let source = pipeline.add(|pipeline| join(pipeline, &caps, wanted, notify))?;
    notify(Notice::Opened);
    plays.notified().await;
    let playing = timeout(origin.timeout, session.play(PlayOptions::default())).await;
    let session = playing.map_err(|_| "no answer to PLAY")?.map_err(|error| explain(&error))?;
    let mut frames: Demuxed = session.demuxed().map_err(|error| explain(&error))?;
    let mut scale = ArrivalScale::default();
    loop {
        let item = if let Some(item) = frames.next().now_or_never() {
            item
        } else {
            // All that was there has been taken.
            if matches!(mode.get(), DecodeMode::KeyframesOnly { .. }) {
                sleep(BUNDLE).await;
            }
            frames.next().await
        };
        let Some(item) = item else { break };
        let CodecItem::VideoFrame(frame) = item.map_err(|error| explain(&error))? else { continue };
        let Some(now) = source.current_running_time() else { continue };
        let at = scale.place(taken(&frame), now.into());
        if source.push_buffer(buffer(frame, at)).is_err() {
            // The pipeline is torn down, or has told what is wrong.
            break;
        }
    }
    Ok(Over::Ended)
}

/// Asks what the camera has; gives the number of its first stream of pictures.
async fn describe(origin: &RtspOrigin) -> Result<(Session<Described>, usize), String> {
    let url = origin.url.location();
    let url = url.parse().map_err(|error| format!("{url}: {error}; hint: {}", Reason::Address.hint()))?;
    let credentials = origin
        .user
        .clone()
        .map(|username| Credentials { username, password: origin.password.clone().unwrap_or_default() });
    let options = SessionOptions::default().creds(credentials).user_agent("Parapet".to_owned());
    let session = Session::describe(url, options).await.map_err(|error| explain(&error))?;
    let video = session.streams().iter().position(|stream| stream.media() == "video");
    let video = video.ok_or_else(|| format!("it offers no pictures; hint: {}", Reason::Path.hint()))?;
    Ok((session, video))
}

/// Builds what takes the camera's pictures.
fn join(
    pipeline: &gst::Pipeline,
    caps: &gst::Caps,
    wanted: Wanted,
    notify: &Notify,
) -> Result<AppSrc, OpenError> {
    let source = AppSrc::builder()
        .caps(caps)
        .format(gst::Format::Time)
        .is_live(true)
        .max_bytes(MOST_WAITING)
        .leaky_type(AppLeakyType::Upstream)
        .build();
    let from = pad(source.upcast_ref(), "src")?;
    add_row(pipeline, &[source.upcast_ref()])?;
    attach(pipeline, &from, caps, wanted, false, notify)?;
    Ok(source)
}

/// When the camera says that the picture was taken, on a scale of its own.
fn taken(frame: &VideoFrame) -> Duration {
    let stamp = frame.timestamp();
    // From a time far before the first picture, so that pictures that are told out of order stay above zero.
    let ticks = stamp.elapsed().saturating_add(i64::from(stamp.clock_rate().get()) * 3600).max(0);
    Duration::from_secs_f64(ticks as f64 / f64::from(stamp.clock_rate().get()))
}

fn buffer(frame: VideoFrame, at: Duration) -> gst::Buffer {
    let (gap, keyframe) = (frame.loss() > 0, frame.is_random_access_point());
    let mut buffer = gst::Buffer::from_slice(frame.into_data());
    let writable = buffer.get_mut().expect("just made");
    writable.set_pts(gst::ClockTime::from_nseconds(at.as_nanos() as u64));
    if gap {
        writable.set_flags(gst::BufferFlags::DISCONT);
    }
    if !keyframe {
        writable.set_flags(gst::BufferFlags::DELTA_UNIT);
    }
    buffer
}

/// Places the camera's times on this machine's scale: at the distances that the camera tells, as if the quickest of late had
/// taken no time. The network's jitter only ever delays, so the earliest arrival is the truest.
#[derive(Debug, Default)]
struct ArrivalScale {
    /// Seconds from the camera's scale to this machine's, and the arrival that it was last adapted at.
    offset: Option<(f64, f64)>,
}

/// The camera's clock may run slower than ours by so much.
const DRIFT: f64 = 0.001;
/// A picture that seems so late was not delayed: the camera set its clock back.
const SET_BACK_SECONDS: f64 = 5.0;

impl ArrivalScale {
    fn place(&mut self, taken: Duration, arrived: Duration) -> Duration {
        let (taken, arrived) = (taken.as_secs_f64(), arrived.as_secs_f64());
        let now = arrived - taken;
        let offset = match self.offset {
            Some((offset, since)) if now - offset < SET_BACK_SECONDS => {
                now.min(offset + (arrived - since) * DRIFT)
            }
            _ => now,
        };
        self.offset = Some((offset, arrived));
        Duration::from_secs_f64((taken + offset).max(0.0))
    }
}

/// What went wrong, with a hint; the first line alone, since the others tell of ports and packets.
fn explain(error: &retina::Error) -> String {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default().trim_end_matches([':', '.', ' ']);
    let broke = first.contains("reading") || first.contains("writing");
    let hint = match error.status_code() {
        Some(401 | 403) => Some(Reason::Password.hint()),
        Some(404 | 454) => Some(Reason::Path.hint()),
        None if first.contains("connect") => Some(Reason::Address.hint()),
        None if broke => Some("the connection broke; see the network"),
        _ => None,
    };
    match hint {
        Some(hint) => format!("{first}; hint: {hint}"),
        None => first.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(s: f64) -> Duration {
        Duration::from_secs_f64(s)
    }

    #[test]
    fn jitter_of_the_network_leaves_the_distances_as_the_camera_tells_them() {
        let mut scale = ArrivalScale::default();
        let jitter = [0.003, 0.08, 0.001, 0.0, 0.04, 0.2, 0.0];
        let placed: Vec<f64> = jitter
            .iter()
            .enumerate()
            .map(|(i, late)| {
                let taken = 100.0 + i as f64 * 0.04;
                scale.place(seconds(taken), seconds(7.0 + i as f64 * 0.04 + late)).as_secs_f64()
            })
            .collect();
        // The first was late by 3 ms, as is seen as soon as one is quicker.
        for (i, at) in placed.iter().enumerate().skip(3) {
            assert!((at - (7.0 + i as f64 * 0.04)).abs() < 0.001, "{i}: {at}");
        }
        assert!(placed.windows(2).all(|pair| pair[1] > pair[0]), "{placed:?}");
    }

    #[test]
    fn a_camera_whose_clock_runs_slow_or_fast_or_is_set_is_followed() {
        for rate in [0.9995, 1.0005] {
            let mut scale = ArrivalScale::default();
            let mut last = 0.0;
            for i in 0..25 * 3600 {
                let arrived = f64::from(i) * 0.04;
                last =
                    arrived - scale.place(seconds(3600.0 + arrived * rate), seconds(arrived)).as_secs_f64();
            }
            assert!(last.abs() < 0.001, "{rate}: {last}");
        }
        let mut scale = ArrivalScale::default();
        for (taken, arrived) in
            [(3600.0, 0.0), (3600.04, 0.04), (9000.0, 0.08), (9000.04, 0.12), (20.0, 0.16)]
        {
            assert_eq!(scale.place(seconds(taken), seconds(arrived)), seconds(arrived));
        }
    }
}
