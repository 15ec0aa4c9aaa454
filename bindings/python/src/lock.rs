//! What two threads of Python may change.
//!
//! A lock is held around calls of the core and never while Python runs: making a result may let another thread in. Nor
//! does a thread that has the interpreter's lock wait for ours: whoever has ours may want the interpreter's next, and all
//! other threads would wait with it.

use parking_lot::Mutex;
use pyo3::prelude::*;

/// Calls with what a lock guards.
pub(crate) fn with<G: Send, T: Send>(py: Python<'_>, guarded: &Mutex<G>, call: impl FnOnce(&mut G) -> T + Send) -> T {
    match guarded.try_lock() {
        Some(mut guarded) => call(&mut guarded),
        None => detached(py, guarded, call),
    }
}

/// The same for calls that take long: other threads of Python run meanwhile. Not inlined, so that what hardly ever has to
/// wait does not pay for how it would.
#[inline(never)]
pub(crate) fn detached<G: Send, T: Send>(
    py: Python<'_>,
    guarded: &Mutex<G>,
    call: impl FnOnce(&mut G) -> T + Send,
) -> T {
    py.detach(|| call(&mut guarded.lock()))
}
