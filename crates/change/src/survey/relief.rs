//! How high something stands on a roof, from where it appears in several looks of one flight: all that lies on the
//! roof's plane lies in one place of all looks laid on each other, what stands above it leans away from each eye.

use super::cue::{CELL_PIXELS, View};
use crate::raster::{Size, sample};

/// Where the camera was, in pixels of the patch: above this point of it, this far above the roof.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Eye {
    /// The point below it.
    pub foot: (f64, f64),
    /// Above the roof.
    pub height: f64,
}

impl Eye {
    /// Where a point at `up` pixels above the roof's plane over `(x, y)` appears on the plane.
    pub(super) fn seen(&self, x: f64, y: f64, up: f64) -> (f64, f64) {
        let lean = up / (self.height - up);
        (x + (x - self.foot.0) * lean, y + (y - self.foot.1) * lean)
    }
}

/// How a region's looks fit each other at the height where they fit best.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Relief {
    /// Metres above the roof.
    pub height: f32,
    /// Correlation of the looks at that height …
    pub fit: f32,
    /// … and on the roof's plane.
    pub flat_fit: f32,
}

/// Heights that are tried, metres.
const STEPS: usize = 15;
const STEP: f64 = 0.25;
/// The looks must see a thing of the greatest height at least this far apart, pixels, to tell its height.
const LEAST_PARALLAX: f64 = 4.0;

/// The relief of the cells in a flight's looks; `None` when no two looks see them from different enough places.
pub(super) fn relief(looks: &[View], cells: &[u32], meters_per_pixel: f64) -> Option<Relief> {
    let size = looks.first()?.cells();
    let highest = STEP * (STEPS - 1) as f64 / meters_per_pixel;
    let middle = center(cells, size);
    let mut sums = [(0.0f64, 0.0f64); STEPS];
    for (i, a) in looks.iter().enumerate() {
        for b in &looks[i + 1..] {
            let (Some(eye_a), Some(eye_b)) = (a.eye(), b.eye()) else { continue };
            let (p, q) = (eye_a.seen(middle.0, middle.1, highest), eye_b.seen(middle.0, middle.1, highest));
            let parallax = (p.0 - q.0).hypot(p.1 - q.1);
            if parallax < LEAST_PARALLAX {
                continue;
            }
            for (k, sum) in sums.iter_mut().enumerate() {
                let up = STEP * k as f64 / meters_per_pixel;
                if let Some(fit) = fit((a, eye_a), (b, eye_b), cells, size, up) {
                    *sum = (sum.0 + f64::from(fit) * parallax, sum.1 + parallax);
                }
            }
        }
    }
    let fits: Vec<Option<f32>> = sums.iter().map(|(s, n)| (*n > 0.0).then(|| (s / n) as f32)).collect();
    let flat_fit = fits[0]?;
    let (step, fit) =
        fits.iter().enumerate().filter_map(|(k, f)| Some((k, (*f)?))).max_by(|a, b| a.1.total_cmp(&b.1))?;
    Some(Relief { height: (STEP * step as f64) as f32, fit, flat_fit })
}

fn center(cells: &[u32], size: Size) -> (f64, f64) {
    let sum = cells.iter().fold((0.0, 0.0), |s, i| {
        (s.0 + (*i as usize % size.w) as f64 + 0.5, s.1 + (*i as usize / size.w) as f64 + 0.5)
    });
    let scale = CELL_PIXELS as f64 / cells.len().max(1) as f64;
    (sum.0 * scale, sum.1 * scale)
}

