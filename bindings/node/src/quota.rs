//! Quotas: how often, for one key or many, here or in a state that the caller keeps.

use std::sync::Arc;
use std::time::Duration;

use liveops_core::shared::WhenFull;
use liveops_core::{Code, Timestamp};
use napi::bindgen_prelude::ClassInstance;
use napi_derive::napi;

use crate::rules::integer;

/// So many calls a period, and so many of them at once.
#[napi]
#[derive(Debug)]
pub struct Quota(liveops_core::quota::Quota);

#[napi]
impl Quota {
    /// A period in milliseconds; as many at once as in a period, unless said otherwise.
    #[napi(constructor)]
    pub fn new(limit: u32, period: i64, burst: Option<u32>) -> Self {
        let quota = liveops_core::quota::Quota::new(limit, millis(period));
        Self(burst.map_or(quota, |calls| quota.burst(calls)))
    }

    /// The same under a name.
    #[must_use]
    #[napi]
    pub fn named(&self, name: String) -> Self {
        Self(self.0.named(&name))
    }

    /// The state of a key under these numbers, where it was left under others.
    #[napi]
    pub fn carry(&self, state: i64, interval_micros: i64, now: i64) -> i64 {
        self.0.carry(state, Duration::from_micros(interval_micros.unsigned_abs()), at(now))
    }

    /// The period, rounded up.
    #[napi(getter)]
    pub fn period_millis(&self) -> i64 {
        whole_millis(self.0.period())
    }

    /// Calls at once.
    #[napi(getter)]
    pub fn burst(&self) -> u32 {
        self.0.max_burst()
    }

    /// Microseconds between two calls at the steady rate.
    #[napi(getter)]
    pub fn interval_micros(&self) -> i64 {
        i64::try_from(self.0.interval().as_micros()).unwrap_or(i64::MAX)
    }
}

/// Whether a call may pass. Goes back and forth, because the texts for HTTP are made when somebody asks for them.
#[napi(object, use_nullable = true)]
#[derive(Debug)]
pub struct Decision {
    /// Whether it may.
    pub allowed: bool,
    /// Why not.
    pub code: Option<String>,
    /// Calls a period.
    pub limit: u32,
    /// The period; 0 where no quota applies.
    pub period_millis: i64,
    /// Calls that could still pass.
    pub remaining: u32,
    /// When to call again, in whole seconds.
    pub retry_after: Option<i64>,
    /// The same in milliseconds.
    pub retry_after_millis: Option<i64>,
    /// When all is free again.
    pub reset_after_millis: i64,
}

impl From<liveops_core::quota::Decision> for Decision {
    fn from(decision: liveops_core::quota::Decision) -> Self {
        Self {
            allowed: decision.allowed,
            code: decision.code.map(|code| code.as_str().to_owned()),
            limit: decision.limit,
            period_millis: whole_millis(decision.period),
            remaining: decision.remaining,
            retry_after: decision.retry_after_seconds().map(integer),
            retry_after_millis: decision.retry_after.map(whole_millis),
            reset_after_millis: whole_millis(decision.reset_after),
        }
    }
}

/// Nothing is lost: all times of a decision are whole milliseconds, but for the longest period there is, 2^50 us, of
/// which no header tells more.
impl From<Decision> for liveops_core::quota::Decision {
    fn from(told: Decision) -> Self {
        let mut decision = Self::unlimited();
        decision.allowed = told.allowed;
        decision.code = told.code.as_deref().and_then(Code::from_text);
        decision.limit = told.limit;
        decision.period = millis(told.period_millis);
        decision.remaining = told.remaining;
        decision.retry_after = told.retry_after_millis.map(millis);
        decision.reset_after = millis(told.reset_after_millis);
        decision
    }
}

/// All headers that tell a client where it stands: pairs of name and value.
#[napi]
pub fn decision_headers(decision: Decision, name: String) -> Vec<Vec<String>> {
    let headers = liveops_core::quota::Decision::from(decision).headers(&name);
    headers.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect()
}

/// The value of `RateLimit-Policy`.
#[napi]
pub fn decision_policy_header(decision: Decision, name: String) -> String {
    liveops_core::quota::Decision::from(decision).policy_header(&name)
}

/// The value of `RateLimit`.
#[napi]
pub fn decision_state_header(decision: Decision, name: String) -> String {
    liveops_core::quota::Decision::from(decision).state_header(&name)
}

/// For callers that no quota applies to.
#[napi]
pub fn decision_unlimited() -> Decision {
    liveops_core::quota::Decision::unlimited().into()
}

/// The answer to a call that needs both.
#[napi]
pub fn decision_and(first: Decision, second: Decision) -> Decision {
    liveops_core::quota::Decision::from(first).and(second.into()).into()
}

