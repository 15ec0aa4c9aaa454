//! Deciding where the records lie.

use std::cell::RefCell;

use super::log::Name;
use super::shard::{Added, Shard};
use super::table::Tag;
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

/// Players of one shard who are looked up together.
const NEIGHBOURS: usize = 64;

/// Memory that one batch after the other uses.
#[derive(Debug, Default)]
pub(super) struct Work {
    news: News,
    /// Of neighbours, in order, each with the hash.
    slots: Vec<(u64, Option<u32>)>,
    asked: RefCell<Vec<Asked>>,
    scratch: Vec<u8>,
}

/// A command whose outcome was asked for, so that none is named twice.
#[derive(Debug)]
struct Asked {
    /// Where its name is, which stays there as long as the run is decided.
    address: usize,
    name: Name,
    tag: Tag,
    /// Whether there is an outcome, be it of before the horizon.
    is_there: bool,
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
        let _telling = self.boards.telling();
        let Work { news, slots, asked, scratch } = work;
        let telling = Telling { store: self, news };
        let (mut at, mut commands) = (from, 0);
        while at < lanes.len() && commands < ROUND_COMMANDS {
            let mut shard = self.shards[shard_of(lanes.get(at).hash)].0.write();
            look_up(&shard, at, lanes, slots);
            let horizon = shard.horizon;
            for (hash, slot) in slots.iter().copied() {
                commands += lanes.get(at).commands.len().min(RUN_LEN_MAX);
                asked.get_mut().clear();
                let news = &mut *telling.news;
                let mut held = Held { store: self, shard: &mut shard, hash, slot, asked, news, scratch };
                if lanes.decide(at, horizon, &mut held) {
                    // More than a run holds: the rest is for the next time.
                    break;
                }
                at += 1;
                if commands >= ROUND_COMMANDS {
                    break;
                }
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

/// Finds neighbours of one shard. Memory is asked for what several players need before any of them is looked at, so that it answers
/// all together.
fn look_up(shard: &Shard, from: usize, lanes: &Lanes<'_, '_>, slots: &mut Vec<(u64, Option<u32>)>) {
    slots.clear();
    let number = shard_of(lanes.get(from).hash);
    let hashes = (from..lanes.len().min(from + NEIGHBOURS)).map(|at| lanes.get(at).hash);
    slots.extend(hashes.take_while(|hash| shard_of(*hash) == number).map(|hash| (hash, None)));
    let mut near = slots.iter().fold(0, |sum, (hash, _)| sum ^ shard.touch(*hash));
    for (at, (hash, slot)) in (from..).zip(slots.iter_mut()) {
        *slot = shard.find(*hash, lanes.get(at).player);
    }
    if slots.len() > 2 {
        for (_, slot) in slots.iter() {
            near ^= slot.map_or(0, |slot| shard.touch_player(slot));
        }
    }
    std::hint::black_box(near);
}

/// A player's records where they lie.
struct Held<'s> {
    store: &'s MemoryStore,
    shard: &'s mut Shard,
    hash: u64,
    slot: Option<u32>,
    asked: &'s RefCell<Vec<Asked>>,
    news: &'s mut News,
    scratch: &'s mut Vec<u8>,
}

impl Asked {
    #[inline]
    fn new(shard: &Shard, hash: u64, id: &CommandId) -> Self {
        let name = Name::of(id);
        let tag = shard.keys.command(hash, &name);
        // Until it was looked for there may be one.
        Self { address: std::ptr::from_ref(id).addr(), name, tag, is_there: true }
    }

    #[inline]
    fn is(&self, id: &CommandId) -> bool {
        self.address == std::ptr::from_ref(id).addr()
    }
}

impl Records for Held<'_> {
    fn player(&self) -> Option<&Player> {
        self.slot.and_then(|slot| self.shard.player(slot, self.shard.horizon))
    }

    fn outcome(&self, id: &CommandId) -> Result<Option<Box<StoredOutcome>>, StoreErrorKind> {
        let mut asked = Asked::new(self.shard, self.hash, id);
        let found;
        (found, asked.is_there) = match self.slot {
            Some(slot) => self.shard.outcome_named(slot, asked.tag, &asked.name)?,
            None => (None, false),
        };
        self.asked.borrow_mut().push(asked);
        Ok(found)
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
        let asked = &mut *self.asked.borrow_mut();
        // Both are in the order of the commands. One that decided nothing is passed over.
        let mut next = asked.iter();
        if !outcomes.iter().all(|outcome| next.any(|asked| asked.is(outcome.id))) {
            asked.clear();
            asked.extend(outcomes.iter().map(|outcome| Asked::new(self.shard, self.hash, outcome.id)));
        }
        let mut next = asked.iter();
        let added = outcomes.iter().filter_map(|outcome| {
            let Asked { name, tag, is_there, .. } = next.find(|asked| asked.is(outcome.id))?;
            Some(Added { name, tag: *tag, is_there: *is_there, ts: outcome.ts, outcome: outcome.bytes })
        });
        self.shard.write(slot, self.hash, changes, added, self.scratch);
        CommitOutcome::Applied
    }
}
