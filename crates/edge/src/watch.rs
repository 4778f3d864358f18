//! What looks at the frames of one camera: one pipeline for a fixed view, or a dome's with one for each preset. Live nodes
//! and offline analysis drive this one.

use std::{sync::Arc, time::Duration};

use parapet_analytics::{OpenIncident, Pipeline as View, Step};
use parapet_core::{DetectError, EndReason, Frame, HealthEvent, IncidentEvent, Picture, PresetId, Timestamp};
use parapet_ingest::DecodeMode;

use crate::{baselines::BaselineInUse, dome::Dome};

/// Times of containers are rounded.
const ROUNDING: Duration = Duration::from_millis(20);

/// What a view wants of its stream.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    /// Looks at least so far apart; `None`: every frame.
    looks: Option<Duration>,
    /// Until something is told of, if it is seen then.
    due: Option<Duration>,
    /// Nothing moves.
    quiet: bool,
}

impl Wanted {
    /// What of a stream must be decoded for that, where its keyframes are so far apart.
    fn mode(self, keyframes_apart: Option<Duration>) -> DecodeMode {
        let enough = |(apart, keyframes): &(Duration, Duration)| *keyframes <= *apart + ROUNDING;
        let only = self.looks.zip(keyframes_apart).filter(enough);
        // The next picture may come so late, and from keyframes alone there is no way back before another one.
        let latest = only.map_or(keyframes_apart.unwrap_or_default(), |(apart, keyframes)| apart + keyframes);
        match only {
            _ if self.due.is_some_and(|due| due <= latest) => DecodeMode::Full,
            Some((apart, _)) => DecodeMode::KeyframesOnly { apart },
            None if self.quiet => DecodeMode::KeyframesWhileQuiet,
            None => DecodeMode::Full,
        }
    }
}

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
        let seconds = Duration::try_from_secs_f64;
        Wanted {
            looks: view.pipeline.look_seconds(at).and_then(|apart| seconds(apart).ok()),
            due: view.pipeline.due_seconds(at).and_then(|due| seconds(due).ok()),
            quiet: view.pipeline.is_quiet(at),
        }
        .mode(keyframes_apart)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keyframes_are_enough_until_something_is_told_of_before_the_next_one_that_could_bring_more() {
        let seconds = Duration::from_secs_f64;
        let mode = |looks: f64, keyframes: f64, due: Option<f64>| {
            let wanted = Wanted { looks: Some(seconds(looks)), due: due.map(seconds), quiet: true };
            wanted.mode(Some(seconds(keyframes)))
        };
        let only = DecodeMode::KeyframesOnly { apart: seconds(2.0) };
        assert_eq!(mode(2.0, 1.0, None), only);
        assert_eq!(mode(2.0, 1.0, Some(3.1)), only);
        assert_eq!([3.0, 0.0].map(|due| mode(2.0, 1.0, Some(due))), [DecodeMode::Full; 2]);
        // Seldom keyframes: only while nothing moves, and what was held back comes at once.
        assert_eq!(mode(2.0, 10.0, Some(10.1)), DecodeMode::KeyframesWhileQuiet);
        assert_eq!(mode(2.0, 10.0, Some(9.9)), DecodeMode::Full);
    }

    #[test]
    fn every_frame_is_wanted_where_something_moves_and_nothing_is_known_of_keyframes() {
        let wanted = Wanted { looks: None, due: None, quiet: false };
        assert_eq!(wanted.mode(Some(Duration::from_secs(1))), DecodeMode::Full);
        let wanted = Wanted { looks: Some(Duration::from_secs(2)), due: None, quiet: false };
        assert_eq!(wanted.mode(None), DecodeMode::Full);
        let wanted = Wanted { quiet: true, ..wanted };
        assert_eq!(wanted.mode(None), DecodeMode::KeyframesWhileQuiet);
        let wanted = Wanted { due: Some(Duration::ZERO), ..wanted };
        assert_eq!(wanted.mode(None), DecodeMode::Full);
    }
}
