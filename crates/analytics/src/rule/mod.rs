//! What makes something seen a violation. A rule restates its findings at every frame and decides nothing about
//! events; [`crate::book`] does.
//!
//! A new rule is a file here, a variant of [`RuleConfig`] and of `Judge`, and scenarios.

mod misparked_ebike;
mod occupied_roadway;
mod rooftop_structure;
mod stray_dog;

pub use misparked_ebike::MisparkedEbikeConfig;
pub use occupied_roadway::OccupiedRoadwayConfig;
pub use rooftop_structure::RooftopStructureConfig;
pub use stray_dog::StrayDogConfig;

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use parapet_core::{
    IncidentKind, Label, RuleId, Timestamp, Zone, ZoneId, ZonePurpose, time::seconds_between,
};
use serde::{Deserialize, Serialize};

use self::{
    misparked_ebike::MisparkedEbike, occupied_roadway::OccupiedRoadway, rooftop_structure::RooftopStructure,
    stray_dog::StrayDog,
};
use crate::{Finding, Group, Schedule, Seconds, book::RuleFacts, scene::Scene};

/// A rule as a pipeline file has it: `[cameras.gate.rules.bikes.misparked_ebike]`, exactly one kind for each name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuleConfig {
    /// Bikes standing where they may not.
    MisparkedEbike(MisparkedEbikeConfig),
    /// A roadway, sidewalk or fire lane that is taken up.
    OccupiedRoadway(OccupiedRoadwayConfig),
    /// A dog without a person.
    StrayDog(StrayDogConfig),
    /// Something on a roof that the baseline does not have.
    RooftopStructure(RooftopStructureConfig),
}

/// A mistake that only shows when a rule and its camera are seen together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}; hint: {hint}")]
pub struct Problem {
    /// The option at fault.
    pub option: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

impl RuleConfig {
    /// What the rule finds.
    pub fn kind(&self) -> IncidentKind {
        match self {
            Self::MisparkedEbike(_) => IncidentKind::MisparkedEbike,
            Self::OccupiedRoadway(_) => IncidentKind::OccupiedRoadway,
            Self::StrayDog(_) => IncidentKind::StrayDog,
            Self::RooftopStructure(_) => IncidentKind::RooftopStructure,
        }
    }

    /// When it is in force.
    pub fn schedule(&self) -> &Schedule {
        match self {
            Self::MisparkedEbike(c) => &c.schedule,
            Self::OccupiedRoadway(c) => &c.schedule,
            Self::StrayDog(c) => &c.schedule,
            Self::RooftopStructure(c) => &c.schedule,
        }
    }

    /// How long it keeps quiet at a place after an incident there was over.
    pub fn cool_down(&self) -> Seconds {
        match self {
            Self::MisparkedEbike(c) => c.cool_down_seconds,
            Self::OccupiedRoadway(c) => c.cool_down_seconds,
            Self::StrayDog(c) => c.cool_down_seconds,
            Self::RooftopStructure(c) => c.cool_down_seconds,
        }
    }

    /// How long something must hold before the rule states it: the option that says so, the zone or label that it has in
    /// there, if that is a table, and the time.
    pub fn limits(&self) -> impl Iterator<Item = (&'static str, Option<&str>, Seconds)> {
        let (general, by_zone, by_label) = match self {
            Self::MisparkedEbike(c) => (c.limit_seconds, &c.zone_limit_seconds, Some(&c.label_limit_seconds)),
            Self::OccupiedRoadway(c) => {
                (c.limit_seconds, &c.zone_limit_seconds, Some(&c.label_limit_seconds))
            }
            Self::StrayDog(c) => (c.limit_seconds, &c.zone_limit_seconds, None),
            Self::RooftopStructure(c) => (c.limit_seconds, &c.zone_limit_seconds, None),
        };
        let of_zones =
            by_zone.iter().map(|(zone, limit)| ("zone_limit_seconds", Some(zone.as_str()), *limit));
        let of_labels = by_label.into_iter().flatten();
        let of_labels = of_labels.map(|(label, limit)| ("label_limit_seconds", Some(label.as_str()), *limit));
        std::iter::once(("limit_seconds", None, general)).chain(of_zones).chain(of_labels)
    }

