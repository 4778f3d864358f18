//! Follows objects over the frames of one run: two-stage association by score (ByteTrack, Zhang et al. 2022) on
//! buffered boxes (C-BIoU, Yang et al. 2023), whose buffer is the filter's uncertainty, so that it works from 1 to 25
//! frames a second. Groups of classes are followed as one ([`Group`]): a dog that is a sheep for one frame stays one
//! track. It knows nothing of appearance, and forgets all at a new run; what stands still is remembered by
//! [`crate::standing`].

pub(crate) mod assignment;
mod kalman;

pub(crate) use kalman::size_of;

use std::sync::Arc;

use parapet_core::{BBox, Detection, Label, Timestamp, Track, TrackId, TrackState, time::seconds_between};
use serde::{Deserialize, Serialize};

use self::{
    assignment::{Matcher, Pair, renew},
    kalman::BoxFilter,
};
use crate::{Fraction, Group, Seconds};

/// How objects are followed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TrackerConfig {
    /// Detections of at least this score are matched first.
    pub high_score: Fraction,
    /// Detections below this score are left out; between this and `high_score` they only keep tracks alive.
    pub low_score: Fraction,
    /// A detection that fits no track starts one from this score.
    pub start_score: Fraction,
    /// Detections that make a track believed.
    pub confirm_hits: u32,
    /// A track not yet believed is dropped when unseen for so long (at least two and a half frames).
    pub tentative_seconds: Seconds,
    /// A believed track is dropped when unseen for so long (at least two and a half frames).
    pub lost_seconds: Seconds,
}

impl Default for TrackerConfig {
    fn default() -> Self {
        Self {
            high_score: Fraction::percent(40),
            low_score: Fraction::percent(10),
            start_score: Fraction::percent(40),
            confirm_hits: 3,
            tentative_seconds: Seconds::whole(2),
            lost_seconds: Seconds::whole(4),
        }
    }
}

/// Overlap from which two boxes of one group in one frame are one object.
const SAME_OBJECT_IOU: f32 = 0.7;
/// Overlap from which an animal is taken for the person that it was a moment ago, and the other way round.
const CROSS_GROUP_IOU: f32 = 0.6;
/// Least similarity in the first, second and third stage.
const GATES: [f32; 3] = [0.2, 0.4, 0.3];
/// Squared standard deviations beyond which a detection is another object: neighbours in a row that are found in turn
/// must not become one object that jumps.
const LARGEST_MISFIT: f32 = 9.2;
/// Largest buffer round a box, in box sizes.
const LARGEST_BUFFER: f32 = 0.6;

/// Follows objects in one view.
#[derive(Debug)]
pub struct Tracker {
    config: TrackerConfig,
    next: u64,
    /// Shared with whoever keeps what a frame came to; copied only if somebody still does at the next.
    tracks: Arc<Vec<Track>>,
    bodies: Vec<Body>,
    at: Option<Timestamp>,
    /// Typical time between looks.
    interval: f64,
    scratch: Scratch,
}

#[derive(Debug)]
struct Body {
    filter: BoxFilter,
    group: Group,
}

/// A detection, by its place in the list.
#[derive(Debug)]
struct Sighting {
    detection: usize,
    group: Group,
}

/// Memory that is used again at each frame.
#[derive(Debug, Default)]
struct Scratch {
    /// Detections by falling score.
    order: Vec<usize>,
    /// Those of one object joined.
    sightings: Vec<Sighting>,
    /// For a sighting, what else its object was taken for in the same frame.
    also: Vec<(usize, usize)>,
    /// Tracks that no sighting belongs to yet, and sightings that belong to no track yet.
    free: Vec<bool>,
    alone: Vec<bool>,
    unmatched: Vec<usize>,
    pairs: Vec<Pair>,
    matcher: Matcher,
}

