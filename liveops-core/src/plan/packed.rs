//! Rows of a batch: where each is, and the bytes of those that were applied.

use std::collections::BTreeMap;

use super::{Outcome, unknown};
use crate::error::Code;
use crate::record::StoredOutcome;
use crate::time::Timestamp;

/// So many rows are full.
const ROWS_MAX: usize = 32 * 1024;
/// So many bytes are full.
const FULL_BYTES: usize = 1024 * 1024;
/// What a row is thought to take, before there are any.
const ROW_BYTES: usize = 48;
/// Bits of a place that say what is there.
const KIND_BITS: u32 = 2;
/// The largest rest of a place.
const REST_MAX: usize = (1 << (u32::BITS - KIND_BITS)) - 2;
/// No outcome yet: larger than any place.
const UNSET: u32 = u32::MAX;

/// What is at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Applied,
    Held,
    Replayed,
    /// The rest of the place is the number of an outcome that is kept as it is.
    Other,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Applied, Self::Held, Self::Replayed, Self::Other];

    fn of(place: u32) -> (Self, usize) {
        let [applied, held, replayed, other] = Self::ALL;
        let kind = match place & 3 {
            0 => applied,
            1 => held,
            2 => replayed,
            _ => other,
        };
        (kind, (place >> KIND_BITS) as usize)
    }

    /// None if the rest is too large for a place.
    fn at(self, rest: usize) -> Option<u32> {
        let rest = u32::try_from(rest).ok().filter(|_| rest <= REST_MAX)?;
        Some((rest << KIND_BITS) | self as u32)
    }
}

/// Counts by code.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// Kept as bytes: applied, held, replayed.
    pub(super) kept: [u64; 3],
    others: BTreeMap<&'static str, u64>,
}

/// The codes of what is kept as bytes.
const KEPT: [&str; 3] = ["applied", "held", "replayed"];

impl Tally {
    /// One more of a row.
    pub(super) fn add(&mut self, rows: &Packed, at: usize) {
        match rows.place(at) {
            Some((Kind::Other, _)) => self.other(rows.code(at)),
            Some((kind, _)) => self.kept[kind as usize] += 1,
            None => {}
        }
    }

    /// All rows.
    pub(super) fn add_all(&mut self, rows: &Packed) {
        for (count, more) in self.kept.iter_mut().zip(rows.kept()) {
            *count += more;
        }
        // Of the others some may have been taken back.
        if rows.has_others() {
            (0..rows.len()).filter_map(|at| rows.other(at)).for_each(|outcome| self.other(Some(outcome.code())));
        }
    }

    fn other(&mut self, code: Option<&'static str>) {
        if let Some(code) = code {
            *self.others.entry(code).or_default() += 1;
        }
    }

    pub(super) fn read(&self) -> BTreeMap<&'static str, u64> {
        let mut counts = self.others.clone();
        for (code, count) in KEPT.into_iter().zip(self.kept).filter(|(_, count)| *count > 0) {
            *counts.entry(code).or_default() += count;
        }
        counts
    }
}

/// Outcomes by number: a place each, which says where the bytes are or which of the others it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Packed {
    places: Vec<u32>,
    /// Of each outcome that took effect: two bytes of length, the version of its form, the content.
    bytes: Vec<u8>,
    others: Vec<Outcome>,
}

impl Packed {
    /// Makes room for so many rows, all of them unset.
    pub(super) fn begin(&mut self, rows: usize) {
        self.places.clear();
        self.places.resize(rows, UNSET);
        self.bytes.clear();
        self.bytes.reserve(rows * ROW_BYTES);
        self.others.clear();
    }

