//! A node's outbox: what it has to say, committed to disk before anything is sent, and which incidents are open.
//!
//! Nothing here ever drops what is not sent. When much waits, it says so.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use parapet_core::{IncidentEvent, IncidentId, Phase, Timestamp};
use sqlx::{
    Pool, QueryBuilder, Row, Sqlite, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
    types::Json,
};
use tokio::sync::Notify;
use tracing::{error, info};

use crate::{
    StoreError,
    choice::{EVENT_VERSION, event, instant, micros},
    error::Attempt,
};

/// The outbox is said to be full at this many waiting messages, and again at each doubling: about a week of 364 busy
/// cameras without a broker.
const MANY_PENDING: u64 = 100_000;

/// A message to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboxMessage {
    /// Where to.
    pub topic: String,
    /// What.
    pub payload: Vec<u8>,
    /// Whether the broker is to keep it for later subscribers.
    pub retain: bool,
    /// The event in it, if it is an incident's: so the list of open incidents is always that of what was recorded.
    pub event: Option<IncidentEvent>,
}

/// A message that waits to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// Its number; later messages have greater ones.
    pub id: i64,
    /// Where to.
    pub topic: String,
    /// What.
    pub payload: Vec<u8>,
    /// Whether the broker is to keep it.
    pub retain: bool,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

/// What is in an outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutboxStats {
    /// Messages not sent.
    pub pending: u64,
    /// Messages sent and kept for a while.
    pub sent: u64,
    /// When the oldest message that is not sent was recorded.
    pub oldest_pending_at: Option<Timestamp>,
    /// Incidents that have started and not ended.
    pub open_incidents: u64,
}

/// The outbox of one node. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Outbox {
    writer: Pool<Sqlite>,
    reader: Pool<Sqlite>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    changed: Notify,
    pending: AtomicU64,
    /// At how many waiting messages to complain next.
    complain_at: AtomicU64,
}