/// What one call did to a key's state.
#[napi(object, object_from_js = false, use_nullable = true)]
#[derive(Debug)]
pub struct Step {
    /// In microseconds since 1970; none of a key that owes nothing yet.
    pub state: Option<i64>,
    /// On the call.
    pub decision: Decision,
}

/// Decides on one call: the state before goes in, the state after comes out.
#[napi]
pub fn gcra(state: Option<i64>, quota: &Quota, cost: u32, now: i64) -> Step {
    let (state, decision) = liveops_core::quota::gcra(state.unwrap_or(i64::MIN), quota.0, cost, at(now));
    Step { state: Some(state).filter(|state| *state != i64::MIN), decision: decision.into() }
}

/// One quota for many keys.
#[napi]
#[derive(Debug)]
pub struct RateLimiter(pub(crate) Arc<liveops_core::shared::RateLimiter>);

#[napi]
impl RateLimiter {
    /// With room for so many keys.
    #[napi(constructor)]
    pub fn new(quota: &Quota, capacity: Option<u32>, admit_when_full: bool) -> Self {
        let limiter = liveops_core::shared::RateLimiter::new(quota.0).when_full(when_full(admit_when_full));
        Self(Arc::new(match capacity {
            Some(keys) => limiter.capacity(keys as usize),
            None => limiter,
        }))
    }

    /// Decides on a call.
    #[napi]
    pub fn check(&self, key: String, cost: u32, now: i64) -> Decision {
        self.0.check(&key, cost, at(now)).into()
    }

    /// Other numbers for our own quota.
    #[napi]
    pub fn replace(&self, quota: &Quota) {
        self.0.replace(quota.0);
    }

    /// The same for several quotas, each with the key of the same place: all or none.
    #[napi]
    pub fn check_all(&self, quotas: Vec<ClassInstance<'_, Quota>>, keys: Vec<String>, cost: u32, now: i64) -> Decision {
        let requests: Vec<_> = quotas.iter().zip(&keys).map(|(quota, key)| (quota.0, key.as_str())).collect();
        self.0.check_all(&requests, cost, at(now)).into()
    }

    /// Keys in memory.
    #[napi(getter)]
    pub fn size(&self) -> i64 {
        integer(self.0.len() as u64)
    }

    /// Calls that passed without being counted.
    #[napi(getter)]
    pub fn admitted_when_full(&self) -> i64 {
        integer(self.0.admitted_when_full())
    }
}

/// Never more than N in any window, for many keys.
#[napi]
#[derive(Debug)]
pub struct SlidingLimiter(liveops_core::shared::SlidingLimiter);

#[napi]
impl SlidingLimiter {
    /// At most `limit` in any window of so many milliseconds, with room for so many keys.
    #[napi(constructor)]
    pub fn new(limit: u32, window: i64, capacity: Option<u32>, admit_when_full: bool) -> Self {
        let limiter = liveops_core::shared::SlidingLimiter::new(limit, millis(window));
        let limiter = limiter.when_full(when_full(admit_when_full));
        Self(match capacity {
            Some(keys) => limiter.capacity(keys as usize),
            None => limiter,
        })
    }

    /// Other numbers, a window in milliseconds.
    #[napi]
    pub fn replace(&self, limit: u32, window: i64) {
        self.0.replace(limit, millis(window));
    }

    /// Decides on a call.
    #[napi]
    pub fn check(&self, key: String, cost: u32, now: i64) -> Decision {
        self.0.check(&key, cost, at(now)).into()
    }

    /// Keys in memory.
    #[napi(getter)]
    pub fn size(&self) -> i64 {
        integer(self.0.len() as u64)
    }

    /// Calls that passed without being counted.
    #[napi(getter)]
    pub fn admitted_when_full(&self) -> i64 {
        integer(self.0.admitted_when_full())
    }
}

/// Never more than N in any window, for one key.
#[napi]
#[derive(Debug)]
pub struct SlidingLog(liveops_core::quota::SlidingLog);

#[napi]
impl SlidingLog {
    /// At most `limit` in any window of so many milliseconds.
    #[napi(constructor)]
    pub fn new(limit: u32, window: i64) -> Self {
        Self(liveops_core::quota::SlidingLog::new(limit, millis(window)))
    }

    /// Other numbers, a window in milliseconds.
    #[napi]
    pub fn replace(&mut self, limit: u32, window: i64) {
        self.0.replace(limit, millis(window));
    }

    /// Decides on a call.
    #[napi]
    pub fn check(&mut self, cost: u32, now: i64) -> Decision {
        self.0.check(cost, at(now)).into()
    }
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(millis)
}

const fn millis(span: i64) -> Duration {
    Duration::from_millis(span.unsigned_abs())
}

/// Rounded up.
fn whole_millis(span: Duration) -> i64 {
    i64::try_from(span.as_micros().div_ceil(1000)).unwrap_or(i64::MAX)
}

const fn when_full(admit: bool) -> WhenFull {
    if admit { WhenFull::Admit } else { WhenFull::Refuse }
}
