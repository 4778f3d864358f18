//! What people do: verdicts, and the record of who did what.

use parapet_core::{IncidentId, Status};
use sqlx::{QueryBuilder, Row, Transaction, types::Json};

use super::{Database, Db, ledger::chain_deed, reading::incident_row, search::keep_reason};
use crate::{
    AuditEntry, AuditQuery, AuditRow, IncidentRow, StatusChange, StoreError, allowed,
    choice::{choice, instant, micros, name, storable},
    error::Attempt,
};

impl Database {
    /// Changes the status if that may follow the present one, and puts it on record, in one transaction.
    pub(crate) async fn set_status(
        &self,
        id: IncidentId,
        change: &StatusChange,
    ) -> Result<IncidentRow, StoreError> {
        if change.operator.trim().is_empty() {
            return Err(StoreError::NoOperator);
        }
        let mut tx = self.begin().await?;
        let from = status(&mut tx, id).await?;
        let refused = |from| StoreError::Transition { incident: id, from, to: change.to };
        if !allowed(from, change.to) {
            return Err(refused(from));
        }
        // Of two operators at once, the second finds the status changed under his hands.
        let row = sqlx::query::<Db>(
            "UPDATE incidents SET status = $1, judged_by = $2, judged_at = $3, reason = $4 \
             WHERE incident_id = $5 AND status = $6 RETURNING *",
        )
        .bind(name(change.to))
        .bind(storable(&change.operator))
        .bind(micros(change.at))
        .bind(change.reason.as_deref().map(storable))
        .bind(id.0)
        .bind(name(from))
        .fetch_optional(&mut *tx)
        .await
        .attempt("change an incident's status")?;
        let Some(row) = row else { return Err(refused(status(&mut tx, id).await?)) };
        if let Some(reason) = &change.reason {
            keep_reason(&mut tx, &storable(reason)).await?;
        }
        let detail = serde_json::json!({ "from": from, "to": change.to, "reason": change.reason.as_deref().map(storable) });
        let subject = id.to_string();
        let entry =
            AuditEntry::new(change.at, &change.operator, "incident.status", "incident", &subject, detail);
        insert_audit(&mut tx, &entry).await?;
        let row = incident_row(&row)?;
        tx.commit().await.attempt("commit a change of status")?;
        Ok(row)
    }

    pub(crate) async fn record_audit(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        insert_audit(&mut tx, entry).await?;
        tx.commit().await.attempt("commit a record of audit")
    }

    pub(crate) async fn audit(&self, wanted: &AuditQuery) -> Result<Vec<AuditRow>, StoreError> {
        let mut query = QueryBuilder::<Db>::new("SELECT * FROM audit WHERE TRUE");
        let equal = [
            ("subject_kind", &wanted.subject_kind),
            ("subject_id", &wanted.subject_id),
            ("actor", &wanted.actor),
            ("action", &wanted.action),
        ];
        for (column, value) in equal {
            if let Some(value) = value {
                query.push(" AND ").push(column).push(" = ").push_bind(value);
            }
        }
        if let Some(from) = wanted.from {
            query.push(" AND at >= ").push_bind(micros(from));
        }
        if let Some(to) = wanted.to {
            query.push(" AND at < ").push_bind(micros(to));
        }
        if let Some(before) = wanted.before {
            query.push(" AND (at, id) < ((SELECT at FROM audit WHERE id = ").push_bind(before);
            query.push("), ").push_bind(before).push(")");
        }
        query.push(" ORDER BY at DESC, id DESC LIMIT ").push_bind(i64::from(wanted.limit));
        let rows = query.build().fetch_all(&self.reader).await.attempt("read the audit")?;
        let mut audit = Vec::with_capacity(rows.len());
        for row in &rows {
            let action = "read a row of the audit";
            audit.push(AuditRow {
                id: row.try_get("id").attempt(action)?,
                at: instant("at", row.try_get("at").attempt(action)?)?,
                actor: row.try_get("actor").attempt(action)?,
                action: row.try_get("action").attempt(action)?,
                subject_kind: row.try_get("subject_kind").attempt(action)?,
                subject_id: row.try_get("subject_id").attempt(action)?,
                detail: row.try_get::<Json<serde_json::Value>, _>("detail").attempt(action)?.0,
            });
        }
        Ok(audit)
    }
}

async fn status(tx: &mut Transaction<'static, Db>, id: IncidentId) -> Result<Status, StoreError> {
    let status: Option<String> =
        sqlx::query_scalar::<Db, String>("SELECT status FROM incidents WHERE incident_id = $1")
            .bind(id.0)
            .fetch_optional(&mut **tx)
            .await
            .attempt("read an incident's status")?;
    choice("status", &status.ok_or(StoreError::NoIncident(id))?)
}

/// Puts a deed on record and into its chain. To be called last in a transaction: the chain is held until its end.
pub(super) async fn insert_audit(
    tx: &mut Transaction<'static, Db>,
    entry: &AuditEntry,
) -> Result<(), StoreError> {
    let id: i64 = sqlx::query_scalar::<Db, i64>(
        "INSERT INTO audit (at, actor, action, subject_kind, subject_id, detail) VALUES ($1, $2, $3, $4, $5, $6) \
         RETURNING id",
    )
    .bind(micros(entry.at))
    .bind(&entry.actor)
    .bind(&entry.action)
    .bind(&entry.subject_kind)
    .bind(&entry.subject_id)
    .bind(Json(&entry.detail))
    .fetch_one(&mut **tx)
    .await
    .attempt("put a deed on record")?;
    chain_deed(tx, id).await
}
