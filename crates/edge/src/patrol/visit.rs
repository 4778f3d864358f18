//! One camera on patrol: what it keeps between its visits, and a visit.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use parapet_core::{
    CameraHealth, DetectError, EndReason, Frame, HealthEvent, HealthState, IncidentEvent, RunId,
};
use parapet_ingest::{CameraStream, StillWatch, StreamEvent, thread_cpu_time};
use tracing::{debug, error};

use super::{CameraPatrolConfig, Turnstile, admission::VisitCost};
use crate::{
    assembly::{Assembled, ModelTime},
    camera::{CameraSpec, Scene, Worker, message_of},
    evidence::PastPictures,
    live::{LiveFrame, Overlay},
    telemetry::{self, StageTimer},
    watch::{Looked, Watch},
};

/// Longest wait for a picture before the thread looks whether it should stop.
const PATIENCE: Duration = Duration::from_millis(200);
/// A source that broke so often on a visit is given up.
const MOST_TROUBLES: u32 = 2;
/// A visit with so many pictures that nobody could look at is given up.
const MOST_UNLOOKED: u32 = 8;

/// A camera between its visits. Pipeline, standing things and incidents live on; of its pictures only few and small ones.
pub(super) struct Patrolled {
    worker: Worker,
    config: CameraPatrolConfig,
    assembled: Option<(Watch, ModelTime)>,
    past: PastPictures,
    /// One run for all visits: track numbers and what stands go on.
    run: RunId,
    sequence: u64,
    still: StillWatch,
    frozen: bool,
    /// What its status says of the patrol.
    detail: String,
}

/// What came of a visit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visit {
    /// Pictures that were looked at.
    pub(super) looks: u32,
    /// What it took, without the model's own thread.
    pub(super) cost: VisitCost,
}

/// Why a visit came to nothing.
struct Trouble {
    event: HealthEvent,
    detail: String,
}

impl Patrolled {
    pub(super) fn new(spec: CameraSpec, config: CameraPatrolConfig) -> Self {
        let watchdog = spec.config.source.watchdog;
        Self {
            still: StillWatch::new(watchdog.freeze_seconds, watchdog.freeze_tolerance),
            worker: Worker::new(spec),
            config,
            assembled: None,
            past: PastPictures::of_visits(),
            run: RunId::live(),
            sequence: 0,
            frozen: false,
            detail: String::new(),
        }
    }

    pub(super) fn config(&self) -> &CameraPatrolConfig {
        &self.config
    }

    /// Goes on with what others left open, from the next look on.
    pub(super) fn adopt(&mut self, left_open: Vec<IncidentEvent>) {
        self.worker.to_adopt.extend(left_open);
    }

    /// Leaves what is open to whoever watches the camera next.
    pub(super) fn leave(&mut self) {
        self.assembled = None;
        self.worker.leave();
    }

    /// Connects, takes its looks and disconnects. `looked` is called at each look. `detail`: what the camera's status says
    /// of the patrol.
    pub(super) fn visit(
        &mut self,
        detail: &str,
        stop: &AtomicBool,
        turnstile: &Turnstile,
        looked: &mut dyn FnMut(),
    ) -> Visit {
        let clock = self.worker.spec.clock.clone();
        let (begun, cpu_before) = (clock.monotonic(), thread_cpu_time());
        let (mut looks, mut stream_cpu) = (0, Duration::ZERO);
        if self.worker.has_lost_its_lease() {
            self.leave();
            return Visit { looks, cost: VisitCost { cpu: 0.0, wall: 0.0 } };
        }
        let attempt = catch_unwind(AssertUnwindSafe(|| {
            self.take_looks(stop, turnstile, &mut looks, &mut stream_cpu, looked)
        }));
        match attempt {
            // What the looks were good for is known; that a later one did not come is no trouble.
            Ok(_) if looks > 0 => self.tell_well(detail),
            // It was told to stop.
            Ok(None) => {}
            Ok(Some(Trouble { event, detail })) => self.tell_trouble(event, detail),
            Err(panic) => {
                let why = message_of(panic.as_ref());
                let camera = &self.worker.spec.id;
                telemetry::camera_crashed(camera);
                error!(%camera, why, "a visit panicked; the camera begins anew");
                // Nobody can follow what the pipeline knew.
                self.worker.end_open(EndReason::Interrupted);
                self.forget();
                self.tell_trouble(HealthEvent::Crashed, why);
            }
        }
        let own = thread_cpu_time().zip(cpu_before).map(|(now, before)| now.saturating_sub(before));
        let cost = VisitCost {
            cpu: (own.unwrap_or_default() + stream_cpu).as_secs_f64(),
            wall: clock.monotonic().saturating_sub(begun).as_secs_f64(),
        };
        Visit { looks, cost }
    }

