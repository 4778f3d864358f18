//! JPEG in and out of pictures.

use image::{
    ImageError, ImageFormat, ImageResult, RgbImage,
    error::{EncodingError, ImageFormatHint},
};
use jpeg_encoder::{ColorType, Encoder, ImageBuffer, JpegColorType, SamplingFactor};
use parapet_core::{ColorSpace, Picture};

/// The picture as JPEG, from its planes: nothing goes through RGB.
pub(crate) fn encode(picture: &Picture, quality: u8) -> ImageResult<Vec<u8>> {
    let (width, height) = sides(picture.width(), picture.height())?;
    let mut bytes = Vec::with_capacity(picture.width() * picture.height() / 4);
    let mut encoder = Encoder::new(&mut bytes, quality);
    // Its chroma has half the size already.
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.encode_image(Planes::new(picture, width, height)).map_err(failed)?;
    Ok(bytes)
}

/// The drawn picture as JPEG.
pub(crate) fn encode_rgb(image: &RgbImage, quality: u8) -> ImageResult<Vec<u8>> {
    let (width, height) = sides(image.width() as usize, image.height() as usize)?;
    let mut bytes = Vec::with_capacity(image.len() / 12);
    let mut encoder = Encoder::new(&mut bytes, quality);
    encoder.set_sampling_factor(SamplingFactor::F_1_1);
    encoder.encode(image, width, height, ColorType::Rgb).map_err(failed)?;
    Ok(bytes)
}

/// RGB pixels of a JPEG.
pub(crate) fn decode(bytes: &[u8]) -> ImageResult<RgbImage> {
    Ok(image::load_from_memory_with_format(bytes, image::ImageFormat::Jpeg)?.into_rgb8())
}

fn sides(width: usize, height: usize) -> ImageResult<(u16, u16)> {
    let side = |n: usize| u16::try_from(n).map_err(failed);
    Ok((side(width)?, side(height)?))
}

fn failed(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ImageError {
    ImageError::Encoding(EncodingError::new(ImageFormatHint::Exact(ImageFormat::Jpeg), why))
}

/// The planes of a picture, read as JPEG wants them: full-range BT.601.
struct Planes<'p> {
    picture: &'p Picture,
    width: u16,
    height: u16,
    luma: Row,
    blue: Row,
    red: Row,
}

/// One row of the matrix from a picture's `(y, u, v)` to a plane of a JPEG, with what is added, in 1/65536.
#[derive(Clone, Copy)]
struct Row {
    y: i32,
    u: i32,
    v: i32,
    plus: i32,
}

impl Row {
    /// `plus`: beyond the weighted `y − black`, `u − 128` and `v − 128`.
    fn new([y, u, v]: [f32; 3], black: f32, plus: f32) -> Self {
        let fixed = |v: f32| (v * 65536.0).round() as i32;
        Self { y: fixed(y), u: fixed(u), v: fixed(v), plus: fixed(plus + 0.5 - y * black - 128.0 * (u + v)) }
    }

    fn chroma(self, u: u8, v: u8) -> i32 {
        self.u * i32::from(u) + self.v * i32::from(v) + self.plus
    }

    fn sample(self, y: u8, chroma: i32) -> u8 {
        ((self.y * i32::from(y) + chroma) >> 16).clamp(0, 255) as u8
    }
}

impl<'p> Planes<'p> {
    fn new(picture: &'p Picture, width: u16, height: u16) -> Self {
        let from = picture.color();
        let (black, light, colour) =
            if from.full_range { (0.0, 1.0, 1.0) } else { (16.0, 255.0 / 219.0, 255.0 / 224.0) };
        let (kr, kb) = from.coefficients();
        // What U adds to blue and green, and V to red and green, and what that is in the luma of a JPEG.
        let (u_blue, v_red) = (2.0 * (1.0 - kb) * colour, 2.0 * (1.0 - kr) * colour);
        let (u_green, v_green) = (-u_blue * kb / (1.0 - kr - kb), -v_red * kr / (1.0 - kr - kb));
        let (jr, jb) = ColorSpace::JPEG.coefficients();
        let (u_luma, v_luma) =
            (jb * u_blue + (1.0 - jr - jb) * u_green, jr * v_red + (1.0 - jr - jb) * v_green);
        let (blue, red) = (0.5 / (1.0 - jb), 0.5 / (1.0 - jr));
        Self {
            picture,
            width,
            height,
            luma: Row::new([light, u_luma, v_luma], black, 0.0),
            blue: Row::new([0.0, (u_blue - u_luma) * blue, -v_luma * blue], 0.0, 128.0),
            red: Row::new([0.0, -u_luma * red, (v_red - v_luma) * red], 0.0, 128.0),
        }
    }
}

impl ImageBuffer for Planes<'_> {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        JpegColorType::Ycbcr
    }

    fn width(&self) -> u16 {
        self.width
    }

    fn height(&self) -> u16 {
        self.height
    }

    fn fill_buffers(&self, y: u16, buffers: &mut [Vec<u8>; 4]) {
        let (y, width) = (usize::from(y), usize::from(self.width));
        let (ys, us, vs) =
            (self.picture.y().row(y), self.picture.u().row(y / 2), self.picture.v().row(y / 2));
        for (buffer, row) in buffers.iter_mut().zip([self.luma, self.blue, self.red]) {
            let start = buffer.len();
            buffer.resize(start + width, 0);
            let ((targets, last), (pairs, odd)) = (buffer[start..].as_chunks_mut::<2>(), ys.as_chunks::<2>());
            for (((target, pair), u), v) in targets.iter_mut().zip(pairs).zip(us).zip(vs) {
                let chroma = row.chroma(*u, *v);
                *target = pair.map(|y| row.sample(y, chroma));
            }
            for (target, y) in last.iter_mut().zip(odd) {
                *target = row.sample(*y, row.chroma(us[width / 2], vs[width / 2]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_planes_give_the_same_picture_as_their_pixels() {
        // Soft ramps of colours that every kind of YUV can hold, of an odd size.
        let (w, h) = (61, 43);
        let rgb: Vec<u8> = (0..w * h)
            .flat_map(|i| [60 + (i % w) as u8, 150 - (i / w) as u8, 90 + ((i % w) / 2 + (i / w)) as u8])
            .collect();
        let made = Picture::from_rgb(w, h, &rgb).unwrap();
        for (bt709, full_range) in [(false, true), (false, false), (true, false), (true, true)] {
            let color = ColorSpace { bt709, full_range };
            let picture = Picture::new(made.y().clone(), made.u().clone(), made.v().clone(), color).unwrap();
            let pixels = RgbImage::from_raw(w as u32, h as u32, picture.to_rgb()).unwrap();
            let decoded = decode(&encode(&picture, 98).unwrap()).unwrap();
            assert_eq!(decoded.dimensions(), pixels.dimensions());
            let apart = decoded.iter().zip(pixels.iter()).map(|(a, b)| u32::from(a.abs_diff(*b)));
            assert!(apart.clone().max().unwrap() <= 8, "{color:?}: {:?}", apart.max());
            assert!(apart.sum::<u32>() < (w * h * 3) as u32 * 3 / 2, "{color:?}");
        }
    }
}
