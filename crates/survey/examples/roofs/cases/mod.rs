//! Pairs of flights with known truth: painted here, or rendered into a folder (`fixtures/compound/README.md`).

#[path = "../../../tests/support/paint.rs"]
#[expect(clippy::unwrap_used, reason = "polygons that are made here are polygons")]
pub(crate) mod paint;
pub(crate) mod pictures;
pub(crate) mod roofs;

use std::{
    fs,
    path::{Path, PathBuf},
};

use parapet_core::{
    BuildingId, Picture,
    geo::{Attitude, GeoPoint, GroundPolygon, LocalFrame, Pose, PoseError},
    site::Site,
};
use parapet_ingest::flight::FlightOptions;
use parapet_survey::{
    Change, Flight, FlightError, Georeference, Recorded, SurveyPicture, measure::TrueChange,
};

type Failure = Box<dyn std::error::Error>;

/// A pair of flights over one site.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) site: Site,
    pub(crate) before: Box<dyn Flight>,
    pub(crate) after: Box<dyn Flight>,
    pub(crate) truths: Vec<(BuildingId, TrueChange)>,
    /// Footprints of what changed without being a violation, with its kind.
    pub(crate) harmless: Vec<(String, GroundPolygon)>,
    /// Whether telemetry is the truth, so that changes lie where their footprints are.
    pub(crate) exact: bool,
}

/// Which telemetry a rendered flight has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Telemetry {
    /// What its pictures say: about half of the flights have a consumer drone's noise.
    AsFlown,
    /// Where the drone truly was.
    Exact,
}

/// The same flights the other way round: what came has gone.
pub(crate) fn reversed(case: Case) -> Case {
    let truths = case.truths.into_iter().map(|(building, t)| {
        let change = if t.change == Change::Removed { Change::New } else { Change::Removed };
        (building, TrueChange { change, ..t })
    });
    Case {
        name: format!("{} reversed", case.name),
        before: case.after,
        after: case.before,
        truths: truths.collect(),
        ..case
    }
}

/// A painted roof.
pub(crate) fn painted(seed: u64) -> Case {
    let scene = paint::Scene::new(seed, !seed.is_multiple_of(3));
    let noise = if seed.is_multiple_of(2) { 1.0 } else { 0.0 };
    let looks = 2 + (seed % 3) as usize;
    Case {
        name: format!("painted {seed}"),
        before: Box::new(scene.flight(0, looks, noise)),
        after: Box::new(scene.flight(1, looks, noise)),
        truths: scene
            .truths
            .iter()
            .map(|t| {
                let truth = TrueChange { change: t.change, footprint: t.footprint.clone() };
                (scene.site.buildings[0].id.clone(), truth)
            })
            .collect(),
        harmless: Vec::new(),
        exact: noise == 0.0,
        site: scene.site,
    }
}

