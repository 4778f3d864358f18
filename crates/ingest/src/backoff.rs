//! How long to wait before the next attempt. Pure; waits for nothing itself.

use std::time::Duration;

use crate::config::BackoffConfig;

/// Doubles from the initial wait to the longest, a little less for each camera, so that the cameras of a recorder
/// that was restarted don't knock all at once.
#[derive(Debug)]
pub(crate) struct Backoff {
    initial: Duration,
    max: Duration,
    share: f64,
    next: Duration,
}

impl Backoff {
    pub(crate) fn new(config: &BackoffConfig, name: &str) -> Self {
        // FNV-1a of the name: stable, so that a run can be repeated.
        let hash = name.bytes().fold(0x811c_9dc5_u32, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193));
        let initial = Duration::from_secs_f64(config.initial_seconds);
        let max = Duration::from_secs_f64(config.max_seconds);
        Self { initial, max, share: 0.8 + 0.2 * f64::from(hash % 1000) / 1000.0, next: initial }
    }

    /// The wait before the attempt that follows a failed one.
    pub(crate) fn failed(&mut self) -> Duration {
        let wait = self.next;
        self.next = (self.next * 2).min(self.max);
        wait.mul_f64(self.share)
    }

    /// A run that lasted this long has ended. A long one forgives what was before it.
    pub(crate) fn lasted(&mut self, run: Duration) {
        if run >= self.max * 5 {
            self.next = self.initial;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_a_good_run_resets_them() {
        let config = BackoffConfig { initial_seconds: 0.25, max_seconds: 2.0 };
        let mut backoff = Backoff::new(&config, "gate");
        let waits: Vec<f64> = (0..5).map(|_| backoff.failed().as_secs_f64() / backoff.share).collect();
        for (wait, expected) in waits.iter().zip([0.25, 0.5, 1.0, 2.0, 2.0]) {
            assert!((wait - expected).abs() < 1e-6, "{waits:?}");
        }
        backoff.lasted(Duration::from_secs(1));
        assert!(backoff.failed() > Duration::from_millis(1500));
        backoff.lasted(Duration::from_mins(1));
        assert!(backoff.failed() <= Duration::from_millis(250));
    }
}
