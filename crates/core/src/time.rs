//! Time is data: a [`Timestamp`] travels with each frame, and only a [`Clock`] may ask the machine for one.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

pub use jiff::Timestamp;

/// Where the present comes from. Handed down as a value, so that tests choose the time.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Wall-clock time, in whole microseconds (what the databases keep).
    fn now(&self) -> Timestamp;
    /// Time since an arbitrary fixed point; never goes back.
    fn monotonic(&self) -> Duration;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    origin: std::time::Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts at zero now.
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everyone else asks")]
    pub fn new() -> Self {
        Self { origin: std::time::Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everyone else asks")]
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_microsecond(now.as_microsecond()).expect("truncating keeps the time in range")
    }

    fn monotonic(&self) -> Duration {
        self.origin.elapsed()
    }
}

/// A clock that stands still until it is moved: for tests and offline runs.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Mutex<(Timestamp, Duration)>>);

impl ManualClock {
    /// A clock that shows `start`.
    pub fn new(start: Timestamp) -> Self {
        Self(Arc::new(Mutex::new((start, Duration::ZERO))))
    }

    /// Moves both times forward.
    pub fn advance(&self, by: Duration) {
        let mut state = self.0.lock().expect("no panic while the clock is held");
        state.0 += by;
        state.1 += by;
    }

    /// Sets the wall time, forward or back, as an administrator or a time server does.
    pub fn set(&self, now: Timestamp) {
        self.0.lock().expect("no panic while the clock is held").0 = now;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.0.lock().expect("no panic while the clock is held").0
    }

    fn monotonic(&self) -> Duration {
        self.0.lock().expect("no panic while the clock is held").1
    }
}

/// How the machine's clock stands to the monotonic one.
#[derive(Debug, Default)]
pub struct TimeScale(Option<(Timestamp, Duration)>);

impl TimeScale {
    /// A clock that is put right by less than this was not set: daemons do so all the time.
    pub const STEP_SECONDS: f64 = 2.0;

    /// As it is now.
    pub fn of(clock: &dyn Clock) -> Self {
        Self(Some((clock.now(), clock.monotonic())))
    }

    /// Whether the clock was set since this was asked before; not when it is asked first.
    pub fn was_set(&mut self, clock: &dyn Clock) -> bool {
        let before = std::mem::replace(self, Self::of(clock));
        before.0.zip(self.0).is_some_and(|((earlier, since), (now, monotonic))| {
            let passed = monotonic.saturating_sub(since).as_secs_f64();
            (seconds_between(earlier, now) - passed).abs() > Self::STEP_SECONDS
        })
    }
}

/// Seconds from `earlier` to `later`; negative when they are the other way round.
#[inline]
pub fn seconds_between(earlier: Timestamp, later: Timestamp) -> f64 {
    later.duration_since(earlier).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_is_told_from_one_that_goes_on() {
        let start: Timestamp = "2026-03-01T08:00:00Z".parse().unwrap();
        let clock = ManualClock::new(start);
        let mut scale = TimeScale::default();
        assert!(!scale.was_set(&clock), "nothing is known yet");
        clock.advance(Duration::from_hours(1));
        assert!(!scale.was_set(&clock));
        clock.set(start);
        assert!(scale.was_set(&clock), "back by an hour");
        assert!(!scale.was_set(&clock), "told once");
        clock.set(start + Duration::from_secs(1));
        assert!(!scale.was_set(&clock), "put right by a second");
        clock.set(start + Duration::from_mins(10));
        assert!(scale.was_set(&clock), "forward");
    }
}
