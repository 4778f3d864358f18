//! A node with more cameras than it watches all the time: each is looked at within what the metrics promise, and one that
//! does not answer holds up nobody. `benches/patrol` does the same with hundreds of served cameras. Skips, saying so, where ONNX Runtime is
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

use parapet_core::{CameraId, SystemClock};
use parapet_edge::{Node, NodeError, config::load};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const PATIENCE: Duration = Duration::from_mins(2);
const CAMERAS: usize = 12;
const EVERY_SECONDS: f64 = 8.0;

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
async fn every_camera_on_patrol_is_looked_at_as_promised_or_that_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let names: Vec<CameraId> = (0..CAMERAS).map(|n| format!("c{n}").parse().unwrap()).collect();
    // A port where nobody listens.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();

    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/nanodet-g");
    let mut text = format!(
        "[node]\nid = \"n\"\nsite = \"s\"\ndata_dir = \"data\"\n[node.http]\nlisten = \"127.0.0.1:0\"\n\
         [bus.embedded]\nlisten = \"127.0.0.1:0\"\n[models.default]\nmanifest = \"{}\"\n",
        models.display()
    );
    let test = "test = { pattern = \"ball\", width = 320, height = 192, frames_per_second = 5 }".to_owned();
    let sources = names.iter().map(|name| (name.to_string(), test.clone()));
    let dead = ("dead".to_owned(), format!("rtsp.url = \"rtsp://127.0.0.1:{nobody}/dead\""));
    for (name, source) in sources.chain([dead]) {
        write!(
            text,
            "[cameras.{name}]\nsource.{source}\npatrol.every_seconds = {EVERY_SECONDS}\npatrol.patience_seconds = 2\n\
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
    // From the published figures alone: kept, or (on a machine that is busy with other things) said to be broken.
    let kept = value("parapet_patrol_longest_ever_seconds") <= value("parapet_patrol_promise_seconds");
    assert!(kept || value("parapet_patrol_late_total") > 0.0, "a broken promise is told:\n{page}");
    let is_stretched = value("parapet_patrol_stretch") > 1.0;
    assert_eq!(is_stretched, value("parapet_patrol_promise_seconds") > EVERY_SECONDS, "{page}");
    assert_eq!(value("parapet_patrol_cameras{answers=\"yes\"}"), CAMERAS as f64);
    assert_eq!(value("parapet_patrol_cameras{answers=\"no\"}"), 1.0);
    assert!(value("parapet_patrol_need_cores") > 0.0 && value("parapet_patrol_visit_cpu_seconds_sum") > 0.0);

    // Health is told once, not at each visit; the picture is there between the visits.
    let cameras = get(address, "/cameras").await;
    assert_eq!(cameras.matches("\"event\":\"connected\"").count(), CAMERAS, "{cameras}");
    assert!(cameras.contains("on patrol: looked at every "), "{cameras}");
    assert!(get(address, "/cameras/c0/frame.jpg").await.starts_with("HTTP/1.1 200"));
    assert!(get(address, "/readyz").await.starts_with("HTTP/1.1 200"));
    node.stop().await;
}
