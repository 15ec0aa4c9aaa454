//! What is known of players: who they are, the version last told, and the boards they stand on.
//!
//! Whoever tells of a player reads the player's name and state by number, and takes no lock that others need: new players are
//! entered beside them. A number goes to somebody else only when nobody who may know it is telling any more.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::{Arc, atomic};

use parking_lot::{Mutex, MutexGuard, RwLock};

use super::Replica;
use super::arena::Arena;
use super::names::{Longs, Names};
use super::shelf::Board;
use crate::board::{Directory, Handle, Owners, Table};
use crate::hash;
use crate::id::{Lead, PlayerId};
use crate::limits::OWNERS_MAX;

/// Boards that somebody stands on, by board and period. Most players stand on the same, so lists are shared.
pub(super) type List = Arc<Vec<Arc<Board>>>;

#[derive(Debug)]
pub(super) struct Players {
    entered: RwLock<Entered>,
    names: Names,
    states: Arena<Mutex<State>>,
    /// Of players who are gone: to be given to others, once nobody who may know them is telling.
    aside: Mutex<Vec<Handle>>,
}

/// Held for as long as it takes to find or enter somebody; within it no other lock is taken but that of what is noted while boards
/// are filled.
#[derive(Debug)]
struct Entered {
    table: Table,
    longs: Longs,
}

/// Of one player. Who holds it tells the boards of that player, and nobody else does.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Last told; 0 of one of whom nothing was told, [`GONE`] of one who is gone: the name has another number or none.
    pub(super) version: u64,
    /// `None` on no board.
    boards: Option<List>,
    /// The last time that boards were filled of which the player was told.
    pub(super) met: u32,
}

/// Nothing that is told of this number is new.
pub(super) const GONE: u64 = u64::MAX;

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
        let entered = Entered { table: Table::new(hash_key, 0, OWNERS_MAX), longs: Longs::default() };
        Self {
            entered: RwLock::new(entered),
            names: Names::default(),
            states: Arena::default(),
            aside: Mutex::default(),
        }
    }

    /// Who is behind a number.
    pub(super) const fn names(&self) -> &Names {
        &self.names
    }

    /// Every number is below this.
    pub(super) fn given(&self) -> Handle {
        self.entered.read().table.given()
    }

    /// How many have one.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entered.read().table.len()
    }

    /// Of a number that was given.
    #[inline]
    pub(super) fn state(&self, handle: Handle) -> Option<&Mutex<State>> {
        self.states.get(handle)
    }

    /// The number of somebody, given now if there is none; `found` is called with it while nobody can be entered or taken out.
    fn enter(&self, player: &PlayerId, found: impl FnOnce(Handle)) -> Option<Handle> {
        self.enter_into(&mut self.entered.write(), player, found)
    }

    fn enter_into(&self, entered: &mut Entered, player: &PlayerId, found: impl FnOnce(Handle)) -> Option<Handle> {
        let Entered { table, longs } = entered;
        let hash = table.hash(player.as_bytes());
        let handle = if let Some(known) = table.find(player.as_bytes(), hash, &self.names) {
            known
        } else {
            let handle = table.give()?;
            if self.states.make(handle).is_none() || !self.names.set(handle, player, longs) {
                table.give_back(handle);
                return None;
            }
            table.enter(handle, hash, &self.names);
            handle
        };
        found(handle);
        Some(handle)
    }

    /// Takes the name of somebody who is held out of the table: nobody finds this number from then on.
    fn take_out(&self, state: &mut State, handle: Handle, entered: &mut Entered) {
        state.version = GONE;
        self.names.with(handle, |name| {
            let hash = entered.table.hash(name);
            entered.table.remove(handle, hash);
        });
        self.aside.lock().push(handle);
    }
}

impl Owners for Players {
    fn owner(&self, handle: Handle) -> PlayerId {
        self.names.owner(handle)
    }

    fn is(&self, handle: Handle, id: &[u8]) -> bool {
        self.names.is(handle, id)
    }

    #[inline]
    fn lead(&self, handle: Handle) -> Lead {
        self.names.lead(handle)
    }

    fn cmp_id(&self, handle: Handle, id: &PlayerId) -> Ordering {
        self.names.cmp_id(handle, id)
    }

    fn cmp(&self, a: Handle, b: Handle) -> Ordering {
        Owners::cmp(&self.names, a, b)
    }
}

