//! The frozen classes of `liveops/results.py`, from the core's JSON or, where many come at once, from their fields.

use liveops_core::board::{ArchivedRow, Award, Cursor, Heading, Page, Row, Score};
use liveops_core::error::Code;
use liveops_core::event::Issue;
use liveops_core::signing::Verified;
use liveops_core::window::Calendar;
use liveops_core::{EventId, Id, Period, PlayerId, Timestamp};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyList, PyTuple};
use serde::Serialize;

use crate::choices;
use crate::errors::fail;
use crate::event::Line;

/// `None` for something endless: what has no beginning, or no end.
fn finite(time: Timestamp) -> Option<i64> {
    (time != Timestamp::MIN && time != Timestamp::MAX).then(|| time.as_unix_millis())
}

pub(crate) fn class<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
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
    PyList::new(py, each_row(py, rows)?)
}

pub(crate) fn page<'py>(py: Python<'py>, page: &Page) -> PyResult<Bound<'py, PyAny>> {
    let rows = PyTuple::new(py, each_row(py, &page.rows)?)?;
    class(py, "Page")?.call1((rows, page.next.as_ref().map(Cursor::to_string)))
}

pub(crate) fn row<'py>(py: Python<'py>, row: &Row) -> PyResult<Bound<'py, PyAny>> {
    one_row(&class(py, "Row")?, row)
}

fn each_row<'py>(py: Python<'py>, rows: &[Row]) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let class = class(py, "Row")?;
    rows.iter().map(|row| one_row(&class, row)).collect()
}

fn one_row<'py>(class: &Bound<'py, PyAny>, row: &Row) -> PyResult<Bound<'py, PyAny>> {
    class.call1((row.rank, row.owner.as_str(), row.score, row.subscore, row.reached_at.as_unix_millis()))
}

pub(crate) fn awards<'py>(py: Python<'py>, awards: &[Award]) -> PyResult<Bound<'py, PyList>> {
    let class = class(py, "Award")?;
    let one = |award: &Award| {
        class.call1((award.owner.as_str(), award.rank, award.tier.as_str(), award.score, award.subscore))
    };
    PyList::new(py, awards.iter().map(one).collect::<PyResult<Vec<_>>>()?)
}

pub(crate) fn archived_rows<'py>(py: Python<'py>, rows: &[ArchivedRow]) -> PyResult<Bound<'py, PyList>> {
    let class = class(py, "ArchivedRow")?;
    let one = |row: &ArchivedRow| {
        class.call1((row.rank, row.score.score, row.score.subscore, row.reached_at.as_unix_millis()))
    };
    PyList::new(py, rows.iter().map(one).collect::<PyResult<Vec<_>>>()?)
}

pub(crate) fn heading<'py>(py: Python<'py>, heading: &Heading) -> PyResult<Bound<'py, PyAny>> {
    let Heading { board, period, label, start, end, closed_at, sort, ranking, .. } = heading;
    let [start, end, closed_at] = [*start, *end, *closed_at].map(finite);
    let period = class(py, "Period")?.call1((period.window.as_str(), period.index, &**label, start, end, closed_at))?;
    let (order, ties) = (choices::order(sort.order), choices::ties(sort.ties));
    class(py, "Heading")?.call1((board.as_str(), period, order, ties, choices::ranking(*ranking)))
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

pub(crate) fn verified<'py>(py: Python<'py>, verified: &Verified) -> PyResult<Bound<'py, PyAny>> {
    let (message, key) = (verified.message_id().map(EventId::as_str), verified.key_id().map(Id::as_str));
    class(py, "Verified")?.call1((message, key, verified.player().map(PlayerId::as_str)))
}

pub(crate) fn issues<'py>(py: Python<'py>, issues: &[Issue]) -> PyResult<Bound<'py, PyTuple>> {
    let class = class(py, "Issue")?;
    let issues = issues.iter().map(|issue| {
        class.call1((issue.code.as_str(), issue.path.as_str(), issue.message.as_str(), issue.limit, issue.offset))
    });
    PyTuple::new(py, issues.collect::<PyResult<Vec<_>>>()?)
}

pub(crate) fn line_errors<'py>(py: Python<'py>, lines: &[Line]) -> PyResult<Bound<'py, PyTuple>> {
    let class = class(py, "LineError")?;
    let errors = lines.iter().map(|error| class.call1((error.line, issues(py, &error.issues)?)));
    PyTuple::new(py, errors.collect::<PyResult<Vec<_>>>()?)
}

/// An issue for pickle: code, path, message, limit, offset.
pub(crate) type IssueParts = (String, String, String, Option<i64>, Option<u64>);

pub(crate) fn issue_parts(issues: &[Issue]) -> Vec<IssueParts> {
    let parts = |issue: &Issue| {
        let Issue { code, path, message, limit, offset } = issue.clone();
        (code.as_str().to_owned(), path, message, limit, offset)
    };
    issues.iter().map(parts).collect()
}

/// The issues again; `None` if a code is none.
pub(crate) fn issues_of(parts: Vec<IssueParts>) -> Option<Vec<Issue>> {
    let issue = |(code, path, message, limit, offset): IssueParts| {
        Some(Issue { code: Code::from_text(&code)?, path, message, limit, offset })
    };
    parts.into_iter().map(issue).collect()
}
