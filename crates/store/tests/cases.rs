//! What every store promises about cases, on SQLite and on a real PostgreSQL.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "test helpers may fail the test and print")]

mod support;

use std::collections::BTreeSet;

use jiff::{civil::time, tz::TimeZone};
use parapet_core::{
    Allowance, CaseId, DeadlineUnit, IncidentId, OfficeHours, Scope, Status, WorkCalendar,
    case::{
        Case, CaseAction, CaseError, CaseRules, CaseStep, Deed, Lateness, Level, Number, Report,
        StepAllowances,
    },
};
use parapet_store::{
    AuditQuery, CaseExtra, CaseQuery, DepartmentRow, EventRecord, IncidentQuery, MuteRow, NewAnswer,
    NewOrder, PictureRow, SettingRow, SiteRow, StatusChange, Store, StoreError,
    testing::{PostgresServer, TestServerError},
};
use serde_json::json;
use support::{at, event};
use uuid::Uuid;

/// Counts all times by the clock, so that they are easy to follow.
struct Office(WorkCalendar, StepAllowances);

impl Office {
    fn new() -> Self {
        let hours = vec![OfficeHours { from: time(0, 0, 0, 0), to: time(23, 59, 0, 0) }];
        let calendar = WorkCalendar::new(TimeZone::UTC, hours, BTreeSet::new(), BTreeSet::new()).unwrap();
        let by_clock = |amount| Allowance { amount, unit: DeadlineUnit::Hours };
        let steps = StepAllowances {
            accept: by_clock(1),
            dispatch: by_clock(1),
            check: by_clock(8),
            close: by_clock(8),
            escalate_every: by_clock(8),
            ..StepAllowances::default()
        };
        Self(calendar, steps)
    }

    fn rules(&self) -> CaseRules<'_> {
        let handle = Allowance { amount: 8, unit: DeadlineUnit::Hours };
        CaseRules { calendar: &self.0, steps: &self.1, handle }
    }
}

fn minutes(minutes: i64) -> parapet_core::Timestamp {
    at(minutes * 60_000_000)
}

fn report(note: &str, minute: i64) -> Report {
    Report {
        site: "harbour".parse().unwrap(),
        camera: Some("gate-north".parse().unwrap()),
        kind: "misparked_ebike".parse().unwrap(),
        place: None,
        place_text: Some("北门 50%".to_owned()),
        note: Some(note.to_owned()),
        follows: None,
        by: "li".to_owned(),
        at: minutes(minute),
    }
}

async fn incident(store: &Store, name: &str) -> IncidentId {
    let record = EventRecord {
        site: "harbour".parse().unwrap(),
        node: "north-1".parse().unwrap(),
        event: parapet_core::IncidentEvent { place: None, ..event(name, 0, 2) },
    };
    store.apply_event(&record, at(0)).await.unwrap();
    IncidentId::derive(&[name])
}

async fn status(store: &Store, id: IncidentId) -> (Status, Option<CaseId>) {
    let row = store.incident(id).await.unwrap().unwrap().incident;
    (row.status, row.case)
}

async fn go(store: &Store, case: &Case, action: CaseAction, minute: i64) -> Result<Case, StoreError> {
    let mut deed = Deed::new(action, "wang", minutes(minute)).because("现场核实");
    deed.department = Some("street-office".parse().unwrap());
    deed.level = Some(Level::Street);
    let extra = match action {
        CaseAction::Dispatch => CaseExtra::Order(NewOrder {
            instruction: Some("限期清理".to_owned()),
            document: json!({ "title": "执法交办单" }),
            targets: vec!["https://platform.example.org/orders".to_owned()],
        }),
        CaseAction::Answer => CaseExtra::Answer(NewAnswer {
            text: "已清理".to_owned(),
            pictures: vec![PictureRow {
                id: Uuid::from_u128(7),
                media_type: "image/jpeg".to_owned(),
                bytes: 12_345,
                sha256: "ab".repeat(32),
            }],
        }),
        _ => CaseExtra::None,
    };
    store.change_case(case.id, &deed, &extra, &Office::new().rules()).await
}

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

