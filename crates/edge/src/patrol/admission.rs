//! What the cameras on patrol need of the machine, and by how much their intervals must grow where that is too much.
//! Pure arithmetic.

use std::time::Duration;

use super::schedule::SLACK;

/// What one visit takes, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct VisitCost {
    /// Of a processor: connecting, decoding, model, the rest.
    pub(super) cpu: f64,
    /// From its turn to its end.
    pub(super) wall: f64,
}

/// What a visit and a look took of one core of a 4th-generation Xeon, without the model: connecting, taking leave, a picture for
/// the past; decoding a keyframe of 720p and the rest.
const VISIT_CPU: f64 = 0.035;
const LOOK_CPU: f64 = 0.030;
/// The model's time on that core, where nothing was measured: NanoDet-g at 416 in int8, both cores at work.
pub(super) const MODEL_CPU: f64 = 0.025;
/// Of the looks that a visit may take after the first, so many are counted beforehand: those where something came or went.
const MORE_LOOKS: f64 = 0.3;
/// Connecting, and the distance of keyframes.
const VISIT_WALL: f64 = 0.6;
const LOOK_WALL: f64 = 1.0;
/// Weight of a new measurement among the earlier ones.
const FOLLOW: f64 = 0.3;

impl VisitCost {
    /// Before anything was measured but the model's time on a picture.
    pub(super) fn estimated(looks: u32, model: f64) -> Self {
        let looks = 1.0 + MORE_LOOKS * (f64::from(looks) - 1.0).max(0.0);
        Self { cpu: VISIT_CPU + looks * (LOOK_CPU + model), wall: VISIT_WALL + (looks - 1.0) * LOOK_WALL }
    }

    /// Follows what a visit took.
    pub(super) fn follow(&mut self, took: Self) {
        self.cpu += FOLLOW * (took.cpu - self.cpu);
        self.wall += FOLLOW * (took.wall - self.wall);
    }
}

/// What there is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Room {
    /// Processors that visits may take.
    pub(super) cores: f64,
    /// Visits at once.
    pub(super) at_once: usize,
}

/// Of the visits at once, this part may be taken: turns do not come evenly.
const AT_ONCE_PART: f64 = 0.85;

/// What a set of cameras needs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Need {
    /// Processors.
    pub(super) cores: f64,
    /// Visits at once, on average.
    pub(super) visits: f64,
}

impl Need {
    /// Of cameras with these intervals in seconds and costs.
    pub(super) fn of(cameras: impl IntoIterator<Item = (f64, VisitCost)>) -> Self {
        let mut need = Self { cores: 0.0, visits: 0.0 };
        for (every, cost) in cameras {
            // From turn to turn; the last look of a visit is what its promise counts from.
            let period = (every * (1.0 - SLACK)).max(1e-3);
            need.cores += cost.cpu / period;
            need.visits += cost.wall / period;
        }
        need
    }

    /// The factor by which all intervals must grow to fit; 1 where they fit.
    pub(super) fn stretch(&self, room: Room) -> f64 {
        let cores = self.cores / room.cores.max(1e-3);
        let visits = self.visits / (AT_ONCE_PART * room.at_once.max(1) as f64);
        cores.max(visits).max(1.0)
    }
}

/// Follows what is needed and what comes of it: intervals grow at once and shrink slowly, and they grow with what looks really
/// took where promises are broken, whatever the reason is: other programs, a slow network.
#[derive(Debug)]
pub(super) struct Stretch(f64);

/// What grows less than this is not told again.
const WORTH_TELLING: f64 = 1.03;
/// How much intervals shrink at once, at the most.
const SHRINK: f64 = 0.98;
/// A look that came after more than this part of its interval says that there is no room to shrink.
const TENSE: f64 = 0.96;
/// Beyond the longest interval of late, this much is promised.
const MARGIN: f64 = 1.1;

impl Stretch {
    pub(super) fn new() -> Self {
        Self(1.0)
    }

    /// The factor for all intervals.
    pub(super) fn factor(&self) -> f64 {
        self.0
    }

    /// Follows the need, and the longest interval since the last time as a multiple of what was asked for. `true` if the
    /// factor changed.
    pub(super) fn follow(&mut self, need: Need, room: Room, longest: f64) -> bool {
        let before = self.0;
        let late = if longest > before { longest * MARGIN } else { 1.0 };
        let wanted = need.stretch(room).max(late);
        if wanted > before * WORTH_TELLING {
            self.0 = wanted;
        } else if wanted < before && longest < TENSE * before {
            self.0 = wanted.max(before * SHRINK);
        }
        (self.0 - before).abs() > f64::EPSILON
    }
}

