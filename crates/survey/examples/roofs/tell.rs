//! How good heads are on the compounds that they have not seen.

#![expect(clippy::print_stdout, reason = "tells how good it is")]

use crate::{gather::Learnt, learn::is_one};
use parapet_change::survey::{Head, Measure};
use parapet_survey::{CompareOptions, measure::Tally};

/// Tells how good heads are on the roofs of their folds, for each set; with `baselines`, those too.
pub(crate) fn tell(learnt: &[Learnt], heads: &[Head], scores: (f32, f32), baselines: bool) {
    for (set, is_rendered) in [("painted", false), ("rendered", true)] {
        let of_set = || learnt.iter().filter(|l| l.flown && l.rendered == is_rendered);
        let found: Vec<_> = of_set().map(|l| (l, l.roof.found(&heads[l.fold], 0.0, scores))).collect();
        for confidence in [0.3, 0.4, 0.5, 0.6, 0.7, 0.8] {
            let mut tally = Tally::default();
            for (l, found) in &found {
                let sure: Vec<_> = found.iter().filter(|f| f.confidence >= confidence).cloned().collect();
                tally.add(&l.roof.truths, &sure);
            }
            told(&format!("{set} at {confidence}"), &tally);
        }
        let measures =
            [("pixels", Measure::Pixels), ("correlation", Measure::Correlation), ("deep", Measure::Deep)];
        for (name, measure) in measures.into_iter().filter(|_| baselines) {
            let at = |score: f32| {
                let mut tally = Tally::default();
                for l in of_set() {
                    tally.add(&l.roof.truths, &l.roof.found_by(measure, score));
                }
                (score, tally)
            };
            let all = (1..10).map(|k| at(k as f32 * 0.1));
            let best = all.max_by(|a, b| a.1.f1().partial_cmp(&b.1.f1()).expect("no NaN"));
            if let Some((score, tally)) = best {
                told(&format!("{set} {name} best at {score:.3}"), &tally);
            }
        }
    }
    mistakes(learnt, heads, scores);
}

fn told(what: &str, tally: &Tally) {
    let mean = |values: &[f32]| values.iter().sum::<f32>() / values.len().max(1) as f32;
    println!(
        "{what}: {} roofs, {} changes, recall {:.3?}, precision {:.3?}, false/roof {:.3?}, F1 {:.3?}, pixel F1 {:.3?}, area error {:.3?}, bias {:.3}, 95 % of areas within {:.2?} deviations, {:.2?} within 2; place {:.2?} m, 95 % within {:.2?} deviations, {:.2?} within 2.45; kind {}/{}, calibration {:.3?}",
        tally.roofs,
        tally.truths,
        tally.recall(),
        tally.precision(),
        tally.wrong_per_roof(),
        tally.f1(),
        tally.pixel_f1(),
        tally.area_error(),
        mean(&tally.area_errors),
        most(tally.area_deviations.iter().map(|d| d.abs())),
        tally.area_within(),
        tally.distance(),
        most(tally.distances.iter().map(|d| d.1)),
        tally.distance_within(),
        tally.right_kind,
        tally.found,
        tally.calibration_error(),
    );
}

/// What 95 % of the values are below.
fn most(values: impl Iterator<Item = f32>) -> Option<f32> {
    let mut values: Vec<f32> = values.collect();
    values.sort_by(f32::total_cmp);
    values.get(values.len() * 95 / 100).copied()
}

/// What is false and what is missed on rendered roofs, for people.
fn mistakes(learnt: &[Learnt], heads: &[Head], scores: (f32, f32)) {
    let confidence = CompareOptions::default().min_confidence;
    for l in learnt.iter().filter(|l| l.flown && l.rendered) {
        let unsure = l.roof.found(&heads[l.fold], 0.0, scores);
        let found: Vec<_> = unsure.iter().filter(|f| f.confidence >= confidence).collect();
        for f in found.iter().filter(|f| !l.roof.truths.iter().any(|t| is_one(t, &f.footprint))) {
            let near: Vec<_> = l
                .roof
                .harmless
                .iter()
                .filter(|(_, h)| h.distance(f.footprint.centroid()) < 1.0)
                .map(|(k, _)| k.as_str())
                .collect();
            println!(
                "false on {}: {:?} {:.1} m² at {:.2}, harmless near {near:?}",
                l.roof.name, f.change, f.area.0, f.confidence
            );
        }
        for t in l.roof.truths.iter().filter(|t| !found.iter().any(|f| is_one(t, &f.footprint))) {
            let there = unsure.iter().find(|f| is_one(t, &f.footprint));
            let near = unsure.iter().find(|f| f.footprint.distance(t.footprint.centroid()) < 0.5);
            println!(
                "missed on {}: {:?} {:.1} m²; there at {:?}; near: {:?}",
                l.roof.name,
                t.change,
                t.footprint.area(),
                there.map(|f| f.confidence),
                near.map(|f| (f.area.0, f.confidence)),
            );
        }
    }
}
