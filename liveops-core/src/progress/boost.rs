//! Times in which experience is multiplied, what they make together, and what their fractions leave over.

use std::iter;

use super::Ratio;
use crate::codec::fields;
use crate::exact::greatest_common_divisor;
use crate::id::Id;
use crate::limits::INTEGER_MAX;
use crate::time::Timestamp;

/// A time in which experience is multiplied.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Boost {
    /// Its name.
    pub id: Id,
    /// The first instant.
    pub from: Timestamp,
    /// The first instant after it.
    pub until: Timestamp,
    /// What experience is multiplied by; below 1 it is a brake.
    pub factor: Ratio,
}

/// What boosts make together that hold at the same time. Whichever it is, the result is rounded down once, and what that leaves
/// over is kept in [`Remainders`](super::Remainders).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Stacking {
    /// The product of their factors: 2 and 1.5 make 3.
    #[default]
    Multiply,
    /// What each adds is added: 2 and 1.5 make 2.5. Brakes take away, at most everything.
    Add,
    /// The highest factor alone: 2 and 1.5 make 2.
    Highest,
}

impl Boost {
    /// Whether the boost holds at this time.
    pub fn is_active(&self, ts: Timestamp) -> bool {
        self.from <= ts && ts < self.until
    }
}

impl Stacking {
    /// The place of the first boost that begins while others hold with which it is too fine: their common denominator passes
    /// [`INTEGER_MAX`]. Nothing is granted at such times.
    pub fn too_fine(self, boosts: &[Boost]) -> Option<usize> {
        // No set of boosts that hold together is larger than the one at the last beginning among them.
        boosts.iter().position(|boost| self.factor(boosts, boost.from).is_none())
    }

    /// What all boosts that hold at a time multiply by; `None` when they are too fine together.
    pub(super) fn factor(self, boosts: &[Boost], ts: Timestamp) -> Option<Factor> {
        let mut active = boosts.iter().filter(|boost| boost.is_active(ts)).map(|boost| boost.factor);
        let Some(first) = active.next() else { return Some(Factor::ONE) };
        match self {
            Self::Multiply => product(iter::once(first).chain(active)),
            Self::Add => sum(iter::once(first).chain(active)),
            Self::Highest => product(iter::once(active.fold(first, higher))),
        }
    }
}

/// What experience is multiplied by, reduced: a whole number, and a part of one that is 0 of 1 where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Factor {
    /// At most `u64::MAX`, which is more than any experience can be multiplied by.
    pub(super) whole: u64,
    /// Less than the denominator.
    pub(super) part: u64,
    /// 1 to [`INTEGER_MAX`].
    pub(super) denominator: u64,
}

impl Factor {
    const ONE: Self = Self { whole: 1, part: 0, denominator: 1 };

    pub(super) fn reduced(numerator: u128, denominator: u64) -> Self {
        let whole = u64::try_from(numerator / u128::from(denominator)).unwrap_or(u64::MAX);
        // Less than the denominator, as a rest of dividing by it.
        let part = u64::try_from(numerator % u128::from(denominator)).unwrap_or(0);
        let divisor = greatest_common_divisor(denominator, part);
        Self { whole, part: part / divisor, denominator: denominator / divisor }
    }

    /// An amount times this, and what was left over before; the second of the answer is what is left over now, both in parts
    /// of the denominator. `None` when it passes [`INTEGER_MAX`].
    pub(super) fn of(self, amount: u64, rest: u64) -> Option<(u64, u64)> {
        let within = |value: u128| u64::try_from(value).ok().filter(|value| *value <= INTEGER_MAX.unsigned_abs());
        let amount = u128::from(within(amount.into())?);
        if self.part == 0 && rest == 0 {
            return Some((within(amount * u128::from(self.whole))?, 0));
        }
        // All three are below 2^64, so nothing passes 128 bits.
        let parts = amount * u128::from(self.part) + u128::from(rest);
        let denominator = u128::from(self.denominator);
        let boosted = within(amount * u128::from(self.whole) + parts / denominator)?;
        Some((boosted, within(parts % denominator)?))
    }
}

fields!(Factor { whole, part, denominator });

fn product(factors: impl Iterator<Item = Ratio>) -> Option<Factor> {
    let (mut numerator, mut denominator) = (1_u128, 1_u64);
    for factor in factors {
        // What does not fit is far more than the largest amount, whatever is below the slash.
        numerator = numerator.saturating_mul(factor.numerator().into());
        denominator = fine(u128::from(denominator) * u128::from(factor.denominator()))?;
    }
    Some(Factor::reduced(numerator, denominator))
}

/// `1 + sum of (factor - 1)`, at least 0.
fn sum(factors: impl Iterator<Item = Ratio>) -> Option<Factor> {
    // A thousand of the largest numerators fit, each over a denominator of 53 bits; and more are as good as endless.
    let (mut numerator, mut denominator) = (1_i128, 1_u64);
    for factor in factors {
        let (above, below) = (i128::from(factor.numerator()), factor.denominator());
        let times = below / greatest_common_divisor(denominator, below);
        let common = fine(u128::from(denominator) * u128::from(times))?;
        let more = above * i128::from(common / below) - i128::from(common);
        numerator = numerator.saturating_mul(times.into()).saturating_add(more);
        denominator = common;
    }
    Some(Factor::reduced(u128::try_from(numerator).unwrap_or(0), denominator))
}

