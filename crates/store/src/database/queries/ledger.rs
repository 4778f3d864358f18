//! The chains of hashes: appending to them in the transaction of what they are about, and reading them to be checked.
//!
//! A transaction takes the ledger before the audit, and both after everything else, so that no two wait for each other.

use std::collections::HashMap;

use parapet_core::{
    EvidenceItem, IncidentId,
    ledger::{ChainRow, Checkpoint, Hash, Leaf, PublicKey, Record, SignatureBytes, beginning, link},
};
use sqlx::{QueryBuilder, Row, Transaction};
use uuid::Uuid;

use super::{Database, Db, ROWS_IN_STATEMENT};
use crate::{
    Chain, ChainState, StoreError,
    choice::{column, instant, micros, number, unreadable},
    error::Attempt,
};

type DbRow = <Db as sqlx::Database>::Row;
/// The leaf of what is there now, and what it says, by subject.
type Found = HashMap<Uuid, (Hash, Option<Record>)>;

/// Kinds of rows in the ledger.
pub(super) const EVENT: &str = "event";
pub(super) const EVIDENCE: &str = "evidence";
const AUDIT: &str = "audit";

/// Columns of what the ledger is about. A document is read as it is stored, byte by byte, in either database.
pub(super) const EVENT_COLUMNS: &str = "event_id, incident_id, sequence, site, node, at, received_at, version, \
     CAST(document AS TEXT) AS stored";
pub(super) const EVIDENCE_COLUMNS: &str =
    "incident_id, role, path, media_type, bytes, sha256, site, node, camera, base_url, at, received_at";
const AUDIT_COLUMNS: &str = "id, at, actor, action, subject_kind, subject_id, CAST(detail AS TEXT) AS stored, \
     position, leaf, link";

/// A row to be appended to the ledger.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) kind: &'static str,
    pub(super) subject: Uuid,
    pub(super) name: Option<String>,
    pub(super) leaf: Hash,
}

impl Entry {
    /// Of an event's row.
    pub(super) fn of_event(row: &DbRow) -> Result<Self, StoreError> {
        let subject = row.try_get("event_id").attempt("read an event's id")?;
        Ok(Self { kind: EVENT, subject, name: None, leaf: event_leaf(row, Leaf::new(EVENT))?.finish() })
    }

    /// Of the row of a file of evidence.
    pub(super) fn of_evidence(row: &DbRow) -> Result<Self, StoreError> {
        let name = evidence_name(row)?;
        let leaf = evidence_leaf(row, Leaf::new(EVIDENCE))?.finish();
        Ok(Self { kind: EVIDENCE, subject: subject_of(&name), name: Some(name), leaf })
    }
}

fn event_leaf(row: &DbRow, leaf: Leaf) -> Result<Leaf, StoreError> {
    let action = "read an event for the ledger";
    Ok(leaf
        .bytes(row.try_get::<Uuid, _>("event_id").attempt(action)?.as_bytes())
        .bytes(row.try_get::<Uuid, _>("incident_id").attempt(action)?.as_bytes())
        .integer(row.try_get("sequence").attempt(action)?)
        .text(Some(row.try_get("site").attempt(action)?))
        .text(Some(row.try_get("node").attempt(action)?))
        .integer(row.try_get("at").attempt(action)?)
        .integer(row.try_get("received_at").attempt(action)?)
        .integer(i64::from(row.try_get::<i32, _>("version").attempt(action)?))
        .text(Some(row.try_get("stored").attempt(action)?)))
}

fn evidence_leaf(row: &DbRow, leaf: Leaf) -> Result<Leaf, StoreError> {
    let action = "read evidence for the ledger";
    let mut leaf = leaf.bytes(row.try_get::<Uuid, _>("incident_id").attempt(action)?.as_bytes());
    for column in ["role", "path", "media_type", "sha256", "site", "node", "camera"] {
        leaf = leaf.text(Some(row.try_get(column).attempt(action)?));
    }
    leaf = leaf.text(row.try_get("base_url").attempt(action)?);
    for column in ["bytes", "at", "received_at"] {
        leaf = leaf.integer(row.try_get(column).attempt(action)?);
    }
    Ok(leaf)
}

