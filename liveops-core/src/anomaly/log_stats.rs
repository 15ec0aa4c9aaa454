//! Mean and spread of logarithms.

use super::stats::RunningStats;
use crate::codec::Stable;
use crate::error::Code;

/// [`RunningStats`] of `ln(1 + x)`: for amounts whose factors are alike rather than their differences, such as XP.
///
/// `1 + x` because nothing is an amount too. The typical value is about a geometric mean: one jackpot moves it little.
///
/// ```
/// use liveops_core::anomaly::LogStats;
///
/// let mut xp = LogStats::default();
/// for value in [99.0, 99.0, 999_999.0, 99.0] {
///     xp.push(value)?;
/// }
/// assert!((xp.typical() - 999.0).abs() < 1e-9, "the jackpot moved it by a factor of ten");
/// assert!(xp.push(-1.0).is_err());
/// assert_eq!(xp.n(), 4);
/// # Ok::<(), liveops_core::error::Code>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogStats(RunningStats);

impl LogStats {
    /// Takes a value in. `invalid_argument`, and nothing changed, for NaN, the infinities and negative values.
    pub fn push(&mut self, value: f64) -> Result<(), Code> {
        self.0.push(logarithm(value).ok_or(Code::InvalidArgument)?)
    }

    /// Takes in all that another has taken in, as [`RunningStats::merge`] does.
    pub fn merge(&mut self, other: &Self) -> Result<(), Code> {
        self.0.merge(&other.0)
    }

    /// How many values.
    pub const fn n(&self) -> u64 {
        self.0.n()
    }

    /// Mean of `ln(1 + x)`; 0 of none.
    pub fn mean(&self) -> f64 {
        self.0.mean()
    }

    /// Sample standard deviation of `ln(1 + x)`; 0 of fewer than two.
    pub fn sd(&self) -> f64 {
        self.0.sd()
    }

    /// The value whose logarithm is the mean, in the unit of the values.
    pub fn typical(&self) -> f64 {
        libm::expm1(self.mean())
    }
}

impl Stable for LogStats {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        RunningStats::take(from).map(Self)
    }
}

/// `ln(1 + x)`; `None` for what is no finite number and for negative values.
pub(super) fn logarithm(value: f64) -> Option<f64> {
    (value.is_finite() && value >= 0.0).then(|| libm::log1p(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> LogStats {
        let mut stats = LogStats::default();
        for value in values {
            stats.push(*value).unwrap();
        }
        stats
    }

    #[test]
    fn it_is_the_statistics_of_logarithms() {
        let mut logarithms = RunningStats::default();
        let values: Vec<f64> = (0..50_u32).map(|n| f64::from(n * n * n)).collect();
        for value in &values {
            logarithms.push(libm::log1p(*value)).unwrap();
        }
        let stats = of(&values);
        assert_eq!(stats, LogStats(logarithms));
        assert_eq!(LogStats::take(&mut &stats.to_bytes()[..]), Some(stats));
        let mut merged = of(&values[..20]);
        merged.merge(&of(&values[20..])).unwrap();
        assert!((merged.mean() - stats.mean()).abs() < 1e-14 && (merged.sd() - stats.sd()).abs() < 1e-14);
        assert_eq!(of(&[]).typical().to_bits(), 0);
    }

    #[test]
    fn what_is_no_amount_is_refused_and_changes_nothing() {
        let mut stats = of(&[1.0, 5.0, f64::MAX]);
        let before = stats;
        for bad in [-1e-300, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(stats.push(bad), Err(Code::InvalidArgument), "{bad}");
        }
        assert_eq!(stats, before);
        stats.push(-0.0).unwrap();
    }
}
