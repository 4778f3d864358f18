//! Eighteen real stills of a Phantom 3 Professional: their telemetry, and how well it places the same points of the
//! ground in overlapping pictures. Skipped, saying so, where the footage is missing (see `PARAPET_FOOTAGE`).
//!
//! The points of `brighton_beach.csv` (normalized) were matched once: `OpenCV` 5.0 SIFT (4,000 features a picture), ratio
//! test 0.75 in each pair of stills whose positions are within 45 m, then the inliers (2 pixels) of a MAGSAC homography,
//! where at least 12; every tenth of these is kept.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests, which clippy does not see as tests"
)]

use std::path::PathBuf;

use parapet_core::{
    Language, Point,
    geo::{LocalFrame, View},
};
use parapet_ingest::{
    flight::{Flight, FlightKind, FlightOptions},
    telemetry::Trouble,
};

fn flight() -> Option<Flight> {
    let folder = std::env::var_os("PARAPET_FOOTAGE").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/footage")),
        PathBuf::from,
    );
    let folder = folder.join("aerial/brighton_beach");
    if !folder.is_dir() {
        println!("skipped: no footage at {}; set PARAPET_FOOTAGE", folder.display());
        return None;
    }
    Some(Flight::open(&folder, &FlightOptions::default()).unwrap())
}

#[test]
fn eighteen_stills_are_read() {
    let Some(flight) = flight() else { return };
    println!("{}", flight.report().text(Language::En));
    assert_eq!((flight.kind(), flight.shots().len(), flight.skipped().len()), (FlightKind::Stills, 18, 0));
    assert!(flight.shots().windows(2).all(|p| p[0].at < p[1].at && p[0].name < p[1].name));
    for shot in flight.shots() {
        let (pose, lens) = (shot.pose().unwrap(), shot.lens().unwrap());
        assert!((39.7..40.3).contains(&pose.height), "{}: {pose:?}", shot.name);
        assert!((-90.1..-89.8).contains(&pose.attitude.pitch), "{}: {pose:?}", shot.name);
        assert!((lens.aspect - 0.5625).abs() < 1e-3 && (lens.focal - 0.593).abs() < 1e-3, "{lens:?}");
    }
    // Six of them were turned in a viewer after the flight, which gimbal angles do not know.
    let problems = &flight.report().problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!((problems[0].trouble, problems[0].samples), (Trouble::UpsideDown, 6));
}

#[test]
fn the_same_point_of_the_ground_is_at_the_same_place() {
    let Some(flight) = flight() else { return };
    let frame = LocalFrame::at(flight.shots()[0].pose().unwrap().position);
    let views: Vec<View> = flight.shots().iter().map(|shot| shot.view(&frame).unwrap()).collect();
    let (mut along, mut across) = (Vec::new(), Vec::new());
    for line in include_str!("brighton_beach.csv").lines().skip(1) {
        let numbers: Vec<f32> = line.split(',').map(|n| n.parse().unwrap()).collect();
        let seen = |from: usize| {
            let still = numbers[from] as usize - 18;
            (still, views[still].ground(Point::new(numbers[from + 1], numbers[from + 2]), 0.0).unwrap())
        };
        let ((a, place_a), (b, place_b)) = (seen(0), seen(3));
        // Three lines of six stills, flown there, back and there.
        (if a / 6 == b / 6 { &mut along } else { &mut across }).push(place_a.distance(place_b));
    }
    let mut all = [along.clone(), across.clone()].concat();
    let median = |distances: &mut Vec<f64>| {
        distances.sort_by(f64::total_cmp);
        distances[distances.len() / 2]
    };
    let (n, middle) = (all.len(), median(&mut all));
    let (along, across) = (median(&mut along), median(&mut across));
    println!("{n} points: median {middle:.2} m; along a line {along:.2} m, across lines {across:.2} m");
    assert!(n > 200 && middle < 2.0, "{middle}");
    assert!(along < 1.2, "{along}");
}
