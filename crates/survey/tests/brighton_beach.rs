//! Real stills of one park road: the same points of the ground in overlapping pictures, after registration. Skipped,
//! saying so, where the footage is missing (see `PARAPET_FOOTAGE`).
//!
//! The points are those that `ingest` measures telemetry with; they were matched by another program.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests, outside of test functions")]

use std::{collections::BTreeMap, path::PathBuf};

use parapet_change::survey::{Gates, Patch, Prior, Reference};
use parapet_core::{
    Point,
    geo::{GroundPoint, LocalFrame, View},
};
use parapet_ingest::flight::{Flight, FlightOptions};

const METERS_PER_PIXEL: f64 = 0.06;
/// Pairs that share fewer points share a strip at the edge.
const FEWEST_POINTS: usize = 6;

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

type Points = BTreeMap<(usize, usize), Vec<(Point, Point)>>;

fn points() -> Points {
    let mut pairs = Points::new();
    for line in include_str!("../../ingest/tests/brighton_beach.csv").lines().skip(1) {
        let n: Vec<f32> = line.split(',').map(|n| n.parse().unwrap()).collect();
        let key = (n[0] as usize - 18, n[3] as usize - 18);
        pairs.entry(key).or_default().push((Point::new(n[1], n[2]), Point::new(n[4], n[5])));
    }
    pairs.retain(|_, points| points.len() >= FEWEST_POINTS);
    pairs
}

#[test]
fn the_same_point_of_the_ground_is_at_the_same_place_after_registration() {
    let Some(flight) = flight() else { return };
    let frame = LocalFrame::at(flight.shots()[0].pose().unwrap().position);
    let views: Vec<View> = flight.shots().iter().map(|shot| shot.view(&frame).unwrap()).collect();
    let all: Vec<usize> = (0..views.len()).collect();
    let pictures: BTreeMap<_, _> = flight.pictures(&all).unwrap().map(Result::unwrap).collect();
    let (mut told, mut registered, mut refused) = (Vec::new(), Vec::new(), 0);
    for ((a, b), points) in points() {
        // The ground that the pair shares, by the telemetry of the first.
        let places: Vec<GroundPoint> =
            points.iter().map(|(p, _)| views[a].ground(*p, 0.0).unwrap()).collect();
        let fold = |value: fn(&GroundPoint) -> f64| {
            let range = places
                .iter()
                .map(value)
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
            (range.0 - 3.0, range.1 + 3.0)
        };
        let (east, north) = (fold(|p| p.east), fold(|p| p.north));
        let pixels = |(low, high): (f64, f64)| ((high - low) / METERS_PER_PIXEL) as usize;
        let size = (pixels(east), pixels(north));
        let ground = |x: f64, y: f64| GroundPoint {
            east: east.0 + x * METERS_PER_PIXEL,
            north: north.1 - y * METERS_PER_PIXEL,
        };
        let pixel =
            |p: GroundPoint| ((p.east - east.0) / METERS_PER_PIXEL, (north.1 - p.north) / METERS_PER_PIXEL);
        let cut = |still: usize| {
            let shrink = METERS_PER_PIXEL
                / (views[still].meters_per_width(Point::new(0.5, 0.5), 0.0).unwrap() / 2000.0);
            Patch::cut(&pictures[&still], size, shrink, |x, y| views[still].project(ground(x, y), 0.0))
                .unwrap()
        };
        let (first, second) = (cut(a), cut(b));
        let both: Vec<bool> = first.seen().iter().zip(second.seen()).map(|(f, s)| *f && *s).collect();
        let prior = Prior { reach_pixels: (6.0 / METERS_PER_PIXEL) as f32, turned: false };
        let Ok(registration) = Reference::new(first, &both, prior).register(&second, &Gates::default())
        else {
            refused += 1;
            continue;
        };
        for ((_, in_b), here) in points.iter().zip(&places) {
            let there = views[b].ground(*in_b, 0.0).unwrap();
            told.push(there.distance(*here));
            let (x, y) = pixel(*here);
            let (u, v) = registration.second(x, y);
            registered.push(there.distance(ground(u, v)));
        }
    }
    let median = |values: &mut Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let (before, after) = (median(&mut told), median(&mut registered));
    println!(
        "{} points, {refused} pairs refused: {before:.2} m by telemetry, {after:.2} m after registration (median), {:.2} m (95 %)",
        registered.len(),
        registered[registered.len() * 95 / 100],
    );
    assert!(registered.len() > 150 && after <= 0.5, "{after} m over {} points", registered.len());
}
