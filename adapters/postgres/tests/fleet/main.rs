//! The store over servers of these tests' own: what it promises, what people read, and what becomes of both when servers, connections and
//! processes fail.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test that says its seed and waits for servers and children"
)]

mod digest;
mod errors;
mod failover;
mod follow;
mod game;
mod kills;
mod kit;
mod lost;
mod order;
mod others;
mod races;
mod readable;
mod restore;
mod rows;
mod settings;
mod tls;
mod turns;
mod versions;
