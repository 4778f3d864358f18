//! Writes a scenario to disk: clip, clean plate and truth.

use std::path::{Path, PathBuf};

use parapet_core::{BBox, IncidentKind, Picture};
use parapet_ingest::{VideoOptions, VideoWriter};
use serde::Serialize;

use super::{
    compose::{Composer, PlacedThing},
    spec::{IncidentTruth, ScenarioError, ScenarioSpec, Split, WatchSpec},
};

/// The files of a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeScenario {
    /// The clip, H.264 in MP4.
    pub clip: PathBuf,
    /// The scene without what comes and goes, PNG: an approved baseline picture.
    pub plate: PathBuf,
    /// Boxes and incidents, JSON: see [`Truth`].
    pub truth: PathBuf,
    /// The plate again, under the name that the watching pipeline knows, if there is one.
    pub baseline: Option<PathBuf>,
}

/// Names the format of the truth.
pub const TRUTH_SCHEMA: &str = "parapet.scenario-truth.v1";

/// The truth of a scenario, as written beside its clip: one JSON object. Boxes are `[x_min, y_min, x_max, y_max]`,
/// normalized, y down; times are seconds from the first frame; frame `n` is at `n / frames_per_second`.
#[derive(Debug, Serialize)]
pub struct Truth<'a> {
    /// [`TRUTH_SCHEMA`].
    pub schema: &'static str,
    /// What happens.
    pub title: &'a str,
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// Frames a second.
    pub frames_per_second: u32,
    /// Always: none of these pictures was taken like that.
    pub synthetic: bool,
    /// Which half of the measuring set it belongs to.
    pub split: Option<Split>,
    /// What watches it.
    pub watch: Option<&'a WatchSpec>,
    /// The violations; none in a negative.
    pub incidents: Vec<TruthIncidentBox>,
    /// Frame by frame, what is in it.
    pub frames: Vec<TruthFrame>,
}

/// A violation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TruthIncidentBox {
    /// Its kind.
    pub kind: IncidentKind,
    /// The thing that it is about.
    pub thing: String,
    /// More things that belong to it.
    pub with: Vec<String>,
    /// Since when it holds, before any limit.
    pub since_seconds: f64,
    /// When it stops holding; none if it still holds at the end.
    pub until_seconds: Option<f64>,
    /// When an alarm is due: `since_seconds` and the limit of the rule that watches; none without such a rule.
    pub due_seconds: Option<f64>,
    /// Where it is when the alarm is due (without a rule, when it begins): around all its things.
    #[serde(rename = "box")]
    pub bbox: Option<BBox>,
}

/// What is in a frame.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TruthFrame {
    /// Its number, from 0.
    pub frame: u64,
    /// Things whose place is at least partly in it; scenery has no label.
    pub things: Vec<PlacedThing>,
}

/// Makes the scenario of `spec_file` in `directory`, as `NAME.mp4`, `NAME.plate.png` and `NAME.truth.json`, where NAME
/// is the specification's; `NAME.made-from` beside them tells what they were made from, and what is there already is not
/// made again. `progress` hears of each frame: its number and how many there are. Keyframes come once a
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
    let spec = ScenarioSpec::load(spec_file)?;
    let name = spec_file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let made = MadeScenario {
        clip: directory.join(format!("{name}.mp4")),
        plate: directory.join(format!("{name}.plate.png")),
        truth: directory.join(format!("{name}.truth.json")),
        baseline: spec.watch.as_ref().and_then(|w| w.baseline.as_ref()).map(|b| directory.join(b)),
    };
    let failed = |path: &Path, source: Box<dyn std::error::Error + Send + Sync>| ScenarioError::Write {
        path: path.to_owned(),
        source,
    };
    std::fs::create_dir_all(directory).map_err(|e| failed(directory, e.into()))?;
    let made_from = directory.join(format!("{name}.made-from"));
    let fingerprint = spec.fingerprint();
    let files = [&made.clip, &made.plate, &made.truth];
    let there = files.into_iter().chain(&made.baseline).all(|path| path.is_file());
    if there && std::fs::read_to_string(&made_from).is_ok_and(|before| before == fingerprint) {
        return Ok(made);
    }

    let mut composer = Composer::new(spec.clone(), pictures)?;
    let (width, height) = composer.size();
    let options = VideoOptions {
        keyframe_interval: Some(spec.frames_per_second),
        quantizer: spec.camera.quantizer,
        ..VideoOptions::at_fps(f64::from(spec.frames_per_second))
    };
    let mut writer = VideoWriter::create(&made.clip, options).map_err(|e| failed(&made.clip, e.into()))?;
    let mut frames = Vec::new();
    for number in 0..spec.frame_count() {
        let (rgb, things) = composer.frame(number)?;
        let picture = Picture::from_rgb(width, height, &rgb).expect("the composer's frames have their size");
        writer.push(&picture).map_err(|e| failed(&made.clip, e.into()))?;
        frames.push(TruthFrame { frame: number, things });
        progress(number + 1, spec.frame_count());
    }
    writer.finish().map_err(|e| failed(&made.clip, e.into()))?;

    let plate = composer.clean_plate();
    for path in std::iter::once(&made.plate).chain(&made.baseline) {
        image::save_buffer(path, &plate, width as u32, height as u32, image::ColorType::Rgb8)
            .map_err(|e| failed(path, e.into()))?;
    }
    let limit = spec.watch.as_ref().map(|w| w.limit_seconds);
    let truth = Truth {
        schema: TRUTH_SCHEMA,
        title: &spec.title,
        width,
        height,
        frames_per_second: spec.frames_per_second,
        synthetic: true,
        split: spec.split,
        watch: spec.watch.as_ref(),
        incidents: spec
            .incidents
            .iter()
            .map(|i| with_box(i, limit, spec.frames_per_second, &frames))
            .collect(),
        frames,
    };
    let text = serde_json::to_vec(&truth).map_err(|e| failed(&made.truth, e.into()))?;
    std::fs::write(&made.truth, text).map_err(|e| failed(&made.truth, e.into()))?;
    std::fs::write(&made_from, fingerprint).map_err(|e| failed(&made_from, e.into()))?;
    Ok(made)
}

