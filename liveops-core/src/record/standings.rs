//! A player's entries on boards, small enough to be copied with the player.

mod entry;

use std::fmt;
use std::ops::Range;

use serde::Serialize;

pub(crate) use self::entry::{Entry, More};
use super::BoardKey;
use crate::board::Standing;
use crate::codec::Stable;
use crate::id::BoardId;
use crate::limits::HEADER_BOARDS_MAX;
use crate::time::Timestamp;
use crate::window::Period;

/// So many entries lie in the value; more lie behind a pointer, as small as these.
const INLINE: usize = 4;

/// Entries by board and period, in that order. A board is named once, whatever periods there are entries of; up to four entries
/// of one board lie in the value, without an allocation.
///
/// ```
/// use liveops_core::record::Standings;
/// use liveops_core::board::Standing;
/// use liveops_core::{BoardId, Period, Window};
///
/// let (xp, today) = (BoardId::new("xp")?, Period { window: Window::Daily, index: 20_000 });
/// let mut standings = Standings::default();
/// standings.insert(&xp, today, Standing::default());
/// assert_eq!(standings.get(&xp, today), Some(Standing::default()));
/// # Ok::<(), liveops_core::Error>(())
/// ```
#[derive(Default)]
pub struct Standings {
    boards: Boards,
    entries: Entries,
}

/// The boards that entries are of, sorted; an entry has the place of its own.
#[derive(Default)]
#[expect(clippy::box_collection, reason = "a list of its own takes 8 bytes more in every player")]
enum Boards {
    #[default]
    None,
    One(BoardId),
    Many(Box<Vec<BoardId>>),
}

enum Entries {
    Few { len: u8, entries: [Entry; INLINE] },
    Many(Vec<Entry>),
}

impl Boards {
    #[inline]
    fn as_slice(&self) -> &[BoardId] {
        match self {
            Self::None => &[],
            Self::One(board) => std::slice::from_ref(board),
            Self::Many(boards) => boards,
        }
    }

    fn insert(&mut self, at: usize, board: BoardId) {
        *self = match std::mem::take(self) {
            Self::None => Self::One(board),
            Self::One(known) if at == 0 => Self::Many(Box::new(vec![board, known])),
            Self::One(known) => Self::Many(Box::new(vec![known, board])),
            Self::Many(mut boards) => {
                boards.insert(at, board);
                Self::Many(boards)
            }
        };
    }

    fn remove(&mut self, at: usize) {
        *self = match std::mem::take(self) {
            Self::None | Self::One(_) => Self::None,
            Self::Many(mut boards) => {
                boards.remove(at);
                match &**boards {
                    [one] => Self::One(one.clone()),
                    _ => Self::Many(boards),
                }
            }
        };
    }
}

impl Entries {
    #[inline]
    fn as_slice(&self) -> &[Entry] {
        match self {
            Self::Few { len, entries } => &entries[..usize::from(*len)],
            Self::Many(entries) => entries,
        }
    }

    #[inline]
    fn as_mut_slice(&mut self) -> &mut [Entry] {
        match self {
            Self::Few { len, entries } => &mut entries[..usize::from(*len)],
            Self::Many(entries) => entries,
        }
    }

    fn insert(&mut self, at: usize, entry: Entry) {
        match self {
            Self::Few { len, entries } if usize::from(*len) < INLINE => {
                entries[usize::from(*len)] = entry;
                entries[at..=usize::from(*len)].rotate_right(1);
                *len += 1;
            }
            Self::Few { entries, .. } => {
                let mut many = Vec::with_capacity(2 * INLINE);
                many.extend(entries.iter_mut().map(|entry| std::mem::replace(entry, Entry::UNUSED)));
                many.insert(at, entry);
                *self = Self::Many(many);
            }
            Self::Many(entries) => entries.insert(at, entry),
        }
    }

