//! How often something comes: a part of one, as a decimal.

use std::fmt;

use super::{Natural, Rounding};

/// A part of one, 0 to 1, rounded once to the nearest of fifteen significant digits: `0.01` is exact, `1/3` nearly.
///
/// It is shown and serialized as a decimal text, which may begin with many zeros.
///
/// ```
/// use liveops_core::exact::Rate;
///
/// assert_eq!(Rate::of(1, 100).unwrap().to_string(), "0.01");
/// assert_eq!(Rate::of(2, 3).unwrap().to_string(), "0.666666666666667");
/// assert_eq!(Rate::of(3, 2), None, "more than one");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    digits: u64,
    /// How many of them stand behind the point, and zeros before them if there are not as many.
    scale: usize,
}

const DIGITS: u32 = 15;

impl Rate {
    /// So many in so many; `None` of more than all and of none in none.
    pub fn of(some: u64, all: u64) -> Option<Self> {
        Self::of_fraction(Natural::new(some), &Natural::new(all))
    }

    /// The same of numbers of any size.
    pub(crate) fn of_fraction(mut above: Natural, below: &Natural) -> Option<Self> {
        let zero = Natural::new(0);
        if *below == zero || above.compare(below).is_gt() {
            return None;
        }
        if above == zero || above == *below {
            return Some(Self { digits: u64::from(above != zero), scale: 0 });
        }
        let mut scale = 0;
        let mut least = below.clone();
        least.multiply(10_u64.pow(DIGITS - 1));
        while above.compare(&least).is_lt() {
            above.multiply(10);
            scale += 1;
        }
        let mut digits = above.divide(below, Rounding::Nearest)?;
        while digits.is_multiple_of(10) && scale > 0 {
            (digits, scale) = (digits / 10, scale - 1);
        }
        Some(Self { digits, scale })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.scale == 0 {
            return write!(f, "{}", self.digits);
        }
        write!(f, "0.{:0>width$}", self.digits, width = self.scale)
    }
}

impl serde::Serialize for Rate {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifteen_digits_wherever_they_begin() {
        for (some, all, shown) in [
            (0, 7, "0"),
            (7, 7, "1"),
            (1, 4, "0.25"),
            (3, 100, "0.03"),
            (1, 3, "0.333333333333333"),
            (2, 3, "0.666666666666667"),
            (1, 7_000, "0.000142857142857143"),
            (1, (1 << 53) - 1, "0.000000000000000111022302462516"),
            ((1 << 53) - 2, (1 << 53) - 1, "1"),
            (u64::MAX - 1, u64::MAX, "1"),
        ] {
            let rate = Rate::of(some, all).unwrap();
            assert_eq!(rate.to_string(), shown, "{some} in {all}");
            assert_eq!(serde_json::to_string(&rate).unwrap(), format!("\"{shown}\""));
        }
        assert_eq!((Rate::of(0, 0), Rate::of(8, 7)), (None, None));
    }
}
