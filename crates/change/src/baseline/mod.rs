//! The view against its approved baseline pictures, inside roof zones: laid on the best-fitting one, in its light,
//! compared in structure and colour; a difference counts once it has been seen in several comparisons.

pub(crate) mod align;
mod difference;

use std::sync::Arc;

use parapet_core::{
    BBox, DifferenceRegion, Picture, Plane, Point, Polygon, Timestamp, change::BaselineState,
    time::seconds_between,
};

use self::align::Target;
pub use self::difference::{DifferenceMap, ScoreMap};
use crate::{
    align::Homography,
    config::BaselineConfig,
    judge::{Evidence, Verdict, judge},
    raster::{Size, bbox_of, components, dilated, eroded, fill_holes, outline_of},
    small::{Small, working_size},
};

/// Compares a view with its approved pictures.
pub struct Baseline {
    config: BaselineConfig,
    roofs: Vec<Polygon>,
    pictures: Vec<Arc<Picture>>,
    prepared: Option<Prepared>,
    difference: Option<Box<dyn DifferenceMap>>,
    compared_at: Option<Timestamp>,
    state: BaselineState,
    tracked: Vec<Tracked>,
    next_number: u64,
}

struct Prepared {
    size: Size,
    targets: Vec<Target>,
    roof: Vec<bool>,
}

struct Tracked {
    /// Given once the difference is reported.
    number: Option<u64>,
    pixels: Vec<u32>,
    bbox: BBox,
    outline: Vec<Point>,
    score: f32,
    seen: u32,
    missed: u32,
    since: Timestamp,
    last_seen_at: Timestamp,
}

/// A difference in one comparison.
struct Found {
    pixels: Vec<u32>,
    score: f32,
}

impl Baseline {
    /// A comparison inside `roofs` (in the baseline's view) with any of `pictures`. Without roofs or pictures there
    /// is nothing to compare.
    pub fn new(config: BaselineConfig, roofs: &[Polygon], pictures: Vec<Arc<Picture>>) -> Self {
        Self {
            config,
            roofs: roofs.to_vec(),
            pictures,
            prepared: None,
            difference: None,
            compared_at: None,
            state: BaselineState::Absent,
            tracked: Vec::new(),
            next_number: 1,
        }
    }

    /// Compares with these pictures of the same view from the next comparison on; what was found stays known.
    pub fn set_pictures(&mut self, pictures: Vec<Arc<Picture>>) {
        self.pictures = pictures;
        if let Some(prepared) = &mut self.prepared {
            prepared.targets = targets(&self.pictures, prepared.size);
        }
    }

    /// Uses another measure of difference.
    #[must_use]
    pub fn with_difference(mut self, map: Box<dyn DifferenceMap>) -> Self {
        self.difference = Some(map);
        self
    }

    /// Whether a difference waits for another comparison that confirms it, or one that was reported was missed.
    pub fn is_undecided(&self) -> bool {
        self.tracked.iter().any(|difference| difference.number.is_none() || difference.missed > 0)
    }

    /// Compares the frame if a comparison is due. `occupied` are boxes of persons and moving things.
    pub fn update(
        &mut self,
        picture: &Picture,
        at: Timestamp,
        occupied: &[BBox],
    ) -> (Vec<DifferenceRegion>, BaselineState) {
        if self.pictures.is_empty() || self.roofs.is_empty() {
            return (Vec::new(), BaselineState::Absent);
        }
        let interval = f64::from(self.config.interval_seconds);
        // A clock that was set back must not stop the comparisons.
        let waits =
            self.compared_at.is_some_and(|last| (0.0..interval - 1e-6).contains(&seconds_between(last, at)));
        if waits {
            let state =
                if self.state == BaselineState::Compared { BaselineState::Waiting } else { self.state };
            return (self.regions(), state);
        }
        self.compared_at = Some(at);
        self.state = self.compare(picture, at, occupied);
        (self.regions(), self.state)
    }

