//! What a stable foreground region is: a thing that was put there, the ghost of one that left, or only light.

use crate::{
    raster::{Size, box_mean},
    small::Small,
};

/// A region's surroundings, before and now.
pub(crate) struct Evidence<'a> {
    pub(crate) size: Size,
    /// The view without what is judged.
    pub(crate) reference: &'a Small,
    /// What is seen in the region now, in the reference's light.
    pub(crate) present: &'a Small,
    /// Whether `present` is known at a pixel.
    pub(crate) known: &'a dyn Fn(usize) -> bool,
    /// Whether a pixel outside shows the reference.
    pub(crate) ground: &'a dyn Fn(usize) -> bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It has its own border in the present picture.
    Thing,
    /// Its border is in the reference: something that stood there has left.
    Ghost,
    /// The ground is still to be seen in it, darker or brighter.
    Light,
    /// A part of the view that hangs or sways has moved by a few pixels: barrier tape, a branch, a cable.
    Sway,
}

pub(crate) fn judge(scene: &Evidence<'_>, region: &[u32], ignore_shadows: bool) -> Verdict {
    let mut inside = vec![false; scene.size.len()];
    for i in region {
        inside[*i as usize] = true;
    }
    if is_ghost(scene, region, &inside) {
        return Verdict::Ghost;
    }
    if ignore_shadows && is_light(scene, region, &inside) {
        return Verdict::Light;
    }
    if has_swayed(scene, region) {
        return Verdict::Sway;
    }
    Verdict::Thing
}

/// Whether the region shows the same colours as before, only arranged anew: the share of them that the present and
/// the reference have in common (histogram intersection, Swain and Ballard 1991), least over the three channels.
fn has_swayed(scene: &Evidence<'_>, region: &[u32]) -> bool {
    let known: Vec<usize> = region.iter().map(|i| *i as usize).filter(|i| (scene.known)(*i)).collect();
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
    let (present, past) = (&scene.present, &scene.reference);
    let shares = [
        shared(&present.y, &past.y, 14.0),
        shared(&present.u, &past.u, 6.0),
        shared(&present.v, &past.v, 6.0),
    ];
    shares.iter().all(|share| *share > 0.58)
}

/// Compares the contrast across the region's border in the present picture with that in the reference. Outside the
/// region the two are the same, so the candidate or the reference inside is held against the reference outside.
fn is_ghost(scene: &Evidence<'_>, region: &[u32], inside: &[bool]) -> bool {
    let Size { w, h } = scene.size;
    let values: Vec<f32> = inside.iter().map(|b| f32::from(u8::from(*b))).collect();
    let soft = box_mean(&values, scene.size, 2);
    let (mut present, mut past) = (0.0f32, 0.0f32);
    let color = |small: &Small, i: usize| [small.y[i], small.u[i], small.v[i]];
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
        if !inside[inner] || inside[outer] || !(scene.ground)(outer) || !(scene.known)(inner) {
            continue;
        }
        let ground = color(scene.reference, outer);
        present += contrast(color(scene.present, inner), ground);
        past += contrast(color(scene.reference, inner), ground);
    }
    past > present
}

/// Shadow and sun: brightness times a factor, colour kept, texture kept. A region without any texture counts only as
/// a shadow that is even and not deep: dark things are things.
fn is_light(scene: &Evidence<'_>, region: &[u32], inside: &[bool]) -> bool {
    let w = scene.size.w;
    let (reference, present) = (&scene.reference, &scene.present);
    let (mut n, mut sum, mut squares) = (0.0f32, 0.0f32, 0.0f32);
    // Slopes well inside, and on the border too: there the region's own edge adds to them, but a thin one has no
    // other.
    let (mut deep, mut all) = (Slopes::default(), Slopes::default());
    for i in region {
        let i = *i as usize;
        if !(scene.known)(i) {
            continue;
        }
        let ratio = (present.y[i].max(0.0) + 2.0) / (reference.y[i].max(0.0) + 2.0);
        n += 1.0;
        sum += ratio;
        squares += ratio * ratio;
        let within = |d: usize| {
            i > d * w
                && i + d * w < inside.len()
                && [i - d, i + d, i - d * w, i + d * w].iter().all(|j| inside[*j] && (scene.known)(*j))
        };
        if within(1) {
            let slope = |v: &[f32]| (v[i + 1] - v[i - 1], v[i + w] - v[i - w]);
            all.add(slope(&reference.y), slope(&present.y));
            if within(3) {
                deep.add(slope(&reference.y), slope(&present.y));
            }
        }
    }
    let slopes = if deep.n >= 12.0 { deep } else { all };
    if n < 8.0 || slopes.n < 4.0 {
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
        .filter(|i| (scene.known)(*i))
        .map(|i| {
            (present.u[i] - factor * reference.u[i]).abs() + (present.v[i] - factor * reference.v[i]).abs()
        })
        .sum::<f32>()
        / n;
    if slopes.reference / slopes.n > 12.0 {
        let correlation = slopes.both / (slopes.reference * slopes.present.max(1e-3)).sqrt();
        // Strong colours shift with the light too; then the texture must vouch for the ground.
        return spread < 0.35 * factor && correlation > if tint > 9.0 { 0.85 } else { 0.65 };
    }
    tint < 9.0 && slopes.present / slopes.n < 12.0 && (0.5..0.97).contains(&factor) && spread < 0.08
}

/// Sums over pixels of squared slopes of brightness and of their products.
#[derive(Clone, Copy, Default)]
struct Slopes {
    n: f32,
    reference: f32,
    present: f32,
    both: f32,
}

impl Slopes {
    fn add(&mut self, reference: (f32, f32), present: (f32, f32)) {
        self.n += 1.0;
        self.reference += reference.0 * reference.0 + reference.1 * reference.1;
        self.present += present.0 * present.0 + present.1 * present.1;
        self.both += reference.0 * present.0 + reference.1 * present.1;
    }
}
