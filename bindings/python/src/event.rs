//! Event bodies: strict JSON against the schema of their type.

use liveops_core::event::{IssueMode, Parser, Schemas, TimeLimits};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::json;

use crate::arguments::{Bytes, Int, instant};
use crate::errors::Fallible as _;
use crate::results::plain;
use crate::rules::Rules;

/// Reads bodies of events, under rules or, without, with the built-in types.
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

    /// The event that a body says, as JSON writes it. Raises `ValidationError` with every issue, at most 32.
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
