//! Counts by equal bins: the shape of a distribution in constant memory.

use super::curve::steps;

/// Counts of values in `least..least + bins * width`; what lies outside counts in the first or last bin.
#[derive(Clone, Debug)]
pub(super) struct Histogram {
    least: f64,
    width: f64,
    counts: Vec<u64>,
    total: u64,
}

impl Histogram {
    pub(super) fn new(least: f64, width: f64, bins: usize) -> Self {
        Self { least, width, counts: vec![0; bins], total: 0 }
    }

    pub(super) fn add(&mut self, value: f64) {
        let last = self.counts.len().saturating_sub(1);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates; NaN becomes 0")]
        let bin = ((value - self.least) / self.width) as usize;
        if let Some(count) = self.counts.get_mut(bin.min(last)) {
            *count += 1;
            self.total += 1;
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.total += other.total;
    }

    pub(super) const fn total(&self) -> u64 {
        self.total
    }

    pub(super) fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// How many lie at or above a value, up to the bin it falls into.
    pub(super) fn above(&self, value: f64) -> f64 {
        let place = (value - self.least) / self.width;
        let mut sum = 0.0;
        for (bin, count) in self.counts.iter().enumerate() {
            let part = (steps(bin) + 1.0 - place).clamp(0.0, 1.0);
            sum += part * super::count(*count);
        }
        sum
    }

    /// Below which the part lies, evenly inside a bin; the least of nothing.
    pub(super) fn quantile(&self, part: f64) -> f64 {
        let mut left = part * super::count(self.total);
        for (bin, count) in self.counts.iter().enumerate() {
            let count = super::count(*count);
            if count > 0.0 && left <= count {
                return self.least + self.width * (steps(bin) + (left / count).max(0.0));
            }
            left -= count;
        }
        self.least
    }

    /// Half the distance between the places one standard deviation of a normal distribution would reach.
    pub(super) fn spread(&self) -> f64 {
        (self.quantile(0.841) - self.quantile(0.159)) / 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_quantiles_of_an_even_distribution() {
        let mut even = Histogram::new(0.0, 0.5, 20);
        (0..1000_u32).for_each(|n| even.add(f64::from(n) / 100.0));
        assert!((even.quantile(0.25) - 2.5).abs() < 1e-9 && (even.spread() - 3.41).abs() < 1e-9);
        assert!((even.above(7.0) - 300.0).abs() < 1e-9 && (even.above(-3.0) - 1000.0).abs() < 1e-9);
        assert!(even.above(11.0).abs() < 1e-9);
        let mut twice = even.clone();
        twice.merge(&even);
        assert_eq!(twice.total(), 2000);
        for odd in [f64::NAN, -1e300, 1e300] {
            twice.add(odd);
        }
        assert_eq!((twice.counts()[0], twice.counts()[19]), (102, 101));
        assert_eq!(Histogram::new(3.0, 1.0, 4).quantile(0.5).to_bits(), 3_f64.to_bits());
    }
}
