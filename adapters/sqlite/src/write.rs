//! Writing change sets: a round is one transaction.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use liveops_core::PlayerId;
use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::record::{ChangeSet, CommitOutcome, Horizon};
use rusqlite::{CachedStatement, Connection};

use crate::SqliteStore;
use crate::boards::News;
use crate::connection::Armed;
use crate::error::Fault;
use crate::expiry::{Columns, Sweep};
use crate::feed::Entries;
use crate::rows::{Rows, remove_player};

/// Rows that the sweep looks at for each outcome written: it keeps up with whatever is written.
const SWEPT_PER_OUTCOME: usize = 2;
/// How far a change set's row is looked for among those that were seen.
const SEEN_SKIPPED_MAX: usize = 64;

/// What only the one who writes may touch.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) conn: Connection,
    /// The next player's number.
    pub(crate) next_p: i64,
    pub(crate) feed: Entries,
    pub(crate) sweep: Sweep,
    /// SQLite's own number of what others have written.
    pub(crate) data_version: i64,
    /// Pages in the log.
    pub(crate) log_pages: Arc<AtomicU32>,
    /// How many there were when they were written back last, as far as that went.
    pub(crate) log_tried: u32,
    /// Whose rows the last load over this connection met, in order: most change sets are of these.
    pub(crate) seen: Vec<(PlayerId, i64)>,
}

/// Why a round came to nothing.
struct Failed {
    error: StoreError,
    /// Whether it was about what was to be written, so that less of it may do.
    by_content: bool,
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        let error = StoreError::from(fault);
        let by_content = !matches!(error.kind, StoreErrorKind::OutcomeUnknown);
        Self { error, by_content }
    }
}

impl SqliteStore {
    /// Writes every batch, all of them in one transaction where nothing is wrong with any.
    pub(crate) fn write(&self, batches: &[Vec<ChangeSet>]) -> Vec<Vec<CommitOutcome>> {
        let mut writer = self.inner.writer.lock();
        let armed = Armed::new(&self.inner.poison);
        let outcomes = self.write_over(&mut writer, batches);
        armed.disarm();
        outcomes
    }

    fn write_over(&self, writer: &mut Writer, batches: &[Vec<ChangeSet>]) -> Vec<Vec<CommitOutcome>> {
        let slices: Vec<&[ChangeSet]> = batches.iter().map(Vec::as_slice).collect();
        match self.round(writer, &slices) {
            Ok(outcomes) => outcomes,
            Err(failed) if !failed.by_content => batches.iter().map(|batch| fail(batch, &failed.error)).collect(),
            Err(failed) => match slices[..] {
                [batch] => vec![self.one_by_one(writer, batch, &failed.error)],
                _ => slices.iter().map(|batch| self.alone(writer, batch)).collect(),
            },
        }
    }

    /// One caller's batch, so that its fault is not the others'.
    fn alone(&self, writer: &mut Writer, batch: &[ChangeSet]) -> Vec<CommitOutcome> {
        match self.round(writer, &[batch]) {
            Ok(outcomes) => outcomes.into_iter().flatten().collect(),
            Err(failed) if !failed.by_content => fail(batch, &failed.error),
            Err(failed) => self.one_by_one(writer, batch, &failed.error),
        }
    }

    /// One change set after the other, where one of them may be at fault; not for want of room.
    fn one_by_one(&self, writer: &mut Writer, batch: &[ChangeSet], error: &StoreError) -> Vec<CommitOutcome> {
        if batch.len() < 2 || matches!(error.kind, StoreErrorKind::Full | StoreErrorKind::Unavailable) {
            return fail(batch, error);
        }
        let write = |changes: &ChangeSet| {
            let alone = std::slice::from_ref(changes);
            let outcome = self.round(writer, &[alone]).map(|outcomes| outcomes.into_iter().flatten().next());
            match outcome {
                Ok(outcome) => outcome.unwrap_or(CommitOutcome::Conflict),
                Err(failed) => CommitOutcome::Failed(failed.error),
            }
        };
        batch.iter().map(write).collect()
    }

    /// One transaction. Boards are told once it is committed, while nobody else can write.
    fn round(&self, writer: &mut Writer, batches: &[&[ChangeSet]]) -> Result<Vec<Vec<CommitOutcome>>, Failed> {
        let hopeless = |fault: Fault| Failed { by_content: false, ..Failed::from(fault) };
        let horizon = *self.inner.horizon.read();
        let transaction = self.begin(writer).map_err(hopeless)?;
        let mut writing = Writing::new(writer, horizon)?;
        let mut all = Vec::with_capacity(batches.len());
        for batch in batches {
            let outcomes = batch.iter().map(|changes| writing.put(changes)).collect::<Result<Vec<_>, _>>()?;
            all.push(outcomes);
        }
        let Written { next_p, feed, outcomes, news } = writing.end();
        if news.len() == 0 {
            return Ok(all);
        }
        let mut sweep = writer.sweep.clone();
        let looked = sweep.look(&writer.conn, horizon, outcomes * SWEPT_PER_OUTCOME).map_err(StoreError::from);
        if let Err(error) = looked {
            drop(transaction);
            if error.kind != StoreErrorKind::Corrupt {
                return Err(Fault::from(error).into());
            }
            // What cannot be read is no fault of those who write: once more, without the sweep. What it freed before it failed is
            // rolled back with the rest, since nobody knows how far the last row went.
            writer.sweep.stop();
            return self.round(writer, batches);
        }
        match transaction.commit(&self.inner.poison) {
            Ok(()) => {}
            Err(error) if error.kind == StoreErrorKind::OutcomeUnknown => {
                for outcome in all.iter_mut().flatten() {
                    if matches!(outcome, CommitOutcome::Applied) {
                        *outcome = CommitOutcome::Failed(error.clone());
                    }
                }
                return Ok(all);
            }
            Err(error) => return Err(Failed::from(Fault::from(error))),
        }
        (writer.next_p, writer.feed, writer.sweep) = (next_p, feed, sweep);
        self.inner.counts.committed(news.len());
        news.tell(&self.inner.boards);
        self.write_log_back(writer);
        Ok(all)
    }
}

