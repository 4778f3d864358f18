//! Corners with descriptions: Harris corners (Harris and Stephens 1988) in a pyramid, described by histograms of the
//! slopes around them (Lowe 2004), as vectors whose inner product is their likeness (Arandjelović and Zisserman 2012).

use crate::raster::{Size, box_mean, gradients, halved};

/// Numbers of a description: 4 × 4 fields of 8 directions.
const LENGTH: usize = 128;
/// Levels of the pyramid, each half the size of the last.
const LEVELS: usize = 3;

/// A corner.
#[derive(Debug, Clone)]
pub(super) struct Corner {
    /// Where, in pixels of the whole size.
    pub(super) x: f32,
    pub(super) y: f32,
    level: usize,
    description: Box<[f32; LENGTH]>,
}

impl Corner {
    /// The square of the distance of two descriptions, 0 (the same) to 2.
    fn unlikeness(&self, other: &Self) -> f32 {
        let product: f32 = self.description.iter().zip(other.description.iter()).map(|(a, b)| a * b).sum();
        2.0 - 2.0 * product
    }
}

/// At most about `wanted` corners where `allowed` is set, spread over the picture. With `turned`, descriptions are
/// relative to each corner's own direction, for pictures that may be turned against each other.
pub(super) fn corners(
    luma: &[f32],
    size: Size,
    allowed: &[bool],
    wanted: usize,
    turned: bool,
) -> Vec<Corner> {
    let mut found = Vec::new();
    let (mut values, mut level_size) = (luma.to_vec(), size);
    for level in 0..LEVELS {
        if level > 0 {
            (values, level_size) = halved(&values, level_size);
        }
        if level_size.w < 40 || level_size.h < 40 {
            break;
        }
        let scale = 1usize << level;
        let smooth = box_mean(&values, level_size, 1);
        let (gx, gy) = gradients(&smooth, level_size);
        let response = harris(&gx, &gy, level_size);
        let is_allowed =
            |x: usize, y: usize| allowed[(y * scale).min(size.h - 1) * size.w + (x * scale).min(size.w - 1)];
        let share = wanted / (1 << (2 * level)).min(8);
        for (x, y) in strongest(&response, level_size, share, is_allowed) {
            let directions = if turned { directions(&gx, &gy, level_size, x, y) } else { vec![0.0] };
            for direction in directions {
                if let Some(description) = described(&gx, &gy, level_size, x, y, direction) {
                    let at = |v: f32| (v + 0.5) * scale as f32 - 0.5;
                    found.push(Corner { x: at(x), y: at(y), level, description });
                }
            }
        }
    }
    found
}

/// The smaller eigenvalue of the slopes' second moments (Shi and Tomasi 1994).
fn harris(gx: &[f32], gy: &[f32], size: Size) -> Vec<f32> {
    let product = |a: &[f32], b: &[f32]| {
        let p: Vec<f32> = a.iter().zip(b).map(|(a, b)| a * b).collect();
        box_mean(&p, size, 2)
    };
    let (xx, yy, xy) = (product(gx, gx), product(gy, gy), product(gx, gy));
    (0..size.len())
        .map(|i| {
            let (half, difference) = (f32::midpoint(xx[i], yy[i]), (xx[i] - yy[i]) / 2.0);
            half - (difference * difference + xy[i] * xy[i]).sqrt()
        })
        .collect()
}

/// The places of the strongest responses, each the greatest among its neighbours, the same number from each field of a
/// 6 × 6 chessboard as far as it has them.
fn strongest(
    response: &[f32],
    size: Size,
    wanted: usize,
    allowed: impl Fn(usize, usize) -> bool,
) -> Vec<(f32, f32)> {
    const FIELDS: usize = 6;
    const MARGIN: usize = 10;
    /// Below it (levels squared) lies the noise of a sensor.
    const LEAST: f32 = 2.0;
    let mut fields: Vec<Vec<(f32, usize)>> = vec![Vec::new(); FIELDS * FIELDS];
    for y in MARGIN..size.h.saturating_sub(MARGIN) {
        for x in MARGIN..size.w.saturating_sub(MARGIN) {
            let i = y * size.w + x;
            let r = response[i];
            if r < LEAST || !allowed(x, y) {
                continue;
            }
            let greatest = (y - 2..=y + 2).all(|ny| {
                (x - 2..=x + 2).all(|nx| {
                    let j = ny * size.w + nx;
                    response[j] < r || j == i || (response[j] == r && j > i)
                })
            });
            if greatest {
                fields[y * FIELDS / size.h * FIELDS + x * FIELDS / size.w].push((r, i));
            }
        }
    }
    for field in &mut fields {
        field.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    }
    let mut chosen = Vec::with_capacity(wanted);
    for rank in 0.. {
        let row: Vec<usize> = fields.iter().filter_map(|f| f.get(rank)).map(|(_, i)| *i).collect();
        if row.is_empty() || chosen.len() >= wanted {
            break;
        }
        chosen.extend(row);
    }
    chosen.truncate(wanted);
    let exact = |i: usize, step: usize| {
        // The top of the parabola through three responses.
        let (a, b, c) = (response[i - step], response[i], response[i + step]);
        let curve = a - 2.0 * b + c;
        if curve < -1e-6 { ((a - c) / (2.0 * curve)).clamp(-0.5, 0.5) } else { 0.0 }
    };
    chosen
        .into_iter()
        .map(|i| ((i % size.w) as f32 + exact(i, 1), (i / size.w) as f32 + exact(i, size.w)))
        .collect()
}

