//! A board of the engine, for reading.

use std::sync::Arc;

use liveops_bindings::Shared;
use liveops_core::engine::{Board as CoreBoard, Standings as CoreStandings};
use liveops_core::error::Code;
use liveops_core::limits::PAGE_LEN_MAX;
use liveops_core::store::FullStore;
use liveops_core::{Error, Period, PlayerId};
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict as _, PyDict, PyList};

use crate::archive::{Archive, Names};
use crate::arguments::{Int, Listed, One, cursor, instant, player, window};
use crate::choices;
use crate::errors::Fallible as _;
use crate::pages::{LONG_PAGE_LEN, RowIterator};
use crate::results::{self, period, rows};

type Core<'e> = CoreBoard<'e, Arc<dyn FullStore>>;
type CoreOf<'e> = CoreStandings<'e, Arc<dyn FullStore>>;

/// A board of the engine, for reading: `at` and `of` choose the period.
///
/// >>> import liveops
/// >>> rules = liveops.Rules.from_json('{"version": 1, "game": "g", "boards": {"xp": {"value": "grantedXp", '
/// ...                                 '"keepPeriods": {"weekly": 8}}}}')
/// >>> engine, now = liveops.Engine(rules), 1794052800000
/// >>> line = b'{"id":"e1","type":"progression","playerId":"ana","ts":1794052800,"payload":{"deltaXp":120}}'
/// >>> outcomes = engine.submit_ndjson(line, now_ms=now)
/// >>> board = engine.board("xp")
/// >>> board.at("weekly", now_ms=now).rank("ana"), len(board.at("weekly", 1, now_ms=now))
/// (1, 0)
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
        for (window, keep) in self.with(py, |board| Ok(board.rule().windows.clone()))? {
            windows.set_item(window.as_str(), keep)?;
        }
        Ok(windows)
    }

    /// `desc` or `asc`.
    #[getter]
    fn order(&self, py: Python<'_>) -> PyResult<&'static str> {
        self.with(py, |board| Ok(choices::order(board.rule().sort.order)))
    }

    /// `incr`, `best`, `set` or `decr`.
    #[getter]
    fn operator(&self, py: Python<'_>) -> PyResult<&'static str> {
        self.with(py, |board| Ok(choices::operator(board.rule().operator)))
    }

    /// `firstToReach`, `lastToReach` or `ownerId`.
    #[getter]
    fn ties(&self, py: Python<'_>) -> PyResult<&'static str> {
        self.with(py, |board| Ok(choices::ties(board.rule().sort.ties)))
    }

    /// `ordinal`, `competition` or `dense`.
    #[getter]
    fn ranking(&self, py: Python<'_>) -> PyResult<&'static str> {
        self.with(py, |board| Ok(choices::ranking(board.rule().ranking)))
    }

    /// The period of a window that is current, or one so many before it; by the clock unless the present is given.
    /// `NotFoundError`: `unknown_window` for a window that the board does not have, `unknown_period` between two seasons,
    /// `period_dropped` for one so many periods ago that is no longer kept.
    #[pyo3(
        signature = (window, periods_ago=Int(0), *, now_ms=None, now=None),
        text_signature = "($self, window, periods_ago=0, *, now_ms=None, now=None)"
    )]
    fn period<'py>(
        &self,
        py: Python<'py>,
        window: &str,
        periods_ago: Int<u32>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        detail(py, &self.engine, self.find(py, window, periods_ago, now_ms, now)?)
    }

    /// The board in the period of `period`, with the same arguments and the same errors.
    #[pyo3(
        signature = (window, periods_ago=Int(0), *, now_ms=None, now=None),
        text_signature = "($self, window, periods_ago=0, *, now_ms=None, now=None)"
    )]
    fn at(
        &self,
        py: Python<'_>,
        window: &str,
        periods_ago: Int<u32>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Standings> {
        let period = self.find(py, window, periods_ago, now_ms, now)?;
        Ok(Standings { engine: Arc::clone(&self.engine), name: self.name.clone(), period })
    }

    /// The board in a period; of one that is no longer kept every reading is `period_dropped`. `NotFoundError` with `unknown_window` for
    /// one of a window that the board does not have.
    fn of(&self, py: Python<'_>, period: One) -> PyResult<Standings> {
        let One(period) = period;
        self.with(py, |board| Ok(board.rule().keep(period.window).map(|_| ()).ok_or(Code::UnknownWindow)?))?;
        Ok(Standings { engine: Arc::clone(&self.engine), name: self.name.clone(), period })
    }

    /// The best `limit` of a window's current period, best first.
    #[pyo3(
        signature = (window, limit=Int(10), *, now_ms=None, now=None),
        text_signature = "($self, window, limit=10, *, now_ms=None, now=None)"
    )]
    fn top<'py>(
        &self,
        py: Python<'py>,
        window: &str,
        limit: Int<usize>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        self.at(py, window, Int(0), now_ms, now)?.top(py, limit)
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
        let now = instant(py, now_ms, now)?;
        self.with(py, |board| Ok(board.state(period.0, now)?.as_str()))
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
        let archived = py.detach(|| read(&self.engine, &self.name, |board| board.archive(period.0, now)));
        let (archive, names) = archived.or_raise(py)?;
        Ok((Archive(archive), names.into()))
    }

    /// `archive`, in a thread: for asyncio.
    #[pyo3(signature = (period, *, now_ms=None, now=None))]
    fn archive_async<'py>(
        slf: &Bound<'py, Self>,
        period: Bound<'py, PyAny>,
        now_ms: Option<Bound<'py, PyAny>>,
        now: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let keywords = [("now_ms", now_ms), ("now", now)].into_py_dict(py)?;
        let to_thread = py.import("asyncio")?.getattr("to_thread")?;
        to_thread.call((slf.getattr("archive")?, period), Some(&keywords))
    }

    fn __repr__(&self) -> String {
        format!("Board('{}')", self.name)
    }
}

