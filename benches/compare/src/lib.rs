//! What comparisons share: how to time, when to distrust the time, how to print it; what boards are fed with; a Redis.
#![forbid(unsafe_code)]
// Nanoseconds of a benchmark are far below 2^52; the clock is what a benchmark reads.
#![allow(clippy::cast_precision_loss, clippy::disallowed_methods)]

pub mod measure;
#[cfg(unix)]
pub mod redis;
#[cfg(unix)]
pub mod sorted_sets;
pub mod workload;
