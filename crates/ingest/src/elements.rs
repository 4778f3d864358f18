//! Making and joining GStreamer elements, with errors that name the package to install.

use std::sync::OnceLock;

use gstreamer::{self as gst, prelude::*};

use crate::error::OpenError;

/// Starts GStreamer, once for the process.
pub(crate) fn start_library() -> Result<(), OpenError> {
    static STARTED: OnceLock<Result<(), String>> = OnceLock::new();
    STARTED.get_or_init(|| gst::init().map_err(|e| e.to_string())).clone().map_err(OpenError::Library)
}

/// A new element.
pub(crate) fn element(name: &str) -> Result<gst::Element, OpenError> {
    gst::ElementFactory::make(name).build().map_err(|_| missing(name))
}

/// A `capsfilter` for these caps.
pub(crate) fn filter(caps: &gst::Caps) -> Result<gst::Element, OpenError> {
    gst::ElementFactory::make("capsfilter").property("caps", caps).build().map_err(|_| missing("capsfilter"))
}

/// Adds elements to the pipeline (those that do not stand in it already), links them in a row, and brings them to its
/// state, the last one first.
pub(crate) fn add_row(pipeline: &gst::Pipeline, row: &[&gst::Element]) -> Result<(), OpenError> {
    let failed = |e: gst::glib::BoolError| OpenError::Pipeline(e.to_string());
    for element in row.iter().filter(|e| e.parent().is_none()) {
        pipeline.add(*element).map_err(failed)?;
    }
    gst::Element::link_many(row.iter().copied()).map_err(failed)?;
    for element in row.iter().rev() {
        element.sync_state_with_parent().map_err(failed)?;
    }
    Ok(())
}

/// Links two elements that stand in the pipeline already.
pub(crate) fn link(from: &gst::Element, to: &gst::Element) -> Result<(), OpenError> {
    from.link(to).map_err(|e| OpenError::Pipeline(e.to_string()))
}

/// A pad that the element is known to have.
pub(crate) fn pad(element: &gst::Element, name: &str) -> Result<gst::Pad, OpenError> {
    element
        .static_pad(name)
        .ok_or_else(|| OpenError::Pipeline(format!("{} has no pad {name}", element.name())))
}

fn missing(element: &str) -> OpenError {
    let package = match element {
        "x264enc" => "gstreamer1.0-plugins-ugly",
        "h264parse" | "h265parse" | "rtmp2src" | "srtsrc" | "tsdemux" => "gstreamer1.0-plugins-bad",
        "flvdemux" | "rtspsrc" | "mp4mux" | "v4l2src" => "gstreamer1.0-plugins-good",
        name if name.starts_with("avdec_") => "gstreamer1.0-libav",
        _ => "gstreamer1.0-plugins-base",
    };
    OpenError::MissingElement { element: element.to_owned(), package }
}
