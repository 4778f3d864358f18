//! Vehicles, bikes and people that a flight shows on the ground: where they are, how surely, and how long they stood.
//!
//! The same thing is seen in several pictures of a flight, each of which puts it on the ground a little elsewhere; what
//! lies near enough is one thing. Nothing is said about roofs here: what a detector sees there is left out.

use std::collections::BTreeMap;

use parapet_core::{
    BuildingId, Detection, Label, Picture, Point, Timestamp, ZoneId,
    geo::{GeoPoint, GroundPoint, Position},
    site::Site,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    flight::{Flight, FlightError, Georeference, Projection},
    report::REPORT_VERSION,
};

/// Sightings of one thing by one flight share the error of its telemetry: they differ by what the pose jitters from
/// picture to picture, metres.
const JITTER_METERS: f64 = 1.0;
/// Farther from straight down than this the middle of a box is not above the thing's place any more, degrees.
const STEEP_DEGREES: f64 = 25.0;

/// What a flight showed on the ground of a site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ObjectReport {
    /// [`REPORT_VERSION`].
    pub version: u32,
    /// The flight.
    pub flight: String,
    /// Pictures that were looked at.
    pub pictures: usize,
    /// What was seen, by class and place.
    pub objects: Vec<GroundObject>,
}

/// One thing on the ground.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroundObject {
    /// Its class.
    pub label: Label,
    /// Where it is.
    pub position: Position,
    /// How long it is as seen from above, metres: the longer side of its box.
    pub length_meters: f32,
    /// Best confidence, 0..=1.
    pub score: f32,
    /// Pictures that show it.
    pub sightings: usize,
    /// When it was first seen.
    #[schemars(with = "Option<String>")]
    pub first_seen_at: Option<Timestamp>,
    /// When it was last seen.
    #[schemars(with = "Option<String>")]
    pub last_seen_at: Option<Timestamp>,
    /// The zone on the ground that it is in.
    pub zone: Option<ZoneId>,
    /// The building that it stands at, within twice its uncertainty.
    pub building: Option<BuildingId>,
}

/// Finds what is in a picture.
pub type Detect<'a> = &'a mut dyn FnMut(&Picture) -> Result<Vec<Detection>, parapet_core::DetectError>;

