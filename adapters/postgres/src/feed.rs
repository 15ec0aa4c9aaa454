//! The feed: the outbox as consumers read it who are known by name.

use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::id::Id;
use liveops_core::record::Notice;
use liveops_core::store::{Consumer, ConsumerMark, FeedEntry, Happened};

use crate::Inner;
use crate::error::{Fault, corrupt};
use crate::outbox::Read;
use crate::session::Session;

impl Inner {
    pub(crate) async fn feed_page(&self, after: u64, limit: usize) -> Result<Vec<FeedEntry>, StoreError> {
        let Ok(from) = i64::try_from(after) else { return Err(StoreErrorKind::FeedGap.into()) };
        let read = self.read_feed(from, limit).await?;
        if from != read.feed_from && (!read.has_feed || read.is_gap(from, read.feed_from)) {
            return Err(StoreErrorKind::FeedGap.into());
        }
        let mut entries = Vec::new();
        if read.has_feed {
            for (cursor, bytes) in read.entries() {
                let what = match Notice::decode(bytes)? {
                    Notice::Committed(set) => Happened::Committed(set),
                    Notice::Advanced(horizon) => Happened::Advanced(horizon),
                    Notice::Told(_) => return Err(corrupt()),
                };
                entries.push(FeedEntry { cursor, what });
            }
        }
        // A cursor that was never given is below transactions that came since, and above the last entry.
        if entries.is_empty() && from > self.last_of(&read).await? {
            return Err(StoreErrorKind::FeedGap.into());
        }
        Ok(entries)
    }

    /// The cursor of the newest entry that was committed before the call.
    pub(crate) async fn last_of_feed(&self) -> Result<i64, StoreError> {
        let read = self.read_feed(i64::MAX, 0).await?;
        self.last_of(&read).await
    }

    /// The cursor of the newest entry that can be read.
    async fn last_of(&self, read: &Read) -> Result<i64, StoreError> {
        let mut session = self.session().await?;
        let newest = newest(&mut session, self.game, read.settled).await;
        session.done();
        let newest = newest.map_err(Fault::reading)?;
        Ok(if read.has_feed { newest.unwrap_or(read.feed_from).max(read.feed_from) } else { read.feed_from })
    }

    pub(crate) async fn note_ack(&self, consumer: &Consumer, through: u64) -> Result<(), StoreError> {
        const ACK: &str = "
INSERT INTO liveops.consumer AS c (game, name, acked) VALUES ($1, $2, $3)
ON CONFLICT (game, name) DO UPDATE SET acked = excluded.acked WHERE c.acked < excluded.acked";
        let gap = || StoreError::from(StoreErrorKind::FeedGap);
        let through = i64::try_from(through).map_err(|_| gap())?;
        // Whatever was given out could be read.
        let read = self.read_outbox(i64::MAX, 0, &[]).await?;
        if through > self.last_of(&read).await? {
            return Err(gap());
        }
        let mut session = self.session().await?;
        let acked = session.query(ACK, &[&self.game, &consumer.as_str(), &through]).await;
        session.done();
        acked.map_err(Fault::writing)?;
        Ok(())
    }

    pub(crate) async fn forget_consumer(&self, consumer: &Consumer) -> Result<(), StoreError> {
        let mut session = self.session().await?;
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [&self.game, &consumer.as_str()];
        let gone = session.query("DELETE FROM liveops.consumer WHERE game = $1 AND name = $2", &values).await;
        session.done();
        gone.map_err(Fault::writing)?;
        Ok(())
    }

    pub(crate) async fn known_consumers(&self) -> Result<Vec<ConsumerMark>, StoreError> {
        let mut session = self.session().await?;
        let known = consumers(&mut session, self.game).await;
        session.done();
        known.map_err(Fault::reading)
    }
}

/// The newest entry below a cursor.
pub(crate) async fn newest(session: &mut Session, game: i32, settled: i64) -> Result<Option<i64>, Fault> {
    const NEWEST: &str = "
SELECT cursor FROM liveops.outbox WHERE game = $1 AND cursor < $2 AND kind > 0 ORDER BY cursor DESC LIMIT 1";
    Ok(session.query(NEWEST, &[&game, &settled]).await?.first().map(|row| row.get(0)))
}

/// Everybody known, by name.
pub(crate) async fn consumers(session: &mut Session, game: i32) -> Result<Vec<ConsumerMark>, Fault> {
    let rows =
        session.query("SELECT name, acked FROM liveops.consumer WHERE game = $1 ORDER BY name", &[&game]).await?;
    let mark = |row: &tokio_postgres::Row| {
        let consumer = Id::new(row.get(0)).map_err(|_| corrupt())?;
        let acked = u64::try_from(row.get::<_, i64>(1)).map_err(|_| corrupt())?;
        Ok(ConsumerMark { consumer, acked: vec![acked] })
    };
    rows.iter().map(mark).collect()
}