#[test]
fn a_case_takes_its_incidents_all_the_way() {
    on_both(async |store: Store| {
        let office = Office::new();
        let (bike, other) = (incident(&store, "bike").await, incident(&store, "other").await);
        let opened = store.open_case(report("两辆", 0), &[bike, other], &office.rules()).await.unwrap();
        let mut case = opened.case;
        assert_eq!(case.number.as_str(), "AJ2026-000001");
        assert_eq!(status(&store, bike).await, (Status::Filed, Some(case.id)));
        for (minute, action, expected) in [
            (5, CaseAction::Accept, Status::Filed),
            (10, CaseAction::Dispatch, Status::Dispatched),
            (60, CaseAction::Answer, Status::Handled),
            (70, CaseAction::CheckPass, Status::Verified),
            (80, CaseAction::Close, Status::Closed),
        ] {
            case = go(&store, &case, action, minute).await.unwrap();
            assert_eq!(status(&store, other).await, (expected, Some(case.id)));
        }
        let detail = store.case(case.id).await.unwrap().unwrap();
        assert_eq!(detail.case, case);
        assert_eq!(BTreeSet::from_iter(detail.incidents), BTreeSet::from([bike, other]));
        let actions: Vec<_> = detail.history.iter().map(|row| (row.action, row.from, row.to)).collect();
        assert_eq!(actions[0], (CaseAction::Report, None, CaseStep::Reported));
        assert_eq!(actions[5], (CaseAction::Close, Some(CaseStep::Verified), CaseStep::Closed));
        assert_eq!(detail.history[2].detail, json!({ "order": "JB2026-000001" }));
        assert_eq!((detail.orders.len(), detail.orders[0].number.as_str()), (1, "JB2026-000001"));
        assert_eq!(detail.orders[0].document, json!({ "title": "执法交办单" }));
        assert_eq!(detail.answers[0].order, detail.orders[0].number);
        assert_eq!((detail.answers[0].text.as_str(), detail.answers[0].pictures.len()), ("已清理", 1));
        assert_eq!(store.order(&Number::of_order(2026, 1)).await.unwrap().as_ref(), Some(&detail.orders[0]));
        let (subject_kind, subject_id) = (Some("case".to_owned()), Some(case.id.to_string()));
        let audit = store
            .audit(&AuditQuery { subject_kind, subject_id, limit: 20, ..AuditQuery::default() })
            .await
            .unwrap();
        assert_eq!((audit.len(), audit[0].action.as_str()), (6, "case.close"));
    });
}

#[test]
fn an_incident_has_one_case_and_a_dismissed_one_has_none() {
    on_both(async |store: Store| {
        let office = Office::new();
        let (bike, dog) = (incident(&store, "bike").await, incident(&store, "dog").await);
        let first = store.open_case(report("", 0), &[bike], &office.rules()).await.unwrap().case;
        let again = store.open_case(report("", 1), &[dog, bike], &office.rules()).await;
        assert!(matches!(again, Err(StoreError::AlreadyFiled { case, .. }) if case == first.id));
        assert_eq!(status(&store, dog).await, (Status::New, None), "all or nothing");
        let change =
            StatusChange { to: Status::Dismissed, operator: "li".to_owned(), reason: None, at: minutes(2) };
        store.set_status(dog, &change).await.unwrap();
        let dismissed = store.open_case(report("", 3), &[dog], &office.rules()).await;
        assert!(matches!(dismissed, Err(StoreError::Transition { .. })));
        let back = store.set_status(bike, &StatusChange { to: Status::New, ..change }).await;
        assert!(matches!(back, Err(StoreError::Transition { .. })), "a filed incident's verdict stands");
        go(&store, &first, CaseAction::Reject, 4).await.unwrap();
        assert_eq!(status(&store, bike).await.0, Status::Confirmed);
        let second = store.open_case(report("", 5), &[bike], &office.rules()).await.unwrap().case;
        assert_eq!(second.number.as_str(), "AJ2026-000002", "numbers of refused cases are not lost");
        assert_eq!(status(&store, bike).await, (Status::Filed, Some(second.id)));
    });
}

#[test]
fn a_merged_case_gives_its_incidents_away() {
    on_both(async |store: Store| {
        let office = Office::new();
        let (bike, other) = (incident(&store, "bike").await, incident(&store, "other").await);
        let first = store.open_case(report("", 0), &[bike], &office.rules()).await.unwrap().case;
        let second = store.open_case(report("", 1), &[other], &office.rules()).await.unwrap().case;
        let deed = |into| Deed {
            into: Some(into),
            ..Deed::new(CaseAction::Merge, "li", minutes(2)).because("同一处")
        };
        let itself = store.change_case(second.id, &deed(second.id), &CaseExtra::None, &office.rules()).await;
        assert!(matches!(itself, Err(StoreError::Case(CaseError::NoOtherCase))));
        let merged =
            store.change_case(second.id, &deed(first.id), &CaseExtra::None, &office.rules()).await.unwrap();
        assert_eq!((merged.step, merged.merged_into), (CaseStep::Merged, Some(first.id)));
        assert_eq!(status(&store, other).await, (Status::Filed, Some(first.id)));
        let detail = store.case(first.id).await.unwrap().unwrap();
        assert_eq!((detail.incidents.len(), detail.related.len()), (2, 1));
        assert_eq!(detail.history[1].action, CaseAction::Link);
        assert_eq!(detail.related[0].case.number, second.number);
        go(&store, &first, CaseAction::Reject, 3).await.unwrap();
        let into_done =
            store.change_case(second.id, &deed(first.id), &CaseExtra::None, &office.rules()).await;
        assert!(matches!(into_done, Err(StoreError::CannotMerge { .. })));
    });
}

