//! No request that the OpenAPI describes, well or badly formed, makes the center fail: schemathesis makes them up from the
//! description and asks. Only for 5xx; which answers are right is what the other tests ask.

#![expect(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

#[expect(dead_code, reason = "other tests use the rest")]
#[path = "common/people.rs"]
mod common;
#[path = "common/stage.rs"]
mod stage;

use std::{env, path::PathBuf, process::Stdio, time::Duration};

use common::{person, sign_in};
use parapet_core::{Grant, Role};
use serde_json::{Value, json};
use stage::{Stage, case, incident, time};

/// The same requests in each run.
const SEED: &str = "20261122";
/// Tries of each route beside those that the description itself gives.
const EXAMPLES: &str = "12";
/// What is left out: a socket, what ends sessions, and what has a time of its own (each password costs a core for a moment).
const LEFT_OUT: &[&str] = &["/api/live", "/api/session", "/api/session/password"];

/// Where `make setup` puts it, or `PARAPET_SCHEMATHESIS`.
fn program() -> PathBuf {
    let repository = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    env::var_os("PARAPET_SCHEMATHESIS")
        .map_or_else(|| repository.join(".cache/python/bin/schemathesis"), PathBuf::from)
}

/// What is really there, so that requests get further than "there is no such thing"; and where a node that is not there
/// is told as 502 or 503, as described.
fn settings() -> String {
    let places = [("harbour", "gate"), ("harbour", "yard"), ("hill", "tower")];
    let list = |values: Vec<String>| serde_json::to_string(&values).unwrap();
    let incidents = list(places.iter().map(|(site, camera)| incident(site, camera).to_string()).collect());
    let cases = list(places.iter().map(|(site, camera)| case(site, camera).to_string()).collect());
    format!(
        r#"
        [dictionaries.incidents]
        values = {incidents}
        [dictionaries.cases]
        values = {cases}
        [dictionaries.sites]
        values = ["harbour", "hill"]
        [dictionaries.cameras]
        values = ["gate", "yard", "tower"]

        [[operations]]
        include-path-regex = "^/api/incidents/"
        parameters = {{ "path.id" = {{ dictionary = "incidents", probability = 0.8 }} }}
        [[operations]]
        include-path-regex = "^/api/cases/"
        parameters = {{ "path.id" = {{ dictionary = "cases", probability = 0.8 }} }}
        [[operations]]
        include-path-regex = "^/api/sites/"
        parameters = {{ "path.site" = {{ dictionary = "sites", probability = 0.8 }} }}
        [[operations]]
        include-path-regex = "^/api/cameras/"
        parameters = {{ "path.camera" = {{ dictionary = "cameras", probability = 0.8 }} }}
        [[operations]]
        include-path-regex = "(/evidence/|/thumbnail.jpg|/live.jpg)"
        checks.not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", 502, 503]
        "#
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_makes_the_center_fail() {
    let program = program();
    if !program.exists() {
        println!("skipped: {} is not there; hint: make setup", program.display());
        return;
    }
    let stage = Stage::set(vec![person("administrator", vec![Grant::everywhere(Role::Administrator)])]).await;
    let admin = sign_in(&stage.base, "administrator").await;
    let body = json!({
        "name": "schemathesis", "grants": [{"role": "administrator", "site": null, "camera": null}],
        "expires_at": time("2030-01-01T00:00:00Z"),
    });
    let made = admin.http.post(format!("{}/api/tokens", stage.base)).json(&body).send().await.unwrap();
    let made: Value = made.json().await.unwrap();
    let config = stage.directory.path().join("schemathesis.toml");
    std::fs::write(&config, settings()).unwrap();

    let mut command = std::process::Command::new(program);
    command.arg("--config-file").arg(&config).args(["run", "--phases", "examples,coverage,fuzzing"]);
    command.args(["--checks", "not_a_server_error", "--continue-on-failure", "--warnings", "off"]);
    command.args([
        "--seed",
        SEED,
        "--max-examples",
        EXAMPLES,
        "--no-shrink",
        "--suppress-health-check",
        "all",
    ]);
    command.arg("--header").arg(format!("Authorization: Bearer {}", made["secret"].as_str().unwrap()));
    for path in LEFT_OUT {
        command.args(["--exclude-path", path]);
    }
    command.arg(format!("{}/api/openapi.json", stage.base));
    command.current_dir(stage.directory.path()).env("NO_PROXY", "127.0.0.1").env("NO_COLOR", "1");
    command.stdin(Stdio::null());
    let mut run = tokio::task::spawn_blocking(move || command.output().unwrap());
    // More than 600 changes a minute are refused: the center's minutes are made short.
    let mut minute = tokio::time::interval(Duration::from_millis(500));
    let output = loop {
        tokio::select! {
            output = &mut run => break output.unwrap(),
            _ = minute.tick() => stage.clock.advance(Duration::from_mins(1)),
        }
    };
    let told = String::from_utf8_lossy(&output.stdout);
    println!("{told}");
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    let kept = admin.http.get(format!("{}/api/incidents", stage.base)).send().await.unwrap();
    assert!(kept.status() == 200, "{}", kept.status());
    stage.end().await;
}
