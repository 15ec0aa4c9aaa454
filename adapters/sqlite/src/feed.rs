//! The feed: rows in the file, read by consumers who are known by name.

use std::sync::Arc;

use liveops_core::Feed;
use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::id::Id;
use liveops_core::record::{ChangeSet, Horizon, Record};
use liveops_core::store::{Consumer, ConsumerMark, FeedEntry, FeedMarks, Happened};
use rusqlite::{Connection, params};

use crate::SqliteStore;
use crate::error::Fault;
use crate::meta;
use crate::options::FeedSetting;
use crate::proof::Name;

/// Where the feed stands, as the one who writes knows it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Entries {
    /// Most change sets that wait to be acknowledged; none are kept without it.
    pub(crate) len_max: Option<u64>,
    /// The cursor of the newest entry ever.
    pub(crate) last: u64,
    /// What follows this is kept.
    from: u64,
    /// Change sets that are kept.
    sets: u64,
    /// Rises of the horizon that are kept.
    rises: u64,
}

impl Entries {
    /// Reads where it stands.
    pub(crate) fn read(conn: &Connection) -> Result<Self, Fault> {
        let from = meta::count(conn, meta::FEED_FROM)?.unwrap_or(0);
        let count = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, u64>(0));
        let all = count("SELECT count(*) FROM feed")?;
        let rises = count("SELECT count(*) FROM feed WHERE player IS NULL")?;
        let newest = newest(conn)?.unwrap_or(0);
        let len_max = meta::count(conn, meta::FEED_LEN_MAX)?;
        Ok(Self { len_max, last: newest.max(from), from, sets: all.saturating_sub(rises), rises })
    }

    /// How many entries are kept.
    pub(crate) const fn len(self) -> u64 {
        self.sets + self.rises
    }

    /// Whether it takes no more change sets.
    pub(crate) fn is_full(self) -> bool {
        self.len_max.is_some_and(|len_max| self.sets >= len_max)
    }

    /// Adds a change set.
    pub(crate) fn put_changes(
        &mut self,
        conn: &Connection,
        changes: &ChangeSet,
        bytes: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        if self.len_max.is_none() {
            return Ok(());
        }
        let (player, version) = (changes.player.as_str(), changes.record.version.cast_signed());
        bytes.clear();
        changes.encode_into(bytes);
        self.put(conn, Some((player, version)), bytes)?;
        self.sets += 1;
        Ok(())
    }

    /// Adds a rise of the horizon, also if the feed is full.
    pub(crate) fn put_advance(&mut self, conn: &Connection, horizon: Horizon) -> Result<(), Fault> {
        let Some(len_max) = self.len_max else { return Ok(()) };
        // While nobody reads and nothing can be committed, the horizon may rise for years: a rise right after another says all
        // that the two do.
        if self.rises > len_max {
            let last = self.last.cast_signed();
            let replaced = conn.execute("DELETE FROM feed WHERE cursor=?1 AND player IS NULL", [last])?;
            self.rises -= replaced as u64;
        }
        self.put(conn, None, &mut Record::Horizon(horizon).encode())?;
        self.rises += 1;
        Ok(())
    }

    fn put(&mut self, conn: &Connection, of: Option<(&str, i64)>, bytes: &mut Vec<u8>) -> Result<(), Fault> {
        self.last += 1;
        let cursor = self.last.cast_signed();
        let (player, version) = of.unzip();
        Name::entry(cursor, player).seal(bytes);
        conn.prepare_cached("INSERT INTO feed(cursor, player, version, body) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![cursor, player, version, *bytes])?;
        Ok(())
    }

    /// Lets go of what everybody who is known has acknowledged; with nobody known, of nothing.
    fn trim(&mut self, conn: &Connection) -> Result<(), Fault> {
        let Some(through) = consumers(conn)?.into_iter().map(|(_, acked)| acked).min() else { return Ok(()) };
        if through <= self.from {
            return Ok(());
        }
        let gone = "DELETE FROM feed WHERE cursor<=?1 AND player IS";
        let rises = conn.execute(&format!("{gone} NULL"), [through.cast_signed()])?;
        let sets = conn.execute(&format!("{gone} NOT NULL"), [through.cast_signed()])?;
        meta::set_count(conn, meta::FEED_FROM, through)?;
        (self.from, self.sets, self.rises) = (through, self.sets - sets as u64, self.rises - rises as u64);
        Ok(())
    }

    /// A copy of a file goes its own way: its cursors are of an epoch of their own.
    pub(crate) fn begin_copy(&mut self, conn: &Connection) -> Result<(), Fault> {
        if meta::get(conn, meta::IS_COPY)?.is_none() {
            return Ok(());
        }
        if self.last > 0 || self.len_max.is_some() {
            let anew = marks(conn, *self)?.in_new_epoch(1);
            self.resume(conn, &anew)?;
        }
        conn.execute("DELETE FROM meta WHERE key=?1", [meta::IS_COPY])?;
        Ok(())
    }

    /// Brings the file to the setting that it is opened with.
    pub(crate) fn set(&mut self, conn: &Connection, setting: FeedSetting, is_fresh: bool) -> Result<(), Fault> {
        match setting {
            FeedSetting::Of(len_max) if self.len_max != Some(len_max) => {
                // What was committed without a feed is in none: cursors of before lead nowhere.
                if self.len_max.is_none() && !is_fresh {
                    let anew = marks(conn, *self)?.in_new_epoch(1);
                    self.resume(conn, &anew)?;
                }
                meta::set_count(conn, meta::FEED_LEN_MAX, len_max)?;
                self.len_max = Some(len_max);
            }
            FeedSetting::Off if self.len_max.is_some() => {
                let here = FeedMarks { last: vec![self.last], consumers: Vec::new() };
                self.resume(conn, &here)?;
                conn.execute("DELETE FROM meta WHERE key=?1", [meta::FEED_LEN_MAX])?;
                self.len_max = None;
            }
            _ => {}
        }
        Ok(())
    }

    /// Goes on, empty, from where another feed stood, in one partition.
    pub(crate) fn resume(&mut self, conn: &Connection, marks: &FeedMarks) -> Result<(), Fault> {
        let last = marks.last.first().copied().unwrap_or(0);
        conn.execute_batch("DELETE FROM feed; DELETE FROM consumer;")?;
        meta::set_count(conn, meta::FEED_FROM, last)?;
        for mark in &marks.consumers {
            put_consumer(conn, &mark.consumer, mark.acked.first().copied().unwrap_or(0))?;
        }
        *self = Self { len_max: self.len_max, last, from: last, sets: 0, rises: 0 };
        Ok(())
    }
}

