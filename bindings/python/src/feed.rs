//! Entries of the feed as Python sees them.

use liveops_bindings::{FeedCursor, entry_json};
use liveops_core::record::Run;
use liveops_core::store::{FeedEntry, Happened};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use crate::command::Command;
use crate::errors::Fallible as _;
use crate::results::{class, json};

/// A place in the feed, of a text.
pub(crate) fn cursor(py: Python<'_>, text: &str) -> PyResult<FeedCursor> {
    text.parse().or_raise(py)
}

/// A page, and the cursor behind it.
pub(crate) fn page<'py>(py: Python<'py>, from: FeedCursor, entries: &[FeedEntry]) -> PyResult<Bound<'py, PyAny>> {
    let place = entries.last().map_or(from.place, |entry| entry.cursor);
    let next = FeedCursor { place, ..from }.to_string();
    let wire: Vec<_> = entries.iter().map(|entry| entry_json(from.partition, entry)).collect();
    let runs = entries.iter().map(|entry| match &entry.what {
        Happened::Committed(changes) => changes.run.as_deref().map(|run| run_of(py, run)).transpose(),
        _ => Ok(None),
    });
    let runs = PyList::new(py, runs.collect::<PyResult<Vec<_>>>()?)?;
    class(py, "FeedEntry")?.call_method1("_page", (json(&wire)?, runs, next))
}

/// Rules, horizon, commands.
fn run_of<'py>(py: Python<'py>, run: &Run) -> PyResult<Bound<'py, PyTuple>> {
    let commands = run.commands.iter().cloned().map(|command| Bound::new(py, Command(command)));
    let commands = PyTuple::new(py, commands.collect::<PyResult<Vec<_>>>()?)?;
    let horizon = (run.horizon.now.as_unix_millis(), run.horizon.forgotten_before.as_unix_millis());
    (run.rules.to_hex(), horizon, commands).into_pyobject(py)
}
