//! The schema, a game in it, and the cluster that both are in.

use std::cmp::Ordering;
use std::sync::atomic::{self, AtomicI64};
use std::time::Duration;

use liveops_core::error::{StoreError, StoreErrorKind};
use tokio_postgres::Row;

use crate::error::{Fault, corrupt, misconfigured};
use crate::options::{FeedSetting, Options};
use crate::outbox::{NowAndThen, Trimming};
use crate::pool::{Lease, Pool};
use crate::session::Session;
use crate::{FeedKnown, Inner};

/// One after the other, in a transaction: what each version of the schema adds. Never changed once released.
const MIGRATIONS: &[&[&str]] = &[&[include_str!("sql/schema.sql"), include_str!("readable.sql")]];

/// How long a migration may take.
const MIGRATION: Duration = Duration::from_secs(600);

/// How wide an epoch of cursors is, as a power of two: 2^32 transactions.
const EPOCH_BITS: u32 = 48;
/// A database may be restored twice, and each copy goes its own way: so an epoch is not the next one, but one of the next so many.
const EPOCHS_LEAPT_MAX: i64 = 64;

impl Inner {
    /// Finds the game, or makes it.
    pub(crate) async fn open(pool: Pool, options: Options) -> Result<Self, StoreError> {
        let mut session = pool.lease().await?;
        migrate(&mut session).await?;
        let (game, copies) = game_of(&mut session, &options).await?;
        session.done();
        let feed = FeedKnown { len_max: AtomicI64::new(-1), room: AtomicI64::new(0) };
        let inner = Self { pool, options, game, copies, feed, trim: Trimming::default(), parts: NowAndThen::default() };
        let mut session = inner.session().await?;
        let set = inner.set_feed(&mut session).await.map_err(Fault::writing)?;
        inner.know_feed(set);
        inner.make_parts(&mut session).await;
        session.done();
        Ok(inner)
    }

    /// Notes the setting of the feed that the database has.
    pub(crate) fn know_feed(&self, len_max: Option<i64>) {
        self.feed.len_max.store(len_max.unwrap_or(-1), atomic::Ordering::Relaxed);
        self.feed.room.store(0, atomic::Ordering::Relaxed);
    }

    /// Brings the game to the setting that it is opened with; which one it has.
    async fn set_feed(&self, session: &mut Session) -> Result<Option<i64>, Fault> {
        const KNOWN: &str = "SELECT feed_max FROM liveops.horizon WHERE game = $1 AND copy = 0";
        // What was committed without a feed is in none: cursors of before lead nowhere, unless nothing was committed yet.
        const SET: &str = "
WITH g AS (SELECT feed_max IS NULL <> ($2::bigint IS NULL) AND (outbox_from > 0
    OR EXISTS (SELECT FROM liveops.outbox WHERE game = $1)) AS begins,
    pg_current_xact_id()::text::bigint * 65536 + shift AS here
  FROM liveops.game JOIN liveops.horizon ON game = id AND copy = 0 WHERE id = $1),
u AS (UPDATE liveops.game SET feed_from = here FROM g WHERE id = $1 AND begins),
c AS (DELETE FROM liveops.consumer WHERE game = $1 AND $2::bigint IS NULL)
UPDATE liveops.horizon SET feed_max = $2 WHERE game = $1";
        let known: Option<i64> = session.query_one(KNOWN, &[&self.game]).await?.get(0);
        let wanted = match self.options.feed {
            FeedSetting::Kept => return Ok(known),
            FeedSetting::Of(len_max) => Some(i64::try_from(len_max).unwrap_or(i64::MAX)),
            FeedSetting::Off => None,
        };
        if wanted == known {
            return Ok(known);
        }
        session.run("BEGIN; LOCK TABLE liveops.horizon IN EXCLUSIVE MODE").await?;
        session.query(SET, &[&self.game, &wanted]).await?;
        session.run("COMMIT").await?;
        Ok(wanted)
    }

    /// Where the game is in another cluster than before, or in another life of it, transactions are numbered anew: empties the outbox, and
    /// begins a new epoch of cursors.
    pub(crate) async fn begin_anew(&self, session: &mut Session) -> Result<(), StoreError> {
        const KNOWN: &str = "SELECT cluster FROM liveops.game WHERE id = $1";
        let cluster = session.cluster.clone();
        let known = session.query_one(KNOWN, &[&self.game]).await.map_err(Fault::reading)?;
        if known.get::<_, &str>(0) == cluster {
            return Ok(());
        }
        let begun = async {
            session.run("BEGIN; LOCK TABLE liveops.horizon IN EXCLUSIVE MODE").await?;
            if session.query_one(KNOWN, &[&self.game]).await?.get::<_, &str>(0) != cluster {
                let epoch = next_epoch(newest(session, self.game).await?)?;
                set_epoch(session, self.game, epoch, &cluster).await?;
            }
            session.run("COMMIT").await
        };
        begun.await.map_err(Fault::writing)
    }
}

