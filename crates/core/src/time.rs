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
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.0.lock().expect("no panic while the clock is held").0
    }

    fn monotonic(&self) -> Duration {
        self.0.lock().expect("no panic while the clock is held").1
    }
}

/// Seconds from `earlier` to `later`; negative when they are the other way round.
#[inline]
pub fn seconds_between(earlier: Timestamp, later: Timestamp) -> f64 {
    later.duration_since(earlier).as_secs_f64()
}
