//! Measures the comparison on sets with known truth and prints Markdown tables.

#![expect(clippy::print_stdout, reason = "prints its report")]

use std::{error::Error, path::Path};

use crate::cases::{
    Telemetry,
    pictures::{composites, crops},
    rendered,
    roofs::{Roof, roofs},
};
use parapet_change::survey::{Head, Measure};
use parapet_infer::{Engine, EngineConfig, ModelStore};
use parapet_survey::{
    CompareOptions, NetworkFeatures,
    measure::{Found, Tally, TrueChange},
};

/// Scores from which the baselines call a cell changed: where their F1 is best on the rendered training flights
/// (`learn` prints them).
const BASELINES: [(&str, Measure<'static>, f32); 3] = [
    ("deep features alone", Measure::Deep, 0.9),
    ("correlation (NCC)", Measure::Correlation, 0.7),
    ("pixel difference", Measure::Pixels, 0.9),
];
/// What the head must be sure of.
const CONFIDENCE: f32 = 0.4;
/// Cues by which shadows and light are told from things.
const SHADE: [&str; 2] = ["slopes", "shade"];

/// Measures each set of `SET=FOLDER`.
pub(crate) fn run(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let manifest = ModelStore::new(root.join("models")).load("efficientnet-lite0")?;
    let engine = Engine::start(&manifest, &EngineConfig::default())?;
    let mut features = NetworkFeatures::new(&engine)?;
    let mut head = Head::built_in();
    println!(
        "| set | method | roofs | not judged | changes | recall | precision | F1 | false / roof | pixel F1 | area error | area within 2σ | place error, m | place within 95 % | kind right | calibration error |"
    );
    println!("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for argument in arguments {
        let (set, folder) = argument.split_once('=').ok_or("usage: roofs measure SET=FOLDER…")?;
        let folder = Path::new(folder);
        match set {
            "head" => head = Head::read(&std::fs::read_to_string(folder)?)?,
            "rendered" => measure_rendered(folder, &head, &mut features)?,
            "crops" => {
                let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
                measured(&name, &crops(folder, &mut features)?, &Tally::default(), &head);
            }
            "composites" => {
                measured(
                    "flat_roof composites",
                    &composites(folder, &mut features)?,
                    &Tally::default(),
                    &head,
                );
            }
            _ => return Err(format!("there is no set \"{set}\"").into()),
        }
    }
    Ok(())
}

fn measure_rendered(
    folder: &Path,
    head: &Head,
    features: &mut NetworkFeatures<'_>,
) -> Result<(), Box<dyn Error>> {
    let full = CompareOptions::default();
    let variants = [
        ("", full.clone()),
        ("without registration", CompareOptions { register: false, ..full.clone() }),
        ("without roof polygons", CompareOptions { roofs_only: false, ..full.clone() }),
        ("without heights", CompareOptions { heights: false, ..full.clone() }),
        ("one look a flight", CompareOptions { looks: 1, ..full }),
    ];
    for (name, options) in variants {
        let (mut judged, mut refused, mut told) = (Vec::new(), Tally::default(), Vec::new());
        for case in rendered(folder, Telemetry::AsFlown)? {
            judged.extend(roofs(case, features, &options, &mut |why, truths| {
                told.push(why);
                refused.roofs += 1;
                refused.refused += 1;
                refused.truths += truths.len();
            }));
        }
        if name.is_empty() {
            measured("rendered", &judged, &refused, head);
            tell_by_roof(&judged, &told, head);
        } else {
            print(
                "rendered",
                name,
                &tally(&judged, &refused, |r| r.found(head, CONFIDENCE, CompareOptions::default().cells)),
            );
        }
    }
    Ok(())
}

fn measured(set: &str, roofs: &[Roof], refused: &Tally, head: &Head) {
    print(
        set,
        "Parapet",
        &tally(roofs, refused, |r| r.found(head, CONFIDENCE, CompareOptions::default().cells)),
    );
    let without = head.clone().without(&SHADE);
    print(
        set,
        "without shadow cues",
        &tally(roofs, refused, |r| r.found(&without, CONFIDENCE, CompareOptions::default().cells)),
    );
    for (name, measure, score) in BASELINES {
        print(set, name, &tally(roofs, refused, |r| r.found_by(measure, score)));
    }
}

/// What was missed and what was false, for people.
#[expect(clippy::print_stderr, reason = "beside the report")]
fn tell_by_roof(roofs: &[Roof], refused: &[String], head: &Head) {
    for why in refused {
        eprintln!("not judged: {why}");
    }
    let is_one = |truth: &TrueChange, found: &Found| {
        let mut one = Tally::default();
        one.add(std::slice::from_ref(truth), std::slice::from_ref(found));
        one.found > 0
    };
    for roof in roofs {
        let found = roof.found(head, CONFIDENCE, CompareOptions::default().cells);
        for truth in roof.truths.iter().filter(|t| !found.iter().any(|f| is_one(t, f))) {
            eprintln!("missed on {}: {:?}, {:.1} m²", roof.name, truth.change, truth.footprint.area());
        }
        for finding in found.iter().filter(|f| !roof.truths.iter().any(|t| is_one(t, f))) {
            let middle = finding.footprint.centroid();
            let near: Vec<_> =
                roof.harmless.iter().filter(|(_, p)| p.distance(middle) < 1.0).map(|(k, _)| k).collect();
            eprintln!(
                "false on {}: {:?}, {:.1} m² at {:.2}, near {near:?}",
                roof.name, finding.change, finding.area.0, finding.confidence
            );
        }
    }
}

fn tally(roofs: &[Roof], refused: &Tally, found: impl Fn(&Roof) -> Vec<Found>) -> Tally {
    let mut tally = refused.clone();
    for roof in roofs {
        tally.add(&roof.truths, &found(roof));
    }
    tally
}

fn print(set: &str, method: &str, t: &Tally) {
    let number = |v: Option<f64>| v.map_or("–".into(), |v| format!("{v:.2}"));
    println!(
        "| {set} | {method} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
        t.roofs,
        t.refused,
        t.truths,
        number(t.recall()),
        number(t.precision()),
        number(t.f1()),
        number(t.wrong_per_roof()),
        number(t.pixel_f1()),
        number(t.area_error().map(f64::from)),
        number(t.area_within()),
        number(t.distance().map(f64::from)),
        number(t.distance_within()),
        number((t.found > 0).then(|| t.right_kind as f64 / t.found as f64)),
        number(t.calibration_error()),
    );
}