fn evidence_name(row: &DbRow) -> Result<String, StoreError> {
    let action = "read evidence for the ledger";
    let incident: Uuid = row.try_get("incident_id").attempt(action)?;
    let (role, path): (&str, &str) =
        (row.try_get("role").attempt(action)?, row.try_get("path").attempt(action)?);
    Ok(format!("{incident}/{role}/{path}"))
}

fn subject_of(name: &str) -> Uuid {
    parapet_core::EventId::derive(&["ledger", name]).0
}

fn audit_leaf(row: &DbRow, leaf: Leaf) -> Result<Leaf, StoreError> {
    let action = "read a deed for its chain";
    let mut leaf =
        leaf.integer(row.try_get("id").attempt(action)?).integer(row.try_get("at").attempt(action)?);
    for column in ["actor", "action", "subject_kind", "subject_id", "stored"] {
        leaf = leaf.text(Some(row.try_get(column).attempt(action)?));
    }
    Ok(leaf)
}

fn hash(row: &DbRow, column: &'static str) -> Result<Hash, StoreError> {
    let bytes: Vec<u8> = row.try_get(column).attempt("read a hash")?;
    Hash::from_slice(&bytes).ok_or_else(|| unreadable(column, hex::encode(bytes)))
}

/// Makes a chain longer by `count` rows and holds it until the transaction ends: its length and head before.
async fn lengthen(
    tx: &mut Transaction<'static, Db>,
    chain: Chain,
    count: usize,
) -> Result<(i64, Hash), StoreError> {
    let count = column(count as u64);
    let row =
        sqlx::query::<Db>("UPDATE chains SET length = length + $1 WHERE name = $2 RETURNING length, head")
            .bind(count)
            .bind(chain.as_str())
            .fetch_one(&mut **tx)
            .await
            .attempt("make a chain longer")?;
    let length: i64 = row.try_get("length").attempt("read a chain's length")?;
    Ok((length - count, hash(&row, "head")?))
}

async fn set_head(tx: &mut Transaction<'static, Db>, chain: Chain, head: Hash) -> Result<(), StoreError> {
    sqlx::query::<Db>("UPDATE chains SET head = $1 WHERE name = $2")
        .bind(head.0.as_slice())
        .bind(chain.as_str())
        .execute(&mut **tx)
        .await
        .attempt("write a chain's head")?;
    Ok(())
}

/// Appends to the ledger, in this order.
pub(super) async fn append(tx: &mut Transaction<'static, Db>, entries: &[Entry]) -> Result<(), StoreError> {
    if entries.is_empty() {
        return Ok(());
    }
    let (mut position, mut head) = lengthen(tx, Chain::Ledger, entries.len()).await?;
    for part in entries.chunks(ROWS_IN_STATEMENT) {
        let mut query =
            QueryBuilder::<Db>::new("INSERT INTO ledger (position, kind, subject, name, leaf, link) ");
        query.push_values(part, |mut row, entry| {
            position += 1;
            head = link(head, entry.leaf);
            row.push_bind(position)
                .push_bind(entry.kind)
                .push_bind(entry.subject)
                .push_bind(entry.name.as_deref())
                .push_bind(entry.leaf.0.to_vec())
                .push_bind(head.0.to_vec());
        });
        query.build().persistent(false).execute(&mut **tx).await.attempt("append to the ledger")?;
    }
    set_head(tx, Chain::Ledger, head).await
}

/// Takes a deed that was just stored into the chain of the audit.
pub(super) async fn chain_deed(tx: &mut Transaction<'static, Db>, id: i64) -> Result<(), StoreError> {
    let (length, head) = lengthen(tx, Chain::Audit, 1).await?;
    let statement = format!("SELECT {AUDIT_COLUMNS} FROM audit WHERE id = $1");
    let row = sqlx::query::<Db>(sqlx::AssertSqlSafe(statement))
        .bind(id)
        .fetch_one(&mut **tx)
        .await
        .attempt("read a deed for its chain")?;
    let leaf = audit_leaf(&row, Leaf::new(AUDIT))?.finish();
    let head = link(head, leaf);
    sqlx::query::<Db>("UPDATE audit SET position = $1, leaf = $2, link = $3 WHERE id = $4")
        .bind(length + 1)
        .bind(leaf.0.as_slice())
        .bind(head.0.as_slice())
        .bind(id)
        .execute(&mut **tx)
        .await
        .attempt("chain a deed")?;
    set_head(tx, Chain::Audit, head).await
}

