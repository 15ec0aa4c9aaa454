//! The end of a store's outbox: what boards that are followed from afar are told by.

use super::AsyncScan;
use crate::error::StoreError;
use crate::id::PlayerId;
use crate::record::{Horizon, Notice};

/// What follows a cursor in one partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TailPage {
    /// In the order of the partition, each under its own cursor.
    pub entries: Vec<(u64, Notice)>,
    /// Everything through here was given: at least the last entry's cursor, and beyond it where nothing else is.
    pub through: u64,
}

/// A store that many processes share, each of which answers boards from a [`Replica`](crate::Replica) that follows.
///
/// Whatever a commit tells is in the outbox of the player's partition once the commit is certain, in the order of each player. So are
/// [`Told::Gone`](crate::record::Told::Gone), before the first commit of whoever begins again under the name, and each rise of
/// the horizon, behind everything that was committed under the one before.
pub trait AsyncTail: AsyncScan {
    /// Where everything of a player is; the same for as long as the store lives.
    fn partition_of(&self, player: &PlayerId) -> u16;

    /// By partition, as many as there are cursors: what follows each, at most `limit` entries, in one round trip. After 0 comes the first
    /// entry ever.
    ///
    /// Errors, each of one partition: `feed_gap` where entries after the cursor are no longer kept, or it is none of this store, such as
    /// one of before it was restored or lost its last moments, also where it was given out again since; `record_too_new` or `store_corrupt` for an entry that cannot be read, which is never left out.
    fn tail(&self, after: &[u64], limit: usize) -> impl Future<Output = Vec<Result<TailPage, StoreError>>> + Send;

    /// The horizon now: for who reads records instead of the entries that told how it rose.
    fn advanced_to(&self) -> impl Future<Output = Result<Horizon, StoreError>> + Send;

    /// By partition: a cursor from which to follow, for who reads the records now. Nothing is at it or before it that such a reading
    /// could miss; what is behind it may be older than what is read. This never waits.
    fn begins(&self) -> impl Future<Output = Result<Vec<u64>, StoreError>> + Send;

    /// By partition: a cursor through which everything is that was committed before the call. Where that takes a while to know, this
    /// waits, or fails.
    fn ends(&self) -> impl Future<Output = Result<Vec<u64>, StoreError>> + Send;
}
