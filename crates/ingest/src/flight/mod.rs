//! A drone's flight as pictures with poses: a folder of stills, a video with its `.SRT`, an MPEG transport stream with
//! MISB ST 0601 metadata, or an orthophoto with its world file.
//!
//! Opening reads records and heads only, and checks them; pictures are decoded one at a time, and only those that are
//! asked for.

mod map;
mod options;
mod pictures;
mod stills;
mod video;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use parapet_core::{
    Language, Timestamp,
    geo::{GeoPoint, Lens, LocalFrame, Pose, View},
};

pub use map::{MapProjection, WorldFileProblem};
pub use options::{FlightOptions, Pick, SiteArea};
pub use pictures::{PictureError, Pictures};

use crate::{
    error::OpenError,
    telemetry::{Fix, TelemetryError, TelemetryReport},
};

/// A flight on disk.
#[derive(Debug)]
pub struct Flight {
    path: PathBuf,
    kind: FlightKind,
    shots: Vec<Shot>,
    skipped: Vec<Skipped>,
    report: TelemetryReport,
    source: Source,
}

/// How a flight was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlightKind {
    /// A folder of JPEGs.
    Stills,
    /// A video with subtitles beside it.
    SubtitledVideo,
    /// A transport stream with a metadata stream.
    TransportStream,
    /// One orthophoto.
    Orthophoto,
}

/// One picture of a flight, not decoded yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Shot {
    /// The file's name; for videos with the time in it.
    pub name: String,
    /// From the beginning of the flight.
    pub at: Duration,
    /// When, by the drone's clock as corrected by the options.
    pub captured_at: Option<Timestamp>,
    /// Width and height in pixels.
    pub size: (u32, u32),
    /// How the picture lies on the ground.
    pub sight: Sight,
}

/// How a picture lies on the ground.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sight {
    /// Through a lens; without a pose where the telemetry does not hold (see [`Flight::report`]).
    Camera {
        /// Where the camera was and looked.
        pose: Option<Pose>,
        /// Its lens.
        lens: Lens,
    },
    /// As a map.
    Map(MapProjection),
}

impl Shot {
    /// The pose, if it has one.
    pub fn pose(&self) -> Option<Pose> {
        match self.sight {
            Sight::Camera { pose, .. } => pose,
            Sight::Map(_) => None,
        }
    }

    /// The lens, if it was taken through one.
    pub fn lens(&self) -> Option<Lens> {
        match self.sight {
            Sight::Camera { lens, .. } => Some(lens),
            Sight::Map(_) => None,
        }
    }

    /// What its camera sees in a site's plane.
    pub fn view(&self, frame: &LocalFrame) -> Option<View> {
        Some(View::new(self.pose()?, self.lens()?, frame))
    }
}

/// A file that is no part of the flight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Its name.
    pub name: String,
    /// Why, with a hint.
    pub reason: String,
}

/// Why a flight cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FlightError {
    /// The path is not there or not readable.
    #[error("cannot read the flight {}: {source}; hint: check the path and its permissions", path.display())]
    Read {
        /// The path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// None of the kinds.
    #[error(
        "{} is no flight; hint: give a folder of JPEG stills, a video (.mp4, .mov) with its .SRT beside it, a transport stream (.ts) with KLV, or an orthophoto (.jpg, .png) with its world file (.jgw, .pgw)", path.display()
    )]
    UnknownKind {
        /// The path.
        path: PathBuf,
    },
    /// A video without its subtitles.
    #[error("{} has no telemetry beside it; hint: copy the .SRT of the same name from the drone's card, next to the video", path.display())]
    NoSubtitles {
        /// The video.
        path: PathBuf,
    },
    /// Subtitles without telemetry.
    #[error("cannot take telemetry from {}", path.display())]
    Telemetry {
        /// The record.
        path: PathBuf,
        /// Why.
        source: TelemetryError,
    },
    /// A transport stream without metadata.
    #[error("{} has no MISB ST 0601 metadata; hint: record the stream with its KLV (data) stream, `ffprobe` shows whether it is there", path.display())]
    NoMetadata {
        /// The stream.
        path: PathBuf,
    },
    /// The video cannot be read.
    #[error("cannot read the video of the flight")]
    Video(#[from] OpenError),
    /// Nothing tells the focal length.
    #[error("the focal length of {} is not in its telemetry; hint: give it in picture widths (35 mm equivalent / 36)", path.display())]
    UnknownLens {
        /// The flight.
        path: PathBuf,
    },
    /// An orthophoto that cannot be placed.
    #[error("cannot place the orthophoto {}: {source}", path.display())]
    WorldFile {
        /// The orthophoto.
        path: PathBuf,
        /// Why.
        source: WorldFileProblem,
    },
    /// The drone was elsewhere.
    #[error("the flight {} is over another place: {} from the site; hint: check which flight and which site belong together", path.display(), way(*.meters))]
    OtherPlace {
        /// The flight.
        path: PathBuf,
        /// From its nearest picture to the site.
        meters: f64,
    },
    /// No picture with a pose.
    #[error("no picture of the flight {} can be placed:\n{}\nhint: see each line", path.display(), why.join("\n"))]
    NothingUsable {
        /// The flight.
        path: PathBuf,
        /// A line for each file or stretch.
        why: Vec<String>,
    },
}

