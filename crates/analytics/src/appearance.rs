//! What a place in the picture looks like: a patch small enough to keep for every standing thing, compared so that a
//! change of light does not matter much.

use parapet_core::{BBox, Picture, Plane};

/// Cells across and down.
const SIDE: usize = 16;
/// A patch with less contrast than this (standard deviation of luma) says nothing.
const LEAST_CONTRAST: f32 = 4.0;
/// Correlation from which two patches show the same, and below which they do not.
const SAME: f32 = 0.8;
const DIFFERENT: f32 = 0.4;
/// Chroma distance (mean of both planes, 8-bit steps) up to which colours are the same, and above which they are not.
const SAME_COLOR: f32 = 12.0;
const DIFFERENT_COLOR: f32 = 24.0;

/// How two looks at one place compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    /// The same thing is there.
    Same,
    /// Nothing can be said.
    Unclear,
    /// Something else is there, or nothing.
    Different,
}

/// A place's luma pattern, its mean and contrast taken out, and its mean colour.
#[derive(Debug, Clone, PartialEq)]
pub struct Patch {
    luma: [f32; SIDE * SIDE],
    mean: f32,
    contrast: f32,
    chroma: [f32; 2],
}

impl Patch {
    /// The look of the box in the picture; `None` where less than 4 × 4 pixels of it are inside the frame.
    pub fn of(picture: &Picture, bbox: BBox) -> Option<Self> {
        let bbox = bbox.clamped();
        let quarters = luma_cells(picture.y(), bbox)?;
        let n = quarters.len() as f32;
        // In quarters of a step, so that sums of whole numbers are exact in any order.
        let mean = quarters.iter().map(|q| u32::from(*q)).sum::<u32>() as f32 / 4.0 / n;
        let mut luma = quarters.map(|q| f32::from(q) / 4.0);
        let contrast = (luma.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / n).sqrt();
        for v in &mut luma {
            *v = (*v - mean) / contrast.max(1e-3);
        }
        Some(Self { luma, mean, contrast, chroma: [mean_of(picture.u(), bbox), mean_of(picture.v(), bbox)] })
    }

    /// How another look at the same place compares.
    pub fn likeness(&self, other: &Self) -> Likeness {
        let color = (self.chroma[0] - other.chroma[0]).abs() + (self.chroma[1] - other.chroma[1]).abs();
        let flat = [self.contrast < LEAST_CONTRAST, other.contrast < LEAST_CONTRAST];
        let correlation = match flat {
            [true, true] => {
                return if color > DIFFERENT_COLOR { Likeness::Different } else { Likeness::Unclear };
            }
            [false, false] => {
                self.luma.iter().zip(&other.luma).map(|(a, b)| a * b).sum::<f32>() / self.luma.len() as f32
            }
            // A pattern came or went.
            _ => 0.0,
        };
        if correlation < DIFFERENT || color > DIFFERENT_COLOR {
            Likeness::Different
        } else if correlation >= SAME && color <= SAME_COLOR {
            Likeness::Same
        } else {
            Likeness::Unclear
        }
    }
}

/// Luma steps by which a cell must differ for the thing to be seen in it.
const CHANGED_LUMA: f32 = 12.0;
/// Least part of the cells that a thing changes; with less, its coming says nothing about its place.
const LEAST_CHANGED: f32 = 0.05;
/// Least part of the cells that it leaves alone, for the light to be read from them.
const LEAST_UNCHANGED: f32 = 0.2;
/// How far back to `before` the changed cells must be, on the way from `before` (0) to `with` (1), and how well.
const BACK: f32 = 0.3;
const BACK_REST: f32 = 0.4;

/// Whether a place looks `now` as it did `before` its thing came, judged only by the cells that the thing changed when
/// it came: what else is in its box (a wall seen through a wheel, a dog in front of it) says nothing.
pub(crate) fn is_back(before: &Patch, with: &Patch, now: &Patch) -> bool {
    let raw = |p: &Patch, i: usize| p.luma[i] * p.contrast.max(1e-3) + p.mean;
    let cells = before.luma.len();
    let changed = |i: &usize| (raw(with, *i) - raw(before, *i)).abs() >= CHANGED_LUMA;
    let moved = (0..cells).filter(changed).count() as f32 / cells as f32;
    if moved < LEAST_CHANGED {
        return false;
    }
    let light = if 1.0 - moved >= LEAST_UNCHANGED {
        let mut rest: Vec<f32> =
            (0..cells).filter(|i| !changed(i)).map(|i| raw(now, i) - raw(before, i)).collect();
        let middle = rest.len() / 2;
        *rest.select_nth_unstable_by(middle, f32::total_cmp).1
    } else {
        0.0
    };
    let (mut along, mut length, mut rest, mut way) = (0.0, 0.0, 0.0, 0.0);
    for i in (0..cells).filter(changed) {
        let (came, gone) = (raw(with, i) - raw(before, i), raw(now, i) - raw(before, i) - light);
        along += came * gone;
        length += came * came;
        rest += gone.abs();
        way += came.abs();
    }
    along / length < BACK && rest / way < BACK_REST
}

