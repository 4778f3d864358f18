//! Where a case is, as a drawing on the order: the site's own plan with a mark, north up, to scale.

use std::fmt::Write as _;

use parapet_core::{
    CameraId, Language,
    geo::{GroundPoint, GroundPolygon, Place},
    site::{Name, Site, SiteCamera},
};

/// A site that is no larger is shown whole, metres; of a larger one this much around the mark.
const WINDOW_METERS: f64 = 220.0;
/// Around the whole of a site, metres.
const MARGIN_METERS: f64 = 8.0;
/// The mark is no smaller, metres.
const LEAST_MARK_METERS: f64 = 2.5;

/// What is marked.
enum Mark<'a> {
    /// A place, with its uncertainty at 95 %, metres.
    Place(GroundPoint, f64),
    /// Of what has no place the camera that saw it.
    Camera(&'a SiteCamera),
}

/// An SVG picture of the place of a thing, or of the camera that saw it; `None` where the plan knows neither.
pub(crate) fn drawing(
    site: &Site,
    place: Option<&Place>,
    camera: Option<&CameraId>,
    language: Language,
) -> Option<String> {
    let of_place = place.map(|place| {
        let uncertainty = 2.0 * f64::from(place.position.uncertainty_meters);
        Mark::Place(site.frame.local(place.position.point), uncertainty.max(LEAST_MARK_METERS))
    });
    let of_camera = || site.cameras.iter().find(|known| Some(&known.id) == camera).map(Mark::Camera);
    let mark = of_place.or_else(of_camera)?;
    let middle = match &mark {
        Mark::Place(at, _) => *at,
        Mark::Camera(camera) => camera.place,
    };
    let sheet = Sheet::around(site, middle);
    let (width, height) = (sheet.east - sheet.west, sheet.north - sheet.south);
    let label = |outline: &GroundPolygon, name: &Name, id: &str| {
        let (x, y) = sheet.point(outline.centroid());
        maud::html! {
            text x=(x) y=(y) font-size=(units(4.0)) text-anchor="middle" fill="#333" { (name.or_id(language, id)) }
        }
    };
    let ten = if width > 120.0 { 50.0 } else { 20.0 };
    let (left, bottom) = (units(3.0), units(height - 3.0));
    let north = units(width - 6.0);
    let svg = maud::html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox=(format!("0 0 {:.1} {:.1}", units(width), units(height)))
            font-family="Noto Sans CJK SC, Noto Sans SC, sans-serif" {
            rect width="100%" height="100%" fill="#fafaf7" {}
            path d=(sheet.path(&site.outline)) fill="#f1f0ea" stroke="#8a8a80" stroke-width=(units(0.6)) {}
            @for zone in &site.zones {
                path d=(sheet.path(&zone.outline)) fill="#dfe7ef" stroke="#9db2c7" stroke-width=(units(0.3)) {}
            }
            @for building in &site.buildings {
                path d=(sheet.path(&building.footprint)) fill="#d9d4c9" stroke="#6f6a60" stroke-width=(units(0.5)) {}
            }
            @match &mark {
                Mark::Place(at, radius) => {
                    @let (x, y) = sheet.point(*at);
                    circle cx=(x) cy=(y) r=(units(*radius)) fill="#d62828" fill-opacity="0.25" stroke="#d62828"
                        stroke-width=(units(0.7)) {}
                    circle cx=(x) cy=(y) r=(units(0.9)) fill="#d62828" {}
                }
                Mark::Camera(camera) => {
                    @if let Some(sight) = &camera.sight {
                        path d=(sheet.wedge(camera.place, sight.bearing_degrees, sight.view_degrees, sight.reach_meters))
                            fill="#d62828" fill-opacity="0.18" stroke="#d62828" stroke-width=(units(0.4)) {}
                    }
                    @let (x, y) = sheet.point(camera.place);
                    circle cx=(x) cy=(y) r=(units(1.6)) fill="#d62828" {}
                }
            }
            @for building in &site.buildings { (label(&building.footprint, &building.name, building.id.as_str())) }
            path d=(format!("M {left} {bottom} h {}", units(ten))) stroke="#222" stroke-width=(units(0.8)) fill="none" {}
            text x=(left) y=(units(height - 5.0)) font-size=(units(4.0)) fill="#222" { (ten) " m" }
            path d=(format!("M {north} {} l {a} {b} l -{a} -{c} l -{a} {c} z", units(3.0), a = units(2.0), b = units(7.0), c = units(1.5)))
                fill="#222" {}
            text x=(north) y=(units(14.5)) font-size=(units(4.0)) text-anchor="middle" fill="#222" {
                (if language == Language::ZhCn { "北" } else { "N" })
            }
        }
    };
    Some(svg.into_string())
}

