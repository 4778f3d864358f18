//! Learns the head that judges roofs and writes its weights: `learn OUT PAINTED [RENDERED…]` with a number of painted
//! roofs and folders of rendered compounds (of the `train` set). Says how good it is on roofs that it was not learnt
//! from (five folds).

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::missing_docs_in_private_items,
    reason = "a recipe"
)]

mod cases;

use std::path::Path;

use cases::{Case, painted, rendered};
use parapet_change::survey::{
    CELL_CLASSES, CELL_PIXELS, Fused, Head, Measure, Network, Sample, THING_CLASSES, Thing, ThingOptions,
    Training, things, train,
};
use parapet_core::geo::{GroundPoint, GroundPolygon};
use parapet_infer::{Engine, EngineConfig, ModelStore};
use parapet_survey::{
    Change, CompareOptions, Examined, NetworkFeatures, Tools, compare,
    measure::{Found, Tally, TrueChange},
};

const FOLDS: usize = 5;
const CELLS: Training = Training { hidden: 20, rounds: 12, step: 0.01, decay: 1e-3 };
const THINGS: Training = Training { hidden: 6, rounds: 60, step: 0.01, decay: 5e-2 };

/// One roof, ready to learn from.
struct Roof {
    fold: usize,
    is_rendered: bool,
    fused: Fused,
    /// Of the patch's corner, and one pixel to the right and down.
    place: [GroundPoint; 3],
    meters_per_pixel: f32,
    truths: Vec<TrueChange>,
}

impl Roof {
    fn at(&self, x: f64, y: f64) -> GroundPoint {
        let [o, r, d] = self.place;
        GroundPoint {
            east: o.east + (r.east - o.east) * x + (d.east - o.east) * y,
            north: o.north + (r.north - o.north) * x + (d.north - o.north) * y,
        }
    }

    fn polygon(&self, thing: &Thing) -> Option<GroundPolygon> {
        GroundPolygon::new(thing.outline.iter().map(|p| self.at(f64::from(p.x), f64::from(p.y))).collect())
            .ok()
    }

    fn cell_samples(&self) -> Vec<Sample> {
        let (width, _) = self.fused.dimensions();
        let cell = CELL_PIXELS as f64;
        let mut samples = Vec::new();
        for (i, input) in self.fused.inputs().into_iter().enumerate() {
            let Some(input) = input else { continue };
            let at = self.at(((i % width) as f64 + 0.5) * cell, ((i / width) as f64 + 0.5) * cell);
            let nearest = self.truths.iter().map(|t| (t.footprint.distance(at), t.change));
            let class = match nearest.min_by(|a, b| a.0.total_cmp(&b.0)) {
                Some((0.0, change)) => {
                    if change == Change::Removed {
                        2
                    } else {
                        1
                    }
                }
                // The border, and what leans over it.
                Some((distance, _)) if distance < 0.25 => continue,
                _ => 0,
            };
            // Most cells are as they were; a third of them say the same.
            if class == 0 && i % 3 != 0 {
                continue;
            }
            samples.push(Sample { input, class, weight: if class == 0 { 1.5 } else { 1.0 } });
        }
        samples
    }

    fn things(&self, head: &Head) -> Vec<Thing> {
        let options =
            ThingOptions { seed: 0.45, grow: 0.3, min_area: 2.0, meters_per_pixel: self.meters_per_pixel };
        things(&self.fused, Measure::Head(head), &options)
    }

