//! Whole comparisons of painted flights: what is found, what is refused, what is written.

#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

#[path = "support/paint.rs"]
mod paint;

use std::path::{Path, PathBuf};

use paint::{Painted, Scene};
use parapet_change::survey::Head;
use parapet_core::{Picture, geo::GroundPolygon};
use parapet_infer::{Engine, EngineConfig, ModelStore};
use parapet_survey::{
    CompareOptions, Flight, FlightError, Georeference, NetworkFeatures, Reason, RoofState, Survey,
    SurveyPicture, SurveyReport, Tools, compare,
    measure::{Found, Tally, TrueChange},
    read_report, timeline, write, write_timeline,
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn engine() -> Engine {
    let manifest = ModelStore::new(root().join("models")).load("efficientnet-lite0").unwrap();
    Engine::start(&manifest, &EngineConfig::default()).unwrap()
}

fn compared(engine: &Engine, scene: &Scene, before: &mut dyn Flight, after: &mut dyn Flight) -> Survey {
    let mut features = NetworkFeatures::new(engine).unwrap();
    let head = Head::built_in();
    let mut tools = Tools { features: &mut features, head: &head, occupied: None, examined: None };
    compare(before, after, &scene.site, &mut tools, &CompareOptions::default(), &mut |_| {}).unwrap()
}

fn tally(scene: &Scene, survey: &Survey) -> Tally {
    let truths: Vec<_> = scene
        .truths
        .iter()
        .map(|t| TrueChange { change: t.change, footprint: t.footprint.clone() })
        .collect();
    let frame = &scene.site.frame;
    let found: Vec<_> = survey
        .report
        .findings
        .iter()
        .map(|f| Found {
            change: f.change,
            footprint: GroundPolygon::new(f.polygon.iter().map(|p| frame.local(*p)).collect()).unwrap(),
            area: (f.area_m2, f.area_error_m2),
            uncertainty: f.position.uncertainty_meters,
            confidence: f.confidence,
        })
        .collect();
    let mut tally = Tally::default();
    tally.add(&truths, &found);
    tally
}

/// A flight whose pictures are changed on their way.
struct Spoilt<F: Fn(&Picture) -> Picture>(Painted, F);

impl<F: Fn(&Picture) -> Picture> Flight for Spoilt<F> {
    fn name(&self) -> &str {
        self.0.name()
    }
    fn pictures(&self) -> &[SurveyPicture] {
        self.0.pictures()
    }
    fn visit(&mut self, wanted: &[usize], each: &mut dyn FnMut(usize, &Picture)) -> Result<(), FlightError> {
        let Self(flight, change) = self;
        flight.visit(wanted, &mut |index, picture| each(index, &change(picture)))
    }
}

/// Contrast falls to a few levels around white, as in dense fog.
fn in_fog(picture: &Picture) -> Picture {
    let rgb: Vec<u8> = picture.to_rgb().iter().map(|v| (205.0 + f32::from(*v) * 0.06) as u8).collect();
    Picture::from_rgb(picture.width(), picture.height(), &rgb).unwrap()
}

fn blank(picture: &Picture) -> Picture {
    let rgb = vec![3; picture.width() * picture.height() * 3];
    Picture::from_rgb(picture.width(), picture.height(), &rgb).unwrap()
}

#[test]
fn structures_that_came_and_went_are_found_with_place_area_and_pictures() {
    let engine = engine();
    let mut all = Tally::default();
    // Not among the seeds that the head was learnt from.
    for seed in [9_002, 9_004, 9_005, 9_007] {
        let scene = Scene::new(seed, seed % 3 != 0);
        let (mut before, mut after) = (scene.flight(0, 3, 1.0), scene.flight(1, 3, 1.0));
        let survey = compared(&engine, &scene, &mut before, &mut after);
        assert!(
            matches!(survey.report.roofs[0].state, RoofState::Judged { .. }),
            "{:?}",
            survey.report.roofs
        );
        for finding in &survey.report.findings {
            let crops = finding.crops.as_ref().unwrap();
            assert!(
                survey.pictures.contains_key(&crops.before) && survey.pictures.contains_key(&crops.after)
            );
            assert!((0.0..3.0).contains(&finding.position.uncertainty_meters));
        }
        let one = tally(&scene, &survey);
        println!("{seed}: {one:?}");
        all.merge(&one);
    }
    assert!(all.truths >= 4 && all.recall().unwrap() >= 0.75, "{all:?}");
    assert!(all.wrong <= 2, "{all:?}");
}

#[test]
fn the_same_flights_give_the_same_report() {
    let engine = engine();
    let scene = Scene::new(9_004, true);
    let report = || {
        let survey = compared(&engine, &scene, &mut scene.flight(0, 2, 1.0), &mut scene.flight(1, 2, 1.0));
        serde_json::to_string(&survey.report).unwrap()
    };
    assert_eq!(report(), report());
}

#[test]
fn useless_flights_are_refused_with_the_reason() {
    let engine = engine();
    let scene = Scene::new(9_002, true);
    let judge = |after: &mut dyn Flight| -> SurveyReport {
        compared(&engine, &scene, &mut scene.flight(0, 2, 0.0), after).report
    };
    let fog = judge(&mut Spoilt(scene.flight(1, 2, 0.0), in_fog));
    assert!(matches!(fog.after.refused, Some(Reason::TooFoggy { .. } | Reason::Blank { .. })), "{fog:?}");
    let dark = judge(&mut Spoilt(scene.flight(1, 2, 0.0), blank));
    assert!(matches!(dark.after.refused, Some(Reason::Blank { .. })), "{dark:?}");
    // Another roof at the place that telemetry gives.
    let other = judge(&mut Scene::new(7_777, true).flight(1, 2, 0.0));
    assert!(matches!(other.after.refused, Some(Reason::NotSamePlace { .. } | Reason::TooRough)), "{other:?}");
    let mut far = scene.flight(1, 2, 0.0);
    for picture in &mut far.infos {
        if let Georeference::Camera { pose, .. } = &mut picture.georeference {
            pose.position.latitude += 0.02;
        }
    }
    let far = judge(&mut far);
    assert!(matches!(far.after.refused, Some(Reason::OtherPlace { meters }) if meters > 2000.0), "{far:?}");
    let mut silent = scene.flight(1, 2, 0.0);
    silent.infos.clear();
    assert_eq!(judge(&mut silent).after.refused, Some(Reason::NoTelemetry));
    for report in [fog, dark, other, far] {
        assert!(report.findings.is_empty(), "{report:?}");
    }
}

#[test]
fn a_report_is_written_and_read_and_followed_over_time() {
    let engine = engine();
    let scene = Scene::new(9_004, true);
    let at = |day: &str, flight: &mut Painted| {
        flight.name = day.into();
        for picture in &mut flight.infos {
            picture.captured_at = Some(format!("{day}T02:00:00Z").parse().unwrap());
        }
    };
    let (mut first, mut second) = (scene.flight(0, 2, 1.0), scene.flight(1, 2, 1.0));
    at("2026-03-01", &mut first);
    at("2026-06-01", &mut second);
    let survey = compared(&engine, &scene, &mut first, &mut second);
    assert!(!survey.report.findings.is_empty());
    let folder = tempfile::tempdir().unwrap();
    write(&survey, folder.path()).unwrap();
    let report = read_report(&folder.path().join("report.json")).unwrap();
    assert_eq!(report.findings.len(), survey.report.findings.len());
    for finding in &report.findings {
        assert!(folder.path().join(&finding.crops.as_ref().unwrap().after).is_file());
    }
    let csv = std::fs::read_to_string(folder.path().join("findings.csv")).unwrap();
    assert_eq!(csv.lines().count(), report.findings.len() + 1);
    assert!(csv.starts_with("id,building,change,latitude,longitude,"), "{csv}");
    let kml = std::fs::read_to_string(folder.path().join("findings.kml")).unwrap();
    assert_eq!(kml.matches("<Placemark>").count(), report.findings.len());
    // A third survey that shows no change.
    let mut third = survey.report.clone();
    third.findings.clear();
    third.before = third.after.clone();
    third.after.name = "2026-09-01".into();
    third.after.from = Some("2026-09-01T02:00:00Z".parse().unwrap());
    third.after.until = third.after.from;
    let timeline = timeline(&scene.site, &[third, report]);
    assert_eq!(timeline.surveys.len(), 3);
    for history in timeline.histories.iter().filter(|h| h.sightings[0].area_m2 > 0.0) {
        assert_eq!(history.milestone, parapet_survey::Milestone::Built);
        assert_eq!(history.unchanged_since, Some("2026-06-01T02:00:00Z".parse().unwrap()));
    }
    write_timeline(&timeline, folder.path()).unwrap();
    let geojson = std::fs::read_to_string(folder.path().join("timeline.geojson")).unwrap();
    let value: serde_json::Value = serde_json::from_str(&geojson).unwrap();
    assert_eq!(value["features"].as_array().unwrap().len(), timeline.histories.len());
}