    fn compare(&mut self, picture: &Picture, at: Timestamp, occupied: &[BBox]) -> BaselineState {
        let size = working_size(picture, self.config.width);
        if self.prepared.as_ref().is_none_or(|p| p.size != size) {
            let targets = targets(&self.pictures, size);
            self.prepared = Some(Prepared { size, targets, roof: size.fill(&self.roofs) });
            self.tracked.clear();
        }
        let prepared = self.prepared.as_ref().expect("set above");
        let current = Small::new(picture, size);
        let occupied = filled(occupied, size);
        let best = prepared
            .targets
            .iter()
            .filter_map(|t| t.align(&current, &occupied, self.config.max_shift).map(|(h, fit)| (t, h, fit)))
            .max_by(|a, b| a.2.total_cmp(&b.2));
        let Some((target, homography, _)) = best.filter(|(_, _, fit)| *fit >= self.config.min_fit) else {
            return BaselineState::NotRegistered;
        };
        let (mut aligned, inside) = homography.aligned(&current, size);
        let hidden = hidden_in_baseline(&occupied, &homography, size, &inside);
        let scores = scores(&mut self.difference, target, &mut aligned, size, &hidden, &self.config);
        let found = found(target, &aligned, &scores, &prepared.roof, &hidden, size, &self.config);
        self.follow(found, &hidden, size, &homography, at);
        BaselineState::Compared
    }

    fn follow(
        &mut self,
        found: Vec<Found>,
        hidden: &[bool],
        size: Size,
        homography: &Homography,
        at: Timestamp,
    ) {
        let mut claimed = vec![usize::MAX; size.len()];
        for (k, tracked) in self.tracked.iter().enumerate() {
            tracked.pixels.iter().for_each(|i| claimed[*i as usize] = k);
        }
        let mut seen = vec![false; self.tracked.len()];
        for difference in found {
            let mut votes = vec![0usize; seen.len()];
            for i in &difference.pixels {
                if let Some(vote) = votes.get_mut(claimed[*i as usize]) {
                    *vote += 1;
                }
            }
            let owner = (0..votes.len()).filter(|k| !seen[*k]).max_by_key(|k| votes[*k]);
            let owner =
                owner.filter(|k| votes[*k] * 4 >= difference.pixels.len().min(self.tracked[*k].pixels.len()));
            if let Some(k) = owner {
                seen[k] = true;
                let tracked = &mut self.tracked[k];
                tracked.seen += 1;
                tracked.missed = 0;
                tracked.last_seen_at = at;
                tracked.take(difference, size, homography);
            } else {
                let mut tracked = Tracked {
                    number: None,
                    pixels: Vec::new(),
                    bbox: bbox_of(&difference.pixels, size),
                    outline: Vec::new(),
                    score: 0.0,
                    seen: 1,
                    missed: 0,
                    since: at,
                    last_seen_at: at,
                };
                tracked.take(difference, size, homography);
                self.tracked.push(tracked);
                seen.push(true);
            }
        }
        let confirm = self.config.confirm_comparisons.max(1);
        for (tracked, seen) in self.tracked.iter_mut().zip(seen) {
            let covered = tracked.pixels.iter().filter(|i| hidden[**i as usize]).count();
            if !seen && covered * 2 < tracked.pixels.len() {
                tracked.missed += 1;
            }
            if tracked.number.is_none() && tracked.seen >= confirm {
                tracked.number = Some(self.next_number);
                self.next_number += 1;
            }
        }
        // What is not confirmed must be seen in each comparison.
        self.tracked.retain(|t| t.missed < if t.number.is_some() { confirm } else { 1 });
    }

    fn regions(&self) -> Vec<DifferenceRegion> {
        let area =
            |pixels: &[u32]| pixels.len() as f32 / self.prepared.as_ref().map_or(1, |p| p.size.len()) as f32;
        self.tracked
            .iter()
            .filter_map(|t| {
                Some(DifferenceRegion {
                    number: t.number?,
                    bbox: t.bbox,
                    outline: t.outline.clone(),
                    area: area(&t.pixels),
                    score: t.score,
                    since: t.since,
                    last_seen_at: t.last_seen_at,
                })
            })
            .collect()
    }
}

impl Tracked {
    fn take(&mut self, found: Found, size: Size, homography: &Homography) {
        let outline = outline_of(&found.pixels, size);
        self.outline = outline.into_iter().map(|p| homography.map(size, p)).collect();
        let corners = bbox_of(&found.pixels, size).corners().map(|p| homography.map(size, p));
        if let Some(bbox) = BBox::around(corners) {
            self.bbox = bbox.clamped();
        }
        self.score = found.score;
        self.pixels = found.pixels;
    }
}

