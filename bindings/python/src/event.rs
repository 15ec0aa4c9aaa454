//! Event bodies: strict JSON against the schema of their type.

use liveops_core::error::Code;
use liveops_core::event::{self, Issue, IssueMode, LineError, Parser, Schemas, TimeLimits};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};
use serde::Serialize;
use serde_json::json;

use crate::arguments::{Bytes, Int, Listed, instant};
use crate::errors::{Fallible as _, argument};
use crate::results::{IssueParts, issue_parts, issues_of, line_errors, plain};
use crate::rules::Rules;

/// Reads bodies of events: strict JSON against the schema of their type. Without rules the types are the built-in ones,
/// `progression`, `boss_kill` and `drop_claimed`, up to 24 hours old. The `events` and `limits` of a rules document tighten and
/// extend them and define further types.
///
/// >>> lines = b'''{"type":"progression","playerId":"ana","ts":1794052800,"payload":{"deltaXp":120}}
/// ... {"type":"progression","playerId":"ana","ts":1794052800,"payload":{"deltaXp":-1}}'''
/// >>> report = EventParser().validate_batch(lines, now_ms=1794052800000)
/// >>> report.accepted, report.refused
/// (1, 1)
/// >>> print(report.errors[0])
/// line 2: out_of_range at /payload/deltaXp: at least 0
#[pyclass(module = "liveops", frozen)]
pub(crate) struct EventParser(Parser);

#[pymethods]
impl EventParser {
    /// `first_issue=True` stops at the first issue of a body.
    #[new]
    #[pyo3(signature = (rules=None, *, first_issue=false))]
    fn new(rules: Option<&Rules>, first_issue: bool) -> Self {
        let parser = match rules {
            Some(rules) => rules.0.door().parser(),
            None => Parser::new(Schemas::builtin(), TimeLimits::default()),
        };
        Self(parser.with_mode(if first_issue { IssueMode::First } else { IssueMode::All }))
    }

    /// The event that a body says, as JSON writes it; without `id` if the body has none. Raises `ValidationError` with every
    /// issue, at most 32.
    #[pyo3(signature = (body, *, now_ms=None, now=None))]
    fn parse<'py>(
        &self,
        py: Python<'py>,
        body: Bytes<'py>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let parsed = self.0.parse(body.as_slice(), instant(py, now_ms, now)?).or_raise(py)?;
        let mut event = json!({
            "type": parsed.kind,
            "playerId": parsed.player,
            "ts": parsed.ts.as_unix_seconds(),
            "payload": parsed.payload,
        });
        if let Some(id) = parsed.id {
            event["id"] = json!(id);
        }
        Ok(plain(py, &event)?.cast_into()?)
    }

    /// The same check without making an event. Raises `ValidationError`, or returns None.
    #[pyo3(signature = (body, *, now_ms=None, now=None))]
    fn validate(
        &self,
        py: Python<'_>,
        body: Bytes<'_>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        self.0.validate(body.as_slice(), instant(py, now_ms, now)?).or_raise(py)
    }

    /// Checks lines of JSON, one event each, without making events of them. Never raises for a line. Other threads of
    /// Python run meanwhile.
    #[pyo3(signature = (ndjson, *, now_ms=None, now=None))]
    fn validate_batch(
        &self,
        py: Python<'_>,
        ndjson: Bytes<'_>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<BatchReport> {
        let (bytes, now) = (ndjson.as_slice(), instant(py, now_ms, now)?);
        Ok(py.detach(|| self.0.validate_batch(bytes, now).into()))
    }
}

/// What `EventParser.validate_batch` found. Kept as the library made it: its `errors` become Python objects when they are first
/// looked at.
#[pyclass(module = "liveops", frozen, eq)]
#[derive(Serialize)]
pub(crate) struct BatchReport {
    accepted: usize,
    refused: usize,
    errors: Vec<Line>,
    #[serde(skip)]
    shown: PyOnceLock<Py<PyTuple>>,
}

/// A line that is no event.
#[derive(PartialEq, Serialize)]
pub(crate) struct Line {
    pub(crate) line: usize,
    pub(crate) issues: Vec<Issue>,
}

impl From<event::BatchReport> for BatchReport {
    fn from(report: event::BatchReport) -> Self {
        let line = |error: LineError| Line { line: error.line, issues: error.error.issues().to_vec() };
        let errors = report.errors.into_iter().map(line).collect();
        Self { accepted: report.accepted, refused: report.refused, errors, shown: PyOnceLock::new() }
    }
}

impl PartialEq for BatchReport {
    fn eq(&self, other: &Self) -> bool {
        (self.accepted, self.refused, &self.errors) == (other.accepted, other.refused, &other.errors)
    }
}

#[pymethods]
impl BatchReport {
    /// Lines that are events.
    #[getter]
    fn accepted(&self) -> usize {
        self.accepted
    }

    /// Lines that are not.
    #[getter]
    fn refused(&self) -> usize {
        self.refused
    }

    /// Of the first 1,000 lines that are not, where and why: `LineError` each.
    #[getter]
    fn errors<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let shown = self.shown.get_or_try_init(py, || line_errors(py, &self.errors).map(Bound::unbind))?;
        Ok(shown.bind(py).clone())
    }

    /// As JSON writes it.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        plain(py, self)
    }

    fn __repr__(&self) -> String {
        format!("BatchReport(accepted={}, refused={})", self.accepted, self.refused)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let errors: Vec<_> = self.errors.iter().map(|error| (error.line, issue_parts(&error.issues))).collect();
        let rebuild = py.get_type::<Self>().getattr("_rebuild")?;
        Ok((rebuild, (self.accepted, self.refused, errors).into_pyobject(py)?))
    }

    /// For pickle.
    #[staticmethod]
    fn _rebuild(
        py: Python<'_>,
        accepted: usize,
        refused: usize,
        errors: Listed<(usize, Listed<IssueParts>)>,
    ) -> PyResult<Self> {
        let line =
            |(line, issues): (usize, Listed<IssueParts>)| issues_of(issues.0).map(|issues| Line { line, issues });
        let errors = errors.0.into_iter().map(line).collect::<Option<_>>();
        let errors = errors.ok_or_else(|| argument(py, Code::InvalidArgument, "this is no pickled report"))?;
        Ok(Self { accepted, refused, errors, shown: PyOnceLock::new() })
    }
}

/// `EventParser().parse`: an event of the built-in types.
#[pyfunction]
#[pyo3(signature = (body, *, now_ms=None, now=None))]
pub(crate) fn validate<'py>(
    py: Python<'py>,
    body: Bytes<'py>,
    now_ms: Option<Int<i64>>,
    now: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    EventParser::new(None, false).parse(py, body, now_ms, now)
}
