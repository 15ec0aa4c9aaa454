//! The traits of a store, over what the other files do.

use liveops_core::board::Row;
use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::record::{BoardKey, ChangeSet, CommitOutcome, Header, Horizon, Kind, Record};
use liveops_core::store::{BoardAnswer, BoardRead, Keeps, Lag, Loaded, Partitioned, by_load_and_commit};
use liveops_core::{Boards, Key, Plan, PlayerId, Scan, Store};

use crate::SqliteStore;
use crate::connection::Transaction;
use crate::error::Fault;
use crate::feed::only;
use crate::meta;
use crate::read::{self, Walk};
use crate::write::Writer;

/// Players whose commands are written together: large rounds write each page of the file once.
const ROUND_PLAYERS: usize = 4096;
/// Room that a page of a scan takes at first; a larger limit is not taken at its word.
const PAGE_RECORDS: usize = 1024;

impl Store for SqliteStore {
    fn load(&self, keys: &[Key]) -> Vec<Loaded> {
        let fail = |error: StoreError| keys.iter().map(|_| Err(error.clone())).collect();
        if let Err(error) = self.guard() {
            return fail(error);
        }
        // Whoever commits has read a moment before: over the same connection, whose cache has the pages, unless it is busy.
        let answers = if let Some(mut writer) = self.inner.writer.try_lock() {
            let horizon = *self.inner.horizon.read();
            let Writer { conn, seen, .. } = &mut *writer;
            seen.clear();
            Transaction::read(conn).map_err(Fault::from).and_then(|transaction| {
                let answers = read::load(conn, keys, horizon, seen);
                transaction.end()?;
                Ok(answers)
            })
        } else {
            let horizon = *self.inner.horizon.read();
            self.inner.readers.read(&self.inner.path, |conn| Ok(read::load(conn, keys, horizon, &mut Vec::new())))
        };
        answers.unwrap_or_else(|fault| fail(fault.into()))
    }

    fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        let len = batch.len();
        if len == 0 {
            return Vec::new();
        }
        let fail = |error: StoreError| (0..len).map(|_| CommitOutcome::Failed(error.clone())).collect();
        if let Err(error) = self.guard() {
            return fail(error);
        }
        self.inner.group.write(batch, |batches| self.write(&batches)).unwrap_or_else(|| {
            self.inner.poison.set();
            fail(StoreErrorKind::OutcomeUnknown.into())
        })
    }

    fn drive(&self, plan: &mut Plan<'_>) {
        by_load_and_commit(self, plan);
    }

    fn round_players(&self) -> usize {
        ROUND_PLAYERS
    }

    fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
        Ok(self.raise(to)?)
    }

    fn header(&self) -> Result<Header, StoreError> {
        self.reading(meta::header)
    }

    fn replace_header(&self, expected: &Header, new: &Header) -> Result<bool, StoreError> {
        self.guard()?;
        let writer = self.inner.writer.lock();
        let transaction = self.begin(&writer)?;
        let fits = meta::header(&writer.conn)? == *expected;
        if fits && expected != new {
            meta::set(&writer.conn, meta::HEADER, new.encode())?;
            transaction.commit(&self.inner.poison)?;
        }
        Ok(fits)
    }
}

impl Partitioned for SqliteStore {
    fn partitions(&self) -> u16 {
        1
    }
}

impl SqliteStore {
    fn page<'w>(&self, walk: impl Fn(Horizon) -> Walk<'w>, limit: usize) -> Result<Vec<(Key, Record)>, StoreError> {
        let mut page = Vec::with_capacity(limit.min(PAGE_RECORDS));
        if limit == 0 {
            return Ok(page);
        }
        let horizon = *self.inner.horizon.read();
        self.reading(|conn| {
            walk(horizon).run(conn, &mut |key, bytes| {
                page.push((key, Record::decode(bytes)?));
                Ok(page.len() < limit)
            })
        })?;
        Ok(page)
    }
}

impl Scan for SqliteStore {
    fn scan(
        &self,
        partition: u16,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        only(partition)?;
        self.page(|horizon| Walk { horizon, kind, after, only: None }, limit)
    }

    fn scan_player(
        &self,
        player: &PlayerId,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        self.page(|horizon| Walk { horizon, kind, after, only: Some(player) }, limit)
    }
}

impl Boards for SqliteStore {
    fn read(&self, reads: &[BoardRead]) -> Vec<Result<BoardAnswer, StoreError>> {
        match self.guard() {
            Ok(()) => self.inner.boards.read(reads),
            Err(error) => reads.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    fn retain(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
        self.guard()?;
        self.inner.boards.retain(keep);
        Ok(())
    }

    fn rebuild(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
        self.guard()?;
        self.inner.boards.rebuild(self, keep)
    }

    fn catch_up(&self) -> Result<(), StoreError> {
        self.guard()?;
        // Who writes tells the boards before letting go of the connection.
        drop(self.inner.writer.lock());
        self.inner.poison.check()
    }

    fn horizon(&self) -> Horizon {
        *self.inner.horizon.read()
    }

    fn lag(&self) -> Result<Lag, StoreError> {
        self.guard()?;
        Ok(Lag::default())
    }

    fn note_final(&self, _: &BoardKey, _: &[Row]) -> Result<(), StoreError> {
        self.guard()
    }
}