impl Database {
    /// Makes the chains where they are not there yet, and takes into them what was stored before there were any. Can be
    /// interrupted and goes on at the next time.
    pub(crate) async fn complete_chains(&self) -> Result<(), StoreError> {
        for chain in Chain::ALL {
            sqlx::query::<Db>(
                "INSERT INTO chains (name, length, head, complete) VALUES ($1, 0, $2, FALSE) ON CONFLICT DO NOTHING",
            )
            .bind(chain.as_str())
            .bind(beginning(chain.as_str()).0.as_slice())
            .execute(&self.writer)
            .await
            .attempt("begin a chain")?;
            while !self.complete_some(chain).await? {}
        }
        Ok(())
    }

    /// One batch of what is not in a chain yet; whether nothing is left.
    async fn complete_some(&self, chain: Chain) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        // Also holds the chain, should another program be opening the store.
        let complete: bool = sqlx::query_scalar::<Db, bool>(
            "UPDATE chains SET complete = complete WHERE name = $1 RETURNING complete",
        )
        .bind(chain.as_str())
        .fetch_one(&mut *tx)
        .await
        .attempt("look whether a chain is complete")?;
        if complete {
            return Ok(true);
        }
        let left = match chain {
            Chain::Audit => {
                let ids: Vec<i64> = sqlx::query_scalar::<Db, i64>(
                    "SELECT id FROM audit WHERE link IS NULL ORDER BY id LIMIT 1000",
                )
                .fetch_all(&mut *tx)
                .await
                .attempt("look for deeds that are in no chain")?;
                for id in &ids {
                    chain_deed(&mut tx, *id).await?;
                }
                !ids.is_empty()
            }
            Chain::Ledger => {
                let mut entries = Vec::new();
                let events = format!(
                    "SELECT {EVENT_COLUMNS} FROM incident_events WHERE NOT EXISTS \
                     (SELECT 1 FROM ledger WHERE subject = event_id) ORDER BY event_id LIMIT 2000"
                );
                for row in sqlx::query::<Db>(sqlx::AssertSqlSafe(events))
                    .fetch_all(&mut *tx)
                    .await
                    .attempt("look for events that are in no chain")?
                {
                    entries.push(Entry::of_event(&row)?);
                }
                if entries.is_empty() {
                    // Their subjects are derived, which no database can do: all at once, they are few.
                    let known: Vec<String> =
                        sqlx::query_scalar::<Db, String>("SELECT name FROM ledger WHERE name IS NOT NULL")
                            .fetch_all(&mut *tx)
                            .await
                            .attempt("read which files are in the ledger")?;
                    let known: std::collections::HashSet<String> = known.into_iter().collect();
                    let files = format!(
                        "SELECT {EVIDENCE_COLUMNS} FROM evidence ORDER BY at, incident_id, role, path"
                    );
                    for row in sqlx::query::<Db>(sqlx::AssertSqlSafe(files))
                        .fetch_all(&mut *tx)
                        .await
                        .attempt("look for evidence that is in no chain")?
                    {
                        entries.push(Entry::of_evidence(&row)?);
                    }
                    entries.retain(|entry| entry.name.as_ref().is_none_or(|name| !known.contains(name)));
                }
                append(&mut tx, &entries).await?;
                !entries.is_empty()
            }
        };
        if !left {
            sqlx::query::<Db>("UPDATE chains SET complete = TRUE WHERE name = $1")
                .bind(chain.as_str())
                .execute(&mut *tx)
                .await
                .attempt("note that a chain is complete")?;
        }
        tx.commit().await.attempt("commit rows of a chain")?;
        Ok(!left)
    }

    pub(crate) async fn chain(&self, chain: Chain) -> Result<ChainState, StoreError> {
        let row = sqlx::query::<Db>("SELECT length, head FROM chains WHERE name = $1")
            .bind(chain.as_str())
            .fetch_one(&self.reader)
            .await
            .attempt("read a chain's state")?;
        let length: i64 = row.try_get("length").attempt("read a chain's length")?;
        Ok(ChainState { length: number("length", length)?, head: hash(&row, "head")? })
    }

    /// The link of one row.
    pub(crate) async fn link_at(&self, chain: Chain, position: u64) -> Result<Option<Hash>, StoreError> {
        let statement = match chain {
            Chain::Audit => "SELECT link FROM audit WHERE position = $1",
            Chain::Ledger => "SELECT link FROM ledger WHERE position = $1",
        };
        let row = sqlx::query::<Db>(statement)
            .bind(column(position))
            .fetch_optional(&self.reader)
            .await
            .attempt("read a link")?;
        row.map(|row| hash(&row, "link")).transpose()
    }

    /// Rows of a chain in order, each with the leaf of what it is about now.
    pub(crate) async fn chain_rows(
        &self,
        chain: Chain,
        after: u64,
        limit: u32,
    ) -> Result<Vec<(ChainRow, Option<Record>)>, StoreError> {
        let statement = match chain {
            Chain::Audit => {
                format!("SELECT {AUDIT_COLUMNS} FROM audit WHERE position > $1 ORDER BY position LIMIT $2")
            }
            Chain::Ledger => "SELECT * FROM ledger WHERE position > $1 ORDER BY position LIMIT $2".to_owned(),
        };
        let rows = sqlx::query::<Db>(sqlx::AssertSqlSafe(statement))
            .bind(column(after))
            .bind(i64::from(limit.min(ROWS_IN_STATEMENT as u32)))
            .fetch_all(&self.reader)
            .await
            .attempt("read a chain")?;
        match chain {
            Chain::Audit => rows.iter().map(audit_row).collect(),
            Chain::Ledger => self.ledger_rows(&rows).await,
        }
    }

    async fn ledger_rows(&self, rows: &[DbRow]) -> Result<Vec<(ChainRow, Option<Record>)>, StoreError> {
        let action = "read a row of the ledger";
        let (mut events, mut files) = (Vec::new(), Vec::new());
        for row in rows {
            let kind: &str = row.try_get("kind").attempt(action)?;
            match kind {
                EVENT => events.push(row.try_get::<Uuid, _>("subject").attempt(action)?),
                _ => files.extend(row.try_get::<Option<String>, _>("name").attempt(action)?),
            }
        }
        let mut found = self.found_events(&events).await?;
        found.extend(self.found_evidence(&files).await?);
        let mut chain = Vec::with_capacity(rows.len());
        for row in rows {
            let kind: &str = row.try_get("kind").attempt(action)?;
            let subject: Uuid = row.try_get("subject").attempt(action)?;
            let name: Option<String> = row.try_get("name").attempt(action)?;
            let (found, record) =
                found.remove(&subject).map_or((None, None), |(leaf, record)| (Some(leaf), record));
            let row = ChainRow {
                position: number("position", row.try_get("position").attempt(action)?)?,
                subject: format!("{kind} {}", name.unwrap_or_else(|| subject.to_string())),
                leaf: hash(row, "leaf")?,
                link: hash(row, "link")?,
                found,
            };
            chain.push((row, record));
        }
        Ok(chain)
    }

    async fn found_events(&self, ids: &[Uuid]) -> Result<Found, StoreError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let mut query = QueryBuilder::<Db>::new(format!(
            "SELECT {EVENT_COLUMNS} FROM incident_events WHERE event_id IN ("
        ));
        let mut list = query.separated(", ");
        for id in ids {
            list.push_bind(*id);
        }
        query.push(")");
        let rows = query.build().fetch_all(&self.reader).await.attempt("read events for the ledger")?;
        let found = |row: &DbRow| {
            let id = row.try_get("event_id").attempt("read an event's id")?;
            Ok((id, event_leaf(row, Leaf::recording(EVENT))?.finish_recorded()))
        };
        rows.iter().map(found).collect()
    }

    async fn found_evidence(&self, names: &[String]) -> Result<Found, StoreError> {
        let ids: std::collections::BTreeSet<Uuid> =
            names.iter().filter_map(|name| name.split('/').next()?.parse().ok()).collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let mut query = QueryBuilder::<Db>::new(format!(
            "SELECT {EVIDENCE_COLUMNS} FROM evidence WHERE incident_id IN ("
        ));
        let mut list = query.separated(", ");
        for id in ids {
            list.push_bind(id);
        }
        query.push(")");
        let rows = query.build().fetch_all(&self.reader).await.attempt("read evidence for the ledger")?;
        let found = |row: &DbRow| {
            let leaf = evidence_leaf(row, Leaf::recording(EVIDENCE))?;
            Ok((subject_of(&evidence_name(row)?), leaf.finish_recorded()))
        };
        rows.iter().map(found).collect()
    }

    /// What is stored and in no chain, up to a hundred of them.
    pub(crate) async fn strays(&self, chain: Chain) -> Result<Vec<String>, StoreError> {
        let action = "look for what is in no chain";
        match chain {
            Chain::Audit => {
                let ids: Vec<i64> = sqlx::query_scalar::<Db, i64>(
                    "SELECT id FROM audit WHERE position IS NULL OR link IS NULL ORDER BY id LIMIT 100",
                )
                .fetch_all(&self.reader)
                .await
                .attempt(action)?;
                Ok(ids.into_iter().map(|id| format!("deed {id}")).collect())
            }
            Chain::Ledger => {
                let ids: Vec<Uuid> = sqlx::query_scalar::<Db, Uuid>(
                    "SELECT event_id FROM incident_events WHERE NOT EXISTS \
                     (SELECT 1 FROM ledger WHERE subject = event_id) ORDER BY event_id LIMIT 100",
                )
                .fetch_all(&self.reader)
                .await
                .attempt(action)?;
                let mut strays: Vec<String> = ids.into_iter().map(|id| format!("event {id}")).collect();
                let known: Vec<String> =
                    sqlx::query_scalar::<Db, String>("SELECT name FROM ledger WHERE name IS NOT NULL")
                        .fetch_all(&self.reader)
                        .await
                        .attempt(action)?;
                let known: std::collections::HashSet<String> = known.into_iter().collect();
                let files =
                    format!("SELECT {EVIDENCE_COLUMNS} FROM evidence ORDER BY at, incident_id, role, path");
                let rows = sqlx::query::<Db>(sqlx::AssertSqlSafe(files))
                    .fetch_all(&self.reader)
                    .await
                    .attempt(action)?;
                for row in &rows {
                    let name = evidence_name(row)?;
                    if !known.contains(&name) && strays.len() < 100 {
                        strays.push(format!("evidence {name}"));
                    }
                }
                Ok(strays)
            }
        }
    }

    /// Rows of a chain that are about an incident: their positions, in order.
    pub(crate) async fn positions_of(
        &self,
        chain: Chain,
        incident: IncidentId,
    ) -> Result<Vec<u64>, StoreError> {
        if chain == Chain::Audit {
            let deeds: Vec<i64> = sqlx::query_scalar::<Db, i64>(
                "SELECT position FROM audit WHERE subject_kind = 'incident' AND subject_id = $1 AND position IS NOT NULL \
                 ORDER BY position",
            )
            .bind(incident.to_string())
            .fetch_all(&self.reader)
            .await
            .attempt("find an incident's deeds")?;
            return deeds.into_iter().map(|position| number("position", position)).collect();
        }
        let mut subjects: Vec<Uuid> =
            sqlx::query_scalar::<Db, Uuid>("SELECT event_id FROM incident_events WHERE incident_id = $1")
                .bind(incident.0)
                .fetch_all(&self.reader)
                .await
                .attempt("read an incident's events")?;
        let files = format!("SELECT {EVIDENCE_COLUMNS} FROM evidence WHERE incident_id = $1");
        for row in sqlx::query::<Db>(sqlx::AssertSqlSafe(files))
            .bind(incident.0)
            .fetch_all(&self.reader)
            .await
            .attempt("read an incident's evidence")?
        {
            subjects.push(subject_of(&evidence_name(&row)?));
        }
        let mut positions = Vec::new();
        for part in subjects.chunks(ROWS_IN_STATEMENT) {
            let mut query = QueryBuilder::<Db>::new("SELECT position FROM ledger WHERE subject IN (");
            let mut list = query.separated(", ");
            for subject in part {
                list.push_bind(*subject);
            }
            query.push(")");
            let rows = query.build().fetch_all(&self.reader).await.attempt("find rows of the ledger")?;
            for row in rows {
                positions.push(number("position", row.try_get("position").attempt("read a position")?)?);
            }
        }
        positions.sort_unstable();
        Ok(positions)
    }

    /// Every file of evidence that is registered, after this one, in the order of incident, role and path.
    pub(crate) async fn evidence_after(
        &self,
        after: Option<(IncidentId, String, String)>,
        limit: u32,
    ) -> Result<Vec<(IncidentId, EvidenceItem)>, StoreError> {
        let mut query = QueryBuilder::<Db>::new("SELECT * FROM evidence");
        if let Some((incident, role, path)) = after {
            query.push(" WHERE (incident_id, role, path) > (").push_bind(incident.0);
            query.push(", ").push_bind(role).push(", ").push_bind(path).push(")");
        }
        query.push(" ORDER BY incident_id, role, path LIMIT ").push_bind(i64::from(limit));
        let action = "list evidence";
        let rows = query.build().fetch_all(&self.reader).await.attempt(action)?;
        let mut files = Vec::with_capacity(rows.len());
        for row in &rows {
            let incident = IncidentId(row.try_get("incident_id").attempt(action)?);
            files.push((incident, super::reading::stored_evidence(row)?.item));
        }
        Ok(files)
    }

    /// Keeps a checkpoint; one on the same length that is there stays.
    pub(crate) async fn put_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        sqlx::query::<Db>(
            "INSERT INTO checkpoints (chain, length, head, at, key, signature) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT DO NOTHING",
        )
        .bind(&checkpoint.chain)
        .bind(column(checkpoint.length))
        .bind(checkpoint.head.0.as_slice())
        .bind(micros(checkpoint.at))
        .bind(checkpoint.key.0.as_slice())
        .bind(checkpoint.signature.0.as_slice())
        .execute(&self.writer)
        .await
        .attempt("keep a checkpoint")?;
        Ok(())
    }

    pub(crate) async fn latest_checkpoint(&self, chain: Chain) -> Result<Option<Checkpoint>, StoreError> {
        let row =
            sqlx::query::<Db>("SELECT * FROM checkpoints WHERE chain = $1 ORDER BY length DESC LIMIT 1")
                .bind(chain.as_str())
                .fetch_optional(&self.reader)
                .await
                .attempt("read a checkpoint")?;
        row.as_ref().map(checkpoint).transpose()
    }

    pub(crate) async fn checkpoints(&self) -> Result<Vec<Checkpoint>, StoreError> {
        let rows = sqlx::query::<Db>("SELECT * FROM checkpoints ORDER BY chain, length")
            .fetch_all(&self.reader)
            .await
            .attempt("list checkpoints")?;
        rows.iter().map(checkpoint).collect()
    }
}

