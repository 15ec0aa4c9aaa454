//! Values that rise too slowly for any one of them to stand out.

use super::amounts::{self, Amounts, Place};
use super::finite::{Finite, Prior, Threshold};
use super::stats::DecayingStats;
use super::verdict::{Direction, Reason, Verdict};
use crate::codec::Stable;
use crate::error::Code;

/// The part of every deviation that counts against nobody: half the shift to be found, in standard deviations.
const ALLOWANCE: f64 = 0.5;
/// What one value can count at most, in standard deviations.
const STEP_MAX: f64 = 3.0;
/// The part of the way that a value moves the mean: slower than who cheats a little more each time can wait for.
const RATE: f64 = 1.0 / 500.0;
/// A value is learned as if it lay at most so many deviations from the mean.
const LEARN_DEVIATIONS: f64 = 2.0;
/// Smallest deviation of `ln(1 + x)`, as for [`super::Robust`].
const SD_MIN: f64 = 0.1;
/// Of what was learned with a prior, and without.
const VERSIONS: [u8; 2] = [1, 2];

/// A cumulative sum of how far values lie above the player's long mean (E. S. Page, Biometrika 41, 1954): finds a mean
/// that has risen by a deviation or more, however slowly it got there. Upwards only.
///
/// Works on `ln(1 + x)` with a baseline pooled with a [`Prior`], and judges from the first value; or without one on `ln x`, once
/// the player's first ten values have said what is usual, as [`super::Robust`] does.
/// The score is the sum after the value, in standard deviations. It does not tell those who cheat from those who have
/// got better: where honest players rise, [`super::Family`] learns how far from history. A single large value counts
/// three deviations and is [`super::Robust`]'s business. 40 bytes beside threshold and prior, 26 to 35 stored.
///
/// ```
/// use liveops_core::anomaly::{Cusum, Prior, Reason};
///
/// let mut xp = Cusum::new(12.0, Prior::DEFAULT);
/// for n in 0..300_u32 {
///     assert!(!xp.observe(80.0 + f64::from(n * 7 % 41)).is_anomaly());
/// }
/// let found = (0..400_u32).find(|n| xp.observe(100.0 * 1.005_f64.powi(*n as i32)).reason == Reason::RisesSteadily);
/// assert!(found.is_some_and(|n| n < 150), "before it has doubled");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cusum {
    threshold: Threshold,
    prior: Option<Prior>,
    stats: DecayingStats,
    sum: Finite,
}

impl Cusum {
    /// Nothing learned yet. A threshold that [`Threshold::new`] refuses becomes [`Threshold::DEFAULT`].
    pub fn new(threshold: f64, prior: impl Into<Option<Prior>>) -> Self {
        let threshold = Threshold::new(threshold).unwrap_or(Threshold::DEFAULT);
        Self { threshold, prior: prior.into(), stats: DecayingStats::default(), sum: Finite::ZERO }
    }

    /// The verdict on a value.
    pub fn score(&self, value: f64) -> Verdict {
        let amounts = self.amounts();
        let baseline = amounts.baseline(&self.stats);
        let (score, direction, may_rise) = match amounts.place(&self.stats, value) {
            Place::None => return Verdict::no_amount(value, self.threshold, baseline),
            Place::Early => (0.0, Direction::High, None),
            Place::Nothing => (self.sum.get(), Direction::Low, Some(false)),
            Place::At(at) => {
                let low = at < amounts.usual(&self.stats).mean;
                (self.sum_after(at), if low { Direction::Low } else { Direction::High }, Some(!low))
            }
        };
        // It may still be above the threshold when a low value comes; only a high one is held against the player.
        let reason = match may_rise {
            None => Reason::TooFewSamples,
            Some(true) if score > self.threshold.get() => Reason::RisesSteadily,
            Some(_) => Reason::Usual,
        };
        Verdict::new(score, self.threshold, direction, reason, baseline)
    }

    /// Learns a value: clamped, but for the first ones where there is no prior. What is no finite number and what is negative
    /// teaches nothing.
    pub fn learn(&mut self, value: f64) {
        let amounts = self.amounts();
        if let Place::At(at) = amounts.place(&self.stats, value) {
            self.sum = Finite::new(self.sum_after(at)).unwrap_or_default();
        }
        amounts.learn(&mut self.stats, value, LEARN_DEVIATIONS);
    }

    /// Scores a value, then learns from it.
    pub fn observe(&mut self, value: f64) -> Verdict {
        let verdict = self.score(value);
        self.learn(value);
        verdict
    }

    /// Takes in what another has learned: baselines pooled as by [`DecayingStats::merge`], and the larger sum.
    /// `invalid_argument`, and nothing changed, on overflow.
    pub fn merge(&mut self, other: &Self) -> Result<(), Code> {
        let stats = amounts::converted(&other.stats, other.prior.is_some(), self.prior.is_some());
        self.stats.merge(&stats, RATE)?;
        self.sum = self.sum.max(other.sum);
        Ok(())
    }

