//! Deciding where the records lie.

use super::shard::Shard;
use super::{MemoryStore, shard_of};
use crate::error::StoreErrorKind;
use crate::id::CommandId;
use crate::limits::RUN_LEN_MAX;
use crate::plan::{Lanes, Plan, Records};
use crate::record::{CommitOutcome, Player, Receipt, StoredOutcome, Suspicion, Written};
use crate::replica::News;

/// Commands decided before the boards are told: enough that a short loop over one board waits for memory many times at once, and
/// few enough that what they touch stays in a processor's cache.
const ROUND_COMMANDS: usize = 256;

/// Memory that one batch after the other uses.
#[derive(Debug, Default)]
pub(super) struct Work {
    news: News,
    slots: Vec<u32>,
}

impl MemoryStore {
    pub(super) fn decide_in_place(&self, plan: &mut Plan<'_>) {
        let mut lanes = plan.lanes(&self.keys.0);
        if lanes.is_empty() {
            return;
        }
        let hash = lanes.get(0).hash;
        let mut work = self.take_work(hash);
        let mut at = 0;
        while at < lanes.len() {
            at = self.round(&mut lanes, at, &mut work);
        }
        self.keep_work(hash, work);
    }

    /// Decides some hundred commands of players from one on and tells the boards; the player to go on with.
    fn round(&self, lanes: &mut Lanes<'_, '_>, from: usize, work: &mut Work) -> usize {
        let _telling = self.gate(lanes.get(from).hash);
        let Work { news, slots } = work;
        let telling = Telling { store: self, news };
        let (mut at, mut commands) = (from, 0);
        while at < lanes.len() && commands < ROUND_COMMANDS {
            let number = shard_of(lanes.get(at).hash);
            let mut shard = self.shards[number].0.write();
            touch(&shard, number, at, lanes, slots);
            while at < lanes.len() && commands < ROUND_COMMANDS {
                let lane = lanes.get(at);
                if shard_of(lane.hash) != number {
                    break;
                }
                commands += lane.commands.len().min(RUN_LEN_MAX);
                let (hash, slot) = (lane.hash, shard.find(lane.hash, lane.player));
                let horizon = shard.horizon;
                let mut held = Held { store: self, shard: &mut shard, hash, slot, news: &mut *telling.news };
                at += usize::from(!lanes.decide(at, horizon, &mut held));
            }
        }
        at
    }
}

/// Tells the boards of what was written, also where a decision panics: what was written before it is to be seen.
struct Telling<'s, 'n> {
    store: &'s MemoryStore,
    news: &'n mut News,
}

impl Drop for Telling<'_, '_> {
    fn drop(&mut self) {
        self.store.tell(self.news);
    }
}

/// Asks memory for what several players need before any of them is looked at, so that it answers all together.
fn touch(shard: &Shard, number: usize, from: usize, lanes: &Lanes<'_, '_>, slots: &mut Vec<u32>) {
    let end = (from..lanes.len().min(from + ROUND_COMMANDS)).find(|at| shard_of(lanes.get(*at).hash) != number);
    let lanes = (from..end.unwrap_or(lanes.len().min(from + ROUND_COMMANDS))).map(|at| lanes.get(at));
    if lanes.len() < 3 {
        return;
    }
    let near = lanes.clone().fold(0, |sum, lane| sum ^ shard.touch(lane.hash));
    slots.clear();
    slots.extend(lanes.filter_map(|lane| shard.find(lane.hash, lane.player)));
    let far = slots.iter().fold(near, |sum, slot| sum ^ shard.touch_player(*slot));
    std::hint::black_box(far);
}

/// A player's records where they lie.
struct Held<'s> {
    store: &'s MemoryStore,
    shard: &'s mut Shard,
    hash: u64,
    slot: Option<u32>,
    news: &'s mut News,
}

impl Records for Held<'_> {
    fn player(&self) -> Option<&Player> {
        self.slot.and_then(|slot| self.shard.player(slot, self.shard.horizon))
    }

    fn outcome(&self, id: &CommandId) -> Result<Option<Box<StoredOutcome>>, StoreErrorKind> {
        self.slot.map_or(Ok(None), |slot| self.shard.outcome(slot, self.hash, id))
    }

    fn receipt(&self, number: u64) -> Result<Option<Box<Receipt>>, StoreErrorKind> {
        self.slot.map_or(Ok(None), |slot| self.shard.receipt(slot, number))
    }

    fn suspicion(&self, number: u64) -> Result<Option<Box<Suspicion>>, StoreErrorKind> {
        self.slot.map_or(Ok(None), |slot| self.shard.suspicion(slot, number))
    }

    fn write(&mut self, written: Written<'_>) -> CommitOutcome {
        let version = self.slot.map_or(0, |slot| self.shard.version(slot));
        if !written.changes.fits(version, self.shard.horizon) {
            return CommitOutcome::Conflict;
        }
        if let Err(kind) = self.store.feed.commit_with(|| written.to_change_set()) {
            return CommitOutcome::Failed(kind.into());
        }
        let Written { changes, outcomes } = written;
        let slot = self.slot.unwrap_or_else(|| self.shard.add(self.hash, &changes.player));
        self.slot = Some(slot);
        self.store.note(self.shard, slot, changes, self.news);
        let added = outcomes.iter().map(|outcome| (outcome.id, outcome.ts, outcome.bytes));
        self.shard.write(slot, self.hash, changes, added, &mut Vec::new());
        CommitOutcome::Applied
    }
}
