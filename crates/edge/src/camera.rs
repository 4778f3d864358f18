//! One camera at work, on a thread of its own: frames in, events out. A panic in it costs this camera a moment and
//! no other camera anything.

mod tell;

use std::{
    any::Any,
    collections::BTreeMap,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use parapet_core::{
    CameraHealth, CameraId, Clock, DetectError, EndReason, Frame, HealthEvent, HealthState, IncidentEvent,
    IncidentId, NodeId, Picture, PresetId, SiteId, Timestamp,
};
use parapet_ingest::{CameraStream, DecodeMode, StreamEvent};
use tracing::{error, info};

use crate::{
    assembly::{Assembled, AssemblyError},
    config::CameraConfig,
    evidence::{PastPictures, RecorderHandle},
    live::{CameraInfo, LiveCameras, LiveFrame, Overlay},
    recording::CameraRecorder,
    telemetry::{self, StageTimer},
    uplink::UplinkHandle,
    watch::{Looked, Watch},
};

/// Longest wait for a frame before the thread looks whether it should stop.
const PATIENCE: Duration = Duration::from_millis(200);
/// Analysed frames a second are counted over this time.
const FPS_OVER: Duration = Duration::from_secs(10);
/// Waits after a panic, the first and the longest.
const RESTART: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));

/// Makes a pipeline that has seen nothing.
pub(crate) type Build = Arc<dyn Fn() -> Result<Assembled, AssemblyError> + Send + Sync>;

/// All that a camera's thread works with.
#[derive(Clone)]
pub(crate) struct CameraSpec {
    pub(crate) id: CameraId,
    pub(crate) node: NodeId,
    pub(crate) site: SiteId,
    pub(crate) config: CameraConfig,
    /// Makes the camera's pipeline; anew after a crash.
    pub(crate) build: Build,
    pub(crate) uplink: UplinkHandle,
    pub(crate) recorder: Option<RecorderHandle>,
    pub(crate) before_seconds: f64,
    /// Where its last hours are recorded, if they are.
    pub(crate) recordings: PathBuf,
    pub(crate) live: LiveCameras,
    pub(crate) clock: Arc<dyn Clock>,
}

/// A camera's thread.
pub(crate) struct CameraThread {
    stop: Sender<EndReason>,
    started: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl CameraThread {
    /// Starts to watch.
    pub(crate) fn start(spec: CameraSpec) -> io::Result<Self> {
        let (stop, orders) = channel();
        let started = Arc::new(AtomicBool::new(false));
        spec.live.insert(CameraInfo::new(&spec.id, &spec.site, &spec.config));
        let worker = Worker { started: started.clone(), ..Worker::new(spec) };
        let thread = std::thread::Builder::new()
            .name(format!("camera:{}", worker.spec.id))
            .spawn(move || worker.run(&orders))?;
        Ok(Self { stop, started, thread })
    }

    /// Whether the source was opened and is watched.
    pub(crate) fn is_started(&self) -> bool {
        self.started.load(Ordering::Relaxed) && !self.thread.is_finished()
    }

    /// Asks the thread to end, giving `reason` to what is open; [`Self::join`] waits for it.
    pub(crate) fn ask_to_stop(&self, reason: EndReason) {
        // It may have ended already.
        let _ = self.stop.send(reason);
    }

    /// Waits for the end of the thread.
    pub(crate) fn join(self) {
        if self.thread.join().is_err() {
            error!("a camera's thread panicked outside of its pipeline");
        }
    }
}

/// One camera with what it has told.
pub(crate) struct Worker {
    pub(crate) spec: CameraSpec,
    /// Latest event of each incident that goes on: what a crashed pipeline can no longer end.
    open: BTreeMap<IncidentId, IncidentEvent>,
    pub(crate) health: Option<CameraHealth>,
    /// Capture time of the latest frame.
    pub(crate) latest: Timestamp,
    crashes: u32,
    pub(crate) seen: Seen,
    started: Arc<AtomicBool>,
}

/// What the retained status says of the frames.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seen {
    pub(crate) size: Option<(u32, u32)>,
    frames: u32,
    counted_since: Duration,
    pub(crate) fps: Option<f32>,
}

