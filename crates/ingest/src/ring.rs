//! The encoded past of one stream: access units in memory, bounded by time and bytes, always from a keyframe on.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use gstreamer as gst;
use parapet_core::Timestamp;

use crate::codec::Codec;

/// One encoded picture (Annex B, with parameter sets where it is a keyframe). Cloning shares the bytes.
#[derive(Debug, Clone)]
pub(crate) struct AccessUnit {
    /// When it was taken.
    pub(crate) at: Timestamp,
    /// When it is shown, on the scale of its generation.
    pub(crate) pts: Duration,
    /// Decodes without any other.
    pub(crate) keyframe: bool,
    /// The connection that it came over: units of different ones don't fit into one clip.
    pub(crate) generation: u64,
    pub(crate) codec: Codec,
    pub(crate) data: gst::Buffer,
}

impl AccessUnit {
    /// The unit in a sample.
    pub(crate) fn of(sample: &gst::SampleRef, at: Timestamp, pts: Duration, generation: u64) -> Option<Self> {
        let buffer = sample.buffer_owned()?;
        let keyframe = !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT);
        Some(Self { at, pts, keyframe, generation, codec: Codec::of(sample.caps()?)?, data: buffer })
    }
}

/// The last seconds of a stream.
#[derive(Debug)]
pub(crate) struct Ring {
    limit: Duration,
    limit_bytes: usize,
    units: Mutex<Units>,
}

#[derive(Debug, Default)]
struct Units {
    units: VecDeque<AccessUnit>,
    bytes: usize,
}

impl Ring {
    pub(crate) fn new(limit: Duration, limit_bytes: usize) -> Self {
        Self { limit, limit_bytes, units: Mutex::default() }
    }

    pub(crate) fn push(&self, unit: AccessUnit) {
        let mut state = self.lock();
        if state.units.is_empty() && !unit.keyframe {
            return;
        }
        state.bytes += unit.data.size();
        let newest = unit.at;
        state.units.push_back(unit);
        // A group of pictures leaves once the next one alone covers the limit, or for want of room.
        while let Some(next) = state.units.iter().skip(1).position(|u| u.keyframe).map(|i| i + 1) {
            let covered = newest.duration_since(state.units[next].at).unsigned_abs() >= self.limit;
            if !covered && state.bytes <= self.limit_bytes {
                break;
            }
            let gone: usize = state.units.drain(..next).map(|u| u.data.size()).sum();
            state.bytes -= gone;
        }
        if state.bytes > self.limit_bytes {
            // A single group that is larger than all the room.
            *state = Units::default();
        }
    }

    /// The units for a clip of this time, from the keyframe at or before `from`; of one generation, the one with the
    /// most of it. Empty if there are none.
    pub(crate) fn between(&self, from: Timestamp, to: Timestamp) -> Vec<AccessUnit> {
        cut(&self.lock().units.iter(), from, to)
    }

    /// Whole groups of pictures of one generation, from the first keyframe at or after `from` on, and the keyframe with
    /// which the next ones begin; `None` until that has come.
    pub(crate) fn groups(&self, from: Option<Timestamp>) -> Option<(Vec<AccessUnit>, Timestamp)> {
        let state = self.lock();
        let units = &state.units;
        let start = units.iter().position(|u| u.keyframe && from.is_none_or(|from| u.at >= from))?;
        let generation = units[start].generation;
        let end = units.iter().skip(start).position(|u| u.generation != generation).map(|i| start + i);
        let next = match end {
            // What a new connection begins with may not decode.
            Some(end) => end + units.iter().skip(end).position(|u| u.keyframe)?,
            None => units.iter().rposition(|u| u.keyframe).filter(|last| *last > start)?,
        };
        let until = end.unwrap_or(next);
        Some((units.range(start..until).cloned().collect(), units[next].at))
    }

    /// From the first to the last kept moment.
    pub(crate) fn span(&self) -> Option<(Timestamp, Timestamp)> {
        let state = self.lock();
        Some((state.units.front()?.at, state.units.back()?.at))
    }

    pub(crate) fn bytes(&self) -> usize {
        self.lock().bytes
    }

    fn lock(&self) -> MutexGuard<'_, Units> {
        self.units.lock().expect("no panic while the ring is held")
    }
}

