//! A site from GeoJSON (RFC 7946): one FeatureCollection of polygons and points, told apart by `properties.kind`.

use std::{collections::BTreeSet, fmt};

use geojson::{Feature, FeatureCollection, GeoJson, GeometryValue, Position as Coordinates};
use serde::{Deserialize, de::DeserializeOwned};

use super::{ApprovedStructure, Building, GroundZone, Name, Sight, Site, SiteCamera};
use crate::{
    BuildingId, CameraId, SiteId, ZoneId, ZonePurpose,
    geo::{GeoPoint, GroundPoint, GroundPolygon, InvalidGeoPoint, LocalFrame},
};

/// Heights are taken as storeys of this many metres where only storeys are known: dwellings in China have 2.8–3.0 m
/// (GB 50096 asks for at least 2.4 m clear and 2.8 m is usual), and a parapet's slab.
const STOREY_METERS: f64 = 2.9;

/// All that is wrong with a site file.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// It is not GeoJSON at all.
    #[error("not GeoJSON: {0}; hint: a site is a FeatureCollection (RFC 7946) in WGS84, longitude first")]
    NotGeoJson(#[source] Box<geojson::Error>),
    /// It is, and these features are wrong: every one is listed.
    #[error("{} in the site{}", count(.0.len()), lines(.0))]
    Problems(Vec<SiteProblem>),
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteProblem {
    /// Which feature, from 1; `None` for the whole file.
    pub feature: Option<usize>,
    /// What is wrong, and a hint.
    pub message: String,
}

impl fmt::Display for SiteProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.feature {
            Some(number) => write!(f, "feature {number}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

fn count(n: usize) -> String {
    if n == 1 { "1 mistake".into() } else { format!("{n} mistakes") }
}

fn lines(problems: &[SiteProblem]) -> String {
    problems.iter().fold(String::new(), |text, problem| text + "\n  " + &problem.to_string())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SiteProperties {
    id: SiteId,
    name_zh: Option<String>,
    name_en: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BuildingProperties {
    id: BuildingId,
    name_zh: Option<String>,
    name_en: Option<String>,
    storeys: Option<u32>,
    height_meters: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ApprovedProperties {
    building: BuildingId,
    note: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ZoneProperties {
    id: ZoneId,
    purpose: ZonePurpose,
    name_zh: Option<String>,
    name_en: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CameraProperties {
    id: CameraId,
    name_zh: Option<String>,
    name_en: Option<String>,
    /// Where it looks, degrees clockwise from north.
    bearing_degrees: Option<f64>,
    /// How wide it looks, degrees.
    view_degrees: Option<f64>,
    /// How far it sees, metres.
    reach_meters: Option<f64>,
}

impl Site {
    /// The site that a GeoJSON text describes. Each feature's `properties.kind` is one of
    /// - `site`: a polygon, once, with `id`, `name_zh`, `name_en`;
    /// - `building`: a polygon with `id`, names, `storeys`, `height_meters` (one of the two);
    /// - `approved`: a polygon of what may stand on the roof of `building`, with a `note`;
    /// - `zone`: a polygon with `id`, `purpose` (as in the pipeline file), names;
    /// - `camera`: a point with `id`, names, and for maps `bearing_degrees`, `view_degrees` and `reach_meters`.
    ///
    /// # Errors
    /// See [`SiteError`]: all mistakes at once.
    pub fn from_geojson(text: &str) -> Result<Self, SiteError> {
        let geojson: GeoJson = text.parse().map_err(|e| SiteError::NotGeoJson(Box::new(e)))?;
        let GeoJson::FeatureCollection(collection) = geojson else {
            return Err(SiteError::Problems(vec![SiteProblem {
                feature: None,
                message: "it is one geometry or feature; hint: put the features into a FeatureCollection"
                    .into(),
            }]));
        };
        let mut reader = Reader::default();
        let site = reader.read(&collection);
        match site {
            Some(site) if reader.problems.is_empty() => Ok(site),
            _ => Err(SiteError::Problems(reader.problems)),
        }
    }
}

#[derive(Default)]
struct Reader {
    problems: Vec<SiteProblem>,
}

impl Reader {
    fn problem(&mut self, feature: Option<usize>, message: impl Into<String>) {
        self.problems.push(SiteProblem { feature, message: message.into() });
    }

    fn read(&mut self, collection: &FeatureCollection) -> Option<Site> {
        let kinds: Vec<_> = collection.features.iter().map(|f| kind(f).to_owned()).collect();
        let of = |wanted: &str| (0..kinds.len()).filter(|i| kinds[*i] == wanted).collect::<Vec<_>>();
        for (i, kind) in kinds.iter().enumerate() {
            if !["site", "building", "approved", "zone", "camera"].contains(&kind.as_str()) {
                let message = format!(
                    "properties.kind is \"{kind}\"; hint: one of site, building, approved, zone and camera"
                );
                self.problem(Some(i + 1), message);
            }
        }
        let sites = of("site");
        let [index] = sites[..] else {
            self.problem(
                None,
                format!(
                    "{} features are of the kind \"site\"; hint: exactly one gives the outline",
                    sites.len()
                ),
            );
            return None;
        };
        let feature = &collection.features[index];
        let (properties, ring) =
            (self.properties::<SiteProperties>(index, feature), self.ring(index, feature));
        let (properties, ring) = (properties?, ring?);
        let frame = LocalFrame::at(middle(&ring));
        let outline = self.polygon(index, &frame, &ring)?;
        let mut site = Site {
            id: properties.id,
            name: Name { zh: properties.name_zh, en: properties.name_en },
            frame,
            outline,
            buildings: Vec::new(),
            zones: Vec::new(),
            cameras: Vec::new(),
        };
        let mut names = BTreeSet::new();
        for i in of("building") {
            if let Some(building) = self.building(i, &collection.features[i], &frame) {
                if !names.insert(building.id.to_string()) {
                    self.problem(Some(i + 1), format!("building \"{}\" is there twice", building.id));
                }
                site.buildings.push(building);
            }
        }
        for i in of("approved") {
            self.approved(i, &collection.features[i], &mut site);
        }
        names.clear();
        for i in of("zone") {
            let feature = &collection.features[i];
            let (zone, ring) = (self.properties::<ZoneProperties>(i, feature), self.ring(i, feature));
            let (Some(zone), Some(ring)) = (zone, ring) else { continue };
            if !names.insert(zone.id.to_string()) {
                self.problem(Some(i + 1), format!("zone \"{}\" is there twice", zone.id));
            }
            if let Some(outline) = self.polygon(i, &frame, &ring) {
                let name = Name { zh: zone.name_zh, en: zone.name_en };
                site.zones.push(GroundZone { id: zone.id, name, purpose: zone.purpose, outline });
            }
        }
        for i in of("camera") {
            let feature = &collection.features[i];
            let (camera, place) = (self.properties::<CameraProperties>(i, feature), self.point(i, feature));
            if let (Some(camera), Some(place)) = (camera, place) {
                let name = Name { zh: camera.name_zh, en: camera.name_en };
                let sight = match (camera.bearing_degrees, camera.view_degrees, camera.reach_meters) {
                    (Some(bearing_degrees), Some(view_degrees), Some(reach_meters)) => {
                        Some(Sight { bearing_degrees, view_degrees, reach_meters })
                    }
                    _ => None,
                };
                site.cameras.push(SiteCamera { id: camera.id, name, place: frame.local(place), sight });
            }
        }
        Some(site)
    }

    fn building(&mut self, i: usize, feature: &Feature, frame: &LocalFrame) -> Option<Building> {
        let (properties, ring) = (self.properties::<BuildingProperties>(i, feature), self.ring(i, feature));
        let (properties, ring) = (properties?, ring?);
        let footprint = self.polygon(i, frame, &ring)?;
        let height = match (properties.height_meters, properties.storeys) {
            (Some(height), _) if (0.5..=1000.0).contains(&height) => height,
            (Some(height), _) => {
                self.problem(Some(i + 1), format!("a roof {height} m above the ground; hint: 0.5 to 1000"));
                return None;
            }
            (None, Some(storeys)) => f64::from(storeys) * STOREY_METERS,
            (None, None) => {
                let message = format!(
                    "building \"{}\" has neither height_meters nor storeys; hint: the roof's place in a picture hangs on its height",
                    properties.id
                );
                self.problem(Some(i + 1), message);
                return None;
            }
        };
        Some(Building {
            id: properties.id,
            name: Name { zh: properties.name_zh, en: properties.name_en },
            footprint,
            storeys: properties.storeys,
            height,
            approved: Vec::new(),
        })
    }

    fn approved(&mut self, i: usize, feature: &Feature, site: &mut Site) {
        let (properties, ring) = (self.properties::<ApprovedProperties>(i, feature), self.ring(i, feature));
        let (Some(properties), Some(ring)) = (properties, ring) else { return };
        let Some(footprint) = self.polygon(i, &site.frame, &ring) else { return };
        match site.buildings.iter_mut().find(|b| b.id == properties.building) {
            Some(building) => building.approved.push(ApprovedStructure { footprint, note: properties.note }),
            None => self.problem(
                Some(i + 1),
                format!(
                    "no building \"{}\"; hint: \"building\" names the id of a building",
                    properties.building
                ),
            ),
        }
    }

    fn properties<T: DeserializeOwned>(&mut self, i: usize, feature: &Feature) -> Option<T> {
        let mut properties = feature.properties.clone().unwrap_or_default();
        properties.remove("kind");
        serde_json::from_value(properties.into())
            .map_err(|e| self.problem(Some(i + 1), format!("its properties cannot be read: {e}")))
            .ok()
    }

    fn ring(&mut self, i: usize, feature: &Feature) -> Option<Vec<GeoPoint>> {
        match feature.geometry.as_ref().map(|g| &g.value) {
            Some(GeometryValue::Polygon { coordinates }) if coordinates.len() == 1 => {
                let places: Result<Vec<_>, _> = coordinates[0].iter().map(place).collect();
                places.map_err(|e| self.problem(Some(i + 1), e.to_string())).ok()
            }
            Some(GeometryValue::Polygon { .. }) => {
                self.problem(
                    Some(i + 1),
                    "a polygon with holes; hint: draw the outline without its courtyard, or two buildings",
                );
                None
            }
            _ => {
                self.problem(Some(i + 1), "its geometry is no Polygon");
                None
            }
        }
    }

    fn point(&mut self, i: usize, feature: &Feature) -> Option<GeoPoint> {
        let Some(GeometryValue::Point { coordinates }) = feature.geometry.as_ref().map(|g| &g.value) else {
            self.problem(Some(i + 1), "its geometry is no Point");
            return None;
        };
        place(coordinates).map_err(|e| self.problem(Some(i + 1), e.to_string())).ok()
    }

    fn polygon(&mut self, i: usize, frame: &LocalFrame, ring: &[GeoPoint]) -> Option<GroundPolygon> {
        let corners: Vec<GroundPoint> = ring.iter().map(|p| frame.local(*p)).collect();
        GroundPolygon::new(corners).map_err(|e| self.problem(Some(i + 1), e.to_string())).ok()
    }
}

fn kind(feature: &Feature) -> &str {
    feature.property("kind").and_then(|k| k.as_str()).unwrap_or_default()
}

fn place(coordinates: &Coordinates) -> Result<GeoPoint, InvalidGeoPoint> {
    let at = |i: usize| coordinates.as_slice().get(i).copied().unwrap_or(f64::NAN);
    GeoPoint::new(at(1), at(0))
}

fn middle(ring: &[GeoPoint]) -> GeoPoint {
    let fold = |value: fn(&GeoPoint) -> f64| {
        let (low, high) = ring
            .iter()
            .map(value)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
        f64::midpoint(low, high)
    };
    GeoPoint { latitude: fold(|p| p.latitude), longitude: fold(|p| p.longitude) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Language, geo::Position};

    fn square(kind: &str, properties: &str, west: f64, south: f64, side: f64) -> String {
        let (east, north) = (west + side, south + side);
        format!(
            r#"{{"type":"Feature","properties":{{"kind":"{kind}"{properties}}},"geometry":{{"type":"Polygon","coordinates":
            [[[{west},{south}],[{east},{south}],[{east},{north}],[{west},{north}],[{west},{south}]]]}}}}"#
        )
    }

    fn collection(features: &[String]) -> String {
        format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(","))
    }

    fn good() -> Vec<String> {
        vec![
            square("site", r#","id":"garden","name_zh":"花园""#, 120.68, 30.53, 0.002),
            square("building", r#","id":"b1","storeys":6"#, 120.6805, 30.5305, 0.0002),
            square("approved", r#","building":"b1","note":"lift hut""#, 120.6806, 30.5306, 0.00003),
            square("zone", r#","id":"lane","purpose":"fire_lane""#, 120.681, 30.5305, 0.0002),
            r#"{"type":"Feature","properties":{"kind":"camera","id":"gate"},"geometry":{"type":"Point","coordinates":[120.6801,30.5301]}}"#.into(),
        ]
    }

    #[test]
    fn a_site_is_read_and_a_position_falls_to_its_building() {
        let site = Site::from_geojson(&collection(&good())).unwrap();
        assert_eq!(site.name.or_id(Language::En, site.id.as_str()), "花园");
        assert_eq!((site.buildings.len(), site.zones.len(), site.cameras.len()), (1, 1, 1));
        let building = &site.buildings[0];
        assert!((building.height - 17.4).abs() < 1e-9 && building.approved.len() == 1);
        assert!((building.footprint.area() - 19.2 * 22.2).abs() < 2.0, "{}", building.footprint.area());
        let beside = site.frame.local(GeoPoint::new(30.5306, 120.6805).unwrap());
        let at = |east, uncertainty_meters| Position {
            point: site.frame.geo(GroundPoint { east: beside.east - east, ..beside }),
            uncertainty_meters,
        };
        assert_eq!(site.building_at(at(1.5, 1.0)).map(|b| b.id.as_str()), Some("b1"));
        assert_eq!(site.building_at(at(2.5, 1.0)), None);
        assert_eq!(site.zone_at(at(-1.0, 1.0)), None);
    }

    #[test]
    fn every_mistake_is_named_with_its_feature() {
        let mut features = good();
        features[1] = square("building", r#","id":"b1""#, 120.6805, 30.5305, 0.0002);
        features.push(square("zone", r#","id":"lane","purpose":"fire_lane""#, 120.681, 30.5305, 0.0002));
        features.push(square("zone", r#","id":"z","purpose":"fire-lane""#, 120.681, 30.5305, 0.0002));
        features.push(square("shed", "", 120.681, 30.5305, 0.0002));
        features.push(square("zone", r#","id":"swapped","purpose":"area""#, 30.53, 120.68, 0.002));
        let error = Site::from_geojson(&collection(&features)).unwrap_err().to_string();
        for part in [
            "6 mistakes",
            "feature 2: building \"b1\" has neither",
            "feature 3: no building \"b1\"",
            "feature 6: zone \"lane\" is there twice",
            "feature 7: its properties cannot be read: unknown variant `fire-lane`",
            "feature 8: properties.kind is \"shed\"",
            "feature 9: latitude 120.68, longitude 30.53 is no place",
        ] {
            assert!(error.contains(part), "{part:?} is not in {error}");
        }
    }

    #[test]
    fn what_is_no_site_is_refused() {
        assert!(matches!(Site::from_geojson("{"), Err(SiteError::NotGeoJson(_))));
        let none = Site::from_geojson(&collection(&[])).unwrap_err().to_string();
        assert!(none.contains("0 features are of the kind \"site\""), "{none}");
    }
}
