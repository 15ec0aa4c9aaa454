//! From verdicts to alerts: one an excursion, and no more of a player than somebody can look at.

use liveops_core::Timestamp;
use liveops_core::anomaly;
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;

use crate::failure::{OrThrow as _, Result};
use crate::luck::stored;
use crate::rules::integer;
use crate::verdict::VerdictOptions;

/// One excursion, one alert.
#[napi]
#[derive(Debug, Default)]
pub struct Hysteresis(anomaly::Hysteresis);

#[napi]
impl Hysteresis {
    /// No excursion yet.
    #[napi(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a verdict begins an excursion.
    #[napi]
    pub fn is_first(&mut self, verdict: VerdictOptions) -> Result<bool> {
        Ok(self.0.is_first(&verdict.read()?))
    }

    /// Whether an excursion is going on.
    #[napi(getter)]
    pub fn is_raised(&self) -> bool {
        self.0.is_raised()
    }
}

/// What a player has spent of a budget.
#[napi]
#[derive(Debug, Default)]
pub struct AlertTally(anomaly::AlertTally);

#[napi]
impl AlertTally {
    /// Nothing yet.
    #[napi(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// From bytes.
    #[napi(factory)]
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        stored(anomaly::AlertTally::from_bytes(bytes).map(Self))
    }

    /// As bytes.
    #[napi]
    pub fn to_bytes(&self) -> Uint8Array {
        Uint8Array::from(self.0.to_bytes())
    }

    /// How many alerts were not raised, ever.
    #[napi(getter)]
    pub fn suppressed(&self) -> i64 {
        integer(self.0.suppressed())
    }
}

/// So many alerts of one player a day.
#[napi]
#[derive(Debug)]
pub struct AlertBudget(anomaly::AlertBudget);

#[napi]
impl AlertBudget {
    /// At least one.
    #[napi(constructor)]
    pub fn new(per_day: u32) -> Result<Self> {
        anomaly::AlertBudget::new(per_day).map(Self).or_throw()
    }

    /// Whether an alert is raised; it is counted either way.
    #[napi]
    pub fn allows(&self, tally: &mut AlertTally, at: i64) -> bool {
        self.0.allows(&mut tally.0, Timestamp::from_unix_millis(at))
    }
}
