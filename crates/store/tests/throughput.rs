//! How fast events go in. Not a test of anything; prints what it measures:
//! `cargo test -p parapet-store --release --test throughput -- --ignored --nocapture`

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "test helpers may fail the test and print")]
#![expect(clippy::disallowed_methods, reason = "measures the time that passes")]

mod support;

use std::time::Instant;

use parapet_store::{EventRecord, Store, testing::PostgresServer};
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

/// 20,000 events of 5,000 incidents, every tenth twice, the pairs of each incident in reverse.
async fn rate(url: &str) {
    let store = Store::open(url).await.unwrap();
    let mut records: Vec<EventRecord> = Vec::new();
    for n in 0..5_000 {
        records.extend([1, 0, 3, 2].map(|sequence| record(event(&format!("r{n}"), sequence, 4))));
        if n % 10 < 4 {
            records.push(records[records.len() - 1].clone());
        }
    }
    for batch in [1, 20, 256] {
        let part = &records[..if batch == 1 { 1_000 } else { records.len() }];
        let salted: Vec<EventRecord> = part
            .iter()
            .cloned()
            .map(|mut record| {
                let event = &mut record.event;
                event.event_id =
                    parapet_core::EventId::derive(&[&event.event_id.to_string(), &batch.to_string()]);
                event.incident_id =
                    parapet_core::IncidentId::derive(&[&event.incident_id.to_string(), &batch.to_string()]);
                record
            })
            .collect();
        let begin = Instant::now();
        for chunk in salted.chunks(batch) {
            store.apply_events(chunk, at(0)).await.unwrap();
        }
        let rate = salted.len() as f64 / begin.elapsed().as_secs_f64();
        println!("{} batches of {batch}: {rate:.0} events/s", url.split(':').next().unwrap());
    }
    store.close().await;
}
