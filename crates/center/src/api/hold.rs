//! Evidence that must stay, and evidence that goes: holds on incidents and cases, and deletions by two people.
//!
//! Who works on cases makes a hold; who reads the audit ends it, so that nobody who handles a case can take its proof out
//! of the vault again. Deleting takes two people with the permission; programs are not people.

use axum::{
    Json,
    extract::{Path, State, rejection::JsonRejection},
    http::StatusCode,
};
use parapet_core::{CaseId, IncidentId, Permission, Scope, Timestamp};
use parapet_store::{DeletionRow, HoldRow, HoldSubject};
use serde::{Deserialize, Serialize};
use tracing::info;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    App,
    case::case_for,
    incident::found,
    problem::{ApiError, Problem},
};
use crate::caller::{Caller, Via};

/// Why something is to stay or to go.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Because {
    /// The reason.
    #[schema(min_length = 1, max_length = 300)]
    reason: String,
}

/// A hold in force.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Hold {
    /// The case, if it holds a whole case.
    #[schema(required)]
    pub(crate) case: Option<String>,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) at: Timestamp,
    /// Who made it.
    pub(crate) by: String,
    /// Why.
    pub(crate) reason: String,
}

/// A hold that was just made.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NewHold {
    /// The hold.
    hold: Hold,
    /// Files that are in the vault.
    kept: u32,
    /// Files that could not be had now; they are asked for again and again. Of a case, all of them.
    missing: u32,
}

/// A deletion that waits for a second person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Deletion {
    /// The incident.
    pub(crate) incident: String,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) asked_at: Timestamp,
    /// By whom.
    pub(crate) asked_by: String,
    /// Why.
    pub(crate) reason: String,
}

impl From<HoldRow> for Hold {
    fn from(row: HoldRow) -> Self {
        let case = match row.subject {
            HoldSubject::Case(id) => Some(id.to_string()),
            HoldSubject::Incident(_) => None,
        };
        Self { case, at: row.at, by: row.by, reason: row.reason }
    }
}

impl From<DeletionRow> for Deletion {
    fn from(row: DeletionRow) -> Self {
        Self {
            incident: row.incident.to_string(),
            asked_at: row.asked_at,
            asked_by: row.asked_by,
            reason: row.reason,
        }
    }
}

fn reason(body: Result<Json<Because>, JsonRejection>) -> Result<String, ApiError> {
    let Json(because) = body.map_err(|rejection| ApiError::Body(rejection.body_text()))?;
    let reason = because.reason.trim().to_owned();
    if reason.is_empty() || reason.chars().count() > 300 {
        return Err(ApiError::Invalid { field: "reason", hint: "1–300" });
    }
    Ok(reason)
}

/// The holds on an incident and on its case.
pub(super) async fn holds_on(
    app: &App,
    incident: Option<IncidentId>,
    case: Option<CaseId>,
) -> Result<Vec<Hold>, ApiError> {
    Ok(app.store.holds(incident, case).await?.into_iter().map(Into::into).collect())
}

/// The deletion of an incident's evidence that waits for a second person.
pub(super) async fn pending(app: &App, incident: IncidentId) -> Result<Option<Deletion>, ApiError> {
    let rows = app.store.deletions(Some(incident), &Scope::All).await?;
    Ok(rows.into_iter().next().map(Into::into))
}

async fn make(app: &App, caller: &Caller, subject: HoldSubject, reason: String) -> Result<Hold, ApiError> {
    let hold = HoldRow { id: Uuid::now_v7(), subject, at: app.clock.now(), by: caller.name.clone(), reason };
    if !app.store.put_hold(&hold).await? {
        return Err(ApiError::AlreadyHeld);
    }
    info!(?subject, by = caller.name, "evidence is held");
    app.vault.wake();
    Ok(hold.into())
}

async fn end(app: &App, caller: &Caller, subject: HoldSubject) -> Result<StatusCode, ApiError> {
    if !app.store.end_hold(subject, &caller.name, app.clock.now()).await? {
        return Err(ApiError::NotFound);
    }
    info!(?subject, by = caller.name, "a hold on evidence has ended");
    app.vault.wake();
    Ok(StatusCode::NO_CONTENT)
}

