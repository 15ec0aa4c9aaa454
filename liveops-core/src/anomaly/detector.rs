//! The detectors. Each scores a value against what it has learned, then learns from it, clamped.

use super::amounts::{self, Amounts, Place, between};
use super::finite::{Prior, Threshold};
use super::stats::{DecayingStats, RunningStats};
use super::verdict::{Baseline, Direction, Reason, Source, Verdict};
use crate::error::Code;
use crate::limits::EWMA_SPAN_MIN;

/// A value is learned as if it lay at most so many deviations from the baseline: one spike moves it by a bounded
/// amount, and yet a level that stays is learned in the end.
const LEARN_DEVIATIONS: f64 = 3.0;
/// The same for [`Robust`], whose deviation clamped values widen fast while there are few: with 3, a new player's
/// fourth value in a row that is a million times too large would pass at a threshold of 6; with 2, more than twelve
/// are noticed first.
const ROBUST_LEARN_DEVIATIONS: f64 = 2.0;
/// For learning, the deviation is taken to be at least this part of the mean (or of the value, where nothing but 0 came): after
/// a constant, too, there must be a way to a new level, in whatever unit. ([`Robust`] has a prior's deviation instead.)
const LEARN_SPREAD_MIN: f64 = 0.0625;
/// The part of the way that one event moves [`Robust`]'s baseline: a memory of 64 events.
const ROBUST_RATE: f64 = 1.0 / 64.0;
/// Smallest deviation of `ln(1 + x)`: values a tenth apart are alike, however regular a player is.
const ROBUST_SD_MIN: f64 = 0.1;
/// Standard deviations from the mean of all earlier values, both ways.
///
/// Silent before the eleventh value; sample deviation; after values that were all the same any change is an anomaly.
/// Values ever longer ago weigh as much as the last: where players get better, use [`Ewma`] or [`Robust`]. 32 bytes
/// beside the threshold, 27 to 36 stored.
///
/// ```
/// use liveops_core::anomaly::{Reason, ZScore};
///
/// let mut xp = ZScore::new(3.0);
/// for value in [100.0, 120.0, 90.0, 110.0, 100.0, 95.0, 105.0, 115.0, 85.0, 100.0] {
///     assert!(!xp.observe(value).is_anomaly());
/// }
/// let verdict = xp.observe(5_000.0);
/// assert_eq!(verdict.reason, Reason::FarFromMean);
/// assert_eq!(verdict.baseline.mean, 102.0);
/// assert!(verdict.score > 400.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZScore {
    pub(super) threshold: Threshold,
    pub(super) stats: RunningStats,
}

impl ZScore {
    /// Nothing learned yet. A threshold that [`Threshold::new`] refuses becomes [`Threshold::DEFAULT`].
    pub fn new(threshold: f64) -> Self {
        Self { threshold: Threshold::new(threshold).unwrap_or(Threshold::DEFAULT), stats: RunningStats::default() }
    }

    /// The verdict on a value.
    pub fn score(&self, value: f64) -> Verdict {
        let (n, mean, sd) = (self.stats.n(), self.stats.mean(), self.stats.sd());
        let baseline = Baseline::new(n, mean, sd, Source::Player);
        Verdict::two_sided(value, self.threshold, baseline, Reason::FarFromMean)
    }

    /// Learns a value: the first ten as they are, then clamped. What is no finite number teaches nothing.
    pub fn learn(&mut self, value: f64) {
        let value = clamped(value, self.stats.n(), self.stats.mean(), self.stats.sd());
        // Refused values leave the statistics as they were, which is what is wanted.
        _ = self.stats.push(value);
    }
}

/// Standard deviations from the mean of recent values, both ways.
///
/// Exponentially weighted with rate `2 / (span + 1)`, so that about `span` values count. Silent before the eleventh
/// value, and a change after a constant is an anomaly, as for [`ZScore`]. 24 bytes beside its configuration, 19 to 28 stored.
///
/// ```
/// use liveops_core::anomaly::Ewma;
///
/// let mut duration = Ewma::new(4.0, 20);
/// for turn in 0..100_u32 {
///     assert!(!duration.observe(60_000.0 - f64::from(turn * 100 + turn % 3 * 700)).is_anomaly());
/// }
/// assert!(duration.observe(5_000.0).is_anomaly());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ewma {
    pub(super) threshold: Threshold,
    pub(super) span: u32,
    pub(super) stats: DecayingStats,
}

