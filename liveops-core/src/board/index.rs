//! Ranked entries of one board in one period: a fold over what is committed, that can be rebuilt from it.

use super::chunks::Chunks;
use super::owners::Directory as _;
use super::ranks::Ranks;
use super::roster::Roster;
use super::view::Name;
use super::{Ranking, Sort, Standing, View};
use crate::error::{Code, Error};
use crate::hash::Key;
use crate::id::PlayerId;

/// The index of one board in one period, for whoever writes a store. Ranks are exact.
///
/// ```
/// use liveops_core::board::{Index, Ranking, Standing};
/// use liveops_core::PlayerId;
///
/// let ana = PlayerId::new("ana")?;
/// let mut index = Index::new([7; 16]);
/// index.apply(&ana, 2, Some(Standing { score: 120.into(), ..Standing::default() }))?;
/// index.apply(&ana, 1, None)?; // older than what is there
/// assert_eq!(index.view(Ranking::Ordinal).rank("ana"), Some(1));
/// # Ok::<(), liveops_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Index {
    roster: Roster,
    ranks: Ranks,
    /// The version last applied. Absence is remembered too, so that an older version cannot bring an entry back.
    versions: Chunks<u64, 1024>,
}

impl Index {
    /// An empty index. A key that players cannot guess keeps them from crafting ids that collide.
    pub fn new(hash_key: Key) -> Self {
        Self {
            roster: Roster::new(hash_key, 0),
            ranks: Ranks::new(Sort::default(), false),
            versions: Chunks::default(),
        }
    }

    /// Takes what the record of that version says: an entry, or `None` for a player who is hidden or has no entry. An
    /// older version, or the same again, changes nothing.
    ///
    /// Errors: `score_overflow` for a score beyond ±(2^53 - 1), `store_full` for more owners than there can be.
    pub fn apply(&mut self, owner: &PlayerId, version: u64, standing: Option<Standing>) -> Result<(), Error> {
        if standing.is_some_and(|standing| !standing.score.is_exact()) {
            return Err(Code::ScoreOverflow.into());
        }
        let handle = self.roster.intern(owner).ok_or(Code::StoreFull)?;
        let known = self.versions.entry(handle as usize);
        if *known < version {
            *known = version;
            let found = self.ranks.find(handle);
            self.ranks.put(handle, found, standing, false, &self.roster);
        }
        Ok(())
    }

    /// Forgets which version of an owner came last, once that owner begins anew.
    pub fn forget(&mut self, owner: &PlayerId) {
        if let Some(handle) = self.roster.find(owner.as_bytes()) {
            *self.versions.entry(handle as usize) = 0;
            let found = self.ranks.find(handle);
            self.ranks.put(handle, found, None, false, &self.roster);
        }
    }

    /// For reading.
    pub fn view(&self, ranking: Ranking) -> View<'_> {
        View::new(Some(&self.ranks), &self.roster, ranking, Name::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::INTEGER_MAX;

    #[test]
    fn larger_scores_are_refused_and_change_nothing() {
        let (mut index, ana) = (Index::new([7; 16]), PlayerId::new("ana").unwrap());
        let standing = |score: i64| Some(Standing { score: score.into(), ..Standing::default() });
        index.apply(&ana, 1, standing(INTEGER_MAX)).unwrap();
        for score in [INTEGER_MAX + 1, -INTEGER_MAX - 1] {
            assert_eq!(index.apply(&ana, 2, standing(score)).unwrap_err().code(), Code::ScoreOverflow);
        }
        index.apply(&ana, 2, standing(7)).unwrap();
        assert_eq!(index.view(Ranking::Ordinal).score("ana"), Some(7.into()));
    }
}
