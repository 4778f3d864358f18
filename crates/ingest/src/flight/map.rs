//! Orthophotos with a world file in degrees (EPSG:4326).

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use parapet_core::{
    Point,
    geo::{GeoPoint, LocalFrame},
};

use super::{FlightError, FlightKind, Opened, Shot, Sight, Source};
use crate::telemetry::TelemetryReport;

/// From a map's picture to the earth and back: an affine map in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MapProjection {
    /// Longitude at the picture's upper left corner, and its change over the width and over the height.
    longitude: [f64; 3],
    /// The same of the latitude.
    latitude: [f64; 3],
}

/// Why an orthophoto cannot be placed.
#[derive(Debug, thiserror::Error)]
pub enum WorldFileProblem {
    /// It is not there.
    #[error("there is no world file {}; hint: export it with the orthophoto, in EPSG:4326", .0.display())]
    Missing(PathBuf),
    /// It is not six numbers.
    #[error("{} has not six numbers, one a line; hint: export it again", .0.display())]
    NotSixNumbers(PathBuf),
    /// Its numbers are no degrees.
    #[error("{} does not count in degrees; hint: gdalwarp -t_srs EPSG:4326 makes an orthophoto in degrees", .0.display())]
    NotDegrees(PathBuf),
    /// The picture's size cannot be read.
    #[error("the picture cannot be read ({0}); hint: open it in a viewer to see what it is")]
    Picture(String),
}

impl MapProjection {
    /// The map of a picture of this size, by the six lines of a world file: change of x and y a column, change of x
    /// and y a row, x and y of the middle of the upper left pixel.
    fn new(lines: [f64; 6], size: (u32, u32)) -> Option<Self> {
        let [x_by_column, y_by_column, x_by_row, y_by_row, x, y] = lines;
        let (width, height) = (f64::from(size.0), f64::from(size.1));
        let line = |start: f64, by_column: f64, by_row: f64| {
            [start - f64::midpoint(by_column, by_row), by_column * width, by_row * height]
        };
        let map =
            Self { longitude: line(x, x_by_column, x_by_row), latitude: line(y, y_by_column, y_by_row) };
        let corners = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)];
        let on_earth = corners.iter().all(|(x, y)| map.at(*x, *y).is_some());
        // A degree is 111 km: no orthophoto of a site is as wide.
        let spans = [map.longitude[1], map.longitude[2], map.latitude[1], map.latitude[2]];
        (on_earth && spans.iter().all(|s| s.abs() < 1.0) && map.determinant().abs() > 1e-16).then_some(map)
    }

    fn at(&self, x: f64, y: f64) -> Option<GeoPoint> {
        let value = |[start, by_x, by_y]: [f64; 3]| start + by_x * x + by_y * y;
        GeoPoint::new(value(self.latitude), value(self.longitude)).ok()
    }

    fn determinant(&self) -> f64 {
        self.longitude[1] * self.latitude[2] - self.longitude[2] * self.latitude[1]
    }

    /// The place at a point of the picture, normalized; `None` off the earth.
    pub fn place(&self, p: Point) -> Option<GeoPoint> {
        self.at(f64::from(p.x), f64::from(p.y))
    }

    /// Where a place is on the picture, normalized, in or out of it.
    pub fn point(&self, place: GeoPoint) -> Point {
        let (x, y) = (place.longitude - self.longitude[0], place.latitude - self.latitude[0]);
        let [[_, a, b], [_, c, d]] = [self.longitude, self.latitude];
        let determinant = self.determinant();
        Point::new(((x * d - y * b) / determinant) as f32, ((y * a - x * c) / determinant) as f32)
    }

    /// Metres on the ground for the picture's width.
    pub fn meters_per_width(&self) -> f64 {
        let left = GeoPoint { latitude: self.latitude[0], longitude: self.longitude[0] };
        let right = GeoPoint {
            latitude: left.latitude + self.latitude[1],
            longitude: left.longitude + self.longitude[1],
        };
        LocalFrame::at(left).local(right).distance(parapet_core::geo::GroundPoint::default())
    }
}

pub(super) fn open(path: &Path) -> Result<Opened, FlightError> {
    let failed = |source| FlightError::WorldFile { path: path.to_owned(), source };
    let world = world_file(path).map_err(failed)?;
    let read = |source| FlightError::Read { path: world.clone(), source };
    let text = fs::read_to_string(&world).map_err(read)?;
    let numbers: Vec<f64> = text.split_whitespace().map_while(|line| line.parse().ok()).collect();
    let lines: [f64; 6] =
        numbers.try_into().map_err(|_| failed(WorldFileProblem::NotSixNumbers(world.clone())))?;
    let size = image::ImageReader::open(path)
        .and_then(image::ImageReader::with_guessed_format)
        .map_err(|e| e.to_string())
        .and_then(|reader| reader.into_dimensions().map_err(|e| e.to_string()))
        .map_err(|e| failed(WorldFileProblem::Picture(e)))?;
    let map =
        MapProjection::new(lines, size).ok_or_else(|| failed(WorldFileProblem::NotDegrees(world.clone())))?;
    let grid = (0..=4).flat_map(|x| (0..=4).map(move |y| (f64::from(x) / 4.0, f64::from(y) / 4.0)));
    let shot = Shot {
        name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        at: Duration::ZERO,
        captured_at: None,
        size,
        sight: Sight::Map(map),
    };
    Ok(Opened {
        kind: FlightKind::Orthophoto,
        shots: vec![shot],
        skipped: Vec::new(),
        report: TelemetryReport::default(),
        source: Source::Files(vec![path.to_owned()]),
        positions: grid.filter_map(|(x, y)| map.at(x, y)).collect(),
    })
}

/// The world file of a picture: first and last letter of its extension and a `w`, or `.wld`.
fn world_file(path: &Path) -> Result<PathBuf, WorldFileProblem> {
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    let usual = if extension == "png" { "pgw" } else { "jgw" };
    [usual, &usual.to_uppercase(), &format!("{extension}w"), "wld"]
        .iter()
        .map(|e| path.with_extension(e))
        .find(|p| p.is_file())
        .ok_or_else(|| WorldFileProblem::Missing(path.with_extension(usual)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_goes_there_and_back() {
        // 1000 × 500 pixels, turned a little.
        let map = MapProjection::new([2e-7, 1e-8, 1e-8, -1.8e-7, 120.68, 30.53], (1000, 500)).unwrap();
        let place = map.place(Point::new(0.25, 0.75)).unwrap();
        let back = map.point(place);
        assert!((back.x - 0.25).abs() < 1e-5 && (back.y - 0.75).abs() < 1e-5, "{back:?}");
        // The world file names the middle of the first pixel.
        let first = map.place(Point::new(0.5 / 1000.0, 0.5 / 500.0)).unwrap();
        assert!((first.longitude - 120.68).abs() < 1e-9 && (first.latitude - 30.53).abs() < 1e-9);
        assert!((map.meters_per_width() - 19.2).abs() < 0.1, "{}", map.meters_per_width());
    }

    #[test]
    fn metres_are_no_degrees() {
        assert_eq!(MapProjection::new([0.05, 0.0, 0.0, -0.05, 277_500.0, 3_379_000.0], (1000, 500)), None);
        assert_eq!(MapProjection::new([0.0; 6], (1000, 500)), None);
    }
}