impl Ewma {
    /// Nothing learned yet. A threshold that [`Threshold::new`] refuses becomes [`Threshold::DEFAULT`], and a span
    /// below 10 becomes 10.
    pub fn new(threshold: f64, span: u32) -> Self {
        let threshold = Threshold::new(threshold).unwrap_or(Threshold::DEFAULT);
        Self { threshold, span, stats: DecayingStats::default() }
    }

    /// The verdict on a value.
    pub fn score(&self, value: f64) -> Verdict {
        let baseline = Baseline::new(self.stats.n(), self.stats.mean(), self.stats.sd(), Source::Player);
        Verdict::two_sided(value, self.threshold, baseline, Reason::FarFromRecent)
    }

    /// Learns a value: the first ten as they are, then clamped. What is no finite number teaches nothing.
    pub fn learn(&mut self, value: f64) {
        let value = clamped(value, self.stats.n(), self.stats.mean(), self.stats.sd());
        // Refused values leave the statistics as they were, which is what is wanted.
        _ = self.stats.push(value, self.rate());
    }

    fn rate(&self) -> f64 {
        2.0 / (f64::from(self.span.max(EWMA_SPAN_MIN)) + 1.0)
    }
}

/// How many times as large as usual, upwards only.
///
/// Works on logarithms, in which XP and damage of honest players spread evenly; negative values are refused. With a [`Prior`],
/// of `ln(1 + x)`, it has an opinion from the first event on, and pools it with the player's last values (about 64) by the
/// events that each counts. Without one the unit is not known: the player's first ten values say what is usual and are not
/// judged, nothing depends on what amounts are counted in, and 0 is neither judged nor learned. 24 bytes beside its
/// configuration, 19 to 28 stored.
///
/// ```
/// use liveops_core::anomaly::{Prior, Reason, Robust, Source};
///
/// let mut xp = Robust::new(6.0, Prior::DEFAULT);
/// let first = xp.observe(5_000_000.0);
/// assert!(first.is_anomaly());
/// assert_eq!(first.baseline.source, Source::Population);
/// assert!(!xp.observe(120.0).is_anomaly(), "the spike has taught it little");
///
/// let mut quests = Robust::new(6.0, None);
/// for n in 0..30 {
///     assert!(!quests.observe(100_000.0 + f64::from(n % 7) * 9_000.0).is_anomaly(), "whatever the unit");
/// }
/// assert_eq!(quests.observe(90_000_000.0).reason, Reason::FarAboveUsual);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Robust {
    pub(super) threshold: Threshold,
    pub(super) prior: Option<Prior>,
    pub(super) stats: DecayingStats,
}

impl Robust {
    /// Nothing learned yet. A threshold that [`Threshold::new`] refuses becomes [`Threshold::DEFAULT`].
    pub fn new(threshold: f64, prior: impl Into<Option<Prior>>) -> Self {
        let threshold = Threshold::new(threshold).unwrap_or(Threshold::DEFAULT);
        Self { threshold, prior: prior.into(), stats: DecayingStats::default() }
    }

    /// The verdict on a value.
    pub fn score(&self, value: f64) -> Verdict {
        let (amounts, threshold) = (self.amounts(), self.threshold);
        let baseline = amounts.baseline(&self.stats);
        let logarithm = match amounts.place(&self.stats, value) {
            Place::None => return Verdict::no_amount(value, threshold, baseline),
            Place::Early => return Verdict::new(0.0, threshold, Direction::High, Reason::TooFewSamples, baseline),
            Place::Nothing => return Verdict::new(0.0, threshold, Direction::Low, Reason::Usual, baseline),
            Place::At(logarithm) => logarithm,
        };
        let usual = amounts.usual(&self.stats);
        let distance = logarithm - usual.mean;
        let score = distance.abs() / usual.sd;
        let direction = if distance < 0.0 { Direction::Low } else { Direction::High };
        let far = direction == Direction::High && score > threshold.get();
        let reason = if far { Reason::FarAboveUsual } else { Reason::Usual };
        Verdict::new(score, threshold, direction, reason, baseline)
    }

    /// Learns a value: clamped, but for the first ones where there is no prior. What is no finite number or negative teaches
    /// nothing.
    pub fn learn(&mut self, value: f64) {
        self.amounts().learn(&mut self.stats, value, ROBUST_LEARN_DEVIATIONS);
    }

    const fn amounts(&self) -> Amounts {
        Amounts { prior: self.prior, sd_min: ROBUST_SD_MIN, rate: ROBUST_RATE }
    }
}