/// The main directions of the slopes around a place, radians: the greatest of 36 and those nearly as great.
fn directions(gx: &[f32], gy: &[f32], size: Size, x: f32, y: f32) -> Vec<f32> {
    const BINS: usize = 36;
    let mut bins = [0.0f32; BINS];
    let (cx, cy) = (x.round() as isize, y.round() as isize);
    for dy in -8isize..=8 {
        for dx in -8isize..=8 {
            let (px, py) = (cx + dx, cy + dy);
            if px < 0 || py < 0 || px as usize >= size.w || py as usize >= size.h {
                continue;
            }
            let i = py as usize * size.w + px as usize;
            let weight = (-((dx * dx + dy * dy) as f32) / 32.0).exp();
            let bin = (gy[i].atan2(gx[i]) / std::f32::consts::TAU * BINS as f32).rem_euclid(BINS as f32);
            bins[bin as usize % BINS] += weight * gx[i].hypot(gy[i]);
        }
    }
    for _ in 0..2 {
        let b = bins;
        for i in 0..BINS {
            bins[i] = (b[(i + BINS - 1) % BINS] + b[i] + b[(i + 1) % BINS]) / 3.0;
        }
    }
    let top = bins.iter().fold(0.0f32, |a, b| a.max(*b));
    let is_peak = |i: usize| {
        bins[i] >= 0.8 * top && bins[i] > bins[(i + BINS - 1) % BINS] && bins[i] >= bins[(i + 1) % BINS]
    };
    (0..BINS)
        .filter(|i| is_peak(*i))
        .map(|i| (i as f32 + 0.5) / BINS as f32 * std::f32::consts::TAU)
        .collect()
}

fn described(
    gx: &[f32],
    gy: &[f32],
    size: Size,
    x: f32,
    y: f32,
    direction: f32,
) -> Option<Box<[f32; LENGTH]>> {
    let (sin, cos) = direction.sin_cos();
    let mut bins = Box::new([0.0f32; LENGTH]);
    for v in 0..16 {
        for u in 0..16 {
            let (du, dv) = (u as f32 - 7.5, v as f32 - 7.5);
            let px = (x + du * cos - dv * sin).round();
            let py = (y + du * sin + dv * cos).round();
            if px < 0.0 || py < 0.0 || px >= size.w as f32 || py >= size.h as f32 {
                continue;
            }
            let i = py as usize * size.w + px as usize;
            let strength = gx[i].hypot(gy[i]) * (-(du * du + dv * dv) / 128.0).exp();
            let turn = ((gy[i].atan2(gx[i]) - direction) / std::f32::consts::TAU * 8.0).rem_euclid(8.0);
            // Each sample is shared among its nearest fields and directions.
            let (fu, fv) = ((du + 7.5) / 4.0 - 0.375, (dv + 7.5) / 4.0 - 0.375);
            let (u0, v0, t0) = (fu.floor(), fv.floor(), turn.floor());
            for (iu, wu) in [(u0, 1.0 - (fu - u0)), (u0 + 1.0, fu - u0)] {
                for (iv, wv) in [(v0, 1.0 - (fv - v0)), (v0 + 1.0, fv - v0)] {
                    if !(0.0..4.0).contains(&iu) || !(0.0..4.0).contains(&iv) {
                        continue;
                    }
                    let field = (iv as usize * 4 + iu as usize) * 8;
                    let (t, wt) = (t0 as usize % 8, turn - t0);
                    bins[field + t] += strength * wu * wv * (1.0 - wt);
                    bins[field + (t + 1) % 8] += strength * wu * wv * wt;
                }
            }
        }
    }
    let norm = |b: &[f32; LENGTH]| b.iter().map(|v| v * v).sum::<f32>().sqrt();
    let first = norm(&bins);
    if first < 1e-3 {
        return None;
    }
    // One strong edge must not outweigh the rest; then the square root of the shares.
    bins.iter_mut().for_each(|v| *v = (*v / first).min(0.2));
    let sum: f32 = bins.iter().sum();
    bins.iter_mut().for_each(|v| *v = (*v / sum).sqrt());
    Some(bins)
}

