//! Draws from the distributions that play is made of; the same bits on every machine.

use crate::random::SplitMix64;

/// A stream of draws of its own: no other stream is moved by how much of it is used.
#[derive(Clone, Debug)]
pub(super) struct Chance(SplitMix64);

impl Chance {
    /// The stream of a purpose under a seed.
    pub(super) fn new(seed: u64, purpose: u64) -> Self {
        let mut mixed = SplitMix64::new(seed ^ purpose.wrapping_mul(0xd6e8_feb8_6659_fd93));
        Self(SplitMix64::new(mixed.next() ^ purpose))
    }

    /// In 0..1, never 0.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    pub(super) fn part(&mut self) -> f64 {
        ((self.0.next() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    pub(super) fn happens(&mut self, probability: f64) -> bool {
        self.part() < probability
    }

    pub(super) fn between(&mut self, least: f64, most: f64) -> f64 {
        least + (most - least) * self.part()
    }

    /// Evenly in logarithms.
    pub(super) fn factor(&mut self, least: f64, most: f64) -> f64 {
        libm::exp(self.between(libm::log(least), libm::log(most)))
    }

    /// `0..end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.0.below(end as u64)).unwrap_or_default()
    }

    /// Standard normal (G. E. P. Box and M. E. Muller, 1958).
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * libm::log(self.part())).sqrt();
        radius * libm::cos(std::f64::consts::TAU * self.part())
    }

    /// Exponential, mean 1.
    pub(super) fn exponential(&mut self) -> f64 {
        -libm::log(self.part())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_have_their_moments_and_repeat() {
        let moments = |draw: fn(&mut Chance) -> f64| {
            let mut chance = Chance::new(7, 1);
            let values: Vec<f64> = (0..20_000).map(|_| draw(&mut chance)).collect();
            let mean = values.iter().sum::<f64>() / 20_000.0;
            (mean, (values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / 20_000.0).sqrt())
        };
        for (draw, mean, sd) in [
            (Chance::normal as fn(&mut Chance) -> f64, 0.0, 1.0),
            (Chance::exponential, 1.0, 1.0),
            (Chance::part, 0.5, (1.0_f64 / 12.0).sqrt()),
            (|chance| chance.factor(1.0, 4.0), 3.0 / 4.0_f64.ln(), 0.853),
        ] {
            let got = moments(draw);
            assert!((got.0 - mean).abs() < 0.03 && (got.1 - sd).abs() < 0.03, "{got:?}, not {mean} and {sd}");
        }
        assert_eq!(Chance::new(3, 4).part().to_bits(), Chance::new(3, 4).part().to_bits());
        assert_ne!(Chance::new(3, 4).part().to_bits(), Chance::new(4, 3).part().to_bits());
    }
}