/// A duration shorter than the rules hold possible. Learns nothing.
///
/// ```
/// use liveops_core::anomaly::TimeFloor;
///
/// let hydra = TimeFloor { minimum_ms: 45_000 };
/// assert!(hydra.score(44_999.0).is_anomaly());
/// assert!(!hydra.score(45_000.0).is_anomaly());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeFloor {
    /// The shortest possible duration, in milliseconds.
    pub minimum_ms: u32,
}

impl TimeFloor {
    /// The verdict on a duration in milliseconds.
    pub fn score(&self, value: f64) -> Verdict {
        let floor = f64::from(self.minimum_ms);
        let baseline = Baseline::new(0, floor, 0.0, Source::Rule);
        let threshold = baseline.mean;
        if !value.is_finite() {
            return Verdict::not_finite(value, threshold, baseline);
        }
        let (direction, reason) =
            if value < floor { (Direction::Low, Reason::BelowFloor) } else { (Direction::High, Reason::Usual) };
        Verdict::new(value, threshold, direction, reason, baseline)
    }

    /// Nothing to learn: it is here so that all detectors are used alike.
    pub fn learn(&mut self, _value: f64) {}

    /// Nothing to take in; never an error.
    pub fn merge(&mut self, _other: &Self) -> Result<(), Code> {
        Ok(())
    }
}

macro_rules! merge {
    ($($detector:ident: $($rate:expr)?),+) => {$(
        impl $detector {
            /// Takes in what another has learned, its values before or after these; configuration stays.
            /// `invalid_argument`, and nothing changed, on overflow.
            pub fn merge(&mut self, other: &Self) -> Result<(), Code> {
                self.stats.merge(&other.stats $(, $rate(self))?)
            }
        }
    )+};
}
merge!(ZScore:, Ewma: Ewma::rate);

impl Robust {
    /// Takes in what another has learned, its values before or after these; configuration stays.
    /// `invalid_argument`, and nothing changed, on overflow.
    pub fn merge(&mut self, other: &Self) -> Result<(), Code> {
        let stats = amounts::converted(&other.stats, other.prior.is_some(), self.prior.is_some());
        self.stats.merge(&stats, ROBUST_RATE)
    }
}

macro_rules! observe {
    ($($detector:ident)+) => {$(
        impl $detector {
            /// Scores a value, then learns from it.
            pub fn observe(&mut self, value: f64) -> Verdict {
                let verdict = self.score(value);
                self.learn(value);
                verdict
            }
        }
    )+};
}
observe!(ZScore Ewma Robust TimeFloor);

