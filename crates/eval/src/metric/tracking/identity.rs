//! Identity figures: Ristani et al., "Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking" (ECCV
//! workshops 2016), as `TrackEval` computes them at IoU 0.5.

use super::Sequence;
use crate::metric::assignment::{Matrix, assign};
use serde::{Deserialize, Serialize};

const IOU: f64 = 0.5;
const FORBIDDEN: f64 = 1e10;

/// Boxes under the best one-to-one mapping of whole tracks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Identity {
    /// Boxes of a truth found by its own track.
    pub hits: u64,
    /// Truths that are not.
    pub misses: u64,
    /// Findings that are not.
    pub false_alarms: u64,
}

impl Identity {
    /// Harmonic mean of precision and recall; 0 without boxes.
    pub fn idf1(&self) -> f64 {
        self.hits as f64 / (self.hits as f64 + 0.5 * (self.false_alarms + self.misses) as f64).max(1.0)
    }

    /// Precision.
    pub fn idp(&self) -> f64 {
        self.hits as f64 / (self.hits + self.false_alarms).max(1) as f64
    }

    /// Recall.
    pub fn idr(&self) -> f64 {
        self.hits as f64 / (self.hits + self.misses).max(1) as f64
    }

    /// The figures of one sequence.
    pub fn of(sequence: &Sequence) -> Self {
        if sequence.found_boxes == 0 || sequence.truth_boxes == 0 {
            return Self { hits: 0, misses: sequence.truth_boxes, false_alarms: sequence.found_boxes };
        }
        let (truths, founds) = (sequence.truth_ids, sequence.found_ids);
        let mut together = Matrix::zeros(truths, founds);
        let (mut truth_boxes, mut found_boxes) = (vec![0.0; truths], vec![0.0; founds]);
        for frame in &sequence.frames {
            for (row, &truth) in frame.truth.iter().enumerate() {
                for (column, &found) in frame.found.iter().enumerate() {
                    if frame.similarity[(row, column)] >= IOU {
                        together[(truth, found)] += 1.0;
                    }
                }
            }
            frame.truth.iter().for_each(|truth| truth_boxes[*truth] += 1.0);
            frame.found.iter().for_each(|found| found_boxes[*found] += 1.0);
        }
        // Each track may also stay alone: a row or a column of its own.
        let missed = Matrix::from_fn(truths + founds, truths + founds, |row, column| {
            match (row < truths, column < founds) {
                (true, true) => truth_boxes[row] - together[(row, column)],
                (true, false) if column - founds == row => truth_boxes[row],
                (true, false) => FORBIDDEN,
                (false, _) => 0.0,
            }
        });
        let surplus = Matrix::from_fn(truths + founds, truths + founds, |row, column| {
            match (row < truths, column < founds) {
                (true, true) => found_boxes[column] - together[(row, column)],
                (false, true) if row - truths == column => found_boxes[column],
                (false, true) => FORBIDDEN,
                (_, false) => 0.0,
            }
        });
        let size = truths + founds;
        let pairs = assign(&Matrix::from_fn(size, size, |row, column| {
            missed[(row, column)] + surplus[(row, column)]
        }));
        let misses = pairs.iter().map(|pair| missed[*pair]).sum::<f64>() as u64;
        let false_alarms = pairs.iter().map(|pair| surplus[*pair]).sum::<f64>() as u64;
        Self { hits: sequence.truth_boxes - misses, misses, false_alarms }
    }

    /// The figures of several sequences together: counts add up.
    pub fn combined<'a>(all: impl IntoIterator<Item = &'a Self>) -> Self {
        all.into_iter().fold(Self::default(), |sum, one| Self {
            hits: sum.hits + one.hits,
            misses: sum.misses + one.misses,
            false_alarms: sum.false_alarms + one.false_alarms,
        })
    }
}
