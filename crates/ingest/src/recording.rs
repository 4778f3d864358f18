//! Reading the encoded pictures of a recording, or of a part of it. What is not H.264 or H.265 is encoded on the way.

use std::{
    path::Path,
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use gstreamer::{self as gst};
use parapet_core::Timestamp;

use crate::{
    connection::{Connection, EncodedWanted, Notice, Notify, Origin, Units, Wanted},
    decoder::Decoders,
    error::OpenError,
    ring::AccessUnit,
};

/// Longest time without any news from GStreamer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Pictures that are shown before one that is decoded earlier are at most this far behind.
const REORDERING: Duration = Duration::from_millis(500);

/// All encoded pictures of `origin` from the keyframe at or before `from` to `to`, in the order of decoding. Times
/// count from `start_at`.
pub(crate) fn read(
    origin: &Origin,
    from: Duration,
    to: Duration,
    start_at: Timestamp,
) -> Result<Vec<AccessUnit>, OpenError> {
    if let Origin::Images { files, frames_per_second } = origin {
        let skipped = ((from.as_secs_f64() * frames_per_second) as usize).min(files.len().saturating_sub(1));
        if skipped > 0 {
            let origin =
                Origin::Images { files: files[skipped..].to_vec(), frames_per_second: *frames_per_second };
            let before = Duration::from_secs_f64(skipped as f64 / frames_per_second);
            return read(
                &origin,
                Duration::ZERO,
                to.saturating_sub(before),
                crate::clock::plus(start_at, before),
            );
        }
    }
    let (notices, inbox) = mpsc::channel();
    let units = Arc::new(Mutex::new(Vec::new()));
    let notify: Notify = {
        let notices = notices.clone();
        Arc::new(move |notice| drop(notices.send(notice)))
    };
    let kept = Arc::clone(&units);
    let mut segment_start = None;
    let sink = move |sample: &gst::Sample, _: Option<gst::ClockTime>| {
        let Some(unit) = unit_of(sample, start_at) else { return true };
        let mut kept = kept.lock().expect("no panic while held");
        // What came before the seek may arrive beside it: the last segment counts.
        let segment = sample.segment().and_then(|s| s.downcast_ref::<gst::format::Time>()?.start());
        if segment_start != segment || kept.first().is_some_and(|first: &AccessUnit| first.pts == unit.pts) {
            segment_start = segment;
            kept.clear();
        }
        let over = unit.pts > to.saturating_add(REORDERING) && !kept.is_empty();
        if over {
            drop(notices.send(Notice::Ended));
        } else {
            kept.push(unit);
        }
        !over
    };
    let wanted = Wanted {
        frames: None,
        encoded: Some(EncodedWanted { sink: Box::new(sink), keyframe_interval: 50 }),
        metadata: None,
        live: false,
        units: Units::All,
        mode: Arc::default(),
        decoders: Decoders::software(),
        heard: Box::new(|_| {}),
        overrun: Box::new(|| {}),
    };
    let failed = |detail: String| match origin {
        Origin::File { path, .. } => OpenError::NotAVideo { path: path.clone(), detail },
        _ => OpenError::Pipeline(detail),
    };
    let connection = Connection::open_paused(origin, wanted, &notify)?;
    let wait_for = |inbox: &mpsc::Receiver<Notice>, what: fn(&Notice) -> bool| loop {
        match inbox.recv_timeout(PATIENCE) {
            Ok(Notice::Failed(detail)) => return Err(failed(detail)),
            Ok(notice) if what(&notice) => return Ok(()),
            Ok(_) => {}
            Err(_) => return Err(failed("nothing more came out of it".to_owned())),
        }
    };
    wait_for(&inbox, |n| matches!(n, Notice::Prerolled | Notice::Ended))?;
    if from > Duration::ZERO && matches!(origin, Origin::File { .. }) {
        connection.seek(from)?;
        wait_for(&inbox, |n| matches!(n, Notice::Prerolled | Notice::Ended))?;
    }
    connection.play();
    wait_for(&inbox, |n| matches!(n, Notice::Ended))?;
    drop(connection);
    Ok(std::mem::take(&mut *units.lock().expect("no panic while held")))
}

/// All of a file.
pub(crate) fn read_file(path: &Path) -> Result<Vec<AccessUnit>, OpenError> {
    std::fs::metadata(path).map_err(|source| OpenError::Read { path: path.to_owned(), source })?;
    let origin = Origin::File { path: path.to_owned(), paced: false };
    let units = read(&origin, Duration::ZERO, Duration::MAX, Timestamp::UNIX_EPOCH)?;
    if units.is_empty() {
        return Err(OpenError::NotAVideo { path: path.to_owned(), detail: "it has no pictures".to_owned() });
    }
    Ok(units)
}

fn unit_of(sample: &gst::Sample, start_at: Timestamp) -> Option<AccessUnit> {
    let segment = sample.segment()?.downcast_ref::<gst::format::Time>()?;
    let pts: Duration = segment.to_stream_time(sample.buffer()?.pts()?)?.into();
    AccessUnit::of(sample, crate::clock::plus(start_at, pts), pts, 0)
}
