//! A season through the door and an engine.
//!
//! The order of things is part of the result, so the replays in all three languages keep to it:
//!
//! 1. A line that is no request is counted and left out.
//! 2. Before the first line of each UTC hour of `receivedMs` that is not the hour of the line before, what was admitted
//!    so far is decided and the engine is advanced to that line's `receivedMs`.
//! 3. The door admits each line at its `receivedMs`, without an address; what it admits is decided in the order of the
//!    lines, in batches of any length.
//!
//! A store that outlives the run may be gone on with: all lines go through the door, whose quotas remember, but up to the line
//! whose advance the store has seen nothing is decided, because it was, before that advance. What follows is decided as
//! ever; what of it the store knows is replayed.

mod referee;
mod tally;

pub use referee::{Referee, Threads};
pub use tally::{Closing, Prize, Tally};

use liveops_core::signing::{Headers, Secret, SignatureError};
use liveops_core::{Admitted, Error, Intake, Outcome, Rules, Timestamp};

use crate::line::Line;

/// Admitted events that are decided together, unless someone says otherwise.
pub const BATCH_LEN: usize = 256;

const HOUR_MILLIS: i64 = 3_600_000;

/// A run under way.
#[derive(Debug)]
pub struct Replay<'a, E> {
    intake: &'a Intake,
    engine: &'a E,
    batch_len: usize,
    batch: Vec<Admitted>,
    hour: Option<i64>,
    /// While lines are passed by: how far the store was moved before.
    moved_to: Option<Timestamp>,
    tally: Tally,
}

/// The door of a season: signatures by the secret, quotas by the rules.
pub fn door(rules: &Rules, secret: &str) -> Result<Intake, Error> {
    let secret = Secret::parse(secret.trim()).map_err(|error: SignatureError| Error::from(error))?;
    Intake::builder(rules.door()).secret(&secret)?.build()
}

impl<'a, E: Referee> Replay<'a, E> {
    /// Nothing read yet.
    pub fn new(intake: &'a Intake, engine: &'a E) -> Self {
        Self {
            intake,
            engine,
            batch_len: BATCH_LEN,
            batch: Vec::new(),
            hour: None,
            moved_to: None,
            tally: Tally::default(),
        }
    }

    /// Goes on where the store is.
    pub fn resume(self) -> Result<Self, Error> {
        let moved_to = Some(self.engine.moved_to()?).filter(|moved_to| *moved_to > Timestamp::MIN);
        Ok(Self { moved_to, ..self })
    }

    /// Decides so many events together, at least one. The result does not depend on it.
    #[must_use]
    pub fn batch_len(self, batch_len: usize) -> Self {
        Self { batch_len: batch_len.max(1), ..self }
    }

    /// Counts a line that is no request.
    pub const fn broken(&mut self) {
        self.tally.lines += 1;
        self.tally.broken += 1;
    }

    /// Takes a request. Fails only if the store does.
    pub fn take(&mut self, line: &Line) -> Result<(), Error> {
        self.tally.lines += 1;
        let now = line.received_at;
        let hour = now.as_unix_millis().div_euclid(HOUR_MILLIS);
        let begins = self.hour.replace(hour) != Some(hour);
        if begins && self.moved_to.is_some_and(|moved_to| now >= moved_to) {
            self.moved_to = None;
            self.tally.resumed = self.tally.lines - 1;
        }
        if begins && self.moved_to.is_none() {
            self.decide();
            self.engine.advance(now)?;
            if let Some(after) = self.tally.last {
                let closings = self.engine.closings(after, now)?;
                self.tally.closings.extend(closings);
            }
        }
        self.tally.saw(now);
        match self.intake.admit(&Headers::from_pairs(line.header_pairs()), line.body.as_bytes(), now) {
            Ok(_) if self.moved_to.is_some() => {}
            Ok(admitted) => self.batch.push(admitted),
            Err(refusal) => self.tally.refused(refusal.code()),
        }
        if self.batch.len() >= self.batch_len {
            self.decide();
        }
        Ok(())
    }

    /// Decides what is left, and says what came out.
    pub fn finish(mut self) -> Tally {
        self.decide();
        if self.moved_to.is_some() {
            self.tally.resumed = self.tally.lines;
        }
        self.tally
    }

    fn decide(&mut self) {
        if !self.batch.is_empty() {
            let outcomes: Vec<Outcome> = self.engine.submit(&self.batch);
            for outcome in &outcomes {
                self.tally.count(outcome);
            }
            self.batch.clear();
        }
    }
}
