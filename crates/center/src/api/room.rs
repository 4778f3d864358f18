//! The monitoring room: the review queue, who looks at what, mutes, and what else there was at a place.

use std::cmp::Reverse;

use axum::{
    Json,
    extract::{Path, Query, State, rejection::JsonRejection, rejection::QueryRejection},
    http::StatusCode,
};
use jiff::SignedDuration;
use parapet_core::{BBox, IncidentId, Permission, Status, Timestamp};
use parapet_store::{IncidentQuery, MuteRow};
use serde::{Deserialize, Serialize};
use tracing::info;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    App,
    case_shape::Case,
    incident::{NAME, detail_of, found, parsed, text, with_roles},
    live_shape::LiveMessage,
    problem::{ApiError, Problem},
    shape::{Incident, IncidentDetail},
};
use crate::caller::Caller;

/// How many of those that wait are looked through for the most pressing one.
const LOOKED_THROUGH: u32 = 200;
/// What there was before at a place is shown up to so many.
const AT_PLACE: usize = 50;

/// What the next one may not be.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct NextQuery {
    /// Only of this site.
    site: Option<String>,
    /// Ids that were put off, with commas.
    #[param(max_length = 4000)]
    skip: Option<String>,
}

/// The next incident to be judged.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Next {
    /// The most pressing one that nobody else looks at; none if all are judged.
    #[schema(required)]
    incident: Option<IncidentDetail>,
    /// Until when it is the caller's.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    claimed_until: Option<Timestamp>,
    /// How many wait, this one included.
    waiting: u64,
}

/// Gives the caller the most pressing incident that waits: by severity, then by how long it has waited. It is claimed for a
/// minute; claim it again while it is on the screen.
#[utoipa::path(
    post, path = "/api/review/next", tag = "room", params(NextQuery),
    responses(
        (status = 200, body = Next),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn next(
    State(app): State<App>,
    caller: Caller,
    query: Result<Query<NextQuery>, QueryRejection>,
) -> Result<Json<Next>, ApiError> {
    let scope = caller.scope(Permission::Judge)?;
    let Query(query) =
        query.map_err(|_| ApiError::Invalid { field: "query", hint: "see /api/openapi.json" })?;
    let skip = query.skip.unwrap_or_default();
    let skip: Vec<IncidentId> = skip.split(',').filter_map(|id| id.trim().parse().ok()).collect();
    let wanted = IncidentQuery {
        site: parsed(query.site, "site", NAME)?,
        status: Some(Status::New),
        muted: Some(false),
        scope,
        limit: LOOKED_THROUGH,
        ..IncidentQuery::default()
    };
    let counts = app.store.counts(&wanted).await?;
    let waiting = counts.iter().map(|count| count.count).sum();
    let mut rows = app.store.incidents(&wanted).await?.incidents;
    rows.sort_by_key(|row| (Reverse(row.severity), row.started_at, row.id));
    let now = app.clock.now();
    for row in rows.iter().filter(|row| !skip.contains(&row.id)) {
        if let Ok(claim) = app.claims.take(row.id, &caller.name, now) {
            let Some(detail) = app.store.incident(row.id).await? else { continue };
            tell(&app, &detail);
            let incident = Some(detail_of(&app, detail).await?);
            return Ok(Json(Next { incident, claimed_until: Some(claim.until), waiting }));
        }
    }
    Ok(Json(Next { incident: None, claimed_until: None, waiting }))
}

/// A claim.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Claimed {
    /// Until when.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// Whose it is.
    by: String,
}

/// Tells the pages who has an incident now.
fn tell(app: &App, detail: &parapet_store::IncidentDetail) {
    let mut incident = Incident::new(detail.incident.clone(), &detail.evidence);
    incident.claimed_by = app.claims.of(detail.incident.id, app.clock.now()).map(|claim| claim.by);
    app.hub.tell(&LiveMessage::Incident { incident: Box::new(incident) });
}

