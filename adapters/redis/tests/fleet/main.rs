//! The store against real servers: one, and clusters, and what befalls them.
//!
//! A test takes a game of its own on a server that all share, or a server of its own where it is killed, stopped or filled.
//! `LIVEOPS_SEED` repeats a random test, `LIVEOPS_KILLS` asks for more kills than fit into a test run.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::format_push_string,
    reason = "a test that says its seed and what it counted"
)]

mod cluster;
mod common;
mod digest;
mod failover;
mod faults;
mod kills;
mod kit;
mod lost;
mod secrets;
mod setup;
mod trips;
