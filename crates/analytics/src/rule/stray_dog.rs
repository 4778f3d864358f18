//! 流浪犬只: a dog with no person near it for longer than the limit. What a dog is, is decided on its track from the
//! evidence of all its sightings; several dogs at one place are one finding with a count.

use std::collections::{BTreeMap, BTreeSet};

use parapet_core::{
    BBox, Label, Severity, Timestamp, Track, TrackId, TrackState, Zone, ZoneId, time::seconds_between,
};
use serde::{Deserialize, Serialize};

use super::{Findings, Limits, Problem, select, unknown_zones};
use crate::{
    Finding, Fraction, Group, Schedule, Seconds, Subject, ground::Ground, scene::Scene, tracker::size_of,
};

/// Options of a `stray_dog` rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StrayDogConfig {
    /// How long a dog may be without a person.
    pub limit_seconds: Seconds,
    /// Other limits in some zones.
    pub zone_limit_seconds: BTreeMap<ZoneId, Seconds>,
    /// Only dogs in these zones count; all when left out.
    pub zones: Option<Vec<ZoneId>>,
    /// Classes that speak for a dog: small detectors take dogs at a distance for other animals.
    pub labels: BTreeSet<Label>,
    /// Share of a track's evidence (summed scores) that must speak for a dog.
    pub min_share: Fraction,
    /// Summed scores from which a track is believed to be a dog.
    pub min_evidence: f32,
    /// A person within so many heights of the person attends the dog; used where `ground` is not given.
    pub person_heights: f32,
    /// A person within so many metres attends the dog; used where `ground` is given.
    pub person_meters: f32,
    /// Four points of the picture (`image`) and where they are on the ground (`meters`).
    pub ground: Option<Ground>,
    /// A person attends a dog after being near it for so long.
    pub attended_seconds: Seconds,
    /// Where a camera is looked at seldom (`keyframes_when_enough`), a look for dogs is taken at least so often while none is
    /// there; 0 for every frame while something moves. More than 2 changes nothing.
    pub find_seconds: Seconds,
    /// A dog is gone when unseen for so long.
    pub absence_seconds: Seconds,
    /// Dogs within so many lengths of each other are at one place.
    pub group_lengths: f32,
    /// Dogs that were never seen to move count too, if the detector is sure of them (`still_min_score`).
    pub count_still: bool,
    /// A dog that was never seen to move may be a boulder taken for a sheep: it counts only if `dog` itself leads its
    /// evidence, with at least this mean score over all its detections.
    pub still_min_score: Fraction,
    /// How pressing it is.
    pub severity: Severity,
    /// After an incident is over, no other starts at its place for so long.
    pub cool_down_seconds: Seconds,
    /// When the rule is in force.
    pub schedule: Schedule,
}

impl Default for StrayDogConfig {
    fn default() -> Self {
        Self {
            limit_seconds: Seconds::whole(20),
            zone_limit_seconds: BTreeMap::new(),
            zones: None,
            labels: ["dog", "sheep", "horse", "cow", "bear"].map(Label::new).into(),
            min_share: Fraction::percent(50),
            min_evidence: 1.5,
            person_heights: 2.0,
            person_meters: 4.0,
            ground: None,
            attended_seconds: Seconds::whole(2),
            find_seconds: Seconds::whole(2),
            absence_seconds: Seconds::whole(10),
            group_lengths: 4.0,
            count_still: true,
            still_min_score: Fraction::percent(30),
            severity: Severity::Medium,
            cool_down_seconds: Seconds::whole(60),
            schedule: Schedule::default(),
        }
    }
}