#[test]
fn deadlines_that_pass_are_found_and_told_once() {
    on_both(async |store: Store| {
        let office = Office::new();
        let case = store.open_case(report("", 0), &[], &office.rules()).await.unwrap().case;
        let told = async |minute| store.cases_to_tell(minutes(minute), 10).await.unwrap();
        assert_eq!(told(44).await, []);
        assert_eq!(told(45).await, [(case.id, CaseAction::Warn)]);
        let count = async |lateness, minute| {
            let query = CaseQuery { lateness: Some(lateness), ..CaseQuery::at(minutes(minute)) };
            let page = store.cases(&query).await.unwrap();
            let counts = store.case_counts(&query).await.unwrap();
            let counted = counts.iter().find(|c| c.lateness == lateness).map_or(0, |c| c.count);
            assert_eq!(counted, page.cases.len() as u64);
            assert!(page.cases.iter().all(|row| row.case.lateness(minutes(minute)) == lateness));
            counted
        };
        for (minute, lateness) in [(44, Lateness::OnTime), (45, Lateness::Warning), (60, Lateness::Overdue)] {
            for other in [Lateness::OnTime, Lateness::Warning, Lateness::Overdue] {
                assert_eq!(count(other, minute).await, u64::from(other == lateness), "{minute}");
            }
        }
        let case = go(&store, &case, CaseAction::Warn, 45).await.unwrap();
        assert_eq!(count(Lateness::Warning, 46).await, 1, "it is told once, and still so");
        assert_eq!(told(59).await, []);
        assert_eq!(told(60).await, [(case.id, CaseAction::Escalate)]);
        let case = go(&store, &case, CaseAction::Escalate, 60).await.unwrap();
        assert_eq!((case.level, told(61).await.len()), (Level::Community, 0));
        go(&store, &case, CaseAction::Suspend, 70).await.unwrap();
        assert_eq!(told(100_000).await, []);
        assert_eq!(count(Lateness::Overdue, 100_000).await, 0);
    });
}

#[test]
fn of_two_dispatchers_at_once_one_is_refused() {
    on_both(async |store: Store| {
        let office = Office::new();
        let case = store.open_case(report("", 0), &[], &office.rules()).await.unwrap().case;
        let both =
            tokio::join!(go(&store, &case, CaseAction::Accept, 1), go(&store, &case, CaseAction::Accept, 1));
        assert!(both.0.is_ok() ^ both.1.is_ok(), "{both:?}");
        assert_eq!(store.case(case.id).await.unwrap().unwrap().history.len(), 2);
    });
}

#[test]
fn lists_narrow_and_go_on() {
    on_both(async |store: Store| {
        let office = Office::new();
        for number in 0..5 {
            let mut report = report(&format!("号码 {number}"), number);
            if number == 3 {
                report.site = "willow-court".parse().unwrap();
                report.camera = None;
            }
            store.open_case(report, &[], &office.rules()).await.unwrap();
        }
        let all = CaseQuery::at(minutes(10));
        let numbers = async |query: &CaseQuery| {
            let page = store.cases(query).await.unwrap();
            let numbers = page.cases.iter().map(|row| row.case.number.year_and_serial().unwrap().1);
            (numbers.collect::<Vec<_>>(), page.next)
        };
        let (first, next) = numbers(&CaseQuery { limit: 2, ..all.clone() }).await;
        assert_eq!(first, [5, 4]);
        assert_eq!(
            numbers(&CaseQuery { limit: 3, cursor: next, ..all.clone() }).await,
            (vec![3, 2, 1], None)
        );
        let of = async |query: CaseQuery| numbers(&query).await.0;
        assert_eq!(of(CaseQuery { site: Some("willow-court".parse().unwrap()), ..all.clone() }).await, [4]);
        assert_eq!(of(CaseQuery { text: Some("号码 2".to_owned()), ..all.clone() }).await, [3]);
        assert_eq!(of(CaseQuery { text: Some("50%".to_owned()), ..all.clone() }).await.len(), 5);
        assert_eq!(of(CaseQuery { text: Some("aj2026-000001".to_owned()), ..all.clone() }).await, [1]);
        assert_eq!(of(CaseQuery { from: Some(minutes(4)), ..all.clone() }).await, [5]);
        assert_eq!(of(CaseQuery { open: Some(false), ..all.clone() }).await, [0; 0]);
        let only = |site: Option<&str>, camera: Option<&str>| Scope::Only {
            sites: site.into_iter().map(|site| site.parse().unwrap()).collect(),
            cameras: camera.into_iter().map(|camera| (None, camera.parse().unwrap())).collect(),
        };
        assert_eq!(of(CaseQuery { scope: only(Some("willow-court"), None), ..all.clone() }).await, [4]);
        assert_eq!(
            of(CaseQuery { scope: only(None, Some("gate-north")), ..all.clone() }).await,
            [5, 3, 2, 1]
        );
        assert_eq!(of(CaseQuery { scope: only(None, None), ..all.clone() }).await, [0; 0]);
    });
}

