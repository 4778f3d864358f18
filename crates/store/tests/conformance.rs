//! What every store promises, checked on SQLite and on a real PostgreSQL that this test starts itself.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "test helpers may fail the test and print")]

mod support;

use std::{collections::HashSet, future::Future};

use parapet_core::{
    CameraHealth, EvidenceItem, EvidenceRole, HealthEvent, HealthState, IncidentEvent, IncidentId,
    IncidentKind, Phase, Point, Polygon, PrivateAreas, PrivateView, Status, Verdict,
    geo::{GeoPoint, Place, Position},
};
use parapet_store::{
    Applied, AuditEntry, AuditQuery, CameraRow, EventRecord, EvidenceRecord, HealthRecord, IncidentQuery,
    IncidentRow, NodeRow, StatusChange, Store, StoreError, VerdictQuery,
    testing::{PostgresServer, TestServerError},
};
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use support::{at, event};

fn record(event: IncidentEvent) -> EventRecord {
    EventRecord { site: "harbour".parse().unwrap(), node: "north-1".parse().unwrap(), event }
}

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
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut run = |name: &str, promise: &mut dyn FnMut(&tokio::runtime::Runtime, &str)| {
        println!("{name}");
        promise(&runtime, &database());
    };
    macro_rules! promises {
        ($($promise:ident),+ $(,)?) => {$(
            run(stringify!($promise), &mut |runtime, url| runtime.block_on(with_store(url, $promise)));
        )+};
    }
    promises!(
        an_event_is_stored_once,
        a_batch_answers_for_each_of_its_events,
        an_end_that_comes_first_is_not_undone,
        what_was_stored_is_read_back,
        intakes_at_once_lose_and_double_nothing,
        evidence_may_come_first_and_twice,
        health_is_stored_once,
        the_latest_state_of_cameras_and_nodes_counts,
        pages_show_each_incident_once_while_new_ones_come,
        queries_narrow,
        counts_add_up,
        a_verdict_is_given_once_and_put_on_record,
        of_two_operators_at_once_one_is_refused,
        events_do_not_touch_the_verdict,
        verdicts_make_a_labelled_set_without_what_is_new_or_withdrawn,
        evidence_is_told_for_many_incidents_at_once,
        the_catalogue_has_the_four_kinds_and_more,
        what_is_no_message_is_kept,
        a_batch_larger_than_a_statement_goes_in,
        one_thing_that_two_cameras_tell_of_is_one_incident,
    );
    run("order_and_repetition_do_not_matter", &mut order_and_repetition_do_not_matter);
    run("a_store_opened_again_has_everything", &mut |runtime, url| {
        runtime.block_on(a_store_opened_again_has_everything(url));
    });
}

async fn with_store<F: Future<Output = ()>>(url: &str, promise: impl FnOnce(Store) -> F) {
    let store = Store::open(url).await.unwrap();
    promise(store.clone()).await;
    store.close().await;
}

async fn apply(store: &Store, event: IncidentEvent) -> Applied {
    store.apply_event(&record(event), at(5_000_000)).await.unwrap()
}

async fn row(store: &Store, name: &str) -> IncidentRow {
    store.incident(IncidentId::derive(&[name])).await.unwrap().unwrap().incident
}

async fn an_event_is_stored_once(store: Store) {
    assert_eq!(apply(&store, event("a", 0, 3)).await, Applied::New);
    assert_eq!(apply(&store, event("a", 0, 3)).await, Applied::Duplicate);
    assert_eq!(store.incident(IncidentId::derive(&["a"])).await.unwrap().unwrap().events.len(), 1);
    assert!(store.incident(IncidentId::derive(&["never"])).await.unwrap().is_none());
}

async fn a_batch_answers_for_each_of_its_events(store: Store) {
    apply(&store, event("a", 1, 3)).await;
    let batch: Vec<EventRecord> =
        [event("a", 0, 3), event("a", 1, 3), event("b", 0, 2), event("a", 0, 3), event("a", 2, 3)]
            .map(record)
            .to_vec();
    let applied = store.apply_events(&batch, at(0)).await.unwrap();
    assert_eq!(applied, [Applied::New, Applied::Duplicate, Applied::New, Applied::Duplicate, Applied::New]);
    assert_eq!(row(&store, "a").await.phase, Phase::Ended);
    assert_eq!(row(&store, "b").await.phase, Phase::Started);
    assert_eq!(store.apply_events(&[], at(0)).await.unwrap(), []);
}

