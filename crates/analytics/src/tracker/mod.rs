//! Follows objects over the frames of one run: two-stage association by score (ByteTrack, Zhang et al. 2022) on
//! buffered boxes (C-BIoU, Yang et al. 2023), whose buffer is the filter's uncertainty, so that it works from 1 to 25
//! frames a second. Groups of classes are followed as one ([`Group`]): a dog that is a sheep for one frame stays one
//! track. It knows nothing of appearance, and forgets all at a new run; what stands still is remembered by
//! [`crate::standing`].

pub(crate) mod assignment;
mod kalman;

pub(crate) use kalman::size_of;

use parapet_core::{BBox, Detection, Label, Timestamp, Track, TrackId, TrackState, time::seconds_between};
use serde::{Deserialize, Serialize};

use self::{
    assignment::{Pair, best_pairs},
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
    tracks: Vec<Track>,
    bodies: Vec<Body>,
    at: Option<Timestamp>,
    /// Typical time between looks.
    interval: f64,
}

#[derive(Debug)]
struct Body {
    filter: BoxFilter,
    group: Group,
}

/// A detection with what else its object was taken for in the same frame.
struct Sighting<'a> {
    detection: &'a Detection,
    group: Group,
    also: Vec<&'a Detection>,
}

impl Tracker {
    /// A tracker that has seen nothing.
    pub fn new(config: TrackerConfig) -> Self {
        Self { config, next: 1, tracks: Vec::new(), bodies: Vec::new(), at: None, interval: 0.0 }
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

    /// Takes in what was detected `at` a time in a frame `aspect` times as wide as high, and returns all tracks.
    pub fn update(&mut self, detections: &[Detection], at: Timestamp, aspect: f32) -> &[Track] {
        self.advance(at);
        let sightings = self.sightings(detections);
        let high = self.config.high_score.as_f32();
        let mut free = vec![true; self.tracks.len()];
        let mut unmatched: Vec<usize> = (0..sightings.len()).collect();
        let believed = |t: &Track| t.state != TrackState::Tentative;
        let strong = |s: &Sighting<'_>| s.detection.score >= high;
        self.stage(&sightings, &mut unmatched, &mut free, GATES[0], aspect, at, &|t, s| {
            believed(t) && strong(s)
        });
        self.stage(&sightings, &mut unmatched, &mut free, GATES[1], aspect, at, &|t, s| {
            believed(t) && !strong(s)
        });
        self.stage(&sightings, &mut unmatched, &mut free, GATES[2], aspect, at, &|t, _| !believed(t));
        self.cross_groups(&sightings, &mut unmatched, &mut free, at);
        for i in unmatched {
            if sightings[i].detection.score >= self.config.start_score.as_f32() {
                self.start(&sightings[i], at, aspect);
            }
        }
        self.settle(at);
        &self.tracks
    }

    /// A frame that nobody looked at: boxes move on, and nothing is concluded from it.
    pub fn coast(&mut self, at: Timestamp) -> &[Track] {
        self.advance(at);
        for track in &mut self.tracks {
            if track.state == TrackState::Confirmed {
                track.state = TrackState::Lost;
            }
        }
        &self.tracks
    }

    fn advance(&mut self, at: Timestamp) {
        let seconds = self.at.map_or(0.0, |before| seconds_between(before, at).max(0.0));
        self.interval =
            if self.interval == 0.0 { seconds } else { 0.9 * self.interval + 0.1 * seconds.min(60.0) };
        self.at = Some(at);
        for (track, body) in self.tracks.iter_mut().zip(&mut self.bodies) {
            body.filter.predict(seconds as f32);
            track.bbox = body.filter.bbox();
            track.velocity = body.filter.velocity();
        }
    }

    /// Detections by falling score, those of one object joined.
    fn sightings<'a>(&self, detections: &'a [Detection]) -> Vec<Sighting<'a>> {
        let low = self.config.low_score.as_f32();
        let mut order: Vec<&Detection> = detections.iter().filter(|d| d.score >= low).collect();
        order.sort_by(|a, b| b.score.total_cmp(&a.score));
        let mut sightings: Vec<Sighting<'_>> = Vec::with_capacity(order.len());
        for detection in order {
            let group = Group::of(&detection.label);
            let same = sightings
                .iter_mut()
                .find(|s| s.group == group && s.detection.bbox.iou(detection.bbox) >= SAME_OBJECT_IOU);
            match same {
                Some(sighting) => sighting.also.push(detection),
                None => sightings.push(Sighting { detection, group, also: Vec::new() }),
            }
        }
        sightings
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one stage of three that share everything but gate and filter"
    )]
    fn stage(
        &mut self,
        sightings: &[Sighting<'_>],
        unmatched: &mut Vec<usize>,
        free: &mut [bool],
        gate: f32,
        aspect: f32,
        at: Timestamp,
        takes_part: &dyn Fn(&Track, &Sighting<'_>) -> bool,
    ) {
        let mut pairs: Vec<Pair> = Vec::new();
        for (t, (track, body)) in self.tracks.iter().zip(&self.bodies).enumerate().filter(|(t, _)| free[*t]) {
            let buffer = body.filter.uncertainty().min(LARGEST_BUFFER) * size_of(track.bbox, aspect);
            let around = buffered(track.bbox, buffer, aspect);
            for &s in unmatched.iter() {
                let sighting = &sightings[s];
                if sighting.group != body.group || !takes_part(track, sighting) {
                    continue;
                }
                if body.filter.misfit(sighting.detection.bbox) > LARGEST_MISFIT {
                    continue;
                }
                let fits = similarity(track, around, sighting.detection, buffer, aspect);
                if fits >= gate {
                    pairs.push((t, s, fits));
                }
            }
        }
        for (t, s) in best_pairs(self.tracks.len(), sightings.len(), &pairs) {
            self.hit(t, &sightings[s], at);
            free[t] = false;
            unmatched.retain(|i| *i != s);
        }
    }

    /// A dog may be a person for a frame: an unmatched sighting exactly on a track keeps it alive.
    fn cross_groups(
        &mut self,
        sightings: &[Sighting<'_>],
        unmatched: &mut Vec<usize>,
        free: &mut [bool],
        at: Timestamp,
    ) {
        let confusable =
            |a, b| matches!((a, b), (Group::Person, Group::Animal) | (Group::Animal, Group::Person));
        let mut pairs: Vec<Pair> = Vec::new();
        for t in (0..self.tracks.len()).filter(|t| free[*t]) {
            for &s in unmatched.iter().filter(|s| confusable(sightings[**s].group, self.bodies[t].group)) {
                let iou = self.tracks[t].bbox.iou(sightings[s].detection.bbox);
                if iou >= CROSS_GROUP_IOU {
                    pairs.push((t, s, iou));
                }
            }
        }
        for (t, s) in best_pairs(self.tracks.len(), sightings.len(), &pairs) {
            self.hit(t, &sightings[s], at);
            free[t] = false;
            unmatched.retain(|i| *i != s);
        }
    }

    fn hit(&mut self, index: usize, sighting: &Sighting<'_>, at: Timestamp) {
        let (track, body) = (&mut self.tracks[index], &mut self.bodies[index]);
        body.filter.correct(sighting.detection.bbox);
        track.bbox = body.filter.bbox();
        track.velocity = body.filter.velocity();
        track.score = sighting.detection.score;
        track.last_seen_at = at;
        track.hits += 1;
        if track.state == TrackState::Lost || track.hits >= self.config.confirm_hits {
            track.state = TrackState::Confirmed;
        }
        for detection in std::iter::once(sighting.detection).chain(sighting.also.iter().copied()) {
            add_evidence(&mut track.label_evidence, &detection.label, detection.score);
        }
        track.label = track.label_evidence[0].0.clone();
        body.group = Group::of(&track.label);
    }

    fn start(&mut self, sighting: &Sighting<'_>, at: Timestamp, aspect: f32) {
        let detection = sighting.detection;
        let mut label_evidence = vec![(detection.label.clone(), detection.score)];
        for also in &sighting.also {
            add_evidence(&mut label_evidence, &also.label, also.score);
        }
        let confirmed = self.config.confirm_hits <= 1;
        self.tracks.push(Track {
            id: TrackId(self.next),
            label: detection.label.clone(),
            label_evidence,
            state: if confirmed { TrackState::Confirmed } else { TrackState::Tentative },
            bbox: detection.bbox,
            velocity: [0.0, 0.0],
            score: detection.score,
            first_seen_at: at,
            last_seen_at: at,
            hits: 1,
        });
        self.bodies.push(Body {
            filter: BoxFilter::new(detection.bbox, aspect, usual_speed(sighting.group)),
            group: sighting.group,
        });
        self.next += 1;
    }

    /// Marks what was not seen as lost and drops what was lost for too long.
    fn settle(&mut self, at: Timestamp) {
        let few_frames = 2.5 * self.interval;
        let tentative = self.config.tentative_seconds.as_f64().max(few_frames);
        let lost = self.config.lost_seconds.as_f64().max(few_frames);
        let mut keep = Vec::with_capacity(self.tracks.len());
        for track in &mut self.tracks {
            let unseen = seconds_between(track.last_seen_at, at);
            if unseen > 0.0 && track.state == TrackState::Confirmed {
                track.state = TrackState::Lost;
            }
            keep.push(unseen <= if track.state == TrackState::Tentative { tentative } else { lost });
        }
        let mut flags = keep.iter();
        self.tracks.retain(|_| *flags.next().expect("one flag a track"));
        let mut flags = keep.iter();
        self.bodies.retain(|_| *flags.next().expect("one flag a track"));
    }
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
    if around.intersection(detection.bbox).is_none() {
        return 0.0;
    }
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
