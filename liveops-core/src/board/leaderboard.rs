//! One ranked set, usable alone.

use super::{Index, Operator, Order, Ranking, Row, Score, Sort, Standing, Ties};
use crate::error::{Code, Error};
use crate::hash::Key;
use crate::id::PlayerId;
use crate::time::Timestamp;

/// One ranked set of owners. Scores are 64-bit integers; an overflow is `score_overflow` and changes nothing.
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
/// # Ok::<(), liveops_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Leaderboard {
    operator: Operator,
    sort: Sort,
    ranking: Ranking,
    index: Index,
    /// Orders submits that come without a time.
    submits: i64,
}

impl Leaderboard {
    /// An empty board: first to reach wins a tie, ranks are 1, 2, 3.
    pub fn new(order: Order, operator: Operator) -> Self {
        let sort = Sort { order, ties: Ties::default() };
        Self { operator, sort, ranking: Ranking::default(), index: Index::new([0; 16]), submits: 0 }
    }

    /// The same with another rule for ties. To be called before the first submit: it starts an empty board.
    #[must_use]
    pub fn ties(self, ties: Ties) -> Self {
        let sort = Sort { ties, ..self.sort };
        Self { sort, ranking: self.ranking, ..Self::new(sort.order, self.operator) }
    }

    /// The same with another way to count ranks.
    #[must_use]
    pub fn ranking(self, ranking: Ranking) -> Self {
        Self { ranking, ..self }
    }

    /// An empty board whose hash key strangers do not know, for owner ids that they choose.
    #[must_use]
    pub fn hash_key(self, key: Key) -> Self {
        Self { index: Index::new(key), submits: 0, ..self }
    }

    /// Takes one value and returns the owner's standing. Submits without a time are ordered by their number.
    ///
    /// Errors: `id_invalid`, `score_overflow`.
    pub fn submit(&mut self, owner: &str, value: impl Into<Score>) -> Result<Standing, Error> {
        let at = Timestamp::from_unix_millis(self.submits.saturating_add(1));
        self.submit_at(owner, value, at)
    }

    /// Takes one value that came at a given time, which decides ties and [`Operator::Set`].
    pub fn submit_at(&mut self, owner: &str, value: impl Into<Score>, at: Timestamp) -> Result<Standing, Error> {
        let owner = PlayerId::new(owner)?;
        let before = self.index.standing(owner.as_bytes());
        let after = self.operator.apply(before, self.sort, value.into(), at, at).map_err(|_| Code::ScoreOverflow)?;
        self.index.set(&owner, Some(after));
        self.submits = self.submits.max(at.as_unix_millis());
        Ok(after)
    }

    /// Removes an owner; whether there was an entry.
    pub fn remove(&mut self, owner: &str) -> bool {
        let Some(_) = self.index.standing(owner.as_bytes()) else { return false };
        PlayerId::new(owner).map(|owner| self.index.set(&owner, None)).is_ok()
    }

    /// Takes an owner off the board without forgetting the entry; whether anything changed.
    pub fn hide(&mut self, owner: &str) -> bool {
        self.index.set_hidden(owner.as_bytes(), true)
    }

    /// Shows an owner again, at the exact place of before; whether anything changed.
    pub fn unhide(&mut self, owner: &str) -> bool {
        self.index.set_hidden(owner.as_bytes(), false)
    }

    /// The owner's score and subscore, hidden or not.
    pub fn score(&self, owner: &str) -> Option<Score> {
        self.index.standing(owner.as_bytes()).map(|standing| standing.score)
    }

    /// Rank from 1.
    pub fn rank(&self, owner: &str) -> Option<u64> {
        self.index.rank(owner.as_bytes(), self.ranking)
    }

    /// The best `limit`.
    pub fn top(&self, limit: usize) -> Vec<Row> {
        self.page(0, limit)
    }

    /// `offset..offset + limit`, best first.
    pub fn page(&self, offset: usize, limit: usize) -> Vec<Row> {
        self.index.page(offset, limit, self.ranking)
    }

    /// The owner's row with up to `each_side` rows above and below.
    pub fn around_owner(&self, owner: &str, each_side: usize) -> Vec<Row> {
        self.index.around(owner.as_bytes(), each_side, self.ranking)
    }

    /// Rows of some owners, best first, with their ranks on the whole board.
    pub fn by_owners<'a>(&self, owners: impl IntoIterator<Item = &'a str>) -> Vec<Row> {
        self.index.by_owners(owners.into_iter().map(str::as_bytes), self.ranking)
    }

    /// How many are strictly better than a score.
    pub fn count_above(&self, score: i64) -> u64 {
        self.index.count_above(score, self.sort.order)
    }

    /// How many are shown.
    pub fn len(&self) -> u64 {
        self.index.len()
    }

    /// Whether nobody is shown.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(board: &Leaderboard) -> Vec<String> {
        board.top(99).into_iter().map(|row| row.owner.to_string()).collect()
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
        assert!(board.hide("ann") && !board.hide("ann") && !board.hide("nobody"));
        assert_eq!((board.rank("ann"), board.rank("cat"), board.len()), (None, Some(2), 2));
        board.submit("ann", 0).unwrap();
        assert!(board.unhide("ann"));
        assert_eq!(order(&board), ["dee", "ann", "cat"]);
        assert!(board.remove("dee") && !board.remove("dee"));
        assert_eq!(board.rank("ann"), Some(1));
    }

    #[test]
    fn bad_input_changes_nothing() {
        let mut board = Leaderboard::new(Order::Desc, Operator::Incr);
        board.submit("ann", i64::MAX).unwrap();
        assert_eq!(board.submit("ann", 1).unwrap_err().code(), Code::ScoreOverflow);
        assert_eq!(board.submit("a b", 1).unwrap_err().code(), Code::IdInvalid);
        assert_eq!((board.len(), board.score("ann").unwrap().score), (1, i64::MAX));
    }
}
