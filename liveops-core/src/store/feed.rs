//! What happened, in order: for an inventory, a bus, an audit log, a recorder, a replica.

use std::sync::Arc;

use super::Partitioned;
use crate::error::StoreError;
use crate::id::Id;
use crate::record::{ChangeSet, Horizon};

/// Who reads the feed: entries go once every consumer that the feed knows has acknowledged them.
pub type Consumer = Id;

/// How far one consumer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerMark {
    /// Who.
    pub consumer: Consumer,
    /// By partition: everything through here was acknowledged.
    pub acked: Vec<u64>,
}

/// What happened, at least once each, in the order of each player and of each partition. Cursors rise within a partition and
/// outlive the process. A store that was restored from a snapshot goes on in a new epoch: its cursors are above all earlier ones, which are
/// `feed_gap` from then on, since what happened after the snapshot was taken is not in it.
pub trait Feed: Partitioned {
    /// The next entries of a partition after a cursor (0 is the start), at most `limit`.
    ///
    /// Errors: `feed_gap` for a cursor before the first entry still kept, or beyond [`Self::last`].
    fn feed(&self, partition: u16, after: u64, limit: usize) -> Result<Vec<FeedEntry>, StoreError>;

    /// The cursor of the newest entry ever, kept or not; 0 before the first.
    fn last(&self, partition: u16) -> Result<u64, StoreError>;

    /// A consumer has dealt with everything through the cursor. The first acknowledgement, also one of 0, makes a consumer known.
    /// One behind an earlier one changes nothing.
    ///
    /// Errors: `feed_gap` for a cursor beyond [`Self::last`].
    fn ack(&self, consumer: &Consumer, partition: u16, through: u64) -> Result<(), StoreError>;

    /// Forgets a consumer, for which entries are no longer kept. An unknown one is none.
    fn drop_consumer(&self, consumer: &Consumer) -> Result<(), StoreError>;

    /// Everybody known, by name.
    fn consumers(&self) -> Result<Vec<ConsumerMark>, StoreError>;
}

/// One entry of the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedEntry {
    /// Its place in its partition, from 1.
    pub cursor: u64,
    /// What happened.
    pub what: Happened,
}

/// What the feed tells.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Happened {
    /// A change set was committed.
    Committed(Arc<ChangeSet>),
    /// The horizon rose to this. Such an entry is written also when the feed is full.
    Advanced(Horizon),
}
