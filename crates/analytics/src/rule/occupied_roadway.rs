//! 占道: a roadway, sidewalk or fire lane is taken up for longer than the limit, (a) by vehicles that stand there,
//! (b) by anything that was put there, known to a model or not, (c) as a whole, by the fraction that is covered.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use parapet_core::{
    BBox, Label, Mask, Point, Severity, Timestamp, Track, Zone, ZoneId, ZonePurpose, time::seconds_between,
};
use serde::{Deserialize, Serialize};

use super::{Findings, Limits, Problem, select, unknown_zones};
use crate::{
    Finding, Fraction, Group, Schedule, Seconds, Subject, Thing,
    region::{Region, RegionMemory, Seen},
    scene::Scene,
};

/// Options of an `occupied_roadway` rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OccupiedRoadwayConfig {
    /// How long something may stay there.
    pub limit_seconds: Seconds,
    /// Other limits in some zones. Where a zone and a class both have one, the shorter holds.
    pub zone_limit_seconds: BTreeMap<ZoneId, Seconds>,
    /// Other limits for some classes of vehicles.
    pub label_limit_seconds: BTreeMap<Label, Seconds>,
    /// The zones to keep free; when left out, all with the purpose `roadway`, `sidewalk` or `fire_lane`.
    pub zones: Option<Vec<ZoneId>>,
    /// Standing vehicles count.
    pub vehicles: bool,
    /// Classes that count as vehicles.
    pub labels: BTreeSet<Label>,
    /// Things that no model knows count: goods, stalls, waste. Needs the camera's background model.
    pub objects: bool,
    /// Things that cover less of the frame do not count.
    pub min_object_area: Fraction,
    /// The zone as a whole counts when this fraction of it is covered by standing things; never when left out.
    pub covered_fraction: Option<Fraction>,
    /// Vehicles that the detector is less sure of (running mean of its scores) do not count.
    pub min_score: Fraction,
    /// Vehicles that stood there when the stream began count too.
    pub count_from_start: bool,
    /// How pressing it is.
    pub severity: Severity,
    /// Another severity in some zones; fire lanes are `high` unless said here.
    pub zone_severity: BTreeMap<ZoneId, Severity>,
    /// After an incident is over, no other starts at its place for so long.
    pub cool_down_seconds: Seconds,
    /// When the rule is in force.
    pub schedule: Schedule,
}

impl Default for OccupiedRoadwayConfig {
    fn default() -> Self {
        Self {
            limit_seconds: Seconds::whole(180),
            zone_limit_seconds: BTreeMap::new(),
            label_limit_seconds: BTreeMap::new(),
            zones: None,
            vehicles: true,
            labels: ["car", "van", "truck", "bus", "train", "tricycle", "vehicle"].map(Label::new).into(),
            objects: true,
            min_object_area: Fraction::try_from(0.0005).expect("a fraction"),
            covered_fraction: None,
            min_score: Fraction::percent(25),
            count_from_start: true,
            severity: Severity::Medium,
            zone_severity: BTreeMap::new(),
            cool_down_seconds: Seconds::whole(60),
            schedule: Schedule::default(),
        }
    }
}

const PURPOSES: [ZonePurpose; 3] = [ZonePurpose::Roadway, ZonePurpose::Sidewalk, ZonePurpose::FireLane];

impl OccupiedRoadwayConfig {
    pub(super) fn problems(&self, zones: &[Zone]) -> Vec<Problem> {
        let mut problems = unknown_zones("zones", self.zones.iter().flatten(), zones);
        problems.extend(unknown_zones("zone_limit_seconds", self.zone_limit_seconds.keys(), zones));
        problems.extend(unknown_zones("zone_severity", self.zone_severity.keys(), zones));
        if problems.is_empty() && select(self.zones.as_ref(), &PURPOSES, zones).is_empty() {
            problems.push(Problem {
                option: "zones",
                message: "the camera has no roadway, sidewalk or fire lane to keep free".to_owned(),
                hint: "draw a zone with purpose = \"roadway\", \"sidewalk\" or \"fire_lane\"".to_owned(),
            });
        }
        if !self.vehicles && !self.objects && self.covered_fraction.is_none() {
            problems.push(Problem {
                option: "vehicles",
                message: "vehicles and objects are off and no covered_fraction is set: nothing can be found"
                    .to_owned(),
                hint: "set at least one of them".to_owned(),
            });
        }
        problems
    }
}

/// Overlap from which a region and a thing are one.
const EXPLAINED_FRACTION: f32 = 0.5;
/// Grid on which coverage is counted.
const GRID: (usize, usize) = (96, 54);
/// Time between two counts of coverage.
const COVERAGE_SECONDS: f64 = 1.0;
/// A zone stays covered until it is this part of the fraction.
const COVERED_HYSTERESIS: f32 = 0.8;
/// A region is gone when looked for and not found for so long and so often.
const REGION_GONE: (f64, u32) = (5.0, 3);

