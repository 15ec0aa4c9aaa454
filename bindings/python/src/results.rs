//! The frozen classes of `liveops/results.py`, from the core's JSON or, where many come at once, from their fields.

use liveops_core::board::{Row, Score};
use liveops_core::error::Code;
use liveops_core::event::Issue;
use liveops_core::quota::Decision;
use liveops_core::window::Calendar;
use liveops_core::{Period, Timestamp};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyList, PyTuple};
use serde::Serialize;

use crate::errors::fail;

/// `None` for something endless: what has no beginning, or no end.
fn finite(time: Timestamp) -> Option<i64> {
    (time != Timestamp::MIN && time != Timestamp::MAX).then(|| time.as_unix_millis())
}

fn class<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    MODULE.get_or_try_init(py, || py.import("liveops.results").map(Bound::unbind))?.bind(py).getattr(name)
}

/// The JSON of a value. Nothing of ours fails to become JSON; if it did, it would be a fault of the store's bytes.
pub(crate) fn json<T: Serialize>(value: &T) -> PyResult<String> {
    serde_json::to_string(value).map_err(|_| Python::attach(|py| fail(py, Code::StoreCorrupt)))
}

/// An instance of a class, read from the JSON of a value.
pub(crate) fn load<'py, T: Serialize>(py: Python<'py>, name: &str, value: &T) -> PyResult<Bound<'py, PyAny>> {
    class(py, name)?.call_method1("from_json", (json(value)?,))
}

/// A list of them.
pub(crate) fn load_all<'py, T: Serialize>(py: Python<'py>, name: &str, values: &[T]) -> PyResult<Bound<'py, PyAny>> {
    class(py, name)?.call_method1("list_from_json", (json(&values)?,))
}

/// A value as plain dicts, lists, texts and numbers.
pub(crate) fn plain<'py, T: Serialize>(py: Python<'py>, value: &T) -> PyResult<Bound<'py, PyAny>> {
    static LOADS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    LOADS.import(py, "json", "loads")?.call1((json(value)?,))
}

pub(crate) fn rows<'py>(py: Python<'py>, rows: &[Row]) -> PyResult<Bound<'py, PyList>> {
    let class = class(py, "Row")?;
    let list = PyList::empty(py);
    for row in rows {
        let reached = row.reached_at.as_unix_millis();
        list.append(class.call1((row.rank, row.owner.as_str(), row.score, row.subscore, reached))?)?;
    }
    Ok(list)
}

pub(crate) fn score(py: Python<'_>, score: Score) -> PyResult<Bound<'_, PyAny>> {
    class(py, "Score")?.call1((score.score, score.subscore))
}

pub(crate) fn period<'py>(py: Python<'py>, calendar: &Calendar, period: Period) -> PyResult<Bound<'py, PyAny>> {
    let times = [calendar.start(period), calendar.end(period), calendar.closes_at(period)].map(finite);
    let [start, end, closes_at] = times;
    let label = calendar.label(period);
    class(py, "Period")?.call1((period.window.as_str(), period.index, label, start, end, closes_at))
}

pub(crate) fn issues<'py>(py: Python<'py>, issues: &[Issue]) -> PyResult<Bound<'py, PyTuple>> {
    let class = class(py, "Issue")?;
    let issues = issues
        .iter()
        .map(|issue| class.call1((issue.code.as_str(), issue.path.as_str(), issue.message.as_str(), issue.limit)));
    PyTuple::new(py, issues.collect::<PyResult<Vec<_>>>()?)
}

pub(crate) fn decision<'py>(
    py: Python<'py>,
    decision: &Decision,
    headers: &[(&'static str, String)],
) -> PyResult<Bound<'py, PyAny>> {
    let code = decision.code.map(Code::as_str);
    let millis = |span: std::time::Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let retry_after = decision.retry_after.map(millis);
    let headers = PyTuple::new(py, headers)?;
    class(py, "Decision")?.call1((
        decision.allowed,
        code,
        decision.limit,
        decision.remaining,
        retry_after,
        millis(decision.reset_after),
        headers,
    ))
}
