//! Writes a scenario to disk: clip, clean plate and truth.

use std::path::{Path, PathBuf};

use parapet_core::Picture;
use parapet_ingest::{VideoOptions, VideoWriter};
use serde::Serialize;

use super::{
    compose::{Composer, PlacedThing},
    spec::{IncidentTruth, ScenarioError, ScenarioSpec},
};

/// The files of a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeScenario {
    /// The clip, H.264 in MP4.
    pub clip: PathBuf,
    /// The scene without what comes and goes, PNG: an approved baseline picture.
    pub plate: PathBuf,
    /// Boxes and incidents, JSON.
    pub truth: PathBuf,
}

/// The truth of a scenario, as written beside its clip.
#[derive(Debug, Serialize)]
struct Truth<'a> {
    schema: &'static str,
    title: &'a str,
    width: usize,
    height: usize,
    frames_per_second: u32,
    incidents: &'a [IncidentTruth],
    frames: Vec<TruthFrame>,
}

#[derive(Debug, Serialize)]
struct TruthFrame {
    frame: u64,
    things: Vec<PlacedThing>,
}

/// Makes the scenario of `spec_file` in `directory`, as `NAME.mp4`, `NAME.plate.png` and `NAME.truth.json`, where NAME
/// is the specification's. `progress` hears of each frame: its number and how many there are. Keyframes come once a
/// second, so that keyframe-only decoding can be tried.
///
/// # Errors
/// See [`ScenarioError`]; an unfinished clip is not left behind.
pub fn make(
    spec_file: &Path,
    pictures: &Path,
    directory: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<MadeScenario, ScenarioError> {
    let composer = Composer::new(ScenarioSpec::load(spec_file)?, pictures)?;
    let name = spec_file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let made = MadeScenario {
        clip: directory.join(format!("{name}.mp4")),
        plate: directory.join(format!("{name}.plate.png")),
        truth: directory.join(format!("{name}.truth.json")),
    };
    let failed = |path: &Path, source: Box<dyn std::error::Error + Send + Sync>| ScenarioError::Write {
        path: path.to_owned(),
        source,
    };
    std::fs::create_dir_all(directory).map_err(|e| failed(directory, e.into()))?;

    let spec = composer.spec();
    let (width, height) = composer.size();
    let options = VideoOptions {
        frames_per_second: f64::from(spec.frames_per_second),
        keyframe_interval: Some(spec.frames_per_second),
    };
    let mut writer = VideoWriter::create(&made.clip, options).map_err(|e| failed(&made.clip, e.into()))?;
    let mut frames = Vec::new();
    for number in 0..spec.frame_count() {
        let (rgb, things) = composer.frame(number);
        let picture = Picture::from_rgb(width, height, &rgb).expect("the composer's frames have their size");
        writer.push(&picture).map_err(|e| failed(&made.clip, e.into()))?;
        frames.push(TruthFrame { frame: number, things });
        progress(number + 1, spec.frame_count());
    }
    writer.finish().map_err(|e| failed(&made.clip, e.into()))?;

    image::save_buffer(
        &made.plate,
        &composer.clean_plate(),
        width as u32,
        height as u32,
        image::ColorType::Rgb8,
    )
    .map_err(|e| failed(&made.plate, e.into()))?;
    let truth = Truth {
        schema: "parapet.scenario-truth.v1",
        title: &spec.title,
        width,
        height,
        frames_per_second: spec.frames_per_second,
        incidents: &spec.incidents,
        frames,
    };
    let text = serde_json::to_vec(&truth).map_err(|e| failed(&made.truth, e.into()))?;
    std::fs::write(&made.truth, text).map_err(|e| failed(&made.truth, e.into()))?;
    Ok(made)
}