#[derive(Debug)]
pub(super) struct OccupiedRoadway {
    config: OccupiedRoadwayConfig,
    limits: Limits,
    zones: Vec<usize>,
    regions: RegionMemory,
    /// For each region: until when something known explained it, and whether it has become a finding.
    notes: BTreeMap<u64, Note>,
    coverage: Vec<Coverage>,
    counted_at: Option<Timestamp>,
    /// What is taken up, of the whole view; used again at each count.
    taken: Mask,
}

#[derive(Debug, Clone, Copy, Default)]
struct Note {
    explained_until: Option<Timestamp>,
    stated: bool,
}

#[derive(Debug)]
struct Coverage {
    cells: Mask,
    outline: Arc<[Point]>,
    fraction: f32,
    since: Option<Timestamp>,
}

impl OccupiedRoadway {
    pub(super) fn new(config: OccupiedRoadwayConfig, zones: &[Zone]) -> Self {
        let limits =
            Limits::new(config.limit_seconds, &config.zone_limit_seconds, &config.label_limit_seconds, zones);
        let selected = select(config.zones.as_ref(), &PURPOSES, zones);
        let coverage = selected
            .iter()
            .map(|z| {
                let polygon = &zones[*z].polygon;
                let cells = Mask::of_polygon(GRID.0, GRID.1, polygon);
                Coverage { cells, outline: polygon.points().into(), fraction: 0.0, since: None }
            })
            .collect();
        let regions = RegionMemory::new(REGION_GONE.0, REGION_GONE.1);
        let (notes, taken) = (BTreeMap::new(), Mask::empty(GRID.0, GRID.1));
        Self { config, limits, zones: selected, regions, notes, coverage, counted_at: None, taken }
    }

    pub(super) fn evaluate(&mut self, scene: &Scene<'_>, counts_from: Timestamp, findings: &mut Findings) {
        self.count_coverage(scene);
        if self.config.objects {
            self.remember_regions(scene);
            self.objects(scene, counts_from, findings);
        }
        if self.config.vehicles {
            self.vehicles(scene, counts_from, findings);
        }
        self.covered(scene, counts_from, findings);
    }

    fn vehicles(&self, scene: &Scene<'_>, counts_from: Timestamp, findings: &mut Findings) {
        let objects = findings.now.len();
        for thing in scene.standing_things() {
            let counts = thing.group == Group::Vehicle
                && self.config.labels.contains(&thing.label)
                && thing.score >= self.config.min_score.as_f32()
                && (self.config.count_from_start || !thing.from_start);
            let limit = |zone: usize| self.limits.seconds(Some(zone), Some(&thing.label));
            let strictest = scene
                .zones_of_thing(thing)
                .filter(|z| self.zones.contains(z))
                .min_by(|a, b| limit(*a).total_cmp(&limit(*b)));
            let Some(zone) = strictest.filter(|_| counts) else { continue };
            let since = thing.since.max(counts_from);
            // Already told as an object, before the detector knew it.
            let told = findings.now[..objects].iter().any(|o| o.bbox.iou(thing.bbox) >= EXPLAINED_FRACTION);
            if told || !findings.reaches(since, thing.held_at, limit(zone)) {
                continue;
            }
            findings.now.push(Finding {
                subject: Subject::Thing(thing.number),
                first_seen_at: thing.since,
                severity: self.severity(zone, scene),
                zone: Some(scene.zones[zone].id.clone()),
                since,
                held_at: thing.held_at,
                label: Some(thing.label.clone()),
                track: thing.track,
                bbox: thing.bbox,
                outline: None,
                count: 1,
                score: thing.score,
                covered: self.covered_fraction_of(zone),
            });
        }
    }

    fn remember_regions(&mut self, scene: &Scene<'_>) {
        let change = scene.change;
        let known = change.stationary_mask.is_some();
        let seen: Vec<Seen<'_>> = change
            .stationary
            .iter()
            .filter(|r| r.area >= self.config.min_object_area.as_f32())
            .map(|r| Seen {
                number: r.number,
                bbox: r.bbox,
                outline: &r.outline,
                area: r.area,
                score: 1.0,
                since: r.since,
                last_seen_at: r.last_seen_at,
            })
            .collect();
        let fresh = known && !change.light_changed && !change.view_shifted;
        self.regions.update(&seen, fresh, scene.at);
        let regions = self.regions.regions();
        self.notes.retain(|number, _| regions.binary_search_by_key(number, |r| r.number).is_ok());
    }

