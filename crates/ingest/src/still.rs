//! Tells a picture that stands still from one that lives. Pure: sees luma and times, keeps a small signature.

use std::time::Duration;

use parapet_core::Plane;

const COLUMNS: usize = 64;
const ROWS: usize = 36;

/// Mean luma of each cell of a 64 × 36 grid, in 1/16 of a level; every second row is read.
///
/// A mean over some hundred pixels averages sensor noise and coding noise away, while one digit of a burned-in clock
/// moves its cell by several levels.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Signature(Vec<u16>);

impl Signature {
    fn of(luma: &Plane) -> Self {
        let (columns, rows) = (COLUMNS.min(luma.width()), ROWS.min(luma.height()));
        let mut means = Vec::with_capacity(columns * rows);
        let mut sums = vec![0u32; columns];
        for cell_y in 0..rows {
            let (top, bottom) = (cell_y * luma.height() / rows, (cell_y + 1) * luma.height() / rows);
            sums.fill(0);
            let mut lines = 0;
            for y in (top..bottom).step_by(2) {
                let row = luma.row(y);
                for (cell_x, sum) in sums.iter_mut().enumerate() {
                    let (left, right) =
                        (cell_x * luma.width() / columns, (cell_x + 1) * luma.width() / columns);
                    *sum += row[left..right].iter().map(|s| u32::from(*s)).sum::<u32>();
                }
                lines += 1;
            }
            for (cell_x, sum) in sums.iter().enumerate() {
                let (left, right) = (cell_x * luma.width() / columns, (cell_x + 1) * luma.width() / columns);
                means.push((sum * 16 / (lines * (right - left) as u32)) as u16);
            }
        }
        Self(means)
    }

    fn is_like(&self, other: &Self, tolerance: u16) -> bool {
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(|(a, b)| a.abs_diff(*b) <= tolerance)
    }
}

/// Watches the pictures of one camera, across its reconnects: a camera that comes back with the very picture on which
/// it froze is still frozen.
#[derive(Debug)]
pub struct StillWatch {
    limit: Duration,
    interval: Duration,
    tolerance: u16,
    /// The first picture of the still time, when it came, and when a picture was last compared with it.
    reference: Option<(Signature, Duration, Duration)>,
}

impl StillWatch {
    /// Nothing seen yet. A picture that stood for so long stands still; each cell's mean may differ by so many levels.
    pub fn new(limit_seconds: f64, tolerance_levels: f64) -> Self {
        let limit = Duration::from_secs_f64(limit_seconds);
        Self {
            limit,
            // Twenty looks in the time are enough, and a clock's seconds are seen to change.
            interval: (limit / 20).min(Duration::from_secs(1)),
            tolerance: (tolerance_levels * 16.0).round() as u16,
            reference: None,
        }
    }

    /// Takes a picture that came at `now`; true once the picture has stood still for the limit.
    ///
    /// It is compared with the first of the still time, not with the one before, so slow dusk is a change.
    pub fn observe(&mut self, luma: &Plane, now: Duration) -> bool {
        if let Some((_, since, looked)) = &self.reference
            && now.saturating_sub(*looked) < self.interval
        {
            return looked.saturating_sub(*since) >= self.limit;
        }
        let signature = Signature::of(luma);
        match &mut self.reference {
            Some((reference, since, looked)) if reference.is_like(&signature, self.tolerance) => {
                *looked = now;
                now.saturating_sub(*since) >= self.limit
            }
            _ => {
                self.reference = Some((signature, now, now));
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noisy(level: u8, seed: u32, clock: u32) -> Plane {
        let (width, height) = (640, 360);
        let mut state = seed | 1;
        let mut samples: Vec<u8> = (0..width * height)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                level + (state >> 30) as u8
            })
            .collect();
        // A digit of 5 × 10 pixels that lights up in odd seconds.
        for y in 10..20 {
            for x in 600..605 {
                samples[y * width + x] = if clock % 2 == 1 { 235 } else { level };
            }
        }
        Plane::new(width, height, samples).unwrap()
    }

    fn froze_within(seconds: u32, picture: impl Fn(u32) -> Plane) -> bool {
        let mut watch = StillWatch::new(10.0, 0.5);
        (0..seconds * 5).any(|n| watch.observe(&picture(n / 5), Duration::from_millis(u64::from(n) * 200)))
    }

    #[test]
    fn the_same_picture_freezes_after_the_limit_and_not_before() {
        assert!(!froze_within(10, |_| noisy(80, 7, 0)));
        assert!(froze_within(12, |_| noisy(80, 7, 0)));
    }

    #[test]
    fn a_burned_in_clock_that_moves_is_life() {
        assert!(!froze_within(60, |second| noisy(80, 7, second)));
    }

    #[test]
    fn slow_dusk_is_life() {
        assert!(!froze_within(60, |second| noisy(120 - (second / 5) as u8, 7, 0)));
    }

    #[test]
    fn a_picture_smaller_than_the_grid_has_a_signature() {
        let tiny = Plane::new(5, 3, vec![9; 15]).unwrap();
        assert_eq!(Signature::of(&tiny).0, [9 * 16; 15]);
    }

    #[test]
    fn a_frozen_camera_that_comes_back_with_its_old_picture_is_still_frozen() {
        let mut watch = StillWatch::new(1.0, 0.5);
        let at = Duration::from_millis;
        assert!(!watch.observe(&noisy(80, 7, 0), at(0)));
        assert!(watch.observe(&noisy(80, 7, 0), at(1100)));
        assert!(watch.observe(&noisy(80, 7, 0), at(9000)));
        assert!(!watch.observe(&noisy(99, 7, 0), at(9100)));
    }
}
