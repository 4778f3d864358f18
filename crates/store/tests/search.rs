//! A search means the same however it is done, and the tallies are what a count finds; on SQLite and on a real PostgreSQL.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "test helpers may fail the test and print")]

mod support;

use std::{collections::BTreeSet, future::Future};

use parapet_core::{IncidentId, IncidentKind, Label, Phase, Scope, Status};
use parapet_store::{
    EventRecord, IncidentQuery, IncidentRow, KindRow, MuteRow, StatusChange, Store,
    testing::{PostgresServer, TestServerError},
};
use support::{at, event};

/// More cameras than a search looks at one by one.
const CAMERAS: usize = 230;

fn on_both<F: Future<Output = ()>>(promise: impl Fn(Store) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let keeps = |url: String| {
        runtime.block_on(async {
            let store = Store::open(&url).await.unwrap();
            promise(store.clone()).await;
            store.close().await;
        });
    };
    let directory = tempfile::tempdir().unwrap();
    keeps(format!("sqlite://{}/store.db", directory.path().display()));
    match PostgresServer::shared() {
        Ok(server) => keeps(server.database().unwrap()),
        Err(TestServerError::NotInstalled) => println!("skipped: postgresql is not installed"),
        Err(error) => panic!("{error}"),
    }
}

fn record(n: usize) -> EventRecord {
    let mut event = event(&format!("s{n}"), 0, 2);
    event.kind = IncidentKind::ALL[n % 4];
    event.camera = format!("cam-{:03}", n % CAMERAS).parse().unwrap();
    event.zone = (!n.is_multiple_of(3)).then(|| format!("zone_{}", n % 7).parse().unwrap());
    event.label = (n % 5 > 1).then(|| Label::new(["Car", "dog", "100%"][n % 3]));
    event.started_at = at(i64::try_from(n % 100).unwrap() * 1_000_000);
    event.place = None;
    let site = ["east", "west", "harbour"][n % 3].parse().unwrap();
    EventRecord { site, node: format!("node-{}", n % 11).parse().unwrap(), event }
}

async fn fill(store: &Store) {
    let records: Vec<_> = (0..2 * CAMERAS).map(record).collect();
    for part in records.chunks(90) {
        store.apply_events(part, at(0)).await.unwrap();
    }
    let long = format!("very_{}_Long 琉璃瓦", "长".repeat(700));
    for n in (0..2 * CAMERAS).step_by(4) {
        let reason = match n % 5 {
            0 => "shadow: 树影晃动".to_owned(),
            1 => long.clone(),
            2 => format!("No. {n} was there before"),
            _ => "permitted".to_owned(),
        };
        judge(store, n, Status::Dismissed, Some(reason)).await;
    }
}

async fn judge(store: &Store, n: usize, to: Status, reason: Option<String>) {
    let change = StatusChange { to, operator: "li".to_owned(), reason, at: at(1) };
    store.set_status(IncidentId::derive(&[&format!("s{n}")]), &change).await.unwrap();
}

fn is_wanted(row: &IncidentRow, query: &IncidentQuery, kinds: &[KindRow]) -> bool {
    let kind = kinds.iter().find(|kind| kind.code == row.kind).unwrap();
    let texts = [
        Some(row.site.as_str()),
        Some(row.node.as_str()),
        Some(row.camera.as_str()),
        row.zone.as_ref().map(parapet_core::ZoneId::as_str),
        Some(row.rule.as_str()),
        row.label.as_deref(),
        row.reason.as_deref(),
        Some(kind.code.as_str()),
        Some(&kind.name_zh),
        Some(&kind.name_en),
    ];
    let words = query.text.as_deref().unwrap_or_default().to_lowercase();
    let in_scope = match &query.scope {
        Scope::All => true,
        Scope::Only { sites, cameras } => {
            sites.contains(&row.site)
                || cameras.iter().any(|(site, camera)| {
                    *camera == row.camera && site.as_ref().is_none_or(|site| *site == row.site)
                })
        }
    };
    in_scope
        && texts.into_iter().flatten().any(|text| text.to_lowercase().contains(&words))
        && query.status.is_none_or(|status| status == row.status)
        && query.site.as_ref().is_none_or(|site| *site == row.site)
        && query.from.is_none_or(|from| row.started_at >= from)
}

/// All pages of a list.
async fn listed(store: &Store, query: &IncidentQuery) -> Vec<IncidentRow> {
    let (mut query, mut rows) = (query.clone(), Vec::new());
    loop {
        let page = store.incidents(&query).await.unwrap();
        rows.extend(page.incidents);
        query.cursor = page.next;
        if query.cursor.is_none() {
            return rows;
        }
    }
}

