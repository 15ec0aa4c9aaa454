//! A statement for each row: what a program pays that keeps the same rows by hand, with prepared statements in one transaction a batch.

use std::sync::Arc;

use futures_util::future::try_join_all;
use liveops_core::record::{ChangeSet, Notice, RecordRef};
use liveops_postgres::PostgresStore;
use tokio::task::JoinHandle;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, NoTls, Row, Statement, Transaction};

use super::decided::{Decided, stored};

pub(super) struct Bare {
    client: Client,
    connection: JoinHandle<()>,
    game: i32,
    statements: Statements,
    pub(super) decided: Decided,
}

struct Statements {
    horizon: Statement,
    load_player: Statement,
    load_outcome: Statement,
    insert_player: Statement,
    update_player: Statement,
    insert_outcome: Statement,
    insert_receipt: Statement,
    insert_told: Statement,
}

impl Bare {
    /// All players have had an event each. The schema is the store's own.
    pub(super) async fn new(url: &str, players: u64) -> Result<Self, String> {
        let options = super::postgres::options()?;
        drop(PostgresStore::connect(url, options).await.map_err(super::decided::text)?);
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.map_err(text)?;
        // It ends with its client; whoever waits for an answer then hears of it.
        let connection = tokio::spawn(async move { drop(connection.await) });
        let game = client.query_one("SELECT id FROM liveops.game", &[]).await.map_err(text)?.get(0);
        let statements = Statements::new(&client).await.map_err(text)?;
        let mut bare = Self { client, connection, game, statements, decided: Decided::new(players)? };
        for sets in bare.decided.warm_up()?.chunks(256) {
            bare.write(sets, Way::Pipelined).await?;
        }
        Ok(bare)
    }

    /// Reads what a decision needs, and writes what it was.
    pub(super) async fn write(&mut self, sets: &[Arc<ChangeSet>], way: Way) -> Result<(), String> {
        let Self { client, game, statements, .. } = self;
        let transaction = client.transaction().await.map_err(text)?;
        let writes: Vec<Writes> = sets.iter().map(|set| Writes::of(set)).collect();
        transaction.query_one(&statements.horizon, &[game]).await.map_err(text)?;
        let load = writes.iter().map(|writes| writes.load(&transaction, statements, game));
        let write = writes.iter().zip(0..).map(|(writes, place)| writes.write(&transaction, statements, game, place));
        match way {
            Way::Awaited => {
                for load in load {
                    load.await.map_err(text)?;
                }
                for write in write {
                    write.await.map_err(text)?;
                }
            }
            Way::Pipelined => {
                try_join_all(load).await.map_err(text)?;
                try_join_all(write).await.map_err(text)?;
            }
        }
        transaction.commit().await.map_err(text)
    }
}

/// How the statements of a batch are sent.
#[derive(Clone, Copy)]
pub(super) enum Way {
    /// Each when the one before was answered, as most clients do and can.
    Awaited,
    /// Those of different players without waiting for each other, as this client can.
    Pipelined,
}

