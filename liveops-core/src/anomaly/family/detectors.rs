//! The detectors of the family, what they gather, and what they say.

use crate::anomaly::verdict::Verdict;
use crate::error::Code;

/// The detectors of a [`super::Family`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FamilyDetector {
    /// Amounts too large for this player: a run of improbable values. A cumulative sum (E. S. Page, 1954) of
    /// `-ln P(as large)` under the population's distribution about the player's mean.
    Robust,
    /// Amounts that have risen: exponentially weighted means (S. W. Roberts, 1959) of about the last 40 and 80 values,
    /// squared, over how far honest players rise and what chance adds. Not a cumulative sum such as [`super::super::Cusum`]:
    /// honest players rise too, and would be summed up without end.
    Drift,
    /// Drops more often than published: the likelihood ratio of odds twice and six times as good (A. Wald, 1945).
    DropRate,
    /// Kills faster than is possible by the rules, or than the population's fastest make believable.
    TimeFloor,
    /// Intervals as regular as a program's: the likelihood ratio against the population's intervals.
    Regularity,
}

impl FamilyDetector {
    /// All, in the order of scores and thresholds.
    pub const ALL: [Self; 5] = [Self::Robust, Self::Drift, Self::DropRate, Self::TimeFloor, Self::Regularity];

    /// As rules name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Robust => "robust",
            Self::Drift => "drift",
            Self::DropRate => "dropRate",
            Self::TimeFloor => "timeFloor",
            Self::Regularity => "regularity",
        }
    }

    /// Its place in [`Self::ALL`].
    pub const fn place(self) -> usize {
        self as usize
    }

    pub(super) const fn bit(self) -> u8 {
        1 << self.place()
    }
}

/// What each detector has gathered against a player: natural logarithms of how improbable it is, 0 or more.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scores(pub(super) [f64; 5]);

impl Scores {
    /// Of one detector.
    pub fn of(&self, detector: FamilyDetector) -> f64 {
        self.0.get(detector.place()).copied().unwrap_or_default()
    }
}

/// Scores above which detectors alert.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds(pub(super) [f64; 5]);

impl Thresholds {
    /// For want of a [`super::Calibrator`]: cautious.
    pub const DEFAULT: Self = Self([18.0, 30.0, 14.0, 12.0, 24.0]);

    /// Of one detector.
    pub fn of(&self, detector: FamilyDetector) -> f64 {
        self.0.get(detector.place()).copied().unwrap_or(f64::INFINITY)
    }

    /// What they are to the last bit, in eight bytes each, big-endian: for names.
    pub(crate) fn to_bits(self) -> [u8; 40] {
        let mut bits = [0; 40];
        for (bytes, threshold) in bits.chunks_mut(8).zip(self.0) {
            bytes.copy_from_slice(&threshold.to_be_bytes());
        }
        bits
    }

    /// The same but for one detector. `out_of_range` unless it is above 0 and finite; scores end at 100, so 100
    /// switches a detector off.
    pub fn with(mut self, detector: FamilyDetector, threshold: f64) -> Result<Self, Code> {
        if !(threshold > 0.0 && threshold.is_finite()) {
            return Err(Code::OutOfRange);
        }
        self.0[detector.place()] = threshold;
        Ok(self)
    }
}

impl Default for Thresholds {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// An alert: which detector, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which detector.
    pub detector: FamilyDetector,
    /// Score, threshold, reason and what the player was compared with.
    pub verdict: Verdict,
}

/// Scores end here: whoever stops cheating must be able to calm down.
pub(super) const SCORE_MAX: f64 = 100.0;