/// All pairs of flights of the compounds in a folder, flights in fog left out.
pub(crate) fn rendered(folder: &Path, telemetry: Telemetry) -> Result<Vec<Case>, Failure> {
    let mut cases = Vec::new();
    for compound in folders(folder)? {
        let site_file = compound.join("site.geojson");
        if !site_file.exists() {
            continue;
        }
        for pair in folders(&compound.join("changes")).unwrap_or_default() {
            let text = fs::read_to_string(pair.join("changes.json"))?;
            let changes: serde_json::Value = serde_json::from_str(&text)?;
            let site = Site::from_geojson(&fs::read_to_string(&site_file)?)?;
            let flight = |key: &str| -> Result<(Box<dyn Flight>, bool, bool), Failure> {
                let folder = compound.join(changes[key].as_str().ok_or("no flight")?);
                let truth: serde_json::Value =
                    serde_json::from_str(&fs::read_to_string(folder.join("truth.json"))?)?;
                let noisy = !truth["telemetry_noise"].is_null() && telemetry == Telemetry::AsFlown;
                let error = if noisy { PoseError::CONSUMER_DRONE } else { ROUNDED };
                let recorded = Recorded::open(&folder, &FlightOptions::default(), error)?;
                let flight: Box<dyn Flight> = match telemetry {
                    Telemetry::AsFlown => Box::new(recorded),
                    Telemetry::Exact => Box::new(Exact::new(recorded, &truth)),
                };
                Ok((flight, truth["weather"] == "fog", noisy))
            };
            let (before, fog_before, noisy_before) = flight("before")?;
            let (after, fog_after, noisy_after) = flight("after")?;
            if fog_before || fog_after {
                continue;
            }
            let mut truths = Vec::new();
            for change in changes["changes"].as_array().into_iter().flatten() {
                let kind = match change["change"].as_str() {
                    Some("new") => Change::New,
                    Some("grown") => Change::Grown,
                    _ => Change::Removed,
                };
                let building: BuildingId = change["building"].as_str().ok_or("no building")?.parse()?;
                let Some(footprint) = ring(&change["footprint"], &site.frame) else { continue };
                truths.push((building, TrueChange { change: kind, footprint }));
            }
            let harmless = changes["harmless"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|h| Some((h["kind"].as_str()?.to_owned(), ring(&h["footprint"], &site.frame)?)))
                .collect();
            let name = format!("{} {}", site.id, pair.file_name().unwrap_or_default().to_string_lossy());
            let exact = !noisy_before && !noisy_after;
            cases.push(Case { name, site, before, after, truths, harmless, exact });
        }
    }
    Ok(cases)
}

/// A perfect telemetry still rounds: centimetres and hundredths of a degree.
const ROUNDED: PoseError =
    PoseError { horizontal_meters: 0.05, height_meters: 0.05, yaw_degrees: 0.05, tilt_degrees: 0.02 };

/// A flight that knows where it truly was.
struct Exact {
    flight: Recorded,
    pictures: Vec<SurveyPicture>,
}

impl Exact {
    fn new(flight: Recorded, truth: &serde_json::Value) -> Self {
        let mut pictures = flight.pictures().to_vec();
        let stills = truth["stills"].as_array();
        for picture in &mut pictures {
            let still = stills.and_then(|s| s.iter().find(|s| s["file"] == picture.name.as_str()));
            let pose = still.and_then(|still| {
                let number = |key: &str| still[key].as_f64();
                Some(Pose {
                    position: GeoPoint::new(number("latitude")?, number("longitude")?).ok()?,
                    height: number("height_meters")?,
                    attitude: Attitude {
                        yaw: number("yaw_degrees")?,
                        pitch: number("pitch_degrees")?,
                        roll: number("roll_degrees")?,
                    },
                })
            });
            if let (Georeference::Camera { pose: flown, .. }, Some(pose)) = (&mut picture.georeference, pose)
            {
                *flown = pose;
            }
        }
        Self { flight, pictures }
    }
}

impl Flight for Exact {
    fn name(&self) -> &str {
        self.flight.name()
    }
    fn pictures(&self) -> &[SurveyPicture] {
        &self.pictures
    }
    fn visit(&mut self, wanted: &[usize], each: &mut dyn FnMut(usize, &Picture)) -> Result<(), FlightError> {
        self.flight.visit(wanted, each)
    }
}

fn ring(value: &serde_json::Value, frame: &LocalFrame) -> Option<GroundPolygon> {
    let ring = value.as_array()?;
    // A ring, or a polygon of one.
    let ring = if ring.first()?.get(0)?.is_array() { ring[0].as_array()? } else { ring };
    let corners = ring
        .iter()
        .map(|p| Some(frame.local(GeoPoint::new(p.get(1)?.as_f64()?, p.get(0)?.as_f64()?).ok()?)))
        .collect::<Option<Vec<_>>>()?;
    GroundPolygon::new(corners).ok()
}

fn folders(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(folder)?.filter_map(|e| e.ok().map(|e| e.path())).filter(|p| p.is_dir()).collect();
    found.sort();
    Ok(found)
}
