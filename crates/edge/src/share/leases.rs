//! Which cameras this node may watch, and until when by its own monotonic clock. Each camera's thread asks here for itself,
//! so that none goes on because another thread is busy.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use parapet_core::{CameraId, Clock, SiteId};

/// Shared by the task that asks for leases, the fleet and the threads of the cameras.
#[derive(Debug, Clone)]
pub(crate) struct Leases {
    state: Arc<Mutex<State>>,
    clock: Arc<dyn Clock>,
}

#[derive(Debug, Default)]
struct State {
    /// Cameras of the pipeline file that are not switched off, with their sites.
    offered: BTreeMap<CameraId, SiteId>,
    held: BTreeSet<CameraId>,
    until: Duration,
    /// Cameras whose threads have seen that they may not watch, and end.
    left: BTreeSet<CameraId>,
}

impl Leases {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { state: Arc::default(), clock }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The pipeline file names these cameras.
    pub(crate) fn offer(&self, cameras: BTreeMap<CameraId, SiteId>) {
        self.state().offered = cameras;
    }

    /// The cameras that the pipeline file names, with their sites.
    pub(crate) fn offered(&self) -> BTreeMap<CameraId, SiteId> {
        self.state().offered.clone()
    }

    /// The leases of these cameras run until then, by the monotonic clock; all others are gone. Gives those of the
    /// cameras whose threads have seen before that their lease had run out: they must be started again.
    pub(crate) fn set(&self, held: BTreeSet<CameraId>, until: Duration) -> Vec<CameraId> {
        let mut state = self.state();
        (state.held, state.until) = (held, until);
        state.left.intersection(&state.held).cloned().collect()
    }

    /// Whether a camera may be watched now. A thread that hears that it may not ends, even if the lease is renewed at the
    /// same moment.
    pub(crate) fn holds(&self, camera: &CameraId) -> bool {
        let mut state = self.state();
        let holds = !state.left.contains(camera)
            && self.clock.monotonic() < state.until
            && state.held.contains(camera);
        if !holds {
            state.left.insert(camera.clone());
        }
        holds
    }

    /// Whether the camera's thread has heard that it may not watch.
    pub(crate) fn has_left(&self, camera: &CameraId) -> bool {
        self.state().left.contains(camera)
    }

    /// The camera's thread has ended; another may be started.
    pub(crate) fn ended(&self, camera: &CameraId) {
        self.state().left.remove(camera);
    }

    /// Until when what is held may be watched, if anything is held.
    pub(crate) fn until(&self) -> Option<Duration> {
        let state = self.state();
        (!state.held.is_empty()).then_some(state.until)
    }
}

#[cfg(test)]
mod tests {
    use parapet_core::{ManualClock, Timestamp};

    use super::*;

    #[test]
    fn a_camera_may_be_watched_while_its_lease_runs_and_no_longer() {
        let clock = ManualClock::new(Timestamp::UNIX_EPOCH);
        let leases = Leases::new(Arc::new(clock.clone()));
        let (gate, yard): (CameraId, CameraId) = ("gate".parse().unwrap(), "yard".parse().unwrap());
        assert!(leases.until().is_none());
        leases.set(BTreeSet::from([gate.clone()]), Duration::from_secs(10));
        assert!(leases.holds(&gate) && !leases.holds(&yard));
        clock.advance(Duration::from_secs(10));
        assert!(!leases.has_left(&gate), "nobody has asked yet");
        assert!(!leases.holds(&gate), "whatever anybody else does");
        let both = BTreeSet::from([gate.clone(), yard.clone()]);
        leases.ended(&yard);
        assert_eq!(
            leases.set(both, Duration::from_secs(20)),
            std::slice::from_ref(&gate),
            "it ends all the same"
        );
        assert!(!leases.holds(&gate) && leases.holds(&yard));
        leases.ended(&gate);
        assert!(leases.holds(&gate));
    }
}
