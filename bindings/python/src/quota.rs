//! Rate limits.

use std::sync::Arc;
use std::time::Duration;

use liveops_core::error::Code;
use liveops_core::quota;
use liveops_core::shared::{self, WhenFull};
use parking_lot::Mutex;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{PyDelta, PyDict};

use crate::arguments::{Int, Listed, instant};
use crate::decision::Decision;
use crate::errors::argument;
use crate::process::Owned;

/// So many calls a period, and so many of them at once: all of them, unless `burst` says fewer or more.
///
/// The period is `period_seconds`, or as a timedelta `period`; without either it is one second. Beyond 35 years (2**50
/// microseconds) it counts as that, and a burst as what they pay off: a quota says what it came to.
///
/// Under its `name` limiters keep what each key used of it, so that it still counts when the numbers change; without one the
/// period is the name. A key under two quotas of one period needs their names.
///
/// >>> from datetime import timedelta
/// >>> quota = Quota(60, period_seconds=60, burst=10)
/// >>> quota.limit, quota.burst, quota.interval
/// (60, 10, datetime.timedelta(seconds=1))
/// >>> quota == Quota(60, period=timedelta(minutes=1), burst=10)
/// True
#[pyclass(module = "liveops", frozen, eq, hash)]
#[derive(Clone, PartialEq, Hash)]
pub(crate) struct Quota {
    core: quota::Quota,
    name: Option<String>,
}

#[pymethods]
impl Quota {
    #[new]
    #[pyo3(signature = (limit, *, period_seconds=None, period=None, burst=None, name=None))]
    fn new(
        py: Python<'_>,
        limit: Int<u32>,
        period_seconds: Option<Int<u32>>,
        period: Option<Span>,
        burst: Option<Int<u32>>,
        name: Option<String>,
    ) -> PyResult<Self> {
        let quota = quota::Quota::new(limit.0, span(py, "period", limit.0, period_seconds, period)?);
        let core = name.iter().fold(quota, |quota, name| quota.named(name));
        match burst {
            None => Ok(Self { core, name }),
            Some(Int(0)) => Err(argument(py, Code::OutOfRange, "a burst is at least 1")),
            Some(Int(burst)) => Ok(Self { core: core.burst(burst), name }),
        }
    }

    /// Under which limiters keep what was used; None if it is the period.
    #[getter]
    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The state of a key under these numbers, where `gcra` left it under others of that `interval`: as many calls as were
    /// owed are still owed, at most a burst. Keep this quota's interval with the state that comes out.
    ///
    /// >>> from datetime import timedelta
    /// >>> old, new = (Quota(limit, period=timedelta(days=1)) for limit in (1000, 10))
    /// >>> state, _ = gcra(None, old, 4, now_ms=0)
    /// >>> gcra(new.carry(state, old.interval, now_ms=0), new, 0, now_ms=0)[1].remaining
    /// 6
    #[pyo3(signature = (state, interval, *, now_ms=None, now=None))]
    fn carry(
        &self,
        py: Python<'_>,
        state: Int<i64>,
        interval: Span,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<i64> {
        Ok(self.core.carry(state.0, interval.0, instant(py, now_ms, now)?))
    }

    /// Calls a period.
    #[getter]
    fn limit(&self) -> u32 {
        self.core.limit()
    }

    /// What `limit` speaks of.
    #[getter]
    fn period(&self) -> Duration {
        self.core.period()
    }

    /// Calls at once.
    #[getter]
    fn burst(&self) -> u32 {
        self.core.max_burst()
    }

    /// Time between two calls at the steady rate, rounded up to whole microseconds.
    #[getter]
    fn interval(&self) -> Duration {
        self.core.interval()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let period = self.core.period().into_pyobject(py)?.repr()?;
        let name = match &self.name {
            Some(name) => format!(", name={}", name.into_pyobject(py)?.repr()?),
            None => String::new(),
        };
        Ok(format!("Quota({}, period={period}, burst={}{name})", self.core.limit(), self.core.max_burst()))
    }

    /// For pickle.
    fn __getnewargs_ex__<'py>(&self, py: Python<'py>) -> PyResult<((u32,), Bound<'py, PyDict>)> {
        let keywords = PyDict::new(py);
        keywords.set_item("period", self.core.period())?;
        keywords.set_item("burst", self.core.max_burst())?;
        keywords.set_item("name", self.name.as_deref())?;
        Ok(((self.core.limit(),), keywords))
    }
}

