//! Leaderboards: one ranked set, ranked sets by calendar, and what becomes of a period that is over.
//!
//! ```
//! use liveops_core::board::{Leaderboard, Operator, Order};
//!
//! let mut board = Leaderboard::new(Order::Desc, Operator::Incr);
//! board.submit("ana", 120)?;
//! board.submit("bo", 90)?;
//! board.submit("bo", 40)?;
//! assert_eq!(board.rank("bo"), Some(1));
//! # Ok::<(), liveops_core::Error>(())
//! ```
//!
//! | | |
//! |---|---|
//! | what a value does | [`Operator`]: adds, keeps the better pair, replaces, subtracts |
//! | which end is first | [`Order`] |
//! | who of equals is first | [`Ties`]: who reached the score first (returning to it puts you behind those who stayed), last, or the smaller id |
//! | how equals are numbered | [`Ranking`]: 1 2 3 4, 1 2 2 4 or 1 2 2 3 |
//! | days, weeks, seasons | [`WindowedLeaderboard`], with a [`crate::window::Calendar`]; a submit counts on every window or on none |
//! | cheaters | `hide` takes them off every rank, page and count of every period at once; `unhide` restores the exact place |
//! | pages | by offset, by [`Cursor`] (survives updates), around an owner, of friends, of a range of scores |
//! | a finished period | [`awards`] by [`Tiers`]; [`Archive`], bytes that never change and name nobody |
//! | many threads | [`crate::shared::SharedLeaderboard`] |
//!
//! Scores are whole numbers within ±(2^53 - 1), which every language holds exactly; beyond them is `score_overflow`. Nothing here reads a clock: times are arguments. Boards are
//! counted B+trees over one table of owners; ranks are exact everywhere, and no submit waits for a table to grow.

#![expect(
    clippy::cast_possible_truncation,
    reason = "a board has fewer than 2^32 entries, and positions in memory fit a usize"
)]

mod archive;
mod chunks;
mod cursor;
mod index;
mod leaderboard;
mod owners;
mod payout;
mod ranks;
mod roster;
mod snapshot;
mod table;
mod tree;
mod view;
mod windowed;

pub use archive::{Archive, ArchiveView, ArchivedRow, Heading, Names};
pub(crate) use chunks::Chunks;
pub use cursor::Cursor;
pub use index::Index;
pub use leaderboard::{BatchError, Entry, Leaderboard};
pub(crate) use owners::{Directory, Owners};
pub use payout::{Award, Cut, Percent, Tier, TierFault, Tiers, TiersError, awards};
pub(crate) use ranks::{Ranks, Staged};
pub(crate) use roster::Handle;
pub(crate) use table::Table;
pub(crate) use view::Name;
pub use view::{Page, Ranking, Row, ScoreRange, View};
pub use windowed::WindowedLeaderboard;

use serde::Serialize;

use crate::codec::{fields, tags};
use crate::id::BoardId;
use crate::limits::INTEGER_MAX;
use crate::time::Timestamp;

/// Which end of a board is first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Order {
    /// The highest score.
    #[default]
    Desc,
    /// The lowest, as for times.
    Asc,
}

/// Who of several with the same score and subscore comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Ties {
    /// Who reached the score first, then the smaller owner id.
    #[default]
    FirstToReach,
    /// Who reached the score last, then the smaller owner id.
    LastToReach,
    /// The smaller owner id, as in a Redis sorted set.
    OwnerId,
}

/// What a new value does to a score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Operator {
    /// Adds.
    #[default]
    Incr,
    /// Keeps the better pair of score and subscore.
    Best,
    /// Replaces, if its event is at least as new.
    Set,
    /// Subtracts; there is no floor.
    Decr,
}

/// How entries of one board sort. Part of each entry, so that a store ranks without knowing rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sort {
    /// Which end is first.
    pub order: Order,
    /// Who comes first among equals.
    pub ties: Ties,
}

/// A score and what decides between equal scores; compared as a pair, and both in the board's order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Score {
    /// The score.
    pub score: i64,
    /// The subscore; 0 where a board has none.
    pub subscore: i64,
}

impl Score {
    /// Whether both numbers are such as every language holds exactly: within ±[`INTEGER_MAX`].
    pub(crate) const fn is_exact(self) -> bool {
        let most = INTEGER_MAX.unsigned_abs();
        self.score.unsigned_abs() <= most && self.subscore.unsigned_abs() <= most
    }
}

impl From<i64> for Score {
    fn from(score: i64) -> Self {
        Self { score, subscore: 0 }
    }
}

/// One owner's entry in one period of one board.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Score and subscore.
    pub score: Score,
    /// When this score was reached: the receive time of the command that changed it.
    pub reached_at: Timestamp,
    /// Time of the newest event counted; decides [`Operator::Set`].
    pub newest_ts: Timestamp,
    /// How it sorts.
    pub sort: Sort,
}

/// How a board counts, sorts and ranks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// What a new value does to a score.
    pub operator: Operator,
    /// How entries sort.
    pub sort: Sort,
    /// How ranks are counted.
    pub ranking: Ranking,
    /// The board's name, if it has one.
    pub name: Option<BoardId>,
}

impl Settings {
    /// Whether entries of the one mean the same on the other. Ranks may be counted differently.
    fn same_entries(&self, other: &Self) -> bool {
        (self.operator, self.sort, &self.name) == (other.operator, other.sort, &other.name)
    }
}

/// A score or a value lies beyond ±[`INTEGER_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overflow;

/// Where an entry stands, smaller first; owner ids decide between equal places.
pub(crate) type Place = [i64; 3];

