//! How often: GCRA for quotas with bursts, a sliding log for "never more than N in any window".
//!
//! GCRA is the generic cell rate algorithm of ITU-T I.371 (a leaky bucket as a meter): the whole state of a key is the
//! time at which its debt is paid off, the theoretical arrival time.

use std::collections::VecDeque;
use std::time::Duration;

use crate::error::Code;
use crate::time::Timestamp;

/// So many calls a period, and so many of them at once.
///
/// Every argument makes a quota: zero counts as one, and what is too large as the largest that is exact. The time
/// between two calls, `period / limit`, is rounded up to whole microseconds, so a quota never lets more through than
/// it says; finer than one call a microsecond it does not get.
///
/// ```
/// use std::time::Duration;
/// use liveops_core::quota::Quota;
///
/// let quota = Quota::new(60, Duration::from_secs(60)).burst(10);
/// assert_eq!((quota.limit(), quota.max_burst(), quota.interval()), (60, 10, Duration::from_secs(1)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Quota {
    limit: u32,
    /// Microseconds between two calls: `1..=SPAN_MAX`.
    #[serde(rename = "intervalMicros")]
    interval: i64,
    /// Calls at once, at least 1; `burst * interval` is at most `SPAN_MAX`.
    burst: u32,
}

/// Longest interval and longest time to pay off a burst, in microseconds: 73,000 years. Sums of two of them and of a
/// time within [`NOW_MILLIS_MAX`] fit an `i64`.
const SPAN_MAX: i64 = 1 << 61;
/// Times further from 1970 than 71,000 years count as this far, in milliseconds.
const NOW_MILLIS_MAX: i64 = 1 << 51;
/// How far time may step back, in microseconds, before it counts as a clock that was set back rather than as threads
/// that read the clock in one order and came in another.
const STEP_BACK_MAX: i64 = 1_000_000;

impl Quota {
    /// `limit` calls a period, all of them at once if they come so; see [`Self::burst`].
    pub fn new(limit: u32, period: Duration) -> Self {
        let limit = limit.max(1);
        let micros = i64::try_from(period.as_micros()).unwrap_or(i64::MAX).min(SPAN_MAX);
        let interval = micros.div_euclid(limit.into()) + i64::from(micros % i64::from(limit) != 0);
        Self { limit, interval: interval.max(1), burst: 1 }.burst(limit)
    }

    /// At most so many calls at once, after a pause long enough. In any period no more than `limit + burst` calls
    /// pass.
    #[must_use]
    pub fn burst(self, calls: u32) -> Self {
        let exact = u32::try_from(SPAN_MAX / self.interval).unwrap_or(u32::MAX);
        Self { burst: calls.clamp(1, exact), ..self }
    }

    /// Calls a period.
    pub const fn limit(self) -> u32 {
        self.limit
    }

    /// Calls at once.
    pub const fn max_burst(self) -> u32 {
        self.burst
    }

    /// Time between two calls at the steady rate.
    pub const fn interval(self) -> Duration {
        Duration::from_micros(self.interval.unsigned_abs())
    }

    fn capacity(self) -> i64 {
        self.interval * i64::from(self.burst)
    }
}

/// Whether a call may pass, and what its sender should know. Times are rounded up to whole milliseconds, so a call at
/// exactly [`Self::retry_after`] passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
#[must_use = "a decision that nobody reads limits nothing"]
pub struct Decision {
    /// Whether it may pass. Refused calls cost nothing.
    pub allowed: bool,
    /// Why not: `rate_limited`, or `limiter_full` when the limiter has no room for another key.
    pub code: Option<Code>,
    /// Calls a period: [`Quota::limit`].
    pub limit: u32,
    /// Calls that could still pass now.
    pub remaining: u32,
    /// When to call again; none if allowed, and none if it can never pass because it costs more than a burst.
    #[serde(rename = "retryAfterMillis", serialize_with = "optional_millis")]
    pub retry_after: Option<Duration>,
    /// When everything that was used will be free again.
    #[serde(rename = "resetAfterMillis", serialize_with = "millis")]
    pub reset_after: Duration,
}