#[test]
fn what_goes_out_is_kept_until_it_is_taken() {
    on_both(async |store: Store| {
        let office = Office::new();
        let case = store.open_case(report("", 0), &[], &office.rules()).await.unwrap().case;
        let case = go(&store, &case, CaseAction::Accept, 1).await.unwrap();
        go(&store, &case, CaseAction::Dispatch, 2).await.unwrap();
        let due = async |minute| store.deliveries(minutes(minute), 10).await.unwrap();
        let first = due(2).await.remove(0);
        assert_eq!(first.target, "https://platform.example.org/orders");
        assert_eq!(first.document["number"], "JB2026-000001");
        assert_eq!(first.document["case"], "AJ2026-000001");
        store.delivery_tried(first.id, minutes(3), Some(("connection refused", minutes(8)))).await.unwrap();
        assert_eq!(due(7).await, []);
        let again = due(8).await.remove(0);
        assert_eq!((again.attempts, again.error.as_deref()), (1, Some("connection refused")));
        store.delivery_tried(first.id, minutes(8), None).await.unwrap();
        assert_eq!(due(1000).await, []);
    });
}

#[test]
fn the_catalogue_and_the_settings_can_be_changed_on_record() {
    on_both(async |store: Store| {
        let mut kinds = store.kinds().await.unwrap();
        let kind = kinds.iter_mut().find(|kind| kind.code.as_str() == "rooftop_structure").unwrap();
        assert_eq!((kind.class_code.as_str(), kind.category_zh.as_str()), ("0101", "市容环境"));
        kind.deadline_amount = 7;
        store.put_kind(kind, "admin", minutes(1)).await.unwrap();
        assert!(store.kinds().await.unwrap().contains(kind));
        let mut office = DepartmentRow {
            id: "street-office".parse().unwrap(),
            name_zh: "街道综合执法队".to_owned(),
            name_en: "Street enforcement team".to_owned(),
            level: Level::Street,
            parent: None,
            sites: vec!["harbour".parse().unwrap()],
            webhook: None,
            enabled: true,
        };
        store.put_department(&office, "admin", minutes(2)).await.unwrap();
        office.webhook = Some("https://platform.example.org/orders".to_owned());
        store.put_department(&office, "admin", minutes(3)).await.unwrap();
        assert_eq!(store.departments().await.unwrap(), [office]);
        let setting = |document| SettingRow {
            name: "steps".to_owned(),
            document,
            changed_at: minutes(4),
            changed_by: "admin".to_owned(),
        };
        store.put_setting(&setting(json!({ "warn_percent": 50 }))).await.unwrap();
        store.put_setting(&setting(json!({ "warn_percent": 60 }))).await.unwrap();
        assert_eq!(store.settings().await.unwrap(), [setting(json!({ "warn_percent": 60 }))]);
        let audit = store.audit(&AuditQuery { limit: 20, ..AuditQuery::default() }).await.unwrap();
        let actions: Vec<_> = audit.iter().map(|row| row.action.as_str()).collect();
        let (settings, department) = ("settings.changed", "catalogue.department");
        assert_eq!(actions, [settings, settings, department, department, "catalogue.kind"]);
    });
}

