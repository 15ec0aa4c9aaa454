//! Experience beyond the highest level that is turned into something else.

use std::num::NonZeroU64;

use crate::codec::fields;
use crate::limits::INTEGER_MAX;

/// Experience gathered beyond the highest level, as far as it was turned into units of something else, and the rest.
///
/// What was turned is counted and never turned again, whatever a unit costs later.
///
/// ```
/// use std::num::NonZeroU64;
///
/// use liveops_core::progress::Overflow;
///
/// let thousand = NonZeroU64::new(1_000).unwrap();
/// let first = Overflow::default().gather(2_300, thousand).unwrap();
/// assert_eq!((first.units, first.rest), (2, 300));
/// let second = first.gather(700, thousand).unwrap();
/// assert_eq!((second.units - first.units, second.rest), (1, 0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Overflow {
    /// Units made, ever.
    pub units: u64,
    /// Experience that does not make a unit yet.
    pub rest: u64,
}

fields!(Overflow { units, rest });

impl Overflow {
    /// Whether nothing was ever gathered.
    pub const fn is_empty(&self) -> bool {
        self.units == 0 && self.rest == 0
    }

    /// Adds experience, and makes as many units as it gives, each for `every`; `None` when a count would pass
    /// [`INTEGER_MAX`].
    pub fn gather(self, surplus: u64, every: NonZeroU64) -> Option<Self> {
        self.gather_up_to(surplus, every, INTEGER_MAX.unsigned_abs())
    }

    /// The same, but makes at most `units_max` units now: what is left stays in the rest, for the next time.
    pub fn gather_up_to(self, surplus: u64, every: NonZeroU64, units_max: u64) -> Option<Self> {
        let within = |value: &u64| *value <= INTEGER_MAX.unsigned_abs();
        let gathered = self.rest.checked_add(surplus).filter(within)?;
        let made = (gathered / every).min(units_max);
        let units = self.units.checked_add(made).filter(within)?;
        Some(Self { units, rest: gathered - made * every.get() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn nothing_is_lost_or_made_up(surpluses in prop::collection::vec(0_u64..100_000, 0..40), every in 1_u64..5_000) {
            let every = NonZeroU64::new(every).unwrap();
            let mut overflow = Overflow::default();
            for surplus in &surpluses {
                overflow = overflow.gather(*surplus, every).unwrap();
            }
            prop_assert_eq!(overflow.units * every.get() + overflow.rest, surpluses.iter().sum::<u64>());
            prop_assert!(overflow.rest < every.get());
        }
    }

    #[test]
    fn what_is_too_much_at_once_waits() {
        let every = NonZeroU64::new(10).unwrap();
        let first = Overflow::default().gather_up_to(57, every, 3).unwrap();
        assert_eq!(first, Overflow { units: 3, rest: 27 });
        assert_eq!(first.gather(0, every), Some(Overflow { units: 5, rest: 7 }));
    }

    #[test]
    fn counts_stay_within_the_integers() {
        let max = INTEGER_MAX.unsigned_abs();
        let one = NonZeroU64::MIN;
        assert_eq!(Overflow { units: max - 1, rest: 0 }.gather(1, one), Some(Overflow { units: max, rest: 0 }));
        for (units, rest, surplus) in [(max, 0, 1), (0, 1, max), (0, 0, u64::MAX), (0, u64::MAX, u64::MAX)] {
            assert_eq!(Overflow { units, rest }.gather(surplus, one), None);
        }
    }
}
