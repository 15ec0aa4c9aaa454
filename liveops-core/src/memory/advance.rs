//! Moving in time: the horizon rises everywhere at once, memory is given back afterwards, a little at a time.

use super::MemoryStore;
use crate::record::Horizon;
use crate::replica::Told;

/// Segments of outcomes given back before others may have the shard.
const SEGMENTS: usize = 16;
/// Players let go before others may have the shard.
const PLAYERS: usize = 64;

impl MemoryStore {
    pub(super) fn raise(&self, to: Horizon) -> Horizon {
        let mut shards = self.lock_all();
        let before = shards[0].horizon;
        let horizon = before.max(to);
        for shard in &mut shards {
            shard.horizon = horizon;
        }
        self.boards.advanced(horizon);
        if horizon != before {
            // With all shards held, so its place among commits is exact.
            self.feed.advance(horizon);
        }
        drop(shards);
        (0..self.shards.len()).for_each(|at| self.give_back(at));
        horizon
    }

    /// Gives back what nobody can ask for any more. Whoever reads the shard as it was does that when done.
    pub(super) fn give_back(&self, at: usize) {
        loop {
            if !self.shards[at].0.read().is_untidy() {
                break;
            }
            let mut shard = self.shards[at].0.write();
            if !shard.views.is_empty() {
                return;
            }
            for _ in 0..SEGMENTS {
                if shard.is_untidy() {
                    shard.tidy();
                }
            }
        }
        while self.shards[at].0.read().has_due_marks() && self.release_some(at) {}
    }

    /// Lets go of players of whom nothing is left; whether there may be more. Nobody tells of them meanwhile, and the boards hear that
    /// they are gone before anybody can begin anew under such a name.
    fn release_some(&self, at: usize) -> bool {
        let _closed = self.close();
        let mut shard = self.shards[at].0.write();
        if !shard.views.is_empty() {
            return false;
        }
        for _ in 0..PLAYERS {
            let Some(slot) = shard.next_absent() else { return false };
            let Some(player) = shard.slot(slot).id.clone() else { continue };
            if shard.slot(slot).told > 0 {
                self.boards.tell([Told::Gone { player: player.clone() }]);
            }
            let hash = shard.keys.player(&player);
            shard.release(slot, hash);
        }
        true
    }
}
