//! An engine that can be closed while others use it.

use std::sync::Arc;

use liveops_core::error::Code;
use liveops_core::store::FullStore;
use liveops_core::{Engine, Error};
use liveops_sqlite::SqliteStore;
use parking_lot::RwLock;

/// The engine of both packages, whatever its store.
pub type Core = Engine<Arc<dyn FullStore>>;

/// An engine of the process that made it, until it is closed.
pub struct Shared {
    open: RwLock<Option<Open>>,
    process: u32,
    lanes: usize,
}

struct Open {
    core: Core,
    /// The store, if it is a file.
    file: Option<Arc<SqliteStore>>,
}

impl Shared {
    pub(crate) fn new(core: Core, file: Option<Arc<SqliteStore>>, lanes: usize) -> Self {
        Self { open: RwLock::new(Some(Open { core, file })), process: std::process::id(), lanes }
    }

    /// How many threads may submit to its store at once and be faster than one.
    pub const fn lanes(&self) -> usize {
        self.lanes
    }

    /// Calls with the engine. Waits for nobody: while it is being closed it counts as closed.
    ///
    /// Errors: `forked` in a process that did not make it; `closed`.
    pub fn with<T>(&self, call: impl FnOnce(&Core) -> T) -> Result<T, Error> {
        self.with_open(|open| call(&open.core))
    }

    /// Calls with the file that the engine keeps its state in.
    ///
    /// Errors: `forked`; `closed`, also if it keeps it in none.
    pub fn with_file<T>(&self, call: impl FnOnce(&SqliteStore) -> T) -> Result<T, Error> {
        self.with_open(|open| open.file.as_deref().map(call))?.ok_or_else(|| Code::Closed.into())
    }

    /// Before any lock: in a child it may be held for ever by a thread that is not there.
    ///
    /// Errors: `forked` in a process that did not make it.
    pub fn check_process(&self) -> Result<(), Error> {
        if self.process == std::process::id() { Ok(()) } else { Err(Code::Forked.into()) }
    }

    fn with_open<T>(&self, call: impl FnOnce(&Open) -> T) -> Result<T, Error> {
        self.check_process()?;
        let open = self.open.try_read().ok_or(Code::Closed)?;
        open.as_ref().map(call).ok_or_else(|| Code::Closed.into())
    }

    /// Lets go of the engine and its store once the calls under way have ended; whatever is called from now on is `closed`. Once more is
    /// nothing.
    ///
    /// Errors: `forked`.
    pub fn close(&self) -> Result<(), Error> {
        self.check_process()?;
        drop(self.open.write().take());
        Ok(())
    }
}
