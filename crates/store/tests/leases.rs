//! What sharing cameras promises, on SQLite and on a real PostgreSQL. Time is handed in; one promise asks the databases'
//! own clocks.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "test helpers may fail the test and print")]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use parapet_core::{CameraId, FleetId, IncidentEvent, IncidentId, Phase};
use parapet_store::{
    EventRecord, LeaseClock, ShareRequest, Shared, Store, StoreError,
    testing::{PostgresServer, TestServerError},
};
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use support::{at, event};
use uuid::Uuid;

const LEASE: Duration = Duration::from_secs(12);
const SECOND: i64 = 1_000_000;

#[test]
fn sqlite_keeps_the_promises() {
    let directory = tempfile::tempdir().unwrap();
    let mut number = 0;
    suite(|| {
        number += 1;
        format!("sqlite://{}/{number}.db", directory.path().display())
    });
}

#[test]
fn postgresql_keeps_the_promises() {
    match PostgresServer::start() {
        Ok(server) => suite(|| server.database().unwrap()),
        Err(TestServerError::NotInstalled) => println!("skipped: postgresql is not installed"),
        Err(error) => panic!("{error}"),
    }
}

fn suite(mut database: impl FnMut() -> String) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    macro_rules! promises {
        ($($promise:ident),+ $(,)?) => {$(
            println!("{}", stringify!($promise));
            let url = database();
            runtime.block_on(async {
                let store = Store::open(&url).await.unwrap();
                $promise(store.clone(), &url).await;
                store.close().await;
            });
        )+};
    }
    promises!(
        a_node_alone_takes_all,
        a_second_node_gets_what_the_first_gives_back,
        the_cameras_of_a_dead_node_are_taken_when_its_lease_has_run_out,
        a_node_that_leaves_lets_go_at_once,
        what_has_run_out_is_not_renewed_once_another_has_it,
        two_programs_of_one_name_do_not_watch_the_same,
        shares_follow_capacity,
        a_camera_that_left_the_file_goes_back,
        nodes_at_once_never_share_a_camera,
        the_database_has_the_time,
        open_incidents_are_found_by_camera,
    );
    println!("any order of asking, dying and leaving");
    no_two_hold_one_camera(&runtime, &database());
}

fn fleet() -> FleetId {
    "yard".parse().unwrap()
}

fn cameras(n: usize) -> BTreeSet<CameraId> {
    (0..n).map(|n| format!("c{n:03}").parse().unwrap()).collect()
}

/// Node `name` asks, `seconds` after the beginning.
fn request(name: &str, n: usize, seconds: i64) -> ShareRequest {
    ShareRequest {
        fleet: fleet(),
        node: name.parse().unwrap(),
        session: Uuid::from_u128(name.bytes().fold(7, |sum, byte| sum * 256 + u128::from(byte))),
        cameras: cameras(n),
        capacity: 1.0,
        released: BTreeSet::new(),
        runs_for: LEASE,
        clock: LeaseClock::At(at(seconds * SECOND)),
    }
}

async fn share(store: &Store, request: ShareRequest) -> Shared {
    store.share(&request).await.unwrap()
}

async fn a_node_alone_takes_all(store: Store, _url: &str) {
    let shared = share(&store, request("a", 5, 0)).await;
    assert_eq!((shared.held, shared.give_back.len(), shared.others), (cameras(5), 0, 0));
    assert_eq!((shared.ends_at, shared.others_run_for), (at(12 * SECOND), None));
    let again = share(&store, request("a", 6, 4)).await;
    assert_eq!((again.held, again.ends_at), (cameras(6), at(16 * SECOND)));
    let rows = store.leases(&fleet()).await.unwrap();
    assert!(rows.iter().all(|row| row.ends_at == at(16 * SECOND)));
    assert_eq!((rows[0].taken_at, rows[5].taken_at), (at(0), at(4 * SECOND)));
}

async fn a_second_node_gets_what_the_first_gives_back(store: Store, _url: &str) {
    share(&store, request("a", 5, 0)).await;
    let b = share(&store, request("b", 5, 1)).await;
    assert_eq!((b.held.len(), b.others, b.others_run_for), (0, 1, Some(Duration::from_secs(11))));
    let a = share(&store, request("a", 5, 4)).await;
    assert_eq!((a.held.len(), a.give_back.len()), (5, 2), "it holds on until it has let go");
    assert!(share(&store, request("b", 5, 5)).await.held.is_empty());
    let a = share(&store, ShareRequest { released: a.give_back, ..request("a", 5, 6) }).await;
    assert_eq!((a.held.len(), a.give_back.len()), (3, 0));
    let b = share(&store, request("b", 5, 6)).await;
    assert_eq!((b.held.len(), b.give_back.len()), (2, 0));
    let all: BTreeSet<CameraId> = a.held.union(&b.held).cloned().collect();
    assert_eq!(all, cameras(5));
}

