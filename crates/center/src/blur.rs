//! Pictures for those who may not see them clear: a mosaic of the whole picture, so coarse that a face or a number plate
//! in an ordinary view is a few cells, and coarser still where persons and vehicles are known to be.
//!
//! It does not look for faces itself: what nobody has detected is hidden as well as what somebody has. For those who may
//! see clear only what an installer drew as private becomes a mosaic.

use std::io;

use image::{ImageFormat, RgbImage, codecs::jpeg::JpegEncoder};
use parapet_core::{BBox, Point, Polygon};

/// Cells along the longer side of a picture.
const CELLS: u32 = 64;
/// Cells along each side of a known person or vehicle.
const CELLS_OF_KNOWN: u32 = 3;
/// JPEG quality of a picture of which the most is to be seen clear.
const QUALITY: u8 = 88;

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

/// The picture with these areas of the camera's view as a mosaic and the rest as it is, as JPEG. The picture shows this
/// `part` of the view; a cell is as large in the view as one of [`blurred`], however closely the part was cut.
pub(crate) fn masked(picture: &[u8], areas: &[Polygon], part: BBox) -> io::Result<Vec<u8>> {
    let mut image = image::load_from_memory(picture).map_err(io::Error::other)?.to_rgb8();
    let (width, height) = (image.width() as f32, image.height() as f32);
    let cell = (width / part.width()).max(height / part.height()) / CELLS as f32;
    // Not larger than the picture, however small its part is.
    let cell = (cell.ceil().max(1.0) as u32).min(image.width().max(image.height()));
    let column = |x: f32| ((x - part.x_min()) / part.width() * width).clamp(0.0, width);
    let row = |y: f32| ((y - part.y_min()) / part.height() * height).clamp(0.0, height);
    for area in areas {
        let bounds = area.bbox();
        let columns = column(bounds.x_min()) as u32..column(bounds.x_max()).ceil() as u32;
        let rows = row(bounds.y_min()) as u32..row(bounds.y_max()).ceil() as u32;
        let inside = |x: u32, y: u32| {
            let (x, y) = ((x as f32 + 0.5) / width, (y as f32 + 0.5) / height);
            let at = Point::new(part.x_min() + x * part.width(), part.y_min() + y * part.height());
            area.contains(at)
        };
        for top in rows.clone().step_by(cell as usize) {
            for left in columns.clone().step_by(cell as usize) {
                let pixels = || {
                    let below = top..(top + cell).min(rows.end);
                    let across = left..(left + cell).min(columns.end);
                    below.flat_map(move |y| across.clone().map(move |x| (x, y)))
                };
                let pixels: Vec<_> = pixels().filter(|(x, y)| inside(*x, *y)).collect();
                average(&mut image, &pixels);
            }
        }
    }
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY).encode_image(&image).map_err(io::Error::other)?;
    Ok(jpeg)
}

/// Gives these pixels their mean.
fn average(image: &mut RgbImage, pixels: &[(u32, u32)]) {
    let mut sum = [0_u64; 3];
    for (x, y) in pixels {
        for (sum, value) in sum.iter_mut().zip(image.get_pixel(*x, *y).0) {
            *sum += u64::from(value);
        }
    }
    let mean = image::Rgb(sum.map(|sum| (sum / pixels.len().max(1) as u64) as u8));
    for (x, y) in pixels {
        image.put_pixel(*x, *y, mean);
    }
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

    const WHOLE: [f32; 4] = [0.0, 0.0, 1.0, 1.0];

    /// How far the values of a part of a picture, in pixels, are from each other.
    fn spread(jpeg: &[u8], x: std::ops::Range<u32>, y: std::ops::Range<u32>) -> u8 {
        let image = image::load_from_memory(jpeg).unwrap().to_luma8();
        let values: Vec<u8> =
            y.flat_map(|y| x.clone().map(move |x| (x, y))).map(|(x, y)| image.get_pixel(x, y).0[0]).collect();
        values.iter().max().unwrap() - values.iter().min().unwrap()
    }

    #[test]
    fn a_private_area_is_a_mosaic_up_to_its_edge_and_the_rest_is_clear() {
        let corners = [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75)].map(|(x, y)| Point::new(x, y));
        let triangle = Polygon::new(corners.to_vec()).unwrap();
        let whole = BBox::try_from(WHOLE).unwrap();
        let out = masked(&striped(), &[triangle], whole).unwrap();
        assert!(spread(&out, 328..600, 188..330) < 40, "inside");
        assert!(spread(&out, 328..420, 340..440) < 40, "inside, further down");
        for (x, y) in [(0..300, 0..720), (320..960, 0..170), (0..1280, 550..720), (800..950, 420..530)] {
            assert!(spread(&out, x.clone(), y.clone()) > 200, "outside: {x:?} {y:?}");
        }
        assert!(masked(b"no picture", &[], whole).is_err());
    }

    #[test]
    fn a_picture_of_a_part_of_the_view_hides_the_same_place_as_coarsely() {
        let window = Polygon::from_bbox(BBox::new(0.4, 0.4, 0.6, 0.6).unwrap()).unwrap();
        // The lower right quarter of the area is the upper left one of this part.
        let part = BBox::new(0.5, 0.5, 0.7, 0.7).unwrap();
        let out = masked(&striped(), std::slice::from_ref(&window), part).unwrap();
        assert!(spread(&out, 0..632, 0..352) < 40, "inside");
        assert!(spread(&out, 650..1280, 0..720) > 200 && spread(&out, 0..1280, 370..720) > 200, "outside");
        // 1280 pixels are a fifth of the view: 64 cells along the view are not quite 13 along the picture.
        let gradient = RgbImage::from_fn(1280, 720, |x, _| image::Rgb([(x / 5) as u8; 3]));
        let mut png = io::Cursor::new(Vec::new());
        gradient.write_to(&mut png, ImageFormat::Png).unwrap();
        let out = image::load_from_memory(&masked(png.get_ref(), &[window], part).unwrap()).unwrap();
        let row = out.to_luma8();
        let steps =
            (1..630).filter(|x| row.get_pixel(*x, 100).0[0].abs_diff(row.get_pixel(x - 1, 100).0[0]) > 4);
        assert!(steps.count() <= 8, "no finer than in the whole view");
        let elsewhere = BBox::new(0.8, 0.8, 0.9, 0.9).unwrap();
        let out = masked(&striped(), &[Polygon::from_bbox(part).unwrap()], elsewhere).unwrap();
        assert!(spread(&out, 0..1280, 0..720) > 200, "it is not in the picture");
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
