//! Floats that cannot be wrong: finite numbers, thresholds and priors.

use std::cmp::Ordering;
use std::fmt;

use crate::codec::Stable;

/// A float that is neither infinite nor NaN, with one form of zero: equality means equal bits.
///
/// ```
/// use liveops_core::anomaly::Finite;
///
/// let score = Finite::new(3.5).unwrap();
/// assert!(score > 3.0);
/// assert_eq!(score.get(), 3.5);
/// assert_eq!(Finite::new(f64::NAN), None);
/// ```
#[derive(Clone, Copy, Default, PartialEq, serde::Serialize)]
#[serde(transparent)]
pub struct Finite(f64);

impl Finite {
    /// Nothing.
    pub const ZERO: Self = Self(0.0);

    /// `None` for NaN and the infinities; -0.0 becomes 0.0.
    pub fn new(value: f64) -> Option<Self> {
        value.is_finite().then_some(Self(value + 0.0))
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl Eq for Finite {}

impl Ord for Finite {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Finite {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq<f64> for Finite {
    fn eq(&self, other: &f64) -> bool {
        self.0 == *other
    }
}

impl PartialOrd<f64> for Finite {
    fn partial_cmp(&self, other: &f64) -> Option<Ordering> {
        self.0.partial_cmp(other)
    }
}

impl From<Finite> for f64 {
    fn from(value: Finite) -> Self {
        value.0
    }
}

impl fmt::Display for Finite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Finite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// The eight bytes of IEEE 754, big-endian.
impl Stable for Finite {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.to_bits().to_be_bytes().put(out);
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        let bits = u64::from_be_bytes(Stable::take(from)?);
        Self::new(f64::from_bits(bits)).filter(|value| value.0.to_bits() == bits)
    }
}

/// The score above which a value is an anomaly, in standard deviations: above 0, at most a million.
///
/// ```
/// use liveops_core::anomaly::Threshold;
///
/// assert_eq!(Threshold::parse("6").unwrap().get(), 6.0);
/// assert_eq!(Threshold::parse("2.5").unwrap().get(), 2.5);
/// assert_eq!(Threshold::parse("-1"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(transparent)]
pub struct Threshold(Finite);

impl Threshold {
    /// Three deviations, the usual choice.
    pub const DEFAULT: Self = Self(Finite(3.0));
    const MAX: f64 = 1e6;

    /// `None` outside its range.
    pub fn new(value: f64) -> Option<Self> {
        (value > 0.0 && value <= Self::MAX).then_some(Self(Finite(value)))
    }

    /// From a decimal as rules write it: up to seven digits, then perhaps a point and up to six more, no sign, no
    /// exponent, no leading zero. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        Self::new(decimal(text)?)
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0.0
    }
}

impl From<Threshold> for Finite {
    fn from(threshold: Threshold) -> Self {
        threshold.0
    }
}

/// What is known of a value before a player has shown any, in logarithms: of `ln(1 + x)`, as [`super::Robust`] sees it.
///
/// The weight says how many events of the player's own it takes for them to count as much.
///
/// ```
/// use liveops_core::anomaly::Prior;
///
/// let prior = Prior::parse("4.6", "1.5", "4").unwrap();
/// assert_eq!(prior, Prior::DEFAULT);
/// assert_eq!(Prior::new(4.6, 0.0, 4.0), None, "a prior without spread would forbid everything");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Prior {
    pub(super) mean: Finite,
    pub(super) sd: Finite,
    pub(super) weight: Finite,
}

impl Prior {
    /// Values around 100, two thirds of them between 20 and 450, for the weight of four events. With a threshold of 6
    /// a first event is an anomaly from about 800,000 on.
    pub const DEFAULT: Self = Self { mean: Finite(4.6), sd: Finite(1.5), weight: Finite(4.0) };
    /// Far beyond the logarithm of any integer.
    const MEAN_MAX: f64 = 100.0;
    /// Less than a factor of 1.01; more than any two integers lie apart.
    const SD: (f64, f64) = (0.01, 100.0);
    const WEIGHT: (f64, f64) = (0.01, 1e6);

