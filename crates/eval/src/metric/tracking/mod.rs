//! Tracking: HOTA, CLEAR MOT and identity figures, each equal to `TrackEval`'s. A sequence is first brought to what the
//! three need: who is there and who is found in each frame, and how well each pair overlaps.

mod clear;
mod hota;
mod identity;

pub use clear::Clear;
pub use hota::{ALPHAS, Hota, HotaAt};
pub use identity::Identity;

use crate::metric::assignment::{Matrix, assign};
use crate::truth::{FoundBox, Rect, TruthBox};
use parapet_core::Label;
use std::collections::{BTreeMap, HashSet};

/// One frame of a sequence.
#[derive(Debug, Clone, Copy)]
pub struct TrackedFrame<'a> {
    /// The labels, each with a track.
    pub truth: &'a [TruthBox],
    /// The findings, each with a track.
    pub found: &'a [FoundBox],
}

/// Why a sequence cannot be scored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrackingError {
    /// A box belongs to nobody.
    #[error(
        "a {what} of class \"{label}\" in frame {frame} has no track; hint: tracking needs one for every box"
    )]
    Untracked {
        /// Index of the frame.
        frame: usize,
        /// "truth" or "finding".
        what: &'static str,
        /// Its class.
        label: Label,
    },
    /// Somebody is in two places.
    #[error("track {track} of a {what} is in frame {frame} twice; hint: a track has one box a frame")]
    Twice {
        /// Index of the frame.
        frame: usize,
        /// "truth" or "finding".
        what: &'static str,
        /// Who.
        track: u64,
    },
}

/// A sequence as the figures need it: people are numbered from 0 without gaps.
#[derive(Debug, Clone, PartialEq)]
pub struct Sequence {
    frames: Vec<Frame>,
    truth_ids: usize,
    found_ids: usize,
    truth_boxes: u64,
    found_boxes: u64,
}

#[derive(Debug, Clone, PartialEq)]
struct Frame {
    truth: Vec<usize>,
    found: Vec<usize>,
    /// IoU, a row for each truth.
    similarity: Matrix,
}

/// All figures of a sequence, or of several together.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct TrackingFigures {
    /// Higher order tracking accuracy.
    pub hota: Hota,
    /// CLEAR MOT.
    pub clear: Clear,
    /// Identity.
    pub identity: Identity,
}

impl TrackingFigures {
    /// The figures of one sequence.
    pub fn of(sequence: &Sequence) -> Self {
        Self { hota: Hota::of(sequence), clear: Clear::of(sequence), identity: Identity::of(sequence) }
    }

    /// The figures of several sequences together, as `TrackEval`'s `combine_sequences`: boxes weigh alike, whatever
    /// their sequence.
    pub fn combined<'a>(all: impl IntoIterator<Item = &'a Self> + Clone) -> Self {
        Self {
            hota: Hota::combined(all.clone().into_iter().map(|one| &one.hota)),
            clear: Clear::combined(all.clone().into_iter().map(|one| &one.clear)),
            identity: Identity::combined(all.into_iter().map(|one| &one.identity)),
        }
    }
}

/// IoU from which a finding is of an ignored truth.
const IGNORED_IOU: f64 = 0.5;
/// Share of a finding in a crowd from which it is the crowd's.
const CROWD_SHARE: f64 = 0.5;

impl Sequence {
    /// Prepares the boxes of class `label`. Findings that are of an `ignored` truth (one to one, IoU ≥ 0.5, by the
    /// assignment over all truths that `TrackEval`'s `MotChallenge2DBox` makes for its distractors) are taken out, then,
    /// as `Kitti2DBox` does with its regions, those unmatched that lie in a `crowd` by more than half; then such truths.
    ///
    /// # Errors
    /// See [`TrackingError`]. Ignored truths and crowds need no track.
    pub fn new<'a>(
        frames: impl IntoIterator<Item = TrackedFrame<'a>>,
        label: &Label,
    ) -> Result<Self, TrackingError> {
        let mut sequence =
            Self { frames: Vec::new(), truth_ids: 0, found_ids: 0, truth_boxes: 0, found_boxes: 0 };
        let mut tracks = Vec::new();
        for (index, frame) in frames.into_iter().enumerate() {
            let truth: Vec<_> = frame.truth.iter().filter(|truth| truth.label == *label).collect();
            let found: Vec<_> = frame.found.iter().filter(|found| found.label == *label).collect();
            let (truth, found) = scored(&truth, &found);
            let truth_ids = ids(index, "truth", label, truth.iter().map(|truth| truth.track))?;
            let found_ids = ids(index, "finding", label, found.iter().map(|found| found.track))?;
            sequence.truth_boxes += truth.len() as u64;
            sequence.found_boxes += found.len() as u64;
            tracks.push((truth_ids, found_ids));
            sequence.frames.push(Frame {
                truth: Vec::new(),
                found: Vec::new(),
                similarity: similarity(&truth, &found),
            });
        }
        // Numbered by rising track, as TrackEval does: the order of columns decides between equal assignments.
        let numbers = |ids: &mut dyn Iterator<Item = u64>| -> BTreeMap<u64, usize> {
            let mut ids: Vec<u64> = ids.collect();
            ids.sort_unstable();
            ids.dedup();
            ids.into_iter().enumerate().map(|(number, id)| (id, number)).collect()
        };
        let truth_numbers = numbers(&mut tracks.iter().flat_map(|(truth, _)| truth.iter().copied()));
        let found_numbers = numbers(&mut tracks.iter().flat_map(|(_, found)| found.iter().copied()));
        for (frame, (truth, found)) in sequence.frames.iter_mut().zip(&tracks) {
            frame.truth = truth.iter().map(|id| truth_numbers[id]).collect();
            frame.found = found.iter().map(|id| found_numbers[id]).collect();
        }
        (sequence.truth_ids, sequence.found_ids) = (truth_numbers.len(), found_numbers.len());
        Ok(sequence)
    }
}

