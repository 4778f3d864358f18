//! Pictures into an H.264 MP4 video of a fixed rate.

use std::path::{Path, PathBuf};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSrc;
use parapet_core::Picture;

use crate::{
    clip::Mp4File,
    codec::{self, Codec},
    elements::{add_row, element, filter},
    error::ClipError,
    pixels,
};

/// How a video is made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VideoOptions {
    /// Pictures a second.
    pub frames_per_second: f64,
    /// At least every so many pictures one that decodes without the others; two seconds if `None`.
    pub keyframe_interval: Option<u32>,
    /// Quantizer, 0 (lossless) to 51; 23 if `None`.
    pub quantizer: Option<u32>,
}

impl VideoOptions {
    /// A video of this rate.
    pub fn at_fps(frames_per_second: f64) -> Self {
        Self { frames_per_second, keyframe_interval: None, quantizer: None }
    }
}

/// A finished video.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoInfo {
    /// Where.
    pub path: PathBuf,
    /// Number of pictures.
    pub frames: u64,
    /// Size of the file.
    pub bytes: u64,
}

/// Writes a video. The file appears when [`VideoWriter::finish`] returns; dropping the writer leaves nothing.
#[derive(Debug)]
pub struct VideoWriter {
    file: Mp4File,
    source: AppSrc,
    path: PathBuf,
    options: VideoOptions,
    size: Option<(usize, usize)>,
    frames: u64,
}

impl VideoWriter {
    /// Begins a video at `path`; its size is that of the first picture (rounded down to even numbers, as H.264 wants).
    ///
    /// # Errors
    /// The folder cannot be written to, or a part of GStreamer is missing.
    pub fn create(path: &Path, options: VideoOptions) -> Result<Self, ClipError> {
        let file = Mp4File::create(path)?;
        let source = AppSrc::builder().format(gst::Format::Time).is_live(false).build();
        source.set_block(true);
        Ok(Self { file, source, path: path.to_owned(), options, size: None, frames: 0 })
    }

    /// Adds a picture; one of another size is scaled to that of the first.
    ///
    /// # Errors
    /// The encoder or the disk gave up.
    pub fn push(&mut self, picture: &Picture) -> Result<(), ClipError> {
        let fps = gst::Fraction::approximate_f64(self.options.frames_per_second)
            .unwrap_or(gst::Fraction::new(25, 1));
        let size = if let Some(size) = self.size {
            size
        } else {
            let size = (picture.width(), picture.height());
            self.begin(size)?;
            *self.size.insert(size)
        };
        let scaled;
        let picture = if (picture.width(), picture.height()) == size {
            picture
        } else {
            scaled = picture.resized(size.0, size.1);
            &scaled
        };
        let (info, mut buffer) =
            pixels::buffer_of(picture, fps).ok_or_else(|| self.failed("out of memory"))?;
        let time = |n: u64| {
            gst::ClockTime::from_nseconds((n as f64 * 1e9 / self.options.frames_per_second).round() as u64)
        };
        let writable = buffer.get_mut().expect("just made");
        writable.set_pts(time(self.frames));
        writable.set_duration(time(self.frames + 1) - time(self.frames));
        if self.frames == 0 || picture.color() != pixels::color_in(&self.source).unwrap_or(picture.color()) {
            self.source.set_caps(info.to_caps().ok().as_ref());
        }
        if self.source.push_buffer(buffer).is_err() {
            return Err(self.file.trouble().unwrap_or_else(|| self.failed("the encoder has stopped")));
        }
        self.frames += 1;
        Ok(())
    }

    /// Adds a picture of interleaved 8-bit RGB.
    ///
    /// # Errors
    /// As [`VideoWriter::push`], or the bytes do not fit the size.
    pub fn push_rgb(&mut self, width: usize, height: usize, rgb: &[u8]) -> Result<(), ClipError> {
        let picture = Picture::from_rgb(width, height, rgb)
            .ok_or_else(|| self.failed("the picture's bytes don't fit its size"))?;
        self.push(&picture)
    }

    /// Ends the video and gives the file its name.
    ///
    /// # Errors
    /// There are no pictures, or the encoder or the disk gave up.
    pub fn finish(self) -> Result<VideoInfo, ClipError> {
        if self.frames == 0 {
            return Err(self.failed("there are no pictures"));
        }
        if self.source.end_of_stream().is_err() {
            return Err(self.file.trouble().unwrap_or_else(|| self.failed("the encoder has stopped")));
        }
        let (path, frames) = (self.path.clone(), self.frames);
        Ok(VideoInfo { path, frames, bytes: self.file.finish()? })
    }

    fn begin(&self, (width, height): (usize, usize)) -> Result<(), ClipError> {
        let even = |n: usize| i32::try_from((n & !1).max(2)).unwrap_or(i32::MAX);
        let convert = element("videoconvertscale")?;
        convert.set_property("add-borders", false);
        // What players expect of an unmarked video.
        let shape = filter(
            &gst::Caps::builder("video/x-raw")
                .field("format", "I420")
                .field("width", even(width))
                .field("height", even(height))
                .field("colorimetry", if height >= 720 { "bt709" } else { "bt601" })
                .build(),
        )?;
        let interval = (self.options.frames_per_second * 2.0).ceil() as u32;
        let encoder = codec::encoder(self.options.keyframe_interval.unwrap_or(interval), false)?;
        if let Some(quantizer) = self.options.quantizer {
            encoder.set_property("quantizer", quantizer.min(51));
        }
        let parse = element("h264parse")?;
        let mp4 = filter(&Codec::H264.in_mp4())?;
        let row = [self.source.upcast_ref(), &convert, &shape, &encoder, &parse, &mp4, &self.file.muxer];
        add_row(&self.file.pipeline, &row)?;
        self.file.start()
    }

    fn failed(&self, detail: &str) -> ClipError {
        ClipError::Encode { path: self.path.clone(), detail: detail.to_owned() }
    }
}
