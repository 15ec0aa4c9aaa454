//! A board of the engine, for reading.

use std::sync::Arc;

use liveops_core::engine::Board as Core;
use liveops_core::{MemoryStore, Period, PlayerId};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::arguments::{Int, instant, player, window};
use crate::engine::Shared;
use crate::errors::Fallible as _;
use crate::leaderboard::names;
use crate::results::{period, rows};

/// A board of the engine, for reading. Reads answer for the period that is current at the time given.
#[pyclass(module = "liveops", frozen)]
pub(crate) struct Board {
    engine: Arc<Shared>,
    name: String,
}

#[pymethods]
impl Board {
    /// Its name.
    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    /// Its windows, each with the number of closed periods that stay readable.
    #[getter]
    fn windows<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let windows = PyDict::new(py);
        for (window, keep) in &self.get(py)?.rule().windows {
            windows.set_item(window.as_str(), keep)?;
        }
        Ok(windows)
    }

    /// `desc` or `asc`.
    #[getter]
    fn order(&self, py: Python<'_>) -> PyResult<&'static str> {
        Ok(names::order(self.get(py)?.rule().sort.order))
    }

    /// `incr`, `best`, `set` or `decr`.
    #[getter]
    fn operator(&self, py: Python<'_>) -> PyResult<&'static str> {
        Ok(names::operator(self.get(py)?.rule().operator))
    }

    /// The period that is current, or one so many before it.
    #[pyo3(signature = (window, periods_ago=Int(0), *, now_ms=None, now=None))]
    fn period<'py>(
        &self,
        py: Python<'py>,
        window: &str,
        periods_ago: Int<u32>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let found = self.find(py, window, periods_ago.0, now_ms, now)?;
        period(py, self.engine.get(py)?.rules().calendar(), found)
    }

    /// The best `limit`, best first.
    #[pyo3(signature = (window, limit=Int(10), *, now_ms=None, now=None))]
    fn top<'py>(
        &self,
        py: Python<'py>,
        window: &str,
        limit: Int<usize>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        self.page(py, window, Int(0), limit, Int(0), now_ms, now)
    }

    /// `offset..offset + limit`, best first, of the current period or one so many before it; at most 100,000 rows.
    #[pyo3(signature = (window, offset, limit, periods_ago=Int(0), *, now_ms=None, now=None))]
    #[expect(clippy::too_many_arguments, reason = "most have defaults or are keywords")]
    fn page<'py>(
        &self,
        py: Python<'py>,
        window: &str,
        offset: Int<usize>,
        limit: Int<usize>,
        periods_ago: Int<u32>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let period = self.find(py, window, periods_ago.0, now_ms, now)?;
        rows(py, &self.get(py)?.page(period, offset.0, limit.0).or_raise(py)?)
    }

    /// The same of a period that is known, such as one that `Engine.closed_between` names. Empty once it is dropped.
    fn page_of<'py>(
        &self,
        py: Python<'py>,
        period: &Bound<'py, PyAny>,
        offset: Int<usize>,
        limit: Int<usize>,
    ) -> PyResult<Bound<'py, PyList>> {
        let window = window(py, period.getattr("window")?.extract()?)?;
        let Int(index) = period.getattr("index")?.extract::<Int<i64>>()?;
        rows(py, &self.get(py)?.page(Period { window, index }, offset.0, limit.0).or_raise(py)?)
    }

    /// The player's rank from 1; None for one who is not shown.
    #[pyo3(signature = (window, player_id, *, now_ms=None, now=None))]
    fn rank(
        &self,
        py: Python<'_>,
        window: &str,
        player_id: &str,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Option<u64>> {
        let window = self::window(py, window)?;
        self.get(py)?.rank(window, &player(py, player_id)?, instant(py, now_ms, now)?).or_raise(py)
    }

    /// The player's row, with up to `each_side` rows above and below.
    #[pyo3(signature = (window, player_id, each_side=Int(5), *, now_ms=None, now=None))]
    fn around<'py>(
        &self,
        py: Python<'py>,
        window: &str,
        player_id: &str,
        each_side: Int<usize>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let (window, id) = (self::window(py, window)?, player(py, player_id)?);
        rows(py, &self.get(py)?.around(window, &id, each_side.0, instant(py, now_ms, now)?).or_raise(py)?)
    }

    /// Rows of some players, best first, with their ranks on the whole board: friends, a guild.
    #[pyo3(signature = (window, player_ids, *, now_ms=None, now=None))]
    fn by_owners<'py>(
        &self,
        py: Python<'py>,
        window: &str,
        player_ids: Vec<String>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let window = self::window(py, window)?;
        let ids: Vec<PlayerId> = player_ids.iter().map(|id| player(py, id)).collect::<PyResult<_>>()?;
        rows(py, &self.get(py)?.by_owners(window, &ids, instant(py, now_ms, now)?).or_raise(py)?)
    }

    /// How many are strictly better than a score.
    #[pyo3(signature = (window, score, *, now_ms=None, now=None))]
    fn count_above(
        &self,
        py: Python<'_>,
        window: &str,
        score: Int<i64>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<u64> {
        let window = self::window(py, window)?;
        self.get(py)?.count_above(window, score.0, instant(py, now_ms, now)?).or_raise(py)
    }

    /// How many stand on the board.
    #[pyo3(signature = (window, *, now_ms=None, now=None))]
    fn len(
        &self,
        py: Python<'_>,
        window: &str,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<u64> {
        let window = self::window(py, window)?;
        self.get(py)?.len(window, instant(py, now_ms, now)?).or_raise(py)
    }

    fn __repr__(&self) -> String {
        format!("Board('{}')", self.name)
    }
}

impl Board {
    pub(crate) fn new(engine: Arc<Shared>, name: &str) -> Self {
        Self { engine, name: name.to_owned() }
    }

    /// The board under the rules of now.
    fn get(&self, py: Python<'_>) -> PyResult<Core<'_, MemoryStore>> {
        self.engine.get(py)?.board(&self.name).or_raise(py)
    }

    fn find(
        &self,
        py: Python<'_>,
        window: &str,
        periods_ago: u32,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Period> {
        let (window, now) = (self::window(py, window)?, instant(py, now_ms, now)?);
        match periods_ago {
            0 => self.get(py)?.period(window, now),
            periods => self.get(py)?.earlier(window, periods, now),
        }
        .or_raise(py)
    }
}
