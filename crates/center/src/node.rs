//! Asks nodes over HTTP: cameras with their zones, single pictures, files of evidence, and to be set up. Addresses come
//! from the bus, so only `http` and `https` are followed, and no redirects.

use std::time::Duration;

use bytes::Bytes;
use parapet_core::PresetId;
use reqwest::{Client, Method, Response, StatusCode, Url, header::HeaderMap};
use serde::Deserialize;
use tracing::warn;

use crate::api::{
    problem::ApiError,
    setup_shape::NodeRefusal,
    shape::{CameraRule, CameraZone},
};

/// A camera as its node describes it. What it says about state is on the bus already.
#[derive(Debug, Deserialize)]
pub(crate) struct CameraView {
    pub(crate) camera: String,
    #[serde(default)]
    pub(crate) zones: Vec<CameraZone>,
    #[serde(default)]
    pub(crate) rules: Vec<CameraRule>,
}

#[derive(Debug, Deserialize)]
struct CameraViews {
    cameras: Vec<CameraView>,
}

/// Why a node did not answer as it should.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NodeError {
    #[error("\"{0}\" is not the address of a node; hint: http://host:port, set as public_url at the node")]
    Address(String),
    #[error("cannot reach the node at {url}")]
    Request {
        url: Url,
        #[source]
        source: reqwest::Error,
    },
    #[error("the node answered {status} to {url}")]
    Refused { url: Url, status: StatusCode },
    #[error("the node's answer to {url} is larger than {limit} bytes")]
    TooLarge { url: Url, limit: u64 },
}

/// A question of setting a node up. No `Debug`: its body may hold a password.
pub(crate) struct NodeQuestion {
    pub(crate) method: Method,
    pub(crate) path: Vec<String>,
    pub(crate) query: Vec<(String, String)>,
    /// JSON.
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) patience: Duration,
}