/// Why a flight cannot be searched.
#[derive(Debug, thiserror::Error)]
pub enum ObjectsError {
    /// A picture cannot be read.
    #[error(transparent)]
    Flight(#[from] FlightError),
    /// The model failed.
    #[error("cannot search a picture of the flight")]
    Detect(#[from] parapet_core::DetectError),
}

/// One detection on the ground.
#[derive(Debug, Clone)]
struct Sighting {
    place: GroundPoint,
    sigma: f64,
    length: f64,
    score: f32,
    at: Option<Timestamp>,
    picture: usize,
}

/// Searches all pictures of a flight that see the site's ground.
///
/// # Errors
/// When a picture cannot be read or the model fails.
pub fn objects(
    flight: &mut dyn Flight,
    site: &Site,
    detect: Detect<'_>,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<ObjectReport, ObjectsError> {
    let places: Vec<_> = flight
        .pictures()
        .iter()
        .map(|p| {
            (
                Projection::new(&p.georeference, &site.frame),
                aspect(&p.georeference, p.width, p.height),
                p.captured_at,
            )
        })
        .collect();
    let wanted: Vec<usize> = (0..places.len()).filter(|i| places[*i].0.distance(site) < 1.0).collect();
    let (mut done, of) = (0, wanted.len());
    let mut failed = None;
    let mut seen: BTreeMap<Label, Vec<Sighting>> = BTreeMap::new();
    flight.visit(&wanted, &mut |index, picture| {
        if failed.is_some() {
            return;
        }
        let (projection, aspect, at) = &places[index];
        match detect(picture) {
            Ok(detections) => {
                for detection in detections {
                    if let Some(sighting) = sighted(&detection, projection, *aspect, site) {
                        let sighting = Sighting { at: *at, picture: index, ..sighting };
                        seen.entry(group(&detection.label)).or_default().push(sighting);
                    }
                }
            }
            Err(error) => failed = Some(error),
        }
        done += 1;
        progress(done, of);
    })?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    let objects = seen.into_iter().flat_map(|(label, sightings)| joined(&label, sightings, site)).collect();
    Ok(ObjectReport { version: REPORT_VERSION, flight: flight.name().to_owned(), pictures: done, objects })
}

/// Metres on the ground for one picture width, the median over the pictures that look at the site: how large things are in
/// them.
pub fn meters_per_width(flight: &dyn Flight, site: &Site) -> Option<f64> {
    let middle = Point::new(0.5, 0.5);
    let across = |picture: &crate::flight::SurveyPicture| {
        let projection = Projection::new(&picture.georeference, &site.frame);
        let place = projection.ground(middle, 0.0).filter(|place| site.outline.contains(*place))?;
        projection.meters_per_width(place, 0.0)
    };
    let mut all: Vec<f64> = flight.pictures().iter().filter_map(across).collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied()
}

fn aspect(georeference: &Georeference, width: usize, height: usize) -> f64 {
    match georeference {
        Georeference::Camera { lens, .. } => lens.aspect,
        Georeference::Raster(_) => height as f64 / width.max(1) as f64,
    }
}

/// Small detectors mix up the classes of one kind from above: they are one thing under the usual name.
fn group(label: &Label) -> Label {
    match label.as_str() {
        "motorcycle" | "bicycle" => Label::new("bicycle"),
        "car" | "truck" | "bus" => Label::new("car"),
        _ => label.clone(),
    }
}

/// A detection on the ground; `None` when its line of sight ends on a roof or beyond the site.
fn sighted(detection: &Detection, projection: &Projection, aspect: f64, site: &Site) -> Option<Sighting> {
    let bbox = detection.bbox;
    let middle =
        Point::new(f32::midpoint(bbox.x_min(), bbox.x_max()), f32::midpoint(bbox.y_min(), bbox.y_max()));
    let under = projection.ground(middle, 0.0)?;
    let slant = projection.towards_eye(under, 0.0)[2].clamp(-1.0, 1.0).acos().to_degrees();
    let at = if slant > STEEP_DEGREES { bbox.foot_point() } else { middle };
    let on_roof = |b: &parapet_core::site::Building| {
        projection.ground(at, b.height).is_some_and(|place| b.footprint.contains(place))
    };
    if site.buildings.iter().any(on_roof) {
        return None;
    }
    let place = projection.ground(at, 0.0)?;
    if !site.outline.contains(place) {
        return None;
    }
    let meters = projection.meters_per_width(place, 0.0)?;
    let (width, height) = (f64::from(bbox.x_max() - bbox.x_min()), f64::from(bbox.y_max() - bbox.y_min()));
    Some(Sighting {
        place,
        sigma: projection.uncertainty(place, 0.0)?,
        length: meters * width.max(height * aspect),
        score: detection.score,
        at: None,
        picture: 0,
    })
}

/// Things out of the sightings of one class: each sighting joins the nearest thing within reach that its own picture does
/// not show already, the surest sightings first.
fn joined(label: &Label, mut sightings: Vec<Sighting>, site: &Site) -> Vec<GroundObject> {
    sightings.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.picture.cmp(&b.picture)));
    let mut things: Vec<Vec<Sighting>> = Vec::new();
    for sighting in sightings {
        let reach = JITTER_METERS + sighting.length / 3.0;
        let near = things
            .iter_mut()
            .filter(|thing| thing.iter().all(|s| s.picture != sighting.picture))
            .map(|thing| (middle(thing).distance(sighting.place), thing))
            .filter(|(meters, _)| *meters <= reach)
            .min_by(|a, b| a.0.total_cmp(&b.0));
        match near {
            Some((_, thing)) => thing.push(sighting),
            None => things.push(vec![sighting]),
        }
    }
    let mut objects: Vec<GroundObject> = things.iter().map(|thing| object(label, thing, site)).collect();
    let key = |o: &GroundObject| (o.position.point.longitude, o.position.point.latitude);
    objects.sort_by(|a, b| key(a).0.total_cmp(&key(b).0).then(key(a).1.total_cmp(&key(b).1)));
    objects
}

/// The mean of the places, the surer ones weighing more.
fn middle(thing: &[Sighting]) -> GroundPoint {
    let weight = |s: &Sighting| 1.0 / (s.sigma * s.sigma).max(1e-4);
    let sum: f64 = thing.iter().map(weight).sum();
    GroundPoint {
        east: thing.iter().map(|s| weight(s) * s.place.east).sum::<f64>() / sum,
        north: thing.iter().map(|s| weight(s) * s.place.north).sum::<f64>() / sum,
    }
}

fn object(label: &Label, thing: &[Sighting], site: &Site) -> GroundObject {
    let place = middle(thing);
    let point: GeoPoint = site.frame.geo(place);
    // The telemetry's error is common to the whole flight: more pictures do not make it smaller.
    let sigma = thing.iter().map(|s| s.sigma).fold(f64::INFINITY, f64::min);
    let position = Position { point, uncertainty_meters: sigma as f32 };
    let mut lengths: Vec<f64> = thing.iter().map(|s| s.length).collect();
    lengths.sort_by(f64::total_cmp);
    GroundObject {
        label: label.clone(),
        position,
        length_meters: lengths[lengths.len() / 2] as f32,
        score: thing.iter().map(|s| s.score).fold(0.0, f32::max),
        sightings: thing.len(),
        first_seen_at: thing.iter().filter_map(|s| s.at).min(),
        last_seen_at: thing.iter().filter_map(|s| s.at).max(),
        zone: site.zones.iter().find(|z| z.outline.contains(place)).map(|z| z.id.clone()),
        building: site.building_at(position).map(|b| b.id.clone()),
    }
}

#[cfg(test)]
mod tests {
    use parapet_core::{
        BBox,
        geo::{Attitude, Lens, Pose, PoseError, View},
    };

    use super::*;
    use crate::flight::SurveyPicture;

