//! Thresholds of a family: given, or found for a budget of false alerts.

use liveops_core::anomaly::{self, Budget, FamilyDetector, Thresholds};
use liveops_core::{Code, Error};
use napi::bindgen_prelude::{Function, Uint8Array};
use napi_derive::napi;
use serde_json::json;

use crate::failure::{Argument, OrThrow as _, Result, text};
use crate::profile::PlayerProfile;
use crate::rules::Rules;

/// The same but for those that are given, in the order of the detectors.
pub(crate) fn thresholds(same: Thresholds, given: &[Option<f64>]) -> Result<Thresholds> {
    let mut given = FamilyDetector::ALL.into_iter().zip(given);
    let with = |thresholds: Thresholds, (detector, threshold): (_, &Option<f64>)| match threshold {
        Some(threshold) => thresholds.with(detector, *threshold),
        None => Ok(thresholds),
    };
    given.try_fold(same, with).map_err(|code| Argument(code, "a threshold must be finite and above 0")).or_throw()
}

/// In the order of the detectors.
pub(crate) fn listed(of: impl Fn(FamilyDetector) -> f64) -> Vec<f64> {
    FamilyDetector::ALL.into_iter().map(of).collect()
}

fn budget(unit: &str, rate: f64, events: Option<u32>) -> Result<Budget> {
    match unit {
        "perPlayerDay" => Ok(Budget::PerPlayerDay(rate)),
        "perEvent" => Ok(Budget::PerEvent(rate)),
        "perPlayer" => Ok(Budget::PerPlayer { part: rate, events }),
        _ => Err(Code::InvalidArgument).or_throw(),
    }
}

const REFUSED: Argument =
    Argument(Code::InvalidArgument, "a budget must be finite and above 0, and there must be 200 players or more");

/// The most that each player's scores have been.
#[napi]
#[derive(Debug, Default)]
pub struct Calibrator(anomaly::Calibrator);

#[napi]
impl Calibrator {
    /// Nobody yet.
    #[napi(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// A player with no events yet.
    #[napi]
    pub fn player(&self) -> PlayerMost {
        PlayerMost(self.0.player())
    }

    /// A player all of whose events were observed.
    #[napi]
    pub fn add(&mut self, player: &PlayerMost, days: u32) {
        self.0.add(player.0, days);
    }

    /// Thresholds that spend a budget, in the order of the detectors.
    #[napi]
    pub fn thresholds(&self, unit: String, rate: f64, events: Option<u32>) -> Result<Vec<f64>> {
        let thresholds = self.0.thresholds(budget(&unit, rate, events)?).map_err(|_| REFUSED).or_throw()?;
        Ok(listed(|detector| thresholds.of(detector)))
    }
}

/// One player on the way through a calibrator.
#[napi]
#[derive(Debug)]
pub struct PlayerMost(anomaly::PlayerMost);

#[napi]
impl PlayerMost {
    /// What the scores are after another event.
    #[napi]
    pub fn observe(&mut self, profile: &PlayerProfile) {
        self.0.observe(&profile.0.scores());
    }
}

/// Calibrates a family of rules on lines of history, piece by piece; thresholds and what became of the lines as JSON.
#[napi]
pub fn calibrate(
    rules: &Rules,
    family: String,
    next: Function<'_, (), Option<Uint8Array>>,
    unit: String,
    rate: f64,
    over: Option<u32>,
) -> Result<String> {
    let budget = budget(&unit, rate, over)?;
    let mut calibration = rules
        .0
        .calibrate(&family)
        .ok_or(Argument(Code::InvalidArgument, "the rules have no family of this name"))
        .or_throw()?;
    let (mut events, mut refused) = (0, 0);
    while let Some(lines) = next.call(())? {
        let count = calibration.add_ndjson(&lines);
        events += count.events;
        refused += count.refused;
    }
    let thresholds = calibration.thresholds(budget).map_err(|_: Error| REFUSED).or_throw()?;
    text(&json!({ "thresholds": listed(|detector| thresholds.of(detector)), "events": events, "refused": refused,
        "leftOut": calibration.left_out() }))
}
