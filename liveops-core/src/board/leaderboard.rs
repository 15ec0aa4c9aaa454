//! One ranked set, usable alone.

use std::collections::BTreeSet;

use super::owners::Directory as _;
use super::ranks::Ranks;
use super::roster::{Handle, Roster};
use super::view::Name;
use super::{
    Cursor, Operator, Order, Page, Ranking, Row, Score, ScoreRange, Settings, Sort, Standing, Ties, View, snapshot,
};
use crate::codec::Stable as _;
use crate::error::{Code, Error};
use crate::hash::Key;
use crate::id::{BoardId, PlayerId};
use crate::limits::BOARD_CAPACITY_MAX;
use crate::time::Timestamp;

/// One ranked set of owners. Scores lie within ±(2^53 - 1); beyond is `score_overflow` and changes nothing.
///
/// A submit, a rank and the place of a page each take a few steps down a tree: about a microsecond with a million
/// owners. about 60 bytes an owner with an id of up to 22 bytes.
///
/// ```
/// use liveops_core::board::{Leaderboard, Operator, Order};
///
/// let mut laps = Leaderboard::new(Order::Asc, Operator::Best);
/// laps.submit("ana", 61_200)?;
/// laps.submit("bo", 59_900)?;
/// laps.submit("ana", 63_000)?; // not better: nobody moves
/// let names: Vec<_> = laps.top(10).into_iter().map(|row| row.owner.to_string()).collect();
/// assert_eq!(names, ["bo", "ana"]);
///
/// laps.hide("bo");
/// assert_eq!((laps.rank("ana"), laps.rank("bo")), (Some(1), None));
/// laps.unhide("bo");
/// assert_eq!(laps.rank("bo"), Some(1));
///
/// let copy = Leaderboard::restore(&laps.snapshot())?;
/// assert_eq!(copy.top(10), laps.top(10));
/// # Ok::<(), liveops_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Leaderboard {
    settings: Settings,
    roster: Roster,
    ranks: Ranks,
    hidden: BTreeSet<Handle>,
    /// Orders submits that come without a time.
    submits: i64,
    hash_key: Key,
    capacity: usize,
}

/// An owner's entry after a submit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The score.
    pub score: i64,
    /// The subscore.
    pub subscore: i64,
    /// When the score was reached: the time given, or the number of the submit.
    pub reached_at: Timestamp,
}

impl From<Standing> for Entry {
    fn from(Standing { score: Score { score, subscore }, reached_at, .. }: Standing) -> Self {
        Self { score, subscore, reached_at }
    }
}

/// Setting up; to be done before the first submit, since what is set starts an empty board.
impl Leaderboard {
    /// An empty board: first to reach wins a tie, ranks are 1, 2, 3.
    pub fn new(order: Order, operator: Operator) -> Self {
        Self::empty(
            Settings { operator, sort: Sort { order, ties: Ties::default() }, ..Settings::default() },
            [0; 16],
            0,
        )
    }

    fn empty(settings: Settings, hash_key: Key, capacity: usize) -> Self {
        let mut ranks = Ranks::new(settings.sort, settings.operator == Operator::Set);
        ranks.reserve(capacity);
        let roster = Roster::new(hash_key, capacity);
        Self { settings, roster, ranks, hidden: BTreeSet::new(), submits: 0, hash_key, capacity }
    }

    /// Another rule for ties.
    #[must_use]
    pub fn ties(self, ties: Ties) -> Self {
        let sort = Sort { ties, ..self.settings.sort };
        Self::empty(Settings { sort, ..self.settings }, self.hash_key, self.capacity)
    }

    /// Another way to count ranks; at any time.
    #[must_use]
    pub fn ranking(mut self, ranking: Ranking) -> Self {
        self.settings.ranking = ranking;
        self
    }

    /// A name, by which a [`Cursor`] and a snapshot know this board from others.
    #[must_use]
    pub fn named(mut self, board: BoardId) -> Self {
        self.settings.name = Some(board);
        self
    }

    /// A hash key that strangers do not know, for owner ids that they choose.
    #[must_use]
    pub fn hash_key(self, key: Key) -> Self {
        Self::empty(self.settings, key, self.capacity)
    }

