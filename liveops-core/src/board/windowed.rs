//! Leaderboards by calendar, usable alone.

use std::collections::BTreeMap;

use super::{Index, Operator, Order, Ranking, Row, Score, Sort, Standing, Ties};
use crate::error::{Code, Error};
use crate::id::PlayerId;
use crate::time::Timestamp;
use crate::window::{Calendar, Period, Window};

/// One ranked set for each period of each window: today's, this week's, of all time. A period begins empty; one that is
/// closed takes no more submits and stays readable until it is dropped.
///
/// ```
/// use liveops_core::board::{Operator, Order, WindowedLeaderboard};
/// use liveops_core::window::{Calendar, Window};
/// use liveops_core::Timestamp;
///
/// let mut board = WindowedLeaderboard::new(Order::Desc, Operator::Incr, Calendar::utc())
///     .window(Window::Daily, 2)
///     .window(Window::AllTime, 0);
/// let monday = Timestamp::from_rfc3339("2026-11-09T23:00:00Z").unwrap();
/// let tuesday = Timestamp::from_rfc3339("2026-11-10T01:00:00Z").unwrap();
/// board.submit("ana", 70, monday, monday)?;
/// board.submit("ana", 50, tuesday, tuesday)?;
/// assert_eq!(board.top(Window::Daily, 10, tuesday)?[0].score, 50);
/// assert_eq!(board.top(Window::AllTime, 10, tuesday)?[0].score, 120);
/// # Ok::<(), liveops_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct WindowedLeaderboard {
    operator: Operator,
    sort: Sort,
    ranking: Ranking,
    calendar: Calendar,
    windows: Vec<(Window, u32)>,
    periods: BTreeMap<Period, Index>,
}

impl WindowedLeaderboard {
    /// A board without windows; add them with [`Self::window`].
    pub fn new(order: Order, operator: Operator, calendar: Calendar) -> Self {
        let sort = Sort { order, ties: Ties::default() };
        let (windows, periods) = (Vec::new(), BTreeMap::new());
        Self { operator, sort, ranking: Ranking::default(), calendar, windows, periods }
    }

    /// Adds a window of which `keep` closed periods stay readable.
    #[must_use]
    pub fn window(mut self, window: Window, keep: u32) -> Self {
        self.windows.retain(|(known, _)| *known != window);
        self.windows.push((window, keep));
        self.windows.sort_unstable();
        self
    }

    /// Another rule for ties; to be set before the first submit.
    #[must_use]
    pub fn ties(self, ties: Ties) -> Self {
        Self { sort: Sort { ties, ..self.sort }, periods: BTreeMap::new(), ..self }
    }

    /// Another way to count ranks.
    #[must_use]
    pub fn ranking(self, ranking: Ranking) -> Self {
        Self { ranking, ..self }
    }

