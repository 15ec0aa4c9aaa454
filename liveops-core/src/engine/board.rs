//! The engine's boards, for reading.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{AsyncEngine, Engine, ready};
use crate::board::{Cursor, Page, Ranking, Row, ScoreRange, Sort};
use crate::error::{Code, Error, StoreError, StoreErrorKind};
use crate::id::{BoardId, PlayerId};
use crate::limits::PAGE_LEN_MAX;
use crate::record::{BoardKey, Horizon};
use crate::rules::{BoardRule, Rules};
use crate::store::{AsyncBoards, BoardAnswer, BoardRead, Boards, Reading, Ready};
use crate::time::Timestamp;
use crate::window::{Period, PeriodState, Window, is_reached};

/// A board of the engine, for reading: [`Self::at`] and [`Self::of`] choose the period.
///
/// ```
/// use liveops_core::testing::EventBuilder;
/// use liveops_core::{Engine, MemoryStore, PlayerId, Rules, Timestamp, Window};
///
/// let rules = Rules::from_json(r#"{ "version": 1, "game": "emberfall", "boards": {
///     "xp": { "value": "grantedXp", "keepPeriods": { "weekly": 8 } } } }"#)?;
/// let engine = Engine::new(rules, MemoryStore::new());
/// let now = Timestamp::from_rfc3339("2026-11-07T12:00:00Z").unwrap();
/// for (player, xp) in [("ana", 120), ("bo", 90)] {
///     engine.submit_ndjson(&EventBuilder::progression(player, xp, now).id("e1").body(), now);
/// }
/// let board = engine.board("xp")?;
/// let weekly = board.at(Window::Weekly, now)?;
/// assert_eq!((weekly.top(1)?[0].owner.as_str(), weekly.rank(&PlayerId::new("bo")?)?), ("ana", Some(2)));
/// assert_eq!(board.of(board.earlier(Window::Weekly, 1, now)?).len()?, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Board<'e, S>(AsyncBoard<'e, Ready<S>>);

/// [`Board`] of an [`AsyncEngine`].
#[derive(Debug)]
pub struct AsyncBoard<'e, S> {
    pub(super) engine: &'e AsyncEngine<S>,
    pub(super) rules: Arc<Rules>,
    pub(super) rule: BoardRule,
}

/// A board in one period. One that nobody stands on is empty; one that is no longer kept at the horizon that the boards were told of is
/// `period_dropped`, in every process of a fleet. Pages have at most 100,000 rows.
#[derive(Debug)]
pub struct Standings<'e, S>(AsyncStandings<'e, Ready<S>>);

/// [`Standings`] of an [`AsyncEngine`].
#[derive(Debug)]
pub struct AsyncStandings<'e, S> {
    engine: &'e AsyncEngine<S>,
    key: BoardKey,
    ranking: Ranking,
    sort: Sort,
    dropped_at: Timestamp,
}

impl<S: AsyncBoards> AsyncEngine<S> {
    /// See [`Engine::board`].
    pub fn board(&self, board: &str) -> Result<AsyncBoard<'_, S>, Error> {
        let rules = self.rules();
        let id = BoardId::new(board).map_err(|_| Code::UnknownBoard)?;
        let rule = rules.board(&id).ok_or(Code::UnknownBoard)?.clone();
        Ok(AsyncBoard { engine: self, rules, rule })
    }

    /// See [`Engine::read_boards`].
    pub async fn read_boards(&self, reads: &[BoardRead]) -> Vec<Result<BoardAnswer, Error>> {
        let rules = self.rules();
        let checked: Vec<_> = reads.iter().map(|read| checked(&rules, read)).collect();
        let asked: Vec<_> = checked.iter().filter_map(|read| read.as_ref().ok()).cloned().collect();
        if let Err(error) = self.free_what_is_over().await {
            return checked.into_iter().map(|read| read.and(Err(error.clone().into()))).collect();
        }
        let mut answers = self.store.read(&asked).await.into_iter();
        let reached = self.reached();
        let mut answer = |read: BoardRead| {
            let answer = answers.next().unwrap_or_else(missing)?;
            if rules.keeps(&read.key, reached) { Ok(answer) } else { Err(Code::PeriodDropped.into()) }
        };
        checked.into_iter().map(|read| read.and_then(&mut answer)).collect()
    }

    /// Frees the boards that are over by the horizon that the boards were told of, unless this engine did: others may have moved the
    /// store.
    async fn free_what_is_over(&self) -> Result<(), StoreError> {
        let told = self.store.horizon();
        if told.now.as_unix_millis() > self.retained.load(Ordering::Acquire) {
            self.retain(told).await?;
        }
        Ok(())
    }

    /// Frees the boards that are no longer kept.
    pub(super) async fn retain(&self, horizon: Horizon) -> Result<(), StoreError> {
        // Whoever reads meanwhile need not do the same.
        let millis = horizon.now.as_unix_millis();
        let before = self.retained.fetch_max(millis, Ordering::AcqRel);
        let done = self.store.retain(&|key| self.keeps(key, horizon)).await;
        if done.is_err() {
            _ = self.retained.compare_exchange(millis, before, Ordering::AcqRel, Ordering::Relaxed);
        }
        done
    }

    /// How far the boards are, as far as is known here.
    fn reached(&self) -> Timestamp {
        let retained = Timestamp::from_unix_millis(self.retained.load(Ordering::Acquire));
        self.store.horizon().now.max(retained)
    }
}

