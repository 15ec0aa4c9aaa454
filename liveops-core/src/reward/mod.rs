//! Rewards: what they consist of, what sets them off, loot that anyone can check, and receipts in a chain.
//!
//! ```
//! use liveops_core::reward::Trigger;
//! use std::num::NonZeroU32;
//!
//! let every_fifth = Trigger::EveryLevels(NonZeroU32::new(5).unwrap());
//! assert!(every_fifth.on_level(10) && !every_fifth.on_level(11));
//! ```

mod expected;
mod item;
mod long_run;
mod loot;
mod receipt;
mod scope;
mod trigger;
mod wire;

pub use expected::ExpectedRolls;
pub use item::Item;
pub use loot::{Entry, Loot, LootError, Odds, Pity, Roll, seed_commitment};
pub use receipt::{BrokenLink, Receipt, ReceiptState, RollProof, verify_chain};
pub(crate) use scope::receipt_id_in;
pub use scope::{Scope, receipt_id};
pub use trigger::{Kill, StreakDay, Trigger};
pub use wire::{ReceiptError, receipts_from_json};