fn targets(pictures: &[Arc<Picture>], size: Size) -> Vec<Target> {
    pictures.iter().map(|p| Target::new(Small::new(p, size), size)).collect()
}

fn filled(boxes: &[BBox], size: Size) -> Vec<bool> {
    let mut bits = vec![false; size.len()];
    for bbox in boxes {
        let Some(grown) = bbox.inflated(bbox.width() * 0.1, bbox.height() * 0.1) else { continue };
        let (columns, rows) = size.pixels_in(grown);
        for y in rows {
            bits[y * size.w..][columns.clone()].fill(true);
        }
    }
    bits
}

/// What cannot be seen at the baseline's pixels: outside the present frame, or behind a person.
fn hidden_in_baseline(occupied: &[bool], homography: &Homography, size: Size, inside: &[bool]) -> Vec<bool> {
    (0..size.len())
        .map(|i| {
            let middle = Point::new(
                ((i % size.w) as f32 + 0.5) / size.w as f32,
                ((i / size.w) as f32 + 0.5) / size.h as f32,
            );
            let p = homography.map(size, middle);
            let x = ((p.x * size.w as f32) as usize).min(size.w - 1);
            let y = ((p.y * size.h as f32) as usize).min(size.h - 1);
            !inside[i] || occupied[y * size.w + x]
        })
        .collect()
}

fn scores(
    map: &mut Option<Box<dyn DifferenceMap>>,
    target: &Target,
    aligned: &mut Small,
    size: Size,
    hidden: &[bool],
    config: &BaselineConfig,
) -> Vec<f32> {
    let other = map.as_mut().and_then(|map| {
        let (baseline, current) = (pictured(&target.small, size)?, pictured(aligned, size)?);
        let scores = map.difference(&baseline, &current)?;
        (scores.width > 0 && scores.height > 0 && scores.scores.len() == scores.width * scores.height)
            .then_some(scores)
    });
    let built_in = difference::structural(&target.small, aligned, size, hidden, config);
    let Some(other) = other else { return built_in };
    (0..size.len())
        .map(|i| {
            let (x, y) = (i % size.w * other.width / size.w, i / size.w * other.height / size.h);
            other.scores[y * other.width + x]
        })
        .collect()
}

fn pictured(small: &Small, size: Size) -> Option<Picture> {
    let plane = |values: &[f32], zero: f32| {
        let samples = values.iter().map(|v| (v + zero).round().clamp(0.0, 255.0) as u8).collect();
        Plane::new(size.w, size.h, samples)
    };
    let (w, h) = (size.w.div_ceil(2), size.h.div_ceil(2));
    let chroma = |values: &[f32]| Some(plane(values, 128.0)?.resized(w, h));
    Picture::new(plane(&small.y, 0.0)?, chroma(&small.u)?, chroma(&small.v)?, parapet_core::ColorSpace::JPEG)
}

fn found(
    target: &Target,
    aligned: &Small,
    scores: &[f32],
    roof: &[bool],
    hidden: &[bool],
    size: Size,
    config: &BaselineConfig,
) -> Vec<Found> {
    let different: Vec<bool> = (0..size.len()).map(|i| scores[i] >= config.min_score && !hidden[i]).collect();
    // Windows reach four pixels over the border of a change: take back half of it.
    let mut bits = dilated(&different, size, 2);
    fill_holes(&mut bits, size);
    bits = dilated(&eroded(&bits, size, 6), size, 3);
    for (bit, roof) in bits.iter_mut().zip(roof) {
        *bit &= *roof;
    }
    let present = aligned;
    components(&bits, size)
        .into_iter()
        .filter(|c| c.pixels.len() as f32 >= config.min_area * size.len() as f32)
        .filter(|c| {
            let scene = Evidence {
                size,
                reference: &target.small,
                present,
                known: &|i| !hidden[i],
                ground: &|i| !different[i] && !hidden[i],
            };
            judge(&scene, &c.pixels, config.ignore_shadows) == Verdict::Thing
        })
        .map(|c| {
            let n = c.pixels.len() as f32;
            let score = c.pixels.iter().map(|i| scores[*i as usize]).sum::<f32>() / n;
            Found { pixels: c.pixels, score }
        })
        .collect()
}
