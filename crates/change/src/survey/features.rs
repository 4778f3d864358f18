//! Deep features of a patch, given by the caller, and how far a place of one patch is from anything near the same place
//! of another: the least cosine distance over the cell and its neighbours, which forgives a displacement by a cell.

use crate::raster::{Size, sample};

/// A map of feature vectors over a patch.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureGrid {
    cell_pixels: f32,
    channels: usize,
    size: Size,
    /// Cell by cell, each of unit length.
    vectors: Vec<f32>,
}

impl FeatureGrid {
    /// A map of `[channels, height, width]` values whose cells are `cell_pixels` of the patch wide, from its upper left
    /// corner; `None` when there are not that many values.
    pub fn new(
        cell_pixels: f32,
        (channels, height, width): (usize, usize, usize),
        values: &[f32],
    ) -> Option<Self> {
        let cells = height * width;
        if channels == 0 || cells == 0 || values.len() != channels * cells || cell_pixels <= 0.0 {
            return None;
        }
        let mut vectors = vec![0.0; values.len()];
        for (c, plane) in values.chunks_exact(cells).enumerate() {
            for (cell, value) in plane.iter().enumerate() {
                vectors[cell * channels + c] = *value;
            }
        }
        for vector in vectors.chunks_exact_mut(channels) {
            let length = vector.iter().map(|v| v * v).sum::<f32>().sqrt().max(1e-6);
            for value in vector {
                *value /= length;
            }
        }
        Some(Self { cell_pixels, channels, size: Size { w: width, h: height }, vectors })
    }

    fn vector(&self, x: usize, y: usize) -> &[f32] {
        &self.vectors[(y * self.size.w + x) * self.channels..][..self.channels]
    }

    /// The map whose every cell holds what this one has at `from` of the cell's middle (pixels of the patch).
    pub(super) fn moved(&self, from: impl Fn(f64, f64) -> (f64, f64)) -> Self {
        let Size { w, h } = self.size;
        let pixels = f64::from(self.cell_pixels);
        let mut vectors = vec![0.0f32; self.vectors.len()];
        for (i, vector) in vectors.chunks_exact_mut(self.channels).enumerate() {
            let (x, y) = from(((i % w) as f64 + 0.5) * pixels, ((i / w) as f64 + 0.5) * pixels);
            let within = |v: f64, n: usize| (v / pixels - 0.5).clamp(0.0, (n - 1) as f64);
            let (x, y) = (within(x, w), within(y, h));
            let (x0, y0) = (x as usize, y as usize);
            let (fx, fy) = (x.fract() as f32, y.fract() as f32);
            for (dx, dy, weight) in [
                (0, 0, (1.0 - fx) * (1.0 - fy)),
                (1, 0, fx * (1.0 - fy)),
                (0, 1, (1.0 - fx) * fy),
                (1, 1, fx * fy),
            ] {
                let near = self.vector((x0 + dx).min(w - 1), (y0 + dy).min(h - 1));
                vector.iter_mut().zip(near).for_each(|(v, n)| *v += n * weight);
            }
            let length = vector.iter().map(|v| v * v).sum::<f32>().sqrt().max(1e-6);
            for value in vector {
                *value /= length;
            }
        }
        Self { vectors, ..*self }
    }

    /// For each cell of this map, how unlike it is to the likest of the same cell of `other` and its eight neighbours:
    /// 0 (the same) to 1 (opposite). `None` when the maps are of different shapes.
    pub(super) fn unlike(&self, other: &Self) -> Option<Vec<f32>> {
        if (self.size, self.channels) != (other.size, other.channels) {
            return None;
        }
        let Size { w, h } = self.size;
        let mut out = Vec::with_capacity(self.size.len());
        for y in 0..h {
            for x in 0..w {
                let mine = self.vector(x, y);
                let mut best = -1.0f32;
                for ny in y.saturating_sub(1)..=(y + 1).min(h - 1) {
                    for nx in x.saturating_sub(1)..=(x + 1).min(w - 1) {
                        let theirs = other.vector(nx, ny);
                        best = best.max(mine.iter().zip(theirs).map(|(a, b)| a * b).sum());
                    }
                }
                out.push(((1.0 - best) / 2.0).clamp(0.0, 1.0));
            }
        }
        Some(out)
    }

    /// Values of the cells at the middle of each cell of another grid, whose cells are `cell` pixels wide.
    pub(super) fn at_cells(&self, values: &[f32], cells: Size, cell: usize) -> Vec<f32> {
        let at = |i: usize| (i as f32 + 0.5) * cell as f32 / self.cell_pixels - 0.5;
        (0..cells.len()).map(|i| sample(values, self.size, at(i % cells.w), at(i / cells.w))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_moved_by_a_cell_is_found_and_what_is_new_is_not() {
        let one_at = |x: usize| -> FeatureGrid {
            let mut values = vec![0.0; 2 * 5 * 4];
            values[..20].fill(1.0);
            values[5 + x] = 0.0;
            values[20 + 5 + x] = 1.0;
            FeatureGrid::new(8.0, (2, 4, 5), &values).unwrap()
        };
        let (a, b, c) = (one_at(1), one_at(2), one_at(4));
        assert!(a.unlike(&b).unwrap().iter().all(|d| *d < 1e-6));
        let new = a.unlike(&c).unwrap();
        assert_eq!(new.iter().filter(|d| **d > 0.4).count(), 1);
        assert!(new[6] > 0.4);
        assert_eq!(FeatureGrid::new(8.0, (2, 4, 5), &[0.0; 39]), None);
    }
}
