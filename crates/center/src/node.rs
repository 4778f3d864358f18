//! Asks nodes over HTTP: cameras with their zones, single pictures, files of evidence. Addresses come from the bus, so
//! only `http` and `https` are followed, and no redirects.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{Client, Response, StatusCode, Url};
use serde::Deserialize;

use crate::api::shape::{CameraRule, CameraZone};

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

    pub(crate) async fn picture(&self, base: &str, camera: &str) -> Result<Bytes, NodeError> {
        let url = join(base, &["cameras", camera, "frame.jpg"])?;
        limited(self.get(url, Some(QUICK)).await?, PICTURE_BYTES).await
    }

    pub(crate) async fn file(&self, base: &str, path: &str) -> Result<Response, NodeError> {
        let segments: Vec<&str> = path.split('/').collect();
        self.get(join(base, &segments)?, None).await
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