async fn an_end_that_comes_first_is_not_undone(store: Store) {
    apply(&store, event("a", 4, 5)).await;
    let ended = row(&store, "a").await;
    assert_eq!((ended.phase, ended.started_at, ended.ended_at), (Phase::Ended, at(0), Some(at(3_500_012))));
    apply(&store, event("a", 0, 5)).await;
    apply(&store, event("a", 2, 5)).await;
    assert_eq!(row(&store, "a").await, ended);
}

async fn what_was_stored_is_read_back(store: Store) {
    for sequence in [0, 3, 1, 4, 2] {
        apply(&store, event("a", sequence, 5)).await;
    }
    let detail = store.incident(IncidentId::derive(&["a"])).await.unwrap().unwrap();
    let events: Vec<_> = detail.events.iter().map(|stored| stored.event.clone()).collect();
    assert_eq!(events, (0..5).map(|sequence| event("a", sequence, 5)).collect::<Vec<_>>());
    assert!(detail.events.iter().all(|stored| stored.received_at == at(5_000_000)));
    let (incident, last) = (detail.incident, event("a", 4, 5));
    assert_eq!(incident.kind, last.kind.code());
    assert_eq!((incident.camera, incident.preset, incident.zone), (last.camera, last.preset, last.zone));
    assert_eq!((incident.bbox, incident.outline), (last.bbox, last.outline));
    assert_eq!((incident.score, incident.covered, incident.count), (last.score, last.covered, last.count));
    assert_eq!((incident.track, incident.run, incident.severity), (last.track, last.run, last.severity));
    assert_eq!((incident.since, incident.updated_at), (last.since, last.at));
    assert_eq!((incident.place, incident.same_as), (last.place, None));
    assert_eq!((incident.status, incident.judged_by), (Status::New, None));
}

async fn intakes_at_once_lose_and_double_nothing(store: Store) {
    let all: Vec<EventRecord> =
        (0..60).flat_map(|n| (0..4).map(move |s| record(event(&format!("i{n}"), s, 4)))).collect();
    let intakes: Vec<_> = (0..4_usize)
        .map(|worker| {
            let (store, mut mine) = (store.clone(), all.clone());
            // Each has everything, in another order.
            mine.rotate_left(worker * 57);
            if worker % 2 == 1 {
                mine.reverse();
            }
            tokio::spawn(async move {
                let mut new = 0;
                for part in mine.chunks(17) {
                    let applied = store.apply_events(part, at(0)).await.unwrap();
                    new += applied.iter().filter(|applied| **applied == Applied::New).count();
                }
                new
            })
        })
        .collect();
    let mut new = 0;
    for intake in intakes {
        new += intake.await.unwrap();
    }
    assert_eq!(new, all.len());
    let ended: u64 = store.counts(&IncidentQuery::default()).await.unwrap().iter().map(|c| c.count).sum();
    assert_eq!(ended, 60);
}

async fn evidence_may_come_first_and_twice(store: Store) {
    let item = |role, path: &str| EvidenceItem {
        role,
        path: path.to_owned(),
        media_type: "image/jpeg".to_owned(),
        bytes: 5_000_000_000,
        sha256: "ab".repeat(32),
    };
    let evidence = |items| EvidenceRecord {
        site: "harbour".parse().unwrap(),
        node: "north-1".parse().unwrap(),
        camera: "gate-north".parse().unwrap(),
        incident: IncidentId::derive(&["a"]),
        at: at(7),
        items,
        base_url: Some("http://192.0.2.7/evidence/".to_owned()),
    };
    let first = evidence(vec![item(EvidenceRole::Snapshot, "a/snapshot.jpg")]);
    assert_eq!(store.apply_evidence(&first, at(9)).await.unwrap(), Applied::New);
    assert_eq!(store.apply_evidence(&first, at(10)).await.unwrap(), Applied::Duplicate);
    apply(&store, event("a", 0, 2)).await;
    let more = evidence(vec![
        item(EvidenceRole::Snapshot, "a/snapshot.jpg"),
        item(EvidenceRole::Clip, "a/clip.mp4"),
    ]);
    assert_eq!(store.apply_evidence(&more, at(11)).await.unwrap(), Applied::New);
    assert_eq!(store.apply_evidence(&evidence(vec![]), at(11)).await.unwrap(), Applied::Duplicate);
    let stored = store.incident(IncidentId::derive(&["a"])).await.unwrap().unwrap().evidence;
    let mut items: Vec<_> = stored.iter().map(|stored| stored.item.clone()).collect();
    items.sort_by_key(|item| item.role);
    assert_eq!(items, more.items);
    assert!(stored.iter().all(|stored| stored.at == at(7) && stored.base_url == more.base_url));
}