impl StrayDogConfig {
    pub(super) fn problems(&self, zones: &[Zone]) -> Vec<Problem> {
        let mut problems = unknown_zones("zones", self.zones.iter().flatten(), zones);
        problems.extend(unknown_zones("zone_limit_seconds", self.zone_limit_seconds.keys(), zones));
        let positive = [
            ("min_evidence", self.min_evidence),
            ("person_heights", self.person_heights),
            ("person_meters", self.person_meters),
            ("group_lengths", self.group_lengths),
        ];
        for (option, value) in positive {
            if !(value.is_finite() && value >= 0.0) {
                let hint = "a number, 0 or more".to_owned();
                problems.push(Problem { option, message: format!("{value} makes no sense"), hint });
            }
        }
        problems
    }
}

/// A person lost by the tracker for so long may still be there.
const PERSON_SECONDS: f64 = 2.0;
/// A person box that overlaps the dog's so much is the dog under another name.
const SAME_BOX_IOU: f32 = 0.5;
/// How far a dog may have gone while it was not seen: lengths, lengths per second, and lengths at most.
const REACH: (f32, f32, f32) = (1.5, 1.0, 6.0);

#[derive(Debug)]
pub(super) struct StrayDog {
    config: StrayDogConfig,
    limits: Limits,
    zones: Option<Vec<usize>>,
    next: u64,
    groups: Vec<Dogs>,
    label: Label,
}

/// Dogs at one place.
#[derive(Debug)]
struct Dogs {
    number: u64,
    first_seen_at: Timestamp,
    members: Vec<Dog>,
    /// Since when nobody has attended them; `None` while somebody does.
    alone_since: Option<Timestamp>,
    near_since: Option<Timestamp>,
    near_at: Option<Timestamp>,
    /// It has become a finding.
    stated: bool,
}

#[derive(Debug)]
struct Dog {
    track: Option<TrackId>,
    bbox: BBox,
    first_bbox: BBox,
    moved: bool,
    /// Its class alone tells that it is a dog, even if it never moves.
    sure: bool,
    zone: Option<usize>,
    seen_at: Timestamp,
    score: f32,
}

impl StrayDog {
    pub(super) fn new(config: StrayDogConfig, zones: &[Zone]) -> Self {
        let limits = Limits::new(config.limit_seconds, &config.zone_limit_seconds, &BTreeMap::new(), zones);
        let selected = config.zones.as_ref().map(|names| select(Some(names), &[], zones));
        Self { config, limits, zones: selected, next: 1, groups: Vec::new(), label: Label::new("dog") }
    }

    pub(super) fn begin_run(&mut self) {
        for dog in self.groups.iter_mut().flat_map(|g| &mut g.members) {
            dog.track = None;
        }
    }

    pub(super) fn evaluate(&mut self, scene: &Scene<'_>, counts_from: Timestamp, findings: &mut Findings) {
        for track in scene.tracks.iter().filter(|t| t.last_seen_at == scene.at) {
            let zone = self.zone_of(track, scene);
            if is_dog(track, &self.config) && (self.zones.is_none() || zone.is_some()) {
                self.see(track, zone, scene);
            }
        }
        let absence = self.config.absence_seconds.as_f64();
        for group in &mut self.groups {
            group.members.retain(|d| seconds_between(d.seen_at, scene.at) <= absence);
        }
        self.groups.retain(|g| !g.members.is_empty());
        self.join(scene.aspect);
        for group in &mut self.groups {
            let near = group.members.iter().any(|dog| is_attended(dog, scene, &self.config));
            group.attend(near, scene.at, self.config.attended_seconds.as_f64());
        }
        for index in 0..self.groups.len() {
            let finding = self.judge(&self.groups[index], scene, counts_from, findings);
            self.groups[index].stated |= finding.is_some();
            findings.now.extend(finding);
        }
    }

    /// Dogs that came to others belong to them, unless they have been told of by themselves.
    fn join(&mut self, aspect: f32) {
        let mut index = 1;
        while index < self.groups.len() {
            let group = &self.groups[index];
            let beside =
                |older: &Dogs| group.members.iter().any(|d| older.is_beside(d.bbox, &self.config, aspect));
            match self.groups[..index].iter().position(beside).filter(|_| !group.stated) {
                Some(older) => {
                    let group = self.groups.remove(index);
                    self.groups[older].members.extend(group.members);
                }
                None => index += 1,
            }
        }
    }