impl Seen {
    /// Counts a frame; `true` when there is something new to say.
    fn count(&mut self, frame: &Frame, now: Duration) -> bool {
        let size = Some((frame.picture.width() as u32, frame.picture.height() as u32));
        let resized = std::mem::replace(&mut self.size, size) != size;
        if self.frames == 0 {
            self.counted_since = now;
        }
        let passed = now.saturating_sub(self.counted_since);
        let counted = passed >= FPS_OVER;
        if counted {
            self.fps = Some(self.frames as f32 / passed.as_secs_f32());
            (self.frames, self.counted_since) = (0, now);
        }
        self.frames += 1;
        resized || counted
    }
}

/// The past of each view, by preset.
type Past = BTreeMap<Option<PresetId>, PastPictures>;

/// What events are proved with.
pub(crate) struct Scene<'a> {
    pub(crate) frame: &'a Frame,
    pub(crate) past: &'a PastPictures,
    /// Approved picture of the view.
    pub(crate) baseline: Option<Arc<Picture>>,
    /// What clips are cut from; a camera on patrol has none.
    pub(crate) stream: Option<&'a CameraStream>,
}

/// Why a watch came to its end.
enum Over {
    Stopped(EndReason),
    /// An offline source has nothing more.
    Ended,
    /// The source or the pipeline cannot be opened.
    Unusable(String),
}

impl Worker {
    /// A camera that has told nothing.
    pub(crate) fn new(spec: CameraSpec) -> Self {
        Self {
            open: BTreeMap::new(),
            health: None,
            latest: spec.clock.now(),
            crashes: 0,
            seen: Seen::default(),
            started: Arc::default(),
            spec,
        }
    }

    fn run(mut self, orders: &Receiver<EndReason>) {
        loop {
            let attempt = catch_unwind(AssertUnwindSafe(|| self.watch(orders)));
            let (event, detail) = match attempt {
                Ok(Over::Stopped(reason)) => {
                    self.end_open(reason);
                    info!(camera = %self.spec.id, ?reason, "camera stops");
                    return;
                }
                Ok(Over::Ended) => {
                    self.end_open(EndReason::EndOfRecording);
                    (HealthEvent::EndOfStream, "the recording is over".to_owned())
                }
                Ok(Over::Unusable(why)) => {
                    error!(camera = %self.spec.id, why, "camera cannot be watched; trying again");
                    (HealthEvent::Failed, why)
                }
                Err(panic) => {
                    let why = message_of(panic.as_ref());
                    telemetry::camera_crashed(&self.spec.id);
                    error!(camera = %self.spec.id, why, "the thread of a camera panicked; it is started again");
                    // Nobody can follow what the pipeline knew.
                    self.end_open(EndReason::Interrupted);
                    (HealthEvent::Crashed, why)
                }
            };
            let over = event == HealthEvent::EndOfStream;
            self.report_own(HealthState::Offline, event, Some(detail));
            let wait = RESTART.0.saturating_mul(1 << self.crashes.min(6)).min(RESTART.1);
            self.crashes += 1;
            let order = if over {
                orders.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                orders.recv_timeout(wait)
            };
            match order {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(reason) => return self.end_open(reason),
                Err(RecvTimeoutError::Disconnected) => return self.end_open(EndReason::Interrupted),
            }
        }
    }

