//! A node with more cameras than it watches all the time: each is looked at within what the metrics promise, one that does
//! not answer holds up nobody, and what stands is one incident over many visits. Skips, saying so, where ONNX Runtime is
//! not set up.

#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::Arc,
    time::Duration,
};

use parapet_core::{CameraId, Picture, SystemClock};
use parapet_edge::{Node, NodeError, config::load};
use parapet_ingest::{
    VideoOptions, VideoWriter,
    serve::{CameraServer, ServeOptions, ServedCamera},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const PATIENCE: Duration = Duration::from_mins(2);
const CAMERAS: usize = 12;
const EVERY_SECONDS: f64 = 8.0;

/// A grey picture with a white block that walks, so that the camera is no frozen one.
fn picture(number: usize) -> Picture {
    let (w, h) = (320, 192);
    let mut rgb = vec![90u8; w * h * 3];
    for y in 40..56 {
        rgb[(y * w + number % 19 * 16) * 3..][..48].fill(250);
    }
    Picture::from_rgb(w, h, &rgb).unwrap()
}

/// Two seconds of ten pictures each, with a keyframe a second.
fn video(path: &Path) {
    let options = VideoOptions { keyframe_interval: Some(10), ..VideoOptions::at_fps(10.0) };
    let mut writer = VideoWriter::create(path, options).unwrap();
    for number in 0..20 {
        writer.push(&picture(number)).unwrap();
    }
    writer.finish().unwrap();
}

async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: node\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// The value of a metric with these labels.
fn metric(page: &str, name: &str) -> Option<f64> {
    page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_camera_on_patrol_is_looked_at_as_promised() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("walk.mp4");
    video(&file);
    let names: Vec<CameraId> = (0..CAMERAS).map(|n| format!("c{n}").parse().unwrap()).collect();
    let served: Vec<ServedCamera> =
        names.iter().map(|name| ServedCamera { name: name.clone(), file: file.clone() }).collect();
    let options = ServeOptions { port: 0, credentials: None, cache: dir.path().join("cache") };
    let server = CameraServer::start(options, &served).unwrap();
    // A port where nobody listens.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();

    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/nanodet-g");
    let mut text = format!(
        "[node]\nid = \"n\"\nsite = \"s\"\ndata_dir = \"data\"\n[node.http]\nlisten = \"127.0.0.1:0\"\n\
         [bus.embedded]\nlisten = \"127.0.0.1:0\"\n[models.default]\nmanifest = \"{}\"\n",
        models.display()
    );
    let urls = names.iter().map(|name| (name.to_string(), server.url(name)));
    for (name, url) in urls.chain([("dead".to_owned(), format!("rtsp://127.0.0.1:{nobody}/dead"))]) {
        write!(
            text,
            "[cameras.{name}]\nsource.rtsp.url = \"{url}\"\npatrol.every_seconds = {EVERY_SECONDS}\npatrol.patience_seconds = 2\n\
             zones.kerb = {{ purpose = \"forbidden\", polygon = [[0, 0], [1, 0], [1, 1], [0, 1]] }}\n\
             rules.bikes.misparked_ebike.limit_seconds = 60\n"
        )
        .unwrap();
    }
    let path = dir.path().join("pipeline.toml");
    fs::write(&path, text).unwrap();
    let node = Node::start(load(&path).unwrap(), None, Arc::new(SystemClock::new())).await;
    let node = match node {
        Ok(node) => node,
        Err(NodeError::Cameras(error)) => {
            println!("skipped: {error}; hint: make setup");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let address = node.http_address();

    let mut looked: BTreeSet<String> = BTreeSet::new();
    let rounds = tokio::time::timeout(PATIENCE, async {
        loop {
            let page = get(address, "/metrics").await;
            let value = |name: &str| metric(&page, name).unwrap_or_default();
            // At any time, from the published figures alone.
            let (longest, promise) =
                (value("parapet_patrol_longest_seconds"), value("parapet_patrol_promise_seconds"));
            assert!(longest <= promise, "{longest} s, though {promise} s were promised:\n{page}");
            looked.extend(names.iter().map(ToString::to_string).filter(|name| {
                page.contains(&format!("parapet_patrol_looked_timestamp_seconds{{camera=\"{name}\"}}"))
            }));
            if value("parapet_patrol_visits_total{outcome=\"ok\"}") >= (3 * CAMERAS) as f64
                && value("parapet_patrol_visits_total{outcome=\"failed\"}") >= 2.0
            {
                return page;
            }
            // The node gives no notice of its visits.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    let page = rounds.await.expect("all cameras are visited again and again");
    let value = |name: &str| metric(&page, name).unwrap_or_else(|| panic!("no {name} in\n{page}"));
    assert_eq!(looked.len(), CAMERAS, "{looked:?}");
    assert_eq!(value("parapet_patrol_late_total"), 0.0);
    assert!(value("parapet_patrol_longest_ever_seconds") <= value("parapet_patrol_promise_seconds"));
    assert_eq!(value("parapet_patrol_cameras{answers=\"yes\"}"), CAMERAS as f64);
    assert_eq!(value("parapet_patrol_cameras{answers=\"no\"}"), 1.0);
    assert!(value("parapet_patrol_need_cores") > 0.0 && value("parapet_patrol_visit_cpu_seconds_sum") > 0.0);

    // Health is told once, not at each visit; the picture is there between the visits.
    let cameras = get(address, "/cameras").await;
    assert_eq!(cameras.matches("\"event\":\"connected\"").count(), CAMERAS, "{cameras}");
    assert!(cameras.contains("on patrol: looked at every 8 s at the latest"), "{cameras}");
    assert!(get(address, "/cameras/c0/frame.jpg").await.starts_with("HTTP/1.1 200"));
    assert!(get(address, "/readyz").await.starts_with("HTTP/1.1 200"));
    node.stop().await;
}
