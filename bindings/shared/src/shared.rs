//! An engine that can be closed while others use it.

use liveops_core::error::Code;
use liveops_core::{Engine, Error, MemoryStore};
use parking_lot::RwLock;

/// The engine of both packages.
pub type Core = Engine<MemoryStore>;

/// An engine of the process that made it, until it is closed.
#[derive(Debug)]
pub struct Shared {
    core: RwLock<Option<Core>>,
    process: u32,
}

impl Shared {
    /// Of this process.
    pub fn new(core: Core) -> Self {
        Self { core: RwLock::new(Some(core)), process: std::process::id() }
    }

    /// Calls with the engine. Waits for nobody: while it is being closed it counts as closed.
    ///
    /// Errors: `forked` in a process that did not make it; `closed`.
    pub fn with<T>(&self, call: impl FnOnce(&Core) -> T) -> Result<T, Error> {
        // Before any lock: in a child it may be held for ever by a thread that is not there.
        if self.process != std::process::id() {
            return Err(Code::Forked.into());
        }
        let core = self.core.try_read().ok_or(Code::Closed)?;
        core.as_ref().map(call).ok_or_else(|| Code::Closed.into())
    }

    /// Lets go of the engine and its store once the calls under way have ended; whatever is called from now on is `closed`. Once more is
    /// nothing.
    ///
    /// Errors: `forked`.
    pub fn close(&self) -> Result<(), Error> {
        if self.process != std::process::id() {
            return Err(Code::Forked.into());
        }
        drop(self.core.write().take());
        Ok(())
    }
}
