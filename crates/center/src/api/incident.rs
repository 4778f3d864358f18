//! Incidents: reading and judging them.

use axum::{
    Json,
    extract::{Path, Query, State, rejection::JsonRejection},
};
use parapet_core::{IncidentId, KindCode, Permission, Scope, Timestamp};
use parapet_store::{AuditQuery, IncidentQuery, StatusChange, StoreError};
use serde::Deserialize;
use tracing::info;
use utoipa::IntoParams;

use super::{
    App,
    live_shape::LiveMessage,
    problem::{ApiError, Problem},
    shape::{
        Audit, Count, Evidence, HealthState, Incident, IncidentDetail, IncidentEvent, IncidentPage, Stats,
        Status, VerdictRequest,
    },
};
use crate::caller::Caller;

const NOTE_CHARACTERS: usize = 300;

/// Which incidents; what is left out does not narrow.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct IncidentsQuery {
    /// Code of the kind.
    kind: Option<String>,
    /// The site.
    site: Option<String>,
    /// The node.
    node: Option<String>,
    /// The camera.
    camera: Option<String>,
    /// State in people's work.
    status: Option<Status>,
    /// Only those that go on, or only those that are over.
    open: Option<bool>,
    /// Raised at or after this time.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Raised before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// With this text in a name, the reason of the verdict or the id.
    #[param(max_length = 200)]
    text: Option<String>,
    /// At most so many.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
    /// Kept out of the queue by a mute, or not.
    muted: Option<bool>,
    /// Of a file: `zh-CN` (without it) or `en`.
    #[param(value_type = Option<String>)]
    language: Option<parapet_core::Language>,
}

pub(super) const NAME: &str = "1–64: a-z 0-9 - _";

pub(super) fn parsed<T: std::str::FromStr>(
    value: Option<String>,
    field: &'static str,
    hint: &'static str,
) -> Result<Option<T>, ApiError> {
    value.map(|text| text.parse().map_err(|_| ApiError::Invalid { field, hint })).transpose()
}

/// What somebody wrote, without the spaces round it; nothing is none.
pub(super) fn text(
    field: &'static str,
    value: Option<String>,
    most: usize,
) -> Result<Option<String>, ApiError> {
    let value = value.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if value.as_ref().is_some_and(|text| text.chars().count() > most) {
        let hint = if most == 300 { "≤ 300" } else { "≤ 2000" };
        return Err(ApiError::Invalid { field, hint });
    }
    Ok(value)
}

impl IncidentsQuery {
    /// In which language a file is wanted.
    pub(super) fn language(&self) -> parapet_core::Language {
        self.language.unwrap_or_default()
    }

    pub(super) fn into_query(self, scope: Scope) -> Result<IncidentQuery, ApiError> {
        let limit = self.limit.unwrap_or(50);
        if !(1..=500).contains(&limit) {
            return Err(ApiError::Invalid { field: "limit", hint: "1–500" });
        }
        if self.text.as_ref().is_some_and(|text| text.chars().count() > 200) {
            return Err(ApiError::Invalid { field: "text", hint: "≤ 200" });
        }
        Ok(IncidentQuery {
            kind: parsed::<KindCode>(self.kind, "kind", "1–64: a-z 0-9 _")?,
            site: parsed(self.site, "site", NAME)?,
            node: parsed(self.node, "node", NAME)?,
            camera: parsed(self.camera, "camera", NAME)?,
            status: self.status.map(Into::into),
            open: self.open,
            muted: self.muted,
            sightings: false,
            from: self.from,
            to: self.to,
            text: self.text.filter(|text| !text.trim().is_empty()),
            scope,
            limit,
            cursor: parsed(self.cursor, "cursor", "the \"next\" of the page before")?,
        })
    }
}

