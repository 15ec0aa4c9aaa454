//! The whole family on one player: five detectors in 64 bytes, anchored on what is known of all players.

mod calibrator;
mod curve;
mod detectors;
mod histogram;
mod history;
mod observation;
mod population;
mod profile;
mod regularity;
mod rhythm;
#[cfg(test)]
mod tests;
mod whole;

pub use calibrator::{Budget, Calibrator, PlayerMost};
pub use detectors::{FamilyDetector, Finding, Scores, Thresholds};
pub use history::PopulationBuilder;
pub use observation::{ActivityIndex, BossIndex, DropIndex, Drops, Gain, Kill, Observation};
pub use population::Population;
pub use profile::PlayerProfile;
pub use regularity::Regularity;
pub use whole::Family;

use crate::codec::Stable;

pub(super) use super::stats::count;

/// A float of four bytes that is neither infinite nor NaN, with one form of zero: tables and profiles are kept small.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Float(pub(super) f32);

impl Eq for Float {}

/// The nearest of four bytes; 0 of what is no number, the largest of what is too large.
#[expect(clippy::cast_possible_truncation, reason = "rounded to nearest by IEEE 754, alike everywhere")]
pub(super) fn narrow(value: f64) -> Float {
    let value = if value.is_nan() { 0.0 } else { value.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) };
    Float(value as f32 + 0.0)
}

impl Float {
    pub(super) fn get(self) -> f64 {
        f64::from(self.0)
    }
}

/// The four bytes of IEEE 754, big-endian.
impl Stable for Float {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.to_bits().to_be_bytes().put(out);
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        let float = f32::from_bits(u32::from_be_bytes(Stable::take(from)?));
        (float.is_finite() && float.to_bits() != (-0.0_f32).to_bits()).then_some(Self(float))
    }
}

/// What a detector has gathered, 0 to 100 in steps of a 512th: natural logarithms in two bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Score(u16);

impl Score {
    const STEPS: f64 = 512.0;

    /// The nearest; 0 for what is below, the most for what is above, 0 for what is no number.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped; NaN becomes 0")]
    pub(super) fn new(value: f64) -> Self {
        Self((value.clamp(0.0, detectors::SCORE_MAX) * Self::STEPS + 0.5) as u16)
    }

    pub(super) fn get(self) -> f64 {
        f64::from(self.0) / Self::STEPS
    }
}

/// Two bytes, big-endian.
impl Stable for Score {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.to_be_bytes().put(out);
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        let score = Self(u16::from_be_bytes(Stable::take(from)?));
        (score.get() <= detectors::SCORE_MAX).then_some(score)
    }
}
