//! A node that shares its cameras and loses the store. Skips, saying so, where ONNX Runtime or PostgreSQL is not set up.

#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

use std::{fs, net::SocketAddr, path::Path, sync::Arc, time::Duration};

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_loses_the_store_stops_its_cameras_before_others_may_take_them() {
    let server = match PostgresServer::start() {
        Ok(server) => server,
        Err(TestServerError::NotInstalled) => {
            println!("skipped: postgresql is not installed");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let store = server.database().unwrap();
    // As the command center does at its first start.
    Store::open(&store).await.unwrap().close().await;
    let dir = tempfile::tempdir().unwrap();
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/nanodet-g");
    let text = format!(
        "[node]\nid = \"n\"\nsite = \"s\"\nhttp.listen = \"127.0.0.1:0\"\n\
         share = {{ fleet = \"yard\", store = \"{store}\", lease_seconds = 3 }}\n\
         [bus.embedded]\nlisten = \"127.0.0.1:0\"\n[models.default]\nmanifest = \"{}\"\n\
         [cameras.one]\nsource.test = {{ width = 64, height = 48, frames_per_second = 5 }}\n",
        models.display()
    );
    let path = dir.path().join("pipeline.toml");
    fs::write(&path, text).unwrap();
    let node = match Node::start(load(&path).unwrap(), None, Arc::new(SystemClock::new())).await {
        Ok(node) => node,
        Err(NodeError::Cameras(error)) => {
            println!("skipped: {error}; hint: make setup");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let address = node.http_address();
    until(address, "/cameras", |answer| answer.contains("\"camera\":\"one\"")).await;
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