impl Board {
    pub(crate) fn new(engine: Arc<Shared>, name: &str) -> Self {
        Self { engine, name: name.to_owned() }
    }

    /// Calls with the board under the rules of now.
    fn with<T>(&self, py: Python<'_>, call: impl FnOnce(&Core<'_>) -> Result<T, Error>) -> PyResult<T> {
        read(&self.engine, &self.name, call).or_raise(py)
    }

    fn find(
        &self,
        py: Python<'_>,
        name: &str,
        periods_ago: Int<u32>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Period> {
        let (window, now) = (window(py, name)?, instant(py, now_ms, now)?);
        self.with(py, |board| match periods_ago.0 {
            0 => board.period(window, now),
            periods => board.earlier(window, periods, now),
        })
    }
}

/// A board in one period, for reading; from `Board.at` and `Board.of`. One that nobody stands on is empty; one that is
/// no longer kept is `period_dropped`.
/// `len()` says how many stand on it; iterated over it gives everybody, best first, some hundred rows at a time: see `Leaderboard`
/// for what is seen when the board changes meanwhile.
#[pyclass(module = "liveops", frozen)]
pub(crate) struct Standings {
    engine: Arc<Shared>,
    name: String,
    period: Period,
}

#[pymethods]
impl Standings {
    /// The board's name.
    #[getter]
    fn board(&self) -> &str {
        &self.name
    }

