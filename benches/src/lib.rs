//! Traffic for benches and comparisons: the same for the same seed, everywhere.
#![forbid(unsafe_code)]

pub mod traffic;

pub use traffic::Traffic;