    /// Memory for so many owners at once, at most [`BOARD_CAPACITY_MAX`]. Without it the board grows in chunks of some
    /// kilobytes, so that no submit waits for long in either case.
    #[must_use]
    pub fn with_capacity(self, owners: usize) -> Self {
        Self::empty(self.settings, self.hash_key, owners.min(BOARD_CAPACITY_MAX))
    }
}

/// Writing.
impl Leaderboard {
    /// Takes one value and returns the owner's entry. Submits without a time are ordered by their number.
    ///
    /// Errors: `id_invalid`, `score_overflow`.
    #[inline]
    pub fn submit(&mut self, owner: &str, value: impl Into<Score>) -> Result<Entry, Error> {
        self.change(owner, value.into(), None).map(|(_, after)| after.into())
    }

    /// Takes one value that came at a given time, which decides ties and [`Operator::Set`].
    #[inline]
    pub fn submit_at(&mut self, owner: &str, value: impl Into<Score>, at: Timestamp) -> Result<Entry, Error> {
        self.change(owner, value.into(), Some(at)).map(|(_, after)| after.into())
    }

    /// Takes one value; the standing of before and of after.
    #[inline]
    pub(crate) fn change(
        &mut self,
        owner: &str,
        value: Score,
        at: Option<Timestamp>,
    ) -> Result<(Option<Standing>, Standing), Error> {
        self.take(owner, value, at).map(|(_, before, after)| (before, after))
    }

    /// Takes many values, all of them or, on an error, none; the error says which one was refused.
    ///
    /// Errors: `id_invalid`, `score_overflow`.
    pub fn submit_batch<V: Into<Score> + Copy>(&mut self, values: &[(&str, V)]) -> Result<(), BatchError> {
        let submits = self.submits;
        let mut done = Vec::with_capacity(values.len());
        for (index, (owner, value)) in values.iter().enumerate() {
            match self.take(owner, (*value).into(), None) {
                Ok((handle, before, _)) => done.push((handle, before)),
                Err(error) => {
                    for (handle, before) in done.into_iter().rev() {
                        self.put(handle, before);
                    }
                    self.submits = submits;
                    return Err(BatchError { index, error });
                }
            }
        }
        Ok(())
    }

    /// Removes an owner's entry; whether there was one. A hidden owner stays hidden.
    pub fn remove(&mut self, owner: &str) -> bool {
        let Some(handle) = self.roster.find(owner.as_bytes()) else { return false };
        let is_there = self.ranks.standing(handle).is_some();
        self.put(handle, None);
        is_there
    }

    /// Takes an owner off the board: no rank, on no page, counted nowhere. The entry stays and takes submits. Whether
    /// anything changed; an owner can be hidden before the first submit.
    pub fn hide(&mut self, owner: &str) -> bool {
        let Ok(handle) = self.handle(owner) else { return false };
        let changed = self.hidden.insert(handle);
        if changed {
            self.roster.retain(handle);
            self.ranks.set_hidden(handle, true, &self.roster);
        }
        changed
    }

    /// Shows an owner again, at the exact place of before; whether anything changed.
    pub fn unhide(&mut self, owner: &str) -> bool {
        let Some(handle) = self.roster.find(owner.as_bytes()) else { return false };
        let changed = self.hidden.remove(&handle);
        if changed {
            self.ranks.set_hidden(handle, false, &self.roster);
            self.roster.release(handle);
        }
        changed
    }

    /// The handle of an owner, given now if there is none.
    #[inline]
    fn handle(&mut self, owner: &str) -> Result<Handle, Error> {
        match self.roster.find(owner.as_bytes()) {
            Some(handle) => Ok(handle),
            None => Ok(self.roster.intern(&PlayerId::new(owner)?).ok_or(Code::StoreFull)?),
        }
    }

