//! Signing in by an identity provider: whose word counts, for whom, once, and in the browser that asked.

#![expect(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

#[expect(dead_code, reason = "other tests use the rest")]
#[path = "common/people.rs"]
mod common;
#[expect(dead_code, reason = "other tests use the rest")]
#[path = "common/stage.rs"]
mod stage;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Form, Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use common::{person, sign_in};
use openidconnect::{
    JsonWebKeyId, PrivateSigningKey,
    core::{CoreEdDsaPrivateSigningKey, CoreJwsSigningAlgorithm},
};
use parapet_center::{GroupGrant, OidcConfig};
use parapet_core::{Grant, Role};
use reqwest::{Url, redirect::Policy};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use stage::Stage;
use tokio::net::TcpListener;

const CLIENT: &str = "parapet-center";
const SECRET: &str = "a secret between the two";
/// Seconds of the center's clock (`Stage`), 2026-11-22T00:01:00Z.
const NOW: i64 = 1_795_305_660;

/// An identity provider that gives a token for each code that the test hands out.
#[derive(Clone)]
struct Provider {
    issuer: String,
    key: Arc<CoreEdDsaPrivateSigningKey>,
    /// The challenge of a code, and what its token says.
    codes: Arc<Mutex<HashMap<String, (String, Value)>>>,
}

impl Provider {
    async fn start() -> Self {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        let id = Some(JsonWebKeyId::new("one".to_owned()));
        let key = CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pair.serialize_pem(), id).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let provider = Self { issuer, key: Arc::new(key), codes: Arc::default() };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(Self::metadata))
            .route("/keys", get(Self::keys))
            .route("/token", post(Self::token))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    #[expect(clippy::unused_async, reason = "handlers are")]
    async fn metadata(State(provider): State<Self>) -> Json<Value> {
        let at = |path: &str| format!("{}/{path}", provider.issuer);
        Json(json!({
            "issuer": provider.issuer, "authorization_endpoint": at("authorize"), "token_endpoint": at("token"),
            "jwks_uri": at("keys"), "response_types_supported": ["code"], "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["EdDSA"],
        }))
    }

    #[expect(clippy::unused_async, reason = "handlers are")]
    async fn keys(State(provider): State<Self>) -> Json<Value> {
        Json(json!({ "keys": [provider.key.as_verification_key()] }))
    }

    #[expect(clippy::unused_async, reason = "handlers are")]
    async fn token(
        State(provider): State<Self>,
        headers: HeaderMap,
        Form(form): Form<HashMap<String, String>>,
    ) -> Response {
        let id = BASE64_STANDARD.encode(format!("{CLIENT}:{}", SECRET.replace(' ', "+")));
        assert_eq!(headers[header::AUTHORIZATION], format!("Basic {id}"));
        let known = provider.codes.lock().unwrap().remove(&form["code"]);
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"]));
        let Some((_, claims)) = known.filter(|(asked, _)| *asked == challenge) else {
            return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response();
        };
        let part = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(json!({ "alg": "EdDSA", "kid": "one" })), part(claims));
        let signature = provider.key.sign(&CoreJwsSigningAlgorithm::EdDsa, text.as_bytes()).unwrap();
        let token = format!("{text}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature));
        Json(json!({ "access_token": "a", "token_type": "Bearer", "id_token": token })).into_response()
    }

    fn claims(&self, subject: &str, name: &str, groups: &[&str], nonce: &str) -> Value {
        json!({
            "iss": self.issuer, "sub": subject, "aud": CLIENT, "iat": NOW, "exp": NOW + 300, "nonce": nonce,
            "preferred_username": name, "name": "王芳", "groups": groups,
        })
    }
}

/// A browser that went to the provider.
struct Away {
    cookie: String,
    state: String,
    nonce: String,
    challenge: String,
}

struct Town {
    stage: Stage,
    provider: Provider,
    http: reqwest::Client,
}

