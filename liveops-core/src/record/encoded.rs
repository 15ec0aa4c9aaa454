//! First outcomes of a run as bytes, made once: for the store, and for whoever asked.

use super::{ChangeSet, Command, StoredOutcome};
use crate::codec::Short;
use crate::error::StoreErrorKind;
use crate::id::CommandId;
use crate::time::Timestamp;

/// Memory for the outcomes of one run after the other.
#[derive(Debug, Default)]
pub struct EncodedOutcomes {
    /// One behind the other, each in its stable bytes behind their version.
    bytes: Vec<u8>,
    each: Vec<Place>,
    /// How many of the first are not to be written: an erasure came after them.
    forgotten: usize,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    /// Which command of the run.
    command: usize,
    is_held: bool,
    ts: Timestamp,
    /// Where its bytes end.
    end: usize,
}

impl EncodedOutcomes {
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.each.clear();
        self.forgotten = 0;
    }

    /// Nothing of what was added is to be written. Who asked is told of it all the same.
    pub(crate) const fn forget(&mut self) {
        self.forgotten = self.each.len();
    }

    /// Adds that of a command, by its place in the run.
    pub(crate) fn push(&mut self, command: usize, outcome: &StoredOutcome) {
        let plain = outcome.plain();
        let is_held = if let Some(bytes) = plain.as_ref().and_then(Short::get) {
            self.bytes.extend_from_slice(bytes);
            false
        } else {
            let version = outcome.version();
            self.bytes.push(version);
            outcome.put_version(version, &mut self.bytes);
            outcome.effect.held().is_some()
        };
        self.each.push(Place { command, is_held, ts: outcome.ts, end: self.bytes.len() });
    }

    /// These, with the commands that they are of.
    pub(crate) const fn of<'w>(&'w self, run: &'w [&'w Command]) -> NewOutcomes<'w> {
        NewOutcomes { run, encoded: self }
    }
}

/// The first outcomes that a run adds.
#[derive(Clone, Copy, Debug)]
pub struct NewOutcomes<'w> {
    run: &'w [&'w Command],
    encoded: &'w EncodedOutcomes,
}

/// One of them.
#[derive(Clone, Copy, Debug)]
pub struct NewOutcome<'w> {
    /// Of which command.
    pub id: &'w CommandId,
    /// Which of the run that is.
    pub command: usize,
    /// Whether the event is held.
    pub is_held: bool,
    /// [`StoredOutcome::ts`].
    pub ts: Timestamp,
    /// A byte for the version of their form, then the bytes in that form: see [`Self::decode`].
    pub bytes: &'w [u8],
}

impl NewOutcome<'_> {
    /// The outcome. Errors: [`StoreErrorKind::Corrupt`] for bytes that are none.
    pub fn decode(&self) -> Result<StoredOutcome, StoreErrorKind> {
        StoredOutcome::decode(self.bytes)
    }
}

impl<'w> NewOutcomes<'w> {
    /// How many.
    pub const fn len(&self) -> usize {
        self.encoded.each.len() - self.encoded.forgotten
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Each, in the order of the commands.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = NewOutcome<'w>> + use<'w> {
        self.behind(self.encoded.forgotten)
    }

    /// Also those that are not to be written.
    pub(crate) fn told(&self) -> impl Iterator<Item = NewOutcome<'w>> + use<'w> {
        self.behind(0)
    }

    fn behind(&self, first: usize) -> impl ExactSizeIterator<Item = NewOutcome<'w>> + use<'w> {
        let Self { run, encoded } = *self;
        let mut from = first.checked_sub(1).map_or(0, |last| encoded.each[last].end);
        encoded.each[first..].iter().map(move |place| {
            let bytes = &encoded.bytes[from..place.end];
            from = place.end;
            let Place { command, is_held, ts, .. } = *place;
            NewOutcome { id: &run[command].id, command, is_held, ts, bytes }
        })
    }

    /// The outcome of a command of the run, if it has one.
    pub(crate) fn find(&self, id: &CommandId) -> Option<StoredOutcome> {
        self.iter().find(|outcome| outcome.id == id).and_then(|outcome| outcome.decode().ok())
    }
}

impl StoredOutcome {
    /// The outcome behind a byte for the version of its form and the bytes in that form. Errors: [`StoreErrorKind::Corrupt`] for
    /// bytes that are none.
    pub fn decode(bytes: &[u8]) -> Result<Self, StoreErrorKind> {
        let (version, mut bytes) = bytes.split_first().ok_or(StoreErrorKind::Corrupt)?;
        let outcome = Self::take_version(*version, &mut bytes);
        outcome.filter(|_| bytes.is_empty()).ok_or(StoreErrorKind::Corrupt)
    }
}

/// What a run changes, for a store that takes it where its records lie.
#[derive(Debug)]
pub struct Written<'w> {
    /// Everything but the outcomes of commands. Its record may be exchanged for the one it replaces, or for any other: the memory
    /// is used again.
    pub changes: &'w mut ChangeSet,
    /// The outcomes.
    pub outcomes: NewOutcomes<'w>,
}

impl Written<'_> {
    /// The change set as other stores get it: a copy, with the outcomes in it.
    pub fn to_change_set(&self) -> Result<ChangeSet, StoreErrorKind> {
        let outcomes = self.outcomes.iter().map(|outcome| Ok((outcome.id.clone(), outcome.decode()?)));
        let outcomes = outcomes.collect::<Result<_, StoreErrorKind>>()?;
        Ok(ChangeSet { outcomes, ..self.changes.clone() })
    }
}