/// What a pipeline's cameras on patrol need, by rule of thumb: the node measures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PatrolEstimate {
    /// Cameras on patrol.
    pub cameras: usize,
    /// Processors that they need.
    pub need_cores: f64,
    /// Processors that they may take.
    pub room_cores: f64,
    /// The longest interval that is asked for.
    pub asked: Duration,
    /// The longest interval that can be promised.
    pub promised: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Room = Room { cores: 1.6, at_once: 32 };

    /// From turn to turn, with an interval of 30 s.
    const PERIOD: f64 = 30.0 * (1.0 - SLACK);

    fn compound(cameras: usize, every: f64, cpu: f64, wall: f64) -> Need {
        Need::of((0..cameras).map(|_| (every, VisitCost { cpu, wall })))
    }

    #[test]
    fn what_fits_is_not_stretched_and_what_does_not_grows_by_one_factor() {
        // 364 visits of 0.1 s in a period.
        let need = compound(364, 30.0, 0.1, 1.6);
        assert!((need.cores - 364.0 * 0.1 / PERIOD).abs() < 1e-9 && need.stretch(ROOM) == 1.0, "{need:?}");
        let much = compound(728, 30.0, 0.1, 1.0);
        assert!((much.stretch(ROOM) - 728.0 * 0.1 / PERIOD / 1.6).abs() < 1e-9, "{}", much.stretch(ROOM));
        // Stretched by that, it fits exactly.
        let stretched = compound(728, 30.0 * much.stretch(ROOM), 0.1, 1.0);
        assert!((stretched.cores - ROOM.cores).abs() < 1e-9);
    }

    #[test]
    fn visits_that_wait_long_are_a_limit_too() {
        let slow = compound(364, 30.0, 0.01, 4.0);
        assert!((slow.stretch(ROOM) - 364.0 * 4.0 / PERIOD / (0.85 * 32.0)).abs() < 1e-9);
    }

    #[test]
    fn different_intervals_add_up() {
        let part = 1.0 - SLACK;
        let cost = VisitCost { cpu: 0.1 * part, wall: part };
        let need = Need::of([(10.0, cost), (100.0, cost)]);
        assert!((need.cores - 0.011).abs() < 1e-9 && (need.visits - 0.11).abs() < 1e-9, "{need:?}");
    }

    #[test]
    fn it_grows_at_once_and_shrinks_slowly_down_to_nothing() {
        let mut stretch = Stretch::new();
        assert!(!stretch.follow(compound(100, 30.0, 0.1, 1.0), ROOM, 0.9));
        let much = compound(728, 30.0, 0.1, 1.0);
        assert!(stretch.follow(much, ROOM, 0.9));
        assert!((stretch.factor() - much.stretch(ROOM)).abs() < 1e-9);
        assert!(!stretch.follow(much, ROOM, 0.9), "nothing new");
        let before = stretch.factor();
        assert!(stretch.follow(compound(100, 30.0, 0.1, 1.0), ROOM, 0.9 * before));
        assert!((stretch.factor() - 0.98 * before).abs() < 1e-9);
        for _ in 0..50 {
            stretch.follow(compound(100, 30.0, 0.1, 1.0), ROOM, 0.9 * stretch.factor());
        }
        assert!((stretch.factor() - 1.0).abs() < f64::EPSILON, "{}", stretch.factor());
    }

    #[test]
    fn broken_promises_are_taken_back_whatever_was_measured() {
        let mut stretch = Stretch::new();
        let little = compound(10, 30.0, 0.01, 1.0);
        // Looks come after twice their interval.
        assert!(stretch.follow(little, ROOM, 2.0));
        assert!((stretch.factor() - 2.2).abs() < 1e-9);
        // They come just in time: nothing is given back, and nothing taken.
        assert!(!stretch.follow(little, ROOM, 2.15));
        // They come early.
        assert!(stretch.follow(little, ROOM, 1.5) && stretch.factor() < 2.2);
    }

    #[test]
    fn a_measured_cost_is_followed() {
        let mut cost = VisitCost::estimated(2, 0.03);
        assert!((cost.cpu - 0.113).abs() < 1e-9 && (cost.wall - 0.9).abs() < 1e-9, "{cost:?}");
        for _ in 0..20 {
            cost.follow(VisitCost { cpu: 0.08, wall: 1.2 });
        }
        assert!((cost.cpu - 0.08).abs() < 1e-3 && (cost.wall - 1.2).abs() < 1e-3, "{cost:?}");
    }
}
