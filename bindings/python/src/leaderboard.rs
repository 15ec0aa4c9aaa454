//! A leaderboard alone, without an engine.

use std::sync::Arc;

use liveops_core::BoardId;
use liveops_core::board::{Archive as CoreArchive, Heading, Leaderboard as Core, Score, awards};
use liveops_core::error::Code;
use liveops_core::hash::Key;
use liveops_core::limits::{BOARD_CAPACITY_MAX, PAGE_LEN_MAX};
use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use crate::archive::{Archive, Names};
use crate::arguments::{Bytes, Int, Listed, One, When, cursor, instant};
use crate::batch::Batch;
use crate::calendar::Calendar;
use crate::choices;
use crate::errors::{Fallible as _, argument};
use crate::lock::{detached, with};
use crate::pages::{LONG_PAGE_LEN, RowIterator};
use crate::payout::TiersLike;
use crate::results::{self, rows, score};

/// One ranked set of owners. Scores lie within ±(2**53 - 1); beyond is `score_overflow` and changes nothing.
///
/// `capacity` takes memory for so many owners at once; a board grows without it too. `name` is how a cursor and a snapshot
/// know this board from others.
///
/// Iterating walks from the best to the last, some hundred rows at a time, without holding the board up. When it changes
/// meanwhile, whoever keeps their place is seen exactly once; whoever moves may be seen where they were, where they are,
/// at both places or at neither. A rank is that of the moment its row was read.
///
/// >>> laps = Leaderboard(order="asc", operator="best", name="laps")
/// >>> laps.submit_batch(("ana", "bo", "cy"), (61_200, 59_900, 60_000))
/// >>> laps.submit("ana", 63_000)  # not better: nobody moves
/// Score(score=61200, subscore=0)
/// >>> " ".join(row.player_id for row in laps)
/// 'bo cy ana'
/// >>> page = laps.page_after(None, 2)
/// >>> laps.page_after(page.next, 2).rows[0].player_id
/// 'ana'
/// >>> laps.hide("bo"), laps.rank("ana"), laps.percentile("cy")
/// (True, 2, 10000)
/// >>> Leaderboard.restore(laps.snapshot()).top() == laps.top()
/// True
#[pyclass(module = "liveops", frozen)]
pub(crate) struct Leaderboard(Arc<Mutex<Core>>);

/// A capacity that a board may have.
pub(crate) fn room(py: Python<'_>, capacity: Int<u32>) -> PyResult<usize> {
    let owners = usize::try_from(capacity.0).ok().filter(|owners| *owners <= BOARD_CAPACITY_MAX);
    let advice = || argument(py, Code::OutOfRange, &format!("a capacity is at most {BOARD_CAPACITY_MAX}"));
    owners.ok_or_else(advice)
}

/// Whichever of the two is right for so many rows.
pub(crate) fn reading<B: Send, T: Send>(
    py: Python<'_>,
    board: &Mutex<B>,
    rows: usize,
    call: impl FnOnce(&mut B) -> T + Send,
) -> T {
    if rows > LONG_PAGE_LEN { detached(py, board, call) } else { with(py, board, call) }
}

/// Owners may be chosen by strangers: they must not be able to make them collide.
pub(crate) fn random_key(py: Python<'_>) -> PyResult<Key> {
    py.import("os")?.call_method1("urandom", (16,))?.extract()
}

impl Leaderboard {
    fn with<T: Send>(&self, py: Python<'_>, call: impl FnOnce(&mut Core) -> T + Send) -> T {
        with(py, &self.0, call)
    }

    fn of(board: Core) -> Self {
        Self(Arc::new(Mutex::new(board)))
    }
}

