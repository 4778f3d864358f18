//! The outbox: what it has returned is on disk, whatever happens to the process.

#![expect(clippy::unwrap_used, reason = "test helpers may fail the test and print")]

mod support;

use std::{
    collections::BTreeMap,
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use parapet_core::IncidentId;
use parapet_store::{Outbox, OutboxMessage};
use support::{at, event};

fn message(text: &str) -> OutboxMessage {
    OutboxMessage {
        topic: format!("t/{text}"),
        payload: text.as_bytes().to_vec(),
        retain: false,
        event: None,
    }
}

fn about(name: &str, sequence: u32, of: u32) -> OutboxMessage {
    OutboxMessage { event: Some(event(name, sequence, of)), ..message(&format!("{name}/{sequence}")) }
}

async fn texts(outbox: &Outbox) -> Vec<String> {
    let rows = outbox.pending(0, 1_000).await.unwrap();
    rows.into_iter().map(|row| String::from_utf8(row.payload).unwrap()).collect()
}

#[tokio::test]
async fn messages_wait_in_order_until_they_are_sent() {
    let directory = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(&directory.path().join("outbox.db")).await.unwrap();
    let ids = outbox.record(&[message("a"), message("b")], at(1)).await.unwrap();
    let more = outbox.record(&[message("c")], at(2)).await.unwrap();
    assert!(ids[0] < ids[1] && ids[1] < more[0]);
    assert_eq!(texts(&outbox).await, ["a", "b", "c"]);
    assert_eq!(outbox.pending(ids[0], 1).await.unwrap()[0].payload, b"b");
    outbox.mark_sent(&[ids[0], more[0]], at(3)).await.unwrap();
    assert_eq!(texts(&outbox).await, ["b"]);
    let stats = outbox.stats().await.unwrap();
    assert_eq!((stats.pending, stats.sent, stats.oldest_pending_at), (1, 2, Some(at(1))));
}

#[tokio::test]
async fn what_was_sent_of_late_can_be_sent_again_and_what_was_not_sent_is_never_pruned() {
    let directory = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(&directory.path().join("outbox.db")).await.unwrap();
    let ids = outbox.record(&["a", "b", "c", "d"].map(message), at(0)).await.unwrap();
    outbox.mark_sent(&ids[..1], at(10)).await.unwrap();
    outbox.mark_sent(&ids[1..3], at(20)).await.unwrap();
    assert_eq!(outbox.replay(Some(at(15))).await.unwrap(), 2);
    assert_eq!(texts(&outbox).await, ["b", "c", "d"]);
    assert_eq!(outbox.replay(None).await.unwrap(), 1);
    assert_eq!(texts(&outbox).await, ["a", "b", "c", "d"]);
    outbox.mark_sent(&ids[..2], at(30)).await.unwrap();
    assert_eq!(outbox.prune(at(1_000_000)).await.unwrap(), 2);
    assert_eq!(texts(&outbox).await, ["c", "d"]);
}

#[tokio::test]
async fn open_incidents_are_those_that_were_recorded_and_did_not_end() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("outbox.db");
    let outbox = Outbox::open(&path).await.unwrap();
    outbox.record(&[about("a", 0, 3), about("b", 0, 4), about("c", 0, 2)], at(0)).await.unwrap();
    outbox.record(&[about("b", 1, 4), about("a", 2, 3)], at(0)).await.unwrap();
    outbox.close().await;
    let outbox = Outbox::open(&path).await.unwrap();
    let mut open = outbox.open_incidents().await.unwrap();
    open.sort_by_key(|event| event.sequence);
    assert_eq!(open, [event("c", 0, 2), event("b", 1, 4)]);
    assert_eq!(outbox.stats().await.unwrap().open_incidents, 2);
}

#[tokio::test]
async fn a_record_wakes_the_one_who_waits_even_if_it_came_before() {
    let directory = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(&directory.path().join("outbox.db")).await.unwrap();
    outbox.changed().await; // from opening: what a process before left is there
    outbox.record(&[message("a")], at(0)).await.unwrap();
    tokio::time::timeout(Duration::from_secs(30), outbox.changed()).await.unwrap();
}

const CHILD: &str = "PARAPET_TEST_OUTBOX";

/// Runs in the child process only: records without end, and says what has been returned.
#[test]
fn child_that_records_until_it_is_killed() {
    let Some(path) = env::var_os(CHILD) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let outbox = Outbox::open(Path::new(&path)).await.unwrap();
        let mut out = std::io::stderr();
        for n in 0.. {
            let name = format!("killed{n}");
            let batch = [about(&name, 0, 2), message(&n.to_string()), about(&name, 1, 2)];
            let batch = if n % 2 == 0 { &batch[..2] } else { &batch[..] };
            let ids = outbox.record(batch, at(n)).await.unwrap();
            // In one write, so that the reader never sees half a number.
            out.write_all(format!("recorded {n} {}\n", ids[0]).as_bytes()).unwrap();
        }
    });
}

#[test]
fn what_was_returned_survives_kill_9() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("outbox.db");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut returned = BTreeMap::new();
    for round in 1..=3 {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "child_that_records_until_it_is_killed", "--nocapture"])
            .env(CHILD, &path)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut take = |line: String| {
            let mut words =
                line.strip_prefix("recorded ").unwrap().split(' ').map(|w| w.parse::<i64>().unwrap());
            let n = words.next().unwrap();
            returned.insert(words.next().unwrap(), n);
        };
        for _ in 0..30 * round {
            take(lines.next().unwrap().unwrap());
        }
        child.kill().unwrap(); // SIGKILL
        child.wait().unwrap();
        // What was still in the pipe had been returned too; the last line may be cut off.
        lines.map_while(Result::ok).filter(|line| line.split(' ').count() == 3).for_each(&mut take);
    }
    runtime.block_on(async {
        let outbox = Outbox::open(&path).await.unwrap();
        let rows: BTreeMap<i64, _> =
            outbox.pending(0, 100_000).await.unwrap().into_iter().map(|row| (row.id, row)).collect();
        assert!(returned.len() >= 180);
        for (id, n) in returned {
            assert_eq!(rows[&id].payload, format!("killed{n}/0").into_bytes(), "row {id}");
            assert_eq!(rows[&(id + 1)].payload, n.to_string().into_bytes(), "a batch is whole");
        }
        // Even ones never ended; a later child starts from 0 and records the same incidents anew.
        let open = outbox.open_incidents().await.unwrap();
        let first: Vec<_> = (0..4).map(|n| IncidentId::derive(&[&format!("killed{n}")])).collect();
        let is_open = |id: &IncidentId| open.iter().any(|event| event.incident_id == *id);
        assert_eq!(first.iter().map(is_open).collect::<Vec<_>>(), [true, false, true, false]);
    });
}
