//! Setting a node up by way of the center: what is passed on, what is refused in which words, and what is on record.

#![expect(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

#[path = "common/people.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod common;
#[path = "common/stage.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod stage;

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{Method, Uri, header},
    response::{IntoResponse, Response},
};
use common::{Browser, person, sign_in};
use parapet_core::{Grant, Role};
use reqwest::StatusCode;
use serde_json::{Value, json};
use stage::{Cast, Stage};
use tokio::net::TcpListener;

/// What the node was asked: method, path and body.
type Asked = Arc<Mutex<Vec<(String, String, Value)>>>;

async fn node(State(asked): State<Asked>, method: Method, uri: Uri, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    asked.lock().unwrap().push((method.to_string(), uri.to_string(), body.clone()));
    let refusal = |status: StatusCode, code: &str| {
        let messages = json!({ "zh-CN": "不行", "en": "no" });
        (status, axum::Json(json!({ "code": code, "messages": messages }))).into_response()
    };
    match (method.as_str(), uri.path()) {
        ("PUT", "/setup") if body["base"] == "old" => refusal(StatusCode::CONFLICT, "setup_changed"),
        ("PUT", "/setup") => {
            axum::Json(json!({ "revision": "r2", "previous": "r1", "version": "v" })).into_response()
        }
        ("POST", "/setup/still") if body["password"] == "wrong" => {
            refusal(StatusCode::UNPROCESSABLE_ENTITY, "camera_password")
        }
        ("POST", "/setup/still") => {
            let headers = [(header::CONTENT_TYPE, "text/html"), (header::SERVER, "x")];
            (headers, [("x-width", "2")], vec![0xff_u8, 0xd8, 1]).into_response()
        }
        ("POST", "/setup/cameras/gate/baselines") => axum::Json(json!({
            "baseline": "b", "captured_at": "2026-11-22T00:00:00Z", "season": "autumn", "part_of_day": "midday",
            "standing": "in_force", "at": "2026-11-22T00:00:00Z", "by": body["by"], "act": "approved", "reason": "",
        }))
        .into_response(),
        ("GET", "/setup/cameras/gate/reference.jpg") => b"<script>".to_vec().into_response(),
        ("GET", "/setup") => axum::Json(json!({ "nonsense": true })).into_response(),
        _ => refusal(StatusCode::IM_A_TEAPOT, "made_up"),
    }
}

