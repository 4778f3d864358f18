//! The specification of a scenario, as written in TOML. Coordinates are pixels of the background's picture. What
//! several scenarios show (backgrounds, cut-outs) is written once, in a library that they name.

mod error;
mod library;
mod light;
mod look;

use std::{collections::BTreeMap, path::Path};

use parapet_core::IncidentKind;
use serde::{Deserialize, Serialize};

pub use error::ScenarioError;
pub use library::Library;
pub(super) use light::{CameraSpec, FogSpec, LightPatchSpec, LightSpec, SunSpec, WeatherSpec};
pub(super) use look::{CutoutSpec, FaceSpec, LookSpec};

#[cfg(test)]
pub(super) use light::LightKeySpec;

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
    /// Seed of everything that looks random.
    #[serde(default)]
    pub seed: u64,
    /// Which half of a measuring set it belongs to.
    pub split: Option<Split>,
    /// A file of backgrounds and things, relative to this one.
    pub library: Option<std::path::PathBuf>,
    /// What is behind everything.
    pub background: BackgroundSpec,
    /// What comes and goes.
    #[serde(default)]
    pub things: BTreeMap<String, ThingSpec>,
    /// How the camera sees it.
    #[serde(default)]
    pub camera: CameraSpec,
    /// What light falls on it.
    #[serde(default)]
    pub light: LightSpec,
    /// What is in the air.
    #[serde(default)]
    pub weather: WeatherSpec,
    /// What a person would call a violation in it.
    #[serde(default)]
    pub incidents: Vec<IncidentTruth>,
    /// What watches it when it is scored.
    pub watch: Option<WatchSpec>,
}

/// The halves of a measuring set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// May be looked at while rules and thresholds are chosen.
    Tuning,
    /// Is only measured.
    HeldOut,
}

/// The pipeline that watches a scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchSpec {
    /// Pipeline file, relative to the specification.
    pub pipeline: std::path::PathBuf,
    /// The camera in it that stands for the scenario's.
    pub camera: String,
    /// Limit of the rule that the incidents fall under: an alarm is due so long after a violation begins.
    pub limit_seconds: f64,
    /// Name of the picture of the empty scene that is written beside the clip, for pipelines that compare with it.
    pub baseline: Option<std::path::PathBuf>,
}

/// A still scene, cleaned of what should not be in it, or a video.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackgroundSpec {
    /// Name of a background of the library; then only `playing` and `start_seconds` may be given besides.
    pub from: Option<String>,
    /// Path below the pictures directory.
    pub picture: Option<std::path::PathBuf>,
    /// A video of a fixed camera, below the pictures directory; its median picture is the still scene.
    pub video: Option<std::path::PathBuf>,
    /// The video plays behind (and, where somebody is nearer to the camera, before) the things.
    #[serde(default)]
    pub playing: bool,
    /// Where in the video it begins.
    #[serde(default)]
    pub start_seconds: f64,
    /// The part of the picture that is used: left, top, width and height; all coordinates count from its corner.
    pub crop: Option<[u32; 4]>,
    /// Patches, applied in order, each to the result of those before.
    #[serde(default)]
    pub clone: Vec<CloneSpec>,
    /// The ground, so that the size of a thing follows from where its foot is.
    pub ground: Option<GroundSpec>,
    /// Where the sun stands; none under an overcast sky.
    pub sun: Option<SunSpec>,
}

/// Fills a rectangle with what lies some way off in the same picture.
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

/// A level ground seen by a level camera: heights grow evenly with the distance below the horizon.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroundSpec {
    /// Row of the horizon; may lie outside of the picture.
    pub horizon_y: f32,
    /// Row of a foot whose scale is known.
    pub foot_y: f32,
    /// Pixels that a metre of height takes up there.
    pub pixels_per_meter: f32,
}

impl GroundSpec {
    /// Pixels that a metre of height takes up where a foot stands in row `foot_y`.
    pub fn pixels_per_meter_at(&self, foot_y: f32) -> f32 {
        (self.pixels_per_meter * (foot_y - self.horizon_y) / (self.foot_y - self.horizon_y)).max(0.1)
    }
}

/// Something that comes and goes.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThingSpec {
    /// Name of a look in the library.
    pub thing: Option<String>,
    /// Or a look of its own.
    pub look: Option<LookSpec>,
    /// It has no truth: it is a part of the scene, or only hides others.
    #[serde(default)]
    pub scenery: bool,
    /// Left and right exchanged.
    #[serde(default)]
    pub mirror: bool,
    /// Brightness, on top of the look's.
    #[serde(default = "one")]
    pub gain: f32,
    /// Drawn after all of lower layers. In a layer, what stands nearer is drawn later where the ground is known, else
    /// what comes later by name.
    #[serde(default)]
    pub layer: i32,
    /// Where it is over time; it is there from the first key until the last.
    pub keys: Vec<KeySpec>,
}

