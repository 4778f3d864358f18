//! The door of the live feed.

use axum::{
    extract::{State, WebSocketUpgrade, ws::rejection::WebSocketUpgradeRejection},
    response::{IntoResponse, Response},
};
use parapet_core::Permission;

use super::{
    App,
    live_shape::LiveMessage,
    problem::{ApiError, Problem},
};
use crate::{caller::Caller, live};

/// Live news and frames over a WebSocket. Text messages are `LiveMessage` (from the center) and `LiveRequest` (to it);
/// binary ones are frames: four bytes big-endian length, a `FrameHeader` of that many bytes as JSON, and a JPEG.
#[utoipa::path(get, path = "/api/live", tag = "cameras", responses(
    (status = 101, description = "WebSocket"),
    (status = 400, description = "no WebSocket"),
    (status = 426, description = "no WebSocket"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn connect(
    State(app): State<App>,
    caller: Caller,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    caller.require_somewhere(Permission::See)?;
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return Ok(rejection.into_response()),
    };
    let hello =
        LiveMessage::Hello { server_time: app.clock.now(), version: env!("CARGO_PKG_VERSION").to_owned() };
    // A request is a list of cameras: small.
    Ok(upgrade.max_message_size(64 << 10).on_upgrade(move |socket| {
        let page =
            live::Page { caller, people: app.people, hub: app.hub, feeds: app.feeds, roster: app.roster };
        app.sessions.track_future(live::run_session(socket, hello, page, app.shutdown))
    }))
}
