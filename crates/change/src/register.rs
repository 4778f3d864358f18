//! How far a view is shifted against its reference, by least squares on locally flattened luma (Lucas and Kanade
//! 1981) after a coarse search, and how much of the view's structure fits.

use crate::raster::{Size, box_mean, gradients, halved, sample, sample_inside};

/// Where a pixel of the reference is found in the current picture: `current(x + dx, y + dy)` shows `reference(x, y)`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Shift {
    pub(crate) dx: f32,
    pub(crate) dy: f32,
}

impl Shift {
    pub(crate) fn length(self) -> f32 {
        self.dx.hypot(self.dy)
    }
}

/// Luma without its local mean, at the working size and a quarter of it, with gradients.
pub(crate) struct Flattened {
    size: Size,
    fine: Vec<f32>,
    gx: Vec<f32>,
    gy: Vec<f32>,
    coarse: Vec<f32>,
    coarse_size: Size,
}

const LOCAL: usize = 8;

impl Flattened {
    pub(crate) fn new(luma: &[f32], size: Size) -> Self {
        let fine = flat(luma, size, LOCAL);
        let (gx, gy) = gradients(&fine, size);
        let (half, half_size) = halved(luma, size);
        let (quarter, coarse_size) = halved(&half, half_size);
        let coarse = flat(&quarter, coarse_size, LOCAL / 2);
        Self { size, fine, gx, gy, coarse, coarse_size }
    }

    /// The shift from this reference to `current`, looked for near `guess` and, where that does not fit, within
    /// `reach` pixels of no shift. Pixels that are set in `masked` do not count.
    pub(crate) fn shift_to(&self, current: &[f32], masked: &[bool], guess: Shift, reach: f32) -> Shift {
        let flat_current = flat(current, self.size, LOCAL);
        let near = self.refined(&flat_current, masked, guess, 6);
        if self.agreement(&flat_current, masked, near) > 0.6 {
            return near;
        }
        let (half, half_size) = halved(current, self.size);
        let (quarter, _) = halved(&half, half_size);
        let coarse = flat(&quarter, self.coarse_size, LOCAL / 2);
        let found = self.searched(&coarse, masked, (reach / 4.0).ceil() as i32);
        let far = self.refined(&flat_current, masked, found, 10);
        let better = self.agreement(&flat_current, masked, far) > self.agreement(&flat_current, masked, near);
        if better { far } else { near }
    }

    /// Gauss–Newton on the shift, robust to what is not in the reference.
    fn refined(&self, current: &[f32], masked: &[bool], start: Shift, rounds: usize) -> Shift {
        let Size { w, h } = self.size;
        let mut shift = start;
        let mut scale = 40.0f32;
        for _ in 0..rounds {
            let (mut xx, mut xy, mut yy, mut ex, mut ey) = (0.0f32, 0.0f32, 0.0f32, 0.0f32, 0.0f32);
            let (mut off, mut n) = (0.0f32, 0.0f32);
            let margin = 2 + shift.dx.abs().max(shift.dy.abs()) as usize;
            for y in (margin..h.saturating_sub(margin)).step_by(2) {
                for x in margin..w.saturating_sub(margin) {
                    let i = y * w + x;
                    let (gx, gy) = (self.gx[i], self.gy[i]);
                    if masked[i] || gx.abs() + gy.abs() < 2.0 {
                        continue;
                    }
                    let e =
                        sample_inside(current, w, x as f32 + shift.dx, y as f32 + shift.dy) - self.fine[i];
                    let weight = 1.0 / (1.0 + (e / scale) * (e / scale));
                    off += e.abs().min(80.0);
                    n += 1.0;
                    xx += weight * gx * gx;
                    xy += weight * gx * gy;
                    yy += weight * gy * gy;
                    ex += weight * gx * e;
                    ey += weight * gy * e;
                }
            }
            let determinant = xx * yy - xy * xy;
            if n < 50.0 || determinant < 1e-3 * xx * yy || determinant <= 0.0 {
                return shift;
            }
            let step =
                Shift { dx: -(yy * ex - xy * ey) / determinant, dy: -(xx * ey - xy * ex) / determinant };
            shift.dx += step.dx.clamp(-2.0, 2.0);
            shift.dy += step.dy.clamp(-2.0, 2.0);
            scale = (1.5 * off / n).clamp(3.0, 40.0);
            if step.length() < 0.01 {
                break;
            }
        }
        shift
    }

