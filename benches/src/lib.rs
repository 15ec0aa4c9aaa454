//! Traffic for benches and comparisons: the same for the same seed, everywhere.
#![forbid(unsafe_code)]

pub mod random;
pub mod traffic;
mod typed;

pub use random::Random;
pub use traffic::Traffic;
pub use typed::{TypedEvent, TypedPayload};