async fn health_is_stored_once(store: Store) {
    let health = |camera: &str, micros| HealthRecord {
        site: "harbour".parse().unwrap(),
        node: "north-1".parse().unwrap(),
        health: CameraHealth {
            camera: camera.parse().unwrap(),
            state: HealthState::Offline,
            event: HealthEvent::Silent,
            at: at(micros),
            run: None,
            reconnects: i64::MAX as u64,
            detail: Some("no frame for 5 s".to_owned()),
        },
    };
    let mut absurd = health("absurd", 0);
    absurd.health.reconnects = u64::MAX;
    store.apply_health(&absurd, at(9)).await.unwrap();
    let read = store.health(Some(&"absurd".parse().unwrap()), 1).await.unwrap();
    assert_eq!(read[0].health.reconnects, i64::MAX as u64, "one wrong number makes nothing unreadable");
    assert_eq!(store.apply_health(&health("a", 1), at(9)).await.unwrap(), Applied::New);
    assert_eq!(store.apply_health(&health("a", 1), at(9)).await.unwrap(), Applied::Duplicate);
    store.apply_health(&health("a", 3), at(9)).await.unwrap();
    store.apply_health(&health("b", 2), at(9)).await.unwrap();
    assert_eq!(store.health(None, 3).await.unwrap(), [health("a", 3), health("b", 2), health("a", 1)]);
    assert_eq!(store.health(Some(&"a".parse().unwrap()), 1).await.unwrap(), [health("a", 3)]);
}

async fn the_latest_state_of_cameras_and_nodes_counts(store: Store) {
    let camera = |name: &str, state, removed| CameraRow {
        site: "harbour".parse().unwrap(),
        node: "north-1".parse().unwrap(),
        camera: name.parse().unwrap(),
        name: Some("北门".to_owned()),
        state,
        at: at(1),
        run: None,
        reconnects: 0,
        detail: None,
        analysed_fps: Some(4.9),
        width: Some(1280),
        height: None,
        synthetic: true,
        removed,
        private: PrivateAreas::default(),
    };
    store.put_camera(&camera("b", HealthState::Connecting, false)).await.unwrap();
    store.put_camera(&camera("a", HealthState::Connecting, false)).await.unwrap();
    store.put_camera(&camera("b", HealthState::Streaming, false)).await.unwrap();
    let cameras = store.cameras().await.unwrap();
    assert_eq!(
        cameras,
        [camera("a", HealthState::Connecting, false), camera("b", HealthState::Streaming, false)]
    );
    let window =
        Polygon::new(vec![Point::new(0.1, 0.2), Point::new(0.3, 0.2), Point::new(0.3, 0.4)]).unwrap();
    let private = PrivateAreas::new(vec![
        PrivateView { preset: Some("roof".parse().unwrap()), areas: vec![window] },
        PrivateView { preset: Some("gate".parse().unwrap()), areas: vec![] },
    ]);
    let mut gone = CameraRow { private, ..camera("a", HealthState::Disabled, true) };
    gone.at = at(2);
    store.put_camera(&gone).await.unwrap();
    assert_eq!(store.cameras().await.unwrap().len(), 1);
    let all = store.all_cameras().await.unwrap();
    assert_eq!(all, [camera("b", HealthState::Streaming, false), gone], "what was private stays known");

    let node = |online| NodeRow {
        site: "harbour".parse().unwrap(),
        node: "north-1".parse().unwrap(),
        online,
        at: at(1),
        started_at: at(0),
        version: "0.1.0".to_owned(),
        base_url: None,
        cameras: vec!["a".parse().unwrap(), "b".parse().unwrap()],
    };
    store.put_node(&node(true)).await.unwrap();
    store.put_node(&node(false)).await.unwrap();
    assert_eq!(store.nodes().await.unwrap(), [node(false)]);
}

async fn pages_show_each_incident_once_while_new_ones_come(store: Store) {
    // Many share a start, so that the id has to decide.
    let many: Vec<_> = (0..53)
        .map(|n| {
            let mut event = event(&format!("p{n}"), 0, 2);
            event.started_at = at(i64::from(n / 10));
            record(event)
        })
        .collect();
    store.apply_events(&many, at(0)).await.unwrap();
    let mut query = IncidentQuery { limit: 7, ..IncidentQuery::default() };
    let mut seen = Vec::new();
    loop {
        let page = store.incidents(&query).await.unwrap();
        assert!(page.incidents.len() <= 7);
        seen.extend(page.incidents);
        let mut newer = event(&format!("newer{}", seen.len()), 0, 2);
        newer.started_at = at(1_000);
        apply(&store, newer).await;
        match page.next {
            Some(next) => query.cursor = Some(next.to_string().parse().unwrap()),
            None => break,
        }
    }
    let ids: HashSet<_> = seen.iter().map(|incident| incident.id).collect();
    assert_eq!((seen.len(), ids.len()), (53, 53));
    assert!(seen.windows(2).all(|pair| (pair[0].started_at, pair[0].id) > (pair[1].started_at, pair[1].id)));
}

