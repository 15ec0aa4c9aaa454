//! Polynomials with rational coefficients, evaluated exactly.

use std::cmp::Ordering;

use super::CurveError;
use crate::exact::{Natural, Rounding, fraction};
use crate::limits::COEFFICIENTS_MAX;

/// `c0 + c1 * l + c2 * l^2 + ...`, perhaps times another one that is rounded by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Polynomial {
    terms: Terms,
    times: Option<(Terms, Rounding)>,
}

/// Coefficients over one denominator, positive and negative ones apart: each list has as many, 0 where the other has one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Terms {
    positive: Vec<Natural>,
    negative: Vec<Natural>,
    denominator: Natural,
}

/// A whole number and its sign.
struct Signed {
    is_negative: bool,
    magnitude: u64,
}

impl Polynomial {
    pub(super) fn new(coefficients: &[&str]) -> Result<Self, CurveError> {
        Ok(Self { terms: Terms::new(coefficients)?, times: None })
    }

    pub(super) fn times(&mut self, coefficients: &[&str], rounding: Rounding) -> Result<(), CurveError> {
        self.times = Some((Terms::new(coefficients)?, rounding));
        Ok(())
    }

    /// The value at a level, rounded once at the end; beyond `INTEGER_MAX` it is `i128::MAX`, and below 0 just that.
    pub(super) fn at(&self, level: u32, rounding: Rounding) -> i128 {
        let (mut positive, mut negative) = self.terms.at(level);
        if let Some((terms, inner)) = &self.times {
            let (above, below) = terms.at(level);
            let Some(factor) = round(above, below, &terms.denominator, *inner) else { return i128::MAX };
            positive.multiply(factor.magnitude);
            negative.multiply(factor.magnitude);
            if factor.is_negative {
                std::mem::swap(&mut positive, &mut negative);
            }
        }
        if positive.compare(&negative) == Ordering::Less {
            return -1;
        }
        round(positive, negative, &self.terms.denominator, rounding).map_or(i128::MAX, |n| i128::from(n.magnitude))
    }
}

impl Terms {
    fn new(coefficients: &[&str]) -> Result<Self, CurveError> {
        if coefficients.len() > COEFFICIENTS_MAX {
            return Err(CurveError::TooManyCoefficients);
        }
        let parsed = coefficients.iter().map(|text| {
            let (is_negative, digits) = text.strip_prefix('-').map_or((false, *text), |digits| (true, digits));
            fraction(digits).map(|(numerator, denominator)| (is_negative, numerator, denominator))
        });
        let parsed = parsed.collect::<Result<Vec<_>, _>>().map_err(|_| CurveError::Coefficient)?;
        let product = |of: &mut dyn Iterator<Item = u64>| {
            let mut product = Natural::new(1);
            of.for_each(|factor| product.multiply(factor));
            product
        };
        let denominators = |without: usize| {
            parsed.iter().enumerate().filter(move |(at, _)| *at != without).map(|(_, (_, _, denominator))| *denominator)
        };
        let (mut positive, mut negative) = (Vec::new(), Vec::new());
        for (at, (is_negative, numerator, _)) in parsed.iter().enumerate() {
            let scaled = product(&mut denominators(at).chain([*numerator]));
            let (this, other) =
                if *is_negative { (&mut negative, &mut positive) } else { (&mut positive, &mut negative) };
            this.push(scaled);
            other.push(Natural::new(0));
        }
        Ok(Self { positive, negative, denominator: product(&mut denominators(usize::MAX)) })
    }

    /// What is added and what is taken away at a level, over the denominator: by Horner's scheme.
    fn at(&self, level: u32) -> (Natural, Natural) {
        let sum = |coefficients: &[Natural]| {
            let mut sum = Natural::new(0);
            for coefficient in coefficients.iter().rev() {
                sum.multiply(level.into());
                sum.add(coefficient);
            }
            sum
        };
        (sum(&self.positive), sum(&self.negative))
    }
}

