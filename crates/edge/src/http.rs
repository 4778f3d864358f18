//! What a node shows over HTTP: live pictures with overlays, evidence, metrics, health. Nothing is changed this way but
//! the pipeline file, and only where that is switched on (`setup`).

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{
        FromRef, Path as UrlPath, Query, Request, State, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket, close_code},
    },
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{any, get},
};
use metrics_exporter_prometheus::PrometheusHandle;
use parapet_core::NodeId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncReadExt, AsyncSeekExt},
    net::TcpListener,
    sync::watch,
    time::{MissedTickBehavior, interval, sleep},
};
use tokio_util::{io::ReaderStream, sync::CancellationToken};

use crate::{
    evidence::{Located, locate, media_type},
    live::{LatestFrame, LiveCameras},
    setup::{self, Setup},
};

/// Width of live pictures when a reader names none.
const DEFAULT_WIDTH: u32 = 960;
/// Frames a second when a reader names none; nobody gets more than [`MAX_FPS`].
const DEFAULT_FPS: f64 = 10.0;
const MAX_FPS: f64 = 30.0;
const PING_EVERY: Duration = Duration::from_secs(10);

/// The node's HTTP server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HttpConfig {
    /// Address to listen on. Port 0 takes a free one. Beyond the loopback a token is required.
    pub listen: SocketAddr,
    /// Address under which others reach this node, as `http://10.0.0.7:8091`; by default made of `listen`.
    pub public_url: Option<String>,
    /// File whose first line is the token that readers must send as `authorization: Bearer TOKEN`.
    pub token_file: Option<PathBuf>,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8091)), public_url: None, token_file: None }
    }
}

/// Reasons, one each; empty when all is well.
pub(crate) type Readiness = Arc<dyn Fn() -> Vec<String> + Send + Sync>;

/// What the server answers from.
#[derive(Clone)]
pub(crate) struct HttpState {
    pub(crate) node: NodeId,
    /// SHA-256 of the token: comparing hashes takes the same time wherever they differ.
    pub(crate) token: Option<[u8; 32]>,
    pub(crate) cameras: LiveCameras,
    pub(crate) evidence: Arc<PathBuf>,
    pub(crate) metrics: PrometheusHandle,
    pub(crate) readiness: Readiness,
    /// What an administrator should look at, though the node works.
    pub(crate) trouble: Readiness,
    /// Setting the node up, where that is switched on.
    pub(crate) setup: Option<Setup>,
    pub(crate) shutdown: CancellationToken,
}

impl FromRef<HttpState> for LiveCameras {
    fn from_ref(state: &HttpState) -> Self {
        state.cameras.clone()
    }
}

