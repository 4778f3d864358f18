//! Places from telemetry against the exact poses of rendered flights: how far off, and whether the stated uncertainty holds.

#![expect(clippy::unwrap_used, reason = "test helpers may fail the test")]

use std::{fs, path::PathBuf};

use parapet_core::{
    Point,
    geo::{Attitude, GeoPoint, GroundPoint, Lens, LocalFrame, Pose, PoseError, View},
    site::Site,
};
use parapet_ingest::flight::{Flight, FlightOptions};
use serde::Deserialize;

/// The radius that holds 95 % of a two-dimensional normal distribution, in standard deviations.
const RADIUS_95: f64 = 2.448;
const FLIGHTS: [&str; 3] = ["2026-03-14", "2026-06-18", "2026-09-20"];

#[derive(Deserialize)]
struct Truth {
    telemetry_noise: Option<serde_json::Value>,
    stills: Vec<Still>,
}

#[derive(Deserialize)]
struct Still {
    file: String,
    latitude: f64,
    longitude: f64,
    height_meters: f64,
    yaw_degrees: f64,
    pitch_degrees: f64,
    roll_degrees: f64,
    focal_widths: f64,
}

impl Still {
    fn pose(&self) -> Pose {
        let attitude = Attitude { yaw: self.yaw_degrees, pitch: self.pitch_degrees, roll: self.roll_degrees };
        let position = GeoPoint::new(self.latitude, self.longitude).unwrap();
        Pose { position, height: self.height_meters, attitude }
    }

    fn lens(&self) -> Lens {
        Lens::new(self.focal_widths, 0.5625).unwrap()
    }
}

fn compound() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/compound/small/willow-court")
}

fn site() -> Site {
    Site::from_geojson(&fs::read_to_string(compound().join("site.geojson")).unwrap()).unwrap()
}

fn truth(flight: &str) -> Truth {
    let text = fs::read_to_string(compound().join(flight).join("truth.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// For places all over a picture, on the ground and on the roofs: metres between where `told` and where `exact` puts
/// them, and the stated standard deviation.
fn errors<'a>(told: &'a View, exact: &'a View, roof: f64) -> impl Iterator<Item = (f64, f64)> + 'a {
    let grid = (0..7).flat_map(|x| (0..5).map(move |y| (0.08 + 0.14 * x as f32, 0.1 + 0.2 * y as f32)));
    grid.flat_map(move |(x, y)| [0.0, roof].map(|up| (Point::new(x, y), up))).filter_map(|(p, up)| {
        let meters = told.ground(p, up)?.distance(exact.ground(p, up)?);
        Some((meters, told.ground_error(p, up, &PoseError::CONSUMER_DRONE)?))
    })
}

fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

fn share_within(errors: &[(f64, f64)]) -> f64 {
    errors.iter().filter(|(meters, sigma)| *meters <= RADIUS_95 * sigma).count() as f64 / errors.len() as f64
}

#[test]
fn telemetry_puts_places_where_they_are() {
    let site = site();
    let mut noisy_flights = 0;
    for flight in FLIGHTS {
        let truth = truth(flight);
        let told = Flight::open(&compound().join(flight), &FlightOptions::default()).unwrap();
        let mut all = Vec::new();
        for still in &truth.stills {
            let shot = told.shots().iter().find(|s| s.name == still.file).unwrap();
            let telemetry = shot.view(&site.frame).unwrap();
            let exact = View::new(still.pose(), still.lens(), &site.frame);
            all.extend(errors(&telemetry, &exact, site.buildings[0].height));
        }
        let noisy = truth.telemetry_noise.is_some();
        let meters: Vec<f64> = all.iter().map(|e| e.0).collect();
        println!(
            "{flight}: {} telemetry, {} places, median {:.3} m, 95 % within {:.3} m, {:.1} % within what is stated",
            if noisy { "noisy" } else { "perfect" },
            all.len(),
            quantile(&meters, 0.5),
            quantile(&meters, 0.95),
            100.0 * share_within(&all)
        );
        noisy_flights += usize::from(noisy);
        assert!(noisy || quantile(&meters, 0.5) <= 0.5, "{flight}");
        assert!(share_within(&all) >= 0.95, "{flight}");
    }
    assert!(noisy_flights > 0, "one of the flights carries noise");
}

/// Numbers of a normal distribution (Marsaglia and Bray 1964), the same at each run.
struct Normal(u64);

impl Normal {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64 * 2.0 - 1.0
    }

    fn next(&mut self) -> f64 {
        loop {
            let (a, b) = (self.uniform(), self.uniform());
            let s = a * a + b * b;
            if s > 0.0 && s < 1.0 {
                return a * (-2.0 * s.ln() / s).sqrt();
            }
        }
    }
}

#[test]
fn the_stated_uncertainty_holds_for_nineteen_places_of_twenty() {
    let site = site();
    let error = PoseError::CONSUMER_DRONE;
    let mut normal = Normal(7);
    let mut all = Vec::new();
    for still in FLIGHTS.iter().flat_map(|flight| truth(flight).stills) {
        let exact = View::new(still.pose(), still.lens(), &site.frame);
        for _ in 0..40 {
            let mut pose = still.pose();
            let moved = GroundPoint {
                east: error.horizontal_meters * normal.next(),
                north: error.horizontal_meters * normal.next(),
            };
            pose.position = LocalFrame::at(pose.position).geo(moved);
            pose.height += error.height_meters * normal.next();
            pose.attitude.yaw += error.yaw_degrees * normal.next();
            pose.attitude.pitch += error.tilt_degrees * normal.next();
            pose.attitude.roll += error.tilt_degrees * normal.next();
            let told = View::new(pose, still.lens(), &site.frame);
            all.extend(errors(&told, &exact, site.buildings[0].height));
        }
    }
    let within = share_within(&all);
    println!("{} places: {:.1} % within what is stated", all.len(), 100.0 * within);
    // More would be modest, not wrong; but a radius that holds everything says nothing.
    assert!((0.95..0.99).contains(&within), "{within}");
}
