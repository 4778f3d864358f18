//! Who may come in and do what: every route with every role, at the right site and at another one; signing in and out.

#![expect(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

#[path = "common/people.rs"]
mod common;
#[path = "common/stage.rs"]
mod stage;

use std::{collections::BTreeMap, time::Duration};

use common::{Browser, PASSWORD, person, sign_in};
use parapet_core::{Clock, EvidenceItem, EvidenceRole, Grant, Permission, Role};
use parapet_store::EvidenceRecord;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use stage::{Stage, case, incident, time};
use uuid::Uuid;

/// What each route needs; `None` is open to everybody, also to who is not signed in. A route that is not in here fails
/// the test, so that none is forgotten.
const ROUTES: &[(&str, &str, Need)] = &[
    ("get", "/healthz", Need::Nothing),
    ("get", "/readyz", Need::Nothing),
    ("get", "/metrics", Need::Nothing),
    ("get", "/api/sign-in", Need::Nothing),
    ("post", "/api/session", Need::Nothing),
    ("get", "/api/session/oidc", Need::Nothing),
    ("get", "/api/session/oidc/callback", Need::Nothing),
    ("get", "/api/session", Need::Anybody),
    ("delete", "/api/session", Need::Anybody),
    ("post", "/api/session/password", Need::Anybody),
    ("get", "/api/cameras", Need::Somewhere(Permission::See)),
    ("get", "/api/nodes", Need::Somewhere(Permission::See)),
    ("get", "/api/cameras/{camera}/live.jpg", Need::There(Permission::See)),
    ("get", "/api/incidents", Need::Somewhere(Permission::See)),
    ("get", "/api/incidents/{id}", Need::There(Permission::See)),
    ("post", "/api/incidents/{id}/verdict", Need::There(Permission::Judge)),
    ("get", "/api/incidents/{id}/evidence/{role}", Need::There(Permission::See)),
    ("get", "/api/incidents/{id}/thumbnail.jpg", Need::There(Permission::See)),
    ("post", "/api/incidents/{id}/hold", Need::There(Permission::Dispatch)),
    ("delete", "/api/incidents/{id}/hold", Need::There(Permission::Audit)),
    ("post", "/api/cases/{id}/hold", Need::There(Permission::Dispatch)),
    ("delete", "/api/cases/{id}/hold", Need::There(Permission::Audit)),
    ("post", "/api/incidents/{id}/deletion", Need::There(Permission::Delete)),
    ("delete", "/api/incidents/{id}/deletion", Need::There(Permission::Delete)),
    ("post", "/api/incidents/{id}/deletion/approve", Need::There(Permission::Delete)),
    ("get", "/api/deletions", Need::Somewhere(Permission::Delete)),
    ("get", "/api/verdicts", Need::Somewhere(Permission::See)),
    ("get", "/api/kinds", Need::Somewhere(Permission::See)),
    ("get", "/api/stats", Need::Somewhere(Permission::See)),
    ("get", "/api/roofs", Need::Somewhere(Permission::See)),
    ("post", "/api/review/next", Need::Somewhere(Permission::Judge)),
    ("post", "/api/incidents/{id}/claim", Need::There(Permission::Judge)),
    ("delete", "/api/incidents/{id}/claim", Need::There(Permission::Judge)),
    ("get", "/api/incidents/{id}/history-of-place", Need::There(Permission::See)),
    ("get", "/api/mutes", Need::Somewhere(Permission::See)),
    ("post", "/api/mutes", Need::Somewhere(Permission::Judge)),
    ("delete", "/api/mutes/{id}", Need::Somewhere(Permission::Judge)),
    ("get", "/api/cases", Need::Somewhere(Permission::See)),
    ("post", "/api/cases", Need::Somewhere(Permission::File)),
    ("get", "/api/cases/{id}", Need::There(Permission::See)),
    ("post", "/api/cases/{id}/actions", Need::There(Permission::File)),
    ("post", "/api/cases/{id}/answers", Need::There(Permission::Answer)),
    ("get", "/api/cases/{id}/answers/{answer}/pictures/{picture}", Need::There(Permission::See)),
    ("get", "/api/cases/{id}/archive.zip", Need::There(Permission::SeeClear)),
    ("get", "/api/cases/{id}/orders/{number}/document.html", Need::There(Permission::See)),
    ("get", "/api/cases/{id}/orders/{number}/document.pdf", Need::There(Permission::See)),
    ("put", "/api/kinds/{code}", Need::Everywhere(Permission::Configure)),
    ("get", "/api/departments", Need::Somewhere(Permission::See)),
    ("put", "/api/departments/{id}", Need::Everywhere(Permission::Configure)),
    ("get", "/api/settings", Need::Somewhere(Permission::See)),
    ("put", "/api/settings/{name}", Need::Everywhere(Permission::Configure)),
    ("get", "/api/sites", Need::Somewhere(Permission::See)),
    ("put", "/api/sites/{site}", Need::Everywhere(Permission::Configure)),
    ("get", "/api/sites/{site}/plan", Need::Site(Permission::See)),
    ("put", "/api/sites/{site}/plan", Need::Everywhere(Permission::Configure)),
    ("get", "/api/sites/{site}/plan.png", Need::Site(Permission::See)),
    ("put", "/api/sites/{site}/plan.png", Need::Everywhere(Permission::Configure)),
    ("get", "/api/sites/{site}/nodes/{node}/setup", Need::OfSite(Permission::Configure)),
    ("put", "/api/sites/{site}/nodes/{node}/setup", Need::OfSite(Permission::Configure)),
    ("post", "/api/sites/{site}/nodes/{node}/setup/draft", Need::OfSite(Permission::Configure)),
    ("get", "/api/sites/{site}/nodes/{node}/setup/versions/{version}", Need::OfSite(Permission::Configure)),
    ("post", "/api/sites/{site}/nodes/{node}/setup/discover", Need::OfSite(Permission::Configure)),
    ("post", "/api/sites/{site}/nodes/{node}/setup/probe", Need::OfSite(Permission::Configure)),
    ("post", "/api/sites/{site}/nodes/{node}/setup/still", Need::OfSite(Permission::Configure)),
    (
        "get",
        "/api/sites/{site}/nodes/{node}/setup/cameras/{camera}/reference.jpg",
        Need::OfSite(Permission::Configure),
    ),
    (
        "get",
        "/api/sites/{site}/nodes/{node}/setup/cameras/{camera}/baselines",
        Need::OfSite(Permission::Configure),
    ),
    (
        "post",
        "/api/sites/{site}/nodes/{node}/setup/cameras/{camera}/baselines",
        Need::OfSite(Permission::Configure),
    ),
    (
        "get",
        "/api/sites/{site}/nodes/{node}/setup/cameras/{camera}/baselines/{baseline}/picture.jpg",
        Need::OfSite(Permission::Configure),
    ),
    (
        "get",
        "/api/sites/{site}/nodes/{node}/setup/cameras/{camera}/recording",
        Need::OfSite(Permission::Configure),
    ),
    ("get", "/api/sites/{site}/nodes/{node}/setup/trial", Need::OfSite(Permission::Configure)),
    ("post", "/api/sites/{site}/nodes/{node}/setup/trial", Need::OfSite(Permission::Configure)),
    ("delete", "/api/sites/{site}/nodes/{node}/setup/trial", Need::OfSite(Permission::Configure)),
    (
        "get",
        "/api/sites/{site}/nodes/{node}/setup/trial/{trial}/{number}/picture.jpg",
        Need::OfSite(Permission::Configure),
    ),
    ("get", "/api/reports/month", Need::Somewhere(Permission::See)),
    ("get", "/api/reports/{file}", Need::Somewhere(Permission::See)),
    ("get", "/api/export/incidents/{file}", Need::Somewhere(Permission::See)),
    ("get", "/api/export/cases/{file}", Need::Somewhere(Permission::See)),
    ("get", "/api/live", Need::Somewhere(Permission::See)),
    ("get", "/api/users", Need::Everywhere(Permission::ManageUsers)),
    ("post", "/api/users", Need::Everywhere(Permission::ManageUsers)),
    ("put", "/api/users/{name}", Need::Everywhere(Permission::ManageUsers)),
    ("get", "/api/tokens", Need::Everywhere(Permission::ManageUsers)),
    ("post", "/api/tokens", Need::Everywhere(Permission::ManageUsers)),
    ("delete", "/api/tokens/{id}", Need::Everywhere(Permission::ManageUsers)),
    ("get", "/api/audit", Need::Everywhere(Permission::Audit)),
    ("get", "/api/ledger", Need::Everywhere(Permission::Audit)),
];