/// Decides on one call by GCRA, without keeping anything: the state before goes in, the state after comes out. Keep it where
/// you like, for each name of a quota and key apart, and with the quota's interval if that may change; it is an int that doubles hold exactly too, and once it lies in the past it may
/// be forgotten.
///
/// `state` is the time in microseconds since 1970 at which the key's debt is paid off; None for a key never seen before, which is
/// the same as -2**63. `cost`: how many calls this one counts for; 0 asks without paying.
///
/// >>> quota = Quota(60, period_seconds=60, burst=1)
/// >>> state, first = gcra(None, quota, now_ms=1_800_000_000_000)
/// >>> state, second = gcra(state, quota, now_ms=1_800_000_000_000)
/// >>> first.allowed, second.allowed, second.retry_after_millis
/// (True, False, 1000)
/// >>> gcra(state, quota, now_ms=1_800_000_001_000)[1].allowed
/// True
#[pyfunction]
#[pyo3(
    signature = (state, quota, cost=Int(1), *, now_ms=None, now=None),
    text_signature = "(state, quota, cost=1, *, now_ms=None, now=None)"
)]
pub(crate) fn gcra(
    py: Python<'_>,
    state: Option<Int<i64>>,
    quota: &Quota,
    cost: Int<u32>,
    now_ms: Option<Int<i64>>,
    now: Option<&Bound<'_, PyAny>>,
) -> PyResult<(i64, Decision)> {
    let before = state.map_or(i64::MIN, |Int(state)| state);
    let (after, decision) = quota::gcra(before, quota.core, cost.0, instant(py, now_ms, now)?);
    Ok((after, Decision(decision)))
}

/// One quota for many keys: `limit` calls a period, and `burst` of them at once. In place of a number `limit` may be a
/// `Quota`, which has its own period and burst.
///
/// `capacity` is for how many keys there is room; a key without debt makes room. `when_full`, for a new key when all have debts:
/// `refuse` or `admit`. A limiter belongs to the process that made it.
///
/// >>> limiter = RateLimiter(60, period_seconds=60, burst=10)
/// >>> limiter.check("player:ana", 10, now_ms=0).remaining
/// 0
/// >>> refused = limiter.check("player:ana", now_ms=0)
/// >>> refused.code, refused.retry_after_seconds
/// ('rate_limited', 1)
/// >>> limiter.check("player:bo", now_ms=0).allowed
/// True
#[pyclass(module = "liveops", frozen)]
pub(crate) struct RateLimiter(Owned<Arc<shared::RateLimiter>>);

#[pymethods]
impl RateLimiter {
    #[new]
    #[pyo3(
        signature = (limit, *, period_seconds=None, period=None, burst=None, capacity=Int(1_000_000),
                     when_full="refuse"),
        text_signature = "(limit, *, period_seconds=None, period=None, burst=None, capacity=1000000, \
                          when_full='refuse')"
    )]
    fn new(
        py: Python<'_>,
        limit: &Bound<'_, PyAny>,
        period_seconds: Option<Int<u32>>,
        period: Option<Span>,
        burst: Option<Int<u32>>,
        capacity: Int<usize>,
        when_full: &str,
    ) -> PyResult<Self> {
        let quota = quota_of(py, limit, period_seconds, period, burst)?;
        let core = shared::RateLimiter::new(quota).capacity(room(py, capacity)?).when_full(full(py, when_full)?);
        Ok(Self(Owned::new(Arc::new(core))))
    }

    /// Other numbers for the limiter's own quota from now on, given as to the constructor; its name stays. What each key has
    /// used still counts.
    ///
    /// >>> limiter = RateLimiter(1000, period_seconds=86_400)
    /// >>> limiter.check("player:ana", 1000, now_ms=0).allowed
    /// True
    /// >>> limiter.replace(10, period_seconds=86_400)
    /// >>> limiter.check("player:ana", now_ms=0).allowed
    /// False
    #[pyo3(signature = (limit, *, period_seconds=None, period=None, burst=None))]
    fn replace(
        &self,
        py: Python<'_>,
        limit: &Bound<'_, PyAny>,
        period_seconds: Option<Int<u32>>,
        period: Option<Span>,
        burst: Option<Int<u32>>,
    ) -> PyResult<()> {
        let quota = quota_of(py, limit, period_seconds, period, burst)?;
        self.get(py)?.replace(quota);
        Ok(())
    }

    /// Decides on a call that counts for `cost`. Refused calls cost nothing; a cost of 0 asks without paying.
    #[pyo3(
        signature = (key, cost=Int(1), *, now_ms=None, now=None),
        text_signature = "($self, key, cost=1, *, now_ms=None, now=None)"
    )]
    fn check(
        &self,
        py: Python<'_>,
        key: &str,
        cost: Int<u32>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Decision> {
        Ok(Decision(self.get(py)?.check(key, cost.0, instant(py, now_ms, now)?)))
    }

    /// Charges one call to every quota and key given, `(quota, key)` each, or to none of them: one refusal refuses the call,
    /// with the longest wait, and then it costs nothing anywhere. A key counts on its own under each name of a quota, whatever
    /// its numbers are by now. The limiter's own quota counts only if it is among them. Without any the call passes.
    #[pyo3(
        signature = (requests, cost=Int(1), *, now_ms=None, now=None),
        text_signature = "($self, requests, cost=1, *, now_ms=None, now=None)"
    )]
    fn check_all(
        &self,
        py: Python<'_>,
        requests: &Bound<'_, PyAny>,
        cost: Int<u32>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Decision> {
        let (core, now) = (self.get(py)?, instant(py, now_ms, now)?);
        let Listed(requests) = requests.extract::<Listed<(Py<Quota>, PyBackedStr)>>()?;
        let requests: Vec<_> = requests.iter().map(|(quota, key)| (quota.get().core, &**key)).collect();
        Ok(Decision(core.check_all(&requests, cost.0, now)))
    }

    /// Calls that passed without being counted, because there was no room and `when_full` is `admit`.
    #[getter]
    fn admitted_when_full(&self, py: Python<'_>) -> PyResult<u64> {
        Ok(self.get(py)?.admitted_when_full())
    }

    /// Keys in memory.
    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.get(py)?.len())
    }
}

