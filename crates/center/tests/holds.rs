//! What is held stays, what two people have deleted goes, and the offline check tells the one from the other.

#![expect(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

#[expect(dead_code, reason = "other tests use the rest")]
#[path = "common/people.rs"]
mod common;
#[expect(dead_code, reason = "other tests use the rest")]
#[path = "common/stage.rs"]
mod stage;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use common::{Browser, person, sign_in};
use parapet_center::{Finding, verify_store};
use parapet_core::{EvidenceItem, EvidenceRole, Grant, IncidentId, Language, Role};
use parapet_store::{EvidenceRecord, Store};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use stage::{Stage, incident, time};

/// Files of an incident, each with a copy at the center.
async fn prove(stage: &Stage, site: &str, camera: &str, files: &[(EvidenceRole, &str)]) {
    let item = |(role, content): &(EvidenceRole, &str)| {
        let path = copy(stage.directory.path(), content, false);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        EvidenceItem {
            role: *role,
            path: format!("{camera}/{content}.mp4"),
            media_type: "video/mp4".to_owned(),
            bytes: content.len() as u64,
            sha256: hex::encode(Sha256::digest(content)),
        }
    };
    let record = EvidenceRecord {
        site: site.parse().unwrap(),
        node: format!("{site}-1").parse().unwrap(),
        camera: camera.parse().unwrap(),
        incident: incident(site, camera),
        at: time("2026-11-22T00:00:30Z"),
        items: files.iter().map(item).collect(),
        base_url: None,
    };
    stage.center.store().apply_evidence(&record, record.at).await.unwrap();
}

/// Where the center keeps a copy, in the vault or not.
fn copy(directory: &Path, content: &str, kept: bool) -> PathBuf {
    let sha256 = hex::encode(Sha256::digest(content));
    let below = if kept { directory.join("evidence/vault") } else { directory.join("evidence") };
    below.join(&sha256[..2]).join(sha256)
}

/// Waits for what the center does by itself.
async fn until(what: &str, holds: impl Fn() -> bool) {
    let look = async {
        let mut every = tokio::time::interval(Duration::from_millis(5));
        while !holds() {
            every.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), look).await.expect(what);
}

async fn ask(browser: &Browser, base: &str, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
    let request = browser.http.request(method, format!("{base}/api/{path}"));
    let request = if let Some(body) = body { request.json(&body) } else { request };
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap_or_default())
}

