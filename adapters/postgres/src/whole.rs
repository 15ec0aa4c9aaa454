//! The game as one value: digest, snapshot, restoration, size, each at one moment, while others write.

use std::io::{Read, Write};
use std::time::Duration;

use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::record::{Header, Horizon, Record};
use liveops_core::store::{Digester, FeedMarks, Size, SnapshotReader, SnapshotWriter};
use liveops_core::{Key, PlayerId};
use tokio_postgres::types::ToSql;

use crate::Inner;
use crate::columns::millis;
use crate::error::{Fault, corrupt, misconfigured};
use crate::feed::{consumers, newest};
use crate::load::horizon_of;
use crate::pool::Lease;
use crate::rows::Rows;
use crate::scan::{PAGE_RECORDS, Walk, bytes_of};
use crate::schema::{next_epoch, set_epoch};
use crate::session::Session;

const FILL: &str = include_str!("sql/fill.sql");
/// How long a statement may take that looks at everything.
const LONG: Duration = Duration::from_secs(3600);
/// Everything that is read is of one moment.
const MOMENT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
                      SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0";
const HORIZON: &str = "SELECT now, forgotten_before FROM liveops.horizon WHERE game = $1 AND copy = 0";

impl Inner {
    /// Everything in the order of keys, as the bytes of records.
    async fn each_record(
        &self,
        session: &mut Session,
        mut each: impl FnMut(&Key, &[u8]) -> Result<(), StoreError> + Send,
    ) -> Result<(), Fault> {
        let mut last: Option<Key> = None;
        loop {
            let page = Walk { after: last.as_ref(), ..Walk::default() }.page(session, self.game, PAGE_RECORDS).await?;
            for (key, row) in &page {
                each(key, bytes_of(row))?;
            }
            let Some((key, _)) = page.into_iter().last() else { return Ok(()) };
            last = Some(key);
        }
    }

    /// A session in a transaction that sees one moment. It ends with the session.
    async fn moment(&self) -> Result<(Lease<'_>, Horizon), StoreError> {
        let mut session = self.session().await?;
        session.wait_up_to(LONG);
        session.run(MOMENT).await.map_err(Fault::reading)?;
        let horizon = session.query_one(HORIZON, &[&self.game]).await.map_err(Fault::reading)?;
        Ok((session, horizon_of(&horizon, 0)))
    }

    pub(crate) async fn digest_of_all(&self) -> Result<String, StoreError> {
        let (mut session, horizon) = self.moment().await?;
        let mut digester = Digester::new(horizon);
        let read = self.each_record(&mut session, |key, bytes| {
            digester.add(key, bytes);
            Ok(())
        });
        read.await.map_err(Fault::reading)?;
        Ok(digester.finish())
    }

    pub(crate) async fn write_snapshot(&self, to: &mut (dyn Write + Send)) -> Result<(), StoreError> {
        let (mut session, horizon) = self.moment().await?;
        let header = self.header_in(&mut session).await.map_err(Fault::reading)?;
        let marks = self.marks(&mut session).await.map_err(Fault::reading)?;
        let mut snapshot = SnapshotWriter::new(to, &header, &marks, horizon)?;
        let read = self.each_record(&mut session, |key, bytes| snapshot.record(key, bytes));
        read.await.map_err(Fault::reading)?;
        snapshot.finish()?;
        Ok(())
    }

    /// Where the feed stands.
    async fn marks(&self, session: &mut Session) -> Result<FeedMarks, Fault> {
        const FROM: &str = "
SELECT feed_from, feed_max IS NOT NULL FROM liveops.game JOIN liveops.horizon ON game = id AND copy = 0 WHERE id = $1";
        let row = session.query_one(FROM, &[&self.game]).await?;
        let from: i64 = row.get(0);
        let last =
            if row.get(1) { newest(session, self.game, i64::MAX).await?.unwrap_or(from).max(from) } else { from };
        let last = u64::try_from(last).map_err(|_| corrupt())?;
        Ok(FeedMarks { last: vec![last], consumers: consumers(session, self.game).await? })
    }

