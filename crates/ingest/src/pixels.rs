//! Between GStreamer's video buffers and [`Picture`].

use std::sync::Arc;

use bytes::Bytes;
use gstreamer as gst;
use gstreamer_video::{
    VideoColorMatrix, VideoColorRange, VideoColorimetry, VideoFormat, VideoFrame, VideoFrameExt,
    VideoFrameRef, VideoInfo, video_frame::Readable,
};
use parapet_core::{ColorSpace, Picture, Plane};

/// One plane of a decoded picture, which stays the decoder's memory and goes back to its pool when nobody reads it any more.
struct DecodedPlane(Arc<VideoFrame<Readable>>, u32);

impl AsRef<[u8]> for DecodedPlane {
    fn as_ref(&self) -> &[u8] {
        self.0.plane_data(self.1).unwrap_or_default()
    }
}

/// The I420 picture in a sample, not copied; `None` if it holds none.
pub(crate) fn picture_of(sample: &gst::SampleRef) -> Option<Picture> {
    let info = VideoInfo::from_caps(sample.caps()?).ok()?;
    if info.format() != VideoFormat::I420 {
        return None;
    }
    let frame = Arc::new(VideoFrame::from_buffer_readable(sample.buffer_owned()?, &info).ok()?);
    let (width, height) = (info.width() as usize, info.height() as usize);
    let plane = |n: u32, w, h| {
        let stride = usize::try_from(frame.plane_stride()[n as usize]).ok()?;
        Plane::from_strided(w, h, stride, Bytes::from_owner(DecodedPlane(frame.clone(), n)))
    };
    let (cw, ch) = (width.div_ceil(2), height.div_ceil(2));
    Picture::new(plane(0, width, height)?, plane(1, cw, ch)?, plane(2, cw, ch)?, color_of(&info))
}

/// A buffer with the picture in it, and what it is.
pub(crate) fn buffer_of(picture: &Picture, fps: gst::Fraction) -> Option<(VideoInfo, gst::Buffer)> {
    let info = VideoInfo::builder(VideoFormat::I420, picture.width() as u32, picture.height() as u32)
        .fps(fps)
        .colorimetry(&colorimetry_of(picture.color()))
        .build()
        .ok()?;
    let mut buffer = gst::Buffer::with_size(info.size()).ok()?;
    {
        let mut frame = VideoFrameRef::from_buffer_ref_writable(buffer.get_mut()?, &info).ok()?;
        for (n, plane) in [picture.y(), picture.u(), picture.v()].into_iter().enumerate() {
            let stride = usize::try_from(frame.plane_stride()[n]).ok()?;
            let rows = frame.plane_data_mut(n as u32).ok()?.chunks_mut(stride);
            for (y, row) in rows.take(plane.height()).enumerate() {
                row[..plane.width()].copy_from_slice(plane.row(y));
            }
        }
    }
    Some((info, buffer))
}

/// How the pictures that a source announces are to be read.
pub(crate) fn color_in(source: &gstreamer_app::AppSrc) -> Option<ColorSpace> {
    VideoInfo::from_caps(source.caps()?.as_ref()).ok().map(|info| color_of(&info))
}

fn color_of(info: &VideoInfo) -> ColorSpace {
    let usual = ColorSpace::of_video(info.height() as usize);
    let colorimetry = info.colorimetry();
    ColorSpace {
        bt709: match colorimetry.matrix() {
            VideoColorMatrix::Bt709 => true,
            VideoColorMatrix::Bt601 | VideoColorMatrix::Fcc | VideoColorMatrix::Smpte240m => false,
            _ => usual.bt709,
        },
        full_range: colorimetry.range() == VideoColorRange::Range0_255,
    }
}

fn colorimetry_of(color: ColorSpace) -> VideoColorimetry {
    use gstreamer_video::{VideoColorPrimaries, VideoTransferFunction};
    VideoColorimetry::new(
        if color.full_range { VideoColorRange::Range0_255 } else { VideoColorRange::Range16_235 },
        if color.bt709 { VideoColorMatrix::Bt709 } else { VideoColorMatrix::Bt601 },
        if color.bt709 { VideoTransferFunction::Bt709 } else { VideoTransferFunction::Bt601 },
        if color.bt709 { VideoColorPrimaries::Bt709 } else { VideoColorPrimaries::Smpte170m },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_survives_the_way_through_a_buffer() {
        crate::elements::start_library().unwrap();
        // Odd sizes, so that strides differ from widths.
        let rgb: Vec<u8> = (0..37 * 23 * 3).map(|i| (i * 7 % 251) as u8).collect();
        let picture = Picture::from_rgb(37, 23, &rgb).unwrap();
        let (info, buffer) = buffer_of(&picture, gst::Fraction::new(5, 1)).unwrap();
        let sample = gst::Sample::builder().buffer(&buffer).caps(&info.to_caps().unwrap()).build();
        assert_eq!(picture_of(&sample).unwrap(), picture);
    }
}
