//! What a stable foreground region is: a thing that was put there, the ghost of one that left, or only light.

use super::model::Pixels;
use crate::{
    config::BackgroundConfig,
    raster::{Size, box_mean},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It has its own border in the present picture.
    Thing,
    /// Its border is in the reference: something that stood there has left.
    Ghost,
    /// The ground is still to be seen in it, darker or brighter.
    Light,
    /// A part of the view that hangs or sways has moved by a few pixels: barrier tape, a branch, a cable.
    Sway,
}

pub(super) fn judge(model: &Pixels, region: &[u32], config: &BackgroundConfig) -> Verdict {
    let mut inside = vec![false; model.size.len()];
    for i in region {
        inside[*i as usize] = true;
    }
    if is_ghost(model, region, &inside) {
        return Verdict::Ghost;
    }
    if config.ignore_shadows && is_light(model, region, &inside) {
        return Verdict::Light;
    }
    if has_swayed(model, region) {
        return Verdict::Sway;
    }
    Verdict::Thing
}

/// Whether the region shows the same colours as before, only arranged anew: the share of them that the present and
/// the reference have in common (histogram intersection, Swain and Ballard 1991), least over the three channels.
fn has_swayed(model: &Pixels, region: &[u32]) -> bool {
    let known: Vec<usize> = region.iter().map(|i| *i as usize).filter(|i| model.seen[*i] > 0.0).collect();
    let shared = |present: &[f32], past: &[f32], width: f32| {
        let histogram = |values: &[f32]| {
            let mut bins = [0.0f32; 64];
            for i in &known {
                // Each value is shared between its two nearest bins.
                let place = (values[*i] / width + 24.0).clamp(0.0, 62.0);
                let bin = place as usize;
                bins[bin] += 1.0 - place.fract();
                bins[bin + 1] += place.fract();
            }
            bins
        };
        let (a, b) = (histogram(present), histogram(past));
        a.iter().zip(&b).map(|(a, b)| a.min(*b)).sum::<f32>() / known.len().max(1) as f32
    };
    let (present, past) = (&model.candidate, &model.reference);
    let shares =
        [shared(&present.y, &past.y, 14.0), shared(&present.u, &past.u, 6.0), shared(&present.v, &past.v, 6.0)];
    shares.iter().all(|share| *share > 0.65)
}

/// Compares the contrast across the region's border in the present picture with that in the reference. Outside the
/// region the two are the same, so the candidate or the reference inside is held against the reference outside.
fn is_ghost(model: &Pixels, region: &[u32], inside: &[bool]) -> bool {
    let Size { w, h } = model.size;
    let values: Vec<f32> = inside.iter().map(|b| f32::from(u8::from(*b))).collect();
    let soft = box_mean(&values, model.size, 2);
    let (mut present, mut past) = (0.0f32, 0.0f32);
    let color = |small: &crate::small::Small, i: usize| [small.y[i], small.u[i], small.v[i]];
    let contrast = |a: [f32; 3], b: [f32; 3]| {
        ((a[0] - b[0]).abs() + 1.5 * ((a[1] - b[1]).abs() + (a[2] - b[2]).abs())).min(50.0)
    };
    for i in region {
        let i = *i as usize;
        let (x, y) = (i % w, i / w);
        if x < 3 || y < 3 || x + 3 >= w || y + 3 >= h {
            continue;
        }
        if inside[i - 1] && inside[i + 1] && inside[i - w] && inside[i + w] {
            continue;
        }
        // Outward: down the slope of the softened region.
        let (nx, ny) = (soft[i - 1] - soft[i + 1], soft[i - w] - soft[i + w]);
        let length = nx.hypot(ny);
        if length < 1e-3 {
            continue;
        }
        let step = |d: f32| {
            let px = (x as f32 + nx / length * d).round() as usize;
            let py = (y as f32 + ny / length * d).round() as usize;
            py * w + px
        };
        let (inner, outer) = (step(-1.5), step(2.5));
        if !inside[inner] || inside[outer] || model.seen[inner] == 0.0 {
            continue;
        }
        let ground = color(&model.reference, outer);
        present += contrast(color(&model.candidate, inner), ground);
        past += contrast(color(&model.reference, inner), ground);
    }
    past > 1.25 * present
}

/// Shadow and sun: brightness times a factor, colour kept, texture kept. A region without any texture counts only as
/// a shadow that is even and not deep: dark things are things.
fn is_light(model: &Pixels, region: &[u32], inside: &[bool]) -> bool {
    let w = model.size.w;
    let (reference, candidate) = (&model.reference, &model.candidate);
    let (mut n, mut sum, mut squares) = (0.0f32, 0.0f32, 0.0f32);
    let (mut rr, mut cc, mut rc, mut textured) = (0.0f32, 0.0f32, 0.0f32, 0.0f32);
    for i in region {
        let i = *i as usize;
        if model.seen[i] == 0.0 {
            continue;
        }
        let ratio = (candidate.y[i].max(0.0) + 2.0) / (reference.y[i].max(0.0) + 2.0);
        n += 1.0;
        sum += ratio;
        squares += ratio * ratio;
        let interior = i > w
            && i + w < inside.len()
            && [i - 1, i + 1, i - w, i + w].iter().all(|j| inside[*j] && model.seen[*j] > 0.0);
        if interior {
            let slope = |v: &[f32]| (v[i + 1] - v[i - 1], v[i + w] - v[i - w]);
            let (rx, ry) = slope(&reference.y);
            let (cx, cy) = slope(&candidate.y);
            rr += rx * rx + ry * ry;
            cc += cx * cx + cy * cy;
            rc += rx * cx + ry * cy;
            textured += 1.0;
        }
    }
    if n < 8.0 || textured < 4.0 {
        return false;
    }
    let factor = sum / n;
    let spread = (squares / n - factor * factor).max(0.0).sqrt();
    if !(0.35..2.5).contains(&factor) {
        return false;
    }
    let tint = region
        .iter()
        .map(|i| *i as usize)
        .filter(|i| model.seen[*i] > 0.0)
        .map(|i| {
            (candidate.u[i] - factor * reference.u[i]).abs() + (candidate.v[i] - factor * reference.v[i]).abs()
        })
        .sum::<f32>()
        / n;
    if tint > 9.0 {
        return false;
    }
    if rr / textured > 12.0 {
        let correlation = rc / (rr * cc.max(1e-3)).sqrt();
        return correlation > 0.65 && spread < 0.35 * factor;
    }
    cc / textured < 12.0 && (0.5..0.97).contains(&factor) && spread < 0.08
}