/// The hash of a token.
pub(crate) fn hash_of_token(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Serves until shutdown; live streams are closed then.
pub(crate) async fn serve(listener: TcpListener, state: HttpState) -> io::Result<()> {
    let shutdown = state.shutdown.clone();
    axum::serve(listener, router(state)).with_graceful_shutdown(shutdown.cancelled_owned()).await
}

pub(crate) fn router(state: HttpState) -> Router {
    let guarded = Router::new()
        .route("/cameras", get(cameras))
        .route("/cameras/{camera}/frame.jpg", get(frame))
        .route("/cameras/{camera}/stream", get(stream))
        .route("/evidence/{*path}", get(evidence))
        .route("/metrics", get(metrics))
        .merge(setup_routes(&state))
        .layer(middleware::from_fn_with_state(state.clone(), require_token));
    Router::new()
        .merge(guarded)
        .route("/healthz", get(async || "ok"))
        .route("/readyz", get(readyz))
        .with_state(state)
}

/// Setting up, or word that it is switched off.
fn setup_routes(state: &HttpState) -> Router<HttpState> {
    match &state.setup {
        Some(setup) => setup::router(setup.clone(), state.token.is_some()).with_state(()),
        None => Router::new()
            .route("/setup", any(async || setup::Refusal::Off))
            .route("/setup/{*rest}", any(async || setup::Refusal::Off)),
    }
}

fn problem(status: StatusCode, title: &str) -> Response {
    let body = serde_json::json!({ "title": title, "status": status.as_u16() }).to_string();
    let headers = [(header::CONTENT_TYPE, "application/problem+json"), (header::CACHE_CONTROL, "no-store")];
    (status, headers, body).into_response()
}

async fn require_token(State(state): State<HttpState>, request: Request, next: Next) -> Response {
    if let Some(expected) = state.token {
        let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let given = given.and_then(|value| value.strip_prefix("Bearer ")).map(hash_of_token);
        if given != Some(expected) {
            let mut answer = problem(StatusCode::UNAUTHORIZED, "a token is needed");
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            return answer;
        }
    }
    let mut answer = next.run(request).await;
    answer.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    answer
}

async fn cameras(State(state): State<HttpState>) -> Response {
    let (cameras, trouble) = (state.cameras.list(), told_by(state.trouble).await);
    axum::Json(serde_json::json!({ "node": state.node, "cameras": cameras, "trouble": trouble }))
        .into_response()
}

#[derive(Debug, Deserialize)]
struct LiveQuery {
    max_width: Option<u32>,
    max_fps: Option<f64>,
}

async fn frame(
    State(cameras): State<LiveCameras>,
    UrlPath(camera): UrlPath<String>,
    Query(query): Query<LiveQuery>,
) -> Response {
    let Some(receiver) = cameras.watch(&camera) else {
        return problem(StatusCode::NOT_FOUND, "there is no such camera");
    };
    let Some(latest) = receiver.borrow().clone() else {
        return problem(StatusCode::SERVICE_UNAVAILABLE, "no frame has come yet");
    };
    let (captured_at, sequence) = (latest.frame.captured_at, latest.frame.sequence);
    let preset = latest.frame.preset.clone();
    let width = query.max_width.unwrap_or(u32::MAX);
    match tokio::task::spawn_blocking(move || latest.jpeg(width)).await {
        Ok(Some(jpeg)) => {
            let headers = [
                (header::CONTENT_TYPE.as_str(), "image/jpeg".to_owned()),
                ("x-captured-at", captured_at.to_string()),
                ("x-sequence", sequence.to_string()),
            ];
            let mut answer = (headers, jpeg).into_response();
            if let Some(preset) = preset.and_then(|preset| HeaderValue::from_str(preset.as_str()).ok()) {
                answer.headers_mut().insert("x-preset", preset);
            }
            answer
        }
        _ => problem(StatusCode::INTERNAL_SERVER_ERROR, "the frame cannot be encoded"),
    }
}

async fn stream(
    State(state): State<HttpState>,
    UrlPath(camera): UrlPath<String>,
    Query(query): Query<LiveQuery>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let Some(receiver) = state.cameras.watch(&camera) else {
        return problem(StatusCode::NOT_FOUND, "there is no such camera");
    };
    let fps = query.max_fps.filter(|fps| *fps > 0.0).unwrap_or(DEFAULT_FPS).min(MAX_FPS);
    let width = query.max_width.unwrap_or(DEFAULT_WIDTH);
    upgrade.on_upgrade(move |socket| watch_live(socket, receiver, state.shutdown, width, fps))
}

async fn watch_live(
    mut socket: WebSocket,
    mut receiver: watch::Receiver<LatestFrame>,
    shutdown: CancellationToken,
    width: u32,
    fps: f64,
) {
    let mut ping = interval(PING_EVERY);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let gap = Duration::from_secs_f64(1.0 / fps);
    receiver.mark_changed();
    let farewell = loop {
        tokio::select! {
            () = shutdown.cancelled() => break (close_code::AWAY, "the node stops"),
            _ = ping.tick() => {
                if socket.send(Message::Ping(bytes::Bytes::new())).await.is_err() {
                    return;
                }
            }
            message = socket.recv() => match message {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            },
            changed = receiver.changed() => {
                if changed.is_err() {
                    break (close_code::POLICY, "the camera was removed");
                }
                let Some(latest) = receiver.borrow_and_update().clone() else { continue };
                let encoding = latest.clone();
                let Ok(Some(jpeg)) = tokio::task::spawn_blocking(move || encoding.jpeg(width)).await else {
                    continue;
                };
                let Ok(overlay) = serde_json::to_string(&latest.overlay) else { continue };
                if socket.send(Message::Text(overlay.into())).await.is_err()
                    || socket.send(Message::Binary(jpeg)).await.is_err()
                {
                    return;
                }
                // What comes meanwhile replaces what is waiting: the reader gets the newest.
                sleep(gap).await;
            }
        }
    };
    let frame = CloseFrame { code: farewell.0, reason: farewell.1.into() };
    // The reader may have gone already.
    let _ = socket.send(Message::Close(Some(frame))).await;
}

async fn metrics(State(state): State<HttpState>) -> Response {
    let headers = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (headers, state.metrics.render()).into_response()
}

/// What is wrong. Whoever says it may have to wait until the fleet has been changed, and nobody else should.
async fn told_by(reasons: Readiness) -> Vec<String> {
    let told = tokio::task::spawn_blocking(move || reasons()).await;
    told.unwrap_or_else(|error| vec![error.to_string()])
}

async fn readyz(State(state): State<HttpState>) -> Response {
    let reasons = told_by(state.readiness).await;
    if reasons.is_empty() {
        "ready".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, reasons.join("\n")).into_response()
    }
}

