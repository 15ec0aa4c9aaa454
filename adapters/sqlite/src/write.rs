//! Writing change sets: a round is one transaction.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use liveops_core::PlayerId;
use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::record::{ChangeSet, CommitOutcome, Horizon};
use rusqlite::{CachedStatement, Connection};

use crate::SqliteStore;
use crate::boards::News;
use crate::error::Fault;
use crate::expiry::{Columns, Sweep};
use crate::feed::Entries;
use crate::rows::{Rows, remove_player};

/// Rows that the sweep looks at for each outcome written: it keeps up with whatever is written.
const SWEPT_PER_OUTCOME: usize = 2;

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
        let slices: Vec<&[ChangeSet]> = batches.iter().map(Vec::as_slice).collect();
        match self.round(&mut writer, &slices) {
            Ok(outcomes) => outcomes,
            Err(failed) if !failed.by_content => batches.iter().map(|batch| fail(batch, &failed.error)).collect(),
            Err(failed) => match slices[..] {
                [batch] => vec![self.one_by_one(&mut writer, batch, &failed.error)],
                _ => slices.iter().map(|batch| self.alone(&mut writer, batch)).collect(),
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
        sweep.look(&writer.conn, horizon, outcomes * SWEPT_PER_OUTCOME)?;
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
        let found = self.find(&changes.player)?;
        let version = found.filter(|found| !found.is_due).map_or(0, |found| found.version);
        if !changes.fits(version, self.horizon) {
            return Ok(CommitOutcome::Conflict);
        }
        if self.feed.is_full() {
            return Ok(CommitOutcome::Failed(StoreErrorKind::FeedFull.into()));
        }
        self.feed.put_changes(self.conn, changes, &mut self.bytes)?;
        let known = match found {
            Some(found) if found.is_due => {
                // What is left of somebody who counts as absent: whoever comes now is somebody else.
                remove_player(self.conn, found.p)?;
                self.news.gone(changes.player.clone());
                None
            }
            found => found.map(|found| found.p),
        };
        if let Some(p) = known.filter(|_| changes.forget) {
            self.rows.remove_records(p)?;
        }
        let p = known.unwrap_or(self.next_p);
        self.rows.put_player(p, &changes.player, &changes.record, known.is_none())?;
        self.next_p = self.next_p.max(p + 1);
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
        Ok(CommitOutcome::Applied)
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