impl Drop for Bare {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

impl Statements {
    async fn new(client: &Client) -> Result<Self, tokio_postgres::Error> {
        let told = "INSERT INTO liveops.outbox (game, cursor, kind, told) \
            VALUES ($1, (pg_current_xact_id()::text::bigint << 16) + $2, 0, $3)";
        Ok(Self {
            horizon: client.prepare("SELECT now, forgotten_before FROM liveops.horizon WHERE game = $1 AND copy = 0 FOR SHARE").await?,
            load_player: client
                .prepare("SELECT version, record FROM liveops.player WHERE game = $1 AND player = $2 FOR UPDATE")
                .await?,
            load_outcome: client
                .prepare("SELECT record FROM liveops.outcome WHERE game = $1 AND player = $2 AND origin = 0 AND id = $3")
                .await?,
            insert_player: client
                .prepare(
                    "INSERT INTO liveops.player (game, player, version, xp, level, receipts, newest_ts, remembered, hidden, record) \
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $7, false, $8)",
                )
                .await?,
            update_player: client
                .prepare(
                    "UPDATE liveops.player SET version = $3, xp = $4, level = $5, receipts = $6, newest_ts = $7, remembered = $7, record = $8 \
                    WHERE game = $1 AND player = $2 AND version = $9",
                )
                .await?,
            insert_outcome: client
                .prepare("INSERT INTO liveops.outcome (game, player, origin, id, ts, record) VALUES ($1, $2, 0, $3, $4, $5)")
                .await?,
            insert_receipt: client
                .prepare_typed(
                    "INSERT INTO liveops.receipt (game, player, number, reward, state, ts, doc, record) \
                    VALUES ($1, $2, $3, $4, 'issued', $5, $6::text::jsonb, $7)",
                    &[Type::INT4, Type::TEXT, Type::INT8, Type::TEXT, Type::INT8, Type::TEXT, Type::BYTEA],
                )
                .await?,
            insert_told: client.prepare_typed(told, &[Type::INT4, Type::INT8, Type::BYTEA]).await?,
        })
    }
}

/// What one change set writes, as columns.
struct Writes {
    player: String,
    expected: i64,
    version: i64,
    xp: i64,
    level: i32,
    receipt_count: i64,
    newest: i64,
    record: Vec<u8>,
    told: Vec<u8>,
    outcomes: Vec<(String, i64, Vec<u8>)>,
    receipts: Vec<(i64, String, i64, String, Vec<u8>)>,
}

impl Writes {
    fn of(set: &ChangeSet) -> Self {
        let player = &set.record;
        let outcomes = set
            .outcomes
            .iter()
            .map(|(id, outcome)| (id.id.to_string(), outcome.ts.as_unix_millis(), stored(RecordRef::Outcome(outcome))));
        let receipts = set.receipts.iter().map(|receipt| {
            let doc = serde_json::to_string(receipt).unwrap_or_default();
            let record = stored(RecordRef::Receipt(receipt));
            (receipt.number.cast_signed(), receipt.reward.to_string(), receipt.ts.as_unix_millis(), doc, record)
        });
        Self {
            player: set.player.as_str().to_owned(),
            expected: set.expected.cast_signed(),
            version: player.version.cast_signed(),
            xp: player.xp.cast_signed(),
            level: player.granted_through.cast_signed(),
            receipt_count: player.receipts.cast_signed(),
            newest: player.newest_ts.as_unix_millis(),
            record: stored(RecordRef::Player(player)),
            told: Notice::told_of(set),
            outcomes: outcomes.collect(),
            receipts: receipts.collect(),
        }
    }

    async fn load(
        &self,
        transaction: &Transaction<'_>,
        statements: &Statements,
        game: &i32,
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        let mut known = transaction.query(&statements.load_player, &[game, &self.player]).await?;
        for (id, ..) in &self.outcomes {
            known.extend(transaction.query(&statements.load_outcome, &[game, &self.player, id]).await?);
        }
        Ok(known)
    }

    async fn write(
        &self,
        transaction: &Transaction<'_>,
        statements: &Statements,
        game: &i32,
        place: i64,
    ) -> Result<(), tokio_postgres::Error> {
        let Self { player, expected, version, xp, level, receipt_count, newest, record, told, .. } = self;
        let row: [&(dyn ToSql + Sync); 9] = [game, player, version, xp, level, receipt_count, newest, record, expected];
        if *expected == 0 {
            transaction.execute(&statements.insert_player, &row[..8]).await?;
        } else {
            transaction.execute(&statements.update_player, &row).await?;
        }
        for (id, ts, record) in &self.outcomes {
            transaction.execute(&statements.insert_outcome, &[game, player, id, ts, record]).await?;
        }
        for (number, reward, ts, doc, record) in &self.receipts {
            transaction.execute(&statements.insert_receipt, &[game, player, number, reward, ts, doc, record]).await?;
        }
        transaction.execute(&statements.insert_told, &[game, &place, told]).await.map(drop)
    }
}

/// What the server said, which the client's own words leave out.
#[expect(clippy::needless_pass_by_value, reason = "as `map_err` hands it over")]
fn text(error: tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string)
}