    fn thing_samples(&self, head: &Head) -> Vec<Sample> {
        self.things(head)
            .into_iter()
            .filter_map(|thing| {
                let polygon = self.polygon(&thing)?;
                let found =
                    Found { change: Change::New, area: (0.0, 0.0), confidence: 0.0, footprint: polygon };
                let class = self
                    .truths
                    .iter()
                    .find(|t| {
                        let mut tally = Tally::default();
                        tally.add(std::slice::from_ref(*t), std::slice::from_ref(&found));
                        tally.found > 0
                    })
                    .map_or(0, |t| match t.change {
                        Change::New => 1,
                        Change::Removed => 2,
                        Change::Grown => 3,
                    });
                Some(Sample { input: thing.input, class, weight: if self.is_rendered { 3.0 } else { 1.0 } })
            })
            .collect()
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let [_, out, painted_count, folders @ ..] = &args[..] else {
        println!("learn OUT PAINTED [RENDERED…]");
        return;
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let manifest = ModelStore::new(root.join("models")).load("efficientnet-lite0").unwrap();
    let engine = Engine::start(&manifest, &EngineConfig::default()).unwrap();
    let mut features = NetworkFeatures::new(&engine).unwrap();
    let mut roofs = Vec::new();
    for seed in 0..painted_count.parse().unwrap() {
        gather(painted(seed), false, &mut features, &mut roofs);
    }
    for folder in folders {
        for case in rendered(Path::new(folder)).unwrap() {
            gather(case, true, &mut features, &mut roofs);
        }
    }
    println!("{} roofs, {} rendered", roofs.len(), roofs.iter().filter(|r| r.is_rendered).count());
    // What a head says of roofs that it has learnt from is too good to learn things from: each fold's things are those
    // of a head that has not seen it.
    let cell_samples: Vec<Vec<Sample>> = roofs.iter().map(Roof::cell_samples).collect();
    let cells_without = |fold: usize| -> Network {
        let samples: Vec<Sample> = roofs
            .iter()
            .zip(&cell_samples)
            .filter(|(r, _)| r.fold != fold)
            .flat_map(|(_, s)| s.iter().cloned())
            .collect();
        train(&samples, CELL_CLASSES, &CELLS).unwrap()
    };
    let folds: Vec<Network> = (0..FOLDS).map(cells_without).collect();
    let thing_samples: Vec<Vec<Sample>> =
        roofs.iter().map(|r| r.thing_samples(&Head::of_cells(folds[r.fold].clone()))).collect();
    let things_without = |fold: usize| -> Network {
        let samples: Vec<Sample> = roofs
            .iter()
            .zip(&thing_samples)
            .filter(|(r, _)| r.fold != fold)
            .flat_map(|(_, s)| s.iter().cloned())
            .collect();
        train(&samples, THING_CLASSES, &THINGS).unwrap()
    };
    for is_rendered in [false, true] {
        for threshold in [0.3, 0.4, 0.5, 0.6, 0.7] {
            let mut tally = Tally::default();
            for fold in 0..FOLDS {
                let head = Head::new(folds[fold].clone(), things_without(fold), "");
                for roof in roofs.iter().filter(|r| r.fold == fold && r.is_rendered == is_rendered) {
                    tally.add(&roof.truths, &found(roof, &head, threshold));
                }
            }
            println!(
                "rendered {is_rendered} at {threshold}: recall {:.3?} ({}) precision {:.3?} false/roof {:.3?} pixel F1 {:.3?} area {:.3?} kind {}/{} calibration {:.3?}",
                tally.recall(),
                tally.truths,
                tally.precision(),
                tally.wrong_per_roof(),
                tally.pixel_f1(),
                tally.area_error(),
                tally.right_kind,
                tally.found,
                tally.calibration_error()
            );
        }
    }
    let head = Head::new(
        cells_without(FOLDS),
        things_without(FOLDS),
        &format!("{} roofs: {painted_count} painted, rendered of the train set", roofs.len()),
    );
    std::fs::write(out, serde_json::to_string(&head).unwrap() + "\n").unwrap();
}

fn found(roof: &Roof, head: &Head, threshold: f32) -> Vec<Found> {
    roof.things(head)
        .into_iter()
        .filter(|t| t.confidence >= threshold)
        .filter_map(|thing| {
            Some(Found {
                change: match thing.kind {
                    parapet_change::survey::ThingKind::New => Change::New,
                    parapet_change::survey::ThingKind::Gone => Change::Removed,
                    parapet_change::survey::ThingKind::Grown => Change::Grown,
                },
                footprint: roof.polygon(&thing)?,
                area: (thing.area, thing.area_error),
                confidence: thing.confidence,
            })
        })
        .collect()
}

fn gather(mut case: Case, is_rendered: bool, features: &mut NetworkFeatures<'_>, roofs: &mut Vec<Roof>) {
    let blank = Head::untrained();
    let fold = roofs.len() % FOLDS;
    let truths: Vec<_> = case.site.buildings.iter().map(|b| (b.id.clone(), case.truths_of(&b.id))).collect();
    let mut examined = |e: &Examined<'_>| {
        let place = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)].map(|(x, y)| (e.place)(x, y));
        roofs.push(Roof {
            fold,
            is_rendered,
            fused: e.fused.clone(),
            place,
            meters_per_pixel: place[0].distance(place[1]) as f32,
            truths: truths
                .iter()
                .find(|(b, _)| *b == e.building.id)
                .map(|(_, t)| t.clone())
                .unwrap_or_default(),
        });
    };
    let mut tools = Tools { features, head: &blank, occupied: None, examined: Some(&mut examined) };
    let survey = compare(
        case.before.as_mut(),
        case.after.as_mut(),
        &case.site,
        &mut tools,
        &CompareOptions::default(),
        &mut |_| {},
    )
    .unwrap();
    for roof in &survey.report.roofs {
        if let parapet_survey::RoofState::NotJudged { reason } = roof.state {
            println!("{} {}: {reason:?}", case.name, roof.building);
        }
    }
}
