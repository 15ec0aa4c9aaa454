//! Drops more often than the published odds say.

use super::finite::{Finite, Threshold};
use super::stats::count;
use super::verdict::{Baseline, Direction, Reason, Source, Verdict};
use crate::codec::Stable;
use crate::error::Code;
use crate::exact::Rate;

const VERSION: u8 = 1;
/// Chances that are counted: beyond, the same evidence.
const CHANCES_MAX: u64 = u32::MAX as u64;

/// Whether a player gets a drop more often than published, however often one looks.
///
/// The score is the logarithm of a mixture likelihood ratio over all better odds (H. Robbins, 1970). By Ville's inequality
/// an honest player's score ever exceeds a threshold `h` with a probability of at most `exp(-h)`: 11.5 flags at most one
/// in 100,000, after any number of drops. [`Self::tail`] is the exact binomial probability to show to people. Bad luck
/// counts for nothing. It cannot see who rigs what is not random. A loot table with pity brings its entry more often than
/// its weight says: give the rate of the long run (`long_run` of [`crate::reward::Odds`]), or everybody stands out. 16 bytes
/// beside odds and threshold.
///
/// ```
/// use liveops_core::anomaly::{DropRate, Reason};
///
/// let mut crown = DropRate::new(0.0473, 11.5)?;
/// let verdict = crown.observe(262, 42)?;
/// assert_eq!(verdict.reason, Reason::TooManyDrops);
/// assert!((crown.tail() / 5.653e-12 - 1.0).abs() < 1e-3);
/// # Ok::<(), liveops_core::error::Code>(())
/// ```
///
/// ```
/// use liveops_core::Id;
/// use liveops_core::anomaly::DropRate;
/// use liveops_core::reward::{Entry, Loot, Pity};
///
/// let entries = [("crown", 1), ("scale", 99)].map(|(name, weight)| Entry { name: Id::new(name).unwrap(), weight, items: vec![] });
/// let pity = Some(Pity { entry: entries[0].name.clone(), guaranteed_at: 50 });
/// let chest = Loot::new(entries.to_vec(), vec![], pity)?;
/// let mut crown = DropRate::new(chest.odds()[0].long_run.into(), 11.5)?;
/// assert!(!crown.observe(5_000, 127)?.is_anomaly(), "one in 39.5, as the table has it");
/// # Ok::<(), liveops_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DropRate {
    odds: Finite,
    threshold: Threshold,
    chances: u64,
    hits: u64,
}

impl DropRate {
    /// With published odds, above 0 and below 1, and a threshold in natural logarithms. `out_of_range` for others.
    pub fn new(odds: f64, threshold: f64) -> Result<Self, Code> {
        let odds = Finite::new(odds).filter(|odds| *odds > 0.0 && *odds < 1.0).ok_or(Code::OutOfRange)?;
        let threshold = Threshold::new(threshold).ok_or(Code::OutOfRange)?;
        Ok(Self { odds, threshold, chances: 0, hits: 0 })
    }

    /// How many chances there were.
    pub const fn chances(&self) -> u64 {
        self.chances
    }

    /// How many of them brought the drop.
    pub const fn hits(&self) -> u64 {
        self.hits
    }

    /// The verdict on all chances so far and these. `invalid_argument` for more hits than chances.
    pub fn score(&self, chances: u64, hits: u64) -> Result<Verdict, Code> {
        let mut after = *self;
        after.learn(chances, hits)?;
        Ok(after.verdict())
    }

    /// Counts chances and what came of them. `invalid_argument`, and nothing counted, for more hits than chances and for
    /// more than 2^32 - 1 chances altogether.
    pub fn learn(&mut self, chances: u64, hits: u64) -> Result<(), Code> {
        let all = self.chances.checked_add(chances).filter(|all| *all <= CHANCES_MAX && hits <= chances);
        self.chances = all.ok_or(Code::InvalidArgument)?;
        self.hits += hits;
        Ok(())
    }

    /// Counts, then says what is to be said of all. Errors: as [`Self::learn`].
    pub fn observe(&mut self, chances: u64, hits: u64) -> Result<Verdict, Code> {
        self.learn(chances, hits)?;
        Ok(self.verdict())
    }

    /// The exact probability of so many hits or more among so many chances at the published odds.
    pub fn tail(&self) -> f64 {
        binomial_tail(self.chances, self.hits, self.odds.get())
    }

    /// Takes in the counts of another. `invalid_argument`, and nothing changed, if it was made with other odds or there
    /// are too many.
    pub fn merge(&mut self, other: &Self) -> Result<(), Code> {
        if self.odds != other.odds {
            return Err(Code::InvalidArgument);
        }
        self.learn(other.chances, other.hits)
    }

    /// The counts as stable bytes: a version, chances, hits; 3 to 11.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        self.chances.put(&mut out);
        self.hits.put(&mut out);
        out
    }

    /// The same detector with what [`Self::to_bytes`] kept; `None` for anything else.
    #[must_use]
    pub fn with_bytes(self, bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(&[VERSION])?;
        let restored = Self { chances: Stable::take(&mut rest)?, hits: Stable::take(&mut rest)?, ..self };
        (rest.is_empty() && restored.hits <= restored.chances && restored.chances <= CHANCES_MAX).then_some(restored)
    }

    fn verdict(&self) -> Verdict {
        let (n, odds) = (count(self.chances), self.odds.get());
        let sd = (odds * (1.0 - odds) / n.max(1.0)).sqrt();
        let baseline = Baseline::new(self.chances, odds, sd, Source::Rule);
        let score = log_ratio(self.chances, self.hits, odds);
        let direction = if count(self.hits) < n * odds { Direction::Low } else { Direction::High };
        let reason = if score > self.threshold.get() { Reason::TooManyDrops } else { Reason::Usual };
        Verdict::new(score, self.threshold, direction, reason, baseline)
    }
}

