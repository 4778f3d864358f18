//! A month of made-up history for the demo's two sites, so that lists, cases, deadlines and reports have something to show.
//! It has no pictures, its node is called `history`, and the same day gives the same month.

use std::{collections::HashMap, path::Path};

use anyhow::Context;
use jiff::SignedDuration;
use parapet_core::{
    Allowance, BBox, CaseId, DepartmentId, EndReason, EventId, IncidentEvent, IncidentId, IncidentKind,
    Phase, RunId, Severity, SiteId, Status, Timestamp,
    case::{CaseAction, CaseRules, Deed, Level, Report, StepAllowances},
    geo::{GroundPoint, Place, Position},
    site::Site,
};
use parapet_store::{
    CaseExtra, DepartmentRow, EventRecord, NewAnswer, NewOrder, SiteRow, StatusChange, Store,
};
use serde_json::{Value, json};

use crate::command::survey::read_site;

/// The node that told of all this.
const NODE: &str = "history";
const DAYS: u64 = 30;
/// A camera, what it sees, and the zone of the plan in which that happens.
type Watched = (&'static str, IncidentKind, &'static str);
/// Sites below `fixtures/compound/small`, households, incidents a day, and cameras with what they see.
const SITES: [(&str, u32, u64, &[Watched]); 2] = [
    (
        "willow-court",
        1142,
        4,
        &[
            ("gate", IncidentKind::MisparkedEbike, "west-walk"),
            ("park", IncidentKind::StrayDog, "south-green"),
            ("street", IncidentKind::OccupiedRoadway, "fire-lane-1"),
            ("roof", IncidentKind::RooftopStructure, "access-2"),
        ],
    ),
    (
        "tea-hill",
        420,
        2,
        &[
            ("campus", IncidentKind::OccupiedRoadway, "spine-road"),
            ("campus", IncidentKind::MisparkedEbike, "bays-1w"),
            ("campus", IncidentKind::StrayDog, "south-green"),
        ],
    ),
];
/// Id, names, level, office above it.
const DEPARTMENTS: [(&str, &str, &str, Level, Option<&str>); 4] = [
    ("willow-grid-3", "柳岸第三网格", "Willow grid 3", Level::Grid, Some("riverside-community")),
    ("riverside-community", "临河社区居委会", "Riverside community", Level::Community, Some("east-street")),
    (
        "east-street",
        "城东街道综合执法队",
        "East Street enforcement team",
        Level::Street,
        Some("city-enforcement"),
    ),
    ("city-enforcement", "市综合行政执法局", "City enforcement bureau", Level::Department, None),
];

