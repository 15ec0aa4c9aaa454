//! Parts of the shelf that need few words: quotas and detectors.

use std::sync::Arc;
use std::time::Duration;

use liveops_core::anomaly::{Ewma, Prior, Robust, Threshold, TimeFloor, Verdict, ZScore};
use liveops_core::quota::{Decision, Quota};
use liveops_core::shared::WhenFull;
use liveops_core::{Code, Timestamp};
use napi_derive::napi;
use serde_json::json;

use crate::failure::{OrThrow as _, Result, text};

/// One quota for many keys.
#[napi]
#[derive(Debug)]
pub struct RateLimiter(pub(crate) Arc<liveops_core::shared::RateLimiter>);

#[napi]
impl RateLimiter {
    /// So many calls a period in seconds, so many of them at once, room for so many keys.
    #[napi(constructor)]
    pub fn new(limit: u32, period: i64, burst: Option<u32>, capacity: Option<u32>, admit_when_full: bool) -> Self {
        let quota = Quota::new(limit, Duration::from_secs(period.unsigned_abs()));
        let quota = burst.map_or(quota, |calls| quota.burst(calls));
        let when_full = if admit_when_full { WhenFull::Admit } else { WhenFull::Refuse };
        let limiter = liveops_core::shared::RateLimiter::new(quota).when_full(when_full);
        Self(Arc::new(match capacity {
            Some(keys) => limiter.capacity(keys as usize),
            None => limiter,
        }))
    }

    /// Decides on a call, as JSON.
    #[napi]
    pub fn check(&self, key: String, cost: u32, now: i64) -> Result<String> {
        told(&self.0.check(&key, cost, Timestamp::from_unix_millis(now)))
    }

    /// Keys in memory.
    #[napi(getter)]
    pub fn size(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }
}

/// Never more than N in any window.
#[napi]
#[derive(Debug)]
pub struct SlidingLog(liveops_core::quota::SlidingLog);

#[napi]
impl SlidingLog {
    /// At most `limit` in any window of so many seconds.
    #[napi(constructor)]
    pub fn new(limit: u32, window: i64) -> Self {
        Self(liveops_core::quota::SlidingLog::new(limit, Duration::from_secs(window.unsigned_abs())))
    }

    /// Decides on a call, as JSON.
    #[napi]
    pub fn check(&mut self, cost: u32, now: i64) -> Result<String> {
        told(&self.0.check(cost, Timestamp::from_unix_millis(now)))
    }
}

fn told(decision: &Decision) -> Result<String> {
    let mut told = json!(decision);
    told["retryAfter"] = json!(decision.retry_after_seconds());
    told["headers"] = json!(decision.headers("default"));
    text(&told)
}

/// A detector with its baseline.
#[napi]
#[derive(Debug)]
pub struct Detector(Kind);

#[derive(Debug)]
enum Kind {
    ZScore(ZScore),
    Ewma(Ewma),
    Robust(Robust),
    TimeFloor(TimeFloor),
}

/// Calls the same method of whichever detector it is.
macro_rules! each {
    ($kind:expr, $detector:ident => $call:expr) => {
        match $kind {
            Kind::ZScore($detector) => $call,
            Kind::Ewma($detector) => $call,
            Kind::Robust($detector) => $call,
            Kind::TimeFloor($detector) => $call,
        }
    };
}

#[napi]
impl Detector {
    /// Distance from the mean.
    #[napi(factory)]
    pub fn z_score(threshold: f64) -> Result<Self> {
        Ok(Self(Kind::ZScore(ZScore::new(checked(threshold)?))))
    }

    /// Distance from recent values.
    #[napi(factory)]
    pub fn ewma(threshold: f64, span: u32) -> Result<Self> {
        Ok(Self(Kind::Ewma(Ewma::new(checked(threshold)?, span))))
    }

    /// How many times as large as usual; mean, deviation and weight of the prior.
    #[napi(factory)]
    pub fn robust(threshold: f64, prior: Option<Vec<f64>>) -> Result<Self> {
        let prior = match prior.as_deref() {
            None => Prior::DEFAULT,
            Some([mean, sd, weight]) => Prior::new(*mean, *sd, *weight).ok_or(Code::InvalidArgument).or_throw()?,
            Some(_) => return Err(Code::InvalidArgument).or_throw(),
        };
        Ok(Self(Kind::Robust(Robust::new(checked(threshold)?, prior))))
    }

    /// Shorter than possible.
    #[napi(factory)]
    pub fn time_floor(minimum_ms: u32) -> Self {
        Self(Kind::TimeFloor(TimeFloor { minimum_ms }))
    }

    /// Scores, then learns; the verdict as JSON.
    #[napi]
    pub fn observe(&mut self, value: f64) -> Result<String> {
        verdict(&each!(&mut self.0, detector => detector.observe(value)))
    }

    /// Scores; the verdict as JSON.
    #[napi]
    pub fn score(&self, value: f64) -> Result<String> {
        verdict(&each!(&self.0, detector => detector.score(value)))
    }

    /// Learns.
    #[napi]
    pub fn learn(&mut self, value: f64) {
        each!(&mut self.0, detector => detector.learn(value));
    }
}

fn checked(threshold: f64) -> Result<f64> {
    Threshold::new(threshold).map(Threshold::get).ok_or(Code::InvalidArgument).or_throw()
}

fn verdict(verdict: &Verdict) -> Result<String> {
    let mut told = json!(verdict);
    told["isAnomaly"] = verdict.is_anomaly().into();
    told["description"] = verdict.reason.describe().into();
    text(&told)
}