async fn the_cameras_of_a_dead_node_are_taken_when_its_lease_has_run_out(store: Store, _url: &str) {
    share(&store, request("a", 4, 0)).await;
    let mut b = share(&store, request("b", 4, 1)).await;
    assert_eq!((b.held.len(), b.others_run_for), (0, Some(Duration::from_secs(11))));
    b = share(&store, request("b", 4, 11)).await;
    assert_eq!((b.held.len(), b.others_run_for), (0, Some(Duration::from_secs(1))), "not before");
    b = share(&store, request("b", 4, 12)).await;
    assert_eq!((b.held, b.others), (cameras(4), 0));
}

async fn a_node_that_leaves_lets_go_at_once(store: Store, _url: &str) {
    let a = request("a", 4, 0);
    share(&store, a.clone()).await;
    store.leave_share(&fleet(), &a.node, Uuid::nil()).await.unwrap();
    assert_eq!(
        store.leases(&fleet()).await.unwrap().len(),
        4,
        "another program of this name lets nothing go"
    );
    store.leave_share(&fleet(), &a.node, a.session).await.unwrap();
    assert_eq!(share(&store, request("b", 4, 0)).await.held, cameras(4));
    let nodes = store.lease_nodes(&fleet()).await.unwrap();
    assert_eq!(nodes.iter().map(|row| row.node.as_str()).collect::<Vec<_>>(), ["b"]);
}

async fn what_has_run_out_is_not_renewed_once_another_has_it(store: Store, _url: &str) {
    share(&store, request("a", 4, 0)).await;
    share(&store, request("b", 4, 12)).await;
    // The first was away for a while. Its word that it let go of what it has no more changes nothing.
    let a = ShareRequest { released: cameras(4), ..request("a", 4, 13) };
    assert_eq!(share(&store, a).await.held.len(), 0);
    assert!(store.leases(&fleet()).await.unwrap().iter().all(|row| row.node.as_str() == "b"));
}

async fn two_programs_of_one_name_do_not_watch_the_same(store: Store, _url: &str) {
    share(&store, request("a", 4, 0)).await;
    let twin = |seconds| ShareRequest { session: Uuid::nil(), ..request("a", 4, seconds) };
    let refused = store.share(&twin(3)).await.unwrap_err();
    assert!(
        matches!(refused, StoreError::NameTaken { .. }) && refused.to_string().contains("hint:"),
        "{refused}"
    );
    assert_eq!(share(&store, request("a", 4, 4)).await.held.len(), 4);
    // Killed and started again: it waits for the lease of its former life.
    assert!(store.share(&twin(15)).await.is_err());
    assert_eq!(share(&store, twin(16)).await.held, cameras(4));
}

async fn shares_follow_capacity(store: Store, _url: &str) {
    let of = |name: &str, capacity, seconds| ShareRequest { capacity, ..request(name, 10, seconds) };
    share(&store, of("small", 0.5, 0)).await;
    share(&store, of("large", 2.0, 0)).await;
    let small = share(&store, of("small", 0.5, 1)).await;
    assert_eq!(small.held.len() - small.give_back.len(), 2);
    share(&store, ShareRequest { released: small.give_back, ..of("small", 0.5, 1) }).await;
    assert_eq!(share(&store, of("large", 2.0, 1)).await.held.len(), 8);
}

async fn a_camera_that_left_the_file_goes_back(store: Store, _url: &str) {
    share(&store, request("a", 4, 0)).await;
    let fewer = share(&store, request("a", 3, 1)).await;
    assert_eq!(fewer.give_back, BTreeSet::from(["c003".parse().unwrap()]));
    let released = ShareRequest { released: fewer.give_back, ..request("a", 3, 2) };
    assert_eq!(share(&store, released).await.held, cameras(3));
}

async fn nodes_at_once_never_share_a_camera(_store: Store, url: &str) {
    let nodes: Vec<_> = (0..4)
        .map(|node| {
            let url = url.to_owned();
            tokio::spawn(async move {
                // Each with connections of its own, as in a process of its own.
                let store = Store::attach(&url).await.unwrap();
                let (mut held, mut back) = (BTreeSet::new(), BTreeSet::new());
                for second in 0..6 {
                    let ask = ShareRequest { released: back, ..request(&format!("n{node}"), 37, second) };
                    let shared = store.share(&ask).await.unwrap();
                    (held, back) = (shared.held, shared.give_back);
                }
                held.retain(|camera| !back.contains(camera));
                store.close().await;
                held
            })
        })
        .collect();
    let mut holders: BTreeMap<CameraId, u32> = BTreeMap::new();
    for node in nodes {
        for camera in node.await.unwrap() {
            *holders.entry(camera).or_default() += 1;
        }
    }
    assert!(holders.values().all(|holders| *holders == 1), "{holders:?}");
    // One more round gives out what was on its way between two.
    let store = Store::attach(url).await.unwrap();
    let mut all = 0;
    for round in 0..2 {
        all = 0;
        for node in 0..4 {
            let shared = share(&store, request(&format!("n{node}"), 37, 6 + round)).await;
            share(&store, ShareRequest { released: shared.give_back, ..request(&format!("n{node}"), 37, 6) })
                .await;
            all += shared.held.len();
        }
    }
    assert_eq!(all, 37);
    store.close().await;
}