/// A center whose node at the harbour is this one, and an administrator of the harbour.
async fn scene() -> (Stage, Browser, Asked) {
    let asked = Asked::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let router = Router::new().fallback(node).with_state(asked.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let people = vec![
        person("chen", vec![Grant::at(Role::Administrator, "harbour".parse().unwrap())]),
        person("auditor", vec![Grant::everywhere(Role::Auditor)]),
    ];
    let stage = Stage::set(Cast { people, node: Some(url) }).await;
    let chen = sign_in(&stage.base, "chen").await;
    (stage, chen, asked)
}

async fn told(browser: &Browser, method: &str, url: &str, body: Value) -> (u16, Value) {
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let request = browser.http.request(method, url);
    let request = if body.is_null() { request } else { request.json(&body) };
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_saved_in_somebodys_name_and_a_password_is_nowhere() {
    let (stage, chen, asked) = scene().await;
    let setup = format!("{}/api/sites/harbour/nodes/harbour-1/setup", stage.base);
    let save = |base: &str| json!({ "base": base, "text": "x", "reason": "a new lane" });
    let (status, refused) = told(&chen, "PUT", &setup, save("old")).await;
    assert_eq!((status, &refused["code"]), (409, &json!("setup_changed")));
    assert_eq!(refused["messages"], json!({ "zh-CN": "不行", "en": "no" }));
    assert_eq!(told(&chen, "PUT", &setup, save("r1")).await.0, 200);
    assert_eq!(asked.lock().unwrap().last().unwrap().2, json!({ "base": "r1", "text": "x" }));

    let still = format!("{setup}/still");
    let camera = |password: &str| json!({ "url": "rtsp://u:in-it@10.0.0.5/main", "username": "viewer", "password": password });
    let (status, refused) = told(&chen, "POST", &still, camera("wrong")).await;
    assert_eq!((status, &refused["code"]), (422, &json!("camera_password")));
    let response = chen.http.post(&still).json(&camera("geheim")).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let headers = response.headers();
    assert_eq!(
        (&headers["content-type"], &headers["x-width"]),
        (&"image/jpeg".parse().unwrap(), &"2".parse().unwrap())
    );
    assert!(!headers.contains_key("server"));
    assert_eq!(asked.lock().unwrap().last().unwrap().2["password"], "geheim");

    let judged = json!({ "preset": null, "act": "approve", "baseline": "b", "reason": "" });
    let (status, judged) = told(&chen, "POST", &format!("{setup}/cameras/gate/baselines"), judged).await;
    assert_eq!((status, &judged["by"]), (200, &json!("chen")));
    // Who else's name somebody gives is not asked.
    let forged = json!({ "preset": null, "act": "approve", "baseline": "b", "reason": "", "by": "li-wei" });
    assert_eq!(told(&chen, "POST", &format!("{setup}/cameras/gate/baselines"), forged).await.0, 422);

    let auditor = sign_in(&stage.base, "auditor").await;
    let audit = format!("{}/api/audit?subject_kind=node", stage.base);
    let deeds = told(&auditor, "GET", &audit, Value::Null).await.1;
    let entries: Vec<_> = deeds["entries"].as_array().unwrap().iter().rev().collect();
    let actions: Vec<&str> = entries.iter().map(|deed| deed["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["setup.save", "setup.still", "setup.still", "setup.baseline"]);
    assert_eq!(
        entries[0]["detail"],
        json!({ "before": "r1", "after": "r2", "version": "v", "reason": "a new lane" })
    );
    assert_eq!(
        (&entries[0]["actor"], &entries[0]["subject_id"]),
        (&json!("chen"), &json!("harbour/harbour-1"))
    );
    assert_eq!(entries[1]["detail"], json!({ "host": "10.0.0.5", "camera": null }));
    assert!(!deeds.to_string().contains("geheim") && !deeds.to_string().contains("in-it"), "{deeds}");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_node_makes_up_is_not_passed_on() {
    let (stage, chen, asked) = scene().await;
    let setup = format!("{}/api/sites/harbour/nodes/harbour-1/setup", stage.base);
    for (method, path, body) in [
        ("GET", "", Value::Null),
        ("GET", "/trial", Value::Null),
        ("GET", "/cameras/gate/reference.jpg?preset=p", Value::Null),
        ("POST", "/draft", json!({ "text": "", "edits": [] })),
    ] {
        let (status, refused) = told(&chen, method, &format!("{setup}{path}"), body).await;
        assert_eq!((status, &refused["code"]), (502, &json!("node_unreachable")), "{path}");
    }
    let count = asked.lock().unwrap().len();
    for (path, wanted) in [
        ("/versions/%2e%2e", 404),
        ("/cameras/gate/reference.jpg?x=1", 400),
        ("/trial/x/1/picture.jpg?of=other", 400),
    ] {
        assert_eq!(told(&chen, "GET", &format!("{setup}{path}"), Value::Null).await.0, wanted, "{path}");
    }
    let elsewhere = format!("{}/api/sites/hill/nodes/hill-1/setup", stage.base);
    assert_eq!(told(&chen, "GET", &elsewhere, Value::Null).await.0, 404, "of another site");
    let nobody = format!("{}/api/sites/harbour/nodes/harbour-9/setup", stage.base);
    assert_eq!(told(&chen, "GET", &nobody, Value::Null).await.0, 404);
    assert_eq!(told(&chen, "POST", &format!("{setup}/discover"), json!({ "seconds": 99 })).await.0, 400);
    assert_eq!(asked.lock().unwrap().len(), count, "the node was asked nothing of this");
    stage.end().await;
}
