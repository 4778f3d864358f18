//! The chains that make later changes visible, for those who sign and check them.

use parapet_core::{
    EvidenceItem, IncidentId,
    ledger::{ChainRow, Checkpoint, Hash, Record},
};

use crate::{Store, StoreError, store::either};

/// A chain of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chain {
    /// What the nodes told: events and files of evidence.
    Ledger,
    /// What people and programs did.
    Audit,
}

impl Chain {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Ledger, Self::Audit];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ledger => "ledger",
            Self::Audit => "audit",
        }
    }
}

/// How long a chain is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainState {
    /// Its rows.
    pub length: u64,
    /// The link of the last one.
    pub head: Hash,
}

impl Store {
    /// How long a chain is now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn chain(&self, chain: Chain) -> Result<ChainState, StoreError> {
        either!(self, database => database.chain(chain))
    }

    /// The link of one row of a chain.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn link_at(&self, chain: Chain, position: u64) -> Result<Option<Hash>, StoreError> {
        either!(self, database => database.link_at(chain, position))
    }

    /// Rows of a chain after a position, in order, each with the leaf of what it is about as it is stored now, and what that
    /// says; some hundreds at most, none at the end.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn chain_rows(
        &self,
        chain: Chain,
        after: u64,
        limit: u32,
    ) -> Result<Vec<(ChainRow, Option<Record>)>, StoreError> {
        either!(self, database => database.chain_rows(chain, after, limit))
    }

    /// What is stored although no chain knows it, up to some hundred.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn strays(&self, chain: Chain) -> Result<Vec<String>, StoreError> {
        either!(self, database => database.strays(chain))
    }

    /// The rows of a chain that are about an incident, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn positions_of(&self, chain: Chain, incident: IncidentId) -> Result<Vec<u64>, StoreError> {
        either!(self, database => database.positions_of(chain, incident))
    }

    /// Files of evidence that are registered, after one of them, by incident, role and path.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn evidence_after(
        &self,
        after: Option<(IncidentId, String, String)>,
        limit: u32,
    ) -> Result<Vec<(IncidentId, EvidenceItem)>, StoreError> {
        either!(self, database => database.evidence_after(after, limit))
    }

    /// Keeps a checkpoint.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        either!(self, database => database.put_checkpoint(checkpoint))
    }

    /// The checkpoint on the greatest length of a chain.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn latest_checkpoint(&self, chain: Chain) -> Result<Option<Checkpoint>, StoreError> {
        either!(self, database => database.latest_checkpoint(chain))
    }

    /// All checkpoints, by chain and length.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn checkpoints(&self) -> Result<Vec<Checkpoint>, StoreError> {
        either!(self, database => database.checkpoints())
    }
}
