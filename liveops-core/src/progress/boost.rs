//! Times in which experience is multiplied, and what they make together.

use std::cmp::Ordering;

use super::{Ratio, Rounding};
use crate::exact::Natural;
use crate::id::Id;
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

/// What boosts make together that hold at the same time. Whichever it is, the result is rounded down once.
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

/// An amount under all boosts that hold at a time; `None` when it is too large.
pub(super) fn boosted(boosts: &[Boost], stacking: Stacking, requested: u64, ts: Timestamp) -> Option<u64> {
    let mut active = boosts.iter().filter(|boost| boost.is_active(ts)).map(|boost| boost.factor);
    let Some(first) = active.next() else { return Some(requested) };
    let Some(second) = active.next() else { return first.of(requested, Rounding::Floor) };
    let factors = [first, second].into_iter().chain(active);
    match stacking {
        Stacking::Multiply => {
            let (mut numerator, mut denominator) = (Natural::new(requested), Natural::new(1));
            for factor in factors {
                numerator.multiply(factor.numerator());
                denominator.multiply(factor.denominator());
            }
            numerator.divide(&denominator, Rounding::Floor)
        }
        Stacking::Add => added(factors, requested),
        Stacking::Highest => factors.reduce(higher)?.of(requested, Rounding::Floor),
    }
}

/// `requested * (1 + sum of (factor - 1))`, at least 0.
fn added(factors: impl Iterator<Item = Ratio>, requested: u64) -> Option<u64> {
    // The sum so far is (above - below) / denominator.
    let (mut above, mut below, mut denominator) = (Natural::new(1), Natural::new(0), Natural::new(1));
    for factor in factors {
        above.multiply(factor.denominator());
        below.multiply(factor.denominator());
        let mut times = denominator.clone();
        times.multiply(factor.numerator());
        above.add(&times);
        denominator.multiply(factor.denominator());
        below.add(&denominator);
    }
    if above.compare(&below) == Ordering::Less {
        return Some(0);
    }
    above.subtract(&below);
    above.multiply(requested);
    above.divide(&denominator, Rounding::Floor)
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
        boosted(boosts, stacking, requested, Timestamp::from_unix_seconds(seconds)).unwrap()
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
        let huge = [boost(0, 1, "18446744073709551615"), boost(0, 1, "18446744073709551615")];
        for stacking in [Stacking::Multiply, Stacking::Add] {
            assert_eq!(boosted(&huge, stacking, 1, Timestamp::from_unix_seconds(0)), None);
        }
        let highest = boosted(&huge, Stacking::Highest, 2, Timestamp::from_unix_seconds(0));
        assert_eq!(highest, None);
    }
}
