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
        mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use parapet_core::{
    CameraHealth, CameraId, Clock, DetectError, EndReason, Frame, HealthEvent, HealthState, IncidentEvent,
    IncidentId, NodeId, Picture, PresetId, SiteId, Timestamp,
    time::{TimeScale, seconds_between},
};
use parapet_ingest::{CameraStream, DecodeMode, StreamEvent};
use tracing::{error, info};

use self::tell::Seen;
use crate::{
    assembly::{Assembled, AssemblyError},
    config::CameraConfig,
    evidence::{PastPictures, RecorderHandle},
    live::{CameraInfo, LiveCameras, LiveFrame, Overlay},
    recording::CameraRecorder,
    share::Leases,
    telemetry::{self, StageTimer},
    uplink::{UplinkHandle, interrupted},
    watch::{Looked, Watch},
};

/// Longest wait for a frame before the thread looks whether it should stop.
const PATIENCE: Duration = Duration::from_millis(200);
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
    /// Where nodes share cameras: whether this one may still watch.
    pub(crate) leases: Option<Leases>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// What a camera's thread is told.
pub(crate) enum Order {
    /// End what is open for this reason, and stop.
    Stop(EndReason),
    /// Stop and leave open what is open: another node goes on with it.
    Leave,
    /// Go on with incidents that were left open.
    Adopt(Vec<IncidentEvent>),
}