fn audit_row(row: &DbRow) -> Result<(ChainRow, Option<Record>), StoreError> {
    let action = "read a deed of the chain";
    let id: i64 = row.try_get("id").attempt(action)?;
    let deed: &str = row.try_get("action").attempt(action)?;
    let subject: &str = row.try_get("subject_id").attempt(action)?;
    let (found, record) = audit_leaf(row, Leaf::recording(AUDIT))?.finish_recorded();
    let row = ChainRow {
        position: number("position", row.try_get("position").attempt(action)?)?,
        subject: format!("deed {id}: {deed} {subject}"),
        leaf: hash(row, "leaf")?,
        link: hash(row, "link")?,
        found: Some(found),
    };
    Ok((row, record))
}

fn checkpoint(row: &DbRow) -> Result<Checkpoint, StoreError> {
    let action = "read a checkpoint";
    let key: Vec<u8> = row.try_get("key").attempt(action)?;
    let signature: Vec<u8> = row.try_get("signature").attempt(action)?;
    Ok(Checkpoint {
        chain: row.try_get("chain").attempt(action)?,
        length: number("length", row.try_get("length").attempt(action)?)?,
        head: hash(row, "head")?,
        at: instant("at", row.try_get("at").attempt(action)?)?,
        key: PublicKey(key.try_into().map_err(|_| unreadable("key", "(not 32 bytes)"))?),
        signature: SignatureBytes(
            signature.try_into().map_err(|_| unreadable("signature", "(not 64 bytes)"))?,
        ),
    })
}