impl Tracker {
    /// A tracker that has seen nothing.
    pub fn new(config: TrackerConfig) -> Self {
        Self {
            config,
            next: 1,
            tracks: Arc::default(),
            bodies: Vec::new(),
            at: None,
            interval: 0.0,
            scratch: Scratch::default(),
        }
    }

    /// Forgets all tracks; numbers start at 1 again.
    pub fn restart(&mut self) {
        *self = Self::new(self.config.clone());
    }

    /// Forgets all tracks; numbers go on: the camera looked elsewhere for a while.
    pub fn forget(&mut self) {
        *self = Self { next: self.next, ..Self::new(self.config.clone()) };
    }

    /// All tracks: tentative, confirmed and lost, by rising id.
    pub fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    /// The same, to keep.
    pub(crate) fn shared_tracks(&self) -> Arc<Vec<Track>> {
        Arc::clone(&self.tracks)
    }

    /// Takes in what was detected `at` a time in a frame `aspect` times as wide as high, and returns all tracks.
    pub fn update(&mut self, detections: &[Detection], at: Timestamp, aspect: f32) -> &[Track] {
        self.advance(at);
        let mut scratch = std::mem::take(&mut self.scratch);
        self.find_sightings(detections, &mut scratch);
        renew(&mut scratch.free, self.tracks.len(), true);
        renew(&mut scratch.alone, scratch.sightings.len(), true);
        scratch.unmatched.clear();
        scratch.unmatched.extend(0..scratch.sightings.len());
        let high = self.config.high_score.as_f32();
        let believed = |t: &Track| t.state != TrackState::Tentative;
        let strong = |d: &Detection| d.score >= high;
        let look = Look { detections, at, aspect };
        self.stage(&look, &mut scratch, GATES[0], |t, d| believed(t) && strong(d));
        self.stage(&look, &mut scratch, GATES[1], |t, d| believed(t) && !strong(d));
        self.stage(&look, &mut scratch, GATES[2], |t, _| !believed(t));
        self.cross_groups(&look, &mut scratch);
        for &i in &scratch.unmatched {
            if detections[scratch.sightings[i].detection].score >= self.config.start_score.as_f32() {
                self.start(&look, &scratch, i);
            }
        }
        self.scratch = scratch;
        self.settle(at);
        &self.tracks
    }

    /// A frame that nobody looked at: boxes move on, and nothing is concluded from it.
    pub fn coast(&mut self, at: Timestamp) -> &[Track] {
        self.advance(at);
        for track in Arc::make_mut(&mut self.tracks) {
            if track.state == TrackState::Confirmed {
                track.state = TrackState::Lost;
            }
        }
        &self.tracks
    }

    /// Nothing has moved since the latest look: what was seen in it is still there, at its place. Nothing is learned.
    pub fn hold(&mut self, at: Timestamp) -> &[Track] {
        if let Some(before) = self.at.replace(at) {
            let seen = Arc::make_mut(&mut self.tracks).iter_mut().filter(|t| t.last_seen_at == before);
            seen.for_each(|track| track.last_seen_at = at);
        }
        &self.tracks
    }

    fn advance(&mut self, at: Timestamp) {
        let seconds = self.at.map_or(0.0, |before| seconds_between(before, at).max(0.0));
        self.interval =
            if self.interval == 0.0 { seconds } else { 0.9 * self.interval + 0.1 * seconds.min(60.0) };
        self.at = Some(at);
        for (track, body) in Arc::make_mut(&mut self.tracks).iter_mut().zip(&mut self.bodies) {
            body.filter.predict(seconds as f32);
            track.bbox = body.filter.bbox();
            track.velocity = body.filter.velocity();
        }
    }