    pub(super) const fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) const fn is_full(&self) -> bool {
        self.places.len() >= ROWS_MAX || self.bytes.len() >= FULL_BYTES
    }

    /// Whether they are better moved than copied.
    pub(super) const fn is_large(&self) -> bool {
        self.places.len() >= ROWS_MAX / 2 || self.bytes.len() >= FULL_BYTES / 2
    }

    pub(super) const fn has_room_for(&self, more: &Self) -> bool {
        self.places.len() + more.places.len() <= ROWS_MAX && self.bytes.len() + more.bytes.len() <= FULL_BYTES
    }

    /// The outcome of one; none if it is unset.
    pub(crate) fn get(&self, at: usize) -> Option<Outcome> {
        let (kind, rest) = self.place(at)?;
        if kind == Kind::Other {
            return self.others.get(rest).cloned();
        }
        let effect = self.row(rest).and_then(|row| {
            let (version, mut content) = row.split_first()?;
            StoredOutcome::take_version(*version, &mut content)
        });
        // Bytes that were written here are read here.
        let Some(StoredOutcome { effect, .. }) = effect else {
            return Some(Outcome::Unknown(Code::StoreCorrupt.into()));
        };
        Some(if kind == Kind::Replayed { Outcome::Replayed(effect) } else { Outcome::Applied(effect) })
    }

    /// What [`Outcome::code`] says of it.
    pub(super) fn code(&self, at: usize) -> Option<&'static str> {
        let (kind, rest) = self.place(at)?;
        match kind {
            Kind::Other => self.others.get(rest).map(Outcome::code),
            kept => KEPT.get(kept as usize).copied(),
        }
    }

    /// Whether it was applied now.
    pub(super) fn is_applied(&self, at: usize) -> bool {
        matches!(self.place(at), Some((Kind::Applied | Kind::Held, _)))
            || matches!(self.other(at), Some(Outcome::Applied(_)))
    }

    /// One that is kept as it is.
    pub(super) fn other(&self, at: usize) -> Option<&Outcome> {
        let (kind, rest) = self.place(at)?;
        self.others.get(rest).filter(|_| kind == Kind::Other)
    }

    pub(super) const fn has_others(&self) -> bool {
        !self.others.is_empty()
    }

    /// Sets one, whatever it was.
    pub(crate) fn set(&mut self, at: usize, outcome: Outcome) {
        let place = self.keep(outcome);
        if let Some(slot) = self.places.get_mut(at) {
            *slot = place;
        }
    }

    /// Sets one that was applied now, with the bytes of its [`StoredOutcome`] in a version, which comes first; whether it did: there may
    /// be too many of them.
    pub(crate) fn set_applied(&mut self, at: usize, is_held: bool, stored: &[u8]) -> bool {
        let kind = if is_held { Kind::Held } else { Kind::Applied };
        let place = self.write(kind, |out| out.extend_from_slice(stored));
        if let (Some(slot), Some(place)) = (self.places.get_mut(at), place) {
            *slot = place;
        }
        place.is_some()
    }

    /// Takes the outcome of one back.
    pub(crate) fn unset(&mut self, at: usize) {
        if let Some(slot) = self.places.get_mut(at) {
            *slot = UNSET;
        }
    }

    /// Sets all that are unset: nobody knows how they ended.
    pub(super) fn fill(&mut self) {
        for at in 0..self.places.len() {
            if self.places[at] == UNSET {
                self.set(at, unknown());
            }
        }
    }

    pub(super) fn push(&mut self, outcome: Outcome) {
        let place = self.keep(outcome);
        self.places.push(place);
    }

    /// One that others have, as it is there.
    pub(super) fn push_from(&mut self, from: &Self, at: usize) {
        let copied = from.place(at).and_then(|(kind, rest)| {
            if kind == Kind::Other {
                return None;
            }
            self.write(kind, |out| out.extend_from_slice(from.row(rest).unwrap_or_default()))
        });
        match copied {
            Some(place) => self.places.push(place),
            None => self.push(from.get(at).unwrap_or_else(unknown)),
        }
    }

    /// Those of another, for which there is room.
    pub(super) fn append(&mut self, more: &mut Self) {
        let (bytes, others) = (self.bytes.len(), self.others.len());
        self.places.extend(more.places.iter().map(|place| {
            let (kind, rest) = Kind::of(*place);
            kind.at(rest + if kind == Kind::Other { others } else { bytes }).unwrap_or(UNSET)
        }));
        more.places.clear();
        self.bytes.append(&mut more.bytes);
        self.others.append(&mut more.others);
    }

    /// How many are kept as bytes: applied, held, replayed.
    pub(super) fn kept(&self) -> [u64; 3] {
        let mut kinds = [0; 3];
        for place in &self.places {
            if let Some(count) = kinds.get_mut((place & 3) as usize) {
                *count += 1;
            }
        }
        kinds
    }

    fn place(&self, at: usize) -> Option<(Kind, usize)> {
        self.places.get(at).filter(|place| **place != UNSET).map(|place| Kind::of(*place))
    }

    fn row(&self, at: usize) -> Option<&[u8]> {
        let (len, behind) = self.bytes.get(at..)?.split_first_chunk()?;
        behind.get(..u16::from_le_bytes(*len).into())
    }

    /// Keeps one, as bytes if it took effect; its place.
    fn keep(&mut self, outcome: Outcome) -> u32 {
        let kind = match &outcome {
            Outcome::Applied(_) if outcome.code() == "held" => Kind::Held,
            Outcome::Applied(_) => Kind::Applied,
            Outcome::Replayed(_) => Kind::Replayed,
            Outcome::Refused(_) | Outcome::Unknown(_) => return self.keep_as_is(outcome),
        };
        let (Outcome::Applied(effect) | Outcome::Replayed(effect)) = outcome else { return UNSET };
        // Nobody asks these bytes what the command was.
        let stored = StoredOutcome { fingerprint: 0, ts: Timestamp::MIN, effect };
        let place = self.write(kind, |out| {
            let version = stored.version();
            out.push(version);
            stored.put_version(version, out);
        });
        place.unwrap_or_else(|| {
            let effect = stored.effect;
            self.keep_as_is(if kind == Kind::Replayed { Outcome::Replayed(effect) } else { Outcome::Applied(effect) })
        })
    }

    fn keep_as_is(&mut self, outcome: Outcome) -> u32 {
        self.others.push(outcome);
        Kind::Other.at(self.others.len() - 1).unwrap_or(UNSET)
    }

    /// Writes the bytes of one; none if they, or all of them together, are too many for that.
    fn write(&mut self, kind: Kind, put: impl FnOnce(&mut Vec<u8>)) -> Option<u32> {
        let start = self.bytes.len();
        let place = kind.at(start)?;
        self.bytes.extend_from_slice(&[0; 2]);
        put(&mut self.bytes);
        let Ok(len) = u16::try_from(self.bytes.len() - start - 2) else {
            self.bytes.truncate(start);
            return None;
        };
        self.bytes[start..start + 2].copy_from_slice(&len.to_le_bytes());
        Some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Batch;

    #[test]
    fn what_is_unset_is_unknown_and_what_was_taken_back_does_not_count() {
        let mut rows = Packed::default();
        rows.begin(4);
        rows.set(0, Outcome::Refused(Code::TooOld.into()));
        rows.set(1, Outcome::Refused(Code::Closed.into()));
        rows.set(3, Outcome::Applied(crate::record::Effect::default()));
        rows.unset(1);
        assert!(rows.get(1).is_none() && rows.get(4).is_none());
        let batch = Batch::from(rows);
        let codes: Vec<_> = (0..4).filter_map(|at| batch.code(at)).collect();
        assert_eq!(codes, ["too_old", "store_outcome_unknown", "store_outcome_unknown", "applied"]);
        let counts = [("applied", 1), ("store_outcome_unknown", 2), ("too_old", 1)];
        assert_eq!(batch.counts(), counts.into_iter().collect());
    }

    #[test]
    fn bytes_that_are_too_many_for_a_row_are_not_kept() {
        let mut rows = Packed::default();
        rows.begin(2);
        let stored = StoredOutcome { fingerprint: 7, ts: Timestamp::MIN, effect: crate::record::Effect::default() };
        let mut bytes = vec![stored.version()];
        stored.put_version(stored.version(), &mut bytes);
        assert!(rows.set_applied(0, false, &bytes));
        assert!(!rows.set_applied(1, false, &vec![0; 65_536]));
        assert!(matches!(rows.get(0), Some(Outcome::Applied(effect)) if effect == stored.effect));
        assert!(rows.get(1).is_none());
    }

    #[test]
    fn places_end_before_their_bits_do() {
        assert_eq!(Kind::Replayed.at(REST_MAX).map(Kind::of), Some((Kind::Replayed, REST_MAX)));
        assert_eq!(Kind::Other.at(REST_MAX + 1), None);
        assert_ne!(Kind::Other.at(REST_MAX), Some(UNSET));
    }
}
