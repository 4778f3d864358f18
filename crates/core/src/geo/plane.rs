//! WGS84 coordinates and the plane that touches the earth at a site.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A place on the earth, WGS84 degrees.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "RawGeoPoint")]
pub struct GeoPoint {
    /// Degrees north, −90..=90.
    pub latitude: f64,
    /// Degrees east, −180..=180.
    pub longitude: f64,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct RawGeoPoint {
    /// Degrees north, −90..=90.
    latitude: f64,
    /// Degrees east, −180..=180.
    longitude: f64,
}

/// Why two numbers are no place.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error(
    "latitude {latitude}, longitude {longitude} is no place on the earth; hint: degrees, latitude −90 to 90, longitude −180 to 180 (GeoJSON lists the longitude first)"
)]
pub struct InvalidGeoPoint {
    latitude: f64,
    longitude: f64,
}

impl GeoPoint {
    /// The place with these coordinates in degrees.
    ///
    /// # Errors
    /// When one is not finite or out of its range.
    pub fn new(latitude: f64, longitude: f64) -> Result<Self, InvalidGeoPoint> {
        if (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude) {
            Ok(Self { latitude, longitude })
        } else {
            Err(InvalidGeoPoint { latitude, longitude })
        }
    }
}

impl TryFrom<RawGeoPoint> for GeoPoint {
    type Error = InvalidGeoPoint;
    fn try_from(raw: RawGeoPoint) -> Result<Self, InvalidGeoPoint> {
        Self::new(raw.latitude, raw.longitude)
    }
}

impl fmt::Display for GeoPoint {
    /// Latitude and longitude with seven digits: a centimetre.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.7}, {:.7}", self.latitude, self.longitude)
    }
}

/// A place in a site's plane, metres from its origin.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroundPoint {
    /// Metres east.
    pub east: f64,
    /// Metres north.
    pub north: f64,
}

impl GroundPoint {
    /// Metres between two places.
    pub fn distance(self, other: Self) -> f64 {
        (self.east - other.east).hypot(self.north - other.north)
    }
}

/// The plane that touches the earth at an origin: east and north in metres.
///
/// A step in degrees is turned into metres with the ellipsoid's radii of curvature at the origin (meridian and prime
/// vertical; Snyder 1987, "Map Projections: A Working Manual", eq. 4-18 to 4-20). Within 5 km of the origin, and away
/// from the poles, the error is under 5 m; within 1 km under 0.2 m.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LocalFrame {
    origin: GeoPoint,
    meters_per_degree: (f64, f64),
}

impl LocalFrame {
    /// The plane at `origin`.
    pub fn at(origin: GeoPoint) -> Self {
        const A: f64 = 6_378_137.0;
        const E2: f64 = 6.694_379_990_14e-3;
        let (sin, cos) = origin.latitude.to_radians().sin_cos();
        let w2 = 1.0 - E2 * sin * sin;
        let meridian = A * (1.0 - E2) / w2.powf(1.5);
        let vertical = A / w2.sqrt();
        // At a pole every east is the same place; a tiny radius keeps the way back finite.
        let east = (vertical * cos).max(1e-3).to_radians();
        Self { origin, meters_per_degree: (east, meridian.to_radians()) }
    }

    /// Where the plane touches the earth.
    pub fn origin(&self) -> GeoPoint {
        self.origin
    }

    /// A place in the plane.
    pub fn local(&self, place: GeoPoint) -> GroundPoint {
        let mut degrees = place.longitude - self.origin.longitude;
        if degrees > 180.0 {
            degrees -= 360.0;
        } else if degrees < -180.0 {
            degrees += 360.0;
        }
        GroundPoint {
            east: degrees * self.meters_per_degree.0,
            north: (place.latitude - self.origin.latitude) * self.meters_per_degree.1,
        }
    }

    /// A place of the plane on the earth.
    pub fn geo(&self, place: GroundPoint) -> GeoPoint {
        let longitude = self.origin.longitude + place.east / self.meters_per_degree.0;
        GeoPoint {
            latitude: (self.origin.latitude + place.north / self.meters_per_degree.1).clamp(-90.0, 90.0),
            longitude: (longitude + 180.0).rem_euclid(360.0) - 180.0,
        }
    }
}

/// A simple polygon on the ground; the last corner joins the first.
#[derive(Debug, Clone, PartialEq)]
pub struct GroundPolygon(Vec<GroundPoint>);

/// Why places make no polygon.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum InvalidGroundPolygon {
    /// Fewer than three corners.
    #[error("a polygon of {0} corners has no inside; hint: give at least 3 different corners")]
    TooFewPoints(usize),
    /// All on one line.
    #[error("the polygon has no area; hint: its corners lie on one line")]
    Empty,
}

impl GroundPolygon {
    /// The polygon with these corners, in either order.
    ///
    /// # Errors
    /// See [`InvalidGroundPolygon`].
    pub fn new(mut corners: Vec<GroundPoint>) -> Result<Self, InvalidGroundPolygon> {
        corners.dedup();
        if corners.len() > 1 && corners.first() == corners.last() {
            corners.pop();
        }
        if corners.len() < 3 {
            return Err(InvalidGroundPolygon::TooFewPoints(corners.len()));
        }
        let polygon = Self(corners);
        if polygon.area() < 1e-3 { Err(InvalidGroundPolygon::Empty) } else { Ok(polygon) }
    }

    /// The corners.
    pub fn corners(&self) -> &[GroundPoint] {
        &self.0
    }