    fn watch(&mut self, orders: &Receiver<EndReason>) -> Over {
        let Assembled { mut watch, model_time } = match (self.spec.build)() {
            Ok(assembled) => assembled,
            Err(error) => return Over::Unusable(error.to_string()),
        };
        let (id, clock) = (self.spec.id.clone(), self.spec.clock.clone());
        let mut stream = match CameraStream::open(id.clone(), &self.spec.config.source, clock.clone()) {
            Ok(stream) => stream,
            Err(error) => return Over::Unusable(error.to_string()),
        };
        let _recording = self.record(&stream);
        self.started.store(true, Ordering::Relaxed);
        let mut past = Past::new();
        let mut timer = StageTimer::new(clock, model_time);
        loop {
            match orders.try_recv() {
                Ok(reason) => {
                    let at = self.latest;
                    self.hand_over(watch.end_all(reason, at), None);
                    return Over::Stopped(reason);
                }
                Err(std::sync::mpsc::TryRecvError::Disconnected) => {
                    return Over::Stopped(EndReason::Interrupted);
                }
                Err(std::sync::mpsc::TryRecvError::Empty) => {}
            }
            match stream.next(PATIENCE) {
                None => {}
                Some(StreamEvent::Health(health)) => self.report(health),
                Some(StreamEvent::Ended) => {
                    let at = self.latest;
                    self.hand_over(watch.end_all(EndReason::EndOfRecording, at), None);
                    return Over::Ended;
                }
                Some(StreamEvent::Frame(frame)) => {
                    timer.frame_came();
                    self.latest = frame.captured_at;
                    if self.seen.count(&frame, self.spec.clock.monotonic())
                        && let Some(health) = &self.health
                    {
                        self.spec.uplink.show(&self.status_of(health));
                    }
                    match watch.step(&frame) {
                        Ok(Looked { frame, mut step, watched, notes }) => {
                            timer.step_done();
                            if step.shed {
                                telemetry::frame_dropped(&id, "model");
                            }
                            if step.held {
                                telemetry::frame_held(&id);
                            }
                            if self.spec.config.source.keyframes_when_enough {
                                stream.set_mode(self.enough(&watch, &stream));
                            }
                            for note in notes {
                                self.report_note(note);
                            }
                            let events = std::mem::take(&mut step.events);
                            let past = past.entry(frame.preset.clone()).or_default();
                            let baseline = watch.baseline(frame.preset.as_ref());
                            let scene = Scene { frame: &frame, past, baseline, stream: Some(&stream) };
                            self.hand_over(events, Some(&scene));
                            if watched && self.spec.recorder.is_some() {
                                past.offer(&frame);
                            }
                            self.spec
                                .live
                                .show(LiveFrame::new(frame.clone(), Overlay::new(&frame, &step, watched)));
                            if watched {
                                telemetry::frame_analysed(&id, timer.finish());
                            } else {
                                timer.finish();
                                telemetry::frame_dropped(&id, "elsewhere");
                            }
                            self.crashes = 0;
                        }
                        Err(DetectError::Stopped) => {
                            return Over::Unusable("the inference engine has stopped".into());
                        }
                        Err(error) => {
                            // The engine logs why; here it is one frame that was not looked at.
                            tracing::debug!(camera = %id, %error, "frame was not analysed");
                            telemetry::frame_dropped(&id, "failed");
                        }
                    }
                }
            }
        }
    }

    /// What has to be decoded from now on.
    fn enough(&self, watch: &Watch, stream: &CameraStream) -> DecodeMode {
        let seldom = watch.look_seconds().zip(stream.keyframes_apart());
        if self.spec.live.is_watched(&self.spec.id) {
            DecodeMode::Full
        } else if seldom.is_some_and(|(looks, keyframes)| keyframes.as_secs_f64() <= looks) {
            DecodeMode::KeyframesOnly
        } else if watch.is_quiet(self.latest) {
            DecodeMode::KeyframesWhileQuiet
        } else {
            DecodeMode::Full
        }
    }

    /// Records the stream, if that is wanted. A disk that fails costs the recording, never detection.
    fn record(&self, stream: &CameraStream) -> Option<CameraRecorder> {
        let CameraSpec { id, config, recordings, clock, .. } = &self.spec;
        let (recording, seconds) = (config.recording?, config.source.preroll_seconds);
        let (dir, ring) = (recordings.clone(), stream.preroll());
        let started = CameraRecorder::start(id, dir, recording, ring, seconds, clock.clone());
        started.inspect_err(|error| error!(camera = %id, %error, "the camera is not recorded")).ok()
    }
}

