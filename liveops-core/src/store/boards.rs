//! Reading boards: separate from records, because a replica, a sorted set or an index in memory may answer.

use crate::board::{Cursor, Page, Ranking, Row, ScoreRange, Sort};
use crate::error::StoreError;
use crate::id::PlayerId;
use crate::record::{BoardKey, Horizon};

/// One question to one board in one period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoardRead {
    /// Which.
    pub key: BoardKey,
    /// How it sorts: entries that were made to sort otherwise, by an earlier board of that name, are on another board.
    pub sort: Sort,
    /// How ranks are counted.
    pub ranking: Ranking,
    /// What is asked.
    pub what: Reading,
}

/// What is asked of a board.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reading {
    /// Best first, `offset..offset + limit`: [`BoardAnswer::Rows`].
    Page {
        /// How many are left out at the front.
        offset: usize,
        /// How many rows at most.
        limit: usize,
    },
    /// The first `limit`, or those behind a page's end: [`BoardAnswer::Page`]; `store_misconfigured` for a cursor of another
    /// board, which the engine never hands on.
    PageAfter {
        /// Where to go on.
        cursor: Option<Cursor>,
        /// How many rows at most.
        limit: usize,
    },
    /// Those with a score in a range, best first, without the first `offset` of them: [`BoardAnswer::Rows`].
    ByScoreRange {
        /// From, through.
        scores: ScoreRange,
        /// How many are left out at the front.
        offset: usize,
        /// How many rows at most.
        limit: usize,
    },
    /// How many of the others the player is ahead of, in hundredths of a percent, as [`crate::board::View::percentile`] says:
    /// [`BoardAnswer::Percentile`].
    Percentile(PlayerId),
    /// Rank from 1, if the player is shown: [`BoardAnswer::Rank`].
    Rank(PlayerId),
    /// The player's row, with up to `each_side` rows above and below: [`BoardAnswer::Rows`].
    Around {
        /// In the middle.
        player: PlayerId,
        /// How many more each way.
        each_side: usize,
    },
    /// Rows of some players, best first, with their ranks on the whole board: [`BoardAnswer::Rows`].
    ByOwners(Vec<PlayerId>),
    /// How many are strictly better than a score: [`BoardAnswer::Count`].
    CountAbove {
        /// The score.
        score: i64,
    },
    /// How many are shown: [`BoardAnswer::Count`].
    Len,
}

/// What a board answers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BoardAnswer {
    /// Best first.
    Rows(Vec<Row>),
    /// Best first, and where the next page begins.
    Page(Page),
    /// From 1.
    Rank(Option<u64>),
    /// Hundredths of a percent.
    Percentile(Option<u32>),
    /// How many.
    Count(u64),
}

/// What a caller passes to say which boards are kept. Asked of each board in the moment in which it is freed or built, in one step
/// with that, and it may change its mind: it goes by the rules in force.
pub type Keeps<'k> = &'k (dyn Fn(&BoardKey) -> bool + Send + Sync);

/// How far boards are behind what they follow; nothing where they are told within each commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Lag {
    /// Entries that are known and not followed yet, of all partitions.
    pub behind: u64,
    /// How long ago the last look was that succeeded, in milliseconds; `None` before the first.
    pub age_millis: Option<u64>,
    /// How old the oldest transaction is that holds the boards up, in milliseconds, where one does.
    pub oldest_transaction_millis: Option<u64>,
}

/// Boards as the records say: everybody with an entry of the board, the period and the [sort](BoardRead::sort) that is asked
/// for who is not hidden.
pub trait Boards: Send + Sync {
    /// Answers many questions, in order; a far store in one round trip. A board that nobody stands on is empty. One that is being
    /// brought back is `store_unavailable` until it is whole; all are, or fail with the reason, where it is not known who stands
    /// on them.
    fn read(&self, reads: &[BoardRead]) -> Vec<Result<BoardAnswer, StoreError>>;

    /// Frees the boards that are not to be kept; players' entries in them go at each player's next write. Whoever rebuilds after
    /// `keep` changed its mind finds each board either kept or freed.
    fn retain(&self, keep: Keeps<'_>) -> Result<(), StoreError>;

    /// Brings back what was freed and is kept again: every board as the records have it, before it returns. Others read and
    /// write meanwhile. Where nothing was freed that is kept again, it costs next to nothing.
    fn rebuild(&self, keep: Keeps<'_>) -> Result<(), StoreError>;

    /// Everything that was committed before the call is on the boards when it returns. Whoever pays by a board asks first.
    fn catch_up(&self) -> Result<(), StoreError>;

    /// The newest horizon that the boards were told of. An engine frees what is over by it, whoever moved the store.
    fn horizon(&self) -> Horizon;

    /// How far behind the boards are.
    fn lag(&self) -> Result<Lag, StoreError>;

    /// Keeps the rows that a closed period ended in, best first, for people to read, unless some are kept already. A store without
    /// a place for that does nothing.
    fn note_final(&self, key: &BoardKey, rows: &[Row]) -> Result<(), StoreError>;
}
