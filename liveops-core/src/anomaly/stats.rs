//! Mean and spread in one pass and constant memory.

use super::finite::Finite;
use crate::codec::Stable;
use crate::error::Code;

/// Count, mean and standard deviation of all values so far, each weighing the same.
///
/// Welford's recurrence (B. P. Welford, Technometrics 4, 1962) on values less the first one, so that a small spread on
/// a large mean keeps its digits, and a constant sequence has a deviation of exactly zero.
///
/// ```
/// use liveops_core::anomaly::RunningStats;
///
/// let mut stats = RunningStats::default();
/// for value in [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0, 5.0] {
///     stats.push(value)?;
/// }
/// assert_eq!((stats.n(), stats.mean(), stats.sd()), (9, 5.0, 2.0));
/// # Ok::<(), liveops_core::error::Code>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunningStats {
    n: u64,
    /// The first value; the mean is kept less this.
    shift: Finite,
    shifted_mean: Finite,
    /// Sum of squared distances from the mean.
    squares: Finite,
}

impl RunningStats {
    /// Takes a value in. `invalid_argument`, and nothing changed, for NaN, the infinities, and values so large that
    /// their squares overflow.
    pub fn push(&mut self, value: f64) -> Result<(), Code> {
        let n = self.n.checked_add(1).ok_or(Code::InvalidArgument)?;
        let shift = if self.n == 0 { value } else { self.shift.get() };
        let shifted = value - shift;
        let before = shifted - self.shifted_mean.get();
        let mean = self.shifted_mean.get() + before / count(n);
        *self = Self::checked(n, shift, mean, self.squares.get() + before * (shifted - mean))?;
        Ok(())
    }

    /// Takes in all that another has taken in (T. F. Chan and others, 1979). Up to rounding, the
    /// result is that of pushing every value here. `invalid_argument`, and nothing changed, on overflow.
    pub fn merge(&mut self, other: &Self) -> Result<(), Code> {
        if other.n == 0 {
            return Ok(());
        }
        if self.n == 0 {
            *self = *other;
            return Ok(());
        }
        let n = self.n.checked_add(other.n).ok_or(Code::InvalidArgument)?;
        let apart = (other.shift.get() - self.shift.get()) + (other.shifted_mean.get() - self.shifted_mean.get());
        let share = count(other.n) / count(n);
        let mean = self.shifted_mean.get() + apart * share;
        let squares = self.squares.get() + other.squares.get() + apart * apart * count(self.n) * share;
        *self = Self::checked(n, self.shift.get(), mean, squares)?;
        Ok(())
    }

    /// How many values.
    pub const fn n(&self) -> u64 {
        self.n
    }

    /// Their mean; 0 of none.
    pub fn mean(&self) -> f64 {
        self.shift.get() + self.shifted_mean.get()
    }

    /// Their sample standard deviation (divided by `n - 1`); 0 of fewer than two.
    pub fn sd(&self) -> f64 {
        if self.n < 2 { 0.0 } else { (self.squares.get() / count(self.n - 1)).sqrt() }
    }

    fn checked(n: u64, shift: f64, mean: f64, squares: f64) -> Result<Self, Code> {
        let finite = |value| Finite::new(value).ok_or(Code::InvalidArgument);
        // Shift and mean are bounded separately, but their sum is what people ask for.
        finite(shift + mean)?;
        Ok(Self { n, shift: finite(shift)?, shifted_mean: finite(mean)?, squares: finite(squares)? })
    }
}

/// Mean and standard deviation in which old values fade: each step moves them by a fixed part of the way.
///
/// Exponentially weighted (T. Finch, "Incremental calculation of weighted mean and variance", 2009, section 9). The
/// first values weigh the same, as in a plain average, until there are as many as fit into the memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DecayingStats {
    n: u64,
    mean: Finite,
    variance: Finite,
}

