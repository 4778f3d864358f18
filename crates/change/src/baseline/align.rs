//! Lays the present view on a baseline picture: a shift first, then a homography by Gauss–Newton on locally
//! normalized luma (Baker and Matthews 2004), robust to what is new and blind to a change of light.

use parapet_core::Point;

use crate::{
    raster::{Size, box_mean, gradients, halved, sample},
    register::{Flattened, Shift},
    small::Small,
};

/// Where a point of the baseline is found in the present view; both normalized around the middle, in widths.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Homography([f64; 8]);

impl Homography {
    /// No movement.
    #[cfg(test)]
    pub(super) const IDENTITY: Self = Self([0.0; 8]);

    fn of_shift(shift: Shift, width: usize) -> Self {
        let mut p = [0.0; 8];
        p[2] = f64::from(shift.dx) / width as f64;
        p[5] = f64::from(shift.dy) / width as f64;
        Self(p)
    }

    fn at(&self, x: f64, y: f64) -> (f64, f64, f64) {
        let p = &self.0;
        let d = 1.0 + p[6] * x + p[7] * y;
        (((1.0 + p[0]) * x + p[1] * y + p[2]) / d, (p[3] * x + (1.0 + p[4]) * y + p[5]) / d, d)
    }

    fn pixel(&self, size: Size, x: f64, y: f64) -> (f64, f64) {
        let (w, cx, cy) = (size.w as f64, size.w as f64 / 2.0, size.h as f64 / 2.0);
        let (u, v, _) = self.at((x + 0.5 - cx) / w, (y + 0.5 - cy) / w);
        (u * w + cx - 0.5, v * w + cy - 0.5)
    }

    /// Where a normalized point of the baseline is in the present frame.
    pub(super) fn map(&self, size: Size, p: Point) -> Point {
        let (x, y) =
            self.pixel(size, f64::from(p.x) * size.w as f64 - 0.5, f64::from(p.y) * size.h as f64 - 0.5);
        Point::new(((x + 0.5) / size.w as f64) as f32, ((y + 0.5) / size.h as f64) as f32)
    }

    /// The farthest that a corner of the frame moves, as a fraction of the width.
    fn reach(&self, size: Size) -> f64 {
        let half = (0.5, size.h as f64 / size.w as f64 / 2.0);
        [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)]
            .map(|(sx, sy)| {
                let (x, y) = (sx * half.0, sy * half.1);
                let (u, v, _) = self.at(x, y);
                (u - x).hypot(v - y)
            })
            .into_iter()
            .fold(0.0, f64::max)
    }

    /// The present picture as the baseline would see it, and which pixels of it lie in the frame.
    pub(super) fn aligned(&self, current: &Small, size: Size) -> (Small, Vec<bool>) {
        let mut out = Small { y: vec![0.0; size.len()], u: vec![0.0; size.len()], v: vec![0.0; size.len()] };
        let mut inside = vec![false; size.len()];
        for y in 0..size.h {
            for x in 0..size.w {
                let (sx, sy) = self.pixel(size, x as f64, y as f64);
                let i = y * size.w + x;
                inside[i] = sx >= 0.0 && sy >= 0.0 && sx <= (size.w - 1) as f64 && sy <= (size.h - 1) as f64;
                let (sx, sy) = (sx as f32, sy as f32);
                out.y[i] = sample(&current.y, size, sx, sy);
                out.u[i] = sample(&current.u, size, sx, sy);
                out.v[i] = sample(&current.v, size, sx, sy);
            }
        }
        (out, inside)
    }
}

/// A baseline picture, prepared.
pub(super) struct Target {
    pub(super) small: Small,
    size: Size,
    levels: [Level; 2],
    half: Flattened,
    full: Flattened,
}

struct Level {
    size: Size,
    values: Vec<f32>,
    gx: Vec<f32>,
    gy: Vec<f32>,
}

impl Level {
    fn new(luma: &[f32], size: Size) -> Self {
        let values = normalized(luma, size);
        let (gx, gy) = gradients(&values, size);
        Self { size, values, gx, gy }
    }
}

