//! What is done to cases: each deed in one transaction with its record, the incidents' status and what goes with it.

use parapet_core::{
    CameraId, CaseId, DepartmentId, IncidentId, Status, Timestamp,
    case::{Case, CaseAction, CaseRules, CaseStep, Deed, Number, Report},
};
use serde_json::{Value, json};
use sqlx::{QueryBuilder, Transaction, types::Json};
use uuid::Uuid;

use super::{Database, Db, case_reading::case_of, people::insert_audit};
use crate::{
    AuditEntry, CaseExtra, CaseRow, HistoryRow, NewAnswer, NewOrder, StoreError,
    choice::{choice, column, micros, name, number, storable},
    error::Attempt,
};

impl Database {
    pub(crate) async fn open_case(
        &self,
        report: Report,
        incidents: &[IncidentId],
        rules: &CaseRules<'_>,
    ) -> Result<CaseRow, StoreError> {
        let mut tx = self.begin().await?;
        let (actor, at, note) = (report.by.clone(), report.at, report.note.clone());
        let year = report.at.to_zoned(rules.calendar.zone().clone()).year();
        let serial = next_serial(&mut tx, "case", year).await?;
        let case = Case::report(Number::of_case(year, serial), report, rules);
        write_case(&mut tx, &case).await?;
        for incident in incidents {
            take_incident(&mut tx, *incident, &case, &actor, at).await?;
        }
        let deed = Deed { reason: note, ..Deed::new(CaseAction::Report, actor, at) };
        let entry = history(None, &case, &deed, json!({ "incidents": incidents }));
        record(&mut tx, &case, &entry).await?;
        tx.commit().await.attempt("commit a new case")?;
        Ok(CaseRow { case, incidents: incidents.to_vec(), order: None })
    }

    /// Does a deed to a case, if it is as it was (`expected`, a sequence) where that is given.
    pub(crate) async fn change_case(
        &self,
        id: CaseId,
        deed: &Deed,
        extra: &CaseExtra,
        rules: &CaseRules<'_>,
    ) -> Result<Case, StoreError> {
        let mut tx = self.begin().await?;
        let before = case_of(&mut tx, id).await?;
        if let Some(into) = deed.into {
            let other = case_of(&mut tx, into).await?;
            if !other.step.is_open() || other.site != before.site {
                return Err(StoreError::CannotMerge { case: other.number.to_string() });
            }
        }
        let case = before.after(deed, rules)?;
        if let Some(into) = case.merged_into.filter(|_| deed.action == CaseAction::Merge) {
            let other = case_of(&mut tx, into).await?;
            let link =
                Deed { reason: deed.reason.clone(), ..Deed::new(CaseAction::Link, &deed.actor, deed.at) };
            let linked = other.after(&link, rules)?;
            if !update_case(&mut tx, &linked, other.sequence).await? {
                return Err(StoreError::CaseChanged(into));
            }
            let entry = history(Some(other.step), &linked, &link, json!({ "case": case.number }));
            record(&mut tx, &linked, &entry).await?;
        }
        if !update_case(&mut tx, &case, before.sequence).await? {
            return Err(StoreError::CaseChanged(id));
        }
        let detail = match extra {
            CaseExtra::None => deed.into.map_or_else(|| json!({}), |into| json!({ "into": into })),
            CaseExtra::Order(order) => {
                let year = deed.at.to_zoned(rules.calendar.zone().clone()).year();
                json!({ "order": insert_order(&mut tx, &case, deed, order, year).await? })
            }
            CaseExtra::Answer(answer) => {
                json!({ "answer": insert_answer(&mut tx, &case, deed, answer).await? })
            }
            CaseExtra::Incident(incident) => {
                take_incident(&mut tx, *incident, &case, &deed.actor, deed.at).await?;
                json!({ "incident": incident })
            }
        };
        follow(&mut tx, &case).await?;
        let entry = history(Some(before.step), &case, deed, detail);
        record(&mut tx, &case, &entry).await?;
        tx.commit().await.attempt("commit a deed to a case")?;
        Ok(case)
    }

