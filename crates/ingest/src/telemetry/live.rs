//! The telemetry of a live feed: the last minute of it, with times.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use parapet_core::{Timestamp, geo::Pose};

use super::{PoseTrack, Reading, Sample, TrackOptions, klv};

/// Ten a second for a minute, and some.
const KEPT_SAMPLES: usize = 1000;
/// How old the oldest may be against the newest.
const KEPT_SECONDS: f64 = 60.0;

/// Samples that came with a live feed. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct LiveTelemetry(Arc<Mutex<VecDeque<(Timestamp, Sample)>>>);

impl LiveTelemetry {
    /// The newest sample and when it came, on the scale of the frames' `captured_at`.
    pub fn newest(&self) -> Option<(Timestamp, Sample)> {
        self.0.lock().expect("no panic while held").back().copied()
    }

    /// The pose at the time of a frame, checked against the minute around it (see [`PoseTrack`]).
    pub fn pose(&self, at: Timestamp, options: &TrackOptions) -> Option<Pose> {
        let kept = self.0.lock().expect("no panic while held").clone();
        let (begin, _) = *kept.front()?;
        let since = |at: Timestamp| Duration::try_from(at.duration_since(begin)).ok();
        let samples =
            kept.iter().filter_map(|(time, sample)| Some(Sample { at: since(*time)?, ..*sample })).collect();
        PoseTrack::new(&Reading { samples, ..Reading::default() }, options).pose(since(at)?)
    }

    /// Takes a buffer of the metadata stream.
    pub(crate) fn take(&self, at: Timestamp, bytes: &[u8]) {
        let mut kept = self.0.lock().expect("no panic while held");
        for packet in klv::packets(bytes) {
            match packet {
                Ok(packet) => kept.push_back((at, packet.sample(Duration::ZERO))),
                Err(error) => tracing::debug!(%error, "a metadata packet is left out"),
            }
        }
        while kept.len() > KEPT_SAMPLES
            || kept.front().is_some_and(|(old, _)| at.duration_since(*old).as_secs_f64() > KEPT_SECONDS)
        {
            kept.pop_front();
        }
    }
}
