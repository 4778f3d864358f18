//! What happens to each decoded frame of a camera on GStreamer's thread: time, number, stillness, queue.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use gstreamer as gst;
use metrics::Counter;
use parapet_core::{CameraId, Clock, Frame, HealthEvent, HealthState, RunId, Timestamp};

use crate::{
    clock::TimeBase,
    health::HealthDesk,
    pixels,
    queue::{FrameQueue, Offer},
    still::StillWatch,
};

/// When something last came, on the scale of [`Clock::monotonic`].
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// Microseconds plus one; 0: never.
    heard: AtomicU64,
    frame: AtomicU64,
}

impl Progress {
    pub(crate) fn heard(&self, now: Duration) {
        self.heard.store(now.as_micros() as u64 + 1, Ordering::Relaxed);
    }
    pub(crate) fn last_heard(&self) -> Option<Duration> {
        self.heard.load(Ordering::Relaxed).checked_sub(1).map(Duration::from_micros)
    }
    fn decoded(&self, now: Duration) {
        self.frame.store(now.as_micros() as u64 + 1, Ordering::Relaxed);
    }
    pub(crate) fn last_frame(&self) -> Option<Duration> {
        self.frame.load(Ordering::Relaxed).checked_sub(1).map(Duration::from_micros)
    }
}

/// What the passes of one run share.
#[derive(Debug)]
pub(crate) struct RunState {
    pub(crate) run: RunId,
    pub(crate) sequence: AtomicU64,
    pub(crate) told_connected: AtomicBool,
}

impl RunState {
    pub(crate) fn new(run: RunId) -> Self {
        Self { run, sequence: AtomicU64::new(0), told_connected: AtomicBool::new(false) }
    }
}

/// The way of a frame from a sample into the queue.
pub(crate) struct Intake {
    pub(crate) camera: CameraId,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) queue: Arc<FrameQueue>,
    pub(crate) desk: Arc<HealthDesk>,
    pub(crate) run: Arc<RunState>,
    pub(crate) time: Arc<TimeBase>,
    pub(crate) progress: Arc<Progress>,
    /// For sources that can freeze; lives as long as the camera.
    pub(crate) still: Option<Arc<Mutex<StillWatch>>>,
    /// Called when the picture has stood still for too long in this run.
    pub(crate) froze: Box<dyn Fn() + Send + Sync>,
    pub(crate) freeze_limit: Duration,
    pub(crate) counters: Counters,
}

/// Metrics of a camera.
#[derive(Clone)]
pub(crate) struct Counters {
    taken: Counter,
    dropped: Counter,
    pub(crate) overrun: Counter,
    pub(crate) received_bytes: Counter,
}

impl Counters {
    pub(crate) fn of(camera: &CameraId) -> Self {
        let camera = camera.to_string();
        Self {
            taken: metrics::counter!("parapet_frames_total", "camera" => camera.clone()),
            dropped: metrics::counter!("parapet_frames_dropped_total", "camera" => camera.clone(), "stage" => "analysis"),
            overrun: metrics::counter!("parapet_frames_dropped_total", "camera" => camera.clone(), "stage" => "decode"),
            received_bytes: metrics::counter!("parapet_received_bytes_total", "camera" => camera),
        }
    }
}

impl Intake {
    /// A function that takes the samples of one connection; it says false once nobody wants frames any more.
    pub(crate) fn into_sink(self) -> impl FnMut(&gst::Sample, Option<gst::ClockTime>) -> bool + Send {
        let mut life = Life { first: None, last_at: None, frozen: false, told_froze: false };
        move |sample, running| self.accept(sample, running, &mut life)
    }

    fn accept(&self, sample: &gst::Sample, running: Option<gst::ClockTime>, life: &mut Life) -> bool {
        let now = self.clock.monotonic();
        self.progress.decoded(now);
        let (Some((at, _)), Some(picture)) = (self.time.of(sample, running), pixels::picture_of(sample))
        else {
            self.counters.dropped.increment(1);
            return true;
        };
        // Analysis counts on time going on; broken containers repeat times.
        if life.last_at.is_some_and(|last| at <= last) {
            self.counters.dropped.increment(1);
            return true;
        }
        life.last_at = Some(at);
        let still = self
            .still
            .as_ref()
            .is_some_and(|watch| watch.lock().expect("no panic while held").observe(picture.y(), now));
        self.tell(still, at, now, life);
        let frame = Frame {
            camera: self.camera.clone(),
            preset: None,
            run: self.run.run,
            sequence: self.run.sequence.fetch_add(1, Ordering::Relaxed),
            captured_at: at,
            picture: Arc::new(picture),
        };
        match self.queue.offer(frame) {
            Offer::Taken => self.counters.taken.increment(1),
            Offer::Replaced => {
                self.counters.taken.increment(1);
                self.counters.dropped.increment(1);
            }
            Offer::Closed => return false,
        }
        true
    }

    fn tell(&self, still: bool, at: Timestamp, now: Duration, life: &mut Life) {
        let state = if still { HealthState::Frozen } else { HealthState::Streaming };
        let first = *life.first.get_or_insert(now);
        if !self.run.told_connected.swap(true, Ordering::Relaxed) {
            // A camera that comes back with the picture on which it froze is still frozen.
            self.desk.tell(state, HealthEvent::Connected, at, Some(self.run.run), None);
        } else if still && !life.frozen {
            self.desk.tell(state, HealthEvent::Froze, at, Some(self.run.run), None);
        } else if !still && life.frozen {
            self.desk.tell(state, HealthEvent::Thawed, at, Some(self.run.run), None);
        }
        life.frozen = still;
        if still && !life.told_froze && now.saturating_sub(first) >= self.freeze_limit {
            life.told_froze = true;
            (self.froze)();
        }
    }
}

/// What an intake remembers of its connection.
struct Life {
    first: Option<Duration>,
    last_at: Option<Timestamp>,
    frozen: bool,
    told_froze: bool,
}