    /// The longest of its limits, in seconds.
    fn longest_limit(&self) -> f64 {
        self.limits().map(|(.., limit)| limit.as_f64()).fold(0.0, f64::max)
    }

    /// Whether it needs a change detector with a background model.
    pub fn needs_background(&self) -> bool {
        matches!(self, Self::OccupiedRoadway(c) if c.objects)
    }

    /// Whether it needs a change detector with an approved baseline.
    pub fn needs_baseline(&self) -> bool {
        matches!(self, Self::RooftopStructure(_))
    }

    /// The group of the standing things that it is about, if it is about any.
    pub(crate) fn group(&self) -> Option<Group> {
        match self {
            Self::MisparkedEbike(_) => Some(Group::Bike),
            Self::OccupiedRoadway(c) => c.vehicles.then_some(Group::Vehicle),
            Self::StrayDog(_) | Self::RooftopStructure(_) => None,
        }
    }

    /// At least so often it needs a look to decide as it does with one at every frame: eight in the shortest time that it
    /// waits for, and one every two seconds; to find what may run about ([`Self::runners`]), as its options say.
    pub fn look_seconds(&self) -> f64 {
        let (shortest, seldom) = match self {
            Self::MisparkedEbike(c) => {
                (shortest(c.limit_seconds, &c.zone_limit_seconds, &c.label_limit_seconds), SELDOM_SECONDS)
            }
            Self::OccupiedRoadway(c) => {
                (shortest(c.limit_seconds, &c.zone_limit_seconds, &c.label_limit_seconds), SELDOM_SECONDS)
            }
            Self::RooftopStructure(_) => (f64::INFINITY, SELDOM_SECONDS),
            Self::StrayDog(c) => {
                (shortest(c.limit_seconds, &c.zone_limit_seconds, &BTreeMap::new()), c.find_seconds.as_f64())
            }
        };
        (shortest / LOOKS_IN_LIMIT).min(seldom)
    }

    /// The classes of what runs about, if it is about such things: they are followed from frame to frame as long as one is
    /// there.
    pub fn runners(&self) -> Option<&BTreeSet<Label>> {
        match self {
            Self::StrayDog(c) => Some(&c.labels),
            Self::MisparkedEbike(_) | Self::OccupiedRoadway(_) | Self::RooftopStructure(_) => None,
        }
    }

