//! The end of the outbox, which boards follow, and its beginning, which goes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::record::Notice;
use liveops_core::store::TailPage;
use parking_lot::Mutex;
use tokio::time::Instant;
use tokio_postgres::Row;

use crate::Inner;
use crate::error::{Fault, corrupt, misconfigured, unavailable};
use crate::session::Session;

const TAIL: &str = include_str!("sql/tail.sql");
/// Between two looks for whether an old transaction has ended.
const LOOK: Duration = Duration::from_millis(2);
/// How often the outbox is trimmed, at least.
const TRIM: Duration = Duration::from_secs(60);
/// How many entries one transaction takes out.
const TRIMMED_MAX: i64 = 20_000;

/// Something that is done now and then.
#[derive(Debug, Default)]
pub(crate) struct NowAndThen(Mutex<Option<Instant>>);

impl NowAndThen {
    /// Whether it was not done for a minute; then it counts as done.
    pub(crate) fn is_due(&self) -> bool {
        let now = Instant::now();
        let mut last = self.0.lock();
        let is_due = last.is_none_or(|last| now.duration_since(last) >= TRIM);
        if is_due {
            *last = Some(now);
        }
        is_due
    }
}

/// When the outbox is trimmed next.
#[derive(Debug, Default)]
pub(crate) struct Trimming {
    written: AtomicU64,
    last: NowAndThen,
}

impl Trimming {
    /// So many entries more.
    pub(crate) fn written(&self, entries: usize) {
        self.written.fetch_add(entries as u64, Ordering::Relaxed);
    }

    /// Whether this process wrote an eighth of what is kept, or long did nothing.
    fn is_due(&self, kept: u64) -> bool {
        let is_due = self.last.is_due() || self.written.load(Ordering::Relaxed) > kept / 8;
        if is_due {
            self.written.store(0, Ordering::Relaxed);
        }
        is_due
    }
}

/// What can be read of the outbox.
pub(crate) struct Read {
    pub(crate) outbox_from: i64,
    pub(crate) feed_from: i64,
    pub(crate) has_feed: bool,
    /// Every entry below it is there.
    pub(crate) settled: i64,
    /// Every entry that was committed is below it.
    beyond: i64,
    /// Whether there are entries that cannot be read yet.
    pub(crate) is_unsettled: bool,
    pub(crate) rows: Vec<Row>,
}

impl Read {
    fn of(rows: Vec<Row>) -> Result<Self, StoreError> {
        let row = rows.first().ok_or_else(|| misconfigured("the game's rows in the database"))?;
        Ok(Self {
            outbox_from: row.get(0),
            feed_from: row.get(1),
            has_feed: row.get(2),
            settled: row.get(3),
            beyond: row.get(4),
            is_unsettled: row.get(5),
            rows,
        })
    }

    /// Cursors and bytes.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.rows.iter().filter_map(|row| {
            let cursor: Option<i64> = row.get(6);
            Some((u64::try_from(cursor?).ok()?, row.get(7)))
        })
    }

    /// Whether entries behind a cursor may be missing.
    pub(crate) fn is_gap(&self, after: i64, from: i64) -> bool {
        after < from || after >= self.beyond
    }
}

impl Inner {
    /// Entries of some kinds behind a cursor, in one statement.
    pub(crate) async fn read_outbox(&self, after: i64, limit: usize, kinds: &[i16]) -> Result<Read, StoreError> {
        let mut session = self.session().await?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = session.query(TAIL, &[&self.game, &after, &limit, &kinds]).await;
        session.done();
        Read::of(rows.map_err(Fault::reading)?)
    }

    pub(crate) async fn tail_page(&self, after: u64, limit: usize) -> Result<TailPage, StoreError> {
        let Ok(from) = i64::try_from(after) else { return Err(StoreErrorKind::FeedGap.into()) };
        let read = self.read_outbox(from, limit, &[0, 1, 2]).await?;
        if read.is_gap(from, read.outbox_from) {
            return Err(StoreErrorKind::FeedGap.into());
        }
        let mut entries = Vec::with_capacity(read.rows.len());
        for (cursor, bytes) in read.entries() {
            entries.push((cursor, Notice::decode(bytes)?));
        }
        // Never beyond an entry, although nothing else can come below `settled`: after a crash the server gives out again the numbers of
        // transactions that left nothing in its log, and whoever was beyond them would miss who gets them.
        let through = entries.last().map_or(after, |(cursor, _)| *cursor);
        if self.trim.is_due(self.options.outbox_entries) {
            // Whatever comes in between is left to the next time.
            _ = self.trim().await;
        }
        Ok(TailPage { entries, through })
    }

    /// A cursor from which to follow, for who reads the records now: the newest entry that can be read.
    pub(crate) async fn begin(&self) -> Result<u64, StoreError> {
        let read = self.read_outbox(i64::MAX, 0, &[]).await?;
        self.newest_below(read.settled).await
    }

