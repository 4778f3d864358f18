//! Against pycocotools.

use super::random::Random;
use super::{assert_same, original};
use parapet_core::Label;
use parapet_eval::metric::detection::{DetectionMatches, LabelledImage};
use parapet_eval::truth::{FoundBox, TruthBox};
use serde::{Deserialize, Serialize};

/// Pictures with truth and findings.
#[derive(Default)]
pub(crate) struct Case {
    pub(crate) images: Vec<(Vec<TruthBox>, Vec<FoundBox>)>,
    /// Number of classes, named as [`label`] does.
    pub(crate) classes: usize,
    /// Which of them are labelled.
    pub(crate) labelled: Vec<usize>,
    /// How often each picture is there.
    pub(crate) times: Option<Vec<u32>>,
}

/// Named so that the order of names is that of numbers.
pub(crate) fn label(class: usize) -> Label {
    Label::new(&format!("{class:03}"))
}

fn class(label: &Label) -> usize {
    label.as_str().parse().unwrap()
}

/// Picture, class, left, top, width, height, area, crowd, ignored.
type WireTruth = (usize, usize, f64, f64, f64, f64, f64, bool, bool);

#[derive(Serialize)]
struct Wire {
    images: usize,
    classes: usize,
    labelled: Vec<usize>,
    truth: Vec<WireTruth>,
    found: Vec<(usize, usize, f64, f64, f64, f64, f64)>,
}

#[derive(Deserialize)]
struct Figures {
    stats: [f64; 12],
    classes: Vec<[f64; 4]>,
}

impl Case {
    fn wire(&self) -> Wire {
        let mut wire = Wire {
            images: 0,
            classes: self.classes,
            labelled: self.labelled.clone(),
            truth: Vec::new(),
            found: Vec::new(),
        };
        for (index, (truth, found)) in self.images.iter().enumerate() {
            for _ in 0..self.times.as_ref().map_or(1, |times| times[index]) {
                let image = wire.images;
                wire.images += 1;
                wire.truth.extend(truth.iter().map(|one| {
                    let rect = one.rect;
                    let (crowd, ignored) = (one.crowd, one.ignored);
                    (
                        image,
                        class(&one.label),
                        rect.x,
                        rect.y,
                        rect.width,
                        rect.height,
                        one.area,
                        crowd,
                        ignored,
                    )
                }));
                wire.found.extend(found.iter().map(|one| {
                    let rect = one.rect;
                    (image, class(&one.label), rect.x, rect.y, rect.width, rect.height, one.score)
                }));
            }
        }
        wire
    }
}

/// Scores the cases with both and compares all figures.
pub(crate) fn compare(cases: &[Case]) {
    let wires: Vec<Wire> = cases.iter().map(Case::wire).collect();
    let figures: Vec<Figures> = original("coco.py", &wires);
    assert_eq!(figures.len(), cases.len());
    for (number, (case, theirs)) in cases.iter().zip(figures).enumerate() {
        let labelled: Vec<Label> = case.labelled.iter().map(|class| label(*class)).collect();
        let matches = DetectionMatches::new(case.images.iter().map(|(truth, found)| LabelledImage {
            truth,
            found,
            classes: &labelled,
        }));
        let once = vec![1; case.images.len()];
        let times = case.times.as_ref().unwrap_or(&once);
        let ours = matches.figures_of(times);
        let stats = [
            ours.ap,
            ours.ap50,
            ours.ap75,
            ours.ap_small,
            ours.ap_medium,
            ours.ap_large,
            ours.ar_1,
            ours.ar_10,
            ours.ar_100,
            ours.ar_small,
            ours.ar_medium,
            ours.ar_large,
        ];
        for (figure, (ours, theirs)) in stats.into_iter().zip(theirs.stats).enumerate() {
            assert_same(&format!("case {number}, figure {figure}"), ours, theirs);
        }
        if !case.images.is_empty() {
            assert_eq!(ours.classes.len(), theirs.classes.len());
        }
        for (ours, theirs) in ours.classes.iter().zip(theirs.classes) {
            let all = [ours.ap, ours.ap50, ours.ap75, ours.ar_100];
            for (figure, (one, theirs)) in all.into_iter().zip(theirs).enumerate() {
                assert_same(&format!("case {number}, class {}, figure {figure}", ours.label), one, theirs);
            }
        }
        assert_eq!(matches.mean_precision_of(times), (ours.ap, ours.ap50));
    }
}

/// What one case is made of; each of these varies from case to case.
fn generated(seed: usize) -> Case {
    let mut random = Random::new(seed as u64);
    let whole = seed.is_multiple_of(2);
    let classes = 1 + random.below(4);
    let levels = [f64::INFINITY, 10.0, 3.0, 1.0][random.below(4)];
    let crowded = if random.chance(0.4) { 0.2 } else { 0.0 };
    let ignored = if random.chance(0.3) { 0.2 } else { 0.0 };
    let no_area = if random.chance(0.2) { 0.1 } else { 0.0 };
    let jitter = random.between(0.0, 0.4);
    let many = seed % 40 == 7;
    let count = if many { 1 } else { random.below(6) };
    let score = |random: &mut Random| match levels {
        levels if levels.is_infinite() => random.share(),
        levels => (random.share() * levels).floor() / levels,
    };
    let mut images = Vec::new();
    for _ in 0..count {
        let mut truth = Vec::new();
        for _ in 0..if random.chance(0.15) { 0 } else { random.below(9) } {
            let rect = random.rect(whole, no_area);
            truth.push(TruthBox {
                label: label(random.below(classes)),
                rect,
                area: rect.area() * if random.chance(0.5) { 1.0 } else { random.between(0.3, 1.0) },
                track: None,
                crowd: random.chance(crowded),
                ignored: random.chance(ignored),
            });
        }
        let mut found = Vec::new();
        if !random.chance(0.1) {
            for truth in &truth {
                for _ in 0..random.below(if truth.crowd { 5 } else { 3 }) {
                    let swapped = random.chance(0.1);
                    found.push(FoundBox {
                        label: if swapped { label(random.below(classes)) } else { truth.label.clone() },
                        rect: random.jittered(&truth.rect, jitter, whole),
                        score: score(&mut random),
                        track: None,
                    });
                }
            }
            for _ in 0..if many { 120 + random.below(200) } else { random.below(4) } {
                found.push(FoundBox {
                    label: label(if many { 0 } else { random.below(classes) }),
                    rect: random.rect(whole, no_area),
                    score: score(&mut random),
                    track: None,
                });
            }
        }
        for index in (1..found.len()).rev() {
            found.swap(index, random.below(index + 1));
        }
        images.push((truth, found));
    }
    let mut labelled: Vec<usize> = (0..classes).filter(|_| random.chance(0.8)).collect();
    if labelled.is_empty() {
        labelled.push(0);
    }
    // Multiples of a picture tie with themselves only if its scores differ.
    let times = (levels.is_infinite() && random.chance(0.4)).then(|| {
        let mut times: Vec<u32> = images.iter().map(|_| random.below(4) as u32).collect();
        if let Some(first) = times.first_mut() {
            *first = (*first).max(1);
        }
        times
    });
    Case { images, classes, labelled, times }
}

#[test]
fn detection_is_as_pycocotools_has_it_on_a_thousand_generated_cases() {
    let cases: Vec<Case> = (0..1000).map(generated).collect();
    compare(&cases);
}