/// Claims an incident for a minute, or renews the claim.
#[utoipa::path(
    post, path = "/api/incidents/{id}/claim", tag = "room",
    params(("id" = String, Path, description = "the incident's id")),
    responses(
        (status = 200, body = Claimed),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "somebody else looks at it"),
    )
)]
pub(super) async fn claim(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Claimed>, ApiError> {
    let detail = found(&app, &caller, Permission::Judge, &id).await?;
    let (id, now) = (detail.incident.id, app.clock.now());
    let is_new = app.claims.of(id, now).is_none();
    let claim = app.claims.take(id, &caller.name, now).map_err(|other| ApiError::Claimed(other.by))?;
    if is_new {
        tell(&app, &detail);
    }
    Ok(Json(Claimed { until: claim.until, by: claim.by }))
}

/// Lets an incident go.
#[utoipa::path(
    delete, path = "/api/incidents/{id}/claim", tag = "room",
    params(("id" = String, Path, description = "the incident's id")),
    responses(
        (status = 204, description = "it is nobody's, or somebody else's"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn release(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let detail = found(&app, &caller, Permission::Judge, &id).await?;
    if app.claims.release(detail.incident.id, &caller.name) {
        tell(&app, &detail);
    }
    Ok(StatusCode::NO_CONTENT)
}

/// What else there was at a place.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PlaceHistory {
    /// Incidents of any kind, newest first.
    incidents: Vec<Incident>,
    /// The cases that they belong to, newest first.
    cases: Vec<Case>,
}

/// What else there was at the place of an incident.
#[utoipa::path(
    get, path = "/api/incidents/{id}/history-of-place", tag = "room",
    params(("id" = String, Path, description = "the incident's id")),
    responses(
        (status = 200, body = PlaceHistory),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn history_of_place(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<PlaceHistory>, ApiError> {
    let incident = found(&app, &caller, Permission::See, &id).await?.incident;
    let mut rows = app.store.incidents_at_place_of(&incident, AT_PLACE).await?;
    rows.retain(|row| caller.access.may(Permission::See, Some(&row.site), Some(&row.camera)));
    let mut ids: Vec<_> = rows.iter().filter_map(|row| row.case).collect();
    ids.sort_unstable();
    ids.dedup();
    let now = app.clock.now();
    let mut cases = Vec::new();
    for id in ids {
        let Some(detail) = app.store.case(id).await? else { continue };
        cases.push(Case::new(detail.row(), now));
    }
    cases.sort_by_key(|case| Reverse(case.opened_at));
    Ok(Json(PlaceHistory { incidents: with_roles(&app, rows).await?, cases }))
}

/// A mute that is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewMute {
    /// The incident whose kind and place are not to be told of.
    incident: String,
    /// For how long, 1–720.
    #[schema(minimum = 1, maximum = 720)]
    hours: u32,
    /// Why.
    #[schema(max_length = 300)]
    reason: Option<String>,
}

/// A mute in force.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Mute {
    /// Its id.
    id: String,
    /// The site.
    site: String,
    /// The camera.
    camera: String,
    /// Code of the kind.
    kind: String,
    /// The zone.
    #[schema(required)]
    zone: Option<String>,
    /// The place in the picture: left, top, right, bottom, 0..=1.
    #[schema(value_type = [f32; 4])]
    bbox: BBox,
    /// The incident that it was made at.
    incident: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Until when.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// Who made it.
    by: String,
    /// Why.
    #[schema(required)]
    reason: Option<String>,
}

impl From<MuteRow> for Mute {
    fn from(row: MuteRow) -> Self {
        Self {
            id: row.id.to_string(),
            site: row.site.into(),
            camera: row.camera.into(),
            kind: row.kind.into(),
            zone: row.zone.map(Into::into),
            bbox: row.bbox,
            incident: row.incident.to_string(),
            at: row.at,
            until: row.until,
            by: row.by,
            reason: row.reason,
        }
    }
}

/// The mutes in force.
#[utoipa::path(
    get, path = "/api/mutes", tag = "room",
    responses(
        (status = 200, body = Vec<Mute>),
        (status = 403, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn mutes(State(app): State<App>, caller: Caller) -> Result<Json<Vec<Mute>>, ApiError> {
    let scope = caller.scope(Permission::See)?;
    let rows = app.store.mutes(app.clock.now()).await?;
    let seen = |row: &MuteRow| scope.contains(Some(row.site.as_str()), Some(row.camera.as_str()));
    Ok(Json(rows.into_iter().filter(seen).map(Into::into).collect()))
}

/// Keeps a kind at a place out of the queue for a while. It is still watched, stored and listed.
#[utoipa::path(
    post, path = "/api/mutes", tag = "room", request_body = NewMute,
    responses(
        (status = 200, body = Mute),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn mute(
    State(app): State<App>,
    caller: Caller,
    body: Result<Json<NewMute>, JsonRejection>,
) -> Result<Json<Mute>, ApiError> {
    caller.require_somewhere(Permission::Judge)?;
    let Json(new) = body.map_err(|rejection| ApiError::Body(rejection.body_text()))?;
    let incident = found(&app, &caller, Permission::Judge, &new.incident).await?.incident;
    if !(1..=720).contains(&new.hours) {
        return Err(ApiError::Invalid { field: "hours", hint: "1–720" });
    }
    let reason = text("reason", new.reason, 300)?;
    let now = app.clock.now();
    let row = MuteRow {
        id: Uuid::now_v7(),
        site: incident.site.clone(),
        camera: incident.camera.clone(),
        preset: incident.preset.clone(),
        kind: incident.kind.clone(),
        zone: incident.zone.clone(),
        bbox: incident.bbox,
        incident: incident.id,
        at: now,
        until: now.checked_add(SignedDuration::from_hours(i64::from(new.hours))).unwrap_or(now),
        by: caller.name.clone(),
        reason,
    };
    app.store.put_mute(&row).await?;
    app.mutes.reload(&app.store, now).await?;
    info!(camera = %row.camera, kind = %row.kind, until = %row.until, by = row.by, "a place was muted");
    Ok(Json(row.into()))
}

/// Ends a mute.
#[utoipa::path(
    delete, path = "/api/mutes/{id}", tag = "room",
    params(("id" = String, Path, description = "the mute's id")),
    responses(
        (status = 204),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn unmute(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    caller.require_somewhere(Permission::Judge)?;
    let id: Uuid = id.parse().map_err(|_| ApiError::NotFound)?;
    let now = app.clock.now();
    let row = app.store.mutes(now).await?.into_iter().find(|row| row.id == id).ok_or(ApiError::NotFound)?;
    caller.require(Permission::Judge, Some(&row.site), Some(&row.camera))?;
    app.store.end_mute(id, &caller.name, now).await?;
    app.mutes.reload(&app.store, now).await?;
    Ok(StatusCode::NO_CONTENT)
}