#[test]
fn a_place_remembers_its_incidents_and_its_case() {
    on_both(async |store: Store| {
        let office = Office::new();
        let (bike, other) = (incident(&store, "bike").await, incident(&store, "kite").await);
        let row = async |id| store.incident(id).await.unwrap().unwrap().incident;
        let there = store.incidents_at_place_of(&row(other).await, 10).await.unwrap();
        assert_eq!(
            there.iter().map(|row| row.id).collect::<Vec<_>>(),
            [bike],
            "one box of one view, any kind"
        );
        assert_eq!(store.case_at_place_of(&row(other).await).await.unwrap(), None);
        let case = store.open_case(report("", 0), &[bike], &office.rules()).await.unwrap().case;
        assert_eq!(row(bike).await.kind, row(other).await.kind);
        assert_eq!(
            store.case_at_place_of(&row(other).await).await.unwrap().map(|case| case.id),
            Some(case.id)
        );
        go(&store, &case, CaseAction::Reject, 1).await.unwrap();
        assert_eq!(
            store.case_at_place_of(&row(other).await).await.unwrap(),
            None,
            "a rejected one does not count"
        );
    });
}

#[test]
fn a_mute_holds_for_its_place_and_time_and_is_on_record() {
    on_both(async |store: Store| {
        let id = incident(&store, "bike").await;
        let row = store.incident(id).await.unwrap().unwrap().incident;
        let mute = MuteRow {
            id: Uuid::from_u128(9),
            site: row.site.clone(),
            camera: row.camera.clone(),
            preset: row.preset.clone(),
            kind: row.kind.clone(),
            zone: row.zone.clone(),
            bbox: row.bbox,
            incident: id,
            at: minutes(-10),
            until: minutes(60),
            by: "li".to_owned(),
            reason: Some("施工".to_owned()),
        };
        store.put_mute(&mute).await.unwrap();
        assert_eq!(store.mutes(minutes(59)).await.unwrap(), std::slice::from_ref(&mute));
        assert!(mute.covers(&row));
        let elsewhere =
            parapet_store::IncidentRow { bbox: parapet_core::BBox::new(0.8, 0.8, 0.9, 0.9).unwrap(), ..row };
        assert!(!mute.covers(&elsewhere));
        store.mute_incident(id, mute.id).await.unwrap();
        let listed = async |muted| {
            let query = IncidentQuery { muted: Some(muted), ..IncidentQuery::default() };
            store.incidents(&query).await.unwrap().incidents.len()
        };
        assert_eq!((listed(true).await, listed(false).await), (1, 0));
        assert!(store.end_mute(mute.id, "wang", minutes(5)).await.unwrap());
        assert!(!store.end_mute(mute.id, "wang", minutes(6)).await.unwrap());
        assert_eq!(store.mutes(minutes(6)).await.unwrap(), []);
        let audit = store.audit(&AuditQuery { limit: 20, ..AuditQuery::default() }).await.unwrap();
        assert_eq!((audit[0].action.as_str(), audit[1].action.as_str()), ("mute.ended", "mute.made"));
    });
}

#[test]
fn a_month_is_counted_by_site() {
    on_both(async |store: Store| {
        let office = Office::new();
        let bike = incident(&store, "bike").await;
        incident(&store, "dog").await;
        let site = SiteRow {
            site: "harbour".parse().unwrap(),
            name_zh: "港湾小区".to_owned(),
            name_en: "Harbour".to_owned(),
            households: Some(420),
            plan: Some(json!({ "type": "FeatureCollection", "features": [] })),
        };
        store.put_site(&site, "admin", minutes(0)).await.unwrap();
        assert_eq!(store.sites().await.unwrap(), [site]);
        let late = store.open_case(report("", 1), &[bike], &office.rules()).await.unwrap().case;
        let mut closed = store.open_case(report("", 2), &[], &office.rules()).await.unwrap().case;
        for (minute, action) in [
            (3, CaseAction::Accept),
            (4, CaseAction::Dispatch),
            (5, CaseAction::Answer),
            (6, CaseAction::CheckPass),
            (7, CaseAction::Close),
        ] {
            closed = go(&store, &closed, action, minute).await.unwrap();
        }
        let counts = store.day_counts(minutes(-60), minutes(6000)).await.unwrap();
        let of =
            |status| counts.iter().filter(|c| c.status == status && c.day == 0).map(|c| c.count).sum::<u64>();
        assert_eq!((of(Status::Filed), of(Status::New)), (1, 1));
        let tally =
            async |now| store.case_tallies(minutes(0), minutes(6000), minutes(now)).await.unwrap().remove(0);
        let early = tally(10).await;
        assert_eq!((early.cases, early.open, early.late, early.on_time), (2, 1, 0, 1));
        assert_eq!(tally(100).await.late, 1, "{} is due after an hour", late.number);
    });
}
