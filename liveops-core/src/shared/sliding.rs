//! Never more than N in any window, for many keys and threads.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::name::Names;
use super::table::{Lapse, Lapsed, Table};
use super::{CAPACITY_DEFAULT, WhenFull, full};
use crate::quota::{Decision, Passed, STEP_BACK_MAX, Sliding, micros};
use crate::time::Timestamp;

/// A [`SlidingLog`](crate::quota::SlidingLog) for each of many keys, checked by many threads.
///
/// A key takes 56 bytes, and 16 for each time but one that it remembers, at most `limit` of them. All in all a limiter
/// takes `74 + 16 * (limit - 1)` bytes a key of its capacity and 1 KiB once it is full, never more than 147 in place of
/// the 74 while it grows, and what the allocator adds to each log. It is full, refuses and tells keys apart as a
/// [`RateLimiter`](super::RateLimiter) does.
///
/// ```
/// use std::time::Duration;
/// use liveops_core::Timestamp;
/// use liveops_core::shared::SlidingLimiter;
///
/// let limiter = SlidingLimiter::new(2, Duration::from_secs(60)).capacity(100_000);
/// let now = Timestamp::from_unix_seconds(1_800_000_000);
/// assert_eq!(limiter.check("player:ana", 2, now).remaining, 0);
/// assert_eq!(limiter.check("player:ana", 1, now).retry_after_seconds(), Some(60));
/// assert!(limiter.check("player:bo", 1, now).allowed);
/// ```
pub struct SlidingLimiter {
    capacity: usize,
    when_full: WhenFull,
    names: Names,
    table: Table<Passed>,
    admitted_when_full: AtomicU64,
}

impl Lapse for Passed {
    type Rule = Sliding;

    fn end(&self, rule: Sliding) -> i64 {
        Passed::end(self, rule)
    }
}

impl SlidingLimiter {
    /// At most `limit` in any window, as [`SlidingLog::new`](crate::quota::SlidingLog::new) has it; with room for
    /// 1,000,000 keys, refusing new ones when full.
    pub fn new(limit: u32, window: Duration) -> Self {
        Self {
            capacity: CAPACITY_DEFAULT,
            when_full: WhenFull::default(),
            names: Names::new(),
            table: Table::new(CAPACITY_DEFAULT, Sliding::new(limit, window)),
            admitted_when_full: AtomicU64::new(0),
        }
    }

    /// With room for so many keys, at least one; it begins with none.
    #[must_use]
    pub fn capacity(self, keys: usize) -> Self {
        let rule = self.table.shard(0).rule();
        Self { capacity: keys.max(1), table: Table::new(keys, rule), ..self }
    }

    /// What to do with a new key when there is no room.
    #[must_use]
    pub fn when_full(self, when_full: WhenFull) -> Self {
        Self { when_full, ..self }
    }

    /// Other numbers from now on, at any time. What passed still counts for each key; see
    /// [`SlidingLog::replace`](crate::quota::SlidingLog::replace).
    pub fn replace(&self, limit: u32, window: Duration) {
        self.table.set_rule(Sliding::new(limit, window));
    }

    /// Decides on a call that counts for `cost`; see [`SlidingLog::check`](crate::quota::SlidingLog::check).
    pub fn check(&self, key: &str, cost: u32, now: Timestamp) -> Decision {
        let name = self.names.of(key);
        let mut shard = self.table.shard(self.table.shard_of(name));
        let rule = shard.rule();
        if let Some(passed) = shard.get(name.tag) {
            return passed.check(rule, cost, now);
        }
        let mut passed = Passed::default();
        let decision = passed.check(rule, cost, now);
        if !decision.allowed || cost == 0 {
            return decision;
        }
        let lapsed = Lapsed { now: micros(now), grace: STEP_BACK_MAX };
        match shard.insert(name.tag, passed, lapsed) {
            Ok(()) => decision,
            Err(_) if self.when_full == WhenFull::Admit => {
                self.admitted_when_full.fetch_add(1, Ordering::Relaxed);
                decision
            }
            Err(earliest) => full(decision, Some(earliest), lapsed.now),
        }
    }

