//! Frames that not every rule asks for: of those a second apart, rules that wait for what stands need every other one, and
//! the others are only glanced at; out of the rules' hours hardly any is looked at.

#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use parapet_analytics::{GateConfig, Pipeline, PipelineConfig};
use parapet_core::{
    BBox, DetectError, Detection, Detector, Frame, Label, Membership, Picture, Polygon, RunId, Timestamp,
    Zone, ZonePurpose,
};

const SIZE: (usize, usize) = (320, 180);

/// A model that finds what is there, if something is.
#[derive(Clone, Default)]
struct Eyes(Arc<Mutex<Asked>>);

#[derive(Default)]
struct Asked {
    /// `F`ull looks and looks at a `p`art, in their order.
    looks: String,
    parts: Vec<BBox>,
    there: Option<Detection>,
}

impl Eyes {
    fn asked(&self) -> String {
        std::mem::take(&mut self.0.lock().unwrap().looks)
    }

    fn put(&self, label: &str, bbox: Option<BBox>) {
        let thing = |bbox| Detection { label: Label::new(label), score: 0.8, bbox };
        self.0.lock().unwrap().there = bbox.map(thing);
    }
}

impl Detector for Eyes {
    fn detect(&mut self, _: &Frame) -> Result<Vec<Detection>, DetectError> {
        let mut state = self.0.lock().unwrap();
        state.looks.push('F');
        Ok(state.there.iter().cloned().collect())
    }

    fn detect_in(&mut self, _: &Frame, part: BBox) -> Result<Vec<Detection>, DetectError> {
        let mut state = self.0.lock().unwrap();
        state.looks.push('p');
        state.parts.push(part);
        Ok(state.there.iter().filter(|thing| thing.bbox.intersection(part).is_some()).cloned().collect())
    }
}

struct View {
    pipeline: Pipeline,
    eyes: Eyes,
    at: Duration,
}

impl View {
    fn new(gate: bool) -> Self {
        Self::of(gate, "[dogs.stray_dog]\nfind_seconds = 1\n[bikes.misparked_ebike]\n")
    }

    fn of(gate: bool, rules: &str) -> Self {
        let eyes = Eyes::default();
        let config = PipelineConfig {
            rules: toml::from_str(rules).unwrap(),
            zones: vec![Zone {
                id: "everywhere".parse().unwrap(),
                purpose: ZonePurpose::Forbidden,
                polygon: Polygon::from_bbox(BBox::new(0.0, 0.0, 1.0, 1.0).unwrap()).unwrap(),
                membership: Membership::FootPoint,
                labels: None,
            }],
            gate: gate.then(GateConfig::default),
            ..PipelineConfig::new("path".parse().unwrap())
        };
        Self { pipeline: Pipeline::new(config, Box::new(eyes.clone()), None), eyes, at: Duration::ZERO }
    }

    /// The next frame, in which something grey is somewhere; whether the model saw all of it.
    fn frame(&mut self, after: f64, thing: usize) -> bool {
        self.at += Duration::from_secs_f64(after);
        let pixels = (0..SIZE.0 * SIZE.1).flat_map(|i| {
            let (x, y) = (i % SIZE.0, i / SIZE.0);
            [if (thing..thing + 20).contains(&x) && (80..100).contains(&y) { 40 } else { 200 }; 3]
        });
        let frame = Frame {
            camera: "path".parse().unwrap(),
            preset: None,
            run: RunId::derive(&["run"]),
            sequence: self.at.as_millis() as u64,
            captured_at: Timestamp::UNIX_EPOCH + self.at,
            picture: Arc::new(Picture::from_rgb(SIZE.0, SIZE.1, &pixels.collect::<Vec<_>>()).unwrap()),
        };
        !self.pipeline.step(&frame).unwrap().held
    }
}

#[test]
fn between_looks_the_model_sees_only_what_moves() {
    let mut view = View::new(true);
    let seen: Vec<bool> = (0..6).map(|i| view.frame(1.0, 100 + 5 * i)).collect();
    assert_eq!(seen, [true, false, true, false, true, false]);
    assert_eq!(view.eyes.asked(), "FpFpFp");
    let part = view.eyes.0.lock().unwrap().parts[1];
    let moved = BBox::new(110.0 / 320.0, 80.0 / 180.0, 135.0 / 320.0, 100.0 / 180.0).unwrap();
    assert!(moved.fraction_in(part) > 0.99 && part.area() < 0.15, "{part:?}");

    let mut without_a_gate = View::new(false);
    assert!((0..4).all(|i| without_a_gate.frame(1.0, 100 + 5 * i)));
}

