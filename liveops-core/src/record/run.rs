//! What led to a change set.

use super::{Command, Horizon};
use crate::codec::Stable;
use crate::hash::Digest;
use crate::id::PlayerId;

/// One player's commands, decided together, and under what: the same rules and horizon decide them alike for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Of the rules: [`crate::Rules::identity`].
    pub rules: Digest,
    /// The horizon they were decided under.
    pub horizon: Horizon,
    /// As they were given: all of the change set's player.
    pub commands: Vec<Command>,
}

impl Run {
    /// Without the player, whom the change set names.
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        self.rules.put(out);
        self.horizon.put(out);
        (self.commands.len() as u64).put(out);
        for command in &self.commands {
            command.put_rest(out);
        }
    }

    pub(super) fn take(player: &PlayerId, from: &mut &[u8]) -> Option<Self> {
        let (rules, horizon) = (Digest::take(from)?, Horizon::take(from)?);
        let mut commands = Vec::new();
        for _ in 0..u64::take(from)? {
            commands.push(Command::take_rest(player, from)?);
        }
        Some(Self { rules, horizon, commands })
    }
}
