//! What a family has learned of one player.

use liveops_core::anomaly::{self, FamilyDetector};
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;

use crate::failure::Result;
use crate::luck::stored;
use crate::thresholds::listed;

/// 64 bytes, whatever there was to learn.
#[napi]
#[derive(Debug, Default)]
pub struct PlayerProfile(pub(crate) anomaly::PlayerProfile);

#[napi]
impl PlayerProfile {
    /// Of a stranger.
    #[napi(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// From bytes.
    #[napi(factory)]
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        stored(anomaly::PlayerProfile::from_bytes(bytes).map(Self))
    }

    /// As bytes.
    #[napi]
    pub fn to_bytes(&self) -> Uint8Array {
        Uint8Array::from(self.0.to_bytes())
    }

    /// Two accounts that turn out to be one player.
    #[napi]
    pub fn merge(&mut self, other: &PlayerProfile) {
        self.0.merge(&other.0);
    }

    /// What each detector has gathered, in their order.
    #[napi]
    pub fn scores(&self) -> Vec<f64> {
        let scores = self.0.scores();
        listed(|detector| scores.of(detector))
    }

    /// Which detectors have alerted and not yet calmed down.
    #[napi]
    pub fn alerted(&self) -> Vec<&'static str> {
        let alerted = FamilyDetector::ALL.into_iter().filter(|detector| self.0.is_alerted(*detector));
        alerted.map(FamilyDetector::as_str).collect()
    }
}