    /// All mistakes that show once the camera's zones are known.
    pub fn problems(&self, zones: &[Zone]) -> Vec<Problem> {
        match self {
            Self::MisparkedEbike(c) => c.problems(zones),
            Self::OccupiedRoadway(c) => c.problems(zones),
            Self::StrayDog(c) => c.problems(zones),
            Self::RooftopStructure(c) => c.problems(zones),
        }
    }
}

/// The shortest of a rule's limits.
fn shortest(limit: Seconds, by_zone: &BTreeMap<ZoneId, Seconds>, by_label: &BTreeMap<Label, Seconds>) -> f64 {
    by_zone.values().chain(by_label.values()).fold(limit.as_f64(), |least, other| least.min(other.as_f64()))
}

/// Looks in the time that a thing must stand.
const LOOKS_IN_LIMIT: f64 = 8.0;
/// The tracker follows what stands over no more than this between two looks.
pub(crate) const SELDOM_SECONDS: f64 = 2.0;
/// What was not seen when its limit was over is waited for so long with every frame.
const LATE_SECONDS: f64 = SELDOM_SECONDS;
/// Out of the hours of all rules a look is taken so often, and every frame that comes is looked at for so long before they begin.
pub(crate) const CLOSED_SECONDS: f64 = 10.0;

/// One rule at work in one view.
#[derive(Debug)]
pub(crate) struct Rule {
    facts: RuleFacts,
    schedule: Schedule,
    /// Start of the present hours; `None` if they have been open since the first frame, or are closed.
    open_since: Option<Timestamp>,
    was_open: Option<bool>,
    /// It is about what runs about.
    of_runners: bool,
    /// When the first of what did not hold at the latest frame will, if it goes on.
    next_at: Option<Timestamp>,
    judge: Judge,
}

#[derive(Debug)]
enum Judge {
    MisparkedEbike(MisparkedEbike),
    OccupiedRoadway(OccupiedRoadway),
    StrayDog(StrayDog),
    RooftopStructure(RooftopStructure),
}

impl Rule {
    pub(crate) fn new(id: RuleId, config: RuleConfig, zones: &[Zone]) -> Self {
        let facts = RuleFacts {
            id,
            kind: config.kind(),
            cool_down_seconds: config.cool_down().as_f64(),
            limit_seconds: config.longest_limit(),
        };
        let schedule = config.schedule().clone();
        let of_runners = config.runners().is_some();
        let judge = match config {
            RuleConfig::MisparkedEbike(c) => Judge::MisparkedEbike(MisparkedEbike::new(c, zones)),
            RuleConfig::OccupiedRoadway(c) => Judge::OccupiedRoadway(OccupiedRoadway::new(c, zones)),
            RuleConfig::StrayDog(c) => Judge::StrayDog(StrayDog::new(c, zones)),
            RuleConfig::RooftopStructure(c) => Judge::RooftopStructure(RooftopStructure::new(c, zones)),
        };
        Self { facts, schedule, open_since: None, was_open: None, of_runners, next_at: None, judge }
    }

    pub(crate) fn facts(&self) -> &RuleFacts {
        &self.facts
    }

    /// Whether its hours are open at a time.
    pub(crate) fn is_in_force(&self, at: Timestamp) -> bool {
        self.schedule.is_open(at)
    }

    /// Seconds until something of those `of_runners`, or of the others, is stated that was not at the latest frame, if it goes
    /// on as it was; 0 if that is to be at any moment.
    pub(crate) fn due_seconds(&self, at: Timestamp, of_runners: bool) -> Option<f64> {
        let next = self.next_at.filter(|_| self.of_runners == of_runners)?;
        Some(seconds_between(at, next))
            .filter(|seconds| *seconds > -LATE_SECONDS)
            .map(|seconds| seconds.max(0.0))
    }

    /// Track numbers start again.
    pub(crate) fn begin_run(&mut self) {
        if let Judge::StrayDog(judge) = &mut self.judge {
            judge.begin_run();
        }
    }

    /// Puts what holds now, and when more will, into `findings`, and says whether these are the rule's hours: outside them nothing holds,
    /// memories go on, but no time counts.
    pub(crate) fn evaluate(&mut self, scene: &Scene<'_>, findings: &mut Findings) -> bool {
        let open = self.schedule.is_open(scene.at);
        if open && self.was_open == Some(false) {
            self.open_since = Some(scene.at);
        }
        self.was_open = Some(open);
        let counts_from = self.open_since.unwrap_or(Timestamp::MIN);
        findings.begin(scene.at);
        match &mut self.judge {
            Judge::MisparkedEbike(judge) => judge.evaluate(scene, counts_from, findings),
            Judge::OccupiedRoadway(judge) => judge.evaluate(scene, counts_from, findings),
            Judge::StrayDog(judge) => judge.evaluate(scene, counts_from, findings),
            Judge::RooftopStructure(judge) => judge.evaluate(scene, counts_from, findings),
        }
        if !open {
            findings.begin(scene.at);
        }
        self.next_at = findings.next_at;
        open
    }
}

/// Limits for a camera, its zones and its classes.
#[derive(Debug)]
struct Limits {
    general: f64,
    by_zone: Vec<Option<f64>>,
    by_label: BTreeMap<Label, f64>,
}

impl Limits {
    fn new(
        general: Seconds,
        by_zone: &BTreeMap<ZoneId, Seconds>,
        by_label: &BTreeMap<Label, Seconds>,
        zones: &[Zone],
    ) -> Self {
        Self {
            general: general.as_f64(),
            by_zone: zones.iter().map(|z| by_zone.get(&z.id).map(|s| s.as_f64())).collect(),
            by_label: by_label.iter().map(|(label, s)| (label.clone(), s.as_f64())).collect(),
        }
    }

