//! Leaderboards alone, without an engine.
//!
//! A lock is held around calls of the core and never while Python runs: making a result may let another thread in.

use liveops_core::Timestamp;
use liveops_core::board::{Leaderboard as Core, Ranking, Score, WindowedLeaderboard as Windowed};
use liveops_core::window::{Calendar as CoreCalendar, Period};
use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::arguments::{Int, When, instant, window};
use crate::calendar::Calendar;
use crate::errors::Fallible as _;
use crate::results::{period, rows, score};

/// How the core's choices are written in rules, in JSON and here.
pub(crate) mod names {
    use liveops_core::board::{Operator, Order, Ranking, Ties};
    use liveops_core::error::Code;
    use pyo3::prelude::*;

    use crate::errors::argument;

    const ORDERS: &[(&str, Order)] = &[("desc", Order::Desc), ("asc", Order::Asc)];
    const OPERATORS: &[(&str, Operator)] =
        &[("incr", Operator::Incr), ("best", Operator::Best), ("set", Operator::Set), ("decr", Operator::Decr)];
    const TIES: &[(&str, Ties)] =
        &[("firstToReach", Ties::FirstToReach), ("lastToReach", Ties::LastToReach), ("ownerId", Ties::OwnerId)];
    const RANKINGS: &[(&str, Ranking)] =
        &[("ordinal", Ranking::Ordinal), ("competition", Ranking::Competition), ("dense", Ranking::Dense)];

    pub(crate) fn order(order: Order) -> &'static str {
        name(ORDERS, order)
    }

    pub(crate) fn operator(operator: Operator) -> &'static str {
        name(OPERATORS, operator)
    }

    pub(crate) fn to_order(py: Python<'_>, text: &str) -> PyResult<Order> {
        value(py, ORDERS, text)
    }

    pub(crate) fn to_operator(py: Python<'_>, text: &str) -> PyResult<Operator> {
        value(py, OPERATORS, text)
    }

    pub(crate) fn to_ties(py: Python<'_>, text: &str) -> PyResult<Ties> {
        value(py, TIES, text)
    }

    pub(crate) fn to_ranking(py: Python<'_>, text: &str) -> PyResult<Ranking> {
        value(py, RANKINGS, text)
    }

    fn name<T: Copy + PartialEq>(all: &[(&'static str, T)], value: T) -> &'static str {
        all.iter().find(|(_, known)| *known == value).map_or("unknown", |(name, _)| name)
    }

    fn value<T: Copy>(py: Python<'_>, all: &[(&str, T)], text: &str) -> PyResult<T> {
        all.iter().find(|(name, _)| *name == text).map(|(_, value)| *value).ok_or_else(|| {
            let names: Vec<_> = all.iter().map(|(name, _)| *name).collect();
            argument(py, Code::InvalidArgument, &format!("one of {} is meant", names.join(", ")))
        })
    }
}

/// One ranked set of owners. Scores are 64-bit integers; an overflow is `score_overflow` and changes nothing.
#[pyclass(module = "liveops", frozen)]
pub(crate) struct Leaderboard(Mutex<Core>);

impl Leaderboard {
    fn with<T>(&self, call: impl FnOnce(&mut Core) -> T) -> T {
        call(&mut self.0.lock())
    }
}

#[pymethods]
impl Leaderboard {
    #[new]
    #[pyo3(signature = (*, order="desc", operator="incr", ties="firstToReach", ranking="ordinal"))]
    fn new(py: Python<'_>, order: &str, operator: &str, ties: &str, ranking: &str) -> PyResult<Self> {
        let board = Core::new(names::to_order(py, order)?, names::to_operator(py, operator)?);
        let board = board.ties(names::to_ties(py, ties)?).ranking(names::to_ranking(py, ranking)?);
        // Owners may be chosen by strangers: they must not be able to make them collide.
        let key: [u8; 16] = py.import("os")?.call_method1("urandom", (16,))?.extract()?;
        Ok(Self(Mutex::new(board.hash_key(key))))
    }

    /// Takes one value and returns the owner's score. Submits without a time are ordered by their number.
    #[pyo3(signature = (owner, score, subscore=Int(0), *, at=None))]
    fn submit<'py>(
        &self,
        py: Python<'py>,
        owner: &str,
        score: Int<i64>,
        subscore: Int<i64>,
        at: Option<When>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let value = Score { score: score.0, subscore: subscore.0 };
        let standing = self.with(|board| match at {
            Some(When(at)) => board.submit_at(owner, value, at),
            None => board.submit(owner, value),
        });
        let entry = standing.or_raise(py)?;
        self::score(py, Score { score: entry.score, subscore: entry.subscore })
    }

    /// The owner's score, hidden or not; None without an entry.
    fn score<'py>(&self, py: Python<'py>, owner: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.with(|board| board.score(owner)).map(|found| score(py, found)).transpose()
    }

    /// Rank from 1; None for one who is not shown.
    fn rank(&self, owner: &str) -> Option<u64> {
        self.with(|board| board.rank(owner))
    }

    /// The best `limit`, best first.
    #[pyo3(signature = (limit=Int(10)))]
    fn top<'py>(&self, py: Python<'py>, limit: Int<usize>) -> PyResult<Bound<'py, PyList>> {
        rows(py, &self.with(|board| board.top(limit.0)))
    }

    /// `offset..offset + limit`, best first.
    fn page<'py>(&self, py: Python<'py>, offset: Int<usize>, limit: Int<usize>) -> PyResult<Bound<'py, PyList>> {
        rows(py, &self.with(|board| board.page(offset.0, limit.0)))
    }

    /// The owner's row with up to `each_side` rows above and below.
    #[pyo3(signature = (owner, each_side=Int(5)))]
    fn around<'py>(&self, py: Python<'py>, owner: &str, each_side: Int<usize>) -> PyResult<Bound<'py, PyList>> {
        rows(py, &self.with(|board| board.around_owner(owner, each_side.0)))
    }

    /// Rows of some owners, best first, with their ranks on the whole board.
    fn by_owners<'py>(&self, py: Python<'py>, owners: Vec<String>) -> PyResult<Bound<'py, PyList>> {
        rows(py, &self.with(|board| board.by_owners(owners.iter().map(String::as_str))))
    }

    /// How many are strictly better than a score.
    fn count_above(&self, score: Int<i64>) -> u64 {
        self.with(|board| board.count_above(score.0))
    }

    /// Takes an owner off the board without forgetting the entry; whether anything changed.
    fn hide(&self, owner: &str) -> bool {
        self.with(|board| board.hide(owner))
    }

    /// Shows an owner again, at the exact place of before; whether anything changed.
    fn unhide(&self, owner: &str) -> bool {
        self.with(|board| board.unhide(owner))
    }

    /// Removes an owner; whether there was an entry.
    fn remove(&self, owner: &str) -> bool {
        self.with(|board| board.remove(owner))
    }

    fn __len__(&self) -> usize {
        usize::try_from(self.with(|board| board.len())).unwrap_or(usize::MAX)
    }

    /// Whether the owner is shown.
    fn __contains__(&self, owner: &str) -> bool {
        self.with(|board| board.rank(owner)).is_some()
    }

    fn __repr__(&self) -> String {
        format!("Leaderboard(len={})", self.with(|board| board.len()))
    }
}

