//! Incidents for people: pages, one with everything, counts.

use std::collections::HashMap;

use parapet_core::{
    BBox, CaseId, EvidenceRole, IncidentId, Point, RunId, Scope, Status, TrackId, geo::Place,
};
use sqlx::{QueryBuilder, Row, types::Json};
use uuid::Uuid;

use super::{
    Database, Db,
    scope::{within, within_sites},
};
use crate::{
    Count, Cursor, Deleted, IncidentDetail, IncidentQuery, IncidentRow, Page, StoreError, StoredEvent,
    StoredEvidence, VerdictPage, VerdictQuery,
    choice::{choice, containing, event, instant, micros, name, number, text},
    error::Attempt,
};

type DbRow = <Db as sqlx::Database>::Row;

impl Database {
    pub(crate) async fn incidents(&self, wanted: &IncidentQuery) -> Result<Page, StoreError> {
        let limit = wanted.limit.clamp(1, 500);
        let rows = if let Some((looks, besides)) = self.looks(wanted).await? {
            self.newest_of(&looks, &besides, limit as usize + 1).await?
        } else {
            let mut query = QueryBuilder::<Db>::new("SELECT * FROM incidents");
            narrow(&mut query, wanted, wanted.cursor);
            query.push(" ORDER BY started_at DESC, incident_id DESC LIMIT ").push_bind(i64::from(limit) + 1);
            query.build().fetch_all(&self.reader).await.attempt("list incidents")?
        };
        let mut incidents =
            rows.iter().take(limit as usize).map(incident_row).collect::<Result<Vec<_>, _>>()?;
        let more = rows.len() > limit as usize;
        let next = incidents.last_mut().filter(|_| more);
        let next = next.map(|last| Cursor { started_at: micros(last.started_at), id: last.id });
        Ok(Page { incidents, next })
    }

    pub(crate) async fn incident(&self, id: IncidentId) -> Result<Option<IncidentDetail>, StoreError> {
        let row = sqlx::query::<Db>("SELECT * FROM incidents WHERE incident_id = $1")
            .bind(id.0)
            .fetch_optional(&self.reader)
            .await
            .attempt("read an incident")?;
        let Some(row) = row else { return Ok(None) };
        let events = sqlx::query::<Db>(
            "SELECT version, document, received_at FROM incident_events WHERE incident_id = $1 ORDER BY sequence, event_id",
        )
        .bind(id.0)
        .fetch_all(&self.reader)
        .await
        .attempt("read an incident's events")?;
        let evidence =
            sqlx::query::<Db>("SELECT * FROM evidence WHERE incident_id = $1 ORDER BY at, role, path")
                .bind(id.0)
                .fetch_all(&self.reader)
                .await
                .attempt("read an incident's evidence")?;
        let evidence = self.with_deletions(id, &evidence).await?;
        let sightings =
            sqlx::query::<Db>("SELECT * FROM incidents WHERE same_as = $1 ORDER BY started_at, incident_id")
                .bind(id.0)
                .fetch_all(&self.reader)
                .await
                .attempt("read an incident's other sightings")?;
        Ok(Some(IncidentDetail {
            incident: incident_row(&row)?,
            sightings: sightings.iter().map(incident_row).collect::<Result<_, _>>()?,
            events: events.iter().map(stored_event).collect::<Result<_, _>>()?,
            evidence,
        }))
    }

