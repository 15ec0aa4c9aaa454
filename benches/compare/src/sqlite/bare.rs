//! What somebody would write by hand who knows SQLite well: the same tables, the same rows, prepared statements, one transaction a batch, and before it the
//! reads that a decision needs. It decides nothing: what it writes was decided by an engine in memory, while no clock ran.

use std::path::Path;

use liveops_core::record::{ChangeSet, RecordRef};
use liveops_core::store::{Consumer, Feed as _, Happened};
use liveops_core::{Engine, MemoryStore};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::{Game, applied, rules, text};

pub(super) const SCHEMA: &str = include_str!("../../../../adapters/sqlite/src/schema.sql");
/// As the store sets them.
const PRAGMAS: &str = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint=4096; \
    PRAGMA temp_store=MEMORY;";
/// The store's check bytes, which the peer does not have to reckon.
const PROOF: [u8; 8] = [0; 8];

pub(super) struct Bare {
    connection: Connection,
    game: Game<MemoryStore>,
    consumer: Consumer,
}

/// What one change set writes, as columns.
pub(super) struct Rows {
    id: String,
    version: i64,
    xp: i64,
    rewarded_level: i64,
    receipt_count: i64,
    newest: i64,
    standings: String,
    body: Vec<u8>,
    outcomes: Vec<(String, i64, Vec<u8>)>,
    receipts: Vec<(i64, String, String, i64, Vec<u8>)>,
}

impl Bare {
    pub(super) fn new(path: &Path, players: u64) -> Result<Self, String> {
        let connection = Connection::open(path).map_err(text)?;
        connection.execute_batch(PRAGMAS).and_then(|()| connection.execute_batch(SCHEMA)).map_err(text)?;
        connection.set_prepared_statement_cache_capacity(32);
        let consumer = Consumer::new("peer").map_err(text)?;
        let engine = Engine::new(rules()?, MemoryStore::with_feed(10_000_000));
        engine.store().ack(&consumer, 0, 0).map_err(text)?;
        let game = Game::new(engine, players)?;
        let mut bare = Self { connection, game, consumer };
        for rows in bare.decided()?.chunks(1_000) {
            write(&mut bare.connection, rows).map_err(text)?;
        }
        Ok(bare)
    }

    /// The rows of the next events.
    pub(super) fn next(&mut self, len: usize) -> Result<Vec<Rows>, String> {
        let commands = self.game.commands(len);
        applied(&self.game.engine.submit_batch(&commands))?;
        self.decided()
    }

    /// Writes them.
    pub(super) fn write(&mut self, rows: &[Rows]) -> rusqlite::Result<()> {
        write(&mut self.connection, rows)
    }

    fn decided(&mut self) -> Result<Vec<Rows>, String> {
        let store = self.game.engine.store();
        let mut decided = Vec::new();
        for partition in 0..liveops_core::store::Partitioned::partitions(store) {
            let mark = store.consumers().map_err(text)?.into_iter().find(|mark| mark.consumer == self.consumer);
            let acked = mark.and_then(|mark| mark.acked.get(usize::from(partition)).copied()).unwrap_or_default();
            let entries = store.feed(partition, acked, usize::MAX).map_err(text)?;
            decided.extend(entries.iter().filter_map(|entry| match &entry.what {
                Happened::Committed(set) => Some(rows_of(set)),
                _ => None,
            }));
            store.ack(&self.consumer, partition, entries.last().map_or(acked, |last| last.cursor)).map_err(text)?;
        }
        Ok(decided)
    }
}

