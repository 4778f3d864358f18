//! A center with an incident, a camera and a case at each of three places, and people who sign in.

use std::{collections::BTreeSet, path::Path, sync::Arc, time::Duration};

use jiff::{civil::time as clock_time, tz::TimeZone};
use parapet_bus::{BusConfig, EmbeddedConfig};
use parapet_center::{Center, CenterConfig, RunningCenter};
use parapet_core::{
    Allowance, BBox, CaseId, DeadlineUnit, EventId, EvidenceItem, EvidenceRole, HealthState, IncidentEvent,
    IncidentId, IncidentKind, ManualClock, OfficeHours, Phase, RunId, Severity, Timestamp, WorkCalendar,
    case::{CaseRules, Report, StepAllowances},
};
use parapet_store::{CameraRow, EventRecord, EvidenceRecord, NodeRow, Store};
use tokio_util::sync::CancellationToken;

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) struct Stage {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) center: RunningCenter,
    pub(crate) clock: ManualClock,
    pub(crate) base: String,
    pub(crate) stop: CancellationToken,
}

/// Who is there, and where the node of the harbour is.
pub(crate) struct Cast {
    pub(crate) people: Vec<parapet_center::FirstUser>,
    pub(crate) node: Option<String>,
}

impl From<Vec<parapet_center::FirstUser>> for Cast {
    fn from(people: Vec<parapet_center::FirstUser>) -> Self {
        Self { people, node: None }
    }
}

impl Stage {
    pub(crate) async fn set(cast: impl Into<Cast>) -> Self {
        Self::set_with(cast, |_, _| {}).await
    }

    /// The same with another configuration; it may put files into the directory.
    pub(crate) async fn set_with(
        cast: impl Into<Cast>,
        change: impl FnOnce(&mut CenterConfig, &Path),
    ) -> Self {
        let Cast { people, node } = cast.into();
        let directory = tempfile::tempdir().unwrap();
        let stop = CancellationToken::new();
        let mut config = CenterConfig {
            listen: "127.0.0.1:0".parse().unwrap(),
            store: format!("sqlite://{}/center.db", directory.path().display()),
            evidence_dir: directory.path().join("evidence"),
            bus: BusConfig {
                embedded: Some(EmbeddedConfig {
                    listen: "127.0.0.1:0".parse().unwrap(),
                    ..EmbeddedConfig::default()
                }),
                broker: None,
            },
            first_users: people,
            ..CenterConfig::default()
        };
        change(&mut config, directory.path());
        let store = Store::open(&config.store).await.unwrap();
        fill(&store, node.as_deref()).await;
        store.close().await;
        let clock = ManualClock::new(time("2026-11-22T00:01:00Z"));
        let center = Center::start(config, Arc::new(clock.clone()), None, stop.clone()).await.unwrap();
        let base = format!("http://{}", center.local_addr());
        Self { directory, center, clock, base, stop }
    }

    pub(crate) async fn end(self) {
        self.stop.cancel();
        tokio::time::timeout(Duration::from_secs(20), self.center.join()).await.expect("the center ends");
        drop(self.directory);
    }
}

pub(crate) fn incident(site: &str, camera: &str) -> IncidentId {
    IncidentId::derive(&[site, camera])
}

/// An incident and a camera at each of `harbour/gate`, `harbour/yard` and `hill/tower`.
async fn fill(store: &Store, url: Option<&str>) {
    let at = time("2026-11-22T00:00:20Z");
    for (site, camera) in [("harbour", "gate"), ("harbour", "yard"), ("hill", "tower")] {
        let event = IncidentEvent {
            event_id: EventId::derive(&[site, camera]),
            incident_id: incident(site, camera),
            sequence: 0,
            phase: Phase::Started,
            kind: IncidentKind::StrayDog,
            severity: Severity::Medium,
            camera: camera.parse().unwrap(),
            preset: None,
            run: RunId::derive(&["run"]),
            rule: "dogs".parse().unwrap(),
            zone: None,
            at,
            since: at,
            started_at: at,
            ended_at: None,
            end_reason: None,
            label: None,
            track: None,
            bbox: BBox::new(0.4, 0.4, 0.6, 0.6).unwrap(),
            outline: None,
            count: 1,
            score: 0.8,
            covered: None,
            place: None,
        };
        let (site, node): (parapet_core::SiteId, parapet_core::NodeId) =
            (site.parse().unwrap(), format!("{site}-1").parse().unwrap());
        let record = EventRecord { site: site.clone(), node: node.clone(), event };
        store.apply_event(&record, at).await.unwrap();
        let evidence = EvidenceRecord {
            site: site.clone(),
            node: node.clone(),
            camera: camera.parse().unwrap(),
            incident: record.event.incident_id,
            at,
            items: vec![EvidenceItem {
                role: EvidenceRole::Snapshot,
                path: "x.jpg".to_owned(),
                media_type: "image/jpeg".to_owned(),
                bytes: 1,
                sha256: "ab".repeat(32),
            }],
            base_url: None,
        };
        store.apply_evidence(&evidence, at).await.unwrap();
        let row = CameraRow {
            site: site.clone(),
            node: node.clone(),
            camera: camera.parse().unwrap(),
            name: None,
            state: HealthState::Streaming,
            at,
            run: None,
            reconnects: 0,
            detail: None,
            analysed_fps: None,
            width: None,
            height: None,
            synthetic: true,
            removed: false,
            private: parapet_core::PrivateAreas::default(),
        };
        store.put_camera(&row).await.unwrap();
        open_case(store, site.clone(), camera, at).await;
        let row = NodeRow {
            base_url: url.filter(|_| site.as_str() == "harbour").map(str::to_owned),
            site,
            node,
            online: true,
            at,
            started_at: at,
            version: "0".to_owned(),
            cameras: if camera == "tower" {
                vec!["tower".parse().unwrap()]
            } else {
                vec!["gate".parse().unwrap(), "yard".parse().unwrap()]
            },
        };
        store.put_node(&row).await.unwrap();
    }
}

/// The case of a place: they are opened in order.
pub(crate) fn case(site: &str, camera: &str) -> CaseId {
    let serial = match (site, camera) {
        ("harbour", "gate") => 1,
        ("harbour", "yard") => 2,
        _ => 3,
    };
    CaseId::derive(&[&format!("AJ2026-{serial:06}")])
}

async fn open_case(store: &Store, site: parapet_core::SiteId, camera: &str, at: Timestamp) {
    let hours = vec![OfficeHours { from: clock_time(0, 0, 0, 0), to: clock_time(23, 59, 0, 0) }];
    let calendar = WorkCalendar::new(TimeZone::UTC, hours, BTreeSet::new(), BTreeSet::new()).unwrap();
    let handle = Allowance { amount: 8, unit: DeadlineUnit::Hours };
    let rules = CaseRules { calendar: &calendar, steps: &StepAllowances::default(), handle };
    let report = Report {
        site,
        camera: Some(camera.parse().unwrap()),
        kind: "dumped_waste".parse().unwrap(),
        place: None,
        place_text: Some("北门".to_owned()),
        note: None,
        follows: None,
        by: "li".to_owned(),
        at,
    };
    store.open_case(report, &[], &rules).await.unwrap();
}
