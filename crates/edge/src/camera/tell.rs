//! What a camera tells of itself: its incidents, with what proves them, and its health.

use std::time::Duration;

use parapet_bus::wire;
use parapet_core::{
    CameraHealth, EndReason, Frame, HealthEvent, HealthState, IncidentEvent, IncidentKind, Phase, PresetId,
};
use tracing::info;

use super::{Scene, Worker};
use crate::{
    evidence::{ClipSource, Suspicion},
    telemetry,
    uplink::interrupted,
    watch::WatchNote,
};

/// Analysed frames a second are counted over this time.
const FPS_OVER: Duration = Duration::from_secs(10);

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
    /// Sends events on their way, and has what has just started proved.
    pub(crate) fn hand_over(&mut self, events: Vec<IncidentEvent>, scene: Option<&Scene<'_>>) {
        if events.is_empty() {
            return;
        }
        for event in &events {
            match event.phase {
                Phase::Started => {
                    telemetry::incident_started(&event.camera, event.kind);
                    info!(
                        camera = %event.camera, preset = event.preset.as_ref().map(PresetId::as_str),
                        kind = event.kind.as_str(), rule = %event.rule, incident = %event.incident_id,
                        "incident started"
                    );
                    self.open.insert(event.incident_id, event.clone());
                    if let (Some(scene), Some(recorder)) = (scene, &self.spec.recorder) {
                        recorder.started(self.suspicion(event, scene));
                    }
                }
                Phase::Updated => {
                    self.open.insert(event.incident_id, event.clone());
                }
                Phase::Ended => {
                    info!(
                        camera = %event.camera, kind = event.kind.as_str(), incident = %event.incident_id,
                        reason = ?event.end_reason, "incident ended"
                    );
                    self.open.remove(&event.incident_id);
                    if let Some(recorder) = &self.spec.recorder {
                        recorder.ended(event.incident_id);
                    }
                }
            }
        }
        telemetry::incidents_open(&self.spec.id, self.open.len());
        self.spec.uplink.send(events.into_iter().map(|event| self.incident_message(event)).collect());
    }

    pub(crate) fn suspicion(&self, event: &IncidentEvent, scene: &Scene<'_>) -> Suspicion {
        let view = self.spec.config.view(event.preset.as_ref());
        let zone = event.zone.as_ref().and_then(|zone| view?.zones.get(zone));
        let wanted = event.since - Duration::from_secs_f64(self.spec.before_seconds.max(0.0));
        let clip = scene.stream.map(|stream| {
            let preroll = stream.preroll();
            let clip: ClipSource = Box::new(move |from, to, path| {
                preroll.write_clip(from, to, path).map(drop).map_err(|error| error.to_string())
            });
            clip
        });
        let of_roof = event.kind == IncidentKind::RooftopStructure;
        Suspicion {
            event: event.clone(),
            frame: scene.frame.clone(),
            zone: zone.map(|zone| zone.polygon.points().to_vec()),
            before: scene.past.at(wanted).cloned(),
            baseline: scene.baseline.clone().filter(|_| of_roof),
            clip,
        }
    }

    pub(crate) fn incident_message(&self, event: IncidentEvent) -> wire::Message {
        let (site, node) = (self.spec.site.clone(), self.spec.node.clone());
        wire::Message::Incident(wire::Incident { site, node, event })
    }

    /// As [`end_open`](Self::end_open), and what waits to be gone on with too.
    pub(crate) fn end_all_open(&mut self, reason: EndReason) {
        for event in std::mem::take(&mut self.to_adopt) {
            self.open.entry(event.incident_id).or_insert(event);
        }
        self.end_open(reason);
    }

    /// Ends what is still known as open: after a crash, or when the camera is stopped while it is not watched.
    pub(crate) fn end_open(&mut self, reason: EndReason) {
        let open = std::mem::take(&mut self.open);
        let ended: Vec<wire::Message> = open
            .into_values()
            .map(|last| {
                if let Some(recorder) = &self.spec.recorder {
                    recorder.ended(last.incident_id);
                }
                self.incident_message(interrupted(&last, self.latest, reason))
            })
            .collect();
        telemetry::incidents_open(&self.spec.id, 0);
        self.spec.uplink.send(ended);
    }

    pub(crate) fn report_own(&mut self, state: HealthState, event: HealthEvent, detail: Option<String>) {
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
    pub(crate) fn report_note(&mut self, note: WatchNote) {
        let WatchNote { event, detail } = note;
        if let Some(health) = self.health.clone() {
            self.report(CameraHealth { event, detail, at: self.spec.clock.now(), ..health });
        }
    }

    pub(crate) fn report(&mut self, health: CameraHealth) {
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
    pub(crate) fn status_of(&self, health: &CameraHealth) -> wire::Message {
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
