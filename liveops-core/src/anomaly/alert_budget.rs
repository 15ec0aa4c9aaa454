//! No more alerts of one player than somebody can look at.

use crate::codec::{Stable, fields};
use crate::error::Code;
use crate::time::{DAY_MILLIS, Timestamp};

/// How many alerts of one player are raised within a day of 24 hours from the first; what comes beyond is counted, so
/// that a storm buries nobody else's.
///
/// ```
/// use liveops_core::Timestamp;
/// use liveops_core::anomaly::{AlertBudget, AlertTally};
///
/// let budget = AlertBudget::new(2)?;
/// let (mut tally, at) = (AlertTally::default(), Timestamp::from_unix_seconds(1_794_000_000));
/// let raised: Vec<bool> = (0..5).map(|_| budget.allows(&mut tally, at)).collect();
/// assert_eq!(raised, [true, true, false, false, false]);
/// assert_eq!(tally.suppressed(), 3);
/// assert!(budget.allows(&mut tally, at.plus_millis(86_400_000)));
/// # Ok::<(), liveops_core::error::Code>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlertBudget {
    per_day: u32,
}

/// What a player has spent of an [`AlertBudget`]. 24 bytes, 3 to 25 stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AlertTally {
    /// Milliseconds since 1970 of the first alert of this day.
    from_ms: i64,
    raised: u32,
    suppressed: u64,
}

fields!(AlertTally { from_ms, raised, suppressed });

impl AlertTally {
    /// Nothing spent.
    pub(crate) const NONE: Self = Self { from_ms: 0, raised: 0, suppressed: 0 };
}

impl AlertBudget {
    /// So many alerts a day; `out_of_range` for none.
    pub fn new(per_day: u32) -> Result<Self, Code> {
        if per_day == 0 { Err(Code::OutOfRange) } else { Ok(Self { per_day }) }
    }

    /// Whether an alert at this time is raised; it is counted either way. A time before the day that is going on counts
    /// towards that day.
    pub fn allows(self, tally: &mut AlertTally, at: Timestamp) -> bool {
        let over = at.as_unix_millis() >= tally.from_ms.saturating_add(DAY_MILLIS);
        if tally.raised == 0 || over {
            (tally.from_ms, tally.raised) = (at.as_unix_millis(), 0);
        }
        if tally.raised < self.per_day {
            tally.raised += 1;
            true
        } else {
            tally.suppressed = tally.suppressed.saturating_add(1);
            false
        }
    }
}

impl AlertTally {
    /// How many alerts were not raised, ever.
    pub const fn suppressed(&self) -> u64 {
        self.suppressed
    }

    /// The stable bytes: a version, then all fields.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![Self::VERSION];
        self.put(&mut out);
        out
    }

    /// From [`Self::to_bytes`]; `None` for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(&[Self::VERSION])?;
        Self::take(&mut rest).filter(|_| rest.is_empty())
    }

    const VERSION: u8 = 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against a list of all alerts that were raised.
    #[test]
    fn it_never_raises_more_than_it_says_within_a_day_of_the_first() {
        for seed in 0..50_u64 {
            let mut state = seed;
            let mut draw = |end: u64| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) % end
            };
            let per_day = u32::try_from(draw(4)).unwrap() + 1;
            let budget = AlertBudget::new(per_day).unwrap();
            let (mut tally, mut at, mut refused) = (AlertTally::default(), 1_794_000_000_000, 0);
            let mut day: Vec<i64> = Vec::new();
            for n in 0..200 {
                at += i64::try_from(draw(20_000_000)).unwrap();
                if day.first().is_some_and(|first| at - first >= DAY_MILLIS) {
                    day.clear();
                }
                let wanted = day.len() < per_day as usize;
                if wanted {
                    day.push(at);
                } else {
                    refused += 1;
                }
                assert_eq!(
                    budget.allows(&mut tally, Timestamp::from_unix_millis(at)),
                    wanted,
                    "seed {seed}, alert {n}"
                );
                assert_eq!(tally.suppressed(), refused, "seed {seed}, alert {n}");
                assert_eq!(AlertTally::from_bytes(&tally.to_bytes()), Some(tally));
            }
        }
    }

    #[test]
    fn odd_times_and_budgets() {
        assert_eq!(AlertBudget::new(0), Err(Code::OutOfRange));
        let budget = AlertBudget::new(1).unwrap();
        let mut tally = AlertTally::default();
        let times = [i64::MAX, i64::MAX, 0, i64::MIN].map(Timestamp::from_unix_millis);
        assert_eq!(times.map(|at| budget.allows(&mut tally, at)), [true, true, false, false]);
        for bad in [&[][..], &[2, 0, 0, 0], &[1, 0, 0], &[1, 0, 0, 0, 0]] {
            assert_eq!(AlertTally::from_bytes(bad), None, "{bad:?}");
        }
    }
}
