//! The manifests that ship, read with the real footage. Skips, saying so, where it is absent.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests, outside of test functions")]

use std::{
    env,
    path::{Path, PathBuf},
};

use parapet_core::IncidentKind;
use parapet_eval::dataset::{Coverage, Dataset};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn footage() -> Option<PathBuf> {
    let folder =
        env::var_os("PARAPET_FOOTAGE").map_or_else(|| root().join("../shared/footage"), PathBuf::from);
    if !folder.join("labelled").is_dir() {
        println!("skipped: there is no {}; hint: PARAPET_FOOTAGE names the folder", folder.display());
        return None;
    }
    Some(folder)
}

fn load(name: &str, footage: &Path) -> Dataset {
    let manifest = root().join("benches/accuracy/datasets").join(format!("{name}.toml"));
    let (dataset, problems) = Dataset::load(&manifest, footage).unwrap();
    assert!(problems.is_empty(), "{problems:#?}");
    dataset
}

#[test]
fn every_manifest_loads_without_a_problem() {
    let Some(footage) = footage() else { return };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(root().join("benches/accuracy/datasets")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        // Scenarios are there once they are made.
        let is_made = name.starts_with("scenarios_");
        if path.extension().is_some_and(|extension| extension == "toml") && !is_made {
            let dataset = load(&name, &footage);
            assert_eq!(dataset.manifest.name, name, "the file is not called as the dataset");
            let scored = dataset.images.len() + dataset.pairs.len() + dataset.sequences.len();
            assert!(scored > 0, "{name} is empty");
            names.push(name);
        }
    }
    assert!(names.len() >= 15, "{names:?}");
}

/// Counts of `SETS.tsv`, less the pictures that a manifest leaves out: pictures, boxes of labelled classes.
#[test]
fn pictures_and_boxes_are_as_many_as_the_sets_say() {
    let Some(footage) = footage() else { return };
    for (name, images, boxes) in [
        ("coco128", 95, 742),
        ("bicycle_street", 144, 166),
        ("bicycle_parked", 137, 533),
        ("street_motorbike_car_bus", 138, 427),
        ("lotcam_stills", 21, 21),
        ("davis_dog", 30, 30),
        ("drone_cars", 180, 800),
        ("aerial_cars", 33, 558),
    ] {
        let dataset = load(name, &footage);
        let found: usize = dataset.images.iter().map(|image| image.boxes.len()).sum();
        assert_eq!((dataset.images.len(), found), (images, boxes), "{name}");
    }
    assert_eq!(load("change_levir", &footage).pairs.len(), 7);
    assert_eq!(load("change_dsifn", &footage).pairs.len(), 7);
}

#[test]
fn the_bag_is_the_one_incident_of_the_fixed_cameras() {
    let Some(footage) = footage() else { return };
    let dataset = load("fixed_cameras", &footage);
    assert_eq!(dataset.sequences.len(), 9);
    for sequence in &dataset.sequences {
        assert_eq!(sequence.events, Coverage::Whole, "{}", sequence.name);
        assert_eq!(sequence.boxes, Coverage::Unlabelled, "{}", sequence.name);
        assert_eq!(sequence.labelled.incidents.len(), 4, "{}", sequence.name);
        assert!(sequence.pipeline.is_some(), "{}", sequence.name);
        assert!(sequence.length.is_some_and(|length| length > 3.0), "{}", sequence.name);
        assert_eq!(sequence.incidents.len(), usize::from(sequence.name == "left_bag"), "{}", sequence.name);
    }
    let bag = &dataset.sequences.iter().find(|sequence| sequence.name == "left_bag").unwrap().incidents[0];
    assert_eq!(bag.kind, IncidentKind::OccupiedRoadway);
    assert_eq!((bag.since, bag.due, bag.until), (14.5, 29.5, None));
    let rect = bag.rect.unwrap();
    assert_eq!((rect.x, rect.y, rect.width, rect.height), (447.0, 355.0, 61.0, 55.0));
}

#[test]
fn tracks_of_the_clips_are_whole() {
    let Some(footage) = footage() else { return };
    for (name, frames) in [("car_shadow", 40), ("dog", 60), ("scooter_black", 43)] {
        let dataset = load("davis", &footage);
        let sequence = dataset.sequences.iter().find(|sequence| sequence.name == name).unwrap();
        assert_eq!(sequence.boxes, Coverage::Whole);
        assert_eq!(sequence.frames.len(), frames, "{name}");
        assert!(sequence.frames.iter().all(|f| f.boxes.len() == 1 && f.boxes[0].track == Some(1)), "{name}");
    }
    // At 8 frames a second two stills may fall on one frame: the nearer is taken, so there are fewer frames than lines.
    for sequence in &load("lotcam_trucks", &footage).sequences {
        assert_eq!(sequence.boxes, Coverage::Whole, "{}", sequence.name);
        assert!((25..=63).contains(&sequence.frames.len()), "{}: {}", sequence.name, sequence.frames.len());
        assert!(sequence.frames.iter().all(|f| f.boxes.len() == 1), "{}", sequence.name);
    }
}