/// Luma without its local mean, in local deviations.
fn normalized(luma: &[f32], size: Size) -> Vec<f32> {
    let mean = box_mean(luma, size, 8);
    let squares: Vec<f32> = luma.iter().zip(&mean).map(|(v, m)| (v - m) * (v - m)).collect();
    let spread = box_mean(&squares, size, 8);
    luma.iter().zip(&mean).zip(&spread).map(|((v, m), s)| (v - m) / (s.sqrt() + 4.0)).collect()
}

impl Target {
    pub(super) fn new(small: Small, size: Size) -> Self {
        let (half, half_size) = halved(&small.y, size);
        Self {
            size,
            levels: [Level::new(&half, half_size), Level::new(&small.y, size)],
            half: Flattened::new(&half, half_size),
            full: Flattened::new(&small.y, size),
            small,
        }
    }

    /// How the present view lies to this baseline and the share of structure that then fits. `None` where the view
    /// cannot be laid on it within `max_shift` widths.
    pub(super) fn align(
        &self,
        current: &Small,
        occupied: &[bool],
        max_shift: f32,
    ) -> Option<(Homography, f32)> {
        let (half, half_size) = halved(&current.y, self.size);
        let half_masked: Vec<bool> = (0..half_size.len())
            .map(|i| {
                let (x, y) = (i % half_size.w * 2, i / half_size.w * 2);
                occupied[y.min(self.size.h - 1) * self.size.w + x.min(self.size.w - 1)]
            })
            .collect();
        let reach = max_shift * half_size.w as f32;
        let shift = self.half.shift_to(&half, &half_masked, Shift::default(), reach);
        let shifted = Homography::of_shift(shift, half_size.w);
        let coarse = self.levels[0].refined(&normalized(&half, half_size), &half_masked, shifted, 6, 12);
        let fine = self.levels[1].refined(&normalized(&current.y, self.size), occupied, coarse, 8, 6);
        [shifted, coarse, fine]
            .into_iter()
            .filter(|h| h.reach(self.size) < 2.0 * f64::from(max_shift))
            .filter_map(|h| {
                let (aligned, inside) = h.aligned(current, self.size);
                let masked: Vec<bool> = occupied.iter().zip(&inside).map(|(o, i)| *o || !i).collect();
                Some((h, self.full.share_of_fitting_blocks(&aligned.y, &masked)?))
            })
            .max_by(|a, b| a.1.total_cmp(&b.1))
    }
}

impl Level {
    /// `rounds` of Gauss–Newton on the first `n` parameters.
    fn refined(
        &self,
        current: &[f32],
        masked: &[bool],
        start: Homography,
        n: usize,
        rounds: usize,
    ) -> Homography {
        let Size { w, h } = self.size;
        let (wf, cx, cy) = (w as f64, w as f64 / 2.0, h as f64 / 2.0);
        let mut homography = start;
        for _ in 0..rounds {
            let mut normal = [[0.0f64; 9]; 8];
            let mut counted = 0usize;
            for y in (4..h.saturating_sub(4)).step_by(2) {
                for x in (4..w.saturating_sub(4)).step_by(2) {
                    let i = y * w + x;
                    let (gx, gy) = (f64::from(self.gx[i]) * wf, f64::from(self.gy[i]) * wf);
                    if masked[i] || gx.abs() + gy.abs() < 0.05 * wf {
                        continue;
                    }
                    let (u, v) = ((x as f64 + 0.5 - cx) / wf, (y as f64 + 0.5 - cy) / wf);
                    let (pu, pv, d) = homography.at(u, v);
                    let (px, py) = (pu * wf + cx - 0.5, pv * wf + cy - 0.5);
                    if px < 2.0 || py < 2.0 || px > (w - 3) as f64 || py > (h - 3) as f64 {
                        continue;
                    }
                    let e = f64::from(sample(current, self.size, px as f32, py as f32) - self.values[i]);
                    let weight = 1.0 / (1.0 + e * e / 0.25);
                    let slope = gx * pu + gy * pv;
                    let row = [
                        gx * u / d,
                        gx * v / d,
                        gx / d,
                        gy * u / d,
                        gy * v / d,
                        gy / d,
                        -slope * u / d,
                        -slope * v / d,
                    ];
                    for a in 0..n {
                        for b in a..n {
                            normal[a][b] += weight * row[a] * row[b];
                        }
                        normal[a][8] -= weight * row[a] * e;
                    }
                    counted += 1;
                }
            }
            let Some(step) = (counted > 100).then(|| solved(normal, n)).flatten() else { return homography };
            for (p, s) in homography.0.iter_mut().zip(step) {
                *p += s;
            }
            if step.iter().all(|s| s.abs() < 1e-5) {
                break;
            }
        }
        homography
    }
}

