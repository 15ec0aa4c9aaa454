//! Boards as bytes.
//!
//! Sealed ([`Seal`]); entries come in the order of the board, so the bytes do not depend on how the board came to be.

use std::collections::BTreeSet;

use super::owners::Owners as _;
use super::ranks::{Found, Ranks};
use super::roster::{Handle, Roster};
use super::{Operator, Ranking, Settings, Standing};
use crate::codec::{Seal, Stable, fields, tags};
use crate::error::{Code, Error, StoreErrorKind};
use crate::id::PlayerId;

pub(super) const BOARD: Seal = Seal { head: b"liveops board   ", version: 1 };
pub(super) const WINDOWED: Seal = Seal { head: b"liveops windowed", version: 1 };

/// The content of a snapshot.
pub(super) fn open(seal: Seal, bytes: &[u8]) -> Result<&[u8], Error> {
    seal.open(bytes).map_err(|kind| match kind {
        StoreErrorKind::TooNew => Code::RecordTooNew.into(),
        _ => Code::SnapshotCorrupt.into(),
    })
}

tags!(Operator { Incr = 0, Best = 1, Set = 2, Decr = 3 });
tags!(Ranking { Ordinal = 0, Competition = 1, Dense = 2 });
fields!(Settings { operator, sort, ranking, name });

/// Who is hidden, by id.
pub(super) fn put_hidden(hidden: &BTreeSet<Handle>, roster: &Roster, out: &mut Vec<u8>) {
    let mut owners: Vec<_> = hidden.iter().map(|handle| roster.owner(*handle)).collect();
    owners.sort_unstable();
    (owners.len() as u64).put(out);
    for owner in owners {
        owner.put(out);
    }
}

pub(super) fn take_hidden(roster: &mut Roster, from: &mut &[u8]) -> Option<BTreeSet<Handle>> {
    let mut hidden = BTreeSet::new();
    for _ in 0..u64::take(from)? {
        let handle = roster.intern(&PlayerId::take(from)?)?;
        roster.retain(handle);
        if !hidden.insert(handle) {
            return None;
        }
    }
    Some(hidden)
}

/// Every entry: the shown ones in order, then the hidden ones by id.
pub(super) fn put_ranks(ranks: &Ranks, roster: &Roster, out: &mut Vec<u8>) {
    let mut handles: Vec<_> = ranks.handles().collect();
    let shown = ranks.tree().len() as usize;
    handles[shown..].sort_unstable_by(|a, b| roster.cmp(*a, *b));
    (handles.len() as u64).put(out);
    for handle in handles {
        roster.owner(handle).put(out);
        // Found a moment ago.
        ranks.standing(handle).unwrap_or_default().put(out);
    }
}

/// Errors: `snapshot_corrupt`, and `score_overflow` for what only a board of 64-bit scores took.
pub(super) fn take_ranks(
    ranks: &mut Ranks,
    roster: &mut Roster,
    hidden: &BTreeSet<Handle>,
    from: &mut &[u8],
) -> Result<(), Code> {
    let corrupt = Code::SnapshotCorrupt;
    for _ in 0..u64::take(from).ok_or(corrupt)? {
        let owner = PlayerId::take(from).ok_or(corrupt)?;
        let standing = Standing::take(from).ok_or(corrupt)?;
        let handle = roster.intern(&owner).ok_or(corrupt)?;
        if !matches!(ranks.find(handle), Found::Nowhere) || standing.sort != ranks.sort() {
            return Err(corrupt);
        }
        if !standing.score.is_exact() {
            return Err(Code::ScoreOverflow);
        }
        roster.retain(handle);
        ranks.put(handle, Found::Nowhere, Some(standing), hidden.contains(&handle), roster);
    }
    Ok(())
}
