//! Looking at a part of a picture at the scale at which the whole is seen: what is found there looks the same to the model.

use parapet_core::BBox;

use crate::{letterbox::Placement, preprocess::Region};

/// Sides of such inputs are multiples of so many of the model's steps: a runtime keeps memory for each size that it has met.
const STEPS: usize = 4;

/// The region of a `picture` (width, height) that holds a `part` of it, and the size of an input that shows it at the scale
/// of `whole`, the place of all of the picture in its input. `step`: sides of inputs are multiples of it. `None` if that
/// would be all of the picture.
pub(crate) fn around(
    part: BBox,
    picture: (usize, usize),
    whole: Placement,
    step: usize,
) -> Option<(Region, (usize, usize))> {
    let side = |low: f32, high: f32, picture: usize, shown: usize| {
        let scale = shown as f64 / picture as f64;
        let wanted = (f64::from(high - low) * shown as f64).ceil() as usize;
        let input = wanted.max(1).next_multiple_of(STEPS * step);
        if input >= shown {
            return (0, picture, shown.next_multiple_of(step));
        }
        let length = ((input as f64 / scale).round() as usize).clamp(1, picture);
        let middle = f64::from(low + high) / 2.0 * picture as f64;
        let start = ((middle - length as f64 / 2.0).round().max(0.0) as usize).min(picture - length);
        (start, length, input)
    };
    let (x, width, across) = side(part.x_min(), part.x_max(), picture.0, whole.width);
    let (y, height, down) = side(part.y_min(), part.y_max(), picture.1, whole.height);
    ((width, height) != picture).then_some((Region { x, y, width, height }, (across, down)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::letterbox::Fit;

    #[test]
    fn a_part_is_cut_out_at_the_scale_of_the_whole() {
        let picture = (1920, 1080);
        let whole = Placement::new(picture, (640, 640), Fit::Centred);
        let part = |b: [f32; 4]| around(BBox::new(b[0], b[1], b[2], b[3]).unwrap(), picture, whole, 32);
        // 192 × 108 of the input's pixels: 256 × 128 of them, which are 768 × 384 of the picture's.
        let region = Region { x: 576, y: 348, width: 768, height: 384 };
        assert_eq!(part([0.35, 0.35, 0.65, 0.65]), Some((region, (256, 128))));
        // In a corner, and as high as the picture.
        let region = Region { x: 1536, y: 0, width: 384, height: 1080 };
        assert_eq!(part([0.95, 0.0, 1.0, 0.9]), Some((region, (128, 384))));
        assert_eq!(part([0.0, 0.0, 0.9, 0.9]), None);
    }

    proptest! {
        #[test]
        fn it_holds_what_it_is_to_hold(
            picture in (40usize..4000, 40usize..4000), input in (2usize..40, 2usize..40),
            edges in proptest::array::uniform4(0.0f32..=1.0),
        ) {
            let input = (input.0 * 32, input.1 * 32);
            let [a, b, c, d] = edges;
            let part = BBox::new(a.min(c), b.min(d), a.max(c), b.max(d)).unwrap();
            let whole = Placement::new(picture, input, Fit::Centred);
            let Some((region, size)) = around(part, picture, whole, 32) else { return Ok(()) };
            prop_assert!(region.x + region.width <= picture.0 && region.y + region.height <= picture.1);
            prop_assert!(size.0 % 32 == 0 && size.1 % 32 == 0 && size.0 <= input.0 && size.1 <= input.1);
            let place = Placement::new((region.width, region.height), size, Fit::Centred);
            prop_assert!(place.width <= size.0 && place.height <= size.1);
            // A pixel at each edge is lost to rounding at most.
            let (x, y) = (part.x_min() * picture.0 as f32, part.y_max() * picture.1 as f32);
            prop_assert!(region.x as f32 <= x + 1.0 && (region.y + region.height) as f32 >= y - 1.0);
        }
    }
}