    /// Detections by falling score, those of one object joined.
    fn find_sightings(&self, detections: &[Detection], scratch: &mut Scratch) {
        let low = self.config.low_score.as_f32();
        let Scratch { order, sightings, also, .. } = scratch;
        order.clear();
        order.extend((0..detections.len()).filter(|i| detections[*i].score >= low));
        order.sort_unstable_by(|a, b| detections[*b].score.total_cmp(&detections[*a].score).then(a.cmp(b)));
        sightings.clear();
        also.clear();
        for &i in &*order {
            let (detection, group) = (&detections[i], Group::of(&detections[i].label));
            let same = sightings.iter().position(|s| {
                s.group == group && detections[s.detection].bbox.iou(detection.bbox) >= SAME_OBJECT_IOU
            });
            match same {
                Some(sighting) => also.push((sighting, i)),
                None => sightings.push(Sighting { detection: i, group }),
            }
        }
    }

    fn stage(
        &mut self,
        look: &Look<'_>,
        scratch: &mut Scratch,
        gate: f32,
        takes_part: impl Fn(&Track, &Detection) -> bool,
    ) {
        let Scratch { sightings, free, unmatched, pairs, .. } = scratch;
        pairs.clear();
        if unmatched.is_empty() {
            return;
        }
        let aspect = look.aspect;
        for (t, (track, body)) in self.tracks.iter().zip(&self.bodies).enumerate().filter(|(t, _)| free[*t]) {
            let buffer = body.filter.uncertainty().min(LARGEST_BUFFER) * size_of(track.bbox, aspect);
            let around = buffered(track.bbox, buffer, aspect);
            let misfit = body.filter.misfit();
            for &s in unmatched.iter() {
                let sighting = &sightings[s];
                let detection = &look.detections[sighting.detection];
                // In this order: most are of another group, and most others are elsewhere.
                if sighting.group != body.group
                    || around.intersection(detection.bbox).is_none()
                    || !takes_part(track, detection)
                    || misfit(detection.bbox) > LARGEST_MISFIT
                {
                    continue;
                }
                let fits = similarity(track, around, detection, buffer, aspect);
                if fits >= gate {
                    pairs.push((t, s, fits));
                }
            }
        }
        self.settle_pairs(look, scratch);
    }

    /// A dog may be a person for a frame: an unmatched sighting exactly on a track keeps it alive.
    fn cross_groups(&mut self, look: &Look<'_>, scratch: &mut Scratch) {
        let confusable =
            |a, b| matches!((a, b), (Group::Person, Group::Animal) | (Group::Animal, Group::Person));
        let Scratch { sightings, free, unmatched, pairs, .. } = scratch;
        pairs.clear();
        for t in (0..self.tracks.len()).filter(|t| free[*t]) {
            for &s in unmatched.iter().filter(|s| confusable(sightings[**s].group, self.bodies[t].group)) {
                let iou = self.tracks[t].bbox.iou(look.detections[sightings[s].detection].bbox);
                if iou >= CROSS_GROUP_IOU {
                    pairs.push((t, s, iou));
                }
            }
        }
        self.settle_pairs(look, scratch);
    }

    /// Gives the sightings of the best pairing to their tracks.
    fn settle_pairs(&mut self, look: &Look<'_>, scratch: &mut Scratch) {
        let Scratch { sightings, also, free, alone, unmatched, pairs, matcher, .. } = scratch;
        if pairs.is_empty() {
            return;
        }
        for &(t, s) in matcher.best_pairs(self.tracks.len(), sightings.len(), pairs) {
            let others = also.iter().filter(|(of, _)| *of == s).map(|(_, d)| &look.detections[*d]);
            self.hit(t, &look.detections[sightings[s].detection], others, look.at);
            free[t] = false;
            alone[s] = false;
        }
        unmatched.retain(|s| alone[*s]);
    }