/// The nearest: odds as detectors take them.
impl From<Rate> for f64 {
    fn from(rate: Rate) -> Self {
        // What it shows is digits with a point among them, which Rust reads exactly.
        rate.to_string().parse().unwrap_or_default()
    }
}

/// `ln` of the likelihood under odds that could be anything, evenly, over that under these; 0 for no more than expected.
fn log_ratio(chances: u64, hits: u64, odds: f64) -> f64 {
    let (n, k) = (count(chances), count(hits));
    if k <= n * odds {
        return 0.0;
    }
    let evenly = libm::lgamma(k + 1.0) + libm::lgamma(n - k + 1.0) - libm::lgamma(n + 2.0);
    (evenly - k * libm::log(odds) - (n - k) * libm::log1p(-odds)).max(0.0)
}

/// `P(Binomial(n, p) >= k)`, to about ten digits, by adding terms from the largest on.
fn binomial_tail(chances: u64, hits: u64, odds: f64) -> f64 {
    if hits == 0 {
        return 1.0;
    }
    let (n, k) = (count(chances), count(hits));
    // From the side on which there is less.
    if k > n * odds { upper_terms(n, k, odds) } else { 1.0 - upper_terms(n, n - k + 1.0, 1.0 - odds) }
}

/// `P(Binomial(n, p) >= k)` for k above the mean, where terms shrink.
fn upper_terms(n: f64, k: f64, odds: f64) -> f64 {
    let ways = libm::lgamma(n + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(n - k + 1.0);
    let mut term = libm::exp(ways + k * libm::log(odds) + (n - k) * libm::log1p(-odds));
    let (mut sum, mut at) = (term, k);
    while at < n && term > sum * 1e-17 {
        term *= (n - at) / (at + 1.0) * odds / (1.0 - odds);
        sum += term;
        at += 1.0;
    }
    sum.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_exact() {
        // 42 of 262 and 211 of 305 by exact rational arithmetic; the rest by hand.
        for (n, k, odds, wanted) in [
            (262, 42, 0.0473, 5.653e-12),
            (305, 211, 0.5, 8.791e-12),
            (2, 1, 0.5, 0.75),
            (10, 10, 0.5, 1.0 / 1024.0),
            (10, 0, 0.5, 1.0),
            (3, 1, 0.1, 0.271),
            (1, 1, 0.25, 0.25),
        ] {
            let got = binomial_tail(n, k, odds);
            assert!((got / wanted - 1.0).abs() < 1e-4, "{k} of {n} at {odds}: {got}, not {wanted}");
        }
        // All tails against adding up every term.
        for odds in [0.01, 0.3, 0.9] {
            let n = 40_u32;
            let mut term = (0..n).fold(1.0, |product, _| product * (1.0 - odds));
            let mut below = 0.0;
            for k in 0..=n {
                let got = binomial_tail(u64::from(n), u64::from(k), odds);
                assert!((got - (1.0 - below)).abs() < 1e-12, "{k} of {n} at {odds}");
                below += term;
                term *= f64::from(n - k) / f64::from(k + 1) * odds / (1.0 - odds);
            }
        }
    }

    /// By Ville's inequality at most `exp(-3)`, one in twenty, may ever exceed 3.
    #[test]
    fn honest_luck_exceeds_a_threshold_no_more_often_than_promised() {
        let mut state = 11_u64;
        let mut part = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            count(state >> 11) / count(1 << 53)
        };
        let mut exceed = |odds: f64, truth: f64| {
            let ever = (0..1_000).filter(|_| {
                let mut drops = DropRate::new(odds, 3.0).unwrap();
                (0..400).any(|_| drops.observe(1, u64::from(part() < truth)).unwrap().is_anomaly())
            });
            ever.count()
        };
        assert!(exceed(0.05, 0.05) <= 50 && exceed(0.5, 0.5) <= 50);
        assert_eq!(exceed(0.2, 0.05), 0, "bad luck");
        assert!(exceed(0.05, 0.15) > 950, "rigged");
    }

    #[test]
    fn counts_merge_and_are_restored_and_bad_ones_refused() {
        let mut drops = DropRate::new(0.1, 11.5).unwrap();
        let empty = drops;
        for bad in [(0, 1), (5, 6), (1 << 32, 0), (u64::MAX, 0)] {
            assert_eq!(drops.observe(bad.0, bad.1), Err(Code::InvalidArgument));
        }
        assert_eq!(drops, empty);
        drops.observe(262, 42).unwrap();
        assert_eq!(drops.to_bytes(), [1, 0x86, 2, 42]);
        assert_eq!(empty.with_bytes(&drops.to_bytes()), Some(drops));
        for bad in [&[][..], &[1], &[1, 5], &[1, 5, 6], &[2, 5, 1], &[1, 5, 1, 0]] {
            assert_eq!(empty.with_bytes(bad), None, "{bad:?}");
        }
        let mut twice = drops;
        twice.merge(&drops).unwrap();
        assert_eq!((twice.chances(), twice.hits()), (524, 84));
        assert_eq!(twice.merge(&DropRate::new(0.2, 11.5).unwrap()), Err(Code::InvalidArgument));
        for (odds, threshold) in [(0.0, 5.0), (1.0, 5.0), (f64::NAN, 5.0), (0.5, 0.0)] {
            assert_eq!(DropRate::new(odds, threshold), Err(Code::OutOfRange));
        }
        let split = (0..100).fold(empty, |mut drops, n| {
            drops.observe(1, u64::from(n % 3 == 0)).unwrap();
            drops
        });
        assert_eq!(empty.score(100, 34).unwrap(), split.verdict(), "one at a time or together");
    }
}
