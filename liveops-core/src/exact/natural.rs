//! Natural numbers of any size: just what powers and products of fractions need.

use std::cmp::Ordering;

use super::Rounding;
use crate::limits::INTEGER_MAX;

/// Limbs of 64 bits, least significant first, the last one not zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Natural(Vec<u64>);

impl Natural {
    pub(crate) fn new(value: u64) -> Self {
        let mut limbs = vec![value];
        limbs.retain(|limb| *limb != 0);
        Self(limbs)
    }

    pub(crate) fn multiply(&mut self, factor: u64) {
        let mut carry = 0;
        for limb in &mut self.0 {
            // At most (2^64 - 1)^2 + 2^64 - 1, which is below 2^128.
            (*limb, carry) = split(u128::from(*limb) * u128::from(factor) + u128::from(carry));
        }
        if carry != 0 {
            self.0.push(carry);
        }
        self.trim();
    }

    pub(crate) fn add(&mut self, other: &Self) {
        let mut carry = false;
        for index in 0..self.0.len().max(other.0.len()) {
            if index == self.0.len() {
                self.0.push(0);
            }
            let (sum, first) = self.0[index].overflowing_add(other.limb(index));
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            (self.0[index], carry) = (sum, first || second);
        }
        if carry {
            self.0.push(1);
        }
    }

    /// `self / divisor`, rounded; `None` when that is more than `INTEGER_MAX` or the divisor is 0.
    ///
    /// Source: Knuth, The Art of Computer Programming 2, 4.3.1, algorithm D, of which one digit is enough here.
    pub(crate) fn divide(&self, divisor: &Self, rounding: Rounding) -> Option<u64> {
        // Shifted so far that the divisor's highest bit is set, the first limbs tell the quotient but for 2.
        let shift = divisor.0.last()?.leading_zeros();
        let (mut rest, divisor) = (self.shifted(shift), divisor.shifted(shift));
        let len = divisor.0.len();
        let (high, low, top) = (rest.limb(len), rest.limb(len - 1), divisor.limb(len - 1));
        if rest.0.len() > len + 1 || high >= top {
            return None;
        }
        let (mut quotient, _) = split((u128::from(high) << 64 | u128::from(low)) / u128::from(top));
        let mut product = divisor.clone();
        product.multiply(quotient);
        while product.compare(&rest) == Ordering::Greater {
            product.subtract(&divisor);
            quotient -= 1;
        }
        rest.subtract(&product);
        let up = match rounding {
            Rounding::Floor => false,
            Rounding::Ceil => !rest.0.is_empty(),
            Rounding::Nearest => {
                rest.multiply(2);
                rest.compare(&divisor) != Ordering::Less
            }
        };
        quotient.checked_add(u64::from(up)).filter(|q| *q <= INTEGER_MAX.unsigned_abs())
    }

    fn limb(&self, index: usize) -> u64 {
        self.0.get(index).copied().unwrap_or(0)
    }

    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    /// Times 2 to the power of `bits`, which is below 64.
    fn shifted(&self, bits: u32) -> Self {
        let mut shifted = self.clone();
        shifted.multiply(1 << bits);
        shifted
    }

    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    /// Takes away what is not more than `self`.
    pub(crate) fn subtract(&mut self, other: &Self) {
        let mut borrow = false;
        for (index, limb) in self.0.iter_mut().enumerate() {
            let (difference, first) = limb.overflowing_sub(other.limb(index));
            let (difference, second) = difference.overflowing_sub(u64::from(borrow));
            (*limb, borrow) = (difference, first || second);
        }
        self.trim();
    }
}

/// The low and the high half.
pub(crate) fn split(wide: u128) -> (u64, u64) {
    ((wide & 0xffff_ffff_ffff_ffff) as u64, (wide >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wide(value: u128) -> Natural {
        let (low, high) = split(value);
        let mut natural = Natural(vec![low, high]);
        natural.trim();
        natural
    }

    fn product(factors: &[u64]) -> Natural {
        let mut product = Natural::new(1);
        for factor in factors {
            product.multiply(*factor);
        }
        product
    }

    fn plain(n: u128, d: u128, rounding: Rounding) -> Option<u64> {
        let up = match rounding {
            Rounding::Floor => false,
            Rounding::Ceil => !n.is_multiple_of(d),
            Rounding::Nearest => n % d >= d - n % d,
        };
        u64::try_from(n / d + u128::from(up)).ok().filter(|q| *q < 1 << 53)
    }

    const ROUNDINGS: [Rounding; 3] = [Rounding::Floor, Rounding::Ceil, Rounding::Nearest];

    proptest! {
        #[test]
        fn divides_as_u128_does(n: u128, n_shift in 0_u32..128, d: u128, d_shift in 0_u32..128) {
            let (n, d) = (n >> n_shift, (d >> d_shift).max(1));
            for rounding in ROUNDINGS {
                prop_assert_eq!(wide(n).divide(&wide(d), rounding), plain(n, d, rounding));
            }
        }

        /// quotient * divisor + rest over divisor, far beyond 128 bits.
        #[test]
        fn finds_the_quotient_of_long_numbers(
            quotient in 0_u64..1 << 53,
            factors in prop::collection::vec(prop_oneof![any::<u64>(), Just(u64::MAX), Just(1 << 63)], 1..12),
        ) {
            let divisor = product(&factors);
            prop_assume!(!divisor.0.is_empty());
            let mut exact = divisor.clone();
            exact.multiply(quotient);
            for rounding in ROUNDINGS {
                prop_assert_eq!(exact.divide(&divisor, rounding), Some(quotient));
            }
            if quotient > 0 {
                exact.subtract(&Natural::new(1));
                prop_assert_eq!(exact.divide(&divisor, Rounding::Floor), Some(quotient - 1));
                let whole = u64::from(divisor == Natural::new(1));
                prop_assert_eq!(exact.divide(&divisor, Rounding::Ceil), Some(quotient - whole));
            }
        }
    }

    proptest! {
        #[test]
        fn adds_and_takes_away_as_u128_does(a: u128, a_shift in 0_u32..128, b: u128, b_shift in 1_u32..128) {
            let (a, b) = (a >> a_shift >> 1, b >> b_shift);
            let mut sum = wide(a);
            sum.add(&wide(b));
            prop_assert_eq!(&sum, &wide(a + b));
            sum.subtract(&wide(a));
            prop_assert_eq!(sum, wide(b));
        }
    }

    #[test]
    fn a_carry_goes_all_the_way() {
        let mut number = Natural(vec![u64::MAX, u64::MAX]);
        number.add(&Natural::new(1));
        assert_eq!(number, Natural(vec![0, 0, 1]));
        number.subtract(&Natural::new(1));
        assert_eq!(number, Natural(vec![u64::MAX, u64::MAX]));
    }

    #[test]
    fn halves_go_up_and_zero_divides_nothing() {
        assert_eq!(Natural::new(5).divide(&Natural::new(2), Rounding::Nearest), Some(3));
        assert_eq!(Natural::new(0).divide(&Natural::new(2), Rounding::Ceil), Some(0));
        assert_eq!(Natural::new(5).divide(&Natural::new(0), Rounding::Floor), None);
        assert_eq!(Natural::new(1 << 53).divide(&Natural::new(1), Rounding::Floor), None);
    }
}