/// Solves the symmetric system of which the upper half is given, with the right side in column 8 (Gauss, pivoted).
fn solved(mut m: [[f64; 9]; 8], n: usize) -> Option<[f64; 8]> {
    for a in 0..n {
        for b in 0..a {
            m[a][b] = m[b][a];
        }
        m[a][a] *= 1.0 + 1e-9;
    }
    for k in 0..n {
        let pivot = (k..n).max_by(|a, b| m[*a][k].abs().total_cmp(&m[*b][k].abs()))?;
        m.swap(k, pivot);
        if m[k][k].abs() < 1e-9 {
            return None;
        }
        for r in k + 1..n {
            let factor = m[r][k] / m[k][k];
            let (upper, lower) = m.split_at_mut(r);
            for (target, source) in lower[0].iter_mut().zip(&upper[k]).skip(k) {
                *target -= factor * source;
            }
        }
    }
    let mut x = [0.0; 8];
    for k in (0..n).rev() {
        let known: f64 = (k + 1..n).map(|c| m[k][c] * x[c]).sum();
        x[k] = (m[k][8] - known) / m[k][k];
    }
    x.iter().all(|v| v.is_finite()).then_some(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { w: 320, h: 180 };

    fn scene() -> Small {
        let y = (0..SIZE.len())
            .map(|i| {
                let (x, y) = ((i % SIZE.w) as f32, (i / SIZE.w) as f32);
                let tile = (((x / 23.0) as u32 * 7919) ^ ((y / 17.0) as u32 * 104_729)) % 101 % 13;
                60.0 + tile as f32 * 9.0 + 8.0 * (x * 0.4).sin() * (y * 0.3).cos()
            })
            .collect();
        Small { y, u: vec![0.0; SIZE.len()], v: vec![0.0; SIZE.len()] }
    }

    #[test]
    fn a_turned_and_zoomed_view_is_laid_back_under_other_light() {
        let truth = Homography([0.012, -0.02, 0.018, 0.021, 0.008, -0.011, 0.01, -0.006]);
        let baseline = scene();
        // What the baseline sees at p, the present sees at truth(p): sample the scene backwards by iteration.
        let mut present = scene();
        for y in 0..SIZE.h {
            for x in 0..SIZE.w {
                let (mut bx, mut by) = (x as f64, y as f64);
                for _ in 0..20 {
                    let (px, py) = truth.pixel(SIZE, bx, by);
                    bx += x as f64 - px;
                    by += y as f64 - py;
                }
                present.y[y * SIZE.w + x] = sample(&baseline.y, SIZE, bx as f32, by as f32) * 0.6 + 30.0;
            }
        }
        let target = Target::new(baseline, SIZE);
        let (found, fit) = target.align(&present, &vec![false; SIZE.len()], 0.1).unwrap();
        assert!(fit > 0.9, "{fit}");
        for p in [[0.1, 0.1], [0.9, 0.2], [0.5, 0.5], [0.2, 0.9]] {
            let (a, b) = (truth.map(SIZE, p.into()), found.map(SIZE, p.into()));
            assert!(a.distance(b) * SIZE.w as f32 <= 0.8, "{a:?} {b:?}");
        }
    }

    #[test]
    fn another_place_does_not_fit() {
        let target = Target::new(scene(), SIZE);
        let mut other = scene();
        for (i, y) in other.y.iter_mut().enumerate() {
            *y = 40.0 + ((i % SIZE.w / 9 * 7919 + i / SIZE.w / 11 * 104_729) % 151) as f32;
        }
        let fit = target.align(&other, &vec![false; SIZE.len()], 0.1).map_or(0.0, |(_, fit)| fit);
        assert!(fit < 0.3, "{fit}");
        assert_eq!(Homography::IDENTITY.reach(SIZE), 0.0);
    }
}
