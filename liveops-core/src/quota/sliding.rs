//! Never more than N in any window: what a quota with bursts does not promise.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Decision, NOW_MILLIS_MAX, SPAN_MAX, STEP_BACK_MAX};
use crate::error::Code;
use crate::time::Timestamp;

/// Never more than N in any window, whenever the window begins: what GCRA with a burst does not promise. Remembers
/// up to N times, 16 bytes each; of many keys, see [`SlidingLimiter`](crate::shared::SlidingLimiter).
///
/// A window is half-open: a call exactly one window after another does not count with it.
///
/// ```
/// use std::time::Duration;
/// use liveops_core::Timestamp;
/// use liveops_core::quota::SlidingLog;
///
/// let mut log = SlidingLog::new(2, Duration::from_secs(60));
/// let at = Timestamp::from_unix_seconds;
/// assert!(log.check(1, at(0)).allowed && log.check(1, at(30)).allowed);
/// assert_eq!(log.check(1, at(59)).retry_after, Some(Duration::from_secs(1)));
/// assert!(log.check(1, at(60)).allowed);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlidingLog {
    rule: Sliding,
    passed: Passed,
}

impl SlidingLog {
    /// At most `limit` in any window, which is rounded up to whole milliseconds and at most 2^50 us (35 years). Zero
    /// counts as one.
    pub fn new(limit: u32, window: Duration) -> Self {
        Self { rule: Sliding::new(limit, window), passed: Passed::default() }
    }

    /// Decides on one call that counts for `cost`. A cost of 0 asks without paying; more than the limit never passes.
    /// A clock that runs back is treated as by [`gcra`](super::gcra).
    pub fn check(&mut self, cost: u32, now: Timestamp) -> Decision {
        self.passed.check(self.rule, cost, now)
    }
}

/// What a log enforces: so much in any window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sliding {
    /// At least 1.
    limit: u32,
    /// In milliseconds, at least 1.
    window: i64,
}

impl Sliding {
    pub(crate) fn new(limit: u32, window: Duration) -> Self {
        let micros = i64::try_from(window.as_micros()).unwrap_or(i64::MAX).clamp(1, SPAN_MAX);
        Self { limit: limit.max(1), window: micros.unsigned_abs().div_ceil(1000).cast_signed() }
    }

    pub(crate) const fn window(self) -> Duration {
        Duration::from_millis(self.window.unsigned_abs())
    }
}

/// What passed of one key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Passed {
    /// Time, in milliseconds since 1970, and cost of what passed within the window, oldest first; no time twice, no
    /// cost 0.
    calls: VecDeque<(i64, u32)>,
    /// Sum of the costs, at most the limit.
    used: u32,
}

impl Passed {
    pub(crate) fn check(&mut self, rule: Sliding, cost: u32, now: Timestamp) -> Decision {
        let caller_now = exact_millis(now);
        let now = self.settle_clock(caller_now);
        while let Some((_, cost)) = self.calls.front().filter(|(time, _)| time + rule.window <= now) {
            self.used -= cost;
            self.calls.pop_front();
        }
        let allowed = cost <= rule.limit - self.used;
        if allowed && cost > 0 {
            self.push(rule, cost, now);
        }
        let until_expiry = |time: i64| Duration::from_millis((time + rule.window - caller_now).max(0).unsigned_abs());
        let retry_after = if allowed || cost > rule.limit {
            None
        } else {
            // The call passes once enough of the oldest are out of the window.
            let mut freed = rule.limit - self.used;
            let enough = self.calls.iter().find(|(_, passed)| {
                freed += passed;
                freed >= cost
            });
            enough.map(|(time, _)| until_expiry(*time))
        };
        Decision {
            allowed,
            code: if allowed { None } else { Some(Code::RateLimited) },
            limit: rule.limit,
            period: rule.window(),
            remaining: rule.limit - self.used,
            retry_after,
            reset_after: self.calls.back().map_or(Duration::ZERO, |(time, _)| until_expiry(*time)),
        }
    }

    /// When the last of it leaves the window, in microseconds since 1970.
    pub(crate) fn end(&self, rule: Sliding) -> i64 {
        self.calls.back().map_or(i64::MIN, |(time, _)| (time + rule.window) * 1000)
    }

