//! The comparison with an approved picture on made roofs: a shed is found under other light and another aim, and
//! nothing is found where nothing was built.

#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod support;

use std::sync::Arc;

use parapet_change::{BaselineConfig, ChangeConfig, ViewChange};
use parapet_core::{BBox, ChangeDetector, Picture, Polygon, SceneChange, change::BaselineState};
use support::{at, frame};

const W: usize = 960;
const H: usize = 540;

fn hash(mut n: u64) -> u64 {
    n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

#[derive(Clone, Copy, Default)]
struct View {
    shift: [f32; 2],
    turn: f32,
    gain: Option<f32>,
    /// The shadow of a neighbouring block falls over a part of the roof.
    shadow: bool,
    shed: bool,
    seed: u64,
}

const SHED: [f32; 4] = [430.0, 230.0, 540.0, 310.0];

/// A flat roof with slabs, a parapet, vents and a street around it.
fn roof(view: View) -> Arc<Picture> {
    let mut rgb = Vec::with_capacity(W * H * 3);
    let gain = view.gain.unwrap_or(1.0);
    for py in 0..H {
        for px in 0..W {
            let (cx, cy) = (px as f32 - W as f32 / 2.0, py as f32 - H as f32 / 2.0);
            let x = cx * view.turn.cos() - cy * view.turn.sin() + W as f32 / 2.0 + view.shift[0];
            let y = cx * view.turn.sin() + cy * view.turn.cos() + H as f32 / 2.0 + view.shift[1];
            let (ix, iy) = (x.max(0.0) as u64, y.max(0.0) as u64);
            let on_roof = (200.0..760.0).contains(&x) && (120.0..430.0).contains(&y);
            let mut color = if on_roof {
                let slab = (hash(ix / 40 * 131 + iy / 30 * 7 + 5) % 18) as f32;
                let joint = ix % 40 == 0 || iy % 30 == 0;
                let vent = (600.0..640.0).contains(&x) && (180.0..210.0).contains(&y);
                let base = if vent {
                    60.0
                } else if joint {
                    110.0
                } else {
                    140.0 + slab
                };
                [base, base * 0.99, base * 0.94]
            } else {
                let block = hash(ix / 53 * 977 + iy / 37 * 31 + 1000 * view.seed);
                let grain = (hash(ix / 6 * 17 + iy / 6 * 7919) % 30) as f32;
                let base = 50.0 + (block % 120) as f32 + grain;
                [base, base, base * 1.05]
            };
            if view.shadow && on_roof && x - 0.5 * y < 190.0 {
                color = color.map(|c| c * 0.6);
            }
            if view.shed && x >= SHED[0] && y >= SHED[1] && x < SHED[2] && y < SHED[3] {
                let rib = if ix % 8 < 4 { 1.0 } else { 0.86 };
                color = if y > 290.0 { [95.0, 100.0, 110.0] } else { [70.0 * rib, 120.0 * rib, 175.0 * rib] };
            }
            let noise = (hash((py * W + px) as u64 + view.shift[0].to_bits() as u64) % 5) as f32 - 2.0;
            rgb.extend(color.map(|c| (c * gain + noise).clamp(0.0, 255.0) as u8));
        }
    }
    Arc::new(Picture::from_rgb(W, H, &rgb).unwrap())
}

fn polygon() -> Polygon {
    Polygon::from_bbox(
        BBox::new(210.0 / W as f32, 130.0 / H as f32, 750.0 / W as f32, 420.0 / H as f32).unwrap(),
    )
    .unwrap()
}

fn view_change(baselines: Vec<Arc<Picture>>) -> ViewChange {
    let baseline =
        BaselineConfig { interval_seconds: 10.0, confirm_comparisons: 2, ..BaselineConfig::default() };
    let config = ChangeConfig { background: None, baseline: Some(baseline) };
    ViewChange::new(&config, &[], &[polygon()], baselines)
}

fn watch(change: &mut ViewChange, view: View, from: u64, frames: u64) -> Vec<SceneChange> {
    (from..from + frames).map(|i| change.update(&frame(roof(view), i, i as f64 * 5.0), &[])).collect()
}

#[test]
fn a_shed_is_found_from_a_slightly_other_aim_in_other_light_and_goes_when_it_is_torn_down() {
    let mut change = view_change(vec![roof(View::default())]);
    let view = View { shift: [3.5, -2.0], turn: 0.004, gain: Some(0.8), ..View::default() };
    let before = watch(&mut change, view, 0, 5);
    assert_eq!(before[0].baseline, BaselineState::Compared);
    assert_eq!(before[1].baseline, BaselineState::Waiting);
    assert!(before.iter().all(|c| c.differences.is_empty()), "{:?}", before.last().unwrap().differences);

    assert!(!change.is_undecided());
    watch(&mut change, View { shed: true, ..view }, 5, 2);
    assert!(change.is_undecided(), "another comparison is to confirm it");
    let built = watch(&mut change, View { shed: true, ..view }, 7, 4);
    assert!(!change.is_undecided());
    let differences = &built.last().unwrap().differences;
    assert_eq!(differences.len(), 1, "{differences:?}");
    let [a, b, c, d] = SHED;
    let truth = BBox::new(a / W as f32, b / H as f32, c / W as f32, d / H as f32).unwrap();
    // In the present frame, which is off the baseline by the shift.
    let truth = truth.translated(-3.5 / W as f32, 2.0 / H as f32);
    assert!(differences[0].bbox.iou(truth) > 0.65, "{:?} {truth:?}", differences[0].bbox);
    assert_eq!(differences[0].since, at(30.0), "seen first in the comparison at 30 s");

    let torn = watch(&mut change, view, 11, 6);
    assert!(torn.last().unwrap().differences.is_empty());
}

#[test]
fn shadow_light_and_aim_alone_are_no_difference() {
    for (i, view) in [
        View { gain: Some(0.6), shift: [-4.0, 1.0], ..View::default() },
        View { gain: Some(1.15), shift: [1.0, 4.0], turn: -0.006, ..View::default() },
        View { shadow: true, shift: [0.5, 0.5], ..View::default() },
    ]
    .into_iter()
    .enumerate()
    {
        let mut change = view_change(vec![roof(View::default())]);
        let seen = watch(&mut change, view, 0, 8);
        assert!(seen.iter().all(|c| c.differences.is_empty()), "{i}: {:?}", seen.last().unwrap().differences);
        assert!(seen.iter().all(|c| c.baseline != BaselineState::NotRegistered), "{i}");
    }
}

#[test]
fn another_view_is_refused_and_the_better_of_two_baselines_is_taken() {
    let elsewhere = View { seed: 9, shift: [400.0, 220.0], ..View::default() };
    let mut change = view_change(vec![roof(View::default())]);
    assert_eq!(watch(&mut change, elsewhere, 0, 1)[0].baseline, BaselineState::NotRegistered);
    let with_shed = View { shed: true, ..View::default() };
    let mut change = view_change(vec![roof(elsewhere), roof(with_shed)]);
    let seen = watch(&mut change, with_shed, 0, 5);
    assert_eq!(seen[0].baseline, BaselineState::Compared);
    assert!(seen.iter().all(|c| c.differences.is_empty()));
}
