//! Whatever is changed, removed or added behind the store's back is found and named; and a store of the first release
//! keeps all that it has. On SQLite and on a real PostgreSQL.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "test helpers may fail the test and print")]

mod support;

use std::{future::Future, path::Path};

use parapet_core::{
    EvidenceItem, EvidenceRole, IncidentId, Status,
    ledger::{Checkpoint, Fault, LedgerKey, Walk, Walked},
};
use parapet_store::{
    AuditEntry, AuditQuery, Chain, EventRecord, EvidenceRecord, IncidentQuery, StatusChange, Store,
    testing::{PostgresServer, TestServerError},
};
use support::{at, event};

const INCIDENTS: u32 = 30;

fn record(event: parapet_core::IncidentEvent) -> EventRecord {
    EventRecord { site: "harbour".parse().unwrap(), node: "north-1".parse().unwrap(), event }
}

fn evidence(name: &str) -> EvidenceRecord {
    let item = |role: EvidenceRole, file: &str| EvidenceItem {
        role,
        path: format!("{name}/{file}"),
        media_type: "image/jpeg".to_owned(),
        bytes: 5,
        sha256: "ab".repeat(32),
    };
    EvidenceRecord {
        site: "harbour".parse().unwrap(),
        node: "north-1".parse().unwrap(),
        camera: "gate-north".parse().unwrap(),
        incident: IncidentId::derive(&[name]),
        at: at(7),
        items: vec![item(EvidenceRole::Snapshot, "s.jpg"), item(EvidenceRole::Clip, "c.mp4")],
        base_url: Some("http://192.0.2.7/".to_owned()),
    }
}

/// Runs a promise on an empty database of each kind.
fn on_both<F: Future<Output = ()>>(promise: impl Fn(String) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let directory = tempfile::tempdir().unwrap();
    runtime.block_on(promise(format!("sqlite://{}/x.db?mode=rwc", directory.path().display())));
    match PostgresServer::start() {
        Ok(server) => runtime.block_on(promise(server.database().unwrap())),
        Err(TestServerError::NotInstalled) => println!("skipped: postgresql is not installed"),
        Err(error) => panic!("{error}"),
    }
}

/// SQL behind the store's back.
async fn meddle(url: &str, statements: &[&str]) {
    for statement in statements {
        let statement = (*statement).to_owned();
        if url.starts_with("sqlite") {
            let pool = sqlx::SqlitePool::connect(url).await.unwrap();
            sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&pool).await.unwrap();
            pool.close().await;
        } else {
            let pool = sqlx::PgPool::connect(url).await.unwrap();
            sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&pool).await.unwrap();
            pool.close().await;
        }
    }
}

/// Lets the database forget that chains are append-only, as somebody could who owns it.
async fn unguard(url: &str) {
    if url.starts_with("sqlite") {
        meddle(url, &["DROP TRIGGER audit_stays; DROP TRIGGER audit_is_kept; DROP TRIGGER ledger_stays; DROP TRIGGER ledger_is_kept"]).await;
    } else {
        meddle(url, &["DROP FUNCTION append_only() CASCADE"]).await;
    }
}

async fn fill(store: &Store) {
    let records: Vec<EventRecord> =
        (0..INCIDENTS).flat_map(|n| (0..3).map(move |s| record(event(&format!("i{n}"), s, 3)))).collect();
    for part in records.chunks(7) {
        store.apply_events(part, at(9)).await.unwrap();
    }
    // Told again, it is in no chain again.
    store.apply_events(&records[..20], at(10)).await.unwrap();
    for n in 0..5 {
        let name = format!("i{n}");
        store.apply_evidence(&evidence(&name), at(9)).await.unwrap();
        store.apply_evidence(&evidence(&name), at(10)).await.unwrap();
        let change =
            StatusChange { to: Status::Confirmed, operator: "li".to_owned(), reason: None, at: at(11) };
        store.set_status(IncidentId::derive(&[&name]), &change).await.unwrap();
    }
    for n in 0..15 {
        let entry = AuditEntry {
            at: at(12),
            actor: "admin".to_owned(),
            action: "user.add".to_owned(),
            subject_kind: "user".to_owned(),
            subject_id: format!("u{n}"),
            detail: serde_json::json!({ "n": n, "ratio": 0.1, "text": "备注" }),
        };
        store.record_audit(&entry).await.unwrap();
    }
}