/// `(positive - negative) / denominator`, rounded; `None` when it is too large.
fn round(mut positive: Natural, mut negative: Natural, denominator: &Natural, rounding: Rounding) -> Option<Signed> {
    if positive.compare(&negative) != Ordering::Less {
        positive.subtract(&negative);
        return positive.divide(denominator, rounding).map(|magnitude| Signed { is_negative: false, magnitude });
    }
    negative.subtract(&positive);
    let magnitude = match rounding {
        Rounding::Floor => negative.divide(denominator, Rounding::Ceil)?,
        Rounding::Ceil => negative.divide(denominator, Rounding::Floor)?,
        // Halves go up, which is towards zero here.
        Rounding::Nearest => {
            let up = negative.divide(denominator, Rounding::Nearest)?;
            let mut twice = negative;
            twice.multiply(2);
            let mut half = denominator.clone();
            half.multiply(up.checked_mul(2)?.saturating_sub(1));
            up - u64::from(up > 0 && twice.compare(&half) == Ordering::Equal)
        }
    };
    Some(Signed { is_negative: magnitude > 0, magnitude })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polynomial(coefficients: &[&str]) -> Polynomial {
        Polynomial::new(coefficients).unwrap()
    }

    #[test]
    fn values_are_rounded_once_and_as_asked() {
        let p = polynomial(&["1/3", "-1", "5/4"]);
        // 1/3 - 1 + 5/4 is 7/12; 1/3 - 2 + 5 is 10/3; 1/3 - 3 + 45/4 is 103/12.
        assert_eq!([1, 2, 3].map(|l| p.at(l, Rounding::Floor)), [0, 3, 8]);
        assert_eq!([1, 2, 3].map(|l| p.at(l, Rounding::Ceil)), [1, 4, 9]);
        assert_eq!([1, 2, 3].map(|l| p.at(l, Rounding::Nearest)), [1, 3, 9]);
        assert_eq!(polynomial(&["0.5"]).at(9, Rounding::Nearest), 1, "halves go up");
        assert_eq!(polynomial(&[]).at(9, Rounding::Ceil), 0);
    }

    #[test]
    fn what_cancels_is_no_overflow() {
        let huge = ["18446744073709551615"; 16];
        let mut terms: Vec<&str> = huge.to_vec();
        terms[0] = "7";
        let above = polynomial(&terms);
        assert_eq!(above.at(10_000, Rounding::Floor), i128::MAX);
        // 10^60 * (10^-9 * l - 10^-9 * l), and 7.
        let mut cancelling = polynomial(&["7"]);
        cancelling.terms = Terms::new(&["7"]).unwrap();
        let big = Terms::new(&terms).unwrap();
        cancelling.terms.positive = big.positive.clone();
        cancelling.terms.negative = [vec![Natural::new(0)], big.positive[1..].to_vec()].concat();
        assert_eq!(cancelling.at(10_000, Rounding::Floor), 7);
    }

    #[test]
    fn a_factor_is_rounded_by_itself_also_below_zero() {
        let with = |coefficients: &[&str], factor: &[&str], rounding| {
            let mut p = polynomial(coefficients);
            p.times(factor, rounding).unwrap();
            p
        };
        // l^3 * floor((1911 - 10 l) / 3) / 500, from Pokemon's erratic group.
        let erratic = with(&["0", "0", "0", "1/500"], &["637", "-10/3"], Rounding::Floor);
        assert_eq!(erratic.at(68, Rounding::Floor), 257_834);
        for (factor, floor, ceil, nearest) in
            [("-1/3", -1, 0, 0), ("-1/2", -1, 0, 0), ("-5/2", -3, -2, -2), ("-7/4", -2, -1, -2)]
        {
            let of = |rounding| with(&["-1"], &[factor], rounding).at(1, Rounding::Floor);
            assert_eq!(
                [of(Rounding::Floor), of(Rounding::Ceil), of(Rounding::Nearest)],
                [-floor, -ceil, -nearest].map(i128::from),
                "{factor}"
            );
        }
        assert_eq!(with(&["1"], &["-1"], Rounding::Floor).at(1, Rounding::Floor), -1, "below zero");
        assert_eq!(with(&["1"], &["18446744073709551615"], Rounding::Floor).at(1, Rounding::Floor), i128::MAX);
    }

    #[test]
    fn other_forms_are_refused() {
        for bad in ["--1", "+1", "1/0", "1/-2", "1.5/2", "1e3", "", "1/1000000001"] {
            assert_eq!(Polynomial::new(&[bad]), Err(CurveError::Coefficient), "{bad:?}");
        }
        assert_eq!(Polynomial::new(&["0"; 17]), Err(CurveError::TooManyCoefficients));
        assert!(Polynomial::new(&["-0", "-0.5", "-2/3", "0/7"]).is_ok());
    }
}
