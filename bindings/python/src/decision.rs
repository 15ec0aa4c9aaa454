//! What a rate limit answers.

use std::time::Duration;

use liveops_core::error::Code;
use liveops_core::quota::Decision as Core;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::argument;
use crate::results::plain;

/// Whether a call may pass, and what its sender should know. Times are whole milliseconds, rounded up, so a call exactly at
/// `retry_after_millis` passes. `a & b` is the answer to a call that needs both.
///
/// >>> decision = RateLimiter(60, period_seconds=60).check("player:ana", now_ms=0)
/// >>> decision
/// Decision(allowed=True, code=None, limit=60, remaining=59, retry_after_millis=None, reset_after_millis=1000)
/// >>> decision.policy_header("player"), decision.state_header("player")
/// ('"player";q=60;w=60', '"player";r=59;t=1')
#[pyclass(module = "liveops", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct Decision(pub(crate) Core);

#[pymethods]
impl Decision {
    /// For callers that no quota applies to: it has no headers.
    #[staticmethod]
    fn unlimited() -> Self {
        Self(Core::unlimited())
    }

    /// Whether the call may pass.
    #[getter]
    fn allowed(&self) -> bool {
        self.0.allowed
    }

    /// Why not: `rate_limited`, or `limiter_full` when there is no room for another key; None if allowed.
    #[getter]
    fn code(&self) -> Option<&'static str> {
        self.0.code.map(Code::as_str)
    }

    /// Calls a period.
    #[getter]
    fn limit(&self) -> u32 {
        self.0.limit
    }

    /// What `limit` speaks of; 0 for callers that no quota applies to.
    #[getter]
    fn period_millis(&self) -> u64 {
        millis(self.0.period)
    }

    /// Calls that could still pass now.
    #[getter]
    fn remaining(&self) -> u32 {
        self.0.remaining
    }

    /// When to call again; None if allowed, and None if it can never pass because it costs too much.
    #[getter]
    fn retry_after_millis(&self) -> Option<u64> {
        self.0.retry_after.map(millis)
    }

    /// The same in whole seconds, rounded up: `Retry-After`.
    #[getter]
    fn retry_after_seconds(&self) -> Option<u64> {
        self.0.retry_after_seconds()
    }

    /// `retry_after_seconds`, by the name that it has on a `Refusal`.
    #[getter]
    fn retry_after(&self) -> Option<u64> {
        self.0.retry_after_seconds()
    }

    /// When everything that was used will be free again.
    #[getter]
    fn reset_after_millis(&self) -> u64 {
        millis(self.0.reset_after)
    }

    /// The headers that tell a client where it stands: `RateLimit-Policy`, `RateLimit`, `X-RateLimit-Limit`,
    /// `X-RateLimit-Window` in seconds, `X-RateLimit-Remaining`, and `Retry-After` if waiting helps. `name` is the policy's.
    #[pyo3(signature = (name="default"))]
    fn headers<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyDict>> {
        let headers = PyDict::new(py);
        for (name, value) in self.0.headers(name) {
            headers.set_item(name, value)?;
        }
        Ok(headers)
    }

    /// The value of `RateLimit-Policy`: calls a period, and the period if it is whole seconds.
    #[pyo3(signature = (name="default"))]
    fn policy_header(&self, name: &str) -> String {
        self.0.policy_header(name)
    }

    /// The value of `RateLimit`: what remains, and the seconds until all is free again.
    #[pyo3(signature = (name="default"))]
    fn state_header(&self, name: &str) -> String {
        self.0.state_header(name)
    }

    /// As JSON writes it, with camelCase keys.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        plain(py, &self.0)
    }

    fn __and__(&self, other: &Self) -> Self {
        Self(self.0.and(other.0))
    }

    fn __repr__(&self) -> String {
        let code = self.code().map_or("None".to_owned(), |code| format!("'{code}'"));
        let retry_after = self.retry_after_millis().map_or("None".to_owned(), |millis| millis.to_string());
        format!(
            "Decision(allowed={}, code={code}, limit={}, remaining={}, retry_after_millis={retry_after}, reset_after_millis={})",
            if self.0.allowed { "True" } else { "False" },
            self.0.limit,
            self.0.remaining,
            self.reset_after_millis(),
        )
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Parts)> {
        let micros = |span: Duration| u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        let Core { limit, period, remaining, retry_after, reset_after, .. } = self.0;
        let parts = (self.code(), limit, micros(period), remaining, retry_after.map(micros), micros(reset_after));
        Ok((py.get_type::<Self>().getattr("_rebuild")?, parts))
    }

    /// For pickle. Spans are microseconds.
    #[staticmethod]
    fn _rebuild(
        py: Python<'_>,
        code: Option<&str>,
        limit: u32,
        period: u64,
        remaining: u32,
        retry_after: Option<u64>,
        reset_after: u64,
    ) -> PyResult<Self> {
        let broken = || argument(py, Code::InvalidArgument, "this is no pickled decision");
        let mut decision = Core::unlimited();
        decision.code = code.map(|code| Code::from_text(code).ok_or_else(broken)).transpose()?;
        decision.allowed = code.is_none();
        decision.limit = limit;
        decision.period = Duration::from_micros(period);
        decision.remaining = remaining;
        decision.retry_after = retry_after.map(Duration::from_micros);
        decision.reset_after = Duration::from_micros(reset_after);
        Ok(Self(decision))
    }
}

/// Code, limit, period, remaining, retry after, reset after.
type Parts = (Option<&'static str>, u32, u64, u32, Option<u64>, u64);

/// Rounded up, as the core's JSON does.
fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_micros().div_ceil(1000)).unwrap_or(u64::MAX)
}
