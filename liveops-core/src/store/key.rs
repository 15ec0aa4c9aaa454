//! The key of hashes that never leave the process.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;

use crate::hash;

static KEY: LazyLock<hash::Key> = LazyLock::new(|| {
    let random = RandomState::new();
    let [low, high] = [0_u8, 1].map(|half| random.hash_one(half).to_le_bytes());
    std::array::from_fn(|at| if at < 8 { low[at] } else { high[at - 8] })
});

/// Random, and one for as long as the process runs: who hashes a player under it ([`hash::keyed`]) gets what a store in memory spreads
/// its players by. Nobody can choose names that collide without knowing it, and nothing that is stored or answered shows it.
pub fn hash_key() -> &'static hash::Key {
    &KEY
}
