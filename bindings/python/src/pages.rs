//! A board from the first row to the last, some hundred rows at a time.

use std::vec::IntoIter;

use liveops_core::Error;
use liveops_core::board::{Cursor, Page, Row};
use parking_lot::Mutex;
use pyo3::prelude::*;

use crate::errors::Fallible as _;
use crate::results::row;

/// Rows of one page: few enough that nobody waits long for the board, enough that the lock costs nothing.
const PAGE_LEN: usize = 512;

/// Pages longer than this are read with the interpreter's lock released.
pub(crate) const LONG_PAGE_LEN: usize = 1_000;

/// The next page behind a cursor. Runs without the interpreter's lock, and so takes none of Python's objects.
type NextPage = Box<dyn Fn(Option<&Cursor>, usize) -> Result<Page, Error> + Send + Sync>;

/// Walks over a board, best first.
#[pyclass(module = "liveops._native", frozen)]
pub(crate) struct RowIterator {
    page: NextPage,
    state: Mutex<State>,
}

struct State {
    rows: IntoIter<Row>,
    next: Next,
}

enum Next {
    First,
    Behind(Cursor),
    End,
}

impl RowIterator {
    pub(crate) fn new(page: impl Fn(Option<&Cursor>, usize) -> Result<Page, Error> + Send + Sync + 'static) -> Self {
        Self { page: Box::new(page), state: Mutex::new(State { rows: Vec::new().into_iter(), next: Next::First }) }
    }

    fn advance(&self) -> Result<Option<Row>, Error> {
        let mut state = self.state.lock();
        if state.rows.len() == 0 {
            let cursor = match &state.next {
                Next::First => None,
                Next::Behind(cursor) => Some(cursor),
                Next::End => return Ok(None),
            };
            let Page { rows, next } = (self.page)(cursor, PAGE_LEN)?;
            *state = State { rows: rows.into_iter(), next: next.map_or(Next::End, Next::Behind) };
        }
        Ok(state.rows.next())
    }
}

#[pymethods]
impl RowIterator {
    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let ready = self.state.try_lock().and_then(|mut state| state.rows.next());
        let next = match ready {
            Some(row) => Some(row),
            // Never both locks at once: another thread of Python may be waiting here.
            None => py.detach(|| self.advance()).or_raise(py)?,
        };
        next.map(|next| row(py, &next)).transpose()
    }
}
