//! How long to wait before the next attempt: doubling up to a limit, with jitter, so that a hundred nodes do not fall
//! upon a broker that has just come back.

use std::time::Duration;

/// Waiting times; the same seed gives the same ones.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    attempt: u32,
    state: u64,
}

impl Backoff {
    /// Starts at `first` and doubles up to `longest`.
    pub fn new(first: Duration, longest: Duration, seed: u64) -> Self {
        Self { first, longest, attempt: 0, state: seed }
    }

    /// The next waiting time: between half and the whole of `first · 2ⁿ`.
    pub fn next_delay(&mut self) -> Duration {
        let whole = self.first.saturating_mul(1 << self.attempt.min(20)).min(self.longest);
        self.attempt = self.attempt.saturating_add(1);
        whole.mul_f64(0.5 + 0.5 * self.random())
    }

    /// Attempts since the last success.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// After a success: starts from `first` again.
    pub fn reset(&mut self) {
        self.attempt = 0;
    }

    /// `SplitMix64` (Steele, Lea and Flood 2014), as a fraction.
    fn random(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_limit_and_start_again_after_a_success() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2), 7);
        let waits: Vec<_> = (0..40).map(|_| backoff.next_delay()).collect();
        for (n, wait) in waits.iter().enumerate() {
            let whole = Duration::from_millis(100 << n.min(5)).min(Duration::from_secs(2));
            assert!(*wait >= whole / 2 && *wait <= whole, "{n}: {wait:?}");
        }
        backoff.reset();
        assert!(backoff.next_delay() <= Duration::from_millis(100));
    }

    #[test]
    fn nodes_with_different_seeds_do_not_come_back_together() {
        let waits = |seed| Backoff::new(Duration::from_secs(1), Duration::from_mins(1), seed).next_delay();
        assert_eq!(waits(1), waits(1));
        assert_ne!(waits(1), waits(2));
    }
}