/// Two corners that look alike.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair {
    pub(super) from: (f64, f64),
    pub(super) to: (f64, f64),
}

/// The pairs of corners that are each other's likest within `reach` pixels, and by a margin.
pub(super) fn pairs(before: &[Corner], after: &[Corner], reach: f32) -> Vec<Pair> {
    /// A pair counts when it is this much nearer than the next at another place (Lowe 2004, on squared distances).
    const RATIO: f32 = 0.8;
    let best = |from: &[Corner], to: &[Corner]| -> Vec<Option<usize>> {
        from.iter()
            .map(|a| {
                let (mut first, mut second) = ((f32::MAX, usize::MAX), f32::MAX);
                for (j, b) in to.iter().enumerate() {
                    if a.level.abs_diff(b.level) > 1 || (a.x - b.x).abs() > reach || (a.y - b.y).abs() > reach
                    {
                        continue;
                    }
                    let d = a.unlikeness(b);
                    if d < first.0 {
                        let same = to.get(first.1).is_some_and(|old| (old.x - b.x).hypot(old.y - b.y) < 4.0);
                        if !same {
                            second = first.0;
                        }
                        first = (d, j);
                    } else if d < second && (to[first.1].x - b.x).hypot(to[first.1].y - b.y) >= 4.0 {
                        second = d;
                    }
                }
                (first.0 < RATIO * second.min(2.0)).then_some(first.1)
            })
            .collect()
    };
    let (forward, back) = (best(before, after), best(after, before));
    let mutual = |i: usize, j: usize| {
        back[j].is_some_and(|k| (before[k].x - before[i].x).hypot(before[k].y - before[i].y) < 3.0)
    };
    (0..before.len())
        .filter_map(|i| forward[i].filter(|j| mutual(i, *j)).map(|j| (i, j)))
        .map(|(i, j)| Pair {
            from: (f64::from(before[i].x), f64::from(before[i].y)),
            to: (f64::from(after[j].x), f64::from(after[j].y)),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { w: 160, h: 120 };

    fn blocks(turn: f32, dx: f32) -> Vec<f32> {
        let (sin, cos) = turn.sin_cos();
        (0..SIZE.len())
            .map(|i| {
                let (x, y) = ((i % SIZE.w) as f32 - 80.0 - dx, (i / SIZE.w) as f32 - 60.0);
                let (u, v) = (x * cos + y * sin + 300.0, y * cos - x * sin + 300.0);
                let hash = ((u / 13.0) as u32).wrapping_mul(7919) ^ ((v / 11.0) as u32).wrapping_mul(104_729);
                40.0 + (hash % 97) as f32 * 1.8
            })
            .collect()
    }

    fn agreeing(turn: f32, dx: f32, turned: bool) -> (usize, usize) {
        let all = vec![true; SIZE.len()];
        let a = corners(&blocks(0.0, 0.0), SIZE, &all, 300, turned);
        let b = corners(&blocks(turn, dx), SIZE, &all, 300, turned);
        let found = pairs(&a, &b, 200.0);
        let (sin, cos) = f64::from(turn).sin_cos();
        let right = found.iter().filter(|p| {
            let (u, v) = (p.from.0 - 80.0, p.from.1 - 60.0);
            let (x, y) = (u * cos - v * sin + 80.0 + f64::from(dx), u * sin + v * cos + 60.0);
            (x - p.to.0).hypot(y - p.to.1) < 3.0
        });
        (right.count(), found.len())
    }

    #[test]
    fn corners_of_a_shifted_picture_are_paired() {
        let (right, all) = agreeing(0.0, 7.0, false);
        assert!(right > 40 && right * 10 > all * 9, "{right} of {all}");
    }

    #[test]
    fn corners_of_a_turned_picture_are_paired_by_their_own_directions() {
        let (right, all) = agreeing(0.6, 3.0, true);
        assert!(right > 15 && right * 10 > all * 6, "{right} of {all}");
    }

    #[test]
    fn a_flat_picture_has_no_corners() {
        assert!(corners(&vec![77.0; SIZE.len()], SIZE, &vec![true; SIZE.len()], 100, false).is_empty());
    }
}
