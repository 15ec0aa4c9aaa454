//! What the family of detectors keeps of a player, against what was asked for.

use liveops_compare::measure::Row;
use liveops_core::anomaly::PlayerProfile;

use crate::kept;

/// What was asked for when detectors were designed.
const FLOOR_BYTES: f64 = 128.0;
const PLAYERS: usize = 100_000;

/// Bytes a player of a table of profiles; and in a record.
pub(crate) fn profile() -> Row {
    let (profiles, bytes) = kept(|| vec![PlayerProfile::default(); PLAYERS]);
    Row {
        name: "anomaly.bytes",
        ours: bytes / profiles.len() as f64,
        peer: FLOOR_BYTES,
        unit: "bytes/player",
        more: vec![("stored", PlayerProfile::default().to_bytes().len() as f64)],
        ..Row::default()
    }
}
