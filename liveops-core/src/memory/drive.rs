//! Deciding where the records lie.

use std::collections::VecDeque;

use parking_lot::RwLockWriteGuard;

use super::neighbours::{Named, Neighbours};
use super::shard::{Added, Shard};
use super::{MemoryStore, shard_of};
use crate::error::StoreErrorKind;
use crate::id::CommandId;
use crate::limits::RUN_LEN_MAX;
use crate::plan::{Lanes, Plan, Records};
use crate::record::{CommitOutcome, Player, Receipt, StoredOutcome, Suspicion, Written};
use crate::replica::{News, Telling};

/// Commands decided before the boards are told: enough that a short loop over one board waits for memory many times at once, and
/// few enough that what they touch stays in a processor's cache.
const ROUND_COMMANDS: usize = 256;

/// Memory that one batch after the other uses.
#[derive(Debug, Default)]
pub(super) struct Work {
    news: News,
    groups: VecDeque<Group>,
    neighbours: Neighbours,
    scratch: Vec<u8>,
}

/// Players of one shard, by their places in the plan, who have commands left.
#[derive(Clone, Copy, Debug)]
struct Group {
    shard: usize,
    at: usize,
    end: usize,
}

impl MemoryStore {
    pub(super) fn decide_in_place(&self, plan: &mut Plan<'_>) {
        let mut lanes = plan.lanes(&self.keys.0);
        if lanes.is_empty() {
            return;
        }
        let hash = lanes.get(0).hash;
        // Taken out meanwhile: what a panic leaves behind is not used again.
        let mut kept = self.work_of(hash);
        let mut work = kept.as_mut().and_then(|kept| kept.take()).unwrap_or_default();
        work.groups.clear();
        for at in 0..lanes.len() {
            match work.groups.back_mut() {
                Some(group) if shard_of(lanes.get(at).hash) == group.shard => group.end = at + 1,
                _ => work.groups.push_back(Group { shard: shard_of(lanes.get(at).hash), at, end: at + 1 }),
            }
        }
        // Threads that came to the shards in one order would go one behind the other.
        let groups = work.groups.len();
        if groups > 1 {
            work.groups.rotate_left(hash as usize % groups);
        }
        while !work.groups.is_empty() {
            self.round(&mut lanes, &mut work);
        }
        if let Some(kept) = &mut kept {
            **kept = Some(work);
        }
    }

    /// Decides some hundred commands and tells the boards.
    fn round(&self, lanes: &mut Lanes<'_, '_>, work: &mut Work) {
        let telling = self.boards.telling();
        let Work { news, groups, neighbours, scratch } = work;
        let told = ToldAtLast { store: self, telling: &telling, news };
        let mut commands = 0;
        while commands < ROUND_COMMANDS
            && let Some((mut group, mut shard)) = self.next_group(groups)
        {
            neighbours.take(&self.keys, lanes, group.at..group.end);
            neighbours.find(&shard, lanes, group.at);
            let horizon = shard.horizon;
            for (hash, slot, named) in neighbours.iter() {
                commands += named.len();
                debug_assert_eq!(named.len(), lanes.get(group.at).commands.len().min(RUN_LEN_MAX), "those of the run");
                let news = &mut *told.news;
                let mut held = Held { store: self, shard: &mut shard, hash, slot, named, news, scratch };
                if lanes.decide(group.at, horizon, &mut held) {
                    // More than a run holds: the rest is for the next time.
                    break;
                }
                group.at += 1;
                if commands >= ROUND_COMMANDS {
                    break;
                }
            }
            if group.at < group.end {
                groups.push_front(group);
            }
        }
    }

    /// The next players and their shard, held. One that somebody else holds comes later: nobody waits while there is something else to do.
    fn next_group(&self, groups: &mut VecDeque<Group>) -> Option<(Group, RwLockWriteGuard<'_, Shard>)> {
        for _ in 0..groups.len() {
            let group = groups.pop_front()?;
            if let Some(shard) = self.shards[group.shard].0.try_write() {
                return Some((group, shard));
            }
            groups.push_back(group);
        }
        let group = groups.pop_front()?;
        let shard = self.shards[group.shard].0.write();
        Some((group, shard))
    }
}

/// Tells the boards of what was written, also where a decision panics: what was written before it is to be seen.
struct ToldAtLast<'s, 'n> {
    store: &'s MemoryStore,
    telling: &'n Telling<'s>,
    news: &'n mut News,
}

impl Drop for ToldAtLast<'_, '_> {
    fn drop(&mut self) {
        self.store.tell(self.telling, self.news);
    }
}

/// A player's records where they lie.
struct Held<'s> {
    store: &'s MemoryStore,
    shard: &'s mut Shard,
    hash: u64,
    slot: Option<u32>,
    /// The commands of the run, as many as the run: both end at [`RUN_LEN_MAX`].
    named: &'s [Named],
    news: &'s mut News,
    scratch: &'s mut Vec<u8>,
}

impl Records for Held<'_> {
    fn player(&self) -> Option<&Player> {
        self.slot.and_then(|slot| self.shard.player(slot, self.shard.horizon))
    }

    #[inline]
    fn outcome(&self, command: usize, _: &CommandId) -> Result<Option<Box<StoredOutcome>>, StoreErrorKind> {
        let Named { name, tag, is_there } = &self.named[command];
        let (outcome, is_known) = match self.slot {
            Some(slot) => self.shard.outcome_named(slot, *tag, name)?,
            None => (None, false),
        };
        is_there.set(is_known);
        Ok(outcome)
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
        let added = outcomes.iter().map(|outcome| {
            let Named { name, tag, is_there } = &self.named[outcome.command];
            Added { name, tag: *tag, is_there: is_there.get(), ts: outcome.ts, outcome: outcome.bytes }
        });
        self.shard.write(slot, self.hash, changes, added, self.scratch);
        CommitOutcome::Applied
    }
}
