//! Submits that wait hold no thread of Node's pool: one thread of ours writes all that have come together, round after round.
//!
//! The function by which JavaScript is told is there only while something waits: it keeps the event loop alive.

use std::num::NonZeroUsize;
use std::sync::{Arc, Weak};

use liveops_bindings::{Collector, Shared, Work};
use liveops_core::{Batch, Command, Timestamp};
use napi::Status;
use napi::bindgen_prelude::{FnArgs, Function};
use napi::threadsafe_function::{ThreadsafeCallContext, ThreadsafeFunction, ThreadsafeFunctionCallMode};

use crate::failure::{OrThrow as _, Result};
use crate::memory::{self, Moved};
use crate::outcome::{Outcomes, no_command};

/// What JavaScript is told of a round: tickets, and the outcomes of each.
pub(crate) type Settled = FnArgs<(Vec<u32>, Vec<Outcomes>)>;
/// How it is called; it takes no error, and may be called as often as there are rounds.
type Teller = ThreadsafeFunction<Moved<Round>, (), Settled, Status, false>;

#[derive(Default)]
struct Round {
    tickets: Vec<u32>,
    outcomes: Vec<Outcomes>,
}

/// Who waits for some outcomes.
struct Waiter {
    ticket: u32,
    /// Of each row whether it is a command; one that is none is refused by itself. Empty of lines.
    rows: Vec<bool>,
    teller: Arc<Teller>,
}

/// The thread, and what leads to it.
pub(crate) struct Writer {
    collector: Collector<Waiter>,
    teller: Weak<Teller>,
}

impl Writer {
    /// Begins with the first who waits.
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Self { collector: Collector::new(Arc::clone(shared), deliver), teller: Weak::new() }
    }

    /// `settle` is told the ticket with an outcome for each row.
    pub(crate) fn commands(
        &mut self,
        rows: Vec<Option<Command>>,
        ticket: u32,
        settle: &Function<'_, Settled, ()>,
    ) -> Result<()> {
        let are_commands = rows.iter().map(Option::is_some).collect();
        self.send(Work::Commands(rows.into_iter().flatten().collect()), ticket, are_commands, settle)
    }

    /// The same with one for each line.
    pub(crate) fn lines(
        &mut self,
        lines: &[u8],
        now: Timestamp,
        threads: NonZeroUsize,
        ticket: u32,
        settle: &Function<'_, Settled, ()>,
    ) -> Result<()> {
        self.send(Work::Lines { lines: lines.to_vec(), now, threads }, ticket, Vec::new(), settle)
    }

    fn send(&mut self, work: Work, ticket: u32, rows: Vec<bool>, settle: &Function<'_, Settled, ()>) -> Result<()> {
        let teller = match self.teller.upgrade() {
            Some(teller) => teller,
            None => Arc::new(settle.build_threadsafe_function().build_callback(settled)?),
        };
        self.teller = Arc::downgrade(&teller);
        // What was not taken is answered like the rest.
        if let Some(answer) = self.collector.send(work, Waiter { ticket, rows, teller }).or_throw()? {
            // It was made here, so this thread counts it already.
            tell(vec![answer], |round| Moved::made(|| round));
        }
        Ok(())
    }

    /// Takes no more; returns once all that waits is written.
    pub(crate) fn close(&self) {
        self.collector.close();
    }
}

/// On the thread of ours.
fn deliver(decided: Vec<(Waiter, Batch)>) {
    tell(decided, Moved::all);
}

/// JavaScript is told when it has its next turn.
fn tell(decided: Vec<(Waiter, Batch)>, moved: impl FnOnce(Round) -> Moved<Round>) {
    let mut round = Round::default();
    let mut everybody = None;
    for (Waiter { ticket, rows, teller }, outcomes) in decided {
        let outcomes = if rows.iter().all(|is_command| *is_command) {
            outcomes
        } else {
            let mut outcomes = outcomes.into_iter();
            let outcome = |is_command: &bool| is_command.then(|| outcomes.next()).flatten().unwrap_or_else(no_command);
            rows.iter().map(outcome).collect()
        };
        round.tickets.push(ticket);
        round.outcomes.push(Outcomes(outcomes));
        everybody = Some(teller);
    }
    if let Some(teller) = everybody {
        // Torn down meanwhile, there is nobody to tell.
        _ = teller.call(moved(round), ThreadsafeFunctionCallMode::NonBlocking);
    }
}

/// On the thread of JavaScript.
fn settled(round: ThreadsafeCallContext<Moved<Round>>) -> Result<Settled> {
    let Round { tickets, outcomes } = round.value.arrived();
    memory::tell(&round.env)?;
    Ok(FnArgs { data: (tickets, outcomes) })
}
