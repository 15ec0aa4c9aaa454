//! Leaderboards by calendar, without an engine. How locks are held stands in `leaderboard.rs`.

use std::sync::Arc;

use liveops_core::board::{Score, View, WindowedLeaderboard as Core};
use liveops_core::error::{Code, Error};
use liveops_core::limits::PAGE_LEN_MAX;
use liveops_core::window::Calendar as CoreCalendar;
use liveops_core::{BoardId, Period, Timestamp};
use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use crate::archive::{Archive, ArchiveView, Names};
use crate::arguments::{Bytes, Int, Listed, One, Stretch, When, cursor, instant, window};
use crate::batch::Batch;
use crate::calendar::{Calendar, Closings};
use crate::choices;
use crate::errors::{Fallible as _, in_batch};
use crate::leaderboard::{random_key, reading, room};
use crate::lock::{detached, with};
use crate::pages::RowIterator;
use crate::payout::TiersLike;
use crate::results::{self, period, rows, score};

/// One ranked set for each period of each window: today's, this week's, of all time. `windows` says how many closed
/// periods of each stay readable.
///
/// What is read is named by its window, and how many periods ago, or by a `Period`. Times are `now_ms` or `now`, or else
/// the clock's.
///
/// >>> board = WindowedLeaderboard({"daily": 2, "allTime": 0}, name="xp")
/// >>> day = 86_400_000
/// >>> board.submit("ana", 70, now_ms=0), board.submit("bo", 60, now_ms=0)
/// ([], [])
/// >>> board.submit("bo", 50, now_ms=day)
/// []
/// >>> " ".join(row.player_id for row in board.top("daily", periods_ago=1, now_ms=day))
/// 'ana bo'
/// >>> board.rank("allTime", "bo", now_ms=day), board.len("daily", now_ms=day)
/// (1, 1)
/// >>> gold = Tiers([{"tier": "gold", "ranks": [1, 1]}])
/// >>> board.payout(board.period("daily", now_ms=0), gold, now_ms=day)[0].player_id
/// 'ana'
#[pyclass(module = "liveops", frozen)]
pub(crate) struct WindowedLeaderboard {
    core: Arc<Mutex<Core>>,
    calendar: CoreCalendar,
}

impl WindowedLeaderboard {
    fn with<T: Send>(&self, py: Python<'_>, call: impl FnOnce(&mut Core) -> T + Send) -> T {
        with(py, &self.core, call)
    }

