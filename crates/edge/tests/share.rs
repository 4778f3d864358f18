//! Nodes that share their cameras, and lose the store or a model. They skip, saying so, where ONNX Runtime or PostgreSQL is not set up.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests, outside of test functions")]

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use parapet_core::SystemClock;
use parapet_edge::{Node, NodeError, config::load};
use parapet_store::{
    Store,
    testing::{PostgresServer, TestServerError},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const PATIENCE: Duration = Duration::from_mins(2);

/// The whole answer to a GET, as text.
async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: node\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

async fn until(address: SocketAddr, path: &str, holds: impl Fn(&str) -> bool) -> String {
    let waited = tokio::time::timeout(PATIENCE, async {
        loop {
            let answer = get(address, path).await;
            if holds(&answer) {
                return answer;
            }
            // What the node does on its threads gives no notice here.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    if let Ok(answer) = waited.await {
        return answer;
    }
    panic!("in vain waited at {path}: {}", get(address, path).await)
}

/// A database server with the tables of a command center; `None`, said so, where PostgreSQL is not installed.
async fn store() -> Option<(PostgresServer, String)> {
    let server = match PostgresServer::start() {
        Ok(server) => server,
        Err(TestServerError::NotInstalled) => {
            println!("skipped: postgresql is not installed");
            return None;
        }
        Err(error) => panic!("{error}"),
    };
    let store = server.database().unwrap();
    // As the command center does at its first start.
    Store::open(&store).await.unwrap().close().await;
    Some((server, store))
}

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/nanodet-g")
}

/// Writes the pipeline file of a node with one camera.
fn write(path: &Path, node: &str, store: &str, manifest: &Path) {
    let text = format!(
        "[node]\nid = \"{node}\"\nsite = \"s\"\nhttp.listen = \"127.0.0.1:0\"\ndata_dir = \"{node}\"\n\
         share = {{ fleet = \"yard\", store = \"{store}\", lease_seconds = 3 }}\n\
         [bus.embedded]\nlisten = \"127.0.0.1:0\"\n[models.default]\nmanifest = \"{}\"\n\
         [cameras.one]\nsource.test = {{ width = 64, height = 48, frames_per_second = 5 }}\n",
        manifest.display()
    );
    // Whoever follows the file never sees a part of it.
    let part = path.with_extension("part");
    fs::write(&part, text).unwrap();
    fs::rename(part, path).unwrap();
}

/// `None`, said so, where ONNX Runtime is not set up.
async fn start(path: &Path) -> Option<Node> {
    match Node::start(load(path).unwrap(), Some(path.to_owned()), Arc::new(SystemClock::new())).await {
        Ok(node) => Some(node),
        Err(NodeError::Cameras(error)) => {
            println!("skipped: {error}; hint: make setup");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

const WATCHED: &str = "\"camera\":\"one\"";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_loses_the_store_stops_its_cameras_before_others_may_take_them() {
    let Some((server, store)) = store().await else { return };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pipeline.toml");
    write(&path, "n", &store, &models());
    let Some(node) = start(&path).await else { return };
    let address = node.http_address();
    until(address, "/cameras", |answer| answer.contains(WATCHED)).await;
    until(address, "/readyz", |answer| answer.contains("200 OK")).await;
    assert!(get(address, "/metrics").await.contains("parapet_leases_held 1"));
    drop(server);
    let ready = until(address, "/readyz", |answer| answer.contains("503")).await;
    assert!(ready.contains("fleet yard: "), "{ready}");
    let cameras = until(address, "/cameras", |answer| answer.contains("\"cameras\":[]")).await;
    assert!(cameras.contains("fleet yard: "), "{cameras}");
    let metrics = get(address, "/metrics").await;
    assert!(
        metrics.contains("parapet_leases_held 0") && metrics.contains("parapet_lease_lost_total 1"),
        "{metrics}"
    );
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_that_a_node_cannot_start_any_more_is_left_to_another() {
    let Some((_server, store)) = store().await else { return };
    let dir = tempfile::tempdir().unwrap();
    let files = ["first", "second"].map(|node| dir.path().join(format!("{node}.toml")));
    write(&files[0], "first", &store, &models());
    let Some(first) = start(&files[0]).await else { return };
    until(first.http_address(), "/cameras", |answer| answer.contains(WATCHED)).await;
    write(&files[1], "second", &store, &models());
    let Some(second) = start(&files[1]).await else { return };
    let damaged = dir.path().join("nanodet-g");
    fs::create_dir(&damaged).unwrap();
    fs::copy(models().join("model.toml"), damaged.join("model.toml")).unwrap();
    write(&files[0], "first", &store, &damaged);
    until(second.http_address(), "/cameras", |answer| answer.contains(WATCHED)).await;
    let ready = until(first.http_address(), "/readyz", |answer| answer.contains("503")).await;
    assert!(ready.contains("camera one: ") && ready.contains("the weights"), "{ready}");
    // Once its weights are there again it offers itself, and the other one goes on.
    write(&files[0], "first", &store, &models());
    until(first.http_address(), "/readyz", |answer| answer.contains("200 OK")).await;
    assert!(get(second.http_address(), "/cameras").await.contains(WATCHED));
    first.stop().await;
    second.stop().await;
}