impl RateLimiter {
    /// To be shared with an intake too.
    pub(crate) fn get(&self, py: Python<'_>) -> PyResult<&Arc<shared::RateLimiter>> {
        self.0.get(py)
    }
}

/// Never more than `limit` in any window, whenever it begins, for each of many keys: what a quota with bursts does not promise.
/// Remembers up to `limit` times of each key.
///
/// The window is `window_seconds`, or as a timedelta `window`, rounded up to whole milliseconds; without either it is one second,
/// and beyond 35 years it counts as that. `capacity` and `when_full` are as a `RateLimiter` has them. A limiter belongs to the process that made it.
///
/// >>> limiter = SlidingLimiter(2, window_seconds=60)
/// >>> tuple(limiter.check("player:ana", now_ms=at).allowed for at in (0, 30_000, 59_999, 60_000))
/// (True, True, False, True)
#[pyclass(module = "liveops", frozen)]
pub(crate) struct SlidingLimiter(Owned<shared::SlidingLimiter>);

#[pymethods]
impl SlidingLimiter {
    #[new]
    #[pyo3(
        signature = (limit, *, window_seconds=None, window=None, capacity=Int(1_000_000), when_full="refuse"),
        text_signature = "(limit, *, window_seconds=None, window=None, capacity=1000000, when_full='refuse')"
    )]
    fn new(
        py: Python<'_>,
        limit: Int<u32>,
        window_seconds: Option<Int<u32>>,
        window: Option<Span>,
        capacity: Int<usize>,
        when_full: &str,
    ) -> PyResult<Self> {
        let window = span(py, "window", limit.0, window_seconds, window)?;
        let core = shared::SlidingLimiter::new(limit.0, window).capacity(room(py, capacity)?);
        Ok(Self(Owned::new(core.when_full(full(py, when_full)?))))
    }

    /// Other numbers from now on. What passed still counts for each key; what had left the window of before is not known any
    /// more.
    #[pyo3(signature = (limit, *, window_seconds=None, window=None))]
    fn replace(
        &self,
        py: Python<'_>,
        limit: Int<u32>,
        window_seconds: Option<Int<u32>>,
        window: Option<Span>,
    ) -> PyResult<()> {
        let window = span(py, "window", limit.0, window_seconds, window)?;
        self.0.get(py)?.replace(limit.0, window);
        Ok(())
    }

    /// Decides on a call that counts for `cost`. Refused calls cost nothing; a cost of 0 asks without paying.
    #[pyo3(
        signature = (key, cost=Int(1), *, now_ms=None, now=None),
        text_signature = "($self, key, cost=1, *, now_ms=None, now=None)"
    )]
    fn check(
        &self,
        py: Python<'_>,
        key: &str,
        cost: Int<u32>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Decision> {
        Ok(Decision(self.0.get(py)?.check(key, cost.0, instant(py, now_ms, now)?)))
    }

    /// Calls that passed without being counted, because there was no room and `when_full` is `admit`.
    #[getter]
    fn admitted_when_full(&self, py: Python<'_>) -> PyResult<u64> {
        Ok(self.0.get(py)?.admitted_when_full())
    }

    /// Keys in memory.
    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.0.get(py)?.len())
    }
}

