//! Change detection: a found mask against a true one, by pixel and by object. Objects are sets of pixels that touch at an
//! edge or a corner.

use super::{Counts, ratio};
use parapet_core::Mask;
use serde::{Deserialize, Serialize};

/// Why two masks cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "cannot compare a found mask of {found_width}×{found_height} with a true one of {truth_width}×{truth_height}; \
     hint: bring both to one size first"
)]
pub struct SizesDiffer {
    /// Of the found mask, in pixels.
    pub found_width: usize,
    /// Of the found mask, in pixels.
    pub found_height: usize,
    /// Of the true mask, in pixels.
    pub truth_width: usize,
    /// Of the true mask, in pixels.
    pub truth_height: usize,
}

/// When an object is found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ObjectRule {
    /// Its intersection over union with one found object is at least this; one to one, by falling IoU.
    Iou(f64),
    /// At least this share of it lies in what was found, by however many objects; and a found object is true if this
    /// share of it lies in what is true.
    Overlap(f64),
}

/// Objects that were found, and found objects that are true. Under [`ObjectRule::Iou`] both are the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ObjectCounts {
    /// True objects.
    pub truths: u64,
    /// Those of them that were found.
    pub truths_found: u64,
    /// Found objects.
    pub found: u64,
    /// Those of them that are true.
    pub found_true: u64,
}

impl ObjectCounts {
    /// Share of the found objects that are true; none without any.
    pub fn precision(&self) -> Option<f64> {
        ratio(self.found_true, self.found)
    }

    /// Share of the true objects that were found; none without any.
    pub fn recall(&self) -> Option<f64> {
        ratio(self.truths_found, self.truths)
    }

    /// Harmonic mean of the two: 0 if one is 0 or missing, none if there is nothing on either side.
    pub fn f1(&self) -> Option<f64> {
        if self.truths + self.found == 0 {
            return None;
        }
        let (precision, recall) = (self.precision().unwrap_or(0.0), self.recall().unwrap_or(0.0));
        Some(if precision + recall > 0.0 { 2.0 * precision * recall / (precision + recall) } else { 0.0 })
    }
}

impl std::ops::AddAssign for ObjectCounts {
    fn add_assign(&mut self, other: Self) {
        self.truths += other.truths;
        self.truths_found += other.truths_found;
        self.found += other.found;
        self.found_true += other.found_true;
    }
}

/// Pixels that are changed and found, only found, only changed.
///
/// # Errors
/// See [`SizesDiffer`].
pub fn pixels(found: &Mask, truth: &Mask) -> Result<Counts, SizesDiffer> {
    same_size(found, truth)?;
    let mut counts = Counts::default();
    for (found, truth) in found.cells().iter().zip(truth.cells()) {
        counts.hits += u64::from(*found && *truth);
        counts.false_alarms += u64::from(*found && !*truth);
        counts.misses += u64::from(!*found && *truth);
    }
    Ok(counts)
}

/// Objects of at least `least_area` pixels, matched by `rule`.
///
/// # Errors
/// See [`SizesDiffer`].
pub fn objects(
    found: &Mask,
    truth: &Mask,
    rule: ObjectRule,
    least_area: usize,
) -> Result<ObjectCounts, SizesDiffer> {
    same_size(found, truth)?;
    let (found, truth) = (Objects::of(found, least_area), Objects::of(truth, least_area));
    let mut counts = ObjectCounts {
        truths: truth.areas.len() as u64,
        found: found.areas.len() as u64,
        ..ObjectCounts::default()
    };
    // Pixels shared by each pair.
    let mut shared = vec![0_usize; truth.areas.len() * found.areas.len()];
    for (truth, of_found) in truth.number.iter().zip(&found.number) {
        if let (Some(truth), Some(of_found)) = (truth, of_found) {
            shared[truth * found.areas.len() + of_found] += 1;
        }
    }
    match rule {
        ObjectRule::Iou(least) => {
            let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
            for (row, truth_area) in truth.areas.iter().enumerate() {
                for (column, found_area) in found.areas.iter().enumerate() {
                    let shared = shared[row * found.areas.len() + column];
                    let iou = shared as f64 / (truth_area + found_area - shared) as f64;
                    if shared > 0 && iou >= least {
                        pairs.push((iou, row, column));
                    }
                }
            }
            pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
            let (mut met, mut used) = (vec![false; truth.areas.len()], vec![false; found.areas.len()]);
            for (_, row, column) in pairs {
                if !met[row] && !used[column] {
                    (met[row], used[column]) = (true, true);
                    counts.truths_found += 1;
                    counts.found_true += 1;
                }
            }
        }
        ObjectRule::Overlap(least) => {
            let enough = |shared: usize, area: usize| shared > 0 && shared as f64 / area as f64 >= least;
            for (row, area) in truth.areas.iter().enumerate() {
                let shared = shared[row * found.areas.len()..(row + 1) * found.areas.len()].iter().sum();
                counts.truths_found += u64::from(enough(shared, *area));
            }
            for (column, area) in found.areas.iter().enumerate() {
                let shared = shared.iter().skip(column).step_by(found.areas.len()).sum();
                counts.found_true += u64::from(enough(shared, *area));
            }
        }
    }
    Ok(counts)
}

