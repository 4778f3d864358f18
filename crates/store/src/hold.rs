//! Evidence that must stay (holds, open cases), and evidence that two people have deleted.

use parapet_core::{CaseId, IncidentId, Scope, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Store, StoreError, StoredEvidence, store::either};

/// What is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldSubject {
    /// One incident.
    Incident(IncidentId),
    /// All incidents of a case, also those that become a part of it later.
    Case(CaseId),
}

impl HoldSubject {
    /// Its kind by name, and its id.
    pub(crate) fn parts(self) -> (&'static str, Uuid) {
        match self {
            Self::Incident(id) => ("incident", id.0),
            Self::Case(id) => ("case", id.0),
        }
    }
}

/// A hold in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldRow {
    /// Its id.
    pub id: Uuid,
    /// What is held.
    pub subject: HoldSubject,
    /// Since when.
    pub at: Timestamp,
    /// Who made it.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// A deletion that somebody has asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletionRow {
    /// Its id.
    pub id: Uuid,
    /// Whose evidence.
    pub incident: IncidentId,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// By whom.
    pub asked_by: String,
    /// Why.
    pub reason: String,
}

/// That two people have deleted a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deleted {
    /// Who asked for it.
    pub asked_by: String,
    /// Who approved.
    pub approved_by: String,
    /// When it was approved.
    pub at: Timestamp,
}

/// How a file of evidence is named in a deed.
pub(crate) fn named(file: &StoredEvidence) -> Value {
    json!({ "role": file.item.role, "path": file.item.path, "sha256": file.item.sha256 })
}

impl Store {
    /// Makes a hold, on record; `false` if one is in force already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_hold(&self, hold: &HoldRow) -> Result<bool, StoreError> {
        either!(self, database => database.put_hold(hold))
    }

    /// Ends a hold, on record; whether one was in force.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_hold(&self, subject: HoldSubject, by: &str, at: Timestamp) -> Result<bool, StoreError> {
        either!(self, database => database.end_hold(subject, by, at))
    }

    /// The holds in force on an incident and on its case, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn holds(
        &self,
        incident: Option<IncidentId>,
        case: Option<CaseId>,
    ) -> Result<Vec<HoldRow>, StoreError> {
        either!(self, database => database.holds(incident, case))
    }

    /// Whether an incident's files must stay: by a hold, by an open case, or as another sighting of such an incident.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_held(&self, incident: IncidentId) -> Result<bool, StoreError> {
        either!(self, database => database.is_held(incident))
    }

    /// Files that must stay and are not in the vault, by their hashes, after one of them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn files_to_keep(
        &self,
        after: &str,
        limit: u32,
    ) -> Result<Vec<(IncidentId, StoredEvidence)>, StoreError> {
        either!(self, database => database.files_to_keep(after, limit))
    }

    /// Notes that files are in the vault, on record for each incident.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn files_kept(
        &self,
        files: &[(IncidentId, StoredEvidence)],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        either!(self, database => database.files_kept(files, at))
    }

    /// Hashes of files in the vault that nothing holds any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn files_to_let_go(&self, limit: u32) -> Result<Vec<String>, StoreError> {
        either!(self, database => database.files_to_let_go(limit))
    }

    /// Notes that a file is no longer in the vault, on record.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn file_let_go(&self, sha256: &str, at: Timestamp) -> Result<(), StoreError> {
        either!(self, database => database.file_let_go(sha256, at))
    }

    /// Asks for the deletion of an incident's evidence, on record.
    ///
    /// # Errors
    /// `NoIncident`, `Held`, `NothingToDelete`, `DeletionAsked`, or when the database fails.
    pub async fn ask_deletion(&self, deletion: &DeletionRow) -> Result<(), StoreError> {
        either!(self, database => database.ask_deletion(deletion))
    }

    /// Approves the deletion that was asked for, on record: from now on the files are deleted, whatever copies there are.
    ///
    /// # Errors
    /// `NoDeletion`, `SamePerson`, `Held`, or when the database fails.
    pub async fn approve_deletion(
        &self,
        incident: IncidentId,
        by: &str,
        at: Timestamp,
    ) -> Result<DeletionRow, StoreError> {
        either!(self, database => database.approve_deletion(incident, by, at))
    }

    /// Withdraws a deletion that nobody has approved, on record; whether there was one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn withdraw_deletion(
        &self,
        incident: IncidentId,
        by: &str,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        either!(self, database => database.withdraw_deletion(incident, by, at))
    }

    /// The deletions that wait for a second person, of one incident or of all that the reader may see, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deletions(
        &self,
        incident: Option<IncidentId>,
        scope: &Scope,
    ) -> Result<Vec<DeletionRow>, StoreError> {
        either!(self, database => database.deletions(incident, scope))
    }

    /// Approved deletions of which copies may be left, and the hashes of the files that prove nothing else.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deletions_to_do(&self) -> Result<Vec<(Uuid, Vec<String>)>, StoreError> {
        either!(self, database => database.deletions_to_do())
    }

    /// Notes that no copy is left.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deletion_done(&self, id: Uuid, at: Timestamp) -> Result<(), StoreError> {
        either!(self, database => database.deletion_done(id, at))
    }
}