async fn the_database_has_the_time(store: Store, _url: &str) {
    let by_database =
        |name, runs_for| ShareRequest { clock: LeaseClock::Database, runs_for, ..request(name, 3, 0) };
    // A lease of no length has run out by the next question.
    assert_eq!(share(&store, by_database("a", Duration::ZERO)).await.held.len(), 0);
    let b = share(&store, by_database("b", Duration::from_hours(1))).await;
    assert_eq!(b.held, cameras(3));
    let c = share(&store, by_database("c", Duration::from_hours(1))).await;
    let left = c.others_run_for.unwrap();
    assert!(
        c.held.is_empty() && left <= Duration::from_hours(1) && left > Duration::from_mins(59),
        "{left:?}"
    );
}

async fn open_incidents_are_found_by_camera(store: Store, _url: &str) {
    let record = |event| EventRecord { site: "harbour".parse().unwrap(), node: "n1".parse().unwrap(), event };
    let at_gate = |name: &str, sequence, camera: &str| {
        record(IncidentEvent { camera: camera.parse().unwrap(), ..event(name, sequence, 3) })
    };
    let records = [
        at_gate("goes-on", 0, "c000"),
        at_gate("goes-on", 1, "c000"),
        at_gate("over", 0, "c000"),
        at_gate("over", 2, "c000"),
        at_gate("elsewhere", 0, "c009"),
    ];
    store.apply_events(&records, at(0)).await.unwrap();
    let open = store.open_incidents_of(&cameras(2)).await.unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].node.as_str(), &open[0].event), ("n1", &records[1].event), "its latest event");
    assert!(store.open_incidents_of(&BTreeSet::new()).await.unwrap().is_empty());
    let ids = ["goes-on", "over", "never"].map(|name| IncidentId::derive(&[name]));
    let standing: BTreeMap<_, _> =
        store.standing_of(&ids).await.unwrap().into_iter().map(|(id, n, phase)| (id, (n, phase))).collect();
    assert_eq!(standing, BTreeMap::from([(ids[0], (1, Phase::Updated)), (ids[1], (2, Phase::Ended))]));
}

/// Three nodes ask, die and leave in any order, with any time in between: at no moment do two hold a camera, and
/// whatever happened, a node that asks on takes all that is left within a lease.
fn no_two_hold_one_camera(runtime: &tokio::runtime::Runtime, url: &str) {
    let store = runtime.block_on(Store::open(url)).unwrap();
    let steps = proptest::collection::vec((0..3_usize, 0..6_i64, 0..10_u8), 1..30);
    let config = Config { cases: 30, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let case = std::cell::Cell::new(0);
    runner
        .run(&steps, |steps| {
            case.set(case.get() + 1);
            let fleet: FleetId = format!("fleet{}", case.get()).parse().unwrap();
            runtime.block_on(async {
                let ask = |node: usize, released, now| ShareRequest {
                    fleet: fleet.clone(),
                    released,
                    ..request(&format!("n{node}"), 7, now)
                };
                // What each believes it may watch, and until when.
                let mut believes: [(BTreeSet<CameraId>, i64); 3] = Default::default();
                let mut back: [BTreeSet<CameraId>; 3] = Default::default();
                let mut now = 0;
                for (node, passed, what) in steps {
                    now += passed;
                    let request = ask(node, std::mem::take(&mut back[node]), now);
                    if what == 9 {
                        store.leave_share(&fleet, &request.node, request.session).await.unwrap();
                        believes[node] = Default::default();
                        continue;
                    }
                    let shared = store.share(&request).await.unwrap();
                    back[node] = if what == 8 { BTreeSet::new() } else { shared.give_back.clone() };
                    let watches = shared.held.difference(&back[node]).cloned().collect();
                    believes[node] = (watches, now + 12);
                    for (other, (watched, until)) in believes.iter().enumerate() {
                        let both: Vec<_> = watched.intersection(&believes[node].0).collect();
                        prop_assert!(other == node || *until <= now || both.is_empty(), "{both:?} at {now}");
                    }
                }
                let last = store.share(&ask(0, BTreeSet::new(), now + 12)).await.unwrap();
                prop_assert_eq!((last.held, last.others), (cameras(7), 0));
                Ok(())
            })
        })
        .unwrap();
    runtime.block_on(store.close());
}