    pub(crate) async fn count(&self) -> Result<Size, StoreError> {
        const COUNT: &str = "
WITH h AS (SELECT forgotten_before AS f FROM liveops.horizon WHERE game = $1 AND copy = 0)
SELECT (SELECT count(*) FROM liveops.player p, h WHERE p.game = $1 AND (p.mark IS NULL OR greatest(p.mark, p.remembered) >= h.f)),
  (SELECT count(*) FROM liveops.outcome WHERE game = $1 AND ts >= (SELECT f FROM h)),
  (SELECT count(*) FROM liveops.receipt WHERE game = $1), (SELECT count(*) FROM liveops.suspicion WHERE game = $1),
  CASE WHEN (SELECT feed_max FROM liveops.horizon WHERE game = $1 AND copy = 0) IS NULL THEN 0
    ELSE (SELECT count(*) FROM liveops.outbox WHERE game = $1 AND kind > 0) END";
        let mut session = self.session().await?;
        let patience = session.wait_up_to(LONG);
        session.run(MOMENT).await.map_err(Fault::reading)?;
        let row = session.query_one(COUNT, &[&self.game]).await.map_err(Fault::reading)?;
        session.run("COMMIT").await.map_err(Fault::reading)?;
        session.wait_up_to(patience);
        session.done();
        let count = |at| u64::try_from(row.get::<_, i64>(at)).unwrap_or_default();
        Ok(Size {
            players: count(0),
            outcomes: count(1),
            receipts: count(2),
            suspicions: count(3),
            boards: 0,
            feed: count(4),
        })
    }

    /// Takes a snapshot in one transaction: nobody sees a part of it.
    pub(crate) async fn fill(&self, from: &mut (dyn Read + Send)) -> Result<Horizon, StoreError> {
        let mut session = self.session().await?;
        session.wait_up_to(LONG);
        let horizon = self.fill_in(&mut session, from).await.map_err(Fault::reading)?;
        session.run("COMMIT").await.map_err(Fault::writing)?;
        Ok(horizon)
    }

    async fn fill_in(&self, session: &mut Session, from: &mut (dyn Read + Send)) -> Result<Horizon, Fault> {
        const EMPTY: &str = "
SELECT NOT EXISTS (SELECT FROM liveops.player WHERE game = $1) AND NOT EXISTS (SELECT FROM liveops.outbox WHERE game = $1)
  AND (SELECT now = $2 AND forgotten_before = $2 FROM liveops.horizon WHERE game = $1 AND copy = 0)";
        const HEADER: &str = "UPDATE liveops.game SET header = $2 WHERE id = $1";
        const RAISE: &str = "UPDATE liveops.horizon SET now = $2, forgotten_before = $3 WHERE game = $1";
        const REMEMBERED: &str = "
UPDATE liveops.player p SET remembered = o.newest
FROM (SELECT player, max(ts) AS newest FROM liveops.outcome WHERE game = $1 GROUP BY player) o
WHERE p.game = $1 AND p.player = o.player";
        const CONSUMER: &str = "INSERT INTO liveops.consumer (game, name, acked) VALUES ($1, $2, 0)";
        session
            .run("BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0")
            .await?;
        // Nobody commits meanwhile.
        session.query("SELECT FROM liveops.horizon WHERE game = $1 ORDER BY copy FOR UPDATE", &[&self.game]).await?;
        if !session.query_one(EMPTY, &[&self.game, &i64::MIN]).await?.get::<_, bool>(0) {
            return Err(StoreErrorKind::Misconfigured.into());
        }
        let mut snapshot = SnapshotReader::open(from)?;
        let mut horizon = Horizon::default();
        let mut records = Vec::with_capacity(PAGE_RECORDS);
        for next in &mut snapshot {
            match next? {
                (_, Record::Horizon(found)) => horizon = found,
                record => records.push(record),
            }
            if records.len() == PAGE_RECORDS {
                self.put(session, &records).await?;
                records.clear();
            }
        }
        self.put(session, &records).await?;
        session.query(REMEMBERED, &[&self.game]).await?;
        if let Some(header) = snapshot.header() {
            let known = self.header_in(session).await?;
            if known.game.is_some() && header.game.is_some() && known.game != header.game {
                return Err(misconfigured("a snapshot of the game").into());
            }
            session.query(HEADER, &[&self.game, &header.encode()]).await?;
        }
        session.query(RAISE, &[&self.game, &millis(horizon.now), &millis(horizon.forgotten_before)]).await?;
        let marks = snapshot.marks().in_new_epoch(1);
        for mark in &marks.consumers {
            session.query(CONSUMER, &[&self.game, &mark.consumer.as_str()]).await?;
        }
        // Above all cursors of before, those of the store that the snapshot is of included.
        let newest = marks.last.first().copied().and_then(|last| i64::try_from(last).ok()).ok_or_else(corrupt)?;
        let cluster = session.cluster.clone();
        set_epoch(session, self.game, next_epoch(newest)?, &cluster).await?;
        Ok(horizon)
    }

