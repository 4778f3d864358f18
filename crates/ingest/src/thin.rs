//! Which encoded units reach the decoder, and which decoded frames reach analysis. Pure.

use std::time::Duration;

/// What is decoded of a live source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DecodeMode {
    /// Every picture.
    #[default]
    Full,
    /// Keyframes alone, as long as the encoder's units say that nothing moves: the cheapest way to watch a quiet view.
    KeyframesWhileQuiet,
    /// Keyframes alone, whatever moves, as many of them as give a picture at least so often.
    KeyframesOnly {
        /// Longest time between two pictures that is wanted.
        apart: Duration,
    },
}

/// What is known of an encoded picture without decoding it.
#[derive(Debug, Clone, Copy)]
pub struct UnitFacts {
    /// When it is shown, on the source's scale.
    pub at: Option<Duration>,
    /// Its size.
    pub bytes: usize,
    /// Decodes without any other.
    pub keyframe: bool,
    /// Pictures before it were lost.
    pub gap: bool,
}

/// Lets units of type `T` through to a decoder: after a gap only from a keyframe on, or keyframes alone. What it holds back
/// since the latest keyframe is kept, and goes first once everything is wanted again, so that nothing of the group is lost.
/// A live source's decoder stands behind one; offline, one in front of analysis shows what a live camera would have seen.
#[derive(Debug)]
pub struct KeyframeGate<T> {
    /// Never anything but keyframes.
    keyframes_only: bool,
    waiting: bool,
    /// The latest keyframe that came, and the latest that went through.
    latest: Option<Duration>,
    latest_through: Option<Duration>,
    /// Between the latest two that came.
    apart: Option<Duration>,
    /// Held back since the latest keyframe.
    kept: Vec<T>,
    kept_bytes: usize,
    sizes: UnitSizes,
    /// A movement was read from the sizes of this group's units.
    woken: bool,
}

/// Most bytes that are held back; a group larger than that starts again at its next keyframe.
const MOST_KEPT: usize = 8_000_000;

/// What becomes of a unit.
#[derive(Debug, PartialEq, Eq)]
pub enum Passage<T> {
    /// Nobody decodes it, unless it is needed after all by what follows.
    Dropped,
    /// It goes to the decoder, after these.
    Through(Vec<T>),
}

impl<T: Clone> KeyframeGate<T> {
    /// A gate that waits for a keyframe. `keyframes_only`: nothing else ever goes through.
    pub fn new(keyframes_only: bool) -> Self {
        Self {
            keyframes_only,
            waiting: true,
            latest: None,
            latest_through: None,
            apart: None,
            kept: Vec::new(),
            kept_bytes: 0,
            sizes: UnitSizes::default(),
            woken: false,
        }
    }

    /// How far apart the latest two keyframes were.
    pub fn keyframes_apart(&self) -> Option<Duration> {
        self.apart
    }

    /// What to do with the next unit.
    pub fn pass(&mut self, unit: &T, facts: UnitFacts, mode: DecodeMode) -> Passage<T> {
        let UnitFacts { at, bytes, keyframe, gap } = facts;
        let only = match mode {
            DecodeMode::KeyframesOnly { apart } => Some(apart),
            _ => None,
        };
        if keyframe {
            let before = self.latest;
            self.latest = at.or(before);
            self.apart = before.zip(at).and_then(|(before, at)| at.checked_sub(before));
            (self.waiting, self.woken) = (false, false);
            self.forget();
            if only.is_some_and(|wanted| self.next_is_enough(at, wanted)) {
                self.waiting = true;
                return Passage::Dropped;
            }
            self.latest_through = at;
            return Passage::Through(Vec::new());
        }
        let stirs = self.sizes.stir(bytes);
        self.waiting |= gap;
        if self.waiting || self.keyframes_only || only.is_some() {
            // Without what was left out here, the rest of the group means nothing.
            self.waiting = true;
            self.forget();
            return Passage::Dropped;
        }
        self.woken |= stirs;
        if mode == DecodeMode::Full || self.woken {
            self.kept_bytes = 0;
            return Passage::Through(std::mem::take(&mut self.kept));
        }
        self.kept.push(unit.clone());
        self.kept_bytes += bytes;
        if self.kept_bytes > MOST_KEPT {
            self.waiting = true;
            self.forget();
        }
        Passage::Dropped
    }

    /// Whether the keyframe after the one of this time comes soon enough.
    fn next_is_enough(&self, at: Option<Duration>, wanted: Duration) -> bool {
        let Some(((at, through), apart)) = at.zip(self.latest_through).zip(self.apart) else { return false };
        at.checked_sub(through).is_some_and(|since| since + apart <= wanted + ROUNDING)
    }

    fn forget(&mut self) {
        self.kept.clear();
        self.kept_bytes = 0;
    }
}

