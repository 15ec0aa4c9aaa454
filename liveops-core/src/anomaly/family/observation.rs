//! What the family is told of an event: numbers, and the places of their names in the tables.

use crate::error::Code;
use crate::time::Timestamp;

/// The place of an activity in a [`super::Population`]; those it does not know share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActivityIndex(pub(super) u8);

/// The place of a boss in a [`super::Family`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BossIndex(pub(super) u8);

/// The place of a drop in a [`super::Family`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DropIndex(pub(super) u8);

/// One event of a player. What it does not say is left out, and nothing is learned of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation {
    /// When, by the event.
    pub at: Timestamp,
    /// An amount of something, such as XP.
    pub gain: Option<Gain>,
    /// A boss was killed.
    pub kill: Option<Kill>,
    /// Chances for a drop, and what came of them.
    pub drops: Option<Drops>,
}

/// An amount that an activity brought.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gain {
    /// Which activity.
    pub activity: ActivityIndex,
    /// How much, boosts included: finite, not negative.
    pub amount: f64,
    /// What the rules multiplied it by, such as 2 on a double-XP weekend; 1 if nothing: finite, above 0.
    pub boost: f64,
}

/// A boss, and how long it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kill {
    /// Which boss.
    pub boss: BossIndex,
    /// In milliseconds, at least 1.
    pub duration_ms: u32,
}

/// Chances for a drop. A kill may tell the chance and a later claim the drop: they add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drops {
    /// Which drop.
    pub drop: DropIndex,
    /// How many chances there were.
    pub chances: u32,
    /// How many of them brought it.
    pub hits: u32,
}

impl Observation {
    /// An event that says nothing but when it was.
    pub const fn at(at: Timestamp) -> Self {
        Self { at, gain: None, kill: None, drops: None }
    }

    /// The same with an amount, boosted so many times by the rules.
    #[must_use]
    pub const fn gain(self, activity: ActivityIndex, amount: f64, boost: f64) -> Self {
        Self { gain: Some(Gain { activity, amount, boost }), ..self }
    }

    /// The same with a whole amount that nothing was multiplied by: what an event asks for, before the rules' boosts.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "exact for every amount that an event can have")]
    pub const fn gain_whole(self, activity: ActivityIndex, amount: u64) -> Self {
        self.gain(activity, amount as f64, 1.0)
    }

    /// The same with a kill.
    #[must_use]
    pub const fn kill(self, boss: BossIndex, duration_ms: u32) -> Self {
        Self { kill: Some(Kill { boss, duration_ms }), ..self }
    }

    /// The same with chances for a drop.
    #[must_use]
    pub const fn drops(self, drop: DropIndex, chances: u32, hits: u32) -> Self {
        Self { drops: Some(Drops { drop, chances, hits }), ..self }
    }
}

impl Gain {
    /// `ln(1 + amount / boost)`. `invalid_argument` for NaN, the infinities, negative amounts, and boosts that are not
    /// above 0.
    pub(super) fn logarithm(self) -> Result<f64, Code> {
        logarithm(self.amount, self.boost)
    }

    /// `ln(amount / boost)` of an amount that is one; minus infinity of nothing.
    pub(super) fn own_logarithm(self) -> f64 {
        libm::log(self.amount / self.boost)
    }
}

pub(super) fn logarithm(amount: f64, boost: f64) -> Result<f64, Code> {
    let valid = boost > 0.0 && boost.is_finite();
    let unboosted = Some(amount).filter(|_| valid).map(|amount| amount / boost);
    unboosted.and_then(super::super::log_stats::logarithm).ok_or(Code::InvalidArgument)
}
