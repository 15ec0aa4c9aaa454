//! Powers of a fraction times a whole number, each rounded exactly, at a cost that does not grow with the level.

use super::{Ratio, Rounding};
use crate::exact::{Natural, split};
use crate::limits::INTEGER_MAX;

/// Limbs of 64 bits behind the point. What is cut off in [`LEVELS_MAX`](crate::limits::LEVELS_MAX) steps is then below 2^-170, while a
/// level's value that is not whole lies further from the next whole number in all but freak cases, which are worked out in full.
const FRACTION_LIMBS: usize = 4;

/// `base * growth^(l - 1)` for level 1, 2 and so on, rounded; `None` for what is more than an integer may hold.
pub(super) fn exponential(base: u64, growth: Ratio, rounding: Rounding) -> impl Iterator<Item = Option<u64>> {
    bracketed::<{ FRACTION_LIMBS + 1 }>(base, growth, rounding)
}

fn bracketed<const LIMBS: usize>(base: u64, growth: Ratio, rounding: Rounding) -> impl Iterator<Item = Option<u64>> {
    let start = Some((Fixed::<LIMBS>::whole(base), Fixed::whole(base)));
    let bounds = std::iter::successors(Some(start), move |bounds| Some(bounds.and_then(|bounds| next(bounds, growth))));
    (0_u32..).zip(bounds).map(move |(power, bounds)| {
        let (low, high) = bounds?;
        let value = rounded(low, high, rounding).unwrap_or_else(|| in_full(base, growth, power, rounding));
        value.filter(|value| *value <= INTEGER_MAX.unsigned_abs())
    })
}

/// The value with all its digits.
fn in_full(base: u64, growth: Ratio, power: u32, rounding: Rounding) -> Option<u64> {
    let (mut numerator, mut denominator) = (Natural::new(base), Natural::new(1));
    for _ in 0..power {
        numerator.multiply(growth.numerator());
        denominator.multiply(growth.denominator());
    }
    numerator.divide(&denominator, rounding)
}

/// A number in fixed point, least limb first; the last one is before the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fixed<const LIMBS: usize>([u64; LIMBS]);

impl<const LIMBS: usize> Fixed<LIMBS> {
    fn whole(value: u64) -> Self {
        let mut limbs = [0; LIMBS];
        limbs[LIMBS - 1] = value;
        Self(limbs)
    }

    /// What is before the point, and whether something is behind it.
    fn split(self) -> (u64, bool) {
        (self.0[LIMBS - 1], self.0.iter().take(LIMBS - 1).any(|limb| *limb != 0))
    }

    /// `self * ratio`, and whether a part was cut off; `None` at 2^64.
    fn times(self, ratio: Ratio) -> Option<(Self, bool)> {
        let (mut limbs, mut carry) = (self.0, 0);
        for limb in &mut limbs {
            let product = u128::from(*limb) * u128::from(ratio.numerator()) + u128::from(carry);
            (*limb, carry) = split(product);
        }
        // The denominator has at most 30 bits: with halves of limbs each division is one of 64 bits.
        let denominator = ratio.denominator();
        if carry >= denominator {
            return None;
        }
        let mut rest = carry;
        for limb in limbs.iter_mut().rev() {
            let (high, low) = ((rest << 32) | (*limb >> 32), *limb & 0xffff_ffff);
            let lower = ((high % denominator) << 32) | low;
            *limb = ((high / denominator) << 32) | (lower / denominator);
            rest = lower % denominator;
        }
        Some((Self(limbs), rest != 0))
    }

    /// The next number up; `None` at 2^64.
    fn up(self) -> Option<Self> {
        let mut limbs = self.0;
        for limb in &mut limbs {
            let (sum, carries) = limb.overflowing_add(1);
            *limb = sum;
            if !carries {
                return Some(Self(limbs));
            }
        }
        None
    }

    fn plus_half(self) -> Option<Self> {
        let mut limbs = self.0;
        let (sum, carries) = limbs[LIMBS - 2].overflowing_add(1 << 63);
        limbs[LIMBS - 2] = sum;
        limbs[LIMBS - 1] = limbs[LIMBS - 1].checked_add(u64::from(carries))?;
        Some(Self(limbs))
    }
}

