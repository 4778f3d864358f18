//! Cases for people: pages, one with everything, counts, and the case before at a place.

use std::collections::HashMap;

use parapet_core::{
    CaseId, IncidentId,
    case::{Case, CaseStep, Lateness, Number},
    geo::Place,
};
use sqlx::{Executor, QueryBuilder, Transaction, types::Json};
use uuid::Uuid;

use super::{Database, Db, reading::get, scope::within};
use crate::{
    AnswerRow, CaseCount, CaseDetail, CasePage, CaseQuery, CaseRow, HistoryRow, OrderRow, PictureRow,
    StoreError,
    choice::{choice, instant, micros, name, number, text},
    error::Attempt,
};

type DbRow = <Db as sqlx::Database>::Row;

/// A case as it stands in this transaction.
pub(super) async fn case_of(tx: &mut Transaction<'static, Db>, id: CaseId) -> Result<Case, StoreError> {
    case_by_id(&mut **tx, id).await?.ok_or(StoreError::NoCase(id))
}

/// A case as it stands.
pub(super) async fn case_by_id<'e>(
    database: impl Executor<'e, Database = Db>,
    id: CaseId,
) -> Result<Option<Case>, StoreError> {
    let row = sqlx::query::<Db>("SELECT * FROM cases WHERE case_id = $1")
        .bind(id.0)
        .fetch_optional(database)
        .await
        .attempt("read a case")?;
    row.as_ref().map(case_row).transpose()
}

impl Database {
    pub(crate) async fn case(&self, id: CaseId) -> Result<Option<CaseDetail>, StoreError> {
        let Some(case) = case_by_id(&self.reader, id).await? else { return Ok(None) };
        let history = sqlx::query::<Db>("SELECT * FROM case_history WHERE case_id = $1 ORDER BY sequence")
            .bind(id.0)
            .fetch_all(&self.reader)
            .await
            .attempt("read a case's history")?;
        let orders = sqlx::query::<Db>("SELECT * FROM orders WHERE case_id = $1 ORDER BY issued_at, number")
            .bind(id.0)
            .fetch_all(&self.reader)
            .await
            .attempt("read a case's orders")?;
        let answers = sqlx::query::<Db>("SELECT * FROM answers WHERE case_id = $1 ORDER BY at, answer_id")
            .bind(id.0)
            .fetch_all(&self.reader)
            .await
            .attempt("read a case's answers")?;
        let pictures = sqlx::query::<Db>(
            "SELECT * FROM answer_pictures WHERE answer_id IN (SELECT answer_id FROM answers WHERE case_id = $1) \
             ORDER BY answer_id, position",
        )
        .bind(id.0)
        .fetch_all(&self.reader)
        .await
        .attempt("read the pictures of answers")?;
        let mut of_answer: HashMap<Uuid, Vec<PictureRow>> = HashMap::new();
        for row in &pictures {
            of_answer.entry(get(row, "answer_id")?).or_default().push(PictureRow {
                id: get(row, "picture_id")?,
                media_type: get(row, "media_type")?,
                bytes: number("bytes", get(row, "bytes")?)?,
                sha256: get(row, "sha256")?,
            });
        }
        let answer = |row: &DbRow| {
            let id = get(row, "answer_id")?;
            Ok(AnswerRow {
                id,
                order: Number::stored(get(row, "order_number")?),
                at: instant("at", get(row, "at")?)?,
                actor: get(row, "actor")?,
                text: get(row, "text")?,
                pictures: of_answer.remove(&id).unwrap_or_default(),
            })
        };
        let answers = answers.iter().map(answer).collect::<Result<_, StoreError>>()?;
        let related = sqlx::query::<Db>(
            "SELECT * FROM cases WHERE case_id = $2 OR case_id = $3 OR merged_into = $1 OR follows = $1 \
             ORDER BY opened_at, case_id",
        )
        .bind(id.0)
        .bind(case.follows.map(|case| case.0))
        .bind(case.merged_into.map(|case| case.0))
        .fetch_all(&self.reader)
        .await
        .attempt("read a case's relatives")?;
        let related = related.iter().map(case_row).collect::<Result<Vec<_>, _>>()?;
        let mut rows = self.with_parts(vec![case]).await?;
        let CaseRow { case, incidents, .. } = rows.remove(0);
        Ok(Some(CaseDetail {
            case,
            incidents,
            history: history.iter().map(history_row).collect::<Result<_, _>>()?,
            orders: orders.iter().map(order_row).collect::<Result<_, _>>()?,
            answers,
            related: self.with_parts(related).await?,
        }))
    }

