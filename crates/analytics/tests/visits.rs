//! A view that is looked at now and then: what the pipeline of a dome, or of a camera on patrol, promises from one visit to
//! the next.

#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

use std::{sync::Arc, time::Duration};

use parapet_analytics::{Pipeline, PipelineConfig, Seconds, Step};
use parapet_core::{
    BBox, DetectError, Detection, Detector, Frame, IncidentEvent, Label, Membership, Phase, Picture, Polygon,
    RunId, Timestamp, Zone, ZonePurpose,
};

const SIZE: (usize, usize) = (160, 90);

/// Says what the test left for it.
struct Told(Arc<std::sync::Mutex<Vec<BBox>>>);

impl Detector for Told {
    fn detect(&mut self, _: &Frame) -> Result<Vec<Detection>, DetectError> {
        let detection = |bbox: &BBox| Detection { label: Label::new("bicycle"), score: 0.9, bbox: *bbox };
        Ok(self.0.lock().unwrap().iter().map(detection).collect())
    }

    fn detect_in(&mut self, frame: &Frame, _: BBox) -> Result<Vec<Detection>, DetectError> {
        self.detect(frame)
    }
}

/// A view in which no bike may stand for half a minute.
struct View {
    pipeline: Pipeline,
    seen: Arc<std::sync::Mutex<Vec<BBox>>>,
    sequence: u64,
}

/// A bike at a place: its stripes tell it from others.
#[derive(Clone, Copy)]
struct Bike {
    bbox: BBox,
    stripes: usize,
}

fn bike(x: f32, stripes: usize) -> Bike {
    Bike { bbox: BBox::new(x, 0.4, x + 0.2, 0.8).unwrap(), stripes }
}

impl View {
    fn new() -> Self {
        Self::looked_at(None)
    }

    /// A view that is looked at by visits, at most so many seconds apart; all the time without.
    fn looked_at(gap_seconds: Option<u32>) -> Self {
        let whole = BBox::new(0.0, 0.0, 1.0, 1.0).unwrap();
        let zone = Zone {
            id: "kerb".parse().unwrap(),
            purpose: ZonePurpose::Forbidden,
            polygon: Polygon::from_bbox(whole).unwrap(),
            membership: Membership::FootPoint,
            labels: None,
        };
        let rule = toml::from_str("[misparked_ebike]\nlimit_seconds = 30\n").unwrap();
        let config = PipelineConfig {
            zones: vec![zone],
            rules: [("bikes".parse().unwrap(), rule)].into(),
            longest_gap: gap_seconds.map(Seconds::whole),
            ..PipelineConfig::new("dome".parse().unwrap())
        };
        let seen = Arc::default();
        let pipeline = Pipeline::new(config, Box::new(Told(Arc::clone(&seen))), None);
        Self { pipeline, seen, sequence: 0 }
    }

    /// Looks from one second to another, five times a second.
    fn look(&mut self, from: u32, to: u32, bikes: &[Bike]) -> Vec<IncidentEvent> {
        let steps = (from * 5..to * 5).flat_map(|i| self.step(f64::from(i) / 5.0, bikes).events);
        steps.collect()
    }

    /// Two frames, a second apart.
    fn visit(&mut self, seconds: f64, bikes: &[Bike]) -> Vec<IncidentEvent> {
        [seconds, seconds + 1.0].into_iter().flat_map(|at| self.step(at, bikes).events).collect()
    }

    fn step(&mut self, seconds: f64, bikes: &[Bike]) -> Step {
        self.step_seen(seconds, bikes, &(0..bikes.len()).collect::<Vec<_>>())
    }

