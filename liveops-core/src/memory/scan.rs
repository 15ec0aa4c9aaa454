//! Reading everything, a page at a time.

use super::MemoryStore;
use crate::error::StoreError;
use crate::id::PlayerId;
use crate::record::{Key, Kind, Record};
use crate::replica::Entry;
use crate::store::{Partitioned, Scan};

/// Players looked at before others may write again.
const LOOK_PLAYERS: usize = 1024;

impl Partitioned for MemoryStore {
    fn partitions(&self) -> u16 {
        1
    }
}

impl Scan for MemoryStore {
    fn scan(
        &self,
        partition: u16,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        let mut page = Vec::new();
        if partition > 0 || limit == 0 {
            return Ok(page);
        }
        let mut player = after.and_then(Key::player).cloned();
        if let Some(player) = &player {
            self.read_player(player, kind, after, limit, &mut page)?;
        }
        while page.len() < limit {
            let names = self.names(kind, player.as_ref(), limit - page.len());
            for name in &names {
                if page.len() < limit {
                    self.read_player(name, kind, None, limit, &mut page)?;
                }
            }
            let Some(last) = names.into_iter().last() else { break };
            player = Some(last);
        }
        Ok(page)
    }

    fn scan_player(
        &self,
        player: &PlayerId,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        let mut page = Vec::new();
        if after.and_then(Key::player).is_none_or(|after| after == player) {
            self.read_player(player, kind, after, limit, &mut page)?;
        } else if after < Some(&Key::Player(player.clone())) {
            self.read_player(player, kind, None, limit, &mut page)?;
        }
        Ok(page)
    }
}

impl MemoryStore {
    /// Sorts in the names of a shard that wait for it, some at a time.
    pub(super) fn settle(&self, at: usize, kind: Option<Kind>) {
        while !self.shards[at].0.read().is_settled(kind) {
            self.shards[at].0.write().settle(kind);
        }
    }

    /// Some players behind a name who have records of a kind, and maybe others: all there are between that name and the last of
    /// them. About as many as are wanted, and at least one if there is any.
    fn names(&self, kind: Option<Kind>, after: Option<&PlayerId>, wanted: usize) -> Vec<PlayerId> {
        let limit = wanted.min(LOOK_PLAYERS).div_ceil(self.shards.len() / 2).max(2);
        let (mut names, mut end) = (Vec::new(), None::<PlayerId>);
        for at in 0..self.shards.len() {
            self.settle(at, kind);
            let shard = self.shards[at].0.read();
            let before = names.len();
            names.extend(shard.after(kind, after).take(limit).map(|(_, name)| name.clone()));
            if names.len() == before + limit
                && let Some(last) = names.last()
                && end.as_ref().is_none_or(|end| last < end)
            {
                end = Some(last.clone());
            }
        }
        names.retain(|name| end.as_ref().is_none_or(|end| name <= end));
        names.sort_unstable();
        names
    }

    /// Adds records of a player behind one of the player's keys, until there are `limit`.
    fn read_player(
        &self,
        player: &PlayerId,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
        page: &mut Vec<(Key, Record)>,
    ) -> Result<(), StoreError> {
        let hash = self.keys.player(player);
        let shard = self.shards[super::shard_of(hash)].0.read();
        if let Some(at) = shard.find(hash, player) {
            let left = limit.saturating_sub(page.len());
            shard.records(at, kind, after, left, page)?;
        }
        Ok(())
    }

    /// Players as the boards show them, a page at a time, in no particular order.
    pub(super) fn entries(&self) -> impl FnMut(&mut Vec<Entry>) -> Result<bool, StoreError> {
        let (mut at, mut from) = (0, 0);
        move |entries| {
            while at < self.shards.len() {
                let shard = self.shards[at].0.read();
                let end = shard.given().min(from + LOOK_PLAYERS as u32);
                entries.extend((from..end).filter_map(|slot| shard.slot(slot).entry()));
                (at, from) = if end == shard.given() { (at + 1, 0) } else { (at, end) };
                if !entries.is_empty() {
                    return Ok(true);
                }
            }
            Ok(false)
        }
    }
}