async fn queries_narrow(store: Store) {
    let make = |name: &str, kind, camera: &str, start| {
        let mut event = event(name, 0, 2);
        (event.kind, event.camera, event.started_at) = (kind, camera.parse().unwrap(), at(start));
        record(event)
    };
    let records = [
        make("dog", IncidentKind::StrayDog, "gate_north", 10),
        make("bike", IncidentKind::MisparkedEbike, "gatexnorth", 20),
        make("roof", IncidentKind::RooftopStructure, "tower", 30),
    ];
    store.apply_events(&records, at(0)).await.unwrap();
    let mut end = event("roof", 1, 2);
    (end.kind, end.camera, end.started_at) =
        (IncidentKind::RooftopStructure, "tower".parse().unwrap(), at(30));
    apply(&store, end).await;
    let all = IncidentQuery::default;
    let text = |text: &str| IncidentQuery { text: Some(text.to_owned()), ..all() };
    let cases: Vec<(IncidentQuery, &[&str])> = vec![
        (all(), &["roof", "bike", "dog"]),
        (IncidentQuery { kind: Some(IncidentKind::StrayDog.code()), ..all() }, &["dog"]),
        (IncidentQuery { camera: Some("tower".parse().unwrap()), ..all() }, &["roof"]),
        (IncidentQuery { site: Some("harbour".parse().unwrap()), ..all() }, &["roof", "bike", "dog"]),
        (IncidentQuery { node: Some("elsewhere".parse().unwrap()), ..all() }, &[]),
        (IncidentQuery { open: Some(true), ..all() }, &["bike", "dog"]),
        (IncidentQuery { open: Some(false), ..all() }, &["roof"]),
        (IncidentQuery { from: Some(at(20)), ..all() }, &["roof", "bike"]),
        (IncidentQuery { from: Some(at(10)), to: Some(at(20)), ..all() }, &["dog"]),
        (IncidentQuery { status: Some(Status::Confirmed), ..all() }, &[]),
        (text("gate_n"), &["dog"]),
        (text("TOWER"), &["roof"]),
        (text("流浪"), &["dog"]),
        (text("e-bike"), &["bike"]),
        (text("100%"), &[]),
        (text("it's \\ \"quoted\"; --"), &[]),
        (text(&IncidentId::derive(&["bike"]).to_string()), &["bike"]),
        (text("  "), &["roof", "bike", "dog"]),
    ];
    for (query, expected) in cases {
        let found: Vec<_> = store.incidents(&query).await.unwrap().incidents.iter().map(|i| i.id).collect();
        let expected: Vec<_> = expected.iter().map(|name| IncidentId::derive(&[name])).collect();
        assert_eq!(found, expected, "{query:?}");
    }
}

async fn counts_add_up(store: Store) {
    let records: Vec<_> = (0..5).map(|n| record(event(&format!("x{n}"), 0, 2))).collect();
    store.apply_events(&records, at(0)).await.unwrap();
    apply(&store, event("x0", 1, 2)).await;
    let change = StatusChange { to: Status::Confirmed, operator: "li".to_owned(), reason: None, at: at(1) };
    store.set_status(IncidentId::derive(&["x1"]), &change).await.unwrap();
    let counts = store.counts(&IncidentQuery { limit: 1, ..IncidentQuery::default() }).await.unwrap();
    let of = |status, open| {
        counts.iter().filter(|c| (c.status, c.open) == (status, open)).map(|c| c.count).sum::<u64>()
    };
    assert_eq!(of(Status::New, true), 3);
    assert_eq!(of(Status::New, false), 1);
    assert_eq!(of(Status::Confirmed, true), 1);
    let kind = event("x0", 0, 2).kind.code();
    assert!(counts.iter().all(|c| c.kind == kind));
}