impl Standing {
    /// Negation would overflow at the smallest integer; flipping the bits reverses the order of all of them.
    pub(crate) fn place(&self) -> Place {
        let reached = self.reached_at.as_unix_millis();
        let tie = match self.sort.ties {
            Ties::FirstToReach => reached,
            Ties::LastToReach => !reached,
            Ties::OwnerId => 0,
        };
        let [score, subscore] = self.sort.order.key(self.score);
        [score, subscore, tie]
    }
}

impl Order {
    /// Smaller is better.
    pub(crate) const fn key(self, Score { score, subscore }: Score) -> [i64; 2] {
        match self {
            Self::Desc => [!score, !subscore],
            Self::Asc => [score, subscore],
        }
    }
}

impl Operator {
    /// The entry after one more value. An unchanged pair keeps its `reached_at`: nobody moves. A value beyond
    /// ±[`INTEGER_MAX`] is refused whether it would count or not.
    pub fn apply(
        self,
        before: Option<Standing>,
        sort: Sort,
        value: Score,
        ts: Timestamp,
        received_at: Timestamp,
    ) -> Result<Standing, Overflow> {
        if !value.is_exact() {
            return Err(Overflow);
        }
        let Some(old) = before else {
            let score = if self == Self::Decr { add(Score::default(), value, i64::checked_sub)? } else { value };
            return Ok(Standing { score, reached_at: received_at, newest_ts: ts, sort });
        };
        let score = match self {
            Self::Incr => add(old.score, value, i64::checked_add)?,
            Self::Decr => add(old.score, value, i64::checked_sub)?,
            Self::Best if sort.order.key(value) < sort.order.key(old.score) => value,
            Self::Set if ts >= old.newest_ts => value,
            Self::Best | Self::Set => old.score,
        };
        let reached_at = if score == old.score { old.reached_at } else { received_at };
        Ok(Standing { score, reached_at, newest_ts: old.newest_ts.max(ts), sort })
    }
}

fn add(a: Score, b: Score, checked: fn(i64, i64) -> Option<i64>) -> Result<Score, Overflow> {
    let sum = |a, b| checked(a, b).ok_or(Overflow);
    let sum = Score { score: sum(a.score, b.score)?, subscore: sum(a.subscore, b.subscore)? };
    if sum.is_exact() { Ok(sum) } else { Err(Overflow) }
}

tags!(Order { Desc = 0, Asc = 1 });
tags!(Ties { FirstToReach = 0, LastToReach = 1, OwnerId = 2 });
fields!(Sort { order, ties });
fields!(Score { score, subscore });
fields!(Standing { score, reached_at, newest_ts, sort });

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_unix_millis(millis)
    }

    #[test]
    fn operators() {
        let apply = |operator: Operator, order, value: (i64, i64), ts| {
            let sort = Sort { order, ties: Ties::FirstToReach };
            let old = Standing { score: Score { score: 10, subscore: 5 }, reached_at: at(5), newest_ts: at(5), sort };
            let value = Score { score: value.0, subscore: value.1 };
            let new = operator.apply(Some(old), sort, value, at(ts), at(9)).unwrap();
            (new.score.score, new.score.subscore, new.reached_at.as_unix_millis())
        };
        assert_eq!(apply(Operator::Incr, Order::Desc, (5, 1), 1), (15, 6, 9));
        assert_eq!(apply(Operator::Incr, Order::Desc, (0, 0), 6), (10, 5, 5), "nothing changed, nobody moves");
        assert_eq!(apply(Operator::Decr, Order::Desc, (25, 0), 6), (-15, 5, 9), "no floor");
        assert_eq!(apply(Operator::Best, Order::Desc, (7, 99), 6), (10, 5, 5), "the pair, not each alone");
        assert_eq!(apply(Operator::Best, Order::Desc, (10, 6), 6), (10, 6, 9));
        assert_eq!(apply(Operator::Best, Order::Asc, (10, 6), 6), (10, 5, 5));
        assert_eq!(apply(Operator::Best, Order::Asc, (7, 99), 6), (7, 99, 9));
        assert_eq!(apply(Operator::Set, Order::Desc, (3, 0), 4), (10, 5, 5), "older than what is there");
        assert_eq!(apply(Operator::Set, Order::Desc, (3, 0), 5), (3, 0, 9));
    }

    #[test]
    fn overflow_is_an_error_at_both_ends() {
        let sort = Sort::default();
        for (operator, start, value) in [
            (Operator::Incr, INTEGER_MAX, 1),
            (Operator::Incr, -INTEGER_MAX, -1),
            (Operator::Decr, -INTEGER_MAX, 1),
            (Operator::Decr, INTEGER_MAX, -1),
            (Operator::Incr, i64::MAX, 1),
        ] {
            for subscored in [false, true] {
                let score = |n| if subscored { Score { score: 0, subscore: n } } else { n.into() };
                let old = Standing { score: score(start), sort, ..Standing::default() };
                assert_eq!(operator.apply(Some(old), sort, score(value), at(0), at(0)), Err(Overflow));
                assert!(operator.apply(Some(old), sort, score(0), at(0), at(0)).is_ok() || start == i64::MAX);
            }
        }
        for operator in [Operator::Incr, Operator::Best, Operator::Set, Operator::Decr] {
            let old = Standing { sort, newest_ts: at(9), ..Standing::default() };
            for value in [INTEGER_MAX + 1, -INTEGER_MAX - 1, i64::MAX, i64::MIN] {
                // Also where it would not count: worse than the best, older than the newest.
                for (before, value) in [(None, value.into()), (Some(old), Score { score: -1, subscore: value })] {
                    assert_eq!(operator.apply(before, sort, value, at(0), at(0)), Err(Overflow), "{operator:?}");
                }
            }
        }
    }
}