    /// Takes one value: whose, and the standing of before and of after.
    #[inline]
    fn take(
        &mut self,
        owner: &str,
        value: Score,
        at: Option<Timestamp>,
    ) -> Result<(Handle, Option<Standing>, Standing), Error> {
        let at = at.unwrap_or(Timestamp::from_unix_millis(self.submits.saturating_add(1)));
        let Settings { operator, sort, .. } = self.settings;
        let handle = self.handle(owner)?;
        let found = self.ranks.find(handle);
        let before = self.ranks.standing_at(handle, found);
        let Ok(after) = operator.apply(before, sort, value, at, at) else {
            self.roster.forget_unused(handle);
            return Err(Code::ScoreOverflow.into());
        };
        if before.is_none() {
            self.roster.retain(handle);
        }
        self.submits = self.submits.max(at.as_unix_millis());
        if before != Some(after) {
            let hidden = !self.hidden.is_empty() && self.hidden.contains(&handle);
            self.ranks.put(handle, found, Some(after), hidden, &self.roster);
        }
        Ok((handle, before, after))
    }

    /// Replaces, adds or removes an entry.
    fn put(&mut self, handle: Handle, standing: Option<Standing>) {
        let found = self.ranks.find(handle);
        let was_there = self.ranks.standing_at(handle, found).is_some();
        self.ranks.put(handle, found, standing, self.hidden.contains(&handle), &self.roster);
        match (was_there, standing) {
            (false, Some(_)) => self.roster.retain(handle),
            (true, None) => self.roster.release(handle),
            _ => {}
        }
    }
}

/// Reading; see [`View`].
impl Leaderboard {
    /// Everything there is to read.
    #[inline]
    pub fn view(&self) -> View<'_> {
        let name = Name { board: self.settings.name.as_ref(), period: None, sort: Some(self.settings.sort) };
        View::new(Some(&self.ranks), &self.roster, self.settings.ranking, name)
    }

    /// The owner's score and subscore, hidden or not.
    pub fn score(&self, owner: &str) -> Option<Score> {
        self.view().score(owner)
    }

    /// Rank from 1.
    #[inline]
    pub fn rank(&self, owner: &str) -> Option<u64> {
        self.view().rank(owner)
    }

    /// The best `limit`.
    pub fn top(&self, limit: usize) -> Vec<Row> {
        self.view().top(limit)
    }

    /// `offset..offset + limit`, best first.
    pub fn page(&self, offset: usize, limit: usize) -> Vec<Row> {
        self.view().page(offset, limit)
    }

    /// The first `limit`, or those behind a page's end.
    ///
    /// Errors: `cursor_invalid` for a cursor of another board.
    pub fn page_after(&self, cursor: Option<&Cursor>, limit: usize) -> Result<Page, Error> {
        self.view().page_after(cursor, limit)
    }

    /// The owner's row with up to `each_side` rows above and below.
    pub fn around_owner(&self, owner: &str, each_side: usize) -> Vec<Row> {
        self.view().around(owner, each_side)
    }

    /// Rows of some owners, best first, with their ranks on the whole board.
    pub fn by_owners<'a>(&self, owners: impl IntoIterator<Item = &'a str>) -> Vec<Row> {
        self.view().by_owners(owners)
    }

    /// How many are strictly better than a score.
    pub fn count_above(&self, score: i64) -> u64 {
        self.view().count_above(score)
    }

    /// How many of the others an owner is ahead of, in hundredths of a percent; see [`View::percentile`].
    pub fn percentile(&self, owner: &str) -> Option<u32> {
        self.view().percentile(owner)
    }

    /// Those with a score in the range, best first, without the first `offset` of them.
    pub fn by_score_range(&self, scores: ScoreRange, offset: usize, limit: usize) -> Vec<Row> {
        self.view().by_score_range(scores, offset, limit)
    }

    /// Everybody, best first.
    pub fn iter(&self) -> impl Iterator<Item = Row> + use<'_> {
        self.view().iter()
    }

    /// How many are shown.
    pub fn len(&self) -> u64 {
        self.view().len()
    }

    /// Whether nobody is shown.
    pub fn is_empty(&self) -> bool {
        self.view().is_empty()
    }

    /// How the board counts, sorts and ranks.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }
}

/// Keeping.
impl Leaderboard {
    /// The whole board as bytes that depend on nothing else, with a checksum at the end.
    pub fn snapshot(&self) -> Vec<u8> {
        snapshot::BOARD.close(|out| {
            self.settings.put(out);
            snapshot::put_hidden(&self.hidden, &self.roster, out);
            snapshot::put_ranks(&self.ranks, &self.roster, out);
            self.submits.put(out);
        })
    }