impl Town {
    async fn open() -> Self {
        let provider = Provider::start().await;
        let issuer = provider.issuer.clone();
        let people = vec![person("root", vec![Grant::everywhere(Role::Administrator)])];
        let stage = Stage::set_with(people, |config, directory| {
            let file = directory.join("client-secret");
            std::fs::write(&file, SECRET).unwrap();
            config.sign_in.oidc = Some(OidcConfig {
                issuer,
                client_id: CLIENT.to_owned(),
                client_secret_file: Some(file),
                public_url: "http://127.0.0.1:8080".to_owned(),
                name: "市统一身份".to_owned(),
                groups: vec![GroupGrant {
                    group: "harbour-room".to_owned(),
                    role: Role::Operator,
                    site: Some("harbour".parse().unwrap()),
                    camera: None,
                }],
                ..OidcConfig::default()
            });
        })
        .await;
        let http = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        Self { stage, provider, http }
    }

    /// Sends a browser to the provider.
    async fn leave(&self) -> Away {
        let there = self.http.get(format!("{}/api/session/oidc", self.stage.base)).send().await.unwrap();
        assert_eq!(there.status(), 303);
        let cookie = there.headers()["set-cookie"].to_str().unwrap().to_owned();
        assert!(cookie.contains("; HttpOnly; SameSite=Lax; "), "{cookie}");
        let url: Url = there.headers()["location"].to_str().unwrap().parse().unwrap();
        let query: HashMap<String, String> = url.query_pairs().into_owned().collect();
        assert!(url.as_str().starts_with(&format!("{}/authorize?", self.provider.issuer)), "{url}");
        assert_eq!(query["redirect_uri"], "http://127.0.0.1:8080/api/session/oidc/callback");
        assert_eq!((query["code_challenge_method"].as_str(), query["client_id"].as_str()), ("S256", CLIENT));
        assert!(query["scope"].split(' ').any(|scope| scope == "openid"));
        Away {
            cookie: cookie.split(';').next().unwrap().to_owned(),
            state: query["state"].clone(),
            nonce: query["nonce"].clone(),
            challenge: query["code_challenge"].clone(),
        }
    }

    /// The provider lets the person in: comes back with a code for these claims. Where the center sends the browser, and
    /// the session's cookie.
    async fn come_back(&self, away: &Away, claims: Value) -> (String, Option<String>) {
        let known = (away.challenge.clone(), claims);
        self.provider.codes.lock().unwrap().insert("the-code".to_owned(), known);
        self.answer(&format!("code=the-code&state={}", away.state), &away.cookie).await
    }

    async fn answer(&self, query: &str, cookie: &str) -> (String, Option<String>) {
        let url = format!("{}/api/session/oidc/callback?{query}", self.stage.base);
        let answer = self.http.get(url).header(header::COOKIE, cookie).send().await.unwrap();
        assert_eq!(answer.status(), 303);
        let cookies = answer.headers().get_all(header::SET_COOKIE).iter();
        let session = cookies
            .filter_map(|cookie| cookie.to_str().unwrap().split(';').next())
            .find(|cookie| cookie.starts_with("parapet_session="));
        (answer.headers()["location"].to_str().unwrap().to_owned(), session.map(str::to_owned))
    }

    async fn sign_in(&self, subject: &str, name: &str, groups: &[&str]) -> (String, Option<String>) {
        let away = self.leave().await;
        let claims = self.provider.claims(subject, name, groups, &away.nonce);
        self.come_back(&away, claims).await
    }

    async fn session(&self, cookie: &str) -> Value {
        let url = format!("{}/api/session", self.stage.base);
        self.http.get(url).header(header::COOKIE, cookie).send().await.unwrap().json().await.unwrap()
    }
}

