//! What speaks for and against a change at each cell of a roof: how the two patches differ in structure, light, colour
//! and deep features, and what they show there.

use super::{features::FeatureGrid, patch::Patch, plane::PLANES, relief::Eye};
use crate::{
    light::Light,
    raster::{Size, box_mean, eroded, halved},
    small::Small,
};

/// Pixels of a patch across a cell.
pub const CELL_PIXELS: usize = 4;

/// Numbers for each cell of a pair of looks.
pub(super) const PAIR_CUES: usize = 18;
/// Numbers for each cell: a pair's on each plane, then how much the looks before and those after are at odds with
/// themselves on each plane.
pub(super) const CUES: usize = (PAIR_CUES + 2) * PLANES.len();
/// Where the discords are among them.
pub(super) const DISCORDS: usize = PAIR_CUES * PLANES.len();

/// Names of the cues of a pair of looks, in their order.
pub const CUE_NAMES: [&str; PAIR_CUES] = [
    "new_s8",
    "new_s16",
    "gone_s8",
    "gone_s16",
    "structure",
    "brighter",
    "luma",
    "chroma",
    "slopes",
    "green_before",
    "green_after",
    "texture_before",
    "texture_after",
    "luma_before",
    "luma_after",
    "saturation_before",
    "saturation_after",
    "shade",
];

pub(super) type Cues = [f32; CUES];
pub(super) type PairCues = [f32; PAIR_CUES];

/// One look at a roof, prepared for comparison: a patch on the roof's grid with its deep features.
#[derive(Debug, Clone)]
pub struct View {
    half: Small,
    size: Size,
    /// Pixels across the patch.
    width: usize,
    seen: Vec<bool>,
    features: Vec<FeatureGrid>,
    eye: Option<Eye>,
}

impl View {
    /// Prepares a patch. `features` are its deep features from fine to coarse: two maps (strides 8 and 16), or none.
    /// `eye` is where it was taken from, if that is known and not straight above everything.
    pub fn new(patch: &Patch, features: Vec<FeatureGrid>, eye: Option<Eye>) -> Self {
        let size = patch.size();
        let whole = patch.small();
        let (y, half) = halved(&whole.y, size);
        let (u, v) = (halved(&whole.u, size).0, halved(&whole.v, size).0);
        let seen = eroded(patch.seen(), size, 1);
        let seen = (0..half.len()).map(|i| seen[(i / half.w * 2) * size.w + i % half.w * 2]).collect();
        Self { half: Small { y, u, v }, size: half, width: size.w, seen, features, eye }
    }

    pub(super) fn cells(&self) -> Size {
        const HALF: usize = CELL_PIXELS / 2;
        Size { w: (self.size.w / HALF).max(1), h: (self.size.h / HALF).max(1) }
    }

    /// Without what is only needed to compare it.
    pub(super) fn slim(self) -> Self {
        let half = Small { u: Vec::new(), v: Vec::new(), ..self.half };
        Self { half, features: Vec::new(), ..self }
    }

    pub(super) fn eye(&self) -> Option<Eye> {
        self.eye
    }

    /// The same look with its pixels moved.
    pub(super) fn with(&self, half: Small, seen: Vec<bool>, features: Vec<FeatureGrid>) -> Self {
        Self { half, seen, features, ..*self }
    }

    pub(super) fn half(&self) -> &Small {
        &self.half
    }

    pub(super) fn features(&self) -> &[FeatureGrid] {
        &self.features
    }

    /// Half of the patch's size, in which pixels are compared.
    pub(super) fn half_size(&self) -> Size {
        self.size
    }

    pub(super) fn half_luma(&self) -> &[f32] {
        &self.half.y
    }

    pub(super) fn is_seen(&self, i: usize) -> bool {
        self.seen[i]
    }

    pub(super) fn patch_width(&self) -> usize {
        self.width
    }

    pub(super) fn cell_of(&self, i: usize) -> usize {
        let cells = self.cells();
        let (x, y) = (i % self.size.w / 2, i / self.size.w / 2);
        y.min(cells.h - 1) * cells.w + x.min(cells.w - 1)
    }
}

