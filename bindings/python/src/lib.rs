//! `liveops._native`: the core for Python. Converts, releases the interpreter's lock for a batch, calls, converts back;
//! no rule of a game lives here.
//!
//! Classes of results and exceptions are Python's own (`liveops/results.py`, `liveops/errors.py`): they are pickled,
//! compared and subclassed as Python does it.

#![expect(clippy::needless_pass_by_value, reason = "a function of Python owns its arguments")]

mod alerts;
mod anomaly;
mod archive;
mod arguments;
mod batch;
mod board;
mod calendar;
mod choices;
mod columns;
mod command;
mod curve;
mod decision;
mod engine;
mod errors;
mod event;
mod family;
mod far;
mod feed;
mod intake;
mod leaderboard;
mod lock;
mod loot;
mod luck;
mod migration;
mod outcome;
mod pages;
mod payout;
mod population;
mod process;
mod profile;
mod progress;
mod quota;
mod results;
mod reward;
mod rules;
mod signing;
mod store;
mod thresholds;
mod verdict;
mod waiting;
mod windowed;

use pyo3::prelude::*;

#[pymodule]
mod _native {
    #[pymodule_export]
    use super::alerts::{AlertBudget, AlertTally, Hysteresis};
    #[pymodule_export]
    use super::anomaly::{Cusum, Ewma, Robust, TimeFloor, ZScore};
    #[pymodule_export]
    use super::archive::{Archive, ArchiveView, Names};
    #[pymodule_export]
    use super::board::{Board, Standings};
    #[pymodule_export]
    use super::calendar::Calendar;
    #[pymodule_export]
    use super::command::Command;
    #[pymodule_export]
    use super::curve::LevelCurve;
    #[pymodule_export]
    use super::decision::Decision;
    #[pymodule_export]
    use super::engine::Engine;
    #[pymodule_export]
    use super::errors::error_codes;
    #[pymodule_export]
    use super::event::{BatchReport, EventParser, validate};
    #[pymodule_export]
    use super::family::Family;
    #[pymodule_export]
    use super::far::{PostgresStore, RedisStore};
    #[pymodule_export]
    use super::intake::{Intake, Request};
    #[pymodule_export]
    use super::leaderboard::Leaderboard;
    #[pymodule_export]
    use super::loot::{Loot, loot_seed_commitment};
    #[pymodule_export]
    use super::luck::{DropRate, Regularity};
    #[pymodule_export]
    use super::migration::{MigrationPolicy, plan_migration};
    #[pymodule_export]
    use super::outcome::{Outcome, Outcomes};
    #[pymodule_export]
    use super::payout::{Payout, Tiers};
    #[pymodule_export]
    use super::population::{Population, PopulationBuilder};
    #[pymodule_export]
    use super::profile::PlayerProfile;
    #[pymodule_export]
    use super::progress::{Boost, Progression, overflow_gather, streak_length_on, streak_step};
    #[pymodule_export]
    use super::quota::{Quota, RateLimiter, SlidingLimiter, SlidingLog, gcra};
    #[pymodule_export]
    use super::reward::{receipt_hash, receipt_id, receipt_state_at, sign_receipt, verify_chain, verify_receipt};
    #[pymodule_export]
    use super::rules::Rules;
    #[pymodule_export]
    use super::signing::{Key, Secret, Signer, Verifier, generate_secret, hmac_sha256_hex, verify_hmac_sha256_hex};
    #[pymodule_export]
    use super::store::{MemoryStore, SqliteStore};
    #[pymodule_export]
    use super::thresholds::{Calibrator, PlayerMost, default_thresholds, family_detectors};
    #[pymodule_export]
    use super::verdict::{Verdict, sentence_of, verdict_reasons};
    #[pymodule_export]
    use super::windowed::WindowedLeaderboard;

    use super::{Bound, PyModule, PyModuleMethods as _, PyResult};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("DECISIONS", liveops_core::DECISIONS)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
