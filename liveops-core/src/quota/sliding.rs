//! Never more than N in any window: what a quota with bursts does not promise.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Decision, NOW_MILLIS_MAX, SPAN_MAX, STEP_BACK_MAX};
use crate::error::Code;
use crate::time::Timestamp;

/// Never more than N in any window, whenever the window begins: what GCRA with a burst does not promise. Remembers
/// up to N times, 16 bytes each but for the first; of many keys, see [`SlidingLimiter`](crate::shared::SlidingLimiter).
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

    /// Other numbers from now on. What passed still counts; what had left the window of before is not known any more.
    pub fn replace(&mut self, limit: u32, window: Duration) {
        self.rule = Sliding::new(limit, window);
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

/// What passed of one key. The newest lies apart: it says when all of it lapses, and one call takes no memory elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Passed {
    /// Time, in milliseconds since 1970, and cost of what passed within the window before the newest, oldest first; no
    /// time twice, no cost 0.
    earlier: VecDeque<(i64, u32)>,
    newest: i64,
    /// 0 if nothing passed within the window.
    newest_cost: u32,
    /// Sum of the costs: at most the limit, unless that was lowered since.
    used: u32,
}

impl Passed {
    pub(crate) fn check(&mut self, rule: Sliding, cost: u32, now: Timestamp) -> Decision {
        let caller_now = exact_millis(now);
        let now = self.settle_clock(caller_now);
        self.expire(now - rule.window);
        let left = rule.limit.saturating_sub(self.used);
        let allowed = cost <= left;
        if allowed && cost > 0 {
            self.push(rule, cost, now);
        }
        let until_expiry = |time: i64| Duration::from_millis((time + rule.window - caller_now).max(0).unsigned_abs());
        let retry_after = if allowed || cost > rule.limit {
            None
        } else {
            // The call passes once enough of the oldest are out of the window.
            let mut used = self.used;
            let enough = self.earlier.iter().find(|(_, passed)| {
                used -= passed;
                used <= rule.limit - cost
            });
            Some(until_expiry(enough.map_or(self.newest, |(time, _)| *time)))
        };
        Decision {
            allowed,
            code: if allowed { None } else { Some(Code::RateLimited) },
            limit: rule.limit,
            period: rule.window(),
            remaining: rule.limit.saturating_sub(self.used),
            retry_after,
            reset_after: if self.used == 0 { Duration::ZERO } else { until_expiry(self.newest) },
        }
    }

    /// When the last of it leaves the window, in microseconds since 1970.
    pub(crate) const fn end(&self, rule: Sliding) -> i64 {
        if self.newest_cost == 0 { i64::MIN } else { (self.newest + rule.window) * 1000 }
    }

    /// Forgets what is not after a time.
    fn expire(&mut self, time: i64) {
        while let Some((_, cost)) = self.earlier.front().filter(|(passed, _)| *passed <= time) {
            self.used -= cost;
            self.earlier.pop_front();
        }
        if self.newest <= time {
            (self.newest_cost, self.used) = (0, 0);
        }
    }

    fn push(&mut self, rule: Sliding, cost: u32, now: i64) {
        self.used += cost;
        if self.newest_cost > 0 && self.newest == now {
            self.newest_cost += cost;
            return;
        }
        if self.newest_cost > 0 {
            let len = self.earlier.len();
            if len == self.earlier.capacity() {
                // Doubles, but never to more than can be in it.
                let most = usize::try_from(rule.limit - 1).unwrap_or(usize::MAX);
                self.earlier.reserve_exact(len.max(3).min(most - len));
            }
            self.earlier.push_back((self.newest, self.newest_cost));
        }
        (self.newest, self.newest_cost) = (now, cost);
    }

