//! What happened, for others.

use super::{AsyncEngine, Engine, ready};
use crate::error::Error;
use crate::store::{AsyncFeed, Consumer, ConsumerMark, Feed, FeedEntry, Partitioned};

impl<S: Partitioned> AsyncEngine<S> {
    /// See [`Engine::partitions`].
    pub fn partitions(&self) -> u16 {
        self.store.partitions()
    }
}

impl<S: AsyncFeed> AsyncEngine<S> {
    /// See [`Engine::feed`].
    pub async fn feed(&self, partition: u16, after: u64, limit: usize) -> Result<Vec<FeedEntry>, Error> {
        Ok(self.store.feed(partition, after, limit).await?)
    }

    /// See [`Engine::last`].
    pub async fn last(&self, partition: u16) -> Result<u64, Error> {
        Ok(self.store.last(partition).await?)
    }

    /// See [`Engine::ack`].
    pub async fn ack(&self, consumer: &Consumer, partition: u16, through: u64) -> Result<(), Error> {
        Ok(self.store.ack(consumer, partition, through).await?)
    }

    /// See [`Engine::drop_consumer`].
    pub async fn drop_consumer(&self, consumer: &Consumer) -> Result<(), Error> {
        Ok(self.store.drop_consumer(consumer).await?)
    }

    /// See [`Engine::consumers`].
    pub async fn consumers(&self) -> Result<Vec<ConsumerMark>, Error> {
        Ok(self.store.consumers().await?)
    }
}

impl<S: Partitioned> Engine<S> {
    /// How many partitions the store and its feed have, numbered from 0.
    pub fn partitions(&self) -> u16 {
        self.0.partitions()
    }
}

/// The feed, if the store keeps one.
impl<S: Feed> Engine<S> {
    /// What happened next in a partition after a cursor (0 is the start), at most `limit` entries: each commit and each advance, at
    /// least once, in the order of each player. Ids in them tell what was dealt with before.
    ///
    /// Errors: `feed_gap` for a cursor whose next entry is no longer kept, or beyond [`Self::last`]; then begin anew from the records.
    pub fn feed(&self, partition: u16, after: u64, limit: usize) -> Result<Vec<FeedEntry>, Error> {
        ready(self.0.feed(partition, after, limit))
    }

    /// The cursor of a partition's newest entry ever; 0 before the first.
    pub fn last(&self, partition: u16) -> Result<u64, Error> {
        ready(self.0.last(partition))
    }

    /// A consumer has dealt with everything through the cursor: what every known consumer has dealt with may go. The first
    /// acknowledgement, also one of 0, makes a consumer known.
    pub fn ack(&self, consumer: &Consumer, partition: u16, through: u64) -> Result<(), Error> {
        ready(self.0.ack(consumer, partition, through))
    }

    /// Forgets a consumer: nothing is kept for it any more.
    pub fn drop_consumer(&self, consumer: &Consumer) -> Result<(), Error> {
        ready(self.0.drop_consumer(consumer))
    }

    /// Everybody known, by name, and how far each is.
    pub fn consumers(&self) -> Result<Vec<ConsumerMark>, Error> {
        ready(self.0.consumers())
    }
}