async fn walk(store: &Store, chain: Chain, checkpoints: &[Checkpoint]) -> Walked {
    let mut walk = Walk::new(chain.as_str(), checkpoints, None);
    let mut after = 0;
    loop {
        let rows = store.chain_rows(chain, after, 37).await.unwrap();
        let Some((last, _)) = rows.last() else { break };
        after = last.position;
        for (row, record) in &rows {
            assert_eq!(record.as_ref().and_then(parapet_core::ledger::Record::leaf), row.found);
            walk.step(row);
        }
    }
    for stray in store.strays(chain).await.unwrap() {
        walk.stray(stray);
    }
    let length = store.chain(chain).await.unwrap().length;
    walk.finish(Some(length))
}

async fn checkpoints(store: &Store) -> Vec<Checkpoint> {
    let key = LedgerKey::from_seed(&[1; 32]);
    let mut signed = Vec::new();
    for chain in Chain::ALL {
        let state = store.chain(chain).await.unwrap();
        let checkpoint = Checkpoint::sign(&key, chain.as_str(), state.length, state.head, at(20));
        store.put_checkpoint(&checkpoint).await.unwrap();
        assert_eq!(store.latest_checkpoint(chain).await.unwrap().as_ref(), Some(&checkpoint));
        signed.push(checkpoint);
    }
    signed
}

#[test]
fn what_is_stored_is_in_a_chain_once_and_in_order() {
    on_both(async |url| {
        let store = Store::open(&url).await.unwrap();
        fill(&store).await;
        let signed = checkpoints(&store).await;
        let (ledger, audit) =
            (walk(&store, Chain::Ledger, &signed).await, walk(&store, Chain::Audit, &signed).await);
        assert_eq!((ledger.faults, audit.faults), (vec![], vec![]), "{url}");
        assert_eq!(ledger.length, u64::from(INCIDENTS) * 3 + 10);
        assert_eq!((audit.length, audit.certain), (20, 20));
        assert_eq!(ledger.head, store.chain(Chain::Ledger).await.unwrap().head);
        let positions = store.positions_of(Chain::Ledger, IncidentId::derive(&["i3"])).await.unwrap();
        assert_eq!(store.positions_of(Chain::Audit, IncidentId::derive(&["i3"])).await.unwrap(), [4]);
        assert_eq!(positions.len(), 5, "{positions:?}");
        let files = store.evidence_after(None, 4).await.unwrap();
        let (incident, last) = files.last().unwrap();
        let role = serde_json::to_value(last.role).unwrap().as_str().unwrap().to_owned();
        let rest = store.evidence_after(Some((*incident, role, last.path.clone())), 100).await.unwrap();
        assert_eq!((files.len(), rest.len()), (4, 6));
        store.close().await;
        // Opening again changes nothing.
        let again = Store::open(&url).await.unwrap();
        assert_eq!(walk(&again, Chain::Ledger, &signed).await.faults, []);
        again.close().await;
    });
}

#[test]
fn intakes_at_once_make_one_chain() {
    on_both(async |url| {
        let store = Store::open(&url).await.unwrap();
        let workers: Vec<_> = (0..4)
            .map(|worker| {
                let store = store.clone();
                tokio::spawn(async move {
                    for n in 0..20 {
                        let name = format!("w{worker}-{n}");
                        store.apply_event(&record(event(&name, 0, 2)), at(0)).await.unwrap();
                        store.apply_evidence(&evidence(&name), at(0)).await.unwrap();
                        let change = StatusChange {
                            to: Status::Confirmed,
                            operator: "li".to_owned(),
                            reason: None,
                            at: at(1),
                        };
                        store.set_status(IncidentId::derive(&[&name]), &change).await.unwrap();
                    }
                })
            })
            .collect();
        for worker in workers {
            worker.await.unwrap();
        }
        assert_eq!(walk(&store, Chain::Ledger, &[]).await.faults, []);
        let audit = walk(&store, Chain::Audit, &[]).await;
        assert_eq!((audit.faults, audit.length), (vec![], 80));
        store.close().await;
    });
}

