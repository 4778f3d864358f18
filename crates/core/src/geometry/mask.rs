//! A coarse grid of cells over the frame.

use super::{BBox, Point, Polygon};

/// Which cells of a `width` × `height` grid over the frame are set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    width: usize,
    height: usize,
    cells: Vec<bool>,
}

impl Mask {
    /// A grid with no cell set. At least 1 × 1.
    pub fn empty(width: usize, height: usize) -> Self {
        let (width, height) = (width.max(1), height.max(1));
        Self { width, height, cells: vec![false; width * height] }
    }

    /// A grid with these cells, row by row; `None` unless there are `width * height` of them.
    pub fn from_cells(width: usize, height: usize, cells: Vec<bool>) -> Option<Self> {
        (width > 0 && height > 0 && cells.len() == width * height).then_some(Self { width, height, cells })
    }

    /// The cells whose middle lies in the polygon.
    pub fn of_polygon(width: usize, height: usize, polygon: &Polygon) -> Self {
        let mut mask = Self::empty(width, height);
        for y in 0..mask.height {
            for x in 0..mask.width {
                let inside = polygon.contains(mask.middle(x, y));
                mask.cells[y * mask.width + x] = inside;
            }
        }
        mask
    }

    /// Cells across.
    pub fn width(&self) -> usize {
        self.width
    }
    /// Cells down.
    pub fn height(&self) -> usize {
        self.height
    }
    /// The cells, row by row.
    pub fn cells(&self) -> &[bool] {
        &self.cells
    }
    /// Whether the cell is set; `false` outside.
    pub fn is_set(&self, x: usize, y: usize) -> bool {
        x < self.width && y < self.height && self.cells[y * self.width + x]
    }
    /// Number of set cells.
    pub fn count(&self) -> usize {
        self.cells.iter().filter(|set| **set).count()
    }

    /// Sets the cells whose middle lies in the box.
    pub fn fill_bbox(&mut self, bbox: BBox) {
        let columns = (0..self.width)
            .filter(|x| (bbox.x_min()..=bbox.x_max()).contains(&self.middle(*x, 0).x))
            .fold(None, |span: Option<(usize, usize)>, x| Some((span.map_or(x, |s| s.0), x)));
        let Some((first, last)) = columns else { return };
        for y in 0..self.height {
            if (bbox.y_min()..=bbox.y_max()).contains(&self.middle(0, y).y) {
                self.cells[y * self.width..][first..=last].fill(true);
            }
        }
    }

    /// Unsets all cells.
    pub fn clear(&mut self) {
        self.cells.fill(false);
    }

    /// Sets the cells that `other`, a grid of any size, has set at their middle.
    pub fn fill_mask(&mut self, other: &Self) {
        for y in 0..self.height {
            for x in 0..self.width {
                let p = self.middle(x, y);
                let at = |v: f32, n: usize| ((v * n as f32) as usize).min(n - 1);
                if other.is_set(at(p.x, other.width), at(p.y, other.height)) {
                    self.cells[y * self.width + x] = true;
                }
            }
        }
    }

    /// Fraction of this grid's set cells that `other`, of the same size, has set too, 0..=1.
    pub fn fraction_covered_by(&self, other: &Self) -> f32 {
        debug_assert_eq!((self.width, self.height), (other.width, other.height));
        let both = self.cells.iter().zip(&other.cells).filter(|(a, b)| **a && **b).count();
        if self.count() == 0 { 0.0 } else { both as f32 / self.count() as f32 }
    }

    fn middle(&self, x: usize, y: usize) -> Point {
        Point::new((x as f32 + 0.5) / self.width as f32, (y as f32 + 0.5) / self.height as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_over_half_the_zone_covers_half_of_it() {
        let zone =
            Polygon::new(vec![[0.2, 0.2].into(), [0.8, 0.2].into(), [0.8, 0.8].into(), [0.2, 0.8].into()])
                .unwrap();
        let zone = Mask::of_polygon(100, 100, &zone);
        let mut taken = Mask::empty(100, 100);
        taken.fill_bbox(BBox::new(0.0, 0.0, 0.5, 1.0).unwrap());
        assert!((zone.fraction_covered_by(&taken) - 0.5).abs() < 0.01);
        let mut coarse = Mask::empty(10, 10);
        coarse.fill_mask(&taken);
        assert_eq!(coarse.count(), 50);
    }
}
