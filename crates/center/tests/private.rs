//! What is private in a camera's view is a mosaic on every way by which pictures leave the center, but for who may unseal
//! it, and that goes on record. The originals stay as they are.

#![expect(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

#[expect(dead_code, reason = "other tests use the rest")]
mod common;
#[path = "common/people.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod people;
#[path = "common/stage.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod stage;

use std::{
    io::{Cursor, Read},
    ops::Range,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use common::{FakeNode, publish};
use futures::{SinkExt, StreamExt};
use parapet_bus::wire;
use parapet_core::{
    BBox, EventId, EvidenceItem, EvidenceRole, Grant, HealthState, IncidentEvent, IncidentId, IncidentKind,
    Phase, Polygon, PrivateAreas, PrivateView, Role, RunId, Severity, with_part,
};
use parapet_store::{EventRecord, EvidenceRecord};
use people::{Browser, person, sign_in};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use stage::{Stage, time};
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};
use tokio_util::sync::CancellationToken;

const LEFT: Range<u32> = 10..310;
const RIGHT: Range<u32> = 330..630;

/// Stripes of five pixels, two of which make a cell of the mosaic of this picture.
fn stripes() -> Bytes {
    let image =
        image::RgbImage::from_fn(640, 360, |x, _| image::Rgb([if x / 5 % 2 == 0 { 0 } else { 255 }; 3]));
    let mut jpeg = Cursor::new(Vec::new());
    image.write_to(&mut jpeg, image::ImageFormat::Jpeg).unwrap();
    jpeg.into_inner().into()
}

/// Which half of a picture is clear: `left`, `right`, `both` or `none`.
fn clear(picture: &[u8]) -> &'static str {
    let picture = image::load_from_memory(picture).unwrap().to_luma8();
    let scale = f64::from(picture.width()) / 640.0;
    let is_clear = |columns: Range<u32>| {
        let columns = (f64::from(columns.start) * scale) as u32..(f64::from(columns.end) * scale) as u32;
        let rows = 0..picture.height();
        let values = || rows.clone().flat_map(|y| columns.clone().map(move |x| (x, y)));
        let values = || values().map(|(x, y)| picture.get_pixel(x, y).0[0]);
        values().max().unwrap() - values().min().unwrap() > 100
    };
    match (is_clear(LEFT), is_clear(RIGHT)) {
        (true, true) => "both",
        (true, false) => "left",
        (false, true) => "right",
        (false, false) => "none",
    }
}

/// A dome that sees windows on the left from `roof`, on the right from `block`, and none from `lawn`.
fn windows() -> PrivateAreas {
    let view = |preset: &str, boxes: &[[f32; 4]]| PrivateView {
        preset: Some(preset.parse().unwrap()),
        areas: boxes.iter().map(|bbox| Polygon::from_bbox(BBox::try_from(*bbox).unwrap()).unwrap()).collect(),
    };
    PrivateAreas::new(vec![
        view("roof", &[[0.0, 0.0, 0.5, 1.0]]),
        view("block", &[[0.5, 0.0, 1.0, 1.0]]),
        view("lawn", &[]),
    ])
}

struct Scene {
    stage: Stage,
    node_stop: CancellationToken,
    viewer: Browser,
    operator: Browser,
    auditor: Browser,
}

