//! Encoded pictures into an MP4 file, without decoding. The file appears whole or not at all.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSrc;
use parapet_core::Timestamp;

use crate::{
    codec::Codec,
    elements::{add_row, element, filter},
    error::{ClipError, OpenError, explain},
    ring::AccessUnit,
};

/// A clip on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClipInfo {
    /// Where.
    pub path: PathBuf,
    /// When its first picture was taken: at or before what was asked, since a clip starts at a keyframe.
    pub from: Timestamp,
    /// When its last picture was taken: earlier than what was asked if that had not come yet.
    pub to: Timestamp,
    /// Size of the file.
    pub bytes: u64,
    /// How it is encoded.
    pub codec: Codec,
}

/// Longest time that a muxer may work without finishing.
const PATIENCE: gst::ClockTime = gst::ClockTime::from_seconds(60);

/// Writes units of one generation to `path`; there must be at least one, the first a keyframe.
pub(crate) fn write(units: &[AccessUnit], path: &Path) -> Result<ClipInfo, ClipError> {
    let codec = units.first().map_or(Codec::H264, |u| u.codec);
    let failed = |detail: String| ClipError::Encode { path: path.to_owned(), detail };
    let source = AppSrc::builder().format(gst::Format::Time).is_live(false).caps(&codec.annex_b()).build();
    // All is in memory already.
    source.set_max_bytes(0);
    let file = Mp4File::create(path)?;
    let join = || -> Result<(), OpenError> {
        let parse = element(codec.parser())?;
        let times = element(codec.timestamper())?;
        let shape = filter(&codec.in_mp4())?;
        add_row(&file.pipeline, &[source.upcast_ref(), &parse, &times, &shape, &file.muxer])
    };
    join()?;
    file.start()?;
    let zero = units.iter().map(|u| u.pts).min().unwrap_or_default();
    for (n, unit) in units.iter().enumerate() {
        let mut buffer = unit.data.copy();
        let writable = buffer.get_mut().expect("just copied");
        let time = |d: Duration| gst::ClockTime::from_nseconds(d.saturating_sub(zero).as_nanos() as u64);
        writable.set_pts(time(unit.pts));
        // The timestamper makes these from the order of pictures.
        writable.set_dts(None);
        if n > 0 {
            writable.unset_flags(gst::BufferFlags::DISCONT);
        }
        source.push_buffer(buffer).map_err(|e| failed(e.to_string()))?;
    }
    source.end_of_stream().map_err(|e| failed(e.to_string()))?;
    let bytes = file.finish()?;
    let at = |pick: fn(std::vec::IntoIter<Timestamp>) -> Option<Timestamp>| {
        pick(units.iter().map(|u| u.at).collect::<Vec<_>>().into_iter()).unwrap_or(Timestamp::UNIX_EPOCH)
    };
    Ok(ClipInfo { path: path.to_owned(), from: at(Iterator::min), to: at(Iterator::max), bytes, codec })
}

/// An MP4 file in the making, under another name until it is whole. The index stands at its front, so that a browser
/// plays it while it loads.
#[derive(Debug)]
pub(crate) struct Mp4File {
    pub(crate) pipeline: gst::Pipeline,
    pub(crate) muxer: gst::Element,
    path: PathBuf,
    unfinished: PathBuf,
}

impl Mp4File {
    pub(crate) fn create(path: &Path) -> Result<Self, ClipError> {
        crate::elements::start_library()?;
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".unfinished");
        let unfinished = path.with_file_name(name);
        // Says at once what is wrong with the folder.
        std::fs::File::create(&unfinished)
            .map_err(|source| ClipError::Write { path: path.to_owned(), source })?;
        let file = Self {
            pipeline: gst::Pipeline::new(),
            muxer: element("mp4mux")?,
            path: path.to_owned(),
            unfinished,
        };
        file.muxer.set_property("faststart", true);
        // Beside the file, not in /tmp: a full disk is found out where it matters.
        let mut rest = file.unfinished.as_os_str().to_owned();
        rest.push(".mdat");
        file.muxer.set_property("faststart-file", rest.to_string_lossy().as_ref());
        let sink = element("filesink")?;
        sink.set_property("location", &file.unfinished);
        add_row(&file.pipeline, &[&file.muxer, &sink])?;
        Ok(file)
    }

    pub(crate) fn start(&self) -> Result<(), ClipError> {
        match self.pipeline.set_state(gst::State::Playing) {
            Ok(_) => Ok(()),
            Err(e) => Err(self.trouble().unwrap_or_else(|| self.failed(e.to_string()))),
        }
    }

    /// Waits for the end of the stream, and gives the file its name. Returns its size.
    pub(crate) fn finish(self) -> Result<u64, ClipError> {
        let bus = self.pipeline.bus().expect("a pipeline has a bus");
        let wanted = [gst::MessageType::Eos, gst::MessageType::Error];
        match bus.timed_pop_filtered(PATIENCE, &wanted) {
            Some(message) if message.type_() == gst::MessageType::Eos => {}
            Some(message) => return Err(self.failed(text_of(&message))),
            None => return Err(self.failed("the muxer does not finish".to_owned())),
        }
        let _ = self.pipeline.set_state(gst::State::Null);
        let written = |source| ClipError::Write { path: self.path.clone(), source };
        let file = std::fs::File::open(&self.unfinished).map_err(written)?;
        file.sync_all().map_err(written)?;
        let bytes = file.metadata().map_err(written)?.len();
        std::fs::rename(&self.unfinished, &self.path).map_err(written)?;
        Ok(bytes)
    }

    /// What went wrong so far.
    pub(crate) fn trouble(&self) -> Option<ClipError> {
        let bus = self.pipeline.bus().expect("a pipeline has a bus");
        let message = bus.pop_filtered(&[gst::MessageType::Error])?;
        Some(self.failed(text_of(&message)))
    }

    fn failed(&self, detail: String) -> ClipError {
        ClipError::Encode { path: self.path.clone(), detail }
    }
}

impl Drop for Mp4File {
    fn drop(&mut self) {
        let _ = self.pipeline.set_state(gst::State::Null);
        // Gone already when all went well.
        let _ = std::fs::remove_file(&self.unfinished);
        let mut rest = self.unfinished.as_os_str().to_owned();
        rest.push(".mdat");
        let _ = std::fs::remove_file(rest);
    }
}

fn text_of(message: &gst::Message) -> String {
    match message.view() {
        gst::MessageView::Error(e) => explain(&e.error(), e.debug().as_deref()),
        _ => "unknown trouble".to_owned(),
    }
}
