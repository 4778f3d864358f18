//! From fates to the twelve COCO figures, for any multiset of the pictures. As in pycocotools' `accumulate` and
//! `summarize`: precision is read at 101 recalls from the falling envelope of the curve, and a class without truth has no
//! figure and enters no mean.

use super::matching::{AREAS, ClassMatches, DetectionMatches, IOU_THRESHOLDS, MAX_FOUND};
use parapet_core::Label;
use serde::{Deserialize, Serialize};

const ALL: usize = 0;
const THRESHOLDS: usize = IOU_THRESHOLDS.len();
const RECALLS: usize = 101;
/// Index of IoU 0.75.
const AT_75: usize = 5;

/// COCO's twelve figures, 0 to 1, and those of each class. None (COCO writes −1) where there is no truth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DetectionFigures {
    /// Mean average precision over IoU 0.50 to 0.95 and classes.
    pub ap: Option<f64>,
    /// At IoU 0.50.
    pub ap50: Option<f64>,
    /// At IoU 0.75.
    pub ap75: Option<f64>,
    /// Of truths up to 32² square pixels.
    pub ap_small: Option<f64>,
    /// Of truths between 32² and 96² square pixels.
    pub ap_medium: Option<f64>,
    /// Of truths from 96² square pixels.
    pub ap_large: Option<f64>,
    /// Mean recall with the surest finding of each class and picture, over IoU 0.50 to 0.95.
    pub ar_1: Option<f64>,
    /// With the ten surest.
    pub ar_10: Option<f64>,
    /// With the hundred surest.
    pub ar_100: Option<f64>,
    /// Of small truths.
    pub ar_small: Option<f64>,
    /// Of medium truths.
    pub ar_medium: Option<f64>,
    /// Of large truths.
    pub ar_large: Option<f64>,
    /// Each class, by name.
    pub classes: Vec<ClassFigures>,
}

/// The figures of one class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassFigures {
    /// The class.
    pub label: Label,
    /// Truths to find.
    pub truths: u64,
    /// Findings that were looked at.
    pub found: u64,
    /// Average precision over IoU 0.50 to 0.95.
    pub ap: Option<f64>,
    /// At IoU 0.50.
    pub ap50: Option<f64>,
    /// At IoU 0.75.
    pub ap75: Option<f64>,
    /// Mean recall with the hundred surest findings a picture.
    pub ar_100: Option<f64>,
}

/// One class in one range of area: average precision and final recall at each IoU threshold.
struct Averages {
    precision: [f64; THRESHOLDS],
    recall: [f64; THRESHOLDS],
}

impl DetectionMatches {
    /// The figures of all pictures.
    pub fn figures(&self) -> DetectionFigures {
        self.figures_of(&self.all_once())
    }

    /// The figures if picture `i` were there `times[i]` times.
    pub fn figures_of(&self, times: &[u32]) -> DetectionFigures {
        let ranges: Vec<Vec<Option<Averages>>> = (0..AREAS.len())
            .map(|range| self.classes.iter().map(|class| averages(class, range, MAX_FOUND, times)).collect())
            .collect();
        let precision =
            |range: usize, pick: fn(&Averages) -> f64| mean(ranges[range].iter().flatten().map(pick));
        let recall = |range: usize| mean(ranges[range].iter().flatten().map(|of| mean_of(&of.recall)));
        let recall_of_few = |few| {
            mean(
                self.classes
                    .iter()
                    .filter_map(|class| final_recalls(class, ALL, few, times))
                    .map(|of| mean_of(&of)),
            )
        };
        DetectionFigures {
            ap: precision(ALL, |of| mean_of(&of.precision)),
            ap50: precision(ALL, |of| of.precision[0]),
            ap75: precision(ALL, |of| of.precision[AT_75]),
            ap_small: precision(1, |of| mean_of(&of.precision)),
            ap_medium: precision(2, |of| mean_of(&of.precision)),
            ap_large: precision(3, |of| mean_of(&of.precision)),
            ar_1: recall_of_few(1),
            ar_10: recall_of_few(10),
            ar_100: recall(ALL),
            ar_small: recall(1),
            ar_medium: recall(2),
            ar_large: recall(3),
            classes: (self.labels.iter().zip(&self.classes).zip(&ranges[ALL]))
                .map(|((label, class), of)| ClassFigures {
                    label: label.clone(),
                    truths: wanted(class, ALL, times),
                    found: class.fates.iter().map(|fate| u64::from(times[fate.image as usize])).sum(),
                    ap: of.as_ref().map(|of| mean_of(&of.precision)),
                    ap50: of.as_ref().map(|of| of.precision[0]),
                    ap75: of.as_ref().map(|of| of.precision[AT_75]),
                    ar_100: of.as_ref().map(|of| mean_of(&of.recall)),
                })
                .collect(),
        }
    }

