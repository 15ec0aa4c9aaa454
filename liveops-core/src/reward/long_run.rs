//! How often entries come over many rolls, pity taken into account.

use super::expected::power;
use crate::exact::{Natural, Rate};

/// The renewals of a table with pity: counting begins anew whenever the entry that pity is for comes, of `weight` in `total`
/// by chance and at the latest with roll `n`.
///
/// With `a = total - weight` there are `(total^n - a^n) / (weight * total^(n-1))` rolls from one such entry to the next, as
/// [`super::ExpectedRolls`] has it, so its rate is the inverse of that. The others share the rest by their weights in `a`:
/// `weight * (total^(n-1) - a^(n-1)) / (total^n - a^n)` each.
pub(super) struct Renewals {
    cycle: Natural,
    /// Above the line for the entry that pity is for.
    ends: Natural,
    /// And for each part of another's weight.
    others: Natural,
}

impl Renewals {
    pub(super) fn new(weight: u64, total: u64, n: u32) -> Self {
        let (rolled, missed) = (power(total, n - 1), power(total - weight, n - 1));
        let times = |number: &Natural, factor| {
            let mut product = number.clone();
            product.multiply(factor);
            product
        };
        let mut cycle = times(&rolled, total);
        cycle.subtract(&times(&missed, total - weight));
        let ends = times(&rolled, weight);
        let mut others = rolled;
        others.subtract(&missed);
        Self { cycle, ends, others }
    }

    /// Of the entry that pity is for.
    pub(super) fn of_pity(&self) -> Option<Rate> {
        Rate::of_fraction(self.ends.clone(), &self.cycle)
    }

    /// Of another.
    pub(super) fn of(&self, weight: u64) -> Option<Rate> {
        let mut above = self.others.clone();
        above.multiply(weight);
        Rate::of_fraction(above, &self.cycle)
    }
}
