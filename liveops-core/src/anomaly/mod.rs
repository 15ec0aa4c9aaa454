//! Is this value unusual? Detectors that score a value against a baseline, then learn from it.
//!
//! A detector never bans: it gives a [`Verdict`] that names its reason, baseline and threshold. Learning is clamped,
//! so neither a spike nor a refusal to learn spoils the baseline. There are three ways to use them:
//!
//! - alone, a detector holds its own baseline: [`ZScore`], [`Ewma`], [`Robust`] and [`Cusum`] of values, [`DropRate`] of
//!   luck, [`TimeFloor`] of durations, [`Regularity`] of times; [`Hysteresis`] makes alerts of their verdicts, and an
//!   [`AlertBudget`] bounds how many of one player;
//! - an engine keeps many [`DetectorState`]s beside one [`DetectorKind`];
//! - a [`Family`] watches a player with all of them at once in a [`PlayerProfile`] of 64 bytes, anchored on tables of all
//!   players (a [`Population`], made from history by a [`PopulationBuilder`]) and with thresholds for as many false alerts
//!   as somebody has time for (a [`Calibrator`]).
//!
//! The only module with floating point: + - × ÷, the square root (exact to the last bit by IEEE 754), logarithms and their like
//! from one pinned version of `libm`, so the same values in the same order give the same bits on every platform.

mod alert_budget;
mod amounts;
mod cusum;
mod detector;
mod drop_rate;
mod family;
mod finite;
mod hysteresis;
mod kind;
mod log_stats;
mod stats;
mod verdict;

pub use alert_budget::{AlertBudget, AlertTally};
pub use cusum::Cusum;
pub use detector::{Ewma, Robust, TimeFloor, ZScore};
pub use drop_rate::DropRate;
pub use family::{
    ActivityIndex, BossIndex, Budget, Calibrator, DropIndex, Drops, Family, FamilyDetector, Finding, Gain, Kill,
    Observation, PlayerMost, PlayerProfile, Population, PopulationBuilder, Regularity, Scores, Thresholds,
};
pub use finite::{Finite, Prior, Threshold};
pub use hysteresis::Hysteresis;
pub use kind::{DetectorKind, DetectorState};
pub use log_stats::LogStats;
pub use stats::{DecayingStats, RunningStats};
pub use verdict::{Action, Baseline, Direction, Reason, Source, Verdict};