async fn a_verdict_is_given_once_and_put_on_record(store: Store) {
    apply(&store, event("a", 0, 2)).await;
    let id = IncidentId::derive(&["a"]);
    let change = |to, reason: Option<&str>| StatusChange {
        to,
        operator: "li-wei".to_owned(),
        reason: reason.map(str::to_owned),
        at: at(77),
    };
    let row = store.set_status(id, &change(Status::Dismissed, Some("阴影 shadow"))).await.unwrap();
    assert_eq!(
        (row.status, row.judged_by.as_deref(), row.judged_at),
        (Status::Dismissed, Some("li-wei"), Some(at(77)))
    );
    let again = store.set_status(id, &change(Status::Dismissed, None)).await.unwrap_err();
    assert!(
        matches!(again, StoreError::Transition { from: Status::Dismissed, to: Status::Dismissed, .. }),
        "{again}"
    );
    let too_far = store.set_status(id, &change(Status::Closed, None)).await.unwrap_err();
    assert!(matches!(too_far, StoreError::Transition { .. }));
    store.set_status(id, &change(Status::New, Some("looked again"))).await.unwrap();
    let nobody = StatusChange { operator: " ".to_owned(), ..change(Status::Confirmed, None) };
    assert!(matches!(store.set_status(id, &nobody).await.unwrap_err(), StoreError::NoOperator));
    let nothing = store.set_status(IncidentId::derive(&["no"]), &change(Status::Confirmed, None)).await;
    assert!(matches!(nothing.unwrap_err(), StoreError::NoIncident(_)));

    let (subject_kind, subject_id) = (Some("incident".to_owned()), Some(id.to_string()));
    let audit = store
        .audit(&AuditQuery { subject_kind, subject_id, limit: 10, ..AuditQuery::default() })
        .await
        .unwrap();
    assert_eq!(audit.len(), 2, "what was refused is not on record: {audit:?}");
    assert_eq!(
        audit[1].detail,
        serde_json::json!({"from": "new", "to": "dismissed", "reason": "阴影 shadow"})
    );
    assert_eq!((audit[0].actor.as_str(), audit[0].at), ("li-wei", at(77)));
    let entry = AuditEntry {
        at: at(80),
        actor: "admin".to_owned(),
        action: "camera.add".to_owned(),
        subject_kind: "camera".to_owned(),
        subject_id: "gate-north".to_owned(),
        detail: serde_json::json!({"why": 1}),
    };
    store.record_audit(&entry).await.unwrap();
    let all = store.audit(&AuditQuery { limit: 2, ..AuditQuery::default() }).await.unwrap();
    assert_eq!((all.len(), all[0].action.as_str()), (2, "camera.add"));
    let older = store
        .audit(&AuditQuery { before: Some(all[1].id), limit: 9, ..AuditQuery::default() })
        .await
        .unwrap();
    assert_eq!(older.len(), 1);
}

async fn of_two_operators_at_once_one_is_refused(store: Store) {
    for n in 0..10 {
        let name = format!("race{n}");
        apply(&store, event(&name, 0, 2)).await;
        let id = IncidentId::derive(&[&name]);
        let judge = |operator: &str, to| {
            let (store, operator) = (store.clone(), operator.to_owned());
            tokio::spawn(async move {
                store.set_status(id, &StatusChange { to, operator, reason: None, at: at(1) }).await
            })
        };
        let (a, b) = (judge("a", Status::Confirmed), judge("b", Status::Dismissed));
        let (a, b) = (a.await.unwrap(), b.await.unwrap());
        assert_ne!(a.is_ok(), b.is_ok(), "{a:?} {b:?}");
        assert!(matches!(a.and(b).unwrap_err(), StoreError::Transition { .. }));
        let (subject_kind, subject_id) = (Some("incident".to_owned()), Some(id.to_string()));
        assert_eq!(
            store
                .audit(&AuditQuery { subject_kind, subject_id, limit: 9, ..AuditQuery::default() })
                .await
                .unwrap()
                .len(),
            1
        );
    }
}

async fn events_do_not_touch_the_verdict(store: Store) {
    apply(&store, event("a", 0, 3)).await;
    let change = StatusChange { to: Status::Confirmed, operator: "li".to_owned(), reason: None, at: at(1) };
    store.set_status(IncidentId::derive(&["a"]), &change).await.unwrap();
    apply(&store, event("a", 2, 3)).await;
    let row = row(&store, "a").await;
    assert_eq!(
        (row.phase, row.status, row.judged_by.as_deref()),
        (Phase::Ended, Status::Confirmed, Some("li"))
    );
}

async fn judge(store: &Store, name: &str, to: Status, reason: Option<&str>) {
    let change =
        StatusChange { to, operator: "li-wei".to_owned(), reason: reason.map(str::to_owned), at: at(77) };
    store.set_status(IncidentId::derive(&[name]), &change).await.unwrap();
}

