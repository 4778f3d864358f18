//! Wrong passwords: how long a name or an address must wait before it may try again; and how often somebody may change
//! something. In memory, for names that do not exist as for those that do, so that the answers tell them not apart.

use std::{collections::HashMap, hash::Hash, time::Duration};

/// Wrong passwords for one name before it has to wait.
const FREE_FOR_NAME: u32 = 5;
/// Wrong passwords from one address before it has to wait; a whole room may share one.
const FREE_FOR_ADDRESS: u32 = 20;
const FIRST_WAIT: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// After so long without a wrong one, all is forgotten.
const FORGET_AFTER: Duration = Duration::from_hours(24);
/// So many are kept in mind; somebody who tries names at random must not fill the memory.
const REMEMBERED: usize = 20_000;

/// Wrong passwords of each key of one kind. Times are a clock's monotonic ones.
#[derive(Debug)]
pub(crate) struct Attempts<K> {
    free: u32,
    failed: HashMap<K, Failures>,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    latest: Duration,
    locked_until: Duration,
}

impl<K: Hash + Eq> Attempts<K> {
    pub(crate) fn of_names() -> Self {
        Self { free: FREE_FOR_NAME, failed: HashMap::new() }
    }

    pub(crate) fn of_addresses() -> Self {
        Self { free: FREE_FOR_ADDRESS, failed: HashMap::new() }
    }

    /// How long this key must still wait.
    pub(crate) fn wait(&self, key: &K, now: Duration) -> Option<Duration> {
        let wait = self.failed.get(key)?.locked_until.checked_sub(now)?;
        (!wait.is_zero()).then_some(wait)
    }

    /// Counts a wrong password: from the last free one on, each doubles the wait.
    pub(crate) fn failed(&mut self, key: K, now: Duration) {
        if self.failed.len() >= REMEMBERED && !self.failed.contains_key(&key) {
            self.failed.retain(|_, failures| failures.locked_until > now);
            if self.failed.len() >= REMEMBERED
                && let Some(soonest) = self.failed.values().map(|failures| failures.locked_until).min()
            {
                self.failed.retain(|_, failures| failures.locked_until > soonest);
            }
        }
        let fresh = Failures { count: 0, latest: now, locked_until: Duration::ZERO };
        let failures = self.failed.entry(key).or_insert(fresh);
        if now.saturating_sub(failures.latest) > FORGET_AFTER {
            *failures = fresh;
        }
        failures.count = failures.count.saturating_add(1);
        failures.latest = now;
        if let Some(over) = failures.count.checked_sub(self.free) {
            let wait = FIRST_WAIT.saturating_mul(1 << over.min(10)).min(LONGEST_WAIT);
            failures.locked_until = now + wait;
        }
    }

    /// Forgets the key's wrong passwords.
    pub(crate) fn succeeded(&mut self, key: &K) {
        self.failed.remove(key);
    }
}

/// Changes that somebody may make in a minute; more is a program that runs wild.
const CHANGES_PER_MINUTE: u32 = 600;

/// Counts changes by name, minute by minute.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    minute: u64,
    made: HashMap<String, u32>,
}

impl Changes {
    /// Counts one; or how long to wait, when there were too many.
    pub(crate) fn count(&mut self, name: &str, now: Duration) -> Result<(), Duration> {
        let minute = now.as_secs() / 60;
        if minute != self.minute {
            self.minute = minute;
            self.made.clear();
        }
        let made = match self.made.get_mut(name) {
            Some(made) => made,
            None => self.made.entry(name.to_owned()).or_default(),
        };
        *made += 1;
        if *made > CHANGES_PER_MINUTE {
            return Err(Duration::from_secs(60 - now.as_secs() % 60));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn each_wrong_password_after_the_free_ones_doubles_the_wait() {
        let mut names = Attempts::of_names();
        let mut now = seconds(100);
        for _ in 0..4 {
            names.failed("li", now);
        }
        assert_eq!(names.wait(&"li", now), None);
        for wait in [30, 60, 120, 240, 480, 960, 1920, 3600, 3600] {
            names.failed("li", now);
            assert_eq!(names.wait(&"li", now), Some(seconds(wait)));
            assert_eq!(names.wait(&"wang", now), None);
            now += seconds(wait);
            assert_eq!(names.wait(&"li", now), None, "until then");
        }
        names.succeeded(&"li");
        names.failed("li", now);
        assert_eq!(names.wait(&"li", now), None);
    }

    #[test]
    fn what_is_long_ago_is_forgotten_and_the_memory_is_bounded() {
        let mut names = Attempts::of_names();
        for _ in 0..4 {
            names.failed(0, seconds(0));
        }
        let next_day = FORGET_AFTER + seconds(1);
        names.failed(0, next_day);
        assert_eq!(names.wait(&0, next_day), None);
        for key in 1..30_000 {
            names.failed(key, next_day);
        }
        assert!(names.failed.len() <= REMEMBERED);
        for _ in 0..5 {
            names.failed(7, next_day);
        }
        for key in 30_000..60_000 {
            names.failed(key, next_day);
        }
        assert!(names.wait(&7, next_day).is_some(), "who must wait is not forgotten for who need not");
    }

    #[test]
    fn changes_are_counted_by_the_minute() {
        let mut changes = Changes::default();
        for _ in 0..CHANGES_PER_MINUTE {
            assert_eq!(changes.count("li", seconds(61)), Ok(()));
        }
        assert_eq!(changes.count("li", seconds(65)), Err(seconds(55)));
        assert_eq!(changes.count("wang", seconds(65)), Ok(()));
        assert_eq!(changes.count("li", seconds(120)), Ok(()));
    }
}