/// Says where a violation is, from the boxes of its things when the alarm is due.
fn with_box(
    incident: &IncidentTruth,
    limit: Option<f64>,
    frames_per_second: u32,
    frames: &[TruthFrame],
) -> TruthIncidentBox {
    let due = limit.map(|limit| incident.since_seconds + limit);
    let at = due.unwrap_or(incident.since_seconds) * f64::from(frames_per_second);
    let frame = frames.get((at.round() as usize).min(frames.len().saturating_sub(1)));
    let names = || std::iter::once(&incident.thing).chain(&incident.with);
    let boxes = frame.into_iter().flat_map(|f| &f.things).filter(|t| names().any(|n| *n == t.name));
    TruthIncidentBox {
        kind: incident.kind,
        thing: incident.thing.clone(),
        with: incident.with.clone(),
        since_seconds: incident.since_seconds,
        until_seconds: incident.until_seconds,
        due_seconds: due,
        bbox: boxes.map(|t| t.bbox).reduce(union),
    }
}

fn union(a: BBox, b: BBox) -> BBox {
    let ([ax0, ay0, ax1, ay1], [bx0, by0, bx1, by1]): ([f32; 4], [f32; 4]) = (a.into(), b.into());
    BBox::new(ax0.min(bx0), ay0.min(by0), ax1.max(bx1), ay1.max(by1)).expect("a union of boxes is a box")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incident_is_where_its_things_are_when_the_alarm_is_due() {
        let thing = |name: &str, b: [f32; 4]| PlacedThing {
            name: name.into(),
            track: 1,
            label: None,
            bbox: BBox::new(b[0], b[1], b[2], b[3]).unwrap(),
            visibility: 1.0,
            visible: None,
        };
        let frames: Vec<TruthFrame> = (0..10)
            .map(|frame| {
                let mut things = vec![thing("a", [0.1, 0.1, 0.2, 0.2]), thing("c", [0.8, 0.8, 0.9, 0.9])];
                if frame >= 4 {
                    things.push(thing("b", [0.2, 0.0, 0.3, 0.2]));
                }
                TruthFrame { frame, things }
            })
            .collect();
        let incident = IncidentTruth {
            kind: IncidentKind::OccupiedRoadway,
            thing: "a".into(),
            with: vec!["b".into()],
            since_seconds: 1.0,
            until_seconds: None,
        };
        let early = with_box(&incident, None, 2, &frames);
        assert_eq!(early.due_seconds, None);
        assert_eq!(early.bbox, BBox::new(0.1, 0.1, 0.2, 0.2));
        let due = with_box(&incident, Some(2.0), 2, &frames);
        assert_eq!(due.due_seconds, Some(3.0));
        assert_eq!(due.bbox, BBox::new(0.1, 0.0, 0.3, 0.2));
    }
}