impl<'e, S: AsyncBoards> AsyncBoard<'e, S> {
    /// See [`Board::rule`].
    pub const fn rule(&self) -> &BoardRule {
        &self.rule
    }

    /// See [`Board::period`].
    pub fn period(&self, window: Window, now: Timestamp) -> Result<Period, Error> {
        self.rule.keep(window).ok_or(Code::UnknownWindow)?;
        Ok(self.rules.calendar().current(window, now).ok_or(Code::UnknownPeriod)?)
    }

    /// See [`Board::earlier`].
    pub fn earlier(&self, window: Window, periods: u32, now: Timestamp) -> Result<Period, Error> {
        let current = self.period(window, now)?;
        let period = Period { index: current.index.saturating_sub(periods.into()), ..current };
        self.check_kept(period, now)?;
        Ok(period)
    }

    /// See [`Board::state`].
    pub fn state(&self, period: Period, now: Timestamp) -> Result<PeriodState, Error> {
        let keep = self.rule.keep(period.window).ok_or(Code::UnknownWindow)?;
        Ok(self.rules.calendar().state(period, keep, now))
    }

    /// See [`Board::at`].
    pub fn at(&self, window: Window, now: Timestamp) -> Result<AsyncStandings<'e, S>, Error> {
        Ok(self.of(self.period(window, now)?))
    }

    /// See [`Board::of`].
    pub fn of(&self, period: Period) -> AsyncStandings<'e, S> {
        let BoardRule { ranking, sort, .. } = self.rule;
        let keep = self.rule.keep(period.window);
        let dropped_at = keep.map_or(Timestamp::MAX, |keep| self.rules.calendar().dropped_at(period, keep));
        AsyncStandings { engine: self.engine, key: self.key(period), ranking, sort, dropped_at }
    }

    /// See [`Board::top`].
    pub async fn top(&self, window: Window, limit: usize, now: Timestamp) -> Result<Vec<Row>, Error> {
        self.at(window, now)?.top(limit).await
    }

    pub(super) fn check_kept(&self, period: Period, now: Timestamp) -> Result<(), Code> {
        let keep = self.rule.keep(period.window).ok_or(Code::UnknownWindow)?;
        self.rules.calendar().check_kept(period, keep, now)
    }

    pub(super) fn key(&self, period: Period) -> BoardKey {
        BoardKey { board: self.rule.board.clone(), period }
    }
}

