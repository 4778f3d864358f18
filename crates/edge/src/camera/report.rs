//! What a camera's thread tells of its camera: health, and the retained status.

use std::time::Duration;

use parapet_bus::wire;
use parapet_core::{CameraHealth, Frame, HealthEvent, HealthState};

use super::Worker;
use crate::watch::WatchNote;

/// Analysed frames a second are counted over this time.
const FPS_OVER: Duration = Duration::from_secs(10);

/// What the retained status says of the frames.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen {
    size: Option<(u32, u32)>,
    frames: u32,
    counted_since: Duration,
    fps: Option<f32>,
}

impl Seen {
    /// Counts a frame; `true` when there is something new to say.
    pub(super) fn count(&mut self, frame: &Frame, now: Duration) -> bool {
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

impl Worker {
    /// Tells of something that is not the source's.
    pub(super) fn report_own(&mut self, state: HealthState, event: HealthEvent, detail: Option<String>) {
        let reconnects = self.health.as_ref().map_or(0, |health| health.reconnects);
        let camera = self.spec.id.clone();
        self.report(CameraHealth {
            camera,
            state,
            event,
            at: self.spec.clock.now(),
            run: None,
            reconnects,
            detail,
        });
    }

    /// Something about a camera whose stream is as it was.
    pub(super) fn report_note(&mut self, note: WatchNote) {
        let WatchNote { event, detail } = note;
        if let Some(health) = self.health.clone() {
            self.report(CameraHealth { event, detail, at: self.spec.clock.now(), ..health });
        }
    }

    /// Tells how the camera is.
    pub(super) fn report(&mut self, health: CameraHealth) {
        self.spec.live.set_health(&health);
        if health.state != HealthState::Streaming {
            self.seen = Seen { size: self.seen.size, ..Seen::default() };
        }
        self.spec.uplink.show(&self.status_of(&health));
        let (site, node) = (self.spec.site.clone(), self.spec.node.clone());
        self.spec.uplink.send(vec![wire::Message::Health(wire::Health {
            site,
            node,
            health: health.clone(),
        })]);
        self.health = Some(health);
    }

    /// The camera's retained status.
    pub(super) fn status_of(&self, health: &CameraHealth) -> wire::Message {
        let spec = &self.spec;
        wire::Message::CameraStatus(wire::CameraStatus {
            site: spec.site.clone(),
            node: spec.node.clone(),
            camera: spec.id.clone(),
            name: spec.config.name.clone(),
            state: health.state,
            at: health.at,
            run: health.run,
            reconnects: health.reconnects,
            detail: health.detail.clone(),
            analysed_fps: self.seen.fps,
            width: self.seen.size.map(|size| size.0),
            height: self.seen.size.map(|size| size.1),
            synthetic: spec.config.synthetic,
            removed: false,
            private: spec.config.private_areas(),
        })
    }
}