/// Indices of `N` samples, evenly spread over a span of an axis with `n` of them.
fn spread<const N: usize>(low: f32, span: f32, n: usize) -> [usize; N] {
    std::array::from_fn(|i| {
        let at = (low + span * (i as f32 + 0.5) / N as f32) * n as f32;
        (at.max(0.0) as usize).min(n - 1)
    })
}

/// Sums of 2 × 2 samples in each cell of a grid over the box.
fn luma_cells(plane: &Plane, bbox: BBox) -> Option<[u16; SIDE * SIDE]> {
    let (w, h) = (plane.width(), plane.height());
    if bbox.width() * (w as f32) < 4.0 || bbox.height() * (h as f32) < 4.0 {
        return None;
    }
    let columns: [usize; 2 * SIDE] = spread(bbox.x_min(), bbox.width(), w);
    let rows: [usize; 2 * SIDE] = spread(bbox.y_min(), bbox.height(), h);
    let mut cells = [0; SIDE * SIDE];
    for (y, row) in rows.into_iter().enumerate() {
        let row = plane.row(row);
        let line = &mut cells[y / 2 * SIDE..][..SIDE];
        for (x, cell) in line.iter_mut().enumerate() {
            *cell += u16::from(row[columns[2 * x]]) + u16::from(row[columns[2 * x + 1]]);
        }
    }
    Some(cells)
}

/// Mean of 8 × 8 samples over the box.
fn mean_of(plane: &Plane, bbox: BBox) -> f32 {
    let columns: [usize; 8] = spread(bbox.x_min(), bbox.width(), plane.width());
    let rows: [usize; 8] = spread(bbox.y_min(), bbox.height(), plane.height());
    let mut sum = 0;
    for y in rows {
        let row = plane.row(y);
        for x in columns {
            sum += u32::from(row[x]);
        }
    }
    sum as f32 / 64.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture with a pattern of its own for each seed.
    fn picture(seed: u32, gain: f32, offset: f32, tint: u8) -> Picture {
        let mut rgb = Vec::new();
        for y in 0..60u32 {
            for x in 0..80u32 {
                let cell = (x / 5).wrapping_mul(2_654_435_761)
                    ^ (y / 5).wrapping_mul(40_503)
                    ^ seed.wrapping_mul(97_531);
                let value = f32::from((cell.wrapping_mul(2_246_822_519) >> 24) as u8);
                let v = (value * gain + offset).clamp(0.0, 200.0) as u8;
                rgb.extend([v.saturating_add(tint), v, v]);
            }
        }
        Picture::from_rgb(80, 60, &rgb).unwrap()
    }

    fn compare(a: &Picture, b: &Picture) -> Likeness {
        let place = BBox::new(0.2, 0.2, 0.8, 0.8).unwrap();
        Patch::of(a, place).unwrap().likeness(&Patch::of(b, place).unwrap())
    }

    #[test]
    fn half_the_light_is_the_same_thing() {
        assert_eq!(compare(&picture(1, 0.6, 20.0, 0), &picture(1, 0.3, 5.0, 0)), Likeness::Same);
    }

    #[test]
    fn another_pattern_or_another_colour_is_another_thing() {
        assert_eq!(compare(&picture(1, 0.6, 20.0, 0), &picture(2, 0.6, 20.0, 0)), Likeness::Different);
        assert_eq!(compare(&picture(1, 0.6, 20.0, 0), &picture(1, 0.6, 20.0, 90)), Likeness::Different);
    }

    #[test]
    fn two_grey_walls_say_nothing_and_a_wall_is_no_bike() {
        let wall = picture(1, 0.0, 100.0, 0);
        assert_eq!(compare(&wall, &picture(1, 0.0, 80.0, 0)), Likeness::Unclear);
        assert_eq!(compare(&wall, &picture(1, 0.6, 20.0, 0)), Likeness::Different);
    }

    #[test]
    fn a_thin_thing_is_gone_when_the_cells_that_it_changed_are_back() {
        let place = BBox::new(0.2, 0.2, 0.8, 0.8).unwrap();
        let patch = |bars: bool, light: u8| {
            let mut rgb = picture(1, 0.6, 20.0, 0).to_rgb();
            for (i, v) in rgb.iter_mut().enumerate() {
                let x = i / 3 % 80;
                *v = if bars && x.is_multiple_of(16) { 230 } else { *v }.saturating_add(light);
            }
            Patch::of(&Picture::from_rgb(80, 60, &rgb).unwrap(), place).unwrap()
        };
        let (before, with) = (patch(false, 0), patch(true, 0));
        assert!(is_back(&before, &with, &patch(false, 0)));
        assert!(is_back(&before, &with, &patch(false, 15)), "a little more light");
        assert!(!is_back(&before, &with, &with));
        assert!(!is_back(&before, &with, &patch(true, 15)));
        assert!(!is_back(&before, &before, &before), "nothing changed when it came");
    }

    #[test]
    fn a_box_of_a_few_pixels_has_no_look() {
        assert!(Patch::of(&picture(1, 0.6, 0.0, 0), BBox::new(0.5, 0.5, 0.52, 0.52).unwrap()).is_none());
        assert!(Patch::of(&picture(1, 0.6, 0.0, 0), BBox::new(1.5, 0.5, 1.9, 0.9).unwrap()).is_none());
    }
}
