//! Which finding is which truth: for each picture and class, at ten IoU thresholds and in four ranges of area. The rules
//! are those of pycocotools' `evaluateImg`, down to the order among equals.

use super::LabelledImage;
use crate::truth::{FoundBox, TruthBox};
use parapet_core::Label;
use std::collections::BTreeMap;

/// Findings of one class in one picture beyond these, the surest, are not looked at.
pub const MAX_FOUND: usize = 100;

/// IoU from which a finding is the truth: 0.50 to 0.95 in steps of 0.05.
pub const IOU_THRESHOLDS: [f64; 10] = {
    let mut thresholds = [0.0; 10];
    let mut index = 0;
    while index < 10 {
        // As numpy.linspace computes it.
        thresholds[index] = index as f64 * ((0.95 - 0.5) / 9.0) + 0.5;
        index += 1;
    }
    thresholds[9] = 0.95;
    thresholds
};

/// Any, small, medium, large: square pixels, both ends included.
pub(super) const AREAS: [(f64, f64); 4] = [(0.0, 1e10), (0.0, 1024.0), (1024.0, 9216.0), (9216.0, 1e10)];

/// A finding and its fate: bit `t` of a range of area stands for `IOU_THRESHOLDS[t]`.
#[derive(Debug, Clone)]
pub(super) struct Fate {
    pub(super) score: f64,
    pub(super) image: u32,
    /// How many findings of its class in its picture are surer.
    pub(super) rank: u8,
    pub(super) matched: [u16; AREAS.len()],
    /// It counts neither way: what it matches is ignored, or it matches nothing and is out of the range of area.
    pub(super) ignored: [u16; AREAS.len()],
}

/// The fates of one class, by falling score over all pictures.
#[derive(Debug, Clone, Default)]
pub(super) struct ClassMatches {
    pub(super) fates: Vec<Fate>,
    /// Per picture with a truth to find: how many in each range of area.
    pub(super) wanted: Vec<(u32, [u32; AREAS.len()])>,
}

/// All pictures, matched. Figures of any multiset of them come from here without matching anew.
#[derive(Debug, Clone)]
pub struct DetectionMatches {
    pub(super) images: usize,
    pub(super) labels: Vec<Label>,
    pub(super) classes: Vec<ClassMatches>,
}

impl DetectionMatches {
    /// Matches the findings of each picture with its truth.
    pub fn new<'a>(images: impl IntoIterator<Item = LabelledImage<'a>>) -> Self {
        let mut classes: BTreeMap<Label, ClassMatches> = BTreeMap::new();
        let mut count = 0;
        for (index, image) in images.into_iter().enumerate() {
            count = index + 1;
            for label in image.classes {
                if !classes.contains_key(label) {
                    classes.insert(label.clone(), ClassMatches::default());
                }
            }
            for (label, (truth, found)) in by_class(&image) {
                if let Some(class) = classes.get_mut(label) {
                    match_class(index as u32, &truth, found, class);
                }
            }
        }
        let (labels, mut classes): (Vec<_>, Vec<_>) = classes.into_iter().unzip();
        for class in &mut classes {
            // Stable, hence by picture among equals.
            class.fates.sort_by(|a, b| falling(a.score, b.score));
        }
        Self { images: count, labels, classes }
    }

    /// Number of pictures: the units of a bootstrap.
    pub fn images(&self) -> usize {
        self.images
    }

    /// The classes that some picture labels, by name.
    pub fn labels(&self) -> &[Label] {
        &self.labels
    }

    /// Each picture once.
    pub(super) fn all_once(&self) -> Vec<u32> {
        vec![1; self.images]
    }
}

type Boxes<'a> = (Vec<&'a TruthBox>, Vec<&'a FoundBox>);

/// The boxes of each class that the picture labels.
fn by_class<'a>(image: &LabelledImage<'a>) -> BTreeMap<&'a Label, Boxes<'a>> {
    let mut boxes: BTreeMap<&Label, Boxes<'_>> = BTreeMap::new();
    for truth in image.truth.iter().filter(|truth| image.classes.contains(&truth.label)) {
        boxes.entry(&truth.label).or_default().0.push(truth);
    }
    for found in image.found.iter().filter(|found| image.classes.contains(&found.label)) {
        boxes.entry(&found.label).or_default().1.push(found);
    }
    boxes
}

/// By falling score; 0 and −0 are equal.
pub(super) fn falling(a: f64, b: f64) -> std::cmp::Ordering {
    (b + 0.0).total_cmp(&(a + 0.0))
}

/// Share of the finding that lies in a crowd, else intersection over union.
pub(super) fn overlap(found: &FoundBox, truth: &TruthBox) -> f64 {
    let shared = found.rect.intersection(&truth.rect);
    if shared <= 0.0 {
        0.0
    } else if truth.crowd {
        shared / found.rect.area()
    } else {
        shared / (found.rect.area() + truth.rect.area() - shared)
    }
}

fn match_class(image: u32, truth: &[&TruthBox], mut found: Vec<&FoundBox>, class: &mut ClassMatches) {
    found.sort_by(|a, b| falling(a.score, b.score));
    found.truncate(MAX_FOUND);
    let overlaps: Vec<f64> =
        found.iter().flat_map(|found| truth.iter().map(|truth| overlap(found, truth))).collect();
    let first = class.fates.len();
    class.fates.extend(found.iter().enumerate().map(|(rank, found)| Fate {
        score: found.score,
        image,
        rank: rank as u8,
        matched: [0; AREAS.len()],
        ignored: [0; AREAS.len()],
    }));
    let fates = &mut class.fates[first..];
    let mut wanted = [0; AREAS.len()];
    let outside = |area: f64, (least, most): (f64, f64)| area < least || area > most;
    let mut taken = vec![false; truth.len()];
    for (range, &bounds) in AREAS.iter().enumerate() {
        let ignored: Vec<bool> =
            truth.iter().map(|truth| truth.crowd || truth.ignored || outside(truth.area, bounds)).collect();
        // What counts comes first.
        let mut order: Vec<usize> = (0..truth.len()).collect();
        order.sort_by_key(|&index| ignored[index]);
        wanted[range] = ignored.iter().filter(|ignored| !**ignored).count() as u32;

        for (bit, threshold) in IOU_THRESHOLDS.iter().enumerate() {
            taken.fill(false);
            for (rank, fate) in fates.iter_mut().enumerate() {
                let overlaps = &overlaps[rank * truth.len()..(rank + 1) * truth.len()];
                let mut best = threshold.min(1.0 - 1e-10);
                let mut chosen: Option<usize> = None;
                for &candidate in &order {
                    if taken[candidate] && !truth[candidate].crowd {
                        continue;
                    }
                    if ignored[candidate] && chosen.is_some_and(|chosen| !ignored[chosen]) {
                        break;
                    }
                    if overlaps[candidate] >= best {
                        best = overlaps[candidate];
                        chosen = Some(candidate);
                    }
                }
                let ignore = match chosen {
                    Some(chosen) => {
                        taken[chosen] = true;
                        fate.matched[range] |= 1 << bit;
                        ignored[chosen]
                    }
                    None => outside(found[rank].rect.area(), bounds),
                };
                fate.ignored[range] |= u16::from(ignore) << bit;
            }
        }
    }
    if wanted[0] > 0 || wanted.iter().any(|wanted| *wanted > 0) {
        class.wanted.push((image, wanted));
    }
}
