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

mod thing;

pub use thing::Thing;

use std::{collections::VecDeque, sync::Arc};

use parapet_core::{
    BBox, Frame, Picture, SceneChange, Timestamp, Track, TrackId, TrackState, time::seconds_between,
};
use serde::{Deserialize, Serialize};

use self::thing::Beside;
use crate::{
    Group, Seconds,
    tracker::{
        assignment::{Matcher, Pair},
        size_of,
    },
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
/// Pictures of the view that are kept to tell how a place looked before its thing came, and the time between them.
const BEFORE_PICTURES: usize = 3;
const BEFORE_SECONDS: f64 = 1.5;
/// Largest side of the one that is kept of a view that is looked at by visits: there are hundreds of such views.
const VISITED_SIDE: usize = 480;

/// Everything that stands or has just stopped in one view.
#[derive(Debug)]
pub struct StandingMemory {
    config: StandingConfig,
    /// The view is looked at by visits of a few frames, and nobody knows what happens in between.
    by_visits: bool,
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
    scratch: Scratch,
}

/// Memory that is used again at each frame.
#[derive(Debug, Default)]
struct Scratch {
    seen: Vec<Seen>,
    /// The thing of each track that has one, by rising track.
    owners: Vec<(TrackId, usize)>,
    boxes: Vec<(TrackId, BBox)>,
    fresh: Vec<Fresh>,
    hidden: Vec<bool>,
    beside: Vec<Beside>,
    pairs: Vec<Pair>,
    matcher: Matcher,
}

/// A track seen in this frame, by its place in the list.
#[derive(Debug)]
struct Seen {
    track: usize,
    group: Group,
    /// It belongs to a thing.
    placed: bool,
}

/// A track seen just now, with its thing's place in the list.
#[derive(Debug)]
struct Fresh {
    track: TrackId,
    bbox: BBox,
    owner: Option<usize>,
}

impl StandingMemory {
    /// An empty memory, of a view that is looked at `by_visits` or all the time.
    pub fn new(config: StandingConfig, by_visits: bool) -> Self {
        Self {
            config,
            by_visits,
            next: 1,
            things: Vec::new(),
            first_frame_at: None,
            judged_at: None,
            lately: VecDeque::new(),
            blind: false,
            visit_at: None,
            awaits_visit: false,
            unseen: Vec::new(),
            scratch: Scratch::default(),
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

    /// Another visit to a view that is looked at by visits. Places stay, and that one is empty counts over the time between
    /// the visits; but who stands there now must look like who stood there.
    pub(crate) fn look_again(&mut self) {
        for thing in &mut self.things {
            thing.track = None;
            thing.unwatched = true;
            thing.beside.clear();
        }
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
        let mut scratch = std::mem::take(&mut self.scratch);
        let seen = tracks.iter().enumerate().filter(|(_, t)| t.last_seen_at == at);
        let seen = seen.map(|(track, t)| Seen { track, group: Group::of(&t.label), placed: false });
        scratch.seen.clear();
        scratch.seen.extend(seen.filter(|s| s.group != Group::Animal));
        self.find_owners(&mut scratch.owners);
        for seen in &mut scratch.seen {
            let track = &tracks[seen.track];
            let Some(thing) = owner_of(&scratch.owners, track.id).map(|i| &mut self.things[i]) else {
                continue;
            };
            if thing.is_at_place(track.bbox, seen.group) {
                thing.observe(track, at, &self.config);
                seen.placed = true;
            } else {
                thing.track = None;
                thing.left = true;
            }
        }
        self.things.retain(|t| t.settled || !t.left);
        self.reattach(tracks, &mut scratch, frame);
        for Seen { track, group, .. } in scratch.seen.iter().filter(|s| !s.placed) {
            let track = &tracks[*track];
            let double = |t: &Thing| {
                t.group == *group
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
        self.scratch = scratch;
        self.resolve_rivals(frame);
        self.drop_parts();
    }

    /// The first thing of each track that has one.
    fn find_owners(&self, owners: &mut Vec<(TrackId, usize)>) {
        owners.clear();
        owners.extend(self.things.iter().enumerate().filter_map(|(i, t)| Some((t.track?, i))));
        owners.sort_unstable();
    }

    /// A small detector boxes a wheel beside its bike, and a cab beside its truck: what came to rest with a larger thing
    /// of its kind, inside it, is a part of it. What stood there before is another thing.
    fn drop_parts(&mut self) {
        let is_part = |part: &Thing| {
            self.things.iter().any(|whole| {
                whole.group == part.group
                    && whole.has_part(part.bbox)
                    && whole.number != part.number
                    && seconds_between(whole.since, part.since) >= -PART_SECONDS
            })
        };
        let parts: Vec<u64> = self.things.iter().filter(|t| is_part(t)).map(|t| t.number).collect();
        if !parts.is_empty() {
            self.things.retain(|t| !parts.contains(&t.number));
        }
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
    fn reattach(&mut self, tracks: &[Track], scratch: &mut Scratch, frame: &Frame) {
        let at = frame.captured_at;
        let aspect = frame.picture.width() as f32 / frame.picture.height() as f32;
        scratch.pairs.clear();
        for (s, seen) in scratch.seen.iter().enumerate().filter(|(_, seen)| !seen.placed) {
            let track = &tracks[seen.track];
            let speed = (track.velocity[0] * aspect).hypot(track.velocity[1]) / size_of(track.bbox, aspect);
            for (t, thing) in self.things.iter().enumerate() {
                let free = thing.seen_at != at && speed < PASSING_SPEED;
                if free && thing.is_at_place(track.bbox, seen.group) {
                    scratch.pairs.push((s, t, 0.1 + thing.bbox.iou(track.bbox)));
                }
            }
        }
        let mut replaced = Vec::new();
        let pairs = scratch.matcher.best_pairs(scratch.seen.len(), self.things.len(), &scratch.pairs);
        for &(s, t) in pairs {
            let (seen, thing) = (&mut scratch.seen[s], &mut self.things[t]);
            let doubtful = thing.left || thing.unwatched || thing.empty_seconds >= 1.0;
            // What was seen on one visit only may have been in passing, and this one too.
            let another = if thing.settled {
                doubtful && thing.looks_different(frame)
            } else {
                self.by_visits && thing.unwatched && !thing.looks_same(frame)
            };
            if another {
                replaced.push(thing.number);
                continue;
            }
            let track = &tracks[seen.track];
            thing.track = Some(track.id);
            thing.observe(track, at, &self.config);
            seen.placed = true;
        }
        if !replaced.is_empty() {
            self.things.retain(|t| !replaced.contains(&t.number));
        }
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
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.boxes.clear();
        scratch.boxes.extend(tracks.iter().filter(|t| t.last_seen_at == at).map(|t| (t.id, t.bbox)));
        for thing in self.things.iter_mut().filter(|t| t.seen_at == at) {
            thing.note_beside(&scratch.boxes, at, &mut scratch.beside);
        }
        self.find_hidden(tracks, at, &mut scratch);
        let config = &self.config;
        for (thing, hidden) in self.things.iter_mut().zip(&scratch.hidden) {
            if thing.seen_at == at {
                if !hidden {
                    thing.learn(frame);
                }
            } else if !hidden {
                thing.miss(frame, elapsed.min(config.gone_seconds.as_f64() / 2.0));
            }
        }
        self.scratch = scratch;
        let visit_at = self.visit_at.unwrap_or(Timestamp::MIN);
        self.things.retain(|t| !t.is_gone(at, visit_at, config));
    }

    /// Whether more looks are needed soon: something has just come to rest, or the place of something may be empty.
    pub(crate) fn is_undecided(&self) -> bool {
        self.things.iter().any(Thing::is_undecided)
    }

    /// The same, of things of these groups.
    pub(crate) fn is_undecided_of(&self, groups: &[Group]) -> bool {
        self.things.iter().any(|thing| groups.contains(&thing.group) && thing.is_undecided())
    }

    /// Nothing has moved since the latest look: what was there then is there now, and what was not seen is neither more
    /// nor less likely gone.
    pub(crate) fn hold(&mut self, frame: &Frame) {
        let at = frame.captured_at;
        if let Some(before) = self.judged_at.replace(at) {
            for thing in &mut self.things {
                thing.hold(before, at);
            }
        }
        self.remember_view(frame);
    }

    fn remember_view(&mut self, frame: &Frame) {
        let at = frame.captured_at;
        if self.lately.back().is_some_and(|(last, _)| seconds_between(*last, at) < BEFORE_SECONDS) {
            return;
        }
        let (picture, kept) = if self.by_visits {
            (Arc::new(frame.picture.fitted(VISITED_SIDE, VISITED_SIDE)), 1)
        } else {
            // Things keep it for as long as they stand, and decoders want their memory back.
            (Arc::new(frame.picture.copied()), BEFORE_PICTURES)
        };
        self.lately.push_back((at, picture));
        if self.lately.len() > kept {
            self.lately.pop_front();
        }
    }

    /// For each thing, whether something that came later covers its place.
    fn find_hidden(&self, tracks: &[Track], at: Timestamp, scratch: &mut Scratch) {
        let Scratch { owners, fresh, hidden, .. } = scratch;
        self.find_owners(owners);
        fresh.clear();
        fresh.extend(
            tracks
                .iter()
                .filter(|t| seconds_between(t.last_seen_at, at) <= 1.0)
                .map(|t| Fresh { track: t.id, bbox: t.bbox, owner: owner_of(owners, t.id) })
                .filter(|f| f.owner.is_none_or(|o| !self.is_fixture_thing(&self.things[o]))),
        );
        let covers = |thing: &Thing, fresh: &Fresh| {
            let part = thing.bbox.fraction_in(fresh.bbox);
            match fresh.owner.map(|owner| &self.things[owner]) {
                Some(owner) if owner.number == thing.number => 0.0,
                // Neighbours that it was seen beside do not hide it, nor do those that only touch its place.
                Some(owner) if owner.settled => {
                    if part < 2.0 * HIDDEN_FRACTION {
                        return 0.0;
                    }
                    let beside = seconds_between(owner.since, thing.seen_at) >= BESIDE_SECONDS;
                    if beside { 0.0 } else { part }
                }
                _ => part - thing.part_beside(fresh.track, at),
            }
        };
        let out_of_sight =
            |thing: &Thing| self.unseen.iter().map(|part| thing.bbox.fraction_in(*part)).sum::<f32>();
        hidden.clear();
        hidden.extend(self.things.iter().map(|thing| {
            out_of_sight(thing) >= HIDDEN_FRACTION
                || fresh.iter().map(|fresh| covers(thing, fresh)).sum::<f32>() >= HIDDEN_FRACTION
        }));
    }

    /// Boxes of persons and of moving objects, and what is out of sight: they belong neither to the background nor to what
    /// was put down. A visit is too short to believe or not to believe a track.
    pub(crate) fn find_occupied(&self, tracks: &[Track], at: Timestamp, occupied: &mut Vec<BBox>) {
        let stands = |id| self.things.iter().any(|t| t.track == Some(id) && t.settled);
        let boxes = tracks
            .iter()
            .filter(|t| {
                seconds_between(t.last_seen_at, at) <= 1.0
                    && (self.by_visits || t.state != TrackState::Tentative)
            })
            .filter(
                |t| if Group::of(&t.label) == Group::Person { !self.is_fixture(t.id) } else { !stands(t.id) },
            )
            .map(|t| t.bbox.clamped())
            .filter(|b| b.area() > 0.0);
        occupied.clear();
        occupied.extend(boxes.chain(self.unseen.iter().copied()));
    }

    /// Whether most of the box is out of sight.
    pub(crate) fn is_unseen(&self, bbox: BBox) -> bool {
        self.unseen.iter().any(|part| bbox.fraction_in(*part) > 0.5)
    }
}

/// The place in the list of the first thing that this track belongs to.
fn owner_of(owners: &[(TrackId, usize)], track: TrackId) -> Option<usize> {
    let first = owners.partition_point(|(id, _)| *id < track);
    owners.get(first).filter(|(id, _)| *id == track).map(|(_, index)| *index)
}
