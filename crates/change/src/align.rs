//! Homographies and how one is refined: Gauss–Newton on locally normalized luma (Baker and Matthews 2004), robust to
//! what is new and blind to a change of light.

use parapet_core::Point;

use crate::{
    raster::{Size, box_mean, gradients, sample},
    register::Shift,
    small::Small,
};

/// Where a point of the baseline is found in the present view; both normalized around the middle, in widths.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Homography(pub(crate) [f64; 8]);

impl Homography {
    /// No movement.
    #[cfg(test)]
    pub(crate) const IDENTITY: Self = Self([0.0; 8]);

    /// What a camera sees that was turned by `pan` to the right and by `tilt` downwards, in radians. `focal` is its
    /// focal length in widths.
    pub(crate) fn of_rotation(pan: f64, tilt: f64, focal: f64) -> Self {
        let ((sp, cp), (st, ct)) = (pan.sin_cos(), tilt.sin_cos());
        // Rows of the rotation that takes directions of the baseline (x right, y down, z ahead) to the turned camera.
        let r = [[cp, 0.0, -sp], [-st * sp, ct, -st * cp], [ct * sp, st, ct * cp]];
        let scale = r[2][2];
        Self([
            r[0][0] / scale - 1.0,
            r[0][1] / scale,
            r[0][2] * focal / scale,
            r[1][0] / scale,
            r[1][1] / scale - 1.0,
            r[1][2] * focal / scale,
            r[2][0] / focal / scale,
            r[2][1] / focal / scale,
        ])
    }

    pub(crate) fn of_shift(shift: Shift, width: usize) -> Self {
        let mut p = [0.0; 8];
        p[2] = f64::from(shift.dx) / width as f64;
        p[5] = f64::from(shift.dy) / width as f64;
        Self(p)
    }

    /// The one that carries each first point nearest to its second (pixels, middles of pixels at whole numbers), by
    /// least squares with these weights; `None` when they do not fix one. Four points on no line are enough.
    pub(crate) fn fitted(
        size: Size,
        pairs: impl Iterator<Item = ((f64, f64), (f64, f64), f64)>,
    ) -> Option<Self> {
        let centred = |(x, y): (f64, f64)| {
            let w = size.w as f64;
            ((x + 0.5 - w / 2.0) / w, (y + 0.5 - size.h as f64 / 2.0) / w)
        };
        let mut normal = [[0.0; 9]; 8];
        for (from, to, weight) in pairs {
            let ((x, y), (u, v)) = (centred(from), centred(to));
            for (row, target) in [
                ([x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y], u - x),
                ([0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y], v - y),
            ] {
                for a in 0..8 {
                    for b in a..8 {
                        normal[a][b] += weight * row[a] * row[b];
                    }
                    normal[a][8] += weight * row[a] * target;
                }
            }
        }
        solved(normal, 8).map(Self)
    }

    /// How much larger a small square becomes at a pixel; negative where it is turned over.
    pub(crate) fn magnification(&self, size: Size, x: f64, y: f64) -> f64 {
        let (a, b, c) = (self.pixel(size, x, y), self.pixel(size, x + 1.0, y), self.pixel(size, x, y + 1.0));
        (b.0 - a.0) * (c.1 - a.1) - (b.1 - a.1) * (c.0 - a.0)
    }

    pub(crate) fn at(&self, x: f64, y: f64) -> (f64, f64, f64) {
        let p = &self.0;
        let d = 1.0 + p[6] * x + p[7] * y;
        (((1.0 + p[0]) * x + p[1] * y + p[2]) / d, (p[3] * x + (1.0 + p[4]) * y + p[5]) / d, d)
    }

    /// Along the row at `y`: both numerators and the denominator of [`Self::at`], each as its value at `x = 0` and its
    /// growth with `x`.
    pub(crate) fn along(&self, y: f64) -> [[f32; 2]; 3] {
        let p = &self.0;
        [[p[1] * y + p[2], 1.0 + p[0]], [(1.0 + p[4]) * y + p[5], p[3]], [1.0 + p[7] * y, p[6]]]
            .map(|line| line.map(|v| v as f32))
    }

    pub(crate) fn pixel(&self, size: Size, x: f64, y: f64) -> (f64, f64) {
        let (w, cx, cy) = (size.w as f64, size.w as f64 / 2.0, size.h as f64 / 2.0);
        let (u, v, _) = self.at((x + 0.5 - cx) / w, (y + 0.5 - cy) / w);
        (u * w + cx - 0.5, v * w + cy - 0.5)
    }

    /// Where a normalized point of the baseline is in the present frame.
    pub(crate) fn map(&self, size: Size, p: Point) -> Point {
        let (x, y) =
            self.pixel(size, f64::from(p.x) * size.w as f64 - 0.5, f64::from(p.y) * size.h as f64 - 0.5);
        Point::new(((x + 0.5) / size.w as f64) as f32, ((y + 0.5) / size.h as f64) as f32)
    }

    /// The farthest that a corner of the frame moves, as a fraction of the width.
    pub(crate) fn reach(&self, size: Size) -> f64 {
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
    pub(crate) fn aligned(&self, current: &Small, size: Size) -> (Small, Vec<bool>) {
        let ([y, u, v], inside) = self.aligned_planes([&current.y, &current.u, &current.v], size);
        (Small { y, u, v }, inside)
    }

    /// The same of any planes of that size.
    pub(crate) fn aligned_planes<const N: usize>(
        &self,
        planes: [&[f32]; N],
        size: Size,
    ) -> ([Vec<f32>; N], Vec<bool>) {
        let mut out = planes.map(|_| Vec::with_capacity(size.len()));
        let mut inside = Vec::with_capacity(size.len());
        for y in 0..size.h {
            for x in 0..size.w {
                let (sx, sy) = self.pixel(size, x as f64, y as f64);
                inside.push(sx >= 0.0 && sy >= 0.0 && sx <= (size.w - 1) as f64 && sy <= (size.h - 1) as f64);
                for (out, plane) in out.iter_mut().zip(planes) {
                    out.push(sample(plane, size, sx as f32, sy as f32));
                }
            }
        }
        (out, inside)
    }
}

/// A picture of the reference at one size, prepared for refinement.
pub(crate) struct Level {
    size: Size,
    values: Vec<f32>,
    gx: Vec<f32>,
    gy: Vec<f32>,
}

impl Level {
    pub(crate) fn new(luma: &[f32], size: Size) -> Self {
        let values = normalized(luma, size);
        let (gx, gy) = gradients(&values, size);
        Self { size, values, gx, gy }
    }
}

/// Luma without its local mean, in local deviations.
pub(crate) fn normalized(luma: &[f32], size: Size) -> Vec<f32> {
    let mean = box_mean(luma, size, 8);
    let squares: Vec<f32> = luma.iter().zip(&mean).map(|(v, m)| (v - m) * (v - m)).collect();
    let spread = box_mean(&squares, size, 8);
    luma.iter().zip(&mean).zip(&spread).map(|((v, m), s)| (v - m) / (s.sqrt() + 4.0)).collect()
}

impl Level {
    /// `rounds` of Gauss–Newton on the first `n` parameters. `current` is [`normalized`]; pixels of the reference that
    /// are set in `masked` do not count.
    pub(crate) fn refined(
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
pub(crate) fn solved(mut m: [[f64; 9]; 8], n: usize) -> Option<[f64; 8]> {
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
