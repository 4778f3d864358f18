//! What a center has kept is checked offline: one changed byte of a picture, a clip, an event or a deed, and rows that
//! were removed, are found and named; in the data directory and in an archive.

#![expect(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

use std::{
    fs,
    io::{Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use parapet_bus::{BusConfig, EmbeddedConfig};
use parapet_center::{
    Center, CenterConfig, Finding, Report, Selection, verify_archive, verify_store, write_archive,
};
use parapet_core::{
    BBox, EventId, EvidenceItem, EvidenceRole, IncidentEvent, IncidentId, IncidentKind, ManualClock, Phase,
    RunId, Severity, Status, Timestamp,
    ledger::{Fault, PublicKey},
};
use parapet_store::{
    EventRecord, EvidenceRecord, StatusChange, Store,
    testing::{PostgresServer, TestServerError},
};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

const INCIDENTS: usize = 12;

fn at() -> Timestamp {
    "2026-11-22T00:00:20Z".parse().unwrap()
}

fn id(n: usize) -> IncidentId {
    IncidentId::derive(&["kept", &n.to_string()])
}

fn bytes(n: usize, role: EvidenceRole) -> Vec<u8> {
    format!("{role:?} of {n}").into_bytes()
}

/// A data directory as a center leaves it that ran once, and the key.
async fn kept(directory: &Path, store: String) -> PublicKey {
    let config = CenterConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        store: store.clone(),
        data_dir: Some(directory.to_owned()),
        evidence_dir: directory.join("center-evidence"),
        bus: BusConfig {
            embedded: Some(EmbeddedConfig {
                listen: "127.0.0.1:0".parse().unwrap(),
                ..EmbeddedConfig::default()
            }),
            broker: None,
        },
        ..CenterConfig::default()
    };
    let stop = CancellationToken::new();
    let center = Center::start(config, Arc::new(ManualClock::new(at())), None, stop.clone()).await.unwrap();
    for n in 0..INCIDENTS {
        let event = IncidentEvent {
            event_id: EventId::derive(&["kept", &n.to_string()]),
            incident_id: id(n),
            sequence: 0,
            phase: Phase::Started,
            kind: IncidentKind::StrayDog,
            severity: Severity::Medium,
            camera: "gate".parse().unwrap(),
            preset: None,
            run: RunId::derive(&["run"]),
            rule: "dogs".parse().unwrap(),
            zone: None,
            at: at(),
            since: at(),
            started_at: at(),
            ended_at: None,
            end_reason: None,
            label: None,
            track: None,
            bbox: BBox::new(0.4, 0.4, 0.6, 0.6).unwrap(),
            outline: None,
            count: 1,
            score: 0.8,
            covered: None,
            place: None,
        };
        let (site, node): (parapet_core::SiteId, parapet_core::NodeId) =
            ("harbour".parse().unwrap(), "n1".parse().unwrap());
        let record = EventRecord { site: site.clone(), node: node.clone(), event };
        center.store().apply_event(&record, at()).await.unwrap();
        let item = |role: EvidenceRole| {
            let content = bytes(n, role);
            let sha256 = hex::encode(Sha256::digest(&content));
            let copy = directory.join("center-evidence").join(&sha256[..2]).join(&sha256);
            fs::create_dir_all(copy.parent().unwrap()).unwrap();
            fs::write(copy, &content).unwrap();
            EvidenceItem {
                role,
                path: format!("{n}/{role:?}"),
                media_type: "image/jpeg".to_owned(),
                bytes: content.len() as u64,
                sha256,
            }
        };
        let evidence = EvidenceRecord {
            site,
            node,
            camera: "gate".parse().unwrap(),
            incident: id(n),
            at: at(),
            items: vec![item(EvidenceRole::Snapshot), item(EvidenceRole::Clip)],
            base_url: None,
        };
        center.store().apply_evidence(&evidence, at()).await.unwrap();
        let change =
            StatusChange { to: Status::Confirmed, operator: "li".to_owned(), reason: None, at: at() };
        // At a second start they are confirmed already.
        center.store().set_status(id(n), &change).await.ok();
    }
    stop.cancel();
    center.join().await;
    fs::read_to_string(directory.join("ledger.pub")).unwrap().trim().parse().unwrap()
}

async fn check(directory: &Path, url: &str, key: &PublicKey) -> Report {
    let store = Store::open_read_only(url).await.unwrap();
    let evidence = [directory.join("center-evidence")];
    let checkpoints = directory.join("checkpoints.jsonl");
    let report = verify_store(&store, Some(&checkpoints), &evidence, Some(key)).await.unwrap();
    store.close().await;
    report
}

async fn meddle(url: &str, statement: &str) {
    let statement = sqlx::AssertSqlSafe(statement.to_owned());
    if url.starts_with("sqlite") {
        let pool = sqlx::SqlitePool::connect(url).await.unwrap();
        sqlx::raw_sql(statement).execute(&pool).await.unwrap();
        pool.close().await;
    } else {
        let pool = sqlx::PgPool::connect(url).await.unwrap();
        sqlx::raw_sql(statement).execute(&pool).await.unwrap();
        pool.close().await;
    }
}

/// Changes one byte in the middle of a file.
fn bend(path: &Path) {
    let mut content = fs::read(path).unwrap();
    let middle = content.len() / 2;
    content[middle] ^= 1;
    fs::write(path, content).unwrap();
}

fn copy_of(directory: &Path, n: usize, role: EvidenceRole) -> PathBuf {
    let sha256 = hex::encode(Sha256::digest(bytes(n, role)));
    directory.join("center-evidence").join(&sha256[..2]).join(sha256)
}

async fn every_change_is_found(directory: &Path, url: String) {
    let key = kept(directory, url.clone()).await;
    let good = check(directory, &url, &key).await;
    assert_eq!(good.findings, []);
    assert_eq!((good.files, good.absent), (2 * INCIDENTS as u64, 0));
    let (rows, signed) = good.chains["ledger"];
    assert_eq!((rows, signed), (3 * INCIDENTS as u64, 3 * INCIDENTS as u64));

    for role in [EvidenceRole::Snapshot, EvidenceRole::Clip] {
        let copy = copy_of(directory, 3, role);
        bend(&copy);
        let findings = check(directory, &url, &key).await.findings;
        let [Finding::File { path, expected, found, .. }] = &findings[..] else { panic!("{findings:?}") };
        assert_eq!(*path, format!("3/{role:?}"));
        assert_ne!(expected, found);
        bend(&copy);
    }
    let unguard = if url.starts_with("sqlite") {
        "DROP TRIGGER audit_stays; DROP TRIGGER audit_is_kept; DROP TRIGGER ledger_stays; DROP TRIGGER ledger_is_kept"
    } else {
        "DROP FUNCTION append_only() CASCADE"
    };
    meddle(&url, unguard).await;
    for (change, back, named) in [
        (
            "UPDATE incident_events SET site = 'harbouR'",
            "UPDATE incident_events SET site = 'harbour'",
            "event ",
        ),
        (
            "UPDATE audit SET actor = 'lj' WHERE actor = 'li'",
            "UPDATE audit SET actor = 'li' WHERE actor = 'lj'",
            "deed ",
        ),
    ] {
        meddle(&url, change).await;
        let findings = check(directory, &url, &key).await.findings;
        assert_eq!(findings.len(), INCIDENTS, "{findings:?}");
        for finding in &findings {
            assert!(
                matches!(finding, Finding::Row(Fault::Changed { subject, .. }) if subject.starts_with(named)),
                "{finding:?}"
            );
        }
        meddle(&url, back).await;
    }
    assert_eq!(check(directory, &url, &key).await.findings, []);

    // The last ten deeds with everything in the store that says so; the center signs anew over what is left.
    let length = good.chains["audit"].0;
    let left = length - 10;
    meddle(&url, &format!(
        "DELETE FROM audit WHERE position > {left}; DELETE FROM checkpoints; \
         UPDATE chains SET length = {left}, head = (SELECT link FROM audit WHERE position = {left}) WHERE name = 'audit'"
    ))
    .await;
    let findings = check(directory, &url, &key).await.findings;
    assert_eq!(
        findings,
        [Finding::Row(Fault::Removed { chain: "audit".to_owned(), after: left, count: 10 })]
    );
    kept(directory, url.clone()).await;
    let findings = check(directory, &url, &key).await.findings;
    assert!(
        findings.iter().any(|finding| matches!(finding, Finding::Row(Fault::Rewritten { chain, .. } | Fault::Removed { chain, .. }) if chain == "audit")),
        "after another start, too: {findings:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_is_found_with_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", directory.path().join("center.db").display());
    every_change_is_found(directory.path(), url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_is_found_with_postgresql() {
    let directory = tempfile::tempdir().unwrap();
    match PostgresServer::start() {
        Ok(server) => every_change_is_found(directory.path(), server.database().unwrap()).await,
        Err(TestServerError::NotInstalled) => println!("skipped: postgresql is not installed"),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archive_proves_itself() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", directory.path().join("center.db").display());
    let key = kept(directory.path(), url.clone()).await;
    let store = Store::open_read_only(&url).await.unwrap();
    let evidence = [directory.path().join("center-evidence")];
    let write = async |selection: Selection, name: &str| {
        let path = directory.path().join(name);
        let files = write_archive(&store, &selection, &evidence, fs::File::create(&path).unwrap()).await;
        (path, files)
    };
    let (path, files) = write(Selection::Incidents(vec![id(4)]), "one.zip").await;
    assert_eq!(files.unwrap(), 2);
    let report = verify_archive(&path, Some(&key)).unwrap();
    assert_eq!((report.findings, report.files, report.absent), (vec![], 2, 0));
    let (all, files) = write(Selection::All, "all.zip").await;
    assert_eq!(files.unwrap(), 2 * INCIDENTS as u64);
    assert_eq!(verify_archive(&all, Some(&key)).unwrap().findings, []);
    let (_, unknown) = write(Selection::Incidents(vec![IncidentId::derive(&["never"])]), "none.zip").await;
    assert!(unknown.unwrap_err().to_string().contains("hint:"));
    store.close().await;

    let other = PublicKey([9; 32]);
    assert!(!verify_archive(&path, Some(&other)).unwrap().findings.is_empty(), "signed by somebody else");
    let with = |name: &str, change: &dyn Fn(String, Vec<u8>) -> Option<Vec<u8>>| {
        let mut zip = zip::ZipArchive::new(fs::File::open(&path).unwrap()).unwrap();
        let out = directory.path().join(name);
        let mut changed = zip::ZipWriter::new(fs::File::create(&out).unwrap());
        for n in 0..zip.len() {
            let mut file = zip.by_index(n).unwrap();
            let (name, mut content) = (file.name().unwrap().into_owned(), Vec::new());
            file.read_to_end(&mut content).unwrap();
            let Some(content) = change(name.clone(), content) else { continue };
            changed
                .start_file(
                    name,
                    zip::write::SimpleFileOptions::default()
                        .compression_method(zip::CompressionMethod::Stored),
                )
                .unwrap();
            changed.write_all(&content).unwrap();
        }
        changed.finish().unwrap();
        verify_archive(&out, Some(&key)).unwrap()
    };
    let bent = with("bent.zip", &|name, mut content| {
        if name.starts_with("evidence/") {
            content[0] ^= 1;
        }
        Some(content)
    });
    assert!(bent.findings.len() == 2 && bent.findings.iter().all(|f| matches!(f, Finding::File { .. })));
    let told = with("told.zip", &|_, content| {
        Some(String::from_utf8(content).map_or_else(std::string::FromUtf8Error::into_bytes, |text| {
            text.replace("harbour", "harbor").into_bytes()
        }))
    });
    assert!(told.findings.iter().any(|f| matches!(f, Finding::Row(Fault::Changed { .. }))), "{told:?}");
    let cut = with("cut.zip", &|name, content| {
        let text = String::from_utf8(content).unwrap();
        let lines = text.lines().filter(|line| !line.contains("\"position\":7,"));
        Some(
            if name == "ledger.jsonl" { lines.collect::<Vec<_>>().join("\n") + "\n" } else { text }
                .into_bytes(),
        )
    });
    assert!(cut.findings.iter().any(|f| matches!(f, Finding::Row(Fault::Removed { .. }))), "{cut:?}");
}
