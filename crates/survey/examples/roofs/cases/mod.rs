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
    BuildingId,
    geo::{GeoPoint, GroundPolygon, LocalFrame, PoseError},
    site::Site,
};
use parapet_ingest::flight::FlightOptions;
use parapet_survey::{Change, Flight, Recorded, measure::TrueChange};

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
        site: case.site,
        harmless: case.harmless,
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
        site: scene.site,
    }
}

/// All pairs of flights of the compounds in a folder, flights in fog left out.
pub(crate) fn rendered(folder: &Path) -> Result<Vec<Case>, Failure> {
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
            let flight = |key: &str| -> Result<(Box<dyn Flight>, bool), Failure> {
                let folder = compound.join(changes[key].as_str().ok_or("no flight")?);
                let truth: serde_json::Value =
                    serde_json::from_str(&fs::read_to_string(folder.join("truth.json"))?)?;
                let recorded = Recorded::open(&folder, &FlightOptions::default(), error_of(&truth))?;
                Ok((Box::new(recorded), truth["weather"] == "fog"))
            };
            let ((before, fog_before), (after, fog_after)) = (flight("before")?, flight("after")?);
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
            cases.push(Case { name, site, before, after, truths, harmless });
        }
    }
    Ok(cases)
}

/// A perfect telemetry still rounds: centimetres and hundredths of a degree.
fn error_of(truth: &serde_json::Value) -> PoseError {
    if truth["telemetry_noise"].is_null() {
        PoseError { horizontal_meters: 0.05, height_meters: 0.05, yaw_degrees: 0.05, tilt_degrees: 0.02 }
    } else {
        PoseError::CONSUMER_DRONE
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