impl DecayingStats {
    /// Takes a value in, moving at least the part `rate`, in 0..=1, of the way. `invalid_argument`, and nothing
    /// changed, for another rate, NaN, the infinities, and values so large that their squares overflow.
    pub fn push(&mut self, value: f64, rate: f64) -> Result<(), Code> {
        if !(0.0..=1.0).contains(&rate) {
            return Err(Code::InvalidArgument);
        }
        let n = self.n.saturating_add(1);
        let rate = rate.max(1.0 / count(n));
        // Before the first value there is no mean to start from.
        let old = if self.n == 0 { value } else { self.mean.get() };
        let step = rate * (value - old);
        let variance = (1.0 - rate) * (self.variance.get() + step * (value - old));
        let finite = |value| Finite::new(value).ok_or(Code::InvalidArgument);
        *self = Self { n, mean: finite(old + step)?, variance: finite(variance)? };
        Ok(())
    }

    /// Takes in what another has taken in, as if its values had come from the same source: means and variances pooled
    /// (T. F. Chan and others, 1979), each by the values that it remembers, which are at most `1 / rate`. Up to
    /// rounding it does not matter which is merged into which. `invalid_argument`, and nothing changed, for a rate
    /// outside 0..=1 and on overflow.
    ///
    /// ```
    /// use liveops_core::anomaly::DecayingStats;
    ///
    /// let (mut left, mut right) = (DecayingStats::default(), DecayingStats::default());
    /// for value in [1.0, 2.0, 3.0] {
    ///     left.push(value, 0.125)?;
    ///     right.push(value + 6.0, 0.125)?;
    /// }
    /// left.merge(&right, 0.125)?;
    /// assert_eq!((left.n(), left.mean()), (6, 5.0));
    /// # Ok::<(), liveops_core::error::Code>(())
    /// ```
    pub fn merge(&mut self, other: &Self, rate: f64) -> Result<(), Code> {
        if !(0.0..=1.0).contains(&rate) {
            return Err(Code::InvalidArgument);
        }
        if other.n == 0 {
            return Ok(());
        }
        if self.n == 0 {
            *self = *other;
            return Ok(());
        }
        let remembered = |n| if rate > 0.0 { count(n).min(1.0 / rate) } else { count(n) };
        let (ours, theirs) = (remembered(self.n), remembered(other.n));
        let share = theirs / (ours + theirs);
        let apart = other.mean.get() - self.mean.get();
        let between = apart * apart * (1.0 - share) * share;
        let variance = self.variance.get() * (1.0 - share) + other.variance.get() * share + between;
        let finite = |value| Finite::new(value).ok_or(Code::InvalidArgument);
        *self = Self {
            n: self.n.saturating_add(other.n),
            mean: finite(self.mean.get() + apart * share)?,
            variance: finite(variance)?,
        };
        Ok(())
    }

    /// How many values, faded ones too.
    pub const fn n(&self) -> u64 {
        self.n
    }

    /// Their weighted mean; 0 of none.
    pub const fn mean(&self) -> f64 {
        self.mean.get()
    }

    /// The same about another mean.
    pub(super) fn with_mean(self, mean: f64) -> Self {
        Self { mean: Finite::new(mean).unwrap_or_default(), ..self }
    }

    /// The same with no more than so much variance.
    pub(super) fn with_variance_at_most(self, most: f64) -> Self {
        Self { variance: self.variance.min(Finite::new(most).unwrap_or_default()), ..self }
    }

    /// Their weighted variance; 0 of fewer than two.
    pub const fn variance(&self) -> f64 {
        self.variance.get()
    }

    /// The square root of the variance.
    pub fn sd(&self) -> f64 {
        self.variance.get().sqrt()
    }
}

impl Stable for RunningStats {
    fn put(&self, out: &mut Vec<u8>) {
        self.n.put(out);
        for value in [self.shift, self.shifted_mean, self.squares] {
            value.put(out);
        }
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        let n = u64::take(from)?;
        let [shift, mean, squares] = [Finite::take(from)?, Finite::take(from)?, Finite::take(from)?];
        let stats = Self::checked(n, shift.get(), mean.get(), squares.get()).ok()?;
        (squares >= 0.0 && (n > 0 || stats == Self::default())).then_some(stats)
    }
}

impl Stable for DecayingStats {
    fn put(&self, out: &mut Vec<u8>) {
        self.n.put(out);
        self.mean.put(out);
        self.variance.put(out);
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        let stats = Self { n: u64::take(from)?, mean: Finite::take(from)?, variance: Finite::take(from)? };
        (stats.variance >= 0.0 && (stats.n > 0 || stats == Self::default())).then_some(stats)
    }
}