impl<S: AsyncBoards> AsyncStandings<'_, S> {
    /// See [`Standings::period`].
    pub const fn period(&self) -> Period {
        self.key.period
    }

    /// See [`Standings::question`].
    pub fn question(&self, what: Reading) -> BoardRead {
        BoardRead { key: self.key.clone(), sort: self.sort, ranking: self.ranking, what }
    }

    /// See [`Standings::top`].
    pub async fn top(&self, limit: usize) -> Result<Vec<Row>, Error> {
        self.page(0, limit).await
    }

    /// See [`Standings::page`].
    pub async fn page(&self, offset: usize, limit: usize) -> Result<Vec<Row>, Error> {
        self.rows(Reading::Page { offset, limit }).await
    }

    /// Every row, so many at a time. Who is hidden or shown between two pages is as they were met; ranks are of the rows that are here.
    pub(super) async fn all(&self, page: usize) -> Result<Vec<Row>, Error> {
        let Page { mut rows, mut next } = self.page_after(None, page).await?;
        while let Some(cursor) = next {
            let page = self.page_after(Some(&cursor), page).await?;
            next = page.next.filter(|_| !page.rows.is_empty());
            rows.extend(page.rows);
        }
        self.ranking.number(&mut rows);
        Ok(rows)
    }

    /// See [`Standings::page_after`].
    pub async fn page_after(&self, cursor: Option<&Cursor>, limit: usize) -> Result<Page, Error> {
        match self.ask(Reading::PageAfter { cursor: cursor.cloned(), limit }).await? {
            BoardAnswer::Page(page) => Ok(page),
            _ => Err(other()),
        }
    }

    /// See [`Standings::by_score_range`].
    pub async fn by_score_range(&self, scores: ScoreRange, offset: usize, limit: usize) -> Result<Vec<Row>, Error> {
        self.rows(Reading::ByScoreRange { scores, offset, limit }).await
    }

    /// See [`Standings::rank`].
    pub async fn rank(&self, player: &PlayerId) -> Result<Option<u64>, Error> {
        match self.ask(Reading::Rank(player.clone())).await? {
            BoardAnswer::Rank(rank) => Ok(rank),
            _ => Err(other()),
        }
    }

    /// See [`Standings::percentile`].
    pub async fn percentile(&self, player: &PlayerId) -> Result<Option<u32>, Error> {
        match self.ask(Reading::Percentile(player.clone())).await? {
            BoardAnswer::Percentile(percentile) => Ok(percentile),
            _ => Err(other()),
        }
    }

    /// See [`Standings::around`].
    pub async fn around(&self, player: &PlayerId, each_side: usize) -> Result<Vec<Row>, Error> {
        self.rows(Reading::Around { player: player.clone(), each_side }).await
    }

    /// See [`Standings::by_owners`].
    pub async fn by_owners(&self, players: &[PlayerId]) -> Result<Vec<Row>, Error> {
        self.rows(Reading::ByOwners(players.to_vec())).await
    }

    /// See [`Standings::count_above`].
    pub async fn count_above(&self, score: i64) -> Result<u64, Error> {
        self.count(Reading::CountAbove { score }).await
    }

    /// See [`Standings::len`].
    pub async fn len(&self) -> Result<u64, Error> {
        self.count(Reading::Len).await
    }

    /// See [`Standings::is_empty`].
    pub async fn is_empty(&self) -> Result<bool, Error> {
        Ok(self.len().await? == 0)
    }

    async fn rows(&self, what: Reading) -> Result<Vec<Row>, Error> {
        rows(self.ask(what).await?)
    }

    async fn count(&self, what: Reading) -> Result<u64, Error> {
        match self.ask(what).await? {
            BoardAnswer::Count(count) => Ok(count),
            _ => Err(other()),
        }
    }

    async fn ask(&self, what: Reading) -> Result<BoardAnswer, Error> {
        check_cursor(&what, &self.key, self.sort)?;
        self.engine.free_what_is_over().await?;
        let answer = one(self.engine.store.read(&[self.question(bounded(what))]).await)?;
        // Asked last: what was freed while it was read is empty.
        if is_reached(self.dropped_at, self.engine.reached()) { Err(Code::PeriodDropped.into()) } else { Ok(answer) }
    }
}

