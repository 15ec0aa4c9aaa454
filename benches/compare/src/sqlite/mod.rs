//! The durable store: against a bare rusqlite program that keeps the same rows, against itself with one caller, with nothing to forget, and against
//! decoding its records.

mod advance;
mod bare;
mod batches;
#[cfg(target_os = "linux")]
#[path = "../../../../adapters/sqlite/tests/crash/disk.rs"]
#[allow(dead_code, reason = "crash tests need more of it")]
mod disk;
#[cfg(target_os = "linux")]
mod group;
mod open;
#[cfg(target_os = "linux")]
mod watched;

pub(crate) use advance::outcomes as advance_outcomes;
pub(crate) use batches::{batch1, batch100, batch100_200k, batch1000, batch1000_200k};
#[cfg(target_os = "linux")]
pub(crate) use group::{group8, group64};
pub(crate) use open::decode as open_decode;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use liveops_bench::Traffic;
use liveops_bench::traffic::RULES;
use liveops_core::event::Parser;
use liveops_core::store::Store;
use liveops_core::{Command, Engine, Outcome, Rules};
use liveops_sqlite::SqliteStore;

const GAME: &str = "bench";

/// A folder of a row's own, gone when the row is measured.
struct Home(PathBuf);

impl Home {
    #[cfg(target_os = "linux")]
    const fn in_folder(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// Beside this program, on the disk that is built on: temporary folders may be in memory.
    fn new() -> Result<Self, String> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let folder = program.with_file_name(format!("compare-sqlite-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self(folder))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// A game in a file, and what is sent to it.
struct Game<S> {
    engine: Engine<S>,
    parser: Parser,
    traffic: Traffic,
}

fn rules() -> Result<Rules, String> {
    Rules::from_json(RULES).map_err(|error| error.to_string())
}

fn engine(store: SqliteStore) -> Result<Engine<SqliteStore>, String> {
    Engine::open(rules()?, store).map_err(|error| error.to_string())
}

impl<S: Store> Game<S> {
    /// All players have had an event each.
    fn new(engine: Engine<S>, players: u64) -> Result<Self, String> {
        let parser = engine.rules().door().parser();
        let mut game = Self { engine, parser, traffic: Traffic::new(players, 7) };
        for batch in game.traffic.warm_up_commands(&game.parser).chunks(1_000) {
            applied(&game.engine.submit_batch(batch))?;
        }
        Ok(game)
    }

    fn commands(&mut self, len: usize) -> Vec<Command> {
        self.traffic.commands(&self.parser, len)
    }
}

/// Every event must have been applied, or a row would be about something else.
fn applied(outcomes: &[Outcome]) -> Result<(), String> {
    match outcomes.iter().find(|outcome| !matches!(outcome, Outcome::Applied(_))) {
        None => Ok(()),
        Some(other) => Err(format!("an event was not applied: {}", other.code())),
    }
}

/// A store's file as a plain file: nothing of it is in the log any more.
fn closed(path: &Path) -> Result<(), String> {
    let log = path.with_extension("db-wal");
    if log.metadata().is_ok_and(|log| log.len() > 0) {
        Err("the log was not written back when the store was closed".to_owned())
    } else {
        Ok(())
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
