//! A flight on disk, as `ingest` reads it, as a [`Flight`] of the comparison.

use std::path::{Path, PathBuf};

use parapet_core::{
    Picture, Point,
    geo::{GeoPoint, PoseError},
};
use parapet_ingest::flight::{self, FlightOptions, MapProjection, Shot, Sight};

use crate::flight::{Flight, FlightError, Georeference, Raster, SurveyPicture};

/// Why a recorded flight cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordedError {
    /// `ingest` cannot read it.
    #[error(transparent)]
    Flight(#[from] flight::FlightError),
    /// An orthophoto that is not north up.
    #[error("the orthophoto \"{}\" is turned; hint: export it with north up, in EPSG:4326", path.display())]
    Turned {
        /// The flight.
        path: PathBuf,
    },
}

/// A flight on disk with its placed pictures.
#[derive(Debug)]
pub struct Recorded {
    flight: flight::Flight,
    name: String,
    pictures: Vec<SurveyPicture>,
    /// For each of these the index of its shot.
    shots: Vec<usize>,
}

impl Recorded {
    /// Opens a flight. `error` is what its telemetry may be wrong by; an orthophoto's place is taken to be as sure as
    /// a drone's.
    ///
    /// # Errors
    /// See [`RecordedError`].
    pub fn open(path: &Path, options: &FlightOptions, error: PoseError) -> Result<Self, RecordedError> {
        let flight = flight::Flight::open(path, options)?;
        let (mut pictures, mut shots) = (Vec::new(), Vec::new());
        for (index, shot) in flight.shots().iter().enumerate() {
            let Some(georeference) = georeference(shot, error, path)? else { continue };
            pictures.push(SurveyPicture {
                name: shot.name.clone(),
                captured_at: shot.captured_at,
                width: shot.size.0 as usize,
                height: shot.size.1 as usize,
                georeference,
            });
            shots.push(index);
        }
        let name =
            path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned());
        Ok(Self { flight, name, pictures, shots })
    }

    /// The flight as `ingest` reads it: what is wrong with its telemetry, and what was left out.
    pub fn flight(&self) -> &flight::Flight {
        &self.flight
    }

    /// Another name in reports than its file's.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }
}

/// Where a shot lies; `None` without a pose.
fn georeference(shot: &Shot, error: PoseError, path: &Path) -> Result<Option<Georeference>, RecordedError> {
    match shot.sight {
        Sight::Camera { pose, lens } => Ok(pose.map(|pose| Georeference::Camera { pose, lens, error })),
        Sight::Map(map) => {
            let raster = raster(&map, error.horizontal_meters);
            let raster = raster.ok_or_else(|| RecordedError::Turned { path: path.to_owned() })?;
            Ok(Some(Georeference::Raster(raster)))
        }
    }
}

fn raster(map: &MapProjection, uncertainty_meters: f64) -> Option<Raster> {
    let at = |x, y| map.place(Point::new(x, y));
    let (corner, right, below): (GeoPoint, GeoPoint, GeoPoint) =
        (at(0.0, 0.0)?, at(1.0, 0.0)?, at(0.0, 1.0)?);
    let (width, height) = (right.longitude - corner.longitude, corner.latitude - below.latitude);
    let straight = (right.latitude - corner.latitude).abs() < 1e-3 * height.abs()
        && (below.longitude - corner.longitude).abs() < 1e-3 * width.abs();
    (straight && width > 0.0 && height > 0.0).then_some(Raster {
        corner,
        width_degrees: width,
        height_degrees: height,
        uncertainty_meters,
    })
}

impl Flight for Recorded {
    fn name(&self) -> &str {
        &self.name
    }

    fn pictures(&self) -> &[SurveyPicture] {
        &self.pictures
    }

    /// A picture that cannot be decoded is left out, with a warning: one bad file does not cost the flight.
    fn visit(&mut self, wanted: &[usize], each: &mut dyn FnMut(usize, &Picture)) -> Result<(), FlightError> {
        let shots: Vec<usize> = wanted.iter().map(|i| self.shots[*i]).collect();
        let failed = |picture: &str, source| FlightError {
            flight: self.name.clone(),
            picture: picture.to_owned(),
            source,
        };
        let decoded = self.flight.pictures(&shots).map_err(|e| failed("first", Box::new(e)))?;
        for picture in decoded {
            match picture {
                Ok((shot, picture)) => {
                    if let Some(index) = self.shots.iter().position(|s| *s == shot) {
                        each(index, &picture);
                    }
                }
                Err(error) => tracing::warn!(flight = self.name, %error, "picture is left out"),
            }
        }
        Ok(())
    }
}
