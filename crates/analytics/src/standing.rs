//! Memory of what stands still, by place and class group and looks, so that one standing bike stays one thing through
//! occlusion, track loss, light change, flicker of the detector and reconnects.
//!
//! It holds four promises:
//! 1. What moves never stands: whoever leaves its place before [`StandingConfig::settle_seconds`] is forgotten.
//! 2. A standing thing goes only when its place is *seen to be empty*: the detector looked, nothing that came later
//!    covers the place, the light did not just change, the place no longer looks as it did (or looks again as it did
//!    before the thing came), and all that for [`StandingConfig::gone_seconds`] and for more looks than the detector
//!    usually misses the thing.
//! 3. Who comes to its place after it left and looks different is another thing.
//! 4. A person who never moves at all is a fixture (a pole that the detector takes for a person).

use std::{collections::VecDeque, sync::Arc};

use parapet_core::{
    BBox, Frame, Label, Picture, SceneChange, Timestamp, Track, TrackId, TrackState, time::seconds_between,
};
use serde::{Deserialize, Serialize};

use crate::{
    Group, Seconds,
    appearance::{Likeness, Patch, is_back},
    tracker::{add_evidence, assignment::best_pairs, size_of},
};

/// What counts as standing, and when it counts as gone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StandingConfig {
    /// What stayed at its place for so long stands.
    pub settle_seconds: Seconds,
    /// A standing thing is gone when its place was seen to be empty for so long.
    pub gone_seconds: Seconds,
    /// A place that is hidden, or that only looks as before, keeps its thing for so long after the last detection.
    pub hold_seconds: Seconds,
    /// A person who never moved for so long is a fixture of the view: a pole, a poster.
    pub fixture_seconds: Seconds,
}

impl Default for StandingConfig {
    fn default() -> Self {
        Self {
            settle_seconds: Seconds::whole(3),
            gone_seconds: Seconds::whole(10),
            hold_seconds: Seconds::whole(1800),
            fixture_seconds: Seconds::whole(120),
        }
    }
}

/// A thing first seen within so long of the first frame, and never seen moving, was there before.
const START_SECONDS: f64 = 10.0;
/// A thing that moves faster than this, in box sizes per second, is passing.
const PASSING_SPEED: f32 = 0.6;
/// Part of a place that must be covered for the thing there to be hidden.
const HIDDEN_FRACTION: f32 = 0.25;
/// Who stands so long while the thing is still seen is its neighbour and does not hide it.
const BESIDE_SECONDS: f64 = 5.0;
/// A part comes to rest with its whole, within so many seconds.
const PART_SECONDS: f64 = 5.0;
/// Detections needed before anything stands, and the least share of looks that must find it.
const SETTLE_HITS: u32 = 3;
const SETTLE_RATE: f32 = 0.15;
/// Chance that all looks in a row missed a thing that is there, at which it is believed gone.
const MISS_CHANCE: f32 = 0.001;
/// Time between two looks at the pixels of the place of a thing that the detector does not find.
const LOOK_SECONDS: f64 = 0.4;
/// Time between two pictures taken of a thing that the detector finds.
const LEARN_SECONDS: f64 = 1.0;
/// Pictures of the view that are kept to tell how a place looked before its thing came, and the time between them.
const BEFORE_PICTURES: usize = 3;
const BEFORE_SECONDS: f64 = 1.5;
/// Time constant with which the remembered place follows the detected boxes.
const FOLLOW_SECONDS: f64 = 20.0;

