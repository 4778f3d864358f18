//! Tells the camera's state, once for each change, to the queue, the log and the metrics.

use std::sync::{Arc, Mutex};

use parapet_core::{CameraHealth, CameraId, HealthEvent, HealthState, RunId, Timestamp};
use tracing::{debug, info, warn};

use crate::queue::{FrameQueue, StreamEvent};

/// What is told about one camera.
#[derive(Debug)]
pub(crate) struct HealthDesk {
    camera: CameraId,
    queue: Arc<FrameQueue>,
    /// Only the queue is told.
    quiet: bool,
    told: Mutex<Told>,
}

#[derive(Debug, Default)]
struct Told {
    last: Option<(HealthState, HealthEvent, Option<String>)>,
    reconnects: u64,
}

impl HealthDesk {
    pub(crate) fn new(camera: CameraId, queue: Arc<FrameQueue>) -> Self {
        Self { camera, queue, quiet: false, told: Mutex::default() }
    }

    /// One for a stream that is opened and closed all the time: whoever does so says how the camera is.
    pub(crate) fn quiet(camera: CameraId, queue: Arc<FrameQueue>) -> Self {
        Self { quiet: true, ..Self::new(camera, queue) }
    }

    /// Another attempt to connect begins.
    pub(crate) fn count_reconnect(&self) {
        self.told.lock().expect("no panic while held").reconnects += 1;
        if self.quiet {
            return;
        }
        metrics::counter!("parapet_reconnects_total", "camera" => self.camera.to_string()).increment(1);
    }

    pub(crate) fn tell(
        &self,
        state: HealthState,
        event: HealthEvent,
        at: Timestamp,
        run: Option<RunId>,
        detail: Option<String>,
    ) {
        let mut told = self.told.lock().expect("no panic while held");
        // A camera that is off all night fails every two seconds: the first time is news.
        let news = (state, event, detail.clone());
        if event != HealthEvent::Connected && told.last.as_ref() == Some(&news) {
            return;
        }
        told.last = Some(news);
        let (camera, reconnects) = (self.camera.clone(), told.reconnects);
        if self.quiet {
            debug!(%camera, ?state, ?event, detail = detail.as_deref(), "on a visit");
        } else if state == HealthState::Streaming {
            info!(%camera, ?event, reconnects, "camera streams");
        } else {
            let detail = detail.as_deref().unwrap_or_default();
            warn!(%camera, ?state, ?event, reconnects, detail, "camera is in trouble");
        }
        if !self.quiet {
            let streams = if state == HealthState::Streaming { 1.0 } else { 0.0 };
            metrics::gauge!("parapet_camera_streaming", "camera" => camera.to_string()).set(streams);
        }
        self.queue.announce(StreamEvent::Health(CameraHealth {
            camera,
            state,
            event,
            at,
            run,
            reconnects,
            detail,
        }));
    }
}
