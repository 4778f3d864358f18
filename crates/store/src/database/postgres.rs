//! PostgreSQL: a pool of connections.

use std::{str::FromStr, time::Duration};

use sqlx::{
    Pool, Transaction,
    postgres::{PgConnectOptions, PgPoolOptions},
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

type Db = sqlx::Postgres;

/// PostgreSQL allows 65,535 values in a statement; an incident has 29.
const ROWS_IN_STATEMENT: usize = 1_000;

/// The present by the database's clock, wherever in a transaction it is asked.
const SELECT_NOW: &str = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)";

/// A store in a PostgreSQL database.
#[derive(Debug, Clone)]
pub struct Database {
    writer: Pool<Db>,
    reader: Pool<Db>,
    names: KnownNames,
}

impl Database {
    pub(crate) async fn open(url: &str) -> Result<Self, StoreError> {
        let (pool, address) = Self::connect(url, &[], 8).await?;
        sqlx::migrate!("migrations/postgres")
            .run(&pool)
            .await
            .map_err(|source| StoreError::Migrate { address, source })?;
        Ok(Self { writer: pool.clone(), reader: pool, names: KnownNames::default() })
    }

    pub(crate) async fn open_read_only(url: &str) -> Result<Self, StoreError> {
        let (pool, _) = Self::connect(url, &[("default_transaction_read_only", "on")], 8).await?;
        Ok(Self { writer: pool.clone(), reader: pool, names: KnownNames::default() })
    }

    pub(crate) async fn attach(url: &str) -> Result<Self, StoreError> {
        let (pool, _) = Self::connect(url, &[], 2).await?;
        Ok(Self { writer: pool.clone(), reader: pool, names: KnownNames::default() })
    }

    /// A pool, and the address without its password.
    async fn connect(
        url: &str,
        settings: &[(&str, &str)],
        connections: u32,
    ) -> Result<(Pool<Db>, String), StoreError> {
        let options = PgConnectOptions::from_str(url)
            .map_err(|source| StoreError::Open { address: "postgres://…".to_owned(), source })?
            .application_name("parapet")
            .options(settings.iter().copied());
        let address = format!(
            "postgres://{}:{}/{}",
            options.get_host(),
            options.get_port(),
            options.get_database().unwrap_or_default()
        );
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            // Also how long a server that is away may hold up one call.
            .acquire_timeout(Duration::from_secs(10))
            .connect_with(options)
            .await
            .map_err(|source| StoreError::Open { address: address.clone(), source })?;
        Ok((pool, address))
    }

    pub(crate) async fn close(&self) {
        self.writer.close().await;
    }

    async fn begin(&self) -> Result<Transaction<'static, Db>, StoreError> {
        self.writer.begin().await.attempt("begin a transaction")
    }
}
