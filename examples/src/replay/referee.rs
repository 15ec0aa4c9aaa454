//! Who decides: the blocking engine, the async one, or many threads at once.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use liveops_core::error::Code;
use liveops_core::hash::Digest;
use liveops_core::store::Ready;
use liveops_core::{Admitted, AsyncEngine, Engine, Error, FullStore, MemoryStore, Outcome, Timestamp};

use super::Closing;

/// Decides batches in order.
pub trait Referee {
    /// One outcome per event, in order.
    fn submit(&self, batch: &[Admitted]) -> Vec<Outcome>;

    /// Moves the engine's time, to the next line of a log, however long after the one before.
    fn advance(&self, now: Timestamp) -> Result<(), Error>;

    /// How far the store was moved before this run: all that was to be decided before that is in it.
    fn moved_to(&self) -> Result<Timestamp, Error> {
        Ok(Timestamp::MIN)
    }

    /// The periods that closed in `after < t <= through`; none, where boards cannot be read.
    fn closings(&self, _after: Timestamp, _through: Timestamp) -> Result<Vec<Closing>, Error> {
        Ok(Vec::new())
    }
}

impl<S: FullStore> Referee for Engine<S> {
    fn submit(&self, batch: &[Admitted]) -> Vec<Outcome> {
        self.submit_batch(batch)
    }

    fn advance(&self, now: Timestamp) -> Result<(), Error> {
        self.advance_far(now).map(drop)
    }

    fn moved_to(&self) -> Result<Timestamp, Error> {
        Ok(self.horizon()?.now)
    }

    fn closings(&self, after: Timestamp, through: Timestamp) -> Result<Vec<Closing>, Error> {
        let rules = self.rules();
        let mut closings = Vec::new();
        for (at, period) in self.closed_between(after, through) {
            let mut winners = Vec::new();
            for rule in rules.boards().iter().filter(|rule| rule.keep(period.window).is_some()) {
                let first = match self.board(rule.board.as_str())?.of(period).top(1) {
                    // A log read once more, or after a long silence: the period is kept no longer.
                    Err(error) if error.code() == Code::PeriodDropped => None,
                    rows => rows?.pop(),
                };
                winners.extend(first.map(|row| (rule.board.clone(), row.owner, row.score)));
            }
            closings.push(Closing { at, period, winners });
        }
        Ok(closings)
    }
}

impl Referee for AsyncEngine<Ready<MemoryStore>> {
    fn submit(&self, batch: &[Admitted]) -> Vec<Outcome> {
        answered(self.submit_batch(batch))
    }

    fn advance(&self, now: Timestamp) -> Result<(), Error> {
        answered(self.advance_far(now)).map(drop)
    }
}

/// Polls a future that has its answer at once, as those over [`Ready`] do.
fn answered<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => unreachable!("a store in memory never lets anyone wait"),
    }
}

/// One engine, fed by so many threads at once, each with its own players.
#[derive(Debug)]
pub struct Threads<'a>(pub &'a Engine<MemoryStore>, pub usize);

impl Referee for Threads<'_> {
    fn submit(&self, batch: &[Admitted]) -> Vec<Outcome> {
        let Self(engine, threads) = *self;
        let thread_of = |event: &Admitted| usize::from(Digest::of(&[event.player.as_bytes()]).0[0]) % threads;
        let mut outcomes: Vec<Option<Outcome>> = batch.iter().map(|_| None).collect();
        std::thread::scope(|scope| {
            let run = |thread| {
                let mine = (0..batch.len()).filter(move |at| thread_of(&batch[*at]) == thread);
                move || mine.map(|at| (at, engine.submit(&batch[at]))).collect::<Vec<_>>()
            };
            let running: Vec<_> = (0..threads).map(|thread| scope.spawn(run(thread))).collect();
            for thread in running {
                // Nothing in it panics; if it did, the outcomes would be missing below.
                for (at, outcome) in thread.join().unwrap_or_default() {
                    outcomes[at] = Some(outcome);
                }
            }
        });
        let unknown = || Outcome::Unknown(Code::StoreOutcomeUnknown.into());
        outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(unknown)).collect()
    }

    fn advance(&self, now: Timestamp) -> Result<(), Error> {
        self.0.advance_far(now).map(drop)
    }
}