fn ids(
    frame: usize,
    what: &'static str,
    label: &Label,
    tracks: impl Iterator<Item = Option<u64>>,
) -> Result<Vec<u64>, TrackingError> {
    let mut seen = HashSet::new();
    tracks
        .map(|track| {
            let track =
                track.ok_or_else(|| TrackingError::Untracked { frame, what, label: label.clone() })?;
            if seen.insert(track) { Ok(track) } else { Err(TrackingError::Twice { frame, what, track }) }
        })
        .collect()
}

/// What is left to be scored after the ignored truths and the crowds have taken theirs.
fn scored<'a>(truth: &[&'a TruthBox], found: &[&'a FoundBox]) -> (Vec<&'a TruthBox>, Vec<&'a FoundBox>) {
    let counts = |truth: &&&TruthBox| !truth.ignored && !truth.crowd;
    if truth.iter().all(|truth| counts(&truth)) {
        return (truth.to_vec(), found.to_vec());
    }
    let single: Vec<&TruthBox> = truth.iter().filter(|truth| !truth.crowd).copied().collect();
    let mut score = similarity(&single, found);
    for row in 0..single.len() {
        for column in 0..found.len() {
            if score[(row, column)] < IGNORED_IOU - f64::EPSILON {
                score[(row, column)] = 0.0;
            }
        }
    }
    let cost = Matrix::from_fn(single.len(), found.len(), |row, column| -score[(row, column)]);
    let (mut removed, mut matched) = (vec![false; found.len()], vec![false; found.len()]);
    for pair in assign(&cost).into_iter().filter(|pair| score[*pair] > f64::EPSILON) {
        matched[pair.1] = true;
        removed[pair.1] = single[pair.0].ignored;
    }
    for (column, found) in found.iter().enumerate().filter(|(column, _)| !matched[*column]) {
        let area = found.rect.area();
        removed[column] = area > f64::EPSILON
            && truth.iter().any(|truth| {
                truth.crowd && truth.rect.intersection(&found.rect) / area > CROWD_SHARE + f64::EPSILON
            });
    }
    let left = found.iter().zip(removed).filter(|(_, removed)| !removed).map(|(found, _)| *found).collect();
    (truth.iter().filter(counts).copied().collect(), left)
}

fn similarity(truth: &[&TruthBox], found: &[&FoundBox]) -> Matrix {
    Matrix::from_fn(truth.len(), found.len(), |row, column| iou(&truth[row].rect, &found[column].rect))
}

/// As `TrackEval` computes it: from the edges, and 0 where there is no area.
fn iou(a: &Rect, b: &Rect) -> f64 {
    let edges = |rect: &Rect| (rect.x, rect.y, rect.x + rect.width, rect.y + rect.height);
    let area = |(left, top, right, bottom): (f64, f64, f64, f64)| (right - left) * (bottom - top);
    let (a, b) = (edges(a), edges(b));
    let width = (a.2.min(b.2) - a.0.max(b.0)).max(0.0);
    let height = (a.3.min(b.3) - a.1.max(b.1)).max(0.0);
    let (area_a, area_b) = (area(a), area(b));
    let union = area_a + area_b - width * height;
    if area_a <= f64::EPSILON || area_b <= f64::EPSILON || union <= f64::EPSILON {
        0.0
    } else {
        width * height / union
    }
}

#[cfg(test)]
mod tests;