/// The largest cursor that was ever given.
async fn newest(session: &mut Session, game: i32) -> Result<i64, Fault> {
    const NEWEST: &str = "
SELECT greatest(outbox_from, feed_from, (SELECT max(cursor) FROM liveops.outbox WHERE game = $1),
  (SELECT max(acked) FROM liveops.consumer WHERE game = $1)) FROM liveops.game WHERE id = $1";
    Ok(session.query_one(NEWEST, &[&game]).await?.get(0))
}

/// From where cursors go on that are above another.
pub(crate) fn next_epoch(newest: i64) -> Result<i64, Fault> {
    use std::hash::{BuildHasher as _, RandomState};
    let random = RandomState::new().hash_one(newest) % EPOCHS_LEAPT_MAX.unsigned_abs();
    let epoch = (newest >> EPOCH_BITS) + 1 + random.cast_signed();
    if epoch >= 1 << (62 - EPOCH_BITS) { Err(corrupt().into()) } else { Ok(epoch << EPOCH_BITS) }
}

/// Goes on from there, with an empty outbox; in a transaction that has locked the horizon.
pub(crate) async fn set_epoch(session: &mut Session, game: i32, epoch: i64, cluster: &str) -> Result<(), Fault> {
    const SET: &str = "
WITH o AS (DELETE FROM liveops.outbox WHERE game = $1),
c AS (UPDATE liveops.consumer SET acked = $2 WHERE game = $1),
h AS (UPDATE liveops.horizon SET shift = $2 - pg_current_xact_id()::text::bigint * 65536 WHERE game = $1)
UPDATE liveops.game SET outbox_from = $2, feed_from = $2, cluster = $3 WHERE id = $1";
    session.query(SET, &[&game, &epoch, &cluster]).await?;
    Ok(())
}

/// Brings the schema up to date.
async fn migrate(session: &mut Lease<'_>) -> Result<(), StoreError> {
    let known = version(session).await.map_err(Fault::reading)?;
    match known.cmp(&MIGRATIONS.len()) {
        Ordering::Less => migrate_from(session).await.map_err(Fault::writing),
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(StoreErrorKind::TooNew.into()),
    }
}

/// One at a time, whoever tries.
async fn migrate_from(session: &mut Session) -> Result<(), Fault> {
    let before = session.wait_up_to(MIGRATION);
    session
        .run(
            "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '60s'; SELECT pg_advisory_xact_lock(7216403);
             CREATE SCHEMA IF NOT EXISTS liveops;
             CREATE TABLE IF NOT EXISTS liveops.migration (version int PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())",
        )
        .await?;
    let known = version(session).await?;
    for (at, statements) in MIGRATIONS.iter().enumerate().skip(known) {
        for sql in *statements {
            session.run(sql).await?;
        }
        session.run(&format!("INSERT INTO liveops.migration (version) VALUES ({})", at + 1)).await?;
    }
    session.run("COMMIT").await?;
    session.wait_up_to(before);
    Ok(())
}

/// How many migrations there were.
async fn version(session: &mut Session) -> Result<usize, Fault> {
    let there = session.query_one("SELECT to_regclass('liveops.migration') IS NOT NULL", &[]).await?;
    if !there.get::<_, bool>(0) {
        return Ok(0);
    }
    let newest = session.query_one("SELECT coalesce(max(version), 0) FROM liveops.migration", &[]).await?;
    usize::try_from(newest.get::<_, i32>(0)).map_err(|_| corrupt().into())
}

/// The game's number, and how many copies of the horizon it has.
async fn game_of(session: &mut Session, options: &Options) -> Result<(i32, i16), StoreError> {
    const FIND: &str = "
SELECT id, (SELECT count(*) FROM liveops.horizon WHERE game = id)::smallint FROM liveops.game WHERE name = $1";
    const MAKE: &str = "
WITH g AS (INSERT INTO liveops.game (name, cluster) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id)
INSERT INTO liveops.horizon (game, copy, now, forgotten_before, shift)
SELECT id, copy, $3, $3, -(pg_current_xact_id()::text::bigint * 65536) FROM g CROSS JOIN generate_series(0, $4::int - 1) copy";
    let read = |row: &Row| (row.get(0), row.get(1));
    let found = session.query(FIND, &[&options.game]).await.map_err(Fault::reading)?;
    if let [row] = &found[..] {
        return Ok(read(row));
    }
    let copies = i32::from(options.horizon_copies.min(i16::MAX.unsigned_abs()));
    let made = session.query(MAKE, &[&options.game, &session.cluster.clone(), &i64::MIN, &copies]).await;
    made.map_err(Fault::writing)?;
    let found = session.query(FIND, &[&options.game]).await.map_err(Fault::reading)?;
    found
        .first()
        .map(read)
        .filter(|(_, copies)| *copies > 0)
        .ok_or_else(|| misconfigured("the game's rows in the database"))
}
