//! Leases of cameras: taken by conditional upserts, so that of two nodes at once one gets a camera.

use std::{collections::BTreeSet, time::Duration};

use parapet_core::{CameraId, FleetId, IncidentId, NodeId, Phase, Timestamp};
use sqlx::{QueryBuilder, Row, Transaction, types::Json};
use uuid::Uuid;

use super::{Database, Db, SELECT_NOW};
use crate::{
    LeaseClock, LeaseNodeRow, LeaseRow, OpenIncidentRow, ShareRequest, Shared, StoreError,
    choice::{self, instant, micros, text},
    error::Attempt,
};

/// Values in one statement, well below what either database allows.
const IN_STATEMENT: usize = 1_000;
/// Rounds of taking: in each, another node may have been faster with all of it.
const ROUNDS: usize = 8;

impl Database {
    pub(crate) async fn share(&self, request: &ShareRequest) -> Result<Shared, StoreError> {
        let mut tx = self.begin().await?;
        let now = now(&mut tx, request.clock).await?;
        let length = i64::try_from(request.runs_for.as_micros()).unwrap_or(i64::MAX / 4);
        let ends_at = now + length;
        let others = live(&mut tx, request, now, ends_at).await?;
        let capacities = others.iter().map(|other| other.capacity).chain([request.capacity]);
        let share = request.fair_share(capacities);
        release(&mut tx, request).await?;
        renew(&mut tx, request, now, ends_at).await?;
        for _ in 0..ROUNDS {
            let leases = leases(&mut tx, &request.fleet).await?;
            let is_mine = |lease: &&LeaseRow| lease.node == request.node && micros(lease.ends_at) > now;
            let mine = leases.iter().filter(is_mine).count();
            let held: BTreeSet<&CameraId> = leases
                .iter()
                .filter(|lease| micros(lease.ends_at) > now)
                .map(|lease| &lease.camera)
                .collect();
            let free: Vec<&CameraId> =
                request.cameras.iter().filter(|camera| !held.contains(camera)).collect();
            let wanted = share.saturating_sub(mine).min(free.len());
            if wanted == 0 || take(&mut tx, request, &free[..wanted], now, ends_at).await? == wanted {
                break;
            }
        }
        let leases = leases(&mut tx, &request.fleet).await?;
        tx.commit().await.attempt("commit leases")?;
        let living = leases.iter().filter(|lease| micros(lease.ends_at) > now);
        let (mine, theirs): (Vec<_>, Vec<_>) = living.partition(|lease| lease.node == request.node);
        let held: BTreeSet<CameraId> = mine.into_iter().map(|lease| lease.camera.clone()).collect();
        // What is not in the file any more goes back first.
        let (known, unknown): (Vec<_>, Vec<_>) =
            held.iter().partition(|camera| request.cameras.contains(*camera));
        let above = known.into_iter().skip(share);
        let give_back = unknown.into_iter().chain(above).cloned().collect();
        let first = theirs.iter().map(|lease| micros(lease.ends_at) - now).min();
        Ok(Shared {
            give_back,
            held,
            ends_at: instant("ends_at", ends_at)?,
            others_run_for: first.map(|left| Duration::from_micros(left.unsigned_abs())),
            others: others.len(),
        })
    }

    pub(crate) async fn leave_share(
        &self,
        fleet: &FleetId,
        node: &NodeId,
        session: Uuid,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let gone =
            sqlx::query::<Db>("DELETE FROM lease_nodes WHERE fleet = $1 AND node = $2 AND session = $3")
                .bind(fleet.as_str())
                .bind(node.as_str())
                .bind(session)
                .execute(&mut *tx)
                .await
                .attempt("leave a fleet")?;
        if gone.rows_affected() > 0 {
            sqlx::query::<Db>("DELETE FROM leases WHERE fleet = $1 AND node = $2")
                .bind(fleet.as_str())
                .bind(node.as_str())
                .execute(&mut *tx)
                .await
                .attempt("release all leases")?;
        }
        tx.commit().await.attempt("commit the release of leases")
    }

    pub(crate) async fn leases(&self, fleet: &FleetId) -> Result<Vec<LeaseRow>, StoreError> {
        let rows = sqlx::query::<Db>("SELECT * FROM leases WHERE fleet = $1 ORDER BY camera")
            .bind(fleet.as_str())
            .fetch_all(&self.reader)
            .await
            .attempt("list leases")?;
        rows.iter().map(lease).collect()
    }

