//! Is this value unusual? Detectors that score a value against a baseline, then learn from it.
//!
//! A detector never bans: it gives a [`Verdict`] that names its reason, baseline and threshold. Learning is clamped,
//! so neither a spike nor a refusal to learn spoils the baseline. Used alone, a detector holds its own baseline
//! ([`ZScore`], [`Ewma`], [`Robust`], [`TimeFloor`]); an engine keeps many [`DetectorState`]s beside one
//! [`DetectorKind`].
//!
//! The only module with floating point: + - × ÷, the square root (exact to the last bit by IEEE 754) and logarithms
//! from one pinned version of `libm`, so the same values in the same order give the same bits on every platform.

mod detector;
mod family;
mod finite;
mod kind;
mod log_stats;
mod stats;
mod verdict;

pub use detector::{Ewma, Robust, TimeFloor, ZScore};
pub use family::{
    ActivityIndex, BossIndex, Budget, Calibrator, DropIndex, Drops, Family, FamilyDetector, Finding, Gain, Kill,
    Observation, PlayerProfile, Population, PopulationBuilder, Scores, Thresholds,
};
pub use finite::{Finite, Prior, Threshold};
pub use kind::{DetectorKind, DetectorState};
pub use log_stats::LogStats;
pub use stats::{DecayingStats, RunningStats};
pub use verdict::{Action, Baseline, Direction, Reason, Source, Verdict};