    /// Reads a period, of which about so many rows are wanted.
    fn read<T: Send>(
        &self,
        py: Python<'_>,
        of: At<'_, '_>,
        rows: usize,
        read: impl FnOnce(&View<'_>) -> Result<T, Error> + Send,
    ) -> PyResult<T> {
        let (of, now) = of.parse(py)?;
        let read = |board: &mut Core| read(&board.view_of(of.find(board, now)?, now)?);
        reading(py, &self.core, rows, read).or_raise(py)
    }
}

/// What is read, as it is asked for.
struct At<'a, 'py> {
    window: Stretch,
    periods_ago: Int<u32>,
    now_ms: Option<Int<i64>>,
    now: Option<&'a Bound<'py, PyAny>>,
}

#[derive(Clone, Copy)]
struct Of {
    window: Stretch,
    periods_ago: u32,
}

impl At<'_, '_> {
    fn parse(self, py: Python<'_>) -> PyResult<(Of, Timestamp)> {
        Ok((Of { window: self.window, periods_ago: self.periods_ago.0 }, instant(py, self.now_ms, self.now)?))
    }
}

impl Of {
    fn find(self, board: &Core, now: Timestamp) -> Result<Period, Error> {
        let latest = match self.window {
            Stretch::Window(window) => board.current(window, now)?,
            Stretch::Period(period) => period,
        };
        Ok(Period { index: latest.index.saturating_sub(self.periods_ago.into()), ..latest })
    }
}

/// What a board is made of.
struct Setup<'a, 'py> {
    windows: &'a Bound<'py, PyDict>,
    calendar: Option<&'a Calendar>,
    order: &'a str,
    operator: &'a str,
    ties: &'a str,
    ranking: &'a str,
    name: Option<&'a str>,
    capacity: Int<u32>,
}

impl Setup<'_, '_> {
    fn board(self, py: Python<'_>) -> PyResult<Core> {
        let calendar = self.calendar.map(|calendar| calendar.0.clone()).unwrap_or_default();
        let board = Core::new(choices::to_order(py, self.order)?, choices::to_operator(py, self.operator)?, calendar);
        let board = board.ties(choices::to_ties(py, self.ties)?).ranking(choices::to_ranking(py, self.ranking)?);
        let (board, capacity) = (board.hash_key(random_key(py)?), room(py, self.capacity)?);
        let mut board = py.detach(|| board.with_capacity(capacity));
        if let Some(name) = self.name {
            board = board.named(BoardId::new(name).or_raise(py)?);
        }
        for (name, keep) in self.windows {
            board = board.window(window(py, name.extract()?)?, keep.extract::<Int<u32>>()?.0);
        }
        Ok(board)
    }
}

impl From<Core> for WindowedLeaderboard {
    fn from(board: Core) -> Self {
        Self { calendar: board.calendar().clone(), core: Arc::new(Mutex::new(board)) }
    }
}

#[pymethods]
impl WindowedLeaderboard {
    #[new]
    #[pyo3(
        signature = (windows, *, calendar=None, order="desc", operator="incr", ties="firstToReach",
                     ranking="ordinal", name=None, capacity=Int(0)),
        text_signature = "(windows, *, calendar=None, order='desc', operator='incr', ties='firstToReach', \
                          ranking='ordinal', name=None, capacity=0)"
    )]
    #[expect(clippy::too_many_arguments, reason = "most are keywords with defaults")]
    fn new(
        py: Python<'_>,
        windows: &Bound<'_, PyDict>,
        calendar: Option<&Calendar>,
        order: &str,
        operator: &str,
        ties: &str,
        ranking: &str,
        name: Option<&str>,
        capacity: Int<u32>,
    ) -> PyResult<Self> {
        let setup = Setup { windows, calendar, order, operator, ties, ranking, name, capacity };
        Ok(setup.board(py)?.into())
    }

    /// A board made as the constructor makes it, with what a snapshot holds. Windows and calendar have to be those of the
    /// board that was saved, or periods would mean other times.
    ///
    /// `RulesError` with `board_incompatible` for the snapshot of a board that counts or sorts otherwise, has another name
    /// or other windows; those of `Leaderboard.restore`.
    #[staticmethod]
    #[pyo3(
        signature = (snapshot, windows, *, calendar=None, order="desc", operator="incr", ties="firstToReach",
                     ranking="ordinal", name=None, capacity=Int(0)),
        text_signature = "(snapshot, windows, *, calendar=None, order='desc', operator='incr', ties='firstToReach', \
                          ranking='ordinal', name=None, capacity=0)"
    )]
    #[expect(clippy::too_many_arguments, reason = "most are keywords with defaults")]
    fn restore(
        py: Python<'_>,
        snapshot: Bytes<'_>,
        windows: &Bound<'_, PyDict>,
        calendar: Option<&Calendar>,
        order: &str,
        operator: &str,
        ties: &str,
        ranking: &str,
        name: Option<&str>,
        capacity: Int<u32>,
    ) -> PyResult<Self> {
        let setup = Setup { windows, calendar, order, operator, ties, ranking, name, capacity };
        let (board, bytes) = (setup.board(py)?, snapshot.as_slice());
        py.detach(|| board.restored(bytes)).or_raise(py).map(Self::from)
    }

    /// Every period as bytes that depend on nothing else, with a checksum at the end. The calendar is not in them.
    fn snapshot<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &detached(py, &self.core, |board| board.snapshot()))
    }

    /// Its name; None if it has none.
    #[getter]
    fn name(&self, py: Python<'_>) -> Option<String> {
        self.with(py, |board| board.settings().name.as_ref().map(BoardId::to_string))
    }

    /// Its windows, each with the number of closed periods that stay readable.
    #[getter]
    fn windows<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let windows = PyDict::new(py);
        for (window, keep) in self.with(py, |board| board.windows().to_vec()) {
            windows.set_item(window.as_str(), keep)?;
        }
        Ok(windows)
    }

    /// Its calendar.
    #[getter]
    fn calendar(&self) -> Calendar {
        Calendar(self.calendar.clone())
    }

    /// How many owners have an entry in any kept period, or are hidden.
    #[getter]
    fn owners(&self, py: Python<'_>) -> usize {
        self.with(py, |board| board.owners())
    }

    /// Takes one value of time `ts` (now, if none is given) that came now, into every window or, on an error, into
    /// none. Returns the periods it was too late for.
    #[pyo3(
        signature = (owner, score, subscore=Int(0), *, ts=None, now_ms=None, now=None),
        text_signature = "($self, owner, score, subscore=0, *, ts=None, now_ms=None, now=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "most are keywords with defaults")]
    fn submit<'py>(
        &self,
        py: Python<'py>,
        owner: &str,
        score: Int<i64>,
        subscore: Int<i64>,
        ts: Option<When>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let now = instant(py, now_ms, now)?;
        let ts = ts.map_or(now, |When(ts)| ts);
        let score = Score { score: score.0, subscore: subscore.0 };
        let late = self.with(py, |board| board.submit(owner, score, ts, now)).or_raise(py)?;
        late.into_iter().map(|late| period(py, &self.calendar, late)).collect()
    }

    /// Takes many values of one time, each into every window, all of them or, on an error, none. Returns the periods they
    /// were too late for. Other threads of Python run meanwhile. Owners, scores and subscores are given as to
    /// `Leaderboard.submit_batch`.
    ///
    /// `BatchError` says by `index` which value was refused, and by `code` why.
    #[pyo3(signature = (owners, scores, subscores=None, *, ts=None, now_ms=None, now=None))]
    #[expect(clippy::too_many_arguments, reason = "most are keywords with defaults")]
    fn submit_batch<'py>(
        &self,
        py: Python<'py>,
        owners: &Bound<'py, PyAny>,
        scores: &Bound<'py, PyAny>,
        subscores: Option<&Bound<'py, PyAny>>,
        ts: Option<When>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let now = instant(py, now_ms, now)?;
        let ts = ts.map_or(now, |When(ts)| ts);
        let batch = Batch::new(py, owners, scores, subscores)?;
        let taken = detached(py, &self.core, |board| board.submit_batch(&batch.pairs(), ts, now));
        let late = taken.map_err(|error| in_batch(py, error.index, error.code()))?;
        late.into_iter().map(|late| period(py, &self.calendar, late)).collect()
    }

    /// Forgets periods that are dropped; to be called now and then.
    #[pyo3(signature = (*, now_ms=None, now=None))]
    fn advance(&self, py: Python<'_>, now_ms: Option<Int<i64>>, now: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let now = instant(py, now_ms, now)?;
        detached(py, &self.core, |board| board.advance(now));
        Ok(())
    }

    /// Takes an owner off every period, those to come included; entries stay and take submits. Whether anything changed.
    fn hide(&self, py: Python<'_>, owner: &str) -> bool {
        self.with(py, |board| board.hide(owner))
    }

    /// Shows an owner again, everywhere at the exact place of before; whether anything changed.
    fn unhide(&self, py: Python<'_>, owner: &str) -> bool {
        self.with(py, |board| board.unhide(owner))
    }

    /// Removes an owner from every period that is kept, and the name from archives; whether there was anything.
    fn remove(&self, py: Python<'_>, owner: &str) -> bool {
        self.with(py, |board| board.remove(owner))
    }

    /// The period that is current, or one so many before it.
    #[pyo3(
        signature = (window, periods_ago=Int(0), *, now_ms=None, now=None),
        text_signature = "($self, window, periods_ago=0, *, now_ms=None, now=None)"
    )]
    fn period<'py>(
        &self,
        py: Python<'py>,
        window: Stretch,
        periods_ago: Int<u32>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (of, now) = At { window, periods_ago, now_ms, now }.parse(py)?;
        period(py, &self.calendar, self.with(py, |board| of.find(board, now)).or_raise(py)?)
    }

    /// The best `limit`, best first.
    #[pyo3(
        signature = (window, limit=Int(10), *, periods_ago=Int(0), now_ms=None, now=None),
        text_signature = "($self, window, limit=10, *, periods_ago=0, now_ms=None, now=None)"
    )]
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

    /// `offset..offset + limit`, best first.
    #[pyo3(
        signature = (window, offset, limit, periods_ago=Int(0), *, now_ms=None, now=None),
        text_signature = "($self, window, offset, limit, periods_ago=0, *, now_ms=None, now=None)"
    )]
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
        let at = At { window, periods_ago, now_ms, now };
        rows(py, &self.read(py, at, limit.0, |view| Ok(view.page(offset.0, limit.0)))?)
    }

    /// The first `limit`, or those behind `Page.next` of the page before. `ArgumentError` with `cursor_invalid` for a cursor
    /// of another board or period.
    #[pyo3(
        signature = (window, cursor=None, limit=Int(100), *, periods_ago=Int(0), now_ms=None, now=None),
        text_signature = "($self, window, cursor=None, limit=100, *, periods_ago=0, now_ms=None, now=None)"
    )]
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
        let cursor = self::cursor(py, cursor)?;
        let at = At { window, periods_ago, now_ms, now };
        results::page(py, &self.read(py, at, limit.0, |view| view.page_after(cursor.as_ref(), limit.0))?)
    }

    /// Everybody, best first, some hundred rows at a time; see `Leaderboard` for what is seen when the board changes
    /// meanwhile. The period is the one of this call.
    #[pyo3(
        signature = (window, *, periods_ago=Int(0), now_ms=None, now=None),
        text_signature = "($self, window, *, periods_ago=0, now_ms=None, now=None)"
    )]
    fn rows(
        &self,
        py: Python<'_>,
        window: Stretch,
        periods_ago: Int<u32>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<RowIterator> {
        let (of, now) = At { window, periods_ago, now_ms, now }.parse(py)?;
        let find = |board: &mut Core| of.find(board, now).and_then(|found| board.view_of(found, now).map(|_| found));
        let (found, board) = (self.with(py, find).or_raise(py)?, Arc::clone(&self.core));
        Ok(RowIterator::new(move |cursor, limit| board.lock().view_of(found, now)?.page_after(cursor, limit)))
    }

    /// The owner's score, hidden or not; None without an entry.
    #[pyo3(
        signature = (window, owner, *, periods_ago=Int(0), now_ms=None, now=None),
        text_signature = "($self, window, owner, *, periods_ago=0, now_ms=None, now=None)"
    )]
    fn score<'py>(
        &self,
        py: Python<'py>,
        window: Stretch,
        owner: &str,
        periods_ago: Int<u32>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let found = self.read(py, At { window, periods_ago, now_ms, now }, 1, |view| Ok(view.score(owner)))?;
        found.map(|found| score(py, found)).transpose()
    }

    /// Rank from 1; None for one who is not shown.
    #[pyo3(
        signature = (window, owner, *, periods_ago=Int(0), now_ms=None, now=None),
        text_signature = "($self, window, owner, *, periods_ago=0, now_ms=None, now=None)"
    )]
    fn rank(
        &self,
        py: Python<'_>,
        window: Stretch,
        owner: &str,
        periods_ago: Int<u32>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Option<u64>> {
        self.read(py, At { window, periods_ago, now_ms, now }, 1, |view| Ok(view.rank(owner)))
    }

    /// The owner's row with up to `each_side` rows above and below.
    #[pyo3(
        signature = (window, owner, each_side=Int(5), *, periods_ago=Int(0), now_ms=None, now=None),
        text_signature = "($self, window, owner, each_side=5, *, periods_ago=0, now_ms=None, now=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "most have defaults or are keywords")]
    fn around<'py>(
        &self,
        py: Python<'py>,
        window: Stretch,
        owner: &str,
        each_side: Int<usize>,
        periods_ago: Int<u32>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let at = At { window, periods_ago, now_ms, now };
        rows(py, &self.read(py, at, each_side.0, |view| Ok(view.around(owner, each_side.0)))?)
    }

    /// Rows of some owners, best first, with their ranks on the whole board.
    #[pyo3(
        signature = (window, owners, *, periods_ago=Int(0), now_ms=None, now=None),
        text_signature = "($self, window, owners, *, periods_ago=0, now_ms=None, now=None)"
    )]
    fn by_owners<'py>(
        &self,
        py: Python<'py>,
        window: Stretch,
        owners: Listed<String>,
        periods_ago: Int<u32>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let at = At { window, periods_ago, now_ms, now };
        let owners = || owners.0.iter().map(String::as_str);
        rows(py, &self.read(py, at, owners().len(), |view| Ok(view.by_owners(owners())))?)
    }

    /// Those with a score from `least` through `most`, best first, without the first `offset` of them; 100,000 of them unless
    /// `limit` says otherwise.
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
        let at = At { window, periods_ago, now_ms, now };
        let read = |view: &View<'_>| Ok(view.by_score_range(least.0..=most.0, offset.0, limit.0));
        rows(py, &self.read(py, at, limit.0, read)?)
    }

    /// How many are strictly better than a score.
    #[pyo3(
        signature = (window, score, *, periods_ago=Int(0), now_ms=None, now=None),
        text_signature = "($self, window, score, *, periods_ago=0, now_ms=None, now=None)"
    )]
    fn count_above(
        &self,
        py: Python<'_>,
        window: Stretch,
        score: Int<i64>,
        periods_ago: Int<u32>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<u64> {
        self.read(py, At { window, periods_ago, now_ms, now }, 1, |view| Ok(view.count_above(score.0)))
    }

    /// How many of the others the owner is strictly ahead of, in hundredths of a percent; see `Leaderboard.percentile`.
    #[pyo3(
        signature = (window, owner, *, periods_ago=Int(0), now_ms=None, now=None),
        text_signature = "($self, window, owner, *, periods_ago=0, now_ms=None, now=None)"
    )]
    fn percentile(
        &self,
        py: Python<'_>,
        window: Stretch,
        owner: &str,
        periods_ago: Int<u32>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Option<u32>> {
        self.read(py, At { window, periods_ago, now_ms, now }, 1, |view| Ok(view.percentile(owner)))
    }

    /// How many are shown.
    #[pyo3(
        signature = (window, *, periods_ago=Int(0), now_ms=None, now=None),
        text_signature = "($self, window, *, periods_ago=0, now_ms=None, now=None)"
    )]
    fn len(
        &self,
        py: Python<'_>,
        window: Stretch,
        periods_ago: Int<u32>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<u64> {
        self.read(py, At { window, periods_ago, now_ms, now }, 1, |view| Ok(view.len()))
    }

    /// Where a period is in its life: "future", "open", "grace", "sealed", "archived" or "dropped".
    #[pyo3(signature = (period, *, now_ms=None, now=None))]
    fn state(
        &self,
        py: Python<'_>,
        period: One,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<&'static str> {
        let now = instant(py, now_ms, now)?;
        Ok(self.with(py, |board| board.state(period.0, now)).or_raise(py)?.as_str())
    }

    /// Periods that close in `after < t <= through`, once and in order, made as they are taken. Keep `through` and pass it
    /// as the next `after`.
    fn closed_between(&self, py: Python<'_>, after: When, through: When) -> Closings {
        let windows = self.with(py, |board| board.windows().iter().map(|(window, _)| *window).collect::<Vec<_>>());
        Closings::new(&self.calendar, self.calendar.closed_between(&windows, after.0, through.0))
    }

    /// Turns a sealed period into an archive: who is hidden now is not in it and never will be. Returns it and whose
    /// places are in it, to be stored elsewhere for good; the board keeps both too, until the period is dropped.
    /// Archiving again gives the same archive. The board needs a name.
    ///
    /// `ArgumentError` with `period_open` for a period that still takes events, `NotFoundError` for one that is no longer
    /// kept.
    #[pyo3(signature = (period, *, now_ms=None, now=None))]
    fn archive(
        &self,
        py: Python<'_>,
        period: One,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<(Archive, Names)> {
        let now = instant(py, now_ms, now)?;
        let archived = detached(py, &self.core, |board| {
            board.archive(period.0, now)?;
            let (archive, names) = board.archive_of(period.0).ok_or(Code::UnknownPeriod)?;
            Ok::<_, Error>((archive.clone(), names.clone()))
        });
        let (archive, names) = archived.or_raise(py)?;
        Ok((Archive(archive), names.into()))
    }

    /// An archived period, as it is now, without owners who are hidden now. `NotFoundError` for one that was not archived or
    /// is no longer kept.
    #[pyo3(signature = (period, *, now_ms=None, now=None))]
    fn archived(
        &self,
        py: Python<'_>,
        period: One,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<ArchiveView> {
        let now = instant(py, now_ms, now)?;
        let read = |board: &mut Core| {
            let view = board.archived(period.0, now)?;
            let (archive, names) = board.archive_of(period.0).ok_or(Code::UnknownPeriod)?;
            ArchiveView::of(&view, archive, names)
        };
        detached(py, &self.core, read).or_raise(py)
    }

    /// Who gets what for a sealed or archived period, best first. `ArgumentError` with `period_open` for a period that still
    /// takes events.
    #[pyo3(signature = (period, tiers, *, now_ms=None, now=None))]
    fn payout<'py>(
        &self,
        py: Python<'py>,
        period: One,
        tiers: TiersLike,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let now = instant(py, now_ms, now)?;
        let awards = detached(py, &self.core, |board| board.payout(period.0, &tiers.0, now));
        results::awards(py, &awards.or_raise(py)?)
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!("WindowedLeaderboard(owners={})", self.with(py, |board| board.owners()))
    }
}
