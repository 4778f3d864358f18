//! One thing at its place: what is remembered of it, and how each look changes that.

use std::sync::Arc;

use parapet_core::{BBox, Frame, Label, Picture, Timestamp, Track, TrackId, time::seconds_between};

use super::{BESIDE_SECONDS, HIDDEN_FRACTION, StandingConfig};
use crate::{
    Group,
    appearance::{Likeness, Patch, is_back},
    tracker::add_evidence,
};

/// Detections needed before anything stands, and the least share of looks that must find it.
const SETTLE_HITS: u32 = 3;
const SETTLE_RATE: f32 = 0.15;
/// Chance that all looks in a row missed a thing that is there, at which it is believed gone.
const MISS_CHANCE: f32 = 0.001;
/// Time between two looks at the pixels of the place of a thing that the detector does not find.
const LOOK_SECONDS: f64 = 0.4;
/// Time between two pictures taken of a thing that the detector finds.
const LEARN_SECONDS: f64 = 1.0;
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
    pub(super) empty_seconds: f64,
    pub(super) empty_looks: u32,
    looked_at: Option<Timestamp>,
    learned_at: Option<Timestamp>,
    likeness: Likeness,
    /// How it looks, and where that was; it is large, and lists of things are gone through often.
    patch: Option<Box<(Patch, BBox)>>,
    /// The view some seconds before it came; none for what stood there from the start.
    pub(super) before: Option<Arc<Picture>>,
    /// Tracks that covered a part of its place while it was seen.
    pub(super) beside: Vec<Beside>,
    /// The light changed since the patch was taken.
    pub(super) patch_stale: bool,
    /// Looks in a row in which the detector saw it but the patch did not.
    unlike: u32,
    /// Its track was seen to leave the place.
    pub(super) left: bool,
    /// Nobody watched the place since it was last seen: another thing may stand there by now.
    pub(super) unwatched: bool,
}

/// A track before a thing that is seen all the same.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beside {
    track: TrackId,
    since: Timestamp,
    /// Least part of the place that it covered since then.
    part: f32,
}

impl Thing {
    pub(super) fn new(
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

    /// Whether a box of this group is this thing at its place; part of it will do, for what stands before it.
    pub(super) fn is_at_place(&self, b: BBox, group: Group) -> bool {
        if group != self.group || self.bbox.intersection(b).is_none() {
            return false;
        }
        if self.group == Group::Person {
            return self.bbox.iou(b) >= 0.7 && self.origin.iou(b) >= 0.6;
        }
        let part = b.fraction_in(self.bbox) >= 0.8 && b.area() >= 0.25 * self.bbox.area();
        (self.bbox.iou(b) >= 0.5 && self.origin.iou(b) >= 0.5) || part
    }

    /// Whether a box is too small and too far inside to be another thing of this kind beside this one.
    pub(super) fn has_part(&self, bbox: BBox) -> bool {
        self.settled && bbox.area() < 0.6 * self.bbox.area() && bbox.fraction_in(self.bbox) >= 0.75
    }

    pub(super) fn observe(&mut self, track: &Track, at: Timestamp, config: &StandingConfig) {
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
        if self.label != self.evidence[0].0 {
            self.label = self.evidence[0].0.clone();
        }
        let rests = seconds_between(self.since, at) >= config.settle_seconds.as_f64();
        if !self.settled && rests && self.hits >= SETTLE_HITS && self.hit_rate() >= SETTLE_RATE {
            self.settled = true;
        }
    }

    /// Whether more looks are needed soon to know whether it stands, or whether it is gone.
    pub(super) fn is_undecided(&self) -> bool {
        !self.settled || self.empty_looks > 0
    }

    /// Nothing moved between these times: a sign of it at the first holds at the second.
    pub(super) fn hold(&mut self, before: Timestamp, at: Timestamp) {
        if self.seen_at == before {
            self.seen_at = at;
        }
        if self.held_at == before {
            self.held_at = at;
        }
    }

    /// Goes on as this later thing, which it was all along.
    pub(super) fn take_over(&mut self, new: &Self) {
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
    pub(super) fn learn(&mut self, frame: &Frame) {
        let at = frame.captured_at;
        if self.learned_at.is_some_and(|before| seconds_between(before, at) < LEARN_SECONDS) {
            return;
        }
        self.learned_at = Some(at);
        let Some(now) = Patch::of(&frame.picture, self.bbox) else { return };
        let unlike = match self.patch.as_deref() {
            Some((patch, place)) if !self.patch_stale => {
                let there = if *place == self.bbox {
                    Some(None)
                } else {
                    Patch::of(&frame.picture, *place).map(Some)
                };
                there.is_some_and(|there| {
                    patch.likeness(there.as_ref().unwrap_or(&now)) == Likeness::Different
                })
            }
            _ => false,
        };
        self.unlike = if unlike { self.unlike + 1 } else { 0 };
        // Something unknown may stand before it for a moment; what lasts is how it looks now.
        if self.unlike == 0 || self.unlike >= 5 {
            match &mut self.patch {
                Some(known) => **known = (now, self.bbox),
                None => self.patch = Some(Box::new((now, self.bbox))),
            }
            self.patch_stale = false;
            self.unlike = 0;
        }
    }

    /// Not seen by the detector though nothing hides it.
    pub(super) fn miss(&mut self, frame: &Frame, elapsed: f64) {
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
        let Some((patch, place)) = self.patch.as_deref().filter(|_| !self.patch_stale) else {
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

    /// Notes who of those seen covers a part of the place of this thing, which is seen too. `beside` is scratch.
    pub(super) fn note_beside(&mut self, seen: &[(TrackId, BBox)], at: Timestamp, beside: &mut Vec<Beside>) {
        beside.clear();
        for &(track, bbox) in seen {
            let part = self.bbox.fraction_in(bbox);
            if part >= HIDDEN_FRACTION / 2.0 && Some(track) != self.track {
                let known = self.beside.iter().find(|b| b.track == track);
                let (since, least) = known.map_or((at, part), |b| (b.since, b.part.min(part)));
                beside.push(Beside { track, since, part: least });
            }
        }
        self.beside.clear();
        self.beside.extend_from_slice(beside);
    }

    /// The part of the place that this track covered for a while without hiding the thing.
    pub(super) fn part_beside(&self, track: TrackId, at: Timestamp) -> f32 {
        let lasted = |b: &&Beside| seconds_between(b.since, at.min(self.seen_at)) >= BESIDE_SECONDS;
        self.beside.iter().filter(|b| b.track == track).find(lasted).map_or(0.0, |b| b.part)
    }

    pub(super) fn looks_different(&self, frame: &Frame) -> bool {
        self.compare(frame) == Likeness::Different
    }

    pub(super) fn looks_same(&self, frame: &Frame) -> bool {
        self.compare(frame) == Likeness::Same
    }

    pub(super) fn is_gone(&self, at: Timestamp, visit_at: Timestamp, config: &StandingConfig) -> bool {
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
