//! Holds, the vault's list, and deletions by two people.

use std::collections::BTreeMap;

use parapet_core::{CaseId, IncidentId, Scope, Timestamp};
use serde_json::json;
use sqlx::{QueryBuilder, Transaction};
use uuid::Uuid;

use super::{
    Database, Db,
    people::insert_audit,
    reading::{get, stored_evidence},
    scope::within,
};
use crate::{
    AuditEntry, DeletionRow, HoldRow, HoldSubject, StoreError, StoredEvidence,
    choice::{instant, micros, storable, unreadable},
    error::Attempt,
    hold::named,
};

type DbRow = <Db as sqlx::Database>::Row;

/// Whether one incident is among `held_incidents`, without looking at all of them.
const HELD: &str = "SELECT 1 FROM incidents AS i \
     WHERE i.incident_id IN ($1, (SELECT same_as FROM incidents WHERE incident_id = $1)) AND ( \
         EXISTS (SELECT 1 FROM cases AS c WHERE c.case_id = i.case_id AND c.closed_at IS NULL) \
         OR EXISTS (SELECT 1 FROM holds AS h WHERE h.ended_at IS NULL \
             AND h.subject_kind = 'incident' AND h.subject_id = i.incident_id) \
         OR EXISTS (SELECT 1 FROM holds AS h WHERE h.ended_at IS NULL \
             AND h.subject_kind = 'case' AND h.subject_id = i.case_id)) LIMIT 1";

/// Who does what follows from holds.
const VAULT: &str = "vault";

