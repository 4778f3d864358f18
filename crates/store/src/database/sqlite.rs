//! SQLite: one writer, four readers, write-ahead log.

use std::{str::FromStr, time::Duration};

use sqlx::{
    Pool, Transaction,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{StoreError, database::names::KnownNames, error::Attempt};

#[expect(clippy::duplicate_mod, reason = "written once, compiled for each database")]
#[path = "queries/case_reading.rs"]
mod case_reading;
#[expect(clippy::duplicate_mod, reason = "written once, compiled for each database")]
#[path = "queries/cases.rs"]
mod cases;
#[expect(clippy::duplicate_mod, reason = "written once, compiled for each database")]
#[path = "queries/catalogue.rs"]
mod catalogue;
#[expect(clippy::duplicate_mod, reason = "written once, compiled for each database")]
#[path = "queries/holds.rs"]
mod holds;
#[expect(clippy::duplicate_mod, reason = "written once, compiled for each database")]
#[path = "queries/intake.rs"]
mod intake;
#[expect(clippy::duplicate_mod, reason = "written once, compiled for each database")]
#[path = "queries/leases.rs"]
mod leases;
#[expect(clippy::duplicate_mod, reason = "written once, compiled for each database")]
#[path = "queries/ledger.rs"]
mod ledger;
#[expect(clippy::duplicate_mod, reason = "written once, compiled for each database")]
#[path = "queries/people.rs"]
mod people;
#[expect(clippy::duplicate_mod, reason = "written once, compiled for each database")]
#[path = "queries/place.rs"]
mod place;
#[expect(clippy::duplicate_mod, reason = "written once, compiled for each database")]
#[path = "queries/reading.rs"]
mod reading;
#[expect(clippy::duplicate_mod, reason = "written once, compiled for each database")]
#[path = "queries/roofs.rs"]
mod roofs;
#[expect(clippy::duplicate_mod, reason = "written once, compiled for each database")]
#[path = "queries/room.rs"]
mod room;
#[expect(clippy::duplicate_mod, reason = "written once, compiled for each database")]
#[path = "queries/scope.rs"]
mod scope;
#[expect(clippy::duplicate_mod, reason = "written once, compiled for each database")]
#[path = "queries/search.rs"]
mod search;
#[expect(clippy::duplicate_mod, reason = "written once, compiled for each database")]
#[path = "queries/states.rs"]
mod states;
#[expect(clippy::duplicate_mod, reason = "written once, compiled for each database")]
#[path = "queries/users.rs"]
mod users;

type Db = sqlx::Sqlite;

/// SQLite allows 32,766 values in a statement; an incident has 29.
const ROWS_IN_STATEMENT: usize = 500;

/// The present by the database's clock, wherever in a transaction it is asked.
const SELECT_NOW: &str = "SELECT CAST(unixepoch('subsec') * 1000000 AS INTEGER)";

/// A store in an SQLite file.
#[derive(Debug, Clone)]
pub struct Database {
    writer: Pool<Db>,
    reader: Pool<Db>,
    names: KnownNames,
}

impl Database {
    /// `synchronous` is `NORMAL`: a power cut can take back the last commits, never damage the file. The center may, for
    /// what the broker has not been told to forget comes again, and a node sends again what it sent of late.
    pub(crate) async fn open(url: &str, create: bool) -> Result<Self, StoreError> {
        let fail = |source| StoreError::Open { address: url.to_owned(), source };
        let options = SqliteConnectOptions::from_str(url)
            .map_err(fail)?
            .create_if_missing(create)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(Duration::from_secs(10))
            .foreign_keys(true)
            .optimize_on_close(true, None);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .min_connections(1)
            .connect_with(options.clone())
            .await
            .map_err(fail)?;
        sqlx::migrate!("migrations/sqlite")
            .run(&writer)
            .await
            .map_err(|source| StoreError::Migrate { address: url.to_owned(), source })?;
        let in_memory = url.contains(":memory:") || url.contains("mode=memory");
        let reader = if in_memory {
            writer.clone() // each connection would have a memory of its own
        } else {
            SqlitePoolOptions::new()
                .max_connections(4)
                .connect_with(options.read_only(true).optimize_on_close(false, None))
                .await
                .map_err(fail)?
        };
        Ok(Self { writer, reader, names: KnownNames::default() })
    }

    pub(crate) async fn open_read_only(url: &str) -> Result<Self, StoreError> {
        let fail = |source| StoreError::Open { address: url.to_owned(), source };
        let options = SqliteConnectOptions::from_str(url)
            .map_err(fail)?
            .read_only(true)
            .busy_timeout(Duration::from_secs(10));
        let reader = SqlitePoolOptions::new().max_connections(2).connect_with(options).await.map_err(fail)?;
        Ok(Self { writer: reader.clone(), reader, names: KnownNames::default() })
    }

    pub(crate) async fn attach(url: &str) -> Result<Self, StoreError> {
        let fail = |source| StoreError::Open { address: url.to_owned(), source };
        let options =
            SqliteConnectOptions::from_str(url).map_err(fail)?.busy_timeout(Duration::from_secs(10));
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.map_err(fail)?;
        Ok(Self { writer: pool.clone(), reader: pool, names: KnownNames::default() })
    }

    pub(crate) async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }

    async fn begin(&self) -> Result<Transaction<'static, Db>, StoreError> {
        self.writer.begin_with("BEGIN IMMEDIATE").await.attempt("begin a transaction")
    }
}