    /// The zone that the track is in, of those that count; the strictest if there are several.
    fn zone_of(&self, track: &Track, scene: &Scene<'_>) -> Option<usize> {
        let counts = |zone: &usize| self.zones.as_ref().is_none_or(|selected| selected.contains(zone));
        let limit = |zone: usize| self.limits.seconds(Some(zone), None);
        scene.zones_of_track(track.id).filter(counts).min_by(|a, b| limit(*a).total_cmp(&limit(*b)))
    }

    fn see(&mut self, track: &Track, zone: Option<usize>, scene: &Scene<'_>) {
        let dog = Dog {
            track: Some(track.id),
            bbox: track.bbox,
            first_bbox: track.bbox,
            moved: false,
            sure: is_sure(track, &self.config),
            zone,
            seen_at: scene.at,
            score: track.score,
        };
        let same = self.known(track, scene);
        if let Some((group, member)) = same {
            let known = &mut self.groups[group].members[member];
            let length = size_of(track.bbox, scene.aspect);
            let moved = known.moved || distance(known.first_bbox, track.bbox, scene.aspect) > 0.5 * length;
            *known = Dog { first_bbox: known.first_bbox, moved, ..dog };
            return;
        }
        let beside = |g: &&mut Dogs| g.is_beside(track.bbox, &self.config, scene.aspect);
        if let Some(group) = self.groups.iter_mut().find(beside) {
            group.members.push(dog);
            return;
        }
        self.groups.push(Dogs {
            number: self.next,
            first_seen_at: track.first_seen_at,
            members: vec![dog],
            alone_since: Some(track.first_seen_at),
            near_since: None,
            near_at: None,
            stated: false,
        });
        self.next += 1;
    }

    /// The dog that this track is: by number, or the nearest unseen one within reach.
    fn known(&self, track: &Track, scene: &Scene<'_>) -> Option<(usize, usize)> {
        let all = || {
            self.groups
                .iter()
                .enumerate()
                .flat_map(|(g, dogs)| dogs.members.iter().enumerate().map(move |(m, dog)| (g, m, dog)))
        };
        let by_number = all().find(|(_, _, dog)| dog.track == Some(track.id)).map(|(g, m, _)| (g, m));
        by_number.or_else(|| {
            let followed = |dog: &Dog| {
                scene.tracks.iter().any(|t| Some(t.id) == dog.track && t.last_seen_at == scene.at)
            };
            all()
                .filter(|(_, _, dog)| !followed(dog))
                .map(|(g, m, dog)| {
                    let unseen = seconds_between(dog.seen_at, scene.at).max(0.0) as f32;
                    let reach = (REACH.0 + REACH.1 * unseen).min(REACH.2) * size_of(dog.bbox, scene.aspect);
                    (g, m, distance(dog.bbox, track.bbox, scene.aspect) / reach)
                })
                .filter(|(_, _, far)| *far <= 1.0)
                .min_by(|a, b| a.2.total_cmp(&b.2))
                .map(|(g, m, _)| (g, m))
        })
    }