impl Scene {
    async fn set() -> Self {
        let roles = [Role::Viewer, Role::Operator, Role::Auditor, Role::Administrator];
        let people = roles.map(|role| person(role.as_str(), vec![Grant::everywhere(role)]));
        let stage = Stage::set(people.to_vec()).await;
        let pictures = |camera: &str, number: u64| {
            let overlay = json!({"camera": camera, "preset": "roof", "sequence": number,
                "captured_at": "2026-11-22T00:00:20Z", "width": 640, "height": 360});
            (overlay, stripes())
        };
        let node =
            FakeNode::start(None, json!({"cameras": []}), Arc::new(pictures), Duration::from_millis(20))
                .await;
        let node_stop = CancellationToken::new();
        let status = wire::NodeStatus {
            site: "harbour".parse().unwrap(),
            node: "harbour-1".parse().unwrap(),
            online: true,
            at: time("2026-11-22T00:00:30Z"),
            started_at: time("2026-11-22T00:00:30Z"),
            version: "0.1.0".to_owned(),
            base_url: Some(node.url.clone()),
            cameras: vec!["gate".parse().unwrap()],
        };
        let viewer = sign_in(&stage.base, "viewer").await;
        let operator = sign_in(&stage.base, "operator").await;
        let auditor = sign_in(&stage.base, "auditor").await;
        let mut live = Live::open(&stage, &viewer).await;
        // From its first word on the center tells this page everything.
        live.message().await;
        let (_, board) = publish(stage.center.bus(), status, node_stop.clone());
        board.set(&wire::Message::CameraStatus(wire::CameraStatus {
            site: "harbour".parse().unwrap(),
            node: "harbour-1".parse().unwrap(),
            camera: "gate".parse().unwrap(),
            name: None,
            state: HealthState::Streaming,
            at: time("2026-11-22T00:00:31Z"),
            run: None,
            reconnects: 0,
            detail: None,
            analysed_fps: None,
            width: Some(640),
            height: Some(360),
            synthetic: true,
            removed: false,
            private: windows(),
        }));
        let (mut private, mut online) = (false, false);
        while !(private && online) {
            let Message::Text(text) = live.message().await else { continue };
            let news: Value = serde_json::from_str(&text).unwrap();
            let camera = &news["camera"];
            private |= camera["camera"] == "gate" && camera["private"] == true;
            online |= news["type"] == "node" && news["node"]["online"] == true;
        }
        Self { stage, node_stop, viewer, operator, auditor }
    }

    /// An incident that the dome saw from this preset, with files of these roles.
    async fn incident(&self, preset: &str, files: &[(EvidenceRole, Bytes)]) -> IncidentId {
        let at = time("2026-11-22T00:00:40Z");
        let id = IncidentId::derive(&["private", preset]);
        let event = IncidentEvent {
            event_id: EventId::derive(&["private", preset]),
            incident_id: id,
            sequence: 0,
            phase: Phase::Started,
            kind: IncidentKind::StrayDog,
            severity: Severity::Medium,
            camera: "gate".parse().unwrap(),
            preset: Some(preset.parse().unwrap()),
            run: RunId::derive(&["run"]),
            rule: "dogs".parse().unwrap(),
            zone: None,
            at,
            since: at,
            started_at: at,
            ended_at: None,
            end_reason: None,
            label: None,
            track: None,
            bbox: BBox::new(0.0, 0.0, 1.0, 1.0).unwrap(),
            outline: None,
            count: 1,
            score: 0.8,
            covered: None,
            place: None,
        };
        let (site, node): (parapet_core::SiteId, parapet_core::NodeId) =
            ("harbour".parse().unwrap(), "harbour-1".parse().unwrap());
        let store = self.stage.center.store();
        let record = EventRecord { site: site.clone(), node: node.clone(), event };
        store.apply_event(&record, at).await.unwrap();
        let items = files.iter().map(|(role, content)| {
            let sha256 = hex::encode(Sha256::digest(content));
            let copy = self.stage.directory.path().join("evidence").join(&sha256[..2]).join(&sha256);
            std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
            std::fs::write(copy, content).unwrap();
            EvidenceItem {
                role: *role,
                path: format!("{preset}/{role:?}"),
                media_type: if *role == EvidenceRole::Clip { "video/mp4" } else { "image/jpeg" }.to_owned(),
                bytes: content.len() as u64,
                sha256,
            }
        });
        let camera = "gate".parse().unwrap();
        let evidence =
            EvidenceRecord { site, node, camera, incident: id, at, items: items.collect(), base_url: None };
        store.apply_evidence(&evidence, at).await.unwrap();
        id
    }

    async fn get(&self, who: &Browser, path: &str) -> (u16, Bytes) {
        let response = who.http.get(format!("{}{path}", self.stage.base)).send().await.unwrap();
        (response.status().as_u16(), response.bytes().await.unwrap())
    }

    /// What viewer, operator and auditor see clear.
    async fn seen(&self, path: &str) -> [&'static str; 3] {
        let mut seen = [""; 3];
        for (seen, who) in seen.iter_mut().zip([&self.viewer, &self.operator, &self.auditor]) {
            let (status, picture) = self.get(who, path).await;
            assert_eq!(status, 200, "{path}");
            *seen = clear(&picture);
        }
        seen
    }

