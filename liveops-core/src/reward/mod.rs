//! Rewards: what they consist of, what sets them off, loot that anyone can check, and receipts in a chain.
//!
//! ```
//! use liveops_core::reward::Trigger;
//! use std::num::NonZeroU32;
//!
//! let every_fifth = Trigger::EveryLevels(NonZeroU32::new(5).unwrap());
//! assert!(every_fifth.on_level(10) && !every_fifth.on_level(11));
//! ```

mod loot;
mod receipt;

pub use loot::{Entry, Loot, LootError, Odds, Pity, Roll, seed_commitment};
pub use receipt::{BrokenLink, Receipt, Scope, receipt_id, verify_chain};

use std::num::NonZeroU32;

use crate::codec::Stable;
use crate::error::{Code, Error};
use crate::id::Id;
use crate::limits::INTEGER_MAX;

/// An amount of something that the game hands out: 100 gold, one crown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    kind: Id,
    id: Id,
    amount: u64,
}

impl Item {
    /// Of a kind, such as `currency` or `item`, with an amount of 1 to [`INTEGER_MAX`]: `out_of_range` otherwise.
    pub fn new(kind: Id, id: Id, amount: u64) -> Result<Self, Error> {
        let valid = (1..=INTEGER_MAX.unsigned_abs()).contains(&amount);
        if valid { Ok(Self { kind, id, amount }) } else { Err(Code::OutOfRange.into()) }
    }

    /// The game's own word for what sort of thing it is.
    pub const fn kind(&self) -> &Id {
        &self.kind
    }

    /// Which thing of that kind.
    pub const fn id(&self) -> &Id {
        &self.id
    }

    /// How many or how much, at least 1.
    pub const fn amount(&self) -> u64 {
        self.amount
    }
}

impl Stable for Item {
    fn put(&self, out: &mut Vec<u8>) {
        self.kind.put(out);
        self.id.put(out);
        self.amount.put(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        Self::new(Id::take(from)?, Id::take(from)?, u64::take(from)?).ok()
    }
}

/// What sets a reward off.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trigger {
    /// Reaching one level.
    Level(u32),
    /// Reaching any level that this number divides.
    EveryLevels(NonZeroU32),
    /// Killing a boss.
    Boss {
        /// Which boss.
        boss: Id,
        /// Which of the player's kills.
        kill: Kill,
    },
    /// An event of a type.
    Event {
        /// Which type.
        kind: Id,
    },
}

/// Which kills of a boss count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kill {
    /// The player's first of this boss.
    First,
    /// Every one.
    Any,
}

impl Trigger {
    /// Whether reaching this level sets the reward off. A jump over several levels reaches each of them.
    pub const fn on_level(&self, level: u32) -> bool {
        match self {
            Self::Level(wanted) => *wanted == level,
            Self::EveryLevels(step) => level > 0 && level.is_multiple_of(step.get()),
            Self::Boss { .. } | Self::Event { .. } => false,
        }
    }

    /// Whether a kill of this boss sets the reward off; `first` says whether it is the player's first of this boss.
    pub fn on_boss(&self, boss: &Id, first: bool) -> bool {
        matches!(self, Self::Boss { boss: wanted, kill } if wanted == boss && (first || *kill == Kill::Any))
    }

    /// Whether an event of this type sets the reward off.
    pub fn on_event(&self, kind: &Id) -> bool {
        matches!(self, Self::Event { kind: wanted } if wanted == kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> Id {
        Id::new(text).unwrap()
    }

    #[test]
    fn amounts_are_within_the_integers_also_when_read_back() {
        let item = Item::new(id("currency"), id("gold"), 100).unwrap();
        assert_eq!(serde_json::to_string(&item).unwrap(), r#"{"kind":"currency","id":"gold","amount":100}"#);
        assert_eq!(Item::take(&mut &item.to_bytes()[..]), Some(item));
        for amount in [0, 1 << 53, u64::MAX] {
            assert_eq!(Item::new(id("a"), id("b"), amount).unwrap_err().code(), Code::OutOfRange);
            let bytes = (id("a"), (id("b"), amount)).to_bytes();
            assert_eq!(Item::take(&mut &bytes[..]), None);
        }
    }

    #[test]
    fn triggers_match_what_they_name_and_nothing_else() {
        let every = |n| Trigger::EveryLevels(NonZeroU32::new(n).unwrap());
        let levels = |trigger: Trigger| (0..=6).filter(|l| trigger.on_level(*l)).collect::<Vec<_>>();
        assert_eq!(levels(Trigger::Level(4)), [4]);
        assert_eq!(levels(every(1)), [1, 2, 3, 4, 5, 6]);
        assert_eq!(levels(every(3)), [3, 6]);
        let kills = |kill| {
            let trigger = Trigger::Boss { boss: id("hydra"), kill };
            assert!(!trigger.on_level(1) && !trigger.on_event(&id("hydra")) && !trigger.on_boss(&id("ogre"), true));
            [true, false].map(|first| trigger.on_boss(&id("hydra"), first))
        };
        assert_eq!((kills(Kill::First), kills(Kill::Any)), ([true, false], [true, true]));
        let event = Trigger::Event { kind: id("arena_win") };
        assert!(
            event.on_event(&id("arena_win")) && !event.on_event(&id("arena")) && !event.on_boss(&id("arena_win"), true)
        );
    }
}