    /// Takes the looks of a visit; what went wrong, if anything did.
    fn take_looks(
        &mut self,
        stop: &AtomicBool,
        turnstile: &Turnstile,
        looks: &mut u32,
        cpu: &mut Duration,
        looked: &mut dyn FnMut(),
    ) -> Option<Trouble> {
        let unusable = |detail| Some(Trouble { event: HealthEvent::Failed, detail });
        if self.worker.scale.was_set(&*self.worker.spec.clock) {
            // What the pipeline remembers is of other times.
            self.worker.begin_anew();
            self.forget();
        }
        if self.assembled.is_none() {
            match (self.worker.spec.build)() {
                Ok(Assembled { watch, model_time }) => self.assembled = Some((watch, model_time)),
                Err(error) => return unusable(error.to_string()),
            }
        }
        let CameraSpec { id, config, clock, .. } = &self.worker.spec;
        let clock = clock.clone();
        let mut stream = match CameraStream::visit(id.clone(), &config.source, clock.clone()) {
            Ok(stream) => stream,
            Err(error) => return unusable(error.to_string()),
        };
        let used = stream.cpu_time();
        let patience = Duration::from_secs_f64(self.config.patience_seconds.as_f64());
        let mut given_up = clock.monotonic() + patience;
        let (mut troubles, mut unlooked, mut latest) = (0, 0, None);
        let trouble = loop {
            let decided =
                *looks > 0 && self.assembled.as_ref().is_some_and(|(watch, _)| !watch.is_undecided());
            if decided || *looks >= self.config.looks || self.is_over(stop) {
                break None;
            }
            if unlooked >= MOST_UNLOOKED {
                break unusable("pictures come, but none could be looked at".to_owned());
            }
            let left = given_up.saturating_sub(clock.monotonic());
            if left.is_zero() || troubles >= MOST_TROUBLES {
                let seconds = patience.as_secs_f64();
                break Some(latest.unwrap_or_else(|| Trouble {
                    event: HealthEvent::Silent,
                    detail: format!("no picture came within {seconds} s"),
                }));
            }
            match stream.next(left.min(PATIENCE)) {
                Some(StreamEvent::Health(health)) if health.state == HealthState::Offline => {
                    troubles += 1;
                    let CameraHealth { event, detail, .. } = health;
                    latest = Some(Trouble { event, detail: detail.unwrap_or_default() });
                }
                None | Some(StreamEvent::Health(_) | StreamEvent::Ended) => {}
                Some(StreamEvent::Frame(frame)) => {
                    let passed = turnstile.pass();
                    if self.is_over(stop) {
                        break None;
                    }
                    let seen = self.look(frame);
                    drop(passed);
                    // Having waited for its place is not the camera's fault.
                    given_up = clock.monotonic() + patience;
                    stream.look_again();
                    match seen {
                        Ok(true) => {
                            *looks += 1;
                            looked();
                        }
                        Ok(false) => unlooked += 1,
                        Err(trouble) => break Some(trouble),
                    }
                }
            }
        };
        stream.stop();
        *cpu = used.total();
        trouble
    }

    /// The next look is the first of a pipeline and a run of its own.
    fn forget(&mut self) {
        (self.assembled, self.run, self.sequence) = (None, RunId::live(), 0);
    }

    /// The visit is to end, or another node may watch by now.
    fn is_over(&self, stop: &AtomicBool) -> bool {
        stop.load(Ordering::Relaxed) || self.worker.has_lost_its_lease()
    }

