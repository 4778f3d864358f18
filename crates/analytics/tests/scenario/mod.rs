//! Scenarios as text: what is in the view, when and where, and what the detector makes of it. `fixtures/scenarios/
//! README.md` says what each option means. The picture is drawn, so that the memory of looks is under test too.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use jiff::SignedDuration;
use parapet_analytics::{PipelineConfig, RuleConfig, StandingConfig, TrackerConfig};
use parapet_core::{
    BBox, ChangeDetector, DetectError, Detection, Detector, DifferenceRegion, Frame, Label, Mask, Membership,
    Picture, Polygon, RuleId, RunId, SceneChange, StationaryRegion, Timestamp, Zone, ZoneId, ZonePurpose,
    change::BaselineState,
};
use serde::Deserialize;

/// From, to; in seconds.
type Span = [f64; 2];

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    /// One sentence: what it shows.
    pub(crate) title: String,
    pub(crate) seconds: f64,
    #[serde(default = "five")]
    pub(crate) fps: f64,
    #[serde(default = "morning")]
    pub(crate) start: Timestamp,
    pub(crate) expect: Expect,
    #[serde(default)]
    pub(crate) zones: Vec<ZoneText>,
    pub(crate) rules: BTreeMap<RuleId, RuleConfig>,
    #[serde(default)]
    pub(crate) standing: StandingConfig,
    #[serde(default)]
    pub(crate) tracker: TrackerConfig,
    #[serde(default)]
    pub(crate) things: Vec<ThingText>,
    #[serde(default)]
    pub(crate) regions: Vec<RegionText>,
    #[serde(default)]
    pub(crate) differences: Vec<RegionText>,
    #[serde(default)]
    pub(crate) light: Vec<LightText>,
    /// No frames; a new run begins afterwards.
    #[serde(default)]
    pub(crate) offline: Vec<Span>,
    /// The engine sheds these frames.
    #[serde(default)]
    pub(crate) shed: Vec<Span>,
    /// The camera is knocked out of its place by so much of the frame.
    #[serde(default)]
    pub(crate) shifted: Vec<Span>,
    /// The view does not fit the baseline.
    #[serde(default)]
    pub(crate) fog: Vec<Span>,
    /// Time between comparisons with the baseline.
    #[serde(default = "five")]
    pub(crate) compare_seconds: f64,
    /// Whether there is a background model.
    #[serde(default)]
    pub(crate) background: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    pub(crate) started: usize,
    pub(crate) ended: usize,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ZoneText {
    pub(crate) id: ZoneId,
    pub(crate) purpose: ZonePurpose,
    pub(crate) polygon: Polygon,
    #[serde(default)]
    pub(crate) membership: Membership,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ThingText {
    /// What the detector calls it, in turn.
    pub(crate) labels: Vec<Label>,
    /// `[second, x, foot_y]`: where it stands; straight lines between; not there before the first and after the last.
    pub(crate) path: Vec<[f64; 3]>,
    /// Width and height.
    pub(crate) size: [f32; 2],
    /// Seed of its pattern.
    #[serde(default)]
    pub(crate) look: u32,
    /// Part of it through which what is behind it is seen, as between the spokes of a wheel.
    #[serde(default)]
    pub(crate) see_through: f32,
    #[serde(default = "score")]
    pub(crate) score: f32,
    /// The detector finds it in one of so many frames; 0: never.
    #[serde(default = "one")]
    pub(crate) found_every: u32,
    /// The detector does not find it though it is in view.
    #[serde(default)]
    pub(crate) missed: Vec<Span>,
    /// Trembling of its box, as a fraction of its size.
    #[serde(default)]
    pub(crate) jitter: f32,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegionText {
    pub(crate) span: Span,
    pub(crate) bbox: BBox,
    #[serde(default = "score")]
    pub(crate) score: f32,
    /// Numbers change at these seconds, as after a restart of the background model.
    #[serde(default)]
    pub(crate) renumbered_at: Vec<f64>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LightText {
    pub(crate) at: f64,
    pub(crate) gain: f32,
    /// Whether the change detector notices.
    #[serde(default = "yes")]
    pub(crate) noticed: bool,
}

fn five() -> f64 {
    5.0
}
fn one() -> u32 {
    1
}
fn score() -> f32 {
    0.6
}
fn yes() -> bool {
    true
}
fn morning() -> Timestamp {
    "2026-11-23T08:00:00+08:00".parse().unwrap()
}

fn within(spans: &[Span], t: f64) -> bool {
    spans.iter().any(|[from, to]| (*from..*to).contains(&t))
}

impl Scenario {
    pub(crate) fn pipeline(&self) -> PipelineConfig {
        let zones = self.zones.iter().cloned().map(|z| Zone {
            id: z.id,
            purpose: z.purpose,
            polygon: z.polygon,
            membership: z.membership,
            labels: None,
        });
        PipelineConfig {
            zones: zones.collect(),
            rules: self.rules.clone(),
            standing: self.standing.clone(),
            tracker: self.tracker.clone(),
            ..PipelineConfig::new("gate".parse().unwrap())
        }
    }

    /// Seconds of all frames that arrive, with the number of their run.
    pub(crate) fn frames(&self) -> Vec<(f64, usize)> {
        (0..=(self.seconds * self.fps).round() as u64)
            .map(|i| i as f64 / self.fps)
            .filter(|t| !within(&self.offline, *t))
            .map(|t| (t, self.offline.iter().filter(|[_, to]| *to <= t).count()))
            .collect()
    }

    pub(crate) fn frame(&self, t: f64, run: usize, sequence: u64) -> Frame {
        Frame {
            camera: "gate".parse().unwrap(),
            preset: None,
            run: RunId::derive(&["scenario", &run.to_string()]),
            sequence,
            captured_at: self.start + SignedDuration::from_millis((t * 1000.0).round() as i64),
            picture: Arc::new(self.draw(t)),
        }
    }

    fn shift(&self, t: f64) -> f32 {
        if within(&self.shifted, t) { 0.15 } else { 0.0 }
    }

    fn boxes(&self, t: f64) -> Vec<Option<BBox>> {
        let shift = self.shift(t);
        self.things.iter().map(|thing| thing.bbox(t).map(|b| b.translated(shift, 0.0))).collect()
    }

    fn draw(&self, t: f64) -> Picture {
        const W: usize = 160;
        const H: usize = 90;
        let gain = self.light.iter().rfind(|l| l.at <= t).map_or(1.0, |l| l.gain);
        let mut rgb = Vec::with_capacity(W * H * 3);
        let boxes = self.boxes(t);
        let shift = self.shift(t);
        for y in 0..H {
            for x in 0..W {
                let p = parapet_core::Point::new((x as f32 + 0.5) / W as f32, (y as f32 + 0.5) / H as f32);
                // The pattern moves with the thing.
                let on = |(thing, bbox): (&ThingText, &Option<BBox>)| {
                    let b = bbox.filter(|b| b.contains(p))?;
                    let (u, v) = ((p.x - b.x_min()) / b.width(), (p.y - b.y_min()) / b.height());
                    let cell = |seed| pattern((u * 6.0) as u32, (v * 6.0) as u32, seed + thing.look);
                    (cell(5000) as f32 >= 256.0 * thing.see_through).then(|| 60 + cell(1000) % 140)
                };
                let value = match self.things.iter().zip(&boxes).rev().find_map(on) {
                    Some(value) => value,
                    None => 90 + pattern(((p.x - shift) * 40.0) as i32 as u32, (p.y * 22.0) as u32, 1) % 40,
                };
                let value = (value as f32 * gain).clamp(0.0, 255.0) as u8;
                rgb.extend([value; 3]);
            }
        }
        Picture::from_rgb(W, H, &rgb).unwrap()
    }

    fn detections(&self, t: f64, frame: u64) -> Vec<Detection> {
        let boxes = self.boxes(t);
        let mut detections = Vec::new();
        for (i, thing) in self.things.iter().enumerate() {
            let Some(bbox) = boxes[i] else { continue };
            let hidden: f32 = boxes[i + 1..].iter().flatten().map(|b| bbox.fraction_in(*b)).sum();
            let turn =
                thing.found_every > 0 && (frame + i as u64).is_multiple_of(u64::from(thing.found_every));
            if hidden > 0.6 || !turn || within(&thing.missed, t) {
                continue;
            }
            let found = frame / u64::from(thing.found_every.max(1));
            let label = thing.labels[(found as usize) % thing.labels.len()].clone();
            let wobble = |salt: u32| {
                (pattern(frame as u32, salt, i as u32) % 201) as f32 / 100.0 * thing.jitter - thing.jitter
            };
            let bbox = bbox.translated(wobble(1) * bbox.width(), wobble(2) * bbox.height());
            detections.push(Detection { label, score: thing.score, bbox });
        }
        detections.sort_by(|a, b| b.score.total_cmp(&a.score));
        detections
    }

    fn change(&self, t: f64, at: Timestamp) -> SceneChange {
        let time = |s: f64| self.start + SignedDuration::from_millis((s * 1000.0).round() as i64);
        let outline = |b: BBox| b.corners().to_vec();
        let number = |i: usize, r: &RegionText, until: f64| {
            i as u64 + 1 + 100 * r.renumbered_at.iter().filter(|s| **s <= until).count() as u64
        };
        let mut change = SceneChange::unknown();
        change.light_changed = self.light.iter().any(|l| l.noticed && (l.at..l.at + 1.0).contains(&t));
        change.view_shifted = within(&self.shifted, t);
        if self.background {
            let mut mask = Mask::empty(64, 36);
            for (i, r) in self.regions.iter().enumerate().filter(|(_, r)| within(&[r.span], t)) {
                mask.fill_bbox(r.bbox);
                change.stationary.push(StationaryRegion {
                    number: number(i, r, t),
                    bbox: r.bbox,
                    outline: outline(r.bbox),
                    area: r.bbox.area(),
                    since: time(r.span[0]),
                    last_seen_at: at,
                });
            }
            change.stationary_mask = Some(mask);
        }
        let compared = (t / self.compare_seconds).floor() * self.compare_seconds;
        if self.differences.is_empty() {
            return change;
        }
        change.baseline = if within(&self.fog, t) {
            BaselineState::NotRegistered
        } else if (t - compared) < 0.5 / self.fps {
            BaselineState::Compared
        } else {
            BaselineState::Waiting
        };
        for (i, d) in self.differences.iter().enumerate() {
            let first = (d.span[0] / self.compare_seconds).ceil() * self.compare_seconds;
            if first <= compared && within(&[d.span], compared) {
                change.differences.push(DifferenceRegion {
                    number: number(i, d, compared),
                    bbox: d.bbox,
                    outline: outline(d.bbox),
                    area: d.bbox.area(),
                    score: d.score,
                    since: time(first),
                    last_seen_at: time(compared),
                });
            }
        }
        change
    }
}

impl ThingText {
    fn bbox(&self, t: f64) -> Option<BBox> {
        let last = self.path.last()?;
        let (x, foot) = if self.path.len() == 1 {
            (last[1], last[2])
        } else {
            let leg = self.path.windows(2).find(|leg| (leg[0][0]..leg[1][0]).contains(&t))?;
            let part = (t - leg[0][0]) / (leg[1][0] - leg[0][0]);
            (leg[0][1] + part * (leg[1][1] - leg[0][1]), leg[0][2] + part * (leg[1][2] - leg[0][2]))
        };
        let ([w, h], x, foot) = (self.size, x as f32, foot as f32);
        BBox::new(x - w / 2.0, foot - h, x + w / 2.0, foot)
    }
}

/// 0..=255, the same for the same arguments.
fn pattern(x: u32, y: u32, seed: u32) -> u32 {
    let mut v = x.wrapping_mul(0x9e37_79b1) ^ y.wrapping_mul(0x85eb_ca77) ^ seed.wrapping_mul(0xc2b2_ae3d);
    v = (v ^ (v >> 15)).wrapping_mul(0x2c1b_3c6d);
    v = (v ^ (v >> 12)).wrapping_mul(0x297a_2d39);
    (v ^ (v >> 15)) >> 24
}

/// Second and number of the frame that is being looked at.
pub(crate) type Now = Arc<Mutex<(f64, u64)>>;

pub(crate) struct Eyes(pub(crate) Scenario, pub(crate) Now);

impl Detector for Eyes {
    fn detect(&mut self, _: &Frame) -> Result<Vec<Detection>, DetectError> {
        let (t, frame) = *self.1.lock().unwrap();
        if within(&self.0.shed, t) { Err(DetectError::Shed) } else { Ok(self.0.detections(t, frame)) }
    }

    fn detect_in(&mut self, frame: &Frame, part: BBox) -> Result<Vec<Detection>, DetectError> {
        let mut found = self.detect(frame)?;
        found.retain(|thing| thing.bbox.intersection(part).is_some());
        Ok(found)
    }
}

impl ChangeDetector for Eyes {
    fn update(&mut self, frame: &Frame, _: &[BBox]) -> SceneChange {
        let (t, _) = *self.1.lock().unwrap();
        self.0.change(t, frame.captured_at)
    }

    fn begin_run(&mut self) {}

    fn is_undecided(&self) -> bool {
        false
    }
}