    /// The board of a snapshot, with a hash key of zeros.
    ///
    /// Errors: `snapshot_corrupt`, `score_overflow` for scores beyond ±(2^53 - 1), which earlier versions took, and
    /// `record_too_new` for a later version's.
    pub fn restore(bytes: &[u8]) -> Result<Self, Error> {
        Self::restore_keyed(bytes, [0; 16])
    }

    /// The same under a hash key that strangers do not know, for owner ids that they chose.
    pub fn restore_keyed(bytes: &[u8], hash_key: Key) -> Result<Self, Error> {
        let body = snapshot::open(snapshot::BOARD, bytes)?;
        let settings = Settings::take(&mut &*body).ok_or(Code::SnapshotCorrupt)?;
        Self::empty(settings, hash_key, 0).restored(bytes)
    }

    /// This board, emptied, with what a snapshot holds.
    ///
    /// Errors: `board_incompatible` for the snapshot of a board that counts or sorts otherwise or has another name,
    /// and those of [`Self::restore`].
    pub fn restored(self, bytes: &[u8]) -> Result<Self, Error> {
        let mut body = snapshot::open(snapshot::BOARD, bytes)?;
        let settings = Settings::take(&mut body).ok_or(Code::SnapshotCorrupt)?;
        if !settings.same_entries(&self.settings) {
            return Err(Code::BoardIncompatible.into());
        }
        let mut board = Self::empty(self.settings, self.hash_key, self.capacity);
        board.fill(&mut body)?;
        if !body.is_empty() {
            return Err(Code::SnapshotCorrupt.into());
        }
        Ok(board)
    }

    fn fill(&mut self, body: &mut &[u8]) -> Result<(), Code> {
        self.hidden = snapshot::take_hidden(&mut self.roster, body).ok_or(Code::SnapshotCorrupt)?;
        snapshot::take_ranks(&mut self.ranks, &mut self.roster, &self.hidden, body)?;
        self.submits = i64::take(body).ok_or(Code::SnapshotCorrupt)?;
        Ok(())
    }
}

/// Which value of a batch was refused, and why. Nothing of the batch was taken.
#[derive(Clone, Debug, thiserror::Error)]
#[error("value {index} of the batch: {error}")]
pub struct BatchError {
    /// Position in the batch, from 0.
    pub index: usize,
    /// What was wrong with it.
    pub error: Error,
}

