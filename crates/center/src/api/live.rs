//! The door of the live feed.

use axum::{
    extract::{State, WebSocketUpgrade},
    response::Response,
};

use super::{App, live_shape::LiveMessage};
use crate::live;

/// Live news and frames over a WebSocket. Text messages are `LiveMessage` (from the center) and `LiveRequest` (to it);
/// binary ones are frames: four bytes big-endian length, a `FrameHeader` of that many bytes as JSON, and a JPEG.
#[utoipa::path(get, path = "/api/live", tag = "cameras", responses((status = 101, description = "WebSocket")))]
pub(super) async fn connect(State(app): State<App>, upgrade: WebSocketUpgrade) -> Response {
    let hello =
        LiveMessage::Hello { server_time: app.clock.now(), version: env!("CARGO_PKG_VERSION").to_owned() };
    // A request is a list of cameras: small.
    upgrade.max_message_size(64 << 10).on_upgrade(move |socket| {
        let session = live::run_session(socket, hello, app.hub, app.feeds, app.roster, app.shutdown);
        app.sessions.track_future(session)
    })
}