    /// Keys in memory, with those whose calls have all left the window but whose room nobody has needed yet.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether no key is in memory.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls that passed without being counted, because there was no room and [`WhenFull::Admit`] was asked for.
    pub fn admitted_when_full(&self) -> u64 {
        self.admitted_when_full.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for SlidingLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlidingLimiter")
            .field("rule", &self.table.shard(0).rule())
            .field("capacity", &self.capacity)
            .field("when_full", &self.when_full)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::error::Code;
    use crate::quota::SlidingLog;
    use crate::quota::tests::SplitMix64;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_unix_millis(millis)
    }

    #[test]
    fn each_key_has_a_log_of_its_own() {
        for seed in 0..50 {
            let mut random = SplitMix64(seed);
            let (limit, window) = (u32::try_from(1 + random.below(9)).unwrap(), Duration::from_millis(500));
            let limiter = SlidingLimiter::new(limit, window).capacity(50);
            let mut logs = BTreeMap::new();
            let mut now = 100_000_i64;
            for step in 0..1000 {
                now += i64::try_from(random.below(20)).unwrap();
                // Now and then by another clock, that is a little behind.
                let time = at(now - i64::try_from(random.below(5) / 4 * random.below(200)).unwrap());
                let key = random.below(30).to_string();
                let cost = u32::try_from(random.below(4)).unwrap();
                let log = logs.entry(key.clone()).or_insert_with(|| SlidingLog::new(limit, window));
                assert_eq!(limiter.check(&key, cost, time), log.check(cost, time), "seed {seed}, step {step}");
            }
        }
    }

    #[test]
    fn other_numbers_hold_for_every_key() {
        let limiter = SlidingLimiter::new(1000, Duration::from_secs(60)).capacity(10_000);
        assert!((0..100).all(|n: u8| limiter.check(&n.to_string(), 1000, at(0)).allowed));
        limiter.replace(10, Duration::from_secs(60));
        assert!((0..100).all(|n: u8| !limiter.check(&n.to_string(), 1, at(0)).allowed));
        limiter.replace(1001, Duration::from_secs(60));
        assert!((0..100).all(|n: u8| limiter.check(&n.to_string(), 1, at(0)).allowed));
        assert!((0..100).all(|n: u8| !limiter.check(&n.to_string(), 1, at(0)).allowed));
        assert_eq!(limiter.len(), 100);
    }

    #[test]
    fn two_hundred_calls_at_once() {
        let limiter = SlidingLimiter::new(100, Duration::from_secs(1));
        assert_eq!((0..200).filter(|_| limiter.check("a", 1, at(0)).allowed).count(), 100);
        let mut log = SlidingLog::new(100, Duration::from_secs(1));
        assert_eq!((0..200).filter(|_| log.check(1, at(0)).allowed).count(), 100);
    }

    #[test]
    fn threads_admit_exactly_the_limit() {
        let limiter = SlidingLimiter::new(100, Duration::from_secs(1));
        let passed: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| (0..200).filter(|n| limiter.check("a", 1, at(n % 10)).allowed).count()))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(passed, 100);
    }

    #[test]
    fn a_full_limiter_refuses_or_admits() {
        for when_full in [WhenFull::Refuse, WhenFull::Admit] {
            let limiter = SlidingLimiter::new(2, Duration::from_secs(1)).capacity(1).when_full(when_full);
            assert!(limiter.check("a", 1, at(0)).allowed && limiter.check("a", 1, at(400)).allowed);
            assert!(!limiter.check("b", 3, at(400)).allowed && limiter.check("b", 0, at(400)).allowed);
            let other = limiter.check("b", 1, at(500));
            if when_full == WhenFull::Refuse {
                assert_eq!((other.code, other.retry_after_seconds()), (Some(Code::LimiterFull), Some(1)));
                assert_eq!(other.retry_after, Some(Duration::from_millis(900)), "both calls must leave the window");
            }
            assert_eq!(other.allowed, when_full == WhenFull::Admit);
            assert_eq!(limiter.admitted_when_full(), u64::from(when_full == WhenFull::Admit));
            assert_eq!(limiter.check("b", 1, at(1399)).allowed, when_full == WhenFull::Admit);
            assert!(limiter.check("b", 1, at(1400)).allowed);
            assert_eq!(limiter.check("b", 0, at(1400)).remaining, 1);
            assert_eq!(limiter.len(), 1);
        }
    }
}