fn fail(batch: &[ChangeSet], error: &StoreError) -> Vec<CommitOutcome> {
    batch.iter().map(|_| CommitOutcome::Failed(error.clone())).collect()
}

/// A round that is being written.
struct Writing<'c, 'b> {
    conn: &'c Connection,
    /// Those of [`Writer::seen`] that are still to come.
    seen: &'c [(PlayerId, i64)],
    find: CachedStatement<'c>,
    rows: Rows<'c>,
    horizon: Horizon,
    next_p: i64,
    feed: Entries,
    bytes: Vec<u8>,
    outcomes: usize,
    news: News<'b>,
}

impl<'c, 'b> Writing<'c, 'b> {
    fn new(writer: &'c Writer, horizon: Horizon) -> Result<Self, Fault> {
        let conn = &writer.conn;
        Ok(Self {
            conn,
            seen: &writer.seen,
            find: conn.prepare_cached("SELECT p, version, erased_through, idle FROM player WHERE id=?1")?,
            rows: Rows::new(conn)?,
            horizon,
            next_p: writer.next_p,
            feed: writer.feed,
            bytes: Vec::new(),
            outcomes: 0,
            news: News::default(),
        })
    }

    /// Writes one change set, or says why not: then nothing of it was.
    fn put(&mut self, changes: &'b ChangeSet) -> Result<CommitOutcome, Fault> {
        if let Some(p) = self.put_seen(changes)? {
            self.put_others(changes, p)?;
            return Ok(CommitOutcome::Applied);
        }
        let found = match self.find(&changes.player).map_err(StoreError::from) {
            Err(error) if error.kind == StoreErrorKind::Corrupt => return Ok(CommitOutcome::Failed(error)),
            found => found?,
        };
        let version = found.filter(|found| !found.is_due).map_or(0, |found| found.version);
        if !changes.fits(version, self.horizon) {
            return Ok(CommitOutcome::Conflict);
        }
        if self.feed.is_full() {
            return Ok(CommitOutcome::Failed(StoreErrorKind::FeedFull.into()));
        }
        let known = match found {
            Some(found) if found.is_due => {
                // What is left of somebody who counts as absent: whoever comes now is somebody else.
                remove_player(self.conn, found.p)?;
                self.news.gone(changes.player.clone());
                None
            }
            found => found.map(|found| found.p),
        };
        let p = known.unwrap_or(self.next_p);
        self.rows.put_player(p, &changes.player, &changes.record, known.is_none())?;
        self.next_p = self.next_p.max(p + 1);
        self.put_others(changes, p)?;
        Ok(CommitOutcome::Applied)
    }

    /// The short way: if the row was seen by the last load and everything fits, the player is written, and this is the row's
    /// number. Whatever does not fit goes the long way, which finds out why.
    fn put_seen(&mut self, changes: &ChangeSet) -> Result<Option<i64>, Fault> {
        let is_common = changes.record.erased_through().is_none() && changes.expected > 0 && !self.feed.is_full();
        if !is_common || !changes.fits(changes.expected, self.horizon) {
            return Ok(None);
        }
        // Change sets come in the order of the load, though not of everybody loaded.
        let mut next = self.seen.iter().take(SEEN_SKIPPED_MAX);
        let Some(skipped) = next.position(|(seen, _)| *seen == changes.player) else { return Ok(None) };
        let (_, p) = self.seen[skipped];
        self.seen = &self.seen[skipped..];
        let fits = self.rows.update_seen(p, changes.expected, &changes.player, &changes.record)?;
        Ok(fits.then_some(p))
    }

    /// Everything but the player.
    fn put_others(&mut self, changes: &'b ChangeSet, p: i64) -> Result<(), Fault> {
        self.feed.put_changes(self.conn, changes, &mut self.bytes)?;
        if changes.forget {
            self.rows.remove_records(p)?;
        }
        for (id, outcome) in &changes.outcomes {
            self.rows.put_outcome(p, id, outcome)?;
        }
        for receipt in &changes.receipts {
            self.rows.put_receipt(p, receipt)?;
        }
        for (number, suspicion) in &changes.suspicions {
            self.rows.put_suspicion(p, *number, suspicion)?;
        }
        for key in &changes.removed {
            self.rows.remove(p, key)?;
        }
        self.outcomes += changes.outcomes.len();
        self.news.committed(changes);
        Ok(())
    }

    fn end(self) -> Written<'b> {
        let Self { next_p, feed, outcomes, news, .. } = self;
        Written { next_p, feed, outcomes, news }
    }

    fn find(&mut self, player: &PlayerId) -> Result<Option<Found>, Fault> {
        let mut rows = self.find.query([player.as_str()])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let columns = Columns::of(row)?;
        let is_due = columns.is_due(self.conn, self.horizon, player.as_str())?;
        Ok(Some(Found { p: columns.p, version: columns.version.cast_unsigned(), is_due }))
    }
}

/// What a round comes to, once it is committed.
struct Written<'b> {
    next_p: i64,
    feed: Entries,
    outcomes: usize,
    /// What the boards are told.
    news: News<'b>,
}

/// A player's row.
#[derive(Clone, Copy)]
struct Found {
    p: i64,
    version: u64,
    /// Whether the player counts as absent all the same.
    is_due: bool,
}