/// Something at a place.
#[derive(Debug, Clone)]
pub struct Thing {
    /// Number in this memory; never reused.
    pub number: u64,
    /// What kind of thing.
    pub group: Group,
    /// Class with the most evidence at this place.
    pub label: Label,
    /// Its place.
    pub bbox: BBox,
    /// When it came to rest there.
    pub since: Timestamp,
    /// Latest detection.
    pub seen_at: Timestamp,
    /// Latest sign that it is there: a detection, or a place that looks as it did.
    pub held_at: Timestamp,
    /// The track that it is followed by now, in the present run.
    pub track: Option<TrackId>,
    /// It stands; before that it has only just stopped.
    pub settled: bool,
    /// It stood there when the first frame came.
    pub from_start: bool,
    /// Running mean of its detection scores.
    pub score: f32,
    evidence: Vec<(Label, f32)>,
    origin: BBox,
    hits: u32,
    looks: u32,
    empty_seconds: f64,
    empty_looks: u32,
    looked_at: Option<Timestamp>,
    learned_at: Option<Timestamp>,
    likeness: Likeness,
    patch: Option<(Patch, BBox)>,
    /// The view some seconds before it came; none for what stood there from the start.
    before: Option<Arc<Picture>>,
    /// Tracks that covered a part of its place while it was seen.
    beside: Vec<Beside>,
    /// The light changed since the patch was taken.
    patch_stale: bool,
    /// Looks in a row in which the detector saw it but the patch did not.
    unlike: u32,
    /// Its track was seen to leave the place.
    left: bool,
    /// Nobody watched the place since it was last seen: another thing may stand there by now.
    unwatched: bool,
}

/// A track before a thing that is seen all the same.
#[derive(Debug, Clone, Copy)]
struct Beside {
    track: TrackId,
    since: Timestamp,
    /// Least part of the place that it covered since then.
    part: f32,
}

/// Everything that stands or has just stopped in one view.
#[derive(Debug)]
pub struct StandingMemory {
    config: StandingConfig,
    next: u64,
    things: Vec<Thing>,
    first_frame_at: Option<Timestamp>,
    judged_at: Option<Timestamp>,
    /// How the view looked of late, oldest first.
    lately: VecDeque<(Timestamp, Arc<Picture>)>,
    /// The view was shifted in the latest frame: places mean nothing.
    blind: bool,
    /// First frame of this visit, for a camera that looks elsewhere in between.
    visit_at: Option<Timestamp>,
    awaits_visit: bool,
    /// Parts of the view that cannot be seen on this visit.
    unseen: Vec<BBox>,
}

impl StandingMemory {
    /// An empty memory.
    pub fn new(config: StandingConfig) -> Self {
        Self {
            config,
            next: 1,
            things: Vec::new(),
            first_frame_at: None,
            judged_at: None,
            lately: VecDeque::new(),
            blind: false,
            visit_at: None,
            awaits_visit: false,
            unseen: Vec::new(),
        }
    }

    /// All things, by rising number; those not `settled` have only just stopped.
    pub fn things(&self) -> &[Thing] {
        &self.things
    }

    /// Whether a track is a person who never moves.
    pub fn is_fixture(&self, track: TrackId) -> bool {
        self.things.iter().any(|t| t.track == Some(track) && self.is_fixture_thing(t))
    }

    fn is_fixture_thing(&self, thing: &Thing) -> bool {
        thing.group == Group::Person
            && thing.settled
            && seconds_between(thing.since, thing.seen_at) >= self.config.fixture_seconds.as_f64()
    }

    /// Track numbers start again; places stay.
    pub fn begin_run(&mut self) {
        for thing in &mut self.things {
            thing.track = None;
            thing.left = false;
            thing.empty_seconds = 0.0;
            thing.empty_looks = 0;
            thing.beside.clear();
        }
        self.judged_at = None;
        self.lately.clear();
    }

    /// The camera looks here again after it looked elsewhere; `unseen` parts of the view cannot be seen this time.
    /// Places stay, but who stands there now must look like who stood there.
    pub fn begin_visit(&mut self, unseen: Vec<BBox>) {
        self.awaits_visit = true;
        self.unseen = unseen;
        // How long a place was seen empty goes on: visits may be short.
        for thing in &mut self.things {
            thing.track = None;
            thing.unwatched = true;
            thing.beside.clear();
        }
        self.judged_at = None;
        self.lately.clear();
    }