async fn verdicts_make_a_labelled_set_without_what_is_new_or_withdrawn(store: Store) {
    let reasons = [Some("permitted: guide dog"), Some("duplicate"), Some("阴影: shadow"), None];
    for n in 0..23_u32 {
        let name = format!("v{n}");
        let mut event = event(&name, 0, 2);
        // Many share a start, so that the id has to decide.
        event.started_at = at(i64::from(n / 6) * 10);
        event.camera = if n.is_multiple_of(2) { "gate" } else { "tower" }.parse().unwrap();
        apply(&store, event).await;
        match n % 4 {
            0 => {}
            1 => judge(&store, &name, Status::Confirmed, Some("seen: by the guard")).await,
            2 => judge(&store, &name, Status::Dismissed, reasons[(n / 4 % 4) as usize]).await,
            _ => {
                judge(&store, &name, Status::Dismissed, None).await;
                judge(&store, &name, Status::New, Some("a mistake")).await;
            }
        }
    }
    let mut query = VerdictQuery { limit: 5, names: true, ..VerdictQuery::default() };
    let mut seen = Vec::new();
    loop {
        let page = store.verdicts(&query).await.unwrap();
        assert!(page.verdicts.len() <= 5);
        seen.extend(page.verdicts);
        match page.next {
            Some(next) => query.cursor = Some(next.to_string().parse().unwrap()),
            None => break,
        }
    }
    let mut expected: Vec<_> = (0..23)
        .filter(|n| matches!(n % 4, 1 | 2))
        .map(|n| (at(n / 6 * 10), IncidentId::derive(&[&format!("v{n}")])))
        .collect();
    expected.sort_unstable();
    let places: Vec<_> = seen.iter().map(|judged| (judged.started_at, judged.incident)).collect();
    assert_eq!(places, expected);

    let of = |n: usize| {
        let id = IncidentId::derive(&[&format!("v{n}")]);
        let judged = seen.iter().find(|judged| judged.incident == id).unwrap();
        (judged.verdict, judged.reason.as_deref(), judged.note.as_deref())
    };
    assert_eq!(of(1), (Verdict::Confirmed, None, Some("seen: by the guard")));
    assert_eq!(of(2), (Verdict::Dismissed, Some("permitted"), Some("guide dog")));
    assert_eq!(of(6), (Verdict::Dismissed, Some("duplicate"), None));
    assert_eq!(of(10), (Verdict::Dismissed, None, Some("阴影: shadow")), "no code of a reason");
    assert_eq!(of(14), (Verdict::Dismissed, None, None));
    let first = &seen[0];
    assert_eq!((first.judged_at, first.judged_by.as_deref()), (at(77), Some("li-wei")));
    let row = store.incident(first.incident).await.unwrap().unwrap().incident;
    assert_eq!((first.bbox, first.score, &first.rule), (row.bbox, row.score, &row.rule));

    let all = VerdictQuery::default;
    let anonymous = store.verdicts(&all()).await.unwrap();
    assert_eq!((anonymous.verdicts.len(), anonymous.next), (12, None));
    assert!(anonymous.verdicts.iter().all(|judged| judged.judged_by.is_none() && judged.note.is_none()));
    let narrowed: [(VerdictQuery, usize); 5] = [
        (VerdictQuery { camera: Some("gate".parse().unwrap()), ..all() }, 6),
        (VerdictQuery { site: Some("elsewhere".parse().unwrap()), ..all() }, 0),
        (VerdictQuery { from: Some(at(10)), ..all() }, 9),
        (VerdictQuery { from: Some(at(10)), to: Some(at(20)), ..all() }, 3),
        (VerdictQuery { limit: 12, ..all() }, 12),
    ];
    for (query, expected) in narrowed {
        let page = store.verdicts(&query).await.unwrap();
        assert_eq!((page.verdicts.len(), page.next), (expected, None), "{query:?}");
    }
}

async fn evidence_is_told_for_many_incidents_at_once(store: Store) {
    let item = |role, path: &str| EvidenceItem {
        role,
        path: path.to_owned(),
        media_type: "image/jpeg".to_owned(),
        bytes: 5,
        sha256: "ab".repeat(32),
    };
    for (name, items) in [
        ("a", vec![item(EvidenceRole::Clip, "clip.mp4"), item(EvidenceRole::Snapshot, "s.jpg")]),
        ("b", vec![item(EvidenceRole::Snapshot, "1.jpg"), item(EvidenceRole::Snapshot, "2.jpg")]),
        ("c", vec![item(EvidenceRole::Before, "b.jpg")]),
    ] {
        let record = EvidenceRecord {
            site: "harbour".parse().unwrap(),
            node: "north-1".parse().unwrap(),
            camera: "gate-north".parse().unwrap(),
            incident: IncidentId::derive(&[name]),
            at: at(7),
            items,
            base_url: None,
        };
        store.apply_evidence(&record, at(9)).await.unwrap();
    }
    let ids = ["a", "b", "none"].map(|name| IncidentId::derive(&[name]));
    let roles = store.evidence_roles(&ids).await.unwrap();
    assert_eq!(roles.len(), 2);
    assert_eq!(roles[&ids[0]], [EvidenceRole::Snapshot, EvidenceRole::Clip]);
    assert_eq!(roles[&ids[1]], [EvidenceRole::Snapshot]);
    assert!(store.evidence_roles(&[]).await.unwrap().is_empty());
}

