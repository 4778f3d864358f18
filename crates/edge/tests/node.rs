//! A whole node on generated pictures: HTTP, hot reload of single cameras, a broken file, and a clean end. Skips,
//! saying so, where ONNX Runtime is not set up.

#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use parapet_core::SystemClock;
use parapet_edge::{Node, NodeError, config::load};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const PATIENCE: Duration = Duration::from_mins(1);

/// Status, headers and body of a GET without a client library in between.
async fn get(address: SocketAddr, path: &str, headers: &str) -> (u16, String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: node\r\nconnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let split = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8(answer[..split].to_vec()).unwrap();
    let status = head.split_whitespace().nth(1).unwrap().parse().unwrap();
    (status, head.to_lowercase(), answer[split + 4..].to_vec())
}

async fn cameras(address: SocketAddr) -> Value {
    let (status, _, body) = get(address, "/cameras", "").await;
    assert_eq!(status, 200);
    serde_json::from_slice(&body).unwrap()
}

/// The cameras' list once `holds` is true of it.
async fn until(address: SocketAddr, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let waited = tokio::time::timeout(PATIENCE, async {
        loop {
            let list = cameras(address).await;
            if holds(&list) {
                return list;
            }
            // What the node does on its threads gives no notice here.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    if let Ok(list) = waited.await {
        return list;
    }
    panic!("in vain waited for {what}: {:#}", cameras(address).await)
}

fn run_of(list: &Value, camera: &str) -> Option<String> {
    let camera = list["cameras"].as_array()?.iter().find(|entry| entry["camera"] == camera)?;
    Some(camera["health"]["run"].as_str()?.to_owned())
}

fn names(list: &Value) -> Vec<&str> {
    list["cameras"].as_array().unwrap().iter().filter_map(|entry| entry["camera"].as_str()).collect()
}

fn pipeline(dir: &Path, cameras: &str) -> PathBuf {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/nanodet-g");
    let text = format!(
        "[node]\nid = \"n\"\nsite = \"s\"\n[node.http]\nlisten = \"127.0.0.1:0\"\n[bus.embedded]\nlisten = \"127.0.0.1:0\"\n\
         [models.default]\nmanifest = \"{}\"\n{cameras}",
        models.display()
    );
    let path = dir.join("pipeline.toml");
    // As editors do: written beside, then moved into place.
    fs::write(dir.join("pipeline.new"), text).unwrap();
    fs::rename(dir.join("pipeline.new"), &path).unwrap();
    path
}

const SMALL: &str = "{ pattern = \"ball\", width = 64, height = 48, frames_per_second = 5 }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_shows_its_cameras_and_follows_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let one = format!("[cameras.one]\nname = \"一号\"\nsource.test = {SMALL}\n");
    let two = format!("[cameras.two]\nsource.test = {SMALL}\n");
    let path = pipeline(dir.path(), &one);
    let node = Node::start(load(&path).unwrap(), Some(path.clone()), Arc::new(SystemClock::new())).await;
    let node = match node {
        Ok(node) => node,
        Err(NodeError::Cameras(error)) => {
            println!("skipped: {error}; hint: make setup");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let address = node.http_address();
    let list = until(address, "a first frame", |list| list["cameras"][0]["width"] == 64).await;
    let run = run_of(&list, "one").unwrap();
    assert_eq!(list["cameras"][0]["name"], "一号");
    assert_eq!(list["trouble"], Value::Array(Vec::new()));
    assert_eq!(get(address, "/healthz", "").await.0, 200);
    assert_eq!(get(address, "/readyz", "").await.0, 200);
    let (status, head, jpeg) = get(address, "/cameras/one/frame.jpg?max_width=32", "").await;
    assert_eq!((status, &jpeg[..2]), (200, &[0xff, 0xd8][..]));
    assert!(head.contains("x-captured-at: 2") && head.contains("x-sequence: "), "{head}");
    assert_eq!(get(address, "/cameras/nobody/frame.jpg", "").await.0, 404);
    let metrics = String::from_utf8(get(address, "/metrics", "").await.2).unwrap();
    assert!(metrics.contains("parapet_frames_analysed_total{camera=\"one\"}"), "{metrics}");

    // A second camera comes: the first goes on in the same run.
    pipeline(dir.path(), &format!("{one}{two}"));
    let list = until(address, "a second camera", |list| run_of(list, "two").is_some()).await;
    assert_eq!(run_of(&list, "one").unwrap(), run, "the first camera was disturbed");
    // A broken file changes nothing, and is told.
    pipeline(dir.path(), "[cameras.one]\nsorce = 1\n");
    let list = until(address, "word of the broken file", |list| list["trouble"][0].is_string()).await;
    assert_eq!((names(&list), run_of(&list, "one").unwrap()), (vec!["one", "two"], run.clone()));
    // The first goes, the second changes: a new run of the second only.
    let before = run_of(&list, "two").unwrap();
    let changed = two.replace("width = 64", "width = 96");
    pipeline(dir.path(), &changed);
    let list = until(address, "the change", |list| {
        names(list) == ["two"] && run_of(list, "two").is_some_and(|run| run != before)
    })
    .await;
    assert_eq!(list["trouble"], Value::Array(Vec::new()));
    assert_eq!(get(address, "/cameras/one/frame.jpg", "").await.0, 404);

    // A live stream brings overlay and picture by turns, and is closed when the node stops.
    let mut stream = TcpStream::connect(address).await.unwrap();
    let upgrade = "GET /cameras/two/stream HTTP/1.1\r\nhost: node\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                   sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(upgrade.as_bytes()).await.unwrap();
    let mut received = Vec::new();
    let heard = tokio::time::timeout(PATIENCE, async {
        let has = |bytes: &[u8], wanted: &[u8]| bytes.windows(wanted.len()).any(|window| window == wanted);
        while !(has(&received, b"\"camera\":\"two\"") && has(&received, &[0xff, 0xd8, 0xff])) {
            assert!(stream.read_buf(&mut received).await.unwrap() > 0, "the stream was closed");
        }
    });
    heard.await.expect("overlay and picture come");
    node.stop().await;
    stream.read_to_end(&mut received).await.unwrap();
}
