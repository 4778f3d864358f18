//! Where a picture lies in the network's input, and the way back.

use parapet_core::BBox;
use serde::Deserialize;

use crate::preprocess::Region;

/// How a picture is brought to the size of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// Keeps its shape, padding on both sides.
    Centred,
    /// Keeps its shape, padding on the right and below.
    TopLeft,
    /// Fills the input, changing its shape.
    Stretch,
}

/// The part of the input that shows the picture, in pixels of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement {
    /// Columns of padding before it.
    pub left: usize,
    /// Rows of padding above it.
    pub top: usize,
    /// Its width.
    pub width: usize,
    /// Its height.
    pub height: usize,
}

impl Placement {
    /// The place of a `picture` (width, height) in an `input` (width, height).
    pub fn new(picture: (usize, usize), input: (usize, usize), fit: Fit) -> Self {
        if fit == Fit::Stretch {
            return Self { left: 0, top: 0, width: input.0, height: input.1 };
        }
        let scale = (input.0 as f64 / picture.0 as f64).min(input.1 as f64 / picture.1 as f64);
        let scaled = |n: usize, limit: usize| ((n as f64 * scale + 0.5).floor() as usize).clamp(1, limit);
        let (width, height) = (scaled(picture.0, input.0), scaled(picture.1, input.1));
        match fit {
            Fit::Centred => Self { left: (input.0 - width) / 2, top: (input.1 - height) / 2, width, height },
            Fit::TopLeft | Fit::Stretch => Self { left: 0, top: 0, width, height },
        }
    }

    /// The box `[x1, y1, x2, y2]` of the input in parts of the picture, cut at its edges; `None` if it is no box.
    pub fn picture_from_input(self, b: [f32; 4]) -> Option<BBox> {
        let x = |v: f32| (v - self.left as f32) / self.width as f32;
        let y = |v: f32| (v - self.top as f32) / self.height as f32;
        BBox::new(x(b[0]), y(b[1]), x(b[2]), y(b[3])).map(BBox::clamped)
    }

    /// A box of the input in pixels of the picture, when the input shows `region` of it; not cut.
    pub(crate) fn region_pixels(self, b: [f32; 4], region: Region) -> [f32; 4] {
        let x = |v: f32| (v - self.left as f32) * (region.width as f32 / self.width as f32) + region.x as f32;
        let y =
            |v: f32| (v - self.top as f32) * (region.height as f32 / self.height as f32) + region.y as f32;
        [x(b[0]), y(b[1]), x(b[2]), y(b[3])]
    }

    /// The box of the picture in pixels of the input.
    pub fn input_from_picture(self, b: BBox) -> [f32; 4] {
        let x = |v: f32| v * self.width as f32 + self.left as f32;
        let y = |v: f32| v * self.height as f32 + self.top as f32;
        [x(b.x_min()), y(b.y_min()), x(b.x_max()), y(b.y_max())]
    }
}

/// The smallest input with this longer side, both sides multiples of `multiple_of`, that holds the picture at the
/// largest scale.
pub(crate) fn input_of_long_side(
    picture: (usize, usize),
    long_side: usize,
    multiple_of: usize,
) -> (usize, usize) {
    let longer = picture.0.max(picture.1);
    let side = |n: usize| {
        // Rounded up: an input that is half a pixel short would shrink the longer side too.
        (n * long_side).div_ceil(longer).next_multiple_of(multiple_of).min(long_side)
    };
    (side(picture.0), side(picture.1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fits() -> impl Strategy<Value = Fit> {
        prop_oneof![Just(Fit::Centred), Just(Fit::TopLeft), Just(Fit::Stretch)]
    }

    proptest! {
        #[test]
        fn the_way_back_is_the_inverse(
            picture in (1usize..5000, 1usize..5000),
            input in (32usize..1300, 32usize..1300),
            fit in fits(),
            edges in proptest::array::uniform4(0.0f32..=1.0),
        ) {
            let place = Placement::new(picture, input, fit);
            prop_assert!(place.left + place.width <= input.0 && place.top + place.height <= input.1);
            let b = BBox::new(
                edges[0].min(edges[2]), edges[1].min(edges[3]), edges[0].max(edges[2]), edges[1].max(edges[3]),
            ).unwrap();
            let back = place.picture_from_input(place.input_from_picture(b)).unwrap();
            let sides = [place.width, place.height, place.width, place.height];
            for ((a, b), side) in <[f32; 4]>::from(back).into_iter().zip(<[f32; 4]>::from(b)).zip(sides) {
                prop_assert!((a - b).abs() * (side as f32) < 1e-3, "{a} is not {b}, in pixels of the input");
            }
        }

        #[test]
        fn the_picture_keeps_its_shape_to_within_a_pixel(
            picture in (200usize..5000, 200usize..5000), input in (64usize..1300, 64usize..1300), centred in any::<bool>(),
        ) {
            let place = Placement::new(picture, input, if centred { Fit::Centred } else { Fit::TopLeft });
            let scale = (input.0 as f64 / picture.0 as f64).min(input.1 as f64 / picture.1 as f64);
            prop_assert!((place.width as f64 - picture.0 as f64 * scale).abs() <= 0.5 + 1e-6);
            prop_assert!((place.height as f64 - (picture.1 as f64 * scale).max(1.0)).abs() <= 0.5 + 1e-6);
            prop_assert!(place.width == input.0 || place.height == input.1);
        }

        #[test]
        fn a_fitted_input_shows_the_picture_as_large_as_a_square_one(
            picture in (16usize..5000, 16usize..5000), cells in 2usize..40, multiple_of in prop_oneof![Just(32usize), Just(64)],
        ) {
            let long_side = cells * multiple_of;
            let input = input_of_long_side(picture, long_side, multiple_of);
            prop_assert!(input.0.is_multiple_of(multiple_of) && input.1.is_multiple_of(multiple_of));
            prop_assert_eq!(input.0.max(input.1), long_side);
            let (fitted, square) = (Placement::new(picture, input, Fit::Centred), Placement::new(picture, (long_side, long_side), Fit::Centred));
            prop_assert_eq!((fitted.width, fitted.height), (square.width, square.height));
            prop_assert!(input.0 - fitted.width <= multiple_of && input.1 - fitted.height <= multiple_of);
        }
    }

    #[test]
    fn a_wide_picture_lies_in_the_middle_or_at_the_top() {
        let place = |fit| Placement::new((1920, 1080), (416, 416), fit);
        assert_eq!(place(Fit::Centred), Placement { left: 0, top: 91, width: 416, height: 234 });
        assert_eq!(place(Fit::TopLeft), Placement { left: 0, top: 0, width: 416, height: 234 });
        assert_eq!(place(Fit::Stretch), Placement { left: 0, top: 0, width: 416, height: 416 });
        assert_eq!(input_of_long_side((1920, 1080), 416, 32), (416, 256));
        assert_eq!(input_of_long_side((720, 1280), 640, 32), (384, 640));
    }
}