    /// Who unsealed what, in order.
    async fn unsealed(&self) -> Vec<String> {
        let (_, body) = self.get(&self.auditor, "/api/audit?action=picture.unsealed").await;
        let page: Value = serde_json::from_slice(&body).unwrap();
        let deeds = page["entries"].as_array().unwrap().iter().rev();
        let tell = |deed: &Value| {
            format!("{} {}", deed["actor"].as_str().unwrap(), deed["detail"]["what"].as_str().unwrap())
        };
        deeds.map(tell).collect()
    }

    async fn end(self) {
        self.node_stop.cancel();
        self.stage.end().await;
    }
}

struct Live(tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>);

impl Live {
    async fn open(stage: &Stage, who: &Browser) -> Self {
        let url = format!("{}/api/live", stage.base.replace("http", "ws"));
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("cookie", who.cookie.parse().unwrap());
        Self(tokio_tungstenite::connect_async(request).await.unwrap().0)
    }

    async fn message(&mut self) -> Message {
        let next = tokio::time::timeout(Duration::from_secs(30), self.0.next());
        next.await.expect("news in time").unwrap().unwrap()
    }

    /// The first live picture of the camera.
    async fn frame(&mut self) -> Bytes {
        let watch = json!({"type": "watch", "cameras": [{"camera": "gate"}]}).to_string();
        self.0.send(Message::text(watch)).await.unwrap();
        loop {
            if let Message::Binary(frame) = self.message().await {
                let length = u32::from_be_bytes(frame[..4].try_into().unwrap()) as usize;
                return frame.slice(4 + length..);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_hide_what_is_private_from_all_who_may_not_unseal_it() {
    let scene = Scene::set().await;
    let middle = BBox::new(0.25, 0.0, 0.75, 1.0).unwrap();
    let part: Bytes = with_part(&stripes(), middle).into();
    let files = [
        (EvidenceRole::Snapshot, stripes()),
        (EvidenceRole::Annotated, stripes()),
        (EvidenceRole::Before, part),
        (EvidenceRole::After, stripes()),
    ];
    let roof = scene.incident("roof", &files).await;
    for (role, seen) in [
        ("snapshot", ["none", "right", "both"]),
        ("annotated", ["none", "right", "both"]),
        ("before", ["none", "right", "both"]),
        // Cut from the view nobody knows where.
        ("after", ["none", "none", "both"]),
    ] {
        assert_eq!(scene.seen(&format!("/api/incidents/{roof}/evidence/{role}")).await, seen, "{role}");
    }
    let (_, original) = scene.get(&scene.auditor, &format!("/api/incidents/{roof}/evidence/snapshot")).await;
    assert_eq!(original, stripes(), "as it was taken");
    let thumbnail = format!("/api/incidents/{roof}/thumbnail.jpg");
    assert_eq!(scene.seen(&thumbnail).await, ["none", "right", "right"], "nobody asked to unseal a list");
    let told: Vec<String> =
        ["snapshot", "annotated", "before", "after"].map(|what| format!("auditor {what}")).to_vec();
    assert_eq!(scene.unsealed().await, told, "once, and nobody else");

    let snapshot = [(EvidenceRole::Snapshot, stripes())];
    for (preset, seen) in [
        ("block", ["none", "left", "both"]),
        ("lawn", ["none", "both", "both"]),
        ("taken-out", ["none", "none", "both"]),
    ] {
        let id = scene.incident(preset, &snapshot).await;
        assert_eq!(scene.seen(&format!("/api/incidents/{id}/evidence/snapshot")).await, seen, "{preset}");
    }
    assert_eq!(scene.unsealed().await.len(), 6, "nothing was sealed in what is seen from the lawn");
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn live_pictures_hide_what_is_private() {
    let scene = Scene::set().await;
    assert_eq!(scene.seen("/api/cameras/gate/live.jpg").await, ["none", "right", "both"]);
    assert_eq!(scene.unsealed().await, ["auditor live"]);
    for (who, seen) in [(&scene.viewer, "none"), (&scene.operator, "right"), (&scene.auditor, "both")] {
        let mut live = Live::open(&scene.stage, who).await;
        assert_eq!(clear(&live.frame().await), seen);
    }
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clips_papers_and_archives_are_sealed_likewise() {
    let scene = Scene::set().await;
    let clip = Bytes::from_static(b"a clip");
    let files = [(EvidenceRole::Annotated, stripes()), (EvidenceRole::Clip, clip.clone())];
    let roof = scene.incident("roof", &files).await;
    let lawn = scene.incident("lawn", &[(EvidenceRole::Clip, clip)]).await;
    let code = |body: &[u8]| serde_json::from_slice::<Value>(body).unwrap()["code"].clone();
    for id in [roof, lawn] {
        let path = format!("/api/incidents/{id}/evidence/clip");
        let (status, problem) = scene.get(&scene.viewer, &path).await;
        assert_eq!((status, code(&problem)), (403, json!("forbidden")));
        let (status, problem) = scene.get(&scene.operator, &path).await;
        assert_eq!((status, code(&problem)), (403, json!("sealed")), "a dome turns while it films");
        let problem: Value = serde_json::from_slice(&problem).unwrap();
        assert!(problem["messages"]["zh-CN"].as_str().unwrap().contains("隐私区域"), "{problem}");
        assert_eq!(scene.get(&scene.auditor, &path).await.0, 200);
    }
    assert_eq!(scene.unsealed().await, ["auditor clip", "auditor clip"]);

    let administrator = sign_in(&scene.stage.base, "administrator").await;
    let send = async |who: &Browser, path: &str, body: Value| {
        let request = who.http.post(format!("{}{path}", scene.stage.base)).json(&body);
        let response = request.send().await.unwrap();
        let (status, body) = (response.status(), response.json::<Value>().await.unwrap());
        assert_eq!(status, 200, "{path}: {body}");
        body
    };
    let department = json!({ "name_zh": "执法队", "name_en": "Team", "level": "street", "enabled": true });
    let put = administrator.http.put(format!("{}/api/departments/team", scene.stage.base));
    assert_eq!(put.json(&department).send().await.unwrap().status(), 200);
    let case = send(&administrator, "/api/cases", json!({ "incidents": [roof] })).await;
    let case = format!("/api/cases/{}", case["case"]["id"].as_str().unwrap());
    send(&administrator, &format!("{case}/actions"), json!({ "action": "accept" })).await;
    let order = json!({ "action": "dispatch", "department": "team" });
    let order = send(&administrator, &format!("{case}/actions"), order).await;
    let paper = format!("{case}/orders/{}/document.pdf", order["case"]["order"].as_str().unwrap());
    let (pdf, original) = (scene.get(&scene.operator, &paper).await, scene.get(&scene.auditor, &paper).await);
    assert!(pdf.0 == 200 && original.0 == 200);
    let inside = stripes().slice(2_000..3_000);
    let holds = |pdf: &[u8]| pdf.windows(1_000).any(|part| part == inside);
    assert!(holds(&original.1) && !holds(&pdf.1), "the picture is in the paper as the reader may see it");
    assert_eq!(scene.unsealed().await.last().unwrap(), "auditor annotated");

    let archive = async |who: &Browser| {
        let (status, zip) = scene.get(who, &format!("{case}/archive.zip")).await;
        assert_eq!(status, 200);
        zip::ZipArchive::new(Cursor::new(zip)).unwrap()
    };
    let names = |zip: &zip::ZipArchive<Cursor<Bytes>>| {
        let names = zip.file_names().filter_map(|name| Some(name.unwrap().split_once('/')?.0.to_owned()));
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    };
    assert_eq!(names(&archive(&scene.auditor).await), ["evidence", "evidence"]);
    let mut sealed = archive(&scene.operator).await;
    assert_eq!(names(&sealed), ["masked"], "no original, and the clip not at all");
    let name = format!("masked/{}.jpg", hex::encode(Sha256::digest(stripes())));
    let mut picture = Vec::new();
    sealed.by_name(&name).unwrap().read_to_end(&mut picture).unwrap();
    assert_eq!(clear(&picture), "right");
    let contents: Value = serde_json::from_reader(sealed.by_name("archive.json").unwrap()).unwrap();
    assert_eq!(contents["missing"], json!(["roof/Annotated", "roof/Clip"]));
    scene.end().await;
}
