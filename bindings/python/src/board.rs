//! A board of the engine, for reading.

use std::sync::Arc;

use liveops_core::engine::Board as Core;
use liveops_core::limits::PAGE_LEN_MAX;
use liveops_core::{Error, MemoryStore, Period, PlayerId};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::archive::{Archive, Names};
use crate::arguments::{Int, Listed, One, Stretch, cursor, instant, player};
use crate::choices;
use crate::engine::Shared;
use crate::errors::Fallible as _;
use crate::pages::{LONG_PAGE_LEN, RowIterator};
use crate::results::{self, period, rows};

/// A board of the engine, for reading.
///
/// What is read is named by its window, and how many periods ago, or by a `Period`. The period of a window is the one that
/// is current at `now_ms` or `now`, or else by the clock; `NotFoundError` with `unknown_window` for a window that the board
/// does not have, `unknown_period` between two seasons, and `period_dropped` for one so many periods ago that is no longer kept.
/// A `Period` that is no longer kept is empty.
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
        Ok(choices::order(self.get(py)?.rule().sort.order))
    }

    /// `incr`, `best`, `set` or `decr`.
    #[getter]
    fn operator(&self, py: Python<'_>) -> PyResult<&'static str> {
        Ok(choices::operator(self.get(py)?.rule().operator))
    }

    /// `firstToReach`, `lastToReach` or `ownerId`.
    #[getter]
    fn ties(&self, py: Python<'_>) -> PyResult<&'static str> {
        Ok(choices::ties(self.get(py)?.rule().sort.ties))
    }

    /// `ordinal`, `competition` or `dense`.
    #[getter]
    fn ranking(&self, py: Python<'_>) -> PyResult<&'static str> {
        Ok(choices::ranking(self.get(py)?.rule().ranking))
    }

    /// The period that is current, or one so many before it.
    #[pyo3(signature = (window, periods_ago=Int(0), *, now_ms=None, now=None))]
    fn period<'py>(
        &self,
        py: Python<'py>,
        window: Stretch,
        periods_ago: Int<u32>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let found = self.find(py, window, periods_ago, now_ms, now)?;
        period(py, self.engine.get(py)?.rules().calendar(), found)
    }

    /// The best `limit`, best first.
    #[pyo3(signature = (window, limit=Int(10), *, periods_ago=Int(0), now_ms=None, now=None))]
    fn top<'py>(
        &self,
        py: Python<'py>,
        window: Stretch,
        limit: Int<usize>,
        periods_ago: Int<u32>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        self.page(py, window, Int(0), limit, periods_ago, now_ms, now)
    }

    /// `offset..offset + limit`, best first; at most 100,000 rows.
    #[pyo3(signature = (window, offset, limit, periods_ago=Int(0), *, now_ms=None, now=None))]
    #[expect(clippy::too_many_arguments, reason = "most have defaults or are keywords")]
    fn page<'py>(
        &self,
        py: Python<'py>,
        window: Stretch,
        offset: Int<usize>,
        limit: Int<usize>,
        periods_ago: Int<u32>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let found = self.find(py, window, periods_ago, now_ms, now)?;
        rows(py, &self.read(py, limit.0, |board| board.of(found).page(offset.0, limit.0))?)
    }

    /// The first `limit`, or those behind `Page.next` of the page before; at most 100,000 rows. `ArgumentError` with
    /// `cursor_invalid` for a cursor of another board or period.
    #[pyo3(signature = (window, cursor=None, limit=Int(100), *, periods_ago=Int(0), now_ms=None, now=None))]
    #[expect(clippy::too_many_arguments, reason = "most have defaults or are keywords")]
    fn page_after<'py>(
        &self,
        py: Python<'py>,
        window: Stretch,
        cursor: Option<&str>,
        limit: Int<usize>,
        periods_ago: Int<u32>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let found = self.find(py, window, periods_ago, now_ms, now)?;
        let cursor = self::cursor(py, cursor)?;
        results::page(py, &self.read(py, limit.0, |board| board.of(found).page_after(cursor.as_ref(), limit.0))?)
    }

    /// Everybody, best first, some hundred rows at a time; see `Leaderboard` for what is seen when the board changes
    /// meanwhile. The period is the one of this call.
    #[pyo3(signature = (window, *, periods_ago=Int(0), now_ms=None, now=None))]
    fn rows<'py>(
        &self,
        py: Python<'py>,
        window: Stretch,
        periods_ago: Int<u32>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<RowIterator> {
        let found = self.find(py, window, periods_ago, now_ms, now)?;
        let (engine, name) = (Arc::clone(&self.engine), self.name.clone());
        Ok(RowIterator::new(move |cursor, limit| engine.core()?.board(&name)?.of(found).page_after(cursor, limit)))
    }

    /// The player's rank from 1; None for one who is not shown.
    #[pyo3(signature = (window, player_id, *, periods_ago=Int(0), now_ms=None, now=None))]
    fn rank<'py>(
        &self,
        py: Python<'py>,
        window: Stretch,
        player_id: &str,
        periods_ago: Int<u32>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Option<u64>> {
        let found = self.find(py, window, periods_ago, now_ms, now)?;
        self.get(py)?.of(found).rank(&player(py, player_id)?).or_raise(py)
    }

    /// The player's row, with up to `each_side` rows above and below.
    #[pyo3(signature = (window, player_id, each_side=Int(5), *, periods_ago=Int(0), now_ms=None, now=None))]
    #[expect(clippy::too_many_arguments, reason = "most have defaults or are keywords")]
    fn around<'py>(
        &self,
        py: Python<'py>,
        window: Stretch,
        player_id: &str,
        each_side: Int<usize>,
        periods_ago: Int<u32>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let (found, id) = (self.find(py, window, periods_ago, now_ms, now)?, player(py, player_id)?);
        rows(py, &self.read(py, each_side.0, |board| board.of(found).around(&id, each_side.0))?)
    }

    /// Rows of some players, best first, with their ranks on the whole board: friends, a guild.
    #[pyo3(signature = (window, player_ids, *, periods_ago=Int(0), now_ms=None, now=None))]
    fn by_owners<'py>(
        &self,
        py: Python<'py>,
        window: Stretch,
        player_ids: Listed<String>,
        periods_ago: Int<u32>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let found = self.find(py, window, periods_ago, now_ms, now)?;
        let ids: Vec<PlayerId> = player_ids.0.iter().map(|id| player(py, id)).collect::<PyResult<_>>()?;
        rows(py, &self.read(py, ids.len(), |board| board.of(found).by_owners(&ids))?)
    }

    /// Those with a score from `least` through `most`, best first, without the first `offset` of them; at most 100,000
    /// rows.
    #[pyo3(
        signature = (window, least, most, offset=Int(0), limit=Int(PAGE_LEN_MAX), *, periods_ago=Int(0), now_ms=None,
                     now=None),
        text_signature = "($self, window, least, most, offset=0, limit=100000, *, periods_ago=0, now_ms=None, now=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "most have defaults or are keywords")]
    fn by_score_range<'py>(
        &self,
        py: Python<'py>,
        window: Stretch,
        least: Int<i64>,
        most: Int<i64>,
        offset: Int<usize>,
        limit: Int<usize>,
        periods_ago: Int<u32>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let found = self.find(py, window, periods_ago, now_ms, now)?;
        let scores = least.0..=most.0;
        rows(py, &self.read(py, limit.0, |board| board.of(found).by_score_range(scores, offset.0, limit.0))?)
    }

    /// How many are strictly better than a score.
    #[pyo3(signature = (window, score, *, periods_ago=Int(0), now_ms=None, now=None))]
    fn count_above<'py>(
        &self,
        py: Python<'py>,
        window: Stretch,
        score: Int<i64>,
        periods_ago: Int<u32>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<u64> {
        let found = self.find(py, window, periods_ago, now_ms, now)?;
        self.get(py)?.of(found).count_above(score.0).or_raise(py)
    }

    /// How many of the others the player is strictly ahead of, in hundredths of a percent; see `Leaderboard.percentile`.
    #[pyo3(signature = (window, player_id, *, periods_ago=Int(0), now_ms=None, now=None))]
    fn percentile<'py>(
        &self,
        py: Python<'py>,
        window: Stretch,
        player_id: &str,
        periods_ago: Int<u32>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Option<u32>> {
        let found = self.find(py, window, periods_ago, now_ms, now)?;
        self.get(py)?.of(found).percentile(&player(py, player_id)?).or_raise(py)
    }

    /// How many stand on the board.
    #[pyo3(signature = (window, *, periods_ago=Int(0), now_ms=None, now=None))]
    fn len<'py>(
        &self,
        py: Python<'py>,
        window: Stretch,
        periods_ago: Int<u32>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<u64> {
        let found = self.find(py, window, periods_ago, now_ms, now)?;
        self.get(py)?.of(found).len().or_raise(py)
    }

    /// Where a period is in its life: "future", "open", "grace", "sealed" or "dropped".
    #[pyo3(signature = (period, *, now_ms=None, now=None))]
    fn state(
        &self,
        py: Python<'_>,
        period: One,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<&'static str> {
        Ok(self.get(py)?.state(period.0, instant(py, now_ms, now)?).or_raise(py)?.as_str())
    }

    /// Archives a finished period that is still kept: everyone who is shown now, and whose places they are. Store both,
    /// the names where `Names.forget` can reach them when a player is erased. See `Archive`.
    ///
    /// `NotFoundError`: `unknown_window`, `period_dropped` for a period that is no longer kept. `ArgumentError` with
    /// `period_open` until the engine was advanced past its closing.
    #[pyo3(signature = (period, *, now_ms=None, now=None))]
    fn archive(
        &self,
        py: Python<'_>,
        period: One,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<(Archive, Names)> {
        let now = instant(py, now_ms, now)?;
        let (archive, names) = self.read(py, usize::MAX, |board| board.archive(period.0, now))?;
        Ok((Archive(archive), names.into()))
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

    /// Reads about so many rows; other threads of Python run meanwhile if they are many.
    fn read<T: Send>(
        &self,
        py: Python<'_>,
        rows: usize,
        read: impl FnOnce(&Core<'_, MemoryStore>) -> Result<T, Error> + Send,
    ) -> PyResult<T> {
        let board = self.get(py)?;
        if rows > LONG_PAGE_LEN { py.detach(|| read(&board)) } else { read(&board) }.or_raise(py)
    }

    fn find(
        &self,
        py: Python<'_>,
        window: Stretch,
        periods_ago: Int<u32>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Period> {
        let (board, now) = (self.get(py)?, instant(py, now_ms, now)?);
        match (window, periods_ago.0) {
            (Stretch::Window(window), 0) => board.period(window, now),
            (Stretch::Window(window), periods) => board.earlier(window, periods, now),
            (Stretch::Period(period), periods) => {
                let earlier = Period { index: period.index.saturating_sub(periods.into()), ..period };
                // Only a window that the board does not have is refused.
                board.state(earlier, now).map(|_| earlier)
            }
        }
        .or_raise(py)
    }
}