/// Exact up to 2^53, which no count here ever reaches; beyond it, rounded alike everywhere.
#[expect(clippy::cast_precision_loss, reason = "see above")]
pub(super) const fn count(n: u64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> RunningStats {
        let mut stats = RunningStats::default();
        for value in values {
            stats.push(*value).unwrap();
        }
        stats
    }

    fn assert_digits(digits: i32, got: f64, wanted: f64, what: &str) {
        let scale = if wanted == 0.0 { 1.0 } else { wanted.abs() };
        let off = (got - wanted).abs() / scale;
        assert!(off < libm::pow(10.0, f64::from(-digits)), "{what}: {got} is not {wanted}");
    }

    /// As many digits as NIST certifies.
    fn digits15(value: f64) -> String {
        format!("{value:.14e}")
    }

    /// NIST Statistical Reference Datasets, univariate summary statistics: all fifteen digits that are certified.
    #[test]
    fn certified_values_are_reproduced_to_the_last_digit() {
        let sets = include_str!("../../tests/data/nist_univariate.txt");
        let mut seen = 0;
        for line in sets.lines().filter(|line| !line.trim().is_empty()) {
            let (name, numbers) = line.split_once(' ').unwrap();
            let numbers: Vec<f64> = numbers.split_whitespace().map(|n| n.parse().unwrap()).collect();
            let [n, mean, sd, values @ ..] = &numbers[..] else { panic!("{name} is short") };
            let whole = of(values);
            assert_eq!(count(whole.n()).to_bits(), n.to_bits(), "{name}");
            let mut merged = RunningStats::default();
            values.chunks(7).for_each(|part| merged.merge(&of(part)).unwrap());
            for stats in [whole, merged] {
                assert_eq!(digits15(stats.mean()), digits15(*mean), "{name}");
                assert_eq!(digits15(stats.sd()), digits15(*sd), "{name}");
            }
            seen += 1;
        }
        assert_eq!(seen, 5);
    }

    #[test]
    fn an_offset_of_a_billion_costs_no_digit() {
        let values: Vec<f64> = (0..1000_u32).map(|i| f64::from(i * i % 997)).collect();
        let far: Vec<f64> = values.iter().map(|value| value + 1e9).collect();
        let (near, far) = (of(&values), of(&far));
        assert_eq!(near.sd().to_bits(), far.sd().to_bits());
        assert_eq!((near.mean() + 1e9).to_bits(), far.mean().to_bits());
    }

    #[test]
    fn merging_fading_stats_pools_what_they_remember() {
        let fading = |values: std::ops::Range<u32>, rate| {
            let mut stats = DecayingStats::default();
            values.for_each(|n| stats.push(f64::from(n * n % 37), rate).unwrap());
            stats
        };
        // While nothing has faded, merged is the same as one after the other.
        for cut in 0..=40 {
            let mut merged = fading(0..cut, 1.0 / 64.0);
            merged.merge(&fading(cut..40, 1.0 / 64.0), 1.0 / 64.0).unwrap();
            let whole = fading(0..40, 1.0 / 64.0);
            assert_eq!(merged.n(), whole.n());
            assert_digits(13, merged.mean(), whole.mean(), "mean");
            assert_digits(13, merged.variance(), whole.variance(), "variance");
        }
        // Beyond, both count as much, however much longer one has run.
        let (mut long, short) = (fading(0..5_000, 0.125), fading(0..9, 0.125));
        let wanted = f64::midpoint(long.mean(), short.mean());
        let mut other_way = short;
        other_way.merge(&long, 0.125).unwrap();
        long.merge(&short, 0.125).unwrap();
        assert_digits(14, long.mean(), wanted, "the middle");
        assert_digits(14, long.variance(), other_way.variance(), "either way");
        let before = long;
        assert_eq!(long.merge(&short, 1.5), Err(Code::InvalidArgument));
        assert_eq!(long.merge(&short, f64::NAN), Err(Code::InvalidArgument));
        let far = DecayingStats { mean: Finite::new(f64::MAX).unwrap(), ..short };
        assert_eq!(long.merge(&far, 0.125), Err(Code::InvalidArgument));
        assert_eq!(long, before);
    }

    #[test]
    fn merging_any_cut_equals_the_whole() {
        let values: Vec<f64> = (0..100_u32).map(|i| 1e9 + f64::from(i * i % 37)).collect();
        let whole = of(&values);
        for cut in 0..=values.len() {
            let mut left = of(&values[..cut]);
            left.merge(&of(&values[cut..])).unwrap();
            assert_eq!(left.n(), whole.n());
            assert_digits(14, left.mean(), whole.mean(), "mean");
            assert_digits(13, left.sd(), whole.sd(), "sd");
        }
    }

    #[test]
    fn a_constant_has_no_deviation_at_all() {
        let stats = of(&[0.1; 1000]);
        assert_eq!((stats.mean().to_bits(), stats.sd().to_bits()), (0.1_f64.to_bits(), 0));
        let mut fading = DecayingStats::default();
        (0..1000).for_each(|_| fading.push(0.1, 0.125).unwrap());
        assert_eq!((fading.mean().to_bits(), fading.sd().to_bits()), (0.1_f64.to_bits(), 0));
        assert_eq!(of(&[]).sd().to_bits() | of(&[5.0]).sd().to_bits(), 0);
    }

    #[test]
    fn what_is_no_number_is_refused_and_changes_nothing() {
        let mut stats = of(&[1.0, 2.0]);
        let mut fading = DecayingStats::default();
        fading.push(1.0, 0.5).unwrap();
        let before = (stats, fading);
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, -f64::MAX] {
            assert_eq!(stats.push(bad), Err(Code::InvalidArgument), "{bad}");
            assert_eq!(fading.push(bad, 0.5), Err(Code::InvalidArgument), "{bad}");
        }
        for bad in [-0.5, 1.5, f64::NAN] {
            assert_eq!(fading.push(1.0, bad), Err(Code::InvalidArgument), "{bad}");
        }
        assert_eq!(stats.merge(&RunningStats { n: u64::MAX, ..stats }), Err(Code::InvalidArgument));
        assert_eq!(stats.merge(&of(&[-f64::MAX])), Err(Code::InvalidArgument));
        assert_eq!((stats, fading), before);
    }

    /// By hand: 0, then 8 with weights 1/2 and 1/2, then 4 with weights 1/2 and 1/2.
    #[test]
    fn decaying_stats_by_hand() {
        let mut fading = DecayingStats::default();
        fading.push(0.0, 0.5).unwrap();
        fading.push(8.0, 0.5).unwrap();
        assert_eq!((fading.mean().to_bits(), fading.variance().to_bits()), (4_f64.to_bits(), 16_f64.to_bits()));
        fading.push(4.0, 0.5).unwrap();
        assert_eq!((fading.mean().to_bits(), fading.variance().to_bits()), (4_f64.to_bits(), 8_f64.to_bits()));
        let mut plain = DecayingStats::default();
        for value in [3.0, 5.0, 10.0] {
            plain.push(value, 0.0).unwrap();
        }
        assert_digits(15, plain.mean(), 6.0, "a rate of 0 is the plain average");
        assert_digits(15, plain.variance(), 26.0 / 3.0, "and the plain variance");
    }

    #[test]
    fn bytes_that_no_stats_have_are_refused() {
        let bytes = |n: u64, floats: &[f64]| {
            let mut out = n.to_bytes();
            for float in floats {
                float.to_bits().to_be_bytes().put(&mut out);
            }
            out
        };
        let running = |n, floats: [f64; 3]| RunningStats::take(&mut &bytes(n, &floats)[..]);
        let fading = |n, floats: [f64; 2]| DecayingStats::take(&mut &bytes(n, &floats)[..]);
        assert!(running(2, [5.0, 1.0, 2.0]).is_some() && fading(2, [5.0, 1.0]).is_some());
        assert_eq!(running(2, [5.0, 1.0, -2.0]), None);
        assert_eq!(running(0, [5.0, 0.0, 0.0]), None);
        assert_eq!(running(2, [f64::MAX, f64::MAX, 0.0]), None);
        assert_eq!(running(2, [f64::NAN, 1.0, 2.0]), None);
        assert_eq!(fading(2, [5.0, -1.0]), None);
        assert_eq!(fading(0, [5.0, 0.0]), None);
    }
}