fn rows_of(set: &ChangeSet) -> Rows {
    let stored = |record: RecordRef<'_>| {
        let mut bytes = Vec::new();
        record.encode_into(&mut bytes);
        bytes.extend_from_slice(&PROOF);
        bytes
    };
    let number = |number: u64| number.cast_signed();
    let player = &set.record;
    let standings = player.standings().map(|(board, period, standing)| {
        let span = period.window.as_str();
        serde_json::json!([
            board.as_str(),
            span,
            period.index,
            standing.score.score,
            standing.score.subscore,
            standing.reached_at.as_unix_millis(),
            0
        ])
    });
    Rows {
        id: set.player.as_str().to_owned(),
        version: number(player.version),
        xp: number(player.xp),
        rewarded_level: player.granted_through.into(),
        receipt_count: number(player.receipts),
        newest: player.newest_ts.as_unix_millis(),
        standings: serde_json::Value::Array(standings.collect()).to_string(),
        body: stored(RecordRef::Player(player)),
        outcomes: set
            .outcomes
            .iter()
            .map(|(id, outcome)| {
                (id.id.as_str().to_owned(), outcome.ts.as_unix_millis(), stored(RecordRef::Outcome(outcome)))
            })
            .collect(),
        receipts: set
            .receipts
            .iter()
            .map(|receipt| {
                let items = serde_json::to_string(&receipt.items).unwrap_or_default();
                (
                    number(receipt.number),
                    receipt.reward.to_string(),
                    items,
                    receipt.ts.as_unix_millis(),
                    stored(RecordRef::Receipt(receipt)),
                )
            })
            .collect(),
    }
}

fn write(connection: &mut Connection, all: &[Rows]) -> rusqlite::Result<()> {
    let mut known = Vec::with_capacity(all.len());
    {
        let reads = connection.transaction()?;
        let mut player = reads.prepare_cached("SELECT p, version, body FROM player WHERE id=?1")?;
        let mut outcome = reads.prepare_cached("SELECT body FROM outcome WHERE p=?1 AND origin=0 AND id=?2")?;
        for rows in all {
            let found: Option<(i64, i64, Vec<u8>)> =
                player.query_row([&rows.id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
            if let Some((p, ..)) = &found {
                for (id, ..) in &rows.outcomes {
                    _ = std::hint::black_box(outcome.exists(params![p, id])?);
                }
            }
            known.push(std::hint::black_box(found).map(|(p, ..)| p));
        }
        drop((player, outcome));
        reads.commit()?;
    }
    let writes = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    {
        let mut insert = writes.prepare_cached(
            "INSERT INTO player(id, version, erased_through, idle, suspected, hidden, xp, rewarded_level, receipts, newest_ts, standings, body) \
             VALUES (?1,?2,NULL,0,0,0,?3,?4,?5,?6,?7,?8) RETURNING p",
        )?;
        let mut update = writes.prepare_cached(
            "UPDATE player SET version=?2, xp=?3, rewarded_level=?4, receipts=?5, newest_ts=?6, standings=?7, body=?8 WHERE p=?1",
        )?;
        let mut outcome =
            writes.prepare_cached("INSERT INTO outcome(p, origin, id, ts, body) VALUES (?1,0,?2,?3,?4)")?;
        let mut receipt = writes.prepare_cached(
            "INSERT INTO receipt(p, number, reward, items, ts, state, body) VALUES (?1,?2,?3,?4,?5,'issued',?6)",
        )?;
        for (rows, known) in all.iter().zip(known) {
            let p = match known {
                Some(p) => {
                    update.execute(params![
                        p,
                        rows.version,
                        rows.xp,
                        rows.rewarded_level,
                        rows.receipt_count,
                        rows.newest,
                        rows.standings,
                        rows.body
                    ])?;
                    p
                }
                None => insert.query_row(
                    params![
                        rows.id,
                        rows.version,
                        rows.xp,
                        rows.rewarded_level,
                        rows.receipt_count,
                        rows.newest,
                        rows.standings,
                        rows.body
                    ],
                    |row| row.get(0),
                )?,
            };
            for (id, ts, body) in &rows.outcomes {
                outcome.execute(params![p, id, ts, body])?;
            }
            for (number, reward, items, ts, body) in &rows.receipts {
                receipt.execute(params![p, number, reward, items, ts, body])?;
            }
        }
    }
    writes.commit()
}

/// What is in a file, as far as both sides must agree: rows and bytes of each table.
pub(super) fn contents(path: &Path) -> Result<Vec<i64>, String> {
    let connection = Connection::open(path).map_err(text)?;
    let sums = "SELECT (SELECT count(*) FROM player), (SELECT sum(length(body)) FROM player), (SELECT sum(length(standings)) FROM player), \
        (SELECT count(*) FROM outcome), (SELECT sum(length(body)) FROM outcome), (SELECT count(*) FROM receipt), \
        (SELECT sum(length(body)) FROM receipt), (SELECT sum(length(items)) FROM receipt)";
    connection.query_row(sums, [], |row| (0..8).map(|at| row.get(at)).collect()).map_err(text)
}
