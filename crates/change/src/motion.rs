//! Whether a camera moves, from its pictures alone. Cheap enough for every frame; says nothing about where it looks.

use parapet_core::Picture;

use crate::{
    raster::Size,
    register::{Flattened, Shift, unshifted},
    small::{Small, working_size},
};

/// Width in pixels at which pictures are compared.
const WIDTH: usize = 160;
/// A shift beyond this, in widths, is a movement: wind on a pole stays below it.
const STILL: f32 = 0.01;
/// Less fitting structure than this is another view, or the same one too far away to be told.
const LEAST_FIT: f32 = 0.3;
/// Shifts are looked for up to this, in widths.
const REACH: f32 = 0.08;

/// Follows whether the view stands still.
#[derive(Default)]
pub struct Motion {
    anchor: Option<(Size, Flattened)>,
}

impl Motion {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the picture shows the view of the anchor, which is the first picture, the first one after a movement,
    /// or that of the latest [`Self::drop_anchor`]. A slow turn adds up against the anchor until it shows. Where there is
    /// no structure to compare (fog, night), the view counts as still: nothing says that it moves.
    pub fn is_still(&mut self, picture: &Picture) -> bool {
        let size = working_size(picture, WIDTH);
        let luma = Small::new(picture, size).y;
        let still = self
            .anchor
            .as_ref()
            .is_some_and(|(anchor_size, anchor)| *anchor_size == size && fits(anchor, &luma, size));
        if !still {
            self.anchor = Some((size, Flattened::new(&luma, size)));
        }
        still
    }

    /// The present view becomes the one that later pictures are compared with, as slow changes of light ask for.
    pub fn drop_anchor(&mut self, picture: &Picture) {
        let size = working_size(picture, WIDTH);
        self.anchor = Some((size, Flattened::new(&Small::new(picture, size).y, size)));
    }
}

fn fits(anchor: &Flattened, luma: &[f32], size: Size) -> bool {
    let nothing = vec![false; size.len()];
    let shift = anchor.shift_to(luma, &nothing, Shift::default(), REACH * size.w as f32);
    let moved = shift.length() > STILL * size.w as f32;
    match anchor.share_of_fitting_blocks(&unshifted(luma, size, shift), &nothing) {
        Some(fit) => fit >= LEAST_FIT && !moved,
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use parapet_core::Picture;

    use super::*;

    /// A wall of bricks, seen `x` pixels further to the right, `gain` times as bright.
    fn wall(x: usize, gain: f32) -> Picture {
        let (w, h) = (320, 180);
        let brick = |x: usize, y: usize| ((x / 13 * 7919) ^ (y / 9 * 104_729)) % 97;
        let rgb: Vec<u8> =
            (0..w * h).flat_map(|i| [((60 + brick(i % w + x, i / w)) as f32 * gain) as u8; 3]).collect();
        Picture::from_rgb(w, h, &rgb).unwrap()
    }

    #[test]
    fn a_still_view_in_changing_light_is_still_and_a_turning_one_is_not() {
        let mut motion = Motion::new();
        assert!(!motion.is_still(&wall(0, 1.0)));
        for i in 0..10 {
            assert!(motion.is_still(&wall(0, 1.0 - 0.03 * i as f32)));
        }
        for x in [20, 60, 160, 300] {
            assert!(!motion.is_still(&wall(x, 1.0)), "{x}");
        }
        assert!(motion.is_still(&wall(300, 1.0)));
    }

    #[test]
    fn a_turn_too_slow_for_two_frames_adds_up() {
        let mut motion = Motion::new();
        motion.is_still(&wall(0, 1.0));
        let still = (1..8).map(|x| motion.is_still(&wall(x, 1.0))).filter(|still| !still).count();
        assert!(still >= 1);
    }

    #[test]
    fn fog_is_no_movement() {
        let mut motion = Motion::new();
        let fog = Picture::from_rgb(320, 180, &vec![140; 320 * 180 * 3]).unwrap();
        motion.is_still(&fog);
        assert!(motion.is_still(&fog));
    }
}
