//! How fast events go in, and lists and verdicts come out. Not a test of anything; prints what it measures:
//! `cargo test -p parapet-store --release --test throughput -- --ignored --nocapture`

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "test helpers may fail the test and print")]
#![expect(clippy::disallowed_methods, reason = "measures the time that passes")]

#[path = "support/load.rs"]
mod load;
mod support;

use std::time::Instant;

use parapet_core::{EvidenceItem, EvidenceRole, IncidentId, Status};
use parapet_store::{
    EventRecord, EvidenceRecord, IncidentQuery, StatusChange, Store, VerdictQuery, testing::PostgresServer,
};
use support::{at, event};

fn record(event: parapet_core::IncidentEvent) -> EventRecord {
    EventRecord { site: "harbour".parse().unwrap(), node: "north-1".parse().unwrap(), event }
}

#[test]
#[ignore = "measures"]
fn intake_rate() {
    let directory = tempfile::tempdir().unwrap();
    let server = PostgresServer::start().unwrap();
    let urls = [format!("sqlite://{}/rate.db", directory.path().display()), server.database().unwrap()];
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for url in urls {
        runtime.block_on(rate(&url));
    }
}

async fn rate(url: &str) {
    let store = Store::open(url).await.unwrap();
    for batch in [1, 20, 256] {
        let rate = load::events_per_second(&store, batch).await;
        println!("{} batches of {batch}: {rate:.0} events/s", url.split(':').next().unwrap());
    }
    store.close().await;
}

#[test]
#[ignore = "measures"]
fn list_and_export_rate() {
    let directory = tempfile::tempdir().unwrap();
    let server = PostgresServer::start().unwrap();
    let urls = [format!("sqlite://{}/list.db", directory.path().display()), server.database().unwrap()];
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for url in urls {
        runtime.block_on(list(&url));
    }
}

/// 10,000 incidents with three events and three files each; half of them judged.
async fn list(url: &str) {
    let store = Store::open(url).await.unwrap();
    let names: Vec<String> = (0..10_000).map(|n| format!("l{n}")).collect();
    for part in names.chunks(500) {
        let events: Vec<EventRecord> = (0_u32..)
            .zip(part)
            .flat_map(|(n, name)| {
                (0..3).map(move |sequence| {
                    let mut event = event(name, sequence, 3);
                    event.started_at = at(i64::from(n));
                    record(event)
                })
            })
            .collect();
        store.apply_events(&events, at(0)).await.unwrap();
    }
    for (n, name) in names.iter().enumerate() {
        let id = IncidentId::derive(&[name]);
        let item = |role| EvidenceItem {
            role,
            path: format!("{id}/{role:?}"),
            media_type: "image/jpeg".to_owned(),
            bytes: 1,
            sha256: "ab".repeat(32),
        };
        let evidence = EvidenceRecord {
            site: "harbour".parse().unwrap(),
            node: "north-1".parse().unwrap(),
            camera: "gate-north".parse().unwrap(),
            incident: id,
            at: at(7),
            items: [EvidenceRole::Snapshot, EvidenceRole::Annotated, EvidenceRole::Clip].map(item).to_vec(),
            base_url: None,
        };
        store.apply_evidence(&evidence, at(9)).await.unwrap();
        if n.is_multiple_of(2) {
            let change =
                StatusChange { to: Status::Confirmed, operator: "li".to_owned(), reason: None, at: at(1) };
            store.set_status(id, &change).await.unwrap();
        }
    }
    let database = url.split(':').next().unwrap();
    for limit in [50, 500] {
        let query = IncidentQuery { limit, ..IncidentQuery::default() };
        let mut times: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
        for _ in 0..20 {
            let begin = Instant::now();
            for row in store.incidents(&query).await.unwrap().incidents {
                assert_eq!(store.incident(row.id).await.unwrap().unwrap().evidence.len(), 3);
            }
            times[0].push(begin.elapsed().as_secs_f64() * 1e3);
            let begin = Instant::now();
            let page = store.incidents(&query).await.unwrap();
            let ids: Vec<_> = page.incidents.iter().map(|row| row.id).collect();
            assert_eq!(store.evidence_roles(&ids).await.unwrap().len(), limit as usize);
            times[1].push(begin.elapsed().as_secs_f64() * 1e3);
        }
        for times in &mut times {
            times.sort_by(f64::total_cmp);
        }
        let [by_row, at_once] = times.map(|times| times[times.len() / 2]);
        println!(
            "{database}: list of {limit}: {by_row:.1} ms row by row, one after the other, {at_once:.1} ms in two statements"
        );
    }
    let begin = Instant::now();
    let (mut query, mut verdicts) = (VerdictQuery::default(), 0);
    loop {
        let page = store.verdicts(&query).await.unwrap();
        verdicts += page.verdicts.iter().filter(|judged| !judged.line(false).is_empty()).count();
        query.cursor = page.next;
        if query.cursor.is_none() {
            break;
        }
    }
    let rate = f64::from(verdicts as u32) / begin.elapsed().as_secs_f64();
    println!("{database}: {verdicts} verdicts exported, {rate:.0} a second");
    store.close().await;
}
