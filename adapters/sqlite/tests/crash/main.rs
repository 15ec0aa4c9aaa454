//! What is left of the file after kills, power losses, full disks, failing syncs, flipped bits and races of openers.
//!
//! Each test plays the game of `game.rs` in a child process, which is this program again, and compares what is there afterwards with a twin in
//! memory: the records' digest and what boards show must be those after all acknowledged steps, or after one more.
//! Needs a C compiler, as building SQLite does.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test that says its seed and waits for children"
)]
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "small numbers")]

mod child;
mod creation;
mod disk;
mod flips;
mod fork;
mod full;
mod game;
mod kill;
mod openers;
mod power;
mod states;
mod syncs;

use std::path::{Path, PathBuf};

use liveops_core::Engine;
use liveops_core::error::StoreError;
use liveops_sqlite::SqliteStore;

/// A folder of one test, which goes when the test went well.
struct Home(PathBuf);

impl Home {
    fn new(test: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("crash-{}-{test}", std::process::id()));
        drop(std::fs::remove_dir_all(&folder));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            drop(std::fs::remove_dir_all(&self.0));
        }
    }
}

/// Opens the store of a test: waiting for the disk or not, and writing its log back often, so that this is interrupted too.
fn open(path: &Path, full: bool) -> Result<SqliteStore, StoreError> {
    let options = SqliteStore::options().checkpoint_pages(100);
    let options = if full { options } else { options.normal() };
    options.open(path, game::GAME)
}

/// The game over a store.
fn play(store: SqliteStore) -> Engine<SqliteStore> {
    Engine::open(game::rules(), store).unwrap()
}

/// Whether every page and every check of the file is sound.
fn assert_sound(store: &SqliteStore) {
    store.verify().unwrap();
}