fn way(meters: f64) -> String {
    if meters < 1000.0 { format!("{meters:.0} m") } else { format!("{:.1} km", meters / 1000.0) }
}

/// Where the pixels are.
#[derive(Debug)]
enum Source {
    /// A file for each shot.
    Files(Vec<PathBuf>),
    /// A video with the times of its keyframes.
    Video { keyframes: Vec<Duration> },
}

/// What a reader of one kind made; `positions` are where the drone certainly was.
struct Opened {
    kind: FlightKind,
    shots: Vec<Shot>,
    skipped: Vec<Skipped>,
    report: TelemetryReport,
    source: Source,
    positions: Vec<GeoPoint>,
}

impl Flight {
    /// Opens a flight and checks it.
    ///
    /// # Errors
    /// See [`FlightError`]: the path is no flight, nothing in it can be placed, or it was flown elsewhere.
    pub fn open(path: &Path, options: &FlightOptions) -> Result<Self, FlightError> {
        let read = |source| FlightError::Read { path: path.to_owned(), source };
        let is_folder = std::fs::metadata(path).map_err(read)?.is_dir();
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
        let opened = match extension.as_str() {
            _ if is_folder => stills::open(path, options)?,
            "mp4" | "mov" | "m4v" | "mkv" | "avi" => video::open_subtitled(path, options)?,
            "ts" | "m2ts" | "mts" | "mpg" | "mpeg" => video::open_stream(path, options)?,
            "jpg" | "jpeg" | "png" => map::open(path)?,
            _ => return Err(FlightError::UnknownKind { path: path.to_owned() }),
        };
        let flight = Self {
            path: path.to_owned(),
            kind: opened.kind,
            shots: opened.shots,
            skipped: opened.skipped,
            report: opened.report,
            source: opened.source,
        };
        flight.check_place(&opened.positions, options)?;
        let is_placed = |shot: &Shot| shot.pose().is_some() || matches!(shot.sight, Sight::Map(_));
        if !flight.shots.iter().any(is_placed) {
            return Err(flight.nothing_usable());
        }
        Ok(flight)
    }

    /// How it was recorded.
    pub fn kind(&self) -> FlightKind {
        self.kind
    }

    /// Its pictures, in the order of time.
    pub fn shots(&self) -> &[Shot] {
        &self.shots
    }

    /// Files that were left out.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// What is wrong with its telemetry.
    pub fn report(&self) -> &TelemetryReport {
        &self.report
    }

    /// Decodes shots, by their index in [`Flight::shots`], one at a time and in the order of time.
    ///
    /// # Errors
    /// The video cannot be opened. A picture that cannot be decoded is an error of its own, and the others come.
    pub fn pictures(&self, wanted: &[usize]) -> Result<Pictures, FlightError> {
        let mut wanted: Vec<usize> = wanted.iter().copied().filter(|i| *i < self.shots.len()).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let named = |i: usize| (i, self.shots[i].name.clone());
        Ok(match &self.source {
            Source::Files(files) => {
                Pictures::of_files(wanted.into_iter().map(|i| (named(i), files[i].clone())).collect())
            }
            Source::Video { keyframes } => {
                let wanted = wanted.into_iter().map(|i| (named(i), self.shots[i].at)).collect();
                Pictures::of_video(&self.path, keyframes, wanted)?
            }
        })
    }

    fn check_place(&self, positions: &[GeoPoint], options: &FlightOptions) -> Result<(), FlightError> {
        let Some(site) = &options.site else { return Ok(()) };
        let nearest = positions.iter().map(|p| site.distance(*p)).fold(f64::INFINITY, f64::min);
        if nearest.is_finite() && nearest > site.margin_meters {
            return Err(FlightError::OtherPlace { path: self.path.clone(), meters: nearest });
        }
        Ok(())
    }

    fn nothing_usable(&self) -> FlightError {
        let files = self.skipped.iter().map(|s| format!("{}: {}", s.name, s.reason));
        let stretches = self.report.problems.iter().map(|p| p.text(Language::En));
        let mut why: Vec<String> = files.chain(stretches).collect();
        if why.is_empty() {
            why.push("there are no pictures in it".to_owned());
        }
        FlightError::NothingUsable { path: self.path.clone(), why }
    }
}

/// The time of a shot by the drone's clock.
fn captured_at(fix: Option<&Fix>, options: &FlightOptions) -> Option<Timestamp> {
    fix?.recorded_at?.checked_add(options.clock_correction).ok()
}
