//! The truth that `parapet scenario make` writes beside its clip: exact boxes of all things, and the incidents.

use std::collections::BTreeMap;

use parapet_core::{BBox, IncidentKind, Label};
use serde::Deserialize;

use super::{LabelFile, Labels, Tracks};
use crate::{
    dataset::{
        manifest::IncidentConfig,
        problem::{Fault, Problems},
    },
    scenario::{Split, WatchSpec},
    truth::Rect,
};

/// The truth of a scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct ScenarioTruth {
    /// What happens.
    pub title: String,
    /// Size of its pictures.
    pub size: (u32, u32),
    /// Frames a second.
    pub frames_per_second: f64,
    /// Boxes of every frame; tracks are the things in the order of their names, from 1.
    pub tracks: Tracks,
    /// Incidents. Their box is where the thing is when the alarm is due, and none for dogs, who do not stay there.
    pub incidents: Vec<IncidentConfig>,
    /// What watches it.
    pub watch: Option<WatchSpec>,
    /// Which half of a measuring set it belongs to.
    pub split: Option<Split>,
}

#[derive(Deserialize)]
struct File {
    schema: String,
    title: String,
    width: u32,
    height: u32,
    frames_per_second: f64,
    incidents: Vec<Incident>,
    frames: Vec<Frame>,
    watch: Option<WatchSpec>,
    split: Option<Split>,
}

#[derive(Deserialize)]
struct Incident {
    kind: IncidentKind,
    since_seconds: f64,
    until_seconds: Option<f64>,
    due_seconds: Option<f64>,
    #[serde(rename = "box")]
    bbox: Option<BBox>,
}

#[derive(Deserialize)]
struct Frame {
    frame: u64,
    things: Vec<Thing>,
}

#[derive(Deserialize)]
struct Thing {
    name: String,
    label: Option<Label>,
    bbox: BBox,
}

/// The form that is read.
pub const SCHEMA: &str = "parapet.scenario-truth.v1";

/// Reads a truth file; `None`, told as a problem, if it is none. The file is written by a program, so that one mistake
/// spoils it.
pub fn read(text: &str, file: &LabelFile<'_>, problems: &mut Problems) -> Option<ScenarioTruth> {
    let truth: File = match serde_json::from_str(text) {
        Ok(truth) => truth,
        Err(error) => {
            let line = Some(error.line()).filter(|line| *line > 0);
            let fault = Fault::new(format!("not a scenario's truth: {error}"), "make the scenario anew");
            problems.add(file.path, line, fault);
            return None;
        }
    };
    let before = problems.count();
    let mut bad = |what: String| problems.add(file.path, None, Fault::new(what, "make the scenario anew"));
    if truth.schema != SCHEMA {
        bad(format!("the form is \"{}\" and not \"{SCHEMA}\"", truth.schema));
    }
    if truth.width == 0
        || truth.height == 0
        || truth.frames_per_second.is_nan()
        || truth.frames_per_second <= 0.0
    {
        bad("no size or no frame rate".into());
    }
    let names: BTreeMap<&str, u64> = {
        let mut names: Vec<&str> =
            truth.frames.iter().flat_map(|f| &f.things).map(|t| t.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names.into_iter().zip(1..).collect()
    };
    let (width, height) = (f64::from(truth.width), f64::from(truth.height));
    let rect_of = |bbox: BBox| Rect::in_pixels(bbox, width, height);
    let mut tracks = Tracks::default();
    for frame in &truth.frames {
        let mut labels = Labels::default();
        for thing in &frame.things {
            // Scenery has no label; a thing at the very edge has no area.
            let Some(label) = &thing.label else { continue };
            let rect = rect_of(thing.bbox);
            if rect.width <= 0.0 || rect.height <= 0.0 {
                continue;
            }
            match file.classes.meaning(label.as_str()) {
                Ok(meaning) => labels.add(meaning, rect, names.get(thing.name.as_str()).copied(), false),
                Err(fault) => bad(fault.what),
            }
        }
        if tracks.frames.insert(frame.frame, labels).is_some() {
            bad(format!("frame {} is there twice", frame.frame));
        }
    }
    let mut incidents = Vec::new();
    for incident in &truth.incidents {
        let config = IncidentConfig {
            kind: incident.kind,
            since_seconds: incident.since_seconds,
            until_seconds: incident.until_seconds,
            limit_seconds: incident.due_seconds.map(|due| due - incident.since_seconds),
            zone: None,
            rect: incident
                .bbox
                .filter(|_| incident.kind != IncidentKind::StrayDog)
                .map(rect_of)
                .filter(|r| r.width > 0.0 && r.height > 0.0)
                .map(|r| [r.x, r.y, r.x + r.width, r.y + r.height]),
        };
        match config.check() {
            Ok(()) => incidents.push(config),
            Err(fault) => bad(fault.what),
        }
    }
    (problems.count() == before).then_some(ScenarioTruth {
        title: truth.title,
        size: (truth.width, truth.height),
        frames_per_second: truth.frames_per_second,
        tracks,
        incidents,
        watch: truth.watch,
        split: truth.split,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::reader::fixture::with_names;

    const GOOD: &str = r#"{"schema": "parapet.scenario-truth.v1", "title": "t", "width": 200, "height": 100,
        "frames_per_second": 2, "incidents": [{"kind": "misparked_ebike", "thing": "bike", "since_seconds": 0.5,
        "until_seconds": null, "due_seconds": 10.5, "box": [0.25, 0.5, 0.5, 1]}], "frames": [
        {"frame": 0, "things": [{"name": "wall", "label": null, "bbox": [0, 0, 1, 1]}]},
        {"frame": 1, "things": [{"name": "bike", "label": "bicycle", "bbox": [0.25, 0.5, 0.5, 1]}]}]}"#;

    #[test]
    fn boxes_are_in_pixels_and_scenery_has_none() {
        let (truth, told) = with_names(Some((200, 100)), |file, problems| read(GOOD, file, problems));
        assert!(told.is_empty(), "{told:?}");
        let truth = truth.unwrap();
        assert_eq!((truth.size, truth.tracks.frames.len()), ((200, 100), 2));
        assert!(truth.tracks.frames[&0].boxes.is_empty());
        let bike = &truth.tracks.frames[&1].boxes[0];
        assert_eq!(bike.rect, Rect { x: 50.0, y: 50.0, width: 50.0, height: 50.0 });
        assert_eq!((bike.label.as_str(), bike.track), ("bicycle", Some(1)));
        assert_eq!(truth.incidents[0].rect, Some([50.0, 50.0, 100.0, 100.0]));
        assert_eq!(truth.incidents[0].limit_seconds, Some(10.0));
    }

    #[test]
    fn another_form_is_refused() {
        let bad = GOOD.replace(".v1", ".v9");
        let (truth, told) = with_names(None, |file, problems| read(&bad, file, problems));
        assert_eq!(truth, None);
        assert_eq!(
            told,
            [
                "a: the form is \"parapet.scenario-truth.v9\" and not \"parapet.scenario-truth.v1\"; hint: make the \
              scenario anew"
            ]
        );
    }
}
