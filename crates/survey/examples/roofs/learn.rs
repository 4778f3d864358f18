//! Learns the head and tells how good it is on roofs that it was not learnt from (five folds), and at which scores the
//! baselines are best.

#![expect(clippy::print_stdout, reason = "tells how good it is")]

use std::{error::Error, path::Path};

use crate::cases::{
    painted, rendered, reversed,
    roofs::{Roof, roofs},
};
use parapet_change::survey::{
    CELL_CLASSES, CELL_PIXELS, Head, Measure, Network, Sample, THING_CLASSES, Training, train,
};
use parapet_core::geo::GroundPolygon;
use parapet_infer::{Engine, EngineConfig, ModelStore};
use parapet_survey::{
    Change, CompareOptions, NetworkFeatures,
    measure::{Found, Tally, TrueChange},
};

const FOLDS: usize = 5;
const CELLS: Training = Training { hidden: 20, rounds: 12, step: 0.01, decay: 1e-3 };
const THINGS: Training = Training { hidden: 6, rounds: 60, step: 0.01, decay: 5e-2 };
/// Rendered roofs count more than painted ones: they look more like real ones.
const RENDERED_WEIGHT: f32 = 3.0;

/// What a true change makes of a cell and of a thing.
fn classes(change: Change) -> (usize, usize) {
    match change {
        Change::New => (1, 1),
        Change::Removed => (2, 2),
        Change::Grown => (1, 3),
    }
}

fn cell_samples(roof: &Roof, weight: f32) -> Vec<Sample> {
    let (width, _) = roof.fused.dimensions();
    let cell = CELL_PIXELS as f64;
    let mut samples = Vec::new();
    for (i, input) in roof.fused.inputs().into_iter().enumerate() {
        let Some(input) = input else { continue };
        let at = roof.at(((i % width) as f64 + 0.5) * cell, ((i / width) as f64 + 0.5) * cell);
        let nearest = roof.truths.iter().map(|t| (t.footprint.distance(at), t.change));
        let class = match nearest.min_by(|a, b| a.0.total_cmp(&b.0)) {
            Some((0.0, change)) => classes(change).0,
            // A cell on the border is both.
            Some((distance, _)) if distance < 0.25 => continue,
            _ => 0,
        };
        // Most cells are as they were; a third of them say the same.
        if class == 0 && i % 3 != 0 {
            continue;
        }
        samples.push(Sample { input, class, weight: weight * if class == 0 { 1.5 } else { 1.0 } });
    }
    samples
}

fn is_one(truth: &TrueChange, polygon: &GroundPolygon) -> bool {
    let found = Found {
        change: truth.change,
        area: (0.0, 0.0),
        uncertainty: 0.0,
        confidence: 0.0,
        footprint: polygon.clone(),
    };
    let mut tally = Tally::default();
    tally.add(std::slice::from_ref(truth), &[found]);
    tally.found > 0
}

fn thing_samples(roof: &Roof, cells: &Network, scores: (f32, f32), weight: f32) -> Vec<Sample> {
    let head = Head::of_cells(cells.clone());
    let things = roof.things(Measure::Head(&head), scores);
    let sample = |thing: parapet_change::survey::Thing| {
        let polygon = roof.polygon(&thing)?;
        let truth = roof.truths.iter().find(|t| is_one(t, &polygon));
        Some(Sample { input: thing.input, class: truth.map_or(0, |t| classes(t.change).1), weight })
    };
    things.into_iter().filter_map(sample).collect()
}

/// Learns from the samples of all folds but one.
fn without(fold: usize, samples: &[(usize, Vec<Sample>)], classes: usize, how: &Training) -> Network {
    let others = samples.iter().filter(|(f, _)| *f != fold);
    let samples: Vec<Sample> = others.flat_map(|(_, s)| s.iter().cloned()).collect();
    train(&samples, classes, how).expect("there are samples")
}