/// The bounds of the next value: equal while nothing was cut off, and from then on apart, with the value between them.
fn next<const LIMBS: usize>(
    (low, high): (Fixed<LIMBS>, Fixed<LIMBS>),
    growth: Ratio,
) -> Option<(Fixed<LIMBS>, Fixed<LIMBS>)> {
    let (low, _) = low.times(growth)?;
    let (high, is_cut) = high.times(growth)?;
    Some((low, if is_cut { high.up()? } else { high }))
}

/// The rounded value, where both bounds say the same.
#[expect(clippy::option_option, reason = "not known, and known to be too large")]
fn rounded<const LIMBS: usize>(low: Fixed<LIMBS>, high: Fixed<LIMBS>, rounding: Rounding) -> Option<Option<u64>> {
    let is_exact = low == high;
    let (low, high) = match rounding {
        Rounding::Floor | Rounding::Ceil => (low, high),
        Rounding::Nearest => match (low.plus_half(), high.plus_half()) {
            (Some(low), Some(high)) => (low, high),
            _ => return Some(None),
        },
    };
    let ((below, has_fraction), (above, is_beyond)) = (low.split(), high.split());
    // Not at the bounds, when they are apart.
    let agree = is_exact || above == below || (above - below == 1 && !is_beyond);
    let up = rounding == Rounding::Ceil && (has_fraction || !is_exact);
    agree.then(|| below.checked_add(u64::from(up)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::limits::LEVELS_MAX;

    const ROUNDINGS: [Rounding; 3] = [Rounding::Floor, Rounding::Ceil, Rounding::Nearest];

    /// Level by level beside the value with all its digits.
    fn compare<const LIMBS: usize>(base: u64, growth: &str, levels: u32) {
        let growth = Ratio::parse(growth).unwrap();
        for rounding in ROUNDINGS {
            for (power, value) in (0..levels).zip(bracketed::<LIMBS>(base, growth, rounding)) {
                assert_eq!(value, in_full(base, growth, power, rounding), "{base} * {growth}^{power}, {rounding:?}");
            }
        }
    }

    #[test]
    fn every_kind_of_growth_is_exact() {
        for growth in ["1", "2", "3", "1.5", "1.2", "4/3", "1.05", "1.0001", "1.000000001", "0.5", "0.999999999", "1/3"]
        {
            for base in [1, 7, 250, 1_000_000_000, 5_u64.pow(20), 1 << 53, (1 << 53) - 1, u64::MAX] {
                compare::<{ FRACTION_LIMBS + 1 }>(base, growth, 120);
            }
        }
        compare::<{ FRACTION_LIMBS + 1 }>(1, "0.000000001", 40);
        compare::<{ FRACTION_LIMBS + 1 }>(u64::MAX, "18446744073709551615", 3);
        compare::<{ FRACTION_LIMBS + 1 }>(100_000_000, "1.0001", 900);
    }

    /// Working a value out in full costs as much as its level is high, so that the longest curves must never need it.
    #[test]
    fn the_longest_curves_need_no_value_in_full() {
        for growth in ["1.000000001", "1.000000009", "1.0000012", "1.00001", "0.999999999", "1000000007/1000000000"] {
            let growth = Ratio::parse(growth).unwrap();
            let start = (Fixed::<{ FRACTION_LIMBS + 1 }>::whole(1_000_000_000), Fixed::whole(1_000_000_000));
            let bounds = std::iter::successors(Some(start), |bounds| next(*bounds, growth));
            for (low, high) in bounds.take(LEVELS_MAX as usize) {
                assert!(ROUNDINGS.iter().all(|rounding| rounded(low, high, *rounding).is_some()));
            }
        }
    }

    proptest! {
        /// With one limb behind the point many values are worked out in full.
        #[test]
        fn short_fractions_are_exact_too(base in 1_u64.., shift in 0_u32..64, n in 1_u64..3_000_000_000, d in 1_u64..=1_000_000_000) {
            let (base, growth) = (base >> shift, format!("{n}/{d}"));
            compare::<2>(base, &growth, 25);
            compare::<{ FRACTION_LIMBS + 1 }>(base, &growth, 25);
        }
    }
}
