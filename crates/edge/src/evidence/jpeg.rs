//! JPEG in and out of pictures.

use image::{
    ImageError, ImageFormat, ImageResult, RgbImage,
    error::{EncodingError, ImageFormatHint},
};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use parapet_core::Picture;

/// The picture as JPEG.
pub(crate) fn encode(picture: &Picture, quality: u8) -> ImageResult<Vec<u8>> {
    // Its chroma has half the size already.
    encode_pixels(&picture.to_rgb(), (picture.width(), picture.height()), quality, SamplingFactor::F_2_2)
}

/// The drawn picture as JPEG.
pub(crate) fn encode_rgb(image: &RgbImage, quality: u8) -> ImageResult<Vec<u8>> {
    let size = (image.width() as usize, image.height() as usize);
    encode_pixels(image, size, quality, SamplingFactor::F_1_1)
}

fn encode_pixels(
    rgb: &[u8],
    (width, height): (usize, usize),
    quality: u8,
    sampling: SamplingFactor,
) -> ImageResult<Vec<u8>> {
    let failed = |why: Box<dyn std::error::Error + Send + Sync>| {
        ImageError::Encoding(EncodingError::new(ImageFormatHint::Exact(ImageFormat::Jpeg), why))
    };
    let side = |n: usize| u16::try_from(n).map_err(|error| failed(error.into()));
    let mut bytes = Vec::with_capacity(rgb.len() / 12);
    let mut encoder = Encoder::new(&mut bytes, quality);
    encoder.set_sampling_factor(sampling);
    encoder.encode(rgb, side(width)?, side(height)?, ColorType::Rgb).map_err(|error| failed(error.into()))?;
    Ok(bytes)
}

/// RGB pixels of a JPEG.
pub(crate) fn decode(bytes: &[u8]) -> ImageResult<RgbImage> {
    Ok(image::load_from_memory_with_format(bytes, image::ImageFormat::Jpeg)?.into_rgb8())
}