impl ThingSpec {
    /// The look, once the library has been consulted.
    pub(super) fn look(&self) -> &LookSpec {
        self.look.as_ref().expect("loading fills in the looks of the library")
    }

    /// When it is there, in seconds.
    fn span(&self) -> (f64, f64) {
        (self.keys[0].at_seconds, self.keys[self.keys.len() - 1].at_seconds)
    }
}

/// Where a thing is at an instant; in between it moves evenly.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySpec {
    /// When.
    pub at_seconds: f64,
    /// Where the middle of its lower edge is; the size then follows from the ground, if that is known.
    pub foot: Option<[f32; 2]>,
    /// Or how far from its place in the source picture.
    #[serde(default)]
    pub offset: [f32; 2],
    /// Size against the source picture, or against what follows from the ground.
    #[serde(default = "one")]
    pub scale: f32,
}

/// A violation that happens in the scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IncidentTruth {
    /// Its kind.
    pub kind: IncidentKind,
    /// The thing that it is about.
    pub thing: String,
    /// More things that belong to it, as the second and third box of one heap.
    #[serde(default)]
    pub with: Vec<String>,
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
    /// Reads and checks a specification and the library that it names.
    ///
    /// # Errors
    /// When a file cannot be read or something in it makes no sense; the message names the place.
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ScenarioError::Read { path: path.to_owned(), source })?;
        let invalid = |message: String| ScenarioError::Invalid { path: path.to_owned(), message };
        let mut spec: Self = toml::from_str(&text).map_err(|e| invalid(e.to_string()))?;
        let library = match &spec.library {
            Some(file) => Library::load(&path.parent().unwrap_or(Path::new("")).join(file))?,
            None => Library::default(),
        };
        library.complete(&mut spec).map_err(invalid)?;
        spec.check().map_err(invalid)?;
        Ok(spec)
    }

    fn check(&self) -> Result<(), String> {
        if self.frames_per_second == 0 || !(0.1..=3600.0).contains(&self.duration_seconds) {
            return Err("frames_per_second and duration_seconds are too small or too large; \
                        hint: at least 1 frame a second, 0.1 to 3600 seconds"
                .into());
        }
        if self.background.picture.is_some() == self.background.video.is_some() {
            return Err("the background is nothing or two things; hint: give from, picture or video".into());
        }
        if self.background.playing && self.background.video.is_none() {
            return Err("the background is a picture, which cannot play; hint: leave out playing".into());
        }
        for (name, thing) in &self.things {
            thing.look().check().map_err(|e| format!("things.{name}: {e}"))?;
            if thing.keys.is_empty() || thing.keys.windows(2).any(|k| k[0].at_seconds >= k[1].at_seconds) {
                return Err(format!("things.{name}.keys are none or out of order; hint: times must rise"));
            }
            if thing.keys.iter().any(|k| !(0.01..=100.0).contains(&k.scale)) {
                return Err(format!("things.{name}.keys has an impossible scale; hint: 0.01 to 100"));
            }
            if thing.keys.iter().any(|k| k.foot.is_some() != thing.keys[0].foot.is_some()) {
                return Err(format!("things.{name}.keys are mixed; hint: give foot in all or in none"));
            }
        }
        self.incidents.iter().try_for_each(|incident| self.check_incident(incident))
    }

    fn check_incident(&self, incident: &IncidentTruth) -> Result<(), String> {
        for name in std::iter::once(&incident.thing).chain(&incident.with) {
            if !self.things.contains_key(name) {
                return Err(format!(
                    "an incident names the thing \"{name}\", which does not exist; hint: one of {}",
                    self.things.keys().cloned().collect::<Vec<_>>().join(", ")
                ));
            }
        }
        let until = incident.until_seconds.unwrap_or(self.duration_seconds);
        let (from, to) = self.things[&incident.thing].span();
        if incident.since_seconds < from
            || until > to.min(self.duration_seconds)
            || until <= incident.since_seconds
        {
            return Err(format!(
                "the incident of \"{}\" lasts from {} to {until} s, but the thing is there from {from} to {to} s \
                 of {} s; hint: a thing is there from its first key until its last",
                incident.thing, incident.since_seconds, self.duration_seconds
            ));
        }
        Ok(())
    }

    /// Number of frames.
    pub fn frame_count(&self) -> u64 {
        (self.duration_seconds * f64::from(self.frames_per_second)).round() as u64
    }

    /// All that the pixels follow from, library included, as text: two specifications with the same one make the same
    /// clip.
    pub fn fingerprint(&self) -> String {
        format!("maker {}\n{self:#?}\n", super::MAKER_VERSION)
    }
}
