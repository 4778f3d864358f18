//! Lays the present view on a baseline picture: a shift first, then a homography by Gauss–Newton.

use crate::{
    align::{Homography, Level, normalized},
    raster::{Size, halved},
    register::{Flattened, Shift},
    small::Small,
};

/// A baseline picture, prepared.
pub(crate) struct Target {
    pub(crate) small: Small,
    size: Size,
    levels: [Level; 2],
    half: Flattened,
    full: Flattened,
}

impl Target {
    pub(crate) fn new(small: Small, size: Size) -> Self {
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
        let half_masked = self.halved_mask(occupied, half_size);
        let reach = max_shift * half_size.w as f32;
        let shift = self.half.shift_to(&half, &half_masked, Shift::default(), reach);
        let shifted = Homography::of_shift(shift, half_size.w);
        self.align_from(current, occupied, shifted, max_shift)
    }

    /// The same from a known start.
    pub(crate) fn align_from(
        &self,
        current: &Small,
        occupied: &[bool],
        start: Homography,
        max_shift: f32,
    ) -> Option<(Homography, f32)> {
        let (half, half_size) = halved(&current.y, self.size);
        let half_masked = self.halved_mask(occupied, half_size);
        let coarse = self.levels[0].refined(&normalized(&half, half_size), &half_masked, start, 6, 12);
        let fine = self.levels[1].refined(&normalized(&current.y, self.size), occupied, coarse, 8, 6);
        [start, coarse, fine]
            .into_iter()
            .filter(|h| h.reach(self.size) < 2.0 * f64::from(max_shift))
            .filter_map(|h| {
                let ([luma], inside) = h.aligned_planes([&current.y], self.size);
                let masked: Vec<bool> = occupied.iter().zip(&inside).map(|(o, i)| *o || !i).collect();
                Some((h, self.full.share_of_fitting_blocks(&luma, &masked)?))
            })
            .max_by(|a, b| a.1.total_cmp(&b.1))
    }

    fn halved_mask(&self, occupied: &[bool], half: Size) -> Vec<bool> {
        (0..half.len())
            .map(|i| {
                let (x, y) = (i % half.w * 2, i / half.w * 2);
                occupied[y.min(self.size.h - 1) * self.size.w + x.min(self.size.w - 1)]
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::sample;

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
