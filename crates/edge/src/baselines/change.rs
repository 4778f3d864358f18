//! Change detection that compares with what is approved for the present light, and keeps the view as it is seen, for a
//! person to propose. Reads and writes files beside the pure detector that it wraps.

use std::sync::{Arc, Mutex, PoisonError};

use parapet_change::ViewChange;
use parapet_core::{
    BBox, CameraId, ChangeDetector, Frame, Picture, SceneChange, Timestamp, time::seconds_between,
};
use tracing::warn;

use super::{BaselineError, Shelf};

/// Time between two looks at what is approved.
const LOOK_SECONDS: f64 = 60.0;
/// Time between two pictures of the view that are kept.
const KEEP_SECONDS: f64 = 300.0;

/// The picture that a view is compared with at present, for evidence.
#[derive(Clone, Default)]
pub(crate) struct BaselineInUse(Arc<Mutex<Option<Arc<Picture>>>>);

impl BaselineInUse {
    pub(crate) fn get(&self) -> Option<Arc<Picture>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, picture: Option<Arc<Picture>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = picture;
    }
}

/// Follows what is new in a view, with approved baselines by light.
pub(crate) struct ApprovedChange {
    camera: CameraId,
    inner: ViewChange,
    shelf: Shelf,
    /// Those of the pipeline file.
    configured: Vec<Arc<Picture>>,
    in_use: BaselineInUse,
    /// Name of the approved picture that is compared with; none: those of the pipeline file.
    approved: Option<String>,
    looked_at: Option<Timestamp>,
    kept_at: Option<Timestamp>,
    /// What went wrong last, so that it is said once.
    trouble: Option<String>,
}

impl ApprovedChange {
    /// Compares with `configured` pictures until one is approved.
    pub(crate) fn new(
        camera: CameraId,
        inner: ViewChange,
        shelf: Shelf,
        configured: Vec<Arc<Picture>>,
        in_use: BaselineInUse,
    ) -> Self {
        in_use.set(configured.first().cloned());
        let (looked_at, kept_at) = (None, None);
        Self { camera, inner, shelf, configured, in_use, approved: None, looked_at, kept_at, trouble: None }
    }

    fn take_approved(&mut self, at: Timestamp) -> Result<(), BaselineError> {
        let nearest = self.shelf.nearest(at)?;
        let id = nearest.as_ref().map(|baseline| baseline.id.clone());
        if self.approved == id {
            return Ok(());
        }
        let pictures = match &nearest {
            Some(baseline) => vec![Arc::new(self.shelf.picture(baseline)?)],
            None => self.configured.clone(),
        };
        self.in_use.set(pictures.first().cloned());
        self.inner.set_baselines(pictures);
        self.approved = id;
        Ok(())
    }

    fn said(&mut self, done: Result<(), BaselineError>) {
        let trouble = done.err().map(|error| crate::node::chain(&error));
        if let Some(why) = trouble.as_ref().filter(|_| trouble != self.trouble) {
            warn!(camera = %self.camera, why, "approved baselines cannot be used as they should");
        }
        self.trouble = trouble;
    }
}

impl ChangeDetector for ApprovedChange {
    fn update(&mut self, frame: &Frame, occupied: &[BBox]) -> SceneChange {
        let at = frame.captured_at;
        let due =
            |last: Option<Timestamp>, pause: f64| last.is_none_or(|last| seconds_between(last, at) >= pause);
        if due(self.looked_at, LOOK_SECONDS) {
            self.looked_at = Some(at);
            let mut done = self.take_approved(at);
            if due(self.kept_at, KEEP_SECONDS) {
                self.kept_at = Some(at);
                done = done.and(self.shelf.keep_latest(&frame.picture, at));
            }
            self.said(done);
        }
        self.inner.update(frame, occupied)
    }

    fn begin_run(&mut self) {
        self.inner.begin_run();
    }

    fn is_undecided(&self) -> bool {
        self.inner.is_undecided()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use parapet_change::{BaselineConfig, ChangeConfig};
    use parapet_core::{Polygon, RunId, change::BaselineState};

    use super::*;
    use crate::baselines::Actor;

    fn roof(level: u8) -> Picture {
        let rgb: Vec<u8> = (0..160 * 90u32)
            .flat_map(|i| [level + ((i % 160 / 7 * 7919) ^ (i / 160 / 5 * 104_729)) as u8 % 80; 3])
            .collect();
        Picture::from_rgb(160, 90, &rgb).unwrap()
    }

    #[test]
    fn what_is_approved_while_the_node_runs_is_compared_with_and_what_is_rejected_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let camera: CameraId = "roofs".parse().unwrap();
        let shelf = Shelf::of(dir.path(), &camera, None, "UTC".parse().unwrap());
        let config = ChangeConfig {
            background: None,
            baseline: Some(BaselineConfig { interval_seconds: 1.0, ..BaselineConfig::default() }),
        };
        let whole = Polygon::from_bbox(BBox::new(0.0, 0.0, 1.0, 1.0).unwrap()).unwrap();
        let inner = ViewChange::new(&config, &[], &[whole], Vec::new());
        let in_use = BaselineInUse::default();
        let mut change =
            ApprovedChange::new(camera.clone(), inner, shelf.clone(), Vec::new(), in_use.clone());
        let start: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let mut state_at = |seconds: u64| {
            let frame = Frame {
                camera: camera.clone(),
                preset: None,
                run: RunId::derive(&["r"]),
                sequence: seconds,
                captured_at: start + Duration::from_secs(seconds),
                picture: Arc::new(roof(60)),
            };
            change.update(&frame, &[]).baseline
        };
        let actor = Actor { by: "li", reason: "", at: start };
        assert_eq!((state_at(0), in_use.get().is_some()), (BaselineState::Absent, false));
        let id = shelf.propose(actor, None).unwrap();
        assert_eq!(state_at(60), BaselineState::Absent);
        shelf.approve(&id, actor).unwrap();
        assert_eq!((state_at(120), in_use.get().is_some()), (BaselineState::Compared, true));
        shelf.reject(&id, actor).unwrap();
        assert_eq!((state_at(180), in_use.get().is_some()), (BaselineState::Absent, false));
    }
}