#[test]
fn lists_of_many_looks_are_what_going_through_all_finds() {
    on_both(async |store| {
        fill(&store).await;
        let all = || IncidentQuery { limit: 150, ..IncidentQuery::default() };
        let everything = listed(&store, &all()).await;
        assert_eq!(everything.len(), 2 * CAMERAS);
        let kinds = store.kinds().await.unwrap();
        let site = |name: &str| name.parse().unwrap();
        let camera = |of: Option<&str>, n: usize| (of.map(site), format!("cam-{n:03}").parse().unwrap());
        let sites = |names: &[&str]| names.iter().map(|name| site(name)).collect::<BTreeSet<_>>();
        let scopes = [
            Scope::All,
            Scope::Only { sites: sites(&["east"]), cameras: BTreeSet::new() },
            Scope::Only { sites: sites(&["east", "west"]), cameras: BTreeSet::new() },
            // The same incidents by two ways are there once.
            Scope::Only {
                sites: sites(&["east"]),
                cameras: (0..20).map(|n| camera((n % 2 == 0).then_some("west"), n)).collect(),
            },
            Scope::Only { sites: BTreeSet::new(), cameras: (0..CAMERAS).map(|n| camera(None, n)).collect() },
            Scope::Only { sites: BTreeSet::new(), cameras: BTreeSet::new() },
        ];
        let words = [
            "",
            "cam-00",
            "CAM-1",
            "cam",
            "zone_3",
            "zonex",
            "car",
            "100%",
            "树",
            "树影",
            "no.",
            "琉璃瓦",
            "LONG",
            "长",
            "违建",
            "e-bike",
            "keep",
            "north",
            "node-1",
            "nowhere",
            "'; --",
        ];
        let mut found = 0;
        for scope in scopes {
            for text in words {
                for (status, place, from) in [
                    (None, None, None),
                    (Some(Status::Dismissed), None, None),
                    (Some(Status::New), Some(site("west")), Some(at(40_000_000))),
                ] {
                    let query = IncidentQuery {
                        text: Some(text.to_owned()),
                        scope: scope.clone(),
                        status,
                        site: place,
                        from,
                        ..all()
                    };
                    let expected: Vec<_> =
                        everything.iter().filter(|row| is_wanted(row, &query, &kinds)).collect();
                    let rows = listed(&store, &query).await;
                    assert_eq!(rows.iter().collect::<Vec<_>>(), expected, "{query:?}");
                    found += rows.len();
                }
            }
        }
        assert!(found > 5_000, "{found}");
    });
}

#[test]
fn tallies_are_what_a_count_of_all_finds() {
    on_both(async |store| {
        fill(&store).await;
        for n in [1, 2, 3, 5] {
            judge(&store, n, Status::Confirmed, None).await;
        }
        judge(&store, 4, Status::New, None).await;
        let rows = listed(&store, &IncidentQuery::default()).await;
        let row = rows.iter().find(|row| row.status == Status::New).unwrap();
        let mute = MuteRow {
            id: uuid::Uuid::from_u128(5),
            site: row.site.clone(),
            camera: row.camera.clone(),
            preset: None,
            kind: row.kind.clone(),
            zone: None,
            bbox: row.bbox,
            incident: row.id,
            at: at(0),
            until: at(9),
            by: "li".to_owned(),
            reason: None,
        };
        store.put_mute(&mute).await.unwrap();
        store.mute_incident(row.id, mute.id).await.unwrap();
        for n in 10..90 {
            let mut end = record(n);
            (end.event.phase, end.event.sequence, end.event.ended_at) =
                (Phase::Ended, 1, Some(at(900_000_000)));
            end.event.event_id = parapet_core::EventId::derive(&["end", &n.to_string()]);
            store.apply_event(&end, at(1)).await.unwrap();
            // Another sighting of one thing is none of its own.
            if n % 40 == 0 {
                same_thing_twice(&store, n).await;
            }
        }
        let scope = |sites: &[&str]| Scope::Only {
            sites: sites.iter().map(|site| site.parse().unwrap()).collect(),
            cameras: BTreeSet::new(),
        };
        let all = IncidentQuery::default;
        let mut counted = 0;
        for query in [
            all(),
            IncidentQuery { site: Some("east".parse().unwrap()), ..all() },
            IncidentQuery { kind: Some(IncidentKind::StrayDog.code()), ..all() },
            IncidentQuery { status: Some(Status::New), muted: Some(false), ..all() },
            IncidentQuery { muted: Some(true), ..all() },
            IncidentQuery { open: Some(true), scope: scope(&["east", "west"]), ..all() },
            IncidentQuery { open: Some(false), scope: scope(&["west"]), ..all() },
            IncidentQuery { scope: scope(&[]), ..all() },
        ] {
            let tallied = store.counts(&query).await.unwrap();
            // The tallies do not know times, so this one counts.
            let from = Some(at(-1_000_000_000));
            assert_eq!(
                tallied,
                store.counts(&IncidentQuery { from, ..query.clone() }).await.unwrap(),
                "{query:?}"
            );
            counted += tallied.iter().map(|count| count.count).sum::<u64>();
        }
        assert!(counted > 1_000, "{counted}");
    });
}

/// Two cameras tell of one thing.
async fn same_thing_twice(store: &Store, n: usize) {
    for camera in ["cam-000", "drone-1"] {
        let mut event = event(&format!("twice{n}{camera}"), 0, 2);
        event.camera = camera.parse().unwrap();
        let site = format!("site-{n}").parse().unwrap();
        store
            .apply_event(&EventRecord { site, node: "node-1".parse().unwrap(), event }, at(1))
            .await
            .unwrap();
    }
}
