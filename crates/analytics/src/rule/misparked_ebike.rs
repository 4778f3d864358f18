//! 电动车乱停放: a bike that stands in a forbidden zone, or anywhere outside the bays, for longer than the limit.

use std::collections::{BTreeMap, BTreeSet};

use parapet_core::{Label, Severity, Timestamp, Zone, ZoneId, ZonePurpose};
use serde::{Deserialize, Serialize};

use super::{Findings, Limits, Problem, select, unknown_zones};
use crate::{Finding, Fraction, Group, Schedule, Seconds, Subject, Thing, scene::Scene};

/// Options of a `misparked_ebike` rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MisparkedEbikeConfig {
    /// How long a bike may stand.
    pub limit_seconds: Seconds,
    /// Other limits in some zones. Where a zone and a class both have one, the shorter holds.
    pub zone_limit_seconds: BTreeMap<ZoneId, Seconds>,
    /// Other limits for some classes.
    pub label_limit_seconds: BTreeMap<Label, Seconds>,
    /// Classes that count as bikes.
    pub labels: BTreeSet<Label>,
    /// Zones where no bike may stand; when left out, all zones with the purpose `forbidden`.
    pub forbidden: Option<Vec<ZoneId>>,
    /// Zones where bikes may stand; when left out, all zones with the purpose `bay`.
    pub bays: Option<Vec<ZoneId>>,
    /// Where there are bays, a bike outside them is misparked wherever it stands.
    pub outside_bays: bool,
    /// Bikes that the detector is less sure of (running mean of its scores) do not count.
    pub min_score: Fraction,
    /// Bikes that stood there when the stream began count too.
    pub count_from_start: bool,
    /// How pressing it is.
    pub severity: Severity,
    /// After an incident is over, no other starts at its place for so long.
    pub cool_down_seconds: Seconds,
    /// When the rule is in force.
    pub schedule: Schedule,
}

impl Default for MisparkedEbikeConfig {
    fn default() -> Self {
        Self {
            limit_seconds: Seconds::whole(120),
            zone_limit_seconds: BTreeMap::new(),
            label_limit_seconds: BTreeMap::new(),
            labels: ["bicycle", "motorcycle", "e-bike", "ebike", "scooter", "moped"].map(Label::new).into(),
            forbidden: None,
            bays: None,
            outside_bays: true,
            min_score: Fraction::percent(20),
            count_from_start: true,
            severity: Severity::Medium,
            cool_down_seconds: Seconds::whole(60),
            schedule: Schedule::default(),
        }
    }
}

impl MisparkedEbikeConfig {
    pub(super) fn problems(&self, zones: &[Zone]) -> Vec<Problem> {
        let mut problems = unknown_zones("forbidden", self.forbidden.iter().flatten(), zones);
        problems.extend(unknown_zones("bays", self.bays.iter().flatten(), zones));
        problems.extend(unknown_zones("zone_limit_seconds", self.zone_limit_seconds.keys(), zones));
        let forbidden = select(self.forbidden.as_ref(), &[ZonePurpose::Forbidden], zones);
        let bays = select(self.bays.as_ref(), &[ZonePurpose::Bay], zones);
        if problems.is_empty() && forbidden.is_empty() && (bays.is_empty() || !self.outside_bays) {
            problems.push(Problem {
                option: "forbidden",
                message: "no bike can be misparked: the camera has neither a forbidden zone nor bays"
                    .to_owned(),
                hint: "draw a zone with purpose = \"forbidden\", or the bays with purpose = \"bay\""
                    .to_owned(),
            });
        }
        problems
    }
}

#[derive(Debug)]
pub(super) struct MisparkedEbike {
    config: MisparkedEbikeConfig,
    limits: Limits,
    forbidden: Vec<usize>,
    bays: Vec<usize>,
}

impl MisparkedEbike {
    pub(super) fn new(config: MisparkedEbikeConfig, zones: &[Zone]) -> Self {
        let limits =
            Limits::new(config.limit_seconds, &config.zone_limit_seconds, &config.label_limit_seconds, zones);
        let forbidden = select(config.forbidden.as_ref(), &[ZonePurpose::Forbidden], zones);
        let bays = select(config.bays.as_ref(), &[ZonePurpose::Bay], zones);
        Self { config, limits, forbidden, bays }
    }

    pub(super) fn evaluate(&self, scene: &Scene<'_>, counts_from: Timestamp, findings: &mut Findings) {
        let bikes = scene
            .standing_things()
            .filter(|t| t.group == Group::Bike && self.config.labels.contains(&t.label))
            .filter(|t| t.score >= self.config.min_score.as_f32())
            .filter(|t| self.config.count_from_start || !t.from_start);
        for thing in bikes {
            self.judge(thing, scene, counts_from, findings);
        }
    }

    fn judge(&self, thing: &Thing, scene: &Scene<'_>, counts_from: Timestamp, findings: &mut Findings) {
        let limit = |zone| self.limits.seconds(zone, Some(&thing.label));
        let inside = || scene.zones_of_thing(thing);
        let strictest = inside()
            .filter(|z| self.forbidden.contains(z))
            .min_by(|a, b| limit(Some(*a)).total_cmp(&limit(Some(*b))));
        let outside_bays =
            self.config.outside_bays && !self.bays.is_empty() && !inside().any(|z| self.bays.contains(&z));
        if strictest.is_none() && !outside_bays {
            return;
        }
        let since = thing.since.max(counts_from);
        if !findings.reaches(since, thing.held_at, limit(strictest)) {
            return;
        }
        findings.now.push(Finding {
            subject: Subject::Thing(thing.number),
            first_seen_at: thing.since,
            severity: self.config.severity,
            zone: strictest.map(|z| scene.zones[z].id.clone()),
            since,
            held_at: thing.held_at,
            label: Some(thing.label.clone()),
            track: thing.track,
            bbox: thing.bbox,
            outline: None,
            count: 1,
            score: thing.score,
            covered: None,
        });
    }
}