    /// Leaves out those that are to go.
    fn retain(&mut self, mut stays: impl FnMut(&Entry) -> bool) {
        match self {
            Self::Few { len, entries } => {
                let mut kept = 0_u8;
                for at in 0..usize::from(*len) {
                    if stays(&entries[at]) {
                        entries.swap(kept.into(), at);
                        kept += 1;
                    }
                }
                for entry in &mut entries[usize::from(kept)..] {
                    *entry = Entry::UNUSED;
                }
                *len = kept;
            }
            Self::Many(entries) => {
                entries.retain(stays);
                if entries.len() <= INLINE {
                    *self = std::mem::take(entries).into_iter().collect();
                }
            }
        }
    }
}

impl Default for Entries {
    fn default() -> Self {
        Self::Few { len: 0, entries: [Entry::UNUSED; INLINE] }
    }
}

impl FromIterator<Entry> for Entries {
    fn from_iter<I: IntoIterator<Item = Entry>>(all: I) -> Self {
        let mut entries = Self::default();
        for entry in all {
            let at = entries.as_slice().len();
            entries.insert(at, entry);
        }
        entries
    }
}

impl Standings {
    /// How many.
    pub fn len(&self) -> usize {
        self.entries.as_slice().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them, in order.
    pub fn iter(&self) -> Iter<'_> {
        Iter { boards: self.boards.as_slice(), entries: self.entries.as_slice().iter() }
    }

    /// The entry at a place.
    #[inline]
    pub fn at(&self, at: usize) -> Option<(&BoardId, Period, Standing)> {
        let entry = self.entries.as_slice().get(at)?;
        Some((&self.boards.as_slice()[usize::from(entry.board())], entry.period(), entry.standing()))
    }

    /// The entry in one period of one board.
    pub fn get(&self, board: &BoardId, period: Period) -> Option<Standing> {
        self.position(board, period).ok().map(|at| self.entries.as_slice()[at].standing())
    }

    /// Where it is, or belongs.
    pub fn position(&self, board: &BoardId, period: Period) -> Result<usize, usize> {
        let of = self.of_board(0, board);
        let from = of.start;
        let place = self.entries.as_slice()[of].binary_search_by(|entry| entry.period().cmp(&period));
        place.map(|at| from + at).map_err(|at| from + at)
    }

    /// Where the entries of a board are, or belong if there are none: for whoever goes through boards in order, at or behind
    /// the place that is given.
    #[inline]
    pub fn of_board(&self, from: usize, board: &BoardId) -> Range<usize> {
        let entries = self.entries.as_slice();
        let from = from.min(entries.len());
        // Most players stand on one board.
        match &self.boards {
            Boards::One(known) if known == board => from..entries.len(),
            boards => {
                let place = boards.as_slice().binary_search(board);
                let number = place.unwrap_or_else(|at| at);
                let before = |entry: &Entry| usize::from(entry.board()) < number;
                let start = from + entries[from..].partition_point(before);
                let is_of = |entry: &Entry| usize::from(entry.board()) == number;
                let len = if place.is_ok() { entries[start..].partition_point(is_of) } else { 0 };
                start..start + len
            }
        }
    }

