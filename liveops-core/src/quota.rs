//! How often: GCRA for quotas with bursts, a sliding log for "never more than N in any window".
//!
//! GCRA is the generic cell rate algorithm of ITU-T I.371 (a leaky bucket as a meter): the whole state of a key is the
//! time at which its debt is paid off, the theoretical arrival time.
//!
//! **What was used belongs to a name and a key.** Numbers may change: what was used counts under the new ones, call by
//! call. See [`Quota::named`] and [`Quota::carry`].
//!
//! **Integers, exact in doubles too.** Times and debts are whole microseconds, and every state, sum and product on the
//! way to a decision stays within 2^53 of zero (carrying a debt over, once when numbers change, needs 128 bits): spans are at most 2^50 us (35 years), and a time further than 2^53 - 2^51 us
//! (214 years) from 1970 counts as that far. So a shared store may compute in a language that has only doubles.

mod headers;
mod sliding;

pub use sliding::SlidingLog;
pub(crate) use sliding::{Passed, Sliding};

use std::num::NonZeroU64;
use std::time::Duration;

use crate::error::{Code, StoreError};
use crate::hash;
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
    /// `1..=SPAN_MAX` microseconds.
    #[serde(rename = "periodMicros", serialize_with = "micros_of")]
    period: Duration,
    /// Microseconds between two calls: `1..=SPAN_MAX`.
    #[serde(rename = "intervalMicros")]
    interval: NonZeroU64,
    /// Calls at once, at least 1; `burst * interval` is at most `SPAN_MAX`.
    burst: u32,
    #[serde(skip)]
    name: u64,
}

/// Longest period, interval and time to pay off a burst, in microseconds: 35 years.
const SPAN_MAX: i64 = 1 << 50;
/// Times further from 1970 than 2^53 - 2^51 us (214 years) count as this far, in milliseconds. With a span and a step
/// back added they stay below 2^53.
const NOW_MILLIS_MAX: i64 = ((1 << 53) - (1 << 51)) / 1000;
/// How far time may step back, in microseconds, before it counts as a clock that was set back rather than as threads
/// that read the clock in one order and came in another.
pub(crate) const STEP_BACK_MAX: i64 = 1_000_000;

impl Quota {
    /// `limit` calls a period, all of them at once if they come so; see [`Self::burst`]. A period is at most 2^50 us (35
    /// years).
    pub fn new(limit: u32, period: Duration) -> Self {
        let limit = limit.max(1);
        let period = u64::try_from(period.as_micros()).unwrap_or(u64::MAX).clamp(1, SPAN_MAX.unsigned_abs());
        // At least 1, as both are.
        let interval = NonZeroU64::new(period.div_ceil(limit.into())).unwrap_or(NonZeroU64::MIN);
        // No hash of a name is expected among the spans, which are few.
        Self { limit, period: Duration::from_micros(period), interval, burst: 1, name: period }.burst(limit)
    }

    /// At most so many calls at once, after a pause long enough; as many as are paid off in 2^50 us (35 years). In any
    /// period no more than `limit + burst` calls pass.
    #[must_use]
    pub fn burst(self, calls: u32) -> Self {
        let exact = u32::try_from(SPAN_MAX.unsigned_abs() / self.interval).unwrap_or(u32::MAX);
        Self { burst: calls.clamp(1, exact), ..self }
    }

    /// One of so many equal shares: of calls that come to any of so many processes alike, all together let through as much as the whole does.
    /// The time between two calls is as many times as long, and the burst is divided, rounded up.
    ///
    /// ```
    /// use std::time::Duration;
    /// use liveops_core::quota::Quota;
    ///
    /// let share = Quota::new(60, Duration::from_secs(60)).burst(10).share(3);
    /// assert_eq!((share.interval(), share.max_burst()), (Duration::from_secs(3), 4));
    /// ```
    #[must_use]
    pub fn share(self, of: u32) -> Self {
        let times = |micros: u64| micros.saturating_mul(of.max(1).into()).min(SPAN_MAX.unsigned_abs());
        let period = Duration::from_micros(times(u64::try_from(self.period.as_micros()).unwrap_or(u64::MAX)));
        let interval = NonZeroU64::new(times(self.interval.get())).unwrap_or(self.interval);
        Self { period, interval, ..self }.burst(self.burst.div_ceil(of.max(1)))
    }

