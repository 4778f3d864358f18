//! Signing in and out.

use axum::{
    Extension, Json,
    extract::{Query, State, rejection::JsonRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use tracing::warn;

use super::{
    App,
    people_shape::{Credentials, PasswordChange, Provider, Session, SignIn},
    problem::{ApiError, Problem},
    user::checked_password,
};
use crate::{
    caller::{Address, COOKIE, Caller, SessionSecret, Via, cookie},
    people::{CALLBACK, OidcError, PATIENCE, SignInError, csrf},
    security::is_loopback_name,
};

impl From<SignInError> for ApiError {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Wrong => Self::SignInFailed,
            SignInError::Locked(wait) => Self::Locked(wait),
            SignInError::Store(error) => Self::Store(error),
        }
    }
}

/// How one can sign in here.
#[utoipa::path(get, path = "/api/sign-in", tag = "people", responses((status = 200, body = SignIn)))]
pub(super) async fn ways(State(app): State<App>) -> Json<SignIn> {
    let oidc = app.oidc.as_ref().map(|oidc| Provider { name: oidc.name().to_owned() });
    Json(SignIn { password: true, oidc })
}

/// Name of the cookie of a browser on its way to the identity provider and back.
const AWAY: &str = "parapet_oidc";

/// Goes to the identity provider to sign in there.
#[utoipa::path(
    get, path = "/api/session/oidc", tag = "people",
    responses(
        (status = 303, description = "to the provider, or back to the page with ?sign-in=failed"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "there is none"),
    )
)]
pub(super) async fn leave(State(app): State<App>, headers: HeaderMap) -> Result<Response, ApiError> {
    let oidc = app.oidc.as_ref().ok_or(ApiError::NotFound)?;
    match oidc.begin().await {
        Ok(departure) => {
            let kept = app.cookies.away(&departure.browser, &headers);
            Ok(([(header::SET_COOKIE, kept)], Redirect::to(&departure.url)).into_response())
        }
        Err(error) => Ok(turned_back(&error)),
    }
}

/// What the identity provider sends a browser back with.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Return {
    /// Proves to the center that the person was there.
    code: Option<String>,
    /// The attempt that it belongs to.
    state: Option<String>,
    /// Why not.
    error: Option<String>,
}

/// Comes back from the identity provider.
#[utoipa::path(
    get, path = "/api/session/oidc/callback", tag = "people", params(Return),
    responses(
        (status = 303, description = "to the page, signed in, or with ?sign-in=unknown, refused, expired or failed"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "there is none"),
    )
)]
pub(super) async fn come_back(
    State(app): State<App>,
    headers: HeaderMap,
    Query(back): Query<Return>,
) -> Result<Response, ApiError> {
    let oidc = app.oidc.as_ref().ok_or(ApiError::NotFound)?;
    if let Some(error) = back.error {
        return Ok(turned_back(&OidcError::Refused(error.chars().take(80).collect())));
    }
    let browser = cookie(&headers, AWAY).unwrap_or_default();
    let (code, state) = (back.code.unwrap_or_default(), back.state.unwrap_or_default());
    Ok(match app.people.sign_in_by(oidc, &code, &state, browser).await {
        Ok(signed_in) => {
            let cookies = [
                (header::SET_COOKIE, app.cookies.of(&signed_in.secret, &headers)),
                (header::SET_COOKIE, app.cookies.home(&headers)),
            ];
            (AppendHeaders(cookies), Redirect::to("/")).into_response()
        }
        Err(error) => turned_back(&error),
    })
}

/// The page says why nobody was signed in; the details are in the log.
fn turned_back(error: &OidcError) -> Response {
    warn!(%error, "nobody was signed in by the identity provider");
    metrics::counter!("parapet_center_sign_in_failures_total").increment(1);
    let why = match error {
        OidcError::Unknown(_) => "unknown",
        OidcError::Refused(_) => "refused",
        OidcError::Expired => "expired",
        OidcError::Provider(_) | OidcError::Store(_) => "failed",
    };
    Redirect::to(&format!("/?sign-in={why}")).into_response()
}

/// Signs in by name and password; the answer sets the cookie of the session.
#[utoipa::path(
    post, path = "/api/session", tag = "people", request_body = Credentials,
    responses(
        (status = 200, body = Session),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "too many wrong passwords: Retry-After says for how long"),
    )
)]
pub(super) async fn sign_in(
    State(app): State<App>,
    address: Address,
    headers: HeaderMap,
    body: Result<Json<Credentials>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Json(credentials) = body.map_err(|rejection| ApiError::Body(rejection.body_text()))?;
    let signed_in = app.people.sign_in(&credentials.name, &credentials.password, address.0).await?;
    let cookie = app.cookies.of(&signed_in.secret, &headers);
    let session = session_of(&signed_in.caller, &signed_in.secret);
    Ok(([(header::SET_COOKIE, cookie)], Json(session)).into_response())
}

