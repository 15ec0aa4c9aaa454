//! What is known of players: who they are, the version last told, and the boards they stand on.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::{Mutex, RwLockReadGuard, RwLockWriteGuard};

use super::Replica;
use super::shelf::Board;
use crate::board::{Chunks, Handle, Roster};
use crate::hash;
use crate::id::PlayerId;

/// Boards that somebody stands on, by board and period. Most players stand on the same, so lists are shared.
pub(super) type List = Arc<Vec<Arc<Board>>>;

#[derive(Debug)]
pub(super) struct Players {
    pub(super) roster: Roster,
    /// By handle.
    states: Chunks<Mutex<State>, 1024>,
}

/// Of one player. Who holds it tells the boards of that player, and nobody else does.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Last told; 0 of one of whom nothing was told.
    pub(super) version: u64,
    /// `None` on no board.
    boards: Option<List>,
    /// The last time that boards were filled of which the player was told.
    pub(super) met: u32,
}

impl State {
    pub(super) fn boards(&self) -> &[Arc<Board>] {
        self.boards.as_deref().map_or(&[], Vec::as_slice)
    }

    /// The list itself, to be given to the next who stands on the same.
    pub(super) const fn list(&self) -> Option<&List> {
        self.boards.as_ref()
    }

    pub(super) fn set_boards(&mut self, boards: Option<List>) {
        self.boards = boards;
    }

    pub(super) fn take_boards(&mut self) -> Option<List> {
        self.boards.take()
    }
}

impl Players {
    pub(super) fn new(hash_key: hash::Key) -> Self {
        Self { roster: Roster::new(hash_key, 0), states: Chunks::default() }
    }

    #[inline]
    pub(super) fn state(&self, handle: Handle) -> &Mutex<State> {
        &self.states[handle as usize]
    }

    fn intern(&mut self, player: &PlayerId) -> Option<Handle> {
        let handle = self.roster.intern(player)?;
        self.states.entry(handle as usize);
        Some(handle)
    }

    /// Forgets those of whom nothing is known.
    pub(super) fn release(&mut self, handles: &[Handle]) {
        for handle in handles {
            let state = self.states[*handle as usize].get_mut();
            if state.version == 0 && state.boards.is_none() && self.roster.is_used(*handle) {
                self.roster.forget_unused(*handle);
            }
        }
    }
}

impl Replica {
    /// The handle of a player, given now if there is none. It is the player's until the player is [gone](super::Told::Gone).
    /// `None` for more than 2^32 players, which no memory holds.
    pub(crate) fn handle(&self, player: &PlayerId) -> Option<Handle> {
        let mut players = self.players.write();
        let handle = players.intern(player)?;
        if self.is_filling() {
            // Of somebody who was gone and is back: the handle is not to be given away when that ends.
            self.filling.lock().released.retain(|released| *released != handle);
        }
        Some(handle)
    }

    /// The same of many, who keep their handles as long as the table is held.
    pub(super) fn handles<'p>(
        &self,
        ids: impl Iterator<Item = &'p PlayerId> + Clone,
    ) -> (RwLockReadGuard<'_, Players>, Vec<Option<Handle>>) {
        let players = self.players.read();
        let known: Option<Vec<_>> = ids.clone().map(|id| players.roster.find(id.as_bytes()).map(Some)).collect();
        if let Some(handles) = known {
            return (players, handles);
        }
        drop(players);
        // All of them: those who were found may be gone since.
        let mut players = self.players.write();
        let handles = ids.map(|id| players.intern(id)).collect();
        (RwLockWriteGuard::downgrade(players), handles)
    }

    /// Lets handles be given to others, unless their players came back meanwhile.
    pub(super) fn release(&self, handles: Vec<Handle>) {
        if handles.is_empty() {
            return;
        }
        let mut players = self.players.write();
        if self.is_filling() {
            // Entries on their way to a board may name them.
            self.filling.lock().released.extend(handles);
        } else {
            players.release(&handles);
        }
    }
}

/// Lists by what is on them.
#[derive(Debug, Default)]
pub(super) struct Lists(Mutex<HashMap<Box<[usize]>, List>>);

impl Lists {
    /// The list that everybody shares who stands on these.
    pub(super) fn intern(&self, boards: Vec<Arc<Board>>) -> Option<List> {
        if boards.is_empty() {
            return None;
        }
        // A list keeps its boards, so no other board gets their addresses.
        let addresses = boards.iter().map(|board| Arc::as_ptr(board).addr()).collect();
        Some(Arc::clone(self.0.lock().entry(addresses).or_insert_with(|| Arc::new(boards))))
    }

    /// Forgets those that nobody has any more.
    pub(super) fn purge(&self) {
        self.0.lock().retain(|_, list| Arc::strong_count(list) > 1);
    }
}