    /// Correlation of the flattened pictures under the shift, over pixels with structure.
    fn agreement(&self, current: &[f32], masked: &[bool], shift: Shift) -> f32 {
        let Size { w, h } = self.size;
        let (mut rr, mut cc, mut rc) = (1e-3f32, 1e-3f32, 0.0f32);
        for y in (2..h.saturating_sub(2)).step_by(2) {
            for x in (2..w.saturating_sub(2)).step_by(2) {
                let i = y * w + x;
                if masked[i] {
                    continue;
                }
                let r = self.fine[i].clamp(-40.0, 40.0);
                let c =
                    sample(current, self.size, x as f32 + shift.dx, y as f32 + shift.dy).clamp(-40.0, 40.0);
                rr += r * r;
                cc += c * c;
                rc += r * c;
            }
        }
        rc / (rr * cc).sqrt()
    }

    fn searched(&self, coarse: &[f32], masked: &[bool], reach: i32) -> Shift {
        let Size { w, h } = self.coarse_size;
        let at_fine = |x: usize, y: usize| {
            let fx = (x * self.size.w / w).min(self.size.w - 1);
            let fy = (y * self.size.h / h).min(self.size.h - 1);
            masked[fy * self.size.w + fx]
        };
        let skip: Vec<bool> = (0..self.coarse_size.len()).map(|i| at_fine(i % w, i / w)).collect();
        let mut best = (f32::MIN, 0, 0);
        for dy in -reach..=reach {
            for dx in -reach..=reach {
                let (mut rr, mut cc, mut rc) = (1e-3f32, 1e-3f32, 0.0f32);
                for y in dy.abs()..h as i32 - dy.abs() {
                    for x in dx.abs()..w as i32 - dx.abs() {
                        let i = y as usize * w + x as usize;
                        if skip[i] {
                            continue;
                        }
                        let j = (y + dy) as usize * w + (x + dx) as usize;
                        rr += self.coarse[i] * self.coarse[i];
                        cc += coarse[j] * coarse[j];
                        rc += self.coarse[i] * coarse[j];
                    }
                }
                let score = rc / (rr * cc).sqrt();
                if score > best.0 {
                    best = (score, dx, dy);
                }
            }
        }
        Shift {
            dx: best.1 as f32 * self.size.w as f32 / w as f32,
            dy: best.2 as f32 * self.size.h as f32 / h as f32,
        }
    }

    /// For each block of 16 × 16 pixels with structure in the reference and at least half of it unmasked, whether
    /// `aligned` (already moved onto the reference) shows the same structure. Returns the share that does, and
    /// `None` when the reference has too few such blocks to say.
    pub(crate) fn share_of_fitting_blocks(&self, aligned: &[f32], masked: &[bool]) -> Option<f32> {
        const BLOCK: usize = 16;
        let Size { w, h } = self.size;
        let current = flat(aligned, self.size, LOCAL);
        let (mut fitting, mut blocks) = (0usize, 0usize);
        for by in (0..h.saturating_sub(BLOCK - 1)).step_by(BLOCK) {
            for bx in (0..w.saturating_sub(BLOCK - 1)).step_by(BLOCK) {
                let (mut n, mut rr, mut cc, mut rc) = (0.0f32, 0.0f32, 0.0f32, 0.0f32);
                for y in by..by + BLOCK {
                    for i in y * w + bx..y * w + bx + BLOCK {
                        if !masked[i] {
                            n += 1.0;
                            rr += self.fine[i] * self.fine[i];
                            cc += current[i] * current[i];
                            rc += self.fine[i] * current[i];
                        }
                    }
                }
                if n < (BLOCK * BLOCK / 2) as f32 || rr / n < 16.0 {
                    continue;
                }
                blocks += 1;
                if rc > 0.5 * (rr * cc.max(1e-3)).sqrt() {
                    fitting += 1;
                }
            }
        }
        (blocks >= 8).then(|| fitting as f32 / blocks as f32)
    }
}

