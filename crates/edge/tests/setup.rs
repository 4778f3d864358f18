//! A node that is set up over HTTP while it runs: its file edited and saved, the change taken up, a camera added by its
//! address with a password that nobody sees again. Skips, saying so, where ONNX Runtime is not set up.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests, outside of test functions")]

use std::{fs, path::Path, sync::Arc, time::Duration};

use parapet_core::{CameraId, Clock, SystemClock, Timestamp};
use parapet_edge::{Node, NodeError, config::load};
use parapet_ingest::{
    VideoOptions, VideoWriter,
    serve::{CameraServer, ServeOptions, ServedCamera},
};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_mins(1);
const PASSWORD: &str = "p@ss:w/0";
const CAMERA: &str = "# The gate, as seen from the house.\n[cameras.one]\nname = \"一号\"   # for people\n\
    source.test = { pattern = \"ball\", width = 64, height = 48, frames_per_second = 5 }\n";

fn pipeline(dir: &Path, node: &str, rest: &str) -> std::path::PathBuf {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/nanodet-g");
    let path = dir.join("pipeline.toml");
    let text = format!(
        "[node]\nid = \"n\"\nsite = \"s\"\n{node}\n[node.http]\nlisten = \"127.0.0.1:0\"\ntoken_file = \"token\"\n\
         [bus.embedded]\nlisten = \"127.0.0.1:0\"\n[models.default]\nmanifest = \"{}\"\n\n{rest}",
        models.display()
    );
    fs::write(dir.join("token"), "geheim\n").unwrap();
    fs::write(&path, text).unwrap();
    path
}

