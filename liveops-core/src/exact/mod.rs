//! Arithmetic that loses nothing: natural numbers of any size, and positive fractions.
//!
//! What levels cost, what boosts add and how many rolls a player may expect are computed here, and rounded once at the end.

mod natural;
mod ratio;

pub(crate) use natural::Natural;
pub(crate) use ratio::fraction;
pub use ratio::{Ratio, Rounding};