#[test]
fn one_byte_of_an_event_or_a_deed_is_found_and_named() {
    on_both(async |url| {
        let store = Store::open(&url).await.unwrap();
        fill(&store).await;
        let signed = checkpoints(&store).await;
        unguard(&url).await;
        let id = event("i7", 1, 3).event_id;
        let sqlite = url.starts_with("sqlite");
        let event_is =
            if sqlite { format!("event_id = x'{}'", id.0.simple()) } else { format!("event_id = '{id}'") };
        let document = if sqlite {
            "replace(document, '\"score\":0.1', '\"score\":0.2')"
        } else {
            "replace(document::text, '\"score\": 0.1', '\"score\": 0.2')::jsonb"
        };
        meddle(&url, &[&format!("UPDATE incident_events SET document = {document} WHERE {event_is}")]).await;
        let faults = walk(&store, Chain::Ledger, &signed).await.faults;
        let [Fault::Changed { subject, expected, found, .. }] = &faults[..] else { panic!("{faults:?}") };
        assert_eq!(*subject, format!("event {id}"));
        assert_ne!(expected, found);

        meddle(&url, &["UPDATE evidence SET sha256 = 'cd' || substr(sha256, 3) WHERE path = 'i2/s.jpg'"])
            .await;
        let faults = walk(&store, Chain::Ledger, &signed).await.faults;
        assert_eq!(faults.len(), 2, "{faults:?}");
        let incident = IncidentId::derive(&["i2"]);
        let named = |fault: &Fault| matches!(fault, Fault::Changed { subject, .. } if *subject == format!("evidence {incident}/snapshot/i2/s.jpg"));
        assert!(faults.iter().any(named), "{faults:?}");

        meddle(&url, &["UPDATE audit SET actor = 'wang' WHERE position = 3"]).await;
        let faults = walk(&store, Chain::Audit, &signed).await.faults;
        assert!(
            matches!(&faults[..], [Fault::Changed { position: 3, subject, .. }] if subject.starts_with("deed ")),
            "{faults:?}"
        );
        store.close().await;
    });
}

#[test]
fn what_was_removed_or_added_is_found_and_named() {
    on_both(async |url| {
        let store = Store::open(&url).await.unwrap();
        fill(&store).await;
        let signed = checkpoints(&store).await;
        unguard(&url).await;
        // The last ten of both, with every trace of them in the store.
        let (ledger, audit) =
            (store.chain(Chain::Ledger).await.unwrap(), store.chain(Chain::Audit).await.unwrap());
        let left = ledger.length - 10;
        meddle(&url, &[
            "DELETE FROM evidence",
            &format!("DELETE FROM ledger WHERE position > {left}"),
            "DELETE FROM audit WHERE position > 10",
            "DELETE FROM checkpoints",
            &format!("UPDATE chains SET length = {left}, head = (SELECT link FROM ledger WHERE position = {left}) WHERE name = 'ledger'"),
            "UPDATE chains SET length = 10, head = (SELECT link FROM audit WHERE position = 10) WHERE name = 'audit'",
        ])
        .await;
        let removed =
            |chain: Chain, after| Fault::Removed { chain: chain.as_str().to_owned(), after, count: 10 };
        assert_eq!(walk(&store, Chain::Ledger, &signed).await.faults, [removed(Chain::Ledger, left)]);
        assert_eq!(walk(&store, Chain::Audit, &signed).await.faults, [removed(Chain::Audit, 10)]);
        assert_eq!(walk(&store, Chain::Audit, &[]).await.faults, [], "without the file nobody could tell");
        assert_eq!(audit.length, 20);

        // In the middle, and the content alone.
        meddle(
            &url,
            &["DELETE FROM audit WHERE position IN (4, 5)", "DELETE FROM incident_events WHERE sequence = 2"],
        )
        .await;
        let faults = walk(&store, Chain::Audit, &[]).await.faults;
        assert!(matches!(&faults[..], [Fault::Removed { after: 3, count: 2, .. }]), "{faults:?}");
        let faults = walk(&store, Chain::Ledger, &[]).await.faults;
        assert_eq!(faults.len(), INCIDENTS as usize);
        assert!(faults.iter().all(|fault| matches!(fault, Fault::Gone { .. })), "{faults:?}");

        // Something that nobody told.
        meddle(&url, &["INSERT INTO audit (at, actor, action, subject_kind, subject_id, detail) VALUES (1, 'x', 'x', 'x', 'x', '{}')"]).await;
        let faults = walk(&store, Chain::Audit, &[]).await.faults;
        assert!(faults.iter().any(|fault| matches!(fault, Fault::Added { .. })), "{faults:?}");
        store.close().await;
    });
}

