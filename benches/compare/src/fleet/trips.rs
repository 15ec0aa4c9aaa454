//! `redis.trips` and `postgres.trips`: how often a batch goes to the server and back, by a proxy that counts what is sent until something
//! comes back. The peer is the two that there must be: one to load, one to commit.

use liveops_compare::measure::{Row, median};
use liveops_core::AsyncEngine;
use liveops_core::store::{AsyncBoards, AsyncScan, AsyncStore};
use liveops_postgres::PostgresStore;
use liveops_redis::RedisStore;
use liveops_testbed::{Postgres, Proxy, Redis};
use tokio::runtime::Builder;

use super::decided::{Events, applied, rules, text};

const NEEDED: f64 = 2.0;
const BATCHES: usize = 200;
/// What the ids of the traffic's players begin with, so a replica that asks for news is not counted.
const PLAYER: &str = "player-";

pub(crate) fn redis() -> Result<Row, String> {
    let server = Redis::start(&[])?;
    let proxy = Proxy::start(&server)?;
    let runtime = Builder::new_current_thread().enable_all().build().map_err(text)?;
    runtime.block_on(async {
        let store = RedisStore::connect(&proxy.url(), super::redis::options()?).await.map_err(text)?;
        Ok(Row { name: "redis.trips", ..trips(store, &proxy).await? })
    })
}

pub(crate) fn postgres() -> Result<Row, String> {
    let server = Postgres::start(&[])?;
    let proxy = Proxy::start(&server)?;
    let runtime = Builder::new_current_thread().enable_all().build().map_err(text)?;
    runtime.block_on(async {
        let store = PostgresStore::connect(&proxy.url(), super::postgres::options()?).await.map_err(text)?;
        Ok(Row { name: "postgres.trips", ..trips(store, &proxy).await? })
    })
}

async fn trips<S: AsyncStore + AsyncScan + AsyncBoards>(store: S, proxy: &Proxy) -> Result<Row, String> {
    let engine = AsyncEngine::open(rules()?, store).await.map_err(text)?;
    let mut events = Events::new(10_000)?;
    for batch in events.warm_up().chunks(1_000) {
        applied(&engine.submit_batch(batch).await)?;
    }
    proxy.watch(PLAYER);
    let mut trips = Vec::new();
    for _ in 0..BATCHES {
        let before = proxy.watched();
        applied(&engine.submit_batch(&events.next(100)).await)?;
        trips.push((proxy.watched() - before) as f64);
    }
    // A server may answer the first commands of a trip before the proxy has seen the last: then it counts one more.
    let mean = trips.iter().sum::<f64>() / BATCHES as f64;
    // Nothing is timed, so nobody can have waited.
    Ok(Row { ours: median(trips), peer: NEEDED, unit: "trips/batch", more: vec![("mean", mean)], ..Row::default() })
}