async fn evidence(
    State(state): State<HttpState>,
    UrlPath(path): UrlPath<String>,
    headers: HeaderMap,
) -> Response {
    match locate(&state.evidence, &path) {
        Located::File(file) => match send_file(&file, headers.get(header::RANGE)).await {
            Ok(answer) => answer,
            Err(_) => problem(StatusCode::NOT_FOUND, "the file cannot be read"),
        },
        Located::Removed => problem(StatusCode::GONE, "this evidence is no longer kept"),
        Located::Nothing => problem(StatusCode::NOT_FOUND, "there is no such evidence"),
    }
}

async fn send_file(path: &Path, range: Option<&HeaderValue>) -> io::Result<Response> {
    let mut file = tokio::fs::File::open(path).await?;
    let length = file.metadata().await?.len();
    let base = [
        (header::CONTENT_TYPE, media_type(path)),
        (header::ACCEPT_RANGES, "bytes"),
        (header::CACHE_CONTROL, "private, immutable, max-age=86400"),
    ];
    let answer =
        match range.and_then(|value| value.to_str().ok()).map_or(Asked::All, |text| asked(text, length)) {
            Asked::All => {
                let headers = [(header::CONTENT_LENGTH, length.to_string())];
                (base, headers, Body::from_stream(ReaderStream::new(file))).into_response()
            }
            Asked::Part(first, last) => {
                file.seek(io::SeekFrom::Start(first)).await?;
                let headers = [
                    (header::CONTENT_LENGTH, (last - first + 1).to_string()),
                    (header::CONTENT_RANGE, format!("bytes {first}-{last}/{length}")),
                ];
                let body = Body::from_stream(ReaderStream::new(file.take(last - first + 1)));
                (StatusCode::PARTIAL_CONTENT, base, headers, body).into_response()
            }
            Asked::Nonsense => {
                let headers = [(header::CONTENT_RANGE, format!("bytes */{length}"))];
                (StatusCode::RANGE_NOT_SATISFIABLE, headers).into_response()
            }
        };
    Ok(answer)
}

/// What a `Range` header asks for (RFC 9110, section 14.2).
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    /// Everything: no single byte range, which a server may ignore.
    All,
    /// The bytes from the first to the last, both included.
    Part(u64, u64),
    /// A range outside the file.
    Nonsense,
}