    /// Which period.
    #[getter]
    fn period<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        detail(py, &self.engine, self.period)
    }

    /// The best `limit`, best first.
    #[pyo3(signature = (limit=Int(10)), text_signature = "($self, limit=10)")]
    fn top<'py>(&self, py: Python<'py>, limit: Int<usize>) -> PyResult<Bound<'py, PyList>> {
        self.page(py, Int(0), limit)
    }

    /// `offset..offset + limit`, best first; at most 100,000 rows.
    fn page<'py>(&self, py: Python<'py>, offset: Int<usize>, limit: Int<usize>) -> PyResult<Bound<'py, PyList>> {
        rows(py, &self.read(py, limit.0, |board| board.page(offset.0, limit.0))?)
    }

    /// The first `limit`, or those behind `Page.next` of the page before; at most 100,000 rows. `ArgumentError` with
    /// `cursor_invalid` for a cursor of another board or period.
    #[pyo3(signature = (cursor=None, limit=Int(100)), text_signature = "($self, cursor=None, limit=100)")]
    fn page_after<'py>(&self, py: Python<'py>, cursor: Option<&str>, limit: Int<usize>) -> PyResult<Bound<'py, PyAny>> {
        let cursor = self::cursor(py, cursor)?;
        results::page(py, &self.read(py, limit.0, |board| board.page_after(cursor.as_ref(), limit.0))?)
    }

    /// The player's rank from 1; None for one who is not shown.
    fn rank(&self, py: Python<'_>, player_id: &str) -> PyResult<Option<u64>> {
        let id = player(py, player_id)?;
        self.read(py, 1, |board| board.rank(&id))
    }

    /// The player's row, with up to `each_side` rows above and below.
    #[pyo3(signature = (player_id, each_side=Int(5)), text_signature = "($self, player_id, each_side=5)")]
    fn around<'py>(&self, py: Python<'py>, player_id: &str, each_side: Int<usize>) -> PyResult<Bound<'py, PyList>> {
        let id = player(py, player_id)?;
        rows(py, &self.read(py, each_side.0, |board| board.around(&id, each_side.0))?)
    }

    /// Rows of some players, best first, with their ranks on the whole board: friends, a guild.
    fn by_owners<'py>(&self, py: Python<'py>, player_ids: Listed<String>) -> PyResult<Bound<'py, PyList>> {
        let ids: Vec<PlayerId> = player_ids.0.iter().map(|id| player(py, id)).collect::<PyResult<_>>()?;
        rows(py, &self.read(py, ids.len(), |board| board.by_owners(&ids))?)
    }

    /// Those with a score from `least` through `most`, best first, without the first `offset` of them; at most 100,000
    /// rows.
    #[pyo3(
        signature = (least, most, offset=Int(0), limit=Int(PAGE_LEN_MAX)),
        text_signature = "($self, least, most, offset=0, limit=100000)"
    )]
    fn by_score_range<'py>(
        &self,
        py: Python<'py>,
        least: Int<i64>,
        most: Int<i64>,
        offset: Int<usize>,
        limit: Int<usize>,
    ) -> PyResult<Bound<'py, PyList>> {
        let scores = least.0..=most.0;
        rows(py, &self.read(py, limit.0, |board| board.by_score_range(scores, offset.0, limit.0))?)
    }

    /// How many are strictly better than a score.
    fn count_above(&self, py: Python<'_>, score: Int<i64>) -> PyResult<u64> {
        self.read(py, 1, |board| board.count_above(score.0))
    }

    /// How many of the others the player is strictly ahead of, in hundredths of a percent; see `Leaderboard.percentile`.
    fn percentile(&self, py: Python<'_>, player_id: &str) -> PyResult<Option<u32>> {
        let id = player(py, player_id)?;
        self.read(py, 1, |board| board.percentile(&id))
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        #[expect(clippy::redundant_closure_for_method_calls, reason = "the method is of one lifetime")]
        let len = self.read(py, 1, |board| board.len())?;
        Ok(usize::try_from(len).unwrap_or(usize::MAX))
    }

    fn __iter__(&self) -> RowIterator {
        let (engine, name, period) = (Arc::clone(&self.engine), self.name.clone(), self.period);
        RowIterator::new(move |cursor, limit| read(&engine, &name, |board| board.of(period).page_after(cursor, limit)))
    }

    fn __repr__(&self) -> String {
        format!("Standings('{}', {} {})", self.name, self.period.window.as_str(), self.period.index)
    }
}

impl Standings {
    /// Reads about so many rows; other threads of Python run meanwhile if they are many. Boards are in memory, whatever the store.
    fn read<T: Send>(
        &self,
        py: Python<'_>,
        rows: usize,
        call: impl FnOnce(&CoreOf<'_>) -> Result<T, Error> + Send,
    ) -> PyResult<T> {
        let read = || read(&self.engine, &self.name, |board| call(&board.of(self.period)));
        if rows > LONG_PAGE_LEN { py.detach(read) } else { read() }.or_raise(py)
    }
}

fn read<T>(engine: &Shared, name: &str, call: impl FnOnce(&Core<'_>) -> Result<T, Error>) -> Result<T, Error> {
    engine.with(|core| call(&core.board(name)?))?
}

fn detail<'py>(py: Python<'py>, engine: &Shared, found: Period) -> PyResult<Bound<'py, PyAny>> {
    let rules = engine.with(liveops_bindings::Core::rules).or_raise(py)?;
    period(py, rules.calendar(), found)
}
