//! Which encoded units reach the decoder, and which decoded frames reach analysis. Pure.

use std::time::Duration;

/// Lets units through to a decoder: after a gap only from a keyframe on, or keyframes alone.
#[derive(Debug)]
pub(crate) struct KeyframeGate {
    keyframes_only: bool,
    waiting: bool,
}

impl KeyframeGate {
    pub(crate) fn new(keyframes_only: bool) -> Self {
        Self { keyframes_only, waiting: true }
    }

    /// Whether the next unit passes. `gap`: units before it were lost.
    pub(crate) fn passes(&mut self, keyframe: bool, gap: bool) -> bool {
        self.waiting = !keyframe && (self.waiting || gap);
        keyframe || !(self.waiting || self.keyframes_only)
    }
}

/// Thins frames to a rate: the first frame in each slot of a grid of `1 / fps` passes, so that the mean rate is exact
/// for any source rate, and the choice depends on the frames' times alone.
#[derive(Debug)]
pub(crate) struct Decimator {
    fps: f64,
    first: Option<Duration>,
    slot: Option<u64>,
}

/// Containers round times: a frame that is this little before its slot belongs to it.
const ROUNDING: Duration = Duration::from_millis(2);

impl Decimator {
    pub(crate) fn new(fps: f64) -> Self {
        Self { fps, first: None, slot: None }
    }

    pub(crate) fn passes(&mut self, at: Duration) -> bool {
        let first = *self.first.get_or_insert(at);
        let slot = ((at.saturating_sub(first) + ROUNDING).as_secs_f64() * self.fps) as u64;
        if at < first {
            // Time went back: begin the grid anew.
            *self = Self { fps: self.fps, first: Some(at), slot: Some(0) };
            return true;
        }
        let passes = self.slot.is_none_or(|last| slot > last);
        if passes {
            self.slot = Some(slot);
        }
        passes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_gap_the_decoder_starts_at_a_keyframe() {
        let mut gate = KeyframeGate::new(false);
        let units = [
            (false, false),
            (true, false),
            (false, false),
            (false, true),
            (false, false),
            (true, true),
            (false, false),
        ];
        let passed: Vec<bool> = units.into_iter().map(|(keyframe, gap)| gate.passes(keyframe, gap)).collect();
        assert_eq!(passed, [false, true, true, false, false, true, true]);
        let mut only = KeyframeGate::new(true);
        assert!(only.passes(true, false) && !only.passes(false, false) && only.passes(true, false));
    }

    fn passed(source_fps: f64, analysed_fps: f64, frames: u64) -> Vec<u64> {
        let mut decimator = Decimator::new(analysed_fps);
        (0..frames)
            // Rounded down to milliseconds, as in Matroska and FLV.
            .filter(|n| {
                decimator.passes(Duration::from_millis((*n as f64 * 1000.0 / source_fps) as u64 + 40))
            })
            .collect()
    }

    #[test]
    fn the_mean_rate_is_exact_for_any_source_rate() {
        assert_eq!(passed(30.0, 5.0, 30), [0, 6, 12, 18, 24]);
        assert_eq!(passed(25.0, 5.0, 25), [0, 5, 10, 15, 20]);
        assert_eq!(passed(12.0, 5.0, 120).len(), 50);
        assert_eq!(passed(29.97, 5.0, 2997).len(), 500);
        assert_eq!(passed(25.0, 0.5, 100), [0, 50]);
        assert_eq!(passed(12.0, 1000.0, 24).len(), 24);
    }

    #[test]
    fn a_source_that_starts_again_is_not_starved() {
        let mut decimator = Decimator::new(5.0);
        assert!(decimator.passes(Duration::from_secs(100)));
        assert!(decimator.passes(Duration::from_secs(1)));
        assert!(!decimator.passes(Duration::from_millis(1100)));
        assert!(decimator.passes(Duration::from_millis(1200)));
    }
}