    /// A cursor through which everything is that was committed before the call.
    pub(crate) async fn end(&self) -> Result<u64, StoreError> {
        let until = Instant::now() + self.options.timeout;
        let mut wanted = None;
        loop {
            let read = self.read_outbox(i64::MAX, 0, &[]).await?;
            let wanted = *wanted.get_or_insert(read.beyond);
            if read.settled >= wanted {
                return self.newest_below(wanted).await;
            }
            if Instant::now() >= until {
                return Err(unavailable("an old transaction, somewhere in the cluster, holds the outbox up"));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The newest entry's cursor, of one still kept or the last that was not.
    async fn newest_below(&self, cursor: i64) -> Result<u64, StoreError> {
        const NEWEST: &str = "
SELECT greatest(outbox_from, (SELECT cursor FROM liveops.outbox WHERE game = $1 AND cursor < $2 ORDER BY cursor DESC LIMIT 1))
FROM liveops.game WHERE id = $1";
        let mut session = self.session().await?;
        let newest = session.query_one(NEWEST, &[&self.game, &cursor]).await;
        session.done();
        u64::try_from(newest.map_err(Fault::reading)?.get::<_, i64>(0)).map_err(|_| corrupt())
    }

    /// What the feed has that was committed before the call; after the time for it, what can be read.
    pub(crate) async fn read_feed(&self, after: i64, limit: usize) -> Result<Read, StoreError> {
        let until = Instant::now() + self.options.timeout;
        loop {
            let read = self.read_outbox(after, limit, &[1, 2]).await?;
            let is_page = read.entries().count() >= limit.max(1);
            if !read.is_unsettled || is_page || Instant::now() >= until {
                return Ok(read);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// How many entries are behind a cursor, and how old in milliseconds the oldest transaction is that keeps entries from being read.
    pub(crate) async fn behind(&self, cursor: u64) -> Result<(u64, Option<u64>), Fault> {
        // Others' transactions are told to those alone who may see them (`pg_monitor`).
        const BEHIND: &str = "
SELECT (SELECT count(*) FROM liveops.outbox WHERE game = $1 AND cursor > $2),
  (SELECT max((extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, p.prepared)) * 1000)::bigint)
  FROM liveops.horizon h, pg_stat_activity a FULL JOIN pg_prepared_xacts p ON false
  WHERE h.game = $1 AND h.copy = 0 AND a.pid IS DISTINCT FROM pg_backend_pid() AND (a.backend_xid IS NOT NULL OR p.transaction IS NOT NULL)
    AND EXISTS (SELECT FROM liveops.outbox o WHERE o.game = $1
      AND o.cursor >= h.shift + (pg_snapshot_xmin(pg_current_snapshot())::text::bigint << 16)))";
        let cursor = i64::try_from(cursor).unwrap_or(i64::MAX);
        let mut session = self.session().await?;
        let row = session.query_one(BEHIND, &[&self.game, &cursor]).await;
        session.done();
        let row = row?;
        let number = |at| row.get::<_, Option<i64>>(at).and_then(|number| u64::try_from(number).ok());
        Ok((number(0).unwrap_or_default(), number(1)))
    }

    /// Takes out what nobody is to read any more, unless another process does.
    async fn trim(&self) -> Result<(), StoreError> {
        let mut session = self.session().await?;
        while self.trim_some(&mut session).await.map_err(Fault::reading)? {}
        session.done();
        Ok(())
    }

    /// Entries that every consumer acknowledged, if there is a feed, and that are too many or too old. Whether there may be more.
    async fn trim_some(&self, session: &mut Session) -> Result<bool, Fault> {
        const TRY: &str = "SELECT pg_try_advisory_xact_lock(7216406, $1)";
        const THROUGH: &str = "
SELECT max(o.cursor), count(*) FROM (SELECT cursor, at FROM liveops.outbox WHERE game = $1 ORDER BY cursor LIMIT $3) o
CROSS JOIN (SELECT h.shift + (pg_snapshot_xmin(pg_current_snapshot())::text::bigint << 16) AS settled,
    CASE WHEN h.feed_max IS NULL THEN 9223372036854775807 ELSE (SELECT min(acked) FROM liveops.consumer WHERE game = $1) END AS acked,
    (SELECT cursor FROM liveops.outbox WHERE game = $1 ORDER BY cursor DESC OFFSET $2 LIMIT 1) AS beyond
  FROM liveops.horizon h WHERE h.game = $1 AND h.copy = 0) b
WHERE o.cursor < b.settled AND o.cursor <= b.acked AND (o.cursor <= b.beyond OR o.at < now() - interval '1 hour')";
        const TAKE: &str = "
WITH o AS (DELETE FROM liveops.outbox WHERE game = $1 AND cursor <= $2)
UPDATE liveops.game SET outbox_from = greatest(outbox_from, $2),
  feed_from = CASE WHEN (SELECT feed_max FROM liveops.horizon WHERE game = $1 AND copy = 0) IS NULL THEN feed_from
    ELSE greatest(feed_from, $2) END WHERE id = $1";
        let kept = i64::try_from(self.options.outbox_entries).unwrap_or(i64::MAX);
        session.run("BEGIN").await?;
        let mut taken = 0;
        if session.query_one(TRY, &[&self.game]).await?.get(0) {
            let row = session.query_one(THROUGH, &[&self.game, &kept, &TRIMMED_MAX]).await?;
            if let Some(through) = row.get::<_, Option<i64>>(0) {
                taken = row.get(1);
                session.query(TAKE, &[&self.game, &through]).await?;
            }
        }
        session.run("COMMIT").await?;
        Ok(taken == TRIMMED_MAX)
    }
}