impl<S: Boards> Engine<S> {
    /// A board, for reading.
    ///
    /// Errors: `unknown_board`.
    pub fn board(&self, board: &str) -> Result<Board<'_, S>, Error> {
        self.0.board(board).map(Board)
    }

    /// Answers many questions, in order; a far store in one round trip. [`Standings::question`] makes them.
    ///
    /// ```
    /// use liveops_core::store::{BoardAnswer, Reading};
    /// use liveops_core::{Engine, MemoryStore, PlayerId, Rules, Timestamp, Window};
    ///
    /// let rules = Rules::from_json(r#"{ "version": 1, "game": "emberfall", "boards": {
    ///     "xp": { "value": "grantedXp", "keepPeriods": { "daily": 8, "weekly": 8 } } } }"#)?;
    /// let engine = Engine::new(rules, MemoryStore::new());
    /// let now = Timestamp::from_unix_seconds(1_794_052_800);
    /// let line = br#"{"id":"e1","type":"progression","playerId":"ana","ts":1794052800,"payload":{"deltaXp":120}}"#;
    /// engine.submit_ndjson(line, now);
    ///
    /// let board = engine.board("xp")?;
    /// let rank = |window| Ok::<_, liveops_core::Error>(board.at(window, now)?.question(Reading::Rank(PlayerId::new("ana")?)));
    /// for answer in engine.read_boards(&[rank(Window::Daily)?, rank(Window::Weekly)?]) {
    ///     assert_eq!(answer?, BoardAnswer::Rank(Some(1)));
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Errors, of each answer: `unknown_board`; `cursor_invalid`; those of the store.
    pub fn read_boards(&self, reads: &[BoardRead]) -> Vec<Result<BoardAnswer, Error>> {
        ready(self.0.read_boards(reads))
    }
}

impl<'e, S: Boards> Board<'e, S> {
    /// How the board counts and sorts.
    pub const fn rule(&self) -> &BoardRule {
        self.0.rule()
    }

    /// The period that is current at a time.
    ///
    /// Errors: `unknown_window` if the board has no such window, `unknown_period` between two seasons.
    pub fn period(&self, window: Window, now: Timestamp) -> Result<Period, Error> {
        self.0.period(window, now)
    }

    /// The period so many before the current one: 1 is yesterday, last week, last season.
    ///
    /// Errors: those of [`Self::period`]; `period_dropped` for one that is no longer kept, `unknown_period` before the first season
    /// of a table.
    pub fn earlier(&self, window: Window, periods: u32, now: Timestamp) -> Result<Period, Error> {
        self.0.earlier(window, periods, now)
    }

    /// Where a period is in its life at a time.
    ///
    /// Errors: `unknown_window` for a window that the board does not have.
    pub fn state(&self, period: Period, now: Timestamp) -> Result<PeriodState, Error> {
        self.0.state(period, now)
    }

    /// The period that is current at a time, for reading.
    ///
    /// Errors: those of [`Self::period`].
    pub fn at(&self, window: Window, now: Timestamp) -> Result<Standings<'e, S>, Error> {
        self.0.at(window, now).map(Standings)
    }

    /// Any kept period, for reading: of another, every reading is `period_dropped`.
    pub fn of(&self, period: Period) -> Standings<'e, S> {
        Standings(self.0.of(period))
    }

    /// The best `limit` of the current period: what is asked most.
    ///
    /// Errors: those of [`Self::period`].
    pub fn top(&self, window: Window, limit: usize, now: Timestamp) -> Result<Vec<Row>, Error> {
        ready(self.0.top(window, limit, now))
    }

    /// What is below the blocking face.
    pub(super) const fn inner(&self) -> &AsyncBoard<'e, Ready<S>> {
        &self.0
    }
}