    /// Open cases whose warning or whistle is due, those that have waited longest first.
    pub(crate) async fn cases_to_tell(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(CaseId, CaseAction)>, StoreError> {
        let rows = sqlx::query_as::<Db, (Uuid, bool)>(
            "SELECT case_id, COALESCE(escalate_at <= $1, FALSE) FROM cases WHERE closed_at IS NULL \
             AND suspended_at IS NULL AND (warn_at <= $1 OR escalate_at <= $1) \
             ORDER BY COALESCE(escalate_at, warn_at), case_id LIMIT $2",
        )
        .bind(micros(now))
        .bind(i64::from(limit))
        .fetch_all(&self.reader)
        .await
        .attempt("look for deadlines that pass")?;
        let told = |(id, escalate): (Uuid, bool)| {
            (CaseId(id), if escalate { CaseAction::Escalate } else { CaseAction::Warn })
        };
        Ok(rows.into_iter().map(told).collect())
    }
}

fn history(from: Option<CaseStep>, case: &Case, deed: &Deed, detail: Value) -> HistoryRow {
    HistoryRow {
        sequence: case.sequence,
        at: deed.at,
        actor: deed.actor.clone(),
        action: deed.action,
        from,
        to: case.step,
        reason: deed.reason.clone(),
        department: case.department.clone(),
        level: case.level,
        due: case.step_due,
        detail,
    }
}

async fn next_serial(tx: &mut Transaction<'static, Db>, of: &str, year: i16) -> Result<u32, StoreError> {
    let last: i64 = sqlx::query_scalar::<Db, i64>(
        "INSERT INTO serials (name, year, last) VALUES ($1, $2, 1) \
         ON CONFLICT (name, year) DO UPDATE SET last = serials.last + 1 RETURNING last",
    )
    .bind(of)
    .bind(i64::from(year))
    .fetch_one(&mut **tx)
    .await
    .attempt("take the next number of the year")?;
    number("last", last)
}

async fn write_case(tx: &mut Transaction<'static, Db>, case: &Case) -> Result<(), StoreError> {
    sqlx::query::<Db>(
        "INSERT INTO cases (case_id, number, site, camera, kind, opened_at, opened_by, place, latitude, longitude, \
         place_text, note, follows, step, level, updated_at, step_since, reopened, sequence) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, '', '', 0, 0, 0, 0)",
    )
    .bind(case.id.0)
    .bind(case.number.as_str())
    .bind(case.site.as_str())
    .bind(case.camera.as_ref().map(CameraId::as_str))
    .bind(case.kind.as_str())
    .bind(micros(case.opened_at))
    .bind(storable(&case.opened_by))
    .bind(case.place.as_ref().map(Json))
    .bind(case.place.as_ref().map(|place| place.position.point.latitude))
    .bind(case.place.as_ref().map(|place| place.position.point.longitude))
    .bind(case.place_text.as_deref().map(storable))
    .bind(case.note.as_deref().map(storable))
    .bind(case.follows.map(|case| case.0))
    .execute(&mut **tx)
    .await
    .attempt("store a case")?;
    update_case(tx, case, 0).await.map(drop)
}

/// Writes what changes about a case, if it is still at the sequence that was read.
async fn update_case(
    tx: &mut Transaction<'static, Db>,
    case: &Case,
    read_at: u32,
) -> Result<bool, StoreError> {
    let changed = sqlx::query::<Db>(
        "UPDATE cases SET step = $3, suspended_at = $4, level = $5, department = $6, updated_at = $7, closed_at = $8, \
         step_since = $9, step_due = $10, due = $11, warn_at = $12, escalate_at = $13, reopened = $14, \
         merged_into = $15, sequence = $16 WHERE case_id = $1 AND sequence = $2",
    )
    .bind(case.id.0)
    .bind(i64::from(read_at))
    .bind(name(case.step))
    .bind(case.suspended_at.map(micros))
    .bind(name(case.level))
    .bind(case.department.as_ref().map(DepartmentId::as_str))
    .bind(micros(case.updated_at))
    .bind(case.closed_at.map(micros))
    .bind(micros(case.step_since))
    .bind(case.step_due.map(micros))
    .bind(case.due.map(micros))
    .bind(case.warn_at.map(micros))
    .bind(case.escalate_at.map(micros))
    .bind(i64::from(case.reopened))
    .bind(case.merged_into.map(|case| case.0))
    .bind(i64::from(case.sequence))
    .execute(&mut **tx)
    .await
    .attempt("change a case")?;
    Ok(changed.rows_affected() == 1)
}

/// Makes an incident a part of a case. Who had not judged it has confirmed it by that.
async fn take_incident(
    tx: &mut Transaction<'static, Db>,
    incident: IncidentId,
    case: &Case,
    actor: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    let row = sqlx::query_as::<Db, (String, Option<Uuid>)>(
        "SELECT status, case_id FROM incidents WHERE incident_id = $1",
    )
    .bind(incident.0)
    .fetch_optional(&mut **tx)
    .await
    .attempt("read an incident's status")?;
    let (status, filed) = row.ok_or(StoreError::NoIncident(incident))?;
    let status: Status = choice("status", &status)?;
    if let Some(filed) = filed.filter(|_| !matches!(status, Status::New | Status::Confirmed)) {
        return Err(StoreError::AlreadyFiled { incident, case: CaseId(filed) });
    }
    if status == Status::Dismissed {
        return Err(StoreError::Transition { incident, from: status, to: Status::Filed });
    }
    let taken = sqlx::query::<Db>(
        "UPDATE incidents SET case_id = $2, status = $3, judged_by = COALESCE(judged_by, $4), \
         judged_at = COALESCE(judged_at, $5) WHERE incident_id = $1 AND status = $6",
    )
    .bind(incident.0)
    .bind(case.id.0)
    .bind(name(case.step.incident_status()))
    .bind(storable(actor))
    .bind(micros(at))
    .bind(name(status))
    .execute(&mut **tx)
    .await
    .attempt("make an incident a part of a case")?;
    if taken.rows_affected() == 1 { Ok(()) } else { Err(StoreError::CaseChanged(case.id)) }
}

/// The incidents of a case go where the case goes.
async fn follow(tx: &mut Transaction<'static, Db>, case: &Case) -> Result<(), StoreError> {
    if let Some(into) = case.merged_into {
        let step: String = sqlx::query_scalar::<Db, String>("SELECT step FROM cases WHERE case_id = $1")
            .bind(into.0)
            .fetch_one(&mut **tx)
            .await
            .attempt("read a case's step")?;
        let step: CaseStep = choice("step", &step)?;
        sqlx::query::<Db>("UPDATE incidents SET case_id = $2, status = $3 WHERE case_id = $1")
            .bind(case.id.0)
            .bind(into.0)
            .bind(name(step.incident_status()))
            .execute(&mut **tx)
            .await
            .attempt("move incidents to another case")?;
        return Ok(());
    }
    sqlx::query::<Db>("UPDATE incidents SET status = $2 WHERE case_id = $1")
        .bind(case.id.0)
        .bind(name(case.step.incident_status()))
        .execute(&mut **tx)
        .await
        .attempt("change the status of a case's incidents")?;
    Ok(())
}

async fn record(
    tx: &mut Transaction<'static, Db>,
    case: &Case,
    entry: &HistoryRow,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(
        "INSERT INTO case_history (case_id, sequence, at, actor, action, from_step, to_step, reason, department, level, \
         due, detail) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(case.id.0)
    .bind(i64::from(entry.sequence))
    .bind(micros(entry.at))
    .bind(storable(&entry.actor))
    .bind(name(entry.action))
    .bind(entry.from.map(name))
    .bind(name(entry.to))
    .bind(entry.reason.as_deref().map(storable))
    .bind(entry.department.as_ref().map(DepartmentId::as_str))
    .bind(name(entry.level))
    .bind(entry.due.map(micros))
    .bind(Json(&entry.detail))
    .execute(&mut **tx)
    .await
    .attempt("put a deed to a case on record")?;
    let (action, subject) = (format!("case.{}", name(entry.action)), case.id.to_string());
    let detail = json!({
        "number": case.number, "site": case.site, "from": entry.from, "to": entry.to,
        "reason": entry.reason.as_deref().map(storable), "department": entry.department, "detail": entry.detail,
    });
    insert_audit(tx, &AuditEntry::new(entry.at, &entry.actor, &action, "case", &subject, detail)).await
}

async fn insert_order(
    tx: &mut Transaction<'static, Db>,
    case: &Case,
    deed: &Deed,
    order: &NewOrder,
    year: i16,
) -> Result<Number, StoreError> {
    let number = Number::of_order(year, next_serial(tx, "order", year).await?);
    let department = case.department.as_ref().map_or("", |department| department.as_str());
    sqlx::query::<Db>(
        "INSERT INTO orders (number, case_id, department, issued_at, issued_by, due, instruction, document) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(number.as_str())
    .bind(case.id.0)
    .bind(department)
    .bind(micros(deed.at))
    .bind(storable(&deed.actor))
    .bind(case.step_due.map(micros))
    .bind(order.instruction.as_deref().map(storable))
    .bind(Json(&order.document))
    .execute(&mut **tx)
    .await
    .attempt("issue an order")?;
    if order.targets.is_empty() {
        return Ok(number);
    }
    let message = json!({
        "schema": "parapet.order.v1", "number": number, "case": case.number, "case_id": case.id, "site": case.site,
        "kind": case.kind, "department": case.department, "issued_at": deed.at, "issued_by": deed.actor,
        "due": case.step_due, "instruction": order.instruction, "document": order.document,
    });
    let mut query =
        QueryBuilder::<Db>::new("INSERT INTO deliveries (created_at, target, document, next_at) ");
    query.push_values(&order.targets, |mut row, target| {
        row.push_bind(micros(deed.at)).push_bind(target).push_bind(Json(&message)).push_bind(micros(deed.at));
    });
    query.build().execute(&mut **tx).await.attempt("prepare an order's delivery")?;
    Ok(number)
}

async fn insert_answer(
    tx: &mut Transaction<'static, Db>,
    case: &Case,
    deed: &Deed,
    answer: &NewAnswer,
) -> Result<Uuid, StoreError> {
    let order: Option<String> = sqlx::query_scalar::<Db, String>(
        "SELECT number FROM orders WHERE case_id = $1 ORDER BY issued_at DESC, number DESC LIMIT 1",
    )
    .bind(case.id.0)
    .fetch_optional(&mut **tx)
    .await
    .attempt("read a case's order")?;
    let id = CaseId::derive(&["answer", &case.id.to_string(), &case.sequence.to_string()]).0;
    sqlx::query::<Db>(
        "INSERT INTO answers (answer_id, case_id, order_number, at, actor, text) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id)
    .bind(case.id.0)
    .bind(order.unwrap_or_default())
    .bind(micros(deed.at))
    .bind(storable(&deed.actor))
    .bind(storable(&answer.text))
    .execute(&mut **tx)
    .await
    .attempt("store an answer")?;
    for (position, picture) in answer.pictures.iter().enumerate() {
        sqlx::query::<Db>(
            "INSERT INTO answer_pictures (picture_id, answer_id, position, media_type, bytes, sha256) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(picture.id)
        .bind(id)
        .bind(column(position as u64))
        .bind(&picture.media_type)
        .bind(column(picture.bytes))
        .bind(&picture.sha256)
        .execute(&mut **tx)
        .await
        .attempt("store an answer's picture")?;
    }
    Ok(id)
}
