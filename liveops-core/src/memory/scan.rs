//! Reading everything, a page at a time.

use super::MemoryStore;
use super::names::Names;
use crate::error::StoreError;
use crate::id::PlayerId;
use crate::record::{Horizon, Key, Kind, Record};
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
            self.read_player(player, kind, after, limit, *self.gate(Some(player)), &mut page)?;
        }
        while page.len() < limit {
            let horizon = self.gate(player.as_ref());
            let names = self.names_of(kind).page(player.as_ref(), limit.clamp(64, LOOK_PLAYERS));
            for name in &names {
                if page.len() < limit {
                    self.read_player(name, kind, None, limit, *horizon, &mut page)?;
                }
            }
            drop(horizon);
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
            self.read_player(player, kind, after, limit, *self.gate(Some(player)), &mut page)?;
        } else if after < Some(&Key::Player(player.clone())) {
            self.read_player(player, kind, None, limit, *self.gate(Some(player)), &mut page)?;
        }
        Ok(page)
    }
}

impl MemoryStore {
    /// Those who have records of a kind, and maybe others.
    const fn names_of(&self, kind: Option<Kind>) -> &Names {
        if matches!(kind, Some(Kind::Suspicion)) { &self.suspects } else { &self.names }
    }

    /// Adds records of a player behind one of the player's keys, until there are `limit`.
    fn read_player(
        &self,
        player: &PlayerId,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
        horizon: Horizon,
        page: &mut Vec<(Key, Record)>,
    ) -> Result<(), StoreError> {
        if let Some(slot) = self.players.get(player) {
            let left = limit.saturating_sub(page.len());
            slot.records(player, kind, after, left, horizon, page)?;
        }
        Ok(())
    }

    /// Every record in the order of keys; the caller has closed all gates.
    pub(super) fn each_record(
        &self,
        horizon: Horizon,
        mut each: impl FnMut(&Key, &Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut records = Vec::new();
        let mut player = None;
        loop {
            let names = self.names.page(player.as_ref(), LOOK_PLAYERS);
            for name in &names {
                self.read_player(name, None, None, usize::MAX, horizon, &mut records)?;
                records.drain(..).try_for_each(|(key, record)| each(&key, &record))?;
            }
            let Some(last) = names.into_iter().last() else { return Ok(()) };
            player = Some(last);
        }
    }

    /// Players as the boards show them, a page at a time.
    pub(super) fn entries(&self) -> impl FnMut(&mut Vec<Entry>) -> Result<bool, StoreError> {
        let mut player: Option<PlayerId> = None;
        move |entries| {
            let names = self.names.page(player.as_ref(), LOOK_PLAYERS);
            entries.extend(names.iter().filter_map(|name| self.players.get(name)?.entry(name)));
            player = names.into_iter().last();
            Ok(player.is_some())
        }
    }
}