impl<S: Boards> Standings<'_, S> {
    /// Which period.
    pub const fn period(&self) -> Period {
        self.0.period()
    }

    /// A question for [`Engine::read_boards`].
    pub fn question(&self, what: Reading) -> BoardRead {
        self.0.question(what)
    }

    /// The best `limit`.
    pub fn top(&self, limit: usize) -> Result<Vec<Row>, Error> {
        ready(self.0.top(limit))
    }

    /// `offset..offset + limit`, best first.
    pub fn page(&self, offset: usize, limit: usize) -> Result<Vec<Row>, Error> {
        ready(self.0.page(offset, limit))
    }

    /// The first `limit`, or those behind a page's end. Unlike an offset, a cursor neither repeats nor skips those who stay put
    /// while others move.
    ///
    /// Errors: `cursor_invalid` for a cursor of another board or period.
    pub fn page_after(&self, cursor: Option<&Cursor>, limit: usize) -> Result<Page, Error> {
        ready(self.0.page_after(cursor, limit))
    }

    /// Those with a score in the range, best first, without the first `offset` of them.
    pub fn by_score_range(&self, scores: ScoreRange, offset: usize, limit: usize) -> Result<Vec<Row>, Error> {
        ready(self.0.by_score_range(scores, offset, limit))
    }

    /// The player's rank, from 1.
    pub fn rank(&self, player: &PlayerId) -> Result<Option<u64>, Error> {
        ready(self.0.rank(player))
    }

    /// How many of the others the player is ahead of, in hundredths of a percent.
    pub fn percentile(&self, player: &PlayerId) -> Result<Option<u32>, Error> {
        ready(self.0.percentile(player))
    }

    /// The player's row, with up to `each_side` rows above and below.
    pub fn around(&self, player: &PlayerId, each_side: usize) -> Result<Vec<Row>, Error> {
        ready(self.0.around(player, each_side))
    }

    /// Rows of some players, best first, with their ranks on the whole board.
    pub fn by_owners(&self, players: &[PlayerId]) -> Result<Vec<Row>, Error> {
        ready(self.0.by_owners(players))
    }

    /// How many are strictly better than a score.
    pub fn count_above(&self, score: i64) -> Result<u64, Error> {
        ready(self.0.count_above(score))
    }

    /// How many there are.
    pub fn len(&self) -> Result<u64, Error> {
        ready(self.0.len())
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> Result<bool, Error> {
        ready(self.0.is_empty())
    }
}

/// A question as a store is asked it.
fn checked(rules: &Rules, read: &BoardRead) -> Result<BoardRead, Error> {
    rules.board(&read.key.board).ok_or(Code::UnknownBoard)?;
    check_cursor(&read.what, &read.key, read.sort)?;
    Ok(BoardRead { what: bounded(read.what.clone()), ..read.clone() })
}

fn check_cursor(what: &Reading, key: &BoardKey, sort: Sort) -> Result<(), Error> {
    match what {
        Reading::PageAfter { cursor: Some(cursor), .. } => cursor.check_board(&key.board, key.period, sort),
        _ => Ok(()),
    }
}

fn bounded(mut what: Reading) -> Reading {
    if let Reading::Page { limit, .. }
    | Reading::PageAfter { limit, .. }
    | Reading::ByScoreRange { limit, .. }
    | Reading::Around { each_side: limit, .. } = &mut what
    {
        *limit = (*limit).min(PAGE_LEN_MAX);
    }
    what
}

fn one(mut answers: Vec<Result<BoardAnswer, StoreError>>) -> Result<BoardAnswer, Error> {
    Ok(answers.pop().unwrap_or_else(missing)?)
}

fn rows(answer: BoardAnswer) -> Result<Vec<Row>, Error> {
    match answer {
        BoardAnswer::Rows(rows) => Ok(rows),
        _ => Err(other()),
    }
}

/// A store gave too few answers.
fn missing() -> Result<BoardAnswer, StoreError> {
    Err(StoreErrorKind::Unavailable.into())
}

/// A store answered another question.
fn other() -> Error {
    StoreError::new(StoreErrorKind::Misconfigured).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryStore;
    use crate::testing::EventBuilder;

    #[test]
    fn pages_of_all_rows_are_the_whole() {
        let now = Timestamp::from_unix_seconds(1_794_052_800);
        for ranking in ["ordinal", "competition", "dense"] {
            let rules = Rules::from_json(&format!(
                r#"{{ "version": 1, "game": "emberfall", "boards": {{
                    "xp": {{ "value": "grantedXp", "ranking": "{ranking}", "keepPeriods": {{ "daily": 2 }} }} }} }}"#
            ));
            let engine = Engine::new(rules.unwrap(), MemoryStore::new());
            for (player, xp) in [("ana", 30), ("bo", 20), ("cy", 20), ("di", 20), ("ed", 10), ("flo", 10)] {
                let line = EventBuilder::progression(player, xp, now).id("e").body();
                assert_eq!(engine.submit_ndjson(&line, now)[0].code(), "applied");
            }
            let daily = engine.board("xp").unwrap().at(Window::Daily, now).unwrap();
            for page in 1..8 {
                assert_eq!(ready(daily.0.all(page)).unwrap(), daily.top(10).unwrap(), "{ranking}, {page} at a time");
            }
        }
    }
}
