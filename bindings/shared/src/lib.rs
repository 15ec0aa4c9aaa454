//! What the packages for Python and Node have in common: one engine over any store, the thread that writes for event loops, and
//! the texts that stand for places in a walk or in the feed. Nothing here knows an interpreter.

mod collector;
mod shared;

pub use collector::{Collector, Work};
pub use shared::{Core, Shared};
