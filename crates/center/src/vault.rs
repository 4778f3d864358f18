//! Keeps in the vault whatever a hold or an open case wants to stay, lets go what nothing holds any more, and makes an end
//! of copies that two people have deleted. What could not be had of a node is asked for again at the next look.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use parapet_core::{Clock, IncidentId};
use parapet_store::{Store, StoreError, StoredEvidence};
use tokio::sync::Notify;
use tracing::{debug, error, info, warn};

use crate::evidence::{EvidenceCache, EvidenceError};

/// Evidence may come after its hold; it is looked for this often.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// So many files are looked at in one statement.
const AT_ONCE: u32 = 200;

/// What became of files that must stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Kept {
    /// They are in the vault.
    pub(crate) kept: u32,
    /// They could not be had now.
    pub(crate) missing: u32,
}

/// The keeper of the vault. Cloning shares it.
#[derive(Debug, Clone)]
pub(crate) struct Vault {
    store: Store,
    evidence: Arc<EvidenceCache>,
    clock: Arc<dyn Clock>,
    wake: Arc<Notify>,
    /// Files that their nodes no longer have: they are not asked for again until the next start.
    gone: Arc<Mutex<HashSet<String>>>,
}

impl Vault {
    pub(crate) fn new(
        store: Store,
        evidence: Arc<EvidenceCache>,
        clock: Arc<dyn Clock>,
        wake: Arc<Notify>,
    ) -> Self {
        Self { store, evidence, clock, wake, gone: Arc::default() }
    }

    /// Looks soon.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Brings files into the vault, as far as they can be had, and puts it on record.
    pub(crate) async fn keep(&self, files: Vec<(IncidentId, StoredEvidence)>) -> Result<Kept, StoreError> {
        let mut told = Kept::default();
        let mut silent = HashSet::new();
        let mut kept = Vec::new();
        for (incident, file) in files {
            let known = self.gone.lock().unwrap_or_else(PoisonError::into_inner).contains(&file.item.sha256);
            let silent_node = silent.contains(&file.base_url) && !self.evidence.has(&file);
            if known || silent_node {
                told.missing += 1;
                continue;
            }
            match self.evidence.keep(&file).await {
                Ok(()) => {
                    told.kept += 1;
                    kept.push((incident, file));
                    continue;
                }
                Err(EvidenceError::Gone) => {
                    warn!(%incident, path = file.item.path, "a file that must stay is gone from its node");
                    self.gone.lock().unwrap_or_else(PoisonError::into_inner).insert(file.item.sha256);
                }
                // One attempt for each node that does not answer.
                Err(EvidenceError::Unreachable(_)) => drop(silent.insert(file.base_url)),
                Err(error @ EvidenceError::Mismatch { .. }) => {
                    error!(%incident, %error, "a file that must stay is not what was registered");
                }
                Err(error) => error!(%incident, %error, "a file that must stay cannot be kept"),
            }
            told.missing += 1;
        }
        if !kept.is_empty() {
            self.store.files_kept(&kept, self.clock.now()).await?;
            info!(files = kept.len(), "files of evidence are in the vault");
        }
        Ok(told)
    }

    /// Deletes the copies of what two people have deleted.
    pub(crate) async fn delete(&self) -> Result<(), StoreError> {
        for (id, files) in self.store.deletions_to_do().await? {
            let mut left = false;
            for sha256 in &files {
                if let Err(error) = self.evidence.delete(sha256).await {
                    error!(%error, sha256, "a copy that was to be deleted is left; trying again");
                    left = true;
                }
            }
            if !left {
                self.store.deletion_done(id, self.clock.now()).await?;
                info!(files = files.len(), "copies of evidence were deleted");
            }
        }
        Ok(())
    }

    async fn look(&self) -> Result<(), StoreError> {
        self.delete().await?;
        let mut after = String::new();
        loop {
            let files = self.store.files_to_keep(&after, AT_ONCE).await?;
            let Some((_, last)) = files.last() else { break };
            after.clone_from(&last.item.sha256);
            self.keep(files).await?;
        }
        for sha256 in self.store.files_to_let_go(AT_ONCE).await? {
            match self.evidence.let_go(&sha256).await {
                Ok(()) => self.store.file_let_go(&sha256, self.clock.now()).await?,
                Err(error) => error!(%error, sha256, "a file cannot leave the vault"),
            }
        }
        Ok(())
    }

    /// Looks again and again, until it is dropped.
    pub(crate) async fn run(self) {
        loop {
            if let Err(error) = self.look().await {
                debug!(%error, "the vault cannot be looked at; trying again");
            }
            // Either way it is time to look again.
            drop(tokio::time::timeout(LOOK_EVERY, self.wake.notified()).await);
        }
    }
}