    const SITE: &str = r#"{"type":"FeatureCollection","features":[
        {"type":"Feature","properties":{"kind":"site","id":"garden"},"geometry":{"type":"Polygon","coordinates":
         [[[120.68,30.53],[120.682,30.53],[120.682,30.532],[120.68,30.532],[120.68,30.53]]]}},
        {"type":"Feature","properties":{"kind":"building","id":"b1","height_meters":20},"geometry":
         {"type":"Polygon","coordinates":[[[120.681,30.531],[120.6814,30.531],[120.6814,30.5312],[120.681,30.5312],[120.681,30.531]]]}},
        {"type":"Feature","properties":{"kind":"zone","id":"lane","purpose":"fire_lane"},"geometry":
         {"type":"Polygon","coordinates":[[[120.6808,30.5306],[120.6812,30.5306],[120.6812,30.5309],[120.6808,30.5309],[120.6808,30.5306]]]}}]}"#;

    /// A flight of which every picture is grey; what is in it is told by `detect`.
    struct Grey {
        pictures: Vec<SurveyPicture>,
    }

    impl Flight for Grey {
        fn name(&self) -> &'static str {
            "grey"
        }
        fn pictures(&self) -> &[SurveyPicture] {
            &self.pictures
        }
        fn visit(
            &mut self,
            wanted: &[usize],
            each: &mut dyn FnMut(usize, &Picture),
        ) -> Result<(), FlightError> {
            let grey = Picture::from_rgb(16, 10, &[90; 480]).unwrap();
            for index in wanted {
                each(*index, &grey);
            }
            Ok(())
        }
    }

    fn picture(site: &Site, east: f64, north: f64, second: i64) -> SurveyPicture {
        let position = site.frame.geo(GroundPoint { east, north });
        let attitude = Attitude { yaw: 30.0, pitch: -90.0, roll: 0.0 };
        SurveyPicture {
            name: second.to_string(),
            captured_at: Some(Timestamp::from_second(1_795_312_800 + second).unwrap()),
            width: 1280,
            height: 720,
            georeference: Georeference::Camera {
                pose: Pose { position, height: 60.0, attitude },
                lens: Lens::new(0.7, 0.5625).unwrap(),
                error: PoseError::CONSUMER_DRONE,
            },
        }
    }

    /// What a perfect detector sees of boxes of `size` metres at these places, `up` above the ground.
    fn seen(site: &Site, picture: &SurveyPicture, things: &[(&str, GroundPoint, f64)]) -> Vec<Detection> {
        let Georeference::Camera { pose, lens, .. } = picture.georeference else { unreachable!() };
        let view = View::new(pose, lens, &site.frame);
        let boxed = |&(label, place, up): &(&str, GroundPoint, f64)| {
            let p = view.project(place, up)?;
            let half = (1.0 / view.meters_per_width(p, up)?) as f32;
            let bbox = BBox::new(p.x - half, p.y - half / 0.5625, p.x + half, p.y + half / 0.5625)?;
            let inside = (0.0..1.0).contains(&p.x) && (0.0..1.0).contains(&p.y);
            inside.then(|| Detection { label: Label::new(label), score: 0.8, bbox })
        };
        things.iter().filter_map(boxed).collect()
    }

    #[test]
    fn one_bike_in_three_pictures_is_one_thing_with_its_place_zone_and_times() {
        let site = Site::from_geojson(SITE).unwrap();
        let lane = site.zones[0].outline.centroid();
        let beside = GroundPoint { east: lane.east + 4.0, ..lane };
        let roof = site.buildings[0].footprint.centroid();
        let things = [("motorcycle", lane, 0.0), ("bicycle", beside, 0.0), ("car", roof, 20.0)];
        let pictures: Vec<_> = [(0.0, 0), (6.0, 4), (12.0, 8)]
            .map(|(d, s)| picture(&site, lane.east + d, lane.north, s))
            .to_vec();
        let mut views = pictures.iter().map(|p| seen(&site, p, &things)).collect::<Vec<_>>().into_iter();
        let mut flight = Grey { pictures };
        let mut detect = |_: &Picture| Ok(views.next().unwrap());
        let report = objects(&mut flight, &site, &mut detect, &mut |_, _| {}).unwrap();
        assert_eq!(report.pictures, 3);
        assert_eq!(report.objects.len(), 2, "{:?}", report.objects);
        for (object, place) in report.objects.iter().zip([lane, beside]) {
            assert_eq!((object.label.as_str(), object.sightings), ("bicycle", 3));
            let found = site.frame.local(object.position.point);
            assert!(found.distance(place) < 0.05, "{found:?}");
            assert!((1.5..2.5).contains(&object.position.uncertainty_meters), "{object:?}");
            assert!((object.length_meters - 2.0).abs() < 0.1);
            assert_eq!(object.zone.as_ref().map(ZoneId::as_str), Some("lane"));
            let stood = object.last_seen_at.unwrap().as_second() - object.first_seen_at.unwrap().as_second();
            assert_eq!(stood, 8);
        }
    }
}
