//! Events as many nodes send them, and how fast a store takes them in.

use std::time::Instant;

use jiff::SignedDuration;
use parapet_core::{EventId, IncidentEvent, IncidentId, Timestamp};
use parapet_store::{EventRecord, Store};

use crate::support::{at, event};

/// Stores 20,000 events of 5,000 incidents in batches, every tenth twice, the pairs of each incident in reverse; with
/// single events, 1,000 of them.
pub(crate) async fn events_per_second(store: &Store, batch: usize) -> f64 {
    let mut records: Vec<EventRecord> = Vec::new();
    for n in 0..5_000 {
        records.extend([1, 0, 3, 2].map(|sequence| spread(n, batch, event(&format!("r{n}"), sequence, 4))));
        if n % 10 < 4 {
            records.push(records[records.len() - 1].clone());
        }
    }
    if batch == 1 {
        records.truncate(1_000);
    }
    let begin = Instant::now();
    for chunk in records.chunks(batch) {
        store.apply_events(chunk, at(0)).await.unwrap();
    }
    records.len() as f64 / begin.elapsed().as_secs_f64()
}

/// Incident `n` of many, whose ids are salted: each of 40 sites has one every minute, 50 to 100 m from the one before, in turn
/// from 20 cameras.
fn spread(n: i64, salt: usize, mut event: IncidentEvent) -> EventRecord {
    let (site, minute) = (n % 40, n / 40);
    let later = |time: Timestamp| time + SignedDuration::from_mins(minute);
    let salt = salt.to_string();
    event.event_id = EventId::derive(&[&event.event_id.to_string(), &salt]);
    event.incident_id = IncidentId::derive(&[&event.incident_id.to_string(), &salt]);
    event.camera = format!("camera-{site}-{}", minute % 20).parse().unwrap();
    (event.at, event.since, event.started_at) =
        (later(event.at), later(event.since), later(event.started_at));
    event.ended_at = event.ended_at.map(later);
    if let Some(place) = &mut event.place {
        place.position.point.longitude += minute as f64 * 1e-3;
    }
    EventRecord {
        site: format!("compound-{site:02}").parse().unwrap(),
        node: format!("node-{:03}", site * 2).parse().unwrap(),
        event,
    }
}
