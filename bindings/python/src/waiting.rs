//! Outcomes for those who wait in an event loop.

use liveops_core::Batch;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyList;
use pyo3::{IntoPyObjectExt as _, intern};

use crate::outcome::{Outcome, Outcomes};

/// An `asyncio.Future`, and whether it is of one command.
pub(crate) struct Waiter {
    pub(crate) future: Py<PyAny>,
    pub(crate) one: bool,
}

/// Sets their results, each in its own loop. Where a loop is closed nobody waits any more. The interpreter is not at its end: engines finish
/// before (`liveops.engine`).
pub(crate) fn deliver(answers: Vec<(Waiter, Batch)>) {
    Python::try_attach(|py| {
        if let Err(error) = settle(py, answers) {
            error.write_unraisable(py, None);
        }
    });
}

pub(crate) fn settle(py: Python<'_>, answers: Vec<(Waiter, Batch)>) -> PyResult<()> {
    static SETTLE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let settle = SETTLE.import(py, "liveops.engine", "_settle")?;
    let mut loops: Vec<(Bound<'_, PyAny>, Bound<'_, PyList>)> = Vec::new();
    for (waiter, outcomes) in answers {
        let found = answer(py, waiter, outcomes).and_then(|(event_loop, pair)| {
            let known = loops.iter().find(|(known, _)| known.is(&event_loop)).map(|(_, list)| list.clone());
            let list = known.unwrap_or_else(|| {
                let list = PyList::empty(py);
                loops.push((event_loop, list.clone()));
                list
            });
            list.append(pair)
        });
        // The others get theirs.
        if let Err(error) = found {
            error.write_unraisable(py, None);
        }
    }
    for (event_loop, list) in loops {
        // A `RuntimeError` of a loop that is closed.
        _ = event_loop.call_method1(intern!(py, "call_soon_threadsafe"), (settle, list));
    }
    Ok(())
}

/// A future and its result.
type Settled<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>);

/// The loop of who waits; the future with its result.
fn answer(py: Python<'_>, waiter: Waiter, outcomes: Batch) -> PyResult<(Bound<'_, PyAny>, Settled<'_>)> {
    let future = waiter.future.into_bound(py);
    let event_loop = future.call_method0(intern!(py, "get_loop"))?;
    let only = if waiter.one { outcomes.get(0) } else { None };
    let answer = match only {
        Some(outcome) => Outcome::from(outcome).into_bound_py_any(py)?,
        None => Outcomes::from(outcomes).into_bound_py_any(py)?,
    };
    Ok((event_loop, (future, answer)))
}
