//! Cases over HTTP: filing, sending, answering, checking and closing; deadlines by the clock; orders on paper and to another
//! platform; the queue in which two people never get the same incident.

#![expect(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

#[expect(dead_code, reason = "other tests use the rest")]
#[path = "common/people.rs"]
mod common;
#[path = "common/stage.rs"]
mod stage;

use std::time::Duration;

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use common::{Browser, person, sign_in};
use parapet_bus::{BrokerConfig, wire::v1};
use parapet_core::{Grant, Role};
use reqwest::StatusCode;
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use serde_json::{Value, json};
use stage::{Stage, case, incident};
use tokio::{net::TcpListener, sync::mpsc};

struct Office {
    stage: Stage,
    operator: Browser,
    dispatcher: Browser,
    administrator: Browser,
}

impl Office {
    async fn open() -> Self {
        let roles = [Role::Operator, Role::Dispatcher, Role::Administrator];
        let people = roles.map(|role| person(role.as_str(), vec![Grant::everywhere(role)]));
        let stage = Stage::set(people.to_vec()).await;
        let operator = sign_in(&stage.base, "operator").await;
        let dispatcher = sign_in(&stage.base, "dispatcher").await;
        let administrator = sign_in(&stage.base, "administrator").await;
        Self { stage, operator, dispatcher, administrator }
    }

    async fn department(&self, webhook: Option<&str>) {
        let body = json!({
            "name_zh": "街道综合执法队", "name_en": "Street enforcement team", "level": "street", "webhook": webhook,
            "enabled": true,
        });
        let put = self.send(&self.administrator, "PUT", "/api/departments/street-office", &body).await;
        assert_eq!(put.0, 200, "{}", put.1);
    }

    async fn send(&self, who: &Browser, method: &str, path: &str, body: &Value) -> (StatusCode, Value) {
        let request = who.http.request(method.parse().unwrap(), format!("{}{path}", self.stage.base));
        let response = request.json(body).send().await.unwrap();
        (response.status(), response.json().await.unwrap_or_default())
    }

    async fn get(&self, who: &Browser, path: &str) -> (StatusCode, HeaderMap, Bytes) {
        let response = who.http.get(format!("{}{path}", self.stage.base)).send().await.unwrap();
        (response.status(), response.headers().clone(), response.bytes().await.unwrap())
    }

    async fn json(&self, who: &Browser, path: &str) -> Value {
        let (status, _, body) = self.get(who, path).await;
        assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap()
    }

    async fn act(&self, id: &str, body: Value) -> (StatusCode, Value) {
        self.send(&self.dispatcher, "POST", &format!("/api/cases/{id}/actions"), &body).await
    }

    /// Asks again until the answer is as it should be: what the center does by itself takes a moment.
    async fn until(&self, path: &str, is: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..200 {
            let answer = self.json(&self.administrator, path).await;
            if is(&answer) {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{path} did not become what it should");
    }

    async fn close(self) {
        self.stage.end().await;
    }
}

/// A platform that takes orders.
async fn platform() -> (String, mpsc::UnboundedReceiver<(HeaderMap, Bytes)>) {
    let (tell, told) = mpsc::unbounded_channel();
    let take = async |State(tell): State<mpsc::UnboundedSender<(HeaderMap, Bytes)>>,
                      headers: HeaderMap,
                      body: Bytes| {
        tell.send((headers, body)).unwrap();
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/orders", listener.local_addr().unwrap());
    let router = Router::new().route("/orders", post(take)).with_state(tell);
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, told)
}

/// The orders on a bus from now on: topics and payloads.
async fn orders_on(bus: &BrokerConfig) -> mpsc::UnboundedReceiver<(String, Bytes)> {
    let (tell, told) = mpsc::unbounded_channel();
    let options = MqttOptions::new("another-platform", &bus.host, bus.port_or_default());
    let (client, mut events) = AsyncClient::new(options, 8);
    client.subscribe("parapet/v1/+/center/orders/+", QoS::AtLeastOnce).await.unwrap();
    let (ready, is_ready) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        // Without its client the connection ends.
        let (_client, mut ready) = (client, Some(ready));
        loop {
            match events.poll().await {
                Ok(Event::Incoming(Packet::SubAck(_))) => drop(ready.take().map(|ready| ready.send(()))),
                Ok(Event::Incoming(Packet::Publish(publish))) => {
                    drop(tell.send((publish.topic, publish.payload)));
                }
                Ok(_) => {}
                // The center has ended.
                Err(_) => return,
            }
        }
    });
    is_ready.await.unwrap();
    told
}

