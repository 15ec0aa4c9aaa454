//! What the addon keeps outside of the heap of V8, counted, so that its garbage collector knows what an object is worth.
//!
//! V8 sees a few bytes of each object of ours, however much stands behind it, and would never find a reason to collect.
//! Every allocation of the addon is counted by its thread, and `tell` passes on by how much the sum has changed. An
//! object stays on the thread that made it, and so does the count; what another thread makes for it is [`Moved`]. Threads that
//! make nothing for anybody, such as those that speak to a server, put their count where whoever tells next finds it: what one
//! of them allocates another may free.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicI64, Ordering};

use liveops_core::Code;
use napi::Env;
use napi_derive::napi;

use crate::failure::{OrThrow as _, Result};

/// Smaller changes are told together.
const TOLD_BYTES_MIN: i64 = 64 * 1024;

thread_local! {
    static HELD: Cell<i64> = const { Cell::new(0) };
    static TOLD: Cell<i64> = const { Cell::new(0) };
    /// Whether this thread tells, or moves what it makes to one that does.
    static TELLS: Cell<bool> = const { Cell::new(false) };
    /// Put up once a thread holds something.
    static FAREWELL: Farewell = const { Farewell };
}

/// A thread that ends leaves its count to the others: one ingest may begin dozens of threads, and what a worker made for a store,
/// threads of the store free.
struct Farewell;

impl Drop for Farewell {
    fn drop(&mut self) {
        OTHERS.fetch_add(HELD.replace(0), Ordering::Relaxed);
    }
}

/// Of threads that do not tell, or have ended.
static OTHERS: AtomicI64 = AtomicI64::new(0);

/// Tells V8 how much this thread holds.
#[napi(js_name = "tellMemory")]
pub fn tell(env: &Env) -> Result<()> {
    TELLS.set(true);
    let change = HELD.get() + OTHERS.load(Ordering::Relaxed) - TOLD.get();
    if change.abs() >= TOLD_BYTES_MIN {
        HELD.set(HELD.get() + OTHERS.swap(0, Ordering::Relaxed));
        let change = HELD.get() - TOLD.get();
        env.adjust_external_memory(change)?;
        TOLD.set(TOLD.get() + change);
    }
    Ok(())
}

/// What one thread made for another, and by how much more its thread holds since: the count goes with it to the thread that will
/// free it, or for whose objects it was done.
#[derive(Debug)]
pub struct Moved<T> {
    value: T,
    held: i64,
}

impl<T> Moved<T> {
    /// Made here, and counted here no longer.
    pub(crate) fn made(make: impl FnOnce() -> T) -> Self {
        TELLS.set(true);
        let before = HELD.get();
        let value = make();
        Self { value, held: HELD.replace(before) - before }
    }

    /// The same of all that a thread of ours did for another since the last time.
    pub(crate) fn all(value: T) -> Self {
        TELLS.set(true);
        Self { value, held: HELD.replace(0) }
    }

    /// Counted by this thread from now on.
    pub(crate) fn arrived(self) -> T {
        HELD.set(HELD.get() + self.held);
        self.value
    }
}

/// What V8 was told of in all, by us and others; for tests, since `process.memoryUsage().external` counts buffers alone.
#[napi(js_name = "toldMemory")]
pub fn told(env: &Env) -> Result<i64> {
    env.adjust_external_memory(0)
}

/// Throws what a call on a closed object throws.
#[napi(js_name = "throwClosed")]
pub fn throw_closed() -> Result<()> {
    Err(Code::Closed).or_throw()
}

/// The system's allocator, counted.
struct Counted;

#[global_allocator]
static ALLOCATOR: Counted = Counted;

fn count(grown: usize, shrunk: usize) {
    // No block is larger than an `isize`.
    let change = grown.cast_signed() as i64 - shrunk.cast_signed() as i64;
    let before = HELD.get();
    let sum = before.wrapping_add(change);
    HELD.set(sum);
    if before == 0 {
        // Behind the count, since putting it up may take memory itself. Where the thread is at its end already, what little comes now
        // is not counted.
        _ = FAREWELL.try_with(|_| ());
    }
    if sum.abs() >= TOLD_BYTES_MIN && !TELLS.get() {
        OTHERS.fetch_add(HELD.replace(0), Ordering::Relaxed);
    }
}

#[expect(unsafe_code, reason = "an allocator is asked for in unsafe terms; every call goes to the system's as it came")]
// SAFETY: as `System`, which does everything but the counting.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        // SAFETY: as above; the block came from `System`.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: as above; the block came from `System`.
        unsafe { System.dealloc(block, layout) }
    }
}