fn fine(denominator: u128) -> Option<u64> {
    u64::try_from(denominator).ok().filter(|denominator| *denominator <= INTEGER_MAX.unsigned_abs())
}

fn higher(a: Ratio, b: Ratio) -> Ratio {
    let cross = |a: Ratio, b: Ratio| u128::from(a.numerator()) * u128::from(b.denominator());
    if cross(a, b) >= cross(b, a) { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boost(from: i64, until: i64, factor: &str) -> Boost {
        let [from, until] = [from, until].map(Timestamp::from_unix_seconds);
        Boost { id: Id::new("boost").unwrap(), from, until, factor: Ratio::parse(factor).unwrap() }
    }

    fn at(boosts: &[Boost], stacking: Stacking, requested: u64, seconds: i64) -> u64 {
        let factor = stacking.factor(boosts, Timestamp::from_unix_seconds(seconds)).unwrap();
        factor.of(requested, 0).unwrap().0
    }

    #[test]
    fn boosts_hold_in_half_open_windows_and_multiply_exactly() {
        let boosts = [boost(10, 20, "1.5"), boost(15, 30, "1.1"), boost(18, 19, "0.1")];
        // 7 * 1.5 is 10.5, 7 * 1.5 * 1.1 is 11.55, a tenth of that 1.155, 7 * 1.1 is 7.7.
        let amounts = [9, 10, 14, 15, 18, 19, 20, 29, 30].map(|s| at(&boosts, Stacking::Multiply, 7, s));
        assert_eq!(amounts, [7, 10, 10, 11, 1, 11, 7, 7, 7]);
        let thrice = [boost(0, 1, "1.1"), boost(0, 1, "1.1"), boost(0, 1, "1.1")];
        assert_eq!(at(&thrice, Stacking::Multiply, 1000, 0), 1331);
        let twice = [boost(0, 1, "1.5"), boost(0, 1, "1.5")];
        assert_eq!(at(&twice, Stacking::Multiply, 5, 0), 11, "11.25, where rounding twice gives 10");
    }

    #[test]
    fn each_way_of_stacking_is_exact() {
        let of = |factors: &[&str], requested| {
            let boosts: Vec<_> = factors.iter().map(|factor| boost(0, 1, factor)).collect();
            [Stacking::Multiply, Stacking::Add, Stacking::Highest].map(|stacking| at(&boosts, stacking, requested, 0))
        };
        assert_eq!(of(&["2", "1.5"], 100), [300, 250, 200]);
        assert_eq!(of(&["1.5", "2"], 100), [300, 250, 200]);
        assert_eq!(of(&["0.5", "0.25"], 100), [12, 0, 50], "two brakes take away more than there is");
        assert_eq!(of(&["0.5", "1.25"], 100), [62, 75, 125]);
        assert_eq!(of(&["4/3", "4/3", "4/3"], 27), [64, 54, 36], "2, not a little less");
        assert_eq!(of(&["3"], 7), [21; 3]);
        assert_eq!(of(&[], 7), [7; 3]);
    }

    #[test]
    fn what_is_too_large_is_none() {
        let huge = vec![boost(0, 1, "18446744073709551615"); 300];
        for (count, stacking) in [
            (2, Stacking::Multiply),
            (300, Stacking::Multiply),
            (2, Stacking::Add),
            (300, Stacking::Add),
            (2, Stacking::Highest),
        ] {
            let factor = stacking.factor(&huge[..count], Timestamp::from_unix_seconds(0)).unwrap();
            assert_eq!((factor.of(1, 0), factor.of(0, 0)), (None, Some((0, 0))), "{stacking:?}");
        }
        assert_eq!(Factor::ONE.of(INTEGER_MAX.unsigned_abs() + 1, 0), None);
    }

    #[test]
    fn what_is_too_fine_together_is_found() {
        let nine = |from, until| boost(from, until, "1.000000001");
        let alone = [nine(0, 10), nine(10, 20), boost(30, 40, "1.0000001"), boost(35, 45, "1.0000001")];
        assert_eq!(Stacking::Multiply.too_fine(&alone), None, "nine digits, and seven twice");
        let together = [nine(5, 15), boost(30, 40, "2"), nine(0, 10), nine(12, 20)];
        assert_eq!(Stacking::Multiply.too_fine(&together), Some(0), "the one that begins last among the first two");
        let common = [Stacking::Add, Stacking::Highest].map(|stacking| stacking.too_fine(&together));
        assert_eq!(common, [None; 2]);
        let coprime = [boost(0, 9, "1/999999999"), boost(0, 9, "1/999999998")];
        assert_eq!(Stacking::Add.too_fine(&coprime), Some(0));
        let one = [boost(0, 9, "999999999/1000000000"), boost(0, 9, "1000000000/999999999")];
        assert_eq!(
            Stacking::Multiply.too_fine(&one),
            Some(0),
            "what is written is judged, whatever it could be reduced to"
        );
    }
}