    pub(crate) async fn lease_nodes(&self, fleet: &FleetId) -> Result<Vec<LeaseNodeRow>, StoreError> {
        let rows = sqlx::query::<Db>("SELECT * FROM lease_nodes WHERE fleet = $1 ORDER BY node")
            .bind(fleet.as_str())
            .fetch_all(&self.reader)
            .await
            .attempt("list the nodes of a fleet")?;
        rows.iter().map(lease_node).collect()
    }

    pub(crate) async fn open_incidents_of(
        &self,
        cameras: &BTreeSet<CameraId>,
    ) -> Result<Vec<OpenIncidentRow>, StoreError> {
        let cameras: Vec<&CameraId> = cameras.iter().collect();
        let mut open = Vec::new();
        for part in cameras.chunks(IN_STATEMENT) {
            let mut query = QueryBuilder::<Db>::new(
                "SELECT e.site, e.node, e.version, e.document FROM incidents AS i \
                 JOIN incident_events AS e ON e.event_id = i.event_id WHERE i.ended_at IS NULL AND i.camera IN (",
            );
            let mut list = query.separated(", ");
            for camera in part {
                list.push_bind(camera.as_str());
            }
            query.push(")");
            let rows = query
                .build()
                .persistent(false)
                .fetch_all(&self.reader)
                .await
                .attempt("list open incidents")?;
            let action = "read an open incident";
            for row in &rows {
                let document: Json<serde_json::Value> = row.try_get("document").attempt(action)?;
                open.push(OpenIncidentRow {
                    site: text("site", &row.try_get::<String, _>("site").attempt(action)?)?,
                    node: text("node", &row.try_get::<String, _>("node").attempt(action)?)?,
                    event: choice::event(row.try_get("version").attempt(action)?, document.0)?,
                });
            }
        }
        open.sort_by_key(|row| (row.event.started_at, row.event.incident_id));
        Ok(open)
    }

    pub(crate) async fn standing_of(
        &self,
        incidents: &[IncidentId],
    ) -> Result<Vec<(IncidentId, u32, Phase)>, StoreError> {
        let mut standing = Vec::new();
        for part in incidents.chunks(IN_STATEMENT) {
            let mut query = QueryBuilder::<Db>::new(
                "SELECT incident_id, sequence, phase FROM incidents WHERE incident_id IN (",
            );
            let mut list = query.separated(", ");
            for incident in part {
                list.push_bind(incident.0);
            }
            query.push(")");
            let action = "look how incidents stand";
            let rows = query.build().persistent(false).fetch_all(&self.reader).await.attempt(action)?;
            for row in &rows {
                standing.push((
                    IncidentId(row.try_get("incident_id").attempt(action)?),
                    choice::number("sequence", row.try_get("sequence").attempt(action)?)?,
                    choice::choice("phase", &row.try_get::<String, _>("phase").attempt(action)?)?,
                ));
            }
        }
        Ok(standing)
    }
}

async fn now(tx: &mut Transaction<'static, Db>, clock: LeaseClock) -> Result<i64, StoreError> {
    match clock {
        LeaseClock::At(at) => Ok(micros(at)),
        LeaseClock::Database => sqlx::query_scalar::<Db, i64>(SELECT_NOW)
            .fetch_one(&mut **tx)
            .await
            .attempt("ask the database for the time"),
    }
}

/// Says that the node lives; the others that do.
async fn live(
    tx: &mut Transaction<'static, Db>,
    request: &ShareRequest,
    now: i64,
    ends_at: i64,
) -> Result<Vec<LeaseNodeRow>, StoreError> {
    let done = sqlx::query::<Db>(
        "INSERT INTO lease_nodes (fleet, node, session, capacity, ends_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (fleet, node) DO UPDATE SET session = excluded.session, capacity = excluded.capacity, \
         ends_at = excluded.ends_at WHERE lease_nodes.session = excluded.session OR lease_nodes.ends_at <= $6",
    )
    .bind(request.fleet.as_str())
    .bind(request.node.as_str())
    .bind(request.session)
    .bind(request.capacity)
    .bind(ends_at)
    .bind(now)
    .execute(&mut **tx)
    .await
    .attempt("say that a node lives")?;
    if done.rows_affected() == 0 {
        return Err(StoreError::NameTaken { fleet: request.fleet.clone(), node: request.node.clone() });
    }
    let rows =
        sqlx::query::<Db>("SELECT * FROM lease_nodes WHERE fleet = $1 AND node <> $2 AND ends_at > $3")
            .bind(request.fleet.as_str())
            .bind(request.node.as_str())
            .bind(now)
            .fetch_all(&mut **tx)
            .await
            .attempt("look which nodes live")?;
    rows.iter().map(lease_node).collect()
}