    /// Of the bikes that are there the model finds these.
    fn step_seen(&mut self, seconds: f64, bikes: &[Bike], found: &[usize]) -> Step {
        let (w, h) = SIZE;
        let mut rgb: Vec<u8> = (0..w * h).flat_map(|i| [(90 + i * 31 % 17) as u8; 3]).collect();
        for bike in bikes {
            let span = |low: f32, high: f32, n: usize| (low * n as f32) as usize..(high * n as f32) as usize;
            for y in span(bike.bbox.y_min(), bike.bbox.y_max(), h) {
                for x in span(bike.bbox.x_min(), bike.bbox.x_max(), w) {
                    let light = (x * bike.stripes / 16 + y * (bike.stripes + 1) / 24) % 2 == 0;
                    rgb[(y * w + x) * 3..][..3].fill(if light { 220 } else { 30 });
                }
            }
        }
        *self.seen.lock().unwrap() = found.iter().map(|bike| bikes[*bike].bbox).collect();
        self.sequence += 1;
        let frame = Frame {
            camera: "dome".parse().unwrap(),
            preset: None,
            run: RunId::derive(&["r"]),
            sequence: self.sequence,
            captured_at: Timestamp::UNIX_EPOCH + Duration::from_secs_f64(seconds),
            picture: Arc::new(Picture::from_rgb(w, h, &rgb).unwrap()),
        };
        self.pipeline.step(&frame).unwrap()
    }
}

fn phases(events: &[IncidentEvent]) -> Vec<Phase> {
    events.iter().map(|event| event.phase).filter(|phase| *phase != Phase::Updated).collect()
}

#[test]
fn time_counts_while_the_camera_looks_elsewhere_if_the_thing_still_stands() {
    let mut view = View::new();
    assert!(view.look(0, 20, &[bike(0.3, 5)]).is_empty());
    view.pipeline.begin_visit(Vec::new());
    let events = view.look(120, 140, &[bike(0.3, 5)]);
    assert_eq!(phases(&events), [Phase::Started]);
    assert!(events[0].since < Timestamp::UNIX_EPOCH + Duration::from_secs(5), "{}", events[0].since);
    // It waits, open, over a long absence; and is over once its place was seen to be empty.
    view.pipeline.begin_visit(Vec::new());
    assert!(view.look(7200, 7220, &[bike(0.3, 5)]).is_empty());
    assert_eq!(view.pipeline.open_incidents().len(), 1);
    view.pipeline.begin_visit(Vec::new());
    assert_eq!(phases(&view.look(7300, 7330, &[])), [Phase::Ended]);
}

#[test]
fn another_thing_at_the_place_begins_anew() {
    let mut view = View::new();
    view.look(0, 20, &[bike(0.3, 5)]);
    view.pipeline.begin_visit(Vec::new());
    assert!(view.look(120, 140, &[bike(0.3, 11)]).is_empty());
    view.pipeline.begin_visit(Vec::new());
    let events = view.look(240, 260, &[bike(0.3, 11)]);
    assert_eq!(phases(&events), [Phase::Started]);
    assert!(events[0].since >= Timestamp::UNIX_EPOCH + Duration::from_mins(2), "{}", events[0].since);
}

#[test]
fn short_visits_add_up_to_seeing_that_a_place_is_empty() {
    let mut view = View::new();
    assert_eq!(phases(&view.look(0, 40, &[bike(0.3, 5)])), [Phase::Started]);
    let mut ended = Vec::new();
    for visit in 1..8 {
        view.pipeline.begin_visit(Vec::new());
        ended.extend(view.look(visit * 100, visit * 100 + 5, &[]));
    }
    assert_eq!(phases(&ended), [Phase::Ended]);
}

#[test]
fn what_is_out_of_sight_on_a_visit_is_neither_seen_nor_gone() {
    let mut view = View::new();
    assert_eq!(phases(&view.look(0, 40, &[bike(0.0, 5)])), [Phase::Started]);
    view.pipeline.begin_visit(vec![BBox::new(0.0, 0.0, 0.25, 1.0).unwrap()]);
    assert!(view.look(100, 160, &[]).is_empty());
    assert_eq!(view.pipeline.open_incidents().len(), 1);
    let step = view.step(160.0, &[bike(0.0, 5)]);
    assert!(step.detections.is_empty());
}