/// Where the feed stands, for a snapshot.
pub(crate) fn marks(conn: &Connection, entries: Entries) -> Result<FeedMarks, Fault> {
    let mark = |(consumer, acked)| ConsumerMark { consumer, acked: vec![acked] };
    Ok(FeedMarks { last: vec![entries.last], consumers: consumers(conn)?.into_iter().map(mark).collect() })
}

fn newest(conn: &Connection) -> Result<Option<u64>, Fault> {
    let newest: Option<i64> = conn.prepare_cached("SELECT max(cursor) FROM feed")?.query_row([], |row| row.get(0))?;
    Ok(newest.map(i64::cast_unsigned))
}

/// The cursors between which the feed can be read: what follows the first is kept, and the second is the newest.
fn bounds(conn: &Connection) -> Result<(u64, u64), Fault> {
    let from = meta::count(conn, meta::FEED_FROM)?.unwrap_or(0);
    Ok((from, newest(conn)?.unwrap_or(0).max(from)))
}

/// Everybody known, by name.
fn consumers(conn: &Connection) -> Result<Vec<(Consumer, u64)>, Fault> {
    let mut select = conn.prepare_cached("SELECT name, acked, proof FROM consumer ORDER BY name")?;
    let mut rows = select.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let (name, acked): (String, i64) = (row.get(0)?, row.get(1)?);
        let consumer = Id::new(&name).map_err(|_| StoreErrorKind::Corrupt)?;
        if *row.get_ref(2)?.as_blob().unwrap_or_default() != Name::consumer(&name).proof(&acked.to_be_bytes()) {
            return Err(StoreErrorKind::Corrupt.into());
        }
        all.push((consumer, acked.cast_unsigned()));
    }
    Ok(all)
}

fn put_consumer(conn: &Connection, consumer: &Consumer, acked: u64) -> Result<(), Fault> {
    let (name, acked) = (consumer.as_str(), acked.cast_signed());
    let proof = Name::consumer(name).proof(&acked.to_be_bytes());
    conn.execute(
        "INSERT OR REPLACE INTO consumer(name, acked, proof) VALUES (?1, ?2, ?3)",
        params![name, acked, proof],
    )?;
    Ok(())
}

