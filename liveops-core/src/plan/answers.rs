//! What a plan has found out so far, as outcomes or as the rows of a batch.

use super::packed::Packed;
use super::{Batch, Outcome, unknown};
use crate::record::{NewOutcome, NewOutcomes};
use crate::rules::Decision;

/// By the order in which commands were given; unknown before they are decided. Of a run at the store, what it will be if the store applies it.
#[derive(Debug)]
pub(super) enum Answers {
    /// As they are looked at.
    Outcomes(Vec<Outcome>),
    /// As they are kept.
    Rows(Packed),
}

impl Answers {
    pub(super) fn set(&mut self, at: usize, outcome: Outcome) {
        match self {
            Self::Outcomes(outcomes) => outcomes[at] = outcome,
            Self::Rows(rows) => rows.set(at, outcome),
        }
    }

    pub(super) fn unset(&mut self, at: usize) {
        match self {
            Self::Outcomes(outcomes) => outcomes[at] = unknown(),
            Self::Rows(rows) => rows.unset(at),
        }
    }

    /// A decision, of which [`Self::written`] hears once the run is: rows take the bytes that the store takes, and leave the effect.
    pub(super) fn decided(&mut self, at: usize, decision: Decision) {
        match (self, decision) {
            (Self::Rows(rows), Decision::Apply(_)) => rows.unset(at),
            (answers, decision) => answers.set(at, decision.into()),
        }
    }

    /// What a run has written, by the order in which its commands were given.
    pub(super) fn written(&mut self, outcomes: NewOutcomes<'_>, given: &[usize]) {
        let Self::Rows(rows) = self else { return };
        for outcome in outcomes.told() {
            let NewOutcome { command, is_held, bytes, .. } = outcome;
            if !rows.set_applied(given[command], is_held, bytes)
                && let Ok(stored) = outcome.decode()
            {
                rows.set(given[command], Outcome::Applied(stored.effect));
            }
        }
    }

    pub(super) fn into_outcomes(self) -> Vec<Outcome> {
        match self {
            Self::Outcomes(outcomes) => outcomes,
            Self::Rows(rows) => Batch::from(rows).into_iter().collect(),
        }
    }

    /// Adds all to a batch; the memory that is left, which is small.
    pub(super) fn put_onto(self, batch: &mut Batch) -> Packed {
        match self {
            Self::Outcomes(outcomes) => {
                for outcome in outcomes {
                    batch.push(outcome);
                }
                Packed::default()
            }
            Self::Rows(mut rows) => {
                rows.fill();
                batch.take(rows)
            }
        }
    }
}