fn asked(header: &str, length: u64) -> Asked {
    let Some((first, last)) = header
        .strip_prefix("bytes=")
        .filter(|ranges| !ranges.contains(','))
        .and_then(|range| range.trim().split_once('-'))
    else {
        return Asked::All;
    };
    match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last && first < length => Asked::Part(first, last.min(length - 1)),
        (Ok(first), Err(_)) if last.is_empty() && first < length => Asked::Part(first, length - 1),
        (Err(_), Ok(suffix)) if first.is_empty() && suffix > 0 && length > 0 => {
            Asked::Part(length.saturating_sub(suffix), length - 1)
        }
        (Ok(first), Ok(last)) if first > last => Asked::All,
        (Ok(_), _) | (_, Ok(_)) => Asked::Nonsense,
        _ => Asked::All,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_byte_range_is_honoured() {
        assert_eq!(asked("bytes=0-9", 100), Asked::Part(0, 9));
        assert_eq!(asked("bytes=90-", 100), Asked::Part(90, 99));
        assert_eq!(asked("bytes=-10", 100), Asked::Part(90, 99));
        assert_eq!(asked("bytes=-500", 100), Asked::Part(0, 99));
        assert_eq!(asked("bytes=50-500", 100), Asked::Part(50, 99));
        assert_eq!(asked("bytes=100-", 100), Asked::Nonsense);
        assert_eq!(asked("bytes=-0", 100), Asked::Nonsense);
        assert_eq!(asked("bytes=0-1,5-6", 100), Asked::All);
        assert_eq!(asked("bytes=a-b", 100), Asked::All);
        assert_eq!(asked("items=0-1", 100), Asked::All);
    }

    use parapet_core::CameraId;
    use tower::ServiceExt;

    async fn ask(
        state: &HttpState,
        path: &str,
        headers: &[(&str, &str)],
    ) -> (StatusCode, HeaderMap, Vec<u8>) {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = router(state.clone()).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        (parts.status, parts.headers, body.to_vec())
    }

    fn state(evidence: &Path, token: Option<&str>) -> HttpState {
        HttpState {
            node: "n".parse().unwrap(),
            token: token.map(hash_of_token),
            cameras: LiveCameras::default(),
            evidence: Arc::new(evidence.to_owned()),
            metrics: crate::telemetry::install(),
            readiness: Arc::new(|| vec!["camera gate has not started".into()]),
            trouble: Arc::new(Vec::new),
            setup: None,
            shutdown: CancellationToken::new(),
        }
    }

    #[tokio::test]
    async fn evidence_comes_whole_or_in_part_and_what_is_gone_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let incident = dir.path().join("2026-11-22/abc");
        std::fs::create_dir_all(&incident).unwrap();
        std::fs::write(incident.join("clip.mp4"), b"0123456789").unwrap();
        std::fs::write(dir.path().join("2026-11-22/gone.removed"), b"").unwrap();
        let state = state(dir.path(), None);
        let (status, headers, body) = ask(&state, "/evidence/2026-11-22/abc/clip.mp4", &[]).await;
        assert_eq!((status, body.as_slice()), (StatusCode::OK, &b"0123456789"[..]));
        assert_eq!(headers[header::CONTENT_TYPE], "video/mp4");
        assert_eq!(headers[header::CACHE_CONTROL], "private, immutable, max-age=86400");
        let (status, headers, body) =
            ask(&state, "/evidence/2026-11-22/abc/clip.mp4", &[("range", "bytes=2-4")]).await;
        assert_eq!((status, body.as_slice()), (StatusCode::PARTIAL_CONTENT, &b"234"[..]));
        assert_eq!(headers[header::CONTENT_RANGE], "bytes 2-4/10");
        let out_of_it = ask(&state, "/evidence/2026-11-22/abc/clip.mp4", &[("range", "bytes=10-")]).await;
        assert_eq!(out_of_it.0, StatusCode::RANGE_NOT_SATISFIABLE);
        assert_eq!(ask(&state, "/evidence/2026-11-22/gone/clip.mp4", &[]).await.0, StatusCode::GONE);
        for bad in
            ["/evidence/2026-11-22/abc/%2e%2e/abc/clip.mp4", "/evidence/..%2f..%2fetc/passwd", "/evidence/x"]
        {
            assert_eq!(ask(&state, bad, &[]).await.0, StatusCode::NOT_FOUND, "{bad}");
        }
    }

    #[tokio::test]
    async fn with_a_token_only_health_is_open() {
        let dir = tempfile::tempdir().unwrap();
        let state = state(dir.path(), Some("secret"));
        let camera: CameraId = "gate".parse().unwrap();
        for path in ["/cameras", "/metrics", "/evidence/a/b/c", &format!("/cameras/{camera}/frame.jpg")] {
            assert_eq!(ask(&state, path, &[]).await.0, StatusCode::UNAUTHORIZED, "{path}");
            let wrong = ask(&state, path, &[("authorization", "Bearer secre")]).await;
            assert_eq!(wrong.0, StatusCode::UNAUTHORIZED, "{path}");
            let right = ask(&state, path, &[("authorization", "Bearer secret")]).await;
            assert_ne!(right.0, StatusCode::UNAUTHORIZED, "{path}");
        }
        assert_eq!(ask(&state, "/healthz", &[]).await.0, StatusCode::OK);
        let (status, _, reasons) = ask(&state, "/readyz", &[]).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(reasons, b"camera gate has not started");
    }
}