    pub(crate) async fn cases(&self, wanted: &CaseQuery) -> Result<CasePage, StoreError> {
        let limit = wanted.limit.clamp(1, 500);
        let mut query = QueryBuilder::<Db>::new("SELECT * FROM cases");
        narrow(&mut query, wanted);
        if let Some((opened_at, id)) = wanted.cursor {
            query.push(" AND (opened_at, case_id) < (").push_bind(opened_at);
            query.push(", ").push_bind(id.0).push(")");
        }
        query.push(" ORDER BY opened_at DESC, case_id DESC LIMIT ").push_bind(i64::from(limit) + 1);
        let rows = query.build().fetch_all(&self.reader).await.attempt("list cases")?;
        let more = rows.len() > limit as usize;
        let cases = rows.iter().take(limit as usize).map(case_row).collect::<Result<Vec<_>, _>>()?;
        let next = cases.last().filter(|_| more).map(|last| (micros(last.opened_at), last.id));
        Ok(CasePage { cases: self.with_parts(cases).await?, next })
    }

    /// How many cases stand how at which step; of `wanted`, its own step and lateness do not narrow.
    pub(crate) async fn case_counts(&self, wanted: &CaseQuery) -> Result<Vec<CaseCount>, StoreError> {
        let now = micros(wanted.now);
        let mut query = QueryBuilder::<Db>::new("SELECT step, CASE WHEN ");
        push_lateness(&mut query, Lateness::Overdue, now);
        query.push(" THEN 'overdue' WHEN ");
        push_lateness(&mut query, Lateness::Warning, now);
        query.push(" THEN 'warning' ELSE 'on_time' END AS lateness, COUNT(*) AS cases FROM cases");
        narrow(&mut query, &CaseQuery { step: None, lateness: None, ..wanted.clone() });
        query.push(" GROUP BY 1, 2 ORDER BY 1, 2");
        let rows = query.build().fetch_all(&self.reader).await.attempt("count cases")?;
        let count = |row: &DbRow| {
            Ok(CaseCount {
                step: choice("step", get::<String>(row, "step")?.as_str())?,
                lateness: choice("lateness", get::<String>(row, "lateness")?.as_str())?,
                count: number("cases", get(row, "cases")?)?,
            })
        };
        rows.iter().map(count).collect()
    }

    pub(crate) async fn order(&self, wanted: &Number) -> Result<Option<OrderRow>, StoreError> {
        let row = sqlx::query::<Db>("SELECT * FROM orders WHERE number = $1")
            .bind(wanted.as_str())
            .fetch_optional(&self.reader)
            .await
            .attempt("read an order")?;
        row.as_ref().map(order_row).transpose()
    }

    /// Cases with their incidents and latest orders: two statements for all of them.
    async fn with_parts(&self, cases: Vec<Case>) -> Result<Vec<CaseRow>, StoreError> {
        if cases.is_empty() {
            return Ok(Vec::new());
        }
        let among = |query: &mut QueryBuilder<Db>| {
            let mut ids = query.separated(", ");
            for case in &cases {
                ids.push_bind(case.id.0);
            }
            query.push(")");
        };
        let mut query =
            QueryBuilder::<Db>::new("SELECT case_id, incident_id FROM incidents WHERE case_id IN (");
        among(&mut query);
        query.push(" ORDER BY started_at, incident_id");
        let rows = query.build().fetch_all(&self.reader).await.attempt("read the incidents of cases")?;
        let mut incidents: HashMap<Uuid, Vec<IncidentId>> = HashMap::new();
        for row in &rows {
            incidents.entry(get(row, "case_id")?).or_default().push(IncidentId(get(row, "incident_id")?));
        }
        let mut query =
            QueryBuilder::<Db>::new("SELECT case_id, MAX(number) AS number FROM orders WHERE case_id IN (");
        among(&mut query);
        query.push(" GROUP BY case_id");
        let rows = query.build().fetch_all(&self.reader).await.attempt("read the orders of cases")?;
        let mut orders: HashMap<Uuid, Number> = HashMap::new();
        for row in &rows {
            orders.insert(get(row, "case_id")?, Number::stored(get(row, "number")?));
        }
        let row = |case: Case| CaseRow {
            incidents: incidents.remove(&case.id.0).unwrap_or_default(),
            order: orders.remove(&case.id.0),
            case,
        };
        Ok(cases.into_iter().map(row).collect())
    }
}

fn push_lateness(query: &mut QueryBuilder<Db>, lateness: Lateness, now: i64) {
    query.push("(closed_at IS NULL AND suspended_at IS NULL AND ");
    match lateness {
        Lateness::Overdue => {
            query
                .push("COALESCE(step_due <= ")
                .push_bind(now)
                .push(" OR due <= ")
                .push_bind(now)
                .push(", FALSE)");
        }
        Lateness::Warning => {
            query
                .push("COALESCE(step_due > ")
                .push_bind(now)
                .push(", FALSE) AND COALESCE(due > ")
                .push_bind(now);
            query.push(", TRUE) AND COALESCE(warn_at <= ").push_bind(now).push(", TRUE)");
        }
        Lateness::OnTime => {
            query
                .push("COALESCE(warn_at > ")
                .push_bind(now)
                .push(", FALSE) AND COALESCE(due > ")
                .push_bind(now);
            query.push(", TRUE)");
        }
    }
    query.push(")");
}