/// See [`Ring::between`].
pub(crate) fn cut<'a>(
    units: &(impl Iterator<Item = &'a AccessUnit> + Clone),
    from: Timestamp,
    to: Timestamp,
) -> Vec<AccessUnit> {
    let mut best = Vec::new();
    let mut generations: Vec<u64> = units.clone().map(|u| u.generation).collect();
    generations.dedup();
    for generation in generations {
        let of_this = units.clone().filter(|u| u.generation == generation);
        let start = of_this
            .clone()
            .enumerate()
            .filter(|(_, u)| u.keyframe && u.at <= from)
            .last()
            .or_else(|| of_this.clone().enumerate().find(|(_, u)| u.keyframe))
            .map(|(i, _)| i);
        let end = of_this.clone().enumerate().filter(|(_, u)| u.at <= to).last().map(|(i, _)| i);
        if let (Some(start), Some(end)) = (start, end)
            && end >= start
            // Nothing of the asked time: the units before it.
            && of_this.clone().any(|u| u.at >= from && u.at <= to)
            && end - start + 1 > best.len()
        {
            best = of_this.skip(start).take(end - start + 1).cloned().collect();
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(second: i64, keyframe: bool, generation: u64, bytes: usize) -> AccessUnit {
        crate::elements::start_library().unwrap();
        AccessUnit {
            at: Timestamp::from_second(second).unwrap(),
            pts: Duration::from_secs(second as u64),
            keyframe,
            generation,
            codec: Codec::H264,
            data: gst::Buffer::with_size(bytes).unwrap(),
        }
    }

    fn seconds(units: &[AccessUnit]) -> Vec<i64> {
        units.iter().map(|u| u.at.as_second()).collect()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn it_keeps_the_asked_time_from_a_keyframe_on() {
        let ring = Ring::new(Duration::from_secs(10), 1 << 20);
        for second in 0..100 {
            ring.push(unit(second, second % 4 == 0, 1, 100));
            let (first, last) = ring.span().unwrap();
            assert_eq!(first.as_second() % 4, 0);
            assert!(last.as_second() - first.as_second() >= 10.min(second));
        }
        assert_eq!(ring.span().unwrap(), (at(88), at(99)));
        assert_eq!(ring.bytes(), 1200);
    }

    #[test]
    fn whole_groups_follow_each_other_also_across_a_reconnect() {
        let ring = Ring::new(Duration::from_secs(100), 1 << 20);
        for second in 0..10 {
            ring.push(unit(second, second % 4 == 0, 1, 1));
        }
        let (units, next) = ring.groups(None).unwrap();
        assert_eq!((seconds(&units), next), ((0..8).collect(), at(8)));
        assert!(ring.groups(Some(next)).is_none(), "its last group may go on");
        for second in 20..27 {
            ring.push(unit(second, second % 4 == 1, 2, 1));
        }
        let (units, next) = ring.groups(Some(next)).unwrap();
        assert_eq!((seconds(&units), next), (vec![8, 9], at(21)));
        let (units, next) = ring.groups(Some(next)).unwrap();
        assert_eq!((seconds(&units), next), ((21..25).collect(), at(25)));
    }

    #[test]
    fn memory_is_bounded() {
        let ring = Ring::new(Duration::from_secs(1000), 1000);
        for second in 0..100 {
            ring.push(unit(second, second % 4 == 0, 1, 100));
            assert!(ring.bytes() <= 1000);
        }
        assert!(ring.bytes() >= 500);
        ring.push(unit(100, true, 1, 5000));
        assert_eq!(ring.bytes(), 0);
    }

    #[test]
    fn a_clip_starts_at_the_keyframe_before_and_does_not_cross_a_reconnect() {
        let ring = Ring::new(Duration::from_secs(100), 1 << 20);
        ring.push(unit(0, false, 1, 1));
        for second in 1..20 {
            ring.push(unit(second, second % 4 == 1, 1, 1));
        }
        for second in 30..40 {
            ring.push(unit(second, second % 4 == 2, 2, 1));
        }
        assert_eq!(seconds(&ring.between(at(7), at(9))), [5, 6, 7, 8, 9]);
        assert_eq!(seconds(&ring.between(at(0), at(2))), [1, 2]);
        assert_eq!(seconds(&ring.between(at(15), at(31))), [13, 14, 15, 16, 17, 18, 19]);
        assert_eq!(seconds(&ring.between(at(19), at(35))).first(), Some(&30));
        assert!(ring.between(at(50), at(60)).is_empty());
        assert!(ring.between(at(21), at(29)).is_empty());
    }
}