/// One pair of looks, compared.
pub(super) struct Pair {
    /// For each cell, unless it is hidden in one of the two.
    pub(super) cells: Vec<Option<PairCues>>,
    /// The whole difference, by which pairs are ordered.
    pub(super) difference: Vec<f32>,
}

/// Compares two looks at a roof. `roof` (cells) says where the light is to be compared.
pub(super) fn compared(before: &View, after: &View, roof: &[bool]) -> Pair {
    let size = before.size;
    let cells = before.cells();
    let hidden: Vec<bool> = before.seen.iter().zip(&after.seen).map(|(b, a)| !b || !a).collect();
    let b = &before.half;
    let mut a = after.half.clone();
    a = Light::between(b, &a, |i| hidden[i] || !roof[before.cell_of(i)]).normalized(&a);
    let mut cues = vec![[0.0f32; PAIR_CUES]; cells.len()];
    deep(&mut cues, before, after, cells);
    let pixels = [
        (4, structure(&b.y, &a.y, size)),
        (5, smoothed(size, |i| (a.y[i] - b.y[i]) / 64.0)),
        (7, smoothed(size, |i| ((a.u[i] - b.u[i]).abs() + (a.v[i] - b.v[i]).abs()) / 32.0)),
        (8, slopes_kept(&b.y, &a.y, size)),
        (9, smoothed(size, |i| green(b, i))),
        (10, smoothed(size, |i| green(&a, i))),
        (11, texture(&b.y, size)),
        (12, texture(&a.y, size)),
        (13, smoothed(size, |i| b.y[i] / 128.0 - 1.0)),
        (14, smoothed(size, |i| a.y[i] / 128.0 - 1.0)),
        (15, smoothed(size, |i| (b.u[i].abs() + b.v[i].abs()) / 32.0)),
        (16, smoothed(size, |i| (a.u[i].abs() + a.v[i].abs()) / 32.0)),
        (17, shade(b, &a, size)),
    ];
    let mut counts = vec![0usize; cells.len()];
    let mut seen = vec![0usize; cells.len()];
    for i in 0..size.len() {
        let cell = before.cell_of(i);
        counts[cell] += 1;
        if hidden[i] {
            continue;
        }
        seen[cell] += 1;
        for (k, values) in &pixels {
            cues[cell][*k] += values[i];
        }
    }
    for (cue, seen) in cues.iter_mut().zip(&seen) {
        for (k, _) in &pixels {
            cue[*k] /= (*seen).max(1) as f32;
        }
        cue[6] = cue[5].abs();
    }
    let difference = cues.iter().map(whole_difference).collect();
    let cells =
        cues.into_iter().enumerate().map(|(i, c)| (seen[i] * 4 >= counts[i] * 3).then_some(c)).collect();
    Pair { cells, difference }
}

/// One number for how different a cell is; only its order among pairs of looks counts.
fn whole_difference(c: &PairCues) -> f32 {
    3.0 * (c[0] + c[1] + c[2] + c[3]) + c[4] + c[6] + c[7]
}

fn deep(cues: &mut [PairCues], before: &View, after: &View, cells: Size) {
    for (k, (b, a)) in before.features.iter().zip(&after.features).take(2).enumerate() {
        for (offset, from, to) in [(0, a, b), (2, b, a)] {
            let Some(unlike) = from.unlike(to) else { continue };
            for (cue, value) in cues.iter_mut().zip(from.at_cells(&unlike, cells, CELL_PIXELS)) {
                cue[offset + k] = value;
            }
        }
    }
}

fn smoothed(size: Size, value: impl Fn(usize) -> f32) -> Vec<f32> {
    let values: Vec<f32> = (0..size.len()).map(value).collect();
    box_mean(&values, size, 1)
}

/// Radius of the windows in which structure is compared, half-size pixels.
const WINDOW: usize = 3;
/// Variance of luma that is noise (levels squared).
const NOISE: f32 = 40.0;

