//! The file as one value: digest, snapshot, restoration, size, each at one moment, while others write.

use std::io::{Read, Write};

use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::record::{Horizon, Kind, Record, Told};
use liveops_core::store::{Digester, Size, SnapshotReader, SnapshotWriter};
use liveops_core::{Key, Whole};
use rusqlite::Connection;
use rusqlite::types::Value;

use crate::SqliteStore;
use crate::columns::millis;
use crate::connection::{NO_SPILL, Transaction, data_version};
use crate::error::{Fault, misconfigured};
use crate::feed::{self, Entries};
use crate::meta;
use crate::read::Walk;
use crate::rows::Rows;
use crate::write::Writer;

impl Whole for SqliteStore {
    fn digest(&self) -> Result<String, StoreError> {
        self.reading(|conn| {
            let horizon = meta::horizon(conn)?;
            let mut digester = Digester::new(horizon);
            Walk::all(horizon).run(conn, &mut |key, bytes| {
                digester.add(&key, bytes);
                Ok(true)
            })?;
            Ok(digester.finish())
        })
    }

    fn snapshot(&self, to: &mut (dyn Write + Send)) -> Result<(), StoreError> {
        self.reading(|conn| {
            let horizon = meta::horizon(conn)?;
            let marks = feed::marks(conn, Entries::read(conn)?)?;
            let mut snapshot = SnapshotWriter::new(to, &meta::header(conn)?, &marks, horizon)?;
            Walk::all(horizon).run(conn, &mut |key, bytes| {
                snapshot.record(&key, bytes)?;
                Ok(true)
            })?;
            snapshot.finish()?;
            Ok(())
        })
    }

    fn restore(&self, from: &mut (dyn Read + Send)) -> Result<(), StoreError> {
        self.guard()?;
        let mut writer = self.inner.writer.lock();
        // More than fits into memory goes into the log before it is committed. If it comes to nothing, that was no other's write.
        writer.conn.execute_batch("PRAGMA cache_spill=ON;").map_err(Fault::from)?;
        let filled = self.fill(&mut writer, from);
        writer.conn.execute_batch(NO_SPILL).map_err(Fault::from)?;
        if filled.is_err() && !self.inner.poison.is_set() {
            writer.data_version = data_version(&writer.conn).map_err(Fault::from)?;
        }
        Ok(filled?)
    }

    fn size(&self) -> Result<Size, StoreError> {
        let size = self.reading(|conn| {
            let before = millis(meta::horizon(conn)?.forgotten_before);
            let count = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, u64>(0));
            let live = |sql: &str| conn.query_row(sql, [before], |row| row.get::<_, u64>(0));
            let due = "SELECT count(*) FROM player WHERE idle=1 AND erased_through<?1 \
                       AND NOT EXISTS (SELECT 1 FROM outcome WHERE p=player.p AND ts>=?1)";
            Ok(Size {
                players: count("SELECT count(*) FROM player")?.saturating_sub(live(due)?),
                outcomes: live("SELECT count(*) FROM outcome WHERE ts>=?1")?,
                receipts: count("SELECT count(*) FROM receipt")?,
                suspicions: count("SELECT count(*) FROM suspicion")?,
                boards: 0,
                feed: Entries::read(conn)?.len(),
            })
        })?;
        Ok(Size { boards: self.inner.boards.len() as u64, ..size })
    }
}

impl SqliteStore {
    /// Takes a snapshot in one transaction, then shows it on the boards.
    fn fill(&self, writer: &mut Writer, from: &mut (dyn Read + Send)) -> Result<(), Fault> {
        let transaction = self.begin(writer)?;
        let is_empty = writer.next_p == 1
            && *self.inner.horizon.read() == Horizon::default()
            && writer.feed.last == 0
            && !writer.conn.prepare("SELECT 1 FROM player")?.exists([])?;
        if !is_empty {
            return Err(StoreErrorKind::Misconfigured.into());
        }
        let mut snapshot = SnapshotReader::open(from)?;
        let mut horizon = Horizon::default();
        let mut rows = Rows::new(&writer.conn)?;
        let mut p = 0;
        for next in &mut snapshot {
            match next? {
                (_, Record::Horizon(found)) => horizon = found,
                (Key::Player(player), Record::Player(record)) => {
                    p += 1;
                    rows.put_player(p, &player, &record, true)?;
                }
                (Key::Outcome(_, id), Record::Outcome(outcome)) => rows.put_outcome(p, &id, &outcome)?,
                (Key::Receipt(..), Record::Receipt(receipt)) => rows.put_receipt(p, &receipt)?,
                (Key::Suspicion(_, number), Record::Suspicion(suspicion)) => {
                    rows.put_suspicion(p, number, &suspicion)?;
                }
                _ => return Err(StoreErrorKind::Corrupt.into()),
            }
        }
        drop(rows);
        if let Some(header) = snapshot.header() {
            let game = meta::get(&writer.conn, meta::GAME)?;
            if header.game.as_ref().is_some_and(|of| game != Some(Value::Text(of.clone()))) {
                return Err(misconfigured("the snapshot has to be of the file's game").into());
            }
            meta::set(&writer.conn, meta::HEADER, header.encode())?;
        }
        meta::set_horizon(&writer.conn, horizon)?;
        let mut feed = writer.feed;
        feed.resume(&writer.conn, &snapshot.marks().in_new_epoch(1))?;
        transaction.commit(&self.inner.poison)?;
        (writer.next_p, writer.feed) = (p + 1, feed);
        *self.inner.horizon.write() = horizon;
        self.write_log_back(writer);
        // What is written is not shown yet: boards that lack somebody would answer wrongly.
        self.show_all(&writer.conn, horizon).inspect_err(|_| self.inner.poison.set())
    }

    /// Tells the boards everybody, while nobody can write.
    fn show_all(&self, conn: &Connection, horizon: Horizon) -> Result<(), Fault> {
        const TOGETHER: usize = 1024;
        let transaction = Transaction::read(conn)?;
        let mut told = Vec::with_capacity(TOGETHER);
        Walk { kind: Some(Kind::Player), ..Walk::all(horizon) }.run(conn, &mut |key, bytes| {
            if let (Key::Player(player), Record::Player(record)) = (key, Record::decode(bytes)?) {
                told.push(Told::of(&player, &record));
            }
            if told.len() == TOGETHER {
                self.inner.boards.tell(told.drain(..));
            }
            Ok(true)
        })?;
        self.inner.boards.tell(told);
        Ok(transaction.end()?)
    }
}
