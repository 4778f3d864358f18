//! A compound on the ground: its outline, its buildings with what may stand on their roofs, and its zones.
//!
//! Read from GeoJSON ([`Site::from_geojson`]), judged in metres in the site's own plane.

mod read;

use serde::{Deserialize, Serialize};

pub use read::{SiteError, SiteProblem};

use crate::{
    BuildingId, Language, SiteId, ZoneId, ZonePurpose,
    geo::{GeoPoint, GroundPoint, GroundPolygon, LocalFrame, Position},
};

/// A name in the languages that people read here.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Name {
    /// Chinese.
    pub zh: Option<String>,
    /// English.
    pub en: Option<String>,
}

impl Name {
    /// The name in a language, in the other where that is missing, or else `id`.
    pub fn or_id<'a>(&'a self, language: Language, id: &'a str) -> &'a str {
        let (first, second) = match language {
            Language::ZhCn => (&self.zh, &self.en),
            Language::En => (&self.en, &self.zh),
        };
        first.as_deref().or(second.as_deref()).unwrap_or(id)
    }
}

/// A compound with the streets around it.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// Its id, as in the pipeline file.
    pub id: SiteId,
    /// Its name.
    pub name: Name,
    /// The plane that all its polygons lie in; touches the earth at the middle of its outline.
    pub frame: LocalFrame,
    /// Where it ends.
    pub outline: GroundPolygon,
    /// Its buildings, each with an id of its own.
    pub buildings: Vec<Building>,
    /// Its zones on the ground.
    pub zones: Vec<GroundZone>,
    /// Its fixed cameras and domes that have a place.
    pub cameras: Vec<SiteCamera>,
}

/// A building with a roof that is watched.
#[derive(Debug, Clone, PartialEq)]
pub struct Building {
    /// Unique in the site.
    pub id: BuildingId,
    /// Its name.
    pub name: Name,
    /// Its outline.
    pub footprint: GroundPolygon,
    /// Storeys above the ground, if known.
    pub storeys: Option<u32>,
    /// Its roof's height above the site's ground, metres.
    pub height: f64,
    /// What stands on its roof by permission.
    pub approved: Vec<ApprovedStructure>,
}

/// Something on a roof that may be there: a lift hut, a tank that was there when the baseline was approved.
#[derive(Debug, Clone, PartialEq)]
pub struct ApprovedStructure {
    /// Its outline.
    pub footprint: GroundPolygon,
    /// What it is and who allowed it.
    pub note: Option<String>,
}

/// A part of the ground with a meaning.
#[derive(Debug, Clone, PartialEq)]
pub struct GroundZone {
    /// Unique in the site.
    pub id: ZoneId,
    /// Its name.
    pub name: Name,
    /// What it means.
    pub purpose: ZonePurpose,
    /// Its outline.
    pub outline: GroundPolygon,
}

/// Where a camera stands.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteCamera {
    /// Its id in the pipeline file.
    pub id: crate::CameraId,
    /// Its name.
    pub name: Name,
    /// Where it is.
    pub place: GroundPoint,
    /// What it sees, for maps; a dome sees all round.
    pub sight: Option<Sight>,
}

/// What a camera sees of the ground, roughly: for maps only.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sight {
    /// The middle of its view, degrees clockwise from north.
    pub bearing_degrees: f64,
    /// The width of its view, degrees.
    pub view_degrees: f64,
    /// How far it sees, metres.
    pub reach_meters: f64,
}

impl Site {
    /// The building in which, or nearest to which, a position is: by its footprint, if it can be there at two standard
    /// deviations (95 %).
    pub fn building_at(&self, position: Position) -> Option<&Building> {
        let place = self.frame.local(position.point);
        nearest(&self.buildings, position, |b| b.footprint.distance(place))
    }

    /// The zone on the ground in which, or nearest to which, a position is, as [`Site::building_at`].
    pub fn zone_at(&self, position: Position) -> Option<&GroundZone> {
        let place = self.frame.local(position.point);
        nearest(&self.zones, position, |z| z.outline.distance(place))
    }

    /// The building with this id.
    pub fn building(&self, id: &BuildingId) -> Option<&Building> {
        self.buildings.iter().find(|b| b.id == *id)
    }

    /// Metres from a place to the site, 0 inside its outline.
    pub fn distance(&self, place: GeoPoint) -> f64 {
        self.outline.distance(self.frame.local(place))
    }
}

fn nearest<T>(things: &[T], position: Position, distance: impl Fn(&T) -> f64) -> Option<&T> {
    things
        .iter()
        .map(|thing| (distance(thing), thing))
        .filter(|(meters, _)| *meters <= 2.0 * f64::from(position.uncertainty_meters))
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, thing)| thing)
}