/// A length in units of the picture, of which a metre has ten.
fn units(meters: f64) -> f64 {
    (meters * 100.0).round() / 10.0
}

/// The part of the ground that is drawn, metres in the site's plane.
struct Sheet {
    west: f64,
    south: f64,
    east: f64,
    north: f64,
}

impl Sheet {
    fn around(site: &Site, middle: GroundPoint) -> Self {
        let (low, high) = site.outline.bounds();
        let span = |low: f64, high: f64, at: f64| {
            // What lies beyond the site is drawn, too.
            let (low, high) = (low.min(at) - MARGIN_METERS, high.max(at) + MARGIN_METERS);
            if high - low <= WINDOW_METERS {
                return (low, high);
            }
            let from = (at - WINDOW_METERS / 2.0).clamp(low, high - WINDOW_METERS);
            (from, from + WINDOW_METERS)
        };
        let ((west, east), (south, north)) =
            (span(low.east, high.east, middle.east), span(low.north, high.north, middle.north));
        Self { west, south, east, north }
    }

    fn point(&self, at: GroundPoint) -> (f64, f64) {
        (units(at.east - self.west), units(self.north - at.north))
    }

    fn path(&self, outline: &GroundPolygon) -> String {
        let mut path = String::new();
        for (n, corner) in outline.corners().iter().enumerate() {
            let (x, y) = self.point(*corner);
            let _ = write!(path, "{} {x} {y} ", if n == 0 { 'M' } else { 'L' });
        }
        path + "Z"
    }

    /// What a camera sees.
    fn wedge(&self, at: GroundPoint, bearing: f64, view: f64, reach: f64) -> String {
        let rim = |degrees: f64| {
            let (sin, cos) = degrees.to_radians().sin_cos();
            self.point(GroundPoint { east: at.east + reach * sin, north: at.north + reach * cos })
        };
        let (x, y) = self.point(at);
        let mut path = format!("M {x} {y} ");
        for step in 0..=12 {
            let (x, y) = rim(bearing - view / 2.0 + view * f64::from(step) / 12.0);
            let _ = write!(path, "L {x} {y} ");
        }
        path + "Z"
    }
}

#[cfg(test)]
mod tests {
    use parapet_core::geo::{GeoPoint, Position};

    use super::*;

    fn site() -> Site {
        Site::from_geojson(include_str!("../../../../fixtures/compound/small/willow-court/site.geojson"))
            .unwrap()
    }

    #[test]
    fn the_mark_is_where_the_thing_is_and_names_are_no_markup() {
        let mut site = site();
        site.buildings[0].name = Name { zh: Some("<3> 号楼".to_owned()), en: None };
        let middle = site.buildings[0].footprint.centroid();
        let place = Place {
            position: Position { point: site.frame.geo(middle), uncertainty_meters: 2.0 },
            building: None,
            area_square_meters: None,
        };
        let svg = drawing(&site, Some(&place), None, Language::ZhCn).unwrap();
        let sheet = Sheet::around(&site, middle);
        let (x, y) = sheet.point(middle);
        assert!(svg.contains(&format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"40\"")), "{svg}");
        assert!(svg.contains("&lt;3&gt; 号楼") && svg.contains(">北<"), "{svg}");
        assert_eq!(svg.matches("<path").count(), 1 + site.zones.len() + site.buildings.len() + 2);
        roxmltree::Document::parse(&svg).unwrap();
    }

    #[test]
    fn what_has_no_place_is_shown_by_its_camera_or_not_at_all() {
        let site = site();
        assert!(drawing(&site, None, Some(&"nowhere".parse().unwrap()), Language::En).is_none());
        if let Some(camera) = site.cameras.first() {
            assert!(drawing(&site, None, Some(&camera.id), Language::En).is_some());
        }
    }

    #[test]
    fn of_a_large_site_a_part_is_drawn() {
        let mut site = site();
        let corner = |east, north| GroundPoint { east, north };
        site.outline =
            GroundPolygon::new(vec![corner(0.0, 0.0), corner(900.0, 0.0), corner(900.0, 90.0)]).unwrap();
        let sheet = Sheet::around(&site, corner(880.0, 40.0));
        assert!((sheet.east - sheet.west - WINDOW_METERS).abs() < 1e-9 && (sheet.east - 908.0).abs() < 1e-9);
        assert!((sheet.north - 98.0).abs() < 1e-9);
        let far = GeoPoint::new(0.0, 0.0).unwrap();
        assert!(Sheet::around(&site, site.frame.local(far)).east.is_finite());
    }
}