/// One ranked set for each period of each window: today's, this week's, of all time.
#[pyclass(module = "liveops", frozen)]
pub(crate) struct WindowedLeaderboard {
    core: Mutex<Windowed>,
    calendar: CoreCalendar,
}

impl WindowedLeaderboard {
    fn with<T>(&self, call: impl FnOnce(&mut Windowed) -> T) -> T {
        call(&mut self.core.lock())
    }
}

#[pymethods]
impl WindowedLeaderboard {
    /// `windows` says how many closed periods of each stay readable: {"daily": 2, "allTime": 0}.
    #[new]
    #[pyo3(signature = (windows, *, calendar=None, order="desc", operator="incr", ties="firstToReach",
                        ranking="ordinal"))]
    fn new(
        py: Python<'_>,
        windows: &Bound<'_, PyDict>,
        calendar: Option<&Calendar>,
        order: &str,
        operator: &str,
        ties: &str,
        ranking: &str,
    ) -> PyResult<Self> {
        let calendar = calendar.map(|calendar| calendar.0.clone()).unwrap_or_default();
        let board = Windowed::new(names::to_order(py, order)?, names::to_operator(py, operator)?, calendar.clone());
        let ranking: Ranking = names::to_ranking(py, ranking)?;
        let mut board = board.ties(names::to_ties(py, ties)?).ranking(ranking);
        for (name, keep) in windows {
            board = board.window(window(py, name.extract()?)?, keep.extract::<Int<u32>>()?.0);
        }
        Ok(Self { core: Mutex::new(board), calendar })
    }

    /// Takes one value of time `ts` (now, if none is given) that came now, into every window or, on an error, into
    /// none. Returns the periods it was too late for.
    #[pyo3(signature = (owner, score, subscore=Int(0), *, ts=None, now_ms=None, now=None))]
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
        let late = self.with(|board| board.submit(owner, score, ts, now)).or_raise(py)?;
        late.into_iter().map(|late| period(py, &self.calendar, late)).collect()
    }

    /// Forgets periods that are dropped; to be called now and then.
    #[pyo3(signature = (*, now_ms=None, now=None))]
    fn advance(&self, py: Python<'_>, now_ms: Option<Int<i64>>, now: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let now = instant(py, now_ms, now)?;
        self.with(|board| board.advance(now));
        Ok(())
    }

    /// The period that is current.
    #[pyo3(signature = (window, *, now_ms=None, now=None))]
    fn period<'py>(
        &self,
        py: Python<'py>,
        window: &str,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (window, now) = (self::window(py, window)?, instant(py, now_ms, now)?);
        period(py, &self.calendar, self.with(|board| board.current(window, now)).or_raise(py)?)
    }

    /// The best `limit` of the current period, best first.
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

    /// `offset..offset + limit`, best first, of the current period or one so many before it.
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
        let now: Timestamp = instant(py, now_ms, now)?;
        let window = self::window(py, window)?;
        let current = self.with(|board| board.current(window, now)).or_raise(py)?;
        let period = Period { index: current.index.saturating_sub(periods_ago.0.into()), ..current };
        rows(py, &self.with(|board| board.page(period, offset.0, limit.0, now)).or_raise(py)?)
    }

    /// Rank from 1 in the current period; None for one who has no entry.
    #[pyo3(signature = (window, owner, *, now_ms=None, now=None))]
    fn rank(
        &self,
        py: Python<'_>,
        window: &str,
        owner: &str,
        now_ms: Option<Int<i64>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Option<u64>> {
        let (window, now) = (self::window(py, window)?, instant(py, now_ms, now)?);
        self.with(|board| board.rank(window, owner, now)).or_raise(py)
    }
}
