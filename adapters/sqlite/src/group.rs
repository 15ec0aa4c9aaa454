//! Group commit: whoever comes first writes for all who wait.
//!
//! There is no thread that writes: none to start, to join or to lose in a fork. A caller who finds nobody leading leads a round
//! of its own batch and of everybody's who waits. When the round is written it first hands the lead to the next one who waits
//! and then wakes those it wrote for, so that the disk is busy while they go on.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

/// More than this are not taken into a round, but for a single batch.
const ROUND_LEN_MAX: usize = 4096;

/// Callers with batches of `T`, to each of which there is an `R`.
#[derive(Debug)]
pub(crate) struct Group<T, R> {
    queue: Mutex<Queue<T, R>>,
}

#[derive(Debug)]
struct Queue<T, R> {
    led: bool,
    waiting: VecDeque<Arc<Caller<T, R>>>,
}

#[derive(Debug)]
struct Caller<T, R> {
    state: Mutex<State<T, R>>,
    changed: Condvar,
}

#[derive(Debug)]
enum State<T, R> {
    Waits(Vec<T>),
    Leads(Vec<T>),
    InRound,
    /// `None`: the round ended without a word.
    Done(Option<Vec<R>>),
}

impl<T, R> Default for Group<T, R> {
    fn default() -> Self {
        Self { queue: Mutex::new(Queue { led: false, waiting: VecDeque::new() }) }
    }
}

impl<T, R> Group<T, R> {
    /// Has a batch written, alone or with others, by this caller or another. `None` if a panic ended the round.
    pub(crate) fn write(&self, batch: Vec<T>, write: impl FnOnce(Vec<Vec<T>>) -> Vec<Vec<R>>) -> Option<Vec<R>> {
        let own = match self.enlist(batch) {
            Ok(own) => own,
            Err(done) => return done,
        };
        let mut round = Round { group: self, others: Vec::new() };
        let mut batches = vec![own];
        round.gather(&mut batches);
        let mut results = write(batches).into_iter();
        let own = results.next();
        round.end(results);
        own
    }

    /// Waits until this caller leads, which gives its batch back, or until it was written.
    fn enlist(&self, batch: Vec<T>) -> Result<Vec<T>, Option<Vec<R>>> {
        let mut queue = self.queue.lock();
        if !queue.led {
            queue.led = true;
            return Ok(batch);
        }
        let caller = Arc::new(Caller { state: Mutex::new(State::Waits(batch)), changed: Condvar::new() });
        queue.waiting.push_back(Arc::clone(&caller));
        drop(queue);
        let mut state = caller.state.lock();
        loop {
            match mem::replace(&mut *state, State::InRound) {
                State::Leads(batch) => return Ok(batch),
                State::Done(results) => return Err(results),
                waits => *state = waits,
            }
            caller.changed.wait(&mut state);
        }
    }

    /// The next one who waits leads; nobody, if nobody does.
    fn pass_on(&self) {
        let mut queue = self.queue.lock();
        let Some(next) = queue.waiting.pop_front() else {
            queue.led = false;
            return;
        };
        drop(queue);
        let mut state = next.state.lock();
        if let State::Waits(batch) = mem::replace(&mut *state, State::InRound) {
            *state = State::Leads(batch);
        }
        next.changed.notify_one();
    }
}

/// A round under way. It ends also by a panic: nobody waits for ever.
struct Round<'g, T, R> {
    group: &'g Group<T, R>,
    others: Vec<Arc<Caller<T, R>>>,
}

impl<T, R> Round<'_, T, R> {
    /// Takes the batches of those who wait.
    fn gather(&mut self, batches: &mut Vec<Vec<T>>) {
        let mut len: usize = batches.iter().map(Vec::len).sum();
        let mut queue = self.group.queue.lock();
        while let Some(next) = queue.waiting.front() {
            let mut state = next.state.lock();
            let State::Waits(batch) = &mut *state else { return };
            len += batch.len();
            if len > ROUND_LEN_MAX {
                return;
            }
            batches.push(mem::take(batch));
            *state = State::InRound;
            drop(state);
            self.others.extend(queue.waiting.pop_front());
        }
    }

    /// Hands on the lead, then tells the others what became of theirs.
    fn end(mut self, mut results: impl Iterator<Item = Vec<R>>) {
        self.group.pass_on();
        for other in mem::take(&mut self.others) {
            other.done(results.next());
        }
        mem::forget(self);
    }
}