    /// First half of a frame: ties the tracks seen in it to places.
    pub fn attach(&mut self, tracks: &[Track], frame: &Frame) {
        let at = frame.captured_at;
        if std::mem::take(&mut self.awaits_visit) {
            self.visit_at = Some(at);
        }
        let first_frame_at = *self.first_frame_at.get_or_insert(at);
        if self.blind {
            return;
        }
        let seen: Vec<&Track> =
            tracks.iter().filter(|t| t.last_seen_at == at && Group::of(&t.label) != Group::Animal).collect();
        let mut placed = vec![false; seen.len()];
        for (index, track) in seen.iter().enumerate() {
            if let Some(thing) = self.things.iter_mut().find(|t| t.track == Some(track.id)) {
                if thing.is_at_place(track) {
                    thing.observe(track, at, &self.config);
                    placed[index] = true;
                } else {
                    thing.track = None;
                    thing.left = true;
                }
            }
        }
        self.things.retain(|t| t.settled || !t.left);
        self.reattach(&seen, &mut placed, frame);
        for (track, _) in seen.iter().zip(&placed).filter(|(_, placed)| !**placed) {
            let group = Group::of(&track.label);
            let double = |t: &Thing| {
                t.group == group
                    && ((t.seen_at == at && t.bbox.iou(track.bbox) > 0.7) || t.has_part(track.bbox))
            };
            if self.things.iter().any(double) {
                continue;
            }
            let from_start = seconds_between(first_frame_at, at) <= START_SECONDS
                && seconds_between(track.first_seen_at, at) <= 1.0;
            let before = self.lately.front().filter(|_| !from_start).map(|(_, picture)| picture.clone());
            self.things.push(Thing::new(self.next, track, at, from_start, before));
            self.next += 1;
        }
        self.resolve_rivals(frame);
        self.drop_parts();
    }

    /// A small detector boxes a wheel beside its bike, and a cab beside its truck: what came to rest with a larger thing
    /// of its kind, inside it, is a part of it. What stood there before is another thing.
    fn drop_parts(&mut self) {
        let is_part = |part: &Thing| {
            self.things.iter().any(|whole| {
                let together = seconds_between(whole.since, part.since) >= -PART_SECONDS;
                whole.group == part.group
                    && together
                    && whole.number != part.number
                    && whole.has_part(part.bbox)
            })
        };
        let parts: Vec<u64> = self.things.iter().filter(|t| is_part(t)).map(|t| t.number).collect();
        self.things.retain(|t| !parts.contains(&t.number));
    }

    /// What has come to stand where another thing stood that is not seen now is that thing, unless that one was seen
    /// to leave or looked different.
    fn resolve_rivals(&mut self, frame: &Frame) {
        let at = frame.captured_at;
        let came = |t: &Thing| t.settled && t.seen_at == at;
        let pairs: Vec<(usize, usize)> = (0..self.things.len())
            .filter(|new| came(&self.things[*new]))
            .filter_map(|new| {
                let stood = |old: &usize| {
                    let (old, new) = (&self.things[*old], &self.things[new]);
                    let unseen = old.settled && old.seen_at < at && old.group == new.group;
                    unseen && old.bbox.iou(new.bbox) >= 0.5
                };
                (0..new).find(stood).map(|old| (old, new))
            })
            .collect();
        let mut over = Vec::new();
        for (old, new) in pairs {
            if self.things[old].left || self.things[old].looks_different(frame) {
                over.push(self.things[old].number);
            } else {
                let new = self.things[new].clone();
                over.push(new.number);
                self.things[old].take_over(&new);
            }
        }
        self.things.retain(|t| !over.contains(&t.number));
    }

    /// Ties tracks without a place to places without a seen track.
    fn reattach(&mut self, seen: &[&Track], placed: &mut [bool], frame: &Frame) {
        let at = frame.captured_at;
        let aspect = frame.picture.width() as f32 / frame.picture.height() as f32;
        let mut pairs = Vec::new();
        for (s, track) in seen.iter().enumerate().filter(|(s, _)| !placed[*s]) {
            let speed = (track.velocity[0] * aspect).hypot(track.velocity[1]) / size_of(track.bbox, aspect);
            for (t, thing) in self.things.iter().enumerate() {
                if thing.seen_at != at && speed < PASSING_SPEED && thing.is_at_place(track) {
                    pairs.push((s, t, 0.1 + thing.bbox.iou(track.bbox)));
                }
            }
        }
        let mut replaced = Vec::new();
        for (s, t) in best_pairs(seen.len(), self.things.len(), &pairs) {
            let thing = &mut self.things[t];
            let doubtful = thing.left || thing.unwatched || thing.empty_seconds >= 1.0;
            if thing.settled && doubtful && thing.looks_different(frame) {
                replaced.push(thing.number);
                continue;
            }
            thing.track = Some(seen[s].id);
            thing.observe(seen[s], at, &self.config);
            placed[s] = true;
        }
        self.things.retain(|t| !replaced.contains(&t.number));
    }

