//! Holds, open cases and deletions by two people, on SQLite and on a real PostgreSQL.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "test helpers may fail the test and print")]

mod support;

use std::{collections::BTreeSet, future::Future};

use jiff::{civil::time as clock_time, tz::TimeZone};
use parapet_core::{
    Allowance, CaseId, DeadlineUnit, EvidenceItem, EvidenceRole, Grant, IncidentId, OfficeHours, Role, Scope,
    WorkCalendar,
    case::{CaseAction, CaseRules, Deed, Report, StepAllowances},
};
use parapet_store::{
    AuditQuery, CaseExtra, DeletionRow, EventRecord, EvidenceRecord, HoldRow, HoldSubject, Store, StoreError,
    testing::{PostgresServer, TestServerError},
};
use support::{at, event};
use uuid::Uuid;

/// Runs a promise on an empty store of each kind.
fn on_both<F: Future<Output = ()>>(promise: impl Fn(Store) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let run = |url: String| {
        runtime.block_on(async {
            let store = Store::open(&url).await.unwrap();
            promise(store.clone()).await;
            store.close().await;
        });
    };
    run(format!("sqlite://{}/x.db?mode=rwc", directory.path().display()));
    match PostgresServer::shared() {
        Ok(server) => run(server.database().unwrap()),
        Err(TestServerError::NotInstalled) => println!("skipped: postgresql is not installed"),
        Err(error) => panic!("{error}"),
    }
}

/// An incident with files of these contents.
async fn incident(store: &Store, name: &str, files: &[u8]) -> IncidentId {
    let (site, node) = ("harbour".parse().unwrap(), "north-1".parse().unwrap());
    let record = EventRecord { site, node, event: event(name, 0, 2) };
    store.apply_event(&record, at(0)).await.unwrap();
    let item = |content: &u8| EvidenceItem {
        role: EvidenceRole::Snapshot,
        path: format!("{name}/{content}.jpg"),
        media_type: "image/jpeg".to_owned(),
        bytes: 5,
        sha256: hex::encode([*content; 32]),
    };
    let id = record.event.incident_id;
    let evidence = EvidenceRecord {
        site: record.site,
        node: record.node,
        camera: record.event.camera,
        incident: id,
        at: at(7),
        items: files.iter().map(item).collect(),
        base_url: None,
    };
    store.apply_evidence(&evidence, at(8)).await.unwrap();
    id
}

fn hold(subject: HoldSubject) -> HoldRow {
    HoldRow {
        id: Uuid::now_v7(), subject, at: at(10), by: "chen".to_owned(), reason: "法院来函".to_owned()
    }
}

fn deletion(incident: IncidentId) -> DeletionRow {
    DeletionRow {
        id: Uuid::now_v7(),
        incident,
        asked_at: at(20),
        asked_by: "li".to_owned(),
        reason: "误拍".to_owned(),
    }
}

/// First bytes of the hashes of the files that must go into the vault.
async fn to_keep(store: &Store) -> Vec<String> {
    let files = store.files_to_keep("", 100).await.unwrap();
    files.into_iter().map(|(_, file)| file.item.sha256[..2].to_owned()).collect()
}

async fn keep_all(store: &Store) {
    let files = store.files_to_keep("", 100).await.unwrap();
    store.files_kept(&files, at(11)).await.unwrap();
}

async fn deeds(store: &Store, action: &str) -> usize {
    let query = AuditQuery { action: Some(action.to_owned()), limit: 100, ..AuditQuery::default() };
    store.audit(&query).await.unwrap().len()
}

#[test]
fn a_hold_keeps_files_until_nothing_holds_them() {
    on_both(async |store: Store| {
        let a = incident(&store, "a", &[1, 2]).await;
        let b = incident(&store, "bb", &[2, 3]).await;
        assert!(!store.is_held(a).await.unwrap() && to_keep(&store).await.is_empty());
        assert!(store.put_hold(&hold(HoldSubject::Incident(a))).await.unwrap());
        assert!(!store.put_hold(&hold(HoldSubject::Incident(a))).await.unwrap(), "once");
        assert_eq!(to_keep(&store).await, ["01", "02"]);
        assert_eq!(store.files_to_keep(&hex::encode([1; 32]), 100).await.unwrap().len(), 1);
        keep_all(&store).await;
        keep_all(&store).await;
        assert_eq!((deeds(&store, "evidence.kept").await, to_keep(&store).await.len()), (1, 0));
        assert!(store.put_hold(&hold(HoldSubject::Incident(b))).await.unwrap());
        assert_eq!(to_keep(&store).await, ["03"], "the other is there");
        keep_all(&store).await;

        assert!(store.end_hold(HoldSubject::Incident(a), "wang", at(12)).await.unwrap());
        assert!(!store.end_hold(HoldSubject::Incident(a), "wang", at(12)).await.unwrap());
        let go = store.files_to_let_go(100).await.unwrap();
        assert_eq!(go, [hex::encode([1; 32])], "of two holds on a file one is left");
        store.file_let_go(&go[0], at(13)).await.unwrap();
        assert!(store.files_to_let_go(100).await.unwrap().is_empty());
        let held = store.holds(Some(b), None).await.unwrap();
        assert_eq!((held.len(), held[0].reason.as_str()), (1, "法院来函"));
        for (action, count) in [("hold.made", 2), ("hold.ended", 1), ("evidence.let_go", 1)] {
            assert_eq!(deeds(&store, action).await, count, "{action}");
        }
        assert!(store.put_hold(&hold(HoldSubject::Incident(a))).await.unwrap(), "again");
    });
}

