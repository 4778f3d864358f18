//! Keeps one source connected: watches progress, tears down what is stuck, waits, connects again.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    time::Duration,
};

use gstreamer as gst;
use parapet_core::{
    CameraId, Clock, HealthEvent, HealthState, RunId, SystemClock, Timestamp, time::TimeScale,
};
use tracing::{debug, warn};

use crate::{
    backoff::Backoff,
    clock::TimeBase,
    config::SourceConfig,
    connection::{
        Connection, EncodedWanted, FramesWanted, ModeSwitch, Notice, Notify, Origin, SampleSink, Units,
        Wanted,
    },
    cpu::{CpuTime, thread_cpu_time},
    decoder::Decoders,
    health::HealthDesk,
    intake::{Counters, Intake, Progress, RunState},
    queue::{FrameQueue, StreamEvent},
    ring::{AccessUnit, Ring},
    still::StillWatch,
    telemetry::LiveTelemetry,
};

/// What is sent to a supervisor.
#[derive(Debug)]
pub(crate) enum Errand {
    /// From the connection of this number.
    Notice(u64, Notice),
    /// The picture of the connection of this number stood still for too long.
    Froze(u64),
    /// The camera is not wanted any more.
    Stop,
}

/// A supervisor's errands, and the way to send more.
pub(crate) struct Inbox {
    sender: mpsc::Sender<Errand>,
    receiver: mpsc::Receiver<Errand>,
}

impl Inbox {
    pub(crate) fn new(sender: mpsc::Sender<Errand>, receiver: mpsc::Receiver<Errand>) -> Self {
        Self { sender, receiver }
    }
}

/// One source of one camera.
pub(crate) struct Supervisor {
    pub(crate) camera: CameraId,
    pub(crate) config: SourceConfig,
    pub(crate) origin: Origin,
    pub(crate) clock: Arc<dyn Clock>,
    /// Where decoded frames and health go; `None` for the main stream beside a substream, which is only kept encoded.
    pub(crate) frames_to: Option<(Arc<FrameQueue>, Arc<HealthDesk>)>,
    /// Where encoded pictures go.
    pub(crate) ring: Option<Arc<Ring>>,
    /// Where a drone's metadata go.
    pub(crate) telemetry: LiveTelemetry,
    /// What is to be decoded at present.
    pub(crate) mode: Arc<ModeSwitch>,
    pub(crate) decoders: Decoders,
    /// The run of an offline source.
    pub(crate) run: Option<RunId>,
    /// When an offline source begins.
    pub(crate) start_at: Timestamp,
    /// What the threads of this source take of the processors.
    pub(crate) cpu: CpuTime,
    /// How many pictures a visit wants; all that comes without it.
    pub(crate) appetite: Option<Arc<Appetite>>,
}

/// How many pictures a visit wants, and how many it got. Keyframes are decoded only while it wants one: a visit that waits
/// for its turn with the model costs no decoding meanwhile.
#[derive(Debug)]
pub(crate) struct Appetite {
    wanted: AtomicU64,
    got: AtomicU64,
}

impl Appetite {
    /// For one picture.
    pub(crate) fn for_one() -> Self {
        Self { wanted: AtomicU64::new(1), got: AtomicU64::new(0) }
    }

