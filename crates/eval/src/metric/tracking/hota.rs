//! HOTA: Luiten et al., "HOTA: A Higher Order Metric for Evaluating Multi-Object Tracking" (IJCV 2021), as `TrackEval`
//! computes it.

use super::Sequence;
use crate::metric::assignment::{Matrix, assign};
use serde::{Deserialize, Serialize};

/// The IoU thresholds: 0.05 to 0.95 in steps of 0.05.
pub const ALPHAS: [f64; 19] = {
    let mut alphas = [0.0; 19];
    let mut index = 0;
    while index < 19 {
        alphas[index] = 0.05 + index as f64 * 0.05;
        index += 1;
    }
    alphas
};

/// HOTA at one threshold.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct HotaAt {
    /// Matched boxes.
    pub hits: u64,
    /// Truths without a finding.
    pub misses: u64,
    /// Findings without a truth.
    pub false_alarms: u64,
    /// How well matched boxes belong to matched tracks.
    pub ass_a: f64,
    /// Its recall.
    pub ass_re: f64,
    /// Its precision.
    pub ass_pr: f64,
    /// Mean IoU of matched boxes; 1 without any.
    pub loc_a: f64,
}

impl HotaAt {
    /// Recall of boxes; 0 without truth.
    pub fn det_re(&self) -> f64 {
        share(self.hits, self.hits + self.misses)
    }

    /// Precision of boxes; 0 without findings.
    pub fn det_pr(&self) -> f64 {
        share(self.hits, self.hits + self.false_alarms)
    }

    /// Detection accuracy.
    pub fn det_a(&self) -> f64 {
        share(self.hits, self.hits + self.misses + self.false_alarms)
    }

    /// The geometric mean of detection and association accuracy.
    pub fn hota(&self) -> f64 {
        (self.det_a() * self.ass_a).sqrt()
    }
}

fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// HOTA at all thresholds; the figures are means over them, as in the paper. Without truth or findings they are 0
/// (`LocA` 1), as `TrackEval` has it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Hota {
    /// By rising threshold, see [`ALPHAS`].
    pub at: [HotaAt; ALPHAS.len()],
}

impl Hota {
    /// HOTA.
    pub fn hota(&self) -> f64 {
        self.mean(HotaAt::hota)
    }
    /// Detection accuracy.
    pub fn det_a(&self) -> f64 {
        self.mean(HotaAt::det_a)
    }
    /// Recall of boxes.
    pub fn det_re(&self) -> f64 {
        self.mean(HotaAt::det_re)
    }
    /// Precision of boxes.
    pub fn det_pr(&self) -> f64 {
        self.mean(HotaAt::det_pr)
    }
    /// Association accuracy.
    pub fn ass_a(&self) -> f64 {
        self.mean(|at| at.ass_a)
    }
    /// Association recall.
    pub fn ass_re(&self) -> f64 {
        self.mean(|at| at.ass_re)
    }
    /// Association precision.
    pub fn ass_pr(&self) -> f64 {
        self.mean(|at| at.ass_pr)
    }
    /// Localization accuracy.
    pub fn loc_a(&self) -> f64 {
        self.mean(|at| at.loc_a)
    }

    fn mean(&self, figure: impl Fn(&HotaAt) -> f64) -> f64 {
        self.at.iter().map(figure).sum::<f64>() / ALPHAS.len() as f64
    }

