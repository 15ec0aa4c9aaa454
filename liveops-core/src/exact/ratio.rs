//! Positive fractions, written as decimals or as one whole number over another.

use std::fmt;

use crate::error::{Code, Error};
use crate::limits::{DENOMINATOR_MAX, FRACTION_DIGITS_MAX};

/// A positive decimal such as "1.2", or a fraction such as "4/3", kept as a reduced fraction of integers: no digit is
/// lost.
///
/// Curves grow and boosts multiply by it. It is shown and serialized as the shortest decimal, or where no decimal of 9
/// digits says it, as the reduced fraction.
///
/// ```
/// use liveops_core::exact::{Ratio, Rounding};
///
/// let ratio = Ratio::parse("1.20")?;
/// assert_eq!((ratio.numerator(), ratio.denominator()), (6, 5));
/// assert_eq!(ratio.to_string(), "1.2");
/// assert_eq!(ratio.of(432, Rounding::Floor), Some(518));
/// assert_eq!(Ratio::parse("4/6")?.to_string(), "2/3");
/// assert!(Ratio::parse("0").is_err());
/// # Ok::<(), liveops_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ratio {
    numerator: u64,
    denominator: u64,
}

/// What happens to the part of a number that is not whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Rounding {
    /// Towards zero.
    #[default]
    Floor,
    /// Away from zero.
    Ceil,
    /// To the nearest whole number, halves up.
    Nearest,
}

impl Ratio {
    /// Times one.
    pub const ONE: Self = Self { numerator: 1, denominator: 1 };

    /// Parses digits with, after a point, up to 9 more; or a whole number, a slash, and another of at most
    /// [`DENOMINATOR_MAX`]. `invalid_format` for any other form (signs, exponents, superfluous leading zeros),
    /// `out_of_range` for 0, for a zero below the slash, and for what leaves these bounds or 64 bits.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (numerator, denominator) = fraction(text)?;
        if numerator == 0 { Err(Code::OutOfRange.into()) } else { Ok(Self { numerator, denominator }) }
    }

    /// Numerator of the reduced fraction, at least 1.
    pub const fn numerator(self) -> u64 {
        self.numerator
    }

    /// Denominator of the reduced fraction, 1 to [`DENOMINATOR_MAX`].
    pub const fn denominator(self) -> u64 {
        self.denominator
    }

    /// This ratio of an amount, rounded once; `None` when it does not fit.
    pub fn of(self, amount: u64, rounding: Rounding) -> Option<u64> {
        let exact = u128::from(amount) * u128::from(self.numerator);
        let denominator = u128::from(self.denominator);
        // The product of two 64-bit numbers leaves room for a 30-bit denominator.
        let added = match rounding {
            Rounding::Floor => 0,
            Rounding::Ceil => denominator - 1,
            Rounding::Nearest => denominator / 2,
        };
        u64::try_from((exact + added) / denominator).ok()
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !DENOMINATOR_MAX.is_multiple_of(self.denominator) {
            return write!(f, "{}/{}", self.numerator, self.denominator);
        }
        write!(f, "{}", self.numerator / self.denominator)?;
        let mut rest = self.numerator % self.denominator;
        if rest > 0 {
            f.write_str(".")?;
        }
        while rest > 0 {
            write!(f, "{}", rest * 10 / self.denominator)?;
            rest = rest * 10 % self.denominator;
        }
        Ok(())
    }
}