fn png() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(8, 6).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_becomes_a_case_that_is_sent_answered_checked_and_closed() {
    let office = Office::open().await;
    let (address, mut told) = platform().await;
    let mut published = orders_on(office.stage.center.bus()).await;
    office.department(Some(&address)).await;
    let dog = incident("harbour", "gate").to_string();
    let new = json!({ "incidents": [dog], "note": "请处理" });
    let (status, detail) = office.send(&office.operator, "POST", "/api/cases", &new).await;
    assert_eq!(status, 200, "{detail}");
    let id = detail["case"]["id"].as_str().unwrap().to_owned();
    assert_eq!(detail["case"]["step"], "reported");
    assert_eq!(detail["incidents"][0]["status"], "filed");
    assert_eq!(detail["actions"], json!(["merge", "comment"]), "an operator files and does not send");
    let (status, problem) = office.send(&office.operator, "POST", "/api/cases", &new).await;
    assert_eq!((status.as_u16(), problem["code"].as_str()), (409, Some("already_filed")));
    let accept = json!({ "action": "accept" });
    let (status, _) =
        office.send(&office.operator, "POST", &format!("/api/cases/{id}/actions"), &accept).await;
    assert_eq!(status, 403);
    let (status, problem) = office.act(&id, json!({ "action": "close" })).await;
    assert_eq!((status.as_u16(), problem["code"].as_str()), (409, Some("case_refused")));
    assert_eq!(office.act(&id, accept).await.0, 200);
    let (status, _) = office.act(&id, json!({ "action": "dispatch", "department": "nobody" })).await;
    assert_eq!(status, 400);
    let order = json!({ "action": "dispatch", "department": "street-office", "instruction": "限期清理" });
    let (status, detail) = office.act(&id, order).await;
    assert_eq!(status, 200, "{detail}");
    assert_eq!(
        (&detail["case"]["level"], &detail["case"]["order"]),
        (&json!("street"), &json!("JB2026-000001"))
    );

    let (_, body) = tokio::time::timeout(Duration::from_secs(20), told.recv()).await.unwrap().unwrap();
    let message: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        (&message["schema"], &message["number"]),
        (&json!("parapet.order.v1"), &json!("JB2026-000001"))
    );
    assert_eq!(message["document"]["basis_zh"], "《中华人民共和国动物防疫法》第三十条");
    let (topic, payload) =
        tokio::time::timeout(Duration::from_secs(20), published.recv()).await.unwrap().unwrap();
    assert_eq!(topic, "parapet/v1/harbour/center/orders/street-office");
    assert_eq!(serde_json::from_slice::<Value>(&payload).unwrap(), message, "the same by both ways");
    let order: v1::Order = serde_json::from_slice(&payload).unwrap();
    assert_eq!((order.instruction.as_deref(), order.document.evidence.len()), (Some("限期清理"), 1));

    let paper = format!("/api/cases/{id}/orders/JB2026-000001/document");
    let (status, headers, page) = office.get(&office.operator, &format!("{paper}.html?language=en")).await;
    assert_eq!(
        (status.as_u16(), &headers["content-type"]),
        (200, &"text/html; charset=utf-8".parse().unwrap())
    );
    let page = String::from_utf8(page.to_vec()).unwrap();
    assert!(
        page.contains("Hand-over order") && page.contains("限期清理") && page.contains("Street enforcement")
    );
    let (status, _, pdf) = office.get(&office.operator, &format!("{paper}.pdf")).await;
    assert!(status == 200 && pdf.starts_with(b"%PDF-"), "{status}");

    let answers = format!("{}/api/cases/{id}/answers", office.stage.base);
    let form = |bytes: Vec<u8>| {
        let picture = reqwest::multipart::Part::bytes(bytes).file_name("after.png");
        reqwest::multipart::Form::new().text("text", "已清理").part("picture", picture)
    };
    let refused =
        office.operator.http.post(&answers).multipart(form(b"<svg/>".to_vec())).send().await.unwrap();
    assert_eq!(refused.status(), 422);
    let answered = office.operator.http.post(&answers).multipart(form(png())).send().await.unwrap();
    assert_eq!(answered.status(), 200);
    let detail: Value = answered.json().await.unwrap();
    let answer = &detail["answers"][0];
    let picture = format!(
        "/api/cases/{id}/answers/{}/pictures/{}",
        answer["id"].as_str().unwrap(),
        answer["pictures"][0]["id"].as_str().unwrap()
    );
    assert_eq!(office.get(&office.operator, &picture).await.2, png());

    for action in [json!({ "action": "check_pass" }), json!({ "action": "close" })] {
        assert_eq!(office.act(&id, action).await.0, 200);
    }
    let detail = office.json(&office.dispatcher, &format!("/api/cases/{id}")).await;
    assert_eq!(
        (&detail["case"]["step"], &detail["incidents"][0]["status"]),
        (&json!("closed"), &json!("closed"))
    );
    let deeds: Vec<_> =
        detail["history"].as_array().unwrap().iter().map(|deed| deed["action"].clone()).collect();
    assert_eq!(json!(deeds), json!(["report", "accept", "dispatch", "answer", "check_pass", "close"]));
    let (status, _, zip) = office.get(&office.dispatcher, &format!("/api/cases/{id}/archive.zip")).await;
    assert!(status == 200 && zip.starts_with(b"PK"), "{status}");
    office.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadline_that_passes_is_told_and_calls_the_next_level() {
    let mut office = Office::open().await;
    let path = format!("/api/cases/{}", case("harbour", "gate"));
    // Reported on a Sunday: its hour of working time begins at midnight, and three quarters of it are over at 0:45.
    let before = office.json(&office.administrator, &path).await;
    assert_eq!(before["case"]["lateness"], "on_time");
    office.stage.clock.advance(Duration::from_mins(24 * 60 + 49));
    // A session does not outlive a night without use.
    office.administrator = sign_in(&office.stage.base, "administrator").await;
    let warned = office.until(&path, |detail| detail["case"]["lateness"] == "warning").await;
    assert_eq!(warned["case"]["level"], "grid");
    office.stage.clock.advance(Duration::from_mins(10));
    let called = office.until(&path, |detail| detail["case"]["level"] == "community").await;
    let last = called["history"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["action"], &last["actor"]), (&json!("escalate"), &json!("clock")));
    assert_eq!(called["case"]["lateness"], "overdue");
    let late = office.json(&office.administrator, "/api/cases?lateness=overdue&site=harbour").await;
    assert!(late["cases"].as_array().unwrap().iter().any(|row| row["id"] == called["case"]["id"]));
    office.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_never_get_the_same_incident_and_a_mute_keeps_one_out() {
    let office = Office::open().await;
    let next = async |who: &Browser| office.send(who, "POST", "/api/review/next", &json!({})).await.1;
    let (first, second) = (next(&office.operator).await, next(&office.dispatcher).await);
    assert_eq!(first["waiting"], 3);
    let id = |next: &Value| next["incident"]["incident"]["id"].as_str().unwrap().to_owned();
    assert_ne!(id(&first), id(&second));
    let judge = format!("/api/incidents/{}/verdict", id(&first));
    let confirm = json!({ "verdict": "confirm" });
    let (status, problem) = office.send(&office.dispatcher, "POST", &judge, &confirm).await;
    assert_eq!((status.as_u16(), problem["code"].as_str()), (409, Some("claimed")), "{problem}");
    let (status, judged) = office.send(&office.operator, "POST", &judge, &confirm).await;
    assert_eq!(status, 200, "{judged}");
    let mute = json!({ "incident": id(&second), "hours": 8, "reason": "施工" });
    let (status, made) = office.send(&office.dispatcher, "POST", "/api/mutes", &mute).await;
    assert_eq!(status, 200, "{made}");
    let mutes = office.json(&office.operator, "/api/mutes").await;
    assert_eq!(mutes[0]["until"], "2026-11-22T08:01:00Z");
    let gone = office
        .send(
            &office.dispatcher,
            "DELETE",
            &format!("/api/mutes/{}", made["id"].as_str().unwrap()),
            &json!({}),
        )
        .await;
    assert_eq!(gone.0, 204);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_that_do_not_hold_together_are_refused_and_scores_follow_the_formula() {
    let office = Office::open().await;
    let settings = office.json(&office.operator, "/api/settings").await;
    let mut calendar = settings["calendar"].clone();
    calendar["hours"] = json!([{ "from": "12:00:00", "to": "08:00:00" }]);
    let (status, problem) =
        office.send(&office.administrator, "PUT", "/api/settings/calendar", &calendar).await;
    assert_eq!(status, 422);
    assert!(problem["detail"].as_str().unwrap().contains("office hours"), "{problem}");
    let confirm = format!("/api/incidents/{}/verdict", incident("hill", "tower"));
    let done = office.send(&office.operator, "POST", &confirm, &json!({ "verdict": "confirm" })).await;
    assert_eq!(done.0, 200, "{}", done.1);
    let mut scores = settings["scores"].clone();
    scores["per_confirmed"] = json!(25);
    assert_eq!(office.send(&office.administrator, "PUT", "/api/settings/scores", &scores).await.0, 200);
    let report = office.json(&office.operator, "/api/reports/month?month=2026-11").await;
    let sites = report["sites"].as_array().unwrap();
    let score = |id: &str| sites.iter().find(|site| site["site"] == id).unwrap();
    assert_eq!(score("hill")["score"], 100.0 - 25.0 - 0.5, "one confirmed, one case open");
    assert_eq!(score("hill")["by_day"][21], json!({ "day": "2026-11-22", "count": 1 }));
    assert_eq!(score("harbour")["score"], 99.0);
    for file in ["reports/month", "export/incidents/incidents", "export/cases/cases"] {
        for (form, begin) in [("csv", &b"\xef\xbb\xbf"[..]), ("xlsx", b"PK"), ("pdf", b"%PDF-")] {
            let (status, _, body) = office.get(&office.operator, &format!("/api/{file}.{form}")).await;
            assert!(status == 200 && body.starts_with(begin), "{file}.{form}: {status}");
        }
    }
    office.close().await;
}
