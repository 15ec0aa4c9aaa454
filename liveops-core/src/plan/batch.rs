//! The outcomes of many commands, kept small until they are looked at.

use std::collections::BTreeMap;

use super::Outcome;

/// Outcomes in the order of their commands. Codes and counts are at hand; a row is made when it is asked for.
///
/// ```
/// use liveops_core::error::Code;
/// use liveops_core::{Batch, Outcome};
///
/// let refused = |code: Code| Outcome::Refused(code.into());
/// let batch = Batch::from(vec![refused(Code::TooOld), refused(Code::Closed), refused(Code::TooOld)]);
/// assert_eq!((batch.len(), batch.code(1), batch.code(3)), (3, Some("closed"), None));
/// assert_eq!(batch.counts()["too_old"], 2);
/// assert_eq!(batch.get(0).map(|outcome| outcome.http_status()), Some(400));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Batch {
    rows: Vec<Outcome>,
}

impl Batch {
    /// How many outcomes.
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// One outcome.
    pub fn get(&self, at: usize) -> Option<Outcome> {
        self.rows.get(at).cloned()
    }

    /// What [`Outcome::code`] says of one, without making it.
    pub fn code(&self, at: usize) -> Option<&'static str> {
        self.rows.get(at).map(Outcome::code)
    }

    /// How many there are of each code.
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        let mut counts = BTreeMap::new();
        for outcome in &self.rows {
            *counts.entry(outcome.code()).or_default() += 1;
        }
        counts
    }

    /// The outcomes, each made in its turn.
    pub fn iter(&self) -> impl Iterator<Item = Outcome> {
        (0..self.len()).filter_map(|at| self.get(at))
    }

    /// Adds one outcome.
    pub fn push(&mut self, outcome: Outcome) {
        self.rows.push(outcome);
    }

    /// Adds what another has.
    pub fn append(&mut self, other: Self) {
        self.rows.extend(other.rows);
    }
}

impl From<Vec<Outcome>> for Batch {
    fn from(rows: Vec<Outcome>) -> Self {
        Self { rows }
    }
}

impl FromIterator<Outcome> for Batch {
    fn from_iter<I: IntoIterator<Item = Outcome>>(outcomes: I) -> Self {
        let mut batch = Self::default();
        outcomes.into_iter().for_each(|outcome| batch.push(outcome));
        batch
    }
}

/// The outcomes of a [`Batch`], each made in its turn.
#[derive(Debug)]
pub struct Rows {
    batch: Batch,
    at: usize,
}

impl Iterator for Rows {
    type Item = Outcome;

    fn next(&mut self) -> Option<Outcome> {
        let outcome = self.batch.get(self.at)?;
        self.at += 1;
        Some(outcome)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.batch.len().saturating_sub(self.at);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Rows {}

impl IntoIterator for Batch {
    type Item = Outcome;
    type IntoIter = Rows;

    fn into_iter(self) -> Rows {
        Rows { batch: self, at: 0 }
    }
}