/// Learns from painted roofs and rendered compounds.
pub(crate) fn run(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let [out, painted_count, folders @ ..] = arguments else {
        return Err("usage: roofs learn OUT PAINTED [RENDERED…]".into());
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let manifest = ModelStore::new(root.join("models")).load("efficientnet-lite0")?;
    let engine = Engine::start(&manifest, &EngineConfig::default())?;
    let mut features = NetworkFeatures::new(&engine)?;
    let mut all = Vec::new();
    for folder in folders {
        for pair in rendered(Path::new(folder))?.into_iter().zip(rendered(Path::new(folder))?) {
            all.push(pair.0);
            all.push(reversed(pair.1));
        }
    }
    let rendered_cases = all.len();
    all.extend((0..painted_count.parse()?).map(painted));
    // Each roof with its fold: all roofs of a pair of flights go together.
    let (mut judged, mut weights, mut folds) = (Vec::new(), Vec::new(), Vec::new());
    for (k, case) in all.into_iter().enumerate() {
        let options = CompareOptions::default();
        for roof in roofs(case, &mut features, &options, &mut |why, _| println!("not judged: {why}")) {
            judged.push(roof);
            // A pair of flights and its reverse go together.
            folds.push(k / 2 % FOLDS);
            weights.push(if k < rendered_cases { RENDERED_WEIGHT } else { 1.0 });
        }
    }
    let n = judged.len();
    let samples: Vec<_> = (0..n).map(|i| (folds[i], cell_samples(&judged[i], weights[i]))).collect();
    // What a head says of roofs that it has learnt from is too good to learn things from: each fold's things are those
    // of a head that has not seen it.
    let cells: Vec<Network> = (0..FOLDS).map(|f| without(f, &samples, CELL_CLASSES, &CELLS)).collect();
    let whole = without(FOLDS, &samples, CELL_CLASSES, &CELLS);
    for (k, scores) in SCORES.into_iter().enumerate() {
        let things: Vec<_> = (0..n)
            .map(|i| (folds[i], thing_samples(&judged[i], &cells[folds[i]], scores, weights[i])))
            .collect();
        let heads: Vec<Head> = (0..FOLDS)
            .map(|f| Head::new(cells[f].clone(), without(f, &things, THING_CLASSES, &THINGS), ""))
            .collect();
        println!("cells of {scores:?}");
        tell(&judged, &folds, &weights, &heads, scores);
        let note =
            format!("{n} roofs of {painted_count} painted and {rendered_cases} rendered pairs of flights");
        let head = Head::new(whole.clone(), without(FOLDS, &things, THING_CLASSES, &THINGS), &note);
        let json = serde_json::to_string(&head)? + "\n";
        std::fs::write(format!("{out}.{k}"), &json)?;
        if scores == CompareOptions::default().cells {
            std::fs::write(out, &json)?;
        }
    }
    Ok(())
}

/// Scores of cells that are tried; each makes a head of its own, `OUT.0`, `OUT.1` …, and the one of the options' default
/// also `OUT`.
const SCORES: [(f32, f32); 3] = [(0.25, 0.15), (0.35, 0.2), (0.45, 0.3)];

/// Tells how good heads are on the roofs of their folds, for each set.
fn tell(judged: &[Roof], folds: &[usize], weights: &[f32], heads: &[Head], scores: (f32, f32)) {
    let n = judged.len();
    for (set, is_rendered) in [("painted", false), ("rendered", true)] {
        let of_set: Vec<usize> = (0..n).filter(|i| (weights[*i] > 1.0) == is_rendered).collect();
        let told = |what: String, tally: &Tally| {
            println!(
                "{set} {what}: {} roofs, {} changes, recall {:.3?}, precision {:.3?}, false/roof {:.3?}, F1 {:.3?}, pixel F1 {:.3?}, area error {:.3?}, bias {:.3}, kind {}/{}, calibration {:.3?}",
                tally.roofs,
                tally.truths,
                tally.recall(),
                tally.precision(),
                tally.wrong_per_roof(),
                tally.f1(),
                tally.pixel_f1(),
                tally.area_error(),
                tally.area_errors.iter().sum::<f32>() / tally.area_errors.len().max(1) as f32,
                tally.right_kind,
                tally.found,
                tally.calibration_error(),
            );
        };
        for confidence in [0.3, 0.4, 0.5, 0.6, 0.7, 0.8] {
            let mut tally = Tally::default();
            for i in &of_set {
                tally.add(&judged[*i].truths, &judged[*i].found(&heads[folds[*i]], confidence, scores));
            }
            told(format!("at {confidence}"), &tally);
        }
        if scores != SCORES[SCORES.len() - 1] {
            continue;
        }
        for (name, measure) in
            [("pixels", Measure::Pixels), ("correlation", Measure::Correlation), ("deep", Measure::Deep)]
        {
            let scores = (1..10).map(|k| k as f32 * 0.1);
            let at = |score: f32| {
                let mut tally = Tally::default();
                for i in &of_set {
                    tally.add(&judged[*i].truths, &judged[*i].found_by(measure, score));
                }
                (score, tally)
            };
            let best = scores.map(at).max_by(|a, b| a.1.f1().partial_cmp(&b.1.f1()).expect("no NaN"));
            if let Some((score, tally)) = best {
                told(format!("{name} best at {score:.3}"), &tally);
            }
        }
    }
    for i in (0..n).filter(|i| weights[*i] > 1.0) {
        for f in judged[i].found(&heads[folds[i]], 0.5, scores) {
            if !judged[i].truths.iter().any(|t| is_one(t, &f.footprint)) {
                let near: Vec<_> = judged[i]
                    .harmless
                    .iter()
                    .filter(|(_, h)| h.distance(f.footprint.centroid()) < 1.0)
                    .map(|(k, _)| k.as_str())
                    .collect();
                println!(
                    "false on {}: {:?} {:.1} m² at {:.2}, harmless near {near:?}",
                    judged[i].name, f.change, f.area.0, f.confidence
                );
            }
        }
    }
    for i in (0..n).filter(|i| weights[*i] > 1.0) {
        let found = judged[i].found(&heads[folds[i]], 0.5, scores);
        for t in judged[i].truths.iter().filter(|t| !found.iter().any(|f| is_one(t, &f.footprint))) {
            let near = found.iter().find(|f| f.footprint.distance(t.footprint.centroid()) < 0.5);
            println!(
                "missed on {}: {:?} {:.1} m²; there: {:?}",
                judged[i].name,
                t.change,
                t.footprint.area(),
                near.map(|f| f.area.0),
            );
        }
    }
}