pub(crate) fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("panic without a message").to_owned()
}

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::atomic::AtomicU32};

    use parapet_analytics::{Pipeline as View, PipelineConfig};
    use parapet_bus::{BusConfig, EmbeddedConfig, wire};
    use parapet_core::{Detection, Detector, SystemClock};
    use parapet_ingest::{SourceConfig, TestConfig};
    use tokio::{sync::mpsc, time::timeout};

    use super::*;
    use crate::{
        assembly::ModelTime,
        baselines::BaselineInUse,
        uplink::Uplink,
        watch::{Watch, WatchedView},
    };

    /// Panics at the third frame of its life, but only in the first life.
    struct Fragile(Arc<AtomicU32>, mpsc::UnboundedSender<u64>);

    impl Detector for Fragile {
        fn detect(&mut self, frame: &Frame) -> Result<Vec<Detection>, DetectError> {
            assert!(self.0.fetch_add(1, Ordering::Relaxed) != 2, "third frame");
            let _ = self.1.send(frame.sequence);
            Ok(Vec::new())
        }
    }

    async fn uplink(dir: &Path) -> Uplink {
        let embedded = EmbeddedConfig { listen: ([127, 0, 0, 1], 0).into(), ..EmbeddedConfig::default() };
        let bus = BusConfig { embedded: Some(embedded), broker: None };
        let clock = Arc::new(SystemClock::new());
        let status = wire::NodeStatus {
            site: "s".parse().unwrap(),
            node: "n".parse().unwrap(),
            online: true,
            at: clock.now(),
            started_at: clock.now(),
            version: "0".into(),
            base_url: None,
            cameras: Vec::new(),
        };
        Uplink::start(&dir.join("outbox.db"), &bus, status, clock).await.unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_panic_is_told_and_the_camera_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let uplink = uplink(dir.path()).await;
        let test =
            TestConfig { pattern: "ball".into(), width: 64, height: 48, frames_per_second: 25, frames: None };
        let source = SourceConfig { test: Some(test), analysed_fps: 25.0, ..SourceConfig::empty() };
        let calls = Arc::new(AtomicU32::new(0));
        let (seen, mut frames) = mpsc::unbounded_channel();
        let id: CameraId = "ball".parse().unwrap();
        let live = LiveCameras::default();
        let build: Build = Arc::new({
            let id = id.clone();
            move || {
                let detector = Box::new(Fragile(calls.clone(), seen.clone()));
                let pipeline = View::new(PipelineConfig::new(id.clone()), detector, None);
                let watch = Watch::fixed(WatchedView { pipeline, baseline: BaselineInUse::default() });
                Ok(Assembled { watch, model_time: ModelTime::default() })
            }
        });
        let config: CameraConfig = serde_json::from_str(r#"{"source": {"test": {}}}"#).unwrap();
        let spec = CameraSpec {
            id: id.clone(),
            node: "n".parse().unwrap(),
            site: "s".parse().unwrap(),
            config: CameraConfig { source, ..config },
            build,
            uplink: uplink.handle(),
            recorder: None,
            before_seconds: 3.0,
            recordings: PathBuf::new(),
            live: live.clone(),
            clock: Arc::new(SystemClock::new()),
        };
        let thread = CameraThread::start(spec).unwrap();
        for _ in 0..5 {
            timeout(Duration::from_secs(20), frames.recv()).await.expect("frames come").unwrap();
        }
        assert!(thread.is_started());
        tokio::task::spawn_blocking(move || {
            thread.ask_to_stop(EndReason::Interrupted);
            thread.join();
        })
        .await
        .unwrap();
        uplink.stop().await;
        let outbox = parapet_store::Outbox::open(&dir.path().join("outbox.db")).await.unwrap();
        outbox.replay(None).await.unwrap();
        let rows = outbox.pending(0, 1000).await.unwrap();
        let health: Vec<HealthEvent> = rows
            .iter()
            .filter_map(|row| match wire::Message::decode(&row.payload).unwrap() {
                wire::Message::Health(health) => Some(health.health.event),
                _ => None,
            })
            .collect();
        assert_eq!(health, [HealthEvent::Connected, HealthEvent::Crashed, HealthEvent::Connected]);
    }
}