    /// Files of an incident, with who deleted them.
    async fn with_deletions(
        &self,
        incident: IncidentId,
        rows: &[DbRow],
    ) -> Result<Vec<StoredEvidence>, StoreError> {
        let mut files = rows.iter().map(stored_evidence).collect::<Result<Vec<_>, _>>()?;
        let fell_to = rows
            .iter()
            .map(|row| get::<Option<Uuid>>(row, "deletion"))
            .collect::<Result<Vec<_>, StoreError>>()?;
        if fell_to.iter().all(Option::is_none) {
            return Ok(files);
        }
        let deletions =
            sqlx::query::<Db>("SELECT * FROM deletions WHERE incident_id = $1 AND approved_at IS NOT NULL")
                .bind(incident.0)
                .fetch_all(&self.reader)
                .await
                .attempt("read an incident's deletions")?;
        for row in &deletions {
            let id: Uuid = get(row, "deletion_id")?;
            let deleted = Deleted {
                asked_by: get(row, "asked_by")?,
                approved_by: get(row, "approved_by")?,
                at: instant("approved_at", get(row, "approved_at")?)?,
            };
            for (file, _) in files.iter_mut().zip(&fell_to).filter(|(_, deletion)| **deletion == Some(id)) {
                file.deleted = Some(deleted.clone());
            }
        }
        Ok(files)
    }

    pub(crate) async fn verdicts(&self, wanted: &VerdictQuery) -> Result<VerdictPage, StoreError> {
        let limit = wanted.limit.clamp(1, 5000);
        let mut query = QueryBuilder::<Db>::new("SELECT * FROM incidents");
        let of = wanted.clone();
        let of = IncidentQuery {
            sightings: true,
            kind: of.kind,
            site: of.site,
            node: of.node,
            camera: of.camera,
            from: of.from,
            to: of.to,
            scope: of.scope,
            ..IncidentQuery::default()
        };
        narrow(&mut query, &of, None);
        query.push(" AND judged_at IS NOT NULL AND status <> ").push_bind(name(Status::New));
        if let Some(cursor) = wanted.cursor {
            query.push(" AND (started_at, incident_id) > (").push_bind(cursor.started_at);
            query.push(", ").push_bind(cursor.id.0).push(")");
        }
        query.push(" ORDER BY started_at, incident_id LIMIT ").push_bind(i64::from(limit) + 1);
        let rows = query.build().fetch_all(&self.reader).await.attempt("read the verdicts")?;
        let more = rows.len() > limit as usize;
        let mut verdicts = Vec::with_capacity(rows.len());
        for row in rows.iter().take(limit as usize) {
            verdicts.extend(incident_row(row)?.judged(wanted.names));
        }
        let next = verdicts.last().filter(|_| more);
        let next = next.map(|last| Cursor { started_at: micros(last.started_at), id: last.incident });
        Ok(VerdictPage { verdicts, next })
    }

    pub(crate) async fn evidence_roles(
        &self,
        incidents: &[IncidentId],
    ) -> Result<HashMap<IncidentId, Vec<EvidenceRole>>, StoreError> {
        let mut query =
            QueryBuilder::<Db>::new("SELECT DISTINCT incident_id, role FROM evidence WHERE incident_id IN (");
        let mut ids = query.separated(", ");
        for id in incidents {
            ids.push_bind(id.0);
        }
        query.push(")");
        let rows = query.build().fetch_all(&self.reader).await.attempt("read which evidence there is")?;
        let mut roles: HashMap<IncidentId, Vec<EvidenceRole>> = HashMap::new();
        for row in &rows {
            let role = choice("role", get::<String>(row, "role")?.as_str())?;
            roles.entry(IncidentId(get(row, "incident_id")?)).or_default().push(role);
        }
        for roles in roles.values_mut() {
            roles.sort_unstable();
        }
        Ok(roles)
    }

    pub(crate) async fn counts(&self, wanted: &IncidentQuery) -> Result<Vec<Count>, StoreError> {
        let mut query;
        if is_tallied(wanted) {
            query = QueryBuilder::<Db>::new(
                "SELECT kind, status, open, CAST(SUM(incidents) AS BIGINT) AS incidents FROM incident_tallies",
            );
            narrow_tallies(&mut query, wanted);
            query.push(" GROUP BY 1, 2, 3 HAVING SUM(incidents) <> 0 ORDER BY 1, 2, 3");
        } else {
            query = QueryBuilder::<Db>::new(
                "SELECT kind, status, ended_at IS NULL AS open, COUNT(*) AS incidents FROM incidents",
            );
            narrow(&mut query, wanted, None);
            query.push(" GROUP BY 1, 2, 3 ORDER BY 1, 2, 3");
        }
        let rows = query.build().fetch_all(&self.reader).await.attempt("count incidents")?;
        let count = |row: &DbRow| {
            Ok(Count {
                kind: text("kind", get::<String>(row, "kind")?.as_str())?,
                status: choice("status", get::<String>(row, "status")?.as_str())?,
                open: get(row, "open")?,
                count: number("incidents", get(row, "incidents")?)?,
            })
        };
        rows.iter().map(count).collect()
    }
}