/// 1 − the structural part of SSIM (Wang et al. 2004), least over displacements by a pixel.
pub(super) fn structure(b: &[f32], a: &[f32], size: Size) -> Vec<f32> {
    let moments = |v: &[f32]| {
        let mean = box_mean(v, size, WINDOW);
        let squares: Vec<f32> = v.iter().map(|v| v * v).collect();
        let mut variance = box_mean(&squares, size, WINDOW);
        variance.iter_mut().zip(&mean).for_each(|(v, m)| *v = (*v - m * m).max(0.0));
        (mean, variance)
    };
    let ((mean_b, var_b), (mean_a, var_a)) = (moments(b), moments(a));
    let mut least = vec![1.0f32; size.len()];
    for (dx, dy) in [(0isize, 0isize), (1, 0), (-1, 0), (0, 1), (0, -1)] {
        let at = |i: usize| {
            let x = (i % size.w).saturating_add_signed(dx).min(size.w - 1);
            let y = (i / size.w).saturating_add_signed(dy).min(size.h - 1);
            y * size.w + x
        };
        let products: Vec<f32> = (0..size.len()).map(|i| a[i] * b[at(i)]).collect();
        let mean = box_mean(&products, size, WINDOW);
        for i in 0..size.len() {
            let j = at(i);
            let covariance = mean[i] - mean_a[i] * mean_b[j];
            let alike = (2.0 * covariance + NOISE) / (var_a[i] + var_b[j] + NOISE);
            least[i] = least[i].min(1.0 - alike.clamp(0.0, 1.0));
        }
    }
    least
}

/// How much of the slopes of the one are in the other whatever their height, −1..=1: texture that shines through a
/// shadow keeps its slopes' signs.
fn slopes_kept(b: &[f32], a: &[f32], size: Size) -> Vec<f32> {
    let log = |v: &[f32]| v.iter().map(|v| (v.max(0.0) + 8.0).ln()).collect::<Vec<f32>>();
    let (lb, la) = (log(b), log(a));
    let ((bx, by), (ax, ay)) = (crate::raster::gradients(&lb, size), crate::raster::gradients(&la, size));
    let mean = |value: &dyn Fn(usize) -> f32| {
        let values: Vec<f32> = (0..size.len()).map(value).collect();
        box_mean(&values, size, WINDOW)
    };
    let both = mean(&|i| ax[i] * bx[i] + ay[i] * by[i]);
    let bb = mean(&|i| bx[i] * bx[i] + by[i] * by[i]);
    let aa = mean(&|i| ax[i] * ax[i] + ay[i] * ay[i]);
    (0..size.len()).map(|i| both[i] / ((aa[i] * bb[i]).max(0.0).sqrt() + 3e-4)).collect()
}

fn texture(v: &[f32], size: Size) -> Vec<f32> {
    let mean = box_mean(v, size, 2);
    let squares: Vec<f32> = v.iter().zip(&mean).map(|(v, m)| (v - m) * (v - m)).collect();
    box_mean(&squares, size, 2).into_iter().map(|s| s.sqrt() / 16.0).collect()
}

/// Excess green (Woebbecke et al. 1995) of a pixel: 2g − r − b as shares of brightness; leaves have 0.1 and more.
fn green(s: &Small, i: usize) -> f32 {
    let (y, u, v) = (s.y[i], s.u[i], s.v[i]);
    let (r, g, b) = (y + 1.402 * v, y - 0.344 * u - 0.714 * v, y + 1.772 * u);
    (2.0 * g - r - b) / (r + g + b).max(30.0)
}

/// How well darkness or light alone explains the difference: 1 when the ratio of brightness is the same all around and
/// the colour is kept, falling to 0.
fn shade(b: &Small, a: &Small, size: Size) -> Vec<f32> {
    let ratio: Vec<f32> =
        (0..size.len()).map(|i| ((a.y[i].max(0.0) + 8.0) / (b.y[i].max(0.0) + 8.0)).ln()).collect();
    let mean = box_mean(&ratio, size, 2);
    let squares: Vec<f32> = ratio.iter().zip(&mean).map(|(r, m)| (r - m) * (r - m)).collect();
    let spread = box_mean(&squares, size, 2);
    (0..size.len())
        .map(|i| {
            let factor = mean[i].exp();
            let tint = (a.u[i] - factor * b.u[i]).abs() + (a.v[i] - factor * b.v[i]).abs();
            (-(spread[i].sqrt() / 0.15 + tint / 12.0)).exp()
        })
        .collect()
}
