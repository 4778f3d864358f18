//! CLEAR MOT: Bernardin and Stiefelhagen, "Evaluating Multiple Object Tracking Performance" (2008), as `TrackEval`
//! computes it at IoU 0.5.

use super::Sequence;
use crate::metric::assignment::{Matrix, assign};
use serde::{Deserialize, Serialize};

const IOU: f64 = 0.5;

/// The counts; the figures follow. Without truth the figures divide by 1, as in `TrackEval`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Clear {
    /// Matched boxes.
    pub hits: u64,
    /// Truths without a finding.
    pub misses: u64,
    /// Findings without a truth.
    pub false_alarms: u64,
    /// How often a truth's track is matched to another finding's track than it was before.
    pub id_switches: u64,
    /// Tracks found in more than 80 % of their frames.
    pub mostly_tracked: u64,
    /// Tracks found in 20 to 80 % of their frames.
    pub partly_tracked: u64,
    /// Tracks found in less than 20 % of their frames.
    pub mostly_lost: u64,
    /// How often a track is found again after a frame without it.
    pub fragmentations: u64,
    /// Sum of IoU over the hits.
    pub iou_sum: f64,
}

impl Clear {
    /// Multiple object tracking accuracy: 1 − (misses + false alarms + id switches) / truths. May be below 0.
    pub fn mota(&self) -> f64 {
        (self.hits as f64 - self.false_alarms as f64 - self.id_switches as f64) / self.truths()
    }

    /// Multiple object tracking precision: mean IoU of the hits; 0 without any.
    pub fn motp(&self) -> f64 {
        self.iou_sum / self.hits.max(1) as f64
    }

    /// MOTA in which a hit weighs its IoU.
    pub fn smota(&self) -> f64 {
        (self.iou_sum - self.false_alarms as f64 - self.id_switches as f64) / self.truths()
    }

    /// Recall of boxes.
    pub fn recall(&self) -> f64 {
        self.hits as f64 / self.truths()
    }

    /// Precision of boxes.
    pub fn precision(&self) -> f64 {
        self.hits as f64 / (self.hits + self.false_alarms).max(1) as f64
    }

    fn truths(&self) -> f64 {
        (self.hits + self.misses).max(1) as f64
    }

    /// CLEAR MOT of one sequence.
    pub fn of(sequence: &Sequence) -> Self {
        let mut clear = Self::default();
        if sequence.found_boxes == 0 {
            return Self { misses: sequence.truth_boxes, mostly_lost: sequence.truth_ids as u64, ..clear };
        }
        if sequence.truth_boxes == 0 {
            return Self { false_alarms: sequence.found_boxes, ..clear };
        }
        let mut tracks = vec![Track::default(); sequence.truth_ids];
        for frame in &sequence.frames {
            if frame.truth.is_empty() {
                clear.false_alarms += frame.found.len() as u64;
                continue;
            }
            frame.truth.iter().for_each(|truth| tracks[*truth].frames += 1);
            if frame.found.is_empty() {
                // As in TrackEval, such a frame does not interrupt anybody.
                clear.misses += frame.truth.len() as u64;
                continue;
            }
            // To go on with the track of the frame before comes first, IoU second.
            let score = Matrix::from_fn(frame.truth.len(), frame.found.len(), |row, column| {
                let similarity = frame.similarity[(row, column)];
                let goes_on = tracks[frame.truth[row]].in_last_frame == Some(frame.found[column]);
                if similarity < IOU - f64::EPSILON {
                    0.0
                } else {
                    similarity + if goes_on { 1000.0 } else { 0.0 }
                }
            });
            let cost = Matrix::from_fn(score.rows(), score.columns(), |row, column| -score[(row, column)]);
            let mut now = vec![None; sequence.truth_ids];
            let mut hits = 0;
            for pair in assign(&cost).into_iter().filter(|pair| score[*pair] > f64::EPSILON) {
                let (truth, found) = (frame.truth[pair.0], frame.found[pair.1]);
                let track = &mut tracks[truth];
                clear.id_switches += u64::from(track.last.is_some_and(|last| last != found));
                track.last = Some(found);
                track.found += 1;
                now[truth] = Some(found);
                hits += 1;
                clear.iou_sum += frame.similarity[pair];
            }
            for (track, now) in tracks.iter_mut().zip(now) {
                track.begins += u64::from(track.in_last_frame.is_none() && now.is_some());
                track.in_last_frame = now;
            }
            clear.hits += hits;
            clear.misses += frame.truth.len() as u64 - hits;
            clear.false_alarms += frame.found.len() as u64 - hits;
        }
        for track in tracks {
            let share = track.found as f64 / track.frames as f64;
            clear.mostly_tracked += u64::from(share > 0.8);
            clear.partly_tracked += u64::from((0.2..=0.8).contains(&share));
            clear.mostly_lost += u64::from(share < 0.2);
            clear.fragmentations += track.begins.saturating_sub(1);
        }
        clear
    }

    /// CLEAR MOT of several sequences together: counts add up.
    pub fn combined<'a>(all: impl IntoIterator<Item = &'a Self>) -> Self {
        all.into_iter().fold(Self::default(), |sum, one| Self {
            hits: sum.hits + one.hits,
            misses: sum.misses + one.misses,
            false_alarms: sum.false_alarms + one.false_alarms,
            id_switches: sum.id_switches + one.id_switches,
            mostly_tracked: sum.mostly_tracked + one.mostly_tracked,
            partly_tracked: sum.partly_tracked + one.partly_tracked,
            mostly_lost: sum.mostly_lost + one.mostly_lost,
            fragmentations: sum.fragmentations + one.fragmentations,
            iou_sum: sum.iou_sum + one.iou_sum,
        })
    }
}

/// What happened to one truth so far.
#[derive(Debug, Clone, Default)]
struct Track {
    frames: u64,
    found: u64,
    begins: u64,
    last: Option<usize>,
    in_last_frame: Option<usize>,
}