fn refused(why: &str) -> (String, Option<String>) {
    (format!("/?sign-in={why}"), None)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_says_who_somebody_is_and_the_center_what_they_may_do() {
    let town = Town::open().await;
    let ways: Value =
        town.http.get(format!("{}/api/sign-in", town.stage.base)).send().await.unwrap().json().await.unwrap();
    assert_eq!(ways["oidc"]["name"], "市统一身份");
    let (to, cookie) = town.sign_in("s-1", "Wang-Fang", &["harbour-room", "chess"]).await;
    assert_eq!(to, "/");
    let session = town.session(&cookie.unwrap()).await;
    assert_eq!((&session["name"], &session["display_name"]), (&json!("wang-fang"), &json!("王芳")));
    assert_eq!(session["grants"], json!([{ "role": "operator", "site": "harbour", "camera": null }]));

    // Known by the subject from now on, whatever the name; and without the group there is nothing left to do.
    let (_, cookie) = town.sign_in("s-1", "renamed", &[]).await;
    let session = town.session(&cookie.unwrap()).await;
    assert_eq!((&session["name"], &session["grants"]), (&json!("wang-fang"), &json!([])));

    // Nobody becomes somebody else by a name, neither one with a password nor one of another subject.
    assert_eq!(town.sign_in("s-2", "root", &["harbour-room"]).await, refused("unknown"));
    assert_eq!(town.sign_in("s-2", "wang-fang", &["harbour-room"]).await, refused("unknown"));
    assert_eq!(town.sign_in("s-3", "stranger", &["chess"]).await, refused("unknown"));
    assert_eq!(town.sign_in("s-3", "'; --", &["harbour-room"]).await, refused("unknown"));

    // An account without a password waits for its person.
    let root = sign_in(&town.stage.base, "root").await;
    let new = json!({ "name": "li-wei", "display_name": "李伟", "grants": [] });
    let added = root.http.post(format!("{}/api/users", town.stage.base)).json(&new).send().await.unwrap();
    assert_eq!(added.status(), 201);
    let (to, cookie) = town.sign_in("s-4", "li-wei", &["harbour-room"]).await;
    assert_eq!(to, "/");
    assert_eq!(town.session(&cookie.unwrap()).await["grants"][0]["role"], "operator");
    let gone =
        root.http.put(format!("{}/api/users/li-wei", town.stage.base)).json(&json!({ "enabled": false }));
    assert_eq!(gone.send().await.unwrap().status(), 200);
    assert_eq!(town.sign_in("s-4", "li-wei", &["harbour-room"]).await, refused("unknown"));

    let audit =
        root.http.get(format!("{}/api/audit?subject_kind=user&subject_id=wang-fang", town.stage.base));
    let audit: Value = audit.send().await.unwrap().json().await.unwrap();
    let actions: Vec<&str> =
        audit["entries"].as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert!(actions.contains(&"user.add") && actions.contains(&"session.begin"), "{actions:?}");
    town.stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_counts_once_for_the_browser_that_asked_and_only_if_it_holds() {
    let town = Town::open().await;
    let away = town.leave().await;
    let claims = |away: &Away| town.provider.claims("s-1", "wang-fang", &["harbour-room"], &away.nonce);
    let query = format!("code=the-code&state={}", away.state);
    assert_eq!(town.answer(&query, "").await, refused("expired"), "another browser");
    assert_eq!(town.answer("code=x", &away.cookie).await, refused("expired"), "no state");
    assert_eq!(town.come_back(&away, claims(&away)).await.0, "/");
    assert_eq!(town.come_back(&away, claims(&away)).await, refused("expired"), "a second time");

    let away = town.leave().await;
    let no = format!("error=access_denied&state={}", away.state);
    assert_eq!(town.answer(&no, &away.cookie).await, refused("refused"));

    for (field, value) in [
        ("nonce", json!("another")),
        ("aud", json!("another-client")),
        ("iss", json!("http://127.0.0.1:1")),
        ("exp", json!(NOW - 1)),
        ("preferred_username", Value::Null),
    ] {
        let away = town.leave().await;
        let mut claims = claims(&away);
        claims[field] = value;
        assert_eq!(town.come_back(&away, claims).await, refused("failed"), "{field}");
    }

    let away = town.leave().await;
    let forged = Away { challenge: "of another browser".to_owned(), ..away };
    assert_eq!(town.come_back(&forged, claims(&forged)).await, refused("failed"), "a stolen code");

    let away = town.leave().await;
    town.stage.clock.advance(std::time::Duration::from_secs(601));
    assert_eq!(town.come_back(&away, claims(&away)).await, refused("expired"), "too late");
    town.stage.end().await;
}