/// Incidents, newest first.
#[utoipa::path(
    get, path = "/api/incidents", tag = "incidents", params(IncidentsQuery),
    responses(
        (status = 200, body = IncidentPage),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn incidents(
    State(app): State<App>,
    caller: Caller,
    query: Result<Query<IncidentsQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<IncidentPage>, ApiError> {
    let scope = caller.scope(Permission::See)?;
    let Query(query) =
        query.map_err(|_| ApiError::Invalid { field: "query", hint: "see /api/openapi.json" })?;
    let page = app.store.incidents(&query.into_query(scope)?).await?;
    let incidents = with_roles(&app, page.incidents).await?;
    Ok(Json(IncidentPage { incidents, next: page.next.map(|cursor| cursor.to_string()) }))
}

/// Incidents with the roles of their evidence, which one statement finds.
pub(super) async fn with_roles(
    app: &App,
    rows: Vec<parapet_store::IncidentRow>,
) -> Result<Vec<Incident>, ApiError> {
    let ids: Vec<IncidentId> = rows.iter().map(|row| row.id).collect();
    let mut roles = app.store.evidence_roles(&ids).await?;
    let incident = |row: parapet_store::IncidentRow| {
        let roles = roles.remove(&row.id).unwrap_or_default();
        Incident::with_roles(row, roles)
    };
    Ok(rows.into_iter().map(incident).collect())
}

/// The incident with this id, if the caller may do this to it.
pub(super) async fn found(
    app: &App,
    caller: &Caller,
    permission: Permission,
    id: &str,
) -> Result<parapet_store::IncidentDetail, ApiError> {
    caller.require_somewhere(permission)?;
    let id: IncidentId = id.parse().map_err(|_| ApiError::NotFound)?;
    let detail = app.store.incident(id).await?.ok_or(ApiError::NotFound)?;
    caller.require(permission, Some(&detail.incident.site), Some(&detail.incident.camera))?;
    Ok(detail)
}

/// One incident with its history and evidence.
#[utoipa::path(
    get, path = "/api/incidents/{id}", tag = "incidents",
    params(("id" = String, Path, description = "the incident's id")),
    responses(
        (status = 200, body = IncidentDetail),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn incident(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<IncidentDetail>, ApiError> {
    let mut detail = found(&app, &caller, Permission::See, &id).await?;
    let scope = caller.access.scope(Permission::See);
    let within =
        |row: &parapet_store::IncidentRow| scope.contains(Some(row.site.as_str()), Some(row.camera.as_str()));
    detail.sightings.retain(within);
    Ok(Json(detail_of(&app, detail).await?))
}

/// All of an incident, with what people did to it.
pub(super) async fn detail_of(
    app: &App,
    detail: parapet_store::IncidentDetail,
) -> Result<IncidentDetail, ApiError> {
    let (subject_kind, subject_id) = (Some("incident".to_owned()), Some(detail.incident.id.to_string()));
    let mut audit = app
        .store
        .audit(&AuditQuery { subject_kind, subject_id, limit: 200, ..AuditQuery::default() })
        .await?;
    audit.reverse();
    let sightings = with_roles(app, detail.sightings).await?;
    let id = detail.incident.id;
    let holds = super::hold::holds_on(app, Some(id), detail.incident.case).await?;
    let (held, deletion) = (app.store.is_held(id).await?, super::hold::pending(app, id).await?);
    let mut incident = Incident::new(detail.incident, &detail.evidence);
    incident.claimed_by = app.claims.of(id, app.clock.now()).map(|claim| claim.by);
    Ok(IncidentDetail {
        incident,
        sightings,
        events: detail.events.into_iter().map(event).collect(),
        evidence: detail.evidence.into_iter().map(evidence).collect(),
        audit: audit.iter().map(deed).collect(),
        held,
        holds,
        deletion,
    })
}

fn event(stored: parapet_store::StoredEvent) -> IncidentEvent {
    let parapet_store::StoredEvent { event, received_at } = stored;
    IncidentEvent {
        event_id: event.event_id.to_string(),
        sequence: event.sequence,
        phase: event.phase.into(),
        at: event.at,
        received_at,
        end_reason: event.end_reason.map(Into::into),
        bbox: event.bbox,
        count: event.count,
        score: event.score,
        covered: event.covered,
    }
}

fn evidence(stored: parapet_store::StoredEvidence) -> Evidence {
    Evidence {
        role: stored.item.role.into(),
        media_type: stored.item.media_type,
        bytes: stored.item.bytes,
        sha256: stored.item.sha256,
        at: stored.at,
        deleted: stored.deleted.map(|deleted| super::shape::Deleted {
            asked_by: deleted.asked_by,
            approved_by: deleted.approved_by,
            at: deleted.at,
        }),
    }
}

/// A change of status goes by the name of what the incident became.
fn deed(row: &parapet_store::AuditRow) -> Audit {
    let text = |name: &str| row.detail.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
    Audit {
        at: row.at,
        operator: row.actor.clone(),
        action: text("to").unwrap_or_else(|| row.action.clone()),
        reason: text("reason"),
    }
}

/// Confirms or dismisses an incident, or takes that back.
#[utoipa::path(
    post, path = "/api/incidents/{id}/verdict", tag = "incidents",
    params(("id" = String, Path, description = "the incident's id")),
    request_body = VerdictRequest,
    responses(
        (status = 200, body = Incident, description = "the incident as it stands now; the same verdict again changes nothing"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "somebody judged otherwise before"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn verdict(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    body: Result<Json<VerdictRequest>, JsonRejection>,
) -> Result<Json<Incident>, ApiError> {
    let id = found(&app, &caller, Permission::Judge, &id).await?.incident.id;
    let other = app.claims.of(id, app.clock.now()).filter(|claim| claim.by != caller.name);
    if let Some(other) = other {
        return Err(ApiError::Claimed(other.by));
    }
    let Json(verdict) = body.map_err(|rejection| ApiError::Body(rejection.body_text()))?;
    let (to, reason) = outcome(verdict)?;
    let change = StatusChange { to, operator: caller.name.clone(), reason, at: app.clock.now() };
    let row = match app.store.set_status(id, &change).await {
        Ok(row) => row,
        Err(StoreError::NoIncident(_)) => return Err(ApiError::NotFound),
        // Two operators of one mind, or a request that was sent again: nothing to argue about.
        Err(StoreError::Transition { from, to, .. }) if from == to => {
            let detail = app.store.incident(id).await?.ok_or(ApiError::NotFound)?;
            return Ok(Json(Incident::new(detail.incident, &detail.evidence)));
        }
        Err(StoreError::Transition { from, .. }) => return Err(ApiError::AlreadyJudged(from)),
        Err(error) => return Err(error.into()),
    };
    info!(incident = %id, status = ?row.status, operator = caller.name, "an incident was judged");
    metrics::counter!("parapet_center_verdicts_total", "kind" => row.kind.to_string(), "status" => format!("{:?}", row.status).to_lowercase())
        .increment(1);
    let evidence = app.store.incident(id).await?.map(|detail| detail.evidence).unwrap_or_default();
    app.claims.release(id, &caller.name);
    let incident = Incident::new(row, &evidence);
    app.hub.tell(&LiveMessage::Incident { incident: Box::new(incident.clone()) });
    Ok(Json(incident))
}

fn outcome(verdict: VerdictRequest) -> Result<(parapet_core::Status, Option<String>), ApiError> {
    let (to, code, note) = match verdict {
        VerdictRequest::Confirm { note } => (parapet_core::Status::Confirmed, None, note),
        VerdictRequest::Dismiss { reason, note } => {
            (parapet_core::Status::Dismissed, Some(reason.code()), note)
        }
        VerdictRequest::Withdraw { note } => (parapet_core::Status::New, None, note),
    };
    let note = text("note", note, NOTE_CHARACTERS)?;
    let reason = match (code, note) {
        (Some(code), Some(note)) => Some(format!("{code}: {note}")),
        (Some(code), None) => Some(code.to_owned()),
        (None, note) => note,
    };
    Ok((to, reason))
}

/// How much there is of everything.
#[utoipa::path(
    get, path = "/api/stats", tag = "incidents",
    responses(
        (status = 200, body = Stats),
        (status = 403, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn stats(State(app): State<App>, caller: Caller) -> Result<Json<Stats>, ApiError> {
    let scope = caller.scope(Permission::See)?;
    let counts =
        app.store.counts(&IncidentQuery { scope: scope.clone(), ..IncidentQuery::default() }).await?;
    let sum =
        |of: &dyn Fn(&parapet_store::Count) -> bool| counts.iter().filter(|c| of(c)).map(|c| c.count).sum();
    let cameras = app.roster.cameras(&scope);
    let nodes = app.roster.nodes(&scope);
    Ok(Json(Stats {
        to_check: sum(&|count| count.status == parapet_core::Status::New),
        open: sum(&|count| count.open),
        incidents: sum(&|_| true),
        cameras: cameras.len() as u64,
        cameras_streaming: cameras
            .iter()
            .filter(|c| c.node_online && c.state == HealthState::Streaming)
            .count() as u64,
        nodes: nodes.len() as u64,
        nodes_online: nodes.iter().filter(|node| node.online).count() as u64,
        counts: counts
            .into_iter()
            .map(|c| Count { kind: c.kind.into(), status: c.status.into(), open: c.open, count: c.count })
            .collect(),
    }))
}
