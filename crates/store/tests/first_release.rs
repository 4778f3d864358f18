//! The first release's database, as it was written out then: today's program opens it and finds everything.

#![expect(clippy::unwrap_used, reason = "test helpers may fail the test")]

use parapet_core::{
    EvidenceRole, HealthState, Phase, Status,
    ledger::{Walk, Walked},
};
use parapet_store::{
    AuditQuery, Chain, IncidentQuery, Store,
    testing::{PostgresServer, TestServerError},
};

#[test]
fn sqlite_of_the_first_release_keeps_everything() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/kept.db", directory.path().display());
    runtime().block_on(async {
        let pool = sqlx::SqlitePool::connect(&format!("{url}?mode=rwc")).await.unwrap();
        sqlx::raw_sql(include_str!("kept/first-release-sqlite.sql")).execute(&pool).await.unwrap();
        pool.close().await;
        everything_is_there(&url).await;
    });
}

#[test]
fn postgresql_of_the_first_release_keeps_everything() {
    let server = match PostgresServer::start() {
        Ok(server) => server,
        Err(TestServerError::NotInstalled) => return println!("skipped: postgresql is not installed"),
        Err(error) => panic!("{error}"),
    };
    let url = server.database().unwrap();
    runtime().block_on(async {
        let pool = sqlx::PgPool::connect(&url).await.unwrap();
        sqlx::raw_sql(include_str!("kept/first-release-postgres.sql")).execute(&pool).await.unwrap();
        pool.close().await;
        everything_is_there(&url).await;
    });
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

async fn everything_is_there(url: &str) {
    for _ in 0..2 {
        let store = Store::open_existing(url).await.unwrap();
        incidents(&store).await;
        searches(&store).await;
        people_and_nodes(&store).await;
        for (chain, length) in [(Chain::Ledger, 9 + 6), (Chain::Audit, 2)] {
            let walked = walk(&store, chain).await;
            assert_eq!((walked.faults, walked.length), (vec![], length), "{chain:?}");
        }
        store.close().await;
    }
}

async fn incidents(store: &Store) {
    let rows = store.incidents(&IncidentQuery::default()).await.unwrap().incidents;
    let of: Vec<_> = rows.iter().map(|row| (row.kind.as_str(), row.camera.as_str(), row.status)).collect();
    assert_eq!(
        of,
        [
            ("rooftop_structure", "tower", Status::Confirmed),
            ("stray_dog", "yard-2", Status::Dismissed),
            ("misparked_ebike", "gate-north", Status::New),
        ]
    );
    assert_eq!(rows[1].reason.as_deref(), Some("permitted: 业主的导盲犬"));
    assert_eq!(
        (rows[1].judged_by.as_deref(), rows[0].zone.as_ref().unwrap().as_str()),
        (Some("li-wei"), "roof-3")
    );
    for row in rows {
        let detail = store.incident(row.id).await.unwrap().unwrap();
        let phases: Vec<_> = detail.events.iter().map(|stored| stored.event.phase).collect();
        assert_eq!(phases, [Phase::Started, Phase::Updated, Phase::Ended]);
        assert!(detail.events.iter().all(|stored| stored.event.incident_id == row.id));
        assert_eq!(detail.events[2].event.ended_at, row.ended_at);
        let roles = [EvidenceRole::Clip, EvidenceRole::Snapshot];
        assert_eq!(detail.evidence.iter().map(|file| file.item.role).collect::<Vec<_>>(), roles);
        assert!(detail.evidence.iter().all(|file| file.item.path.starts_with(row.camera.as_str())));
    }
}

async fn searches(store: &Store) {
    for (text, found) in
        [("导盲", 1), ("TOWER", 1), ("keep-clear", 3), ("bicycle", 1), ("违建", 1), ("nowhere", 0)]
    {
        let query = IncidentQuery { text: Some(text.to_owned()), ..IncidentQuery::default() };
        assert_eq!(store.incidents(&query).await.unwrap().incidents.len(), found, "{text}");
    }
    let counts = store.counts(&IncidentQuery::default()).await.unwrap();
    assert_eq!(counts.iter().map(|count| count.count).collect::<Vec<_>>(), [1, 1, 1]);
}

async fn people_and_nodes(store: &Store) {
    let deeds = store.audit(&AuditQuery { limit: 9, ..AuditQuery::default() }).await.unwrap();
    let of: Vec<_> =
        deeds.iter().map(|deed| (deed.actor.as_str(), deed.detail["to"].as_str().unwrap())).collect();
    assert_eq!(of, [("wang-fang", "confirmed"), ("li-wei", "dismissed")]);
    assert_eq!(deeds[1].detail["reason"], "permitted: 业主的导盲犬");
    let health = store.health(None, 9).await.unwrap();
    assert_eq!((health.len(), health[0].health.state), (1, HealthState::Offline));
    let cameras = store.cameras().await.unwrap();
    assert_eq!((cameras.len(), cameras[0].name.as_deref()), (1, Some("北门")));
    let nodes = store.nodes().await.unwrap();
    assert_eq!((nodes.len(), nodes[0].cameras.len(), nodes[0].online), (1, 3, true));
    assert_eq!(store.dead_letters(9).await.unwrap()[0].payload, b"no");
    assert!(store.kinds().await.unwrap().iter().any(|kind| kind.name_zh == "疑似楼顶违建"));
}

async fn walk(store: &Store, chain: Chain) -> Walked {
    let mut walk = Walk::new(chain.as_str(), &[], None);
    for (row, _) in store.chain_rows(chain, 0, 100).await.unwrap() {
        walk.step(&row);
    }
    for stray in store.strays(chain).await.unwrap() {
        walk.stray(stray);
    }
    let length = store.chain(chain).await.unwrap().length;
    walk.finish(Some(length))
}