async fn release(tx: &mut Transaction<'static, Db>, request: &ShareRequest) -> Result<(), StoreError> {
    let released: Vec<&CameraId> = request.released.iter().collect();
    for part in released.chunks(IN_STATEMENT) {
        let mut query = QueryBuilder::<Db>::new("DELETE FROM leases WHERE fleet = ");
        query.push_bind(request.fleet.as_str()).push(" AND node = ").push_bind(request.node.as_str());
        query.push(" AND camera IN (");
        let mut list = query.separated(", ");
        for camera in part {
            list.push_bind(camera.as_str());
        }
        query.push(")");
        query.build().persistent(false).execute(&mut **tx).await.attempt("release leases")?;
    }
    Ok(())
}

/// What has run out is not renewed: another node may be about to take it.
async fn renew(
    tx: &mut Transaction<'static, Db>,
    request: &ShareRequest,
    now: i64,
    ends_at: i64,
) -> Result<(), StoreError> {
    sqlx::query::<Db>("UPDATE leases SET ends_at = $1 WHERE fleet = $2 AND node = $3 AND ends_at > $4")
        .bind(ends_at)
        .bind(request.fleet.as_str())
        .bind(request.node.as_str())
        .bind(now)
        .execute(&mut **tx)
        .await
        .attempt("renew leases")?;
    Ok(())
}

/// Takes what is still free of these; how many. In the order of their names, so that two nodes never wait for each
/// other's rows in a circle.
async fn take(
    tx: &mut Transaction<'static, Db>,
    request: &ShareRequest,
    cameras: &[&CameraId],
    now: i64,
    ends_at: i64,
) -> Result<usize, StoreError> {
    let mut taken = 0;
    for part in cameras.chunks(IN_STATEMENT) {
        let mut query =
            QueryBuilder::<Db>::new("INSERT INTO leases (fleet, camera, node, taken_at, ends_at) ");
        query.push_values(part, |mut row, camera| {
            row.push_bind(request.fleet.as_str())
                .push_bind(camera.as_str())
                .push_bind(request.node.as_str())
                .push_bind(now)
                .push_bind(ends_at);
        });
        query.push(
            " ON CONFLICT (fleet, camera) DO UPDATE SET node = excluded.node, taken_at = excluded.taken_at, \
             ends_at = excluded.ends_at WHERE leases.ends_at <= ",
        );
        query.push_bind(now).push(" RETURNING camera");
        let rows = query.build().persistent(false).fetch_all(&mut **tx).await.attempt("take leases")?;
        taken += rows.len();
    }
    Ok(taken)
}

async fn leases(tx: &mut Transaction<'static, Db>, fleet: &FleetId) -> Result<Vec<LeaseRow>, StoreError> {
    let rows = sqlx::query::<Db>("SELECT * FROM leases WHERE fleet = $1 ORDER BY camera")
        .bind(fleet.as_str())
        .fetch_all(&mut **tx)
        .await
        .attempt("look which cameras are free")?;
    rows.iter().map(lease).collect()
}

fn lease(row: &<Db as sqlx::Database>::Row) -> Result<LeaseRow, StoreError> {
    let action = "read a lease";
    Ok(LeaseRow {
        camera: text("camera", &row.try_get::<String, _>("camera").attempt(action)?)?,
        node: text("node", &row.try_get::<String, _>("node").attempt(action)?)?,
        taken_at: time(row, "taken_at")?,
        ends_at: time(row, "ends_at")?,
    })
}

fn lease_node(row: &<Db as sqlx::Database>::Row) -> Result<LeaseNodeRow, StoreError> {
    let action = "read a node of a fleet";
    Ok(LeaseNodeRow {
        node: text("node", &row.try_get::<String, _>("node").attempt(action)?)?,
        capacity: row.try_get("capacity").attempt(action)?,
        ends_at: time(row, "ends_at")?,
    })
}

fn time(row: &<Db as sqlx::Database>::Row, column: &'static str) -> Result<Timestamp, StoreError> {
    instant(column, row.try_get(column).attempt("read a time of a lease")?)
}