async fn the_catalogue_has_the_four_kinds_and_more(store: Store) {
    let kinds = store.kinds().await.unwrap();
    for kind in IncidentKind::ALL {
        let row = kinds.iter().find(|row| row.code == kind.code()).unwrap();
        assert_eq!(row.name_zh, kind.name(parapet_core::Language::ZhCn));
        assert_eq!(row.name_en, kind.name(parapet_core::Language::En));
        assert!(row.deadline_amount > 0 && row.enabled);
    }
    assert_eq!(kinds.len(), 10);
}

async fn what_is_no_message_is_kept(store: Store) {
    store.dead_letter("parapet/v1/a/b/incidents/c", &[0, 159, 146, 150], "not JSON", at(3)).await.unwrap();
    store.dead_letter("parapet/v1/a/b/incidents/c", b"{}", "no schema \0", at(4)).await.unwrap();
    let letters = store.dead_letters(9).await.unwrap();
    assert_eq!(letters.len(), 2);
    assert_eq!(
        (letters[1].payload.as_slice(), letters[1].received_at),
        ([0, 159, 146, 150].as_slice(), at(3))
    );
    store.ping().await.unwrap();
}

async fn a_batch_larger_than_a_statement_goes_in(store: Store) {
    let records: Vec<_> = (0..2_345).map(|n| record(event(&format!("bulk{n}"), 0, 2))).collect();
    let applied = store.apply_events(&records, at(0)).await.unwrap();
    assert!(applied.iter().all(|applied| *applied == Applied::New));
    let counted: u64 = store.counts(&IncidentQuery::default()).await.unwrap().iter().map(|c| c.count).sum();
    assert_eq!(counted, 2_345);
}

