//! The whole center over its real edges: a broker, a node's HTTP, a database file, the page's WebSocket.

#![expect(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

mod common;
#[path = "common/people.rs"]
mod people;

use std::{sync::Arc, time::Duration};

use axum::body::Bytes;
use common::{FakeNode, Outbox, publish};
use futures::{SinkExt, StreamExt};
use parapet_bus::{BusConfig, EmbeddedConfig, StatusBoard, wire};
use parapet_center::{Center, CenterConfig, RunningCenter};
use parapet_core::{
    BBox, EventId, EvidenceItem, EvidenceRole, Grant, HealthState, IncidentEvent, IncidentId, IncidentKind,
    ManualClock, Phase, Role, RunId, Severity, Status, Timestamp,
};
use parapet_store::{EventRecord, StatusChange, Store};
use people::{person, sign_in};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest},
};
use tokio_util::sync::CancellationToken;

const TOKEN: &str = "node-token";

struct Stage {
    directory: tempfile::TempDir,
    center: RunningCenter,
    node: FakeNode,
    outbox: Outbox,
    board: StatusBoard,
    http: reqwest::Client,
    cookie: String,
    base: String,
    stop: CancellationToken,
    node_stop: CancellationToken,
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn node_status(url: &str) -> wire::NodeStatus {
    wire::NodeStatus {
        site: "demo".parse().unwrap(),
        node: "n1".parse().unwrap(),
        online: true,
        at: time("2026-11-22T00:00:00Z"),
        started_at: time("2026-11-22T00:00:00Z"),
        version: "0.1.0".to_owned(),
        base_url: Some(url.to_owned()),
        cameras: vec!["gate".parse().unwrap()],
    }
}

fn camera_status() -> wire::Message {
    wire::Message::CameraStatus(wire::CameraStatus {
        site: "demo".parse().unwrap(),
        node: "n1".parse().unwrap(),
        camera: "gate".parse().unwrap(),
        name: Some("北门".to_owned()),
        state: HealthState::Streaming,
        at: time("2026-11-22T00:00:01Z"),
        run: None,
        reconnects: 0,
        detail: None,
        analysed_fps: Some(5.0),
        width: Some(640),
        height: Some(360),
        synthetic: true,
        removed: false,
        private: parapet_core::PrivateAreas::default(),
    })
}

fn event(phase: Phase, sequence: u32) -> IncidentEvent {
    let ended = phase == Phase::Ended;
    IncidentEvent {
        event_id: EventId::derive(&["dog", &sequence.to_string()]),
        incident_id: IncidentId::derive(&["dog"]),
        sequence,
        phase,
        kind: IncidentKind::StrayDog,
        severity: Severity::Medium,
        camera: "gate".parse().unwrap(),
        preset: None,
        run: RunId::derive(&["run"]),
        rule: "dogs".parse().unwrap(),
        zone: None,
        at: time("2026-11-22T00:00:20Z"),
        since: time("2026-11-22T00:00:10Z"),
        started_at: time("2026-11-22T00:00:20Z"),
        ended_at: ended.then(|| time("2026-11-22T00:00:30Z")),
        end_reason: ended.then_some(parapet_core::EndReason::Cleared),
        label: None,
        track: None,
        bbox: BBox::new(0.4, 0.4, 0.6, 0.6).unwrap(),
        outline: None,
        count: 1,
        score: 0.8,
        covered: None,
        place: None,
    }
}

fn incident(phase: Phase, sequence: u32) -> wire::Message {
    let (site, node) = ("demo".parse().unwrap(), "n1".parse().unwrap());
    wire::Message::Incident(wire::Incident { site, node, event: event(phase, sequence) })
}

fn evidence(url: &str, items: Vec<EvidenceItem>) -> wire::Message {
    wire::Message::Evidence(wire::Evidence {
        site: "demo".parse().unwrap(),
        node: "n1".parse().unwrap(),
        camera: "gate".parse().unwrap(),
        incident: IncidentId::derive(&["dog"]),
        at: time("2026-11-22T00:00:22Z"),
        items,
        base_url: Some(format!("{url}evidence/")),
    })
}

fn item(role: EvidenceRole, path: &str, media_type: &str, bytes: &[u8]) -> EvidenceItem {
    EvidenceItem {
        role,
        path: path.to_owned(),
        media_type: media_type.to_owned(),
        bytes: bytes.len() as u64,
        sha256: hex::encode(Sha256::digest(bytes)),
    }
}

fn jpeg() -> Bytes {
    let mut out = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_pixel(64, 36, image::Rgb([90, 120, 60]))
        .write_to(&mut out, image::ImageFormat::Jpeg)
        .unwrap();
    out.into_inner().into()
}

impl Stage {
    async fn set() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let stop = CancellationToken::new();
        let token_file = directory.path().join("token");
        std::fs::write(&token_file, format!("{TOKEN}\n")).unwrap();
        let config = CenterConfig {
            listen: "127.0.0.1:0".parse().unwrap(),
            store: format!("sqlite://{}/data/center.db", directory.path().display()),
            evidence_dir: directory.path().join("evidence"),
            bus: BusConfig {
                embedded: Some(EmbeddedConfig {
                    listen: "127.0.0.1:0".parse().unwrap(),
                    ..EmbeddedConfig::default()
                }),
                broker: None,
            },
            node_token_file: Some(token_file),
            first_users: vec![person("li-wei", vec![Grant::everywhere(Role::Operator)])],
            ..CenterConfig::default()
        };
        let clock = Arc::new(ManualClock::new(time("2026-11-22T00:01:00Z")));
        let center = Center::start(config, clock, None, stop.clone()).await.unwrap();
        let cameras = json!({"node": "n1", "cameras": [{"camera": "gate", "future": 1, "zones": [
            {"id": "lane", "purpose": "fire_lane", "polygon": [[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]]}],
            "rules": [{"id": "dogs", "kind": "stray_dog", "limit_seconds": 10.0}]}]});
        let pictures = |camera: &str, number: u64| {
            let overlay = json!({"camera": camera, "sequence": number, "captured_at": "2026-11-22T00:00:20Z",
                "width": 64, "height": 36, "tracks": [], "regions": [], "open": []});
            (overlay, jpeg())
        };
        let node = FakeNode::start(Some(TOKEN), cameras, Arc::new(pictures), Duration::from_millis(20)).await;
        let node_stop = CancellationToken::new();
        let (outbox, board) = publish(center.bus(), node_status(&node.url), node_stop.clone());
        let base = format!("http://{}", center.local_addr());
        let browser = sign_in(&base, "li-wei").await;
        assert_eq!(browser.csrf.len(), 32);
        let (http, cookie) = (browser.http, browser.cookie);
        Self { directory, center, node, outbox, board, http, cookie, base, stop, node_stop }
    }