/// Reads from the sizes of the units between keyframes whether something begins to move: an encoder spends bytes on what
/// changes. Compares with what such units usually take, so it says nothing of absolute rates.
#[derive(Debug, Default)]
struct UnitSizes {
    usual: Option<f32>,
    large: u32,
}

/// A unit is large from this many times the usual size, and this many bytes beyond it.
const LARGE: (f32, f32) = (1.6, 300.0);
/// So many large units in a row are a movement: single ones are refreshed blocks.
const LARGE_IN_A_ROW: u32 = 2;
/// Share with which a unit changes what is usual.
const FOLLOW: f32 = 0.02;

impl UnitSizes {
    fn stir(&mut self, bytes: usize) -> bool {
        let bytes = bytes as f32;
        let usual = self.usual.get_or_insert(bytes);
        let large = bytes > LARGE.0 * *usual + LARGE.1;
        *usual += (bytes - *usual) * FOLLOW;
        self.large = if large { self.large + 1 } else { 0 };
        self.large >= LARGE_IN_A_ROW
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
        let units = [
            (false, false),
            (true, false),
            (false, false),
            (false, true),
            (false, false),
            (true, true),
            (false, false),
        ];
        let passed = |gate: &mut KeyframeGate<i32>, keyframe, gap| {
            let facts = UnitFacts { at: None, bytes: 900, keyframe, gap };
            gate.pass(&0, facts, DecodeMode::Full) != Passage::Dropped
        };
        let mut gate = KeyframeGate::new(false);
        let through = units.map(|(keyframe, gap)| passed(&mut gate, keyframe, gap));
        assert_eq!(through, [false, true, true, false, false, true, true]);
        let mut only = KeyframeGate::new(true);
        assert_eq!([true, false, true].map(|key| passed(&mut only, key, false)), [true, false, true]);
    }

    /// Feeds units by number, a keyframe every ten, and gives those that reach the decoder.
    fn decoded(units: impl Iterator<Item = (u32, usize, DecodeMode)>) -> Vec<u32> {
        let mut gate = KeyframeGate::new(false);
        let mut decoded = Vec::new();
        for (unit, bytes, mode) in units {
            let at = Some(Duration::from_millis(u64::from(unit) * 100));
            let facts = UnitFacts { at, bytes, keyframe: unit.is_multiple_of(10), gap: false };
            if let Passage::Through(before) = gate.pass(&unit, facts, mode) {
                decoded.extend(before);
                decoded.push(unit);
            }
        }
        decoded
    }

    #[test]
    fn what_was_held_back_of_a_group_goes_first_when_all_is_wanted_again() {
        let quiet = |unit| (13..36).contains(&unit);
        let mode = |unit| if quiet(unit) { DecodeMode::KeyframesWhileQuiet } else { DecodeMode::Full };
        let all = decoded((0..50).map(|unit| (unit, 900, mode(unit))));
        let expected: Vec<u32> = (0..13).chain([20]).chain(30..50).collect();
        assert_eq!(all, expected);
    }

    #[test]
    fn units_that_grow_wake_it_with_all_of_their_group_until_the_next_keyframe() {
        let size = |unit| if (25..28).contains(&unit) { 5_000 } else { 900 };
        let all = decoded((0..50).map(|unit| (unit, size(unit), DecodeMode::KeyframesWhileQuiet)));
        let expected: Vec<u32> = [0, 10].into_iter().chain(20..31).chain([40]).collect();
        assert_eq!(all, expected);
        let once = decoded(
            (0..30).map(|unit| (unit, if unit == 15 { 5_000 } else { 900 }, DecodeMode::KeyframesWhileQuiet)),
        );
        assert_eq!(once, [0, 10, 20]);
    }

    #[test]
    fn where_keyframes_are_enough_nothing_wakes_it_and_all_comes_from_the_next_keyframe_on() {
        let only = DecodeMode::KeyframesOnly { apart: Duration::from_millis(1500) };
        let mode = |unit| if (13..26).contains(&unit) { only } else { DecodeMode::Full };
        let all = decoded((0..50).map(|unit| (unit, if unit > 15 { 5_000 } else { 900 }, mode(unit))));
        let expected: Vec<u32> = (0..13).chain([20]).chain(30..50).collect();
        assert_eq!(all, expected);
    }

    #[test]
    fn of_keyframes_no_more_are_decoded_than_looks_are_wanted() {
        let every = |seconds: f64| {
            let only = DecodeMode::KeyframesOnly { apart: Duration::from_secs_f64(seconds) };
            decoded((0..100).map(|unit| (unit, 900, only)))
        };
        assert_eq!(every(0.1), [0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
        assert_eq!(every(1.9), every(1.0));
        assert_eq!(every(2.0), [0, 20, 40, 60, 80]);
        assert_eq!(every(3.5), [0, 30, 60, 90]);
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
