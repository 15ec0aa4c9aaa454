//! Many processes over one store, and one who drives them through a season.
//!
//! A worker is a process of any language that holds an engine over a shared store. It reads one request a line from standard input, and
//! answers each in a line on standard output:
//!
//! | request | answer |
//! |---|---|
//! | none: it has started | `{"ready": true}` |
//! | `{"submit": [{"receivedMs", "headers", "body"}, ..]}` | `{"outcomes": [[status, code], ..]}` |
//! | `{"advance": ms}` | `{"now": ms}` |
//! | `{"boards": ms}` | `{"boards": {"xp weekly 0": [[rank, player, score], ..], ..}}`, the ten best of each board and window now and one period ago |
//! | `{"digest": true}` | `{"digest": "v1:.."}` |
//!
//! An answer may be `{"error": code}`: of one that the store did not answer in time the request is made again, any other ends the run. Standard
//! input at its end ends the worker.
//!
//! The driver keeps to the order of [`crate::replay`]. Its door admits each line once, at its `receivedMs`, because quotas are counted by the
//! process that admits; workers take what it lets through. Within an hour each player's events go to one worker, in order, and to another in the
//! next hour: nobody owns a player. When all first calls have ended, some events are sent again, elsewhere. When those have ended too,
//! one of the workers advances.

mod process;
mod season;

pub use process::{Process, Start};
pub use season::{Fleet, Kills, Score, Summary};