    /// Under this name limiters keep what was used of it by each key, so that it still counts when the numbers change.
    /// Without one the period is its name: another limit or burst for the same period still finds what was used, and
    /// a key under two quotas of one period needs their names.
    ///
    /// ```
    /// use std::time::Duration;
    /// use liveops_core::Timestamp;
    /// use liveops_core::quota::Quota;
    /// use liveops_core::shared::RateLimiter;
    ///
    /// let day = Duration::from_secs(86_400);
    /// let (old, new) = (Quota::new(1_000, day).named("daily"), Quota::new(1_001, day).named("daily"));
    /// let (limiter, now) = (RateLimiter::new(old), Timestamp::from_unix_seconds(1_800_000_000));
    /// assert!(limiter.check("player:ana", 1_000, now).allowed);
    /// limiter.replace(new);
    /// assert!(limiter.check("player:ana", 1, now).allowed, "one more");
    /// assert!(!limiter.check("player:ana", 1, now).allowed);
    /// ```
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        Self { name: hash::of_name(name.as_bytes()), ..self }
    }

    /// The name as 64 bits, the same in every process: a store keeps a state under it and the key.
    pub const fn name(self) -> u64 {
        self.name
    }

    /// The state of a key under these numbers, where it was left under others of another [interval](Self::interval):
    /// as many calls as were owed are still owed, at most a burst. [`gcra`] goes on from it, and its interval has to be
    /// kept with what comes out, also when the call is refused.
    ///
    /// ```
    /// use std::time::Duration;
    /// use liveops_core::Timestamp;
    /// use liveops_core::quota::{Quota, gcra};
    ///
    /// let (now, day) = (Timestamp::from_unix_seconds(1_800_000_000), Duration::from_secs(86_400));
    /// let (old, new) = (Quota::new(1_000, day), Quota::new(10, day));
    /// let state = gcra(i64::MIN, old, 4, now).0;
    /// assert_eq!(gcra(new.carry(state, old.interval(), now), new, 0, now).1.remaining, 6);
    /// ```
    #[must_use]
    pub fn carry(self, state: i64, interval: Duration, now: Timestamp) -> i64 {
        let interval = u64::try_from(interval.as_micros()).unwrap_or(u64::MAX);
        self.carried(state, NonZeroU64::new(interval).unwrap_or(NonZeroU64::MIN), micros(now))
    }

    /// [`Self::carry`] at a time in microseconds.
    pub(crate) fn carried(self, state: i64, interval: NonZeroU64, now: i64) -> i64 {
        if interval == self.interval || state <= now {
            return state;
        }
        let debt = u128::from(state.abs_diff(now)) * u128::from(self.interval.get());
        let debt = i64::try_from(debt.div_ceil(interval.get().into())).unwrap_or(i64::MAX);
        now + debt.min(self.price(self.burst))
    }

    /// Calls a period.
    pub const fn limit(self) -> u32 {
        self.limit
    }

    /// What `limit` speaks of.
    pub const fn period(self) -> Duration {
        self.period
    }

    /// Calls at once.
    pub const fn max_burst(self) -> u32 {
        self.burst
    }

    /// Time between two calls at the steady rate.
    pub const fn interval(self) -> Duration {
        Duration::from_micros(self.interval.get())
    }

    pub(crate) const fn interval_micros(self) -> NonZeroU64 {
        self.interval
    }

    /// Microseconds that so many calls take to pay off; no more than a burst of them.
    const fn price(self, calls: u32) -> i64 {
        self.interval.get().cast_signed() * calls as i64
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
    /// What `limit` speaks of: [`Quota::period`]. Zero for callers that no quota applies to. As JSON rounded up to whole
    /// milliseconds.
    #[serde(rename = "periodMillis", serialize_with = "millis")]
    pub period: Duration,
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
            period: Duration::ZERO,
            remaining: u32::MAX,
            retry_after: None,
            reset_after: Duration::ZERO,
        }
    }

    /// The answer to a call that needs both: refused if one refuses, with the longer wait (never is the longest); else
    /// the one with less remaining, or of equals the one with the later reset. Of two that tell the same, the first.
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
/// - A clock that runs back by up to a second (threads that overtake each other) keeps all debts, so that a wait grows by
///   the step; set back further, it leaves at most the debt of one burst and a second.
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
#[inline]
pub fn gcra(state: i64, quota: Quota, cost: u32, now: Timestamp) -> (i64, Decision) {
    let (after, charge) = charge(state, quota, cost, micros(now));
    (after, charge.decision(quota))
}

