//! A camera's thread with a detector that panics, and with a clock that is set.

use std::{
    path::Path,
    sync::atomic::{AtomicI64, AtomicU32},
};

use parapet_analytics::{Pipeline as View, PipelineConfig};
use parapet_bus::{BusConfig, EmbeddedConfig, wire};
use parapet_core::{BBox, Detection, Detector, SystemClock};
use parapet_ingest::{SourceConfig, TestConfig};
use tokio::{sync::mpsc, time::timeout};

use super::*;
use crate::{assembly::ModelTime, baselines::BaselineInUse, uplink::Uplink, watch::WatchedView};

/// Panics at the third frame of its life, but only in the first life.
struct Fragile(Arc<AtomicU32>, mpsc::UnboundedSender<u64>);

impl Detector for Fragile {
    fn detect(&mut self, frame: &Frame) -> Result<Vec<Detection>, DetectError> {
        assert!(self.0.fetch_add(1, Ordering::Relaxed) != 2, "third frame");
        let _ = self.1.send(frame.sequence);
        Ok(Vec::new())
    }

    fn detect_in(&mut self, frame: &Frame, _: BBox) -> Result<Vec<Detection>, DetectError> {
        self.detect(frame)
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

/// A camera of generated pictures, each looked at by a detector of its own for each life of its pipeline.
fn camera(
    source: SourceConfig,
    detector: impl Fn() -> Box<dyn Detector> + Send + Sync + 'static,
    uplink: &Uplink,
    clock: Arc<dyn Clock>,
) -> CameraSpec {
    let test =
        TestConfig { pattern: "ball".into(), width: 64, height: 48, frames_per_second: 25, frames: None };
    let id: CameraId = "ball".parse().unwrap();
    let build: Build = Arc::new({
        let id = id.clone();
        move || {
            let pipeline = View::new(PipelineConfig::new(id.clone()), detector(), None);
            let watch = Watch::fixed(WatchedView { pipeline, baseline: BaselineInUse::default() });
            Ok(Assembled { watch, model_time: ModelTime::default() })
        }
    });
    let config: CameraConfig = serde_json::from_str(r#"{"source": {"test": {}}}"#).unwrap();
    CameraSpec {
        id,
        node: "n".parse().unwrap(),
        site: "s".parse().unwrap(),
        config: CameraConfig {
            source: SourceConfig { test: Some(test), analysed_fps: 25.0, ..source },
            ..config
        },
        build,
        uplink: uplink.handle(),
        recorder: None,
        before_seconds: 3.0,
        recordings: PathBuf::new(),
        live: LiveCameras::default(),
        leases: None,
        clock,
    }
}

async fn stop(thread: CameraThread) {
    tokio::task::spawn_blocking(move || {
        thread.tell(Order::Stop(EndReason::Interrupted));
        thread.join();
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_told_and_the_camera_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let uplink = uplink(dir.path()).await;
    let calls = Arc::new(AtomicU32::new(0));
    let (seen, mut frames) = mpsc::unbounded_channel();
    let detector = move || -> Box<dyn Detector> { Box::new(Fragile(calls.clone(), seen.clone())) };
    let spec = camera(SourceConfig::empty(), detector, &uplink, Arc::new(SystemClock::new()));
    let thread = CameraThread::start(spec).unwrap();
    for _ in 0..5 {
        timeout(Duration::from_secs(20), frames.recv()).await.expect("frames come").unwrap();
    }
    assert!(thread.is_started());
    stop(thread).await;
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

/// The machine's clock, which is off by some seconds.
#[derive(Debug)]
struct Settable(SystemClock, AtomicI64);

impl Clock for Settable {
    fn now(&self) -> Timestamp {
        self.0.now() + jiff::SignedDuration::from_secs(self.1.load(Ordering::Relaxed))
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }
}

/// Tells when each frame was captured, and in which life of the pipeline it looks.
struct Diary(u32, mpsc::UnboundedSender<(u32, Timestamp)>);

impl Detector for Diary {
    fn detect(&mut self, frame: &Frame) -> Result<Vec<Detection>, DetectError> {
        let _ = self.1.send((self.0, frame.captured_at));
        Ok(Vec::new())
    }

    fn detect_in(&mut self, frame: &Frame, _: BBox) -> Result<Vec<Detection>, DetectError> {
        self.detect(frame)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_begins_a_pipeline_that_remembers_no_other_times() {
    let dir = tempfile::tempdir().unwrap();
    let uplink = uplink(dir.path()).await;
    let clock = Arc::new(Settable(SystemClock::new(), AtomicI64::new(0)));
    let started_at = clock.now();
    let (seen, mut frames) = mpsc::unbounded_channel();
    let lives = AtomicU32::new(0);
    let detector =
        move || -> Box<dyn Detector> { Box::new(Diary(lives.fetch_add(1, Ordering::Relaxed), seen.clone())) };
    let mut source = SourceConfig::empty();
    source.watchdog.silent_seconds = 1.0;
    source.backoff.initial_seconds = 0.1;
    let thread = CameraThread::start(camera(source, detector, &uplink, clock.clone())).unwrap();
    timeout(Duration::from_secs(20), frames.recv()).await.expect("frames come").unwrap();
    clock.1.store(-3600, Ordering::Relaxed);
    let mut latest = started_at;
    let anew = async {
        loop {
            let (life, at) = frames.recv().await.unwrap();
            assert!(life == 0 || at < started_at, "the new pipeline sees new times alone");
            assert!(life > 0 || at >= latest, "and the old one old times alone");
            latest = at;
            if life > 0 {
                return life;
            }
        }
    };
    assert_eq!(timeout(Duration::from_secs(20), anew).await.expect("frames come again"), 1);
    stop(thread).await;
    uplink.stop().await;
}
