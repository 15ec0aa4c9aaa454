//! Who is telling, so that others can wait for those who began before them.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::{RwLock, RwLockReadGuard};

const GATES: usize = 16;

/// Locks without data. Whoever tells shares one; whoever waits for all takes one after the other, and so holds each up no longer than
/// those who have it already.
#[derive(Debug, Default)]
pub(super) struct Gates([Gate; GATES]);

/// Alone on its cache lines, of which processors fetch two at once.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Gate(RwLock<()>);

/// Somebody is telling until it is dropped.
#[derive(Debug)]
#[must_use = "it ends when it is dropped"]
pub(crate) struct Telling<'g>(#[expect(dead_code, reason = "held")] RwLockReadGuard<'g, ()>);

impl Gates {
    pub(super) fn enter(&self) -> Telling<'_> {
        Telling(self.mine().read())
    }

    /// The same for whoever may have entered already: it waits for nobody.
    pub(super) fn enter_again(&self) -> Telling<'_> {
        Telling(self.mine().read_recursive())
    }

    /// Waits for everybody who entered before.
    pub(super) fn settle(&self) {
        self.0.iter().for_each(|gate| drop(gate.0.write()));
    }

    /// Threads use gates in turn, so that a few never meet at one.
    fn mine(&self) -> &RwLock<()> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static MINE: Cell<usize> = Cell::new(NEXT.fetch_add(1, Ordering::Relaxed) % GATES);
        }
        // Without a place of its own a thread that is ending takes any.
        &self.0[MINE.try_with(Cell::get).unwrap_or_default()].0
    }
}
