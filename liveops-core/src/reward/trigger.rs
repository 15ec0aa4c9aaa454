//! What sets rewards off.

use std::num::NonZeroU32;

use crate::id::Id;

/// What sets a reward off.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trigger {
    /// Reaching one level.
    Level(u32),
    /// Reaching any level that this number divides.
    EveryLevels(NonZeroU32),
    /// Reaching any level of a range that a number divides.
    Levels {
        /// The first.
        from: u32,
        /// The last.
        through: u32,
        /// Every how many levels; 1 is each.
        every: NonZeroU32,
    },
    /// Killing a boss.
    Boss {
        /// Which boss.
        boss: Id,
        /// Which of the player's kills.
        kill: Kill,
    },
    /// Claiming a drop.
    Drop {
        /// Which one.
        drop: Id,
    },
    /// A day of a streak.
    Streak {
        /// Which streak.
        streak: Id,
        /// Which of its days.
        day: StreakDay,
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
    /// The first that the reward sees of a player.
    First,
    /// Every one but that.
    Repeat,
    /// Every one.
    Any,
}

/// Which days of a streak count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreakDay {
    /// One, from 1.
    Day(u32),
    /// Every so many.
    Every(NonZeroU32),
}

impl Trigger {
    /// Whether reaching this level sets the reward off. A jump over several levels reaches each of them.
    pub const fn on_level(&self, level: u32) -> bool {
        match self {
            Self::Level(wanted) => *wanted == level,
            Self::EveryLevels(step) => level > 0 && level.is_multiple_of(step.get()),
            Self::Levels { from, through, every } => {
                *from <= level && level <= *through && level.is_multiple_of(every.get())
            }
            Self::Boss { .. } | Self::Drop { .. } | Self::Streak { .. } | Self::Event { .. } => false,
        }
    }

    /// Whether a kill of this boss sets the reward off; `first` says whether it is the first that it sees of the player.
    pub fn on_boss(&self, boss: &Id, first: bool) -> bool {
        let Self::Boss { boss: wanted, kill } = self else { return false };
        wanted == boss
            && match kill {
                Kill::First => first,
                Kill::Repeat => !first,
                Kill::Any => true,
            }
    }

    /// Whether claiming this drop sets the reward off.
    pub fn on_drop(&self, drop: &Id) -> bool {
        matches!(self, Self::Drop { drop: wanted } if wanted == drop)
    }

    /// Whether this day of a streak, from 1, sets the reward off.
    pub fn on_streak(&self, streak: &Id, day: u32) -> bool {
        let Self::Streak { streak: wanted, day: days } = self else { return false };
        wanted == streak
            && match days {
                StreakDay::Day(wanted) => *wanted == day,
                StreakDay::Every(step) => day > 0 && day.is_multiple_of(step.get()),
            }
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
        assert_eq!(kills(Kill::Repeat), [false, true]);
        let range = |from, through, n| Trigger::Levels { from, through, every: NonZeroU32::new(n).unwrap() };
        assert_eq!(levels(range(2, 4, 1)), [2, 3, 4]);
        assert_eq!(levels(range(1, 5, 2)), [2, 4]);
        let drop = Trigger::Drop { drop: id("chest") };
        assert!(drop.on_drop(&id("chest")) && !drop.on_drop(&id("urn")) && !drop.on_event(&id("drop_claimed")));
        let days = |day| {
            let trigger = Trigger::Streak { streak: id("login"), day };
            assert!(!trigger.on_streak(&id("quests"), 7) && !trigger.on_level(7));
            (0..=14).filter(|d| trigger.on_streak(&id("login"), *d)).collect::<Vec<_>>()
        };
        assert_eq!(days(StreakDay::Day(7)), [7]);
        assert_eq!(days(StreakDay::Every(NonZeroU32::new(7).unwrap())), [7, 14]);
        let event = Trigger::Event { kind: id("arena_win") };
        assert!(
            event.on_event(&id("arena_win")) && !event.on_event(&id("arena")) && !event.on_boss(&id("arena_win"), true)
        );
    }
}
