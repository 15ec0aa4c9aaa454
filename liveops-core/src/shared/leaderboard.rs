//! A leaderboard that threads share.

use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use crate::board::{BatchError, Cursor, Entry, Leaderboard, Page, Row, Score, ScoreRange, Standing};
use crate::error::Error;
use crate::time::Timestamp;

/// A leaderboard for many threads.
///
/// Writers take turns; readers of ranks and pages read together and wait for a writer at most as long as one call takes.
/// The first rows, which nearly everybody asks for, are kept ready in an [`Arc`]: [`Self::top`] waits for no writer, and
/// no writer waits for it. They are written anew only when a change touches them.
///
/// Every page is the board as it was at one moment. The first rows may be older than a rank asked for at the same time
/// by the one change that is being made.
///
/// ```
/// use liveops_core::board::{Leaderboard, Operator, Order};
/// use liveops_core::shared::SharedLeaderboard;
///
/// let board = SharedLeaderboard::new(Leaderboard::new(Order::Desc, Operator::Incr), 100);
/// std::thread::scope(|threads| {
///     for owner in ["ana", "bo"] {
///         threads.spawn(|| (0..1_000).try_for_each(|_| board.submit(owner, 1).map(drop)));
///     }
/// });
/// assert_eq!(board.top().iter().map(|row| row.score).collect::<Vec<_>>(), [1_000, 1_000]);
/// ```
#[derive(Debug)]
pub struct SharedLeaderboard {
    board: RwLock<Leaderboard>,
    top_len: usize,
    /// Written while the board is held for writing, so that newer rows never make way for older ones; locked only to
    /// take or replace the pointer.
    top: Mutex<Arc<[Row]>>,
}

impl SharedLeaderboard {
    /// Shares a board, and keeps its first `top_len` rows ready.
    pub fn new(board: Leaderboard, top_len: usize) -> Self {
        let top = Mutex::new(board.top(top_len).into());
        Self { board: RwLock::new(board), top_len, top }
    }

    /// The board alone again.
    pub fn into_inner(self) -> Leaderboard {
        self.board.into_inner()
    }

    /// The first rows, best first.
    pub fn top(&self) -> Arc<[Row]> {
        Arc::clone(&self.top.lock())
    }

    /// Takes one value; see [`Leaderboard::submit`].
    pub fn submit(&self, owner: &str, value: impl Into<Score>) -> Result<Entry, Error> {
        self.change(owner, value.into(), None)
    }

    /// Takes one value that came at a given time; see [`Leaderboard::submit_at`].
    pub fn submit_at(&self, owner: &str, value: impl Into<Score>, at: Timestamp) -> Result<Entry, Error> {
        self.change(owner, value.into(), Some(at))
    }

    fn change(&self, owner: &str, value: Score, at: Option<Timestamp>) -> Result<Entry, Error> {
        let mut board = self.board.write();
        let (before, after) = board.change(owner, value, at)?;
        if self.touches_top(before, after) {
            self.refresh(&board);
        }
        Ok(after.into())
    }

    /// Takes many values or none; see [`Leaderboard::submit_batch`].
    pub fn submit_batch<V: Into<Score> + Copy>(&self, values: &[(&str, V)]) -> Result<(), BatchError> {
        self.write(|board| board.submit_batch(values))
    }

    /// Takes an owner off the board; see [`Leaderboard::hide`].
    pub fn hide(&self, owner: &str) -> bool {
        self.write(|board| board.hide(owner))
    }

    /// Shows an owner again; see [`Leaderboard::unhide`].
    pub fn unhide(&self, owner: &str) -> bool {
        self.write(|board| board.unhide(owner))
    }

    /// Removes an owner's entry; see [`Leaderboard::remove`].
    pub fn remove(&self, owner: &str) -> bool {
        self.write(|board| board.remove(owner))
    }

    /// Rank from 1.
    pub fn rank(&self, owner: &str) -> Option<u64> {
        self.board.read().rank(owner)
    }

    /// The owner's score and subscore, hidden or not.
    pub fn score(&self, owner: &str) -> Option<Score> {
        self.board.read().score(owner)
    }

    /// `offset..offset + limit`, best first.
    pub fn page(&self, offset: usize, limit: usize) -> Vec<Row> {
        self.board.read().page(offset, limit)
    }

    /// The first `limit`, or those behind a page's end; see [`Leaderboard::page_after`].
    pub fn page_after(&self, cursor: Option<&Cursor>, limit: usize) -> Result<Page, Error> {
        self.board.read().page_after(cursor, limit)
    }

