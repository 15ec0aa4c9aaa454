//! `redis.event1.bare` and `redis.batch256.bare`: events through the engine over a Redis, against a bare script in a Redis of its own.

use futures_util::future::try_join_all;
use liveops_compare::measure::{Row, Stopwatch, by_turns};
use liveops_core::{AsyncEngine, Command};
use liveops_redis::{Options, RedisStore};
use liveops_testbed::Redis;
use tokio::runtime::{Builder, Runtime};

use super::bare_redis::Bare;
use super::decided::{Events, applied, by_lane, rules, text};
use super::meter::Server;

const PLAYERS: u64 = 10_000;
/// Of `redis.event1.bare`. Each has one event at a time, as at a server with so many requests under way; both clients send what is waiting
/// together.
const CALLERS: usize = 64;
const EVENTS_PER_ROUND: usize = 10_240;
/// One at a time takes longer.
const ALONE_PER_ROUND: usize = 1_000;

/// Callers with one event each.
pub(crate) fn event1() -> Result<Row, String> {
    let mut sides = Sides::new()?;
    let row = sides.by_turns(CALLERS, 1, EVENTS_PER_ROUND)?;
    let alone = sides.by_turns(1, 1, ALONE_PER_ROUND)?;
    let more = vec![("one caller", alone.ours), ("one caller, peer", alone.peer)];
    Ok(Row { name: "redis.event1.bare", more, ..row })
}

/// One caller with batches; the peer sends as many calls at once.
pub(crate) fn batch256() -> Result<Row, String> {
    let row = Sides::new()?.by_turns(1, 256, EVENTS_PER_ROUND)?;
    Ok(Row { name: "redis.batch256.bare", ..row })
}

struct Sides {
    runtime: Runtime,
    ours: Ours,
    our_server: Redis,
    bare: Bare,
    bare_server: Redis,
}

struct Ours {
    engine: AsyncEngine<RedisStore>,
    events: Events,
}

impl Sides {
    fn new() -> Result<Self, String> {
        // One thread: the other processor is the server's.
        let runtime = Builder::new_current_thread().enable_all().build().map_err(text)?;
        let (our_server, bare_server) = (Redis::start(&[])?, Redis::start(&[])?);
        let ours = runtime.block_on(Ours::new(&our_server.url()))?;
        let bare = runtime.block_on(Bare::new(&bare_server.url(), PLAYERS))?;
        Ok(Self { runtime, ours, our_server, bare, bare_server })
    }

    fn by_turns(&mut self, callers: usize, batch: usize, events: usize) -> Result<Row, String> {
        let Self { runtime, ours, our_server, bare, bare_server } = self;
        let (our_server, bare_server) = (Server::of(our_server.pid())?, Server::of(bare_server.pid())?);
        let row = by_turns(
            |stopwatch| {
                let commands = ours.events.next(events);
                per_event(our_server, events, stopwatch, || runtime.block_on(ours.submit(&commands, callers, batch)))
            },
            |stopwatch| {
                let calls = bare.next(events)?;
                per_event(bare_server, events, stopwatch, || {
                    runtime.block_on(async {
                        if batch == 1 {
                            return bare.at_once(&calls, callers).await;
                        }
                        for calls in calls.chunks(batch) {
                            bare.pipelined(calls).await?;
                        }
                        Ok(())
                    })
                })
            },
        )?;
        Ok(Row { unit: "ns/event", ..row })
    }
}

fn per_event(
    server: Server,
    events: usize,
    stopwatch: &mut Stopwatch,
    round: impl FnOnce() -> Result<(), String>,
) -> Result<f64, String> {
    Ok(server.measure(stopwatch, round)? / events as f64)
}

impl Ours {
    async fn new(url: &str) -> Result<Self, String> {
        let rules = rules()?;
        let store = RedisStore::connect(url, options()?).await.map_err(text)?;
        let mut ours =
            Self { engine: AsyncEngine::open(rules, store).await.map_err(text)?, events: Events::new(PLAYERS)? };
        for batch in ours.events.warm_up().chunks(1_000) {
            applied(&ours.engine.submit_batch(batch).await)?;
        }
        Ok(ours)
    }

    async fn submit(&self, commands: &[Command], callers: usize, batch: usize) -> Result<(), String> {
        let lanes = by_lane(commands, callers, |command| &command.player);
        try_join_all(lanes.into_iter().map(|commands| self.one_by_one(commands, batch))).await.map(drop)
    }

    async fn one_by_one(&self, commands: Vec<&Command>, batch: usize) -> Result<(), String> {
        for batch in commands.chunks(batch) {
            applied(&self.engine.submit_batch(batch).await)?;
        }
        Ok(())
    }
}

pub(super) fn options() -> Result<Options, String> {
    // What a Redis keeps on its disk is its own affair, and the same for both sides. On a busy machine an answer may take its time.
    Ok(Options::new(rules()?.game()).allow_no_persistence().timeout(super::postgres::PATIENCE))
}
