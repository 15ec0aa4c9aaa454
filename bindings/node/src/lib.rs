//! The addon under the npm package `liveops`: converts, calls, converts back. No rule of the game lives here.
//!
//! The JavaScript in front of it (`lib/*.js`) has checked every argument, because Node-API turns `NaN` into 0 and 1.9
//! into 1 without a word. Results go back as JSON text, rows, small numbers and handles; errors as one JSON text that the
//! JavaScript turns into a class. Times are Unix milliseconds.

#![expect(clippy::needless_pass_by_value, reason = "Node-API hands texts and lists over by value")]

pub mod alerts;
pub mod anomaly;
pub mod archive;
pub mod board;
pub mod command;
pub mod curve;
pub mod engine;
pub mod engine_board;
pub mod engine_feed;
pub mod engine_players;
pub mod event;
pub mod failure;
pub mod family;
pub mod intake;
pub mod loot;
pub mod luck;
pub mod memory;
pub mod open;
pub mod outcome;
pub mod payout;
pub mod population;
pub mod profile;
pub mod progress;
pub mod quota;
pub mod receipt;
pub mod rows;
pub mod rules;
pub mod signing;
pub mod thresholds;
pub mod verb;
pub mod verdict;
pub mod window;
pub mod windowed;
pub mod writer;
