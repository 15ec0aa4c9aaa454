//! What is known of all players, and the pass through history that finds it out.

use liveops_core::anomaly;
use liveops_core::error::StoreError;
use liveops_core::{Code, Timestamp};
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;

use crate::failure::{Argument, OrThrow as _, Result, text};
use crate::rules::{Rules, integer};

/// Tables of a game's players.
#[napi]
#[derive(Debug, Default)]
pub struct Population(pub(crate) anomaly::Population);

#[napi]
impl Population {
    /// What stands in where there is no history.
    #[napi(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// From bytes.
    #[napi(factory)]
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        anomaly::Population::from_bytes(bytes).map(Self).map_err(StoreError::new).or_throw()
    }

    /// As bytes.
    #[napi]
    pub fn to_bytes(&self) -> Uint8Array {
        Uint8Array::from(self.0.to_bytes())
    }

    /// Names the tables by their content, in hex.
    #[napi(getter)]
    pub fn hash(&self) -> String {
        self.0.hash().to_hex()
    }

    /// Of which activities there are tables.
    #[napi]
    pub fn activities(&self) -> Vec<String> {
        self.0.activities().map(ToOwned::to_owned).collect()
    }

    /// Of which bosses there are.
    #[napi]
    pub fn bosses(&self) -> Vec<String> {
        self.0.bosses().map(ToOwned::to_owned).collect()
    }
}

/// Builds tables in one pass.
#[napi]
#[derive(Debug, Default)]
pub struct PopulationBuilder(anomaly::PopulationBuilder);

#[napi]
impl PopulationBuilder {
    /// Nobody yet.
    #[napi(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// An amount that an activity brought.
    #[napi]
    pub fn gain(&mut self, player: String, at: i64, activity: String, amount: f64, boost: f64) -> Result<()> {
        let at = Timestamp::from_unix_millis(at);
        self.0.gain(&player, at, &activity, amount, boost).map_err(gain).or_throw()
    }

    /// A boss, and how long it took.
    #[napi]
    pub fn kill(&mut self, player: String, at: i64, boss: String, duration_ms: u32) -> Result<()> {
        let taught = self.0.kill(&player, Timestamp::from_unix_millis(at), &boss, duration_ms);
        taught.map_err(|_| Argument(Code::InvalidArgument, "boss must be an id, and durationMs at least 1")).or_throw()
    }

    /// Lines of history, as rules tell families of them; what became of them as JSON.
    #[napi]
    pub fn teach_ndjson(&mut self, rules: &Rules, lines: &[u8]) -> Result<String> {
        text(&rules.0.teach_ndjson(&mut self.0, lines))
    }

    /// Events of players for whom there was no room.
    #[napi(getter)]
    pub fn left_out(&self) -> i64 {
        integer(self.0.left_out())
    }

    /// The tables.
    #[napi]
    pub fn finish(&self) -> Population {
        Population(self.0.finish())
    }
}

fn gain(_: Code) -> Argument {
    Argument(Code::InvalidArgument, "activity must be an id, amount finite and not negative, boost finite and above 0")
}
