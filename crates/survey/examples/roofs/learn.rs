//! Learns the head and tells how good it is on compounds that it was not learnt from (four folds), and at which scores
//! the baselines are best.

#![expect(clippy::print_stdout, reason = "tells how good it is")]

use std::{error::Error, path::Path};

use crate::{
    cases::roofs::Roof,
    gather::{FOLDS, Learnt, gathered},
    tell::tell,
};
use parapet_change::survey::{
    CELL_CLASSES, CELL_PIXELS, Head, Measure, Network, Sample, THING_CLASSES, Thing, Training, train,
};
use parapet_core::geo::GroundPolygon;
use parapet_survey::{
    Change, CompareOptions,
    measure::{Found, Tally, TrueChange},
};

const CELLS: Training = Training { hidden: 12, rounds: 6, step: 0.01, decay: 1e-2 };
const THINGS: Training = Training { hidden: 6, rounds: 60, step: 0.01, decay: 5e-2 };
/// Of cells that are as they were, one in so many is learnt from: most say the same.
const UNCHANGED: usize = 10;

/// Scores of cells that are tried; each makes a head of its own, `OUT.0`, `OUT.1` …, and the one of the options' default
/// also `OUT`.
pub(crate) const SCORES: [(f32, f32); 3] = [(0.15, 0.1), (0.2, 0.12), (0.3, 0.2)];

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
        if class == 0 && i % UNCHANGED != 0 {
            continue;
        }
        let share = if class == 0 { 0.5 * UNCHANGED as f32 } else { 1.0 };
        samples.push(Sample { input, class, weight: weight * share });
    }
    samples
}

/// Whether a footprint is that of a change.
pub(crate) fn is_one(truth: &TrueChange, polygon: &GroundPolygon) -> bool {
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
    let sample = |thing: Thing| {
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

/// A network for each fold, which has not seen it, and one that has seen all.
fn networks(samples: &[(usize, Vec<Sample>)], classes: usize, how: &Training) -> (Vec<Network>, Network) {
    let mut all: Vec<Network> = std::thread::scope(|scope| {
        let learning: Vec<_> =
            (0..=FOLDS).map(|fold| scope.spawn(move || without(fold, samples, classes, how))).collect();
        learning.into_iter().map(|l| l.join().expect("learning does not fail")).collect()
    });
    let whole = all.pop().expect("one more than folds");
    (all, whole)
}

/// Learns from painted roofs and rendered compounds.
pub(crate) fn run(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let [out, painted_count, folders @ ..] = arguments else {
        return Err("usage: roofs learn OUT PAINTED [RENDERED…]".into());
    };
    let folders: Vec<&Path> = folders.iter().map(Path::new).collect();
    let learnt = gathered(painted_count.parse()?, &folders)?;
    let clean: Vec<&Learnt> = learnt.iter().filter(|l| l.clean).collect();
    let samples: Vec<_> = clean.iter().map(|l| (l.fold, cell_samples(&l.roof, l.weight))).collect();
    println!("{} roofs, {} cells", clean.len(), samples.iter().map(|s| s.1.len()).sum::<usize>());
    // What a head says of roofs that it has learnt from is too good to learn things from: each fold's things are those
    // of a head that has not seen it.
    let (cells, whole) = networks(&samples, CELL_CLASSES, &CELLS);
    drop(samples);
    for (k, scores) in SCORES.into_iter().enumerate() {
        let things: Vec<_> = learnt
            .iter()
            .map(|l| (l.fold, thing_samples(&l.roof, &cells[l.fold], scores, l.weight)))
            .collect();
        let (judges, judge) = networks(&things, THING_CLASSES, &THINGS);
        let heads: Vec<Head> = cells.iter().zip(judges).map(|(c, t)| Head::new(c.clone(), t, "")).collect();
        println!("cells of {scores:?}, {} things", things.iter().map(|t| t.1.len()).sum::<usize>());
        tell(&learnt, &heads, scores, k + 1 == SCORES.len());
        let note = format!("{} roofs of painted and rendered pairs of flights", learnt.len());
        let json = serde_json::to_string(&Head::new(whole.clone(), judge, &note))? + "\n";
        std::fs::write(format!("{out}.{k}"), &json)?;
        if scores == CompareOptions::default().cells {
            std::fs::write(out, &json)?;
        }
    }
    Ok(())
}