/// Any order, any repetition, any cutting into batches: the row and the events are the same.
fn order_and_repetition_do_not_matter(runtime: &tokio::runtime::Runtime, url: &str) {
    let store = runtime.block_on(Store::open(url)).unwrap();
    let lives = (1_u32..7, any::<u64>()).prop_flat_map(|(length, salt)| {
        let arrivals = proptest::collection::vec(0..length, 0..10).prop_map(move |mut extra| {
            extra.extend(0..length); // each at least once
            extra
        });
        (Just(length), Just(salt), arrivals.prop_shuffle(), proptest::collection::vec(1..4_usize, 20))
    });
    let config = Config { cases: 40, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let cases = std::cell::Cell::new(0);
    runner
        .run(&lives, |(length, salt, arrivals, cuts)| {
            let case = cases.get();
            cases.set(case + 1);
            let (straight, mixed) = (format!("s{salt}-{case}"), format!("m{salt}-{case}"));
            let (in_order, shuffled) = runtime.block_on(async {
                for sequence in 0..length {
                    apply(&store, event(&straight, sequence, length)).await;
                }
                let mut rest = arrivals.as_slice();
                for cut in cuts {
                    let (now, later) = rest.split_at(cut.min(rest.len()));
                    let batch: Vec<_> = now.iter().map(|s| record(event(&mixed, *s, length))).collect();
                    store.apply_events(&batch, at(5_000_000)).await.unwrap();
                    rest = later;
                }
                assert!(rest.is_empty(), "the cuts cover all arrivals");
                let detail =
                    async |name: &str| store.incident(IncidentId::derive(&[name])).await.unwrap().unwrap();
                (detail(&straight).await, detail(&mixed).await)
            });
            // Only the names differ.
            let mut same = shuffled.incident.clone();
            (same.id, same.run, same.kind) =
                (in_order.incident.id, in_order.incident.run, in_order.incident.kind.clone());
            prop_assert_eq!(same, in_order.incident);
            let sequences: Vec<_> = shuffled.events.iter().map(|stored| stored.event.sequence).collect();
            prop_assert_eq!(sequences, (0..length).collect::<Vec<_>>());
            Ok(())
        })
        .unwrap();
    runtime.block_on(store.close());
}

async fn a_store_opened_again_has_everything(url: &str) {
    let store = Store::open(url).await.unwrap();
    apply(&store, event("a", 0, 2)).await;
    let before = row(&store, "a").await;
    store.close().await;
    let store = Store::open(url).await.unwrap();
    assert_eq!(row(&store, "a").await, before);
    store.close().await;
}

#[tokio::test]
async fn an_address_of_something_else_is_refused_with_a_hint() {
    let error = Store::open("mysql://root@localhost/x").await.unwrap_err();
    assert!(error.to_string().contains("hint:"), "{error}");
    let nowhere = Store::open("sqlite:///nonexistent-directory/x.db").await.unwrap_err();
    assert!(matches!(nowhere, StoreError::Open { .. }), "{nowhere}");
    let directory = tempfile::tempdir().unwrap();
    let absent = directory.path().join("x.db");
    let missing = Store::open_existing(&format!("sqlite://{}", absent.display())).await.unwrap_err();
    assert!(matches!(missing, StoreError::Open { .. }) && !absent.exists(), "{missing}");
    let refused = Store::open("postgres://u:secret@127.0.0.1:1/x").await.unwrap_err();
    assert!(!format!("{refused} {refused:?}").contains("secret"), "{refused:?}");
}

/// A document that an earlier program wrote; must be readable for ever.
#[tokio::test]
async fn an_event_of_version_1_is_still_readable() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/kept.db", directory.path().display());
    let store = Store::open(&url).await.unwrap();
    apply(&store, event("kept", 0, 2)).await;
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kept/event-v1.json");
    if std::env::var_os("PARAPET_UPDATE").is_some() && !path.exists() {
        std::fs::write(&path, serde_json::to_string_pretty(&event("kept", 4, 5)).unwrap() + "\n").unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    sqlx::query("UPDATE incident_events SET document = $1, version = 1")
        .bind(kept)
        .execute(&pool)
        .await
        .unwrap();
    let detail = store.incident(IncidentId::derive(&["kept"])).await.unwrap().unwrap();
    let before_places = IncidentEvent { place: None, ..event("kept", 4, 5) };
    assert_eq!(detail.events[0].event, before_places);
    sqlx::query("UPDATE incident_events SET version = 99").execute(&pool).await.unwrap();
    let newer = store.incident(IncidentId::derive(&["kept"])).await.unwrap_err();
    assert!(matches!(newer, StoreError::Unreadable { column: "version", .. }), "{newer}");
}

async fn one_thing_that_two_cameras_tell_of_is_one_incident(store: Store) {
    let seen = |name: &str, camera: &str, sequence, north_meters: f64| {
        let mut event = event(name, sequence, 3);
        event.kind = IncidentKind::MisparkedEbike;
        event.camera = camera.parse().unwrap();
        event.place = Some(Place {
            position: Position {
                point: GeoPoint::new(30.53 + north_meters / 110_850.0, 120.68).unwrap(),
                uncertainty_meters: 0.5,
            },
            building: None,
            area_square_meters: None,
        });
        event
    };
    apply(&store, seen("fixed", "gate-north", 0, 0.0)).await;
    // In one batch: the same bike from the air, and another one ten metres on.
    let batch = [
        seen("drone", "drone-1", 0, 1.0),
        seen("other", "drone-1", 0, 10.0),
        seen("drone", "drone-1", 1, 1.0),
    ];
    store.apply_events(&batch.map(record), at(0)).await.unwrap();
    // From the same camera it is another thing, and what is told again changes nothing.
    apply(&store, seen("again", "gate-north", 0, 0.5)).await;
    apply(&store, seen("drone", "drone-1", 0, 1.0)).await;
    let fixed = IncidentId::derive(&["fixed"]);
    let mut listed: Vec<_> = ids(&store.incidents(&IncidentQuery::default()).await.unwrap().incidents);
    listed.sort();
    let mut expected = ["fixed", "other", "again"].map(|name| IncidentId::derive(&[name])).to_vec();
    expected.sort();
    assert_eq!(listed, expected);
    let all = IncidentQuery { sightings: true, ..IncidentQuery::default() };
    assert_eq!(store.incidents(&all).await.unwrap().incidents.len(), 4);
    let detail = store.incident(fixed).await.unwrap().unwrap();
    assert_eq!(ids(&detail.sightings), [IncidentId::derive(&["drone"])]);
    assert_eq!(detail.sightings[0].sequence, 1, "a sighting goes on by itself");
    assert_eq!(row(&store, "drone").await.same_as, Some(fixed));
    assert_eq!(detail.incident.same_as, None);
}

fn ids(rows: &[IncidentRow]) -> Vec<IncidentId> {
    rows.iter().map(|row| row.id).collect()
}
