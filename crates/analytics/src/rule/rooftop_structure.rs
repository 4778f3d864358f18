//! 楼顶违建: something on a roof that the approved baseline does not have, of at least an area, over several visits.

use std::collections::BTreeMap;

use parapet_core::{BBox, Severity, Timestamp, Zone, ZoneId, ZonePurpose, change::BaselineState};
use serde::{Deserialize, Serialize};

use super::{Findings, Limits, Problem, select, unknown_zones};
use crate::{
    Finding, Fraction, Schedule, Seconds, Subject,
    region::{RegionMemory, Seen},
    scene::Scene,
};

/// Options of a `rooftop_structure` rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RooftopStructureConfig {
    /// How long the difference must have stood.
    pub limit_seconds: Seconds,
    /// Other limits in some zones.
    pub zone_limit_seconds: BTreeMap<ZoneId, Seconds>,
    /// Comparisons with the baseline that must have found it.
    pub min_visits: u32,
    /// A difference is gone when so many comparisons in a row did not find it.
    pub gone_visits: u32,
    /// The roofs; when left out, all zones with the purpose `roof`.
    pub zones: Option<Vec<ZoneId>>,
    /// Differences that cover less of the frame do not count.
    pub min_area: Fraction,
    /// Part of a difference that must lie on the roof.
    pub min_on_roof: Fraction,
    /// Weaker differences do not count.
    pub min_score: Fraction,
    /// How pressing it is.
    pub severity: Severity,
    /// After an incident is over, no other starts at its place for so long.
    pub cool_down_seconds: Seconds,
    /// When the rule is in force.
    pub schedule: Schedule,
}

impl Default for RooftopStructureConfig {
    fn default() -> Self {
        Self {
            limit_seconds: Seconds::whole(3600),
            zone_limit_seconds: BTreeMap::new(),
            min_visits: 3,
            gone_visits: 3,
            zones: None,
            min_area: Fraction::try_from(0.001).expect("a fraction"),
            min_on_roof: Fraction::percent(50),
            min_score: Fraction::percent(30),
            severity: Severity::Medium,
            cool_down_seconds: Seconds::whole(600),
            schedule: Schedule::default(),
        }
    }
}

impl RooftopStructureConfig {
    pub(super) fn problems(&self, zones: &[Zone]) -> Vec<Problem> {
        let mut problems = unknown_zones("zones", self.zones.iter().flatten(), zones);
        problems.extend(unknown_zones("zone_limit_seconds", self.zone_limit_seconds.keys(), zones));
        if problems.is_empty() && select(self.zones.as_ref(), &[ZonePurpose::Roof], zones).is_empty() {
            problems.push(Problem {
                option: "zones",
                message: "the camera has no roof to watch".to_owned(),
                hint: "draw a zone with purpose = \"roof\"".to_owned(),
            });
        }
        problems
    }
}

#[derive(Debug)]
pub(super) struct RooftopStructure {
    config: RooftopStructureConfig,
    limits: Limits,
    zones: Vec<usize>,
    regions: RegionMemory,
}

impl RooftopStructure {
    pub(super) fn new(config: RooftopStructureConfig, zones: &[Zone]) -> Self {
        let limits = Limits::new(config.limit_seconds, &config.zone_limit_seconds, &BTreeMap::new(), zones);
        let selected = select(config.zones.as_ref(), &[ZonePurpose::Roof], zones);
        let regions = RegionMemory::new(0.0, config.gone_visits.max(1));
        Self { config, limits, zones: selected, regions }
    }

    pub(super) fn evaluate(&mut self, scene: &Scene<'_>, counts_from: Timestamp, findings: &mut Findings) {
        let change = scene.change;
        let compared = change.baseline == BaselineState::Compared;
        let usable = compared && !change.light_changed && !change.view_shifted;
        let on_roof = |bbox: BBox| {
            let most = self.zones.iter().map(|z| (*z, scene.zones[*z].polygon.fraction_of(bbox)));
            most.filter(|(_, part)| *part >= self.config.min_on_roof.as_f32())
                .max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))
                .map(|(zone, _)| zone)
        };
        if usable {
            let seen: Vec<Seen<'_>> = change
                .differences
                .iter()
                .filter(|d| {
                    d.area >= self.config.min_area.as_f32() && d.score >= self.config.min_score.as_f32()
                })
                .filter(|d| on_roof(d.bbox).is_some())
                .map(|d| Seen {
                    number: d.number,
                    bbox: d.bbox,
                    outline: &d.outline,
                    area: d.area,
                    score: d.score,
                    since: d.since,
                    last_seen_at: d.last_seen_at,
                })
                .collect();
            self.regions.update(&seen, true, scene.at);
        }
        for region in self.regions.regions().iter().filter(|r| r.visits >= self.config.min_visits) {
            let Some(zone) = on_roof(region.bbox) else { continue };
            let since = region.since.max(counts_from);
            if !findings.reaches(since, region.seen_at, self.limits.seconds(Some(zone), None)) {
                continue;
            }
            findings.now.push(Finding {
                subject: Subject::Region(region.number),
                first_seen_at: region.since,
                severity: self.config.severity,
                zone: Some(scene.zones[zone].id.clone()),
                since,
                held_at: region.seen_at,
                label: None,
                track: None,
                bbox: region.bbox,
                outline: (region.outline.len() >= 3).then(|| region.outline.clone()),
                count: 1,
                score: region.score,
                covered: None,
            });
        }
    }
}