/// Holds an incident: its files go into the vault, where nothing makes room, and nobody can delete them.
#[utoipa::path(
    post, path = "/api/incidents/{id}/hold", tag = "proof", request_body = Because,
    params(("id" = String, Path, description = "the incident's id")),
    responses(
        (status = 200, body = NewHold),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "it is held already"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn hold_incident(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    body: Result<Json<Because>, JsonRejection>,
) -> Result<Json<NewHold>, ApiError> {
    let detail = found(&app, &caller, Permission::Dispatch, &id).await?;
    let incident = detail.incident.id;
    let hold = make(&app, &caller, HoldSubject::Incident(incident), reason(body)?).await?;
    let files = detail.evidence.into_iter().filter(|file| file.deleted.is_none());
    let told = app.vault.keep(files.map(|file| (incident, file)).collect()).await?;
    Ok(Json(NewHold { hold, kept: told.kept, missing: told.missing }))
}

/// Ends the hold on an incident. Its files stay as long as another hold or an open case wants them.
#[utoipa::path(
    delete, path = "/api/incidents/{id}/hold", tag = "proof",
    params(("id" = String, Path, description = "the incident's id")),
    responses(
        (status = 204),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn release_incident(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let incident = found(&app, &caller, Permission::Audit, &id).await?.incident.id;
    end(&app, &caller, HoldSubject::Incident(incident)).await
}

/// Holds a case: the files of all its incidents, also of those that become a part of it later, and beyond its end.
#[utoipa::path(
    post, path = "/api/cases/{id}/hold", tag = "proof", request_body = Because,
    params(("id" = String, Path, description = "the case's id")),
    responses(
        (status = 200, body = Hold, description = "files that are not in the vault yet go there soon"),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "it is held already"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn hold_case(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    body: Result<Json<Because>, JsonRejection>,
) -> Result<Json<Hold>, ApiError> {
    let case = case_for(&app, &caller, Permission::Dispatch, &id).await?.case.id;
    make(&app, &caller, HoldSubject::Case(case), reason(body)?).await.map(Json)
}

/// Ends the hold on a case.
#[utoipa::path(
    delete, path = "/api/cases/{id}/hold", tag = "proof",
    params(("id" = String, Path, description = "the case's id")),
    responses(
        (status = 204),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn release_case(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let case = case_for(&app, &caller, Permission::Audit, &id).await?.case.id;
    end(&app, &caller, HoldSubject::Case(case)).await
}

/// The incident, if the caller is a person who may delete its evidence.
async fn to_delete(app: &App, caller: &Caller, id: &str) -> Result<IncidentId, ApiError> {
    let incident = found(app, caller, Permission::Delete, id).await?.incident.id;
    match caller.via {
        Via::Session(_) => Ok(incident),
        Via::Token(_) => Err(ApiError::PeopleOnly),
    }
}

/// Asks for the deletion of an incident's evidence; another person has to approve it.
#[utoipa::path(
    post, path = "/api/incidents/{id}/deletion", tag = "proof", request_body = Because,
    params(("id" = String, Path, description = "the incident's id")),
    responses(
        (status = 200, body = Deletion),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "it is held, or was asked for before"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn ask(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    body: Result<Json<Because>, JsonRejection>,
) -> Result<Json<Deletion>, ApiError> {
    let deletion = DeletionRow {
        incident: to_delete(&app, &caller, &id).await?,
        id: Uuid::now_v7(),
        asked_at: app.clock.now(),
        asked_by: caller.name.clone(),
        reason: reason(body)?,
    };
    app.store.ask_deletion(&deletion).await?;
    info!(incident = %deletion.incident, by = caller.name, "somebody asks to delete evidence");
    Ok(Json(deletion.into()))
}

/// Approves a deletion that another person has asked for: the center's copies are deleted, and the files are neither
/// fetched nor shown again. What was told of them, and their places in the chains, stay.
#[utoipa::path(
    post, path = "/api/incidents/{id}/deletion/approve", tag = "proof",
    params(("id" = String, Path, description = "the incident's id")),
    responses(
        (status = 204),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "it is held, or the same person asked"),
    )
)]
pub(super) async fn approve(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let incident = to_delete(&app, &caller, &id).await?;
    let deletion = app.store.approve_deletion(incident, &caller.name, app.clock.now()).await?;
    info!(%incident, asked_by = deletion.asked_by, approved_by = caller.name, "evidence was deleted");
    app.vault.delete().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Withdraws a deletion that nobody has approved yet.
#[utoipa::path(
    delete, path = "/api/incidents/{id}/deletion", tag = "proof",
    params(("id" = String, Path, description = "the incident's id")),
    responses(
        (status = 204),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn withdraw(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let incident = to_delete(&app, &caller, &id).await?;
    if app.store.withdraw_deletion(incident, &caller.name, app.clock.now()).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NotFound)
    }
}

/// The deletions that wait for a second person, oldest first.
#[utoipa::path(
    get, path = "/api/deletions", tag = "proof",
    responses(
        (status = 200, body = Vec<Deletion>),
        (status = 403, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn deletions(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<Vec<Deletion>>, ApiError> {
    let scope = caller.scope(Permission::Delete)?;
    let rows = app.store.deletions(None, &scope).await?;
    Ok(Json(rows.into_iter().map(Into::into).collect()))
}
