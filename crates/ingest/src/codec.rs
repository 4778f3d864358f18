//! The codecs that are kept as they come, and the encoder for what is not.

use gstreamer as gst;

use crate::{
    elements::{element, start_library},
    error::OpenError,
};

/// A codec that goes into a clip without decoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// H.264 (AVC): every browser plays it.
    H264,
    /// H.265 (HEVC): browsers play it where the machine decodes it.
    H265,
}

impl Codec {
    /// Name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::H264 => "h264",
            Self::H265 => "h265",
        }
    }

    pub(crate) fn of(caps: &gst::CapsRef) -> Option<Self> {
        match caps.structure(0)?.name().as_str() {
            "video/x-h264" => Some(Self::H264),
            "video/x-h265" => Some(Self::H265),
            _ => None,
        }
    }

    pub(crate) fn parser(self) -> &'static str {
        match self {
            Self::H264 => "h264parse",
            Self::H265 => "h265parse",
        }
    }

    fn caps(self, stream_format: &str) -> gst::Caps {
        let name = match self {
            Self::H264 => "video/x-h264",
            Self::H265 => "video/x-h265",
        };
        gst::Caps::builder(name).field("stream-format", stream_format).field("alignment", "au").build()
    }

    /// Access units with start codes.
    pub(crate) fn annex_b(self) -> gst::Caps {
        self.caps("byte-stream")
    }

    /// Access units as they stand in MP4.
    pub(crate) fn in_mp4(self) -> gst::Caps {
        self.caps(match self {
            Self::H264 => "avc",
            Self::H265 => "hvc1",
        })
    }
}

/// An H.264 encoder of even quality. `quick`: cheap, without delay and threads.
pub(crate) fn encoder(keyframe_interval: u32, quick: bool) -> Result<gst::Element, OpenError> {
    use gst::prelude::*;
    start_library()?;
    let encoder = element("x264enc")?;
    encoder.set_property_from_str("pass", "qual");
    encoder.set_property("quantizer", 23u32);
    encoder.set_property("key-int-max", keyframe_interval.max(1));
    encoder.set_property("bframes", 0u32);
    encoder.set_property_from_str("speed-preset", if quick { "superfast" } else { "veryfast" });
    if quick {
        encoder.set_property_from_str("tune", "zerolatency");
        encoder.set_property("threads", 1u32);
    }
    Ok(encoder)
}
