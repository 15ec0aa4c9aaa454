//! The storage boundary.

use std::sync::Arc;

use crate::board::{Cursor, Order, Page, Ranking, Row, ScoreRange};
use crate::error::StoreError;
use crate::id::PlayerId;
use crate::record::{BoardKey, ChangeSet, CommitOutcome, Horizon, Key, Record};

/// Where records live. Batch-shaped; no provided methods, so a wrapper cannot forget to forward one.
///
/// # Contract
///
/// * `load` answers every key, in order, repeats included. No answer for a `Player` may be newer than the answer for
///   another key of that player: read in the order asked, or at one moment.
/// * `commit` answers every change set, in order. Each is written entirely or not at all, and only if
///   [`ChangeSet::fits`] the stored player and the horizon of that moment. One that does not fit, or fails, does not
///   stop those after it.
/// * `advance` raises the horizon and returns what it is now; it never goes back. Then outcomes with
///   `ts < forgotten_before` go (their own `ts`: a payment's receipt may be much older), and players of whom only the
///   mark of an erasure older than that is left, and nothing else.
///
/// [`crate::conformance`] checks all of it.
pub trait Store: Send + Sync {
    /// Reads many records.
    fn load(&self, keys: &[Key]) -> Result<Vec<Option<Record>>, StoreError>;

    /// Writes many change sets.
    fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome>;

    /// Raises the horizon.
    fn advance(&self, to: Horizon) -> Result<Horizon, StoreError>;
}

/// The same boundary for asynchronous clients.
///
/// Not dyn-compatible by design: an application names its store type. The futures are `Send`.
pub trait AsyncStore: Send + Sync {
    /// Reads many records.
    fn load(&self, keys: &[Key]) -> impl Future<Output = Result<Vec<Option<Record>>, StoreError>> + Send;

    /// Writes many change sets.
    fn commit(&self, batch: Vec<ChangeSet>) -> impl Future<Output = Vec<CommitOutcome>> + Send;

    /// Raises the horizon.
    fn advance(&self, to: Horizon) -> impl Future<Output = Result<Horizon, StoreError>> + Send;
}

/// Enumerates records: for snapshots, digests, exports, bulk commands and rebuilding an index.
pub trait Scan: Send + Sync {
    /// The next records after a key, in key order, at most `limit`; empty at the end.
    fn scan(&self, after: Option<&Key>, limit: usize) -> Result<Vec<(Key, Record)>, StoreError>;

    /// Every record of one player, in key order.
    fn scan_player(&self, player: &PlayerId) -> Result<Vec<(Key, Record)>, StoreError>;
}

/// Reading boards; separate, because a replica, a sorted set or an index in memory may answer.
pub trait Boards: Send + Sync {
    /// Best first, `offset..offset + limit`.
    fn page(&self, key: &BoardKey, offset: usize, limit: usize, ranking: Ranking) -> Result<Vec<Row>, StoreError>;

    /// The first `limit`, or those behind a page's end: `store_misconfigured` for a cursor of another board, which the
    /// engine never hands on.
    fn page_after(
        &self,
        key: &BoardKey,
        cursor: Option<&Cursor>,
        limit: usize,
        ranking: Ranking,
    ) -> Result<Page, StoreError>;

    /// Those with a score in a range, best first, without the first `offset` of them.
    fn by_score_range(
        &self,
        key: &BoardKey,
        scores: ScoreRange,
        offset: usize,
        limit: usize,
        ranking: Ranking,
    ) -> Result<Vec<Row>, StoreError>;

    /// How many of the others the player is ahead of, in hundredths of a percent, as [`crate::board::View::percentile`]
    /// says.
    fn percentile(&self, key: &BoardKey, player: &PlayerId) -> Result<Option<u32>, StoreError>;

    /// Rank from 1, if the player is shown.
    fn rank(&self, key: &BoardKey, player: &PlayerId, ranking: Ranking) -> Result<Option<u64>, StoreError>;

    /// The player's row, with up to `each_side` rows above and below.
    fn around(
        &self,
        key: &BoardKey,
        player: &PlayerId,
        each_side: usize,
        ranking: Ranking,
    ) -> Result<Vec<Row>, StoreError>;