fn session_of(caller: &Caller, secret: &str) -> Session {
    Session {
        name: caller.name.clone(),
        display_name: caller.display_name.clone(),
        grants: caller.access.grants.iter().cloned().map(Into::into).collect(),
        permissions: caller.access.permissions().into_iter().map(Into::into).collect(),
        csrf: if matches!(caller.via, Via::Session(_)) { csrf(secret) } else { String::new() },
    }
}

/// Who is signed in.
#[utoipa::path(
    get, path = "/api/session", tag = "people",
    responses(
        (status = 200, body = Session),
        (status = 401, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn session(
    caller: Caller,
    Extension(SessionSecret(secret)): Extension<SessionSecret>,
) -> Json<Session> {
    Json(session_of(&caller, &secret))
}

/// Signs out.
#[utoipa::path(delete, path = "/api/session", tag = "people", responses((status = 204)))]
pub(super) async fn sign_out(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    app.people.sign_out(&caller).await?;
    let gone = app.cookies.gone(&headers);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, gone)]).into_response())
}

/// Changes one's own password and ends one's other sessions.
#[utoipa::path(
    post, path = "/api/session/password", tag = "people", request_body = PasswordChange,
    responses(
        (status = 204),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "the new one will not do"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "the old one is wrong"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "a program has no password"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        (status = 429, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn password(
    State(app): State<App>,
    caller: Caller,
    address: Address,
    body: Result<Json<PasswordChange>, JsonRejection>,
) -> Result<StatusCode, ApiError> {
    let Json(change) = body.map_err(|rejection| ApiError::Body(rejection.body_text()))?;
    let (Via::Session(session), Ok(name)) = (caller.via, caller.name.parse()) else {
        return Err(ApiError::Forbidden);
    };
    checked_password(&caller.name, &change.new)?;
    app.people.change_password(&name, session, &change.old, &change.new, address.0).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// How the cookies of sessions are set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cookies {
    /// Seconds for which a browser keeps one.
    pub(crate) longest_seconds: u64,
    /// Also over plain HTTP.
    pub(crate) plain_http: bool,
}

impl Cookies {
    fn of(&self, secret: &str, headers: &HeaderMap) -> HeaderValue {
        self.cookie(&format!("{COOKIE}={secret}; Path=/"), "Strict", self.longest_seconds, headers)
    }

    fn gone(&self, headers: &HeaderMap) -> HeaderValue {
        self.cookie(&format!("{COOKIE}=; Path=/"), "Strict", 0, headers)
    }

    /// Of a browser that goes to the identity provider. It comes back from another site: `Strict` would not be sent.
    fn away(&self, secret: &str, headers: &HeaderMap) -> HeaderValue {
        self.cookie(&format!("{AWAY}={secret}; Path={CALLBACK}"), "Lax", PATIENCE.as_secs(), headers)
    }

    fn home(&self, headers: &HeaderMap) -> HeaderValue {
        self.cookie(&format!("{AWAY}=; Path={CALLBACK}"), "Lax", 0, headers)
    }

    fn cookie(&self, begin: &str, same_site: &str, seconds: u64, headers: &HeaderMap) -> HeaderValue {
        let secure = self.secure(headers);
        let cookie = format!("{begin}; HttpOnly; SameSite={same_site}; Max-Age={seconds}{secure}");
        HeaderValue::from_str(&cookie).expect("secrets are visible ASCII")
    }

    /// Only over TLS, but on the loopback, where nobody listens, or where the administrator wants it otherwise.
    fn secure(&self, headers: &HeaderMap) -> &'static str {
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let encrypted = text(header::ORIGIN).is_some_and(|origin| origin.starts_with("https://"));
        let plain = self.plain_http || text(header::HOST).is_none_or(is_loopback_name);
        if encrypted || !plain { "; Secure" } else { "" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_leaves_this_machine_only_over_tls() {
        let of = |plain_http, host: &'static str, origin: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static(host));
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            let cookies = Cookies { longest_seconds: 60, plain_http };
            cookies.of("s3cret", &headers).to_str().unwrap().to_owned()
        };
        let plain = of(false, "127.0.0.1:8080", Some("http://127.0.0.1:8080"));
        assert_eq!(plain, "parapet_session=s3cret; Path=/; HttpOnly; SameSite=Strict; Max-Age=60");
        assert!(of(false, "localhost", Some("https://localhost")).ends_with("; Secure"));
        assert!(of(false, "10.0.0.7:8080", None).ends_with("; Secure"));
        assert!(!of(true, "10.0.0.7:8080", None).contains("Secure"));
        assert!(of(true, "center.example.org", Some("https://center.example.org")).ends_with("; Secure"));
    }
}