impl Outbox {
    /// Opens the outbox in this file, or makes one.
    ///
    /// # Errors
    /// `Open` or `Migrate`.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let address = || path.display().to_string();
        let fail = |source| StoreError::Open { address: address(), source };
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // FULL syncs the log at each commit, so that what `record` has returned survives a power cut as well.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(10));
        let writer: SqlitePool = SqlitePoolOptions::new()
            .max_connections(1)
            .min_connections(1)
            .connect_with(options.clone())
            .await
            .map_err(fail)?;
        sqlx::migrate!("migrations/outbox")
            .run(&writer)
            .await
            .map_err(|source| StoreError::Migrate { address: address(), source })?;
        let reader = SqlitePoolOptions::new()
            .max_connections(2)
            .connect_with(options.read_only(true))
            .await
            .map_err(fail)?;
        let shared = Shared {
            changed: Notify::new(),
            pending: AtomicU64::new(0),
            complain_at: AtomicU64::new(MANY_PENDING),
        };
        let outbox = Self { writer, reader, shared: Arc::new(shared) };
        let OutboxStats { pending, open_incidents, .. } = outbox.stats().await?;
        info!(path = %path.display(), pending, open_incidents, "the outbox is open");
        outbox.shared.changed.notify_one();
        Ok(outbox)
    }

    /// Waits for what is under way and closes the file.
    pub async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }

    /// Commits the messages, in this order, all or none, and returns their numbers once they are on disk.
    ///
    /// # Errors
    /// When the database fails: then the caller still has them, and must try again.
    pub async fn record(&self, messages: &[OutboxMessage], at: Timestamp) -> Result<Vec<i64>, StoreError> {
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        let mut tx =
            self.writer.begin_with("BEGIN IMMEDIATE").await.attempt("begin a transaction of the outbox")?;
        let mut ids = Vec::with_capacity(messages.len());
        for message in messages {
            let id: i64 = sqlx::query_scalar(
                "INSERT INTO outbox (topic, payload, retain, recorded_at) VALUES ($1, $2, $3, $4) RETURNING id",
            )
            .bind(&message.topic)
            .bind(&message.payload)
            .bind(message.retain)
            .bind(micros(at))
            .fetch_one(&mut *tx)
            .await
            .attempt("put a message into the outbox")?;
            ids.push(id);
            let Some(event) = &message.event else { continue };
            if event.phase == Phase::Ended {
                sqlx::query("DELETE FROM open_incidents WHERE incident_id = $1").bind(event.incident_id.0)
            } else {
                sqlx::query(
                    "INSERT INTO open_incidents (incident_id, sequence, version, document) VALUES ($1, $2, $3, $4) \
                     ON CONFLICT (incident_id) DO UPDATE SET sequence = excluded.sequence, \
                     version = excluded.version, document = excluded.document \
                     WHERE excluded.sequence > open_incidents.sequence",
                )
                .bind(event.incident_id.0)
                .bind(i64::from(event.sequence))
                .bind(EVENT_VERSION)
                .bind(Json(event))
            }
            .execute(&mut *tx)
            .await
            .attempt("keep the list of open incidents")?;
        }
        tx.commit().await.attempt("commit to the outbox")?;
        self.change_pending(|pending| pending + ids.len() as u64);
        metrics::counter!("parapet_outbox_recorded_total").increment(ids.len() as u64);
        self.shared.changed.notify_one();
        Ok(ids)
    }

    /// Messages that are not sent, with numbers greater than `after`, in order, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pending(&self, after: i64, limit: u32) -> Result<Vec<OutboxRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, topic, payload, retain, recorded_at FROM outbox \
             WHERE sent_at IS NULL AND id > $1 ORDER BY id LIMIT $2",
        )
        .bind(after)
        .bind(limit)
        .fetch_all(&self.reader)
        .await
        .attempt("read the outbox")?;
        let mut pending = Vec::with_capacity(rows.len());
        for row in rows {
            let action = "read a message of the outbox";
            pending.push(OutboxRow {
                id: row.try_get("id").attempt(action)?,
                topic: row.try_get("topic").attempt(action)?,
                payload: row.try_get("payload").attempt(action)?,
                retain: row.try_get("retain").attempt(action)?,
                recorded_at: instant("recorded_at", row.try_get("recorded_at").attempt(action)?)?,
            });
        }
        Ok(pending)
    }

    /// The broker has these messages.
    ///
    /// # Errors
    /// When the database fails: then they will be sent again.
    pub async fn mark_sent(&self, ids: &[i64], at: Timestamp) -> Result<(), StoreError> {
        let mut marked = 0;
        for part in ids.chunks(1_000) {
            let mut query = QueryBuilder::<Sqlite>::new("UPDATE outbox SET sent_at = ");
            query.push_bind(micros(at)).push(" WHERE sent_at IS NULL AND id IN (");
            let mut list = query.separated(", ");
            for id in part {
                list.push_bind(*id);
            }
            query.push(")");
            let done = query
                .build()
                .persistent(false)
                .execute(&self.writer)
                .await
                .attempt("mark messages as sent")?;
            marked += done.rows_affected();
        }
        self.change_pending(|pending| pending.saturating_sub(marked));
        Ok(())
    }

    /// Makes messages that were sent at `sent_since` or later (all that are kept, for `None`) pending again, and returns
    /// how many: a broker may have been killed before it kept what it had acknowledged.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn replay(&self, sent_since: Option<Timestamp>) -> Result<u64, StoreError> {
        let done = sqlx::query("UPDATE outbox SET sent_at = NULL WHERE sent_at >= $1")
            .bind(sent_since.map_or(i64::MIN, micros))
            .execute(&self.writer)
            .await
            .attempt("make sent messages pending again")?;
        let again = done.rows_affected();
        self.change_pending(|pending| pending + again);
        if again > 0 {
            self.shared.changed.notify_one();
        }
        Ok(again)
    }

    /// Deletes messages that were sent before, and returns how many. What is not sent stays.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn prune(&self, sent_before: Timestamp) -> Result<u64, StoreError> {
        let done = sqlx::query("DELETE FROM outbox WHERE sent_at < $1")
            .bind(micros(sent_before))
            .execute(&self.writer)
            .await
            .attempt("delete sent messages")?;
        Ok(done.rows_affected())
    }

    /// What is in it. Also sets `parapet_outbox_pending` right.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stats(&self) -> Result<OutboxStats, StoreError> {
        let action = "count the outbox";
        let row = sqlx::query(
            "SELECT (SELECT COUNT(*) FROM outbox WHERE sent_at IS NULL) AS pending, \
             (SELECT COUNT(*) FROM outbox WHERE sent_at IS NOT NULL) AS sent, \
             (SELECT recorded_at FROM outbox WHERE sent_at IS NULL ORDER BY id LIMIT 1) AS oldest, \
             (SELECT COUNT(*) FROM open_incidents) AS open_incidents",
        )
        .fetch_one(&self.writer)
        .await
        .attempt(action)?;
        let count = |column| row.try_get::<i64, _>(column).map(|count| count as u64).attempt(action);
        let oldest: Option<i64> = row.try_get("oldest").attempt(action)?;
        let stats = OutboxStats {
            pending: count("pending")?,
            sent: count("sent")?,
            oldest_pending_at: oldest.map(|micros| instant("recorded_at", micros)).transpose()?,
            open_incidents: count("open_incidents")?,
        };
        self.change_pending(|_| stats.pending);
        Ok(stats)
    }

    /// Waits until something may have been recorded. What was recorded while nobody waited counts, so nothing is missed;
    /// for one waiter.
    pub async fn changed(&self) {
        self.shared.changed.notified().await;
    }

    /// The latest event of each incident that has not ended, by start. A new process reads it before its cameras start,
    /// and ends what the one before left open.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_incidents(&self) -> Result<Vec<IncidentEvent>, StoreError> {
        let rows = sqlx::query("SELECT version, document FROM open_incidents")
            .fetch_all(&self.reader)
            .await
            .attempt("list open incidents")?;
        let action = "read an open incident";
        let mut events = Vec::with_capacity(rows.len());
        for row in rows {
            let document: Json<serde_json::Value> = row.try_get("document").attempt(action)?;
            events.push(event(row.try_get("version").attempt(action)?, document.0)?);
        }
        events.sort_by_key(|event| (event.started_at, event.incident_id));
        Ok(events)
    }

    /// Takes incidents off the list of what this node has left open: another node goes on with them, or has ended them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_open(&self, incidents: &[IncidentId]) -> Result<(), StoreError> {
        for part in incidents.chunks(1_000) {
            let mut query = QueryBuilder::<Sqlite>::new("DELETE FROM open_incidents WHERE incident_id IN (");
            let mut list = query.separated(", ");
            for incident in part {
                list.push_bind(incident.0);
            }
            query.push(")");
            let done = query.build().persistent(false).execute(&self.writer).await;
            done.attempt("forget incidents that another node has")?;
        }
        Ok(())
    }

    fn change_pending(&self, change: impl Fn(u64) -> u64) {
        let order = Ordering::Relaxed;
        let before = self.shared.pending.fetch_update(order, order, |pending| Some(change(pending)));
        let pending = change(before.unwrap_or_else(|pending| pending));
        metrics::gauge!("parapet_outbox_pending").set(pending as f64);
        let complain_at = self.shared.complain_at.load(Ordering::Relaxed);
        if pending >= complain_at {
            error!(
                pending,
                "the outbox grows, for the broker takes nothing; nothing is dropped, but the disk will fill"
            );
            self.shared.complain_at.store(complain_at.saturating_mul(2), Ordering::Relaxed);
        } else if pending < MANY_PENDING / 2 {
            self.shared.complain_at.store(MANY_PENDING, Ordering::Relaxed);
        }
    }
}
