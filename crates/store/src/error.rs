//! What can go wrong with a store.

use parapet_core::{CaseId, FleetId, IncidentId, NodeId, Status, case::CaseError};

/// Why the store did not do it. Nothing of what was asked was done.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// An address of another kind of database.
    #[error(
        "\"{0}\" is not the address of a store; hint: sqlite:///var/lib/parapet/center.db or postgres://user@host/parapet"
    )]
    UnknownAddress(String),
    /// The database cannot be opened.
    #[error("cannot open the store {address}; hint: check that it is there and who may use it")]
    Open {
        /// Its address, without password.
        address: String,
        /// What the database says.
        #[source]
        source: sqlx::Error,
    },
    /// The tables cannot be brought up to date.
    #[error(
        "cannot bring the tables of {address} up to date; hint: a newer program may have written them, and going back needs a backup"
    )]
    Migrate {
        /// Its address, without password.
        address: String,
        /// What stands in the way.
        #[source]
        source: sqlx::migrate::MigrateError,
    },
    /// The database failed.
    #[error("the store failed to {action}")]
    Database {
        /// What was attempted.
        action: &'static str,
        /// What the database says.
        #[source]
        source: sqlx::Error,
    },
    /// A row holds what this program cannot read.
    #[error(
        "column {column} of the store holds {value:?}, which this program does not know; hint: a newer program may have written it"
    )]
    Unreadable {
        /// The column.
        column: &'static str,
        /// What it holds.
        value: String,
    },
    /// No such incident.
    #[error("there is no incident {0}")]
    NoIncident(IncidentId),
    /// The state machine says no.
    #[error(
        "incident {incident} is {from:?} and cannot become {to:?}; hint: someone else may have judged it, look again"
    )]
    Transition {
        /// The incident.
        incident: IncidentId,
        /// What it is.
        from: Status,
        /// What it was to become.
        to: Status,
    },
    /// The incident has a case.
    #[error("incident {incident} is a part of case {case} already")]
    AlreadyFiled {
        /// The incident.
        incident: IncidentId,
        /// Its case.
        case: CaseId,
    },
    /// No such case.
    #[error("there is no case {0}")]
    NoCase(CaseId),
    /// Somebody else was faster.
    #[error("case {0} has just been changed; hint: look again")]
    CaseChanged(CaseId),
    /// The other case is closed or somewhere else.
    #[error("nothing can become a part of case {case}; hint: it must be open and at the same site")]
    CannotMerge {
        /// Its number.
        case: String,
    },
    /// The deed does not follow.
    #[error(transparent)]
    Case(#[from] CaseError),
    /// Something keeps the incident's evidence.
    #[error("the evidence of incident {0} must stay; hint: a hold or an open case keeps it")]
    Held(IncidentId),
    /// There is no evidence, or none any more.
    #[error("incident {0} has no evidence that could be deleted")]
    NothingToDelete(IncidentId),
    /// A deletion waits for its second person.
    #[error("somebody has already asked for the deletion of the evidence of incident {0}")]
    DeletionAsked(IncidentId),
    /// Nobody has asked.
    #[error("nobody has asked for the deletion of the evidence of incident {0}")]
    NoDeletion(IncidentId),
    /// Deleting takes two.
    #[error("the evidence of incident {0} can only be deleted by two people")]
    SamePerson(IncidentId),
    /// Another program goes by the node's name.
    #[error(
        "another program is node \"{node}\" of the fleet \"{fleet}\"; hint: each node has an id of its own; one that was killed and started again gets its share when the lease of the former has run out"
    )]
    NameTaken {
        /// The fleet.
        fleet: FleetId,
        /// The name.
        node: NodeId,
    },
    /// A verdict needs a name.
    #[error("a change of status needs the operator's name")]
    NoOperator,
}

/// Names what was attempted.
pub(crate) trait Attempt<T> {
    fn attempt(self, action: &'static str) -> Result<T, StoreError>;
}

impl<T> Attempt<T> for Result<T, sqlx::Error> {
    fn attempt(self, action: &'static str) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::Database { action, source })
    }
}