    fn objects(&mut self, scene: &Scene<'_>, counts_from: Timestamp, findings: &mut Findings) {
        for region in self.regions.regions() {
            let Some(zone) = strictest_zone(region, scene, &self.zones, &self.limits) else { continue };
            let note = self.notes.entry(region.number).or_default();
            if !note.stated && is_explained(region.bbox, scene) {
                note.explained_until = Some(scene.at);
                continue;
            }
            let since = region.since.max(counts_from).max(note.explained_until.unwrap_or(Timestamp::MIN));
            if !note.stated && !findings.reaches(since, region.seen_at, self.limits.seconds(Some(zone), None))
            {
                continue;
            }
            note.stated = true;
            let vehicle = scene.standing_things().find(|t| t.bbox.iou(region.bbox) >= EXPLAINED_FRACTION);
            findings.now.push(Finding {
                subject: Subject::Region(region.number),
                first_seen_at: region.since,
                severity: severity(&self.config, zone, scene),
                zone: Some(scene.zones[zone].id.clone()),
                since,
                held_at: region.seen_at,
                label: vehicle.map(|t| t.label.clone()),
                track: vehicle.and_then(|t| t.track),
                bbox: region.bbox,
                outline: (region.outline.len() >= 3).then(|| region.outline.clone()),
                count: 1,
                score: region.score,
                covered: covered_fraction_of(zone, &self.zones, &self.coverage, &self.config),
            });
        }
    }

    /// Coverage changes slowly: counted once a second, by standing things and by what the background model says.
    fn count_coverage(&mut self, scene: &Scene<'_>) {
        let due = self.counted_at.is_none_or(|before| seconds_between(before, scene.at) >= COVERAGE_SECONDS);
        let blind = scene.change.light_changed || scene.change.view_shifted;
        let Some(least) = self.config.covered_fraction.filter(|_| due && !blind) else { return };
        self.counted_at = Some(scene.at);
        let taken = &mut self.taken;
        taken.clear();
        if let Some(mask) = &scene.change.stationary_mask {
            taken.fill_mask(mask);
        }
        for thing in scene.standing_things().filter(|t| t.group != Group::Person) {
            taken.fill_bbox(thing.bbox);
        }
        for coverage in &mut self.coverage {
            coverage.fraction = coverage.cells.fraction_covered_by(taken);
            let stays = coverage.fraction >= least.as_f32() * COVERED_HYSTERESIS;
            if coverage.fraction >= least.as_f32() {
                coverage.since.get_or_insert(scene.at);
            } else if !stays {
                coverage.since = None;
            }
        }
    }

    fn covered(&self, scene: &Scene<'_>, counts_from: Timestamp, findings: &mut Findings) {
        for (zone, coverage) in self.zones.iter().zip(&self.coverage) {
            let Some(first) = coverage.since else { continue };
            let since = first.max(counts_from);
            if !findings.reaches(since, scene.at, self.limits.seconds(Some(*zone), None)) {
                continue;
            }
            let polygon = &scene.zones[*zone].polygon;
            findings.now.push(Finding {
                subject: Subject::Zone(*zone),
                first_seen_at: first,
                severity: self.severity(*zone, scene),
                zone: Some(scene.zones[*zone].id.clone()),
                since,
                held_at: scene.at,
                label: None,
                track: None,
                bbox: polygon.bbox(),
                outline: Some(coverage.outline.clone()),
                count: 1,
                score: 1.0,
                covered: Some(coverage.fraction),
            });
        }
    }

    fn covered_fraction_of(&self, zone: usize) -> Option<f32> {
        covered_fraction_of(zone, &self.zones, &self.coverage, &self.config)
    }

    fn severity(&self, zone: usize, scene: &Scene<'_>) -> Severity {
        severity(&self.config, zone, scene)
    }
}

fn covered_fraction_of(
    zone: usize,
    zones: &[usize],
    coverage: &[Coverage],
    config: &OccupiedRoadwayConfig,
) -> Option<f32> {
    config.covered_fraction?;
    zones.iter().position(|z| *z == zone).map(|i| coverage[i].fraction)
}

fn severity(config: &OccupiedRoadwayConfig, zone: usize, scene: &Scene<'_>) -> Severity {
    let zone = &scene.zones[zone];
    let usual = if zone.purpose == ZonePurpose::FireLane { Severity::High } else { config.severity };
    config.zone_severity.get(&zone.id).copied().unwrap_or(usual)
}

fn strictest_zone(region: &Region, scene: &Scene<'_>, zones: &[usize], limits: &Limits) -> Option<usize> {
    let limit = |zone: usize| limits.seconds(Some(zone), None);
    scene.zones_of_box(region.bbox, zones).min_by(|a, b| limit(*a).total_cmp(&limit(*b)))
}

/// Whether known things account for a region: what stands there, and what moves or waits before it.
fn is_explained(region: BBox, scene: &Scene<'_>) -> bool {
    let known = |group: Group| group != Group::Other;
    let seen = |t: &Track| seconds_between(t.last_seen_at, scene.at) <= 1.0;
    let tracks = scene.tracks.iter().filter(|t| seen(t) && known(Group::of(&t.label)));
    // A person who was seen here and no longer is has gone, even if something that was put down hides the ground.
    let stays = |t: &Thing| t.group != Group::Person || seconds_between(t.seen_at, scene.at) <= 1.0;
    let standing = scene.standing_things().filter(|t| known(t.group) && t.seen_at != scene.at && stays(t));
    let part = |bbox: BBox| region.fraction_in(bbox);
    tracks.map(|t| part(t.bbox)).chain(standing.map(|t| part(t.bbox))).sum::<f32>() >= EXPLAINED_FRACTION
}
