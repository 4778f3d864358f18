//! Cameras and nodes.

use axum::{
    Json,
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};
use parapet_core::Permission;
use tracing::debug;

use super::{
    App,
    problem::{ApiError, Problem},
    shape::{Camera, Node},
};
use crate::{
    caller::Caller,
    node::NodeError,
    privacy::{Sight, seen},
};

/// All cameras and how they are doing.
#[utoipa::path(
    get, path = "/api/cameras", tag = "cameras",
    responses(
        (status = 200, body = Vec<Camera>),
        (status = 403, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn cameras(State(app): State<App>, caller: Caller) -> Result<Json<Vec<Camera>>, ApiError> {
    let scope = caller.scope(Permission::See)?;
    Ok(Json(app.roster.cameras(&scope)))
}

/// All nodes.
#[utoipa::path(
    get, path = "/api/nodes", tag = "cameras",
    responses(
        (status = 200, body = Vec<Node>),
        (status = 403, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn nodes(State(app): State<App>, caller: Caller) -> Result<Json<Vec<Node>>, ApiError> {
    let scope = caller.scope(Permission::See)?;
    Ok(Json(app.roster.nodes(&scope)))
}

/// The latest picture of a camera, without overlay; blurred for who may not see it clear, and with what is private as a
/// mosaic for who may not unseal it.
#[utoipa::path(
    get, path = "/api/cameras/{camera}/live.jpg", tag = "cameras",
    params(("camera" = String, Path, description = "the camera's id")),
    responses(
        (status = 200, content_type = "image/jpeg", body = Vec<u8>),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 502, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn picture(
    State(app): State<App>,
    caller: Caller,
    Path(camera): Path<String>,
) -> Result<Response, ApiError> {
    caller.require_somewhere(Permission::See)?;
    let (site, id) = app.roster.place_of(&camera).ok_or(ApiError::NotFound)?;
    caller.require(Permission::See, Some(&site), Some(&id))?;
    let base = app.roster.url_of_camera(&camera).ok_or(ApiError::NodeUnreachable)?;
    match app.client.picture(&base, &camera).await {
        Ok((jpeg, preset)) => {
            let areas = app.roster.private_areas(&site, &id).of(preset.as_ref());
            let sight = Sight::of(&caller.access, &site, &id, areas);
            app.people.looked(&caller, &sight, "camera", &camera, "live").await?;
            let jpeg = seen(jpeg, sight, Vec::new()).await.ok_or(ApiError::NoPicture)?;
            Ok(([(header::CONTENT_TYPE, "image/jpeg")], jpeg).into_response())
        }
        Err(NodeError::Refused { status, .. }) if status.as_u16() == 503 => Err(ApiError::NoPicture),
        Err(error) => {
            debug!(camera, %error, "no picture from the node");
            Err(ApiError::NodeUnreachable)
        }
    }
}
