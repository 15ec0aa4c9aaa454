//! `postgres.batch100.rows`, `postgres.batch100.one` and `postgres.cold.warm`: events through the engine over a PostgreSQL, against a statement for
//! each row, against our own batches of one, and without statistics against with them.

use std::time::Duration;

use liveops_compare::measure::{Row, Stopwatch, by_turns};
use liveops_core::AsyncEngine;
use liveops_postgres::{Options, PostgresStore};
use liveops_testbed::Postgres;
use tokio::runtime::{Builder, Runtime};

use super::bare_postgres::{Bare, Way};
use super::decided::{Events, applied, rules, text};
use super::meter::Server;

const PLAYERS: u64 = 10_000;
const BATCH: usize = 100;
const EVENTS_PER_ROUND: usize = 3_000;
/// One at a time takes longer.
const ALONE_PER_ROUND: usize = 500;

/// Batches against a statement for each row of the same batches.
pub(crate) fn batch100_rows() -> Result<Row, String> {
    let runtime = runtime()?;
    let mut ours = Ours::new(&runtime, &[])?;
    let peer_server = Postgres::start(&[])?;
    let meter = Server::of(peer_server.pids().first().copied())?;
    let mut bare = runtime.block_on(Bare::new(&peer_server.url(), PLAYERS))?;
    let mut rows = |way| {
        by_turns(
            |stopwatch| ours.round(&runtime, BATCH, EVENTS_PER_ROUND, stopwatch),
            |stopwatch| {
                let mut batches = Vec::new();
                for _ in 0..EVENTS_PER_ROUND / BATCH {
                    batches.push(bare.decided.next(BATCH)?);
                }
                let used = meter.measure(stopwatch, || {
                    batches.iter().try_for_each(|sets| runtime.block_on(bare.write(sets, way)))
                })?;
                Ok(used / EVENTS_PER_ROUND as f64)
            },
        )
    };
    let (row, pipelined) = (rows(Way::Awaited)?, rows(Way::Pipelined)?);
    // Both have had the same events by now.
    let (mine, others) = (contents(&ours.server)?, contents(&peer_server)?);
    if mine != others {
        return Err(format!("the two sides hold {mine} and {others}"));
    }
    let more = vec![("peer, pipelined", pipelined.peer), ("ours, beside it", pipelined.ours)];
    Ok(Row { name: "postgres.batch100.rows", unit: "ns/event", more, ..row })
}

/// Batches of a hundred against batches of one.
pub(crate) fn batch100_one() -> Result<Row, String> {
    let runtime = runtime()?;
    let (mut ours, mut alone) = (Ours::new(&runtime, &[])?, Ours::new(&runtime, &[])?);
    let row = by_turns(
        |stopwatch| ours.round(&runtime, BATCH, EVENTS_PER_ROUND, stopwatch),
        |stopwatch| alone.round(&runtime, 1, ALONE_PER_ROUND, stopwatch),
    )?;
    Ok(Row { name: "postgres.batch100.one", unit: "ns/event", ..row })
}

/// Batches of one where nobody ever counted the rows, against where somebody just has.
pub(crate) fn cold_warm() -> Result<Row, String> {
    let runtime = runtime()?;
    let quiet: &[&str] = &["autovacuum=off"];
    let (mut cold, mut warm) = (Ours::new(&runtime, quiet)?, Ours::new(&runtime, quiet)?);
    warm.server.sql("ANALYZE")?;
    let row = by_turns(
        |stopwatch| cold.round(&runtime, 1, ALONE_PER_ROUND, stopwatch),
        |stopwatch| warm.round(&runtime, 1, ALONE_PER_ROUND, stopwatch),
    )?;
    let counted = |ours: &Ours| ours.server.sql("SELECT count(*) FROM pg_stats WHERE schemaname = 'liveops'");
    if counted(&cold)?.trim() != "0" || counted(&warm)?.trim() == "0" {
        return Err("statistics are not where they should be".to_owned());
    }
    Ok(Row { name: "postgres.cold.warm", unit: "ns/event", ..row })
}

/// An engine over a server of its own.
struct Ours {
    engine: AsyncEngine<PostgresStore>,
    events: Events,
    meter: Server,
    // After the engine: a server goes last.
    server: Postgres,
}

impl Ours {
    /// All players have had an event each.
    fn new(runtime: &Runtime, settings: &[&str]) -> Result<Self, String> {
        let server = Postgres::start(settings)?;
        let meter = Server::of(server.pids().first().copied())?;
        let mut events = Events::new(PLAYERS)?;
        let warm_up = events.warm_up();
        let engine = runtime.block_on(async {
            let store = PostgresStore::connect(&server.url(), options()?).await.map_err(text)?;
            let engine = AsyncEngine::open(rules()?, store).await.map_err(text)?;
            for batch in warm_up.chunks(1_000) {
                applied(&engine.submit_batch(batch).await)?;
            }
            Ok::<_, String>(engine)
        })?;
        Ok(Self { engine, events, meter, server })
    }

    fn round(
        &mut self,
        runtime: &Runtime,
        batch: usize,
        events: usize,
        stopwatch: &mut Stopwatch,
    ) -> Result<f64, String> {
        let commands = self.events.next(events);
        let used = self.meter.measure(stopwatch, || {
            commands.chunks(batch).try_for_each(|batch| applied(&runtime.block_on(self.engine.submit_batch(batch))))
        })?;
        Ok(used / events as f64)
    }
}

pub(super) fn options() -> Result<Options, String> {
    // On a busy machine an answer may take its time.
    Ok(Options::new(rules()?.game()).timeout(PATIENCE))
}

/// For an answer of a server.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// One thread: the other processors are the server's.
fn runtime() -> Result<Runtime, String> {
    Builder::new_current_thread().enable_all().build().map_err(text)
}

/// What is in a database, as far as both sides must agree: rows and bytes of each table.
fn contents(server: &Postgres) -> Result<String, String> {
    server.sql(
        "SELECT (SELECT count(*) FROM liveops.player), (SELECT sum(length(record)) FROM liveops.player), \
            (SELECT sum(xp) FROM liveops.player), (SELECT count(*) FROM liveops.outcome), \
            (SELECT sum(length(record)) FROM liveops.outcome), (SELECT count(*) FROM liveops.receipt), \
            (SELECT sum(length(record)) FROM liveops.receipt), (SELECT count(*) FROM liveops.outbox)",
    )
}
