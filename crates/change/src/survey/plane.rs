//! Looks laid on planes above the roof: what stands so high lies in its place there in every look, what lies on the
//! roof does not. So tall things are compared where they stand, not where they lean to.

use super::{
    cue::{CELL_PIXELS, View, structure},
    features::FeatureGrid,
};
use crate::{
    raster::{Size, sample},
    small::Small,
};

/// Heights of the planes above the roof, metres: the roof itself, walls that have begun, a storey.
pub(super) const PLANES: [f64; 3] = [0.0, 1.2, 2.4];

impl View {
    /// The look as it lies on the plane `up` pixels above the roof; as it is without an eye.
    pub(super) fn raised(&self, up: f64) -> Self {
        let Some(eye) = self.eye().filter(|_| up > 0.0) else { return self.clone() };
        let size = self.half_size();
        let half = self.half();
        let mut raised = Small {
            y: Vec::with_capacity(size.len()),
            u: Vec::with_capacity(size.len()),
            v: Vec::with_capacity(size.len()),
        };
        let mut seen = Vec::with_capacity(size.len());
        for i in 0..size.len() {
            let (x, y) = ((i % size.w * 2) as f64 + 1.0, (i / size.w * 2) as f64 + 1.0);
            let (x, y) = eye.seen(x, y, up);
            let (hx, hy) = (x / 2.0, y / 2.0);
            let inside = hx >= 0.0 && hy >= 0.0 && hx < size.w as f64 && hy < size.h as f64;
            seen.push(inside && self.is_seen(hy as usize * size.w + hx as usize));
            let (hx, hy) = (hx as f32 - 0.5, hy as f32 - 0.5);
            raised.y.push(sample(&half.y, size, hx, hy));
            raised.u.push(sample(&half.u, size, hx, hy));
            raised.v.push(sample(&half.v, size, hx, hy));
        }
        let features =
            self.features().iter().map(|f| f.moved(|x, y| eye.seen(x, y, up))).collect::<Vec<FeatureGrid>>();
        self.with(raised, seen, features)
    }
}

/// How little the looks of one flight are alike on a plane, cell by cell: the mean over all pairs of them. 0 with fewer
/// than two looks.
pub(super) fn discord(looks: &[View], cells: Size) -> Vec<f32> {
    let mut sums = vec![(0.0f32, 0.0f32); cells.len()];
    for (i, a) in looks.iter().enumerate() {
        for b in &looks[i + 1..] {
            let size = a.half_size();
            let unlike = structure(&a.half().y, &b.half().y, size);
            for (k, value) in unlike.into_iter().enumerate() {
                if a.is_seen(k) && b.is_seen(k) {
                    let sum = &mut sums[a.cell_of(k)];
                    *sum = (sum.0 + value, sum.1 + 1.0);
                }
            }
        }
    }
    // Cells that half of a look's pixels show are told.
    let least = (CELL_PIXELS * CELL_PIXELS / 8) as f32;
    sums.into_iter().map(|(sum, n)| if n >= least { sum / n } else { 0.0 }).collect()
}

#[cfg(test)]
mod tests {
    use parapet_core::Picture;

    use super::*;
    use crate::survey::{patch::Patch, relief::Eye};

    const W: usize = 160;
    const H: usize = 128;

    /// A look at a bright plate of 40 × 30 pixels from (60, 50) on, `up` pixels above a dark roof.
    fn look(eye: Eye, up: f64) -> View {
        let luma = (0..W * H).map(|i| {
            let (x, y) = ((i % W) as f64 + 0.5, (i / W) as f64 + 0.5);
            let lean = up / (eye.height - up);
            let (px, py) = ((x + eye.foot.0 * lean) / (1.0 + lean), (y + eye.foot.1 * lean) / (1.0 + lean));
            if (60.0..100.0).contains(&px) && (50.0..80.0).contains(&py) { 200u8 } else { 40 }
        });
        let rgb: Vec<u8> = luma.flat_map(|v| [v; 3]).collect();
        View::new(&Patch::whole(Picture::from_rgb(W, H, &rgb).unwrap()), Vec::new(), Some(eye))
    }

    #[test]
    fn a_plate_lies_in_its_place_on_the_plane_of_its_height() {
        let looks = [(-120.0, 60.0), (260.0, 90.0)].map(|foot| look(Eye { foot, height: 500.0 }, 25.0));
        let size = looks[0].half_size();
        let bright = |view: &View, x: usize, y: usize| view.half().y[y / 2 * size.w + x / 2] > 120.0;
        // Half of its edges are beside their place on the roof …
        assert!(looks.iter().any(|l| bright(l, 96, 65) != bright(l, 64, 65)));
        for raised in looks.iter().map(|l| l.raised(25.0)) {
            assert!(bright(&raised, 64, 65) && bright(&raised, 96, 65));
            assert!(!bright(&raised, 54, 65) && !bright(&raised, 106, 65));
        }
        // … and there the looks are alike.
        let cells = looks[0].cells();
        let sum = |up: f64| -> f32 { discord(&looks.each_ref().map(|l| l.raised(up)), cells).iter().sum() };
        assert!(sum(25.0) * 2.0 < sum(0.0), "{} {}", sum(25.0), sum(0.0));
    }

    #[test]
    fn one_look_is_not_at_odds_with_itself() {
        let only = look(Eye { foot: (0.0, 0.0), height: 500.0 }, 0.0);
        let cells = only.cells();
        assert!(discord(&[only], cells).iter().all(|v| *v == 0.0));
    }
}