    /// HOTA of one sequence.
    pub fn of(sequence: &Sequence) -> Self {
        let empty = HotaAt {
            misses: if sequence.found_boxes == 0 { sequence.truth_boxes } else { 0 },
            false_alarms: if sequence.truth_boxes == 0 { sequence.found_boxes } else { 0 },
            loc_a: 1.0,
            ..HotaAt::default()
        };
        if sequence.found_boxes == 0 || sequence.truth_boxes == 0 {
            return Self { at: [empty; ALPHAS.len()] };
        }
        let (alignment, truth_boxes, found_boxes) = alignment(sequence);
        let mut at = [HotaAt::default(); ALPHAS.len()];
        let mut pairs: Vec<Matrix> =
            vec![Matrix::zeros(sequence.truth_ids, sequence.found_ids); ALPHAS.len()];
        let mut located = [0.0; ALPHAS.len()];
        for frame in &sequence.frames {
            let cost = Matrix::from_fn(frame.truth.len(), frame.found.len(), |row, column| {
                -(alignment[(frame.truth[row], frame.found[column])] * frame.similarity[(row, column)])
            });
            let matches = assign(&cost);
            for (index, alpha) in ALPHAS.iter().enumerate() {
                let mut hits = 0;
                for &(row, column) in &matches {
                    let similarity = frame.similarity[(row, column)];
                    if similarity >= alpha - f64::EPSILON {
                        hits += 1;
                        located[index] += similarity;
                        pairs[index][(frame.truth[row], frame.found[column])] += 1.0;
                    }
                }
                at[index].hits += hits;
                at[index].misses += frame.truth.len() as u64 - hits;
                at[index].false_alarms += frame.found.len() as u64 - hits;
            }
        }
        for ((at, pairs), located) in at.iter_mut().zip(&pairs).zip(located) {
            let hits = at.hits.max(1) as f64;
            for truth in 0..sequence.truth_ids {
                for found in 0..sequence.found_ids {
                    let count = pairs[(truth, found)];
                    let (of_truth, of_found) = (truth_boxes[truth], found_boxes[found]);
                    at.ass_a += count * (count / (of_truth + of_found - count).max(1.0)) / hits;
                    at.ass_re += count * (count / of_truth.max(1.0)) / hits;
                    at.ass_pr += count * (count / of_found.max(1.0)) / hits;
                }
            }
            at.loc_a = located.max(1e-10) / (at.hits as f64).max(1e-10);
        }
        Self { at }
    }

    /// HOTA of several sequences together: association and localization are means weighted by hits.
    pub fn combined<'a>(all: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut sum = [HotaAt::default(); ALPHAS.len()];
        for one in all {
            for (sum, at) in sum.iter_mut().zip(&one.at) {
                let weight = at.hits as f64;
                sum.hits += at.hits;
                sum.misses += at.misses;
                sum.false_alarms += at.false_alarms;
                sum.ass_a += at.ass_a * weight;
                sum.ass_re += at.ass_re * weight;
                sum.ass_pr += at.ass_pr * weight;
                sum.loc_a += at.loc_a * weight;
            }
        }
        for sum in &mut sum {
            let hits = sum.hits.max(1) as f64;
            sum.ass_a /= hits;
            sum.ass_re /= hits;
            sum.ass_pr /= hits;
            sum.loc_a = sum.loc_a.max(1e-10) / (sum.hits as f64).max(1e-10);
        }
        Self { at: sum }
    }
}

/// How well each truth's track goes with each finding's before they are matched, and the boxes of each track.
fn alignment(sequence: &Sequence) -> (Matrix, Vec<f64>, Vec<f64>) {
    let mut together = Matrix::zeros(sequence.truth_ids, sequence.found_ids);
    let (mut truth_boxes, mut found_boxes) = (vec![0.0; sequence.truth_ids], vec![0.0; sequence.found_ids]);
    for frame in &sequence.frames {
        let similarity = &frame.similarity;
        let (rows, columns) = (frame.truth.len(), frame.found.len());
        let of_row: Vec<f64> =
            (0..rows).map(|row| (0..columns).map(|column| similarity[(row, column)]).sum()).collect();
        let of_column: Vec<f64> =
            (0..columns).map(|column| (0..rows).map(|row| similarity[(row, column)]).sum()).collect();
        for row in 0..rows {
            for column in 0..columns {
                let all = of_column[column] + of_row[row] - similarity[(row, column)];
                if all > f64::EPSILON {
                    together[(frame.truth[row], frame.found[column])] += similarity[(row, column)] / all;
                }
            }
        }
        frame.truth.iter().for_each(|truth| truth_boxes[*truth] += 1.0);
        frame.found.iter().for_each(|found| found_boxes[*found] += 1.0);
    }
    let alignment = Matrix::from_fn(sequence.truth_ids, sequence.found_ids, |truth, found| {
        together[(truth, found)] / (truth_boxes[truth] + found_boxes[found] - together[(truth, found)])
    });
    (alignment, truth_boxes, found_boxes)
}
