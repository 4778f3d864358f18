//! People who sign in.

use parapet_center::FirstUser;
use parapet_core::Grant;
use reqwest::header::{COOKIE, HeaderMap};
use serde_json::Value;

/// Everybody's password.
pub(crate) const PASSWORD: &str = "correct horse";

/// Somebody who is there from the start.
pub(crate) fn person(name: &str, grants: Vec<Grant>) -> FirstUser {
    FirstUser {
        name: name.parse().unwrap(),
        display_name: format!("{name} 先生"),
        password: PASSWORD.to_owned(),
        grants,
    }
}

/// A browser that is signed in.
pub(crate) struct Browser {
    pub(crate) http: reqwest::Client,
    pub(crate) cookie: String,
    pub(crate) csrf: String,
}

/// Signs somebody in.
pub(crate) async fn sign_in(base: &str, name: &str) -> Browser {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let body = serde_json::json!({ "name": name, "password": PASSWORD });
    let response = http.post(format!("{base}/api/session")).json(&body).send().await.unwrap();
    assert_eq!(response.status(), 200, "{name}");
    let cookie = response.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let session: Value = response.json().await.unwrap();
    let csrf = session["csrf"].as_str().unwrap().to_owned();
    let mut headers = HeaderMap::new();
    headers.insert(COOKIE, cookie.parse().unwrap());
    headers.insert("x-parapet-csrf", csrf.parse().unwrap());
    let http = reqwest::Client::builder().no_proxy().default_headers(headers).build().unwrap();
    Browser { http, cookie, csrf }
}