    /// Second half of a frame, once the change detector has spoken: who was not seen, and does that mean anything?
    pub fn judge(&mut self, tracks: &[Track], frame: &Frame, change: &SceneChange) {
        let at = frame.captured_at;
        let elapsed = self.judged_at.map_or(0.0, |before| seconds_between(before, at).max(0.0));
        self.judged_at = Some(at);
        self.blind = change.view_shifted;
        if change.light_changed {
            for thing in &mut self.things {
                thing.patch_stale = true;
                thing.before = None;
            }
        }
        if change.light_changed || change.view_shifted {
            self.lately.clear();
            return;
        }
        self.remember_view(frame);
        for thing in self.things.iter_mut().filter(|t| t.seen_at == at) {
            thing.note_beside(tracks, at);
        }
        let hidden = self.hidden(tracks, at);
        let config = &self.config;
        for (thing, hidden) in self.things.iter_mut().zip(hidden) {
            if thing.seen_at == at {
                if !hidden {
                    thing.learn(frame);
                }
            } else if !hidden {
                thing.miss(frame, elapsed.min(config.gone_seconds.as_f64() / 2.0));
            }
        }
        let visit_at = self.visit_at.unwrap_or(Timestamp::MIN);
        self.things.retain(|t| !t.is_gone(at, visit_at, config));
    }

    fn remember_view(&mut self, frame: &Frame) {
        let at = frame.captured_at;
        if self.lately.back().is_some_and(|(last, _)| seconds_between(*last, at) < BEFORE_SECONDS) {
            return;
        }
        self.lately.push_back((at, frame.picture.clone()));
        if self.lately.len() > BEFORE_PICTURES {
            self.lately.pop_front();
        }
    }

    /// For each thing, whether something that came later covers its place.
    fn hidden(&self, tracks: &[Track], at: Timestamp) -> Vec<bool> {
        let owner = |track: &Track| self.things.iter().find(|t| t.track == Some(track.id));
        let fresh: Vec<(&Track, Option<&Thing>)> = tracks
            .iter()
            .filter(|t| seconds_between(t.last_seen_at, at) <= 1.0)
            .map(|t| (t, owner(t)))
            .filter(|(_, owner)| owner.is_none_or(|o| !self.is_fixture_thing(o)))
            .collect();
        let covers = |thing: &Thing, track: &Track, owner: Option<&Thing>| {
            let part = thing.bbox.fraction_in(track.bbox);
            match owner {
                Some(owner) if owner.number == thing.number => 0.0,
                // Neighbours that it was seen beside do not hide it, nor do those that only touch its place.
                Some(owner) if owner.settled => {
                    let beside = seconds_between(owner.since, thing.seen_at) >= BESIDE_SECONDS;
                    if beside || part < 2.0 * HIDDEN_FRACTION { 0.0 } else { part }
                }
                _ => part - thing.part_beside(track.id, at),
            }
        };
        let out_of_sight =
            |thing: &Thing| self.unseen.iter().map(|part| thing.bbox.fraction_in(*part)).sum::<f32>();
        self.things
            .iter()
            .map(|thing| {
                out_of_sight(thing) >= HIDDEN_FRACTION
                    || fresh.iter().map(|(track, owner)| covers(thing, track, *owner)).sum::<f32>()
                        >= HIDDEN_FRACTION
            })
            .collect()
    }

    /// Boxes of persons and of moving objects, and what is out of sight: they belong neither to the background nor to what
    /// was put down.
    pub fn occupied(&self, tracks: &[Track], at: Timestamp) -> Vec<BBox> {
        let stands = |id| self.things.iter().any(|t| t.track == Some(id) && t.settled);
        tracks
            .iter()
            .filter(|t| seconds_between(t.last_seen_at, at) <= 1.0 && t.state != TrackState::Tentative)
            .filter(
                |t| if Group::of(&t.label) == Group::Person { !self.is_fixture(t.id) } else { !stands(t.id) },
            )
            .map(|t| t.bbox.clamped())
            .filter(|b| b.area() > 0.0)
            .chain(self.unseen.iter().copied())
            .collect()
    }