    /// Rows of some players, best first, with their ranks on the whole board.
    fn by_owners(&self, key: &BoardKey, players: &[PlayerId], ranking: Ranking) -> Result<Vec<Row>, StoreError>;

    /// How many are strictly better than a score.
    fn count_above(&self, key: &BoardKey, score: i64, order: Order) -> Result<u64, StoreError>;

    /// How many are shown.
    fn len(&self, key: &BoardKey) -> Result<u64, StoreError>;

    /// Frees the boards that are not to be kept; players' entries in them go at each player's next write.
    fn retain(&self, keep: &dyn Fn(&BoardKey) -> bool) -> Result<(), StoreError>;
}

/// Committed change sets in the order they were committed, at least once each: for an inventory, a bus, an audit log, a
/// replica.
pub trait Feed: Send + Sync {
    /// The next entries after a cursor (0 is the start), at most `limit`.
    fn feed(&self, after: u64, limit: usize) -> Result<Vec<FeedEntry>, StoreError>;

    /// Everything up to the cursor was dealt with and may go.
    fn ack(&self, through: u64) -> Result<(), StoreError>;
}

/// One committed change set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedEntry {
    /// Its place in the feed, from 1.
    pub cursor: u64,
    /// What was committed.
    pub changes: Arc<ChangeSet>,
}

macro_rules! forward {
    ($($pointer:ty),+) => {$(
        impl<S: Store + ?Sized> Store for $pointer {
            fn load(&self, keys: &[Key]) -> Result<Vec<Option<Record>>, StoreError> {
                (**self).load(keys)
            }
            fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
                (**self).commit(batch)
            }
            fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
                (**self).advance(to)
            }
        }

        impl<S: Scan + ?Sized> Scan for $pointer {
            fn scan(&self, after: Option<&Key>, limit: usize) -> Result<Vec<(Key, Record)>, StoreError> {
                (**self).scan(after, limit)
            }
            fn scan_player(&self, player: &PlayerId) -> Result<Vec<(Key, Record)>, StoreError> {
                (**self).scan_player(player)
            }
        }

        impl<S: Boards + ?Sized> Boards for $pointer {
            fn page_after(&self, key: &BoardKey, cursor: Option<&Cursor>, limit: usize, how: Ranking) -> Result<Page, StoreError> {
                (**self).page_after(key, cursor, limit, how)
            }
            fn by_score_range(&self, key: &BoardKey, scores: ScoreRange, offset: usize, limit: usize, how: Ranking) -> Result<Vec<Row>, StoreError> {
                (**self).by_score_range(key, scores, offset, limit, how)
            }
            fn percentile(&self, key: &BoardKey, player: &PlayerId) -> Result<Option<u32>, StoreError> {
                (**self).percentile(key, player)
            }
            fn page(&self, key: &BoardKey, offset: usize, limit: usize, how: Ranking) -> Result<Vec<Row>, StoreError> {
                (**self).page(key, offset, limit, how)
            }
            fn rank(&self, key: &BoardKey, player: &PlayerId, how: Ranking) -> Result<Option<u64>, StoreError> {
                (**self).rank(key, player, how)
            }
            fn around(&self, key: &BoardKey, player: &PlayerId, n: usize, how: Ranking) -> Result<Vec<Row>, StoreError> {
                (**self).around(key, player, n, how)
            }
            fn by_owners(&self, key: &BoardKey, players: &[PlayerId], how: Ranking) -> Result<Vec<Row>, StoreError> {
                (**self).by_owners(key, players, how)
            }
            fn count_above(&self, key: &BoardKey, score: i64, order: Order) -> Result<u64, StoreError> {
                (**self).count_above(key, score, order)
            }
            fn len(&self, key: &BoardKey) -> Result<u64, StoreError> {
                (**self).len(key)
            }
            fn retain(&self, keep: &dyn Fn(&BoardKey) -> bool) -> Result<(), StoreError> {
                (**self).retain(keep)
            }
        }

        impl<S: Feed + ?Sized> Feed for $pointer {
            fn feed(&self, after: u64, limit: usize) -> Result<Vec<FeedEntry>, StoreError> {
                (**self).feed(after, limit)
            }
            fn ack(&self, through: u64) -> Result<(), StoreError> {
                (**self).ack(through)
            }
        }
    )+};
}
forward!(&S, Box<S>, Arc<S>);