/// A camera's thread.
pub(crate) struct CameraThread {
    orders: Sender<Order>,
    started: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl CameraThread {
    /// Starts to watch.
    pub(crate) fn start(spec: CameraSpec) -> io::Result<Self> {
        let (sender, orders) = channel();
        let started = Arc::new(AtomicBool::new(false));
        spec.live.insert(CameraInfo::new(&spec.id, &spec.site, &spec.config));
        let worker = Worker { started: started.clone(), ..Worker::new(spec) };
        let thread = std::thread::Builder::new()
            .name(format!("camera:{}", worker.spec.id))
            .spawn(move || worker.run(&orders))?;
        Ok(Self { orders: sender, started, thread })
    }

    /// Whether the source was opened and is watched.
    pub(crate) fn is_started(&self) -> bool {
        self.started.load(Ordering::Relaxed) && !self.thread.is_finished()
    }

    /// Tells the thread something; one that has ended does not hear it.
    pub(crate) fn tell(&self, order: Order) {
        let _ = self.orders.send(order);
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
    /// What was left open by others and no pipeline knows of yet.
    pub(crate) to_adopt: Vec<IncidentEvent>,
    pub(crate) health: Option<CameraHealth>,
    /// Capture time of the latest frame.
    pub(crate) latest: Timestamp,
    crashes: u32,
    pub(crate) seen: Seen,
    pub(crate) scale: TimeScale,
    started: Arc<AtomicBool>,
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
    /// Another node may watch: what is open stays so.
    Left,
    /// An offline source has nothing more.
    Ended,
    /// The source or the pipeline cannot be opened.
    Unusable(String),
    /// The machine's clock was set: what the pipeline remembers is of other times.
    ClockSet,
}

impl Worker {
    /// A camera that has told nothing.
    pub(crate) fn new(spec: CameraSpec) -> Self {
        Self {
            open: BTreeMap::new(),
            to_adopt: Vec::new(),
            health: None,
            latest: spec.clock.now(),
            crashes: 0,
            seen: Seen::default(),
            scale: TimeScale::default(),
            started: Arc::default(),
            spec,
        }
    }

    fn run(mut self, orders: &Receiver<Order>) {
        loop {
            let attempt = catch_unwind(AssertUnwindSafe(|| self.watch(orders)));
            let (event, detail) = match attempt {
                Ok(Over::Stopped(reason)) => {
                    self.end_all_open(reason);
                    info!(camera = %self.spec.id, ?reason, "camera stops");
                    return;
                }
                Ok(Over::Left) => return self.leave(),
                Ok(Over::Ended) => {
                    self.end_open(EndReason::EndOfRecording);
                    (HealthEvent::EndOfStream, "the recording is over".to_owned())
                }
                Ok(Over::Unusable(why)) => {
                    error!(camera = %self.spec.id, why, "camera cannot be watched; trying again");
                    self.begin_anew();
                    (HealthEvent::Failed, why)
                }
                Ok(Over::ClockSet) => {
                    self.begin_anew();
                    continue;
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
            match self.pause(orders, (!over).then_some(wait)) {
                None => {}
                Some(Over::Stopped(reason)) => return self.end_all_open(reason),
                Some(_) => return self.leave(),
            }
        }
    }

    /// The next pipeline goes on with what is open.
    pub(crate) fn begin_anew(&mut self) {
        self.to_adopt.extend(std::mem::take(&mut self.open).into_values());
    }

    /// Waits, for ever if no time is given, and hears orders meanwhile; why the thread is to end, if it is.
    fn pause(&mut self, orders: &Receiver<Order>, wait: Option<Duration>) -> Option<Over> {
        let until = wait.map(|wait| self.spec.clock.monotonic() + wait);
        loop {
            if self.has_lost_its_lease() {
                return Some(Over::Left);
            }
            let left = until.map(|until| until.saturating_sub(self.spec.clock.monotonic()));
            let longest = if self.spec.leases.is_some() { PATIENCE } else { Duration::MAX };
            match orders.recv_timeout(left.unwrap_or(longest).min(longest)) {
                Ok(order) => match self.hear(order) {
                    None => {}
                    over => return over,
                },
                Err(RecvTimeoutError::Disconnected) => return Some(Over::Stopped(EndReason::Interrupted)),
                Err(RecvTimeoutError::Timeout) if left.is_some_and(|left| left <= longest) => return None,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Why the thread is to end, if that is what the order says.
    fn hear(&mut self, order: Order) -> Option<Over> {
        match order {
            Order::Stop(reason) => Some(Over::Stopped(reason)),
            Order::Leave => Some(Over::Left),
            Order::Adopt(events) => {
                self.to_adopt.extend(events);
                None
            }
        }
    }

    pub(crate) fn has_lost_its_lease(&self) -> bool {
        self.spec.leases.as_ref().is_some_and(|leases| !leases.holds(&self.spec.id))
    }

    fn watch(&mut self, orders: &Receiver<Order>) -> Over {
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
        // Each connection has a time scale of its own.
        let mut run = None;
        loop {
            let order = match orders.try_recv() {
                Ok(order) => self.hear(order),
                Err(TryRecvError::Disconnected) => return Over::Stopped(EndReason::Interrupted),
                Err(TryRecvError::Empty) => None,
            };
            if let Some(Over::Stopped(reason)) = order {
                let at = self.latest;
                self.hand_over(watch.end_all(reason, at), None);
                return Over::Stopped(reason);
            }
            if order.is_some() || self.has_lost_its_lease() {
                return Over::Left;
            }
            self.adopt(&mut watch);
            match stream.next(PATIENCE) {
                None => {}
                Some(StreamEvent::Health(health)) => self.report(health),
                Some(StreamEvent::Ended) => {
                    let at = self.latest;
                    self.hand_over(watch.end_all(EndReason::EndOfRecording, at), None);
                    return Over::Ended;
                }
                Some(StreamEvent::Frame(frame)) => {
                    if run.replace(frame.run) != Some(frame.run) && self.scale.was_set(&*self.spec.clock) {
                        return Over::ClockSet;
                    }
                    timer.frame_came();
                    self.latest = frame.captured_at;
                    if self.seen.count(&frame, self.spec.clock.monotonic())
                        && let Some(health) = &self.health
                    {
                        self.spec.uplink.show(&self.status_of(health));
                    }
                    watch.set_followed(self.spec.live.is_watched(&id));
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
                            let decided_at = self.spec.clock.now();
                            telemetry::decided_after(&id, seconds_between(frame.captured_at, decided_at));
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

    /// Hands what others left open to the pipeline; ends at once what belongs to a view that there is not.
    pub(crate) fn adopt(&mut self, watch: &mut Watch) {
        if self.to_adopt.is_empty() {
            return;
        }
        let mut events = std::mem::take(&mut self.to_adopt);
        // What is open here is known better.
        events.retain(|event| !self.open.contains_key(&event.incident_id));
        for event in &events {
            info!(
                camera = %event.camera, kind = event.kind.as_str(), incident = %event.incident_id,
                "going on with an incident that was left open"
            );
            self.open.insert(event.incident_id, event.clone());
        }
        for last in watch.adopt(events) {
            self.open.remove(&last.incident_id);
            let ended = interrupted(&last, self.latest, EndReason::Reconfigured);
            self.spec.uplink.send(vec![self.incident_message(ended)]);
        }
        telemetry::incidents_open(&self.spec.id, self.open.len());
    }

    /// What has to be decoded from now on.
    fn enough(&self, watch: &Watch, stream: &CameraStream) -> DecodeMode {
        if self.spec.live.is_watched(&self.spec.id) {
            return DecodeMode::Full;
        }
        // The watchdog waits for a picture.
        let patience = Duration::from_secs_f64(self.spec.config.source.watchdog.stalled_seconds) / 2;
        let keyframes_apart = stream.keyframes_apart();
        match watch.enough(self.latest, keyframes_apart) {
            DecodeMode::KeyframesOnly { apart } => DecodeMode::KeyframesOnly { apart: apart.min(patience) },
            DecodeMode::KeyframesWhileQuiet if keyframes_apart.is_none_or(|apart| apart > patience) => {
                DecodeMode::Full
            }
            mode => mode,
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

    /// Leaves what is open to whoever watches the camera next.
    pub(crate) fn leave(&mut self) {
        info!(camera = %self.spec.id, open = self.open.len() + self.to_adopt.len(), "camera is left to another node");
        let waiting = std::mem::take(&mut self.to_adopt).into_iter().map(|event| event.incident_id);
        for incident in std::mem::take(&mut self.open).into_keys().chain(waiting) {
            if let Some(recorder) = &self.spec.recorder {
                recorder.ended(incident);
            }
        }
        telemetry::incidents_open(&self.spec.id, 0);
    }
}

pub(crate) fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("panic without a message").to_owned()
}

#[cfg(test)]
mod tests;