    /// Whether most of the box is out of sight.
    pub(crate) fn is_unseen(&self, bbox: BBox) -> bool {
        self.unseen.iter().any(|part| bbox.fraction_in(*part) > 0.5)
    }
}

impl Thing {
    fn new(
        number: u64,
        track: &Track,
        at: Timestamp,
        from_start: bool,
        before: Option<Arc<Picture>>,
    ) -> Self {
        Self {
            number,
            group: Group::of(&track.label),
            label: track.label.clone(),
            bbox: track.bbox,
            since: at,
            seen_at: at,
            held_at: at,
            track: Some(track.id),
            settled: false,
            from_start,
            score: track.score,
            evidence: vec![(track.label.clone(), track.score)],
            origin: track.bbox,
            hits: 1,
            looks: 1,
            empty_seconds: 0.0,
            empty_looks: 0,
            looked_at: None,
            learned_at: None,
            likeness: Likeness::Unclear,
            patch: None,
            before,
            beside: Vec::new(),
            patch_stale: false,
            unlike: 0,
            left: false,
            unwatched: false,
        }
    }

    /// Whether a track's box is this thing at its place; part of it will do, for what stands before it.
    fn is_at_place(&self, track: &Track) -> bool {
        if Group::of(&track.label) != self.group {
            return false;
        }
        let b = track.bbox;
        if self.group == Group::Person {
            return self.bbox.iou(b) >= 0.7 && self.origin.iou(b) >= 0.6;
        }
        let part = b.fraction_in(self.bbox) >= 0.8 && b.area() >= 0.25 * self.bbox.area();
        (self.bbox.iou(b) >= 0.5 && self.origin.iou(b) >= 0.5) || part
    }

    /// Whether a box is too small and too far inside to be another thing of this kind beside this one.
    fn has_part(&self, bbox: BBox) -> bool {
        self.settled && bbox.area() < 0.6 * self.bbox.area() && bbox.fraction_in(self.bbox) >= 0.75
    }

    fn observe(&mut self, track: &Track, at: Timestamp, config: &StandingConfig) {
        let elapsed = seconds_between(self.seen_at, at).max(0.0);
        // A box cut off by what stands before it does not move the place.
        if self.bbox.iou(track.bbox) >= 0.5 {
            let weight =
                (elapsed / if self.settled { FOLLOW_SECONDS } else { FOLLOW_SECONDS / 10.0 }).min(0.5);
            self.bbox = blend(self.bbox, track.bbox, weight as f32);
        }
        self.seen_at = at;
        self.held_at = at;
        self.hits += 1;
        self.looks += 1;
        self.empty_seconds = 0.0;
        self.empty_looks = 0;
        self.left = false;
        self.unwatched = false;
        self.looked_at = None;
        self.likeness = Likeness::Unclear;
        self.score += 0.2 * (track.score - self.score);
        add_evidence(&mut self.evidence, &track.label, track.score);
        self.label = self.evidence[0].0.clone();
        let rests = seconds_between(self.since, at) >= config.settle_seconds.as_f64();
        if !self.settled && rests && self.hits >= SETTLE_HITS && self.hit_rate() >= SETTLE_RATE {
            self.settled = true;
        }
    }

    /// Goes on as this later thing, which it was all along.
    fn take_over(&mut self, new: &Self) {
        self.track = new.track;
        self.bbox = new.bbox;
        self.origin = new.origin;
        self.seen_at = new.seen_at;
        self.held_at = new.held_at;
        self.hits += new.hits;
        self.looks += new.looks;
        self.empty_seconds = 0.0;
        self.empty_looks = 0;
        self.likeness = Likeness::Unclear;
        self.patch_stale = true;
    }

    fn hit_rate(&self) -> f32 {
        (self.hits as f32 + 1.0) / (self.looks as f32 + 2.0)
    }

