//! Arithmetic that loses nothing: natural numbers of any size, and positive fractions.
//!
//! What levels cost, what boosts add, how many rolls a player may expect and how often an entry comes are computed here, and
//! rounded once at the end.

mod natural;
mod rate;
mod ratio;

pub(crate) use natural::{Natural, split};
pub use rate::Rate;
pub use ratio::{Ratio, Rounding};
pub(crate) use ratio::{fraction, greatest_common_divisor};