/// The value as it is while there are too few to judge by, then at most three deviations from the mean.
fn clamped(value: f64, n: u64, mean: f64, sd: f64) -> f64 {
    // NaN would come out of a clamp as a bound; it goes on as it is and is refused.
    if n < Baseline::SAMPLES_MIN || !value.is_finite() {
        return value;
    }
    let scale = if sd == 0.0 && mean == 0.0 { value } else { mean };
    between(value, mean, LEARN_DEVIATIONS * sd.max(LEARN_SPREAD_MIN * scale.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anomaly::log_stats::logarithm;

    fn bits(value: f64) -> u64 {
        value.to_bits()
    }

    /// 1 to 10 has mean 5.5 and sample variance 82.5 / 9.
    #[test]
    fn z_score_by_hand() {
        let mut detector = ZScore::new(3.0);
        for value in 1..=10_u32 {
            let verdict = detector.observe(f64::from(value));
            assert_eq!((verdict.reason, verdict.baseline.n), (Reason::TooFewSamples, u64::from(value) - 1));
        }
        let sd = (82.5_f64 / 9.0).sqrt();
        let verdict = detector.score(20.0);
        assert_eq!((verdict.reason, verdict.direction), (Reason::FarFromMean, Direction::High));
        assert_eq!((verdict.baseline.n, verdict.baseline.source), (10, Source::Player));
        assert!((verdict.baseline.mean.get() - 5.5).abs() < 1e-14 && (verdict.baseline.sd.get() - sd).abs() < 1e-14);
        assert!((verdict.score.get() - 14.5 / sd).abs() < 1e-13);
        let low = detector.score(5.5 - 3.001 * sd);
        assert_eq!((low.reason, low.direction), (Reason::FarFromMean, Direction::Low));
        assert_eq!(detector.score(5.5 + 2.999 * sd).reason, Reason::Usual);
        assert_eq!(detector.score(5.5 - 2.999 * sd).reason, Reason::Usual);
    }

    #[test]
    fn a_value_is_judged_before_it_is_learned() {
        let mut detectors = (ZScore::new(3.0), Ewma::new(3.0, 20), Robust::new(3.0, Prior::DEFAULT));
        for n in 0..30_u32 {
            let value = f64::from(100 + n % 7);
            let before = (detectors.0.score(value), detectors.1.score(value), detectors.2.score(value));
            let observed = (detectors.0.observe(value), detectors.1.observe(value), detectors.2.observe(value));
            assert_eq!(observed, before);
            assert_eq!(observed.0.baseline.n, u64::from(n));
            let judged = [observed.0, observed.1].map(|verdict| verdict.reason != Reason::TooFewSamples);
            assert_eq!(judged, [n >= 10; 2], "ten are learned before the eleventh is judged");
        }
    }

    #[test]
    fn a_change_after_a_constant_is_an_anomaly_and_is_learned_in_steps() {
        let mut detectors = (ZScore::new(3.0), Ewma::new(3.0, 20));
        for _ in 0..20 {
            let verdicts = [detectors.0.observe(100.0), detectors.1.observe(100.0)];
            assert!(verdicts.iter().all(|verdict| !verdict.is_anomaly()));
        }
        for verdict in [detectors.0.score(101.0), detectors.1.score(99.0)] {
            assert_eq!(verdict.reason, Reason::ChangeAfterConstancy);
            assert_eq!(verdict.score, Verdict::SCORE_MAX);
        }
        detectors.0.learn(1e15);
        detectors.1.learn(1e15);
        for mean in [detectors.0.stats.mean(), detectors.1.stats.mean()] {
            assert!(mean > 100.0 && mean < 102.0, "{mean}");
        }
    }

    #[test]
    fn a_level_that_stays_is_learned_in_the_end() {
        let mut ewma = Ewma::new(3.0, 20);
        let mut robust = Robust::new(6.0, Prior::DEFAULT);
        for _ in 0..200 {
            ewma.learn(100.0);
            robust.learn(100.0);
        }
        assert!(robust.score(100_000.0).is_anomaly());
        let settled = |mut observe: Box<dyn FnMut() -> Verdict>| (0..200).find(|_| !observe().is_anomaly());
        assert!(settled(Box::new(move || ewma.observe(100_000.0))).is_some_and(|n| n > 1));
        assert!(settled(Box::new(move || robust.observe(100_000.0))).is_some_and(|n| n > 1));
    }

    #[test]
    fn one_spike_moves_robust_by_no_more_than_the_clamp() {
        for warm_up in [0, 1, 5, 64, 500_u32] {
            let mut robust = Robust::new(6.0, Prior::DEFAULT);
            (0..warm_up).for_each(|n| robust.learn(f64::from(180 + n % 40)));
            let before = robust.score(1.0).baseline;
            let usual = libm::expm1(before.mean.get());
            let verdict = robust.observe(usual * 1e6);
            assert_eq!((verdict.reason, verdict.direction), (Reason::FarAboveUsual, Direction::High), "{warm_up}");
            let after = robust.score(1.0).baseline;
            let moved = after.mean.get() - before.mean.get();
            // The clamp from where prior and player together are, divided by the events that count: the prior's four, up to
            // 64 of the player's, and itself; a deviation more, as the player alone may be elsewhere.
            let most = (ROBUST_LEARN_DEVIATIONS + 1.0) * before.sd.get() / (5.0 + f64::from(warm_up.min(63)));
            assert!(moved > 0.0 && moved <= most, "{warm_up}: {moved} of {most}");
            assert!(!robust.score(usual).is_anomaly());
            assert!(robust.score(usual * 1e6).is_anomaly(), "{warm_up}: and the next spike is one still");
            let noticed = (0..1000).find(|_| !robust.observe(usual * 1e6).is_anomaly());
            assert!(noticed.is_some_and(|n| (12..100).contains(&n)), "{warm_up}: {noticed:?}");
        }
    }

    #[test]
    fn robust_looks_up_only_and_from_the_first_event() {
        let mut robust = Robust::new(6.0, Prior::DEFAULT);
        let first = robust.score(1_000_000.0);
        assert_eq!((first.reason, first.baseline.n), (Reason::FarAboveUsual, 0));
        assert_eq!((first.baseline.mean, first.baseline.sd), (Prior::DEFAULT.mean, Prior::DEFAULT.sd));
        assert!(!robust.score(5_000.0).is_anomaly());
        (0..3).for_each(|_| robust.learn(200.0));
        assert_eq!(robust.score(200.0).baseline.source, Source::Population);
        robust.learn(200.0);
        assert_eq!(robust.score(200.0).baseline.source, Source::Player);
        (0..500).for_each(|_| robust.learn(1e9));
        for low in [0.0, 1.0] {
            let verdict = robust.score(low);
            assert_eq!((verdict.reason, verdict.direction), (Reason::Usual, Direction::Low), "{low}");
        }
        let before = robust;
        for negative in [-5.0, -1e300] {
            let verdict = robust.observe(negative);
            assert_eq!((verdict.reason, verdict.direction), (Reason::Negative, Direction::Low), "{negative}");
        }
        assert_eq!(robust, before);
    }

    #[test]
    fn what_is_no_number_is_an_anomaly_and_teaches_nothing() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut detectors = (ZScore::new(3.0), Ewma::new(3.0, 20), Robust::new(3.0, Prior::DEFAULT));
            for n in 0..20_u32 {
                let before = detectors;
                let verdicts = [
                    detectors.0.observe(bad),
                    detectors.1.observe(bad),
                    detectors.2.observe(bad),
                    TimeFloor { minimum_ms: 1 }.score(bad),
                ];
                assert!(verdicts.iter().all(|verdict| verdict.reason == Reason::NotFinite), "{bad}");
                assert_eq!(detectors, before);
                detectors.0.learn(f64::from(n));
                detectors.1.learn(f64::from(n));
                detectors.2.learn(f64::from(n));
            }
        }
        let mut extreme = (ZScore::new(3.0), Ewma::new(3.0, 20), Robust::new(3.0, Prior::DEFAULT));
        for value in [f64::MAX, f64::MIN, 1e200, -1e200, f64::MIN_POSITIVE, 0.0].into_iter().cycle().take(100) {
            let scores =
                [extreme.0.observe(value).score, extreme.1.observe(value).score, extreme.2.observe(value).score];
            assert!(scores.iter().all(|score| (0.0..=Verdict::SCORE_MAX).contains(&score.get())));
        }
    }

    #[test]
    fn merged_detectors_are_as_those_that_saw_it_all() {
        let values: Vec<f64> = (0..40_u32).map(|n| f64::from(90 + n * n % 23)).collect();
        let fresh = (ZScore::new(3.0), Ewma::new(3.0, 200), Robust::new(3.0, Prior::DEFAULT));
        let of = |values: &[f64]| {
            let mut detectors = fresh;
            for value in values {
                detectors.0.learn(*value);
                detectors.1.learn(*value);
                detectors.2.learn(*value);
            }
            detectors
        };
        let (mut merged, other, whole) = (of(&values[..25]), of(&values[25..]), of(&values));
        merged.0.merge(&other.0).unwrap();
        merged.1.merge(&other.1).unwrap();
        merged.2.merge(&other.2).unwrap();
        let pairs = [(merged.0.stats.mean(), whole.0.stats.mean()), (merged.1.stats.mean(), whole.1.stats.mean())];
        for (merged, whole) in pairs.into_iter().chain([(merged.2.stats.mean(), whole.2.stats.mean())]) {
            assert!((merged / whole - 1.0).abs() < 1e-3, "{merged} and {whole}");
        }
        assert_eq!((merged.0.stats.n(), merged.1.stats.n(), merged.2.stats.n()), (40, 40, 40));
    }

    #[test]
    fn a_threshold_that_is_none_is_three() {
        for bad in [f64::NAN, 0.0, -1.0, f64::INFINITY] {
            assert_eq!(ZScore::new(bad), ZScore::new(3.0));
            assert_eq!(Ewma::new(bad, 20), Ewma::new(3.0, 20));
            assert_eq!(Robust::new(bad, Prior::DEFAULT), Robust::new(3.0, Prior::DEFAULT));
        }
    }

    /// If these change, verdicts change: the version of libm is part of what the library promises.
    #[test]
    fn logarithms_have_the_same_bits_everywhere() {
        for (value, wanted) in [
            (0.0, 0),
            (1.0, 0x3fe6_2e42_fefa_39ef),
            (100.0, 0x4012_75e2_271b_ba31),
            (5_000.0, 0x4021_08e7_c1fc_d5f9),
            (9_007_199_254_740_991.0, 0x4042_5e4f_7b27_37fa),
        ] {
            assert_eq!(bits(logarithm(value).unwrap()), wanted, "{value}");
        }
        let mut robust = Robust::new(6.0, Prior::DEFAULT);
        (1..=1000_u32).for_each(|n| robust.learn(f64::from(n * n % 997)));
        let baseline = robust.score(1.0).baseline;
        assert_eq!(
            (bits(baseline.mean.get()), bits(baseline.sd.get())),
            (0x4015_dbfc_d269_ecb9, 0x3ff1_cf90_ecb3_9faf)
        );
    }
}
