//! `liveops-compare-bytes <row>`: what stores, boards, limiters, profiles and their peers keep in memory, printed as one JSON line. Apart from
//! `liveops-compare`, because every allocation is counted here. Started by `cargo xtask compare`.
#![forbid(unsafe_code)]
// A program that prints, on purpose.
#![allow(clippy::print_stdout, clippy::print_stderr)]
// Bytes of a benchmark are far below 2^52.
#![allow(clippy::cast_precision_loss)]

mod anomaly;
#[cfg(unix)]
mod engine;
mod quota;
#[cfg(unix)]
mod redis;
#[cfg(unix)]
mod replica;

use std::alloc::System;
use std::process::ExitCode;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What a usual `malloc` adds to a block on average: its header, and half of what it rounds up by. A peer in another
/// program has its own allocator's rounding in its figure.
const MALLOC_BYTES_PER_BLOCK: usize = 16;

/// Bytes that something keeps once it is made, and that with it.
fn kept<T>(make: impl FnOnce() -> T) -> (T, f64) {
    let before = ALLOCATOR.stats();
    let whole = make();
    let change = ALLOCATOR.stats() - before;
    let bytes = change.bytes_allocated - change.bytes_deallocated;
    let blocks = change.allocations - change.deallocations;
    (whole, (bytes + blocks * MALLOC_BYTES_PER_BLOCK) as f64)
}

fn main() -> ExitCode {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let row =
        match wanted.as_str() {
            #[cfg(unix)]
            "board.bytes1.redis" => redis::bytes1(),
            #[cfg(unix)]
            "board.bytes4.redis" => redis::bytes4(),
            #[cfg(unix)]
            "fleet.bytes" => replica::fleet(),
            #[cfg(unix)]
            "engine.bytes.redis" => engine::redis(),
            "anomaly.bytes" => Ok(anomaly::profile()),
            "quota.bytes.governor" => Ok(quota::governor()),
            _ => Err("no such row; rows: anomaly.bytes, board.bytes1.redis, board.bytes4.redis, engine.bytes.redis, fleet.bytes, quota.bytes.governor"
                .to_owned()),
        };
    match row.map(|row: liveops_compare::measure::Row| row.to_json()) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("{wanted}: {reason}");
            ExitCode::FAILURE
        }
    }
}