/// Whether the tallies know how many incidents a query has: they tell sites, kinds and states apart, nothing else.
fn is_tallied(wanted: &IncidentQuery) -> bool {
    let IncidentQuery { node, camera, sightings, from, to, text, scope, .. } = wanted;
    let whole_sites = match scope {
        Scope::All => true,
        Scope::Only { cameras, .. } => cameras.is_empty(),
    };
    let all_text = text.as_deref().is_none_or(|words| words.trim().is_empty());
    whole_sites
        && all_text
        && !sightings
        && node.is_none()
        && camera.is_none()
        && from.is_none()
        && to.is_none()
}

fn narrow_tallies(query: &mut QueryBuilder<Db>, wanted: &IncidentQuery) {
    query.push(" WHERE TRUE");
    let equal = [
        ("kind", wanted.kind.as_ref().map(|v| v.as_str().to_owned())),
        ("site", wanted.site.as_ref().map(|v| v.as_str().to_owned())),
        ("status", wanted.status.map(name)),
    ];
    for (column, value) in equal {
        if let Some(value) = value {
            query.push(" AND ").push(column).push(" = ").push_bind(value);
        }
    }
    for (column, value) in [("open", wanted.open), ("muted", wanted.muted)] {
        if let Some(value) = value {
            query.push(" AND ").push(column).push(" = ").push_bind(value);
        }
    }
    within_sites(query, &wanted.scope);
}

pub(super) fn narrow(query: &mut QueryBuilder<Db>, wanted: &IncidentQuery, cursor: Option<Cursor>) {
    query.push(" WHERE TRUE");
    let equal = [
        ("kind", wanted.kind.as_ref().map(|v| v.as_str().to_owned())),
        ("site", wanted.site.as_ref().map(|v| v.as_str().to_owned())),
        ("node", wanted.node.as_ref().map(|v| v.as_str().to_owned())),
        ("camera", wanted.camera.as_ref().map(|v| v.as_str().to_owned())),
        ("status", wanted.status.map(name)),
    ];
    for (column, value) in equal {
        if let Some(value) = value {
            query.push(" AND ").push(column).push(" = ").push_bind(value);
        }
    }
    within(query, &wanted.scope);
    if !wanted.sightings {
        query.push(" AND same_as IS NULL");
    }
    match wanted.open {
        Some(true) => drop(query.push(" AND ended_at IS NULL")),
        Some(false) => drop(query.push(" AND ended_at IS NOT NULL")),
        None => {}
    }
    match wanted.muted {
        Some(true) => drop(query.push(" AND muted_by IS NOT NULL")),
        Some(false) => drop(query.push(" AND muted_by IS NULL")),
        None => {}
    }
    if let Some(from) = wanted.from {
        query.push(" AND started_at >= ").push_bind(micros(from));
    }
    if let Some(to) = wanted.to {
        query.push(" AND started_at < ").push_bind(micros(to));
    }
    if let Some(cursor) = cursor {
        query.push(" AND (started_at, incident_id) < (").push_bind(cursor.started_at);
        query.push(", ").push_bind(cursor.id.0).push(")");
    }
    if let Some(words) = wanted.text.as_deref().map(str::trim).filter(|words| !words.is_empty()) {
        if let Ok(id) = words.parse::<Uuid>() {
            query.push(" AND incident_id = ").push_bind(id);
            return;
        }
        let pattern = containing(words);
        query.push(" AND (");
        for column in ["site", "node", "camera", "zone", "rule", "label", "reason"] {
            query
                .push("LOWER(")
                .push(column)
                .push(") LIKE ")
                .push_bind(pattern.clone())
                .push(" ESCAPE '\\' OR ");
        }
        query.push(
            "kind IN (SELECT code FROM kinds WHERE LOWER(code || ' ' || name_zh || ' ' || name_en) LIKE ",
        );
        query.push_bind(pattern).push(" ESCAPE '\\'))");
    }
}

