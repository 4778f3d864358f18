//! "Do not tell me of this thing here for a while": mutes in force, kept at hand for intake.

use std::sync::{PoisonError, RwLock};

use parapet_core::{Clock, Timestamp};
use parapet_store::{IncidentRow, MuteRow, Store, StoreError};
use uuid::Uuid;

/// The mutes that are in force.
#[derive(Debug, Default)]
pub(crate) struct Mutes(RwLock<Vec<MuteRow>>);

impl Mutes {
    /// As they are in the store.
    pub(crate) async fn load(store: &Store, clock: &dyn Clock) -> Result<Self, StoreError> {
        Ok(Self(RwLock::new(store.mutes(clock.now()).await?)))
    }

    /// Reads them again, after one was made or ended.
    pub(crate) async fn reload(&self, store: &Store, now: Timestamp) -> Result<Vec<MuteRow>, StoreError> {
        let mutes = store.mutes(now).await?;
        self.0.write().unwrap_or_else(PoisonError::into_inner).clone_from(&mutes);
        Ok(mutes)
    }

    /// The mute that keeps an incident out of the queue.
    pub(crate) fn covering(&self, incident: &IncidentRow) -> Option<Uuid> {
        let mutes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        mutes.iter().find(|mute| mute.covers(incident)).map(|mute| mute.id)
    }

    /// Whether there are none, so that nothing need be read for them.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}
