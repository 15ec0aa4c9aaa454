//! What every batch writes to, several times over: threads that submit side by side then do not wait for each other's cache lines.

use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};

use parking_lot::{Mutex, MutexGuard};

use super::stats::Tally;
use crate::plan::Workspace;
use crate::time::Timestamp;

/// More threads than a machine runs at once share some: that costs time and nothing else.
const STRIPES: usize = 32;

#[derive(Debug)]
pub(super) struct Stripes(Box<[Stripe]>);

/// Alone on its cache lines, of which processors fetch two at a time.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Stripe {
    applied: AtomicU64,
    held: AtomicU64,
    replayed: AtomicU64,
    unknown: AtomicU64,
    /// The time of the newest event that was applied; [`Timestamp::MIN`] before the first.
    newest_event: AtomicI64,
    /// Memory for the next plan. Nobody waits for this lock: who finds it taken has memory of its own.
    work: Mutex<Option<Box<Workspace>>>,
}

impl Default for Stripe {
    fn default() -> Self {
        Self {
            applied: AtomicU64::new(0),
            held: AtomicU64::new(0),
            replayed: AtomicU64::new(0),
            unknown: AtomicU64::new(0),
            newest_event: AtomicI64::new(Timestamp::MIN.as_unix_millis()),
            work: Mutex::default(),
        }
    }
}

impl Default for Stripes {
    fn default() -> Self {
        Self((0..STRIPES).map(|_| Stripe::default()).collect())
    }
}

/// Threads get numbers as they come.
fn of_thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static MINE: usize = NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES;
    }
    MINE.with(|mine| *mine)
}

impl Stripes {
    /// That of this thread.
    pub(super) fn mine(&self) -> &Stripe {
        &self.0[of_thread()]
    }

    /// All of them together.
    pub(super) fn read(&self) -> Tally {
        let sum = |of: fn(&Stripe) -> &AtomicU64| self.0.iter().map(|stripe| of(stripe).load(Ordering::Relaxed)).sum();
        let newest = self.0.iter().map(|stripe| stripe.newest_event.load(Ordering::Relaxed)).max();
        Tally {
            applied: sum(|stripe| &stripe.applied),
            held: sum(|stripe| &stripe.held),
            replayed: sum(|stripe| &stripe.replayed),
            unknown: sum(|stripe| &stripe.unknown),
            newest_event: newest.map(Timestamp::from_unix_millis).filter(|newest| *newest != Timestamp::MIN),
        }
    }
}

impl Stripe {
    pub(super) fn add(&self, tally: &Tally) {
        let Tally { applied, held, replayed, unknown, newest_event } = tally;
        let counts =
            [(&self.applied, applied), (&self.held, held), (&self.replayed, replayed), (&self.unknown, unknown)];
        for (counter, count) in counts.into_iter().filter(|(_, count)| **count > 0) {
            counter.fetch_add(*count, Ordering::Relaxed);
        }
        if let Some(newest) = newest_event.map(Timestamp::as_unix_millis)
            && newest > self.newest_event.load(Ordering::Relaxed)
        {
            self.newest_event.fetch_max(newest, Ordering::Relaxed);
        }
    }

    /// Memory that a plan used before, if it is there.
    pub(super) fn work(&self) -> Box<Workspace> {
        self.work.try_lock().and_then(|mut work| work.take()).unwrap_or_default()
    }

    /// The same to be held until it is given back; none if somebody else has it.
    pub(super) fn held(&self) -> Option<MutexGuard<'_, Option<Box<Workspace>>>> {
        self.work.try_lock()
    }

    pub(super) fn keep(&self, work: Box<Workspace>) {
        if let Some(mut kept) = self.work.try_lock() {
            *kept = Some(work);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_all_threads_come_together() {
        let stripes = Stripes::default();
        assert_eq!(stripes.read().newest_event, None);
        let tally = |applied, second| Tally {
            applied,
            newest_event: Some(Timestamp::from_unix_seconds(second)),
            ..Tally::default()
        };
        std::thread::scope(|scope| {
            for thread in 1..=40 {
                let stripes = &stripes;
                scope.spawn(move || stripes.mine().add(&tally(1, thread)));
            }
        });
        stripes.mine().add(&Tally { unknown: 3, ..tally(2, 7) });
        let Tally { applied, unknown, newest_event, .. } = stripes.read();
        assert_eq!((applied, unknown, newest_event), (42, 3, Some(Timestamp::from_unix_seconds(40))));
    }
}