#[test]
fn a_chain_can_only_be_added_to() {
    on_both(async |url| {
        let store = Store::open(&url).await.unwrap();
        fill(&store).await;
        for statement in [
            "UPDATE audit SET actor = 'x'",
            "DELETE FROM audit",
            "UPDATE ledger SET name = 'x'",
            "DELETE FROM ledger",
        ] {
            let refused = if url.starts_with("sqlite") {
                let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
                sqlx::query(statement).execute(&pool).await.unwrap_err().to_string()
            } else {
                let pool = sqlx::PgPool::connect(&url).await.unwrap();
                sqlx::query(statement).execute(&pool).await.unwrap_err().to_string()
            };
            assert!(refused.contains("append-only"), "{statement}: {refused}");
        }
        store.close().await;
        let store = Store::open_read_only(&url.replace("?mode=rwc", "")).await.unwrap();
        let entry = AuditEntry {
            at: at(1),
            actor: "x".to_owned(),
            action: "x".to_owned(),
            subject_kind: "x".to_owned(),
            subject_id: "x".to_owned(),
            detail: serde_json::json!({}),
        };
        assert!(store.record_audit(&entry).await.is_err());
        assert_eq!(walk(&store, Chain::Ledger, &[]).await.faults, []);
        store.close().await;
    });
}

/// The tables of the first release, with what it could hold, and everything is still there afterwards.
#[test]
fn a_store_of_the_first_release_keeps_everything_and_comes_into_the_chains() {
    on_both(async |url| {
        let dialect = if url.starts_with("sqlite") { "sqlite" } else { "postgres" };
        let first = tempfile::tempdir().unwrap();
        for migration in ["0001_incidents.sql", "0002_places.sql"] {
            let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(dialect).join(migration);
            std::fs::copy(from, first.path().join(migration)).unwrap();
        }
        let migrator = sqlx::migrate::Migrator::new(first.path()).await.unwrap();
        if dialect == "sqlite" {
            let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
            migrator.run(&pool).await.unwrap();
            pool.close().await;
        } else {
            let pool = sqlx::PgPool::connect(&url).await.unwrap();
            migrator.run(&pool).await.unwrap();
            pool.close().await;
        }
        let (mut statements, mut expected) = (Vec::new(), Vec::new());
        for n in 0..2_500_u32 {
            let event = event(&format!("old{n}"), 0, 2);
            let document = serde_json::to_string(&event).unwrap();
            let uuid = |id: uuid::Uuid| {
                if dialect == "sqlite" { format!("x'{}'", id.simple()) } else { format!("'{id}'") }
            };
            let (id, incident) = (uuid(event.event_id.0), uuid(event.incident_id.0));
            statements.push(format!(
                "INSERT INTO incident_events VALUES ({id}, {incident}, 0, 'harbour', 'north-1', 1, 2, 1, '{document}')"
            ));
            statements.push(format!(
                "INSERT INTO incidents (incident_id, event_id, sequence, site, node, camera, run, rule, kind, severity, \
                 phase, since, started_at, updated_at, bbox, count, score, received_at) VALUES ({incident}, {id}, 0, \
                 'harbour', 'north-1', 'gate', {id}, 'dogs', 'stray_dog', 'low', 'started', 1, {n}, 1, '[0,0,1,1]', 1, 0.5, 2)"
            ));
            if n < 3 {
                statements.push(format!(
                    "INSERT INTO evidence VALUES ({incident}, 'clip', '{n}.mp4', 'video/mp4', 7, 'ab', 'harbour', 'north-1', 'gate', NULL, 1, 2)"
                ));
                statements.push(format!(
                    "INSERT INTO audit (at, actor, action, subject_kind, subject_id, detail) VALUES ({n}, 'operator', \
                     'incident.status', 'incident', '{}', '{{\"to\":\"confirmed\"}}')",
                    event.incident_id
                ));
            }
            expected.push(event);
        }
        meddle(&url, &[&format!("BEGIN; {}; COMMIT", statements.join("; "))]).await;

        let store = Store::open(&url).await.unwrap();
        let ledger = walk(&store, Chain::Ledger, &[]).await;
        assert_eq!((ledger.faults, ledger.length), (vec![], 2_503));
        let audit = walk(&store, Chain::Audit, &[]).await;
        assert_eq!((audit.faults, audit.length), (vec![], 3));
        let counts = store.counts(&IncidentQuery::default()).await.unwrap();
        assert_eq!(counts.iter().map(|count| count.count).sum::<u64>(), 2_500);
        for event in expected.iter().step_by(500) {
            let kept = store.incident(event.incident_id).await.unwrap().unwrap();
            assert_eq!(kept.events[0].event, *event);
        }
        let deeds = store.audit(&AuditQuery { limit: 9, ..AuditQuery::default() }).await.unwrap();
        assert_eq!((deeds.len(), deeds[2].actor.as_str()), (3, "operator"));
        store.apply_event(&record(event("new", 0, 2)), at(0)).await.unwrap();
        assert_eq!(walk(&store, Chain::Ledger, &[]).await.faults, []);
        store.close().await;
    });
}
