//! Outcomes for those who wait in an event loop.

use liveops_core::Outcome as Core;
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

/// Sets their results, each in its own loop. Where the interpreter is at its end, or a loop is closed, nobody waits any more.
pub(crate) fn deliver(answers: Vec<(Waiter, Vec<Core>)>) {
    Python::try_attach(|py| {
        if let Err(error) = settle(py, answers) {
            error.write_unraisable(py, None);
        }
    });
}

fn settle(py: Python<'_>, answers: Vec<(Waiter, Vec<Core>)>) -> PyResult<()> {
    static SETTLE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let settle = SETTLE.import(py, "liveops.engine", "_settle")?;
    let mut loops: Vec<(Bound<'_, PyAny>, Bound<'_, PyList>)> = Vec::new();
    for (waiter, mut outcomes) in answers {
        let future = waiter.future.into_bound(py);
        let event_loop = future.call_method0(intern!(py, "get_loop"))?;
        let answer = match outcomes.pop() {
            Some(outcome) if waiter.one => Outcome::from(outcome).into_bound_py_any(py)?,
            last => {
                outcomes.extend(last);
                Outcomes::new(outcomes).into_bound_py_any(py)?
            }
        };
        let known = loops.iter().find(|(known, _)| known.is(&event_loop)).map(|(_, list)| list.clone());
        let list = known.unwrap_or_else(|| {
            let list = PyList::empty(py);
            loops.push((event_loop, list.clone()));
            list
        });
        list.append((future, answer))?;
    }
    for (event_loop, list) in loops {
        // A `RuntimeError` of a loop that is closed.
        _ = event_loop.call_method1(intern!(py, "call_soon_threadsafe"), (settle, list));
    }
    Ok(())
}