/// A `SlidingLimiter` of a single key: never more than `limit` in any window, whenever it begins.
///
/// >>> log = SlidingLog(2, window_seconds=60)
/// >>> tuple(log.check(now_ms=at).allowed for at in (0, 30_000, 59_999, 60_000))
/// (True, True, False, True)
#[pyclass(module = "liveops", frozen)]
pub(crate) struct SlidingLog(Owned<Mutex<quota::SlidingLog>>);

#[pymethods]
impl SlidingLog {
    #[new]
    #[pyo3(signature = (limit, *, window_seconds=None, window=None))]
    fn new(py: Python<'_>, limit: Int<u32>, window_seconds: Option<Int<u32>>, window: Option<Span>) -> PyResult<Self> {
        let window = span(py, "window", limit.0, window_seconds, window)?;
        Ok(Self(Owned::new(Mutex::new(quota::SlidingLog::new(limit.0, window)))))
    }

    /// Other numbers from now on. What passed still counts; what had left the window of before is not known any more.
    #[pyo3(signature = (limit, *, window_seconds=None, window=None))]
    fn replace(
        &self,
        py: Python<'_>,
        limit: Int<u32>,
        window_seconds: Option<Int<u32>>,
        window: Option<Span>,
    ) -> PyResult<()> {
        let window = span(py, "window", limit.0, window_seconds, window)?;
        self.0.get(py)?.lock().replace(limit.0, window);
        Ok(())
    }

    /// Decides on one call that counts for `cost`. Refused calls cost nothing; a cost of 0 asks without paying.
    #[pyo3(
        signature = (cost=Int(1), *, now_ms=None, now=None),
        text_signature = "($self, cost=1, *, now_ms=None, now=None)"
    )]
    fn check(
        &self,
        py: Python<'_>,
        cost: Int<u32>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Decision> {
        let (log, now) = (self.0.get(py)?, instant(py, now_ms, now)?);
        Ok(Decision(log.lock().check(cost.0, now)))
    }
}

/// A `Quota`, or what makes one.
fn quota_of(
    py: Python<'_>,
    limit: &Bound<'_, PyAny>,
    period_seconds: Option<Int<u32>>,
    period: Option<Span>,
    burst: Option<Int<u32>>,
) -> PyResult<quota::Quota> {
    match limit.cast::<Quota>() {
        Ok(quota) if period_seconds.is_none() && period.is_none() && burst.is_none() => Ok(quota.get().core),
        Ok(_) => Err(PyTypeError::new_err("a Quota has its own period and burst")),
        Err(_) => Ok(Quota::new(py, limit.extract()?, period_seconds, period, burst, None)?.core),
    }
}

/// A timedelta that is not negative.
struct Span(Duration);

impl<'py> FromPyObject<'_, 'py> for Span {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let Ok(delta) = value.cast::<PyDelta>() else {
            return Err(PyTypeError::new_err("a timedelta is meant; for seconds there is the argument that says so"));
        };
        let negative = || argument(value.py(), Code::OutOfRange, "a time span is not negative");
        delta.extract().map(Self).map_err(|_| negative())
    }
}

/// Seconds, a timedelta, or one second if there is neither. The core takes zero for the least; who writes it here is told.
fn span(py: Python<'_>, name: &str, limit: u32, seconds: Option<Int<u32>>, span: Option<Span>) -> PyResult<Duration> {
    let span = match (seconds, span) {
        (Some(_), Some(_)) => {
            return Err(PyTypeError::new_err(format!("give {name}_seconds or {name}, not both")));
        }
        (Some(Int(seconds)), None) => Duration::from_secs(seconds.into()),
        (None, Some(Span(span))) => span,
        (None, None) => Duration::from_secs(1),
    };
    if limit == 0 || span.is_zero() {
        let advice = format!("a limit is at least 1, and its {name} longer than nothing");
        return Err(argument(py, Code::OutOfRange, &advice));
    }
    Ok(span)
}

fn room(py: Python<'_>, capacity: Int<usize>) -> PyResult<usize> {
    if capacity.0 == 0 { Err(argument(py, Code::OutOfRange, "a capacity is at least 1")) } else { Ok(capacity.0) }
}

fn full(py: Python<'_>, when_full: &str) -> PyResult<WhenFull> {
    match when_full {
        "refuse" => Ok(WhenFull::Refuse),
        "admit" => Ok(WhenFull::Admit),
        _ => Err(argument(py, Code::InvalidArgument, "when_full is refuse or admit")),
    }
}