fn same_size(found: &Mask, truth: &Mask) -> Result<(), SizesDiffer> {
    if (found.width(), found.height()) == (truth.width(), truth.height()) {
        return Ok(());
    }
    Err(SizesDiffer {
        found_width: found.width(),
        found_height: found.height(),
        truth_width: truth.width(),
        truth_height: truth.height(),
    })
}

struct Objects {
    /// Which object each pixel belongs to.
    number: Vec<Option<usize>>,
    /// Pixels of each object.
    areas: Vec<usize>,
}

impl Objects {
    fn of(mask: &Mask, least_area: usize) -> Self {
        let (width, height) = (mask.width(), mask.height());
        let mut seen = vec![false; width * height];
        let mut objects = Self { number: vec![None; width * height], areas: Vec::new() };
        let mut pixels = Vec::new();
        for start in 0..width * height {
            if seen[start] || !mask.cells()[start] {
                continue;
            }
            pixels.clear();
            pixels.push(start);
            seen[start] = true;
            let mut next = 0;
            while next < pixels.len() {
                let (x, y) = (pixels[next] % width, pixels[next] / width);
                next += 1;
                for y in y.saturating_sub(1)..(y + 2).min(height) {
                    for x in x.saturating_sub(1)..(x + 2).min(width) {
                        let neighbour = y * width + x;
                        if mask.cells()[neighbour] && !seen[neighbour] {
                            seen[neighbour] = true;
                            pixels.push(neighbour);
                        }
                    }
                }
            }
            if pixels.len() >= least_area {
                for pixel in &pixels {
                    objects.number[*pixel] = Some(objects.areas.len());
                }
                objects.areas.push(pixels.len());
            }
        }
        objects
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `#` is set.
    fn mask(rows: &[&str]) -> Mask {
        let cells = rows.iter().flat_map(|row| row.chars().map(|cell| cell == '#')).collect();
        Mask::from_cells(rows[0].len(), rows.len(), cells).unwrap()
    }

    #[test]
    fn pixels_are_counted_by_what_both_masks_say() {
        let counts = pixels(&mask(&["##..", "##.."]), &mask(&[".##.", ".##."])).unwrap();
        assert_eq!(counts, Counts { hits: 2, false_alarms: 2, misses: 2 });
        assert_eq!(counts.iou(), Some(1.0 / 3.0));
    }

    #[test]
    fn two_blank_masks_have_no_figure() {
        let blank = Mask::empty(3, 3);
        assert_eq!(pixels(&blank, &blank).unwrap().f1(), None);
        assert_eq!(objects(&blank, &blank, ObjectRule::Iou(0.5), 1).unwrap().f1(), None);
    }

    #[test]
    fn pixels_that_touch_at_a_corner_are_one_object() {
        let diagonal = mask(&["#..", ".#.", "..#"]);
        assert_eq!(objects(&diagonal, &diagonal, ObjectRule::Iou(0.5), 1).unwrap().truths, 1);
        let apart = mask(&["#.#", "#.#", "#.#"]);
        assert_eq!(objects(&apart, &apart, ObjectRule::Iou(0.5), 1).unwrap().truths_found, 2);
    }

    #[test]
    fn an_object_found_in_two_pieces_is_found_by_overlap_and_not_by_iou() {
        let (found, truth) = (mask(&["##..##", "......"]), mask(&["######", "......"]));
        let by_iou = objects(&found, &truth, ObjectRule::Iou(0.5), 1).unwrap();
        assert_eq!(by_iou, ObjectCounts { truths: 1, truths_found: 0, found: 2, found_true: 0 });
        let by_overlap = objects(&found, &truth, ObjectRule::Overlap(0.5), 1).unwrap();
        assert_eq!(by_overlap, ObjectCounts { truths: 1, truths_found: 1, found: 2, found_true: 2 });
        assert_eq!(by_overlap.f1(), Some(1.0));
    }

    #[test]
    fn specks_below_the_least_area_are_no_objects() {
        let counts = objects(&mask(&["#..##", "...##"]), &mask(&["...##", "...##"]), ObjectRule::Iou(0.5), 2);
        assert_eq!(counts.unwrap(), ObjectCounts { truths: 1, truths_found: 1, found: 1, found_true: 1 });
    }

    #[test]
    fn masks_of_different_sizes_are_refused_with_both_sizes() {
        let error = pixels(&Mask::empty(2, 3), &Mask::empty(4, 3)).unwrap_err();
        assert!(error.to_string().contains("2×3") && error.to_string().contains("4×3"));
    }
}
