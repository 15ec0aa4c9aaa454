//! `liveops-compare <row>`: measures one comparison and prints it as one JSON line. Started by `cargo xtask compare`.
#![forbid(unsafe_code)]
// A program that prints, on purpose.
#![allow(clippy::print_stdout, clippy::print_stderr)]
// Nanoseconds of a benchmark are far below 2^52; the clock is what a benchmark reads.
#![allow(clippy::cast_precision_loss, clippy::disallowed_methods)]

mod anomaly;
mod board;
mod engine;
mod event;
#[cfg(target_os = "linux")]
mod fleet;
mod progress;
mod quota;
mod reward;
mod signing;
mod sqlite;
mod store;

use std::process::ExitCode;

use liveops_compare::measure::Row;

/// A row's name and what measures it.
type Entry = (&'static str, fn() -> Result<Row, String>);

const ROWS: &[Entry] = &[
    ("anomaly.update", anomaly::update),
    ("anomaly.recall", anomaly::recall),
    ("anomaly.honest", anomaly::honest),
    ("engine.event", engine::event),
    ("engine.event.handmade", engine::event_handmade),
    #[cfg(target_os = "linux")]
    ("engine.event.redis", fleet::engine_event_redis),
    ("engine.event.200k", engine::event_200k),
    ("engine.event.1m", engine::event_1m),
    ("engine.event.feed", engine::event_feed),
    ("engine.submit.single", engine::submit_single),
    ("engine.threads.two", engine::threads_two),
    ("engine.stalls", engine::stalls),
    ("engine.before", engine::before),
    ("store.dyn.concrete", store::behind_a_pointer),
    ("scan.migration.linear", store::migration),
    ("sqlite.batch1.bare", sqlite::batch1),
    ("sqlite.batch100.bare", sqlite::batch100),
    ("sqlite.batch1000.bare", sqlite::batch1000),
    ("sqlite.batch100.bare200k", sqlite::batch100_200k),
    ("sqlite.batch1000.bare200k", sqlite::batch1000_200k),
    #[cfg(target_os = "linux")]
    ("sqlite.group8.one", sqlite::group8),
    #[cfg(target_os = "linux")]
    ("sqlite.group64.one", sqlite::group64),
    ("sqlite.advance.outcomes", sqlite::advance_outcomes),
    ("sqlite.open.decode", sqlite::open_decode),
    #[cfg(target_os = "linux")]
    ("redis.event1.bare", fleet::redis_event1),
    #[cfg(target_os = "linux")]
    ("redis.batch256.bare", fleet::redis_batch256),
    #[cfg(target_os = "linux")]
    ("redis.trips", fleet::redis_trips),
    #[cfg(target_os = "linux")]
    ("fleet.poll", fleet::redis_poll),
    #[cfg(target_os = "linux")]
    ("fleet.poll1000", fleet::redis_poll_1000),
    #[cfg(target_os = "linux")]
    ("postgres.batch100.rows", fleet::batch100_rows),
    #[cfg(target_os = "linux")]
    ("postgres.batch100.one", fleet::batch100_one),
    #[cfg(target_os = "linux")]
    ("postgres.cold.warm", fleet::cold_warm),
    #[cfg(target_os = "linux")]
    ("postgres.trips", fleet::postgres_trips),
    #[cfg(target_os = "linux")]
    ("postgres.poll", fleet::postgres_poll),
    ("signing.verify.fresh", signing::verify_fresh_row),
    ("signing.verify.ring", signing::verify_ring_row),
    ("event.parse.serde_json", event::parse_serde_json),
    ("progress.level.loop", progress::level_loop),
    ("progress.apply", progress::apply),
    ("reward.receipt", reward::receipt),
    ("reward.roll", reward::roll),
    ("quota.check.governor", quota::governor),
    ("quota.check.governor1k", quota::governor1k),
    #[cfg(unix)]
    ("board.increment.redis", board::increment_redis),
    #[cfg(unix)]
    ("board.windows4.redis", board::windows4_redis),
    #[cfg(unix)]
    ("board.rank.redis", board::rank_redis),
    #[cfg(unix)]
    ("board.top100.redis", board::top100_redis),
    ("board.increment.indexset", board::increment_indexset),
    ("board.rank.indexset", board::rank_indexset),
    ("board.increment.dict", board::increment_dict),
    ("board.submit.tail", board::submit_tail),
    #[cfg(unix)]
    ("board.batch100.redis", board::batch100_redis),
    #[cfg(unix)]
    ("board.increment_zipf.redis", board::increment_zipf_redis),
    #[cfg(unix)]
    ("board.increment_far.redis", board::increment_far_redis),
    #[cfg(unix)]
    ("board.increment_10k.redis", board::increment_10k_redis),
    #[cfg(unix)]
    ("board.increment_10m.redis", board::increment_10m_redis),
];

fn main() -> ExitCode {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let Some((_, measure)) = ROWS.iter().find(|(name, _)| *name == wanted) else {
        let names: Vec<_> = ROWS.iter().map(|(name, _)| *name).collect();
        eprintln!("liveops-compare <row>; rows: {}", names.join(", "));
        return ExitCode::FAILURE;
    };
    match measure() {
        Ok(row) => {
            println!("{}", row.to_json());
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("{wanted}: {reason}");
            ExitCode::FAILURE
        }
    }
}