/// Correlation of luma between two looks over the cells, taken to be at `up` pixels above the roof.
fn fit(a: (&View, Eye), b: (&View, Eye), cells: &[u32], size: Size, up: f64) -> Option<f32> {
    const HALF: usize = CELL_PIXELS / 2;
    let (mut n, mut sa, mut sb, mut saa, mut sbb, mut sab) = (0.0f64, 0.0f64, 0.0f64, 0.0f64, 0.0f64, 0.0f64);
    let mut asked = 0.0;
    for cell in cells {
        let (cx, cy) = (*cell as usize % size.w, *cell as usize / size.w);
        for k in 0..HALF * HALF {
            let x = (cx * CELL_PIXELS) as f64 + (k % HALF * 2) as f64 + 1.0;
            let y = (cy * CELL_PIXELS) as f64 + (k / HALF * 2) as f64 + 1.0;
            asked += 1.0;
            let (Some(va), Some(vb)) = (a.0.luma(a.1.seen(x, y, up)), b.0.luma(b.1.seen(x, y, up))) else {
                continue;
            };
            let (va, vb) = (f64::from(va), f64::from(vb));
            n += 1.0;
            sa += va;
            sb += vb;
            saa += va * va;
            sbb += vb * vb;
            sab += va * vb;
        }
    }
    if n < 0.6 * asked || n < 12.0 {
        return None;
    }
    let covariance = sab / n - sa / n * sb / n;
    let (variance_a, variance_b) = (saa / n - (sa / n).powi(2), sbb / n - (sb / n).powi(2));
    // A little noise, so that two plain pieces do not fit by chance.
    Some((covariance / ((variance_a + 10.0) * (variance_b + 10.0)).sqrt()) as f32)
}

impl View {
    /// Luma at a point of the patch (pixels from its upper left corner); `None` where it was not seen.
    fn luma(&self, (x, y): (f64, f64)) -> Option<f32> {
        let (hx, hy) = (x / 2.0, y / 2.0);
        let size = self.half_size();
        let inside = hx >= 0.0 && hy >= 0.0 && hx < size.w as f64 && hy < size.h as f64;
        (inside && self.is_seen(hy as usize * size.w + hx as usize))
            .then(|| sample(self.half_luma(), size, hx as f32 - 0.5, hy as f32 - 0.5))
    }
}

#[cfg(test)]
mod tests {
    use parapet_core::Picture;

    use super::*;
    use crate::survey::patch::Patch;

    const W: usize = 160;
    const H: usize = 128;

    fn noise(x: f64, y: f64) -> f64 {
        let at = |x: i64, y: i64| ((x * 7919 + y * 104_729).rem_euclid(251)) as f64;
        let (x0, y0) = (x.floor(), y.floor());
        let (fx, fy) = (x - x0, y - y0);
        let (x0, y0) = (x0 as i64, y0 as i64);
        let top = at(x0, y0) * (1.0 - fx) + at(x0 + 1, y0) * fx;
        let bottom = at(x0, y0 + 1) * (1.0 - fx) + at(x0 + 1, y0 + 1) * fx;
        top * (1.0 - fy) + bottom * fy
    }

    /// A look at a plate that floats `up` pixels above the roof.
    fn look(eye: Eye, up: f64) -> View {
        let luma = (0..W * H).map(|i| {
            let (x, y) = ((i % W) as f64 + 0.5, (i / W) as f64 + 0.5);
            // Back from where it appears to where it is.
            let lean = up / (eye.height - up);
            let (px, py) = ((x + eye.foot.0 * lean) / (1.0 + lean), (y + eye.foot.1 * lean) / (1.0 + lean));
            let plate = (40.0..120.0).contains(&px) && (40.0..90.0).contains(&py);
            if plate { noise(px / 7.0, py / 7.0) } else { noise(x / 9.0 + 50.0, y / 9.0) }
        });
        let rgb: Vec<u8> = luma.flat_map(|v| [v as u8; 3]).collect();
        let patch = Patch::whole(Picture::from_rgb(W, H, &rgb).unwrap());
        View::new(&patch, Vec::new(), Some(eye))
    }

    #[test]
    fn the_height_of_a_plate_is_told_from_two_sides() {
        let eyes = [(-120.0, 60.0), (260.0, 90.0)].map(|foot| Eye { foot, height: 500.0 });
        let cells: Vec<u32> = (12..20).flat_map(|y| (13..27).map(move |x| y * (W as u32 / 4) + x)).collect();
        for (up, meters) in [(0.0, 0.0), (20.0, 2.0)] {
            let looks = eyes.map(|e| look(e, up));
            let relief = relief(&looks, &cells, 0.1).unwrap();
            assert!((relief.height - meters).abs() < 0.3 && relief.fit > 0.8, "{meters}: {relief:?}");
        }
        let one_side = [eyes[0], eyes[0]].map(|e| look(e, 20.0));
        assert_eq!(relief(&one_side, &cells, 0.1), None);
    }
}
