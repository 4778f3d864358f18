//! The task that asks for this node's share of the cameras, and has the fleet follow the answers. When the store does not
//! answer, cameras stop in time for another node to take them.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use parapet_core::{CameraId, Clock, IncidentEvent, NodeId};
use parapet_store::{LeaseClock, ShareRequest, Shared, Store, StoreError};
use tokio::{
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use uuid::Uuid;

use super::{Leases, ShareConfig, Timing, adopt::Adoption, last_words::LastWords};
use crate::{fleet::Fleet, node::chain, telemetry, uplink::UplinkHandle};

/// Asked so much after the lease of another node ran out, so that it has.
const AFTER_ANOTHER: Duration = Duration::from_millis(20);

/// What the task works with.
pub(crate) struct ShareParts {
    pub(crate) config: ShareConfig,
    /// The store's address.
    pub(crate) address: String,
    pub(crate) node: NodeId,
    pub(crate) fleet: Arc<Mutex<Fleet>>,
    pub(crate) leases: Leases,
    pub(crate) uplink: UplinkHandle,
    pub(crate) clock: Arc<dyn Clock>,
}

/// The running task.
pub(crate) struct Share {
    stop: CancellationToken,
    task: JoinHandle<Leaver>,
}

/// Why cameras may not be watched as they should, for `/readyz` and administrators.
#[derive(Debug, Clone, Default)]
pub(crate) struct ShareTrouble(Arc<Mutex<Option<String>>>);

impl ShareTrouble {
    /// Why, if anything is wrong.
    pub(crate) fn get(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, trouble: Option<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }
}

impl Share {
    /// Begins to ask.
    pub(crate) fn start(parts: ShareParts, trouble: ShareTrouble) -> Self {
        trouble.set(Some(format!("fleet {}: the share of the cameras is not known yet", parts.config.fleet)));
        let stop = CancellationToken::new();
        let timing = parts.config.timing();
        let sharer = Sharer {
            timing,
            parts,
            trouble,
            session: Uuid::new_v4(),
            store: None,
            adoption: Adoption::default(),
            wanted: BTreeSet::new(),
            give_back: BTreeSet::new(),
            left_open: Vec::new(),
            applied: None,
            released: BTreeSet::new(),
            others: None,
        };
        Self { task: tokio::spawn(sharer.run(stop.clone())), stop }
    }

    /// Asks no more, and touches the fleet no more. The leases run on until [`Leaver::leave`].
    pub(crate) async fn stop(self) -> Option<Leaver> {
        self.stop.cancel();
        self.task.await.inspect_err(|error| error!(%error, "the task that shares cameras panicked")).ok()
    }
}

/// Lets the leases go, after the cameras have been stopped.
pub(crate) struct Leaver {
    store: Option<Store>,
    config: ShareConfig,
    node: NodeId,
    uplink: UplinkHandle,
    /// What was watched until now.
    watched: BTreeSet<CameraId>,
    session: Uuid,
    others: Option<usize>,
}

impl Leaver {
    /// Whether no other node will go on with what is left open, as far as this one knows.
    pub(crate) fn is_alone(&self) -> bool {
        self.others == Some(0)
    }

    /// Lets all leases go.
    pub(crate) async fn leave(self) {
        let is_alone = self.is_alone();
        let Some(store) = self.store else { return };
        let timing = self.config.timing();
        if !is_alone {
            let (store, node) = (store.clone(), self.node.clone());
            let last_words = LastWords { store, uplink: self.uplink, node, longest: timing.last_words };
            last_words.arrive(&self.watched).await;
        }
        let left = timeout(timing.every, store.leave_share(&self.config.fleet, &self.node, self.session));
        match left.await {
            Ok(Ok(())) => info!(fleet = %self.config.fleet, "the cameras are left to the other nodes"),
            Ok(Err(error)) => warn!(error = %chain(&error), "the leases could not be let go; they run out"),
            Err(_) => warn!("the store does not answer: the leases run out"),
        }
        store.close().await;
    }
}

struct Sharer {
    parts: ShareParts,
    timing: Timing,
    trouble: ShareTrouble,
    session: Uuid,
    store: Option<Store>,
    adoption: Adoption,
    /// Cameras to be watched from now on.
    wanted: BTreeSet<CameraId>,
    /// Cameras that must be stopped first and let go then.
    give_back: BTreeSet<CameraId>,
    /// Incidents to go on with, not handed to the fleet yet.
    left_open: Vec<IncidentEvent>,
    /// What the fleet was told last; `None` if its threads may have ended since.
    applied: Option<BTreeSet<CameraId>>,
    /// Cameras that were stopped, to be let go by the next request.
    released: BTreeSet<CameraId>,
    /// Other nodes that live.
    others: Option<usize>,
}

/// The fleet, following an answer; gives back what has been stopped by then.
type Following = JoinHandle<BTreeSet<CameraId>>;

impl Sharer {
    async fn run(mut self, stop: CancellationToken) -> Leaver {
        let mut following: Option<Following> = None;
        let mut parting = JoinSet::new();
        loop {
            let wait = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                wait = self.ask() => wait,
            };
            let next = sleep(wait);
            tokio::pin!(next);
            // Until it is time to ask again, the fleet is made to follow; it may take longer than that.
            loop {
                if following.is_none() {
                    following = self.follow();
                }
                tokio::select! {
                    biased;
                    () = stop.cancelled() => break,
                    stopped = done(&mut following) => {
                        following = None;
                        self.part(stopped, &mut parting);
                    }
                    Some(told) = parting.join_next() => {
                        // Its share may have grown again meanwhile.
                        let told = told.unwrap_or_default().into_iter();
                        self.released.extend(told.filter(|camera| !self.wanted.contains(camera)));
                        if !self.released.is_empty() {
                            break;
                        }
                    }
                    () = &mut next => break,
                }
            }
        }
        if let Some(following) = following {
            // The cameras are about to be stopped anyway.
            drop(following.await);
        }
        let ShareParts { config, node, uplink, .. } = self.parts;
        let Self { store, wanted: watched, session, others, .. } = self;
        Leaver { store, config, node, uplink, watched, session, others }
    }

    /// Asks once; gives the time to wait until the next time.
    async fn ask(&mut self) -> Duration {
        let asked_at = self.parts.clock.monotonic();
        let asked = timeout(self.timing.every, self.request()).await;
        let trouble = match asked {
            Ok(Ok(shared)) => return self.answered(asked_at, shared).await,
            Ok(Err(error)) => chain(&error),
            Err(_) => "the store does not answer".to_owned(),
        };
        let now = self.parts.clock.monotonic();
        let until = self.parts.leases.until();
        if until.is_some_and(|until| now >= until) {
            self.lose();
        }
        let left = self.parts.leases.until().map(|until| until.saturating_sub(now));
        let fleet = &self.parts.config.fleet;
        if let Some(left) = left {
            warn!(%fleet, trouble, seconds_left = left.as_secs_f32(), "the leases cannot be renewed");
        } else {
            error!(%fleet, trouble, "no cameras are watched: their leases cannot be asked for");
        }
        self.trouble.set(Some(format!("fleet {fleet}: {trouble}")));
        let again = self.timing.every / 4;
        left.map_or(again, |left| left.min(again))
    }

    async fn request(&mut self) -> Result<Shared, StoreError> {
        let store = if let Some(store) = &self.store {
            store.clone()
        } else {
            let store = Store::attach(&self.parts.address).await?;
            self.store.insert(store).clone()
        };
        let request = ShareRequest {
            fleet: self.parts.config.fleet.clone(),
            node: self.parts.node.clone(),
            session: self.session,
            cameras: self.parts.leases.offered().into_keys().collect(),
            capacity: self.parts.config.capacity,
            released: self.released.clone(),
            runs_for: self.timing.runs_for,
            clock: LeaseClock::Database,
        };
        store.share(&request).await
    }

    async fn answered(&mut self, asked_at: Duration, shared: Shared) -> Duration {
        self.released.clear();
        self.trouble.set(None);
        // Counted from before the request: the store counts from later on.
        let until = asked_at + self.timing.runs_for.saturating_sub(self.timing.margin);
        let left = self.parts.leases.set(shared.held.clone(), until);
        if !left.is_empty() {
            warn!(
                cameras = left.len(),
                "the store answered late: cameras that had stopped are started again"
            );
            (self.applied, self.adoption) = (None, Adoption::default());
        }
        let wanted: BTreeSet<CameraId> = shared.held.difference(&shared.give_back).cloned().collect();
        let lost = self.wanted.iter().filter(|camera| !shared.held.contains(*camera)).count();
        telemetry::leases_held(shared.held.len());
        if lost > 0 {
            telemetry::leases_lost(lost);
            warn!(cameras = lost, "other nodes have taken cameras over");
        }
        if wanted != self.wanted || self.others != Some(shared.others) {
            info!(
                fleet = %self.parts.config.fleet, cameras = wanted.len(), giving_back = shared.give_back.len(),
                other_nodes = shared.others, "share of the cameras"
            );
        }
        self.others = Some(shared.others);
        (self.wanted, self.give_back) = (wanted, shared.give_back);
        self.adopt().await;
        let next = shared.others_run_for.map_or(self.timing.every, |left| left + AFTER_ANOTHER);
        let passed = self.parts.clock.monotonic().saturating_sub(asked_at);
        next.min(self.timing.every).saturating_sub(passed)
    }

    async fn adopt(&mut self) {
        let Some(store) = &self.store else { return };
        let ShareParts { node, uplink, leases, .. } = &self.parts;
        let offered = leases.offered();
        let found = self.adoption.find(store, uplink, node, &offered, &self.wanted);
        match timeout(self.timing.every, found).await {
            Ok(Ok(found)) => self.left_open.extend(found),
            Ok(Err(error)) => warn!(error = %chain(&error), "cannot read what was left open; trying again"),
            Err(_) => warn!("cannot read what was left open, for the store does not answer; trying again"),
        }
    }

    /// The leases have run out: from now on another node may watch.
    fn lose(&mut self) {
        telemetry::leases_lost(self.wanted.len());
        telemetry::leases_held(0);
        self.parts.leases.set(BTreeSet::new(), Duration::ZERO);
        self.wanted.clear();
        self.give_back.clear();
        self.left_open.clear();
        // What was taken over goes with the threads of its cameras, and has to be found again for the next ones.
        self.adoption = Adoption::default();
        self.others = None;
    }

    /// Has the fleet follow what is wanted now, if it does not yet.
    fn follow(&mut self) -> Option<Following> {
        let is_followed = self.applied.as_ref() == Some(&self.wanted);
        let to_stop: BTreeSet<CameraId> = self.give_back.clone();
        if is_followed && self.left_open.is_empty() {
            return None;
        }
        self.applied = Some(self.wanted.clone());
        self.released.retain(|camera| !self.wanted.contains(camera));
        let (wanted, left_open) = (self.wanted.clone(), std::mem::take(&mut self.left_open));
        let fleet = self.parts.fleet.clone();
        Some(tokio::task::spawn_blocking(move || {
            fleet.lock().expect("no panic while the fleet is held").hold(wanted, left_open);
            to_stop
        }))
    }

    /// Cameras that have been stopped are let go when the last word on them has arrived; others are taken over meanwhile.
    fn part(&self, stopped: BTreeSet<CameraId>, parting: &mut JoinSet<BTreeSet<CameraId>>) {
        let Some(store) = self.store.clone().filter(|_| !stopped.is_empty()) else { return };
        let ShareParts { uplink, node, .. } = &self.parts;
        let (uplink, node, longest) = (uplink.clone(), node.clone(), self.timing.last_words);
        parting.spawn(async move {
            LastWords { store, uplink, node, longest }.arrive(&stopped).await;
            stopped
        });
    }
}

/// What has been stopped, once the fleet has followed; never, while it has nothing to follow.
async fn done(following: &mut Option<Following>) -> BTreeSet<CameraId> {
    match following {
        Some(task) => task
            .await
            .inspect_err(|error| error!(%error, "following the share of the cameras panicked"))
            .unwrap_or_default(),
        None => std::future::pending().await,
    }
}
