//! An engine that can be closed while others use it.

use std::sync::Arc;

use liveops_core::error::Code;
use liveops_core::store::FullStore;
use liveops_core::{Engine, Error};
use liveops_sqlite::SqliteStore;
use parking_lot::RwLock;

use crate::FarStore;

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
    place: Place,
}

/// Where the store is, for what is asked of it alone.
pub(crate) enum Place {
    Memory,
    File(Arc<SqliteStore>),
    Far(FarStore),
}

impl Shared {
    pub(crate) fn new(core: Core, place: Place, lanes: usize) -> Self {
        Self { open: RwLock::new(Some(Open { core, place })), process: std::process::id(), lanes }
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
        let call = |open: &Open| if let Place::File(file) = &open.place { Some(call(file)) } else { None };
        self.with_open(call)?.ok_or_else(|| Code::Closed.into())
    }

    /// Calls with the store that is over a network.
    ///
    /// Errors: `forked`; `closed`, also if it is not.
    pub fn with_far<T>(&self, call: impl FnOnce(&FarStore) -> T) -> Result<T, Error> {
        let call = |open: &Open| if let Place::Far(far) = &open.place { Some(call(far)) } else { None };
        self.with_open(call)?.ok_or_else(|| Code::Closed.into())
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

/// In a forked child connections are left alone: they and the threads that serve them are the parent's, and so is what a farewell would
/// be said through.
impl Drop for Shared {
    fn drop(&mut self) {
        if self.check_process().is_err()
            && let Some(Open { core, place: place @ Place::Far(_) }) = self.open.get_mut().take()
        {
            std::mem::forget((core, place));
        }
    }
}