    /// Seen by the detector and not hidden: keep its looks up to date.
    fn learn(&mut self, frame: &Frame) {
        let at = frame.captured_at;
        if self.learned_at.is_some_and(|before| seconds_between(before, at) < LEARN_SECONDS) {
            return;
        }
        self.learned_at = Some(at);
        let Some(now) = Patch::of(&frame.picture, self.bbox) else { return };
        let unlike = match &self.patch {
            Some((patch, place)) if !self.patch_stale => {
                let there = Patch::of(&frame.picture, *place);
                there.is_some_and(|there| patch.likeness(&there) == Likeness::Different)
            }
            _ => false,
        };
        self.unlike = if unlike { self.unlike + 1 } else { 0 };
        // Something unknown may stand before it for a moment; what lasts is how it looks now.
        if self.unlike == 0 || self.unlike >= 5 {
            self.patch = Some((now, self.bbox));
            self.patch_stale = false;
            self.unlike = 0;
        }
    }

    /// Not seen by the detector though nothing hides it.
    fn miss(&mut self, frame: &Frame, elapsed: f64) {
        let at = frame.captured_at;
        self.looks += 1;
        if self.looked_at.is_none_or(|before| seconds_between(before, at) >= LOOK_SECONDS) {
            self.looked_at = Some(at);
            self.likeness = self.compare(frame);
        }
        if self.likeness == Likeness::Same {
            self.held_at = at;
            self.empty_seconds = 0.0;
            self.empty_looks = 0;
        } else {
            self.empty_seconds += elapsed;
            self.empty_looks += 1;
        }
    }

    fn compare(&self, frame: &Frame) -> Likeness {
        let Some((patch, place)) = self.patch.as_ref().filter(|_| !self.patch_stale) else {
            return Likeness::Unclear;
        };
        let Some(now) = Patch::of(&frame.picture, *place) else { return Likeness::Unclear };
        let before = self.before.as_ref().and_then(|picture| Patch::of(picture, *place));
        if before.is_some_and(|before| is_back(&before, patch, &now)) {
            Likeness::Different
        } else {
            patch.likeness(&now)
        }
    }

    /// Notes who covers a part of the place of this thing, which is seen now.
    fn note_beside(&mut self, tracks: &[Track], at: Timestamp) {
        let mut beside = Vec::new();
        for track in tracks.iter().filter(|t| t.last_seen_at == at && Some(t.id) != self.track) {
            let part = self.bbox.fraction_in(track.bbox);
            if part >= HIDDEN_FRACTION / 2.0 {
                let known = self.beside.iter().find(|b| b.track == track.id);
                let (since, least) = known.map_or((at, part), |b| (b.since, b.part.min(part)));
                beside.push(Beside { track: track.id, since, part: least });
            }
        }
        self.beside = beside;
    }

    /// The part of the place that this track covered for a while without hiding the thing.
    fn part_beside(&self, track: TrackId, at: Timestamp) -> f32 {
        let lasted = |b: &&Beside| seconds_between(b.since, at.min(self.seen_at)) >= BESIDE_SECONDS;
        self.beside.iter().filter(|b| b.track == track).find(lasted).map_or(0.0, |b| b.part)
    }

    fn looks_different(&self, frame: &Frame) -> bool {
        self.compare(frame) == Likeness::Different
    }

    fn is_gone(&self, at: Timestamp, visit_at: Timestamp, config: &StandingConfig) -> bool {
        // While nobody looked, nothing was missed.
        if seconds_between(self.seen_at.max(visit_at), at) >= config.hold_seconds.as_f64() {
            return true;
        }
        let misses = (MISS_CHANCE.ln() / (1.0 - self.hit_rate()).max(1e-3).ln()).ceil();
        let looks = if self.likeness == Likeness::Different { 3.0 } else { misses.clamp(3.0, 40.0) };
        let gone_seconds = config.gone_seconds.as_f64();
        let seconds = if self.settled { gone_seconds } else { gone_seconds.min(4.0) };
        self.empty_seconds >= seconds && self.empty_looks as f32 >= looks
    }
}

fn blend(a: BBox, b: BBox, weight: f32) -> BBox {
    let (a, b) = (<[f32; 4]>::from(a), <[f32; 4]>::from(b));
    let mix = |i: usize| a[i] + weight * (b[i] - a[i]);
    BBox::new(mix(0), mix(1), mix(2), mix(3)).expect("between two boxes lies a box")
}