/// Whoever asks holds the board whose entries are looked for: a number that is found and stands there is that player's.
impl Directory for Players {
    fn find(&self, id: &[u8]) -> Option<Handle> {
        let entered = self.entered.read();
        entered.table.find(id, entered.table.hash(id), &self.names)
    }
}

impl Replica {
    /// The number of a player, given now if there is none. It is the player's until the player is [gone](Self::gone).
    /// `None` for more than [`OWNERS_MAX`] players, which no memory holds.
    pub(crate) fn handle(&self, player: &PlayerId) -> Option<Handle> {
        self.players.enter(player, |handle| {
            if self.is_filling() {
                // Of somebody who was gone and is back: the number is not to be given away when that ends.
                self.filling.lock().released.retain(|released| *released != handle);
            }
        })
    }

    /// The state of a player, held, and the number.
    pub(super) fn hold(&self, player: &PlayerId) -> Option<(MutexGuard<'_, State>, Handle)> {
        loop {
            let known = self.players.find(player.as_bytes());
            let handle = known.or_else(|| self.handle(player))?;
            let state = self.players.state(handle)?.lock();
            // Gone since the number was found: the name has another one now.
            if state.version != GONE {
                return Some((state, handle));
            }
        }
    }

    /// Takes a player off all boards, of whom nothing is known then. News of that number that are told later change nothing; the
    /// name gets another number when it comes again. To be [given back](Self::give_back) later.
    pub(crate) fn gone(&self, handle: Handle) {
        if let Some(state) = self.players.state(handle) {
            self.let_go(&mut state.lock(), handle);
        }
    }

    /// The same of a player who is held.
    pub(super) fn let_go(&self, state: &mut State, handle: Handle) {
        if state.version == GONE {
            return;
        }
        for board in state.take_boards().iter().flat_map(|list| list.iter()) {
            board.put(handle, None, &self.players.names);
        }
        let mut entered = self.players.entered.write();
        if self.is_filling() {
            let name = self.players.names.owner(handle);
            // Entries on their way to a board may name this number. What was read of the name comes under the next one, which was told of.
            self.filling.lock().note(state, handle);
            self.players.take_out(state, handle, &mut entered);
            self.players.enter_into(&mut entered, &name, |next| {
                let mut filling = self.filling.lock();
                filling.told.insert(next);
                filling.released.push(next);
            });
        } else {
            self.players.take_out(state, handle, &mut entered);
        }
    }

    /// Boards are filled no more, unless there are some to be let go; whether that is so.
    pub(super) fn end_filling(&self) -> bool {
        // Nobody is let go or entered meanwhile by what holds no more.
        let _entered = self.players.entered.write();
        let mut filling = self.filling.lock();
        let ends = filling.released.is_empty();
        if ends {
            self.is_filling.store(false, atomic::Ordering::SeqCst);
            filling.end();
        }
        ends
    }

    /// Lets those be gone who were while boards were filled, unless they came back meanwhile.
    pub(super) fn let_go_filled(&self) {
        let released = self.filling.lock().released.clone();
        for handle in &released {
            let Some(state) = self.players.state(*handle) else { continue };
            let mut state = state.lock();
            let mut entered = self.players.entered.write();
            let mut filling = self.filling.lock();
            let Some(at) = filling.released.iter().position(|released| released == handle) else { continue };
            filling.released.swap_remove(at);
            drop(filling);
            if state.version == 0 && state.boards.is_none() {
                self.players.take_out(&mut state, *handle, &mut entered);
            }
        }
    }

    /// Lets the numbers of those who are gone be given to others. Waits for everybody who tells, so nobody may call it who does, or who
    /// holds a lock that they wait for.
    pub(crate) fn give_back(&self) {
        if self.is_filling() {
            // Whoever fills does it in the end: entries on their way to a board may name such numbers.
            return;
        }
        let handles = std::mem::take(&mut *self.players.aside.lock());
        if handles.is_empty() {
            return;
        }
        self.settle();
        for handle in handles {
            let Some(state) = self.players.state(handle) else { continue };
            *state.lock() = State::default();
            let mut entered = self.players.entered.write();
            self.players.names.clear(handle, &mut entered.longs);
            entered.table.give_back(handle);
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
        // Memory is given back once others may go on.
        let left: Vec<_> = self.0.lock().extract_if(|_, list| Arc::strong_count(list) == 1).collect();
        drop(left);
    }
}
