//! JPEG in and out of pictures.

use image::{ImageEncoder, ImageResult, RgbImage, codecs::jpeg::JpegEncoder};
use parapet_core::Picture;

/// The picture as JPEG.
pub(crate) fn encode(picture: &Picture, quality: u8) -> ImageResult<Vec<u8>> {
    let mut bytes = Vec::with_capacity(picture.width() * picture.height() / 4);
    JpegEncoder::new_with_quality(&mut bytes, quality).write_image(
        &picture.to_rgb(),
        picture.width() as u32,
        picture.height() as u32,
        image::ExtendedColorType::Rgb8,
    )?;
    Ok(bytes)
}

/// The drawn picture as JPEG.
pub(crate) fn encode_rgb(image: &RgbImage, quality: u8) -> ImageResult<Vec<u8>> {
    let mut bytes = Vec::with_capacity(image.len() / 12);
    JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(image)?;
    Ok(bytes)
}

/// RGB pixels of a JPEG.
pub(crate) fn decode(bytes: &[u8]) -> ImageResult<RgbImage> {
    Ok(image::load_from_memory_with_format(bytes, image::ImageFormat::Jpeg)?.into_rgb8())
}
