//! A camera's thread with a detector that panics.

use std::{path::Path, sync::atomic::AtomicU32};

use parapet_analytics::{Pipeline as View, PipelineConfig};
use parapet_bus::{BusConfig, EmbeddedConfig, wire};
use parapet_core::{Detection, Detector, SystemClock};
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
        leases: None,
        clock: Arc::new(SystemClock::new()),
    };
    let thread = CameraThread::start(spec).unwrap();
    for _ in 0..5 {
        timeout(Duration::from_secs(20), frames.recv()).await.expect("frames come").unwrap();
    }
    assert!(thread.is_started());
    tokio::task::spawn_blocking(move || {
        thread.tell(Order::Stop(EndReason::Interrupted));
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