impl BatchError {
    /// The stable code.
    pub const fn code(&self) -> Code {
        self.error.code()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::INTEGER_MAX;

    fn order(board: &Leaderboard) -> Vec<String> {
        board.iter().map(|row| row.owner.to_string()).collect()
    }

    #[test]
    fn returning_to_a_score_puts_you_behind_those_who_stayed() {
        let mut board = Leaderboard::new(Order::Desc, Operator::Incr);
        for (owner, value) in [("ann", 10), ("bob", 10), ("ann", 5), ("ann", -5), ("bob", 0)] {
            board.submit(owner, value).unwrap();
        }
        assert_eq!(order(&board), ["bob", "ann"]);
    }

    #[test]
    fn hiding_keeps_the_exact_place() {
        let mut board = Leaderboard::new(Order::Desc, Operator::Incr);
        for owner in ["dee", "ann", "cat"] {
            board.submit(owner, 50).unwrap();
        }
        assert!(board.hide("ann") && !board.hide("ann") && !board.unhide("nobody"));
        assert_eq!((board.rank("ann"), board.rank("cat"), board.len()), (None, Some(2), 2));
        board.submit("ann", 0).unwrap();
        assert!(board.unhide("ann"));
        assert_eq!(order(&board), ["dee", "ann", "cat"]);
        assert!(board.remove("dee") && !board.remove("dee"));
        assert_eq!(board.rank("ann"), Some(1));
    }

    #[test]
    fn who_is_hidden_stays_hidden() {
        let mut board = Leaderboard::new(Order::Desc, Operator::Incr);
        assert!(board.hide("eve"));
        board.submit("eve", 5).unwrap();
        assert_eq!((board.len(), board.score("eve")), (0, Some(5.into())));
        assert!(board.remove("eve"));
        board.submit("eve", 7).unwrap();
        assert_eq!(board.rank("eve"), None);
        assert!(board.unhide("eve"));
        assert_eq!(board.rank("eve"), Some(1));
        assert!(!board.hide("no id"));
    }

    #[test]
    fn bad_input_changes_nothing() {
        let mut board = Leaderboard::new(Order::Desc, Operator::Incr);
        board.submit("ann", INTEGER_MAX).unwrap();
        assert_eq!(board.submit("ann", 1).unwrap_err().code(), Code::ScoreOverflow);
        assert_eq!(board.submit("a b", 1).unwrap_err().code(), Code::IdInvalid);
        assert_eq!((board.len(), board.score("ann").unwrap().score), (1, INTEGER_MAX));
        let mut down = Leaderboard::new(Order::Asc, Operator::Decr);
        assert_eq!(down.submit("new", -INTEGER_MAX - 1).unwrap_err().code(), Code::ScoreOverflow);
        assert_eq!((down.len(), down.roster.len()), (0, 0));
        for board in [&board, &Leaderboard::new(Order::Asc, Operator::Set)] {
            assert_eq!((board.rank("nobody"), board.around_owner("nobody", 5).len()), (None, 0));
            assert_eq!(board.page(usize::MAX, usize::MAX), []);
            assert_eq!(board.top(usize::MAX).len() as u64, board.len());
        }
    }

    #[test]
    fn a_batch_is_taken_whole_or_not_at_all() {
        let mut board = Leaderboard::new(Order::Desc, Operator::Incr);
        board.submit("ann", 5).unwrap();
        let before = board.snapshot();
        for (bad, code) in [(("bob", INTEGER_MAX), Code::ScoreOverflow), (("no id", 0), Code::IdInvalid)] {
            let error = board.submit_batch(&[("bob", 1), ("ann", 3), ("cat", 2), bad]).unwrap_err();
            assert_eq!((error.index, error.code()), (3, code));
            assert_eq!((board.snapshot(), board.roster.len()), (before.clone(), 1));
        }
        board.submit_batch(&[("bob", 9), ("ann", 3), ("bob", -1)]).unwrap();
        assert_eq!(order(&board), ["ann", "bob"], "ann was at 8 first");
    }

    #[test]
    fn a_page_goes_on_where_the_last_one_ended_whoever_moves() {
        let mut board = Leaderboard::new(Order::Desc, Operator::Incr);
        for (owner, score) in [("a", 50), ("b", 40), ("c", 30), ("d", 20), ("e", 10)] {
            board.submit(owner, score).unwrap();
        }
        let first = board.page_after(None, 2).unwrap();
        board.submit("e", 100).unwrap();
        board.remove("b");
        let next = board.page_after(first.next.as_ref(), 2).unwrap();
        let names = |page: &Page| page.rows.iter().map(|row| format!("{}{}", row.rank, row.owner)).collect::<Vec<_>>();
        assert_eq!((names(&first), names(&next)), (vec!["1a".into(), "2b".into()], vec!["3c".into(), "4d".into()]));
        assert_eq!(next.next, None);
        let other = Leaderboard::new(Order::Asc, Operator::Incr);
        assert_eq!(other.page_after(first.next.as_ref(), 2).unwrap_err().code(), Code::CursorInvalid);
        let another = Leaderboard::new(Order::Desc, Operator::Incr).named(BoardId::new("xp").unwrap());
        assert_eq!(another.page_after(first.next.as_ref(), 2).unwrap_err().code(), Code::CursorInvalid);
    }

    #[test]
    fn ranges_and_shares() {
        let mut board = Leaderboard::new(Order::Asc, Operator::Set);
        for (owner, score) in [("a", -INTEGER_MAX), ("b", -1), ("c", 7), ("d", 7), ("e", INTEGER_MAX)] {
            board.submit(owner, Score { score, subscore: INTEGER_MAX }).unwrap();
        }
        let names = |rows: Vec<Row>| rows.iter().map(|row| row.owner.to_string()).collect::<String>();
        assert_eq!(names(board.by_score_range(-1..=7, 0, 9)), "bcd");
        assert_eq!(names(board.by_score_range(-1..=7, 1, 1)), "c");
        assert_eq!(names(board.by_score_range(i64::MIN..=i64::MAX, 0, usize::MAX)), "abcde");
        assert_eq!(
            names(board.by_score_range(ScoreRange::new(8, 7), 0, 9)) + &names(board.by_score_range(0..=9, 9, 9)),
            ""
        );
        assert_eq!((board.count_above(7), board.count_above(i64::MIN), board.count_above(INTEGER_MAX)), (2, 0, 4));
        assert_eq!(board.count_above(i64::MAX), 5);
        assert_eq!(
            ["a", "b", "c", "d", "e"].map(|name| board.percentile(name).unwrap()),
            [10_000, 7_500, 2_500, 2_500, 0]
        );
        let mut alone = Leaderboard::new(Order::Desc, Operator::Incr);
        alone.submit("ann", -INTEGER_MAX).unwrap();
        assert_eq!((alone.percentile("ann"), alone.percentile("bob")), (Some(10_000), None));
    }

    /// Bytes of before, when a board took 64 bits.
    #[test]
    fn larger_scores_in_old_bytes_are_told() {
        for (score, subscore) in [(INTEGER_MAX + 1, 0), (0, -INTEGER_MAX - 1), (i64::MIN, i64::MAX)] {
            let mut board = Leaderboard::new(Order::Desc, Operator::Set);
            let handle = board.handle("ann").unwrap();
            let standing = Standing { score: Score { score, subscore }, ..Standing::default() };
            board.put(handle, Some(standing));
            let bytes = board.snapshot();
            assert_eq!(Leaderboard::restore(&bytes).unwrap_err().code(), Code::ScoreOverflow);
            board.put(handle, Some(Standing { score: INTEGER_MAX.into(), ..standing }));
            assert_eq!(Leaderboard::restore(&board.snapshot()).unwrap().rank("ann"), Some(1));
        }
    }

    #[test]
    fn a_snapshot_is_the_board_and_nothing_else() {
        for (operator, ties) in
            [(Operator::Incr, Ties::FirstToReach), (Operator::Set, Ties::OwnerId), (Operator::Best, Ties::LastToReach)]
        {
            let mut board = Leaderboard::new(Order::Desc, operator).ties(ties);
            for (n, owner) in (0..).zip(["ann", "bob", "cat", "dee"]) {
                board
                    .submit_at(owner, Score { score: n / 2, subscore: -n }, Timestamp::from_unix_millis(100 - n))
                    .unwrap();
            }
            board.hide("cat");
            board.hide("eve");
            let bytes = board.snapshot();
            let mut copy = Leaderboard::restore(&bytes).unwrap();
            assert_eq!((copy.top(9), copy.snapshot()), (board.top(9), bytes.clone()));
            let other_key =
                Leaderboard::new(Order::Desc, operator).ties(ties).hash_key([9; 16]).restored(&bytes).unwrap();
            assert_eq!(other_key.snapshot(), bytes);
            for board in [&mut board, &mut copy] {
                board.submit_at("ann", 7, Timestamp::from_unix_millis(1)).unwrap();
                board.unhide("cat");
                board.submit("eve", 3).unwrap();
            }
            assert_eq!((copy.top(9), copy.snapshot()), (board.top(9), board.snapshot()));
            let incompatible = Leaderboard::new(Order::Asc, operator).ties(ties).restored(&bytes);
            assert_eq!(incompatible.unwrap_err().code(), Code::BoardIncompatible);
            for at in 0..bytes.len() {
                assert_eq!(Leaderboard::restore(&bytes[..at]).unwrap_err().code(), Code::SnapshotCorrupt);
                let mut flipped = bytes.clone();
                flipped[at] ^= 1;
                let code = Leaderboard::restore(&flipped).unwrap_err().code();
                assert!(matches!(code, Code::SnapshotCorrupt | Code::RecordTooNew), "{at}");
            }
        }
    }
}