#[derive(Debug, Clone, Copy)]
enum Need {
    /// Open to all.
    Nothing,
    /// To have signed in.
    Anybody,
    /// The permission at any place: a list, narrowed to what may be seen.
    Somewhere(Permission),
    /// The permission at the thing's place.
    There(Permission),
    /// The permission at any place of the site, of which nothing is there in this test.
    Site(Permission),
    /// The permission for the whole site.
    OfSite(Permission),
    /// The permission without a place.
    Everywhere(Permission),
}

/// Who is there: each role everywhere (`auditor`), at the site (`auditor-harbour`) and for the camera (`auditor-gate`).
fn people() -> Vec<parapet_center::FirstUser> {
    let mut people = Vec::new();
    for role in Role::ALL {
        let at = Grant::at(*role, "harbour".parse().unwrap());
        let camera = Grant { camera: Some("gate".parse().unwrap()), ..at.clone() };
        people.push(person(role.as_str(), vec![Grant::everywhere(*role)]));
        people.push(person(&format!("{}-harbour", role.as_str()), vec![at]));
        people.push(person(&format!("{}-gate", role.as_str()), vec![camera]));
    }
    people.push(person("nobody", Vec::new()));
    people
}

/// Asks a route about the thing at a place, with a body that changes nothing that matters.
async fn ask(
    browser: &Browser,
    base: &str,
    method: &str,
    route: &str,
    site: &str,
    camera: &str,
) -> StatusCode {
    let path = route
        .replace("{camera}", camera)
        .replace("{role}", "snapshot")
        .replace("{name}", "nobody")
        .replace("{site}", site)
        .replace("{node}", &format!("{site}-1"))
        .replace("{version}", "20261122T000000.000Z")
        .replace("{baseline}", "none")
        .replace("{trial}", "none")
        .replace("{code}", "littering")
        .replace("/reports/{file}", "/reports/month.csv")
        .replace("/incidents/{file}", "/incidents/incidents.csv")
        .replace("/cases/{file}", "/cases/cases.csv")
        .replace("/cases/{id}", &format!("/cases/{}", case(site, camera)))
        .replace("{number}", "JB2026-000001")
        .replace("{answer}", &Uuid::nil().to_string())
        .replace("{picture}", &Uuid::nil().to_string())
        .replace("{id}", &incident(site, camera).to_string());
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
    let request = browser.http.request(method.clone(), format!("{base}{path}"));
    let request = match method {
        Method::POST | Method::PUT => request.json(&json!({})),
        _ => request,
    };
    request.send().await.unwrap().status()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_asks_for_role_and_site() {
    let stage = Stage::set(people()).await;
    let description: Value =
        reqwest::get(format!("{}/api/openapi.json", stage.base)).await.unwrap().json().await.unwrap();
    let mut needs: BTreeMap<(String, String), Need> = BTreeMap::new();
    for (method, route, need) in ROUTES {
        needs.insert(((*method).to_owned(), (*route).to_owned()), *need);
    }
    let mut described = Vec::new();
    for (route, methods) in description["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            described.push((method.clone(), route.clone()));
        }
    }
    for route in &described {
        assert!(needs.contains_key(route), "{route:?} is in no table of what routes need");
    }
    assert_eq!(described.len(), needs.len(), "the table has routes that are not there");

    let stranger = Browser {
        http: reqwest::Client::builder().no_proxy().build().unwrap(),
        cookie: String::new(),
        csrf: String::new(),
    };
    for ((method, route), need) in &needs {
        let status = ask(&stranger, &stage.base, method, route, "harbour", "gate").await;
        let closed = !matches!(need, Need::Nothing);
        // A body that is none is told before anything else where everybody may ask.
        assert_eq!(status == 401, closed, "a stranger: {method} {route}: {status}");
    }
    let mut tried = 0;
    for user in people() {
        let name = user.name.to_string();
        let access = parapet_core::Access::new(user.grants.clone());
        let browser = sign_in(&stage.base, &name).await;
        for (site, camera) in [("harbour", "gate"), ("harbour", "yard"), ("hill", "tower")] {
            let (at, of) = (site.parse().unwrap(), camera.parse().unwrap());
            for ((method, route), need) in &needs {
                if (method.as_str(), route.as_str()) == ("delete", "/api/session") {
                    continue;
                }
                let status = ask(&browser, &stage.base, method, route, site, camera).await;
                let told = format!("{name} at {site}/{camera}: {method} {route}: {status}");
                tried += 1;
                let may = match need {
                    Need::Nothing | Need::Anybody => true,
                    Need::Somewhere(permission) => access.may_somewhere(*permission),
                    Need::There(permission) => access.may(*permission, Some(&at), Some(&of)),
                    Need::OfSite(permission) => access.may(*permission, Some(&at), None),
                    Need::Everywhere(permission) => access.may(*permission, None, None),
                    Need::Site(permission) if access.may_somewhere(*permission) => {
                        assert_eq!(status, 404, "{told}");
                        continue;
                    }
                    Need::Site(_) => false,
                };
                let hidden = match need {
                    Need::There(permission) => {
                        access.may_somewhere(*permission)
                            && !access.may(Permission::See, Some(&at), Some(&of))
                    }
                    Need::OfSite(permission) => {
                        access.may_somewhere(*permission) && !access.may(Permission::See, Some(&at), None)
                    }
                    _ => false,
                };
                match (may, hidden) {
                    (true, _) => assert!(!matches!(status.as_u16(), 401 | 403), "{told}"),
                    (false, true) => assert_eq!(status, 404, "{told}"),
                    (false, false) => assert_eq!(status, 403, "{told}"),
                }
                // Nobody has the picture: the node has no address.
                let gone = matches!(route.rsplit('/').next(), Some("live.jpg" | "thumbnail.jpg" | "{role}"))
                    || route.contains("{node}");
                assert!(!status.is_server_error() || (gone && status == 502), "{told}");
            }
        }
    }
    assert!(tried > 1_000, "{tried}");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_hold_only_what_their_reader_may_see() {
    let stage = Stage::set(people()).await;
    for (name, incidents, cameras, nodes) in
        [("viewer", 3, 3, 2), ("viewer-harbour", 2, 2, 1), ("operator-gate", 1, 1, 1)]
    {
        let browser = sign_in(&stage.base, name).await;
        let get = async |path: &str| -> Value {
            browser.http.get(format!("{}{path}", stage.base)).send().await.unwrap().json().await.unwrap()
        };
        assert_eq!(get("/api/incidents").await["incidents"].as_array().unwrap().len(), incidents, "{name}");
        assert_eq!(get("/api/cameras").await.as_array().unwrap().len(), cameras, "{name}");
        let seen = get("/api/nodes").await;
        assert_eq!(seen.as_array().unwrap().len(), nodes, "{name}");
        let stats = get("/api/stats").await;
        assert_eq!((&stats["incidents"], &stats["cameras"]), (&json!(incidents), &json!(cameras)), "{name}");
        if name == "operator-gate" {
            assert_eq!(seen[0]["cameras"], json!(["gate"]), "nothing of its neighbours");
            assert_eq!(get("/api/incidents?site=hill").await["incidents"], json!([]));
        }
    }
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_begin_end_and_run_out() {
    let stage = Stage::set(vec![
        person("li-wei", vec![Grant::everywhere(Role::Operator)]),
        person("admin", vec![Grant::everywhere(Role::Administrator)]),
    ])
    .await;
    let url = |path: &str| format!("{}{path}", stage.base);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let response = http
        .post(url("/api/session"))
        .json(&json!({ "name": "li-wei", "password": PASSWORD }))
        .send()
        .await
        .unwrap();
    let cookie = response.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("; HttpOnly; SameSite=Strict") && cookie.contains("; Path=/"), "{cookie}");
    let session: Value = response.json().await.unwrap();
    assert_eq!(session["grants"], json!([{"role": "operator", "site": null, "camera": null}]));
    assert_eq!(session["permissions"], json!(["see", "see_clear", "judge", "file", "answer"]));

    let li = sign_in(&stage.base, "li-wei").await;
    let status = async |browser: &Browser| {
        browser.http.get(url("/api/session")).send().await.unwrap().status().as_u16()
    };
    assert_eq!(status(&li).await, 200);
    // A change without the session's word is another site's.
    let bare = http
        .post(url("/api/session/password"))
        .header("cookie", &li.cookie)
        .json(&json!({ "old": PASSWORD, "new": "another horse" }));
    let refused = bare.try_clone().unwrap().send().await.unwrap();
    assert_eq!(
        (refused.status().as_u16(), &refused.json::<Value>().await.unwrap()["code"]),
        (403, &json!("csrf"))
    );
    let refused = bare.try_clone().unwrap().header("x-parapet-csrf", "0".repeat(32)).send().await.unwrap();
    assert_eq!(refused.status(), 403);

    // A new password ends the other sessions and not this one.
    let other = sign_in(&stage.base, "li-wei").await;
    let weak = li.http.post(url("/api/session/password")).json(&json!({ "old": PASSWORD, "new": "short" }));
    assert_eq!(weak.send().await.unwrap().status(), 400);
    let wrong =
        li.http.post(url("/api/session/password")).json(&json!({ "old": "x", "new": "another horse" }));
    assert_eq!(wrong.send().await.unwrap().status(), 401);
    assert_eq!(bare.header("x-parapet-csrf", &li.csrf).send().await.unwrap().status(), 204);
    assert_eq!((status(&li).await, status(&other).await), (200, 401));

    // Signing out, running out for want of use, and an administrator's word.
    assert_eq!(li.http.delete(url("/api/session")).send().await.unwrap().status(), 204);
    assert_eq!(status(&li).await, 401);
    let admin = sign_in(&stage.base, "admin").await;
    stage.clock.advance(Duration::from_hours(11));
    assert_eq!(status(&admin).await, 200);
    stage.clock.advance(Duration::from_hours(11));
    assert_eq!(status(&admin).await, 200, "it was used in between");
    stage.clock.advance(Duration::from_secs(12 * 60 * 60 + 1));
    assert_eq!(status(&admin).await, 401);

    let admin = sign_in(&stage.base, "admin").await;
    let put = async |name: &str, body: Value| {
        let response = admin.http.put(url(&format!("/api/users/{name}"))).json(&body).send().await.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };
    assert_eq!(put("admin", json!({ "enabled": false })).await.1["code"], "last_administrator");
    assert_eq!(put("admin", json!({ "grants": [] })).await.1["code"], "last_administrator");
    assert_eq!(put("wang", json!({ "enabled": false })).await.0, 404);
    assert_eq!(put("li-wei", json!({ "password": PASSWORD })).await.0, 200);
    let li = sign_in(&stage.base, "li-wei").await;
    assert_eq!(put("li-wei", json!({ "enabled": false })).await.1["enabled"], false);
    assert_eq!(status(&li).await, 401);
    let deeds: Value = admin
        .http
        .get(url("/api/audit?subject_kind=user&subject_id=li-wei&limit=3"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let actions: Vec<&str> =
        deeds["entries"].as_array().unwrap().iter().map(|deed| deed["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["user.change", "session.begin", "user.change"]);
    assert!(!deeds.to_string().contains("argon2") && !deeds.to_string().contains(PASSWORD));
    let older =
        admin.http.get(url(&format!("/api/audit?actor=li-wei&before={}", deeds["next"]))).send().await;
    let older: Value = older.unwrap().json().await.unwrap();
    assert!(older["entries"].as_array().unwrap().iter().all(|deed| deed["actor"] == "li-wei"), "{older}");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_passwords_lock_and_tell_nothing() {
    let stage = Stage::set(vec![person("li-wei", vec![Grant::everywhere(Role::Administrator)])]).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let try_in = async |name: &str, password: &str| {
        let body = json!({ "name": name, "password": password });
        let response = http.post(format!("{}/api/session", stage.base)).json(&body).send().await.unwrap();
        let (status, wait) = (response.status().as_u16(), response.headers().get("retry-after").cloned());
        (status, wait.map(|wait| wait.to_str().unwrap().to_owned()), response.json::<Value>().await.unwrap())
    };
    for _ in 0..5 {
        let (known, unknown) = (try_in("li-wei", "wrong").await, try_in("wang", "wrong").await);
        assert_eq!(known, unknown, "not told apart");
        assert_eq!((known.0, &known.2["code"]), (401, &json!("sign_in_failed")));
    }
    for name in ["li-wei", "LI-WEI ", "wang"] {
        let locked = try_in(name, PASSWORD).await;
        assert_eq!(
            (locked.0, locked.1.as_deref(), &locked.2["code"]),
            (429, Some("30"), &json!("locked")),
            "{name}"
        );
    }
    stage.clock.advance(Duration::from_secs(30));
    assert_eq!(try_in("li-wei", "wrong").await.0, 401);
    assert_eq!(try_in("li-wei", PASSWORD).await.1.as_deref(), Some("60"), "twice as long");
    stage.clock.advance(Duration::from_mins(1));
    assert_eq!(try_in("li-wei", PASSWORD).await.0, 200);

    // From one address, whatever the names.
    for n in 0..9 {
        assert_eq!(try_in(&format!("x{n}"), "wrong").await.0, 401);
    }
    assert_eq!(try_in("li-wei", PASSWORD).await.0, 429);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_come_in_by_token_and_need_no_page() {
    let stage = Stage::set(people()).await;
    let admin = sign_in(&stage.base, "administrator").await;
    let url = |path: &str| format!("{}{path}", stage.base);
    let body = json!({
        "name": "map", "grants": [{"role": "operator", "site": "harbour", "camera": null}],
        "expires_at": stage.clock.now() + Duration::from_hours(1),
    });
    let made: Value =
        admin.http.post(url("/api/tokens")).json(&body).send().await.unwrap().json().await.unwrap();
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with("prp_") && secret.len() == 47, "{secret}");
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let judge = async |camera: &str, site: &str| {
        let path = format!("/api/incidents/{}/verdict", incident(site, camera));
        let request = http.post(url(&path)).bearer_auth(secret).json(&json!({ "verdict": "confirm" }));
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!((judge("gate", "harbour").await, judge("tower", "hill").await), (200, 404));
    let listed: Value = admin.http.get(url("/api/tokens")).send().await.unwrap().json().await.unwrap();
    assert!(listed[0]["last_used_at"].is_string() && !listed.to_string().contains(secret), "{listed}");
    let audit: Value =
        admin.http.get(url("/api/audit?actor=token:map")).send().await.unwrap().json().await.unwrap();
    assert_eq!(audit["entries"][0]["action"], "incident.status");
    stage.clock.advance(Duration::from_hours(1));
    assert_eq!(judge("gate", "harbour").await, 401, "it has run out");

    let body = json!({ "name": "meter", "grants": [] });
    let made: Value =
        admin.http.post(url("/api/tokens")).json(&body).send().await.unwrap().json().await.unwrap();
    let metrics = async |header: Option<(&str, &str)>| {
        let mut request = http.get(url("/metrics"));
        if let Some((name, value)) = header {
            request = request.header("x-forwarded-for", "192.0.2.7").header(name, value);
        }
        request.send().await.unwrap().status().as_u16()
    };
    // 404: this process keeps no figures, but was willing to show them.
    assert_eq!(metrics(None).await, 404);
    assert_eq!(metrics(Some(("x", "y"))).await, 401, "by way of a proxy");
    let bearer = format!("Bearer {}", made["secret"].as_str().unwrap());
    assert_eq!(metrics(Some(("authorization", &bearer))).await, 404);
    let gone = admin.http.delete(url(&format!("/api/tokens/{}", made["id"].as_str().unwrap())));
    assert_eq!(gone.try_clone().unwrap().send().await.unwrap().status(), 204);
    assert_eq!(gone.send().await.unwrap().status(), 404);
    assert_eq!(metrics(Some(("authorization", &bearer))).await, 401);
    let viewer = sign_in(&stage.base, "viewer").await;
    assert_eq!(metrics(Some(("cookie", &viewer.cookie))).await, 403);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_administrators_password_is_in_a_file_of_their_own() {
    use std::os::unix::fs::PermissionsExt;
    let stage = Stage::set(Vec::new()).await;
    let file = stage.directory.path().join("admin-password");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let password = std::fs::read_to_string(&file).unwrap();
    let body = json!({ "name": "admin", "password": password.trim() });
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let session = http.post(format!("{}/api/session", stage.base)).json(&body).send().await.unwrap();
    let session: Value = session.json().await.unwrap();
    assert_eq!(session["permissions"].as_array().unwrap().len(), 11);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_see_clear_gets_a_mosaic_and_no_clip() {
    let stage = Stage::set(people()).await;
    // Stripes that a mosaic turns into grey.
    let stripes =
        image::RgbImage::from_fn(640, 360, |x, _| image::Rgb([if x % 2 == 0 { 0 } else { 255 }; 3]));
    let mut png = std::io::Cursor::new(Vec::new());
    stripes.write_to(&mut png, image::ImageFormat::Png).unwrap();
    let item = |role, media_type: &str, content: &[u8]| {
        let sha256 = hex::encode(Sha256::digest(content));
        let copy = stage.directory.path().join("evidence").join(&sha256[..2]).join(&sha256);
        std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
        std::fs::write(copy, content).unwrap();
        let (path, bytes) = (format!("{role:?}"), content.len() as u64);
        EvidenceItem { role, path, media_type: media_type.to_owned(), bytes, sha256 }
    };
    let evidence = EvidenceRecord {
        site: "harbour".parse().unwrap(),
        node: "harbour-1".parse().unwrap(),
        camera: "gate".parse().unwrap(),
        incident: incident("harbour", "gate"),
        at: time("2026-11-22T00:00:30Z"),
        items: vec![
            item(EvidenceRole::Annotated, "image/png", png.get_ref()),
            item(EvidenceRole::Clip, "video/mp4", b"a clip"),
        ],
        base_url: None,
    };
    stage.center.store().apply_evidence(&evidence, evidence.at).await.unwrap();
    let url = |file: &str| format!("{}/api/incidents/{}/{file}", stage.base, evidence.incident);
    let spread = async |browser: &Browser, file: &str| {
        let response = browser.http.get(url(file)).send().await.unwrap();
        assert_eq!(response.status(), 200, "{file}");
        let picture = image::load_from_memory(&response.bytes().await.unwrap()).unwrap().to_luma8();
        let values = || picture.pixels().map(|pixel| pixel.0[0]);
        values().max().unwrap() - values().min().unwrap()
    };
    let (viewer, operator) = (sign_in(&stage.base, "viewer").await, sign_in(&stage.base, "operator").await);
    assert!(spread(&operator, "evidence/annotated").await > 200);
    assert!(spread(&viewer, "evidence/annotated").await < 40);
    assert!(spread(&viewer, "thumbnail.jpg").await < 40);
    let clip =
        async |browser: &Browser| browser.http.get(url("evidence/clip")).send().await.unwrap().status();
    assert_eq!((clip(&operator).await, clip(&viewer).await), (StatusCode::OK, StatusCode::FORBIDDEN));
    assert_eq!(clip(&operator).await, 200);
    let auditor = sign_in(&stage.base, "auditor").await;
    let seen =
        auditor.http.get(format!("{}/api/audit?action=picture.seen", stage.base)).send().await.unwrap();
    let seen: Value = seen.json().await.unwrap();
    let told: Vec<String> = seen["entries"]
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .map(|deed| {
            format!("{} {}", deed["actor"].as_str().unwrap(), deed["detail"]["what"].as_str().unwrap())
        })
        .collect();
    assert_eq!(told, ["operator annotated", "operator clip"], "once, and nobody else");
    stage.end().await;
}
