//! Precision and recall at a score threshold, the whole curve, and the threshold of best F1: chosen on one set, applied to
//! another. Greedy matching by falling score has the property that what a threshold cuts off does not change the fate of
//! what remains, so one matching serves all thresholds.

use super::matching::{DetectionMatches, Fate, IOU_THRESHOLDS, falling};
use crate::metric::Counts;
use parapet_core::Label;
use serde::{Deserialize, Serialize};

/// One point of a curve: what holds if all findings of at least this score are taken.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// The score threshold.
    pub threshold: f64,
    /// Hits, false alarms, misses.
    pub counts: Counts,
}

/// Precision and recall over falling thresholds: one point for each score that occurs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// Truths to find.
    pub wanted: u64,
    /// By falling threshold.
    pub points: Vec<CurvePoint>,
}

impl Curve {
    /// The counts if findings of at least `threshold` are taken.
    pub fn at(&self, threshold: f64) -> Counts {
        let taken = self.points.partition_point(|point| point.threshold >= threshold);
        match taken.checked_sub(1) {
            Some(last) => self.points[last].counts,
            None => Counts { misses: self.wanted, ..Counts::default() },
        }
    }

    /// The point of best F1, the highest threshold among equals; none if no threshold gives a hit.
    pub fn best_f1(&self) -> Option<CurvePoint> {
        let mut best: Option<(f64, CurvePoint)> = None;
        for point in self.points.iter().filter(|point| point.counts.hits > 0) {
            let f1 = point.counts.f1().unwrap_or(0.0);
            if best.is_none_or(|(most, _)| f1 > most) {
                best = Some((f1, *point));
            }
        }
        best.map(|(_, point)| point)
    }

    /// The curve of `(score, hit, times)` in any order, with `wanted` things to find.
    pub(in crate::metric) fn new(wanted: u64, mut scored: Vec<(f64, bool, u64)>) -> Self {
        scored.sort_by(|a, b| falling(a.0, b.0));
        let mut points: Vec<CurvePoint> = Vec::new();
        let mut counts = Counts { misses: wanted, ..Counts::default() };
        for (score, hit, times) in scored {
            if hit {
                counts.hits += times;
                counts.misses = wanted.saturating_sub(counts.hits);
            } else {
                counts.false_alarms += times;
            }
            match points.last_mut() {
                Some(last) if last.threshold == score => last.counts = counts,
                _ => points.push(CurvePoint { threshold: score, counts }),
            }
        }
        Self { wanted, points }
    }
}

impl DetectionMatches {
    /// The curve of one class, or of all together (`None`), at the one of [`IOU_THRESHOLDS`] that is
    /// nearest to `iou`. Of each class and picture the hundred surest findings take part. A class that no
    /// picture labels has an empty curve.
    pub fn curve(&self, label: Option<&Label>, iou: f64) -> Curve {
        self.curve_of(label, iou, &self.all_once())
    }

    /// The same if picture `i` were there `times[i]` times.
    pub fn curve_of(&self, label: Option<&Label>, iou: f64, times: &[u32]) -> Curve {
        let bit = nearest(iou);
        let mut wanted = 0;
        let mut scored = Vec::new();
        for (_, class) in self.chosen(label) {
            wanted += super::accumulate::wanted(class, 0, times);
            let counted = |fate: &&Fate| fate.ignored[0] >> bit & 1 == 0 && times[fate.image as usize] > 0;
            scored.extend(class.fates.iter().filter(counted).map(|fate| {
                (fate.score, fate.matched[0] >> bit & 1 == 1, u64::from(times[fate.image as usize]))
            }));
        }
        Curve::new(wanted, scored)
    }

    /// The counts of one class, or of all together, at a score threshold, if picture `i` were there `times[i]` times.
    pub fn counts_of(&self, label: Option<&Label>, iou: f64, threshold: f64, times: &[u32]) -> Counts {
        let bit = nearest(iou);
        let mut counts = Counts::default();
        for (_, class) in self.chosen(label) {
            let wanted = super::accumulate::wanted(class, 0, times);
            let mut hits = 0;
            for fate in class.fates.iter().take_while(|fate| fate.score >= threshold) {
                let times = u64::from(times[fate.image as usize]);
                if fate.ignored[0] >> bit & 1 == 1 {
                } else if fate.matched[0] >> bit & 1 == 1 {
                    hits += times;
                } else {
                    counts.false_alarms += times;
                }
            }
            counts.hits += hits;
            counts.misses += wanted - hits;
        }
        counts
    }

    fn chosen<'a>(
        &'a self,
        label: Option<&'a Label>,
    ) -> impl Iterator<Item = (&'a Label, &'a super::matching::ClassMatches)> {
        self.labels.iter().zip(&self.classes).filter(move |(of, _)| label.is_none_or(|label| label == *of))
    }
}

fn nearest(iou: f64) -> usize {
    let distance = |index: usize| (IOU_THRESHOLDS[index] - iou).abs();
    (0..IOU_THRESHOLDS.len()).min_by(|a, b| distance(*a).total_cmp(&distance(*b))).unwrap_or(0)
}
