//! What a key owes, in one integer: when it is paid off, and by which interval it was counted.

use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};

use super::table::Lapse;
use crate::limits::QUOTA_INTERVALS_MAX;
use crate::quota::Quota;

/// A state of [`gcra`](crate::quota::gcra) and the place of its interval among [`Intervals`], in the lowest bits: states
/// stay within 2^53 of zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Debt(i64);

const PLACE_BITS: u32 = 8;

/// The place of an interval that found no room.
const NOWHERE: u8 = u8::MAX;

const _: () = assert!(QUOTA_INTERVALS_MAX <= NOWHERE as usize);

impl Debt {
    /// Of a key that was never called.
    pub(super) const NONE: Self = Self::new(-(1 << 53), NOWHERE);

    pub(super) const fn new(state: i64, place: u8) -> Self {
        Self(state << PLACE_BITS | place as i64)
    }

    /// When it is paid off.
    pub(super) const fn state(self) -> i64 {
        self.0 >> PLACE_BITS
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the lowest bits are meant")]
    const fn place(self) -> u8 {
        self.0 as u8
    }
}

/// Whose slot is free.
impl Default for Debt {
    fn default() -> Self {
        Self::NONE
    }
}

impl Lapse for Debt {
    type Rule = Quota;

    fn end(&self, _: Quota) -> i64 {
        self.state()
    }
}

/// The intervals by which debts of a limiter were counted, in the order in which they came; 0 is a free place.
pub(super) struct Intervals([AtomicU64; QUOTA_INTERVALS_MAX]);

impl Intervals {
    pub(super) fn new() -> Self {
        Self([const { AtomicU64::new(0) }; QUOTA_INTERVALS_MAX])
    }

    /// The place of a quota's interval, which is taken now if it has none.
    #[inline]
    pub(super) fn place(&self, quota: Quota) -> u8 {
        let interval = quota.interval_micros().get();
        for (place, known) in (0_u8..).zip(&self.0) {
            let found = match known.load(Ordering::Acquire) {
                0 => known.compare_exchange(0, interval, Ordering::AcqRel, Ordering::Acquire).err().unwrap_or(interval),
                known => known,
            };
            if found == interval {
                return place;
            }
        }
        NOWHERE
    }

    /// The state of a debt under a quota whose interval has this place. What was counted by an interval that found no
    /// room is owed for as long as it was.
    #[inline]
    pub(super) fn carry(&self, debt: Debt, quota: Quota, place: u8, now: i64) -> i64 {
        if debt.place() == place { debt.state() } else { self.carry_over(debt, quota, now) }
    }

    #[cold]
    fn carry_over(&self, debt: Debt, quota: Quota, now: i64) -> i64 {
        let known = self.0.get(usize::from(debt.place())).map(|known| known.load(Ordering::Acquire));
        match known.and_then(NonZeroU64::new) {
            Some(interval) => quota.carried(debt.state(), interval, now),
            None => debt.state(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_debt_is_a_state_and_a_place() {
        for state in [0, 1, -1, 1 << 53, -(1 << 53)] {
            for place in [0, 1, 127, NOWHERE] {
                let debt = Debt::new(state, place);
                assert_eq!((debt.state(), debt.place()), (state, place));
            }
        }
        assert!(Debt::default().state() < crate::quota::micros(crate::Timestamp::MIN));
    }

    #[test]
    fn intervals_beyond_what_is_kept_carry_their_time() {
        let intervals = Intervals::new();
        let quota = |seconds: u64| Quota::new(1, Duration::from_secs(seconds)).burst(1000);
        let most = QUOTA_INTERVALS_MAX as u64;
        let places: Vec<_> = (1..=most + 2).map(|seconds| intervals.place(quota(seconds))).collect();
        assert!(places[..QUOTA_INTERVALS_MAX].iter().map(|place| usize::from(*place)).eq(0..QUOTA_INTERVALS_MAX));
        assert_eq!(places[QUOTA_INTERVALS_MAX..], [NOWHERE; 2]);
        assert_eq!(intervals.place(quota(2)), 1);
        let (two, five) = (intervals.place(quota(2)), intervals.place(quota(5)));
        let owed = |place| intervals.carry(Debt::new(10_000_000, place), quota(5), five, 0);
        assert_eq!((owed(two), owed(five), owed(NOWHERE)), (25_000_000, 10_000_000, 10_000_000));
    }
}
