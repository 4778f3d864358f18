//! Which node of a fleet watches which camera: leases that run out by themselves when a node dies.
//!
//! The database is the only judge and its clock the only time; nodes never talk to each other.

use std::{collections::BTreeSet, time::Duration};

use parapet_core::{CameraId, FleetId, IncidentEvent, IncidentId, NodeId, Phase, SiteId, Timestamp};
use uuid::Uuid;

use crate::{Store, StoreError, store::either};

/// What the time of leases is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseClock {
    /// The database's: all nodes ask the same one.
    Database,
    /// This time, whatever the database's clock shows: for tests.
    At(Timestamp),
}

/// What a node says each time that it asks for its share.
#[derive(Debug, Clone, PartialEq)]
pub struct ShareRequest {
    /// The nodes that share.
    pub fleet: FleetId,
    /// The one that asks.
    pub node: NodeId,
    /// Its program, made up at its start: two programs of one name do not watch the same cameras.
    pub session: Uuid,
    /// All cameras that it could watch; the same for all nodes of the fleet.
    pub cameras: BTreeSet<CameraId>,
    /// How much it can take in comparison with the others.
    pub capacity: f64,
    /// Cameras that it was to give back and watches no longer.
    pub released: BTreeSet<CameraId>,
    /// How long a lease runs from this request on.
    pub runs_for: Duration,
    /// Whose time counts.
    pub clock: LeaseClock,
}

/// What a node may watch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shared {
    /// Cameras that are this node's until `ends_at`, those to be given back included.
    pub held: BTreeSet<CameraId>,
    /// Of those, what is above its share: another node takes them once they are released.
    pub give_back: BTreeSet<CameraId>,
    /// When the leases run out, by the time that counts.
    pub ends_at: Timestamp,
    /// How long it is until the first lease of another node runs out: the time to ask again, if that node has died.
    pub others_run_for: Option<Duration>,
    /// How many other nodes live.
    pub others: usize,
}

/// A node that shares cameras.
#[derive(Debug, Clone, PartialEq)]
pub struct LeaseNodeRow {
    /// The node.
    pub node: NodeId,
    /// Its capacity.
    pub capacity: f64,
    /// Until when it is taken to live.
    pub ends_at: Timestamp,
}

/// A camera that a node watches, or watched last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRow {
    /// The camera.
    pub camera: CameraId,
    /// The node.
    pub node: NodeId,
    /// Since when.
    pub taken_at: Timestamp,
    /// Until when.
    pub ends_at: Timestamp,
}

/// An incident that goes on, and which node told of it last.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenIncidentRow {
    /// The site.
    pub site: SiteId,
    /// The node.
    pub node: NodeId,
    /// Its latest event.
    pub event: IncidentEvent,
}

impl ShareRequest {
    /// How many cameras are this node's, of all, among nodes of these capacities (its own is one of them). Rounded up,
    /// so that together they take all.
    pub(crate) fn fair_share(&self, capacities: impl IntoIterator<Item = f64>) -> usize {
        let all: f64 = capacities.into_iter().sum();
        if all <= 0.0 {
            return self.cameras.len();
        }
        // Capacities are sums of what people write: 0.1 + 0.2 must not make one camera more of a whole number.
        let share = self.cameras.len() as f64 * self.capacity / all - 1e-9;
        (share.ceil().max(0.0) as usize).min(self.cameras.len())
    }
}

impl Store {
    /// Says that the node lives, renews its leases that have not run out, lets released ones go, and takes free cameras
    /// up to the node's fair share. One transaction; of two nodes at once one gets a camera.
    ///
    /// # Errors
    /// `NameTaken` while another program of this name lives, or when the database fails; then nothing has changed.
    pub async fn share(&self, request: &ShareRequest) -> Result<Shared, StoreError> {
        either!(self, database => database.share(request))
    }

    /// Lets all leases of a node go at once, and the node itself, if this is still its program.
    ///
    /// # Errors
    /// When the database fails: then they run out.
    pub async fn leave_share(&self, fleet: &FleetId, node: &NodeId, session: Uuid) -> Result<(), StoreError> {
        either!(self, database => database.leave_share(fleet, node, session))
    }

    /// All leases of a fleet, also those that have run out, by camera.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn leases(&self, fleet: &FleetId) -> Result<Vec<LeaseRow>, StoreError> {
        either!(self, database => database.leases(fleet))
    }

    /// All nodes of a fleet, also dead ones, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lease_nodes(&self, fleet: &FleetId) -> Result<Vec<LeaseNodeRow>, StoreError> {
        either!(self, database => database.lease_nodes(fleet))
    }

    /// The incidents of these cameras that have not ended, oldest start first. Cameras of other sites may have the same
    /// names: the caller knows which are meant.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_incidents_of(
        &self,
        cameras: &BTreeSet<CameraId>,
    ) -> Result<Vec<OpenIncidentRow>, StoreError> {
        either!(self, database => database.open_incidents_of(cameras))
    }

    /// How far the store knows these incidents: number and phase of the latest event. Unknown ones are left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn standing_of(
        &self,
        incidents: &[IncidentId],
    ) -> Result<Vec<(IncidentId, u32, Phase)>, StoreError> {
        either!(self, database => database.standing_of(incidents))
    }
}
