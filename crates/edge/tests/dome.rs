//! A recording of a dome whose patrol was its own, through the whole offline path: pipeline file, presets recognised from
//! the picture, a structure on the roof that one of them watches. Skips, saying so, where ONNX Runtime is not set up.

#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

use std::{fs, path::Path};

use image::RgbImage;
use parapet_core::{IncidentKind, Phase, PresetId};
use parapet_edge::{AnalyzeError, AnalyzeOptions, AssemblyError, Recording, analyze, config::load};

/// A wall of bricks that goes on for long, seen from `x` pixels to the right; with a dark box on it or without.
fn view(x: u32, shed: bool) -> RgbImage {
    RgbImage::from_fn(320, 180, |column, row| {
        let (u, v) = (column + x, row);
        let brick = ((u / 13 * 7919) ^ (v / 9 * 104_729)) % 97;
        let grain = ((u / 3 * 104_729) ^ (v / 3 * 7919)) % 23;
        let dark = shed && (140..200).contains(&column) && (70..115).contains(&row);
        image::Rgb([if dark { 25 + (grain / 4) as u8 } else { (60 + brick + grain) as u8 }; 3])
    })
}

fn pipeline(dir: &Path) -> String {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/nanodet-g");
    view(0, false).save(dir.join("roof.png")).unwrap();
    view(2000, false).save(dir.join("gate.png")).unwrap();
    format!(
        r#"
        [node]
        id = "n"
        site = "s"
        [models.default]
        manifest = "{}"
        [cameras.dome]
        source.test = {{}}
        dome = {{}}
        [cameras.dome.presets.gate]
        reference_pictures = ["gate.png"]
        [cameras.dome.presets.roof]
        reference_pictures = ["roof.png"]
        baseline_pictures = ["roof.png"]
        zones.roof = {{ purpose = "roof", polygon = [[0.2, 0.2], [0.9, 0.2], [0.9, 0.9], [0.2, 0.9]] }}
        rules.sheds.rooftop_structure = {{ limit_seconds = 3, min_visits = 3 }}
        change.baseline = {{ interval_seconds = 1 }}
        "#,
        models.display()
    )
}

#[test]
fn a_recording_of_a_dome_is_told_apart_by_presets() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("dome.toml");
    fs::write(&file, pipeline(dir.path())).unwrap();
    let pictures = dir.path().join("pictures");
    fs::create_dir(&pictures).unwrap();
    // Eight seconds at the gate, two of turning, ten at the roof five pixels beside it, and one of turning away.
    let shown = |i: u32| match i {
        0..16 => view(2000, false),
        16..20 => view(2000 - 400 * (i - 15), false),
        20..40 => view(5, true),
        _ => view(60 * (i - 38), true),
    };
    for i in 0..42 {
        shown(i).save(pictures.join(format!("{i:03}.png"))).unwrap();
    }
    let pipeline = load(&file).unwrap_or_else(|error| panic!("{error}"));
    let (mut log, mut watched) = (Vec::new(), Vec::new());
    let done = analyze(
        &pipeline,
        &"dome".parse().unwrap(),
        &Recording::Pictures { directory: pictures, frames_per_second: 2.0 },
        &mut log,
        &AnalyzeOptions::default(),
        &mut |progress| watched.push(progress.frame.preset.clone()),
    );
    match done {
        Err(AnalyzeError::Assembly(AssemblyError::Engine(error))) => {
            println!("skipped: {error}");
            return;
        }
        done => assert_eq!(done.unwrap().frames, 42),
    }
    let names: Vec<&str> =
        watched.iter().map(|preset| preset.as_ref().map_or("-", |preset| preset.as_str())).collect();
    let at = |name: &str| names.iter().filter(|n| **n == name).count();
    assert!(at("gate") >= 8 && at("roof") >= 12, "{names:?}");
    assert!(names[16..22].iter().all(|name| *name == "-"), "{names:?}");
    assert_eq!(names[41], "-", "{names:?}");

    let lines = log.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let events: Vec<_> = lines
        .map(|line| match parapet_bus::wire::Message::decode(line).unwrap() {
            parapet_bus::wire::Message::Incident(incident) => incident.event,
            other => panic!("no incident: {other:?}"),
        })
        .filter(|event| event.phase == Phase::Started)
        .collect();
    assert_eq!(events.len(), 1, "{events:#?}");
    assert_eq!(events[0].kind, IncidentKind::RooftopStructure);
    assert_eq!(events[0].preset.as_ref().map(PresetId::as_str), Some("roof"));
    let center = events[0].bbox.center();
    assert!((center.x - 170.0 / 320.0 - 5.0 / 320.0).abs() < 0.02, "{:?}", events[0].bbox);
}