    /// The owner's row with up to `each_side` rows above and below.
    pub fn around_owner(&self, owner: &str, each_side: usize) -> Vec<Row> {
        self.board.read().around_owner(owner, each_side)
    }

    /// Rows of some owners, best first, with their ranks on the whole board.
    pub fn by_owners<'a>(&self, owners: impl IntoIterator<Item = &'a str>) -> Vec<Row> {
        self.board.read().by_owners(owners)
    }

    /// Those with a score in the range, best first, without the first `offset` of them.
    pub fn by_score_range(&self, scores: ScoreRange, offset: usize, limit: usize) -> Vec<Row> {
        self.board.read().by_score_range(scores, offset, limit)
    }

    /// How many are shown.
    pub fn len(&self) -> u64 {
        self.board.read().len()
    }

    /// Whether nobody is shown.
    pub fn is_empty(&self) -> bool {
        self.board.read().is_empty()
    }

    /// Several readings of one moment, or any other. Writers wait meanwhile.
    pub fn read<T>(&self, read: impl FnOnce(&Leaderboard) -> T) -> T {
        read(&self.board.read())
    }

    /// Several changes that readers see together, or any other.
    pub fn write<T>(&self, write: impl FnOnce(&mut Leaderboard) -> T) -> T {
        let mut board = self.board.write();
        let written = write(&mut board);
        self.refresh(&board);
        written
    }

    /// Whether an entry was or is among the first rows, or may be.
    fn touches_top(&self, before: Option<Standing>, after: Standing) -> bool {
        if before == Some(after) {
            return false;
        }
        let top = self.top.lock();
        let Some(last) = top.get(self.top_len.wrapping_sub(1)) else { return self.top_len > 0 };
        let (score, sort) = (Score { score: last.score, subscore: last.subscore }, after.sort);
        let last = Standing { score, reached_at: last.reached_at, newest_ts: last.reached_at, sort }.place();
        before.is_some_and(|before| before.place() <= last) || after.place() <= last
    }

    fn refresh(&self, board: &Leaderboard) {
        let rows = board.top(self.top_len).into();
        *self.top.lock() = rows;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::{Operator, Order, Ties};

    #[test]
    fn the_first_rows_are_those_of_the_board_after_every_change() {
        for (order, ties) in [(Order::Desc, Ties::FirstToReach), (Order::Asc, Ties::OwnerId)] {
            for top_len in [0, 1, 3, 10] {
                let board = SharedLeaderboard::new(Leaderboard::new(order, Operator::Set).ties(ties), top_len);
                let mut state = 7_u64;
                for step in 0..3_000 {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let (owner, value) = (format!("p{}", (state >> 33) % 9), (state >> 40) % 6);
                    match state >> 60 {
                        0 => _ = board.remove(&owner),
                        1 => _ = board.hide(&owner),
                        2 => _ = board.unhide(&owner),
                        _ => _ = board.submit(&owner, value.cast_signed()).unwrap(),
                    }
                    assert_eq!(*board.top(), board.page(0, top_len), "step {step}");
                }
            }
        }
    }

    /// Every page is sorted and of one moment: writers move points from one owner to another, so the sum stays.
    #[test]
    fn pages_are_true_at_some_moment() {
        const OWNERS: usize = 50;
        let board = SharedLeaderboard::new(Leaderboard::new(Order::Desc, Operator::Incr), 10);
        let names: Vec<String> = (0..OWNERS).map(|n| format!("p{n}")).collect();
        for name in &names {
            board.submit(name, 1_000).unwrap();
        }
        std::thread::scope(|threads| {
            for thread in 0..2 {
                let (board, names) = (&board, &names);
                threads.spawn(move || {
                    for step in 0..2_000 {
                        let (from, to) = (step * 7 % OWNERS, (step * 3 + thread + 1) % OWNERS);
                        board.submit_batch(&[(names[from].as_str(), -5), (names[to].as_str(), 5)]).unwrap();
                    }
                });
            }
            for _ in 0..2 {
                threads.spawn(|| {
                    for _ in 0..500 {
                        let page = board.page(0, usize::MAX);
                        assert!(page.is_sorted_by_key(|row| (-row.score, row.reached_at)));
                        assert_eq!(page.iter().map(|row| row.score).sum::<i64>(), 50_000);
                        assert!(page.iter().enumerate().all(|(at, row)| row.rank == at as u64 + 1));
                        let top = board.top();
                        assert!(top.len() == 10 && top.is_sorted_by_key(|row| (-row.score, row.reached_at)));
                    }
                });
            }
        });
        assert_eq!(*board.top(), board.page(0, 10));
    }
}