#[test]
fn an_open_case_holds_its_incidents_and_a_hold_on_it_outlives_it() {
    on_both(async |store: Store| {
        let a = incident(&store, "a", &[1]).await;
        let hours = vec![OfficeHours { from: clock_time(0, 0, 0, 0), to: clock_time(23, 59, 0, 0) }];
        let calendar = WorkCalendar::new(TimeZone::UTC, hours, BTreeSet::new(), BTreeSet::new()).unwrap();
        let handle = Allowance { amount: 8, unit: DeadlineUnit::Hours };
        let rules = CaseRules { calendar: &calendar, steps: &StepAllowances::default(), handle };
        let report = Report {
            site: "harbour".parse().unwrap(),
            camera: None,
            kind: "stray_dog".parse().unwrap(),
            place: None,
            place_text: None,
            note: None,
            follows: None,
            by: "chen".to_owned(),
            at: at(9),
        };
        let case: CaseId = store.open_case(report, &[a], &rules).await.unwrap().case.id;
        assert!(store.is_held(a).await.unwrap());
        assert_eq!(to_keep(&store).await, ["01"]);
        keep_all(&store).await;
        assert!(matches!(store.ask_deletion(&deletion(a)).await, Err(StoreError::Held(_))));
        assert!(store.put_hold(&hold(HoldSubject::Case(case))).await.unwrap());
        let deed = Deed::new(CaseAction::Reject, "chen", at(30)).because("no violation");
        store.change_case(case, &deed, &CaseExtra::None, &rules).await.unwrap();
        assert!(store.is_held(a).await.unwrap(), "by the hold on the case");
        assert_eq!(store.holds(Some(a), Some(case)).await.unwrap()[0].subject, HoldSubject::Case(case));
        assert!(store.end_hold(HoldSubject::Case(case), "wang", at(31)).await.unwrap());
        assert!(!store.is_held(a).await.unwrap());
        assert_eq!(store.files_to_let_go(100).await.unwrap().len(), 1);
    });
}

#[test]
fn evidence_is_deleted_by_two_people_and_its_rows_stay() {
    on_both(async |store: Store| {
        let a = incident(&store, "a", &[1, 2]).await;
        let b = incident(&store, "bb", &[2]).await;
        let approve = async |by: &str| store.approve_deletion(a, by, at(21)).await;
        assert!(matches!(approve("wang").await, Err(StoreError::NoDeletion(_))));
        store.ask_deletion(&deletion(a)).await.unwrap();
        assert!(matches!(store.ask_deletion(&deletion(a)).await, Err(StoreError::DeletionAsked(_))));
        assert!(matches!(approve("li").await, Err(StoreError::SamePerson(_))));
        assert!(store.withdraw_deletion(a, "li", at(20)).await.unwrap());
        assert!(!store.withdraw_deletion(a, "li", at(20)).await.unwrap());
        store.ask_deletion(&deletion(a)).await.unwrap();
        assert_eq!(store.deletions(None, &Scope::All).await.unwrap().len(), 1);
        let access = parapet_core::Access::new(vec![Grant::at(Role::Auditor, "hill".parse().unwrap())]);
        let elsewhere = access.scope(parapet_core::Permission::Delete);
        assert!(store.deletions(None, &elsewhere).await.unwrap().is_empty());

        store.put_hold(&hold(HoldSubject::Incident(a))).await.unwrap();
        assert!(matches!(approve("wang").await, Err(StoreError::Held(_))));
        store.end_hold(HoldSubject::Incident(a), "wang", at(21)).await.unwrap();
        assert!(store.deletions_to_do().await.unwrap().is_empty());
        assert_eq!(approve("wang").await.unwrap().asked_by, "li");
        let to_do = store.deletions_to_do().await.unwrap();
        assert_eq!(to_do[0].1, [hex::encode([1; 32])], "the other proves something else, too");
        store.deletion_done(to_do[0].0, at(22)).await.unwrap();
        assert!(store.deletions_to_do().await.unwrap().is_empty());
        let detail = store.incident(a).await.unwrap().unwrap();
        assert_eq!(detail.evidence.len(), 2);
        for file in &detail.evidence {
            let deleted = file.deleted.as_ref().unwrap();
            assert_eq!((deleted.asked_by.as_str(), deleted.approved_by.as_str()), ("li", "wang"));
            assert_eq!(deleted.at, at(21));
        }
        assert!(store.incident(b).await.unwrap().unwrap().evidence[0].deleted.is_none());
        assert!(matches!(store.ask_deletion(&deletion(a)).await, Err(StoreError::NothingToDelete(_))));
        let nobody = IncidentId::derive(&["never"]);
        assert!(matches!(store.ask_deletion(&deletion(nobody)).await, Err(StoreError::NoIncident(_))));

        // Told of again, it stays deleted.
        incident(&store, "a", &[1, 2]).await;
        assert!(store.incident(a).await.unwrap().unwrap().evidence.iter().all(|file| file.deleted.is_some()));
    });
}
