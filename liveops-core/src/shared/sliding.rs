//! Never more than N in any window, for many keys and threads.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use parking_lot::Mutex;

use super::WhenFull;
use crate::error::Code;
use crate::quota::{Decision, Passed, Sliding};
use crate::time::Timestamp;

/// A [`SlidingLog`](crate::quota::SlidingLog) for each of many keys, checked by many threads.
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
    rule: Sliding,
    capacity: usize,
    when_full: WhenFull,
    logs: Mutex<HashMap<String, Passed>>,
}

impl SlidingLimiter {
    /// At most `limit` in any window, as [`SlidingLog::new`](crate::quota::SlidingLog::new) has it; with room for
    /// 1,000,000 keys, refusing new ones when full.
    pub fn new(limit: u32, window: Duration) -> Self {
        Self {
            rule: Sliding::new(limit, window),
            capacity: 1_000_000,
            when_full: WhenFull::default(),
            logs: Mutex::default(),
        }
    }

    /// With room for so many keys, at least one.
    #[must_use]
    pub fn capacity(self, keys: usize) -> Self {
        Self { capacity: keys.max(1), ..self }
    }

    /// What to do with a new key when there is no room.
    #[must_use]
    pub fn when_full(self, when_full: WhenFull) -> Self {
        Self { when_full, ..self }
    }

    /// Decides on a call that counts for `cost`; see [`SlidingLog::check`](crate::quota::SlidingLog::check).
    pub fn check(&self, key: &str, cost: u32, now: Timestamp) -> Decision {
        let mut logs = self.logs.lock();
        if let Some(passed) = logs.get_mut(key) {
            return passed.check(self.rule, cost, now);
        }
        let mut passed = Passed::default();
        let decision = passed.check(self.rule, cost, now);
        if !decision.allowed || cost == 0 {
            return decision;
        }
        if logs.len() >= self.capacity {
            logs.retain(|_, passed| !passed.check(self.rule, 0, now).reset_after.is_zero());
        }
        if logs.len() < self.capacity {
            logs.insert(key.to_owned(), passed);
            decision
        } else if self.when_full == WhenFull::Admit {
            decision
        } else {
            Decision { allowed: false, code: Some(Code::LimiterFull), remaining: 0, ..decision }
        }
    }

    /// Keys in memory, with those whose calls have all left the window but whose room nobody has needed yet.
    pub fn len(&self) -> usize {
        self.logs.lock().len()
    }

    /// Whether no key is in memory.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Debug for SlidingLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlidingLimiter")
            .field("rule", &self.rule)
            .field("capacity", &self.capacity)
            .field("when_full", &self.when_full)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
