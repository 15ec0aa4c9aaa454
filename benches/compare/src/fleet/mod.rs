//! Stores that many processes share, by what their server uses of a processor: against a bare script and a statement a row, against themselves
//! with other batches, and a replica that has nothing to do.

mod bare_postgres;
mod bare_redis;
mod decided;
mod in_memory;
mod meter;
mod poll;
mod postgres;
mod redis;
mod trips;

pub(crate) use in_memory::redis as engine_event_redis;
pub(crate) use poll::{postgres as postgres_poll, redis as redis_poll, redis_1000 as redis_poll_1000};
pub(crate) use postgres::{batch100_one, batch100_rows, cold_warm};
pub(crate) use redis::{batch256 as redis_batch256, event1 as redis_event1};
pub(crate) use trips::{postgres as postgres_trips, redis as redis_trips};
