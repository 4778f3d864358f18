//! A node that is none: serves given files, cameras and pictures over HTTP as a real one does, and speaks on the bus.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State, WebSocketUpgrade, ws::Message as Frame},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use parapet_bus::{BrokerConfig, OutboxSource, Outgoing, Publisher, PublisherOptions, StatusBoard, wire};
use serde_json::Value;
use tokio::{net::TcpListener, sync::Notify};
use tokio_util::sync::CancellationToken;

/// Overlay and JPEG of a camera's frame of this number.
pub(crate) type Pictures = Arc<dyn Fn(&str, u64) -> (Value, Bytes) + Send + Sync>;

#[derive(Clone)]
pub(crate) struct FakeNode {
    pub(crate) url: String,
    pub(crate) files: Arc<Mutex<HashMap<String, Bytes>>>,
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
}

#[derive(Clone)]
struct Served {
    node: FakeNode,
    token: Option<String>,
    cameras: Value,
    pictures: Pictures,
    period: Duration,
}

impl FakeNode {
    pub(crate) async fn start(
        token: Option<&str>,
        cameras: Value,
        pictures: Pictures,
        period: Duration,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let node = Self { url, files: Arc::default(), asked: Arc::default() };
        let token = token.map(|token| format!("Bearer {token}"));
        let served = Served { node: node.clone(), token, cameras, pictures, period };
        let router = Router::new()
            .route("/cameras", get(list))
            .route("/cameras/{camera}/frame.jpg", get(picture))
            .route("/cameras/{camera}/stream", get(stream))
            .route("/evidence/{*path}", get(file))
            .with_state(served);
        tokio::spawn(async move { axum::serve(listener, router).await });
        node
    }

    pub(crate) fn put(&self, path: &str, bytes: impl Into<Bytes>) {
        self.files.lock().unwrap().insert(path.to_owned(), bytes.into());
    }
}

impl Served {
    fn allows(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
        self.token.is_none() || given == self.token
    }
}

async fn list(State(served): State<Served>, headers: HeaderMap) -> Response {
    if !served.allows(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    Json(served.cameras).into_response()
}

async fn picture(State(served): State<Served>, Path(camera): Path<String>, headers: HeaderMap) -> Response {
    if !served.allows(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let (overlay, jpeg) = (served.pictures)(&camera, 0);
    let mut answer = ([(header::CONTENT_TYPE, "image/jpeg")], jpeg).into_response();
    if let Some(preset) = overlay["preset"].as_str() {
        answer.headers_mut().insert("x-preset", preset.parse().unwrap());
    }
    answer
}

async fn stream(
    State(served): State<Served>,
    Path(camera): Path<String>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    if !served.allows(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    upgrade.on_upgrade(async move |mut socket| {
        let mut tick = tokio::time::interval(served.period);
        for number in 0.. {
            tick.tick().await;
            let (overlay, jpeg) = (served.pictures)(&camera, number);
            let sent = socket.send(Frame::Text(overlay.to_string().into())).await;
            if sent.is_err() || socket.send(Frame::Binary(jpeg)).await.is_err() {
                return;
            }
        }
    })
}

async fn file(State(served): State<Served>, Path(path): Path<String>, headers: HeaderMap) -> Response {
    if !served.allows(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    served.node.asked.lock().unwrap().push(path.clone());
    let file = served.node.files.lock().unwrap().get(&path).cloned();
    file.map_or_else(|| StatusCode::NOT_FOUND.into_response(), IntoResponse::into_response)
}

/// An outbox in memory.
#[derive(Clone, Default)]
pub(crate) struct Outbox {
    rows: Arc<Mutex<Vec<(Outgoing, bool)>>>,
    changed: Arc<Notify>,
}

impl Outbox {
    pub(crate) fn record(&self, message: &wire::Message) {
        let mut rows = self.rows.lock().unwrap();
        let id = i64::try_from(rows.len()).unwrap() + 1;
        let outgoing =
            Outgoing { id, topic: message.topic(), payload: message.encode(), retain: message.retained() };
        rows.push((outgoing, false));
        self.changed.notify_one();
    }
}

impl OutboxSource for Outbox {
    type Error = Infallible;

    async fn pending(&self, after: i64, limit: u32) -> Result<Vec<Outgoing>, Infallible> {
        let rows = self.rows.lock().unwrap();
        let pending = rows.iter().filter(|(row, sent)| !sent && row.id > after).map(|(row, _)| row.clone());
        Ok(pending.take(limit as usize).collect())
    }

    async fn mark_sent(&self, ids: &[i64]) -> Result<(), Infallible> {
        for (row, sent) in self.rows.lock().unwrap().iter_mut() {
            *sent |= ids.contains(&row.id);
        }
        Ok(())
    }

    async fn replay(&self, _session_present: bool) -> Result<u64, Infallible> {
        Ok(0)
    }

    async fn changed(&self) {
        self.changed.notified().await;
    }
}

/// Publishes as `node` until `stop`.
pub(crate) fn publish(
    bus: &BrokerConfig,
    node: wire::NodeStatus,
    stop: CancellationToken,
) -> (Outbox, StatusBoard) {
    let outbox = Outbox::default();
    let publisher = Publisher::new(bus, node, outbox.clone(), PublisherOptions::default()).unwrap();
    let board = publisher.status();
    tokio::spawn(publisher.run(stop));
    (outbox, board)
}