    /// Looks at a picture; `false` if nobody did.
    fn look(&mut self, frame: Frame) -> Result<bool, Trouble> {
        let Some((watch, model_time)) = &mut self.assembled else { return Ok(false) };
        self.worker.adopt(watch);
        let (id, clock) = (self.worker.spec.id.clone(), self.worker.spec.clock.clone());
        // Each connection has a time scale of its own.
        if self.sequence > 0 && frame.captured_at <= self.worker.latest {
            return Ok(false);
        }
        let mut timer = StageTimer::new(clock.clone(), model_time.clone());
        timer.frame_came();
        let frame = Frame { run: self.run, sequence: self.sequence, ..frame };
        let Looked { frame, mut step, .. } = match watch.step(&frame) {
            Ok(looked) => looked,
            Err(DetectError::Stopped) => {
                let detail = "the inference engine has stopped".to_owned();
                return Err(Trouble { event: HealthEvent::Failed, detail });
            }
            Err(error) => {
                debug!(camera = %id, %error, "a picture of a visit was not analysed");
                telemetry::frame_dropped(&id, "failed");
                return Ok(false);
            }
        };
        timer.step_done();
        self.sequence += 1;
        self.worker.latest = frame.captured_at;
        if step.shed {
            telemetry::frame_dropped(&id, "model");
            return Ok(false);
        }
        // What is generated may repeat; a camera's picture does not.
        let can_freeze = self.worker.spec.config.source.test.is_none();
        self.frozen = can_freeze && self.still.observe(frame.picture.y(), clock.monotonic());
        self.worker.seen.size = Some((frame.picture.width() as u32, frame.picture.height() as u32));
        let events = std::mem::take(&mut step.events);
        let scene = Scene { frame: &frame, past: &self.past, baseline: watch.baseline(None), stream: None };
        self.worker.hand_over(events, Some(&scene));
        if self.worker.spec.recorder.is_some() {
            self.past.offer(&frame);
        }
        let overlay = Overlay::new(&frame, &step, true);
        self.worker.spec.live.show(LiveFrame::new(frame, overlay));
        telemetry::frame_analysed(&id, timer.finish());
        Ok(true)
    }

    /// The camera answers. Told once it changes, and not at each visit.
    fn tell_well(&mut self, detail: &str) {
        let before = self.worker.health.as_ref().map(|health| health.state);
        let state = if self.frozen { HealthState::Frozen } else { HealthState::Streaming };
        let event = match (before, state) {
            (Some(before), now) if before == now => {
                if self.detail != detail {
                    self.tell_detail(detail);
                }
                return;
            }
            (_, HealthState::Frozen) => HealthEvent::Froze,
            (Some(HealthState::Frozen), _) => HealthEvent::Thawed,
            _ => HealthEvent::Connected,
        };
        self.worker.seen.fps = Some(self.config.looks as f32 / self.config.every_seconds.as_f64() as f32);
        detail.clone_into(&mut self.detail);
        self.tell(state, event, Some(detail.to_owned()));
    }

    fn tell_trouble(&mut self, event: HealthEvent, detail: String) {
        let is_known = self.worker.health.as_ref().is_some_and(|health| health.state == HealthState::Offline);
        if !is_known || event == HealthEvent::Crashed {
            self.tell(HealthState::Offline, event, Some(detail));
        }
    }

    fn tell(&mut self, state: HealthState, event: HealthEvent, detail: Option<String>) {
        let camera = self.worker.spec.id.clone();
        telemetry::camera_state(&camera, state, event, detail.as_deref());
        let (at, run) = (self.worker.spec.clock.now(), (state != HealthState::Offline).then_some(self.run));
        self.worker.report(CameraHealth { camera, state, event, at, run, reconnects: 0, detail });
    }

    /// Only the retained status says that the patrol is another: nothing happened to the camera.
    fn tell_detail(&mut self, detail: &str) {
        detail.clone_into(&mut self.detail);
        if let Some(health) = &mut self.worker.health {
            health.detail = Some(detail.to_owned());
            let health = health.clone();
            self.worker.spec.live.set_health(&health);
            self.worker.spec.uplink.show(&self.worker.status_of(&health));
        }
    }

    /// Ends what is open.
    pub(super) fn finish(mut self, reason: EndReason) {
        if let Some((mut watch, _)) = self.assembled.take() {
            let events = watch.end_all(reason, self.worker.latest);
            self.worker.hand_over(events, None);
        }
        self.worker.end_open(reason);
    }
}