impl Decision {
    /// For callers that no quota applies to.
    pub const fn unlimited() -> Self {
        Self {
            allowed: true,
            code: None,
            limit: u32::MAX,
            remaining: u32::MAX,
            retry_after: None,
            reset_after: Duration::ZERO,
        }
    }

    /// [`Self::retry_after`] in whole seconds, rounded up: the HTTP header `Retry-After`.
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after.map(|wait| wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
    }

    /// The answer to a call that needs both: refused if one refuses, with the longer wait; else the one with less
    /// remaining.
    pub fn and(self, other: Self) -> Self {
        // Never is longer than any wait.
        let wait = |decision: &Self| decision.retry_after.unwrap_or(Duration::MAX);
        let other_counts = match (self.allowed, other.allowed) {
            (true, true) => (other.remaining, self.reset_after) < (self.remaining, other.reset_after),
            (false, false) => wait(&other) > wait(&self),
            (allowed, _) => allowed,
        };
        if other_counts { other } else { self }
    }
}

/// Decides on one call: the state before goes in, the state after comes out. A key never seen before has the state
/// `i64::MIN`, as has any key whose state lies in the past.
///
/// - `state`: the theoretical arrival time in microseconds since 1970; any number is fine.
/// - `cost`: how many calls this one counts for. 0 asks without paying; more than the burst never passes.
/// - A clock that runs back by up to a second (threads that overtake each other) keeps all debts; set back further, it
///   leaves at most the debt of one burst, so that nobody waits longer than that.
///
/// ```
/// use std::time::Duration;
/// use liveops_core::Timestamp;
/// use liveops_core::quota::{Quota, gcra};
///
/// let quota = Quota::new(60, Duration::from_secs(60)).burst(1);
/// let now = Timestamp::from_unix_seconds(1_800_000_000);
/// let (state, first) = gcra(i64::MIN, quota, 1, now);
/// let (state, second) = gcra(state, quota, 1, now);
/// assert!(first.allowed && !second.allowed);
/// assert_eq!(second.retry_after, Some(Duration::from_secs(1)));
/// assert!(gcra(state, quota, 1, now.plus_millis(1000)).1.allowed);
/// ```
pub fn gcra(state: i64, quota: Quota, cost: u32, now: Timestamp) -> (i64, Decision) {
    let now = micros(now);
    let capacity = quota.capacity();
    let debt_end = if state > now + capacity + STEP_BACK_MAX { now + capacity } else { state };
    let debt = (debt_end.max(now)) - now;
    let free = capacity - debt; // below zero after a small step back
    let decision = |allowed, debt, retry_after| Decision {
        allowed,
        code: if allowed { None } else { Some(Code::RateLimited) },
        limit: quota.limit,
        remaining: u32::try_from((capacity - debt) / quota.interval).unwrap_or(0),
        retry_after,
        reset_after: whole_millis(debt),
    };
    if cost > quota.burst {
        return (debt_end, decision(false, debt, None));
    }
    let price = quota.interval * i64::from(cost);
    if price > free {
        return (debt_end, decision(false, debt, Some(whole_millis(price - free))));
    }
    if cost == 0 {
        return (debt_end, decision(true, debt, None));
    }
    (now + debt + price, decision(true, debt + price, None))
}

/// Microseconds since 1970.
pub(crate) fn micros(time: Timestamp) -> i64 {
    time.as_unix_millis().clamp(-NOW_MILLIS_MAX, NOW_MILLIS_MAX) * 1000
}

/// A time span in microseconds, rounded up to what a [`Timestamp`] can tell apart.
pub(crate) fn whole_millis(micros: i64) -> Duration {
    Duration::from_millis(micros.max(0).unsigned_abs().div_ceil(1000))
}