    /// For one more than it got.
    pub(crate) fn for_another(&self) {
        self.wanted.store(self.got.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    fn is_left(&self) -> bool {
        self.got.load(Ordering::Relaxed) < self.wanted.load(Ordering::Relaxed)
    }
}

/// Why a connection is over.
enum Over {
    Stopped,
    Trouble(HealthEvent, Option<String>),
}

/// Until a decoder that was opened gives its first picture.
const SLOWEST_DECODER: Duration = Duration::from_secs(2);

/// Longest time from an offline source's failure to the last frame before it.
const DRAIN: Duration = Duration::from_secs(5);

impl Supervisor {
    pub(crate) fn run(self, inbox: &Inbox) {
        match self.run {
            Some(run) => self.run_offline(run, inbox),
            None => self.run_live(inbox),
        }
        // The thread lives as long as the source.
        self.cpu.add(thread_cpu_time().unwrap_or_default());
    }

    fn run_live(&self, inbox: &Inbox) {
        let mut backoff = Backoff::new(&self.config.backoff, self.camera.as_str());
        let can_freeze =
            matches!(self.origin, Origin::Rtsp(_) | Origin::Rtmp(_) | Origin::Srt(_) | Origin::Device { .. });
        let watchdog = &self.config.watchdog;
        let still = (can_freeze && self.frames_to.is_some()).then(|| {
            Arc::new(Mutex::new(StillWatch::new(watchdog.freeze_seconds, watchdog.freeze_tolerance)))
        });
        for generation in 1.. {
            if generation > 1
                && let Some((_, desk)) = &self.frames_to
            {
                desk.count_reconnect();
            }
            let started = self.clock.monotonic();
            let (event, detail) = match self.run_once(generation, still.as_ref(), inbox) {
                Over::Stopped => return,
                Over::Trouble(event, detail) => (event, detail),
            };
            match &self.frames_to {
                // The frozen state was told when it began, and lasts until the picture moves.
                Some(_) if event == HealthEvent::Froze => {}
                Some((_, desk)) => {
                    desk.tell(HealthState::Offline, event, self.clock.now(), None, detail);
                }
                None => {
                    let detail = detail.unwrap_or_default();
                    warn!(camera = %self.camera, ?event, detail, "main stream is in trouble, clips will have a gap");
                }
            }
            backoff.lasted(self.clock.monotonic().saturating_sub(started));
            if stopped_within(inbox, backoff.failed()) {
                return;
            }
        }
    }

    /// One run: one connection, or one after the other of a looped file.
    fn run_once(&self, generation: u64, still: Option<&Arc<Mutex<StillWatch>>>, inbox: &Inbox) -> Over {
        let run = Arc::new(RunState::new(RunId::live()));
        let looped = self.config.file.as_ref().is_some_and(|f| f.looped);
        // Numbers of connections within the run don't matter to the ring, but parameter sets may differ between runs.
        loop {
            let over = self.connect(generation, &run, still, inbox);
            match over {
                Over::Trouble(HealthEvent::EndOfStream, _)
                    if looped && run.sequence.load(Ordering::Relaxed) > 0 =>
                {
                    debug!(camera = %self.camera, "file begins again");
                }
                over => return over,
            }
        }
    }

    fn connect(
        &self,
        generation: u64,
        run: &Arc<RunState>,
        still: Option<&Arc<Mutex<StillWatch>>>,
        inbox: &Inbox,
    ) -> Over {
        let progress = Arc::new(Progress::default());
        let time = Arc::new(TimeBase::live(Arc::clone(&self.clock)));
        let wanted = self.wanted(generation, run, &time, &progress, still, inbox);
        let (started, mut scale) = (self.clock.monotonic(), TimeScale::of(&*self.clock));
        let connection = Connection::open(&self.origin, wanted, &notify(generation, inbox, &self.cpu));
        let connection = match connection {
            Ok(connection) => connection,
            Err(error) => return Over::Trouble(HealthEvent::Failed, Some(error.to_string())),
        };
        let watchdog = &self.config.watchdog;
        let seconds = Duration::from_secs_f64;
        let over = loop {
            let now = self.clock.monotonic();
            let (deadline, what) = match progress.last_heard() {
                None => (started + seconds(watchdog.connect_seconds), "no answer"),
                Some(heard) => {
                    let silent = heard + seconds(watchdog.silent_seconds);
                    let stalled =
                        progress.last_frame().unwrap_or(started) + seconds(watchdog.stalled_seconds);
                    if self.frames_to.is_some() && stalled < silent {
                        (stalled, "data comes, but no picture can be decoded")
                    } else {
                        (silent, "nothing comes any more")
                    }
                }
            };
            if now >= deadline {
                break Over::Trouble(HealthEvent::Silent, Some(what.to_owned()));
            }
            if scale.was_set(&*self.clock) {
                let detail = "the machine's clock was set; connecting anew for right times";
                break Over::Trouble(HealthEvent::Failed, Some(detail.to_owned()));
            }
            match inbox.receiver.recv_timeout(deadline.saturating_sub(now)) {
                Ok(Errand::Stop) | Err(mpsc::RecvTimeoutError::Disconnected) => break Over::Stopped,
                Ok(Errand::Froze(of)) if of == generation => break Over::Trouble(HealthEvent::Froze, None),
                Ok(Errand::Notice(of, Notice::Opened)) if of == generation => connection.play(),
                Ok(Errand::Notice(of, Notice::Ended)) if of == generation => {
                    break Over::Trouble(HealthEvent::EndOfStream, None);
                }
                Ok(Errand::Notice(of, Notice::Failed(detail))) if of == generation => {
                    break Over::Trouble(HealthEvent::Failed, Some(detail));
                }
                Ok(_) | Err(mpsc::RecvTimeoutError::Timeout) => {}
            }
        };
        let no_picture = || progress.last_frame().is_none() && self.decoders.gave_nothing();
        match over {
            Over::Trouble(event @ (HealthEvent::Failed | HealthEvent::Silent), Some(detail))
                if no_picture() =>
            {
                Over::Trouble(event, Some(format!("{detail}; software decodes from now on, not hardware")))
            }
            // A visit has waited in vain, or was told to stop before a decoder can have answered.
            Over::Stopped if self.appetite.is_some() => {
                if self.clock.monotonic().saturating_sub(started) >= SLOWEST_DECODER {
                    no_picture();
                }
                Over::Stopped
            }
            over => over,
        }
    }

    fn run_offline(&self, run: RunId, inbox: &Inbox) {
        let Some((queue, desk)) = &self.frames_to else { return };
        let run = Arc::new(RunState::new(run));
        let time = Arc::new(TimeBase::Recorded { start_at: self.start_at });
        let progress = Arc::new(Progress::default());
        let last_at = Arc::new(AtomicU64::new(0));
        let wanted = self.wanted(1, &run, &time, &progress, None, inbox);
        let wanted = remember_time(wanted, &time, self.start_at, &last_at);
        let failure = match Connection::open(&self.origin, wanted, &notify(1, inbox, &self.cpu)) {
            Ok(_connection) => match wait_for_end(inbox, queue) {
                Ok(failure) => failure,
                Err(Stopped) => return,
            },
            Err(error) => Some(error.to_string()),
        };
        if let Some(detail) = failure {
            let at = self.start_at + Duration::from_micros(last_at.load(Ordering::Relaxed));
            desk.tell(HealthState::Offline, HealthEvent::Failed, at, Some(run.run), Some(detail));
        }
        queue.announce(StreamEvent::Ended);
        queue.close();
    }

    fn wanted(
        &self,
        generation: u64,
        run: &Arc<RunState>,
        time: &Arc<TimeBase>,
        progress: &Arc<Progress>,
        still: Option<&Arc<Mutex<StillWatch>>>,
        inbox: &Inbox,
    ) -> Wanted {
        let counters = Counters::of(&self.camera);
        let frames = self.frames_to.as_ref().map(|(queue, desk)| {
            let froze = inbox.sender.clone();
            let intake = Intake {
                camera: self.camera.clone(),
                clock: Arc::clone(&self.clock),
                queue: Arc::clone(queue),
                desk: Arc::clone(desk),
                run: Arc::clone(run),
                time: Arc::clone(time),
                progress: Arc::clone(progress),
                still: still.cloned(),
                froze: Box::new(move || drop(froze.send(Errand::Froze(generation)))),
                freeze_limit: Duration::from_secs_f64(self.config.watchdog.freeze_seconds),
                counters: counters.clone(),
            };
            let mut sink: SampleSink = Box::new(intake.into_sink());
            if let Some(appetite) = self.appetite.clone() {
                let mut taken = sink;
                sink = Box::new(move |sample, running| {
                    appetite.got.fetch_add(1, Ordering::Relaxed);
                    taken(sample, running)
                });
            }
            FramesWanted {
                sink,
                fps: self.config.analysed_fps,
                max_width: self.config.max_width,
                max_height: self.config.max_height,
            }
        });
        let encoded = self.ring.as_ref().map(|ring| {
            let (ring, time) = (Arc::clone(ring), Arc::clone(time));
            let sink: SampleSink = Box::new(move |sample, running| {
                if let Some((at, pts)) = time.of(sample, running)
                    && let Some(unit) = AccessUnit::of(sample, at, pts, generation)
                {
                    ring.push(unit);
                }
                true
            });
            EncodedWanted { sink, keyframe_interval: (self.config.analysed_fps * 2.0).ceil() as u32 }
        });
        let (telemetry, scale) = (self.telemetry.clone(), Arc::clone(time));
        let metadata: SampleSink = Box::new(move |sample, running| {
            // Packets without a time of their own are of the present.
            let bytes = sample.buffer().and_then(|b| b.map_readable().ok());
            if let (Some(at), Some(bytes)) = (scale.of_metadata(sample, running), bytes) {
                telemetry.take(at, &bytes);
            }
            true
        });
        let (heard, overrun) = (Arc::clone(progress), counters.overrun.clone());
        let clock = Arc::clone(&self.clock);
        Wanted {
            frames,
            encoded,
            metadata: Some(metadata),
            live: self.run.is_none(),
            units: match &self.appetite {
                Some(appetite) => {
                    let appetite = Arc::clone(appetite);
                    Units::Chosen(Box::new(move |_, keyframe| keyframe && appetite.is_left()))
                }
                None if self.config.keyframes_only => Units::Keyframes,
                None => Units::All,
            },
            mode: Arc::clone(&self.mode),
            decoders: self.decoders.clone(),
            heard: Box::new(move |bytes| {
                heard.heard(clock.monotonic());
                counters.received_bytes.increment(bytes as u64);
            }),
            overrun: Box::new(move || overrun.increment(1)),
        }
    }
}

struct Stopped;

/// Waits until an offline source has delivered all; gives what went wrong, if anything did.
fn wait_for_end(inbox: &Inbox, queue: &FrameQueue) -> Result<Option<String>, Stopped> {
    let mut failure = None;
    loop {
        let errand = match failure {
            None => inbox.receiver.recv().map_err(|_| mpsc::RecvTimeoutError::Disconnected),
            Some(_) => inbox.receiver.recv_timeout(DRAIN),
        };
        match errand {
            Ok(Errand::Stop) | Err(mpsc::RecvTimeoutError::Disconnected) => return Err(Stopped),
            Ok(Errand::Notice(_, Notice::Ended)) => return Ok(failure),
            Ok(Errand::Notice(_, Notice::Failed(detail))) => failure = failure.or(Some(detail)),
            // After a failure the end comes to the sink, but not to the bus.
            Ok(Errand::Notice(_, Notice::Drained)) if failure.is_some() => return Ok(failure),
            Err(mpsc::RecvTimeoutError::Timeout) if !queue.has_frames() => return Ok(failure),
            Ok(_) | Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
    }
}

/// Keeps the time of the newest frame, in microseconds from the start: the time of a failure, if one comes.
fn remember_time(
    mut wanted: Wanted,
    time: &Arc<TimeBase>,
    start_at: Timestamp,
    last_at: &Arc<AtomicU64>,
) -> Wanted {
    if let Some(frames) = &mut wanted.frames {
        let (time, last_at) = (Arc::clone(time), Arc::clone(last_at));
        let mut sink = std::mem::replace(&mut frames.sink, Box::new(|_, _| false));
        frames.sink = Box::new(move |sample: &gst::Sample, running| {
            if let Some((at, _)) = time.of(sample, running) {
                let micros = at.as_microsecond() - start_at.as_microsecond();
                last_at.store(micros.max(0) as u64, Ordering::Relaxed);
            }
            sink(sample, running)
        });
    }
    wanted
}

fn notify(generation: u64, inbox: &Inbox, cpu: &CpuTime) -> Notify {
    let (sender, cpu) = (inbox.sender.clone(), cpu.clone());
    Arc::new(move |notice| match notice {
        Notice::Worked(took) => cpu.add(took),
        notice => drop(sender.send(Errand::Notice(generation, notice))),
    })
}

/// Waits; true if the camera is not wanted any more. News of past connections is thrown away.
fn stopped_within(inbox: &Inbox, wait: Duration) -> bool {
    // Real time even where a test moves the camera's clock by hand: an inbox waits in real time.
    let clock = SystemClock::new();
    loop {
        let waited = clock.monotonic();
        if waited >= wait {
            return false;
        }
        match inbox.receiver.recv_timeout(wait.saturating_sub(waited)) {
            Ok(Errand::Stop) | Err(mpsc::RecvTimeoutError::Disconnected) => return true,
            Ok(_) | Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
    }
}