async fn start(path: &Path) -> Option<Node> {
    drop(rustls::crypto::ring::default_provider().install_default());
    let pipeline = load(path).unwrap_or_else(|error| panic!("{error}"));
    match Node::start(pipeline, Some(path.to_owned()), Arc::new(SystemClock::new())).await {
        Ok(node) => Some(node),
        Err(NodeError::Cameras(error)) => {
            println!("skipped: {error}; hint: make setup");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

struct Asker {
    http: Client,
    base: String,
}

impl Asker {
    fn of(node: &Node) -> Self {
        let http = Client::builder().no_proxy().build().unwrap();
        Self { http, base: format!("http://{}", node.http_address()) }
    }

    async fn ask(&self, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        let request = self.http.request(method, format!("{}{path}", self.base)).bearer_auth("geheim");
        let request = if body.is_null() { request } else { request.json(&body) };
        let answer = request.send().await.unwrap();
        let status = answer.status();
        (status, answer.json().await.unwrap_or_default())
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(Method::GET, path, Value::Null).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    async fn draft(&self, text: &Value, edits: Value) -> Value {
        let asked = json!({ "text": text, "edits": edits });
        let (status, draft) = self.ask(Method::POST, "/setup/draft", asked).await;
        assert_eq!(status, StatusCode::OK, "{draft}");
        draft
    }

    async fn save(&self, base: &Value, text: &Value) -> (StatusCode, Value) {
        self.ask(Method::PUT, "/setup", json!({ "base": base, "text": text })).await
    }

    /// The cameras' list once `holds` is true of it.
    async fn until(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                let list = self.get("/cameras").await;
                if holds(&list) {
                    return list;
                }
                // What the node does on its threads gives no notice here.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        waited.await.unwrap_or_else(|_| panic!("in vain waited for {what}"))
    }
}

/// A camera on this machine.
fn camera(dir: &Path, password: Option<&str>) -> CameraServer {
    let file = dir.join("clip.mp4");
    let mut writer = VideoWriter::create(
        &file,
        VideoOptions { keyframe_interval: Some(10), ..VideoOptions::at_fps(10.0) },
    )
    .unwrap();
    for n in 0..40u32 {
        let picture =
            image::RgbImage::from_fn(320, 192, |x, y| image::Rgb([((x + y + n * 4) % 256) as u8; 3]));
        writer.push_rgb(320, 192, picture.as_raw()).unwrap();
    }
    writer.finish().unwrap();
    let credentials = password.map(|password| ("viewer".to_owned(), password.to_owned()));
    let options = ServeOptions { port: 0, credentials, cache: dir.join("cache"), spread: false };
    CameraServer::start(options, &[ServedCamera { name: "west".parse().unwrap(), file }]).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_edited_checked_saved_and_taken_up() {
    let dir = tempfile::tempdir().unwrap();
    let path = pipeline(dir.path(), "[node.setup]\nenabled = true", CAMERA);
    let Some(node) = start(&path).await else { return };
    let asker = Asker::of(&node);
    let stranger = asker.http.get(format!("{}/setup", asker.base)).send().await.unwrap();
    assert_eq!(stranger.status(), StatusCode::UNAUTHORIZED);

    let current = asker.get("/setup").await;
    let text = &current["text"];
    assert_eq!(text.as_str().unwrap(), fs::read_to_string(&path).unwrap());
    assert_eq!((&current["problems"], &current["file"]), (&json!([]), &json!("pipeline.toml")));
    assert_eq!(current["hot_reload"], true);
    assert_eq!(current["model"]["cameras"][0]["name"], "一号");
    assert!(current["schema"]["$defs"]["StrayDogConfig"].is_object());

    // A mistake is told with its place, and cannot be saved.
    let zone = |polygon: Value| json!([{ "op": "put_zone", "camera": "one", "zone": "lane", "purpose": "fire_lane", "polygon": polygon }]);
    let draft = asker.draft(text, zone(json!([[0, 0], [2, 0], [1, 1]]))).await;
    let problem = &draft["problems"][0];
    assert_eq!(problem["path"], "cameras.one.zones.lane.polygon", "{draft}");
    let marked: String = draft["text"].as_str().unwrap().chars().collect::<Vec<_>>()
        [problem["from"].as_u64().unwrap() as usize..problem["to"].as_u64().unwrap() as usize]
        .iter()
        .collect();
    assert!(marked.starts_with("[["), "{marked}");
    let (status, refused) = asker.save(&current["revision"], &draft["text"]).await;
    assert_eq!((status.as_u16(), &refused["code"]), (422, &json!("setup_problems")));
    // Nor what opens doors, or sends the node's own secrets away.
    let opened = text.as_str().unwrap().replace("id = \"n\"", "id = \"n2\"");
    let draft = asker.draft(&json!(opened), json!([])).await;
    assert_eq!(draft["problems"][0]["path"], "node", "{draft}");
    let foreign = json!([
        { "op": "put_camera", "camera": "spy", "url": "rtsp://192.0.2.66/1", "username": "x" },
        { "op": "set", "path": ["cameras", "spy", "source", "rtsp", "password_file"], "value": "token" },
    ]);
    let draft = asker.draft(text, foreign).await;
    assert_eq!(draft["problems"][0]["path"], "cameras.spy.source.rtsp.password_file", "{draft}");

    let draft = asker.draft(text, zone(json!([[0, 0], [1, 0], [1, 1]]))).await;
    assert_eq!((&draft["problems"], &draft["changed"]), (&json!([]), &json!(true)));
    let (status, saved) = asker.save(&current["revision"], &draft["text"]).await;
    assert_eq!(status, StatusCode::OK, "{saved}");
    asker.until("the zone", |list| list["cameras"][0]["zones"][0]["id"] == "lane").await;
    let now = fs::read_to_string(&path).unwrap();
    assert!(now.contains("# The gate, as seen from the house.") && now.contains("   # for people"), "{now}");
    // What is based on the text before is not saved, and the text before is kept.
    let (status, refused) = asker.save(&current["revision"], text).await;
    assert_eq!((status.as_u16(), &refused["code"]), (409, &json!("setup_changed")));
    let current = asker.get("/setup").await;
    assert_eq!(current["revision"], saved["revision"]);
    let earlier = asker.get(&format!("/setup/versions/{}", saved["version"].as_str().unwrap())).await;
    assert_eq!((&earlier["text"], &earlier["revision"]), (text, &saved["previous"]));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_is_looked_at_and_added_and_its_password_is_never_seen_again() {
    let dir = tempfile::tempdir().unwrap();
    let served = camera(dir.path(), Some(PASSWORD));
    let url = served.url(&"west".parse::<CameraId>().unwrap());
    let path = pipeline(dir.path(), "data_dir = \"data\"\n[node.setup]\nenabled = true", CAMERA);
    let Some(node) = start(&path).await else { return };
    let asker = Asker::of(&node);
    let still = async |body: Value| {
        let request = asker.http.post(format!("{}/setup/still", asker.base)).bearer_auth("geheim");
        let answer = request.json(&body).send().await.unwrap();
        let (status, kind) = (answer.status().as_u16(), answer.headers()["content-type"].clone());
        (status, kind.to_str().unwrap().to_owned(), answer.bytes().await.unwrap())
    };
    let (status, kind, wrong) = still(json!({ "url": url, "username": "viewer", "password": "x" })).await;
    assert_eq!((status, kind.as_str()), (422, "application/problem+json"));
    let wrong: Value = serde_json::from_slice(&wrong).unwrap();
    assert_eq!(wrong["code"], "camera_password", "{wrong}");
    let (status, kind, jpeg) =
        still(json!({ "url": url, "username": "viewer", "password": PASSWORD, "transport": "tcp" })).await;
    assert_eq!((status, kind.as_str()), (200, "image/jpeg"));
    let picture = image::load_from_memory(&jpeg).unwrap();
    assert_eq!((picture.width(), picture.height()), (320, 192));

    let current = asker.get("/setup").await;
    let add = json!([{ "op": "put_camera", "camera": "west", "name": "西门", "url": url, "username": "viewer",
                       "password": PASSWORD, "analysed_fps": 5 }]);
    let draft = asker.draft(&current["text"], add).await;
    assert_eq!(draft["problems"], json!([]), "{draft}");
    assert!(!draft.to_string().contains(PASSWORD));
    assert_eq!(draft["model"]["cameras"][1]["source"]["password"], "file");
    assert_eq!(still(json!({ "text": draft["text"], "camera": "west" })).await.0, 200);
    let (status, _) = asker.save(&current["revision"], &draft["text"]).await;
    assert_eq!(status, StatusCode::OK);
    asker
        .until("the camera's pictures", |list| {
            list["cameras"].as_array().unwrap().iter().any(|c| c["camera"] == "west" && c["width"] == 320)
        })
        .await;
    assert!(!fs::read_to_string(&path).unwrap().contains(PASSWORD));
    let secrets: Vec<_> = fs::read_dir(dir.path().join("data/secrets")).unwrap().collect();
    assert_eq!(secrets.len(), 1);
    // Its view has no baseline yet, and nothing that could become one.
    let views = asker.get("/setup/cameras/west/baselines").await;
    assert_eq!(views, json!([{ "preset": null, "can_propose": false, "baselines": [] }]));
    let judge = json!({ "preset": null, "act": "propose", "by": "li-wei" });
    let (status, refused) = asker.ask(Method::POST, "/setup/cameras/west/baselines", judge).await;
    assert_eq!((status.as_u16(), &refused["code"]), (422, &json!("setup_refused")));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_not_told_so_is_not_set_up() {
    let dir = tempfile::tempdir().unwrap();
    let path = pipeline(dir.path(), "", CAMERA);
    let Some(node) = start(&path).await else { return };
    let asker = Asker::of(&node);
    for (method, path) in [(Method::GET, "/setup"), (Method::POST, "/setup/draft"), (Method::PUT, "/setup")] {
        let (status, refused) = asker.ask(method, path, Value::Null).await;
        assert_eq!((status.as_u16(), &refused["code"]), (409, &json!("setup_off")), "{path}");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_hours_are_recorded_as_they_come() {
    let dir = tempfile::tempdir().unwrap();
    let served = camera(dir.path(), None);
    let yard = format!(
        "[cameras.yard]\n[cameras.yard.source]\nanalysed_fps = 5\npreroll_seconds = 2\nrtsp.url = \"{}\"\n\
         [cameras.yard.recording]\nhours = 1\nmegabytes = 50\n",
        served.url(&"west".parse::<CameraId>().unwrap())
    );
    let path = pipeline(dir.path(), "data_dir = \"data\"\n[node.setup]\nenabled = true", &yard);
    let Some(node) = start(&path).await else { return };
    let asker = Asker::of(&node);
    let recorded = tokio::time::timeout(PATIENCE, async {
        loop {
            let recorded = asker.get("/setup/cameras/yard/recording").await;
            if let Some(span) = recorded["spans"].as_array().unwrap().last() {
                let of = |key: &str| -> Timestamp { span[key].as_str().unwrap().parse().unwrap() };
                if of("to").duration_since(of("from")).as_secs_f64() >= 3.0 {
                    return recorded;
                }
            }
            // What the node does on its threads gives no notice here.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    let recorded = recorded.await.expect("enough is recorded");
    assert_eq!(
        (&recorded["recording"], recorded["spans"].as_array().unwrap().len()),
        (&json!(true), 1),
        "no gap"
    );
    assert!(recorded["bytes"].as_u64().unwrap() > 1_000, "{recorded}");
    node.stop().await;
    // What should no longer be recorded is not kept.
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.split("[cameras.yard.recording]").next().unwrap()).unwrap();
    assert!(dir.path().join("data/recordings/yard").is_dir());
    let node = start(&path).await.unwrap();
    assert!(!dir.path().join("data/recordings/yard").exists());
    node.stop().await;
}

/// A wall of bricks, with a dark box on it or without.
fn wall(shed: bool) -> image::RgbImage {
    image::RgbImage::from_fn(320, 180, |x, y| {
        let brick = ((x / 13 * 7919) ^ (y / 9 * 104_729)) % 97;
        let grain = ((x / 3 * 104_729) ^ (y / 3 * 7919)) % 23;
        let dark = shed && (140..200).contains(&x) && (70..115).contains(&y);
        image::Rgb([if dark { 25 + (grain / 4) as u8 } else { (60 + brick + grain) as u8 }; 3])
    })
}

/// Twelve seconds in two segments, from `from` on: the wall, on which a box appears after two seconds.
fn segments(dir: &Path, from: Timestamp) {
    fs::create_dir_all(dir).unwrap();
    for part in 0..2u32 {
        let at = |n: u32| from + Duration::from_millis(u64::from(part * 60 + n) * 100);
        let named = |at: Timestamp| at.strftime("%Y%m%dT%H%M%S.%6fZ").to_string();
        let path = dir.join(format!("{}_{}.mp4", named(at(0)), named(at(59))));
        let mut writer = VideoWriter::create(&path, VideoOptions::at_fps(10.0)).unwrap();
        for n in part * 60..part * 60 + 60 {
            writer.push_rgb(320, 180, wall(n >= 20).as_raw()).unwrap();
        }
        writer.finish().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_is_tried_on_what_was_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let from = SystemClock::new().now() - Duration::from_mins(30);
    let to = from + Duration::from_secs(12);
    segments(&dir.path().join("data/recordings/yard"), from);
    let yard = "[cameras.yard]\nrecording = { hours = 1 }\n[cameras.yard.source]\nanalysed_fps = 2\n\
                test = { pattern = \"ball\", width = 64, height = 48, frames_per_second = 5 }\n";
    let path = pipeline(dir.path(), "data_dir = \"data\"\n[node.setup]\nenabled = true", yard);
    let Some(node) = start(&path).await else { return };
    let asker = Asker::of(&node);

    let text = asker.get("/setup").await["text"].clone();
    wall(false).save(dir.path().join("wall.png")).unwrap();
    let roof = json!([
        { "op": "put_zone", "camera": "yard", "zone": "roof", "purpose": "roof",
          "polygon": [[0.2, 0.2], [0.9, 0.2], [0.9, 0.9], [0.2, 0.9]] },
        { "op": "set", "path": ["cameras", "yard", "change", "baseline"],
          "value": { "interval_seconds": 1, "confirm_comparisons": 2 } },
        { "op": "set", "path": ["cameras", "yard", "baseline_pictures"], "value": ["wall.png"] },
        { "op": "put_rule", "camera": "yard", "rule": "sheds", "kind": "rooftop_structure", "options": { "limit_seconds": 3 } },
    ]);
    let draft = asker.draft(&text, roof).await;
    assert_eq!(draft["problems"], json!([]), "{draft}");
    let trial = |from: Timestamp, to: Timestamp| json!({ "text": draft["text"], "camera": "yard", "from": from, "to": to, "compare": true });
    let long_ago = trial(from - Duration::from_hours(2), from - Duration::from_hours(1));
    let (status, refused) = asker.ask(Method::POST, "/setup/trial", long_ago).await;
    assert_eq!((status.as_u16(), &refused["code"]), (422, &json!("setup_refused")), "{refused}");
    let (status, started) = asker.ask(Method::POST, "/setup/trial", trial(from, to)).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{started}");
    let (status, busy) = asker.ask(Method::POST, "/setup/trial", trial(from, to)).await;
    assert_eq!((status.as_u16(), &busy["code"]), (409, &json!("setup_busy")));
    let done = tokio::time::timeout(PATIENCE, async {
        loop {
            let told = asker.get("/setup/trial").await;
            if told["state"] != "running" {
                return told;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    let done = done.await.expect("the trial ends");
    assert_eq!(
        (&done["state"], &done["share"], &done["current"]),
        (&json!("done"), &json!(1.0), &json!([])),
        "{done}"
    );
    let raised = &done["draft"][0];
    assert_eq!(
        (&raised["kind"], &raised["zone"], &raised["rule"]),
        (&json!("rooftop_structure"), &json!("roof"), &json!("sheds")),
        "{done}"
    );
    let at: Timestamp = raised["at"].as_str().unwrap().parse().unwrap();
    assert!(from < at && at <= to, "true times: {raised}");
    let picture = format!("{}/setup/trial/{}/1/picture.jpg", asker.base, done["trial"].as_str().unwrap());
    let picture = asker.http.get(picture).bearer_auth("geheim").send().await.unwrap().bytes().await.unwrap();
    assert_eq!(image::load_from_memory(&picture).unwrap().width(), 320);

    // One that is cancelled ends, and says so.
    let (status, _) = asker.ask(Method::POST, "/setup/trial", trial(from, to)).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let (_, cancelled) = asker.ask(Method::DELETE, "/setup/trial", Value::Null).await;
    assert_eq!(cancelled["state"], "cancelled", "{cancelled}");
    node.stop().await;
}