impl serde::Serialize for Ratio {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl std::str::FromStr for Ratio {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

/// Numerator and denominator, reduced, of an unsigned decimal or fraction; 0 is 0 over 1.
pub(crate) fn fraction(text: &str) -> Result<(u64, u64), Error> {
    let (numerator, denominator) = match text.split_once('/') {
        None => decimal(text)?,
        Some((numerator, denominator)) => {
            let whole = |text: &str| if text.contains('.') { Err(Code::InvalidFormat.into()) } else { decimal(text) };
            let ((numerator, _), (denominator, _)) = (whole(numerator)?, whole(denominator)?);
            if !(1..=DENOMINATOR_MAX).contains(&denominator) {
                return Err(Code::OutOfRange.into());
            }
            (numerator, denominator)
        }
    };
    let divisor = greatest_common_divisor(numerator, denominator);
    Ok((numerator / divisor, denominator / divisor))
}

/// The digits of an unsigned decimal as one number, and the power of ten that they are over.
fn decimal(text: &str) -> Result<(u64, u64), Error> {
    let (whole, fraction) = match text.split_once('.') {
        Some((_, "")) => return Err(Code::InvalidFormat.into()),
        Some(parts) => parts,
        None => (text, ""),
    };
    let digits = || whole.bytes().chain(fraction.bytes());
    let superfluous_zero = whole.len() > 1 && whole.starts_with('0');
    if whole.is_empty()
        || superfluous_zero
        || fraction.len() > FRACTION_DIGITS_MAX
        || !digits().all(|d| d.is_ascii_digit())
    {
        return Err(Code::InvalidFormat.into());
    }
    let number = digits().try_fold(0_u64, |n, d| n.checked_mul(10)?.checked_add(u64::from(d - b'0')));
    let scale = fraction.bytes().fold(1, |scale, _| scale * 10);
    number.map(|number| (number, scale)).ok_or_else(|| Code::OutOfRange.into())
}

/// 0 only of 0 and 0.
pub(crate) const fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_come_back_in_their_shortest_form() {
        for (text, numerator, denominator, shown) in [
            ("1", 1, 1, "1"),
            ("1.2", 6, 5, "1.2"),
            ("1.200000000", 6, 5, "1.2"),
            ("0.000000001", 1, 1_000_000_000, "0.000000001"),
            ("2.05", 41, 20, "2.05"),
            ("18446744073709551615", u64::MAX, 1, "18446744073709551615"),
            ("4/3", 4, 3, "4/3"),
            ("6/5", 6, 5, "1.2"),
            ("12/9", 4, 3, "4/3"),
            ("1/1000000000", 1, 1_000_000_000, "0.000000001"),
            ("1/1024", 1, 1024, "1/1024"),
            ("10/1", 10, 1, "10"),
        ] {
            let ratio = Ratio::parse(text).unwrap();
            assert_eq!(
                (ratio.numerator, ratio.denominator, ratio.to_string().as_str()),
                (numerator, denominator, shown)
            );
            assert_eq!(Ratio::parse(shown), Ok(ratio));
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for bad in [
            "",
            ".",
            "1.",
            ".5",
            "01",
            "00.5",
            "-1",
            "+1",
            "1e3",
            "1,2",
            " 1",
            "1.0000000001",
            "1.2.3",
            "١",
            "/",
            "1/",
            "/2",
            "1/02",
            "1.5/2",
            "1/2/3",
            "-1/2",
        ] {
            assert_eq!(Ratio::parse(bad).unwrap_err().code(), Code::InvalidFormat, "{bad:?}");
        }
        for bad in ["0", "0.0", "18446744073709551616", "18446744073709551615.0", "0/3", "1/0", "1/1000000001"] {
            assert_eq!(Ratio::parse(bad).unwrap_err().code(), Code::OutOfRange, "{bad:?}");
        }
    }

    #[test]
    fn amounts_are_rounded_as_asked() {
        let half = Ratio::parse("0.5").unwrap();
        let of = |ratio: Ratio, n| [Rounding::Floor, Rounding::Ceil, Rounding::Nearest].map(|r| ratio.of(n, r));
        assert_eq!(of(half, 5), [Some(2), Some(3), Some(3)]);
        assert_eq!(of(Ratio::parse("0.2").unwrap(), 7), [Some(1), Some(2), Some(1)]);
        assert_eq!(of(Ratio::parse("2").unwrap(), u64::MAX), [None; 3]);
        assert_eq!(of(Ratio::parse("18446744073709551615").unwrap(), u64::MAX), [None; 3]);
        assert_eq!(of(Ratio::ONE, u64::MAX), [Some(u64::MAX); 3]);
        assert_eq!(of(Ratio::parse("2/3").unwrap(), 4), [Some(2), Some(3), Some(3)]);
    }
}