    fn push(&mut self, rule: Sliding, cost: u32, now: i64) {
        self.used += cost;
        if let Some((_, same_time)) = self.calls.back_mut().filter(|(time, _)| *time == now) {
            *same_time += cost;
            return;
        }
        let len = self.calls.len();
        if len == self.calls.capacity() {
            // Doubles, but never to more than can be in it.
            let limit = usize::try_from(rule.limit).unwrap_or(usize::MAX);
            self.calls.reserve_exact(len.max(3).min(limit - len));
        }
        self.calls.push_back((now, cost));
    }

    /// A small step back is ignored; after a large one, calls from the future count as calls of now.
    fn settle_clock(&mut self, now: i64) -> i64 {
        match self.calls.back() {
            Some((newest, _)) if *newest <= now + STEP_BACK_MAX / 1000 => now.max(*newest),
            Some(_) => {
                let future: u32 = self.calls.iter().filter(|(time, _)| *time >= now).map(|(_, cost)| cost).sum();
                self.calls.retain(|(time, _)| *time < now);
                self.calls.push_back((now, future));
                now
            }
            None => now,
        }
    }
}

/// Milliseconds since 1970, within what is exact.
fn exact_millis(time: Timestamp) -> i64 {
    time.as_unix_millis().clamp(-NOW_MILLIS_MAX, NOW_MILLIS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quota::tests::{SplitMix64, at, millis};

    #[test]
    fn sliding_log_is_a_filter_over_all_that_passed() {
        for seed in 0..300 {
            let mut random = SplitMix64(seed);
            let (limit, window) = (1 + random.below(12), 1 + random.below(40));
            let mut log = SlidingLog::new(limit.try_into().unwrap(), Duration::from_millis(window));
            let mut passed: Vec<(u64, u64)> = Vec::new();
            let mut now = random.below(100);
            for step in 0..400 {
                now += random.below(2) * random.below(2 * window);
                let cost = random.below(limit + 2);
                let within = |passed: &[(u64, u64)], now: u64| {
                    passed.iter().filter(|(time, _)| time + window > now).map(|(_, cost)| cost).sum::<u64>()
                };
                let wanted = within(&passed, now) + cost <= limit;
                let decision = log.check(cost.try_into().unwrap(), at(now.try_into().unwrap()));
                assert_eq!(decision.allowed, wanted, "seed {seed}, step {step}");
                if wanted {
                    passed.push((now, cost));
                }
                assert_eq!(u64::from(decision.remaining), limit - within(&passed, now), "seed {seed}, step {step}");
                if !wanted && cost <= limit {
                    let wait = millis(decision.retry_after.unwrap()).unsigned_abs();
                    assert!(within(&passed, now + wait) + cost <= limit, "seed {seed}, step {step}");
                    assert!(within(&passed, now + wait - 1) + cost > limit, "seed {seed}, step {step}");
                }
                assert!(log.passed.calls.len() as u64 <= limit && log.passed.calls.iter().all(|(_, cost)| *cost > 0));
            }
            // No window of any beginning holds more than the limit.
            for (start, _) in &passed {
                let sum: u64 =
                    passed.iter().filter(|(t, _)| (*start..start + window).contains(t)).map(|(_, cost)| cost).sum();
                assert!(sum <= limit, "seed {seed}");
            }
        }
    }

    #[test]
    fn sliding_log_and_the_clock() {
        let mut log = SlidingLog::new(2, Duration::from_secs(10));
        assert!(log.check(1, at(100_000)).allowed);
        assert!(log.check(1, at(99_500)).allowed, "half a second back is no step");
        let refused = log.check(1, at(99_500));
        assert_eq!(refused.retry_after, Some(Duration::from_millis(10_500)));
        assert!(!log.clone().check(1, at(109_999)).allowed);
        assert!(log.clone().check(1, at(110_000)).allowed);
        // Set back by much: nobody waits longer than one window.
        assert_eq!(log.check(1, at(5000)).retry_after, Some(Duration::from_secs(10)));
        assert!(log.check(2, at(15_000)).allowed);
        for now in [Timestamp::MIN, Timestamp::MAX, Timestamp::MIN] {
            _ = log.check(2, now);
            _ = log.check(u32::MAX, now);
        }
        let mut longest = SlidingLog::new(u32::MAX, Duration::MAX);
        assert!(longest.check(u32::MAX, at(0)).allowed);
        assert!(!longest.check(1, at(1)).allowed);
    }
}
