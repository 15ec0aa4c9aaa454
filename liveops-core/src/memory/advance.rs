//! Moving in time: the horizon rises everywhere at once, memory is given back afterwards, a little at a time.

use super::MemoryStore;
use crate::record::{Horizon, Kind};

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
        self.give_back();
        horizon
    }

    /// Gives back what nobody can ask for any more. Whoever reads a shard as it was does that when done.
    pub(super) fn give_back(&self) {
        (0..self.shards.len()).for_each(|at| self.give_back_of(at));
        self.boards.give_back();
    }

    fn give_back_of(&self, at: usize) {
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
        while self.shards[at].0.read().has_due_marks() {
            // Whoever is let go is taken from among the names: the others are in order by then.
            self.settle(at, None);
            self.settle(at, Some(Kind::Suspicion));
            if !self.release_some(at) {
                return;
            }
        }
    }

    /// Lets go of players of whom nothing is left; whether there may be more. The boards hear of it before anybody can begin anew under
    /// such a name, and news that are on their way say nothing to them any more.
    fn release_some(&self, at: usize) -> bool {
        let mut shard = self.shards[at].0.write();
        if !shard.views.is_empty() {
            return false;
        }
        for _ in 0..PLAYERS {
            let Some(slot) = shard.next_absent() else { return false };
            let Some(player) = shard.slot(slot).id.clone() else { continue };
            // Of whom there never was news they know nothing.
            if shard.slot(slot).told > 0
                && let Some(handle) = shard.slot(slot).handle.or_else(|| self.boards.handle(&player))
            {
                self.boards.gone(handle);
            }
            let hash = shard.keys.player(&player);
            shard.release(slot, hash);
        }
        true
    }
}
