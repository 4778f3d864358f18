//! Who is taken for whom: truth classes against found classes, with a row and a column for "nothing".

use super::{LabelledImage, matching::overlap};
use parapet_core::Label;
use serde::{Deserialize, Serialize};

/// The name of the row of false alarms and of the column of misses.
pub const BACKGROUND: &str = "background";

/// Counts of (truth class, found class).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusion {
    /// The classes, by name. One row and one column more stand for [`BACKGROUND`].
    pub labels: Vec<Label>,
    /// Row by row, a row for each truth class: `(labels + 1)²` counts.
    pub counts: Vec<u64>,
}

impl Confusion {
    /// Pairs each picture's truths with its findings of at least `threshold`, whatever their classes, one to one by
    /// falling IoU from `iou` on (of equals the same class first, then the surer finding). A finding left over that
    /// overlaps an ignored truth or a crowd by `iou` is not counted.
    pub fn new<'a>(images: impl IntoIterator<Item = LabelledImage<'a>>, iou: f64, threshold: f64) -> Self {
        let images: Vec<_> = images.into_iter().collect();
        let mut labels: Vec<Label> = images.iter().flat_map(|image| image.classes).cloned().collect();
        labels.sort_unstable();
        labels.dedup();
        let mut counts = vec![0; (labels.len() + 1) * (labels.len() + 1)];
        let background = labels.len();
        let place = |label: &Label| labels.binary_search(label).unwrap_or(background);
        for image in images {
            let truth: Vec<_> =
                image.truth.iter().filter(|truth| image.classes.contains(&truth.label)).collect();
            let found: Vec<_> = (image.found.iter())
                .filter(|found| found.score >= threshold && image.classes.contains(&found.label))
                .collect();
            let mut pairs = Vec::new();
            for (row, truth) in truth.iter().enumerate().filter(|(_, truth)| !truth.crowd && !truth.ignored) {
                for (column, found) in found.iter().enumerate() {
                    let overlap = overlap(found, truth);
                    if overlap >= iou && overlap > 0.0 {
                        pairs.push((overlap, truth.label == found.label, found.score, row, column));
                    }
                }
            }
            pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.cmp(&a.1)).then(b.2.total_cmp(&a.2)));
            let (mut met, mut used) = (vec![false; truth.len()], vec![false; found.len()]);
            let mut count = |row: usize, column: usize| counts[row * (background + 1) + column] += 1;
            for (_, _, _, row, column) in pairs {
                if !met[row] && !used[column] {
                    (met[row], used[column]) = (true, true);
                    count(place(&truth[row].label), place(&found[column].label));
                }
            }
            for (truth, _) in
                truth.iter().zip(met).filter(|(truth, met)| !met && !truth.crowd && !truth.ignored)
            {
                count(place(&truth.label), background);
            }
            for (found, _) in found.iter().zip(used).filter(|(_, used)| !used) {
                let excused = |truth: &&&_| {
                    let truth: &crate::truth::TruthBox = truth;
                    (truth.crowd || truth.ignored) && overlap(found, truth) >= iou
                };
                if truth.iter().find(excused).is_none() {
                    count(background, place(&found.label));
                }
            }
        }
        Self { labels, counts }
    }

    /// How often `truth` was found as `found`; none of a class stands for the background.
    pub fn count(&self, truth: Option<&Label>, found: Option<&Label>) -> u64 {
        let place = |label: Option<&Label>| match label {
            Some(label) => self.labels.binary_search(label).ok(),
            None => Some(self.labels.len()),
        };
        match (place(truth), place(found)) {
            (Some(row), Some(column)) => self.counts[row * (self.labels.len() + 1) + column],
            _ => 0,
        }
    }
}
