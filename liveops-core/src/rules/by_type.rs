//! What of the rules can concern an event, by its type: worked out once, so that an event asks nothing else.
//!
//! Rules that are on any type stand with each: of 259 types, the built-in ones among them, 256 XP rules, 256 boards and 16 streaks can
//! make 137,000 places of 8 bytes, 1.1 MB. A reward is on one type.

use super::{Amount, BoardRule, RewardRule, Rules, Selector, StreakRule};
use crate::event::Schemas;
use crate::id::Id;
use crate::reward::Trigger;

/// Of so few types each is compared: a search would take longer.
const TYPES_COMPARED: usize = 16;

/// Places in lists of the rules, in order: of what events of one type can set off. What `where` asks is yet to be looked at.
#[derive(Clone, Debug)]
pub(super) struct OfType {
    kind: Id,
    pub(super) xp: Vec<usize>,
    pub(super) boards: Vec<usize>,
    /// None that levels or streaks set off.
    pub(super) rewards: Vec<usize>,
    pub(super) streaks: Vec<usize>,
}

/// The types there are, by name.
pub(super) fn compile(
    schemas: &Schemas,
    xp: &[(Selector, Amount)],
    boards: &[BoardRule],
    rewards: &[RewardRule],
    streaks: &[StreakRule],
) -> Vec<OfType> {
    fn places<T>(rules: &[T], concerns: impl Fn(&T) -> bool) -> Vec<usize> {
        rules.iter().enumerate().filter(|(_, rule)| concerns(rule)).map(|(at, _)| at).collect()
    }
    let of_type = |kind: &Id| OfType {
        kind: kind.clone(),
        xp: places(xp, |(select, _)| select.is_on(kind)),
        boards: places(boards, |rule| rule.select.is_on(kind)),
        rewards: places(rewards, |rule| match &rule.trigger {
            Trigger::Event { .. } => rule.trigger.on_event(kind),
            Trigger::Drop { .. } => *kind == *"drop_claimed",
            Trigger::Boss { .. } => *kind == *"boss_kill",
            Trigger::Level(_) | Trigger::EveryLevels(_) | Trigger::Levels { .. } | Trigger::Streak { .. } => false,
        }),
        streaks: places(streaks, |rule| rule.select.is_on(kind)),
    };
    schemas.iter().map(|(kind, _)| of_type(kind)).collect()
}

impl Rules {
    /// Which type it is, by its place; `likely` is one to ask first. `None` for a type that the rules do not know.
    #[inline]
    pub(super) fn type_at(&self, kind: &Id, likely: usize) -> Option<usize> {
        let is_it = |of_type: &OfType| of_type.kind == *kind;
        if self.by_type.get(likely).is_some_and(is_it) { Some(likely) } else { self.look_up_type(kind) }
    }

    #[inline(never)]
    fn look_up_type(&self, kind: &Id) -> Option<usize> {
        if self.by_type.len() <= TYPES_COMPARED {
            return self.by_type.iter().position(|of_type| of_type.kind == *kind);
        }
        self.by_type.binary_search_by(|of_type| of_type.kind.cmp(kind)).ok()
    }
}
