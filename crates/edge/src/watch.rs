//! What looks at the frames of one camera: one pipeline for a fixed view, or a dome's with one for each preset. Live nodes
//! and offline analysis drive this one.

use std::{sync::Arc, time::Duration};

use parapet_analytics::{OpenIncident, Pipeline as View, Step};
use parapet_core::{DetectError, EndReason, Frame, HealthEvent, IncidentEvent, Picture, PresetId, Timestamp};
use parapet_ingest::DecodeMode;

use crate::{baselines::BaselineInUse, dome::Dome};

/// Times of containers are rounded.
const ROUNDING: Duration = Duration::from_millis(20);

/// One view with what it is compared with.
pub(crate) struct WatchedView {
    pub(crate) pipeline: View,
    pub(crate) baseline: BaselineInUse,
}

/// Looks at a camera's frames.
pub struct Watch(Kind);

enum Kind {
    Fixed(Box<WatchedView>),
    Dome(Box<Dome>),
}

/// What came of one frame of a camera.
#[derive(Debug)]
pub struct Looked {
    /// The frame as it was analysed: with its preset, and as the preset's reference would see it. As it came where it
    /// was not analysed.
    pub frame: Frame,
    /// What came of it; nothing where it was not analysed.
    pub step: Step,
    /// Whether it was analysed: never while a dome turns or looks elsewhere.
    pub watched: bool,
    /// What somebody should know of the camera.
    pub notes: Vec<WatchNote>,
}

/// Something that somebody should know of a camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchNote {
    /// What kind of thing.
    pub event: HealthEvent,
    /// What, in words; `None` when all is well again.
    pub detail: Option<String>,
}

impl Watch {
    /// A fixed view.
    pub(crate) fn fixed(view: WatchedView) -> Self {
        Self(Kind::Fixed(Box::new(view)))
    }

    /// A dome.
    pub(crate) fn dome(dome: Dome) -> Self {
        Self(Kind::Dome(Box::new(dome)))
    }

    /// Looks at the next frame.
    ///
    /// # Errors
    /// As the pipeline of the view.
    pub fn step(&mut self, frame: &Frame) -> Result<Looked, DetectError> {
        match &mut self.0 {
            Kind::Fixed(view) => {
                let step = view.pipeline.step(frame)?;
                Ok(Looked { frame: frame.clone(), step, watched: true, notes: Vec::new() })
            }
            Kind::Dome(dome) => dome.step(frame),
        }
    }

    /// Whether somebody follows the live picture.
    pub(crate) fn set_followed(&mut self, followed: bool) {
        if let Kind::Fixed(view) = &mut self.0 {
            view.pipeline.set_followed(followed);
        }
    }

    /// What of a stream must be decoded for it after the frame of this time, where keyframes are so far apart. A dome needs
    /// all of it.
    pub(crate) fn enough(&self, at: Timestamp, keyframes_apart: Option<Duration>) -> DecodeMode {
        let Kind::Fixed(view) = &self.0 else { return DecodeMode::Full };
        let looks = view.pipeline.look_seconds(at).map(Duration::from_secs_f64);
        // Everything comes from a keyframe on, and nothing can be asked for before the next picture.
        let ahead = looks.unwrap_or_default() + keyframes_apart.unwrap_or_default();
        if view.pipeline.due_seconds(at).is_some_and(|due| due <= ahead.as_secs_f64()) {
            return DecodeMode::Full;
        }
        match looks.zip(keyframes_apart) {
            Some((apart, keyframes)) if keyframes <= apart + ROUNDING => DecodeMode::KeyframesOnly { apart },
            _ if view.pipeline.is_quiet(at) => DecodeMode::KeyframesWhileQuiet,
            _ => DecodeMode::Full,
        }
    }

    /// Whether another look soon would tell more; of a dome that is not known.
    pub(crate) fn is_undecided(&self) -> bool {
        match &self.0 {
            Kind::Fixed(view) => view.pipeline.is_undecided(),
            Kind::Dome(_) => true,
        }
    }

    /// Ends all open incidents of all views.
    pub fn end_all(&mut self, reason: EndReason, at: Timestamp) -> Vec<IncidentEvent> {
        match &mut self.0 {
            Kind::Fixed(view) => view.pipeline.end_all(reason, at),
            Kind::Dome(dome) => dome.end_all(reason, at),
        }
    }

    /// Takes over incidents that were left open; gives back those of views that the camera does not have.
    pub(crate) fn adopt(&mut self, events: Vec<IncidentEvent>) -> Vec<IncidentEvent> {
        match &mut self.0 {
            Kind::Fixed(view) => {
                let (here, strange): (Vec<_>, _) =
                    events.into_iter().partition(|event| event.preset.is_none());
                view.pipeline.adopt(here);
                strange
            }
            Kind::Dome(dome) => dome.adopt(events),
        }
    }

    /// Incidents that go on, of all views.
    pub fn open_incidents(&self) -> Vec<OpenIncident> {
        match &self.0 {
            Kind::Fixed(view) => view.pipeline.open_incidents(),
            Kind::Dome(dome) => dome.open_incidents(),
        }
    }

    /// The approved picture that a view is compared with at present.
    pub(crate) fn baseline(&self, preset: Option<&PresetId>) -> Option<Arc<Picture>> {
        match &self.0 {
            Kind::Fixed(view) => view.baseline.get(),
            Kind::Dome(dome) => dome.baseline(preset?),
        }
    }
}