    /// The entries of a board, as [`Self::of_board`] finds them.
    #[inline]
    pub(crate) fn on_board(&self, from: usize, board: &BoardId) -> OnBoard<'_> {
        if let Boards::One(known) = &self.boards
            && known == board
            && let Some(entries) = self.entries.as_slice().get(from..)
        {
            return OnBoard { at: from, entries };
        }
        self.on_board_of_many(from, board)
    }

    #[inline(never)]
    fn on_board_of_many(&self, from: usize, board: &BoardId) -> OnBoard<'_> {
        let Range { start, end } = self.of_board(from, board);
        OnBoard { at: start, entries: self.entries.as_slice().get(start..end).unwrap_or_default() }
    }

    /// Replaces the standing at a place, and returns the one that was there.
    #[inline]
    pub fn replace_at(&mut self, at: usize, standing: Standing) -> Option<Standing> {
        let entry = self.entries.as_mut_slice().get_mut(at)?;
        let before = entry.standing();
        *entry = Entry::new(entry.board(), entry.period(), standing);
        Some(before)
    }

    /// Exchanges an entry for one of the same board and period.
    #[inline]
    pub(crate) fn exchange_at(&mut self, at: usize, entry: &mut Entry) {
        if let Some(known) = self.entries.as_mut_slice().get_mut(at) {
            std::mem::swap(known, entry);
        }
    }

    /// Puts an entry in its place, and returns the one that it replaces. A store knows no more than [`HEADER_BOARDS_MAX`] boards:
    /// an entry of one more than that changes nothing.
    pub fn insert(&mut self, board: &BoardId, period: Period, standing: Standing) -> Option<Standing> {
        match self.position(board, period) {
            Ok(at) => self.replace_at(at, standing),
            Err(at) => {
                self.insert_at(at, board, period, standing);
                None
            }
        }
    }

    /// Puts a new entry where [`Self::position`] says that it belongs. False if there are too many boards.
    pub(crate) fn insert_at(&mut self, at: usize, board: &BoardId, period: Period, standing: Standing) -> bool {
        self.insert_entry_at(at, board, Entry::of(period, standing))
    }

    /// The same of an entry, whatever board it was of.
    pub(crate) fn insert_entry_at(&mut self, at: usize, board: &BoardId, mut entry: Entry) -> bool {
        let number = match self.boards.as_slice().binary_search(board) {
            Ok(number) => number,
            Err(_) if self.boards.as_slice().len() >= HEADER_BOARDS_MAX => return false,
            Err(number) => {
                self.boards.insert(number, board.clone());
                for entry in &mut self.entries.as_mut_slice()[at..] {
                    *entry.board_mut() += 1;
                }
                number
            }
        };
        let Ok(number) = u16::try_from(number) else { return false };
        *entry.board_mut() = number;
        self.entries.insert(at, entry);
        true
    }

    /// Takes out those that are to go. Mostly none are, and then nothing happens.
    pub fn extract_if(
        &mut self,
        mut goes: impl FnMut(&BoardId, Period, Standing) -> bool,
    ) -> Vec<(BoardKey, Standing)> {
        let boards = self.boards.as_slice();
        let board = |entry: &Entry| &boards[usize::from(entry.board())];
        let mut asked = |entry: &Entry| goes(board(entry), entry.period(), entry.standing());
        let Some(first) = self.entries.as_slice().iter().position(&mut asked) else { return Vec::new() };
        let mut gone = Vec::new();
        let mut at = 0;
        self.entries.retain(|entry| {
            let goes = at == first || at > first && asked(entry);
            at += 1;
            if goes {
                let key = BoardKey { board: board(entry).clone(), period: entry.period() };
                gone.push((key, entry.standing()));
            }
            !goes
        });
        self.forget_boards();
        gone
    }

    /// Lets go of the boards that nothing is of any more.
    fn forget_boards(&mut self) {
        for number in (0..self.boards.as_slice().len()).rev() {
            let from = self.entries.as_slice().partition_point(|entry| usize::from(entry.board()) < number);
            let entries = &mut self.entries.as_mut_slice()[from..];
            if entries.first().is_none_or(|entry| usize::from(entry.board()) != number) {
                self.boards.remove(number);
                for entry in entries {
                    *entry.board_mut() -= 1;
                }
            }
        }
    }

    /// A list of them, each with its key.
    pub fn to_vec(&self) -> Vec<(BoardKey, Standing)> {
        self.iter().map(|(board, period, standing)| (BoardKey { board: board.clone(), period }, standing)).collect()
    }
}

impl FromIterator<(BoardKey, Standing)> for Standings {
    fn from_iter<I: IntoIterator<Item = (BoardKey, Standing)>>(all: I) -> Self {
        let mut standings = Self::default();
        for (BoardKey { board, period }, standing) in all {
            standings.insert(&board, period, standing);
        }
        standings
    }
}

impl<'s> IntoIterator for &'s Standings {
    type Item = (&'s BoardId, Period, Standing);
    type IntoIter = Iter<'s>;

    fn into_iter(self) -> Iter<'s> {
        self.iter()
    }
}

/// Goes through the entries of one board.
pub(crate) struct OnBoard<'s> {
    at: usize,
    entries: &'s [Entry],
}

