//! A full view for measuring: 100 objects, half of which stand and half tremble along, in 20 zones with three rules.

use std::sync::Arc;

use jiff::SignedDuration;
use parapet_analytics::{
    Fraction, Pipeline, PipelineConfig, RuleConfig, Step,
    rule::{MisparkedEbikeConfig, OccupiedRoadwayConfig, StrayDogConfig},
};
use parapet_core::{
    BBox, DetectError, Detection, Detector, Frame, Label, Membership, Picture, Polygon, RunId, Timestamp,
    Zone, ZonePurpose,
};

/// A grid of 100 objects; half of them stand, half tremble along.
struct Crowd {
    frames: u64,
    labels: [Label; 4],
}

impl Detector for Crowd {
    fn detect(&mut self, _: &Frame) -> Result<Vec<Detection>, DetectError> {
        self.frames += 1;
        let objects = (0..100).map(|i| {
            let drift = if i % 2 == 0 { 0.0 } else { 0.02 * (self.frames as f32 * 0.05 + i as f32).sin() };
            let (x, y) = ((i % 10) as f32 * 0.1 + 0.02 + drift, (i / 10) as f32 * 0.1 + 0.02);
            let bbox = BBox::new(x, y, x + 0.06, y + 0.06).expect("in order");
            Detection { label: self.labels[i % 4].clone(), score: 0.7, bbox }
        });
        Ok(objects.collect())
    }

    fn detect_in(&mut self, frame: &Frame, _: BBox) -> Result<Vec<Detection>, DetectError> {
        self.detect(frame)
    }
}

fn zones() -> Vec<Zone> {
    let purposes = [ZonePurpose::Forbidden, ZonePurpose::Roadway, ZonePurpose::Bay, ZonePurpose::FireLane];
    (0..20)
        .map(|i| {
            let (x, y) = ((i % 5) as f32 * 0.2, (i / 5) as f32 * 0.25);
            let bbox = BBox::new(x, y, x + 0.25, y + 0.3).expect("in order").clamped();
            Zone {
                id: format!("zone-{i}").parse().expect("a name"),
                purpose: purposes[i % 4],
                polygon: Polygon::from_bbox(bbox).expect("inside the frame"),
                membership: if i % 2 == 0 { Membership::FootPoint } else { Membership::Overlap(0.5) },
                labels: None,
            }
        })
        .collect()
}

/// The view, and frames of it five times a second.
pub(crate) struct View {
    pipeline: Pipeline,
    frame: Frame,
}

impl View {
    pub(crate) fn new() -> Self {
        let mut config = PipelineConfig::new("gate".parse().expect("a name"));
        config.zones = zones();
        let covered_fraction = Some(Fraction::percent(40));
        let lane = OccupiedRoadwayConfig { covered_fraction, ..Default::default() };
        for (name, rule) in [
            ("bikes", RuleConfig::MisparkedEbike(MisparkedEbikeConfig::default())),
            ("lane", RuleConfig::OccupiedRoadway(lane)),
            ("dogs", RuleConfig::StrayDog(StrayDogConfig::default())),
        ] {
            config.rules.insert(name.parse().expect("a name"), rule);
        }
        let labels = ["bicycle", "car", "person", "dog"].map(Label::new);
        let mut state = 1u32;
        let noise = (0..1280 * 720 * 3).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        });
        let picture = Picture::from_rgb(1280, 720, &noise.collect::<Vec<_>>()).expect("the right size");
        let frame = Frame {
            camera: "gate".parse().expect("a name"),
            preset: None,
            run: RunId::derive(&["bench"]),
            sequence: 0,
            captured_at: Timestamp::UNIX_EPOCH,
            picture: Arc::new(picture),
        };
        Self { pipeline: Pipeline::new(config, Box::new(Crowd { frames: 0, labels }), None), frame }
    }

    /// Looks at the next frame.
    pub(crate) fn step(&mut self) -> Step {
        self.frame.sequence += 1;
        self.frame.captured_at += SignedDuration::from_millis(200);
        self.pipeline.step(&self.frame).expect("this detector never fails")
    }
}
