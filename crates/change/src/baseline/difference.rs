//! Where two aligned pictures differ in structure or colour, with the light made equal.

use parapet_core::Picture;

use crate::{
    config::BaselineConfig,
    light::Light,
    raster::{Size, box_mean},
    small::Small,
};

/// Another way to say where two pictures differ: the door for deep features. Both pictures show the same view at the
/// same size, aligned to about a pixel.
pub trait DifferenceMap: Send {
    /// How different the pictures are, place by place; `None` where it cannot say (the built-in map is used then).
    fn difference(&mut self, baseline: &Picture, current: &Picture) -> Option<ScoreMap>;
}

/// Differences over the frame, row by row, at any size.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreMap {
    /// Cells across.
    pub width: usize,
    /// Cells down.
    pub height: usize,
    /// `width * height` scores, 0 (the same) to 1 (nothing in common).
    pub scores: Vec<f32>,
}

/// The score of each pixel: the structural part of SSIM (Wang et al. 2004), least over displacements by a pixel, or
/// the difference in colour or brightness where it is larger. A score of `min_score` is at the limit.
pub(super) fn structural(
    baseline: &Small,
    current: &mut Small,
    size: Size,
    skipped: &[bool],
    config: &BaselineConfig,
) -> Vec<f32> {
    *current = Light::between(baseline, current, |i| skipped[i]).normalized(current);
    let mut scores = vec![1.0f32; size.len()];
    for (dx, dy) in [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)] {
        let moved = displaced(&baseline.y, size, dx, dy);
        for (score, s) in scores.iter_mut().zip(dissimilarity(&moved, &current.y, size)) {
            *score = score.min(s);
        }
    }
    let smooth = |a: &[f32], b: &[f32]| {
        let difference: Vec<f32> = a.iter().zip(b).map(|(a, b)| a - b).collect();
        box_mean(&difference, size, 2)
    };
    let (y, u, v) =
        (smooth(&current.y, &baseline.y), smooth(&current.u, &baseline.u), smooth(&current.v, &baseline.v));
    for i in 0..size.len() {
        let chroma = (u[i].abs() + v[i].abs()) / config.chroma_difference;
        let luma = y[i].abs() / config.luma_difference;
        scores[i] = scores[i].max(chroma.max(luma) * config.min_score).min(1.0);
    }
    scores
}

fn displaced(values: &[f32], size: Size, dx: isize, dy: isize) -> Vec<f32> {
    let clamp = |v: usize, d: isize, n: usize| v.saturating_add_signed(d).min(n - 1);
    let mut out = Vec::with_capacity(size.len());
    for y in 0..size.h {
        let row = &values[clamp(y, dy, size.h) * size.w..][..size.w];
        out.extend((0..size.w).map(|x| row[clamp(x, dx, size.w)]));
    }
    out
}

fn dissimilarity(a: &[f32], b: &[f32], size: Size) -> Vec<f32> {
    const R: usize = 4;
    /// Variance that is noise: below it, nothing is structure.
    const NOISE: f32 = 80.0;
    let (mean_a, mean_b) = (box_mean(a, size, R), box_mean(b, size, R));
    let product = |p: &[f32], q: &[f32]| -> Vec<f32> { p.iter().zip(q).map(|(p, q)| p * q).collect() };
    let (aa, bb, ab) = (
        box_mean(&product(a, a), size, R),
        box_mean(&product(b, b), size, R),
        box_mean(&product(a, b), size, R),
    );
    (0..size.len())
        .map(|i| {
            let (va, vb) =
                ((aa[i] - mean_a[i] * mean_a[i]).max(0.0), (bb[i] - mean_b[i] * mean_b[i]).max(0.0));
            let c = ab[i] - mean_a[i] * mean_b[i];
            1.0 - ((2.0 * c + NOISE) / (va + vb + NOISE)).clamp(0.0, 1.0)
        })
        .collect()
}
