//! Trying a draft on what was recorded, before it goes live. The node does it, one at a time.

use axum::{
    Json,
    extract::{
        Path, Query, State,
        rejection::{JsonRejection, QueryRejection},
    },
    http::StatusCode,
    response::Response,
};
use reqwest::Method;
use serde_json::json;

use super::{
    App,
    problem::{ApiError, Problem},
    setup::{NOTHING, OfNode, QUICK, of_body},
    trial_shape::{RaisedBy, Recorded, Trial, TrialAsked},
};
use crate::caller::Caller;

/// What is recorded of a camera.
#[utoipa::path(
    get, path = "/api/sites/{site}/nodes/{node}/setup/cameras/{camera}/recording", tag = "setup",
    params(
        ("site" = String, Path, description = "the site"), ("node" = String, Path, description = "the node"),
        ("camera" = String, Path, description = "the camera"),
    ),
    responses(
        (status = 200, body = Recorded),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 502, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn recording(
    State(app): State<App>,
    caller: Caller,
    Path((site, node, camera)): Path<(String, String, String)>,
) -> Result<Json<Recorded>, ApiError> {
    let node = OfNode::find(&app, &caller, &site, &node)?;
    node.ask(Method::GET, &["cameras", &camera, "recording"], NOTHING, QUICK).await
}

/// The latest trial of a node and how far it is.
#[utoipa::path(
    get, path = "/api/sites/{site}/nodes/{node}/setup/trial", tag = "setup",
    params(("site" = String, Path, description = "the site"), ("node" = String, Path, description = "the node")),
    responses(
        (status = 200, body = Trial),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 502, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn trial(
    State(app): State<App>,
    caller: Caller,
    Path((site, node)): Path<(String, String)>,
) -> Result<Json<Trial>, ApiError> {
    OfNode::find(&app, &caller, &site, &node)?.ask(Method::GET, &["trial"], NOTHING, QUICK).await
}

/// Tries a draft on what was recorded of a camera; one trial at a time.
#[utoipa::path(
    post, path = "/api/sites/{site}/nodes/{node}/setup/trial", tag = "setup",
    params(("site" = String, Path, description = "the site"), ("node" = String, Path, description = "the node")),
    request_body = TrialAsked,
    responses(
        (status = 202, body = Trial),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        (status = 502, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn start(
    State(app): State<App>,
    caller: Caller,
    Path((site, node)): Path<(String, String)>,
    body: Result<Json<TrialAsked>, JsonRejection>,
) -> Result<(StatusCode, Json<Trial>), ApiError> {
    let node = OfNode::find(&app, &caller, &site, &node)?;
    let asked = of_body(body)?;
    let trial: Json<Trial> = node.ask(Method::POST, &["trial"], Some(&asked), QUICK).await?;
    let detail =
        json!({ "trial": trial.0.trial, "camera": asked.camera, "from": asked.from, "to": asked.to });
    node.record("setup.trial", detail).await?;
    Ok((StatusCode::ACCEPTED, trial))
}

/// Ends the trial that runs.
#[utoipa::path(
    delete, path = "/api/sites/{site}/nodes/{node}/setup/trial", tag = "setup",
    params(("site" = String, Path, description = "the site"), ("node" = String, Path, description = "the node")),
    responses(
        (status = 204),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 502, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn cancel(
    State(app): State<App>,
    caller: Caller,
    Path((site, node)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let node = OfNode::find(&app, &caller, &site, &node)?;
    let _: Json<Trial> = node.ask(Method::DELETE, &["trial"], NOTHING, QUICK).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The picture of an incident that a trial raised.
#[utoipa::path(
    get, path = "/api/sites/{site}/nodes/{node}/setup/trial/{trial}/{number}/picture.jpg", tag = "setup",
    params(
        ("site" = String, Path, description = "the site"), ("node" = String, Path, description = "the node"),
        ("trial" = String, Path, description = "the trial"),
        ("number" = String, Path, description = "the incident's number"), RaisedBy,
    ),
    responses(
        (status = 200, content_type = "image/jpeg", body = Vec<u8>),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 502, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn picture(
    State(app): State<App>,
    caller: Caller,
    Path((site, node, trial, number)): Path<(String, String, String, String)>,
    query: Result<Query<RaisedBy>, QueryRejection>,
) -> Result<Response, ApiError> {
    let node = OfNode::find(&app, &caller, &site, &node)?;
    let wrong = || ApiError::Invalid { field: "of", hint: "draft, current" };
    let Query(RaisedBy { of }) = query.map_err(|_| wrong())?;
    let of = of.unwrap_or_else(|| "draft".to_owned());
    if !matches!(of.as_str(), "draft" | "current") {
        return Err(wrong());
    }
    node.picture(Method::GET, &["trial", &trial, &number, "picture.jpg"], &[("of", &of)], NOTHING).await
}