#[pymethods]
impl Leaderboard {
    #[new]
    #[pyo3(
        signature = (*, order="desc", operator="incr", ties="firstToReach", ranking="ordinal", name=None,
                     capacity=Int(0)),
        text_signature = "(*, order='desc', operator='incr', ties='firstToReach', ranking='ordinal', name=None, \
                          capacity=0)"
    )]
    fn new(
        py: Python<'_>,
        order: &str,
        operator: &str,
        ties: &str,
        ranking: &str,
        name: Option<&str>,
        capacity: Int<u32>,
    ) -> PyResult<Self> {
        let board = Core::new(choices::to_order(py, order)?, choices::to_operator(py, operator)?);
        let board = board.ties(choices::to_ties(py, ties)?).ranking(choices::to_ranking(py, ranking)?);
        let board = match name {
            Some(name) => board.named(BoardId::new(name).or_raise(py)?),
            None => board,
        };
        let (board, capacity) = (board.hash_key(random_key(py)?), room(py, capacity)?);
        Ok(Self::of(py.detach(|| board.with_capacity(capacity))))
    }

    /// The board of a snapshot. `StoreError` for bytes that `snapshot` never makes, `ArgumentError` with `score_overflow`
    /// for scores beyond ±(2**53 - 1), which earlier versions took.
    #[staticmethod]
    fn restore(py: Python<'_>, snapshot: Bytes<'_>) -> PyResult<Self> {
        let (bytes, key) = (snapshot.as_slice(), random_key(py)?);
        py.detach(|| Core::restore_keyed(bytes, key)).or_raise(py).map(Self::of)
    }

    /// The whole board as bytes that depend on nothing else, with a checksum at the end.
    fn snapshot<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &detached(py, &self.0, |board| board.snapshot()))
    }

    /// Its name; None if it has none.
    #[getter]
    fn name(&self, py: Python<'_>) -> Option<String> {
        self.with(py, |board| board.settings().name.as_ref().map(BoardId::to_string))
    }

    /// `desc` or `asc`.
    #[getter]
    fn order(&self, py: Python<'_>) -> &'static str {
        choices::order(self.with(py, |board| board.settings().sort.order))
    }

    /// `incr`, `best`, `set` or `decr`.
    #[getter]
    fn operator(&self, py: Python<'_>) -> &'static str {
        choices::operator(self.with(py, |board| board.settings().operator))
    }

    /// `firstToReach`, `lastToReach` or `ownerId`.
    #[getter]
    fn ties(&self, py: Python<'_>) -> &'static str {
        choices::ties(self.with(py, |board| board.settings().sort.ties))
    }

    /// `ordinal`, `competition` or `dense`.
    #[getter]
    fn ranking(&self, py: Python<'_>) -> &'static str {
        choices::ranking(self.with(py, |board| board.settings().ranking))
    }

    /// Takes one value and returns the owner's score. Submits without a time are ordered by their number.
    #[pyo3(
        signature = (owner, score, subscore=Int(0), *, at=None),
        text_signature = "($self, owner, score, subscore=0, *, at=None)"
    )]
    fn submit<'py>(
        &self,
        py: Python<'py>,
        owner: &str,
        score: Int<i64>,
        subscore: Int<i64>,
        at: Option<When>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let value = Score { score: score.0, subscore: subscore.0 };
        let at = at.map(|When(at)| at);
        let standing = self.with(py, |board| match at {
            Some(at) => board.submit_at(owner, value, at),
            None => board.submit(owner, value),
        });
        let entry = standing.or_raise(py)?;
        self::score(py, Score { score: entry.score, subscore: entry.subscore })
    }

    /// Takes many values, or none of them: `BatchError` says by `index` which one was refused, and by `code` why. Other
    /// threads of Python run meanwhile.
    ///
    /// `owners` is a list of str, or bytes with a newline between two owners; `scores` and `subscores` are lists of int, or
    /// memory of signed 64-bit integers such as `array('q')` and numpy's int64, which costs no object for each value.
    #[pyo3(signature = (owners, scores, subscores=None))]
    fn submit_batch(
        &self,
        py: Python<'_>,
        owners: &Bound<'_, PyAny>,
        scores: &Bound<'_, PyAny>,
        subscores: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let batch = Batch::new(py, owners, scores, subscores)?;
        detached(py, &self.0, |board| board.submit_batch(&batch.pairs())).or_raise(py)
    }

    /// The owner's score, hidden or not; None without an entry.
    fn score<'py>(&self, py: Python<'py>, owner: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.with(py, |board| board.score(owner)).map(|found| score(py, found)).transpose()
    }

    /// Rank from 1; None for one who is not shown.
    fn rank(&self, py: Python<'_>, owner: &str) -> Option<u64> {
        self.with(py, |board| board.rank(owner))
    }

    /// The best `limit`, best first.
    #[pyo3(
        signature = (limit=Int(10)),
        text_signature = "($self, limit=10)"
    )]
    fn top<'py>(&self, py: Python<'py>, limit: Int<usize>) -> PyResult<Bound<'py, PyList>> {
        self.page(py, Int(0), limit)
    }

    /// `offset..offset + limit`, best first.
    fn page<'py>(&self, py: Python<'py>, offset: Int<usize>, limit: Int<usize>) -> PyResult<Bound<'py, PyList>> {
        rows(py, &reading(py, &self.0, limit.0, |board| board.page(offset.0, limit.0)))
    }

    /// The first `limit`, or those behind `Page.next` of the page before. `ArgumentError` with `cursor_invalid` for a cursor
    /// of another board.
    #[pyo3(
        signature = (cursor=None, limit=Int(100)),
        text_signature = "($self, cursor=None, limit=100)"
    )]
    fn page_after<'py>(&self, py: Python<'py>, cursor: Option<&str>, limit: Int<usize>) -> PyResult<Bound<'py, PyAny>> {
        let cursor = self::cursor(py, cursor)?;
        let page = reading(py, &self.0, limit.0, |board| board.page_after(cursor.as_ref(), limit.0));
        results::page(py, &page.or_raise(py)?)
    }

    /// The owner's row with up to `each_side` rows above and below.
    #[pyo3(
        signature = (owner, each_side=Int(5)),
        text_signature = "($self, owner, each_side=5)"
    )]
    fn around<'py>(&self, py: Python<'py>, owner: &str, each_side: Int<usize>) -> PyResult<Bound<'py, PyList>> {
        rows(py, &reading(py, &self.0, each_side.0, |board| board.around_owner(owner, each_side.0)))
    }

    /// Rows of some owners, best first, with their ranks on the whole board.
    fn by_owners<'py>(&self, py: Python<'py>, owners: Listed<String>) -> PyResult<Bound<'py, PyList>> {
        let owners = || owners.0.iter().map(String::as_str);
        rows(py, &reading(py, &self.0, owners().len(), |board| board.by_owners(owners())))
    }

    /// Those with a score from `least` through `most`, best first, without the first `offset` of them; 100,000 of them unless
    /// `limit` says otherwise.
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
        let found = reading(py, &self.0, limit.0, |board| board.by_score_range(least.0..=most.0, offset.0, limit.0));
        rows(py, &found)
    }

    /// How many are strictly better than a score.
    fn count_above(&self, py: Python<'_>, score: Int<i64>) -> u64 {
        self.with(py, |board| board.count_above(score.0))
    }

    /// How many of the others the owner is strictly ahead of, in hundredths of a percent, rounded down: 10000 is all of
    /// them, and so is being alone. None for one who is not shown.
    fn percentile(&self, py: Python<'_>, owner: &str) -> Option<u32> {
        self.with(py, |board| board.percentile(owner))
    }

    /// Who of the whole board gets what, best first.
    fn awards<'py>(&self, py: Python<'py>, tiers: TiersLike) -> PyResult<Bound<'py, PyList>> {
        let all = detached(py, &self.0, |board| board.page(0, usize::MAX));
        results::awards(py, &py.detach(|| awards(&all, &tiers.0)))
    }

    /// Archives the whole board as that of a period that is over, for callers who start a new board for each; needs a
    /// name. The board stays as it is. Without a calendar days are those of UTC.
    #[pyo3(signature = (period, *, calendar=None, now_ms=None, now=None))]
    fn archive(
        &self,
        py: Python<'_>,
        period: One,
        calendar: Option<&Calendar>,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<(Archive, Names)> {
        let now = instant(py, now_ms, now)?;
        let calendar = calendar.map(|calendar| calendar.0.clone()).unwrap_or_default();
        let archived = detached(py, &self.0, |board| {
            let settings = board.settings();
            let name = settings.name.clone().ok_or(Code::InvalidArgument)?;
            let heading = Heading::new(name, period.0, &calendar, settings.sort, settings.ranking, now)?;
            CoreArchive::new(heading, &board.page(0, usize::MAX))
        });
        let (archive, names) = archived.or_raise(py)?;
        Ok((Archive(archive), names.into()))
    }

    /// Takes an owner off the board without forgetting the entry; whether anything changed.
    fn hide(&self, py: Python<'_>, owner: &str) -> bool {
        self.with(py, |board| board.hide(owner))
    }

    /// Shows an owner again, at the exact place of before; whether anything changed.
    fn unhide(&self, py: Python<'_>, owner: &str) -> bool {
        self.with(py, |board| board.unhide(owner))
    }

    /// Removes an owner; whether there was an entry.
    fn remove(&self, py: Python<'_>, owner: &str) -> bool {
        self.with(py, |board| board.remove(owner))
    }

    fn __len__(&self, py: Python<'_>) -> usize {
        usize::try_from(self.with(py, |board| board.len())).unwrap_or(usize::MAX)
    }

    /// Whether the owner is shown.
    fn __contains__(&self, py: Python<'_>, owner: &str) -> bool {
        self.with(py, |board| board.rank(owner)).is_some()
    }

    fn __iter__(&self) -> RowIterator {
        let board = Arc::clone(&self.0);
        RowIterator::new(move |cursor, limit| board.lock().page_after(cursor, limit))
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!("Leaderboard(len={})", self.with(py, |board| board.len()))
    }
}
