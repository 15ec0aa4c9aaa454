//! Tests that need no second process; `tests/crash` has the others.

mod bad_inputs;
mod behaviour;
mod feed;
mod kit;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::{Options, SqliteStore};

/// The game of the kit's rules.
const GAME: &str = "conformance";

/// A folder that is removed again.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("liveops-sqlite-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

/// What most tests open: what they say does not depend on when the disk is waited for.
fn normal() -> Options {
    SqliteStore::options().normal()
}

fn open(path: &Path) -> SqliteStore {
    normal().open(path, GAME).unwrap()
}