/// A column of a row; one that is not there or of another kind is named.
pub(super) fn get<'r, T>(row: &'r DbRow, column: &'static str) -> Result<T, StoreError>
where
    T: sqlx::Decode<'r, Db> + sqlx::Type<Db>,
{
    row.try_get(column).attempt(column)
}

pub(super) fn incident_row(row: &DbRow) -> Result<IncidentRow, StoreError> {
    let required = |column| get::<String>(row, column);
    let optional = |column| get::<Option<String>>(row, column);
    let time = |column| instant(column, get::<i64>(row, column)?);
    let optional_time =
        |column| get::<Option<i64>>(row, column)?.map(|micros| instant(column, micros)).transpose();
    Ok(IncidentRow {
        id: IncidentId(get(row, "incident_id")?),
        site: text("site", &required("site")?)?,
        node: text("node", &required("node")?)?,
        camera: text("camera", &required("camera")?)?,
        preset: optional("preset")?.map(|v| text("preset", &v)).transpose()?,
        kind: text("kind", &required("kind")?)?,
        rule: text("rule", &required("rule")?)?,
        zone: optional("zone")?.map(|v| text("zone", &v)).transpose()?,
        severity: choice("severity", &required("severity")?)?,
        phase: choice("phase", &required("phase")?)?,
        status: choice("status", &required("status")?)?,
        sequence: number("sequence", get(row, "sequence")?)?,
        since: time("since")?,
        started_at: time("started_at")?,
        updated_at: time("updated_at")?,
        ended_at: optional_time("ended_at")?,
        end_reason: optional("end_reason")?.map(|v| choice("end_reason", &v)).transpose()?,
        label: optional("label")?,
        track: get::<Option<i64>>(row, "track")?.map(|track| TrackId(track.cast_unsigned())),
        bbox: get::<Json<BBox>>(row, "bbox")?.0,
        outline: get::<Option<Json<Vec<Point>>>>(row, "outline")?.map(|outline| outline.0),
        count: number("count", get(row, "count")?)?,
        score: get(row, "score")?,
        covered: get(row, "covered")?,
        place: get::<Option<Json<Place>>>(row, "place")?.map(|place| place.0),
        same_as: get::<Option<Uuid>>(row, "same_as")?.map(IncidentId),
        case: get::<Option<Uuid>>(row, "case_id")?.map(CaseId),
        muted_by: get(row, "muted_by")?,
        run: RunId(get(row, "run")?),
        received_at: time("received_at")?,
        judged_by: optional("judged_by")?,
        judged_at: optional_time("judged_at")?,
        reason: optional("reason")?,
    })
}

fn stored_event(row: &DbRow) -> Result<StoredEvent, StoreError> {
    Ok(StoredEvent {
        event: event(get(row, "version")?, get::<Json<serde_json::Value>>(row, "document")?.0)?,
        received_at: instant("received_at", get(row, "received_at")?)?,
    })
}

pub(super) fn stored_evidence(row: &DbRow) -> Result<StoredEvidence, StoreError> {
    Ok(StoredEvidence {
        item: parapet_core::EvidenceItem {
            role: choice("role", get::<String>(row, "role")?.as_str())?,
            path: get(row, "path")?,
            media_type: get(row, "media_type")?,
            bytes: number("bytes", get(row, "bytes")?)?,
            sha256: get(row, "sha256")?,
        },
        base_url: get(row, "base_url")?,
        site: text("site", get::<String>(row, "site")?.as_str())?,
        node: text("node", get::<String>(row, "node")?.as_str())?,
        at: instant("at", get(row, "at")?)?,
        deleted: None,
    })
}