impl<'s> OnBoard<'s> {
    /// Where the next entry is.
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    /// Where the entry in one period is, or belongs, and what is there. Periods are asked for in order.
    #[inline]
    pub(crate) fn find(&mut self, period: Period) -> (usize, Option<&'s Entry>) {
        // Of one board there are a few periods.
        while let Some((entry, behind)) = self.entries.split_first() {
            let (at, known) = (self.at, entry.period());
            if known != period && known > period {
                break;
            }
            (self.at, self.entries) = (at + 1, behind);
            if known == period {
                return (at, Some(entry));
            }
        }
        (self.at, None)
    }
}

/// Goes through [`Standings`]: the board, the period and the standing of each.
#[derive(Clone)]
pub struct Iter<'s> {
    boards: &'s [BoardId],
    entries: std::slice::Iter<'s, Entry>,
}

impl<'s> Iterator for Iter<'s> {
    type Item = (&'s BoardId, Period, Standing);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.entries.next()?;
        Some((&self.boards[usize::from(entry.board())], entry.period(), entry.standing()))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.entries.size_hint()
    }
}

impl ExactSizeIterator for Iter<'_> {}

impl fmt::Debug for Iter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

impl fmt::Debug for Standings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().fmt(f)
    }
}

impl Clone for Boards {
    fn clone(&self) -> Self {
        match self {
            Self::None => Self::None,
            Self::One(board) => Self::One(board.clone()),
            Self::Many(boards) => Self::Many(boards.clone()),
        }
    }

    #[inline]
    fn clone_from(&mut self, from: &Self) {
        match (&mut *self, from) {
            // Mostly the same players come again, with the same boards.
            (Self::One(into), Self::One(from)) if into == from => {}
            (Self::Many(into), Self::Many(from)) => into.clone_from(from),
            _ => *self = from.clone(),
        }
    }
}

impl Clone for Entries {
    fn clone(&self) -> Self {
        match self {
            Self::Few { len, entries } => Self::Few { len: *len, entries: entries.clone() },
            Self::Many(entries) => Self::Many(entries.clone()),
        }
    }

    #[inline]
    fn clone_from(&mut self, from: &Self) {
        match (&mut *self, from) {
            (Self::Few { len: into_len, entries: into }, Self::Few { len, entries }) => {
                let until = usize::from(*len.max(into_len));
                for (into, from) in into.iter_mut().zip(entries).take(until) {
                    *into = match from {
                        Entry::Small(small) => Entry::Small(*small),
                        large @ Entry::Large(_) => large.clone(),
                    };
                }
                *into_len = *len;
            }
            (Self::Many(into), Self::Many(from)) => into.clone_from(from),
            _ => *self = from.clone(),
        }
    }
}

/// What was there is used again.
impl Clone for Standings {
    fn clone(&self) -> Self {
        Self { boards: self.boards.clone(), entries: self.entries.clone() }
    }

    fn clone_from(&mut self, from: &Self) {
        self.boards.clone_from(&from.boards);
        self.entries.clone_from(&from.entries);
    }
}

impl PartialEq for Standings {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Eq for Standings {}

/// As a list of keys and standings. What is out of order, or there twice, was never written.
impl Stable for Standings {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        for (board, period, standing) in self {
            board.put(out);
            period.put(out);
            standing.put(out);
        }
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        let mut standings = Self::default();
        for at in 0..u64::take(from)? {
            let at = usize::try_from(at).ok()?;
            let (board, period) = (BoardId::take(from)?, Period::take(from)?);
            let standing = Standing::take(from)?;
            let last = at.checked_sub(1).and_then(|last| standings.at(last));
            let is_next = last.is_none_or(|(known, before, _)| (known, before) < (&board, period));
            if !is_next || !standings.insert_at(at, &board, period, standing) {
                return None;
            }
        }
        Some(standings)
    }
}

impl Serialize for Standings {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Line<'a> {
            board: &'a BoardId,
            #[serde(flatten)]
            period: Period,
            score: i64,
            subscore: i64,
            reached_at: Timestamp,
        }
        to.collect_seq(self.iter().map(|(board, period, standing)| Line {
            board,
            period,
            score: standing.score.score,
            subscore: standing.score.subscore,
            reached_at: standing.reached_at,
        }))
    }
}

#[cfg(test)]
mod tests;
