//! `fleet.poll` and `postgres.poll`: what a replica that has nothing to hear takes of one processor of the server, against one hundredth. For the
//! record, many of them at once, and when there always is something to hear.

use std::thread;
use std::time::{Duration, Instant};

use liveops_compare::measure::{Row, Stopwatch, median};
use liveops_core::AsyncEngine;
use liveops_core::store::{AsyncBoards, AsyncScan, AsyncStore};
use liveops_postgres::PostgresStore;
use liveops_redis::RedisStore;
use liveops_testbed::{Postgres, Redis};
use tokio::runtime::{Builder, Runtime};

use super::decided::{Events, applied, rules, text};
use super::meter::Server;

const ALLOWED_PERCENT: f64 = 1.0;
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(4);
/// After so long, a replica that hears nothing asks once a second.
const SETTLED: Duration = Duration::from_secs(5);
/// Between two events of a busy round, so that every look of every replica finds something.
const BUSY_PAUSE: Duration = Duration::from_millis(50);

/// Sixteen replicas over a Redis, each as if it were a process of its own.
pub(crate) fn redis() -> Result<Row, String> {
    Ok(Row { name: "fleet.poll", ..over_redis(16)? })
}

/// A thousand of them.
pub(crate) fn redis_1000() -> Result<Row, String> {
    Ok(Row { name: "fleet.poll1000", for_the_record: true, ..over_redis(1_000)? })
}

/// Sixteen replicas over a PostgreSQL.
pub(crate) fn postgres() -> Result<Row, String> {
    Ok(Row { name: "postgres.poll", ..over_postgres(16)? })
}

fn over_redis(replicas: usize) -> Result<Row, String> {
    let server = Redis::start(&["--maxclients", "10000"])?;
    let url = server.url();
    poll(Server::of(server.pid())?, replicas, async || {
        RedisStore::connect(&url, super::redis::options()?).await.map_err(text)
    })
}

fn over_postgres(replicas: usize) -> Result<Row, String> {
    let server = Postgres::start(&["max_connections=300"])?;
    let url = server.url();
    poll(Server::of(server.pids().first().copied())?, replicas, async || {
        PostgresStore::connect(&url, super::postgres::options()?).await.map_err(text)
    })
}

fn poll<S: AsyncStore + AsyncScan + AsyncBoards>(
    server: Server,
    replicas: usize,
    connect: impl AsyncFn() -> Result<S, String>,
) -> Result<Row, String> {
    // The replicas' own work is done here, and shared by all of them.
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(text)?;
    let mut writer = Writer::new(&runtime, runtime.block_on(connect())?)?;
    let mut stopwatch = Stopwatch::default();
    // The writer's replica is there in all rounds.
    let [idle_alone, busy_alone] = [Some(&mut stopwatch), None].map(|stopwatch| share(server, &mut writer, stopwatch));
    let mut stores = Vec::new();
    for _ in 0..replicas {
        stores.push(runtime.block_on(connect())?);
    }
    let [idle, busy] = [Some(&mut stopwatch), None].map(|stopwatch| share(server, &mut writer, stopwatch));
    let each = |all: f64, alone: f64| ((all - alone) / replicas as f64).max(0.0);
    let (idle_alone, busy_alone, idle, busy) = (idle_alone?, busy_alone?, idle?, busy?);
    let more = vec![
        ("all together, %", idle - idle_alone),
        ("with news, each, %", each(busy, busy_alone)),
        ("with news, all, %", busy - busy_alone),
    ];
    let wait_percent = stopwatch.wait_percent();
    let ours = each(idle, idle_alone);
    Ok(Row { ours, peer: ALLOWED_PERCENT, unit: "% of a core", wait_percent, more, ..Row::default() })
}

/// What the server takes of one processor, in percent: idle where somebody looks at the stopwatch, else with an event every now and then.
fn share<S: AsyncStore>(
    server: Server,
    writer: &mut Writer<'_, S>,
    idle: Option<&mut Stopwatch>,
) -> Result<f64, String> {
    let busy = idle.is_none();
    let mut unread = Stopwatch::default();
    let stopwatch = idle.unwrap_or(&mut unread);
    thread::sleep(SETTLED);
    let mut shares = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let used = server.measure(stopwatch, || {
            while begun.elapsed() < ROUND {
                if busy {
                    writer.write()?;
                    thread::sleep(BUSY_PAUSE);
                } else {
                    thread::sleep(ROUND);
                }
            }
            Ok(())
        })?;
        shares.push(used * 100.0 / begun.elapsed().as_nanos() as f64);
    }
    Ok(median(shares))
}

/// One who writes now and then.
struct Writer<'a, S> {
    runtime: &'a Runtime,
    engine: AsyncEngine<S>,
    events: Events,
}

impl<'a, S: AsyncStore + AsyncScan + AsyncBoards> Writer<'a, S> {
    fn new(runtime: &'a Runtime, store: S) -> Result<Self, String> {
        let engine = runtime.block_on(AsyncEngine::open(rules()?, store)).map_err(text)?;
        Ok(Self { runtime, engine, events: Events::new(1_000)? })
    }
}

impl<S: AsyncStore> Writer<'_, S> {
    fn write(&mut self) -> Result<(), String> {
        applied(&self.runtime.block_on(self.engine.submit_batch(&self.events.next(1))))
    }
}
