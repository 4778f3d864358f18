//! The command center: intake from the bus, REST API, live feed and the operators' page.
//!
//! It runs no camera and keeps no picture of its own: live pictures and evidence come from the nodes over HTTP, evidence
//! is checked against its registered hash before anyone sees it. Nobody sees anything without having signed in.

mod api;
mod archive;
mod blur;
mod caller;
mod cases;
mod claims;
mod config;
mod evidence;
mod intake;
mod live;
mod mutes;
mod node;
mod page;
mod people;
mod privacy;
mod proof;
mod report;
mod roster;
mod security;
mod server;
mod table;
mod uploads;
mod vault;
mod verify;

pub use api::description as openapi;
pub use archive::{ArchiveError, Selection, write_archive};
pub use cases::{office_calendar, order::document as order_document};
pub use config::{CenterConfig, ConfigError, GroupGrant, OidcConfig, SignInConfig};
pub use people::{FirstError, FirstUser, WeakPassword, check_password, hash_password, random_password};
pub use proof::ProofError;
pub use server::{Center, RunningCenter, StartError};
pub use verify::{DeletedFile, Finding, Report, verify_archive, verify_store};
