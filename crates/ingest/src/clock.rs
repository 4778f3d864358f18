//! When a picture was taken.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use gstreamer as gst;
use parapet_core::{Clock, Timestamp};

/// Gives samples their time.
#[derive(Debug)]
pub(crate) enum TimeBase {
    /// By the machine's clock. The scale is set once, at the first sample: the distance of frames is that of their
    /// timestamps, free of the jitter of the network and of this machine.
    Live { clock: Arc<dyn Clock>, zero: OnceLock<Timestamp> },
    /// By the recording alone.
    Recorded { start_at: Timestamp },
}

impl TimeBase {
    pub(crate) fn live(clock: Arc<dyn Clock>) -> Self {
        Self::Live { clock, zero: OnceLock::new() }
    }

    /// When a sample of a metadata stream was taken, on the scale of the pictures: by its own time or, without one, at
    /// `running`. `None` before the first picture has set the scale.
    pub(crate) fn of_metadata(
        &self,
        sample: &gst::SampleRef,
        running: Option<gst::ClockTime>,
    ) -> Option<Timestamp> {
        let Self::Live { zero, .. } = self else { return self.of(sample, running).map(|(at, _)| at) };
        let own = || {
            let pts = sample.buffer()?.pts()?;
            sample.segment()?.downcast_ref::<gst::format::Time>()?.to_running_time(pts)
        };
        Some(plus(*zero.get()?, own().or(running)?.into()))
    }

    /// When the sample was taken, and its place on the scale of its pipeline; `running` is that scale's present.
    pub(crate) fn of(
        &self,
        sample: &gst::SampleRef,
        running: Option<gst::ClockTime>,
    ) -> Option<(Timestamp, Duration)> {
        let pts = sample.buffer()?.pts()?;
        let segment = sample.segment()?.downcast_ref::<gst::format::Time>()?;
        match self {
            Self::Live { clock, zero } => {
                let at: Duration = segment.to_running_time(pts)?.into();
                let now: Duration = running.map_or(at, Into::into);
                let zero = zero.get_or_init(|| clock.now() - now);
                Some((plus(*zero, at), at))
            }
            Self::Recorded { start_at } => {
                let at: Duration = segment.to_stream_time(pts)?.into();
                Some((plus(*start_at, at), at))
            }
        }
    }
}

/// `start` and so much more, to the nearest microsecond (what the databases keep).
pub(crate) fn plus(start: Timestamp, more: Duration) -> Timestamp {
    let micros = (more.as_nanos() + 500) / 1000;
    start.checked_add(Duration::from_micros(micros as u64)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_whole_microseconds() {
        let at = plus(Timestamp::UNIX_EPOCH, Duration::from_nanos(33_333_333 * 3));
        assert_eq!(at.as_nanosecond(), 100_000_000);
    }
}
