//! Who did what, and what proves that nothing of it was changed since.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use parapet_core::{Permission, Timestamp};
use parapet_store::{self as store, AuditQuery, AuditRow};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    App,
    people_shape::{AuditEntry, AuditPage, Chain, Checkpoint, Ledger},
    problem::{ApiError, Problem},
};
use crate::caller::Caller;

/// Which deeds; what is left out does not narrow.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DeedsQuery {
    /// Of this person, or `token:NAME`.
    #[param(max_length = 100)]
    actor: Option<String>,
    /// Such deeds (`incident.status`).
    #[param(max_length = 100)]
    action: Option<String>,
    /// To things of this kind (`incident`).
    #[param(max_length = 100)]
    subject_kind: Option<String>,
    /// To the thing of this id.
    #[param(max_length = 100)]
    subject_id: Option<String>,
    /// At or after this time.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// Older than this deed: `next` of the page before.
    before: Option<i64>,
    /// At most so many.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

impl DeedsQuery {
    fn into_query(self) -> Result<AuditQuery, ApiError> {
        let limit = self.limit.unwrap_or(100);
        if !(1..=500).contains(&limit) {
            return Err(ApiError::Invalid { field: "limit", hint: "1–500" });
        }
        let texts = [&self.actor, &self.action, &self.subject_kind, &self.subject_id];
        // PostgreSQL has no text with a zero in it: there is no such name.
        if texts.into_iter().flatten().any(|text| text.contains('\0') || text.chars().count() > 100) {
            return Err(ApiError::Invalid { field: "query", hint: "≤ 100" });
        }
        Ok(AuditQuery {
            subject_kind: self.subject_kind,
            subject_id: self.subject_id,
            actor: self.actor,
            action: self.action,
            from: self.from,
            to: self.to,
            before: self.before,
            limit,
        })
    }
}

/// Deeds on record, newest first.
#[utoipa::path(
    get, path = "/api/audit", tag = "proof", params(DeedsQuery),
    responses(
        (status = 200, body = AuditPage),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn audit(
    State(app): State<App>,
    caller: Caller,
    query: Result<Query<DeedsQuery>, QueryRejection>,
) -> Result<Json<AuditPage>, ApiError> {
    caller.require(Permission::Audit, None, None)?;
    let Query(query) =
        query.map_err(|_| ApiError::Invalid { field: "query", hint: "see /api/openapi.json" })?;
    let query = query.into_query()?;
    let rows = app.store.audit(&query).await?;
    let next = rows.last().filter(|_| rows.len() == query.limit as usize).map(|row| row.id);
    Ok(Json(AuditPage { entries: rows.into_iter().map(entry).collect(), next }))
}

fn entry(row: AuditRow) -> AuditEntry {
    AuditEntry {
        id: row.id,
        at: row.at,
        actor: row.actor,
        action: row.action,
        subject_kind: row.subject_kind,
        subject_id: row.subject_id,
        detail: row.detail,
    }
}

/// How long the chains are, and what was signed last.
#[utoipa::path(
    get, path = "/api/ledger", tag = "proof",
    responses(
        (status = 200, body = Ledger),
        (status = 403, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn ledger(State(app): State<App>, caller: Caller) -> Result<Json<Ledger>, ApiError> {
    caller.require(Permission::Audit, None, None)?;
    let mut chains = Vec::new();
    for chain in store::Chain::ALL {
        let state = app.store.chain(chain).await?;
        let signed = app.store.latest_checkpoint(chain).await?;
        chains.push(Chain {
            name: chain.as_str().to_owned(),
            length: state.length,
            head: state.head.to_string(),
            checkpoint: signed.map(|signed| Checkpoint {
                at: signed.at,
                length: signed.length,
                head: signed.head.to_string(),
            }),
        });
    }
    Ok(Json(Ledger { chains, key: app.keeper.public_key().to_string() }))
}
