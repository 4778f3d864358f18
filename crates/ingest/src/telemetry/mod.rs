//! Where a drone was and looked, as its own records tell it: DJI subtitles, EXIF and XMP of stills, MISB ST 0601.
//!
//! A reader gives [`Sample`]s as they were written; [`PoseTrack`] checks them and makes poses of what holds. What does
//! not hold is in the [`TelemetryReport`], and has no pose.

mod attitude;
pub mod dji_srt;
pub mod klv;
mod lens;
mod live;
mod report;
pub mod still;
mod track;
pub(crate) mod transport;

pub use live::LiveTelemetry;
pub use report::{TelemetryProblem, TelemetryReport, Trouble};
pub use track::{Fix, PoseTrack, TrackOptions, check};

use std::time::Duration;

use parapet_core::{
    Timestamp,
    geo::{Attitude, GeoPoint},
};

/// What was written about one instant. What was not written is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sample {
    /// From the beginning of the recording.
    pub at: Duration,
    /// By the drone's clock.
    pub recorded_at: Option<Timestamp>,
    /// Under or over this place; `None` also where what is written is no place on the earth.
    pub position: Option<GeoPoint>,
    /// Metres above the place of take-off.
    pub height: Option<f64>,
    /// Metres above the sea or the ellipsoid, whichever the drone counts from.
    pub altitude: Option<f64>,
    /// Where the camera looks.
    pub attitude: Option<Attitude>,
    /// Focal length in picture widths.
    pub focal: Option<f64>,
}

/// What a reader found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reading {
    /// In the order of the record.
    pub samples: Vec<Sample>,
    /// When there were entries that cannot be read at all: packets with a wrong checksum.
    pub unreadable: Vec<Duration>,
    /// How coarse written positions are, metres, where that is 1 m or more.
    pub resolution: Option<f64>,
}

/// Why a record gives no telemetry at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TelemetryError {
    /// Subtitles, but not a drone's.
    #[error(
        "no cue of the subtitles has a position; hint: switch on \"video subtitles\" (视频字幕) in the drone's app, and take the .SRT of this very video"
    )]
    NoPositions,
    /// No subtitles at all.
    #[error("there are no subtitles in it; hint: an .SRT has lines like 00:00:01,000 --> 00:00:01,033")]
    NoCues,
}