    /// Takes one value of time `ts` that came at `now`, into every window or, on an error, into none. Returns the
    /// periods it was too late for.
    ///
    /// Errors: `id_invalid`, `score_overflow`.
    pub fn submit(
        &mut self,
        owner: &str,
        value: impl Into<Score>,
        ts: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Period>, Error> {
        let (owner, value) = (PlayerId::new(owner)?, value.into());
        let (mut standings, mut late) = (Vec::new(), Vec::new());
        for (window, _) in &self.windows {
            let Some(period) = self.calendar.period(*window, ts) else { continue };
            if self.calendar.closes_at(period) <= now {
                late.push(period);
                continue;
            }
            let before = self.periods.get(&period).and_then(|index| index.standing(owner.as_bytes()));
            let after = self.operator.apply(before, self.sort, value, ts, now).map_err(|_| Code::ScoreOverflow)?;
            standings.push((period, after));
        }
        for (period, standing) in standings {
            self.set(period, &owner, standing);
        }
        Ok(late)
    }

    /// Forgets periods that are dropped at `now`; to be called now and then.
    pub fn advance(&mut self, now: Timestamp) {
        let (calendar, windows) = (&self.calendar, &self.windows);
        self.periods.retain(|period, _| is_kept(calendar, windows, *period, now));
    }

    /// The best `limit` of the period that is current at `now`.
    ///
    /// Errors: `unknown_window` if there is no such window, or between two seasons.
    pub fn top(&self, window: Window, limit: usize, now: Timestamp) -> Result<Vec<Row>, Error> {
        self.page(self.current(window, now)?, 0, limit, now)
    }

    /// `offset..offset + limit` of a period, best first.
    ///
    /// Errors: `unknown_window` for a period that is no longer kept.
    pub fn page(&self, period: Period, offset: usize, limit: usize, now: Timestamp) -> Result<Vec<Row>, Error> {
        if !is_kept(&self.calendar, &self.windows, period, now) {
            return Err(Code::UnknownWindow.into());
        }
        Ok(self.periods.get(&period).map_or_else(Vec::new, |index| index.page(offset, limit, self.ranking)))
    }

    /// Rank in the period that is current at `now`, from 1.
    pub fn rank(&self, window: Window, owner: &str, now: Timestamp) -> Result<Option<u64>, Error> {
        let index = self.periods.get(&self.current(window, now)?);
        Ok(index.and_then(|index| index.rank(owner.as_bytes(), self.ranking)))
    }

    /// The owner's score and subscore in a period.
    pub fn score(&self, period: Period, owner: &str) -> Option<Score> {
        let standing = self.periods.get(&period)?.standing(owner.as_bytes())?;
        Some(standing.score)
    }

    /// The period that is current at `now`.
    pub fn current(&self, window: Window, now: Timestamp) -> Result<Period, Error> {
        let known = self.windows.iter().any(|(known, _)| *known == window);
        Ok(self.calendar.current(window, now).filter(|_| known).ok_or(Code::UnknownWindow)?)
    }

    /// The calendar.
    pub const fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    fn set(&mut self, period: Period, owner: &PlayerId, standing: Standing) {
        self.periods.entry(period).or_insert_with(|| Index::new([0; 16])).set(owner, Some(standing));
    }
}

fn is_kept(calendar: &Calendar, windows: &[(Window, u32)], period: Period, now: Timestamp) -> bool {
    let keep = windows.iter().find(|(window, _)| *window == period.window).map(|(_, keep)| *keep);
    keep.is_some_and(|keep| !calendar.is_dropped(period, keep, now))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_rfc3339(text).unwrap()
    }

    #[test]
    fn late_values_count_where_they_still_can() {
        let calendar = Calendar::utc().grace_seconds(3600).unwrap();
        let mut board = WindowedLeaderboard::new(Order::Desc, Operator::Incr, calendar)
            .window(Window::Daily, 1)
            .window(Window::Weekly, 1);
        let (ts, day) = (at("2026-11-09T23:59:59Z"), at("2026-11-10T00:00:00Z"));
        assert_eq!(board.submit("ana", 1, ts, day.plus_millis(3_599_999)).unwrap(), []);
        let monday = board.calendar.period(Window::Daily, ts).unwrap();
        assert_eq!(board.submit("ana", 1, ts, day.plus_millis(3_600_000)).unwrap(), [monday]);
        assert_eq!(board.page(monday, 0, 9, day).unwrap()[0].score, 1);
        assert_eq!(board.top(Window::Weekly, 9, day).unwrap()[0].score, 2);
        assert_eq!(board.score(monday, "ana"), Some(1.into()));
        assert_eq!(board.score(monday, "bo"), None);
        assert_eq!(board.top(Window::Daily, 9, day).unwrap(), []);
        board.advance(at("2026-11-11T01:00:00Z"));
        assert_eq!(board.page(monday, 0, 9, at("2026-11-11T01:00:00Z")).unwrap_err().code(), Code::UnknownWindow);
        assert_eq!(board.periods.len(), 1, "the week is left");
    }

    #[test]
    fn an_overflow_changes_no_window() {
        let mut board = WindowedLeaderboard::new(Order::Desc, Operator::Incr, Calendar::utc())
            .window(Window::Daily, 1)
            .window(Window::AllTime, 0);
        let (monday, tuesday) = (at("2026-11-09T12:00:00Z"), at("2026-11-10T12:00:00Z"));
        board.submit("ana", i64::MAX, monday, monday).unwrap();
        assert_eq!(board.submit("ana", 1, tuesday, tuesday).unwrap_err().code(), Code::ScoreOverflow);
        assert_eq!(board.top(Window::Daily, 9, tuesday).unwrap(), []);
        assert_eq!(board.rank(Window::Monthly, "ana", tuesday).unwrap_err().code(), Code::UnknownWindow);
    }
}