    fn hit<'a>(
        &mut self,
        index: usize,
        sighted: &'a Detection,
        others: impl Iterator<Item = &'a Detection>,
        at: Timestamp,
    ) {
        let (track, body) = (&mut Arc::make_mut(&mut self.tracks)[index], &mut self.bodies[index]);
        body.filter.correct(sighted.bbox);
        track.bbox = body.filter.bbox();
        track.velocity = body.filter.velocity();
        track.score = sighted.score;
        track.last_seen_at = at;
        track.hits += 1;
        if track.state == TrackState::Lost || track.hits >= self.config.confirm_hits {
            track.state = TrackState::Confirmed;
        }
        for detection in std::iter::once(sighted).chain(others) {
            add_evidence(&mut track.label_evidence, &detection.label, detection.score);
        }
        if track.label != track.label_evidence[0].0 {
            track.label = track.label_evidence[0].0.clone();
            body.group = Group::of(&track.label);
        }
    }

    fn start(&mut self, look: &Look<'_>, scratch: &Scratch, sighting: usize) {
        let Sighting { detection, group } = scratch.sightings[sighting];
        let detection = &look.detections[detection];
        let mut label_evidence = vec![(detection.label.clone(), detection.score)];
        for (_, also) in scratch.also.iter().filter(|(of, _)| *of == sighting) {
            let also = &look.detections[*also];
            add_evidence(&mut label_evidence, &also.label, also.score);
        }
        let confirmed = self.config.confirm_hits <= 1;
        Arc::make_mut(&mut self.tracks).push(Track {
            id: TrackId(self.next),
            label: detection.label.clone(),
            label_evidence,
            state: if confirmed { TrackState::Confirmed } else { TrackState::Tentative },
            bbox: detection.bbox,
            velocity: [0.0, 0.0],
            score: detection.score,
            first_seen_at: look.at,
            last_seen_at: look.at,
            hits: 1,
        });
        self.bodies
            .push(Body { filter: BoxFilter::new(detection.bbox, look.aspect, usual_speed(group)), group });
        self.next += 1;
    }

    /// Marks what was not seen as lost and drops what was lost for too long.
    fn settle(&mut self, at: Timestamp) {
        let few_frames = 2.5 * self.interval;
        let tentative = self.config.tentative_seconds.as_f64().max(few_frames);
        let lost = self.config.lost_seconds.as_f64().max(few_frames);
        let tracks = Arc::make_mut(&mut self.tracks);
        for track in &mut *tracks {
            if track.state == TrackState::Confirmed && seconds_between(track.last_seen_at, at) > 0.0 {
                track.state = TrackState::Lost;
            }
        }
        let keeps = |track: &Track| {
            let limit = if track.state == TrackState::Tentative { tentative } else { lost };
            seconds_between(track.last_seen_at, at) <= limit
        };
        let mut of_body = tracks.iter();
        self.bodies.retain(|_| keeps(of_body.next().expect("each track has its body")));
        tracks.retain(keeps);
    }
}

/// What was seen in a frame.
struct Look<'a> {
    detections: &'a [Detection],
    at: Timestamp,
    aspect: f32,
}

/// Likely speed of a thing that is seen for the first time, box sizes per second.
fn usual_speed(group: Group) -> f32 {
    match group {
        Group::Person | Group::Bike | Group::Other => 1.0,
        Group::Vehicle | Group::Animal => 1.5,
    }
}

fn buffered(bbox: BBox, buffer: f32, aspect: f32) -> BBox {
    bbox.inflated(buffer / aspect, buffer).unwrap_or(bbox)
}

fn similarity(track: &Track, around: BBox, detection: &Detection, buffer: f32, aspect: f32) -> f32 {
    let overlap = around.iou(buffered(detection.bbox, buffer, aspect));
    let (a, b) = (track.bbox.area().max(1e-9), detection.bbox.area().max(1e-9));
    let alike = (a.min(b) / a.max(b)).sqrt();
    // The same class decides between two that fit equally well.
    let label = if track.label == detection.label { 1.0 } else { 0.95 };
    overlap * f32::midpoint(1.0, alike) * label
}

pub(crate) fn add_evidence(evidence: &mut Vec<(Label, f32)>, label: &Label, score: f32) {
    match evidence.iter_mut().find(|(known, _)| known == label) {
        Some((_, sum)) => *sum += score,
        None => evidence.push((label.clone(), score)),
    }
    evidence.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
}

#[cfg(test)]
mod tests;