impl<T, R> Drop for Round<'_, T, R> {
    fn drop(&mut self) {
        self.group.pass_on();
        for other in self.others.drain(..) {
            other.done(None);
        }
    }
}

impl<T, R> Caller<T, R> {
    fn done(&self, results: Option<Vec<R>>) {
        *self.state.lock() = State::Done(results);
        self.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    fn doubled(batches: Vec<Vec<usize>>) -> Vec<Vec<usize>> {
        batches.into_iter().map(|batch| batch.into_iter().map(|n| 2 * n).collect()).collect()
    }

    #[test]
    fn everybody_gets_their_own_and_rounds_are_shared() {
        let (group, rounds) = (Group::default(), AtomicUsize::new(0));
        let (first, entered) = (Barrier::new(2), Barrier::new(2));
        thread::scope(|scope| {
            scope.spawn(|| {
                let answer = group.write(vec![1, 2], |batches| {
                    entered.wait();
                    first.wait();
                    doubled(batches)
                });
                assert_eq!(answer, Some(vec![2, 4]));
            });
            entered.wait();
            let callers: Vec<_> = (10..20_usize)
                .map(|n| {
                    let (group, rounds) = (&group, &rounds);
                    scope.spawn(move || {
                        let answer = group.write(vec![n; n], |batches| {
                            rounds.fetch_add(1, Ordering::Relaxed);
                            doubled(batches)
                        });
                        assert_eq!(answer, Some(vec![2 * n; n]));
                    })
                })
                .collect();
            while group.queue.lock().waiting.len() < callers.len() {
                thread::yield_now();
            }
            first.wait();
        });
        assert_eq!(rounds.load(Ordering::Relaxed), 1, "ten who waited were one round");
        assert!(!group.queue.lock().led);
    }

    #[test]
    fn a_round_has_an_end() {
        let (group, entered, go) = (Group::<usize, usize>::default(), Barrier::new(2), Barrier::new(2));
        thread::scope(|scope| {
            scope.spawn(|| {
                group.write(vec![0], |batches| {
                    entered.wait();
                    go.wait();
                    doubled(batches)
                })
            });
            entered.wait();
            for _ in 0..3 {
                scope.spawn(|| {
                    let most = 3 * ROUND_LEN_MAX / 4;
                    let answer = group.write(vec![1; most], |batches| {
                        assert_eq!(batches.len(), 1, "two are more than a round takes");
                        doubled(batches)
                    });
                    assert_eq!(answer, Some(vec![2; most]));
                });
            }
            while group.queue.lock().waiting.len() < 3 {
                thread::yield_now();
            }
            go.wait();
        });
    }

    #[test]
    fn a_panic_leaves_nobody_waiting() {
        let (group, entered, go) = (Group::<usize, usize>::default(), Barrier::new(2), Barrier::new(2));
        thread::scope(|scope| {
            scope.spawn(|| {
                group.write(vec![0], |batches| {
                    entered.wait();
                    go.wait();
                    doubled(batches)
                })
            });
            entered.wait();
            let others: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let panics =
                            |_: Vec<Vec<usize>>| -> Vec<Vec<usize>> { std::panic::resume_unwind(Box::new(())) };
                        catch_unwind(AssertUnwindSafe(|| group.write(vec![1], panics)))
                    })
                })
                .collect();
            while group.queue.lock().waiting.len() < 4 {
                thread::yield_now();
            }
            go.wait();
            let ends: Vec<_> = others.into_iter().map(|other| other.join().unwrap()).collect();
            assert_eq!(ends.iter().filter(|end| end.is_err()).count(), 1, "one led");
            assert!(ends.iter().filter_map(|end| end.as_ref().ok()).all(Option::is_none));
        });
        assert_eq!(group.write(vec![3], doubled), Some(vec![6]), "the next one leads");
    }
}
