//! Each player's commands side by side.

use crate::hash;
use crate::limits::RUN_LEN_MAX;
use crate::record::Command;

/// Fewer commands than this are compared with each other.
const SORTED_PLAINLY: usize = 32;

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
    /// Where each command stood before it was put in order.
    left: Vec<usize>,
    hashes: Vec<u64>,
    /// By the upper bits of a hash, where those with it end.
    ends: Vec<usize>,
}

impl Sorted {
    /// Forgets the batch before.
    pub(super) fn begin(&mut self) {
        self.lanes.clear();
        self.given.clear();
    }

    /// Puts each player's commands side by side, in the order given, and players in the order of their hashes. What already stands in
    /// lanes and has its outcome is left out.
    pub(super) fn sort(&mut self, key: &hash::Key, commands: &mut Vec<&Command>, again: bool) {
        if again {
            let Self { lanes, given, left, .. } = self;
            left.clear();
            left.extend(lanes.iter().flat_map(|lane| lane.at..lane.end));
            *commands = left.iter().map(|at| commands[*at]).collect();
            *given = left.iter().map(|at| given[*at]).collect();
        }
        self.lanes.clear();
        let Self { lanes, given, left, hashes, ends } = self;
        hashes.clear();
        hashes.extend(commands.iter().map(|command| hash::keyed(key, command.player.as_bytes())));
        if commands.len() > 1 {
            in_order(commands, hashes, left, ends);
            permute(commands, left);
        } else {
            left.clear();
            left.extend(0..commands.len());
        }
        if again {
            permute(given, left);
        } else {
            given.clone_from(left);
        }
        for (at, (command, place)) in commands.iter().zip(&*left).enumerate() {
            let hash = hashes[*place];
            match lanes.last_mut() {
                Some(lane) if lane.hash == hash && commands[lane.at].player == command.player => lane.end = at + 1,
                _ => lanes.push(Lane { at, end: at + 1, hash, attempts: 0, waits: false }),
            }
        }
    }
}

/// The places of commands, by the hash of the player, the player, and the place. One look at each hash tells nearly where it belongs.
fn in_order(commands: &[&Command], hashes: &[u64], order: &mut Vec<usize>, ends: &mut Vec<usize>) {
    let by = |a: &usize, b: &usize| {
        let by_hash = hashes[*a].cmp(&hashes[*b]);
        by_hash.then_with(|| commands[*a].player.cmp(&commands[*b].player)).then(a.cmp(b))
    };
    order.clear();
    if commands.len() < SORTED_PLAINLY {
        order.extend(0..commands.len());
        return order.sort_unstable_by(by);
    }
    // As many drawers as commands, or up to twice as many.
    let bits = usize::BITS - (commands.len() - 1).leading_zeros();
    let drawer = |hash: u64| usize::try_from(hash >> (u64::BITS - bits)).unwrap_or_default();
    ends.clear();
    ends.resize(1 << bits, 0);
    for hash in hashes {
        ends[drawer(*hash)] += 1;
    }
    let mut begun = 0;
    for end in ends.iter_mut() {
        begun += std::mem::replace(end, begun);
    }
    order.resize(commands.len(), 0);
    for (at, hash) in hashes.iter().enumerate() {
        let end = &mut ends[drawer(*hash)];
        order[*end] = at;
        *end += 1;
    }
    let mut from = 0;
    for end in ends.iter().copied() {
        if end - from > 1 {
            order[from..end].sort_unstable_by(by);
        }
        from = end;
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::id::{EventId, PlayerId};
    use crate::time::Timestamp;

    proptest! {
        /// However many hashes meet, each player's commands stand together, in order.
        #[test]
        fn commands_stand_by_hash_player_and_place(
            players in prop::collection::vec(0_u64..40, 1..300), bits in prop_oneof![Just(1_u32), Just(3), Just(64)],
        ) {
            let names: Vec<_> = (0..40).map(|n| PlayerId::new(&format!("p{n}")).unwrap()).collect();
            let id = EventId::new("e").unwrap();
            let of = |n: &u64| Command::erase(id.clone(), names[usize::try_from(*n).unwrap()].clone(), Timestamp::MIN);
            let commands: Vec<_> = players.iter().map(of).collect();
            let commands: Vec<_> = commands.iter().collect();
            let hashes: Vec<_> =
                commands.iter().map(|command| hash::short(command.player.as_bytes()) >> (64 - bits) << (64 - bits)).collect();
            let (mut order, mut ends) = (vec![7; 3], vec![7; 3]);
            in_order(&commands, &hashes, &mut order, &mut ends);
            let mut wanted: Vec<_> = (0..commands.len()).collect();
            wanted.sort_by_key(|at| (hashes[*at], &commands[*at].player, *at));
            prop_assert_eq!(order, wanted);
        }
    }
}