/// Something that happens at a time.
enum Happening {
    Starts { site: SiteId, camera: &'static str, kind: IncidentKind, zone: &'static str, place: Place },
    Ends,
    Judged(Status, &'static str),
    Filed,
    Done(CaseAction, &'static str),
}

/// Fills an empty store with what happened in the month before `now`.
pub(super) async fn write(store: &Store, home: &Path, now: Timestamp) -> anyhow::Result<()> {
    for (id, name_zh, name_en, level, parent) in DEPARTMENTS {
        let department = DepartmentRow {
            id: id.parse()?,
            name_zh: name_zh.to_owned(),
            name_en: name_en.to_owned(),
            level,
            parent: parent.map(str::parse).transpose()?,
            sites: Vec::new(),
            webhook: None,
            enabled: true,
        };
        store.put_department(&department, "administrator", now).await?;
    }
    let mut month: Vec<(Timestamp, IncidentId, Happening)> = Vec::new();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for (name, households, a_day, cameras) in SITES {
        let file = home.join(format!("fixtures/compound/small/{name}/site.geojson"));
        let site = read_site(&file)?;
        store.put_site(&site_row(&site, &file, households, cameras)?, "administrator", now).await?;
        for day in 0..DAYS {
            for number in 0..a_day + dice.below(3) {
                let ago = SignedDuration::from_hours(24 * i64::try_from(DAYS - day)?)
                    - SignedDuration::from_mins(i64::try_from(dice.below(14 * 60))?);
                let (camera, kind, zone) = cameras[dice.pick(cameras.len())];
                // A roof does not grow every day.
                if kind == IncidentKind::RooftopStructure && !day.is_multiple_of(6) {
                    continue;
                }
                let id = IncidentId::derive(&["history", name, &day.to_string(), &number.to_string()]);
                let starts = Happening::Starts {
                    site: site.id.clone(),
                    camera,
                    kind,
                    zone,
                    place: spot(&site, zone, &mut dice),
                };
                course(&mut month, (now - ago, id, starts), kind, &mut dice);
            }
        }
    }
    month.retain(|(at, ..)| *at < now);
    month.sort_by_key(|(at, id, _)| (*at, *id));
    play(store, month).await
}

/// What becomes of an incident: who judges it and when, and how its case goes.
fn course(
    month: &mut Vec<(Timestamp, IncidentId, Happening)>,
    starts: (Timestamp, IncidentId, Happening),
    kind: IncidentKind,
    dice: &mut Dice,
) {
    let (at, id, _) = starts;
    let mut later = {
        let mut clock = at;
        move |least: u64, most: u64, dice: &mut Dice| {
            clock += SignedDuration::from_mins((least + dice.below(most - least)).cast_signed());
            clock
        }
    };
    month.push(starts);
    let minutes = if kind == IncidentKind::RooftopStructure { 60 * 24 * 20 } else { 20 + dice.below(600) };
    month.push((at + SignedDuration::from_mins(minutes.cast_signed()), id, Happening::Ends));
    let judged = later(1, 30, dice);
    if dice.below(100) < 30 {
        let why = ["not_a_violation", "wrong_object", "permitted", "poor_picture"][dice.pick(4)];
        month.push((judged, id, Happening::Judged(Status::Dismissed, why)));
        return;
    }
    month.push((judged, id, Happening::Judged(Status::Confirmed, "")));
    if kind != IncidentKind::RooftopStructure && dice.below(100) < 55 {
        return;
    }
    let mut done = |at, action, reason| month.push((at, id, Happening::Done(action, reason)));
    let filed = later(2, 20, dice);
    done(later(5, 50, dice), CaseAction::Accept, "");
    done(later(5, 50, dice), CaseAction::Dispatch, "请现场核实并清理");
    if dice.below(100) < 20 {
        done(later(60 * 24, 60 * 30, dice), CaseAction::Remind, "");
        done(later(60 * 24 * 2, 60 * 24 * 3, dice), CaseAction::Escalate, "");
    }
    done(later(60, 60 * 9, dice), CaseAction::Answer, "已到现场处置完毕");
    if dice.below(100) < 10 {
        done(later(60, 60 * 5, dice), CaseAction::CheckFail, "现场仍有遗留");
        done(later(60, 60 * 9, dice), CaseAction::Answer, "已再次清理");
    }
    done(later(60, 60 * 5, dice), CaseAction::CheckPass, "");
    done(later(10, 60 * 4, dice), CaseAction::Close, "");
    month.push((filed, id, Happening::Filed));
}

/// Lets it all happen, in order of time.
async fn play(store: &Store, month: Vec<(Timestamp, IncidentId, Happening)>) -> anyhow::Result<()> {
    let calendar = parapet_center::office_calendar();
    let steps = StepAllowances::default();
    let kinds = store.kinds().await?;
    let mut told: HashMap<IncidentId, EventRecord> = HashMap::new();
    let mut cases: HashMap<IncidentId, CaseId> = HashMap::new();
    for (at, id, happening) in month {
        let site_kind = told.get(&id).map(|record| (record.site.clone(), record.event.kind.code()));
        let handle = site_kind.as_ref().and_then(|(_, code)| kinds.iter().find(|kind| kind.code == *code));
        let allowance =
            handle.map(|kind| Allowance { amount: kind.deadline_amount, unit: kind.deadline_unit });
        let rules = allowance.map(|handle| CaseRules { calendar: &calendar, steps: &steps, handle });
        match happening {
            Happening::Starts { site, camera, kind, zone, place } => {
                let record = EventRecord {
                    site,
                    node: NODE.parse()?,
                    event: event(id, camera, kind, zone, place, at)?,
                };
                store.apply_event(&record, at).await?;
                told.insert(id, record);
            }
            Happening::Ends => {
                let Some(record) = told.get(&id) else { continue };
                let mut ends = record.clone();
                ends.event.event_id = EventId::derive(&["history", &id.to_string(), "end"]);
                (ends.event.sequence, ends.event.phase, ends.event.at) = (1, Phase::Ended, at);
                (ends.event.ended_at, ends.event.end_reason) = (Some(at), Some(EndReason::Cleared));
                store.apply_event(&ends, at).await?;
            }
            Happening::Judged(to, why) => {
                let reason = (!why.is_empty()).then(|| why.to_owned());
                let change = StatusChange { to, operator: "operator".to_owned(), reason, at };
                store.set_status(id, &change).await?;
            }
            Happening::Filed => {
                let (Some((site, kind)), Some(rules), Some(record)) = (site_kind, rules, told.get(&id))
                else {
                    continue;
                };
                let report = Report {
                    site,
                    camera: Some(record.event.camera.clone()),
                    kind,
                    place: record.event.place.clone(),
                    place_text: None,
                    note: None,
                    follows: None,
                    by: "operator".to_owned(),
                    at,
                };
                cases.insert(id, store.open_case(report, &[id], &rules).await?.case.id);
            }
            Happening::Done(action, words) => {
                let (Some(case), Some(rules)) = (cases.get(&id), rules) else { continue };
                let (deed, extra) = deed(store, *case, action, words, at, &kinds).await?;
                // The dice may ask for what the course of the case does not allow.
                if let Err(error) = store.change_case(*case, &deed, &extra, &rules).await {
                    anyhow::ensure!(matches!(error, parapet_store::StoreError::Case(_)), error);
                }
            }
        }
    }
    Ok(())
}

async fn deed(
    store: &Store,
    case: CaseId,
    action: CaseAction,
    words: &str,
    at: Timestamp,
    kinds: &[parapet_store::KindRow],
) -> anyhow::Result<(Deed, CaseExtra)> {
    let actor = match action {
        CaseAction::Escalate => "clock",
        CaseAction::Answer => "east-street",
        _ => "dispatcher",
    };
    let mut deed = Deed::new(action, actor, at);
    let text = || words.to_owned();
    let extra = match action {
        CaseAction::Dispatch => {
            let department: DepartmentId = "east-street".parse()?;
            let detail = store.case(case).await?.context("a case that was just filed")?;
            let row = store.departments().await?.into_iter().find(|row| row.id == department);
            let kind = kinds.iter().find(|kind| kind.code == detail.case.kind);
            let (row, kind) =
                (row.context("a department of the demo")?, kind.context("a kind of the catalogue")?);
            let document = parapet_center::order_document(store, &detail, kind, &row).await?;
            (deed.department, deed.level) = (Some(department), Some(Level::Street));
            CaseExtra::Order(NewOrder { instruction: Some(text()), document, targets: Vec::new() })
        }
        CaseAction::Answer => CaseExtra::Answer(NewAnswer { text: text(), pictures: Vec::new() }),
        _ => {
            deed.reason = (!words.is_empty()).then(text);
            CaseExtra::None
        }
    };
    Ok((deed, extra))
}

fn event(
    id: IncidentId,
    camera: &str,
    kind: IncidentKind,
    zone: &str,
    place: Place,
    at: Timestamp,
) -> anyhow::Result<IncidentEvent> {
    let severity = if kind == IncidentKind::RooftopStructure { Severity::High } else { Severity::Medium };
    Ok(IncidentEvent {
        event_id: EventId::derive(&["history", &id.to_string(), "start"]),
        incident_id: id,
        sequence: 0,
        phase: Phase::Started,
        kind,
        severity,
        camera: camera.parse()?,
        preset: None,
        run: RunId::derive(&["history"]),
        rule: "simulated".parse()?,
        zone: Some(zone.parse()?),
        at,
        since: at - SignedDuration::from_mins(5),
        started_at: at,
        ended_at: None,
        end_reason: None,
        label: None,
        track: None,
        bbox: BBox::new(0.4, 0.5, 0.5, 0.65).context("a box")?,
        outline: None,
        count: 1,
        score: 0.7,
        covered: None,
        place: Some(place),
    })
}

/// A spot in a zone of the plan, several metres from others so that it is a thing of its own.
fn spot(site: &Site, zone: &str, dice: &mut Dice) -> Place {
    let zone = site.zones.iter().find(|known| known.id.as_str() == zone);
    let (low, high) = zone.map_or_else(|| site.outline.bounds(), |zone| zone.outline.bounds());
    let mut between = |low: f64, high: f64| low + (high - low) * dice.below(1000) as f64 / 1000.0;
    let point = GroundPoint { east: between(low.east, high.east), north: between(low.north, high.north) };
    let position = Position { point: site.frame.geo(point), uncertainty_meters: 0.3 };
    Place { position, building: None, area_square_meters: None }
}

/// The site with its plan, on which the demo's cameras stand.
fn site_row(site: &Site, file: &Path, households: u32, cameras: &[Watched]) -> anyhow::Result<SiteRow> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut plan: Value = serde_json::from_str(&text)?;
    let features = plan["features"].as_array_mut().context("a plan has features")?;
    let mut placed = Vec::new();
    for (number, (camera, _, zone)) in cameras.iter().enumerate() {
        if placed.contains(camera) {
            continue;
        }
        placed.push(camera);
        let zone = site.zones.iter().find(|known| known.id.as_str() == *zone);
        let point =
            site.frame.geo(zone.map_or_else(|| site.outline.centroid(), |zone| zone.outline.centroid()));
        features.push(json!({
            "type": "Feature",
            "properties": {
                "kind": "camera", "id": camera, "bearing_degrees": 70.0 * number as f64, "view_degrees": 70.0, "reach_meters": 25.0,
            },
            "geometry": { "type": "Point", "coordinates": [point.longitude, point.latitude] },
        }));
    }
    Ok(SiteRow {
        site: site.id.clone(),
        name_zh: site.name.zh.clone().unwrap_or_else(|| site.id.to_string()),
        name_en: site.name.en.clone().unwrap_or_else(|| site.id.to_string()),
        households: Some(households),
        plan: Some(plan),
    })
}

/// Numbers that look like chance and are the same every time (Marsaglia, Xorshift RNGs, 2003).
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most.max(1)
    }

    fn pick(&mut self, of: usize) -> usize {
        usize::try_from(self.below(of as u64)).unwrap_or(0)
    }
}
