//! A live camera that a test watches.

use std::{sync::Arc, time::Duration};

use parapet_core::{CameraHealth, Clock, Frame, HealthEvent, SystemClock};
use parapet_ingest::{CameraStream, SourceConfig, StreamEvent};

const PATIENCE: Duration = Duration::from_secs(30);

/// A camera that is watched, with all that it told.
pub(crate) struct Watched {
    pub(crate) stream: CameraStream,
    pub(crate) clock: SystemClock,
    pub(crate) health: Vec<CameraHealth>,
}

impl Watched {
    pub(crate) fn open(config: &SourceConfig) -> Self {
        Self::open_as("gate", config)
    }

    pub(crate) fn open_as(camera: &str, config: &SourceConfig) -> Self {
        let clock = SystemClock::new();
        let stream = CameraStream::open(camera.parse().unwrap(), config, Arc::new(clock)).unwrap();
        Self { stream, clock, health: Vec::new() }
    }

    /// Reads on until this is found.
    pub(crate) fn until<T>(&mut self, what: &str, mut found: impl FnMut(&StreamEvent) -> Option<T>) -> T {
        let deadline = self.clock.monotonic() + PATIENCE;
        while self.clock.monotonic() < deadline {
            let Some(event) = self.stream.next(deadline.saturating_sub(self.clock.monotonic())) else {
                break;
            };
            if let StreamEvent::Health(health) = &event {
                self.health.push(health.clone());
            }
            if let Some(found) = found(&event) {
                return found;
            }
        }
        panic!("no {what}; health so far: {:#?}", self.health);
    }

    pub(crate) fn health(&mut self, wanted: HealthEvent) -> CameraHealth {
        self.any_health(&[wanted])
    }

    pub(crate) fn any_health(&mut self, wanted: &[HealthEvent]) -> CameraHealth {
        self.until(&format!("{wanted:?}"), |event| match event {
            StreamEvent::Health(health) if wanted.contains(&health.event) => Some(health.clone()),
            _ => None,
        })
    }

    pub(crate) fn frame(&mut self) -> Frame {
        self.until("frame", |event| match event {
            StreamEvent::Frame(frame) => Some(frame.clone()),
            _ => None,
        })
    }

    /// A frame that shows another picture than `old`.
    pub(crate) fn other_frame(&mut self, old: &Frame) -> Frame {
        let old = crate::common::number_of(&old.picture);
        self.until("moving frame", |event| match event {
            StreamEvent::Frame(frame) if crate::common::number_of(&frame.picture) != old => {
                Some(frame.clone())
            }
            _ => None,
        })
    }
}
