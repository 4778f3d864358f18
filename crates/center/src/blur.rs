//! Pictures for those who may not see them clear: a mosaic of the whole picture, so coarse that a face or a number plate
//! in an ordinary view is a few cells, and coarser still where persons and vehicles are known to be.
//!
//! It does not look for faces itself: what nobody has detected is hidden as well as what somebody has.

use std::io;

use image::{ImageFormat, RgbImage};
use parapet_core::BBox;

/// Cells along the longer side of a picture.
const CELLS: u32 = 64;
/// Cells along each side of a known person or vehicle.
const CELLS_OF_KNOWN: u32 = 3;

/// The picture as a mosaic, as JPEG. `known` are boxes of persons and vehicles, normalized.
pub(crate) fn blurred(picture: &[u8], known: &[BBox]) -> io::Result<Vec<u8>> {
    let mut image = image::load_from_memory(picture).map_err(io::Error::other)?.to_rgb8();
    let (width, height) = image.dimensions();
    let cell = width.max(height).div_ceil(CELLS).max(1);
    mosaic(&mut image, (0, 0, width, height), (cell, cell));
    for bbox in known {
        let bbox = bbox.clamped();
        let x0 = (bbox.x_min() * width as f32) as u32;
        let y0 = (bbox.y_min() * height as f32) as u32;
        let x1 = ((bbox.x_max() * width as f32).ceil() as u32).min(width);
        let y1 = ((bbox.y_max() * height as f32).ceil() as u32).min(height);
        let (w, h) = (x1.saturating_sub(x0), y1.saturating_sub(y0));
        let side = |size: u32| size.div_ceil(CELLS_OF_KNOWN).max(cell);
        mosaic(&mut image, (x0, y0, w, h), (side(w), side(h)));
    }
    let mut jpeg = io::Cursor::new(Vec::new());
    image.write_to(&mut jpeg, ImageFormat::Jpeg).map_err(io::Error::other)?;
    Ok(jpeg.into_inner())
}

/// Gives each cell of a part of the picture its mean.
fn mosaic(
    image: &mut RgbImage,
    (x0, y0, width, height): (u32, u32, u32, u32),
    (cell_width, cell_height): (u32, u32),
) {
    for top in (y0..y0 + height).step_by(cell_height as usize) {
        for left in (x0..x0 + width).step_by(cell_width as usize) {
            let right = (left + cell_width).min(x0 + width);
            let bottom = (top + cell_height).min(y0 + height);
            let mut sum = [0_u64; 3];
            for y in top..bottom {
                for x in left..right {
                    for (sum, value) in sum.iter_mut().zip(image.get_pixel(x, y).0) {
                        *sum += u64::from(value);
                    }
                }
            }
            let count = u64::from(right - left) * u64::from(bottom - top);
            let mean = image::Rgb(sum.map(|sum| (sum / count.max(1)) as u8));
            for y in top..bottom {
                for x in left..right {
                    image.put_pixel(x, y, mean);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stripes of two pixels: what a plate's characters are.
    fn striped() -> Vec<u8> {
        let image = RgbImage::from_fn(1280, 720, |x, _| {
            if x / 2 % 2 == 0 { image::Rgb([0; 3]) } else { image::Rgb([255; 3]) }
        });
        let mut png = io::Cursor::new(Vec::new());
        image.write_to(&mut png, ImageFormat::Png).unwrap();
        png.into_inner()
    }

    #[test]
    fn nothing_small_is_left_anywhere() {
        let out = image::load_from_memory(&blurred(&striped(), &[]).unwrap()).unwrap().to_luma8();
        assert_eq!(out.dimensions(), (1280, 720));
        assert!(out.pixels().all(|pixel| (110..=145).contains(&pixel.0[0])), "all the same grey");
    }

    #[test]
    fn a_known_person_is_a_few_cells_and_the_box_may_lie_at_the_edge() {
        let gradient = RgbImage::from_fn(640, 360, |x, _| image::Rgb([(x * 255 / 640) as u8; 3]));
        let mut png = io::Cursor::new(Vec::new());
        gradient.write_to(&mut png, ImageFormat::Png).unwrap();
        let known = [BBox::new(0.5, 0.5, 1.2, 1.3).unwrap()];
        let out = image::load_from_memory(&blurred(png.get_ref(), &known).unwrap()).unwrap().to_luma8();
        let inside: std::collections::BTreeSet<u8> =
            (330..630).map(|x| out.get_pixel(x, 300).0[0] / 8).collect();
        let outside: std::collections::BTreeSet<u8> =
            (10..310).map(|x| out.get_pixel(x, 60).0[0] / 8).collect();
        assert!(inside.len() <= 5 && outside.len() > 10, "{inside:?} {outside:?}");
        assert!(blurred(b"no picture", &[]).is_err());
    }
}
