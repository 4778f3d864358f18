//! Scores COCO's result format: `score_coco TRUTH.json FOUND.json [RESAMPLES]`, prints the figures as JSON, and the bootstrap
//! interval of AP if asked. For `benches/scoring/run`, which compares its time with that of pycocotools.

use parapet_core::Label;
use parapet_eval::metric::detection::{DetectionMatches, LabelledImage};
use parapet_eval::metric::interval::Bootstrap;
use parapet_eval::truth::{FoundBox, Rect, TruthBox};
use serde::Deserialize;
use std::collections::HashMap;

#[derive(Deserialize)]
struct Truth {
    images: Vec<Id>,
    categories: Vec<Id>,
    annotations: Vec<Annotation>,
}

#[derive(Deserialize)]
struct Id {
    id: u64,
}

#[derive(Deserialize)]
struct Annotation {
    image_id: u64,
    category_id: u64,
    bbox: [f64; 4],
    area: f64,
    #[serde(default)]
    iscrowd: u8,
}

#[derive(Deserialize)]
struct Found {
    image_id: u64,
    category_id: u64,
    bbox: [f64; 4],
    score: f64,
}

fn rect([x, y, width, height]: [f64; 4]) -> Rect {
    Rect { x, y, width, height }
}

#[expect(clippy::print_stdout, reason = "the figures are its output")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [truth, found, resamples @ ..] = arguments.as_slice() else {
        return Err("usage: score_coco TRUTH.json FOUND.json [RESAMPLES]".into());
    };
    let truth: Truth = serde_json::from_slice(&std::fs::read(truth)?)?;
    let found: Vec<Found> = serde_json::from_slice(&std::fs::read(found)?)?;

    let labels: HashMap<u64, Label> = truth
        .categories
        .iter()
        .map(|category| (category.id, Label::new(&format!("{:05}", category.id))))
        .collect();
    let places: HashMap<u64, usize> =
        truth.images.iter().enumerate().map(|(place, image)| (image.id, place)).collect();
    let classes: Vec<Label> = labels.values().cloned().collect();
    let mut images: Vec<(Vec<TruthBox>, Vec<FoundBox>)> =
        truth.images.iter().map(|_| Default::default()).collect();
    for one in truth.annotations {
        images[places[&one.image_id]].0.push(TruthBox {
            label: labels[&one.category_id].clone(),
            rect: rect(one.bbox),
            area: one.area,
            track: None,
            crowd: one.iscrowd != 0,
            ignored: false,
        });
    }
    for one in found {
        images[places[&one.image_id]].1.push(FoundBox {
            label: labels[&one.category_id].clone(),
            rect: rect(one.bbox),
            score: one.score,
            track: None,
        });
    }
    let matches = DetectionMatches::new(images.iter().map(|(truth, found)| LabelledImage {
        truth,
        found,
        classes: &classes,
    }));
    println!("{}", serde_json::to_string(&matches.figures())?);
    if let [resamples] = resamples {
        let bootstrap = Bootstrap { resamples: resamples.parse()?, ..Bootstrap::default() };
        let interval = bootstrap.interval(matches.images(), |times| matches.mean_precision_of(times).0);
        println!("{}", serde_json::to_string(&interval)?);
    }
    Ok(())
}