/// Counters of many keys, here or on another machine.
pub trait QuotaStore: Send + Sync {
    /// Charges one call to every quota and key given, or to none of them: one refusal refuses the call, and then it
    /// costs nothing anywhere. A key counts on its own under each quota. No quota at all is
    /// [`Decision::unlimited`].
    fn check_all(&self, requests: &[(Quota, &str)], cost: u32, now: Timestamp) -> Decision;
}

/// Never more than N in any window, whenever the window begins: what GCRA with a burst does not promise. Remembers
/// up to N times, 16 bytes each.
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
    limit: u32,
    /// At least a millisecond.
    window: Duration,
    /// Time and cost of what passed within the window, oldest first; no time twice, no cost 0.
    passed: VecDeque<(Timestamp, u32)>,
    /// Sum of the costs, at most `limit`.
    used: u32,
}

impl SlidingLog {
    /// At most `limit` in any window, rounded up to whole milliseconds. Zero counts as one.
    pub fn new(limit: u32, window: Duration) -> Self {
        let micros = i64::try_from(window.as_micros()).unwrap_or(i64::MAX).clamp(1, SPAN_MAX);
        Self { limit: limit.max(1), window: whole_millis(micros), passed: VecDeque::new(), used: 0 }
    }

    /// Decides on one call that counts for `cost`. A cost of 0 asks without paying; more than the limit never passes.
    /// A clock that runs back is treated as by [`gcra`].
    pub fn check(&mut self, cost: u32, now: Timestamp) -> Decision {
        let caller_now = now;
        let now = self.settle_clock(now);
        let window = i64::try_from(self.window.as_millis()).unwrap_or(i64::MAX);
        while let Some((_, cost)) = self.passed.front().filter(|(time, _)| time.plus_millis(window) <= now) {
            self.used -= cost;
            self.passed.pop_front();
        }
        let allowed = cost <= self.limit - self.used;
        if allowed && cost > 0 {
            match self.passed.back_mut().filter(|(time, _)| *time == now) {
                Some((_, same_time)) => *same_time += cost,
                None => self.passed.push_back((now, cost)),
            }
            self.used += cost;
        }
        let until_expiry = |time: &Timestamp| {
            let millis = time.plus_millis(window).as_unix_millis().saturating_sub(caller_now.as_unix_millis());
            Duration::from_millis(millis.max(0).unsigned_abs())
        };
        let retry_after = if allowed || cost > self.limit {
            None
        } else {
            // The call passes once enough of the oldest are out of the window.
            let mut freed = self.limit - self.used;
            let enough = self.passed.iter().find(|(_, passed)| {
                freed += passed;
                freed >= cost
            });
            enough.map(|(time, _)| until_expiry(time))
        };
        Decision {
            allowed,
            code: if allowed { None } else { Some(Code::RateLimited) },
            limit: self.limit,
            remaining: self.limit - self.used,
            retry_after,
            reset_after: self.passed.back().map_or(Duration::ZERO, |(time, _)| until_expiry(time)),
        }
    }

    /// A small step back is ignored; after a large one, calls from the future count as calls of now.
    fn settle_clock(&mut self, now: Timestamp) -> Timestamp {
        match self.passed.back() {
            Some((newest, _)) if *newest <= now.plus_millis(STEP_BACK_MAX / 1000) => now.max(*newest),
            Some(_) => {
                let future: u32 = self.passed.iter().filter(|(time, _)| *time >= now).map(|(_, cost)| cost).sum();
                self.passed.retain(|(time, _)| *time < now);
                self.passed.push_back((now, future));
                now
            }
            None => now,
        }
    }
}

fn millis<S: serde::Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
}

#[expect(clippy::ref_option, reason = "serde passes fields by reference")]
fn optional_millis<S: serde::Serializer>(span: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match span {
        Some(span) => millis(span, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests;
