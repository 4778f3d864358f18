//! Whose request it is. Every request but a few passes [`admit`] first, which finds out who asks and refuses those whom
//! nobody knows; handlers then ask the [`Caller`] what they may do.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use axum::{
    extract::{ConnectInfo, FromRequestParts, Request, State},
    http::{HeaderMap, Method, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use parapet_core::{Access, CameraId, Permission, Scope, SiteId};
use parapet_store::{SecretHash, UserRow};

use crate::{
    api::{App, problem::ApiError},
    people::{csrf, same},
};

/// Name of the cookie of a session.
pub(crate) const COOKIE: &str = "parapet_session";
/// Header that a page repeats its session's word in when it changes something.
const CSRF: &str = "x-parapet-csrf";

/// How somebody proved who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    /// A browser's session.
    Session(SecretHash),
    /// A program's token.
    Token(SecretHash),
}

/// Somebody who is known, and what they may do.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// Name on record: a person's, or `token:NAME` for a program.
    pub(crate) name: String,
    /// Name for people.
    pub(crate) display_name: String,
    /// What they may do.
    pub(crate) access: Access,
    /// How they proved it.
    pub(crate) via: Via,
}

impl Caller {
    pub(crate) fn of_user(user: UserRow, via: Via) -> Self {
        Self {
            name: user.name.into(),
            display_name: user.display_name,
            access: Access::new(user.grants),
            via,
        }
    }

    /// Refuses unless something may be done to a thing of this site and camera (see [`Access::may`]). Whoever may not
    /// even see the thing learns no more than for one that is not there.
    pub(crate) fn require(
        &self,
        permission: Permission,
        site: Option<&SiteId>,
        camera: Option<&CameraId>,
    ) -> Result<(), ApiError> {
        if self.access.may(permission, site, camera) {
            return Ok(());
        }
        let of_a_place = site.is_some() || camera.is_some();
        if of_a_place
            && self.access.may_somewhere(permission)
            && !self.access.may(Permission::See, site, camera)
        {
            return Err(ApiError::NotFound);
        }
        Err(ApiError::Forbidden)
    }

    /// Refuses who may do something nowhere: to be asked before a thing is looked up, so that its being there or not
    /// changes nothing.
    pub(crate) fn require_somewhere(&self, permission: Permission) -> Result<(), ApiError> {
        if self.access.may_somewhere(permission) { Ok(()) } else { Err(ApiError::Forbidden) }
    }

    /// Where something may be done, for lists; refuses who may do it nowhere.
    pub(crate) fn scope(&self, permission: Permission) -> Result<Scope, ApiError> {
        self.require_somewhere(permission)?;
        Ok(self.access.scope(permission))
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        parts.extensions.get::<Self>().cloned().ok_or(ApiError::SignInNeeded)
    }
}

/// Where a request comes from, as far as that is known. Behind a proxy on this machine it is the proxy's word.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Address(pub(crate) Option<IpAddr>);

impl FromRequestParts<App> for Address {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        let forwarded = || {
            let list = parts.headers.get("x-forwarded-for")?.to_str().ok()?;
            list.rsplit(',').next()?.trim().parse().ok()
        };
        Ok(Self(match peer {
            Some(peer) if peer.is_loopback() && app.behind_proxy => forwarded().or(Some(peer)),
            peer => peer,
        }))
    }
}

/// Lets requests in whose caller is known, and those for what is open to all.
pub(crate) async fn admit(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let caller = match find(&app, request.headers()).await {
        Ok(caller) => caller,
        Err(error) => return error.into_response(),
    };
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let open = is_open(&request);
    match caller {
        None if !open => return ApiError::SignInNeeded.into_response(),
        None => {}
        // Signing in anew asks nothing of the session before, and figures on this machine nothing of anybody.
        Some(_) if open && (changes || request.uri().path() == "/metrics") => {}
        Some((caller, secret)) => {
            if changes {
                let word = request.headers().get(CSRF).and_then(|word| word.to_str().ok());
                let by_cookie = matches!(caller.via, Via::Session(_));
                if by_cookie && !word.is_some_and(|word| same(word, &csrf(&secret))) {
                    return ApiError::Csrf.into_response();
                }
                if let Err(wait) = app.people.count_change(&caller.name) {
                    return ApiError::TooMany(wait).into_response();
                }
            }
            request.extensions_mut().insert(caller);
            request.extensions_mut().insert(SessionSecret(secret));
        }
    }
    next.run(request).await
}

