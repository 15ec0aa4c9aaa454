//! The feed: what was committed and how the horizon rose, until everybody has read it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::error::{StoreError, StoreErrorKind};
use crate::record::{ChangeSet, Horizon};
use crate::store::{Consumer, ConsumerMark, FeedEntry, FeedMarks, Happened};

/// A feed of one partition. Without a length it keeps nothing, and knows only where an earlier feed stood.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    /// Most change sets that wait to be acknowledged.
    len_max: Option<usize>,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    entries: VecDeque<FeedEntry>,
    /// Change sets among them.
    sets: usize,
    /// The cursor of the newest entry ever.
    last: u64,
    /// What follows this is kept.
    trimmed: u64,
    consumers: BTreeMap<Consumer, u64>,
}

impl Backlog {
    pub(super) fn new(len_max: usize) -> Self {
        Self { len_max: Some(len_max), kept: Mutex::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.kept.lock().entries.len()
    }

    pub(super) fn last(&self) -> u64 {
        self.kept.lock().last
    }

    /// Takes a change set, in the order of its player; `feed_full` once as many wait as are kept.
    pub(super) fn commit(&self, changes: &ChangeSet) -> Result<(), StoreErrorKind> {
        self.commit_with(|| Ok(changes.clone()))
    }

    /// The same of one that is made only if it is kept.
    pub(super) fn commit_with(
        &self,
        changes: impl FnOnce() -> Result<ChangeSet, StoreErrorKind>,
    ) -> Result<(), StoreErrorKind> {
        let Some(len_max) = self.len_max else { return Ok(()) };
        // Made before others have to wait.
        let changes = Arc::new(changes()?);
        let mut kept = self.kept.lock();
        if kept.sets >= len_max {
            return Err(StoreErrorKind::FeedFull);
        }
        kept.sets += 1;
        kept.push(Happened::Committed(changes));
        Ok(())
    }

    /// Notes how the horizon rose, also if the feed is full: such entries are not counted.
    pub(super) fn advance(&self, horizon: Horizon) {
        let Some(len_max) = self.len_max else { return };
        let mut kept = self.kept.lock();
        let rises = kept.entries.len() - kept.sets;
        let is_rise = |entry: &FeedEntry| matches!(entry.what, Happened::Advanced(_));
        // While nobody reads and nothing can be committed, the horizon may rise for years: a rise right after another says all
        // that the two do.
        if rises > len_max && kept.entries.back().is_some_and(is_rise) {
            kept.entries.pop_back();
        }
        kept.push(Happened::Advanced(horizon));
    }

    pub(super) fn read(&self, after: u64, limit: usize) -> Result<Vec<FeedEntry>, StoreError> {
        let kept = self.kept.lock();
        if !(kept.trimmed..=kept.last).contains(&after) {
            return Err(StoreErrorKind::FeedGap.into());
        }
        let first = kept.entries.partition_point(|entry| entry.cursor <= after);
        Ok(kept.entries.range(first..).take(limit).cloned().collect())
    }

    pub(super) fn ack(&self, consumer: &Consumer, through: u64) -> Result<(), StoreError> {
        let mut kept = self.kept.lock();
        if through > kept.last {
            return Err(StoreErrorKind::FeedGap.into());
        }
        let acked = kept.consumers.entry(consumer.clone()).or_default();
        *acked = through.max(*acked);
        kept.trim();
        Ok(())
    }

    pub(super) fn drop_consumer(&self, consumer: &Consumer) {
        let mut kept = self.kept.lock();
        kept.consumers.remove(consumer);
        kept.trim();
    }

    pub(super) fn consumers(&self) -> Vec<ConsumerMark> {
        self.kept.lock().consumers()
    }

    /// Where it stands, for a snapshot.
    pub(super) fn marks(&self) -> FeedMarks {
        let kept = self.kept.lock();
        FeedMarks { last: vec![kept.last], consumers: kept.consumers() }
    }

    /// Goes on from such marks.
    pub(super) fn resume(&self, marks: FeedMarks) {
        let last = marks.last.first().copied().unwrap_or_default();
        let acked = |mark: ConsumerMark| (mark.consumer, mark.acked.first().copied().unwrap_or_default());
        let consumers = marks.consumers.into_iter().map(acked).collect();
        *self.kept.lock() = Kept { last, trimmed: last, consumers, ..Kept::default() };
    }
}

impl Kept {
    fn push(&mut self, what: Happened) {
        self.last += 1;
        self.entries.push_back(FeedEntry { cursor: self.last, what });
    }

    fn consumers(&self) -> Vec<ConsumerMark> {
        let mark =
            |(consumer, acked): (&Consumer, &u64)| ConsumerMark { consumer: consumer.clone(), acked: vec![*acked] };
        self.consumers.iter().map(mark).collect()
    }

    /// Lets go of what everybody acknowledged.
    fn trim(&mut self) {
        let Some(through) = self.consumers.values().min() else { return };
        self.trimmed = self.trimmed.max(*through);
        let gone = self.entries.partition_point(|entry| entry.cursor <= self.trimmed);
        let sets = self.entries.drain(..gone).filter(|entry| matches!(entry.what, Happened::Committed(_))).count();
        self.sets -= sets;
    }
}
