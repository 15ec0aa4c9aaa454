//! What the example programs and their tests share: the generator of the sample season, and its replay.
//!
//! - [`generate`] makes a season from a seed: players of different habits, and everything that real traffic holds.
//! - [`simulate`] makes players of a game, honest ones and cheaters, to measure detectors with.
//! - [`evaluate`] measures detectors on them.
//! - [`anomaly_report`] makes a page of who stands out in a log.
//! - [`mod@line`] is one line of a season: `{"receivedMs", "headers", "body"}`, as a server received it.
//! - [`replay`] drives lines through the door and an engine and counts what comes out.
//! - [`fleet`] drives a season through many processes over one store.
//! - [`report`] says it in plain text, [`export`] in files.
//! - [`disk`] is what the two stores of one's own write to.
//! - [`curve`] draws level curves, and what a change of them does to players, as a page.
#![forbid(unsafe_code)]

pub mod anomaly_report;
pub mod curve;
pub mod disk;
mod drawing;
pub mod evaluate;
pub mod export;
pub mod fleet;
pub mod generate;
pub mod line;
pub mod progress_bar;
pub mod random;
pub mod replay;
pub mod report;
pub mod simulate;
