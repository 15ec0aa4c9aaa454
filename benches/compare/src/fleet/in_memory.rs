//! `engine.event.redis`: the engine over memory, against the bare script in a Redis.

use liveops_compare::measure::{Row, by_turns};
use liveops_core::{Engine, MemoryStore};
use liveops_testbed::Redis;
use tokio::runtime::Builder;

use super::bare_redis::Bare;
use super::decided::{Events, applied, rules, text};
use super::meter::Server;

const PLAYERS: u64 = 10_000;
/// About as in the engine's other rows, and a part of a round.
const BATCH: usize = 1_024;
const EVENTS_PER_ROUND: usize = 10_240;
/// Of the script in one go.
const CALLS: usize = 256;

/// The engine over memory, by the clock, against what the server alone uses for the bare script, called 256 times in one go: its cheapest.
pub(crate) fn redis() -> Result<Row, String> {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(text)?;
    let server = Redis::start(&[])?;
    let mut bare = runtime.block_on(Bare::new(&server.url(), PLAYERS))?;
    let server_used = Server::of(server.pid())?;
    let (engine, mut events) = (Engine::new(rules()?, MemoryStore::new()), Events::new(PLAYERS)?);
    for batch in events.warm_up().chunks(BATCH) {
        applied(&engine.submit_batch(batch))?;
    }
    let row = by_turns(
        |stopwatch| {
            let mut nanos = 0.0;
            for _ in 0..EVENTS_PER_ROUND / BATCH {
                let commands = events.next(BATCH);
                nanos += stopwatch.time(|| drop(std::hint::black_box(engine.submit_batch(&commands))));
            }
            Ok(nanos / EVENTS_PER_ROUND as f64)
        },
        |stopwatch| {
            let calls = bare.next(EVENTS_PER_ROUND)?;
            let used = server_used.measure(stopwatch, || {
                runtime.block_on(async {
                    for calls in calls.chunks(CALLS) {
                        bare.pipelined(calls).await?;
                    }
                    Ok(())
                })
            })?;
            Ok(used / EVENTS_PER_ROUND as f64)
        },
    )?;
    Ok(Row { name: "engine.event.redis", unit: "ns/event", ..row })
}