    /// A small step back is ignored; after a large one, calls from the future count as calls of now.
    fn settle_clock(&mut self, now: i64) -> i64 {
        if self.newest_cost == 0 {
            return now;
        }
        if self.newest <= now + STEP_BACK_MAX / 1000 {
            return now.max(self.newest);
        }
        self.newest = now;
        self.earlier.retain(|(time, _)| *time < now);
        self.newest_cost = self.used - self.earlier.iter().map(|(_, cost)| cost).sum::<u32>();
        now
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

    /// Steps back of every size, at every debt: a wait grows by the step, and by no more than a second over a window.
    #[test]
    fn a_step_back_adds_no_more_than_itself() {
        let window = 5000;
        for age in [0, 1, 700, 4000, 4999] {
            for step in 0..=6000 {
                let mut log = SlidingLog::new(1, Duration::from_secs(5));
                assert!(log.check(1, at(0)).allowed);
                let refused = log.check(1, at(age - step));
                let wait = millis(refused.retry_after.unwrap());
                let straight = window - age;
                assert!(wait <= straight + step && wait <= window + 1000, "{age} {step}: {wait}");
                assert!(wait >= straight, "{age} {step}: {wait}: nothing is forgiven");
                assert!(log.check(1, at(age - step + wait)).allowed, "the wait is kept");
            }
        }
    }

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
                assert!(
                    (log.passed.earlier.len() as u64) < limit && log.passed.earlier.iter().all(|(_, cost)| *cost > 0)
                );
                assert!((log.passed.earlier.capacity() as u64) < limit);
            }
            // No window of any beginning holds more than the limit.
            for (start, _) in &passed {
                let sum: u64 =
                    passed.iter().filter(|(t, _)| (*start..start + window).contains(t)).map(|(_, cost)| cost).sum();
                assert!(sum <= limit, "seed {seed}");
            }
        }
    }

    /// Against a list of all that passed, of which each change of numbers keeps what is within the window of then.
    #[test]
    fn other_numbers_count_what_passed() {
        for seed in 0..300 {
            let mut random = SplitMix64(seed);
            let mut numbers = || (1 + random.below(12), 1 + random.below(40));
            let all = [numbers(), numbers(), numbers()];
            let (mut limit, mut window) = all[0];
            let mut log = SlidingLog::new(limit.try_into().unwrap(), Duration::from_millis(window));
            let mut passed: Vec<(u64, u64)> = Vec::new();
            let mut now = 100;
            for step in 0..400 {
                now += random.below(2) * random.below(2 * window);
                if random.below(8) == 0 {
                    (limit, window) = all[usize::try_from(random.below(3)).unwrap()];
                    log.replace(limit.try_into().unwrap(), Duration::from_millis(window));
                }
                let cost = random.below(limit + 2);
                passed.retain(|(time, _)| time + window > now);
                let used = |passed: &[(u64, u64)], now: u64| {
                    passed.iter().filter(|(time, _)| time + window > now).map(|(_, cost)| cost).sum::<u64>()
                };
                // A call that costs nothing passes also where more was used than there is now.
                let wanted = cost == 0 || used(&passed, now) + cost <= limit;
                let decision = log.check(cost.try_into().unwrap(), at(now.try_into().unwrap()));
                assert_eq!(decision.allowed, wanted, "seed {seed}, step {step}");
                if wanted {
                    passed.push((now, cost));
                }
                let left = limit.saturating_sub(used(&passed, now));
                assert_eq!(u64::from(decision.remaining), left, "seed {seed}, step {step}");
                if !wanted && cost <= limit {
                    let wait = millis(decision.retry_after.unwrap()).unsigned_abs();
                    assert!(used(&passed, now + wait) + cost <= limit, "seed {seed}, step {step}");
                    assert!(used(&passed, now + wait - 1) + cost > limit, "seed {seed}, step {step}");
                }
            }
        }
        let mut log = SlidingLog::new(1000, Duration::from_secs(60));
        assert!(log.check(1000, at(0)).allowed);
        log.replace(10, Duration::from_secs(60));
        let refused = log.check(1, at(0));
        assert_eq!((refused.allowed, refused.remaining, refused.limit), (false, 0, 10));
        log.replace(1001, Duration::from_secs(60));
        assert_eq!([log.check(1, at(0)).allowed, log.check(1, at(0)).allowed], [true, false]);
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
