//! What every answer carries and which requests are refused before anything looks at them.
//!
//! So that no other site in the operator's browser can act in the operator's place, changes and live connections are taken
//! only from the center's own page, and on the loopback only under a name that is its own (a foreign name that resolves to
//! it would be another site, too). Who the caller is comes after that ([`crate::caller`]).

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::api::problem::ApiError;

/// Scripts, styles and connections only from here; no inline code, no frames, no plug-ins.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
    media-src 'self'; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
];

/// Who the center is, as browsers name it.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    public: Arc<[String]>,
    loopback: bool,
}

impl Names {
    pub(crate) fn new(listen: SocketAddr, public: &[String]) -> Self {
        Self {
            public: public.iter().map(|name| name.to_ascii_lowercase()).collect(),
            loopback: listen.ip().is_loopback(),
        }
    }

    fn is_public(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        self.public.iter().any(|name| *name == host || *name == without_port(&host))
    }

    fn host_is_ours(&self, host: &str) -> bool {
        !self.loopback || self.is_public(host) || is_loopback_name(host)
    }

    fn origin_is_ours(&self, origin: &str, host: &str) -> bool {
        let Some((scheme, from)) = origin.split_once("://") else { return false };
        matches!(scheme, "http" | "https") && (from.eq_ignore_ascii_case(host) || self.is_public(from))
    }
}

/// Whether a host, perhaps with a port, is a name of the machine for itself.
pub(crate) fn is_loopback_name(host: &str) -> bool {
    matches!(without_port(host), "localhost" | "127.0.0.1" | "[::1]")
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Refuses foreign requests, and marks every answer.
pub(crate) async fn guard(State(names): State<Names>, request: Request, next: Next) -> Response {
    let mut response = if is_foreign(&names, request.method(), request.headers()) {
        ApiError::Foreign.into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

fn is_foreign(names: &Names, method: &Method, headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let host = text(header::HOST).unwrap_or_default();
    if !host.is_empty() && !names.host_is_ours(host) {
        return true;
    }
    let changes = !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    // A WebSocket is not held back by the browser's same-origin rule.
    if !changes && !headers.contains_key(header::UPGRADE) {
        return false;
    }
    match text(header::ORIGIN) {
        Some(origin) => !names.origin_is_ours(origin, host),
        // Programs send no origin; browsers that leave it out say where the request comes from.
        None => text(HeaderName::from_static("sec-fetch-site"))
            .is_some_and(|site| !matches!(site, "same-origin" | "none")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign(names: &Names, method: &Method, headers: &[(&'static str, &str)]) -> bool {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect();
        is_foreign(names, method, &headers)
    }

    #[test]
    fn only_the_centers_own_page_may_change_anything() {
        let names = Names::new("127.0.0.1:8080".parse().unwrap(), &[]);
        let host = ("host", "127.0.0.1:8080");
        assert!(!foreign(&names, &Method::POST, &[host, ("origin", "http://127.0.0.1:8080")]));
        assert!(!foreign(&names, &Method::POST, &[host]), "a program");
        assert!(foreign(&names, &Method::POST, &[host, ("origin", "https://evil.example")]));
        assert!(foreign(&names, &Method::POST, &[host, ("origin", "http://127.0.0.1:9999")]));
        assert!(foreign(&names, &Method::POST, &[host, ("origin", "null")]));
        assert!(foreign(&names, &Method::POST, &[host, ("sec-fetch-site", "cross-site")]));
        assert!(foreign(
            &names,
            &Method::GET,
            &[host, ("upgrade", "websocket"), ("origin", "https://evil.example")]
        ));
        assert!(
            !foreign(&names, &Method::GET, &[host, ("origin", "https://evil.example")]),
            "cannot be read there"
        );
    }

    #[test]
    fn a_foreign_name_for_the_loopback_is_refused() {
        let names = Names::new("127.0.0.1:8080".parse().unwrap(), &["Center.example.org".to_owned()]);
        assert!(foreign(&names, &Method::GET, &[("host", "rebound.example:8080")]));
        assert!(!foreign(&names, &Method::GET, &[("host", "localhost:8080")]));
        assert!(!foreign(&names, &Method::GET, &[("host", "[::1]:8080")]));
        let proxied = [("host", "127.0.0.1:8080"), ("origin", "https://center.example.org")];
        assert!(!foreign(&names, &Method::POST, &proxied));
        let open = Names::new("0.0.0.0:8080".parse().unwrap(), &[]);
        assert!(!foreign(&open, &Method::GET, &[("host", "10.0.0.7:8080")]));
    }
}
