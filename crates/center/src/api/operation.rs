//! For those who run the center.

use axum::{
    Extension,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use parapet_core::Permission;

use super::{
    App,
    problem::{ApiError, Problem},
};
use crate::caller::{Caller, Via};

/// The process lives.
#[utoipa::path(get, path = "/healthz", tag = "operation", responses((status = 200, content_type = "text/plain", body = String)))]
pub(super) async fn healthz() -> &'static str {
    "ok"
}

/// The center can do its work; otherwise one reason a line.
#[utoipa::path(
    get, path = "/readyz", tag = "operation",
    responses(
        (status = 200, content_type = "text/plain", body = String),
        (status = 503, content_type = "text/plain", body = String),
    )
)]
pub(super) async fn readyz(State(app): State<App>) -> Response {
    if app.shutdown.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n").into_response();
    }
    match app.store.ping().await {
        Ok(()) => "ready\n".into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into_response(),
    }
}

/// Figures for Prometheus: for programs on this machine, for those with a token, and for who may read the audit.
#[utoipa::path(
    get, path = "/metrics", tag = "operation",
    responses((status = 200, content_type = "text/plain", body = String), (status = 401, body = Problem, content_type = "application/problem+json"), (status = 403, body = Problem, content_type = "application/problem+json"), (status = 404, description = "this process keeps no figures"))
)]
pub(super) async fn metrics(
    State(app): State<App>,
    caller: Option<Extension<Caller>>,
) -> Result<Response, ApiError> {
    // Without a caller the request comes from this machine, or it would not be here.
    if let Some(Extension(caller)) = caller
        && !matches!(caller.via, Via::Token(_))
    {
        caller.require_somewhere(Permission::Audit)?;
    }
    Ok(match &app.metrics {
        Some(handle) => {
            ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], handle.render()).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    })
}