/// What [`gcra`] decides, in its own terms: quick to make while a lock is held, and told once it is given back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Charge {
    /// Afterwards, in microseconds.
    debt: i64,
    /// Microseconds that a refused call came too early; none are too many for a call that passes, and all that there are
    /// for one that never does.
    early: i64,
}

/// [`gcra`] at a time in microseconds.
#[inline]
pub(crate) fn charge(state: i64, quota: Quota, cost: u32, now: i64) -> (i64, Charge) {
    let capacity = quota.price(quota.burst);
    let debt_end = if state > now + capacity + STEP_BACK_MAX { now + capacity } else { state };
    let busy_until = debt_end.max(now);
    let debt = busy_until - now;
    let price = quota.price(cost.min(quota.burst));
    let free = capacity - debt; // below zero after a small step back
    if cost > quota.burst {
        (debt_end, Charge { debt, early: i64::MAX })
    } else if price > free {
        (debt_end, Charge { debt, early: price - free })
    } else {
        let after = if cost == 0 { debt_end } else { busy_until + price };
        (after, Charge { debt: debt + price, early: 0 })
    }
}

impl Charge {
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "no more than a burst is free")]
    pub(crate) fn decision(self, quota: Quota) -> Decision {
        let allowed = self.early == 0;
        let free = quota.price(quota.burst) - self.debt;
        Decision {
            allowed,
            code: if allowed { None } else { Some(Code::RateLimited) },
            limit: quota.limit,
            period: quota.period(),
            remaining: (free.max(0).unsigned_abs() / quota.interval) as u32,
            retry_after: if allowed || self.early == i64::MAX { None } else { Some(whole_millis(self.early)) },
            reset_after: whole_millis(self.debt),
        }
    }
}

/// Microseconds since 1970.
pub(crate) fn micros(time: Timestamp) -> i64 {
    time.as_unix_millis().clamp(-NOW_MILLIS_MAX, NOW_MILLIS_MAX) * 1000
}

/// A time span in microseconds, rounded up to what a [`Timestamp`] can tell apart.
pub(crate) fn whole_millis(micros: i64) -> Duration {
    Duration::from_micros(micros.max(0).unsigned_abs().next_multiple_of(1000))
}

/// Counters of many keys, here or on a machine that several processes share.
///
/// The arithmetic is [`gcra`]'s. A store keeps a state for each [name of a quota](Quota::name) and key, with the
/// [interval](Quota::interval) that it was left under, and forgets it when it likes once it lies in the past. Where a call
/// comes under another interval, [`Quota::carry`] says what the state is. [`quota_store`](crate::conformance::quota_store) and `vectors/quota.json` tell
/// whether a store decides as it must.
///
/// A store that fails refuses the call: the intake answers with the code of the error, 503 for most. Whoever prefers
/// to let calls pass uncounted meanwhile wraps the store:
///
/// ```
/// use liveops_core::Timestamp;
/// use liveops_core::error::StoreError;
/// use liveops_core::quota::{Decision, Quota, QuotaStore};
///
/// struct OpenWhenDown<S>(S);
///
/// impl<S: QuotaStore> QuotaStore for OpenWhenDown<S> {
///     fn check_all(
///         &self,
///         requests: &[(Quota, &str)],
///         cost: u32,
///         now: Timestamp,
///     ) -> Result<Decision, StoreError> {
///         self.0.check_all(requests, cost, now).or_else(|_| Ok(Decision::unlimited()))
///     }
/// }
/// ```
pub trait QuotaStore: Send + Sync {
    /// Charges one call to every quota and key given, or to none of them: one refusal refuses the call, and then it
    /// costs nothing anywhere. A key counts on its own under each name of a quota, whatever its numbers are; the same name
    /// and key given twice pays twice, one after the other.
    /// The decision is that of all requests by [`Decision::and`], in their order; without a request it is
    /// [`Decision::unlimited`].
    ///
    /// A refused call changes a state in two cases only: where it was carried over from other numbers, and where [`gcra`]
    /// returns a smaller one, after a clock was set back. Then it is what a call of cost 0 leaves, and that is kept.
    fn check_all(&self, requests: &[(Quota, &str)], cost: u32, now: Timestamp) -> Result<Decision, StoreError>;
}

fn micros_of<S: serde::Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(span.as_micros()).unwrap_or(u64::MAX))
}

fn millis<S: serde::Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(span.as_micros().div_ceil(1000)).unwrap_or(u64::MAX))
}

#[expect(clippy::ref_option, reason = "serde passes fields by reference")]
fn optional_millis<S: serde::Serializer>(span: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match span {
        Some(span) => millis(span, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
pub(crate) mod tests;
