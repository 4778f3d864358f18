//! A flight as the comparison sees it: pictures with their place on the earth, loaded only when they are wanted.

use parapet_core::{
    Picture, Point, Timestamp,
    geo::{GeoPoint, GroundPoint, Lens, LocalFrame, Pose, PoseError, View},
    site::Site,
};

/// One picture of a flight, without its pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct SurveyPicture {
    /// Its name in reports: a file's name, or a video's with the time in it.
    pub name: String,
    /// When it was taken, if known.
    pub captured_at: Option<Timestamp>,
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// Where it lies on the earth.
    pub georeference: Georeference,
}

/// Where a picture's pixels lie on the earth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Georeference {
    /// Taken by a camera in the air.
    Camera {
        /// Where it was and looked.
        pose: Pose,
        /// Its lens.
        lens: Lens,
        /// Standard deviations of the pose.
        error: PoseError,
    },
    /// An orthophoto: rows to the south, columns to the east.
    Raster(Raster),
}

/// An orthophoto's place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Raster {
    /// Upper left corner.
    pub corner: GeoPoint,
    /// Degrees of longitude from the left to the right edge.
    pub width_degrees: f64,
    /// Degrees of latitude from the upper to the lower edge.
    pub height_degrees: f64,
    /// Standard deviation of a place in it, metres.
    pub uncertainty_meters: f64,
}

/// Why a flight's pictures cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot read picture \"{picture}\" of flight \"{flight}\"")]
pub struct FlightError {
    /// The flight.
    pub flight: String,
    /// The picture.
    pub picture: String,
    /// What the reader said.
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// A flight over a site.
pub trait Flight {
    /// Its name in reports.
    fn name(&self) -> &str;

    /// Its pictures in the order in which they were taken; none when the flight has no usable telemetry.
    fn pictures(&self) -> &[SurveyPicture];

    /// Loads the pictures of these indices (ascending, each once) and hands each to `each`, in order, one at a time: so
    /// a video is decoded once, and one picture is in memory.
    ///
    /// # Errors
    /// When a picture cannot be read.
    fn visit(&mut self, wanted: &[usize], each: &mut dyn FnMut(usize, &Picture)) -> Result<(), FlightError>;
}

/// A picture's place in a site's plane.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Projection {
    Camera(View, PoseError),
    Raster { corner: GroundPoint, width: f64, height: f64, uncertainty: f64 },
}

impl Projection {
    pub(crate) fn new(georeference: &Georeference, frame: &LocalFrame) -> Self {
        match georeference {
            Georeference::Camera { pose, lens, error } => {
                Self::Camera(View::new(*pose, *lens, frame), *error)
            }
            Georeference::Raster(r) => {
                let corner = frame.local(r.corner);
                let opposite = GeoPoint {
                    latitude: r.corner.latitude - r.height_degrees,
                    longitude: r.corner.longitude + r.width_degrees,
                };
                let opposite = frame.local(opposite);
                Self::Raster {
                    corner,
                    width: opposite.east - corner.east,
                    height: corner.north - opposite.north,
                    uncertainty: r.uncertainty_meters,
                }
            }
        }
    }

    /// Where a place appears, normalized, in or out of the frame.
    pub(crate) fn project(&self, place: GroundPoint, up: f64) -> Option<Point> {
        match self {
            Self::Camera(view, _) => view.project(place, up),
            Self::Raster { corner, width, height, .. } => Some(Point::new(
                ((place.east - corner.east) / width) as f32,
                ((corner.north - place.north) / height) as f32,
            )),
        }
    }

    /// The place at `up` metres above the ground that appears at a point of the frame.
    pub(crate) fn ground(&self, p: Point, up: f64) -> Option<GroundPoint> {
        match self {
            Self::Camera(view, _) => view.ground(p, up),
            Self::Raster { corner, width, height, .. } => Some(GroundPoint {
                east: corner.east + f64::from(p.x) * width,
                north: corner.north - f64::from(p.y) * height,
            }),
        }
    }

    /// Metres for one picture width around a place.
    pub(crate) fn meters_per_width(&self, place: GroundPoint, up: f64) -> Option<f64> {
        match self {
            Self::Camera(view, _) => view.meters_per_width(view.project(place, up)?, up),
            Self::Raster { width, .. } => Some(*width),
        }
    }

    /// From a place towards the eye, of unit length: east, north, up.
    pub(crate) fn towards_eye(&self, place: GroundPoint, up: f64) -> [f64; 3] {
        match self {
            Self::Camera(view, _) => {
                let d =
                    [view.foot().east - place.east, view.foot().north - place.north, view.pose().height - up];
                let length = (d[0] * d[0] + d[1] * d[1] + d[2] * d[2]).sqrt().max(1e-9);
                d.map(|v| v / length)
            }
            Self::Raster { .. } => [0.0, 0.0, 1.0],
        }
    }

    /// Standard deviation of a place that is read from the picture, metres.
    pub(crate) fn uncertainty(&self, place: GroundPoint, up: f64) -> Option<f64> {
        match self {
            Self::Camera(view, error) => view.ground_error(view.project(place, up)?, up, error),
            Self::Raster { uncertainty, .. } => Some(*uncertainty),
        }
    }

    /// Metres from the site to the place that it looks at, or 0 when it sees the site's middle.
    pub(crate) fn distance(&self, site: &Site) -> f64 {
        let middle = Point::new(0.5, 0.5);
        match self {
            Self::Camera(view, _) => {
                let seen = view.ground(middle, 0.0).unwrap_or(view.foot());
                site.outline.distance(seen).min(site.outline.distance(view.foot()))
            }
            Self::Raster { corner, width, height, .. } => site.outline.distance(GroundPoint {
                east: corner.east + width / 2.0,
                north: corner.north - height / 2.0,
            }),
        }
    }
}