/// The secret of the session or token that a request came with.
#[derive(Clone)]
pub(crate) struct SessionSecret(pub(crate) String);

async fn find(app: &App, headers: &HeaderMap) -> Result<Option<(Caller, String)>, ApiError> {
    if let Some(secret) = bearer(headers) {
        return Ok(app.people.of_token(secret).await?.map(|caller| (caller, secret.to_owned())));
    }
    let Some(secret) = cookie(headers, COOKIE) else { return Ok(None) };
    Ok(app.people.of_session(secret).await?.map(|caller| (caller, secret.to_owned())))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}

/// The value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(';')).find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == wanted).then_some(value)
    })
}

/// What anybody may ask for: the page itself, whether the center lives, and the way in. Everything else below `/api/`
/// needs a caller, also what is not there.
fn is_open(request: &Request) -> bool {
    let path = request.uri().path();
    match path {
        "/metrics" => is_from_here(request),
        "/api/openapi.json" | "/api/sign-in" | "/api/session/oidc" | "/api/session/oidc/callback" => true,
        "/api/session" => *request.method() == Method::POST,
        _ => path != "/api" && !path.starts_with("/api/"),
    }
}

/// From this machine and not by way of a proxy.
fn is_from_here(request: &Request) -> bool {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    peer.is_some_and(|ConnectInfo(peer)| peer.ip().is_loopback())
        && ["forwarded", "x-forwarded-for", "x-real-ip", "via"]
            .iter()
            .all(|name| !request.headers().contains_key(*name))
}

/// Whole seconds until something may be tried again.
pub(crate) fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::HeaderValue};
    use parapet_core::{Grant, Role};

    use super::*;

    fn caller(grants: Vec<Grant>) -> Caller {
        Caller {
            name: "li-wei".to_owned(),
            display_name: "李伟".to_owned(),
            access: Access::new(grants),
            via: Via::Session(SecretHash([0; 32])),
        }
    }

    #[test]
    fn what_may_not_be_seen_is_not_there_and_what_may_not_be_done_is_forbidden() {
        let (harbour, hill, pier) =
            ("harbour".parse().unwrap(), "hill".parse().unwrap(), "pier".parse().unwrap());
        let li = caller(vec![Grant::at(Role::Operator, harbour), Grant::at(Role::Viewer, hill)]);
        let (harbour, hill) = ("harbour".parse().unwrap(), "hill".parse().unwrap());
        assert!(li.require(Permission::Judge, Some(&harbour), None).is_ok());
        assert!(matches!(li.require(Permission::Judge, Some(&hill), None), Err(ApiError::Forbidden)));
        assert!(matches!(li.require(Permission::Judge, Some(&pier), None), Err(ApiError::NotFound)));
        assert!(matches!(li.require(Permission::Dispatch, Some(&pier), None), Err(ApiError::Forbidden)));
        assert!(matches!(li.require(Permission::Configure, None, None), Err(ApiError::Forbidden)));
        assert!(matches!(li.require(Permission::See, None, None), Err(ApiError::Forbidden)));
        assert!(matches!(li.scope(Permission::Audit), Err(ApiError::Forbidden)));
    }

    #[test]
    fn all_of_the_api_is_closed_but_for_the_way_in() {
        let open = |method: Method, path: &str| {
            is_open(&Request::builder().method(method).uri(path).body(Body::empty()).unwrap())
        };
        for path in [
            "/",
            "/assets/x.js",
            "/healthz",
            "/readyz",
            "/api/openapi.json",
            "/api/sign-in",
            "/api/session/oidc",
        ] {
            assert!(open(Method::GET, path), "{path}");
        }
        assert!(open(Method::POST, "/api/session"));
        for path in
            ["/api", "/api/", "/api/session", "/api/incidents", "/api/nowhere", "/api/live", "/metrics"]
        {
            assert!(!open(Method::GET, path), "{path}");
        }
        assert!(!open(Method::DELETE, "/api/session"));
    }

    #[test]
    fn secrets_are_found_in_cookies_and_in_the_authorization() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; parapet_session=s3cret; b=2"));
        assert_eq!(cookie(&headers, COOKIE), Some("s3cret"));
        assert_eq!(bearer(&headers), None);
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("bearer prp_x"));
        assert_eq!(bearer(&headers), Some("prp_x"));
        headers.insert(header::COOKIE, HeaderValue::from_static("xparapet_session=1"));
        assert_eq!(cookie(&headers, COOKIE), None);
    }
}