    /// Only `(AP 50–95, AP50)`, for a bootstrap: a quarter of the work of [`Self::figures_of`].
    pub fn mean_precision_of(&self, times: &[u32]) -> (Option<f64>, Option<f64>) {
        let all: Vec<_> =
            self.classes.iter().filter_map(|class| averages(class, ALL, MAX_FOUND, times)).collect();
        (mean(all.iter().map(|of| mean_of(&of.precision))), mean(all.iter().map(|of| of.precision[0])))
    }
}

pub(super) fn wanted(class: &ClassMatches, range: usize, times: &[u32]) -> u64 {
    class
        .wanted
        .iter()
        .map(|(image, wanted)| u64::from(wanted[range]) * u64::from(times[*image as usize]))
        .sum()
}

/// Recall at each IoU threshold with the `few` surest findings a picture; none without truth.
fn final_recalls(class: &ClassMatches, range: usize, few: usize, times: &[u32]) -> Option<[f64; THRESHOLDS]> {
    let wanted = wanted(class, range, times);
    let mut hits = [0_u64; THRESHOLDS];
    for fate in class.fates.iter().filter(|fate| usize::from(fate.rank) < few) {
        let counted = fate.matched[range] & !fate.ignored[range];
        let times = u64::from(times[fate.image as usize]);
        for (bit, hits) in hits.iter_mut().enumerate() {
            *hits += u64::from(counted >> bit & 1) * times;
        }
    }
    (wanted > 0).then(|| hits.map(|hits| hits as f64 / wanted as f64))
}

fn averages(class: &ClassMatches, range: usize, few: usize, times: &[u32]) -> Option<Averages> {
    let wanted = wanted(class, range, times);
    if wanted == 0 {
        return None;
    }
    let mut averages = Averages { precision: [0.0; THRESHOLDS], recall: [0.0; THRESHOLDS] };
    // (hits so far, precision there) after each hit: a false alarm never raises the envelope.
    let mut steps: Vec<(u64, f64)> = Vec::new();
    for bit in 0..THRESHOLDS {
        steps.clear();
        let (mut hits, mut false_alarms) = (0_u64, 0_u64);
        for fate in &class.fates {
            if usize::from(fate.rank) >= few || fate.ignored[range] >> bit & 1 == 1 {
                continue;
            }
            let times = u64::from(times[fate.image as usize]);
            if fate.matched[range] >> bit & 1 == 0 {
                false_alarms += times;
            } else if times > 0 {
                hits += times;
                // pycocotools guards against 0 by numpy.spacing(1).
                steps.push((hits, hits as f64 / ((false_alarms + hits) as f64 + f64::EPSILON)));
            }
        }
        averages.recall[bit] = hits as f64 / wanted as f64;
        averages.precision[bit] = average_precision(&steps, wanted);
    }
    Some(averages)
}

/// The mean over 101 recalls of the best precision at that recall or more.
fn average_precision(steps: &[(u64, f64)], wanted: u64) -> f64 {
    let mut sum = 0.0;
    let mut best = 0.0_f64;
    let mut remaining = steps.len();
    for index in (0..RECALLS).rev() {
        let recall = index as f64 * 0.01;
        while remaining > 0 && steps[remaining - 1].0 as f64 / wanted as f64 >= recall {
            best = best.max(steps[remaining - 1].1);
            remaining -= 1;
        }
        sum += best;
    }
    sum / RECALLS as f64
}

fn mean_of(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = values.fold((0_u32, 0.0), |(count, sum), value| (count + 1, sum + value));
    (count > 0).then(|| sum / f64::from(count))
}