    /// Mean 0..=100 and standard deviation 0.01..=100 of `ln(1 + x)`, weight 0.01..=1,000,000; `None` outside.
    pub fn new(mean: f64, sd: f64, weight: f64) -> Option<Self> {
        let within = |value: f64, (least, most)| (value >= least && value <= most).then_some(Finite(value + 0.0));
        Some(Self {
            mean: within(mean, (0.0, Self::MEAN_MAX))?,
            sd: within(sd, Self::SD)?,
            weight: within(weight, Self::WEIGHT)?,
        })
    }

    /// From decimals written as in [`Threshold::parse`].
    pub fn parse(mean: &str, sd: &str, weight: &str) -> Option<Self> {
        Self::new(decimal(mean)?, decimal(sd)?, decimal(weight)?)
    }

    /// Mean of `ln(1 + x)`.
    pub const fn mean(&self) -> f64 {
        self.mean.0
    }

    /// Standard deviation of `ln(1 + x)`.
    pub const fn sd(&self) -> f64 {
        self.sd.0
    }

    /// In events.
    pub const fn weight(&self) -> f64 {
        self.weight.0
    }
}

impl Default for Prior {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// `None` unless digits, perhaps with a point inside. Rust rounds correctly, so the same text is the same float.
fn decimal(text: &str) -> Option<f64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str, most| (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let canonical = whole == "0" || !whole.starts_with('0');
    (digits(whole, 7) && digits(fraction, 6) && canonical).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finite_floats_have_one_form() {
        let value = Finite::new(-2.5).unwrap();
        assert_eq!(value.to_bytes(), [0xc0, 4, 0, 0, 0, 0, 0, 0]);
        assert_eq!(Finite::take(&mut &value.to_bytes()[..]), Some(value));
        assert_eq!(Finite::new(-0.0).unwrap().to_bytes(), [0; 8]);
        for bad in [-0.0_f64, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Finite::take(&mut &bad.to_bits().to_be_bytes()[..]), None, "{bad}");
        }
        assert!(Finite::new(-1.0) < Finite::new(0.0));
        assert_eq!(serde_json::to_string(&value).unwrap(), "-2.5");
    }

    #[test]
    fn thresholds_are_plain_decimals() {
        for (text, wanted) in [("6", 6.0), ("3.25", 3.25), ("0.5", 0.5), ("1000000", 1e6), ("0.000001", 1e-6)] {
            assert_eq!(Threshold::parse(text).map(Threshold::get), Some(wanted), "{text}");
        }
        for bad in [
            "",
            "0",
            "0.0",
            ".5",
            "5.",
            "05",
            "00",
            "-1",
            "+1",
            "1e3",
            "inf",
            "NaN",
            " 6",
            "1_000",
            "1,5",
            "1000000.1",
            "12345678",
            "0.0000001",
            "1.2.3",
            "٣",
        ] {
            assert_eq!(Threshold::parse(bad), None, "{bad}");
        }
        for bad in [0.0, -3.0, f64::NAN, f64::INFINITY, 2e6] {
            assert_eq!(Threshold::new(bad), None, "{bad}");
        }
    }

    #[test]
    fn priors_have_spread_and_weight() {
        assert!(Prior::new(0.0, 0.01, 0.01).is_some());
        for (mean, sd, weight) in [(-1.0, 1.0, 1.0), (f64::NAN, 1.0, 1.0), (4.0, 0.0, 1.0), (4.0, 1.0, 0.0)] {
            assert_eq!(Prior::new(mean, sd, weight), None, "{mean} {sd} {weight}");
        }
        assert_eq!(Prior::parse("4.6", "-1", "4"), None);
    }
}
