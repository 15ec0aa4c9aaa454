//! How far local time is ahead of UTC, and when local days begin.

use std::sync::Arc;

use super::within;
use crate::error::Code;
use crate::limits::{INTEGER_MAX, UTC_OFFSET_CHANGES_MAX};
use crate::time::{DAY_MILLIS, Timestamp};

/// Furthest from UTC that local time may be, in minutes: what the easternmost zone keeps.
const OFFSET_MINUTES_MAX: i64 = 840;

/// A change of the UTC offset, such as the begin or the end of daylight saving time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OffsetChange {
    /// The first moment at which it is in force.
    pub from: Timestamp,
    /// How far local time is ahead of UTC from then on, in minutes, -840..=840.
    pub minutes: i64,
}

/// A step function from times to offsets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Offsets {
    /// In force before the first change.
    first_millis: i64,
    changes: Option<Arc<[Change]>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Change {
    from: Timestamp,
    offset_millis: i64,
    /// The local times that clocks showed at any moment before are those before this one.
    shown_millis: i64,
}

impl Offsets {
    pub(super) const UTC: Self = Self { first_millis: 0, changes: None };

    /// Changes that change nothing are left out: what is equal then means the same.
    pub(super) fn new(minutes: i64, changes: &[OffsetChange]) -> Result<Self, Code> {
        let millis = |minutes| within(minutes, -OFFSET_MINUTES_MAX, OFFSET_MINUTES_MAX).map(|minutes| minutes * 60_000);
        let first_millis = millis(minutes)?;
        if changes.len() > UTC_OFFSET_CHANGES_MAX {
            return Err(Code::TooLong);
        }
        if !changes.is_sorted_by(|a, b| a.from < b.from) {
            return Err(Code::OutOfRange);
        }
        let (mut offset_before, mut shown_millis) = (first_millis, i64::MIN);
        let mut effective = Vec::with_capacity(changes.len());
        for change in changes {
            let from = within(change.from.as_unix_millis(), -INTEGER_MAX, INTEGER_MAX)?;
            let offset_millis = millis(change.minutes)?;
            if offset_millis != offset_before {
                shown_millis = shown_millis.max(from + offset_before);
                effective.push(Change { from: change.from, offset_millis, shown_millis });
                offset_before = offset_millis;
            }
        }
        let changes = (!effective.is_empty()).then(|| effective.into());
        Ok(Self { first_millis, changes })
    }

    /// In force before the first change.
    pub(super) const fn first_minutes(&self) -> i64 {
        self.first_millis / 60_000
    }

    /// The changes that change something.
    pub(super) fn list(&self) -> Vec<OffsetChange> {
        let change = |change: &Change| OffsetChange { from: change.from, minutes: change.offset_millis / 60_000 };
        self.changes().iter().map(change).collect()
    }

    fn changes(&self) -> &[Change] {
        self.changes.as_deref().unwrap_or_default()
    }

    /// Days since 1970-01-01 of the local day that began last. Exact for every time: the shift is added to the
    /// remainder.
    pub(super) fn day(&self, ts: Timestamp, reset_millis: i64) -> i64 {
        let in_force = self.changes().partition_point(|change| change.from <= ts).checked_sub(1);
        let change = in_force.and_then(|at| self.changes().get(at));
        let offset_millis = change.map_or(self.first_millis, |change| change.offset_millis);
        let (days, millis) = (ts.as_unix_millis().div_euclid(DAY_MILLIS), ts.as_unix_millis().rem_euclid(DAY_MILLIS));
        let shown = days + (millis + offset_millis - reset_millis).div_euclid(DAY_MILLIS);
        // A clock that is set back to the date before does not begin that day again.
        change.map_or(shown, |change| shown.max((change.shown_millis - 1 - reset_millis).div_euclid(DAY_MILLIS)))
    }

    /// The first moment at which local clocks show the reset of that day or anything later, saturating.
    pub(super) fn day_begins(&self, day: i64, reset_millis: i64) -> Timestamp {
        let reset = i128::from(day) * i128::from(DAY_MILLIS) + i128::from(reset_millis);
        let passed = self.changes().partition_point(|change| i128::from(change.shown_millis) <= reset);
        let millis = match passed.checked_sub(1).and_then(|at| self.changes().get(at)) {
            None => reset - i128::from(self.first_millis),
            // Where clocks skip the reset, they show something later at once.
            Some(change) => (reset - i128::from(change.offset_millis)).max(change.from.as_unix_millis().into()),
        };
        let bound = if millis < 0 { i64::MIN } else { i64::MAX };
        Timestamp::from_unix_millis(i64::try_from(millis).unwrap_or(bound))
    }

    /// Whether clocks are set forward so far that two days would begin at once, which leaves the first one empty.
    pub(super) fn skip_a_day(&self, reset_millis: i64) -> bool {
        self.changes().iter().any(|change| {
            let set_to = change.from.as_unix_millis() + change.offset_millis;
            let first = (change.shown_millis - reset_millis + DAY_MILLIS - 1).div_euclid(DAY_MILLIS);
            first < (set_to - reset_millis).div_euclid(DAY_MILLIS)
        })
    }

    /// From when on the other offsets are different ones; `None` if never.
    pub(super) fn differ_from(&self, other: &Self) -> Option<Timestamp> {
        if self.first_millis != other.first_millis {
            return Some(Timestamp::MIN);
        }
        let same = self.changes().iter().zip(other.changes()).take_while(|(a, b)| a == b).count();
        [self, other].into_iter().filter_map(|offsets| Some(offsets.changes().get(same)?.from)).min()
    }

    /// Whether the other offsets are these with more changes behind the last.
    pub(super) fn grow_into(&self, other: &Self) -> bool {
        self.first_millis == other.first_millis && other.changes().starts_with(self.changes())
    }
}