fn because() -> Value {
    json!({ "reason": "法院来函" })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_held_stays_and_what_two_people_deleted_goes() {
    let everywhere = |name: &str, role| person(name, vec![Grant::everywhere(role)]);
    let stage = Stage::set(vec![
        everywhere("chen", Role::Dispatcher),
        everywhere("li", Role::Auditor),
        everywhere("wang", Role::Auditor),
        everywhere("zhao", Role::Administrator),
    ])
    .await;
    let directory = stage.directory.path().to_owned();
    prove(&stage, "harbour", "yard", &[(EvidenceRole::Clip, "yard"), (EvidenceRole::Before, "shared")]).await;
    prove(&stage, "hill", "tower", &[(EvidenceRole::Before, "shared")]).await;
    prove(&stage, "harbour", "gate", &[(EvidenceRole::Clip, "gate")]).await;
    let base = stage.base.clone();
    let (chen, li) = (sign_in(&base, "chen").await, sign_in(&base, "li").await);
    let (wang, zhao) = (sign_in(&base, "wang").await, sign_in(&base, "zhao").await);
    let yard = incident("harbour", "yard");
    let hold = format!("incidents/{yard}/hold");
    let deletion = format!("incidents/{yard}/deletion");
    let approval = format!("{deletion}/approve");

    // Held: the files that can be had are in the vault, and nobody can delete them. Who made the hold cannot end it.
    let (status, told) = ask(&chen, &base, Method::POST, &hold, Some(because())).await;
    assert_eq!((status, &told["kept"], &told["missing"]), (200, &json!(2), &json!(1)), "{told}");
    assert!(copy(&directory, "yard", true).is_file() && !copy(&directory, "yard", false).exists());
    assert_eq!(ask(&chen, &base, Method::POST, &hold, Some(because())).await.1["code"], "already_held");
    assert_eq!(ask(&zhao, &base, Method::POST, &hold, Some(json!({ "reason": " " }))).await.0, 400);
    let (status, refused) = ask(&li, &base, Method::POST, &deletion, Some(because())).await;
    assert_eq!((status, &refused["code"]), (409, &json!("held")));
    assert!(!refused["messages"]["zh-CN"].as_str().unwrap().is_ascii());
    let seen = ask(&li, &base, Method::GET, &format!("incidents/{yard}"), None).await.1;
    assert_eq!((&seen["held"], &seen["holds"][0]["by"]), (&json!(true), &json!("chen")));
    assert_eq!(ask(&chen, &base, Method::DELETE, &hold, None).await.0, 403);
    assert_eq!(ask(&li, &base, Method::DELETE, &hold, None).await.0, 204);
    assert_eq!(ask(&li, &base, Method::DELETE, &hold, None).await.0, 404);
    until("the vault lets go what nothing holds", || copy(&directory, "yard", false).is_file()).await;

    // Deleted: by two people, not by one, and not by a program.
    assert_eq!(ask(&wang, &base, Method::POST, &approval, None).await.0, 404, "nobody has asked");
    assert_eq!(ask(&li, &base, Method::POST, &deletion, Some(because())).await.0, 200);
    assert_eq!(ask(&wang, &base, Method::POST, &deletion, Some(because())).await.1["code"], "deletion_asked");
    assert_eq!(ask(&wang, &base, Method::DELETE, &deletion, None).await.0, 204);
    assert_eq!(ask(&li, &base, Method::POST, &deletion, Some(because())).await.0, 200);
    assert_eq!(ask(&li, &base, Method::POST, &approval, None).await.1["code"], "same_person");
    let token = json!({ "name": "sweeper", "grants": [{"role": "auditor", "site": null, "camera": null}] });
    let token = ask(&zhao, &base, Method::POST, "tokens", Some(token)).await.1;
    let program = reqwest::Client::builder().no_proxy().build().unwrap();
    let program =
        program.post(format!("{base}/api/{approval}")).bearer_auth(token["secret"].as_str().unwrap());
    let refused = program.send().await.unwrap();
    assert_eq!(refused.json::<Value>().await.unwrap()["code"], "people_only");
    let waiting = ask(&wang, &base, Method::GET, "deletions", None).await.1;
    assert_eq!((waiting.as_array().unwrap().len(), &waiting[0]["asked_by"]), (1, &json!("li")), "{waiting}");
    assert_eq!(ask(&chen, &base, Method::POST, &hold, Some(because())).await.0, 200);
    assert_eq!(ask(&wang, &base, Method::POST, &approval, None).await.1["code"], "held", "held in between");
    assert_eq!(ask(&wang, &base, Method::DELETE, &hold, None).await.0, 204);
    assert_eq!(ask(&wang, &base, Method::POST, &approval, None).await.0, 204);
    for kept in [true, false] {
        assert!(!copy(&directory, "yard", kept).exists());
    }
    let shared = || copy(&directory, "shared", false).exists() || copy(&directory, "shared", true).exists();
    assert!(shared(), "it proves another incident, too");
    let (status, gone) =
        ask(&zhao, &base, Method::GET, &format!("incidents/{yard}/evidence/clip"), None).await;
    assert_eq!((status, &gone["code"]), (410, &json!("evidence_deleted")));
    assert!(gone["detail"].as_str().unwrap().contains("li and wang"), "{gone}");
    let seen = ask(&li, &base, Method::GET, &format!("incidents/{yard}"), None).await.1;
    assert_eq!((seen["evidence"].as_array().unwrap().len(), &seen["deletion"]), (3, &json!(null)));
    assert!(seen["evidence"].as_array().unwrap().iter().all(|file| file["deleted"]["approved_by"] == "wang"));
    assert_eq!(ask(&li, &base, Method::POST, &deletion, Some(because())).await.1["code"], "no_evidence");

    // Filed: held as long as the case is open.
    let gate = incident("harbour", "gate");
    let body = json!({ "incidents": [gate] });
    let (status, case) = ask(&chen, &base, Method::POST, "cases", Some(body)).await;
    assert!(matches!(status, 200 | 201), "{case}");
    until("an open case keeps its files", || copy(&directory, "gate", true).is_file()).await;
    let of_gate = format!("incidents/{gate}/deletion");
    assert_eq!(ask(&li, &base, Method::POST, &of_gate, Some(because())).await.1["code"], "held");
    let case = format!("cases/{}", case["case"]["id"].as_str().unwrap());
    assert_eq!(ask(&chen, &base, Method::POST, &format!("{case}/hold"), Some(because())).await.0, 200);
    assert_eq!(ask(&chen, &base, Method::GET, &case, None).await.1["holds"][0]["reason"], "法院来函");
    assert_eq!(ask(&chen, &base, Method::DELETE, &format!("{case}/hold"), None).await.0, 403);
    assert_eq!(ask(&wang, &base, Method::DELETE, &format!("{case}/hold"), None).await.0, 204);
    let noted = async || {
        let query = format!("audit?action=evidence.kept&subject_kind=incident&subject_id={gate}");
        ask(&li, &base, Method::GET, &query, None).await.1["entries"].as_array().unwrap().len()
    };
    let recorded = async { while noted().await == 0 {} };
    tokio::time::timeout(Duration::from_secs(30), recorded).await.expect("it is on record");

    let Stage { directory, center, stop, .. } = stage;
    stop.cancel();
    center.join().await;
    offline(directory.path(), yard).await;
}

/// What `parapet evidence verify` finds in the data directory.
async fn offline(directory: &Path, yard: IncidentId) {
    let key = fs::read_to_string(directory.join("ledger.pub")).unwrap().trim().parse().unwrap();
    let store = Store::open_read_only(&format!("sqlite://{}/center.db", directory.display())).await.unwrap();
    let (checkpoints, evidence) = (directory.join("checkpoints.jsonl"), [directory.join("evidence")]);
    let check = async || verify_store(&store, Some(&checkpoints), &evidence, Some(&key)).await.unwrap();
    let good = check().await;
    assert_eq!(good.findings, []);
    let mut deleted: Vec<&str> = good.deleted.iter().map(|file| file.path.as_str()).collect();
    deleted.sort_unstable();
    assert_eq!(deleted, ["x.jpg", "yard/yard.mp4"], "{yard}: of the shared one there is a copy");
    for file in &good.deleted {
        let texts = [file.text(Language::ZhCn), file.text(Language::En)];
        assert!(texts.iter().all(|text| text.contains("li") && text.contains("wang")), "{texts:?}");
    }
    assert_eq!((good.files, good.absent), (3, 2), "the clip of the gate and two looks at the shared one");
    let kept = copy(directory, "gate", true);
    fs::write(&kept, "gaTe").unwrap();
    let findings = check().await.findings;
    assert!(matches!(&findings[..], [Finding::File { path, .. }] if path == "gate/gate.mp4"), "{findings:?}");
    fs::remove_file(&kept).unwrap();
    let findings = check().await.findings;
    assert!(matches!(&findings[..], [Finding::Lost { path, .. }] if path == "gate/gate.mp4"), "{findings:?}");
    assert!(findings[0].text(Language::En).contains("lost"));
    store.close().await;
}