    fn edges(&self) -> impl Iterator<Item = (GroundPoint, GroundPoint)> {
        (0..self.0.len()).map(|i| (self.0[i], self.0[(i + 1) % self.0.len()]))
    }

    /// Square metres.
    pub fn area(&self) -> f64 {
        self.edges().map(|(a, b)| a.east * b.north - b.east * a.north).sum::<f64>().abs() / 2.0
    }

    /// Its centre of mass.
    pub fn centroid(&self) -> GroundPoint {
        // Relative to a corner, so that a small polygon far away keeps its digits.
        let o = self.0[0];
        let (mut twice, mut east, mut north) = (0.0, 0.0, 0.0);
        for (a, b) in self.edges() {
            let (ax, ay, bx, by) = (a.east - o.east, a.north - o.north, b.east - o.east, b.north - o.north);
            let cross = ax * by - bx * ay;
            twice += cross;
            east += (ax + bx) * cross;
            north += (ay + by) * cross;
        }
        GroundPoint { east: o.east + east / (3.0 * twice), north: o.north + north / (3.0 * twice) }
    }

    /// Lower-left and upper-right corner of the box around it.
    pub fn bounds(&self) -> (GroundPoint, GroundPoint) {
        let fold = |pick: fn(f64, f64) -> f64, start: f64| GroundPoint {
            east: self.0.iter().map(|p| p.east).fold(start, pick),
            north: self.0.iter().map(|p| p.north).fold(start, pick),
        };
        (fold(f64::min, f64::INFINITY), fold(f64::max, f64::NEG_INFINITY))
    }

    /// Whether the place is inside (even-odd; a place on an edge may fall either way).
    pub fn contains(&self, p: GroundPoint) -> bool {
        self.edges().fold(false, |inside, (a, b)| {
            let crosses = (a.north > p.north) != (b.north > p.north)
                && p.east < (b.east - a.east) * (p.north - a.north) / (b.north - a.north) + a.east;
            inside != crosses
        })
    }

    /// Metres from the place to the polygon, 0 inside it.
    pub fn distance(&self, p: GroundPoint) -> f64 {
        if self.contains(p) {
            return 0.0;
        }
        self.edges()
            .map(|(a, b)| {
                let (dx, dy) = (b.east - a.east, b.north - a.north);
                let along = ((p.east - a.east) * dx + (p.north - a.north) * dy) / (dx * dx + dy * dy);
                let t = along.clamp(0.0, 1.0);
                p.distance(GroundPoint { east: a.east + t * dx, north: a.north + t * dy })
            })
            .fold(f64::INFINITY, f64::min)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn square(side: f64) -> GroundPolygon {
        let corners = [(0.0, 0.0), (side, 0.0), (side, side), (0.0, side), (0.0, 0.0)];
        GroundPolygon::new(corners.map(|(east, north)| GroundPoint { east, north }).to_vec()).unwrap()
    }

    #[test]
    fn a_degree_has_the_ellipsoids_length() {
        // Snyder 1987, table of lengths of a degree at 30° and 45°.
        for (latitude, east, north) in [(30.0, 96_486.2, 110_852.5), (45.0, 78_846.8, 111_131.8)] {
            let frame = LocalFrame::at(GeoPoint::new(latitude, 10.0).unwrap());
            assert!((frame.meters_per_degree.0 - east).abs() < 0.5, "{:?}", frame.meters_per_degree);
            assert!((frame.meters_per_degree.1 - north).abs() < 0.5, "{:?}", frame.meters_per_degree);
        }
    }

    #[test]
    fn a_plane_goes_over_the_date_line() {
        let frame = LocalFrame::at(GeoPoint::new(10.0, 179.9999).unwrap());
        let east = frame.local(GeoPoint::new(10.0, -179.9999).unwrap());
        assert!((east.east - 21.9).abs() < 0.1, "{east:?}");
        assert!((frame.geo(east).longitude + 179.9999).abs() < 1e-9);
    }

    #[test]
    fn what_is_no_place_is_refused() {
        assert!(GeoPoint::new(120.0, 30.0).is_err());
        assert!(GeoPoint::new(f64::NAN, 0.0).is_err());
        assert!(serde_json::from_str::<GeoPoint>(r#"{"latitude":91,"longitude":0}"#).is_err());
        assert_eq!(
            GroundPolygon::new(vec![GroundPoint::default(); 4]),
            Err(InvalidGroundPolygon::TooFewPoints(1))
        );
        let line = (0..3).map(|i| GroundPoint { east: f64::from(i), north: 0.0 }).collect();
        assert_eq!(GroundPolygon::new(line), Err(InvalidGroundPolygon::Empty));
    }

    #[test]
    fn a_polygon_measures_metres() {
        let square = square(10.0);
        assert_eq!((square.area(), square.corners().len()), (100.0, 4));
        assert_eq!(square.centroid(), GroundPoint { east: 5.0, north: 5.0 });
        assert_eq!(square.distance(GroundPoint { east: 13.0, north: 14.0 }), 5.0);
        assert_eq!(square.distance(GroundPoint { east: 5.0, north: 1.0 }), 0.0);
    }

    proptest! {
        #[test]
        fn a_place_comes_back(
            latitude in -80.0f64..80.0, longitude in -180.0f64..180.0, east in -3000.0f64..3000.0, north in -3000.0f64..3000.0
        ) {
            let frame = LocalFrame::at(GeoPoint::new(latitude, longitude).unwrap());
            let back = frame.local(frame.geo(GroundPoint { east, north }));
            prop_assert!((back.east - east).abs() < 1e-5 && (back.north - north).abs() < 1e-5);
        }
    }
}