#[test]
fn what_begins_to_run_at_a_glance_is_followed_from_that_frame_on() {
    let mut view = View::new(true);
    for i in 0..3 {
        view.frame(1.0, 100 + 5 * i);
    }
    assert_eq!((view.eyes.asked().as_str(), view.pipeline.look_seconds(now(&view))), ("FpF", Some(1.0)));
    view.eyes.put("dog", BBox::new(0.35, 0.4, 0.42, 0.6));
    assert!(view.frame(1.0, 115));
    assert_eq!((view.eyes.asked().as_str(), view.pipeline.look_seconds(now(&view))), ("pF", None));
    // Whether or not all frames come now.
    assert!(view.frame(1.0, 120) && view.frame(0.2, 121) && view.frame(0.2, 122));
    assert_eq!(view.eyes.asked(), "FFF");
}

#[test]
fn a_dog_that_lies_there_is_followed_when_it_has_come_and_again_before_it_is_told_of() {
    let mut view = View::of(true, "[dogs.stray_dog]\nlimit_seconds = 60\nfind_seconds = 1\n");
    view.eyes.put("dog", BBox::new(0.6, 0.4, 0.67, 0.6));
    let mut followed = Vec::new();
    while view.pipeline.open_incidents().is_empty() && view.at.as_secs() < 120 {
        view.frame(1.0, 100 + 5 * (view.at.as_secs() as usize % 2));
        followed.extend(view.pipeline.look_seconds(now(&view)).is_none().then_some(view.at.as_secs()));
    }
    assert_eq!(view.at.as_secs(), 61);
    assert_eq!(followed, (1..=10).chain(51..=60).collect::<Vec<_>>());
    assert_eq!(view.pipeline.due_seconds(now(&view)), None);
}

#[test]
fn when_a_bike_will_be_told_of_is_known_before() {
    let mut view = View::of(true, "[bikes.misparked_ebike]\nlimit_seconds = 16\n");
    assert_eq!(view.pipeline.due_seconds(now(&view)), None);
    view.eyes.put("bicycle", BBox::new(0.6, 0.4, 0.67, 0.6));
    for second in 1..17 {
        view.frame(1.0, 100);
        let due = view.pipeline.due_seconds(now(&view));
        // Not before it was seen to stand, which every other of these frames is enough for.
        assert_eq!(due, (second > 4).then(|| f64::from(17 - second)), "at {second}");
    }
    assert!(view.pipeline.open_incidents().is_empty());
    // It may be late for a moment, and is not waited for any longer.
    let later = |seconds: f64| now(&view) + Duration::from_secs_f64(seconds);
    assert_eq!(view.pipeline.due_seconds(later(2.9)), Some(0.0));
    assert_eq!(view.pipeline.due_seconds(later(3.1)), None);
    view.frame(1.0, 100);
    assert_eq!(view.pipeline.open_incidents().len(), 1);
    assert_eq!(view.pipeline.due_seconds(now(&view)), None);
}

#[test]
fn out_of_all_hours_a_look_is_taken_now_and_then_and_every_frame_in_time_before_they_begin() {
    // The first second of 1970 is eight o'clock in Shanghai.
    let mut view = View::of(false, "[bikes.misparked_ebike]\nschedule.hours = [\"08:01-09:00\"]\n");
    let seen: Vec<u32> = (1..64).filter(|i| view.frame(1.0, 100 + *i as usize)).collect();
    assert_eq!(seen, [1, 11, 21, 31, 41].into_iter().chain(50..64).collect::<Vec<_>>());
    assert_eq!(view.pipeline.look_seconds(Timestamp::UNIX_EPOCH), Some(10.0));
    assert_eq!(view.pipeline.look_seconds(now(&view)), Some(2.0));
    // One rule that is in force is enough.
    let rules = "[bikes.misparked_ebike]\nschedule.hours = [\"08:01-09:00\"]\n[dogs.stray_dog]\n";
    let mut view = View::of(false, rules);
    assert!((0..5).all(|i| view.frame(1.0, 100 + i)));
}

fn now(view: &View) -> Timestamp {
    Timestamp::UNIX_EPOCH + view.at
}
