//! Players of one shard who are decided one after the other, and what can be said of them before that.

use std::cell::Cell;
use std::ops::Range;

use super::log::Name;
use super::shard::{Keys, Shard};
use super::table::Tag;
use crate::id::CommandId;
use crate::limits::RUN_LEN_MAX;
use crate::plan::Lanes;

/// Players looked up together.
const PLAYERS_MAX: usize = 64;

/// Memory for some after others.
#[derive(Debug, Default)]
pub(super) struct Neighbours {
    players: Vec<Neighbour>,
    commands: Vec<Named>,
}

#[derive(Clone, Copy, Debug)]
struct Neighbour {
    hash: u64,
    slot: Option<u32>,
    /// Where those of the commands end that are named.
    end: usize,
}

/// A command's name as the log has it.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) name: Name,
    pub(super) tag: Tag,
    /// Whether there may be an outcome, be it of before the horizon: so until it was looked for.
    pub(super) is_there: Cell<bool>,
}

impl Named {
    #[inline]
    fn new(keys: &Keys, hash: u64, id: &CommandId) -> Self {
        let name = Name::of(id);
        let tag = keys.command(hash, &name);
        Self { name, tag, is_there: Cell::new(true) }
    }
}

impl Neighbours {
    /// Takes the first of some players of one shard, and names the commands of their next runs.
    pub(super) fn take(&mut self, keys: &Keys, lanes: &Lanes<'_, '_>, players: Range<usize>) {
        self.players.clear();
        self.commands.clear();
        for lane in players.take(PLAYERS_MAX).map(|at| lanes.get(at)) {
            let run = lane.commands.iter().take(RUN_LEN_MAX);
            self.commands.extend(run.map(|command| Named::new(keys, lane.hash, &command.id)));
            self.players.push(Neighbour { hash: lane.hash, slot: None, end: self.commands.len() });
        }
    }

    /// Finds the players. Memory is asked for what several need before any of them is looked at, so that it answers all together.
    pub(super) fn find(&mut self, shard: &Shard, lanes: &Lanes<'_, '_>, from: usize) {
        let near = self.players.iter().fold(0, |sum, player| sum ^ shard.touch(player.hash));
        let mut near = self.commands.iter().fold(near, |sum, named| sum ^ shard.log.touch(named.tag));
        for (at, player) in (from..).zip(&mut self.players) {
            player.slot = shard.find(player.hash, lanes.get(at).player);
        }
        let slots = self.players.iter().filter_map(|player| player.slot);
        near = slots.fold(near, |sum, slot| sum ^ shard.touch_player(slot));
        std::hint::black_box(near);
    }

    /// Each player's hash, slot and named commands, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, Option<u32>, &[Named])> {
        let mut from = 0;
        self.players.iter().map(move |player| {
            let named = &self.commands[from..player.end];
            from = player.end;
            (player.hash, player.slot, named)
        })
    }
}
