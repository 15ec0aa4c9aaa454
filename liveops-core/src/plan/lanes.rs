//! Each player's commands side by side.

use crate::hash;
use crate::limits::RUN_LEN_MAX;
use crate::record::Command;

/// One player's commands: those of `commands[at..end]` still have no outcome.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lane {
    pub(super) at: usize,
    pub(super) end: usize,
    /// Of the player.
    pub(super) hash: u64,
    pub(super) attempts: u32,
    /// Whether the change set of its run is at the store.
    pub(super) waits: bool,
}

impl Lane {
    pub(super) fn run_end(&self) -> usize {
        self.end.min(self.at + RUN_LEN_MAX)
    }
}

/// A batch in the order in which it is decided.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    /// By the hash of their players.
    pub(super) lanes: Vec<Lane>,
    /// Where each command was given.
    pub(super) given: Vec<usize>,
    /// Where commands that are left were, while they are put in order.
    left: Vec<usize>,
    hashes: Vec<u64>,
    order: Vec<u64>,
}

impl Sorted {
    /// Of commands in the order given.
    pub(super) fn begin(&mut self, len: usize) {
        self.lanes.clear();
        self.given.clear();
        self.given.extend(0..len);
    }

    /// Puts each player's commands side by side, in the order given, and players in the order of their hashes. What already stands in
    /// lanes and has its outcome is left out.
    pub(super) fn sort<'a>(&mut self, key: &hash::Key, commands: &mut Vec<&'a Command>, again: bool) {
        if again {
            let Self { lanes, given, left, .. } = self;
            left.clear();
            left.extend(lanes.iter().flat_map(|lane| lane.at..lane.end));
            *commands = left.iter().map(|at| commands[*at]).collect();
            *given = left.iter().map(|at| given[*at]).collect();
        }
        self.lanes.clear();
        let Self { lanes, given, left, hashes, order } = self;
        hashes.clear();
        hashes.extend(commands.iter().map(|command| hash::keyed(key, command.player.as_bytes())));
        if commands.len() > 1 {
            // Of each hash as many of the upper bits as a place leaves: numbers sort much faster than what they stand for.
            let places = u64::MAX >> (commands.len() - 1).leading_zeros();
            order.clear();
            order.extend(hashes.iter().zip(0_u64..).map(|(hash, place)| hash & !places | place));
            order.sort_unstable();
            left.clear();
            // Below 2^64, and a place in memory.
            left.extend(order.iter().map(|packed| usize::try_from(packed & places).unwrap_or_default()));
            let meet = |a: usize, b: usize| (hashes[a] ^ hashes[b]) & !places == 0;
            let strangers =
                |pair: &[usize]| meet(pair[0], pair[1]) && commands[pair[0]].player != commands[pair[1]].player;
            if left.windows(2).any(strangers) {
                // The same commands in the same order on every machine, whatever hashes meet.
                left.sort_unstable_by(|a, b| {
                    let by = |at: usize| (hashes[at] & !places, &commands[at].player, at);
                    by(*a).cmp(&by(*b))
                });
            }
            permute(commands, left);
            permute(given, left);
            permute(hashes, left);
        }
        let mut at = 0;
        for run in commands.chunk_by(|a, b| a.player == b.player) {
            let end = at + run.len();
            lanes.push(Lane { at, end, hash: hashes[at], attempts: 0, waits: false });
            at = end;
        }
    }
}

/// Puts what was at `from[n]` at `n`.
fn permute<T: Copy>(all: &mut Vec<T>, from: &[usize]) {
    let len = all.len();
    all.extend_from_within(..);
    for (at, from) in from.iter().enumerate() {
        all[at] = all[len + from];
    }
    all.truncate(len);
}
