//! The specification of a scenario, as written in TOML. Coordinates are pixels of the source picture.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use parapet_core::{IncidentKind, Label};
use serde::{Deserialize, Serialize};

/// Why a scenario cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The specification cannot be read.
    #[error("cannot read scenario {path}; hint: check the path")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The specification is not one.
    #[error("scenario {path} is not valid: {message}")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        message: String,
    },
    /// A picture that it names cannot be used.
    #[error("cannot use picture {path}; hint: `make setup` fetches the pictures that the demo needs")]
    Picture {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        #[source]
        source: image::ImageError,
    },
    /// The clip cannot be written.
    #[error("cannot write scenario clip {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A scenario.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioSpec {
    /// What happens, in a sentence.
    pub title: String,
    /// Frames a second.
    pub frames_per_second: u32,
    /// Length.
    pub duration_seconds: f64,
    /// Seed of the noise.
    #[serde(default)]
    pub seed: u64,
    /// What is behind everything.
    pub background: BackgroundSpec,
    /// What comes and goes, drawn in the order of their names.
    #[serde(default)]
    pub things: BTreeMap<String, ThingSpec>,
    /// How the camera sees it.
    #[serde(default)]
    pub camera: CameraSpec,
    /// What a person would call a violation in it.
    #[serde(default)]
    pub incidents: Vec<IncidentTruth>,
}

/// A still picture, cleaned of what should not be in it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackgroundSpec {
    /// Path below the pictures directory.
    pub picture: PathBuf,
    /// Patches, applied in order, each to the result of those before.
    #[serde(default)]
    pub clone: Vec<CloneSpec>,
}

/// Fills an outline with what lies some way off in the same picture.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloneSpec {
    /// `[x_min, y_min, x_max, y_max]` of what is filled.
    pub rectangle: [f32; 4],
    /// Where the filling comes from, as an offset.
    pub from: [f32; 2],
    /// Width of the soft edge.
    #[serde(default = "default_feather")]
    pub feather_pixels: f32,
}

/// Something that comes and goes.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThingSpec {
    /// What it is, in the truth; a thing without a label is scenery and has no truth.
    pub label: Option<Label>,
    /// Cut out of a picture.
    pub cutout: Option<CutoutSpec>,
    /// Drawn as flat faces, back to front.
    #[serde(default)]
    pub faces: Vec<FaceSpec>,
    /// Brightness against the source picture, so that a thing cut out in the sun fits a dull street.
    #[serde(default = "one")]
    pub gain: f32,
    /// Darkness of the soft shadow under it, 0 (none) to 1.
    #[serde(default)]
    pub shadow: f32,
    /// Where it is over time; it is there from the first key until the last.
    pub keys: Vec<KeySpec>,
}

/// A cut-out of a picture.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CutoutSpec {
    /// Path below the pictures directory.
    pub picture: PathBuf,
    /// Outline of the thing.
    pub outline: Vec<[f32; 2]>,
    /// Parts of the outline that are something else (what stands in front of it).
    #[serde(default)]
    pub without: Vec<Vec<[f32; 2]>>,
    /// Width of the soft edge.
    #[serde(default = "default_feather")]
    pub feather_pixels: f32,
}

/// A flat face of a rendered thing.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaceSpec {
    /// Outline.
    pub outline: Vec<[f32; 2]>,
    /// RGB.
    pub color: [u8; 3],
    /// Distance between upright ribs, as of corrugated sheet; none without it.
    pub rib_pixels: Option<f32>,
}

/// Where a thing is at an instant; in between it moves evenly.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySpec {
    /// When.
    pub at_seconds: f64,
    /// How far from its place in the source picture.
    #[serde(default)]
    pub offset: [f32; 2],
    /// Size against the source picture, about the middle of its lower edge.
    #[serde(default = "one")]
    pub scale: f32,
}

/// How the camera sees the scene.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CameraSpec {
    /// Standard deviation of the sensor noise, in grey levels.
    #[serde(default)]
    pub noise: f32,
    /// Brightness over time, as `[seconds, gain]`.
    #[serde(default)]
    pub light: Vec<[f64; 2]>,
    /// Largest shift of the camera by wind.
    #[serde(default)]
    pub shake_pixels: f32,
}

/// A violation that happens in the scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IncidentTruth {
    /// Its kind.
    pub kind: IncidentKind,
    /// The thing that it is about.
    pub thing: String,
    /// Since when it holds (before any limit).
    pub since_seconds: f64,
    /// When it stops holding; none if it still holds at the end.
    pub until_seconds: Option<f64>,
}

fn default_feather() -> f32 {
    2.0
}

fn one() -> f32 {
    1.0
}

impl ScenarioSpec {
    /// Reads and checks a specification.
    ///
    /// # Errors
    /// When the file cannot be read or something in it makes no sense; the message names the place.
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ScenarioError::Read { path: path.to_owned(), source })?;
        let invalid = |message: String| ScenarioError::Invalid { path: path.to_owned(), message };
        let spec: Self = toml::from_str(&text).map_err(|e| invalid(e.to_string()))?;
        spec.check().map_err(invalid)?;
        Ok(spec)
    }

    fn check(&self) -> Result<(), String> {
        if self.frames_per_second == 0 || !(0.1..=3600.0).contains(&self.duration_seconds) {
            return Err("frames_per_second and duration_seconds are too small or too large; \
                        hint: at least 1 frame a second, 0.1 to 3600 seconds"
                .into());
        }
        for (name, thing) in &self.things {
            if thing.cutout.is_some() != thing.faces.is_empty() {
                return Err(format!(
                    "things.{name} is drawn in no way or in two; hint: give either cutout or faces"
                ));
            }
            if thing.keys.is_empty() || thing.keys.windows(2).any(|k| k[0].at_seconds >= k[1].at_seconds) {
                return Err(format!("things.{name}.keys are none or out of order; hint: times must rise"));
            }
            if thing.keys.iter().any(|k| !(0.01..=100.0).contains(&k.scale)) {
                return Err(format!("things.{name}.keys has an impossible scale; hint: 0.01 to 100"));
            }
            let outlines =
                thing.cutout.iter().map(|c| &c.outline).chain(thing.faces.iter().map(|f| &f.outline));
            if outlines.into_iter().any(|o| o.len() < 3) {
                return Err(format!("things.{name} has an outline with fewer than 3 points"));
            }
        }
        for incident in &self.incidents {
            if !self.things.contains_key(&incident.thing) {
                return Err(format!(
                    "an incident names the thing \"{}\", which does not exist; hint: one of {}",
                    incident.thing,
                    self.things.keys().cloned().collect::<Vec<_>>().join(", ")
                ));
            }
        }
        Ok(())
    }

    /// Number of frames.
    pub fn frame_count(&self) -> u64 {
        (self.duration_seconds * f64::from(self.frames_per_second)).round() as u64
    }
}
