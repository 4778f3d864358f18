//! What has to be known about a flight that its files do not tell.

use std::time::Duration;

use jiff::{SignedDuration, tz::TimeZone};
use parapet_core::{
    geo::{GeoPoint, GroundPolygon, LocalFrame},
    site::Site,
};

use crate::telemetry::TrackOptions;

/// Options of opening a flight.
#[derive(Debug, Clone)]
pub struct FlightOptions {
    /// Altitude of the site's ground, metres above the zero of the drone's altitudes: needed where the telemetry has
    /// no heights above the take-off place.
    pub ground_altitude: Option<f64>,
    /// The take-off place above the site's ground, metres; 0 where the drone starts from the ground.
    pub take_off_height: f64,
    /// Where the telemetry has no angles of the camera (Mini and Air drones write none): it looks where the drone flies,
    /// this far up in degrees; −90 is straight down. The report says so.
    pub assumed_pitch: Option<f64>,
    /// Focal length in picture widths, in place of what the files say.
    pub focal: Option<f64>,
    /// Zone of times of day that are written without one.
    pub time_zone: TimeZone,
    /// Added to the drone's times: how late its clock is.
    pub clock_correction: SignedDuration,
    /// Longest time between samples over which poses are interpolated.
    pub max_gap: Duration,
    /// Where the flight should be.
    pub site: Option<SiteArea>,
    /// Which pictures of a video.
    pub pick: Pick,
}

impl Default for FlightOptions {
    fn default() -> Self {
        Self {
            ground_altitude: None,
            take_off_height: 0.0,
            assumed_pitch: None,
            focal: None,
            time_zone: TimeZone::UTC,
            clock_correction: SignedDuration::ZERO,
            max_gap: TrackOptions::default().max_gap,
            site: None,
            pick: Pick::default(),
        }
    }
}

impl FlightOptions {
    pub(super) fn track(&self) -> TrackOptions {
        TrackOptions {
            ground_altitude: self.ground_altitude,
            take_off_height: self.take_off_height,
            assumed_pitch: self.assumed_pitch,
            max_gap: self.max_gap,
            time_resolution: Duration::ZERO,
        }
    }
}

/// Which pictures of a video are shots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    /// The first in each slot of a grid of this time.
    Every(Duration),
    /// Every so many.
    EveryNth(usize),
    /// Those that decode without others: the cheapest, one or two a second in most drones' videos.
    Keyframes,
}

impl Default for Pick {
    /// One a second: at 8 m/s and 60 m height neighbours still show four fifths of the same ground.
    fn default() -> Self {
        Self::Every(Duration::from_secs(1))
    }
}

/// Where a flight should be.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteArea {
    /// Outline in the plane of `frame`.
    pub outline: GroundPolygon,
    /// The plane.
    pub frame: LocalFrame,
    /// The drone may be this far outside, metres.
    pub margin_meters: f64,
}

impl SiteArea {
    /// The area of a site, and 200 m around it: from there a tilted camera still sees it.
    pub fn of(site: &Site) -> Self {
        Self { outline: site.outline.clone(), frame: site.frame, margin_meters: 200.0 }
    }

    /// Metres from a place to the outline, 0 inside.
    pub fn distance(&self, place: GeoPoint) -> f64 {
        self.outline.distance(self.frame.local(place))
    }
}
