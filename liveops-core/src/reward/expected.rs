//! How many rolls it takes, on average.

use std::fmt;

use crate::exact::{Natural, Rounding};

/// An average number of rolls, rounded once to the nearest millionth. It is shown and serialized as a decimal text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExpectedRolls {
    whole: u64,
    millionths: u64,
}

const MILLION: u64 = 1_000_000;

impl ExpectedRolls {
    /// Whole rolls, at least 1.
    pub const fn whole(self) -> u64 {
        self.whole
    }

    /// What is left, in millionths of a roll: 0 to 999,999.
    pub const fn millionths(self) -> u64 {
        self.millionths
    }

    /// Until an entry of `weight` comes, of weights that add up to `total`: `total / weight`.
    pub(super) fn by_chance(weight: u64, total: u64) -> Option<Self> {
        Self::from_fraction(Natural::new(total), &Natural::new(weight))
    }

    /// The same of the entry that comes at the latest with roll `n`. With `a = total - weight`, the chance that roll k+1 is
    /// needed is `(a / total)^k`, for k below n: together `(total^n - a^n) / (weight * total^(n-1))`.
    pub(super) fn with_pity(weight: u64, total: u64, n: u32) -> Option<Self> {
        let mut below = power(total, n - 1);
        let mut above = below.clone();
        above.multiply(total);
        above.subtract(&power(total - weight, n));
        below.multiply(weight);
        Self::from_fraction(above, &below)
    }

    /// The same of another entry, of weight `other`, where pity gives the one of `weight` at the latest with roll `n`, after
    /// which counting begins anew. With `b = total - weight - other` the expectation E solves
    /// `E = sum of (b / total)^k * (1 + E * weight / total) for k < n-1, and + (b / total)^(n-1) * (1 + E)`: with
    /// `d = total^(n-1) - b^(n-1)` it is `(total * d + (weight + other) * b^(n-1)) / (other * d)`. `None` where n is 1: the
    /// entry never comes.
    pub(super) fn beside_pity(other: u64, weight: u64, total: u64, n: u32) -> Option<Self> {
        let missed = power(total - weight - other, n - 1);
        let mut below = power(total, n - 1);
        below.subtract(&missed);
        let mut above = below.clone();
        above.multiply(total);
        let mut again = missed;
        again.multiply(weight + other);
        above.add(&again);
        below.multiply(other);
        Self::from_fraction(above, &below)
    }

    fn from_fraction(mut above: Natural, below: &Natural) -> Option<Self> {
        let whole = above.divide(below, Rounding::Floor)?;
        let mut product = below.clone();
        product.multiply(whole);
        above.subtract(&product);
        above.multiply(MILLION);
        let millionths = above.divide(below, Rounding::Nearest)?;
        // What rounds up to a whole one is one.
        Some(Self { whole: whole + millionths / MILLION, millionths: millionths % MILLION })
    }
}

/// `0^0` is 1: with the first roll nothing can have been missed.
pub(super) fn power(base: u64, exponent: u32) -> Natural {
    let mut power = Natural::new(1);
    (0..exponent).for_each(|_| power.multiply(base));
    power
}

impl fmt::Display for ExpectedRolls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.millionths == 0 {
            return write!(f, "{}", self.whole);
        }
        let digits = format!("{:06}", self.millionths);
        write!(f, "{}.{}", self.whole, digits.trim_end_matches('0'))
    }
}

impl serde::Serialize for ExpectedRolls {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