    async fn live(&self) -> Live {
        let url = format!("ws://{}/api/live", self.center.local_addr());
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("cookie", self.cookie.parse().unwrap());
        let (socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        let mut live = Live(socket);
        assert_eq!(live.news("hello").await["server_time"], "2026-11-22T00:01:00Z");
        live
    }

    async fn get(&self, path: &str) -> Value {
        let response = self.http.get(format!("{}{path}", self.base)).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response.json().await.unwrap()
    }

    async fn judge(&self, body: Value) -> (u16, Value) {
        let id = IncidentId::derive(&["dog"]);
        let response = self
            .http
            .post(format!("{}/api/incidents/{id}/verdict", self.base))
            .json(&body)
            .send()
            .await
            .unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    async fn end(self) {
        self.node_stop.cancel();
        self.stop.cancel();
        tokio::time::timeout(Duration::from_secs(20), self.center.join()).await.expect("the center ends");
        drop(self.directory);
    }
}

struct Live(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Live {
    async fn message(&mut self) -> Message {
        tokio::time::timeout(Duration::from_secs(30), self.0.next())
            .await
            .expect("news in time")
            .unwrap()
            .unwrap()
    }

    /// The next message of this type that fits, whatever comes before it.
    async fn news_that(&mut self, kind: &str, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            if let Message::Text(text) = self.message().await {
                let message: Value = serde_json::from_str(&text).unwrap();
                if message["type"] == kind && fits(&message) {
                    return message;
                }
            }
        }
    }

    async fn news(&mut self, kind: &str) -> Value {
        self.news_that(kind, |_| true).await
    }

    async fn incident(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        self.news_that("incident", |message| fits(&message["incident"])).await["incident"].clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_reaches_store_page_and_verdict_once() {
    let stage = Stage::set().await;
    let mut live = stage.live().await;
    for message in [incident(Phase::Started, 0), incident(Phase::Started, 0), incident(Phase::Ended, 1)] {
        stage.outbox.record(&message);
    }
    let ended = live.incident(|incident| incident["phase"] == "ended").await;
    assert_eq!((&ended["status"], &ended["sequence"]), (&json!("new"), &json!(1)));
    let id = ended["id"].as_str().unwrap();

    let page = stage.get("/api/incidents?status=new&kind=stray_dog&camera=gate&open=false").await;
    assert_eq!(page["incidents"].as_array().unwrap().len(), 1);
    assert_eq!(page["next"], Value::Null);
    assert_eq!(stage.get("/api/incidents?open=true").await["incidents"], json!([]));
    let detail = stage.get(&format!("/api/incidents/{id}")).await;
    assert_eq!(detail["events"].as_array().unwrap().len(), 2, "the repeated one counts once");
    assert_eq!(stage.get("/api/stats").await["to_check"], 1);

    let (status, judged) =
        stage.judge(json!({"verdict": "dismiss", "reason": "permitted", "note": " guide dog "})).await;
    assert_eq!(
        (status, &judged["status"], &judged["reason"]),
        (200, &json!("dismissed"), &json!("permitted: guide dog"))
    );
    let told = live.incident(|incident| incident["status"] == "dismissed").await;
    assert_eq!(told["judged_at"], "2026-11-22T00:01:00Z");

    let (status, again) = stage.judge(json!({"verdict": "dismiss", "reason": "other"})).await;
    assert_eq!((status, &again["reason"]), (200, &json!("permitted: guide dog")), "nothing to argue about");
    let (status, problem) = stage.judge(json!({"verdict": "confirm"})).await;
    assert_eq!((status, &problem["code"]), (409, &json!("already_judged")));
    assert!(problem["messages"]["zh-CN"].as_str().unwrap().contains("已排除"), "{problem}");
    let (status, problem) = stage.judge(json!({"verdict": "dismiss", "reason": "nonsense"})).await;
    assert_eq!((status, &problem["code"]), (422, &json!("invalid_body")));

    let (status, back) = stage.judge(json!({"verdict": "withdraw"})).await;
    assert_eq!((status, &back["status"]), (200, &json!("new")));
    let audit = stage.get(&format!("/api/incidents/{id}")).await["audit"].clone();
    let deeds: Vec<&str> =
        audit.as_array().unwrap().iter().map(|deed| deed["action"].as_str().unwrap()).collect();
    assert_eq!(deeds, ["dismissed", "new"]);
    assert_eq!(audit[0]["operator"], "li-wei");
    stage.end().await;
}

/// More verdicts than one page of the store holds, put into the store beside the center.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verdicts_are_downloaded_as_a_labelled_set() {
    const JUDGED: usize = 1_205;
    let stage = Stage::set().await;
    let download = async |query: &str| {
        let response = stage.http.get(format!("{}/api/verdicts{query}", stage.base)).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/tab-separated-values; charset=utf-8");
        assert_eq!(response.headers()["content-disposition"], "attachment; filename=\"verdicts.tsv\"");
        response.text().await.unwrap()
    };
    let header = parapet_core::verdict::header(false);
    assert_eq!(download("").await, header, "nobody has judged yet");

    let store =
        Store::open_existing(&format!("sqlite://{}/data/center.db", stage.directory.path().display()))
            .await
            .unwrap();
    let events: Vec<EventRecord> = (0..JUDGED + 2)
        .map(|n| {
            let mut event = event(Phase::Started, 0);
            event.event_id = EventId::derive(&["many", &n.to_string()]);
            event.incident_id = IncidentId::derive(&["many", &n.to_string()]);
            event.camera = if n.is_multiple_of(2) { "gate" } else { "yard" }.parse().unwrap();
            EventRecord { site: "demo".parse().unwrap(), node: "n1".parse().unwrap(), event }
        })
        .collect();
    store.apply_events(&events, time("2026-11-22T00:00:21Z")).await.unwrap();
    let judge = async |n: usize, to| {
        let reason = (to == Status::Dismissed).then(|| "permitted: guide dog of Mr Li".to_owned());
        let change =
            StatusChange { to, operator: "li-wei".to_owned(), reason, at: time("2026-11-22T00:00:50Z") };
        store.set_status(events[n].event.incident_id, &change).await.unwrap();
    };
    for n in 0..=JUDGED {
        judge(n, if n.is_multiple_of(5) { Status::Dismissed } else { Status::Confirmed }).await;
    }
    judge(JUDGED, Status::New).await;
    store.close().await;

    let all = download("").await;
    assert!(all.starts_with(&header) && !all.contains("li-wei") && !all.contains("Mr Li"));
    let ids: std::collections::HashSet<&str> =
        all.lines().skip(1).map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!((all.lines().count() - 1, ids.len()), (JUDGED, JUDGED), "each once");
    for withdrawn_or_new in [JUDGED, JUDGED + 1] {
        assert!(!ids.contains(events[withdrawn_or_new].event.incident_id.to_string().as_str()));
    }
    assert_eq!(all.matches("\tdismissed\tpermitted\t2026-11-22T00:00:50Z\n").count(), JUDGED / 5);
    assert_eq!(download("?camera=yard&site=demo").await.lines().count() - 1, JUDGED / 2);
    assert_eq!(download("?from=2026-11-22T00:00:21Z").await, header);
    for query in ["camera=North%20gate", "limit=5", "from=yesterday"] {
        let response = stage.http.get(format!("{}/api/verdicts?{query}", stage.base)).send().await.unwrap();
        assert_eq!(response.status(), 400, "{query}");
    }
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn evidence_is_shown_only_when_it_matches_its_hash() {
    let stage = Stage::set().await;
    let mut live = stage.live().await;
    let picture = jpeg();
    let clip: Vec<u8> = (0..40_000_u32).map(|n| n as u8).collect();
    stage.node.put("d/annotated.jpg", picture.clone());
    stage.node.put("d/clip.mp4", clip.clone());
    stage.node.put("d/before.jpg", "changed since");
    let items = vec![
        item(EvidenceRole::Annotated, "d/annotated.jpg", "image/jpeg", &picture),
        item(EvidenceRole::Clip, "d/clip.mp4", "video/mp4", &clip),
        item(EvidenceRole::Before, "d/before.jpg", "image/jpeg", b"as it was"),
        item(EvidenceRole::After, "d/after.jpg", "text/html", b"deleted by now"),
    ];
    stage.outbox.record(&incident(Phase::Started, 0));
    stage.outbox.record(&evidence(&stage.node.url, items));
    let told = live.incident(|incident| !incident["evidence"].as_array().unwrap().is_empty()).await;
    let id = told["id"].as_str().unwrap();
    assert_eq!(told["evidence"].as_array().unwrap().len(), 4);
    let url = |role: &str| format!("{}/api/incidents/{id}/evidence/{role}", stage.base);

    for _ in 0..2 {
        let response = stage.http.get(url("annotated")).send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["content-type"]),
            (200, &"image/jpeg".parse().unwrap())
        );
        assert_eq!(response.bytes().await.unwrap(), picture);
    }
    let asked = stage.node.asked.lock().unwrap().iter().filter(|path| *path == "d/annotated.jpg").count();
    assert_eq!(asked, 1, "the second time from the copy");

    let part = stage.http.get(url("clip")).header("range", "bytes=100-199").send().await.unwrap();
    assert_eq!(
        (part.status().as_u16(), &part.headers()["content-range"]),
        (206, &"bytes 100-199/40000".parse().unwrap())
    );
    assert_eq!(part.bytes().await.unwrap(), clip[100..200]);

    for (role, status, code) in [
        ("before", 502, "evidence_mismatch"),
        ("after", 410, "evidence_gone"),
        ("snapshot", 404, "no_evidence"),
        ("passwd", 404, "not_found"),
    ] {
        let response = stage.http.get(url(role)).send().await.unwrap();
        assert_eq!(response.status(), status, "{role}");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert_eq!(response.json::<Value>().await.unwrap()["code"], code);
    }
    let thumbnail =
        stage.http.get(format!("{}/api/incidents/{id}/thumbnail.jpg", stage.base)).send().await.unwrap();
    let thumbnail = image::load_from_memory(&thumbnail.bytes().await.unwrap()).unwrap();
    assert_eq!((thumbnail.width(), thumbnail.height()), (256, 144));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_gets_zones_frames_and_the_nodes_going() {
    let stage = Stage::set().await;
    let mut live = stage.live().await;
    stage.board.set(&camera_status());
    let told = live.news_that("camera", |message| message["camera"]["zones"] != json!([])).await;
    assert_eq!(told["camera"]["zones"][0]["purpose"], "fire_lane");
    assert_eq!(told["camera"]["rules"][0]["limit_seconds"], 10.0);
    assert_eq!((&told["camera"]["name"], &told["camera"]["node_online"]), (&json!("北门"), &json!(true)));
    assert_eq!(stage.get("/api/cameras").await, json!([told["camera"]]));

    live.0
        .send(Message::text(
            r#"{"type":"watch","cameras":[{"camera":"gate","large":true},{"camera":"nowhere"}]}"#,
        ))
        .await
        .unwrap();
    let frame = loop {
        if let Message::Binary(frame) = live.message().await {
            break frame;
        }
    };
    let length = u32::from_be_bytes(frame[..4].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&frame[4..4 + length]).unwrap();
    assert_eq!(header["camera"], "gate");
    assert_eq!(frame.slice(4 + length..), jpeg());
    let still = stage.http.get(format!("{}/api/cameras/gate/live.jpg", stage.base)).send().await.unwrap();
    assert_eq!(still.bytes().await.unwrap(), jpeg());

    stage.node_stop.cancel();
    let gone = live.news_that("camera", |message| message["camera"]["node_online"] == json!(false)).await;
    assert_eq!(gone["camera"]["state"], "streaming", "what it last said");
    assert_eq!(stage.get("/api/nodes").await[0]["online"], false);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_is_guarded_and_a_stranger_may_change_nothing() {
    let stage = Stage::set().await;
    let id = IncidentId::derive(&["dog"]);
    for path in
        ["/", "/api/cameras", "/nowhere", "/api/nowhere", "/api/incidents/x", "/healthz", "/api/openapi.json"]
    {
        let response = stage.http.get(format!("{}{path}", stage.base)).send().await.unwrap();
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{path}");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(
            response.status().as_u16() == 404,
            path.contains("nowhere") || path.ends_with('x'),
            "{path}"
        );
    }
    let body = json!({"verdict": "confirm"});
    let post = |origin: &'static str| {
        stage
            .http
            .post(format!("{}/api/incidents/{id}/verdict", stage.base))
            .header("origin", origin)
            .json(&body)
            .send()
    };
    assert_eq!(post("https://evil.example").await.unwrap().status(), 403);
    let (status, problem) = stage.judge(body.clone()).await;
    assert_eq!((status, &problem["code"]), (404, &json!("not_found")));
    for query in ["limit=0", "limit=501", "cursor=x", "kind=A", "status=maybe", "unknown=1", "from=yesterday"]
    {
        let response = stage.http.get(format!("{}/api/incidents?{query}", stage.base)).send().await.unwrap();
        assert_eq!(response.status(), 400, "{query}");
    }
    stage.end().await;
}
