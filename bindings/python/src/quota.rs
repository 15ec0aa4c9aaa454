//! Rate limits.

use std::time::Duration;

use liveops_core::error::Code;
use liveops_core::quota::{self, Decision, Quota};
use liveops_core::shared::{self, WhenFull};
use parking_lot::Mutex;
use pyo3::prelude::*;

use crate::arguments::{Int, instant};
use crate::errors::{argument, fail};
use crate::results::decision;

/// The policy's name in headers.
const POLICY: &str = "default";

/// One quota for many keys: `limit` calls a period, and `burst` of them at once.
#[pyclass(module = "liveops", frozen)]
pub(crate) struct RateLimiter {
    core: shared::RateLimiter,
    process: u32,
}

#[pymethods]
impl RateLimiter {
    /// `burst` is `limit` if it is not given. `when_full`, for a new key when there is no room: `refuse` or `admit`.
    #[new]
    #[pyo3(signature = (limit, *, period_seconds=Int(1), burst=None, capacity=Int(1_000_000), when_full="refuse"))]
    fn new(
        py: Python<'_>,
        limit: Int<u32>,
        period_seconds: Int<u32>,
        burst: Option<Int<u32>>,
        capacity: Int<usize>,
        when_full: &str,
    ) -> PyResult<Self> {
        let when_full = match when_full {
            "refuse" => WhenFull::Refuse,
            "admit" => WhenFull::Admit,
            _ => return Err(argument(py, Code::InvalidArgument, "when_full is refuse or admit")),
        };
        let quota = Quota::new(limit.0, seconds(py, limit.0, period_seconds.0)?);
        let quota = burst.map_or(quota, |burst| quota.burst(burst.0));
        let core = shared::RateLimiter::new(quota).capacity(capacity.0).when_full(when_full);
        Ok(Self { core, process: std::process::id() })
    }

    /// Decides on a call that counts for `cost`. Refused calls cost nothing.
    #[pyo3(signature = (key, cost=Int(1), *, now_ms=None, now=None))]
    fn check<'py>(
        &self,
        py: Python<'py>,
        key: &str,
        cost: Int<u32>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if self.process != std::process::id() {
            return Err(fail(py, Code::Forked));
        }
        let found: Decision = self.core.check(key, cost.0, instant(py, now_ms, now)?);
        decision(py, &found, &found.headers(POLICY))
    }

    /// Keys in memory.
    fn __len__(&self) -> usize {
        self.core.len()
    }
}

/// Never more than `limit` in any window of so many seconds, whenever it begins.
#[pyclass(module = "liveops", frozen)]
pub(crate) struct SlidingLog(Mutex<quota::SlidingLog>);

#[pymethods]
impl SlidingLog {
    #[new]
    #[pyo3(signature = (limit, *, window_seconds=Int(1)))]
    fn new(py: Python<'_>, limit: Int<u32>, window_seconds: Int<u32>) -> PyResult<Self> {
        Ok(Self(Mutex::new(quota::SlidingLog::new(limit.0, seconds(py, limit.0, window_seconds.0)?))))
    }

    /// Decides on one call that counts for `cost`.
    #[pyo3(signature = (cost=Int(1), *, now_ms=None, now=None))]
    fn check<'py>(
        &self,
        py: Python<'py>,
        cost: Int<u32>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let now = instant(py, now_ms, now)?;
        let found = self.0.lock().check(cost.0, now);
        decision(py, &found, &found.headers(POLICY))
    }
}

/// The core takes zero for one; who writes it here is told.
fn seconds(py: Python<'_>, limit: u32, seconds: u32) -> PyResult<Duration> {
    if limit == 0 || seconds == 0 {
        return Err(argument(py, Code::InvalidArgument, "a limit and its seconds are at least 1"));
    }
    Ok(Duration::from_secs(seconds.into()))
}