fn entry(cursor: i64, player: Option<&str>, body: rusqlite::types::ValueRef<'_>) -> Result<FeedEntry, Fault> {
    let bytes = Name::entry(cursor, player).open(body)?;
    let what = match player {
        Some(_) => Happened::Committed(Arc::new(ChangeSet::decode(bytes)?)),
        None => match Record::decode(bytes)? {
            Record::Horizon(horizon) => Happened::Advanced(horizon),
            _ => return Err(StoreErrorKind::Corrupt.into()),
        },
    };
    Ok(FeedEntry { cursor: cursor.cast_unsigned(), what })
}

/// Each entry that is kept, whether or not it can be read.
pub(crate) fn each_entry(conn: &Connection, mut each: impl FnMut(i64, Result<FeedEntry, Fault>)) -> Result<(), Fault> {
    let mut select = conn.prepare("SELECT cursor, player, body FROM feed ORDER BY cursor")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let cursor = row.get(0)?;
        let player = row.get_ref(1)?.as_str_or_null().ok().flatten();
        each(cursor, entry(cursor, player, row.get_ref(2)?));
    }
    Ok(())
}

impl SqliteStore {
    fn change_consumers(
        &self,
        change: impl FnOnce(&Connection, Entries) -> Result<bool, Fault>,
    ) -> Result<(), StoreError> {
        self.guard()?;
        let mut writer = self.inner.writer.lock();
        let transaction = self.begin(&writer)?;
        let mut feed = writer.feed;
        if !change(&writer.conn, feed)? {
            return Ok(());
        }
        feed.trim(&writer.conn)?;
        transaction.commit(&self.inner.poison)?;
        writer.feed = feed;
        self.write_log_back(&mut writer);
        Ok(())
    }
}

impl Feed for SqliteStore {
    fn feed(&self, partition: u16, after: u64, limit: usize) -> Result<Vec<FeedEntry>, StoreError> {
        only(partition)?;
        self.reading(|conn| {
            let (from, last) = bounds(conn)?;
            if !(from..=last).contains(&after) {
                return Err(StoreErrorKind::FeedGap.into());
            }
            let mut select =
                conn.prepare_cached("SELECT cursor, player, body FROM feed WHERE cursor>?1 ORDER BY cursor LIMIT ?2")?;
            let mut rows = select.query([after.cast_signed(), i64::try_from(limit).unwrap_or(i64::MAX)])?;
            let mut entries = Vec::new();
            while let Some(row) = rows.next()? {
                let player = row.get_ref(1)?.as_str_or_null().map_err(|_| StoreErrorKind::Corrupt)?;
                entries.push(entry(row.get(0)?, player, row.get_ref(2)?)?);
            }
            Ok(entries)
        })
    }

    fn last(&self, partition: u16) -> Result<u64, StoreError> {
        only(partition)?;
        self.reading(|conn| Ok(bounds(conn)?.1))
    }

    fn ack(&self, consumer: &Consumer, partition: u16, through: u64) -> Result<(), StoreError> {
        only(partition)?;
        self.change_consumers(|conn, feed| {
            if through > feed.last {
                return Err(StoreErrorKind::FeedGap.into());
            }
            let known = consumers(conn)?.into_iter().find(|(known, _)| known == consumer);
            if known.is_some_and(|(_, acked)| acked >= through) {
                return Ok(false);
            }
            put_consumer(conn, consumer, through)?;
            Ok(true)
        })
    }

    fn drop_consumer(&self, consumer: &Consumer) -> Result<(), StoreError> {
        self.change_consumers(
            |conn, _| Ok(conn.execute("DELETE FROM consumer WHERE name=?1", [consumer.as_str()])? > 0),
        )
    }

    fn consumers(&self) -> Result<Vec<ConsumerMark>, StoreError> {
        let known = self.reading(consumers)?;
        Ok(known.into_iter().map(|(consumer, acked)| ConsumerMark { consumer, acked: vec![acked] }).collect())
    }
}

/// There is one partition.
pub(crate) fn only(partition: u16) -> Result<(), StoreError> {
    if partition == 0 { Ok(()) } else { Err(StoreErrorKind::Misconfigured.into()) }
}