fn narrow(query: &mut QueryBuilder<Db>, wanted: &CaseQuery) {
    query.push(" WHERE TRUE");
    let equal = [
        ("site", wanted.site.as_ref().map(|v| v.as_str().to_owned())),
        ("kind", wanted.kind.as_ref().map(|v| v.as_str().to_owned())),
        ("step", wanted.step.map(name)),
        ("department", wanted.department.as_ref().map(|v| v.as_str().to_owned())),
    ];
    for (column, value) in equal {
        if let Some(value) = value {
            query.push(" AND ").push(column).push(" = ").push_bind(value);
        }
    }
    within(query, &wanted.scope);
    if let Some(lateness) = wanted.lateness {
        query.push(" AND ");
        push_lateness(query, lateness, micros(wanted.now));
    }
    match wanted.open {
        Some(true) => drop(query.push(" AND closed_at IS NULL")),
        Some(false) => drop(query.push(" AND closed_at IS NOT NULL")),
        None => {}
    }
    if let Some(from) = wanted.from {
        query.push(" AND opened_at >= ").push_bind(micros(from));
    }
    if let Some(to) = wanted.to {
        query.push(" AND opened_at < ").push_bind(micros(to));
    }
    if let Some(words) = wanted.text.as_deref().map(str::trim).filter(|words| !words.is_empty()) {
        let pattern = crate::choice::containing(words);
        query.push(" AND words LIKE ").push_bind(pattern).push(" ESCAPE '\\'");
    }
}

fn case_row(row: &DbRow) -> Result<Case, StoreError> {
    let required = |column| get::<String>(row, column);
    let optional = |column| get::<Option<String>>(row, column);
    let time = |column| instant(column, get::<i64>(row, column)?);
    let optional_time =
        |column| get::<Option<i64>>(row, column)?.map(|micros| instant(column, micros)).transpose();
    Ok(Case {
        id: CaseId(get(row, "case_id")?),
        number: Number::stored(required("number")?),
        site: text("site", &required("site")?)?,
        camera: optional("camera")?.map(|v| text("camera", &v)).transpose()?,
        kind: text("kind", &required("kind")?)?,
        step: choice("step", &required("step")?)?,
        suspended_at: optional_time("suspended_at")?,
        level: choice("level", &required("level")?)?,
        department: optional("department")?.map(|v| text("department", &v)).transpose()?,
        opened_at: time("opened_at")?,
        opened_by: required("opened_by")?,
        updated_at: time("updated_at")?,
        closed_at: optional_time("closed_at")?,
        step_since: time("step_since")?,
        step_due: optional_time("step_due")?,
        due: optional_time("due")?,
        warn_at: optional_time("warn_at")?,
        escalate_at: optional_time("escalate_at")?,
        place: get::<Option<Json<Place>>>(row, "place")?.map(|place| place.0),
        place_text: optional("place_text")?,
        note: optional("note")?,
        reopened: number("reopened", get(row, "reopened")?)?,
        merged_into: get::<Option<Uuid>>(row, "merged_into")?.map(CaseId),
        follows: get::<Option<Uuid>>(row, "follows")?.map(CaseId),
        sequence: number("sequence", get(row, "sequence")?)?,
    })
}

fn history_row(row: &DbRow) -> Result<HistoryRow, StoreError> {
    let step = |value: String| choice::<CaseStep>("step", &value);
    let due: Option<i64> = get(row, "due")?;
    Ok(HistoryRow {
        sequence: number("sequence", get(row, "sequence")?)?,
        at: instant("at", get(row, "at")?)?,
        actor: get(row, "actor")?,
        action: choice("action", get::<String>(row, "action")?.as_str())?,
        from: get::<Option<String>>(row, "from_step")?.map(step).transpose()?,
        to: step(get(row, "to_step")?)?,
        reason: get(row, "reason")?,
        department: get::<Option<String>>(row, "department")?.map(|v| text("department", &v)).transpose()?,
        level: choice("level", get::<String>(row, "level")?.as_str())?,
        due: due.map(|due| instant("due", due)).transpose()?,
        detail: get::<Json<serde_json::Value>>(row, "detail")?.0,
    })
}

fn order_row(row: &DbRow) -> Result<OrderRow, StoreError> {
    let due: Option<i64> = get(row, "due")?;
    Ok(OrderRow {
        number: Number::stored(get(row, "number")?),
        case: CaseId(get(row, "case_id")?),
        department: text("department", get::<String>(row, "department")?.as_str())?,
        issued_at: instant("issued_at", get(row, "issued_at")?)?,
        issued_by: get(row, "issued_by")?,
        due: due.map(|due| instant("due", due)).transpose()?,
        instruction: get(row, "instruction")?,
        document: get::<Json<serde_json::Value>>(row, "document")?.0,
    })
}
