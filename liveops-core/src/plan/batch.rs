//! The outcomes of many commands, kept small until they are looked at.

use std::collections::BTreeMap;
use std::fmt;

use super::Outcome;
use super::packed::{Packed, Tally};

/// Outcomes in the order of their commands. Codes and counts are at hand; of what was applied only its stored bytes are kept, and the
/// outcome is made of them when it is asked for: some 40 bytes for an event that moved XP.
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
#[derive(Clone, Default)]
pub struct Batch {
    /// None of them empty. Their places are of 32 bits, so each ends long before these do.
    parts: Vec<Part>,
    len: usize,
    tally: Tally,
}

#[derive(Clone)]
struct Part {
    /// The number of its first row.
    first: usize,
    rows: Packed,
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("len", &self.len).field("counts", &self.counts()).finish_non_exhaustive()
    }
}

impl Batch {
    /// How many outcomes.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// One outcome.
    pub fn get(&self, at: usize) -> Option<Outcome> {
        let (rows, at) = self.find(at)?;
        rows.get(at)
    }

    /// What [`Outcome::code`] says of one, without making it.
    pub fn code(&self, at: usize) -> Option<&'static str> {
        let (rows, at) = self.find(at)?;
        rows.code(at)
    }

    /// How many there are of each code: counted already.
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.tally.read()
    }

    /// The outcomes, each made in its turn.
    pub fn iter(&self) -> impl Iterator<Item = Outcome> {
        self.parts.iter().flat_map(|part| (0..part.rows.len()).filter_map(|at| part.rows.get(at)))
    }

    /// Those at some rows, in the order asked for; rows that there are not are left out.
    #[must_use]
    pub fn select(&self, rows: impl IntoIterator<Item = usize>) -> Self {
        let mut selected = Self::default();
        for at in rows {
            selected.push_from(self, at);
        }
        selected
    }

    /// Adds one outcome.
    pub fn push(&mut self, outcome: Outcome) {
        self.add(|rows| rows.push(outcome));
    }

    /// Adds all that another has.
    pub fn append(&mut self, other: Self) {
        for part in other.parts {
            _ = self.take(part.rows);
        }
    }

    /// Whether one was applied now.
    pub(crate) fn is_applied(&self, at: usize) -> bool {
        self.find(at).is_some_and(|(rows, at)| rows.is_applied(at))
    }

    /// How many are kept as bytes: applied, held, replayed.
    pub(crate) const fn kept(&self) -> [u64; 3] {
        self.tally.kept
    }

    /// Those from a row on that are refused or not known; and the few that are too large to be kept small.
    pub(crate) fn others(&self, from: usize) -> impl Iterator<Item = &Outcome> {
        let parts = self.parts.iter().skip(self.part_of(from)).filter(|part| part.rows.has_others());
        parts.flat_map(move |part| {
            (from.saturating_sub(part.first)..part.rows.len()).filter_map(|at| part.rows.other(at))
        })
    }

    /// Adds one that another has, as it is kept there.
    pub(crate) fn push_from(&mut self, other: &Self, at: usize) -> bool {
        let Some((rows, at)) = other.find(at) else { return false };
        self.add(|own| own.push_from(rows, at));
        true
    }

    /// Adds rows, none of which is unset; memory that is free again.
    pub(super) fn take(&mut self, mut rows: Packed) -> Packed {
        if rows.len() == 0 {
            return rows;
        }
        self.tally.add_all(&rows);
        let first = self.len;
        self.len += rows.len();
        match self.parts.last_mut() {
            Some(last) if last.rows.has_room_for(&rows) => last.rows.append(&mut rows),
            // Small ones come in numbers.
            _ if !rows.is_large() => {
                let mut own = Packed::default();
                own.append(&mut rows);
                self.parts.push(Part { first, rows: own });
            }
            _ => self.parts.push(Part { first, rows: std::mem::take(&mut rows) }),
        }
        rows
    }

    /// Which part begins at a row or last before it.
    fn part_of(&self, at: usize) -> usize {
        self.parts.partition_point(|part| part.first <= at).saturating_sub(1)
    }

    /// Which rows have one, and where.
    fn find(&self, at: usize) -> Option<(&Packed, usize)> {
        let part = self.parts.get(self.part_of(at))?;
        let at = at.checked_sub(part.first)?;
        (at < part.rows.len()).then_some((&part.rows, at))
    }

    /// Adds one row to the last part, or to one that is begun.
    fn add(&mut self, add: impl FnOnce(&mut Packed)) {
        let first = self.len;
        self.len += 1;
        if let Some(last) = self.parts.last_mut().filter(|part| !part.rows.is_full()) {
            add(&mut last.rows);
            self.tally.add(&last.rows, last.rows.len() - 1);
        } else {
            let mut rows = Packed::default();
            add(&mut rows);
            self.tally.add(&rows, 0);
            self.parts.push(Part { first, rows });
        }
    }
}

impl From<Packed> for Batch {
    fn from(mut rows: Packed) -> Self {
        rows.fill();
        let mut batch = Self::default();
        _ = batch.take(rows);
        batch
    }
}

impl From<Vec<Outcome>> for Batch {
    fn from(outcomes: Vec<Outcome>) -> Self {
        outcomes.into_iter().collect()
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