/// The values without their local mean.
pub(crate) fn flat(values: &[f32], size: Size, r: usize) -> Vec<f32> {
    let mut mean = box_mean(values, size, r);
    for (m, v) in mean.iter_mut().zip(values) {
        *m = v - *m;
    }
    mean
}

/// `values` moved back onto the reference.
pub(crate) fn unshifted(values: &[f32], size: Size, shift: Shift) -> Vec<f32> {
    let (whole_x, whole_y) = (shift.dx.floor(), shift.dy.floor());
    let (fx, fy) = (shift.dx - whole_x, shift.dy - whole_y);
    let column = |x: i32| x.clamp(0, size.w as i32 - 1) as usize;
    let row = |y: i32| {
        let y = y.clamp(0, size.h as i32 - 1) as usize;
        &values[y * size.w..(y + 1) * size.w]
    };
    let mut out = Vec::with_capacity(size.len());
    let mut blended = vec![0.0f32; size.w];
    for y in 0..size.h as i32 {
        let (above, below) = (row(y + whole_y as i32), row(y + whole_y as i32 + 1));
        for ((b, p), q) in blended.iter_mut().zip(above).zip(below) {
            *b = p + (q - p) * fy;
        }
        for x in 0..size.w as i32 {
            let p = blended[column(x + whole_x as i32)];
            let q = blended[column(x + whole_x as i32 + 1)];
            out.push(p + (q - p) * fx);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { w: 160, h: 90 };

    fn texture(dx: f32, dy: f32) -> Vec<f32> {
        (0..SIZE.len())
            .map(|i| {
                let (x, y) = ((i % SIZE.w) as f32 - dx, (i / SIZE.w) as f32 - dy);
                120.0
                    + 30.0 * (x * 0.31 + (y * 0.05).sin() * 3.0).sin()
                    + 25.0 * (y * 0.23 + x * 0.11).cos()
                    + 20.0 * (x * 0.07 - y * 0.13).sin()
            })
            .collect()
    }

    #[test]
    fn small_and_large_shifts_are_found_under_changed_light() {
        let reference = Flattened::new(&texture(0.0, 0.0), SIZE);
        let masked = vec![false; SIZE.len()];
        for (dx, dy) in [(0.0, 0.0), (0.4, -0.3), (2.6, 1.2), (-7.0, 5.0)] {
            let current: Vec<f32> = texture(dx, dy).iter().map(|v| v * 0.8 + 20.0).collect();
            // As in use: each frame starts from the shift of the last.
            let first = reference.shift_to(&current, &masked, Shift::default(), 12.0);
            let shift = reference.shift_to(&current, &masked, first, 12.0);
            assert!((shift.dx - dx).hypot(shift.dy - dy) < 0.15, "({dx}, {dy}): {shift:?}");
            let aligned = unshifted(&current, SIZE, shift);
            assert!(reference.share_of_fitting_blocks(&aligned, &masked).unwrap() > 0.9);
        }
    }

    #[test]
    fn another_view_does_not_fit() {
        let reference = Flattened::new(&texture(0.0, 0.0), SIZE);
        let other: Vec<f32> =
            (0..SIZE.len()).map(|i| ((i * 7919 + i / SIZE.w * 104_729) % 251) as f32).collect();
        let share = reference.share_of_fitting_blocks(&other, &vec![false; SIZE.len()]);
        assert!(share.unwrap() < 0.2, "{share:?}");
    }
}