impl Database {
    pub(crate) async fn put_hold(&self, hold: &HoldRow) -> Result<bool, StoreError> {
        let (kind, id) = hold.subject.parts();
        let mut tx = self.begin().await?;
        lock(&mut tx, hold.subject).await?;
        let made = sqlx::query::<Db>(
            "INSERT INTO holds (hold_id, subject_kind, subject_id, at, made_by, reason) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        )
        .bind(hold.id)
        .bind(kind)
        .bind(id)
        .bind(micros(hold.at))
        .bind(storable(&hold.by))
        .bind(storable(&hold.reason))
        .execute(&mut *tx)
        .await
        .attempt("store a hold")?;
        if made.rows_affected() == 0 {
            return Ok(false);
        }
        let detail = json!({ "reason": storable(&hold.reason) });
        let entry = AuditEntry::new(hold.at, &hold.by, "hold.made", kind, &id.to_string(), detail);
        insert_audit(&mut tx, &entry).await?;
        tx.commit().await.attempt("commit a hold")?;
        Ok(true)
    }

    pub(crate) async fn end_hold(
        &self,
        subject: HoldSubject,
        by: &str,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let (kind, id) = subject.parts();
        let mut tx = self.begin().await?;
        let ended = sqlx::query::<Db>(
            "UPDATE holds SET ended_at = $3, ended_by = $4 WHERE subject_kind = $1 AND subject_id = $2 AND ended_at IS NULL",
        )
        .bind(kind)
        .bind(id)
        .bind(micros(at))
        .bind(storable(by))
        .execute(&mut *tx)
        .await
        .attempt("end a hold")?;
        if ended.rows_affected() == 0 {
            return Ok(false);
        }
        insert_audit(&mut tx, &AuditEntry::new(at, by, "hold.ended", kind, &id.to_string(), json!({})))
            .await?;
        tx.commit().await.attempt("commit the end of a hold")?;
        Ok(true)
    }

    pub(crate) async fn holds(
        &self,
        incident: Option<IncidentId>,
        case: Option<CaseId>,
    ) -> Result<Vec<HoldRow>, StoreError> {
        let mut query = QueryBuilder::<Db>::new("SELECT * FROM holds WHERE ended_at IS NULL AND (FALSE");
        let subjects = [incident.map(HoldSubject::Incident), case.map(HoldSubject::Case)];
        for subject in subjects.into_iter().flatten() {
            let (kind, id) = subject.parts();
            query.push(" OR (subject_kind = ").push_bind(kind);
            query.push(" AND subject_id = ").push_bind(id).push(")");
        }
        query.push(") ORDER BY at, hold_id");
        let rows = query.build().fetch_all(&self.reader).await.attempt("read holds")?;
        let hold = |row: &DbRow| {
            let id: Uuid = get(row, "subject_id")?;
            Ok(HoldRow {
                id: get(row, "hold_id")?,
                subject: match get::<String>(row, "subject_kind")?.as_str() {
                    "incident" => HoldSubject::Incident(IncidentId(id)),
                    "case" => HoldSubject::Case(CaseId(id)),
                    other => return Err(unreadable("subject_kind", other)),
                },
                at: instant("at", get(row, "at")?)?,
                by: get(row, "made_by")?,
                reason: get(row, "reason")?,
            })
        };
        rows.iter().map(hold).collect()
    }

    pub(crate) async fn is_held(&self, incident: IncidentId) -> Result<bool, StoreError> {
        let held = sqlx::query::<Db>(HELD)
            .bind(incident.0)
            .fetch_optional(&self.reader)
            .await
            .attempt("look whether an incident is held")?;
        Ok(held.is_some())
    }

    pub(crate) async fn files_to_keep(
        &self,
        after: &str,
        limit: u32,
    ) -> Result<Vec<(IncidentId, StoredEvidence)>, StoreError> {
        let rows = sqlx::query::<Db>(
            "SELECT * FROM evidence AS e WHERE e.deletion IS NULL AND e.sha256 > $1 \
             AND e.incident_id IN (SELECT incident_id FROM held_incidents) \
             AND NOT EXISTS (SELECT 1 FROM vault AS v WHERE v.sha256 = e.sha256) \
             ORDER BY e.sha256, e.incident_id, e.role, e.path LIMIT $2",
        )
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(&self.reader)
        .await
        .attempt("look for files that must stay")?;
        rows.iter().map(|row| Ok((IncidentId(get(row, "incident_id")?), stored_evidence(row)?))).collect()
    }

    pub(crate) async fn files_kept(
        &self,
        files: &[(IncidentId, StoredEvidence)],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut of_incident: BTreeMap<IncidentId, Vec<_>> = BTreeMap::new();
        let mut tx = self.begin().await?;
        for (incident, file) in files {
            let new =
                sqlx::query::<Db>("INSERT INTO vault (sha256, at) VALUES ($1, $2) ON CONFLICT DO NOTHING")
                    .bind(&file.item.sha256)
                    .bind(micros(at))
                    .execute(&mut *tx)
                    .await
                    .attempt("note a file in the vault")?;
            if new.rows_affected() == 1 {
                of_incident.entry(*incident).or_default().push(named(file));
            }
        }
        for (incident, files) in of_incident {
            let (id, detail) = (incident.to_string(), json!({ "files": files }));
            insert_audit(&mut tx, &AuditEntry::new(at, VAULT, "evidence.kept", "incident", &id, detail))
                .await?;
        }
        tx.commit().await.attempt("commit files in the vault")
    }

    pub(crate) async fn files_to_let_go(&self, limit: u32) -> Result<Vec<String>, StoreError> {
        sqlx::query_scalar::<Db, String>(
            "SELECT sha256 FROM vault WHERE sha256 NOT IN (SELECT e.sha256 FROM evidence AS e WHERE e.deletion IS NULL \
             AND e.incident_id IN (SELECT incident_id FROM held_incidents)) ORDER BY sha256 LIMIT $1",
        )
        .bind(i64::from(limit))
        .fetch_all(&self.reader)
        .await
        .attempt("look for files that nothing holds")
    }

    pub(crate) async fn file_let_go(&self, sha256: &str, at: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let gone = sqlx::query::<Db>("DELETE FROM vault WHERE sha256 = $1")
            .bind(sha256)
            .execute(&mut *tx)
            .await
            .attempt("take a file off the vault's list")?;
        if gone.rows_affected() == 1 {
            let entry = AuditEntry::new(at, VAULT, "evidence.let_go", "file", sha256, json!({}));
            insert_audit(&mut tx, &entry).await?;
        }
        tx.commit().await.attempt("commit that a file was let go")
    }

    pub(crate) async fn ask_deletion(&self, deletion: &DeletionRow) -> Result<(), StoreError> {
        let incident = deletion.incident;
        let mut tx = self.begin().await?;
        if lock(&mut tx, HoldSubject::Incident(incident)).await? == 0 {
            return Err(StoreError::NoIncident(incident));
        }
        refuse_held(&mut tx, incident).await?;
        let left =
            sqlx::query::<Db>("SELECT 1 FROM evidence WHERE incident_id = $1 AND deletion IS NULL LIMIT 1")
                .bind(incident.0)
                .fetch_optional(&mut *tx)
                .await
                .attempt("look whether there is evidence")?;
        if left.is_none() {
            return Err(StoreError::NothingToDelete(incident));
        }
        let asked = sqlx::query::<Db>(
            "INSERT INTO deletions (deletion_id, incident_id, asked_at, asked_by, reason) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT DO NOTHING",
        )
        .bind(deletion.id)
        .bind(incident.0)
        .bind(micros(deletion.asked_at))
        .bind(storable(&deletion.asked_by))
        .bind(storable(&deletion.reason))
        .execute(&mut *tx)
        .await
        .attempt("store a deletion that is asked for")?;
        if asked.rows_affected() == 0 {
            return Err(StoreError::DeletionAsked(incident));
        }
        let detail = json!({ "reason": storable(&deletion.reason) });
        let (at, by) = (deletion.asked_at, &deletion.asked_by);
        let entry = AuditEntry::new(at, by, "deletion.asked", "incident", &incident.to_string(), detail);
        insert_audit(&mut tx, &entry).await?;
        tx.commit().await.attempt("commit a deletion that is asked for")
    }

    pub(crate) async fn approve_deletion(
        &self,
        incident: IncidentId,
        by: &str,
        at: Timestamp,
    ) -> Result<DeletionRow, StoreError> {
        let mut tx = self.begin().await?;
        lock(&mut tx, HoldSubject::Incident(incident)).await?;
        let row = sqlx::query::<Db>(
            "SELECT * FROM deletions WHERE incident_id = $1 AND approved_at IS NULL AND withdrawn_at IS NULL",
        )
        .bind(incident.0)
        .fetch_optional(&mut *tx)
        .await
        .attempt("read a deletion")?;
        let deletion = row.as_ref().map(deletion_row).transpose()?.ok_or(StoreError::NoDeletion(incident))?;
        if deletion.asked_by == storable(by) {
            return Err(StoreError::SamePerson(incident));
        }
        refuse_held(&mut tx, incident).await?;
        sqlx::query::<Db>("UPDATE deletions SET approved_at = $2, approved_by = $3 WHERE deletion_id = $1")
            .bind(deletion.id)
            .bind(micros(at))
            .bind(storable(by))
            .execute(&mut *tx)
            .await
            .attempt("approve a deletion")?;
        let rows = sqlx::query::<Db>(
            "UPDATE evidence SET deletion = $2 WHERE incident_id = $1 AND deletion IS NULL RETURNING *",
        )
        .bind(incident.0)
        .bind(deletion.id)
        .fetch_all(&mut *tx)
        .await
        .attempt("mark evidence as deleted")?;
        let files = rows.iter().map(stored_evidence).collect::<Result<Vec<_>, _>>()?;
        // Let go, but not noted yet: what is deleted is on no list.
        sqlx::query::<Db>(
            "DELETE FROM vault WHERE sha256 IN (SELECT sha256 FROM evidence WHERE deletion = $1) \
             AND sha256 NOT IN (SELECT sha256 FROM evidence WHERE deletion IS NULL)",
        )
        .bind(deletion.id)
        .execute(&mut *tx)
        .await
        .attempt("take deleted files off the vault's list")?;
        let detail = json!({
            "asked_by": deletion.asked_by, "asked_at": deletion.asked_at, "reason": deletion.reason,
            "files": files.iter().map(named).collect::<Vec<_>>(),
        });
        let entry = AuditEntry::new(at, by, "evidence.deleted", "incident", &incident.to_string(), detail);
        insert_audit(&mut tx, &entry).await?;
        tx.commit().await.attempt("commit a deletion")?;
        Ok(deletion)
    }

    pub(crate) async fn withdraw_deletion(
        &self,
        incident: IncidentId,
        by: &str,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let withdrawn = sqlx::query::<Db>(
            "UPDATE deletions SET withdrawn_at = $2, withdrawn_by = $3 \
             WHERE incident_id = $1 AND approved_at IS NULL AND withdrawn_at IS NULL",
        )
        .bind(incident.0)
        .bind(micros(at))
        .bind(storable(by))
        .execute(&mut *tx)
        .await
        .attempt("withdraw a deletion")?;
        if withdrawn.rows_affected() == 0 {
            return Ok(false);
        }
        let id = incident.to_string();
        insert_audit(&mut tx, &AuditEntry::new(at, by, "deletion.withdrawn", "incident", &id, json!({})))
            .await?;
        tx.commit().await.attempt("commit the end of a deletion")?;
        Ok(true)
    }

    pub(crate) async fn deletions(
        &self,
        incident: Option<IncidentId>,
        scope: &Scope,
    ) -> Result<Vec<DeletionRow>, StoreError> {
        let mut query = QueryBuilder::<Db>::new(
            "SELECT d.* FROM deletions AS d JOIN incidents AS i ON i.incident_id = d.incident_id \
             WHERE d.approved_at IS NULL AND d.withdrawn_at IS NULL",
        );
        if let Some(incident) = incident {
            query.push(" AND d.incident_id = ").push_bind(incident.0);
        }
        within(&mut query, scope);
        query.push(" ORDER BY d.asked_at, d.deletion_id LIMIT 500");
        let rows = query.build().fetch_all(&self.reader).await.attempt("read deletions")?;
        rows.iter().map(deletion_row).collect()
    }

    pub(crate) async fn deletions_to_do(&self) -> Result<Vec<(Uuid, Vec<String>)>, StoreError> {
        let ids: Vec<Uuid> = sqlx::query_scalar::<Db, Uuid>(
            "SELECT deletion_id FROM deletions WHERE approved_at IS NOT NULL AND done_at IS NULL ORDER BY approved_at",
        )
        .fetch_all(&self.reader)
        .await
        .attempt("look for deletions to do")?;
        let mut to_do = Vec::with_capacity(ids.len());
        for id in ids {
            let files = sqlx::query_scalar::<Db, String>(
                "SELECT DISTINCT e.sha256 FROM evidence AS e WHERE e.deletion = $1 AND NOT EXISTS \
                 (SELECT 1 FROM evidence AS o WHERE o.sha256 = e.sha256 AND o.deletion IS NULL)",
            )
            .bind(id)
            .fetch_all(&self.reader)
            .await
            .attempt("read which files to delete")?;
            to_do.push((id, files));
        }
        Ok(to_do)
    }

    pub(crate) async fn deletion_done(&self, id: Uuid, at: Timestamp) -> Result<(), StoreError> {
        sqlx::query::<Db>("UPDATE deletions SET done_at = $2 WHERE deletion_id = $1")
            .bind(id)
            .bind(micros(at))
            .execute(&self.writer)
            .await
            .attempt("note that a deletion is done")?;
        Ok(())
    }
}

/// Holds the incidents that are meant until the transaction ends, so that a hold and a deletion never pass each other; how
/// many they are.
async fn lock(tx: &mut Transaction<'static, Db>, subject: HoldSubject) -> Result<u64, StoreError> {
    let statement = match subject {
        HoldSubject::Incident(_) => "UPDATE incidents SET status = status WHERE incident_id = $1",
        HoldSubject::Case(_) => "UPDATE incidents SET status = status WHERE case_id = $1",
    };
    let locked = sqlx::query::<Db>(statement)
        .bind(subject.parts().1)
        .execute(&mut **tx)
        .await
        .attempt("hold on to incidents")?;
    Ok(locked.rows_affected())
}

async fn refuse_held(tx: &mut Transaction<'static, Db>, incident: IncidentId) -> Result<(), StoreError> {
    let held = sqlx::query::<Db>(HELD)
        .bind(incident.0)
        .fetch_optional(&mut **tx)
        .await
        .attempt("look whether an incident is held")?;
    if held.is_some() { Err(StoreError::Held(incident)) } else { Ok(()) }
}

fn deletion_row(row: &DbRow) -> Result<DeletionRow, StoreError> {
    Ok(DeletionRow {
        id: get(row, "deletion_id")?,
        incident: IncidentId(get(row, "incident_id")?),
        asked_at: instant("asked_at", get(row, "asked_at")?)?,
        asked_by: get(row, "asked_by")?,
        reason: get(row, "reason")?,
    })
}