    /// Writes some records.
    async fn put(&self, session: &mut Session, records: &[(Key, Record)]) -> Result<(), Fault> {
        let mut rows = Rows::default();
        for (key, record) in records {
            let player = key.player().map_or("", PlayerId::as_str);
            match (key, record) {
                (Key::Player(_), Record::Player(record)) => {
                    rows.players.put_record(player, record, record.idle_mark(), None);
                }
                (Key::Outcome(_, id), Record::Outcome(outcome)) => rows.outcomes.put(0, player, id, outcome),
                (Key::Receipt(_, n), Record::Receipt(receipt)) if *n == receipt.number() => {
                    rows.receipts.put(0, player, receipt);
                }
                (Key::Suspicion(_, n), Record::Suspicion(suspicion)) => rows.suspicions.put(0, player, *n, suspicion),
                _ => return Err(StoreErrorKind::Corrupt.into()),
            }
        }
        let Rows { players: p, outcomes: o, receipts: r, suspicions: s, .. } = &rows;
        let values: [&(dyn ToSql + Sync); 33] = [
            &self.game,
            &p.player,
            &p.version,
            &p.mark,
            &p.remembered,
            &p.xp,
            &p.level,
            &p.receipts,
            &p.newest_ts,
            &p.hidden,
            &p.erased,
            &p.record,
            &o.player,
            &o.origin,
            &o.id,
            &o.ts,
            &o.record,
            &r.player,
            &r.number,
            &r.reward,
            &r.state,
            &r.ts,
            &r.doc,
            &r.record,
            &s.player,
            &s.number,
            &s.kind,
            &s.ts,
            &s.received_at,
            &s.held,
            &s.settled,
            &s.doc,
            &s.record,
        ];
        session.query(FILL, &values).await?;
        Ok(())
    }

    /// What the records are of.
    pub(crate) async fn header_in(&self, session: &mut Session) -> Result<Header, Fault> {
        decode_header(&self.header_bytes(session).await?)
    }

    pub(crate) async fn header_bytes(&self, session: &mut Session) -> Result<Vec<u8>, Fault> {
        let row = session.query_one("SELECT header FROM liveops.game WHERE id = $1", &[&self.game]).await?;
        Ok(row.get(0))
    }

    pub(crate) async fn read_header(&self) -> Result<Header, StoreError> {
        let mut session = self.session().await?;
        let header = self.header_in(&mut session).await;
        session.done();
        header.map_err(Fault::reading)
    }

    /// Compares by what the bytes say, and sets by the bytes.
    pub(crate) async fn set_header(&self, expected: &Header, new: &Header) -> Result<bool, StoreError> {
        const SET: &str = "UPDATE liveops.game SET header = $3 WHERE id = $1 AND header = $2 RETURNING id";
        loop {
            let mut session = self.session().await?;
            let known = self.header_bytes(&mut session).await;
            let known = match known {
                Ok(known) => known,
                Err(fault) => {
                    session.done();
                    return Err(fault.reading());
                }
            };
            let is_expected = decode_header(&known).map_err(Fault::reading).map(|header| header == *expected);
            if !matches!(is_expected, Ok(true)) || expected == new {
                session.done();
                return is_expected;
            }
            let set = session.query(SET, &[&self.game, &known, &new.encode()]).await;
            session.done();
            if !set.map_err(Fault::writing)?.is_empty() {
                return Ok(true);
            }
        }
    }
}

fn decode_header(bytes: &[u8]) -> Result<Header, Fault> {
    if bytes.is_empty() { Ok(Header::default()) } else { Ok(Header::decode(bytes)?) }
}