/// What a node answered.
pub(crate) struct NodeAnswer {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Refusals that are passed on: what a node calls them, and as what.
const REFUSALS: [(&str, StatusCode); 13] = [
    ("not_found", StatusCode::NOT_FOUND),
    ("setup_off", StatusCode::CONFLICT),
    ("setup_changed", StatusCode::CONFLICT),
    ("setup_busy", StatusCode::CONFLICT),
    ("setup_problems", StatusCode::UNPROCESSABLE_ENTITY),
    ("setup_refused", StatusCode::UNPROCESSABLE_ENTITY),
    ("camera_password", StatusCode::UNPROCESSABLE_ENTITY),
    ("camera_silent", StatusCode::UNPROCESSABLE_ENTITY),
    ("camera_unreachable", StatusCode::UNPROCESSABLE_ENTITY),
    ("camera_no_stream", StatusCode::UNPROCESSABLE_ENTITY),
    ("camera_no_video", StatusCode::UNPROCESSABLE_ENTITY),
    ("camera_not_understood", StatusCode::UNPROCESSABLE_ENTITY),
    ("setup_failed", StatusCode::BAD_GATEWAY),
];

/// A list of cameras is never larger.
const LIST_BYTES: u64 = 32 << 20;
/// A picture is never larger.
const PICTURE_BYTES: u64 = 16 << 20;
const QUICK: Duration = Duration::from_secs(10);

#[derive(Debug, Clone)]
pub(crate) struct NodeClient {
    http: Client,
    token: Option<String>,
}

impl NodeClient {
    pub(crate) fn new(token: Option<String>) -> Result<Self, reqwest::Error> {
        let http = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(4))
            .read_timeout(Duration::from_secs(20))
            .no_proxy()
            .user_agent(concat!("parapet-center/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { http, token })
    }

    /// The header that opens the node's door, if there is a token.
    pub(crate) fn authorization(&self) -> Option<String> {
        self.token.as_ref().map(|token| format!("Bearer {token}"))
    }

    pub(crate) async fn cameras(&self, base: &str) -> Result<Vec<CameraView>, NodeError> {
        let url = join(base, &["cameras"])?;
        let response = self.get(url.clone(), Some(QUICK)).await?;
        let body = limited(response, LIST_BYTES).await?;
        let views: CameraViews =
            serde_json::from_slice(&body).map_err(|_| NodeError::Refused { url, status: StatusCode::OK })?;
        Ok(views.cameras)
    }

    /// The newest picture of a camera, and the preset that a dome took it from.
    pub(crate) async fn picture(
        &self,
        base: &str,
        camera: &str,
    ) -> Result<(Bytes, Option<PresetId>), NodeError> {
        let url = join(base, &["cameras", camera, "frame.jpg"])?;
        let response = self.get(url, Some(QUICK)).await?;
        let preset = response.headers().get("x-preset").and_then(|preset| preset.to_str().ok()?.parse().ok());
        Ok((limited(response, PICTURE_BYTES).await?, preset))
    }

    pub(crate) async fn file(&self, base: &str, path: &str) -> Result<Response, NodeError> {
        let segments: Vec<&str> = path.split('/').collect();
        self.get(join(base, &segments)?, None).await
    }

    /// Asks something of a node's setup.
    pub(crate) async fn ask(&self, base: &str, question: NodeQuestion) -> Result<NodeAnswer, ApiError> {
        let NodeQuestion { method, path, query, body, patience } = question;
        let segments: Vec<&str> = path.iter().map(String::as_str).collect();
        // A segment that would climb out is no name of anything.
        let mut url = join(base, &segments).map_err(|_| ApiError::NotFound)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = self.http.request(method, url.clone()).timeout(patience);
        if let Some(authorization) = self.authorization() {
            request = request.header("authorization", authorization);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        let unreachable = |why: &dyn std::fmt::Display| {
            warn!(%url, %why, "a node does not answer as it should");
            ApiError::NodeUnreachable
        };
        let response = request.send().await.map_err(|error| unreachable(&error.without_url()))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = limited(response, PICTURE_BYTES).await.map_err(|error| unreachable(&error))?;
        if status.is_success() {
            return Ok(NodeAnswer { headers, body });
        }
        let refusal: Option<NodeRefusal> = serde_json::from_slice(&body).ok();
        let known = refusal.as_ref().and_then(|said| REFUSALS.iter().find(|(code, _)| *code == said.code));
        match (known, refusal) {
            (Some(("not_found", _)), _) => Err(ApiError::NotFound),
            (Some((code, status)), Some(said)) => {
                let text = |language: &str| said.messages.get(language).cloned().unwrap_or_default();
                Err(ApiError::Setup { status: *status, code, zh: text("zh-CN"), en: text("en") })
            }
            _ => Err(unreachable(&status)),
        }
    }

    async fn get(&self, url: Url, timeout: Option<Duration>) -> Result<Response, NodeError> {
        let mut request = self.http.get(url.clone());
        if let Some(authorization) = self.authorization() {
            request = request.header("authorization", authorization);
        }
        if let Some(timeout) = timeout {
            request = request.timeout(timeout);
        }
        let response =
            request.send().await.map_err(|source| NodeError::Request { url: url.clone(), source })?;
        match response.status() {
            StatusCode::OK => Ok(response),
            status => Err(NodeError::Refused { url, status }),
        }
    }
}

async fn limited(mut response: Response, limit: u64) -> Result<Bytes, NodeError> {
    let url = response.url().clone();
    let mut body = Vec::new();
    loop {
        let chunk =
            response.chunk().await.map_err(|source| NodeError::Request { url: url.clone(), source })?;
        let Some(chunk) = chunk else { return Ok(body.into()) };
        if (body.len() + chunk.len()) as u64 > limit {
            return Err(NodeError::TooLarge { url, limit });
        }
        body.extend_from_slice(&chunk);
    }
}

/// The address of `segments` below `base`. No segment may climb out.
pub(crate) fn join(base: &str, segments: &[&str]) -> Result<Url, NodeError> {
    let wrong = || NodeError::Address(base.to_owned());
    let mut url = Url::parse(base).map_err(|_| wrong())?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(wrong());
    }
    if segments.iter().any(|s| s.is_empty() || *s == "." || *s == "..") {
        return Err(wrong());
    }
    url.path_segments_mut().map_err(|()| wrong())?.pop_if_empty().extend(segments);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_joined_with_or_without_a_slash_at_its_end() {
        for base in ["http://n1:8091", "http://n1:8091/"] {
            assert_eq!(join(base, &["cameras", "gate"]).unwrap().as_str(), "http://n1:8091/cameras/gate");
        }
        let below = join("http://n1/evidence/", &["2026-11-22", "a b?c", "clip.mp4"]).unwrap();
        assert_eq!(below.as_str(), "http://n1/evidence/2026-11-22/a%20b%3Fc/clip.mp4");
    }

    #[test]
    fn nothing_but_a_node_is_asked() {
        for base in ["file:///etc/passwd", "ftp://n1/", "n1:8091", "", "http://"] {
            assert!(join(base, &["cameras"]).is_err(), "{base}");
        }
        for path in [["..", "x"], ["x", ".."], ["", "x"], [".", "x"]] {
            assert!(join("http://n1/evidence/", &path).is_err(), "{path:?}");
        }
    }
}
