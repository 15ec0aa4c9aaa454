//! One at a time, for callers who block and for callers who wait.

use std::future::poll_fn;
use std::task::{Poll, Waker};

use parking_lot::{Condvar, Mutex};

/// A turn is taken across waits, where no lock is held.
#[derive(Debug, Default)]
pub(super) struct Turns {
    queue: Mutex<Queue>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    is_taken: bool,
    /// Whom to wake. Each tries again, in no order.
    waiting: Vec<Waker>,
}

/// Ends when it is dropped.
#[derive(Debug)]
#[must_use = "it ends when it is dropped"]
pub(super) struct Turn<'t>(&'t Turns);

impl Turns {
    /// Blocks until it is the caller's.
    pub(super) fn block(&self) -> Turn<'_> {
        let mut queue = self.queue.lock();
        while queue.is_taken {
            self.freed.wait(&mut queue);
        }
        queue.is_taken = true;
        Turn(self)
    }

    /// Waits until it is the caller's.
    pub(super) fn wait(&self) -> impl Future<Output = Turn<'_>> + Send {
        poll_fn(|context| {
            let mut queue = self.queue.lock();
            if queue.is_taken {
                if !queue.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                    queue.waiting.push(context.waker().clone());
                }
                return Poll::Pending;
            }
            queue.is_taken = true;
            Poll::Ready(Turn(self))
        })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let waiting = {
            let mut queue = self.0.queue.lock();
            queue.is_taken = false;
            std::mem::take(&mut queue.waiting)
        };
        self.0.freed.notify_one();
        waiting.into_iter().for_each(Waker::wake);
    }
}