#[test]
fn track_numbers_go_on_from_visit_to_visit() {
    let mut view = View::new();
    let first = view.step(0.0, &[bike(0.3, 5)]).tracks[0].id;
    view.pipeline.begin_visit(Vec::new());
    assert!(view.step(60.0, &[bike(0.3, 5)]).tracks[0].id > first);
}

fn seconds_of(at: Timestamp) -> f64 {
    parapet_core::time::seconds_between(Timestamp::UNIX_EPOCH, at)
}

#[test]
fn two_frames_every_half_minute_see_one_bike_as_one_incident_that_ends_when_it_is_gone() {
    let mut view = View::looked_at(Some(30));
    // It stands from 50 s to 230 s.
    let (there, empty) = ([bike(0.3, 5)], []);
    let events: Vec<IncidentEvent> = (0..15)
        .flat_map(|visit| {
            let at = 5.0 + 30.0 * f64::from(visit);
            let stands = (50.0..230.0).contains(&at);
            view.visit(at, if stands { &there } else { &empty[..] })
        })
        .collect();
    assert_eq!(phases(&events), [Phase::Started, Phase::Ended], "{events:#?}");
    let (started, ended) = (&events[0], events.last().unwrap());
    // First seen at 65 s, over its limit of 30 s at 95 s, last seen at 216 s.
    assert_eq!((seconds_of(started.since), seconds_of(started.at)), (65.0, 95.0));
    assert!((216.0..=230.0).contains(&seconds_of(ended.ended_at.unwrap())), "{ended:?}");
    assert!(seconds_of(ended.at) <= 230.0 + 3.0 * 30.0, "{}", ended.at);
    assert!(view.pipeline.open_incidents().is_empty());
}

#[test]
fn on_patrol_one_after_the_other_at_one_place_is_no_standing_bike() {
    let mut view = View::looked_at(Some(30));
    let events: Vec<IncidentEvent> = (0u8..12)
        .flat_map(|n| view.visit(30.0 * f64::from(n), &[bike(0.3, 4 + 3 * usize::from(n % 3))]))
        .collect();
    assert!(events.is_empty(), "{events:#?}");
}

#[test]
fn on_patrol_a_visit_that_misses_the_bike_changes_nothing() {
    let mut view = View::looked_at(Some(30));
    let mut told = Vec::new();
    for visit in 0..20 {
        let at = 30.0 * f64::from(visit);
        // The model misses it now and then, but the place looks as it did.
        let missed = visit % 5 == 4;
        for at in [at, at + 1.0] {
            told.extend(view.step_seen(at, &[bike(0.3, 5)], if missed { &[] } else { &[0] }).events);
        }
    }
    assert_eq!(phases(&told), [Phase::Started], "{told:#?}");
    assert_eq!(seconds_of(told[0].since), 0.0);
}

#[test]
fn on_patrol_a_second_look_is_needed_only_where_something_came_or_went() {
    let mut view = View::looked_at(Some(30));
    let (there, empty) = ([bike(0.3, 5)], []);
    let (mut told, mut looks) = (Vec::new(), Vec::new());
    for visit in 0..12 {
        let at = 30.0 * f64::from(visit);
        let bikes = if (3..9).contains(&visit) { &there } else { &empty[..] };
        let mut taken = 0;
        while taken == 0 || (taken < 2 && view.pipeline.is_undecided()) {
            told.extend(view.step(at + f64::from(taken), bikes).events);
            taken += 1;
        }
        looks.push(taken);
    }
    // It comes at the fourth visit, stands from the fifth on and is gone at the tenth.
    assert_eq!(looks, [1, 1, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1]);
    assert_eq!(phases(&told), [Phase::Started, Phase::Ended], "{told:#?}");
    assert_eq!(seconds_of(told[0].since), 90.0);
    assert!((240.0..=270.0).contains(&seconds_of(told.last().unwrap().ended_at.unwrap())));
}