    /// What it has learned, as stable bytes: a version, 1 with a prior and 2 without, then baseline and sum.
    pub fn to_bytes(&self) -> Vec<u8> {
        let [with, without] = VERSIONS;
        let mut out = vec![if self.prior.is_some() { with } else { without }];
        self.stats.put(&mut out);
        self.sum.put(&mut out);
        out
    }

    /// The same detector with what [`Self::to_bytes`] kept, with or without a prior; `None` for anything else.
    #[must_use]
    pub fn with_bytes(self, bytes: &[u8]) -> Option<Self> {
        let (version, mut rest) = bytes.split_first()?;
        let had_prior = *VERSIONS.iter().find(|known| *known == version)? == VERSIONS[0];
        let (stats, sum) = (DecayingStats::take(&mut rest)?, Finite::take(&mut rest)?);
        let stats = amounts::converted(&stats, had_prior, self.prior.is_some());
        (rest.is_empty() && sum >= 0.0).then_some(Self { stats, sum, ..self })
    }

    fn sum_after(&self, logarithm: f64) -> f64 {
        let usual = self.amounts().usual(&self.stats);
        let deviations = (logarithm - usual.mean) / usual.sd;
        (self.sum.get() + deviations.min(STEP_MAX) - ALLOWANCE).max(0.0)
    }

    const fn amounts(&self) -> Amounts {
        Amounts { prior: self.prior, sd_min: SD_MIN, rate: RATE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usual(n: u32) -> f64 {
        f64::from(60 + n * n % 83)
    }

    #[test]
    fn the_sum_by_hand() {
        // One value at the prior's mean plus two deviations: 2 - 0.5; then one far above: at most 3 - 0.5 more.
        let prior = Prior::new(4.0, 0.5, 1e6).unwrap();
        let mut cusum = Cusum::new(3.9, prior);
        let first = cusum.observe(libm::expm1(5.0));
        assert!((first.score.get() - 1.5).abs() < 1e-6 && first.reason == Reason::Usual);
        let second = cusum.observe(1e12);
        assert!((second.score.get() - 4.0).abs() < 1e-4, "{second:?}");
        assert_eq!((second.reason, second.direction), (Reason::RisesSteadily, Direction::High));
        let low = cusum.score(0.0);
        assert_eq!((low.reason, low.direction, low.score), (Reason::Usual, Direction::Low, Finite::ZERO));
    }

    #[test]
    fn falling_and_level_values_are_nothing_and_rising_ones_are_found() {
        let watch = |change: fn(u32) -> f64| {
            let mut cusum = Cusum::new(14.0, Prior::DEFAULT);
            (0..200).for_each(|n| assert!(!cusum.observe(usual(n)).is_anomaly()));
            (0..1_000).find(|n| cusum.observe(usual(*n) * change(*n)).is_anomaly())
        };
        assert_eq!(watch(|_| 1.0), None);
        assert_eq!(watch(|n| libm::exp(-0.01 * f64::from(n))), None);
        for (change, most) in [
            ((|_| 4.0) as fn(u32) -> f64, 30),
            (|n| libm::exp(0.01 * f64::from(n)), 150),
            (|n| 1.0 + f64::from(n) / 200.0, 300),
        ] {
            assert!(watch(change).is_some_and(|n| n < most), "{:?}, not below {most}", watch(change));
        }
    }

    #[test]
    fn it_is_restored_at_any_value_and_refuses_what_is_none() {
        let mut cusum = Cusum::new(5.0, Prior::DEFAULT);
        let empty = cusum;
        for n in 0..300 {
            let restored = empty.with_bytes(&cusum.to_bytes()).unwrap();
            assert_eq!(restored, cusum);
            for bad in [f64::NAN, f64::INFINITY, -1.0] {
                assert!(cusum.observe(bad).is_anomaly());
            }
            assert_eq!(restored, cusum, "nothing learned");
            cusum.observe(usual(n));
        }
        let bytes = cusum.to_bytes();
        assert!(bytes.len() <= 35);
        (0..bytes.len()).for_each(|cut| assert_eq!(empty.with_bytes(&bytes[..cut]), None));
        assert_eq!(empty.with_bytes(&[&[3], &bytes[1..]].concat()), None);
        let golden = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(empty.to_bytes(), golden);
    }

    #[test]
    fn merging_pools_baselines() {
        let of = |values: std::ops::Range<u32>| {
            let mut cusum = Cusum::new(5.0, Prior::DEFAULT);
            values.for_each(|n| cusum.learn(usual(n)));
            cusum
        };
        let (mut left, mut right) = (of(0..50), of(50..120));
        let [one, other] = [left, right];
        left.merge(&other).unwrap();
        right.merge(&one).unwrap();
        assert_eq!((left.stats.n(), left.sum), (120, one.sum.max(other.sum)));
        assert!((left.stats.mean() - right.stats.mean()).abs() < 1e-12);
        assert!((left.stats.mean() - of(0..120).stats.mean()).abs() < 0.05);
    }
}