    fn judge(
        &self,
        group: &Dogs,
        scene: &Scene<'_>,
        counts_from: Timestamp,
        findings: &mut Findings,
    ) -> Option<Finding> {
        let counted = || group.members.iter().filter(|d| d.moved || (self.config.count_still && d.sure));
        let since = group.alone_since?.max(counts_from);
        let Some(first) = counted().max_by_key(|d| d.seen_at) else {
            // The next look may make sure of it.
            let zone = group.members.iter().find_map(|d| d.zone);
            findings.expect(since, self.limits.seconds(zone, None));
            return None;
        };
        let held_at = first.seen_at;
        let zone = counted().find_map(|d| d.zone);
        findings.reaches(since, held_at, self.limits.seconds(zone, None)).then(|| Finding {
            subject: Subject::Dogs(group.number),
            first_seen_at: group.first_seen_at,
            severity: self.config.severity,
            zone: zone.map(|z| scene.zones[z].id.clone()),
            since,
            held_at,
            label: Some(self.label.clone()),
            track: first.track,
            bbox: counted().map(|d| d.bbox).reduce(BBox::union).expect("at least one"),
            outline: None,
            count: counted().count() as u32,
            score: counted().map(|d| d.score).fold(0.0, f32::max),
            covered: None,
        })
    }
}

impl Dogs {
    fn is_beside(&self, bbox: BBox, config: &StrayDogConfig, aspect: f32) -> bool {
        self.members.iter().any(|dog| {
            let length = size_of(dog.bbox, aspect).max(size_of(bbox, aspect));
            distance(dog.bbox, bbox, aspect) <= config.group_lengths * length
        })
    }

    /// Takes in whether somebody is near in this frame. Coming near and leaving both take their time.
    fn attend(&mut self, near: bool, at: Timestamp, attended_seconds: f64) {
        let left = |near_at| seconds_between(near_at, at) > PERSON_SECONDS;
        if near {
            let since = *self.near_since.get_or_insert(at);
            self.near_at = Some(at);
            if seconds_between(since, at) >= attended_seconds {
                self.alone_since = None;
            }
        } else if self.near_at.is_none_or(left) {
            self.near_since = None;
            let since = self.near_at.unwrap_or(self.first_seen_at);
            self.alone_since.get_or_insert(since);
        }
    }
}

/// Whether `dog`, and no other animal, leads the track's evidence with a good mean score.
fn is_sure(track: &Track, config: &StrayDogConfig) -> bool {
    let leads = |(label, sum): &(Label, f32)| {
        label.as_str() == "dog" && sum / track.hits.max(1) as f32 >= config.still_min_score.as_f32()
    };
    track.label_evidence.first().is_some_and(leads)
}

/// Whether the evidence of all its sightings says that a track is a dog; not on its way out of the view.
fn is_dog(track: &Track, config: &StrayDogConfig) -> bool {
    let all: f32 = track.label_evidence.iter().map(|(_, e)| e).sum();
    let dog: f32 =
        track.label_evidence.iter().filter(|(l, _)| config.labels.contains(l)).map(|(_, e)| e).sum();
    dog >= config.min_evidence
        && dog >= config.min_share.as_f32() * all
        && track.bbox.fraction_in(track.bbox.clamped()) >= 0.5
}

fn is_attended(dog: &Dog, scene: &Scene<'_>, config: &StrayDogConfig) -> bool {
    scene.tracks.iter().any(|person| {
        Group::of(&person.label) == Group::Person
            && person.state != TrackState::Tentative
            && seconds_between(person.last_seen_at, scene.at) <= PERSON_SECONDS
            && person.bbox.iou(dog.bbox) < SAME_BOX_IOU
            && is_near(dog.bbox, person.bbox, scene.aspect, config)
            && !scene.standing.is_fixture(person.id)
    })
}

fn is_near(dog: BBox, person: BBox, aspect: f32, config: &StrayDogConfig) -> bool {
    let (a, b) = (dog.foot_point(), person.foot_point());
    if let Some(meters) = config.ground.and_then(|g| g.distance(a, b)) {
        return meters <= f64::from(config.person_meters);
    }
    ((a.x - b.x) * aspect).hypot(a.y - b.y) <= config.person_heights * person.height()
}

/// Distance of two boxes' centres in frame heights.
fn distance(a: BBox, b: BBox, aspect: f32) -> f32 {
    let (a, b) = (a.center(), b.center());
    ((a.x - b.x) * aspect).hypot(a.y - b.y)
}
