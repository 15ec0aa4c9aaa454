//! Amounts of things.

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
    amount: i64,
}

impl Item {
    /// Of a kind, such as `currency` or `item`, with an amount of 1 to [`INTEGER_MAX`]: `out_of_range` otherwise.
    pub fn new(kind: Id, id: Id, amount: u64) -> Result<Self, Error> {
        let amount = i64::try_from(amount).ok().filter(|amount| (1..=INTEGER_MAX).contains(amount));
        amount.map(|amount| Self { kind, id, amount }).ok_or_else(|| Code::OutOfRange.into())
    }

    /// The same taken away: what a claw-back consists of.
    ///
    /// ```
    /// use liveops_core::Id;
    /// use liveops_core::reward::Item;
    ///
    /// let gold = Item::new(Id::new("currency")?, Id::new("gold")?, 100)?;
    /// assert_eq!(gold.negated().amount(), -100);
    /// # Ok::<(), liveops_core::Error>(())
    /// ```
    #[must_use]
    pub fn negated(&self) -> Self {
        Self { amount: -self.amount, ..self.clone() }
    }

    /// So many times as much; `None` when that leaves the integers.
    pub fn times(&self, count: u64) -> Option<Self> {
        let amount = i64::try_from(count).ok().and_then(|count| self.amount.checked_mul(count));
        amount.filter(|a| is_amount(*a)).map(|amount| Self { amount, ..self.clone() })
    }

    /// The game's own word for what sort of thing it is.
    pub const fn kind(&self) -> &Id {
        &self.kind
    }

    /// Which thing of that kind.
    pub const fn id(&self) -> &Id {
        &self.id
    }

    /// How many or how much, at least 1; in a claw-back at most -1. Whoever adds amounts to an inventory is always right.
    pub const fn amount(&self) -> i64 {
        self.amount
    }
}

impl Stable for Item {
    fn put(&self, out: &mut Vec<u8>) {
        self.kind.put(out);
        self.id.put(out);
        // Amounts were above 0 when this form was made: these keep their bytes, and the others become large numbers.
        self.amount.cast_unsigned().put(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        let (kind, id, amount) = (Id::take(from)?, Id::take(from)?, u64::take(from)?.cast_signed());
        is_amount(amount).then_some(Self { kind, id, amount })
    }
}

const fn is_amount(amount: i64) -> bool {
    amount != 0 && amount.unsigned_abs() <= INTEGER_MAX.unsigned_abs()
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
        let taken = Item::new(id("item"), id("crown"), 1 << 52).unwrap().negated();
        assert_eq!((taken.amount(), taken.negated().amount()), (-(1 << 52), 1 << 52));
        assert_eq!(Item::take(&mut &taken.to_bytes()[..]), Some(taken.clone()));
        assert_eq!((taken.times(1), taken.times(2), taken.times(0)), (Some(taken.clone()), None, None));
        for amount in [0, 1 << 53, u64::MAX] {
            assert_eq!(Item::new(id("a"), id("b"), amount).unwrap_err().code(), Code::OutOfRange);
        }
        for amount in [0, 1 << 53, (-(1_i64 << 53)).cast_unsigned(), i64::MIN.cast_unsigned()] {
            let bytes = (id("a"), (id("b"), amount)).to_bytes();
            assert_eq!(Item::take(&mut &bytes[..]), None);
        }
    }
}
