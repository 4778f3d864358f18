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
        let shape = filter(&codec.in_mp4())?;
        add_row(&file.pipeline, &[source.upcast_ref(), &parse, &shape, &file.muxer])
    };
    join()?;
    file.start()?;
    for (n, (unit, time)) in units.iter().zip(mux_times(units)).enumerate() {
        let mut buffer = unit.data.copy();
        let writable = buffer.get_mut().expect("just copied");
        writable.set_pts(clock_time(time.shown));
        writable.set_dts(clock_time(time.decoded));
        writable.set_duration(clock_time(time.lasts));
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

/// Times of a unit in a file.
struct MuxTime {
    shown: Duration,
    decoded: Duration,
    lasts: Duration,
}

/// Times from zero on. Network streams bring no times of decoding: the n-th unit is decoded when the n-th picture is
/// shown, and all pictures are shown so much later that none is before its decoding.
/// (GStreamer 1.22's `h264timestamper` would do this, but loses times.)
fn mux_times(units: &[AccessUnit]) -> Vec<MuxTime> {
    let mut order: Vec<Duration> = units.iter().map(|u| u.pts).collect();
    order.sort_unstable();
    let zero = order.first().copied().unwrap_or_default();
    let delay =
        units.iter().zip(&order).map(|(u, decoded)| decoded.saturating_sub(u.pts)).max().unwrap_or_default();
    let mean = order.last().map_or(Duration::ZERO, |last| last.saturating_sub(zero))
        / u32::try_from(order.len().saturating_sub(1).max(1)).unwrap_or(u32::MAX);
    units
        .iter()
        .enumerate()
        .map(|(n, unit)| MuxTime {
            shown: unit.pts.saturating_sub(zero) + delay,
            decoded: order[n].saturating_sub(zero),
            lasts: order.get(n + 1).map_or(mean, |next| next.saturating_sub(order[n])),
        })
        .collect()
}

fn clock_time(duration: Duration) -> gst::ClockTime {
    gst::ClockTime::from_nseconds(duration.as_nanos() as u64)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_out_of_order_are_decoded_before_they_are_shown() {
        crate::elements::start_library().unwrap();
        let units: Vec<AccessUnit> = [5, 9, 7, 6, 8, 13, 11]
            .map(|pts| AccessUnit {
                at: Timestamp::UNIX_EPOCH,
                pts: Duration::from_secs(pts),
                keyframe: pts == 5,
                generation: 0,
                codec: Codec::H264,
                data: gst::Buffer::new(),
            })
            .to_vec();
        let times = mux_times(&units);
        let decoded: Vec<u64> = times.iter().map(|t| t.decoded.as_secs()).collect();
        let shown: Vec<u64> = times.iter().map(|t| t.shown.as_secs()).collect();
        assert_eq!(decoded, [0, 1, 2, 3, 4, 6, 8]);
        assert_eq!(shown, [2, 6, 4, 3, 5, 10, 8]);
        assert!(times.iter().all(|t| t.shown >= t.decoded));
    }
}