    /// The shorter of what is given for the zone and for the class; the general limit where neither is.
    fn seconds(&self, zone: Option<usize>, label: Option<&Label>) -> f64 {
        let zone = zone.and_then(|z| self.by_zone[z]);
        let label = label.and_then(|l| self.by_label.get(l)).copied();
        match (zone, label) {
            (Some(a), Some(b)) => a.min(b),
            (Some(limit), None) | (None, Some(limit)) => limit,
            (None, None) => self.general,
        }
    }
}

/// What a rule says of a frame.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    at: Timestamp,
    /// What holds now.
    pub(crate) now: Vec<Finding>,
    /// When the first of what does not hold now will, if it goes on; or should have a moment ago, had it been seen.
    next_at: Option<Timestamp>,
}

impl Findings {
    fn begin(&mut self, at: Timestamp) {
        *self = Self { at, now: std::mem::take(&mut self.now), next_at: None };
        self.now.clear();
    }

    /// Whether something has held from `since` until `held_at` for as long as the limit; notes when it will have, if not.
    fn reaches(&mut self, since: Timestamp, held_at: Timestamp, limit: f64) -> bool {
        let over = seconds_between(since, held_at) >= limit;
        if !over {
            self.expect(since, limit);
        }
        over
    }

    /// Notes that something which began at `since` may hold when the limit is over.
    fn expect(&mut self, since: Timestamp, limit: f64) {
        let limit = SignedDuration::try_from_secs_f64(limit).ok();
        let then = limit.and_then(|limit| since.checked_add(limit).ok());
        // What is hidden may be late for long: it does not stand before what comes after it.
        if let Some(then) = then.filter(|then| seconds_between(*then, self.at) < LATE_SECONDS) {
            self.next_at = Some(self.next_at.map_or(then, |next| next.min(then)));
        }
    }
}

/// Places in the list of the zones with these names; those with these purposes where no names are given.
fn select(names: Option<&Vec<ZoneId>>, purposes: &[ZonePurpose], zones: &[Zone]) -> Vec<usize> {
    let wanted =
        |zone: &Zone| names.map_or_else(|| purposes.contains(&zone.purpose), |n| n.contains(&zone.id));
    zones.iter().enumerate().filter(|(_, zone)| wanted(zone)).map(|(index, _)| index).collect()
}

fn unknown_zones<'a>(
    option: &'static str,
    names: impl IntoIterator<Item = &'a ZoneId>,
    zones: &[Zone],
) -> Vec<Problem> {
    let usable = || zones.iter().filter(|z| z.purpose != ZonePurpose::Private);
    let known = || usable().map(|z| format!("\"{}\"", z.id)).collect::<Vec<_>>().join(", ");
    names
        .into_iter()
        .filter(|name| usable().all(|z| z.id != **name))
        .map(|name| {
            let is_private = zones.iter().any(|z| z.id == *name);
            Problem {
                option,
                message: if is_private {
                    format!("zone \"{name}\" is private, and no rule may be about what is private")
                } else {
                    format!("the camera has no zone \"{name}\"")
                },
                hint: match known() {
                    known if known.is_empty() => "it has no zones at all".to_owned(),
                    known => format!("it has {known}"),
                },
            }
        })
        .collect()
}

#[cfg(test)]
mod tests;
